/* SPDX-License-Identifier: ISC */
/* test_stack.c - two hosts on a virtual wire, good and bad: ping, UDP, TCP; and nothing left
 * behind. */
#include "sim/world.h"
#include "stack/echo.h"
#include "stack/tcp/tcp.h"
#include "stack/udp.h"
#include "tests/support/check.h"

struct pair {
    struct counting_heap counts;
    struct heap heap;
    struct world *world;
    struct stack *a;
    struct stack *b;
    struct wire *wire;
    struct ip_address a_address;
    struct ip_address b_address;
};

static void add_interface(struct stack *stack, uint8_t last, uint32_t address)
{
    struct interface_options options = {
        .name = "eth0",
        .mac = {{0x02, 0, 0, 0, 0, last}},
        .mtu = 1500,
        .features = last == 1 ? INTERFACE_CHECKSUM : 0,
    };
    assert_int_equal(stack_add_interface(stack, &options), 0);
    struct ip_prefix prefix = {address_v4(address), 24};
    assert_true(stack_add_address(stack, 0, &prefix, false));
}

static void pair_init(struct pair *p, uint64_t seed, const struct wire_options *wire)
{
    *p = (struct pair){0};
    p->heap = counting_heap(&p->counts);
    p->world = world_new(&p->heap, seed, 1000000);
    assert_non_null(p->world);
    int a = world_add_host(p->world, NULL);
    int b = world_add_host(p->world, NULL);
    assert_true(a == 0 && b == 1);
    p->a = world_host(p->world, 0);
    p->b = world_host(p->world, 1);
    p->a_address = address_v4(0x0a000001);
    p->b_address = address_v4(0x0a000002);
    add_interface(p->a, 1, 0x0a000001);
    add_interface(p->b, 2, 0x0a000002);
    p->wire = world_connect(p->world, (struct world_port){0, 0}, (struct world_port){1, 0}, wire);
    assert_non_null(p->wire);
}

static void pair_done(struct pair *p)
{
    world_free(p->world);
    assert_int_equal(p->counts.blocks, 0);
    assert_int_equal(p->counts.octets, 0);
}

static void test_ping(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, 1, NULL);
    struct echo_socket *echo = echo_open(p.a, &(struct echo_options){0});
    assert_non_null(echo);
    struct echo_message request = {
        .from = address_any_v4(),
        .to = p.b_address,
        .sequence = 7,
        .payload = bytes_of_text("0123456789"),
    };
    assert_true(echo_send(echo, &request));
    world_run_until(p.world, world_now(p.world) + USEC_PER_SEC);
    struct socket_event event;
    assert_true(stack_next_event(p.a, &event));
    assert_ptr_equal(event.socket, echo_socket_base(echo));
    assert_int_equal(event.events, SOCKET_READABLE);
    struct echo_message reply;
    assert_true(echo_receive(echo, &reply));
    assert_true(reply.reply);
    assert_int_equal(reply.sequence, 7);
    assert_int_equal(reply.ttl, 64);
    assert_true(address_equal(&reply.from, &p.b_address));
    assert_true(bytes_equal(reply.payload, request.payload));
    frame_unref(reply.frame);
    assert_false(echo_receive(echo, &reply));
    assert_int_equal(stack_counters(p.b)->icmpInEchos, 1);
    assert_int_equal(stack_counters(p.b)->icmpOutEchoReps, 1);
    pair_done(&p);
}

static void test_udp(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 1472, 1473, 9000, 65507};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct pair p;
        pair_init(&p, i, NULL);
        struct udp_socket *client = udp_open(p.a, &(struct udp_options){0});
        struct udp_socket *server =
            udp_open(p.b, &(struct udp_options){.local = {address_any_v4(), 53}});
        assert_true(client != NULL && server != NULL);
        uint8_t *payload = malloc(sizes[i] + 1);
        for (size_t k = 0; k < sizes[i]; k++)
            payload[k] = (uint8_t)(k * 7);
        struct udp_send_options to = {.to = {p.b_address, 53}, .interface = -1};
        assert_int_equal(udp_send(client, &to, bytes_of(payload, sizes[i])), UDP_SENT);
        world_run_until(p.world, world_now(p.world) + USEC_PER_SEC);
        struct udp_datagram got;
        assert_true(udp_receive(server, &got));
        assert_true(bytes_equal(got.payload, bytes_of(payload, sizes[i])));
        assert_true(address_equal(&got.from.address, &p.a_address));
        assert_int_equal(got.from.port, udp_local(client)->port);
        assert_int_equal(got.mac.octets[5], 1);

        /* The same frame goes back. */
        struct udp_send_options back = {.to = got.from, .interface = -1};
        assert_int_equal(udp_send_frame(server, &back, got.frame), UDP_SENT);
        world_run_until(p.world, world_now(p.world) + USEC_PER_SEC);
        assert_true(udp_receive(client, &got));
        assert_true(bytes_equal(got.payload, bytes_of(payload, sizes[i])));
        frame_unref(got.frame);
        free(payload);
        pair_done(&p);
    }
}

/* Every effect of a bad wire, from a seed. */
static struct wire_options bad_wire(uint64_t seed)
{
    struct wire_impairments i = {
        .delay = (usec)(seed % 5) * 1000,
        .jitter = (usec)(seed % 3) * 700,
        .loss = (uint32_t)(seed % 4) * 50000,
        .duplicate = (uint32_t)(seed / 4 % 3) * 50000,
        .reorder = (uint32_t)(seed / 8 % 3) * 50000,
        .corrupt = (uint32_t)(seed / 16 % 3) * 50000,
        .rate = seed % 7 == 0 ? 5000000 : 0,
    };
    return (struct wire_options){.seed = seed + 1, .a_to_b = i, .b_to_a = i};
}

struct tally {
    unsigned replies;
    unsigned datagrams;
};

/* Whatever arrives must be something that was sent, octet by octet. */
static void collect(struct echo_socket *echo, struct udp_socket *server, struct tally *tally)
{
    struct echo_message reply;
    while (echo_receive(echo, &reply)) {
        assert_int_equal(reply.payload.len, 40 + reply.sequence * 31);
        for (size_t i = 0; i < reply.payload.len; i++)
            assert_int_equal(reply.payload.data[i], (uint8_t)(i + reply.sequence));
        tally->replies++;
        frame_unref(reply.frame);
    }
    struct udp_datagram got;
    while (udp_receive(server, &got)) {
        assert_true(got.payload.len >= 1);
        for (size_t i = 0; i < got.payload.len; i++)
            assert_int_equal(got.payload.data[i], (uint8_t)(got.payload.len * 3 + i));
        tally->datagrams++;
        frame_unref(got.frame);
    }
}

static void run_bad_wire(uint64_t seed)
{
    struct pair p;
    struct wire_options wire = bad_wire(seed);
    pair_init(&p, seed, &wire);
    if (wire.a_to_b.corrupt !=
        0) { /* ARP has no checksum: a flipped bit is believed for a minute */
        assert_true(stack_add_neighbour(p.a, 0, &p.b_address, &(struct mac){{2, 0, 0, 0, 0, 2}}));
        assert_true(stack_add_neighbour(p.b, 0, &p.a_address, &(struct mac){{2, 0, 0, 0, 0, 1}}));
    }
    struct echo_socket *echo = echo_open(p.a, &(struct echo_options){0});
    struct udp_socket *client = udp_open(p.a, &(struct udp_options){0});
    struct udp_socket *server =
        udp_open(p.b, &(struct udp_options){.local = {address_any_v4(), 53}});
    uint8_t octets[8192];
    struct tally tally = {0};
    for (uint16_t i = 0; i < 30; i++) {
        struct echo_message request = {
            .to = p.b_address, .sequence = i, .payload = bytes_of(octets, 40 + i * 31u)};
        for (size_t k = 0; k < request.payload.len; k++)
            octets[k] = (uint8_t)(k + i);
        (void)echo_send(echo, &request);
        /* Up to six fragments. Where bits flip, one: two flips may hide from the checksum. */
        size_t len = 1 + i * (wire.a_to_b.corrupt == 0 ? 270u : 45u);
        for (size_t k = 0; k < len; k++)
            octets[k] = (uint8_t)(len * 3 + k);
        struct udp_send_options to = {.to = {p.b_address, 53}, .interface = -1};
        (void)udp_send(client, &to, bytes_of(octets, len));
        world_run_until(p.world, world_now(p.world) + 20 * USEC_PER_MSEC);
        collect(echo, server, &tally);
    }
    world_run_until(p.world, world_now(p.world) + 100 * USEC_PER_SEC);
    collect(echo, server, &tally);
    assert_true(tally.replies >= 5 && tally.datagrams >= 3);
    if (seed % 4 == 0 && seed / 16 % 3 == 0 && seed % 7 != 0 && seed / 8 % 3 == 0) {
        assert_true(tally.replies >= 30);
        assert_true(tally.datagrams >= 30);
    }
    struct frame_pool_counters frames;
    frame_pool_counters(world_frames(p.world), &frames);
    assert_int_equal(frames.frames, 0);
    pair_done(&p);
}

static void test_bad_wires(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++)
        run_bad_wire(seed);
}

static void test_the_same_seed_is_the_same_run(void **state)
{
    (void)state;
    struct interface_counters first = {0};
    for (int round = 0; round < 2; round++) {
        struct pair p;
        struct wire_options wire = bad_wire(11);
        pair_init(&p, 11, &wire);
        struct udp_socket *client = udp_open(p.a, &(struct udp_options){0});
        for (int i = 0; i < 100; i++) {
            struct udp_send_options to = {.to = {p.b_address, 53}, .interface = -1};
            (void)udp_send(client, &to, bytes_of_text("hello"));
            world_run_until(p.world, world_now(p.world) + USEC_PER_SEC);
        }
        const struct interface_counters *c = stack_interface_counters(p.b, 0);
        if (round == 0)
            first = *c;
        assert_memory_equal(&first, c, sizeof first);
        pair_done(&p);
    }
}

/* Connects `from` to `to` port 80, sends a line each way, closes; all must go. */
static void converse(struct pair *p, struct stack *from, struct stack *to,
                     struct ip_address address)
{
    struct tcp_listener *listener =
        tcp_listen(to, &(struct tcp_listen_options){.local = {address_any_v4(), 80}});
    struct tcp_connection *client =
        tcp_connect(from, &(struct tcp_connect_options){.remote = {address, 80},
                                                        .local = {address_any_v4(), 0}});
    assert_true(listener != NULL && client != NULL);
    static uint8_t octets[300000];
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(i * 7 >> 4);
    struct tcp_connection *server = NULL;
    size_t sent = 0;
    size_t got = 0;
    for (int i = 0; i < 1000 && got < sizeof octets; i++) {
        if (server == NULL)
            server = tcp_accept(listener, NULL);
        if (tcp_state(client) == TCP_ESTABLISHED && sent < sizeof octets)
            sent += tcp_send(client, bytes_of(octets + sent, sizeof octets - sent));
        world_run_until(p->world, world_now(p->world) + USEC_PER_MSEC);
        struct slice views[16];
        size_t count = server != NULL ? tcp_received(server, views, 16) : 0;
        size_t len = 0;
        for (size_t k = 0; k < count; k++) {
            assert_memory_equal(views[k].data, octets + got + len, views[k].len);
            len += views[k].len;
        }
        if (len > 0)
            tcp_consume(server, len);
        got += len;
    }
    assert_int_equal(got, sizeof octets);
    tcp_close(client);
    tcp_close(server);
    tcp_listener_close(listener);
    world_run_until(p->world, world_now(p->world) + 5 * USEC_PER_MINUTE);
    assert_int_equal(stack_counters(from)->tcpConnections, 0);
    assert_int_equal(stack_counters(to)->tcpConnections, 0);
}

static void test_tcp_over_the_wire_and_within_the_host(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, 5, NULL);
    converse(&p, p.a, p.b, p.b_address);
    converse(&p, p.a, p.a, p.a_address);
    converse(&p, p.b, p.b, address_v4(0x7f000001));
    pair_done(&p);
}

static void test_no_memory_for_a_stack(void **state)
{
    (void)state;
    for (size_t fail_at = 1; fail_at < 40; fail_at++) {
        struct counting_heap counts = {0};
        struct heap heap = counting_heap(&counts);
        struct frame_pool *frames = frame_pool_new(&heap, 1 << 20);
        counts.fail_at = counts.allocations + fail_at;
        struct stack_options options = {.heap = heap, .frames = frames};
        struct stack *stack = stack_new(&options, 0);
        stack_free(stack);
        counts.fail_at = 0;
        frame_pool_free(frames);
        assert_int_equal(counts.blocks, 0);
        if (stack != NULL)
            return;
    }
    fail_msg("a stack needs too many blocks");
}

static void say_much(struct pair *p, struct echo_socket *echo, struct udp_socket *client,
                     struct udp_socket *server)
{
    static const uint8_t octets[5000];
    struct ip_address own = p->a_address;
    struct ip_address nobody = address_v4(0x0a000063);
    const struct ip_address *targets[] = {&p->b_address, &own, &nobody};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct echo_message request = {.to = *targets[i], .payload = bytes_of(octets, 2000)};
        (void)echo_send(echo, &request);
        for (uint16_t port = 53; port < 55; port++) { /* one is open */
            struct udp_send_options to = {.to = {*targets[i], port}, .interface = -1};
            (void)udp_send(client, &to, bytes_of(octets, sizeof octets));
            (void)udp_send(client, &to, bytes_of(octets, 10));
        }
    }
    struct udp_send_options all = {.to = {address_v4(0x0a0000ff), 53}, .interface = -1};
    (void)udp_send(client, &all, bytes_of(octets, 10));
    world_run_until(p->world, world_now(p->world) + USEC_PER_MINUTE);
    struct udp_datagram got;
    while (udp_receive(server, &got))
        frame_unref(got.frame);
    struct echo_message message;
    while (echo_receive(echo, &message))
        frame_unref(message.frame);
}

/* From some allocation on there is no memory. What can be done without is done, nothing breaks, and
 * with memory there again all is well. */
static void test_memory_runs_out_at_any_point(void **state)
{
    (void)state;
    for (size_t after = 0; after < 80; after++) {
        struct pair p;
        pair_init(&p, after, NULL);
        struct echo_socket *echo = echo_open(p.a, &(struct echo_options){0});
        struct udp_socket *client = udp_open(p.a, &(struct udp_options){.broadcast = true});
        struct udp_socket *server =
            udp_open(p.b, &(struct udp_options){.local = {address_any_v4(), 53}});
        if (after % 2 == 1) /* the neighbours know each other, or do not */
            say_much(&p, echo, client, server);
        frame_pool_trim(world_frames(p.world));
        p.counts.fail_at = p.counts.allocations + 1 + after / 2;
        say_much(&p, echo, client, server);
        p.counts.fail_at = 0;
        struct echo_message message = {.to = p.b_address, .payload = bytes_of_text("still there?")};
        assert_true(echo_send(echo, &message));
        world_run_until(p.world, world_now(p.world) + USEC_PER_MINUTE);
        assert_true(echo_receive(echo, &message));
        frame_unref(message.frame);
        struct frame_pool_counters frames;
        frame_pool_counters(world_frames(p.world), &frames);
        assert_int_equal(frames.frames, 0);
        pair_done(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_wires),
        cmocka_unit_test(test_the_same_seed_is_the_same_run),
        cmocka_unit_test(test_tcp_over_the_wire_and_within_the_host),
        cmocka_unit_test(test_no_memory_for_a_stack),
        cmocka_unit_test(test_memory_runs_out_at_any_point),
        cmocka_unit_test(test_ping),
        cmocka_unit_test(test_udp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
