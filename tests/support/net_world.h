/* SPDX-License-Identifier: ISC */
/*
 * net_world.h - the worlds in which the contract of io/net.h is tested: the kernel's loopback, two
 * stacks on a perfect virtual wire, and two on a bad one. The last two are in virtual time.
 */
#ifndef WN_TESTS_SUPPORT_NET_WORLD_H
#define WN_TESTS_SUPPORT_NET_WORLD_H

#include "io/loop.h"
#include "io/net.h"

struct world_kind {
    const char *name;
    bool kernel;
    bool impaired;
};

struct world {
    const struct world_kind *kind;
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
};

/* `seed` decides what happens on the wire. */
void world_open(struct world *w, const struct world_kind *kind, uint64_t seed);

/* Fails the test when anything of it is left: descriptors, frames. */
void world_close(struct world *w);

/* Turns the loop for a moment. False when the world has run out of patience. */
bool world_step(struct world *w);

/* Turns the loop for `duration`. */
void world_run(struct world *w, usec duration);

size_t open_descriptors(void);

#endif
