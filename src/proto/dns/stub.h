/* SPDX-License-Identifier: ISC */
/*
 * stub.h - a host's own resolver (RFC 1034 §5.3.1, RFC 1123 §6.1): asks the servers of resolv.conf(5) for the
 * addresses of a name, or for the name of an address, and believes them.
 *
 * A and AAAA are asked for at the same time, each by a struct dns_client with sockets of its own, for one
 * candidate of the search list after the other until there is something. What is there of one version is not
 * waited for by the other longer than its own time allows.
 *
 * A server that fails ends the search (DEVIATES from what some C libraries do): a suffix tried next could give
 * another host's address for a name that was only out of reach (RFC 1535).
 *
 *      stub_start()   then, until stub_finished():
 *      stub_next() is sent; stub_input(), stub_broken() and stub_tick() tell what has happened
 */
#ifndef WN_PROTO_DNS_STUB_H
#define WN_PROTO_DNS_STUB_H

#include "proto/dns/dns_client.h"
#include "proto/dns/resolv_conf.h"

enum {
    STUB_QUESTIONS_MAX = 2,
    STUB_ADDRESSES_MAX = 64, /* of a name; more are not kept */
    STUB_ALIASES_MAX = 16,   /* CNAMEs of one answer */
    STUB_TYPED_MAX = 256,
};

enum stub_result {
    STUB_UNDER_WAY,
    STUB_FOUND,
    STUB_NO_NAME,   /* there is no such name */
    STUB_NO_DATA,   /* there is, but with nothing of what was asked for */
    STUB_AGAIN,     /* nobody could say: servers failed, or kept silent */
};

struct stub_question {
    struct dns_client client;
    enum stub_result result; /* STUB_UNDER_WAY */
};

struct stub {
    const struct resolv_conf *conf; /* borrowed */
    struct dns_servers servers;
    char typed[STUB_TYPED_MAX];
    size_t typed_len;
    bool reverse;
    unsigned turn;          /* of the search */
    bool saw_no_data;
    enum stub_result result;
    size_t question_count;
    struct stub_question questions[STUB_QUESTIONS_MAX]; /* A and AAAA, or one of them; or PTR */
    struct dns_name name;   /* found: the canonical one */
    bool authentic;         /* trust-ad, and all answers had AD */
    size_t address_count;
    struct ip_address addresses[STUB_ADDRESSES_MAX];
};

/* Looks for the addresses of what was typed. `v4`, `v6`: which; one at least. It may be finished at once: a name
 * that is none, one that is never asked for (RFC 6761: localhost, invalid), or nobody to ask. `turn` tells one
 * start from the next, for `rotate`. */
void stub_start(struct stub *stub, const struct resolv_conf *conf, struct bytes typed, bool v4,
                bool v6, unsigned turn, usec now);

/* Looks for the name of an address: stub->name. */
void stub_start_reverse(struct stub *stub, const struct resolv_conf *conf,
                        const struct ip_address *address, unsigned turn, usec now);

bool stub_finished(const struct stub *stub);

/* The next query: to be sent from a new socket of that question, the one before being closed. `buffer` of
 * DNS_CLIENT_QUERY_MAX octets. False: there is none now. */
MUST_USE bool stub_next(struct stub *stub, struct prng *prng, usec now, uint8_t *buffer,
                        size_t *question, struct dns_client_send *out);

/* Is the socket of that question still of use? */
bool stub_waits(const struct stub *stub, size_t question);

void stub_input(struct stub *stub, size_t question, const struct endpoint *from,
                struct bytes message, usec now);
void stub_broken(struct stub *stub, size_t question, usec now);

/* When to call tick(); USEC_NEVER: need not. */
usec stub_deadline(const struct stub *stub);
void stub_tick(struct stub *stub, usec now);

#endif
