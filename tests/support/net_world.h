/* SPDX-License-Identifier: ISC */
/*
 * net_world.h - the worlds in which the contract of io/net.h is tested: the kernel's loopback, two
 * stacks on a perfect virtual wire, and two on a bad one, each also with TLS over its streams. Those with stacks
 * are in virtual time.
 */
#ifndef WN_TESTS_SUPPORT_NET_WORLD_H
#define WN_TESTS_SUPPORT_NET_WORLD_H

#include "io/loop.h"
#include "io/net.h"

struct net_world_kind {
    const char *name;
    bool kernel;
    bool impaired;
    bool tls;
};

struct net_world_tls;

struct net_world {
    const struct net_world_kind *kind;
    struct loop *loop;
    struct net *client;
    struct net *server;           /* on the kernel the same one */
    struct ip_address address;    /* of the server */
    struct ip_address client_address;
    usec give_up_at;
    struct node *nodes[2];        /* client, server; NULL on the kernel */
    struct frame_pool *frames;
    uint64_t seed;
    struct wire_port *wire;
    struct net_world_tls *tls;
};

/* `seed` decides what happens on the wire. */
void net_world_open(struct net_world *w, const struct net_world_kind *kind, uint64_t seed);

/* Fails the test when anything of it is left: descriptors, frames. */
void net_world_close(struct net_world *w);

/* Turns the loop for a moment. False when the world has run out of patience. */
bool net_world_step(struct net_world *w);

/* Turns the loop for `duration`. */
void net_world_run(struct net_world *w, usec duration);

size_t open_descriptors(void);

/* net_world_tls.c: puts TLS between the nets and who uses them, and takes it away. */
void net_world_add_tls(struct net_world *w);
void net_world_remove_tls(struct net_world *w);

#endif
