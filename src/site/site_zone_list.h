/* SPDX-License-Identifier: ISC */
/* site_zone_list.h - the zones that a configuration names, with their files. */
#ifndef WN_SITE_SITE_ZONE_LIST_H
#define WN_SITE_SITE_ZONE_LIST_H

#include "site/site_config.h"

enum { SITE_ZONES_LOADED_MAX = 1 << 20 };

/* One zone of one view. */
struct site_zone_entry {
    struct dns_name name; /* in lower case */
    size_t view;
    char *path;
};

struct site_zone_list {
    struct site_zone_entry *all; /* sorted by view and name */
    size_t count;
    size_t room;
    const struct site_config *config; /* while they are collected */
};

/* 0; a negative errno, and *error, when one is there twice or not to be served from a file, when what is said of one
 * makes no sense, or cannot be looked at: then the list is empty. */
MUST_USE int site_zone_list_collect(struct site_zone_list *out, const struct site_config *config,
                                    struct text *error);
void site_zone_list_free(struct site_zone_list *list);

/* The order of a list: both are struct site_zone_entry. */
int site_zone_compare(const void *a, const void *b);

#endif
