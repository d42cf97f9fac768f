/* SPDX-License-Identifier: ISC */
/*
 * zone.h - authoritative data in memory: any number of zones in one tree of names (RFC 1034 §4.2,
 * §4.3.3 and RFC 4592 for wildcards and empty non-terminals).
 *
 * A zone begins where a SOA record is added, and ends at NS records below it, or where another zone
 * of the set begins. One walk from the root down finds the zone, a delegation on the way, the name
 * itself or its closest encloser. Class IN only.
 */
#ifndef WN_PROTO_DNS_ZONE_H
#define WN_PROTO_DNS_ZONE_H

#include "base/heap.h"
#include "base/siphash.h"
#include "wire/dns/dns_record.h"

enum {
    ZONE_RDATA_MAX = 4096,   /* of one record: more would not fit where others must fit too */
    ZONE_RRSET_MAX = 1024,   /* records of one name and type */
};

/* One record of a set. */
struct zone_record {
    struct zone_record *next;
    uint16_t len;
    uint8_t rdata[]; /* valid for its type, names uncompressed */
};

/* The records of one name and type, in the order they were added. */
struct rrset {
    struct rrset *next; /* of the same name */
    uint16_t type;
    uint16_t count;
    uint32_t ttl; /* of all of them (RFC 2181 §5.2) */
    struct zone_record *records;
};

/* A name that exists: it has records, or names below it do (an empty non-terminal). */
struct zone_node {
    struct zone_node *parent;
    struct zone_node *wildcard; /* the child "*" */
    struct rrset *rrsets;
    uint32_t id;
    uint32_t hash;
    uint32_t child_count;
    bool apex;  /* has SOA */
    bool has_ns;
    bool has_dname;
    struct dns_name owner;
};

struct zone_set;

/* NULL: no memory. The key is for the hash table. */
MUST_USE struct zone_set *zone_set_new(const struct heap *heap, size_t records_max,
                                       const struct siphash_key *key);
void zone_set_free(struct zone_set *set);
size_t zone_set_count(const struct zone_set *set); /* records */

enum zone_result {
    ZONE_OK,          /* also when that very record is there already */
    ZONE_FULL,
    ZONE_NO_MEMORY,
    ZONE_INVALID,     /* RDATA is not valid or too long, or not a type for a zone, or not class IN */
    ZONE_CNAME_ALONE, /* a CNAME and other data at one name (RFC 1034 §3.6.2) */
    ZONE_ONLY_ONE,    /* a second SOA, CNAME or DNAME at one name */
    ZONE_OUTSIDE,     /* the name is in no zone of this set */
    ZONE_RESULT_COUNT
};

/* Why it was refused, for people. Static. */
const char *zone_result_text(enum zone_result result);

/* Adds a record; a SOA begins a zone. A set takes the lowest TTL of its records. The zone's serial
 * number is increased. */
MUST_USE enum zone_result zone_add(struct zone_set *set, const struct dns_record *record);

/* Removes the records of that name and type (DNS_ANY: of every type but those that hold the zone
 * together, SOA, and NS at its apex), only those with that RDATA unless `rdata` is NULL. Returns how
 * many. */
size_t zone_remove(struct zone_set *set, const struct dns_name *name, uint16_t type,
                   const struct bytes *rdata);

/* What there is to know about a name; valid until the set changes. */
struct zone_match {
    const struct zone_node *apex;     /* of the zone that it is in; NULL: none of ours */
    const struct zone_node *cut;      /* a delegation at or above it, within the zone; or NULL */
    const struct zone_node *dname;    /* a DNAME above it (RFC 6672), before any cut; or NULL */
    const struct zone_node *node;     /* the name itself; NULL: it does not exist */
    const struct zone_node *encloser; /* the name, or the closest of its ancestors that exists */
};

void zone_find(const struct zone_set *set, const struct dns_name *name, struct zone_match *out);

/* The records of that type, or NULL. */
const struct rrset *zone_rrset(const struct zone_node *node, uint16_t type);

static inline struct bytes zone_rdata(const struct zone_record *record)
{
    return bytes_of(record->rdata, record->len);
}

/* How long "there is no such thing" holds: the lesser of the SOA's TTL and its MINIMUM (RFC 2308
 * §5). */
uint32_t zone_negative_ttl(const struct rrset *soa);

#endif
