/* SPDX-License-Identifier: ISC */
/*
 * zone.h - authoritative data in memory (RFC 1034 §4.2, §4.3.3; RFC 4592 for wildcards and empty
 * non-terminals; RFC 4035 §3.1, RFC 5155 §7 for signed zones).
 *
 * A zone is a table of names in canonical order, each with its sets of records. A set of zones finds
 * the one that a name is in. Class IN only.
 */
#ifndef WN_PROTO_DNS_ZONE_H
#define WN_PROTO_DNS_ZONE_H

#include "base/heap.h"
#include "base/trie.h"
#include "wire/dns/dns_key.h"
#include "wire/dns/dns_record.h"

enum {
    ZONE_RDATA_MAX = 4096, /* of one record: more would not fit where others must fit too */
    ZONE_RRSET_MAX = 1024, /* records of one name and type */
};

/* The records of one name and type, in the order they were added; of RRSIG, those that cover one
 * type. Lengths of 16 bits and RDATA follow each other in `octets`. */
struct rrset {
    struct rrset *next; /* of the same name */
    uint32_t ttl;       /* of all of them (RFC 2181 §5.2) */
    uint16_t type;
    uint16_t count;
    uint8_t octets[];
};

/* Where in a set one is: all zero at the start. */
struct rrset_place {
    uint32_t at; /* octets gone past */
    uint32_t done;
};

/* The next record of a set; RDATA is valid for its type, names uncompressed. False: none is left. */
static inline bool rrset_next(const struct rrset *rrset, struct rrset_place *place,
                              struct bytes *out)
{
    uint16_t len;
    if (place->done == rrset->count)
        return false;
    memcpy(&len, rrset->octets + place->at, sizeof len);
    *out = bytes_of(rrset->octets + place->at + sizeof len, len);
    place->at += (uint32_t)sizeof len + len;
    place->done++;
    return true;
}

/* The first record: of types that have only one. */
static inline struct bytes rrset_first(const struct rrset *rrset)
{
    struct rrset_place place = {0};
    struct bytes rdata = bytes_empty();
    (void)rrset_next(rrset, &place, &rdata);
    return rdata;
}

enum zone_node_flags {
    ZONE_HAS_NS = 1 << 0,
    ZONE_HAS_DNAME = 1 << 1,
    ZONE_HAS_WILDCARD = 1 << 2, /* the child "*" exists */
};

/* A name that exists: it has records, or names below it do (an empty non-terminal). */
struct zone_node {
    struct rrset *rrsets;
    uint16_t key_len;
    uint8_t flags;  /* enum zone_node_flags */
    uint8_t key[];  /* dns_key.h, behind the zone's own */
};

struct zone {
    struct heap heap;
    struct dns_name name;
    struct zone_node *apex; /* has SOA, unless the zone cannot be served: zone_is_served() */
    struct trie nodes;      /* by key; the apex' is empty */
    struct trie hashed;     /* owners of NSEC3, which are no names of the zone (RFC 5155 §7.1) */
    struct zone_history *history; /* its own (zone_history.h); NULL: none is kept */
    bool dynamic;           /* it takes updates, and changes are kept beside its file */
    uint32_t unsigned_serial; /* dynamic: that its data have in the journal, whatever signing it made of it */
    uint64_t journal_octets; /* of those, since it was last kept whole */
    size_t record_count;
    size_t ttl_differences; /* records that came with another TTL than their set (RFC 2181 §5.2) */
    size_t records_max;
    uint16_t key_len;
    uint8_t key[DNS_KEY_MAX];
};

/* The node's name, in lower case but for the zone's own part. */
void zone_node_name(const struct zone *zone, const struct zone_node *node, struct dns_name *out);

static inline bool zone_is_apex(const struct zone_node *node)
{
    return node->key_len == 0;
}

/* An empty zone, which is in no set, or NULL: no memory. */
MUST_USE struct zone *zone_new(const struct heap *heap, const struct dns_name *name,
                               size_t records_max);

/* Only what is in no set. NULL is nothing. */
void zone_free(struct zone *zone);

/* The same by steps, for large ones: takes at most so many names out of it. True: there are none left,
 * and zone_free() is quick. */
bool zone_empty(struct zone *zone, size_t names);

struct zone_set;

/*
 * Who holds up others that look at the zones of a set, from threads of their own, while it changes: open() follows each
 * close(), and they nest. All that changes a zone by way of its set does that itself. Who changes a zone that is in a set
 * otherwise (zone_put(), zone_drop(), its history), or wants several changes to be seen as one, does it for them.
 */
struct zone_guard {
    void (*close)(void *self);
    void (*open)(void *self);
    void *self;
};
void zone_set_guard(struct zone_set *set, const struct zone_guard *guard); /* copied; NULL: nobody looks */
void zone_set_close(const struct zone_set *set);
void zone_set_open(const struct zone_set *set);

/* NULL: no memory. */
MUST_USE struct zone_set *zone_set_new(const struct heap *heap, size_t records_max);
void zone_set_free(struct zone_set *set);
size_t zone_set_count(const struct zone_set *set); /* records */

/* Another number whenever a zone has come, gone or been replaced by another. */
uint64_t zone_set_changes(const struct zone_set *set);

/* The zone that the name is in: the deepest one. `above`: not one of that very name. NULL: none. */
struct zone *zone_set_find(const struct zone_set *set, const struct dns_name *name, bool above);

/* The zone of that very name, or NULL. */
struct zone *zone_set_get(const struct zone_set *set, const struct dns_name *name);

/* Every zone once, in canonical order: from NULL on; NULL ends. */
struct zone *zone_set_next(const struct zone_set *set, const struct zone *after);

/* A zone of the set was changed by zone_put() and zone_drop(): its records count from now on. */
void zone_set_recount(struct zone_set *set, size_t before, size_t after);

/* Forgets the zone of that very name. False: there is none. */
bool zone_set_remove(struct zone_set *set, const struct dns_name *name);

/* Takes it out; it is the caller's now. NULL: there is none. */
struct zone *zone_set_take(struct zone_set *set, const struct dns_name *name);

enum zone_result {
    ZONE_OK,          /* also when that very record is there already */
    ZONE_FULL,
    ZONE_NO_MEMORY,
    ZONE_INVALID,     /* RDATA is not valid or too long, or not a type for a zone, or not class IN */
    ZONE_CNAME_ALONE, /* a CNAME and other data at one name (RFC 1034 §3.6.2, RFC 2181 §10.1) */
    ZONE_ONLY_ONE,    /* a second SOA, CNAME or DNAME at one name */
    ZONE_OUTSIDE,     /* the name is in no zone of this set */
    /* Of changes (zone_change.h): */
    ZONE_NOT_THERE,   /* what is to go is not there */
    ZONE_THERE,       /* what is to come is there */
    ZONE_OTHER_VERSION, /* the change is one of another serial number */
    ZONE_RESULT_COUNT
};

/* Why it was refused, for people. Static. */
const char *zone_result_text(enum zone_result result);

/* Adds a record to the zone that its owner is in; a SOA begins a zone. A set takes the lowest TTL of
 * its records. The zone's serial number is increased. */
MUST_USE enum zone_result zone_add(struct zone_set *set, const struct dns_record *record);

/* Adds a record to that zone, whatever lies below it in others, and leaves the serial number as it
 * is: for what comes from the zone's own file or transfer. */
MUST_USE enum zone_result zone_put(struct zone *zone, const struct dns_record *record);

/* Takes that very record out of the zone, its SOA too, and leaves the serial number as it is: what
 * zone_put() put. False: there is none. */
bool zone_drop(struct zone *zone, const struct dns_record *record);

/* The set takes the zone, in place of the one that has this name: *old is that, which is the caller's
 * now, or NULL. Unless ZONE_OK the zone stays the caller's, and the set is as it was. */
MUST_USE enum zone_result zone_set_install(struct zone_set *set, struct zone *zone,
                                           struct zone **old);

/* Removes the records of that name and type (DNS_ANY: of every type), only those with that RDATA
 * unless `rdata` is NULL. What holds the zone together, SOA and NS at its apex, stays unless NS is
 * asked for by its type. Returns how many. */
size_t zone_remove(struct zone_set *set, const struct dns_name *name, uint16_t type,
                   const struct bytes *rdata);

/* What there is to know about a name; valid until the set changes. */
struct zone_match {
    const struct zone *zone;          /* that it is in; NULL: none of ours, and nothing else is set */
    const struct zone_node *cut;      /* a delegation at or above it, within the zone; or NULL */
    const struct zone_node *dname;    /* a DNAME above it (RFC 6672), before any cut; or NULL */
    const struct zone_node *node;     /* the name itself; NULL: it does not exist */
    const struct zone_node *encloser; /* the name, or the closest of its ancestors that exists */
};

void zone_find(const struct zone_set *set, const struct dns_name *name, struct zone_match *out);

/* The same in that zone, which must be the name's or one above. */
void zone_find_in(const struct zone *zone, const struct dns_name *name, struct zone_match *out);

/* zone_set_find() and zone_find_in() for who has the name's key already (dns_key.h). */
struct zone *zone_set_find_key(const struct zone_set *set, struct bytes key, bool above);
void zone_find_key_in(const struct zone *zone, struct bytes key, struct zone_match *out);

/* The wildcard just below the node; NULL: it has none. */
const struct zone_node *zone_wildcard(const struct zone *zone, const struct zone_node *node);

/* The records of that type, or NULL; of RRSIG, those that cover the first type. */
const struct rrset *zone_rrset(const struct zone_node *node, uint16_t type);

/* The signatures over the records of that type, or NULL. */
const struct rrset *zone_signatures(const struct zone_node *node, uint16_t type);

/* How long "there is no such thing" holds: the lesser of the SOA's TTL and its MINIMUM (RFC 2308
 * §5). */
uint32_t zone_negative_ttl(const struct rrset *soa);
uint32_t zone_serial(const struct zone *zone);

/* A zone without a SOA stands in a set for one that could not be had: its names are nobody else's
 * either. */
bool zone_is_served(const struct zone *zone);

#endif
