/* SPDX-License-Identifier: ISC */
/*
 * zone_difference.h - the change that leads from one zone to another of the same name: so that a zone
 * that was loaded anew is told to secondaries by what is new in it (RFC 1995 §5).
 */
#ifndef WN_PROTO_DNS_ZONE_DIFFERENCE_H
#define WN_PROTO_DNS_ZONE_DIFFERENCE_H

#include "proto/dns/zone_change.h"

/* Compares by steps, in canonical order. Both zones must stay as they are in between. */
struct zone_difference {
    const struct zone *old;
    const struct zone *new;
    struct zone_change *change;
    bool hashed;      /* at the names of NSEC3 */
    bool inside;      /* of the names; else at their start */
    uint16_t key_len; /* of the name it has come to */
    uint8_t key[DNS_KEY_MAX];
};

/* Both have a SOA. `change` is empty, and the caller's. ZONE_OK, ZONE_FULL or ZONE_NO_MEMORY. */
MUST_USE enum zone_result zone_difference_start(struct zone_difference *d, const struct zone *old, const struct zone *new,
                           struct zone_change *change);

enum zone_difference_status {
    ZONE_DIFFERENCE_MORE,
    ZONE_DIFFERENCE_DONE,
    ZONE_DIFFERENCE_FAILED, /* more than the change can hold, or no memory */
};

/* At most so many names more. Two zones without a difference give a change that is empty
 * (zone_change_is_empty()); the serial number may be the same in spite of one. */
MUST_USE enum zone_difference_status zone_difference_step(struct zone_difference *d, size_t names);

/* What is different at one name of the zone, but for SOA records; a node that is NULL has nothing. ZONE_OK,
 * ZONE_FULL or ZONE_NO_MEMORY. */
MUST_USE enum zone_result zone_difference_node(struct zone_change *change, const struct zone *zone,
                                               const struct zone_node *old,
                                               const struct zone_node *new);

/* The SOA records of both, which are the first of each side. */
MUST_USE enum zone_result zone_difference_soa(struct zone_change *change, const struct zone *zone,
                                              const struct zone_node *old,
                                              const struct zone_node *new);

#endif
