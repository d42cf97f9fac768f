/* SPDX-License-Identifier: ISC */
/*
 * node.c - turns the crank of a stack (stack/stack.h) once at the end of each turn of the loop in
 * which something happened to it: events to their owners, then frames to the devices, until neither
 * is left or the share of this turn is used up. A node to which nothing happens does nothing.
 */
#include "io/node.h"

#include <stdlib.h>

#include "os/memory.h"

enum {
    /* The share of one turn: so many rounds of so many events and of so many frames a port. */
    ROUNDS = 4,
    EVENTS = 256,
    FRAMES = 64,
};
static const size_t frames_octets_max = (size_t)256 * 1024 * 1024;

struct node {
    struct loop *loop;
    struct stack *stack;
    struct frame_pool *frames;
    bool own_frames;
    bool own_stack;
    bool (*tell)(void *self); /* NULL: the sockets' owners are told */
    void *self;
    bool telling; /* output follows anyway */
    struct alarm tick;
    struct task turn;
    struct node_port *ports[STACK_INTERFACES_MAX];
};

/* ---- a turn ---- */

/* Of a stack that is somebody else's only what was opened through a net over it is ours to tell. */
static bool next_event(struct node *node, struct socket_event *out)
{
    if (node->tell != NULL)
        return stack_next_event_of(node->stack, SOCKET_FACE_NET, out);
    return stack_next_event(node->stack, out);
}

/* Did anybody have something to tell? */
static bool tell_events(struct node *node)
{
    struct socket_event event;
    int told = 0;
    node->telling = true;
    bool any = node->tell != NULL && node->tell(node->self);
    while (told < EVENTS && next_event(node, &event)) {
        struct node_client *client = event.socket->user;
        if (client != NULL)
            client->on_event(client, &event);
        told++;
    }
    node->telling = false;
    return any || told > 0;
}

/* True: there are more. */
static bool send_frames(struct node *node, struct node_port *port)
{
    int sent = 0;
    struct frame *frame;
    while (sent < FRAMES && port->held == NULL &&
           (frame = stack_output(node->stack, port->interface)) != NULL) {
        if (!port->send(port, frame))
            port->held = frame;
        sent++;
    }
    if (sent > 0 && port->flush != NULL)
        port->flush(port);
    return sent == FRAMES;
}

/* True: some port has more to send. */
static bool send_all(struct node *node)
{
    bool more = false;
    for (unsigned i = 0; i < STACK_INTERFACES_MAX; i++)
        if (node->ports[i] != NULL && send_frames(node, node->ports[i]))
            more = true;
    return more;
}

static void on_turn(struct task *task)
{
    struct node *node = CONTAINER_OF(task, struct node, turn);
    stack_advance(node->stack, loop_now(node->loop));
    (void)tell_events(node);
    bool more = true;
    for (int round = 0; round < ROUNDS && more; round++) {
        more = send_all(node);
        /* Sending, too, may have something to tell, and who is told something to send. */
        if (tell_events(node))
            more = true;
    }
    if (more)
        loop_queue(node->loop, &node->turn);
    loop_set_alarm(node->loop, &node->tick, stack_deadline(node->stack));
}

static void on_tick(struct alarm *alarm)
{
    struct node *node = CONTAINER_OF(alarm, struct node, tick);
    stack_tick(node->stack, loop_now(node->loop));
    loop_queue(node->loop, &node->turn);
}

void node_wake(struct node *node)
{
    if (node->telling)
        return;
    stack_advance(node->stack, loop_now(node->loop));
    loop_queue(node->loop, &node->turn);
}

/* ---- ports ---- */

void node_attach(struct node *node, struct node_port *port, unsigned interface)
{
    ASSERT(interface < STACK_INTERFACES_MAX && node->ports[interface] == NULL);
    port->node = node;
    port->interface = interface;
    port->held = NULL;
    node->ports[interface] = port;
    node_wake(node);
}

void node_detach(struct node_port *port)
{
    if (port->node == NULL)
        return;
    port->node->ports[port->interface] = NULL;
    port->node = NULL;
    if (port->held != NULL)
        frame_unref(port->held);
    port->held = NULL;
}

void node_input(struct node_port *port, struct frame *frame)
{
    struct node *node = port->node;
    stack_input(node->stack, port->interface, frame, loop_now(node->loop));
    loop_queue(node->loop, &node->turn);
}

void node_port_ready(struct node_port *port)
{
    struct frame *frame = port->held;
    if (frame == NULL)
        return;
    port->held = NULL;
    if (!port->send(port, frame))
        port->held = frame;
    else
        loop_queue(port->node->loop, &port->node->turn);
    if (port->flush != NULL)
        port->flush(port);
}

/* ---- the node ---- */

static void complete_options(struct node *node, struct stack_options *options)
{
    static const uint8_t no_seed[PRNG_SEED_LEN];
    if (memcmp(options->seed, no_seed, sizeof no_seed) == 0)
        prng_fill(loop_prng(node->loop), options->seed, sizeof options->seed);
    if (options->heap.resize == NULL)
        options->heap = memory_heap();
    if (options->frames == NULL) {
        options->frames = frame_pool_new(&options->heap, frames_octets_max);
        node->own_frames = true;
    }
    node->frames = options->frames;
}

struct node *node_new(struct loop *loop, const struct stack_options *options)
{
    struct node *node = calloc(1, sizeof *node);
    if (node == NULL)
        return NULL;
    struct stack_options complete = *options;
    node->loop = loop;
    node->own_stack = true;
    complete_options(node, &complete);
    if (node->frames != NULL)
        node->stack = stack_new(&complete, loop_now(loop));
    if (node->stack == NULL) {
        if (node->own_frames)
            frame_pool_free(node->frames);
        free(node);
        return NULL;
    }
    alarm_init(&node->tick, on_tick);
    task_init(&node->turn, on_turn);
    return node;
}

struct node *node_over(struct loop *loop, struct stack *stack, struct frame_pool *frames,
                       bool (*tell)(void *self), void *self)
{
    struct node *node = calloc(1, sizeof *node);
    if (node == NULL)
        return NULL;
    *node = (struct node){
        .loop = loop, .stack = stack, .frames = frames, .tell = tell, .self = self};
    alarm_init(&node->tick, on_tick);
    task_init(&node->turn, on_turn);
    return node;
}

void node_free(struct node *node)
{
    if (node == NULL)
        return;
    for (unsigned i = 0; i < STACK_INTERFACES_MAX; i++)
        if (node->ports[i] != NULL)
            node_detach(node->ports[i]);
    loop_clear_alarm(node->loop, &node->tick);
    loop_unqueue(&node->turn);
    if (node->own_stack)
        stack_free(node->stack);
    if (node->own_frames)
        frame_pool_free(node->frames);
    free(node);
}

struct stack *node_stack(struct node *node)
{
    return node->stack;
}

struct loop *node_loop(const struct node *node)
{
    return node->loop;
}

struct frame_pool *node_frames(const struct node *node)
{
    return node->frames;
}
