/* SPDX-License-Identifier: ISC */
/*
 * site_options.h - the table of everything that can be said about a site: section, option, where
 * it is kept, how its text is read, what is expected. The site file's reader and the command line
 * are both driven by it.
 */
#ifndef WN_SITE_SITE_OPTIONS_H
#define WN_SITE_SITE_OPTIONS_H

#include "site/site_config.h"

struct site_option {
    const char *section;  /* "": outside of any block */
    const char *name;
    /* Reads `text` into `field`; false: not what is expected (or, for a list, no room). */
    bool (*parse)(struct bytes text, void *field, const struct site_option *option);
    size_t offset;        /* of the field in struct site_config; of block "host": in site_host */
    uint64_t min, max;    /* of numbers; of text: max is the size of the field */
    bool list;
    const char *expected; /* completes "expected …" */
};

/* Is that value of the option a path? One that is relative begins, in a site file, where the file is. */
bool site_option_is_path(const struct site_option *option, const char *value);

/* The options of a few blocks, with the readers of their values. */
struct site_option_table {
    const struct site_option *options;
    size_t count;
};

extern const struct site_option_table site_link_options;
extern const struct site_option_table site_names_options;
extern const struct site_option_table site_web_options;
extern const struct site_option_table site_program_options;
extern const struct site_option_table site_pass_options;
extern const struct site_option_table site_proxy_options;
extern const struct site_option_table site_mdns_options;

/* All of them in their order; NULL: that was the last. */
const struct site_option *site_option_at(size_t index);

/* The line of the file where the option stood; 0: it did not. There is such an option. */
unsigned site_option_line(const struct site_config *config, const char *section, const char *name);

/* NULL: there is no such option. */
const struct site_option *site_option_find(const char *section, const char *name);

/* May the option stand in that block? What locations have, the blocks around them may have too. */
bool site_option_is_in(const struct site_option *option, const char *section);

/* The device of a link, from its title: "tap:NAME" or "host". */
MUST_USE bool site_device_parse(struct bytes text, struct site_link *out);

/* [ADDRESS:]PORT[:INNER][/udp] */
MUST_USE bool site_published_parse(struct bytes text, struct site_published *out);

#endif
