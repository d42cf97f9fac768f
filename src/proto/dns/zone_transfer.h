/* SPDX-License-Identifier: ISC */
/*
 * zone_transfer.h - a whole zone as a sequence of messages (AXFR, RFC 5936), which an IXFR gets too
 * (RFC 1995 §4) unless it knows of it already.
 *
 * Messages are made one at a time, when there is room for one. What the zone is told by is looked up
 * each time: one that has changed or gone meanwhile ends the transfer, and the client begins anew.
 */
#ifndef WN_PROTO_DNS_ZONE_TRANSFER_H
#define WN_PROTO_DNS_ZONE_TRANSFER_H

#include "proto/dns/answer.h"
#include "wire/dns/dns_key.h"

enum { TRANSFER_MESSAGE_MAX = 16 * 1024 }; /* names further on cannot be pointed at */

enum transfer_phase { TRANSFER_FIRST, TRANSFER_NAMES, TRANSFER_HASHED, TRANSFER_LAST, TRANSFER_DONE };

struct zone_transfer {
    const struct answer_options *options;
    const struct zone_set *zones; /* the one that has it */
    const struct zone *zone;      /* compared only */
    uint32_t serial;
    enum transfer_phase phase;
    bool soa_only;                /* the client has this version */
    struct answer_query query;
    uint32_t done;                /* records of the node at `key` that were told */
    uint16_t key_len;
    uint8_t key[DNS_KEY_MAX];
};

/* `query` as answer() has filled it in, for the zone of its question; `message` is the whole of it.
 * NOERROR, or the RCODE of a refusal: there is no such zone (NOTAUTH), or it cannot be served. */
MUST_USE unsigned transfer_start(struct zone_transfer *t, const struct answer_options *options,
                                 const struct answer_query *query, struct bytes message);

enum transfer_status { TRANSFER_MORE, TRANSFER_WHOLE, TRANSFER_BROKEN };

/* The next message, in `buffer` of TRANSFER_MESSAGE_MAX. TRANSFER_WHOLE: it is the last one;
 * TRANSFER_BROKEN: there is none, and the connection can only be cut. */
MUST_USE enum transfer_status transfer_next(struct zone_transfer *t, uint8_t *buffer,
                                            struct bytes *out);

#endif
