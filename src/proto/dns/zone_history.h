/* SPDX-License-Identifier: ISC */
/*
 * zone_history.h - the last changes of a zone, each beginning at the serial number where the one before
 * it ends: what an incremental transfer is told from (RFC 1995 §5).
 *
 * Bounded in octets; the oldest change goes. One that alone is larger, or does not follow on the last,
 * leaves the history empty: who has an older version gets the zone whole.
 */
#ifndef WN_PROTO_DNS_ZONE_HISTORY_H
#define WN_PROTO_DNS_ZONE_HISTORY_H

#include "base/list.h"
#include "proto/dns/zone_change.h"

enum { ZONE_HISTORY_OCTETS_DEFAULT = 1 << 20 };

struct zone_history_item {
    struct list_node node;
    struct zone_change change;
};

struct zone_history {
    struct heap heap;
    struct list_node items; /* oldest first */
    size_t count;
    size_t octets;          /* what the changes count for, with their heads */
    size_t octets_max;
};

/* NULL: no memory. */
MUST_USE struct zone_history *zone_history_new(const struct heap *heap, size_t octets_max);
void zone_history_free(struct zone_history *history); /* NULL is nothing */

void zone_history_clear(struct zone_history *history);

/* Takes the records of the change, which is empty then, whether they could be kept or not. */
void zone_history_add(struct zone_history *history, struct zone_change *change);

/* The change that leads on from that serial number; NULL: it is not known. Changes stay until others
 * are added, so one who tells them over several turns looks up where he is each time. */
const struct zone_change *zone_history_find(const struct zone_history *history, uint32_t serial);

/* The one after; NULL: that was the last. */
const struct zone_change *zone_history_next(const struct zone_history *history,
                                            const struct zone_change *change);

#endif
