/* SPDX-License-Identifier: ISC */
/*
 * site_zones.h - the zones that a site serves from files: which there are, loading them, and loading
 * them again while the others, and the old ones, are served.
 */
#ifndef WN_SITE_SITE_ZONES_H
#define WN_SITE_SITE_ZONES_H

#include "app/names/names.h"
#include "io/loop.h"
#include "os/log.h"
#include "site/site_config.h"
#include "site/site_signing.h"

struct site_zones;

/* Loads all that the configuration names into `names`. 0; a negative errno, and *error, only for what
 * cannot be looked at (a directory, a list) or when there is no memory. A zone with an error is logged,
 * and its names are answered SERVFAIL. `names`, `log` and `outside`, where the servers of parents are, are
 * borrowed. */
MUST_USE int site_zones_new(struct net *outside, const struct log *log, struct names *names,
                            const struct site_config *config, struct site_zones **out,
                            struct text *error);
/* Who signs some of them. */
const struct site_signing *site_zones_signing(const struct site_zones *zones);

/* Is that zone of a view one from a file? */
bool site_zones_has(const struct site_zones *zones, size_t view, const struct dns_name *zone);

/* The zones from files that everybody sees: *place is 0 at the start. NULL: that was the last. */
const struct dns_name *site_zones_each(const struct site_zones *zones, size_t *place);

void site_zones_free(struct site_zones *zones);

/* Looks again, and loads in slices between turns: zones that are named no more go, others take the
 * place of their predecessors once they are whole. What cannot be looked at is logged, and all stays. */
void site_zones_reload(struct site_zones *zones, const struct site_config *config);

#endif
