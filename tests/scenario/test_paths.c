/* SPDX-License-Identifier: ISC */
/*
 * test_paths.c - what happens along a path of routers: traceroute sees every hop, a narrow link
 * fragments or says so, and what is wrong comes back as the right ICMP error.
 *
 *      host 0 --- router 1 --- router 2 --- router 3 --- host 4
 *      10.0.1/24     10.0.2/24     10.0.3/24     10.0.4/24
 *
 * Of a link 10.0.n/24 the left end is 10.0.n.1 and the right one 10.0.n.2.
 */
#include "sim/world.h"
#include "stack/echo.h"
#include "stack/tcp/tcp.h"
#include "stack/udp.h"
#include "tests/support/check.h"

enum { STATIONS = 5, LINKS = 4 };

struct path {
    struct counting_heap counts;
    struct heap heap;
    struct world *world;
    struct stack *stations[STATIONS];
};

static struct ip_address left_of(unsigned link)
{
    return address_v4(0x0a000001u + (link << 8));
}

static struct ip_address right_of(unsigned link)
{
    return address_v4(0x0a000002u + (link << 8));
}

static void add_interface(struct stack *stack, unsigned link, bool left, uint16_t mtu)
{
    struct interface_options options = {
        .name = "eth", .mac = {{2, 0, 0, 0, (uint8_t)link, left ? 1 : 2}}, .mtu = mtu};
    int interface = stack_add_interface(stack, &options);
    assert_true(interface >= 0);
    struct ip_prefix prefix = {left ? left_of(link) : right_of(link), 24};
    assert_true(stack_add_address(stack, (unsigned)interface, &prefix, false));
}

static void add_route(struct stack *stack, uint32_t network, uint8_t len, struct ip_address via,
                      unsigned interface)
{
    struct ip_prefix prefix = {address_v4(network), len};
    assert_true(stack_add_route(stack, &prefix, &via, interface));
}

static void path_open(struct path *p, uint16_t narrow_mtu, usec delay)
{
    *p = (struct path){0};
    p->heap = counting_heap(&p->counts);
    p->world = world_new(&p->heap, 1, 0);
    assert_non_null(p->world);
    for (unsigned i = 0; i < STATIONS; i++) {
        struct stack_options options = {.forwarding = i > 0 && i < STATIONS - 1};
        assert_int_equal(world_add_host(p->world, &options), i);
        p->stations[i] = world_host(p->world, i);
        if (i > 0) /* interface 0 looks left, but on the first host */
            add_interface(p->stations[i], i, false, i == 3 ? narrow_mtu : 1500);
        if (i < STATIONS - 1)
            add_interface(p->stations[i], i + 1, true, i == 2 ? narrow_mtu : 1500);
    }
    struct wire_options wire = {.a_to_b.delay = delay, .b_to_a.delay = delay};
    for (unsigned i = 0; i < LINKS; i++)
        assert_non_null(world_connect(p->world, (struct world_port){i, i == 0 ? 0 : 1},
                                      (struct world_port){i + 1, 0}, &wire));
    add_route(p->stations[0], 0, 0, right_of(1), 0);
    add_route(p->stations[1], 0x0a000000, 8, right_of(2), 1);
    add_route(p->stations[2], 0x0a000100, 24, left_of(2), 0);
    add_route(p->stations[2], 0x0a000400, 24, right_of(3), 1);
    add_route(p->stations[3], 0, 0, left_of(3), 0);
    add_route(p->stations[4], 0, 0, left_of(4), 0);
}

static void path_close(struct path *p)
{
    world_free(p->world);
    assert_int_equal(p->counts.blocks, 0);
    assert_int_equal(p->counts.octets, 0);
}

static void run(struct path *p, usec duration)
{
    world_run_until(p->world, world_now(p->world) + duration);
}

/* RFC 792: each router in turn finds the time to live used up. */
static void test_traceroute(void **state)
{
    (void)state;
    struct path p;
    path_open(&p, 1500, 1000);
    struct udp_socket *socket = udp_open(p.stations[0], &(struct udp_options){0});
    for (uint8_t ttl = 1; ttl <= 4; ttl++) {
        struct udp_send_options to = {
            .to = {right_of(4), (uint16_t)(33433 + ttl)}, .interface = -1, .ttl = ttl};
        assert_int_equal(udp_send(socket, &to, bytes_of_text("probe")), UDP_SENT);
        run(&p, USEC_PER_SEC);
        struct udp_error error;
        assert_true(udp_next_error(socket, &error));
        assert_int_equal(error.type, ttl < 4 ? 11 : 3);
        assert_int_equal(error.code, ttl < 4 ? 0 : 3);
        assert_int_equal(error.to.port, 33433 + ttl);
        struct ip_address hop = right_of(ttl);
        assert_true(address_equal(&error.reporter, &hop));
        assert_int_equal(stack_counters(p.stations[ttl])->icmpOutTimeExcds, ttl < 4);
    }
    path_close(&p);
}

static void test_a_large_datagram_crosses_a_narrow_link_in_fragments(void **state)
{
    (void)state;
    struct path p;
    path_open(&p, 600, 1000);
    struct udp_socket *client = udp_open(p.stations[0], &(struct udp_options){0});
    struct udp_socket *server =
        udp_open(p.stations[4], &(struct udp_options){.local = {address_any_v4(), 9}});
    static uint8_t payload[5000];
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i >> 3);
    struct udp_send_options to = {.to = {right_of(4), 9}, .interface = -1};
    assert_int_equal(udp_send(client, &to, bytes_of(payload, sizeof payload)), UDP_SENT);
    run(&p, USEC_PER_SEC);
    struct udp_datagram got;
    assert_true(udp_receive(server, &got));
    assert_true(bytes_equal(got.payload, bytes_of(payload, sizeof payload)));
    frame_unref(got.frame);
    assert_true(stack_counters(p.stations[2])->ipOutFragCreates > 8);
    assert_int_equal(stack_counters(p.stations[4])->ipReasmOKs, 1);
    path_close(&p);
}

static void transfer(struct path *p, struct ip_address to, size_t len)
{
    struct tcp_listener *listener =
        tcp_listen(p->stations[4], &(struct tcp_listen_options){.local = {address_any_v4(), 80}});
    struct tcp_connection *client =
        tcp_connect(p->stations[0], &(struct tcp_connect_options){.remote = {to, 80},
                                                                  .local = {address_any_v4(), 0}});
    assert_true(listener != NULL && client != NULL);
    struct tcp_connection *server = NULL;
    static uint8_t block[4096];
    size_t sent = 0;
    size_t got = 0;
    for (int i = 0; i < 2000 && got < len; i++) {
        run(p, 10 * USEC_PER_MSEC);
        if (sent < len) {
            size_t part = len - sent < sizeof block ? len - sent : sizeof block;
            sent += tcp_send(client, bytes_of(block, part));
        }
        if (server == NULL)
            server = tcp_accept(listener, NULL);
        if (server == NULL)
            continue;
        got += tcp_received_len(server);
        tcp_consume(server, tcp_received_len(server));
    }
    assert_int_equal(got, len);
    tcp_close(client);
    tcp_close(server);
    tcp_listener_close(listener);
    run(p, 5 * USEC_PER_MINUTE);
}

/* RFC 1191: TCP learns of the narrow link from the router before it. */
static void test_tcp_finds_the_path_mtu(void **state)
{
    (void)state;
    struct path p;
    path_open(&p, 600, 1000);
    transfer(&p, right_of(4), 200000);
    assert_true(stack_counters(p.stations[2])->icmpOutDestUnreachs >= 1);
    assert_true(stack_counters(p.stations[2])->icmpOutDestUnreachs < 20);
    path_close(&p);
}

static const struct {
    const char *name;
    uint32_t target;
    uint8_t type;
    uint8_t code;
    usec within;
} failures[] = {
    {"no route at the second router", 0x0a000963, 3, 0, USEC_PER_SEC},
    {"no such host at the end", 0x0a000463, 3, 1, 5 * USEC_PER_SEC},
    {"no such port", 0x0a000402, 3, 3, USEC_PER_SEC},
    {"no such neighbour", 0x0a000163, 3, 1, 5 * USEC_PER_SEC},
};

static void test_what_goes_wrong_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        struct path p;
        path_open(&p, 1500, 1000);
        struct udp_socket *socket = udp_open(p.stations[0], &(struct udp_options){0});
        struct udp_send_options to = {.to = {address_v4(failures[i].target), 7}, .interface = -1};
        CHECK_EQUAL(failures[i].name, udp_send(socket, &to, bytes_of_text("x")), UDP_SENT);
        run(&p, failures[i].within);
        struct udp_error error;
        CHECK(failures[i].name, udp_next_error(socket, &error));
        CHECK_EQUAL(failures[i].name, error.type, failures[i].type);
        CHECK_EQUAL(failures[i].name, error.code, failures[i].code);
        CHECK(failures[i].name, !udp_next_error(socket, &error));
        path_close(&p);
    }
}

static void test_a_loop_of_routes_ends(void **state)
{
    (void)state;
    struct path p;
    path_open(&p, 1500, 10);
    /* Routers 1 and 2 each think that the other one knows. */
    add_route(p.stations[1], 0xc0000200, 24, right_of(2), 1);
    add_route(p.stations[2], 0xc0000200, 24, left_of(2), 0);
    struct udp_socket *socket = udp_open(p.stations[0], &(struct udp_options){0});
    struct udp_send_options to = {.to = {address_v4(0xc0000201), 7}, .interface = -1, .ttl = 50};
    assert_int_equal(udp_send(socket, &to, bytes_of_text("x")), UDP_SENT);
    run(&p, USEC_PER_SEC);
    struct udp_error error;
    assert_true(udp_next_error(socket, &error));
    assert_int_equal(error.type, 11);
    assert_int_equal(stack_counters(p.stations[1])->ipForwDatagrams +
                         stack_counters(p.stations[2])->ipForwDatagrams,
                     49 + 1 /* the error */);
    path_close(&p);
}

/* A guest behind a gateway that answers for the whole world. */
static void test_an_intercepting_gateway(void **state)
{
    (void)state;
    struct path p = {0};
    p.heap = counting_heap(&p.counts);
    p.world = world_new(&p.heap, 1, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_add_host(p.world, NULL), i);
        p.stations[i] = world_host(p.world, (unsigned)i);
        struct interface_options options = {.name = "eth",
                                            .mac = {{2, 0, 0, 0, 1, (uint8_t)(i + 1)}},
                                            .mtu = 1500,
                                            .features = i == 1 ? INTERFACE_INTERCEPT : 0};
        assert_int_equal(stack_add_interface(p.stations[i], &options), 0);
        struct ip_prefix prefix = {i == 0 ? left_of(1) : right_of(1), 24};
        assert_true(stack_add_address(p.stations[i], 0, &prefix, false));
    }
    assert_non_null(
        world_connect(p.world, (struct world_port){0, 0}, (struct world_port){1, 0}, NULL));
    add_route(p.stations[0], 0, 0, right_of(1), 0);
    struct udp_socket *guest = udp_open(p.stations[0], &(struct udp_options){0});
    struct udp_socket *gateway = udp_open(p.stations[1], &(struct udp_options){.intercept = true});
    struct udp_send_options to = {.to = {address_v4(0xc6336405), 53}, .interface = -1};
    assert_int_equal(udp_send(guest, &to, bytes_of_text("question")), UDP_SENT);
    run(&p, USEC_PER_SEC);
    struct udp_datagram got;
    assert_true(udp_receive(gateway, &got));
    assert_true(endpoint_equal(&got.to, &to.to));
    struct udp_send_options back = {.to = got.from, .from = got.to, .interface = -1};
    assert_int_equal(udp_send(gateway, &back, bytes_of_text("answer")), UDP_SENT);
    udp_unreachable(gateway, &got.from, &got.to, got.payload, 1);
    frame_unref(got.frame);
    run(&p, USEC_PER_SEC);
    assert_true(udp_receive(guest, &got));
    assert_true(endpoint_equal(&got.from, &to.to));
    assert_true(bytes_equal(got.payload, bytes_of_text("answer")));
    frame_unref(got.frame);
    struct udp_error error;
    assert_true(udp_next_error(guest, &error));
    assert_int_equal(error.code, 1);
    assert_true(address_equal(&error.reporter, &to.to.address));

    /* The guest's socket is gone: what it says of that reaches the gateway's. */
    udp_close(guest);
    assert_int_equal(udp_send(gateway, &back, bytes_of_text("late")), UDP_SENT);
    run(&p, USEC_PER_SEC);
    assert_true(udp_next_error(gateway, &error));
    assert_int_equal(error.code, 3);
    assert_true(endpoint_equal(&error.from, &to.to));
    path_close(&p);
}

/* Two hosts want one address: the second one notices, and keeps off. */
static void test_a_duplicate_address_is_noticed(void **state)
{
    (void)state;
    struct path p = {0};
    p.heap = counting_heap(&p.counts);
    p.world = world_new(&p.heap, 1, 0);
    struct ip_prefix prefix = {left_of(1), 24};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_add_host(p.world, NULL), i);
        struct interface_options options = {
            .name = "eth", .mac = {{2, 0, 0, 0, 1, (uint8_t)(i + 1)}}, .mtu = 1500};
        assert_int_equal(stack_add_interface(world_host(p.world, (unsigned)i), &options), 0);
    }
    assert_non_null(
        world_connect(p.world, (struct world_port){0, 0}, (struct world_port){1, 0}, NULL));
    assert_true(stack_add_address(world_host(p.world, 0), 0, &prefix, true));
    run(&p, 20 * USEC_PER_SEC);
    assert_true(stack_add_address(world_host(p.world, 1), 0, &prefix, true));
    run(&p, 20 * USEC_PER_SEC);
    assert_int_equal(stack_address_state(world_host(p.world, 0), 0, &prefix.address),
                     ADDRESS_READY);
    assert_int_equal(stack_address_state(world_host(p.world, 1), 0, &prefix.address),
                     ADDRESS_DUPLICATE);
    path_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traceroute),
        cmocka_unit_test(test_a_large_datagram_crosses_a_narrow_link_in_fragments),
        cmocka_unit_test(test_tcp_finds_the_path_mtu),
        cmocka_unit_test(test_what_goes_wrong_is_told),
        cmocka_unit_test(test_a_loop_of_routes_ends),
        cmocka_unit_test(test_an_intercepting_gateway),
        cmocka_unit_test(test_a_duplicate_address_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
