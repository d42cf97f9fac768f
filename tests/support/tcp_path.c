/* SPDX-License-Identifier: ISC */
#include "tests/support/tcp_path.h"

#include "tests/support/tcp_check.h"

static struct stack *add_host(struct tcp_test_path *p, unsigned number,
                              const struct tcp_path_options *options)
{
    struct stack_options stack_options = {.tcp_profile = &options->profile};
    assert_int_equal(world_add_host(p->world, &stack_options), number);
    struct stack *stack = world_host(p->world, number);
    struct interface_options interface = {.name = "wire", .mtu = 1500,
                                          .mac = {{2, 0, 0, 0, 0, (uint8_t)(number + 1)}}};
    if (options->tso)
        interface.features = INTERFACE_CHECKSUM | INTERFACE_TSO4;
    assert_int_equal(stack_add_interface(stack, &interface), 0);
    struct ip_prefix address = {address_v4(0x0a000001 + number), 24};
    assert_true(stack_add_address(stack, 0, &address, false));
    struct ip_address peer = address_v4(0x0a000002 - number);
    struct mac mac = {{2, 0, 0, 0, 0, (uint8_t)(2 - number)}};
    assert_true(stack_add_neighbour(stack, 0, &peer, &mac));
    return stack;
}

void tcp_path_open(struct tcp_test_path *p, const struct tcp_path_options *options)
{
    *p = (struct tcp_test_path){0};
    p->heap = counting_heap(&p->counts);
    p->world = world_new(&p->heap, 1, 0);
    assert_non_null(p->world);
    p->tick = usec_max(options->tick, 1);
    world_set_clock(p->world, p->tick);
    p->a = add_host(p, 0, options);
    p->b = add_host(p, 1, options);
    struct wire_options wire = {.seed = 5};
    wire.a_to_b = (struct wire_impairments){.delay = options->rtt / 2, .rate = options->rate,
                                            .queue = options->queue, .loss = options->loss,
                                            .reorder = options->reorder,
                                            .mark = options->mark};
    wire.b_to_a.delay = options->rtt - options->rtt / 2;
    wire.b_to_a.reorder = options->reorder;
    p->wire = world_connect(p->world, (struct world_port){0, 0}, (struct world_port){1, 0}, &wire);
    assert_non_null(p->wire);
    struct tcp_listen_options listen = {.local = {address_any_v4(), 80}};
    assert_non_null(tcp_listen(p->b, &listen));
}

void tcp_path_close(struct tcp_test_path *p)
{
    world_free(p->world);
    assert_int_equal(p->counts.blocks, 0);
}

static void fill(struct tcp_path_flow *flow)
{
    static const uint8_t block[16384];
    while (flow->sent < flow->to_send) {
        uint64_t rest = flow->to_send - flow->sent;
        size_t len = rest < sizeof block ? (size_t)rest : sizeof block;
        size_t taken = tcp_send(flow->sender, (struct bytes){block, len});
        flow->sent += taken;
        if (taken < len)
            return;
    }
}

struct tcp_path_flow *tcp_path_flow(struct tcp_test_path *p, enum tcp_congestion_kind kind,
                                    uint64_t octets)
{
    assert_true(p->count < TCP_PATH_FLOWS_MAX);
    struct tcp_path_flow *flow = &p->flows[p->count++];
    struct tcp_connect_options options = {.remote = {address_v4(0x0a000002), 80}, .user = flow};
    flow->sender = tcp_connect(p->a, &options);
    assert_non_null(flow->sender);
    assert_int_equal(tcp_set_option(flow->sender, TCP_OPTION_CONGESTION, kind), TCP_OPTION_SET);
    flow->to_send = octets;
    return flow;
}

void tcp_path_send(struct tcp_test_path *p, struct tcp_path_flow *flow, uint64_t octets)
{
    stack_advance(p->a, world_now(p->world) - world_now(p->world) % p->tick);
    flow->to_send += octets;
    fill(flow);
}

static void accept_all(struct tcp_test_path *p, struct tcp_listener *listener)
{
    struct tcp_connection *c;
    while ((c = tcp_accept(listener, NULL)) != NULL)
        for (unsigned i = 0; i < p->count; i++)
            if (tcp_local(p->flows[i].sender)->port == tcp_remote(c)->port)
                p->flows[i].receiver = c;
}

static void take_events(struct tcp_test_path *p)
{
    struct socket_event event;
    while (stack_next_event(p->a, &event)) {
        assert_false(event.events & SOCKET_FAILED);
        if (event.events & (SOCKET_OPENED | SOCKET_WRITABLE))
            fill(event.socket->user);
    }
    while (stack_next_event(p->b, &event))
        if (event.socket->kind == SOCKET_TCP_LISTENER)
            accept_all(p, socket_listener(event.socket));
    for (unsigned i = 0; i < p->count; i++) {
        struct tcp_path_flow *flow = &p->flows[i];
        size_t len = flow->receiver != NULL ? tcp_received_len(flow->receiver) : 0;
        if (len > 0)
            tcp_consume(flow->receiver, len);
        flow->received += len;
    }
}

void tcp_path_run(struct tcp_test_path *p, usec duration)
{
    usec until = world_now(p->world) + duration;
    while (world_now(p->world) < until) {
        usec next = world_deadline(p->world);
        if (next == USEC_NEVER || next > until)
            world_run_until(p->world, until);
        else
            world_step(p->world);
        take_events(p);
    }
    tcp_check_all(p->a);
    tcp_check_all(p->b);
}

static bool all_received(const struct tcp_test_path *p)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->flows[i].received < p->flows[i].to_send)
            return false;
    return true;
}

usec tcp_path_finish(struct tcp_test_path *p, usec limit)
{
    usec began = world_now(p->world);
    while (!all_received(p) && world_now(p->world) - began < limit) {
        if (!world_step(p->world))
            world_run_until(p->world, began + limit);
        take_events(p);
    }
    tcp_check_all(p->a);
    return world_now(p->world) - began;
}
