/* SPDX-License-Identifier: ISC */
/* test_stack.c - two hosts on a virtual wire: ping, UDP, loopback, and nothing left behind. */
#include "sim/world.h"
#include "stack/echo.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ping),
        cmocka_unit_test(test_udp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
