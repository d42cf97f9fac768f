/* SPDX-License-Identifier: ISC */
/*
 * dns_net.h - name servers and a resolver in virtual time, joined by datagrams that take a while and
 * may be lost: for tests of what the resolver asks whom.
 */
#ifndef WN_TESTS_SUPPORT_DNS_NET_H
#define WN_TESTS_SUPPORT_DNS_NET_H

#include "base/text.h"
#include "proto/dns/resolver.h"

enum { DNS_NET_SERVERS_MAX = 16, DNS_NET_PACKETS_MAX = 2048, DNS_NET_LOG_MAX = 65536 };

/* An authoritative server of one zone, from lines of a master file that end with NULL. */
struct dns_net_server {
    const char *address;
    const char *zone;
    const char *const *lines;
    usec delay;      /* one way; 0: 10 ms */
    bool dead;
    unsigned rcode;  /* answers nothing but this */
    bool upward;     /* refers to the root */
    bool truncates;  /* answers datagrams with TC */
    bool plain;      /* FORMERR to EDNS */
    bool lower_case; /* does not keep the case of the question */
    bool recursive;  /* no AA */
    /* Makes the reply instead; returns its message. */
    struct bytes (*reply)(const struct dns_net_server *server, struct bytes query, uint8_t *buffer);
    unsigned asked;
};

struct dns_net_packet {
    usec at;
    bool to_resolver;
    bool stream;
    uint32_t task;
    uint32_t attempt; /* a task's socket is of one attempt */
    struct endpoint server;
    size_t len;
    uint8_t *octets;
};

struct dns_net {
    struct resolver_options options; /* to be changed before the first question */
    struct cache_options cache_options;
    struct resolver *resolver;
    struct cache *cache;
    struct prng prng;
    usec now;
    uint32_t loss; /* parts per million, each way */
    struct dns_net_server *servers;
    size_t server_count;
    struct dns_net_packet packets[DNS_NET_PACKETS_MAX];
    size_t packet_count;
    uint32_t attempts[RESOLVER_TASKS];
    char log[DNS_NET_LOG_MAX]; /* "192.0.2.1 www.example. A; …" */
    struct text log_text;
    unsigned queries, replies;
    uint16_t next_id;
    uint16_t flags; /* of questions, beside RD */
    bool edns, dnssec_ok;
    uint16_t limit; /* of replies; 0: none */
    bool stream;
    const struct resolver_policies *policies;
    char reply[DNS_NET_LOG_MAX]; /* the last one, as dns_text_of() has it */
};

/* The first server is the root's, and the only hint. */
void dns_net_open(struct dns_net *net, struct dns_net_server *servers, size_t count);
void dns_net_close(struct dns_net *net);

/* Asks, and does not wait. */
enum resolver_verdict dns_net_ask(struct dns_net *net, const char *name, uint16_t type);

/* Turns until nobody has anything to do, or until `until`. */
void dns_net_run(struct dns_net *net, usec until);

/* Asks and waits; the log begins anew. Returns net->reply. */
const char *dns_net_look_up(struct dns_net *net, const char *name, uint16_t type);

/* The reply of such a server. */
struct bytes dns_net_answer(const struct dns_net_server *server, struct bytes query,
                            uint8_t *buffer);

#endif
