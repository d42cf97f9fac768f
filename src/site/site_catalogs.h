/* SPDX-License-Identifier: ISC */
/*
 * site_catalogs.h - catalog zones of a site (RFC 9432). A block "catalog" makes secondaries of the members of
 * a zone that the site serves, mostly one that it has from others; the option "catalog" makes a zone of all that it
 * serves from files, for its own secondaries.
 */
#ifndef WN_SITE_SITE_CATALOGS_H
#define WN_SITE_SITE_CATALOGS_H

#include "app/names/names.h"
#include "io/loop.h"
#include "os/log.h"
#include "site/site_config.h"
#include "site/site_secondaries.h"
#include "site/site_zones.h"

struct site_catalogs;

struct site_catalogs_options { /* all are borrowed */
    struct loop *loop;
    const struct log *log;
    struct names *names;
    struct site_secondaries_kept *secondaries;
    const struct site_zones *zones; /* which are nobody's members */
};

/* Members of catalogs that are there already, or of which that was kept, are secondaries then. 0 or -ENOMEM. */
MUST_USE int site_catalogs_new(const struct site_catalogs_options *options,
                               const struct site_config *config, struct site_catalogs **out);
void site_catalogs_free(struct site_catalogs *catalogs); /* NULL is nothing */

/* Goes on with what the configuration says now, and the secondaries with it. */
void site_catalogs_reload(struct site_catalogs *catalogs, const struct site_config *config);

/* That zone is another one now. */
void site_catalogs_zone_changed(struct site_catalogs *catalogs, size_t view,
                                const struct dns_name *zone);

/* Serves a catalog of the zones from files, if the configuration wants one. */
void site_catalogs_publish(const struct site_catalogs *catalogs);

#endif
