/* SPDX-License-Identifier: ISC */
/*
 * api_loop.c - wholenet/loop.h: io/loop.h, with a node for each stack that is on it, and ports for
 * its devices and wires.
 */
#include <wholenet/loop.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/api_loop.h"
#include "base/list.h"
#include "io/loop.h"
#include "io/node.h"
#include "io/tap_port.h"
#include "io/wire_port.h"
#include "os/memory.h"
#include "os/tap.h"

struct wn_loop {
    struct loop *loop;
    struct wn_frames *frames;
    struct list_node seats;
    struct list_node ports;
    unsigned running; /* calls that turn it */
    bool pumping; /* wn_loop_pump() is at work */
    bool told;    /* some socket had something to tell, in this run */
};

/* A stack's place on the loop. */
struct seat {
    struct list_node all;
    struct wn_loop *loop;
    struct wn_stack *stack;
    struct node *node;
    struct list_node watchers;
    bool waited; /* events that nobody took were there when the run began */
};

/* One of the two. */
struct port {
    struct list_node all;
    struct tap_port *tap;
    struct wire_port *wire;
};

/* ---- the host ---- */

static void *resize(void *self UNUSED, void *old, size_t old_size, size_t new_size)
{
    struct heap heap = memory_heap();
    return heap.resize(heap.self, old, old_size, new_size);
}

static wn_time look_at_clock(void *self)
{
    struct wn_loop *loop = self;
    return loop_look(loop->loop);
}

static void draw(void *self, void *out, size_t len)
{
    struct wn_loop *loop = self;
    prng_fill(loop_prng(loop->loop), out, len);
}

struct wn_host wn_loop_host(struct wn_loop *loop)
{
    return (struct wn_host){loop, resize, look_at_clock, draw};
}

/* ---- life ---- */

static struct wn_loop *take(struct loop *inner)
{
    if (inner == NULL)
        return NULL;
    struct wn_loop *loop = calloc(1, sizeof *loop);
    if (loop != NULL) {
        struct wn_host host = wn_loop_host(loop);
        loop->loop = inner;
        list_init(&loop->seats);
        list_init(&loop->ports);
        loop->frames = wn_frames_new(&host, 0);
        if (loop->frames != NULL)
            return loop;
    }
    loop_free(inner);
    free(loop);
    errno = ENOMEM;
    return NULL;
}

struct wn_loop *wn_loop_new(void)
{
    return take(loop_new());
}

struct wn_loop *wn_loop_new_virtual(uint64_t seed)
{
    return take(loop_new_virtual(0, seed));
}

void wn_loop_free(struct wn_loop *loop)
{
    struct list_node *first;
    if (loop == NULL)
        return;
    while ((first = list_first(&loop->ports)) != NULL) {
        struct port *port = CONTAINER_OF(first, struct port, all);
        list_remove(first);
        tap_port_free(port->tap);
        wire_port_free(port->wire);
        free(port);
    }
    while ((first = list_first(&loop->seats)) != NULL) {
        struct seat *seat = CONTAINER_OF(first, struct seat, all);
        list_remove(first);
        while (!list_empty(&seat->watchers))
            list_remove(list_first(&seat->watchers));
        node_free(seat->node);
        free(seat);
    }
    loop_free(loop->loop);
    wn_frames_free(loop->frames);
    free(loop);
}

struct wn_frames *wn_loop_frames(struct wn_loop *loop)
{
    return loop->frames;
}

wn_time wn_loop_now(const struct wn_loop *loop)
{
    return loop_now(loop->loop);
}

/* ---- stacks ---- */

static struct seat *find(const struct wn_loop *loop, const struct wn_stack *stack)
{
    const struct list_node *head = &loop->seats;
    for (struct list_node *node = head->next; node != head; node = node->next) {
        struct seat *seat = CONTAINER_OF(node, struct seat, all);
        if (seat->stack == stack)
            return seat;
    }
    return NULL;
}

/* Sockets of any stack may have been used. */
static void wake_all(struct wn_loop *loop)
{
    const struct list_node *head = &loop->seats;
    for (struct list_node *node = head->next; node != head; node = node->next)
        node_wake(CONTAINER_OF(node, struct seat, all)->node);
}

static void tell_watchers(struct seat *seat)
{
    const struct list_node *head = &seat->watchers;
    for (struct list_node *node = head->next; node != head; node = node->next)
        loop_queue(seat->loop->loop, &CONTAINER_OF(node, struct api_watcher, node)->task);
}

static bool tell(void *self)
{
    struct seat *seat = self;
    struct wn_stack *stack = seat->stack;
    bool any = wn_stack_dispatch(stack) != 0;
    bool waits = stack->on_event == NULL && !seat->waited && stack_has_event(stack->stack);
    if (seat->loop->pumping && (any || waits)) {
        seat->loop->told = true;
        loop_stop(seat->loop->loop);
    }
    if (any)
        tell_watchers(seat);
    if (any && stack->on_event != NULL)
        wake_all(seat->loop); /* who was told may have used sockets of other stacks */
    return any;
}

int wn_loop_add(struct wn_loop *loop, struct wn_stack *stack)
{
    if (stack->host.clock != look_at_clock || stack->host.self != loop)
        return api_fail(stack, -EINVAL, "the stack has another host than the loop's");
    if (find(loop, stack) != NULL)
        return api_fail(stack, -EEXIST, "the stack is on the loop already");
    struct seat *seat = calloc(1, sizeof *seat);
    if (seat == NULL)
        return -ENOMEM;
    seat->loop = loop;
    seat->stack = stack;
    list_init(&seat->watchers);
    seat->node = node_over(loop->loop, stack->stack, stack->frames->pool, tell, seat);
    if (seat->node == NULL) {
        free(seat);
        return -ENOMEM;
    }
    list_append(&loop->seats, &seat->all);
    return 0;
}

int wn_loop_stack(struct wn_loop *loop, const struct wn_stack_options *options,
                  struct wn_stack **out)
{
    struct wn_stack_options o = {.size = sizeof o};
    struct wn_stack *stack;
    if (options != NULL) {
        if (options->size < offsetof(struct wn_stack_options, flags) || options->size > sizeof o)
            return -EINVAL;
        memcpy(&o, options, options->size);
        o.size = sizeof o;
    }
    o.host = wn_loop_host(loop);
    o.frames = loop->frames;
    int result = wn_stack_new(&o, &stack);
    if (result < 0)
        return result;
    result = wn_loop_add(loop, stack);
    if (result < 0) {
        wn_stack_free(stack);
        return result;
    }
    *out = stack;
    return 0;
}

/* ---- links ---- */

static bool is_taken(const struct wn_stack *stack, int interface)
{
    return (stack->attached & UINT32_C(1) << interface) != 0;
}

/* The place of the stack, when the interface can be connected; NULL: why is noted. */
static struct seat *seat_for(struct wn_loop *loop, struct wn_stack *stack, int interface)
{
    struct seat *seat = find(loop, stack);
    if (seat == NULL || !api_has_interface(stack, interface) || is_taken(stack, interface)) {
        (void)api_fail(stack, -EINVAL, "interface %d is not there, or not free, or its stack is "
                       "not on the loop", interface);
        return NULL;
    }
    return seat;
}

static struct port *add_port(struct wn_loop *loop)
{
    struct port *port = calloc(1, sizeof *port);
    if (port != NULL)
        list_append(&loop->ports, &port->all);
    return port;
}

static void drop_port(struct port *port)
{
    list_remove(&port->all);
    free(port);
}

/* Takes the descriptor. */
static int attach(struct wn_loop *loop, struct wn_stack *stack, int interface, int fd)
{
    struct seat *seat = seat_for(loop, stack, interface);
    struct port *port = seat != NULL ? add_port(loop) : NULL;
    if (port == NULL) {
        close(fd);
        return seat != NULL ? -ENOMEM : -EINVAL;
    }
    struct tap_port_options options = {
        .fd = fd,
        .interface = (unsigned)interface,
        .vnet = stack->features[interface] != 0,
        .mtu = stack->mtus[interface],
        .mac = stack->macs[interface],
    };
    int result = tap_port_new(seat->node, &options, &port->tap);
    if (result < 0) {
        drop_port(port);
        return api_fail(stack, result, "the device cannot be watched: %s", strerror(-result));
    }
    stack->attached |= UINT32_C(1) << interface;
    return 0;
}

int wn_loop_attach_tap(struct wn_loop *loop, struct wn_stack *stack, int interface,
                       const char *name)
{
    struct tap tap;
    if (seat_for(loop, stack, interface) == NULL)
        return -EINVAL;
    bool offload = stack->features[interface] != 0;
    const struct tap_options options = {
        .name = name,
        .vnet_header_len = offload ? TAP_VNET_HEADER_LEN : 0,
        .offload = offload,
    };
    int result = tap_open(&options, &tap);
    if (result < 0)
        return api_fail(stack, result, "%s: %s", name, tap_error_text(result));
    return attach(loop, stack, interface, tap.fd);
}

int wn_loop_attach_fd(struct wn_loop *loop, struct wn_stack *stack, int interface, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return api_fail(stack, -errno, "descriptor %d: %s", fd, strerror(errno));
    if (api_has_interface(stack, interface) && stack->features[interface] != 0) {
        close(fd);
        return api_fail(stack, -EINVAL, "a plain descriptor has no offloads");
    }
    return attach(loop, stack, interface, fd);
}

static struct wire_impairments impairments_in(const struct wn_impairments *in)
{
    if (in == NULL)
        return (struct wire_impairments){0};
    return (struct wire_impairments){
        .delay = in->delay,
        .jitter = in->jitter,
        .loss = in->loss,
        .duplicate = in->duplicate,
        .reorder = in->reorder,
        .corrupt = in->corrupt,
        .rate = in->rate,
        .queue = in->queue,
    };
}

int wn_loop_join(struct wn_loop *loop, struct wn_stack *a, int interface_a, struct wn_stack *b,
                 int interface_b, const struct wn_impairments *there,
                 const struct wn_impairments *back)
{
    struct seat *seat_a = seat_for(loop, a, interface_a);
    struct seat *seat_b = seat_for(loop, b, interface_b);
    if (seat_a == NULL || seat_b == NULL || (a == b && interface_a == interface_b))
        return -EINVAL;
    if (a->frames != b->frames)
        return api_fail(a, -EINVAL, "the stacks have not the same pool of frames");
    struct port *port = add_port(loop);
    if (port == NULL)
        return -ENOMEM;
    struct wire_options options = {
        .seed = prng_u64(loop_prng(loop->loop)),
        .a_to_b = impairments_in(there),
        .b_to_a = impairments_in(back),
    };
    int result = wire_port_join(loop->loop, seat_a->node, (unsigned)interface_a, seat_b->node,
                                (unsigned)interface_b, &options, &port->wire);
    if (result < 0) {
        drop_port(port);
        return result;
    }
    a->attached |= UINT32_C(1) << interface_a;
    b->attached |= UINT32_C(1) << interface_b;
    return 0;
}

/* ---- running ---- */

int wn_loop_run_until(struct wn_loop *loop, wn_time until)
{
    wake_all(loop);
    loop->running++;
    int result = loop_run_until(loop->loop, until);
    loop->running--;
    return result;
}

int wn_loop_run(struct wn_loop *loop)
{
    return wn_loop_run_until(loop, WN_NEVER);
}

void wn_loop_stop(struct wn_loop *loop)
{
    loop_stop(loop->loop);
}

int wn_loop_pump(void *self, wn_time until)
{
    struct wn_loop *loop = self;
    const struct list_node *head = &loop->seats;
    for (struct list_node *node = head->next; node != head; node = node->next) {
        struct seat *seat = CONTAINER_OF(node, struct seat, all);
        seat->waited = stack_has_event(seat->stack->stack);
    }
    loop->told = false;
    loop->pumping = true;
    int result = wn_loop_run_until(loop, until);
    loop->pumping = false;
    if (result < 0 || loop->told || until != WN_NEVER || !loop_is_virtual(loop->loop))
        return result;
    return -EDEADLK;
}

/* ---- for src/api/http/ ---- */

struct loop *api_loop_inside(const struct wn_loop *loop)
{
    return loop->loop;
}

bool api_loop_runs(const struct wn_loop *loop)
{
    return loop->running > 0;
}

struct net *api_loop_net(const struct wn_loop *loop, const struct wn_stack *stack)
{
    const struct seat *seat = find(loop, stack);
    return seat != NULL ? net_stack_new(seat->node) : NULL;
}

void api_loop_wake(const struct wn_loop *loop, const struct wn_stack *stack)
{
    node_wake(find(loop, stack)->node);
}

bool api_loop_watch(const struct wn_loop *loop, const struct wn_stack *stack,
                    struct api_watcher *watcher)
{
    struct seat *seat = find(loop, stack);
    if (seat != NULL)
        list_append(&seat->watchers, &watcher->node);
    return seat != NULL;
}

void api_loop_unwatch(struct api_watcher *watcher)
{
    list_remove(&watcher->node);
    loop_unqueue(&watcher->task);
}
