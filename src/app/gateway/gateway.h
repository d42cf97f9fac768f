/* SPDX-License-Identifier: ISC */
/*
 * gateway.h - the way out of a private network: what its hosts send to the Internet goes through
 * ordinary sockets of the host (RFC 3022's effect, by user-mode means), and published ports lead in.
 */
#ifndef WN_APP_GATEWAY_GATEWAY_H
#define WN_APP_GATEWAY_GATEWAY_H

#include "io/net.h"
#include "io/relay.h"

struct gateway;

struct gateway_options {
    struct node *node;                /* has an INTERCEPT interface */
    unsigned interface;
    struct ip_prefix network;         /* the link's: addresses in it are nobody else's */
    struct ip_address gateway;        /* our own address on the link */
    struct ip_address host_address;   /* stands for the host's loopback: 10.0.2.2. any: none */
    bool internet;                    /* false: nothing but the site; the rest is unreachable */
    bool host_loopback;               /* false: connections to host_address are refused */
    unsigned tcp_max;                 /* 0: RELAY_TCP_MAX */
    unsigned udp_max;
    /* Has connections to port 80 of the Internet, which the net's service answers in its name; NULL: they go
     * there like others. */
    void (*on_web)(void *self, struct stream *stream);
    void *on_web_self;
    struct net *net;                  /* over the node; for those */
};

/* 0 or a negative errno. */
MUST_USE int gateway_new(const struct gateway_options *options, struct gateway **out);
void gateway_free(struct gateway *gateway);

/* The mechanism: published ports, the guest's address, counters, flows. Valid until free. */
struct relay *gateway_relay(struct gateway *gateway);

#endif
