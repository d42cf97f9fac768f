/* SPDX-License-Identifier: ISC */
/*
 * notify.h - telling others that a zone has changed (RFC 1996 §3): a message to each, again and again
 * until it is answered or nobody can be thought to be there.
 *
 * DEVIATES RFC 1996 §3.6: from two seconds on the pauses double, where the RFC has a minute for all.
 */
#ifndef WN_PROTO_DNS_NOTIFY_H
#define WN_PROTO_DNS_NOTIFY_H

#include "base/heap.h"
#include "base/list.h"
#include "base/prng.h"
#include "proto/dns/tsig.h"

enum {
    NOTIFY_PENDING_MAX = 4096, /* the one that waits longest goes */
    NOTIFY_ATTEMPTS = 6,       /* over some two minutes */
    NOTIFY_MESSAGE_MAX = 1232,
};
#define NOTIFY_FIRST_PAUSE (2 * USEC_PER_SEC)

struct notify_item {
    struct list_node node; /* in the order in which they came */
    struct dns_name zone;
    struct tsig_peer target;
    size_t view;           /* the caller's */
    uint16_t id;
    unsigned attempts;
    usec due_at;
    struct tsig_client signing; /* of the message that was sent last; .key NULL: it was not */
};

struct notify {
    struct heap heap;
    struct prng *prng;   /* borrowed, as is `keys` */
    const struct tsig_keys *keys;
    struct list_node items;
    size_t count;
};

void notify_init(struct notify *n, const struct heap *heap, struct prng *prng,
                 const struct tsig_keys *keys);
void notify_done(struct notify *n);

/* Begins, or begins anew. -ENOMEM or 0. */
MUST_USE int notify_add(struct notify *n, const struct dns_name *zone, size_t view,
                        const struct tsig_peer *target, usec now);

/* The next that is to be sent now, or with *given_up one that was sent often enough, which the caller
 * then drops. NULL: none. */
struct notify_item *notify_due(struct notify *n, usec now, bool *given_up);

/* Its message, with that SOA (RFC 1996 §3.7), in `buffer` of NOTIFY_MESSAGE_MAX. */
struct bytes notify_build(struct notify *n, struct notify_item *item, uint32_t soa_ttl,
                          struct bytes soa, uint64_t wall, uint8_t *buffer);

void notify_drop(struct notify *n, struct notify_item *item);

/* The one that this message answers, with *rcode. NULL: it answers none. */
struct notify_item *notify_answered(struct notify *n, const struct endpoint *from,
                                    struct bytes message, uint64_t wall, unsigned *rcode);

usec notify_deadline(const struct notify *n);

#endif
