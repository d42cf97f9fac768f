/* SPDX-License-Identifier: ISC */
/*
 * lan.h - hosts with stacks of their own on one switch (sim/switch.h), each by a virtual wire
 * (sim/wire.h), in virtual time. Host i has the address 10.0.0.(i + 1) and the link-layer address
 * 02:00:00:00:00:(i + 1).
 */
#ifndef WN_TESTS_SUPPORT_LAN_H
#define WN_TESTS_SUPPORT_LAN_H

#include "io/node.h"
#include "sim/switch.h"
#include "sim/wire.h"

enum { LAN_HOSTS_MAX = 16, LAN_NETWORK = 0x0a000000 };

struct lan;

struct lan_host {
    struct node_port port;
    struct lan *lan;
    struct node *node;
    struct net *net;
    struct wire *wire; /* WIRE_A is the host's end, WIRE_B the switch's */
    struct alarm arrival;
};

struct lan {
    struct loop *loop;
    struct frame_pool *frames;
    struct ethernet_switch *bridge;
    size_t count;
    struct lan_host hosts[LAN_HOSTS_MAX];
    uint64_t digest; /* of every frame that a host has sent, and when */
    /* Told of each of them, before it is on the wire. May be NULL. */
    void (*tap)(void *self, struct bytes frame);
    void *tap_self;
};

/* The wires are alike, with `impairments` in either direction; `seed` decides all. */
void lan_open(struct lan *lan, size_t hosts, const struct wire_impairments *impairments,
              uint64_t seed);

/* The hosts' sockets must have been closed. Fails the test when a frame is left. */
void lan_close(struct lan *lan);

void lan_run(struct lan *lan, usec duration);
struct ip_address lan_address(size_t host);

#endif
