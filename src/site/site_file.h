/* SPDX-License-Identifier: ISC */
/*
 * site_file.h - what the parts of reading a site file share. Private to site/:
 *
 *      site_file.c          the syntax, by libconfuse
 *      site_file_blocks.c   what its blocks say
 *      site_file_web.c      what the block "web" says
 *      site_default.c       the built-in site; what holds when nothing is said
 */
#ifndef WN_SITE_SITE_FILE_H
#define WN_SITE_SITE_FILE_H

#include <confuse.h>

#include "site/site_options.h"

enum { SITE_SECTIONS_MAX = 24, SITE_SECTION_OPTIONS_MAX = 96 };

/* What stands behind an option, and where. */
struct site_file_value {
    unsigned line;
    char text[];
};

struct site_reader {
    char *anchor; /* the variable of the option that leads here; must stay first */
    struct text *error;
    bool failed;
    const char *name; /* of the file */
    unsigned line_count;
    cfg_opt_t options[SITE_SECTIONS_MAX][SITE_SECTION_OPTIONS_MAX];
    size_t section_count;
};

/* Begins a complaint. There is one a file: what would follow is often its consequence. */
struct text *site_file_complain(struct site_reader *reader, unsigned line);

/* These return false when they have complained. */

/* Reads what the section says into the structure at `base`. */
MUST_USE bool site_file_take_options(struct site_reader *reader, struct site_config *config,
                                     cfg_t *cfg, const char *section, void *base);
MUST_USE bool site_file_take_web(struct site_reader *reader, struct site_config *config,
                                 cfg_t *block);
MUST_USE bool site_file_take_blocks(struct site_reader *reader, struct site_config *config,
                                    cfg_t *root);

/* A configuration about which nothing has been said; `name` NULL: it has no file. NULL: no memory. */
struct site_config *site_config_new(const char *name);

#endif
