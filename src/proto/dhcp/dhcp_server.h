/* SPDX-License-Identifier: ISC */
/*
 * dhcp_server.h - the server's side of DHCP (RFC 2131) for one network, as a pure machine.
 *
 * Datagrams in, replies out, and events. What is acknowledged must be on stable storage first, so
 * an acknowledgement takes two steps: input() says DHCP_SERVER_COMMIT with the lease; the caller
 * stores it, at once or with others in one transaction, and calls committed(); then next() has the
 * reply. While a lease waits to be stored, its client's further messages are dropped, which the
 * client repeats. At most DHCP_SERVER_OUTPUTS replies wait; what comes beyond is dropped and
 * counted.
 *
 *      input() -> event        COMMIT: store, then committed()        next() until false
 *      tick()  -> event        ENDED
 *
 * SKIPS RFC 2131 §4.1 and RFC 1534: clients of plain BOOTP, without a message type; no machine
 * that is alive needs them. SKIPS RFC 4361 beyond keeping what is sent.
 * DEVIATES RFC 4702 §4: of a client's name the first label is taken, and completed with our domain.
 * DEVIATES RFC 2131 §4.2: a client identifier longer than DHCP_CLIENT_KEY_MAX does not identify;
 * the hardware address does. Two clients with one MAC and two long identifiers do not occur.
 */
#ifndef WN_PROTO_DHCP_DHCP_SERVER_H
#define WN_PROTO_DHCP_DHCP_SERVER_H

#include "base/prng.h"
#include "proto/dhcp/dhcp_pool.h"

enum {
    DHCP_SERVER_DNS_MAX = 4,
    DHCP_SERVER_OUTPUTS = 32,      /* replies that wait to be stored or sent */
    DHCP_SERVER_ERROR_MAX = 160,
};

#define DHCP_OFFER_TIMEOUT (60 * USEC_PER_SEC)
#define DHCP_DECLINE_TIMEOUT (10 * USEC_PER_MINUTE)

struct dhcp_server_options {
    struct heap heap;
    uint8_t seed[PRNG_SEED_LEN];
    struct ip_address server;      /* our address on the link: the server identifier */
    struct ip_prefix network;
    struct ip_address pool_first;
    struct ip_address pool_last;
    struct ip_address router;      /* any: none told */
    struct ip_address dns[DHCP_SERVER_DNS_MAX];
    size_t dns_count;
    const char *domain;            /* copied; NULL: none told */
    uint16_t mtu;                  /* 0: not told */
    uint32_t lease_seconds;        /* for who does not ask; 0: 3600 */
    uint32_t lease_min;            /* what may be asked for; 0: 60, or lease_seconds if less */
    uint32_t lease_max;            /* 0: lease_seconds */
    const struct dhcp_static *statics; /* copied */
    size_t static_count;
    /* We alone serve this link: clients we know nothing of, who come with an address (after a loss
     * of our memory, or from another network), are answered. False: we stay silent, as RFC 2131
     * §4.3.2 wants where several servers share a link without sharing their leases. */
    bool authoritative;
};

/* What is told of a lease. */
struct dhcp_server_lease {
    struct ip_address address;
    struct dhcp_identity client;
    char hostname[DHCP_LABEL_MAX]; /* for the DNS too; "": none, or none is wanted there */
    usec expires_at;               /* USEC_NEVER: never */
    bool offered;                  /* not acknowledged yet */
};

enum dhcp_server_event_kind {
    DHCP_SERVER_NOTHING,
    DHCP_SERVER_COMMIT, /* store `lease`, then dhcp_server_committed(token) */
    DHCP_SERVER_ENDED,  /* expired, released or declined: `lease` is as it was */
};

struct dhcp_server_event {
    enum dhcp_server_event_kind kind;
    uint32_t token;
    bool begins;  /* COMMIT: the client was not bound to it before */
    bool renamed; /* COMMIT: the host name differs from the one before */
    struct dhcp_server_lease lease;
};

/* Where a reply goes, RFC 2131 §4.1. Sent from our address and port 67. */
struct dhcp_server_reply {
    struct endpoint to;
    bool has_mac;        /* the client has the address not yet and cannot answer ARP */
    struct mac mac;
};

struct dhcp_server_counters {
    uint64_t discovers, offers, requests, acks, naks, declines, releases, informs;
    uint64_t malformed;
    uint64_t ignored;    /* for other servers, from other networks, from who cannot be known */
    uint64_t exhausted;  /* no address left */
    uint64_t busy;       /* too many replies waiting, or the client's last lease is being stored */
    uint64_t reclaimed;  /* offers taken back early */
    uint64_t leases;     /* bound now */
};

struct dhcp_server;

/* What is wrong with the options, in words, to `error`; true: nothing. */
MUST_USE bool dhcp_server_check(const struct dhcp_server_options *options,
                                char error[DHCP_SERVER_ERROR_MAX]);

/* The options must pass dhcp_server_check(). NULL: no memory. */
MUST_USE struct dhcp_server *dhcp_server_new(const struct dhcp_server_options *options, usec now);
void dhcp_server_free(struct dhcp_server *server);

/* A lease from storage; call for all, those that expire first first. Expired ones are remembered
 * too. False: the address is no longer the client's to have, and may be removed from storage. */
bool dhcp_server_restore(struct dhcp_server *server, const struct dhcp_server_lease *lease,
                         usec now);

void dhcp_server_input(struct dhcp_server *server, const struct endpoint *from,
                       struct bytes datagram, usec now, struct dhcp_server_event *out);

/* The lease of that event is stored; or it could not be, and the client gets no answer. Once for
 * each COMMIT, in any order. */
void dhcp_server_committed(struct dhcp_server *server, uint32_t token, bool stored);

/* The next reply that may be sent; false: none. The writer must have room for DHCP_MESSAGE_MAX. */
bool dhcp_server_next(struct dhcp_server *server, struct dhcp_server_reply *reply,
                      struct writer *w);

usec dhcp_server_deadline(const struct dhcp_server *server);

/* Call until it says false. */
bool dhcp_server_tick(struct dhcp_server *server, usec now, struct dhcp_server_event *out);

/* Visits bound and offered leases: start with *place = 0; false ends. */
bool dhcp_server_each(const struct dhcp_server *server, size_t *place,
                      struct dhcp_server_lease *out);

void dhcp_server_counters(const struct dhcp_server *server, struct dhcp_server_counters *out);

#endif
