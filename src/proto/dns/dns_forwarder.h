/* SPDX-License-Identifier: ISC */
/*
 * dns_forwarder.h - many clients' questions passed on to other servers: a bounded table of
 * dns_client machines, with who is waiting for each.
 *
 * The caller owns the sockets, one for each slot at a time. The crank:
 *
 *      dns_forwarder_ask()        a client's question; TAKEN: a slot is in use
 *      dns_forwarder_next()       until false: what is to be sent, and what has failed
 *      dns_forwarder_input()      a message on a slot's socket; true: relay it, then release()
 *      dns_forwarder_broken()     a slot's socket cannot be used
 *      dns_forwarder_tick()       when dns_forwarder_deadline() has come
 */
#ifndef WN_PROTO_DNS_DNS_FORWARDER_H
#define WN_PROTO_DNS_DNS_FORWARDER_H

#include "base/heap.h"
#include "base/siphash.h"
#include "proto/dns/answer.h"
#include "proto/dns/dns_client.h"

enum { DNS_FORWARDER_SLOTS = 1024 }; /* questions that are being asked */

/* Who waits for an answer. */
struct dns_forwarder_client {
    struct endpoint from;
    struct endpoint to;     /* the address that was asked: the reply's source */
    unsigned interface;
    bool has_interface;
    uint32_t stream;        /* the caller's handle of a connection; 0: a datagram */
    struct answer_query query;
};

struct dns_forwarder;

/* `prng` is forked. NULL: no memory. */
MUST_USE struct dns_forwarder *dns_forwarder_new(const struct heap *heap, struct prng *prng,
                                                 const struct endpoint *servers, size_t count,
                                                 usec now);
void dns_forwarder_free(struct dns_forwarder *f);

enum dns_forwarder_verdict {
    DNS_FORWARDER_TAKEN,
    DNS_FORWARDER_DUPLICATE, /* the client has sent it again; the answer is under way */
    DNS_FORWARDER_FULL,      /* answer SERVFAIL */
};

/* Asks the client's question with the name `target`. */
MUST_USE enum dns_forwarder_verdict dns_forwarder_ask(struct dns_forwarder *f,
                                                      const struct dns_forwarder_client *client,
                                                      const struct dns_name *target, usec now);

struct dns_forwarder_event {
    uint32_t slot;
    bool failed;                 /* answer SERVFAIL, then release(); else send this: */
    struct dns_client_send send; /* from a new socket; the slot's old one is to be closed */
};

/* `buffer` of DNS_CLIENT_QUERY_MAX octets. */
MUST_USE bool dns_forwarder_next(struct dns_forwarder *f, usec now, uint8_t *buffer,
                                 struct dns_forwarder_event *out);

/* True: the message answers the slot's question. */
MUST_USE bool dns_forwarder_input(struct dns_forwarder *f, uint32_t slot,
                                  const struct endpoint *from, struct bytes message, usec now);
void dns_forwarder_broken(struct dns_forwarder *f, uint32_t slot, usec now);

/* Who waits for that slot; valid until release(). */
const struct dns_forwarder_client *dns_forwarder_waiting(const struct dns_forwarder *f,
                                                         uint32_t slot);
void dns_forwarder_release(struct dns_forwarder *f, uint32_t slot);

usec dns_forwarder_deadline(const struct dns_forwarder *f);
void dns_forwarder_tick(struct dns_forwarder *f, usec now);
size_t dns_forwarder_count(const struct dns_forwarder *f);

#endif
