/* SPDX-License-Identifier: ISC */
/*
 * catalog.h - catalog zones (RFC 9432): a zone that says which zones a server has. Reading one, all or nothing,
 * and writing one.
 */
#ifndef WN_PROTO_DNS_CATALOG_H
#define WN_PROTO_DNS_CATALOG_H

#include "base/text.h"
#include "proto/dns/zone.h"

enum {
    CATALOG_GROUPS_LEN_MAX = 4096, /* octets of all groups of one member; those that do not fit are nobody's */
    CATALOG_TTL = 0,               /* §4.1: it is ignored */
};

/* One zone of it. */
struct catalog_member {
    struct dns_name zone; /* in lower case */
    uint8_t id_len; /* the label by which it is a member, in lower case: with another one it begins anew (§5.4) */
    uint8_t id[DNS_LABEL_MAX];
    bool has_coo;
    struct dns_name coo;  /* the catalog that is to have it from this one (§4.4.1) */
    uint8_t *groups; /* §4.4.2: RDATA of TXT records, each behind its length in two octets; the catalog's */
    size_t groups_len;
};

struct catalog;

/* NULL: no memory. */
MUST_USE struct catalog *catalog_new(const struct heap *heap, size_t members_max);
void catalog_free(struct catalog *catalog); /* NULL is nothing */

/* Reads the zone, which has a SOA, into an empty catalog. False: it is broken, and must not be gone by (§5.1);
 * *error says how. What is not understood of a catalog that is not broken does not count. */
MUST_USE bool catalog_read(struct catalog *catalog, const struct zone *zone, struct text *error);

size_t catalog_count(const struct catalog *catalog);

/* NULL: it is no member. In the order of their names, from NULL on; NULL ends. */
const struct catalog_member *catalog_find(const struct catalog *catalog, const struct dns_name *zone);
const struct catalog_member *catalog_next(const struct catalog *catalog,
                                          const struct catalog_member *after);

bool catalog_same_id(const struct catalog_member *a, const struct catalog_member *b);

/* Is the member of that group? A group is a whole TXT record (§4.4.2): one string, which is written as it is, or
 * several, each in quotes: "operator-y" "bar". */
bool catalog_in_group(const struct catalog_member *member, const char *group);

/* ---- writing ---- */

/* What each has, of that serial number, into an empty zone; then its members. */
MUST_USE enum zone_result catalog_begin(struct zone *zone, uint32_t serial);
MUST_USE enum zone_result catalog_add(struct zone *zone, const struct dns_name *member);

/* The same of a member that was read, with its label and all that is said of it. */
MUST_USE enum zone_result catalog_put(struct zone *zone, const struct catalog_member *member);

#endif
