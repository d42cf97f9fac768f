/* SPDX-License-Identifier: ISC */
/*
 * zone_change.h - what leads from one version of a zone to another: the records that go and those that
 * come, in the order of an incremental transfer (RFC 1995 §4): on each side the SOA of that version
 * first.
 */
#ifndef WN_PROTO_DNS_ZONE_CHANGE_H
#define WN_PROTO_DNS_ZONE_CHANGE_H

#include "proto/dns/zone.h"

enum zone_side { ZONE_REMOVED, ZONE_ADDED, ZONE_SIDE_COUNT };

/* Records one behind the other: owner, type, TTL, length of RDATA, RDATA; names uncompressed. */
struct zone_change_side {
    uint8_t *octets;
    size_t len;
    size_t size;
    size_t count; /* records */
};

struct zone_change {
    struct heap heap;
    size_t octets_max; /* of both sides */
    uint32_t serial_from, serial_to; /* of the SOA records that begin the sides */
    struct zone_change_side sides[ZONE_SIDE_COUNT];
};

void zone_change_init(struct zone_change *change, const struct heap *heap, size_t octets_max);
void zone_change_done(struct zone_change *change);

/* Moves the records to *out; the change is as zone_change_init() left it. */
void zone_change_move(struct zone_change *change, struct zone_change *out);

/* Puts a record behind those of its side. ZONE_OK, ZONE_FULL, ZONE_NO_MEMORY; ZONE_INVALID: not one that
 * a zone can hold, or the first of its side and no SOA, or another that is one. Unless ZONE_OK the change
 * is as it was. */
MUST_USE enum zone_result zone_change_add(struct zone_change *change, enum zone_side side,
                                          const struct dns_record *record);

/* The record at *place (0 at the start), which goes on to the next. False: there is none. RDATA is
 * valid as long as the change is not added to. */
MUST_USE bool zone_change_next(const struct zone_change *change, enum zone_side side, size_t *place,
                               struct dns_record *out);

/* Octets of both sides: what it counts for where there is a bound. */
size_t zone_change_octets(const struct zone_change *change);

/* Does it lead nowhere: is the zone the same but for its serial number? */
bool zone_change_is_empty(const struct zone_change *change);

/* The same backwards: shares the records of the change, which must outlive it and not be added to. */
struct zone_change zone_change_inverse(const struct zone_change *change);

/* Are the SOA records of both sides, which it has, the same? */
bool zone_change_keeps_soa(const struct zone_change *change);

/* Gives the SOA records of both sides, which it has, other serial numbers. */
void zone_change_renumber(struct zone_change *change, uint32_t from, uint32_t to);

/* Changes the zone, all or nothing: each record that goes was there, none that comes is there after
 * that. A set whose records come with another TTL has it for all (RFC 2181 §5.2). `set` is the one that
 * the zone is in, or NULL. Unless ZONE_OK the zone is as it was. */
MUST_USE enum zone_result zone_change_apply(struct zone_set *set, struct zone *zone,
                                            const struct zone_change *change);

/* The same, and the zone's history takes the records of the change if it keeps one; the change is empty
 * then. Else it is as it was. */
MUST_USE enum zone_result zone_change_commit(struct zone_set *set, struct zone *zone,
                                             struct zone_change *change);

/* ---- octets, for files ---- */

/* Valid until the change is added to: written one behind the other they are what zone_change_decode()
 * takes. */
void zone_change_encode(const struct zone_change *change, struct bytes out[ZONE_SIDE_COUNT]);

/* Adds records to the side of an empty change. ZONE_INVALID: these are none. */
MUST_USE enum zone_result zone_change_decode(struct zone_change *change, enum zone_side side,
                                             struct bytes octets);

#endif
