/* SPDX-License-Identifier: ISC */
/*
 * sign_change.h - what a signer has done to a zone, as one change (zone_change.h): what came and went again, or
 * went and came again, is no part of it.
 */
#ifndef WN_PROTO_DNS_SIGN_CHANGE_H
#define WN_PROTO_DNS_SIGN_CHANGE_H

#include "proto/dns/zone_change.h"

enum {
    SIGN_CHANGE_RECORDS_MAX = 1 << 16, /* when there are more, there is no change: a history begins anew */
};

struct sign_change_item;

struct sign_change {
    struct heap heap;
    struct sign_change_item *items;
    size_t count, room;
    uint8_t *octets; /* of all items, one behind the other */
    size_t len, size;
    bool failed;     /* more than it holds, or no memory */
};

void sign_change_init(struct sign_change *change, const struct heap *heap);
void sign_change_done(struct sign_change *change);

/* For sign_options.on_change: `self` is a struct sign_change. */
void sign_change_note(void *self, bool added, const struct dns_record *record);

/* Puts it into `out`, which is empty, and begins anew. ZONE_OK; ZONE_INVALID: the serial number did not change;
 * ZONE_FULL or ZONE_NO_MEMORY: it could not be kept. */
MUST_USE enum zone_result sign_change_take(struct sign_change *change, struct zone_change *out);

#endif
