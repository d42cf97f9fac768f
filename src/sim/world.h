/* SPDX-License-Identifier: ISC */
/*
 * world.h - hosts, wires and switches under one virtual clock: a network in a test, or in the lab.
 *
 *      struct world *world = world_new(&heap, seed, 0);
 *      unsigned a = world_add_host(world, NULL), b = world_add_host(world, NULL);
 *      ... stack_add_interface(world_host(world, a), ...), sockets ...
 *      world_connect(world, (struct world_port){a, 0}, (struct world_port){b, 0}, &wire_options);
 *      while (world_step(world)) ... look at world_host(world, a)'s events ...
 *
 * A step goes to the next instant at which anything is due, puts in what has arrived, ticks, and
 * puts out what is to be sent. The same seed gives the same run, to the octet. Sockets are used
 * between steps. Each step asks all hosts; world_run_until() asks only those to whom something
 * happens, and is what a world of many hosts is run by.
 */
#ifndef WN_SIM_WORLD_H
#define WN_SIM_WORLD_H

#include "sim/switch.h"
#include "sim/wire.h"
#include "stack/stack.h"

enum { WORLD_HOSTS_MAX = 1024, WORLD_LINKS_MAX = 2048, WORLD_SWITCHES_MAX = 64 };

struct world;

/* Where a link ends: an interface of a host. */
struct world_port {
    unsigned host;
    unsigned interface;
};

/* All hosts share a frame pool of 256 MiB. NULL: no memory. */
MUST_USE struct world *world_new(const struct heap *heap, uint64_t seed, usec now);

/* Hosts, wires and switches go; their sockets too. NULL is nothing. */
void world_free(struct world *world);

/* `options` NULL: the defaults. Its heap, frames and seed are the world's in any case. The index
 * of the new host, or -1: too many, or no memory. */
MUST_USE int world_add_host(struct world *world, const struct stack_options *options);

struct stack *world_host(const struct world *world, unsigned host);
struct frame_pool *world_frames(const struct world *world);

/* Joins two interfaces, which must exist, by a wire with end A at `a`. `options` NULL: an ideal
 * one; otherwise its heap is the world's, and a seed of 0 is drawn. NULL: too many, or no memory.
 * The wire belongs to the world. */
MUST_USE struct wire *world_connect(struct world *world, struct world_port a, struct world_port b,
                                    const struct wire_options *options);

/* The index of a new switch of `ports` ports; -1: too many, or no memory. */
MUST_USE int world_add_switch(struct world *world, unsigned ports);

/* The same with end B at a port of a switch. */
MUST_USE struct wire *world_connect_switch(struct world *world, struct world_port a,
                                           unsigned switch_index, unsigned port,
                                           const struct wire_options *options);

/* From now on the clocks of the hosts are as coarse: they show multiples of `tick` usec, and no host
 * wakes in between. The wires stay exact. 0 or 1: as fine as time is. */
void world_set_clock(struct world *world, usec tick);

usec world_now(const struct world *world);

/* The instant of the next step; USEC_NEVER: nothing is pending. */
usec world_deadline(struct world *world);

/* False: nothing is pending, and nothing was done. */
bool world_step(struct world *world);

/* Steps up to and including `until`, then sets the clock to it. */
void world_run_until(struct world *world, usec until);

#endif
