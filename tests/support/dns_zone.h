/* SPDX-License-Identifier: ISC */
/* dns_zone.h - zones made from lines of master files, for tests. */
#ifndef WN_TESTS_SUPPORT_DNS_ZONE_H
#define WN_TESTS_SUPPORT_DNS_ZONE_H

#include "proto/dns/zone.h"

/* For at most a thousand records, from memory_heap(). `lines` end with NULL. */
struct zone *dns_zone_make(const char *origin, const char *const *lines);

/* Relative names are the zone's; 60 seconds where no TTL is said. */
void dns_zone_put(struct zone *zone, const char *line);

#endif
