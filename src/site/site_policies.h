/* SPDX-License-Identifier: ISC */
/*
 * site_policies.h - the lists of a site, which say what is answered otherwise: response policy zones and
 * a hosts file, for everybody and for each view. A policy zone comes from a file, or is a zone that the site
 * serves, whoever it comes from; then the list is made anew, a slice a turn, with each version of it.
 */
#ifndef WN_SITE_SITE_POLICIES_H
#define WN_SITE_SITE_POLICIES_H

#include "app/names/names_resolver.h"
#include "io/loop.h"
#include "os/log.h"
#include "site/site_config.h"

struct site_policies;

/* Reads lists from their files and from the zones that are there, and the service goes by them from now on.
 * 0, or a negative errno with *error saying which and why. `log` and `names` are borrowed. */
MUST_USE int site_policies_new(struct loop *loop, const struct log *log, struct names *names,
                               const struct site_config *config, struct site_policies **out,
                               struct text *error);

/* After the service. NULL is nothing. */
void site_policies_free(struct site_policies *policies);

/* Reads the files again. What is wrong in one of them leaves all lists as they were: a negative errno. */
MUST_USE int site_policies_reload(struct site_policies *policies, const struct site_config *config,
                                  struct text *error);

/* That zone is another one now, or served no more: a list of one that is not stays as it was. */
void site_policies_zone_changed(struct site_policies *policies, size_t view,
                                const struct dns_name *zone);

#endif
