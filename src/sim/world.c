/* SPDX-License-Identifier: ISC */
/*
 * world.c - turns the cranks of hosts and wires, always in the same order.
 *
 * Who is due is on an agenda, so that a step costs what happens in it, not the count of hosts. Only
 * where the caller may have used any socket all hosts are asked again.
 *
 * Asserted of every host and wire that was touched: no deadline lies in the past.
 */
#include "sim/world.h"

#include "base/prng.h"
#include "sim/agenda.h"

enum { WORLD_FRAME_OCTETS = 256 * 1024 * 1024 };

/* Numbers on the agenda: hosts first, so that of equal instants theirs comes first. */
_Static_assert(WORLD_HOSTS_MAX + WORLD_LINKS_MAX <= AGENDA_ITEMS_MAX, "each has a number");

/* A link's end: a host's interface or a switch's port. */
struct link_end {
    struct stack *stack;
    struct ethernet_switch *ethernet;
    unsigned owner; /* number of the host or switch */
    unsigned index; /* interface or port */
    struct link_end *next; /* of the same host */
    struct link *link;
};

struct link {
    struct wire *wire;
    struct link_end ends[2]; /* by enum wire_end */
};

struct host {
    struct stack *stack;
    struct link_end *first; /* of its links, in the order in which they were made */
    struct link_end *last;
    bool touched; /* in this step */
};

struct hub {
    struct ethernet_switch *ethernet;
    struct link *links[SWITCH_PORTS_MAX];
};

struct world {
    struct heap heap;
    struct frame_pool *frames;
    struct prng prng;
    usec now;
    usec tick; /* of the hosts' clocks */
    unsigned host_count;
    unsigned link_count;
    unsigned switch_count;
    unsigned touched_count;
    uint16_t touched[WORLD_HOSTS_MAX];
    struct host hosts[WORLD_HOSTS_MAX];
    struct link links[WORLD_LINKS_MAX];
    struct hub switches[WORLD_SWITCHES_MAX];
    struct agenda agenda;
};

struct world *world_new(const struct heap *heap, uint64_t seed, usec now)
{
    struct world *world = heap_zeroed(heap, sizeof *world);
    if (world == NULL)
        return NULL;
    world->heap = *heap;
    world->now = now;
    world->tick = 1;
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
        stack_free(world->hosts[i].stack);
    for (unsigned i = 0; i < world->link_count; i++)
        wire_free(world->links[i].wire);
    for (unsigned i = 0; i < world->switch_count; i++)
        switch_free(world->switches[i].ethernet);
    frame_pool_free(world->frames);
    struct heap heap = world->heap;
    heap_release(&heap, world, sizeof *world);
}

/* What the hosts' clocks show. */
static usec clock_of(const struct world *world)
{
    return world->now - world->now % world->tick;
}

int world_add_host(struct world *world, const struct stack_options *options)
{
    if (world->host_count == WORLD_HOSTS_MAX)
        return -1;
    struct stack_options own = options != NULL ? *options : (struct stack_options){0};
    own.heap = world->heap;
    own.frames = world->frames;
    prng_fill(&world->prng, own.seed, sizeof own.seed);
    struct stack *stack = stack_new(&own, clock_of(world));
    if (stack == NULL)
        return -1;
    world->hosts[world->host_count].stack = stack;
    return (int)world->host_count++;
}

struct stack *world_host(const struct world *world, unsigned host)
{
    ASSERT(host < world->host_count);
    return world->hosts[host].stack;
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
    world->switches[world->switch_count].ethernet = s;
    return (int)world->switch_count++;
}

/* Makes the end known to the host or switch that has it. */
static void attach(struct world *world, struct link_end *end)
{
    if (end->ethernet != NULL) {
        world->switches[end->owner].links[end->index] = end->link;
        return;
    }
    struct host *host = &world->hosts[end->owner];
    if (host->last != NULL)
        host->last->next = end;
    else
        host->first = end;
    host->last = end;
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
    struct link *link = &world->links[world->link_count++];
    *link = (struct link){wire, {a, b}};
    for (unsigned end = 0; end < 2; end++) {
        link->ends[end].link = link;
        attach(world, &link->ends[end]);
    }
    return wire;
}

static struct link_end end_at(const struct world *world, struct world_port port)
{
    return (struct link_end){
        .stack = world_host(world, port.host), .owner = port.host, .index = port.interface};
}

struct wire *world_connect(struct world *world, struct world_port a, struct world_port b,
                           const struct wire_options *options)
{
    return join(world, end_at(world, a), end_at(world, b), options);
}

struct wire *world_connect_switch(struct world *world, struct world_port a, unsigned switch_index,
                                  unsigned port, const struct wire_options *options)
{
    ASSERT(switch_index < world->switch_count && port < SWITCH_PORTS_MAX);
    struct link_end end = {.ethernet = world->switches[switch_index].ethernet,
                           .owner = switch_index,
                           .index = port};
    return join(world, end_at(world, a), end, options);
}

/* When a host's clock will show `at`, and no sooner than now. */
static usec when_shown(const struct world *world, usec at)
{
    if (at == USEC_NEVER)
        return at;
    usec rest = at % world->tick;
    return usec_max(rest > 0 ? at + world->tick - rest : at, world->now);
}

void world_set_clock(struct world *world, usec tick)
{
    usec coarse = usec_max(tick, 1);
    /* A host's time must not go back: by the old clock to where the new one shows the same. */
    usec rest = world->now % coarse;
    if (rest > 0)
        world_run_until(world, world->now + coarse - rest);
    world->tick = coarse;
}

usec world_now(const struct world *world)
{
    return world->now;
}

static void note_link(struct world *world, const struct link *link)
{
    usec at = wire_deadline(link->wire);
    ASSERT(at >= world->now);
    agenda_set(&world->agenda, WORLD_HOSTS_MAX + (unsigned)(link - world->links), at);
}

/* What the host has to send goes on its wires. */
static void put_out(struct world *world, unsigned number)
{
    const struct host *host = &world->hosts[number];
    for (const struct link_end *end = host->first; end != NULL; end = end->next) {
        struct link *link = end->link;
        enum wire_end from = end == &link->ends[WIRE_A] ? WIRE_A : WIRE_B;
        struct frame *frame;
        bool sent = false;
        while ((frame = stack_output(host->stack, end->index)) != NULL) {
            wire_send(link->wire, from, frame, world->now);
            sent = true;
        }
        if (sent)
            note_link(world, link);
    }
    usec at = stack_deadline(host->stack);
    ASSERT(at >= clock_of(world));
    agenda_set(&world->agenda, number, when_shown(world, at));
}

/* Takes the frame, which has arrived at a switch: sends it on, a copy for each port. */
static void switch_frame(struct world *world, const struct link_end *at, struct frame *frame)
{
    uint64_t ports = switch_input(at->ethernet, at->index, frame, world->now);
    const struct hub *hub = &world->switches[at->owner];
    for (unsigned port = 0; port < SWITCH_PORTS_MAX; port++) {
        const struct link *link = hub->links[port];
        if ((ports & UINT64_C(1) << port) == 0 || link == NULL)
            continue;
        struct frame *copy = frame_copy(frame);
        if (copy == NULL)
            continue;
        wire_send(link->wire, WIRE_B, copy, world->now);
        note_link(world, link);
    }
    frame_unref(frame);
}

static void touch(struct world *world, unsigned number)
{
    struct host *host = &world->hosts[number];
    if (host->touched)
        return;
    host->touched = true;
    world->touched[world->touched_count++] = (uint16_t)number;
}

/* What has arrived at either end of the link goes in. */
static void put_in(struct world *world, struct link *link)
{
    for (unsigned end = 0; end < 2; end++) {
        const struct link_end *to = &link->ends[end];
        struct frame *frame;
        while ((frame = wire_receive(link->wire, (enum wire_end)end, world->now)) != NULL) {
            if (to->stack != NULL) {
                stack_input(to->stack, to->index, frame, clock_of(world));
                touch(world, to->owner);
            } else {
                switch_frame(world, to, frame);
            }
        }
    }
    note_link(world, link);
}

usec world_deadline(struct world *world)
{
    unsigned first;
    for (unsigned i = 0; i < world->host_count; i++)
        put_out(world, i);
    for (unsigned i = 0; i < world->link_count; i++)
        note_link(world, &world->links[i]); /* a wire may have been cut, which empties it */
    return agenda_first(&world->agenda, &first);
}

/* All hosts know the time before their sockets are used. */
static void tell_time(struct world *world)
{
    for (unsigned i = 0; i < world->host_count; i++)
        stack_advance(world->hosts[i].stack, clock_of(world));
}

/* Does what is due at the first instant of the agenda. */
static void turn(struct world *world, usec at)
{
    unsigned item;
    world->now = at;
    while (agenda_first(&world->agenda, &item) <= at) {
        agenda_set(&world->agenda, item, USEC_NEVER);
        if (item < WORLD_HOSTS_MAX)
            touch(world, item);
        else
            put_in(world, &world->links[item - WORLD_HOSTS_MAX]);
    }
    for (unsigned i = 0; i < world->touched_count; i++) {
        unsigned number = world->touched[i];
        world->hosts[number].touched = false;
        stack_tick(world->hosts[number].stack, clock_of(world));
        put_out(world, number);
    }
    world->touched_count = 0;
}

bool world_step(struct world *world)
{
    usec at = world_deadline(world);
    if (at == USEC_NEVER)
        return false;
    turn(world, at);
    tell_time(world);
    return true;
}

void world_run_until(struct world *world, usec until)
{
    ASSERT(until >= world->now);
    usec at = world_deadline(world);
    while (at <= until && at != USEC_NEVER) {
        unsigned first;
        turn(world, at);
        at = agenda_first(&world->agenda, &first);
    }
    world->now = until;
    tell_time(world);
}
