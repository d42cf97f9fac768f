/* SPDX-License-Identifier: ISC */
/* net_world.c - makes and takes down the worlds of the net contract. */
#include "tests/support/net_world.h"

#include <dirent.h>

#include "io/node.h"
#include "io/wire_port.h"
#include "os/memory.h"
#include "tests/support/check.h"

size_t open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    size_t count = 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void open_kernel(struct net_world *w)
{
    w->loop = loop_new();
    assert_non_null(w->loop);
    w->client = net_kernel_new(w->loop);
    w->server = w->client;
    assert_non_null(w->client);
    w->address = address_v4(0x7f000001);
    w->client_address = w->address;
    w->give_up_at = loop_now(w->loop) + 10 * USEC_PER_SEC;
}

static void open_node(struct net_world *w, int which, unsigned features)
{
    static const struct stack_options none;
    struct stack_options options = none;
    options.frames = w->frames;
    w->nodes[which] = node_new(w->loop, &options);
    assert_non_null(w->nodes[which]);
    struct interface_options interface = {
        .name = "eth0",
        .mac = {{2, 0, 0, 0, 0, (uint8_t)(which + 1)}},
        .mtu = 1500,
        .features = features,
    };
    struct stack *stack = node_stack(w->nodes[which]);
    assert_int_equal(stack_add_interface(stack, &interface), 0);
    struct ip_prefix address = {address_v4(0x0a000001u + (uint32_t)which), 24};
    assert_true(stack_add_address(stack, 0, &address, false));
}

static void open_stacks(struct net_world *w)
{
    static const struct wire_impairments bad = {
        .delay = 5 * USEC_PER_MSEC,
        .jitter = USEC_PER_MSEC,
        .loss = 20000,
        .duplicate = 10000,
        .reorder = 20000,
        .corrupt = 5000,
    };
    struct heap heap = memory_heap();
    w->loop = loop_new_virtual(USEC_PER_SEC, w->seed);
    w->frames = frame_pool_new(&heap, 64 * 1024 * 1024);
    assert_non_null(w->loop);
    assert_non_null(w->frames);
    unsigned features = w->kind->impaired ? 0 : INTERFACE_CHECKSUM | INTERFACE_TSO4;
    open_node(w, 0, features);
    open_node(w, 1, features);
    struct wire_options wire = {.seed = w->seed + 1};
    if (w->kind->impaired) {
        wire.a_to_b = bad;
        wire.b_to_a = bad;
    }
    assert_int_equal(wire_port_join(w->loop, w->nodes[0], 0, w->nodes[1], 0, &wire, &w->wire), 0);
    w->client = net_stack_new(w->nodes[0]);
    w->server = net_stack_new(w->nodes[1]);
    assert_non_null(w->client);
    assert_non_null(w->server);
    w->client_address = address_v4(0x0a000001);
    w->address = address_v4(0x0a000002);
    w->give_up_at = loop_now(w->loop) + 30 * USEC_PER_MINUTE;
}

void net_world_open(struct net_world *w, const struct net_world_kind *kind, uint64_t seed)
{
    *w = (struct net_world){.kind = kind, .seed = seed};
    if (kind->kernel)
        open_kernel(w);
    else
        open_stacks(w);
    if (kind->tls)
        net_world_add_tls(w);
}

void net_world_close(struct net_world *w)
{
    if (w->tls != NULL)
        net_world_remove_tls(w);
    net_free(w->client);
    if (w->server != w->client)
        net_free(w->server);
    wire_port_free(w->wire);
    node_free(w->nodes[0]);
    node_free(w->nodes[1]);
    frame_pool_free(w->frames); /* asserts that no frame is left */
    loop_free(w->loop);
}

bool net_world_step(struct net_world *w)
{
    if (loop_now(w->loop) >= w->give_up_at)
        return false;
    assert_int_equal(loop_run_until(w->loop, loop_now(w->loop) + USEC_PER_MSEC), 0);
    return true;
}

void net_world_run(struct net_world *w, usec duration)
{
    assert_int_equal(loop_run_until(w->loop, loop_now(w->loop) + duration), 0);
}
