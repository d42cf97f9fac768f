/* SPDX-License-Identifier: ISC */
/*
 * site_secondaries.h - zones that a site has from others: begun with what was kept of them in files, and
 * kept there again when they have changed, so that they are served at once after a restart.
 */
#ifndef WN_SITE_SITE_SECONDARIES_H
#define WN_SITE_SITE_SECONDARIES_H

#include "app/names/names.h"
#include "io/loop.h"
#include "os/log.h"
#include "site/site_config.h"

struct site_secondaries_kept;

/* Loads what there is in files, and begins. 0 or -ENOMEM. `names` and `log` are borrowed. A file that
 * cannot be used is logged: the zone comes from its primaries. */
MUST_USE int site_secondaries_new(struct loop *loop, const struct log *log, struct names *names,
                                  const struct site_config *config,
                                  struct site_secondaries_kept **out);

/* What was being written is not: the file before it stays. */
void site_secondaries_free(struct site_secondaries_kept *kept);

/* A member of a catalog. */
struct site_member {
    struct dns_name zone;
    const struct site_secondary *like; /* of the configuration: how it is had */
    const char *directory;             /* the same: where it is kept; "": nowhere */
    bool reset;                        /* nothing is left of what there was of it */
};

/* Where something is kept by a zone's name in a directory, as a directory of "zones" has them: DIRECTORY/NAME.ENDING. False:
 * nowhere, as the directory is "", or that is too long. */
MUST_USE bool site_secondaries_path(const struct site_config *config, const char *directory,
                                    const struct dns_name *zone, const char *ending,
                                    char out[SITE_PATH_MAX]);

/* Goes on with what the configuration says now, and with those members, whose files go with them. 0 or -ENOMEM:
 * all is as it was. */
MUST_USE int site_secondaries_reload(struct site_secondaries_kept *kept, const struct site_config *config,
                                     const struct site_member *members, size_t count);

#endif
