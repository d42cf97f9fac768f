/* SPDX-License-Identifier: ISC */
/*
 * site_policies.h - the lists of a site, which say what is answered otherwise: response policy zones and
 * a hosts file.
 */
#ifndef WN_SITE_SITE_POLICIES_H
#define WN_SITE_SITE_POLICIES_H

#include "app/names/names_resolver.h"
#include "site/site_config.h"

/* The lists of a view, or of everybody. */
struct site_policy_set {
    bool given;     /* of a view; else it has those of everybody */
    size_t count;
    struct policy *lists[POLICY_LISTS_MAX];
};

struct site_policies {
    struct site_policy_set everybody;
    struct site_policy_set seen[SITE_VIEWS_MAX];
};

/* Reads them from their files, all or none: 0 or a negative errno, and *error says which and why. */
MUST_USE int site_policies_read(const struct site_config *config, struct site_policies *out,
                                struct text *error);
void site_policies_done(struct site_policies *policies);

/* The service goes by them from now on, and they stay while it does. */
void site_policies_use(const struct site_policies *policies, size_t view_count, struct names *names);

#endif
