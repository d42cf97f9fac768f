/* SPDX-License-Identifier: ISC */
/* test_udp_socket.c - ports, who may have them, and what waits in a socket. */
#include "stack/udp.h"

#include "stack/udp_table.h"
#include "tests/support/one_stack.h"

static struct udp_socket *open_at(struct one_stack *s, struct ip_address address, uint16_t port)
{
    return udp_open(s->stack, &(struct udp_options){.local = {address, port}});
}

static void test_who_may_have_a_port(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.far_mtu = 1500});
    struct udp_socket *any = open_at(&s, address_any_v4(), 53);
    assert_non_null(any);
    assert_null(open_at(&s, address_any_v4(), 53));
    assert_null(open_at(&s, address_any_v6(), 53)); /* the same wildcard */
    struct udp_socket *ours = open_at(&s, ADDRESS_US, 53);
    assert_non_null(ours);
    assert_null(open_at(&s, ADDRESS_US, 53));
    assert_non_null(open_at(&s, ADDRESS_FAR_US, 53));
    udp_close(any);
    assert_non_null(open_at(&s, address_any_v4(), 53));
    udp_close(ours);
    assert_non_null(open_at(&s, ADDRESS_US, 53));
    assert_non_null(open_at(&s, ADDRESS_US, 54));
    one_stack_close(&s);
}

/* RFC 6056: ports are spread over the range, and cannot be foretold. */
static void test_ephemeral_ports(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.stack.udp_sockets_max = 2000});
    static bool seen[65536];
    memset(seen, 0, sizeof seen);
    int upper_half = 0;
    int in_order = 0;
    uint16_t last = 0;
    for (int i = 0; i < 2000; i++) {
        struct udp_socket *socket = udp_open(s.stack, &(struct udp_options){0});
        assert_non_null(socket);
        uint16_t port = udp_local(socket)->port;
        assert_true(port >= UDP_EPHEMERAL_FIRST);
        assert_false(seen[port]);
        seen[port] = true;
        upper_half += port >= 49152;
        in_order += port == last + 1;
        last = port;
    }
    assert_true(upper_half > 800 && upper_half < 1200);
    assert_true(in_order < 20);
    assert_null(udp_open(s.stack, &(struct udp_options){0})); /* the table is full */
    one_stack_close(&s);
}

static void test_all_ephemeral_ports_can_be_had(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.stack.udp_sockets_max = 65536});
    size_t count = 0;
    while (udp_open(s.stack, &(struct udp_options){0}) != NULL && count < 40000)
        count += 1;
    assert_int_equal(count, UDP_EPHEMERAL_LAST - UDP_EPHEMERAL_FIRST + 1);
    one_stack_close(&s);
}

static void test_one_interceptor(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct udp_options options = {.intercept = true};
    struct udp_socket *socket = udp_open(s.stack, &options);
    assert_non_null(socket);
    assert_null(udp_open(s.stack, &options));
    udp_close(socket);
    assert_non_null(udp_open(s.stack, &options));
    one_stack_close(&s);
}

static void test_the_queue_is_bounded_in_octets_of_storage(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct udp_socket *socket = udp_open(
        s.stack, &(struct udp_options){.local = {address_any_v4(), 7}, .queue_octets_max = 10000});
    struct endpoint from = endpoint_of(ADDRESS_PEER, 9);
    struct endpoint to = endpoint_of(ADDRESS_US, 7);
    for (uint8_t i = 0; i < 100; i++)
        one_stack_udp(&s, &from, &to, bytes_of(&i, 1));
    assert_int_equal(s.last_drop, DROP_UDP_QUEUE_FULL);
    struct frame_pool_counters frames;
    frame_pool_counters(s.frames, &frames);
    assert_true(frames.octets <= 10000);
    size_t queued = 100 - (size_t)stack_drops(s.stack, DROP_UDP_QUEUE_FULL);
    assert_true(queued > 30); /* small ones do not count as large ones */
    struct socket_event event;
    assert_true(stack_next_event(s.stack, &event));
    assert_ptr_equal(socket_udp(event.socket), socket);
    assert_false(stack_next_event(s.stack, &event)); /* told once */
    struct udp_datagram got;
    for (uint8_t i = 0; i < queued; i++) {
        assert_true(udp_receive(socket, &got));
        assert_int_equal(got.payload.data[0], i);
        frame_unref(got.frame);
    }
    assert_false(udp_receive(socket, &got));
    one_stack_udp(&s, &from, &to, bytes_of_text("x"));
    assert_true(stack_next_event(s.stack, &event));
    assert_true(udp_receive(socket, &got));
    frame_unref(got.frame);
    one_stack_close(&s);
}

static void test_closing_forgets_all(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct udp_socket *socket = open_at(&s, address_any_v4(), 7);
    struct endpoint from = endpoint_of(ADDRESS_PEER, 9);
    struct endpoint to = endpoint_of(ADDRESS_US, 7);
    one_stack_udp(&s, &from, &to, bytes_of_text("x"));
    udp_close(socket);
    struct socket_event event;
    assert_false(stack_next_event(s.stack, &event));
    struct frame_pool_counters frames;
    frame_pool_counters(s.frames, &frames);
    assert_int_equal(frames.frames, 0);
    one_stack_close(&s);
}

static void test_no_memory_at_any_point(void **state)
{
    (void)state;
    for (size_t after = 1; after < 8; after++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        s.counts.fail_at = s.counts.allocations + after;
        struct udp_socket *socket = open_at(&s, address_any_v4(), 7);
        if (socket != NULL)
            assert_true(after > 3);
        s.counts.fail_at = 0;
        assert_non_null(open_at(&s, ADDRESS_US, 8));
        one_stack_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_may_have_a_port),
        cmocka_unit_test(test_ephemeral_ports),
        cmocka_unit_test(test_all_ephemeral_ports_can_be_had),
        cmocka_unit_test(test_one_interceptor),
        cmocka_unit_test(test_the_queue_is_bounded_in_octets_of_storage),
        cmocka_unit_test(test_closing_forgets_all),
        cmocka_unit_test(test_no_memory_at_any_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
