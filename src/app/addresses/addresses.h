/* SPDX-License-Identifier: ISC */
/*
 * addresses.h - the site's address service: a DHCP server (RFC 2131, RFC 2132) with one pool. The
 * client's side is in address_client.h.
 *
 * A lease is on stable storage before its client is told of it. What is to be stored in one turn of
 * the loop is stored in one transaction, so that many clients cost one wait for the disk.
 */
#ifndef WN_APP_ADDRESSES_ADDRESSES_H
#define WN_APP_ADDRESSES_ADDRESSES_H

#include "io/net.h"

struct addresses;
struct store;

enum { ADDRESSES_POOL_MAX = 65536, ADDRESSES_DNS_MAX = 4, ADDRESSES_STATIC_MAX = 1024,
       ADDRESSES_ERROR_MAX = 512 };

struct lease {
    struct ip_address address;
    struct mac mac;
    uint8_t client_id[32];    /* option 61; len 0: none, the MAC identifies */
    uint8_t client_id_len;
    char hostname[64];        /* option 12, checked to be a label; "" : none */
    int64_t expires;          /* wall-clock seconds; INT64_MAX: never */
    bool offered;             /* offered, not acknowledged yet */
};

struct addresses_static {
    struct mac mac;
    struct ip_address address;
    char hostname[64];
};

struct addresses_options {
    struct ip_address server;     /* our address on the link */
    struct ip_prefix network;     /* 10.0.2.0/24 */
    struct ip_address pool_first;
    struct ip_address pool_last;
    struct ip_address router;     /* any: none offered */
    struct ip_address dns[ADDRESSES_DNS_MAX];
    size_t dns_count;
    const char *domain;
    uint32_t lease_seconds;       /* 0: 3600 */
    uint16_t mtu;                 /* option 26; 0: not offered */
    const struct addresses_static *statics; /* copied */
    size_t static_count;
    const char *interface;        /* kernel net: the device to serve; NULL: all */
    /* Replies to clients that have no address yet go to everyone, not to the client's MAC (RFC 2131
     * §4.1: where unicasting is not possible). Always so with `interface`: the kernel would ask by
     * ARP for an address that nobody has yet. */
    bool broadcast_replies;
    /* Other servers serve this link too, and know leases that we do not: clients unknown to us are
     * not answered (RFC 2131 §4.3.2). Otherwise we alone say what is right here. */
    bool other_servers;
    struct store *store;          /* leases survive a restart there; NULL: memory only */
    /* Told when a lease begins, is renewed with another name, or ends; for names. May be NULL. */
    void (*on_lease)(void *self, const struct lease *lease, bool active);
    /* Leases could not be stored, and their clients were not answered. May be NULL. */
    void (*on_error)(void *self, const char *what);
    void *self;
};

/* What is wrong with the options, in words, to `error`; true: nothing. */
MUST_USE bool addresses_check(const struct addresses_options *options,
                              char error[ADDRESSES_ERROR_MAX]);

/* 0, or a negative errno; on_lease() is called for what was stored before. -EINVAL: the options do
 * not pass addresses_check(). The store must outlive the service. */
MUST_USE int addresses_new(struct net *net, const struct addresses_options *options,
                           struct addresses **out);
void addresses_free(struct addresses *addresses);

/* Visits the leases: start with *place = 0, ends with false. */
bool addresses_each(const struct addresses *addresses, size_t *place, struct lease *out);

struct addresses_counters {
    uint64_t discovers, offers, requests, acks, naks, declines, releases, informs;
    uint64_t malformed, pool_exhausted;
    uint64_t ignored;       /* for other servers or networks, or answerable in no way */
    uint64_t busy;          /* dropped while too much was being stored; clients repeat */
    uint64_t not_stored;    /* leases that the store refused */
    uint64_t not_sent;      /* replies that the net refused */
    uint64_t leases; /* gauge */
};
void addresses_counters(const struct addresses *addresses, struct addresses_counters *out);

#endif
