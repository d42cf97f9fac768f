/* SPDX-License-Identifier: ISC */
/*
 * policy_zone.h - a list (policy.h) from a zone that is served, a slice at a time: what has come by transfer,
 * or is changed by UPDATE. Where the zone changes, meanwhile or later, what its history says of that is done in the
 * list as well; where that says nothing, the list is begun anew.
 */
#ifndef WN_PROTO_DNS_POLICY_ZONE_H
#define WN_PROTO_DNS_POLICY_ZONE_H

#include "proto/dns/policy.h"
#include "proto/dns/zone.h"

struct policy_zone {
    struct policy *policy; /* the caller's */
    uint32_t serial;
    size_t wrong;          /* records that are no rules, and are left out */
    bool whole;            /* it has all names */
    bool inside;           /* at `key`; else before the first name */
    uint16_t key_len;
    uint8_t key[DNS_KEY_MAX];
};

/* The zone must have a SOA; the list is empty, and its origin is the zone's name. */
void policy_zone_start(struct policy_zone *p, struct policy *policy, const struct zone *zone);

enum {
    POLICY_ZONE_FOLLOW_MAX = 4096, /* records of changes that are followed; after more it is begun anew: it takes that long */
};

enum policy_zone_status {
    POLICY_ZONE_MORE,
    POLICY_ZONE_WHOLE,
    POLICY_ZONE_CHANGED, /* another version is served now, and what led to it is not known, or much: begin anew */
    POLICY_ZONE_FULL,    /* the same: more rules than it may have, or no memory */
};

/* Adds the rules of at most so many names more. `zone`: the one that is served under that name now, or NULL. */
MUST_USE enum policy_zone_status policy_zone_step(struct policy_zone *p, const struct zone *zone,
                                                  size_t names);

/* Brings a list that is whole to what is served now, at once: POLICY_ZONE_WHOLE; or POLICY_ZONE_CHANGED. Nobody else may
 * look at it meanwhile. */
MUST_USE enum policy_zone_status policy_zone_follow(struct policy_zone *p, const struct zone *zone);

#endif
