/* SPDX-License-Identifier: ISC */
/*
 * zone_internal.h - what the files that change zones share: zone.c what zones are made of, zone_edit.c
 * many records at once.
 */
#ifndef WN_PROTO_DNS_ZONE_INTERNAL_H
#define WN_PROTO_DNS_ZONE_INTERNAL_H

#include "proto/dns/zone.h"
#include "wire/dns/dns_serial.h"

struct zone_set {
    struct heap heap;
    struct trie zones; /* by key */
    size_t record_count;
    size_t records_max;
    uint64_t changes;  /* zones that have come or gone */
    struct zone_guard guard; /* .close NULL: nobody has to be held up */
};

/* ---- sets of records ---- */

/* How many of `octets` are used. */
size_t zone_rrset_octets(const struct rrset *rrset);

bool zone_rrset_holds(const struct rrset *rrset, struct bytes rdata);

/* Where the node has, or would have, the set of that type; of RRSIG, of what `rdata` covers. */
struct rrset **zone_rrset_place(struct zone_node *node, uint16_t type, struct bytes rdata);

/* Adds a record to the set at *place, which may be NULL. False: no memory, and nothing changed. */
MUST_USE bool zone_rrset_append(struct zone *zone, struct rrset **place,
                                const struct dns_record *record);

/* Takes the records with that RDATA (NULL: all) out of the set at *place; an empty set goes. */
size_t zone_rrset_take_out(struct zone *zone, struct rrset **place, const struct bytes *rdata);

/* ---- nodes; `key` is behind the zone's own ---- */

/* A node in that trie of the zone, and nothing above it. NULL: no memory. */
MUST_USE struct zone_node *zone_node_new(struct zone *zone, struct trie *in, struct bytes key);
void zone_node_free(struct zone *zone, struct zone_node *node); /* which is in no trie */

/* The node with that key, made with all that must exist above it. NULL: no memory. */
MUST_USE struct zone_node *zone_node_get(struct zone *zone, struct bytes key, bool hashed);

/* A node with nothing in or below it goes, and those above that were there for it. */
void zone_node_tidy(struct zone *zone, struct bytes key, bool hashed);

/* What the search asks of a node, kept beside its records: after they have changed. */
void zone_note_types(struct zone_node *node);

/* ---- records ---- */

bool zone_key_begins(struct bytes key, struct bytes prefix);

/* A record for the names of NSEC3, which are apart. */
bool zone_record_hashed(const struct dns_record *record);

/* Can any zone hold it? */
bool zone_may_hold(const struct dns_record *record);

/* May the record be added to that set of the node, or as a new one (NULL)? */
enum zone_result zone_may_join(const struct zone_node *node, const struct rrset *rrset,
                               const struct dns_record *record);

#endif
