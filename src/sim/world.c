/* SPDX-License-Identifier: ISC */
/*
 * world.c - turns the crank of every host and wire, always in the same order.
 *
 * Asserted at every step: no deadline lies in the past.
 */
#include "sim/world.h"

#include "base/prng.h"

enum { WORLD_FRAME_OCTETS = 256 * 1024 * 1024 };

/* A link's end: a host's interface or a switch's port. */
struct link_end {
    struct stack *stack;
    struct ethernet_switch *ethernet;
    unsigned index; /* interface or port */
};

struct link {
    struct wire *wire;
    struct link_end ends[2]; /* by enum wire_end */
};

struct world {
    struct heap heap;
    struct frame_pool *frames;
    struct prng prng;
    usec now;
    unsigned host_count;
    unsigned link_count;
    unsigned switch_count;
    struct stack *hosts[WORLD_HOSTS_MAX];
    struct link links[WORLD_LINKS_MAX];
    struct ethernet_switch *switches[WORLD_SWITCHES_MAX];
};

struct world *world_new(const struct heap *heap, uint64_t seed, usec now)
{
    struct world *world = heap_zeroed(heap, sizeof *world);
    if (world == NULL)
        return NULL;
    world->heap = *heap;
    world->now = now;
    prng_init_number(&world->prng, seed);
    world->frames = frame_pool_new(heap, WORLD_FRAME_OCTETS);
    if (world->frames != NULL)
        return world;
    world_free(world);
    return NULL;
}

void world_free(struct world *world)
{
    if (world == NULL)
        return;
    for (unsigned i = 0; i < world->host_count; i++)
        stack_free(world->hosts[i]);
    for (unsigned i = 0; i < world->link_count; i++)
        wire_free(world->links[i].wire);
    for (unsigned i = 0; i < world->switch_count; i++)
        switch_free(world->switches[i]);
    frame_pool_free(world->frames);
    struct heap heap = world->heap;
    heap_release(&heap, world, sizeof *world);
}

int world_add_host(struct world *world, const struct stack_options *options)
{
    if (world->host_count == WORLD_HOSTS_MAX)
        return -1;
    struct stack_options own = options != NULL ? *options : (struct stack_options){0};
    own.heap = world->heap;
    own.frames = world->frames;
    prng_fill(&world->prng, own.seed, sizeof own.seed);
    struct stack *stack = stack_new(&own, world->now);
    if (stack == NULL)
        return -1;
    world->hosts[world->host_count] = stack;
    return (int)world->host_count++;
}

struct stack *world_host(const struct world *world, unsigned host)
{
    ASSERT(host < world->host_count);
    return world->hosts[host];
}

struct frame_pool *world_frames(const struct world *world)
{
    return world->frames;
}

int world_add_switch(struct world *world, unsigned ports)
{
    if (world->switch_count == WORLD_SWITCHES_MAX)
        return -1;
    struct ethernet_switch *s = switch_new(&world->heap, ports);
    if (s == NULL)
        return -1;
    world->switches[world->switch_count] = s;
    return (int)world->switch_count++;
}

static struct wire *join(struct world *world, struct link_end a, struct link_end b,
                         const struct wire_options *options)
{
    if (world->link_count == WORLD_LINKS_MAX)
        return NULL;
    struct wire_options own = options != NULL ? *options : (struct wire_options){0};
    own.heap = world->heap;
    uint64_t seed = prng_u64(&world->prng);
    if (own.seed == 0)
        own.seed = seed;
    struct wire *wire = wire_new(&own, world->now);
    if (wire == NULL)
        return NULL;
    world->links[world->link_count++] = (struct link){wire, {a, b}};
    return wire;
}

static struct link_end end_at(const struct world *world, struct world_port port)
{
    return (struct link_end){.stack = world_host(world, port.host), .index = port.interface};
}

struct wire *world_connect(struct world *world, struct world_port a, struct world_port b,
                           const struct wire_options *options)
{
    return join(world, end_at(world, a), end_at(world, b), options);
}

struct wire *world_connect_switch(struct world *world, struct world_port a, unsigned switch_index,
                                  unsigned port, const struct wire_options *options)
{
    ASSERT(switch_index < world->switch_count);
    struct link_end end = {.ethernet = world->switches[switch_index], .index = port};
    return join(world, end_at(world, a), end, options);
}

usec world_now(const struct world *world)
{
    return world->now;
}

/* What the hosts have to send goes on the wires. */
static void put_out(struct world *world)
{
    for (unsigned i = 0; i < world->link_count; i++) {
        struct link *link = &world->links[i];
        for (unsigned end = 0; end < 2; end++) {
            const struct link_end *from = &link->ends[end];
            struct frame *frame;
            while (from->stack != NULL && (frame = stack_output(from->stack, from->index)) != NULL)
                wire_send(link->wire, (enum wire_end)end, frame, world->now);
        }
    }
}

/* Takes the frame, which has arrived at a switch: sends it on, a copy for each port but the last.
 */
static void switch_frame(struct world *world, const struct link_end *at, struct frame *frame)
{
    uint64_t ports = switch_input(at->ethernet, at->index, frame, world->now);
    for (unsigned i = 0; i < world->link_count && ports != 0; i++) {
        struct link *link = &world->links[i];
        const struct link_end *end = &link->ends[WIRE_B];
        if (end->ethernet != at->ethernet || (ports & UINT64_C(1) << end->index) == 0)
            continue;
        ports &= ~(UINT64_C(1) << end->index);
        struct frame *copy = frame_copy(frame);
        if (copy != NULL)
            wire_send(link->wire, WIRE_B, copy, world->now);
    }
    frame_unref(frame);
}

static void put_in(struct world *world)
{
    for (unsigned i = 0; i < world->link_count; i++) {
        struct link *link = &world->links[i];
        for (unsigned end = 0; end < 2; end++) {
            const struct link_end *to = &link->ends[end];
            struct frame *frame;
            while ((frame = wire_receive(link->wire, (enum wire_end)end, world->now)) != NULL) {
                if (to->stack != NULL)
                    stack_input(to->stack, to->index, frame, world->now);
                else
                    switch_frame(world, to, frame);
            }
        }
    }
}

usec world_deadline(struct world *world)
{
    put_out(world);
    usec at = USEC_NEVER;
    for (unsigned i = 0; i < world->host_count; i++) {
        usec deadline = stack_deadline(world->hosts[i]);
        ASSERT(deadline >= world->now);
        at = usec_min(at, deadline);
    }
    for (unsigned i = 0; i < world->link_count; i++) {
        usec deadline = wire_deadline(world->links[i].wire);
        ASSERT(deadline >= world->now);
        at = usec_min(at, deadline);
    }
    return at;
}

static void go_to(struct world *world, usec now)
{
    world->now = now;
    for (unsigned i = 0; i < world->host_count; i++)
        stack_advance(world->hosts[i], now);
}

bool world_step(struct world *world)
{
    usec at = world_deadline(world);
    if (at == USEC_NEVER)
        return false;
    go_to(world, at);
    put_in(world);
    for (unsigned i = 0; i < world->host_count; i++)
        stack_tick(world->hosts[i], at);
    put_out(world);
    return true;
}

void world_run_until(struct world *world, usec until)
{
    ASSERT(until >= world->now);
    while (world_deadline(world) <= until && world_step(world))
        ;
    go_to(world, until);
}
