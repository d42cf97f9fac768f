/* SPDX-License-Identifier: ISC */
/*
 * zone_transfer.h - a zone as a sequence of messages: whole (AXFR, RFC 5936), or what has changed in it
 * since a version (IXFR, RFC 1995), as one change, when the zone's history goes back so far and that is
 * less than the whole.
 *
 * Messages are made one at a time, when there is room for one. The zone that is told whole is looked up
 * each time: when it has changed or gone meanwhile that ends the transfer, and the client begins anew. A
 * change is a copy.
 */
#ifndef WN_PROTO_DNS_ZONE_TRANSFER_H
#define WN_PROTO_DNS_ZONE_TRANSFER_H

#include "proto/dns/answer.h"
#include "proto/dns/zone_change.h"
#include "wire/dns/dns_key.h"

enum { TRANSFER_MESSAGE_MAX = 16 * 1024 }; /* names further on cannot be pointed at */

enum transfer_phase {
    TRANSFER_FIRST,
    TRANSFER_REMOVED, /* of a change: each side begins with its SOA */
    TRANSFER_ADDED,
    TRANSFER_NAMES,   /* of the whole */
    TRANSFER_HASHED,
    TRANSFER_LAST,
    TRANSFER_DONE
};

struct zone_transfer {
    const struct answer_options *options;
    const struct zone_set *zones; /* the one that has it */
    const struct zone *zone;      /* compared only */
    uint32_t serial;
    enum transfer_phase phase;
    bool soa_only;                /* the client has this version */
    bool incremental;             /* `change` is what is told */
    struct zone_change change;
    size_t place;                 /* of the next record on its side */
    struct answer_query query;
    uint32_t done;                /* records of the node at `key` that were told */
    uint16_t key_len;
    uint8_t key[DNS_KEY_MAX];
};

/* `query` as answer() has filled it in, for the zone of its question; `message` is the whole of it.
 * NOERROR, and the caller ends it at some time; or the RCODE of a refusal: there is no such zone (NOTAUTH),
 * or it cannot be served. */
MUST_USE unsigned transfer_start(struct zone_transfer *t, const struct answer_options *options,
                                 const struct answer_query *query, struct bytes message);
void transfer_end(struct zone_transfer *t);

enum transfer_status { TRANSFER_MORE, TRANSFER_WHOLE, TRANSFER_BROKEN };

/* The next message, in `buffer` of TRANSFER_MESSAGE_MAX. TRANSFER_WHOLE: it is the last one;
 * TRANSFER_BROKEN: there is none, and the connection can only be cut. `now`: seconds since 1970, for the
 * signature. */
MUST_USE enum transfer_status transfer_next(struct zone_transfer *t, uint64_t now, uint8_t *buffer,
                                            struct bytes *out);

/* A difference over a datagram (RFC 1995 §2): all of it, or the newest SOA alone, which says "by TCP". The
 * RCODE; unless NOERROR there is no reply. `buffer` of query->limit octets. */
MUST_USE unsigned transfer_datagram(const struct answer_options *options,
                                    const struct answer_query *query, struct bytes message,
                                    uint8_t *buffer, struct bytes *out);

#endif
