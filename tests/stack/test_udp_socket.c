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

static struct udp_socket *open_shared(struct one_stack *s, bool address, bool port,
                                      enum socket_refusal *why)
{
    return udp_open(s->stack, &(struct udp_options){.local = {address_any_v4(), 53},
                                                    .share_address = address,
                                                    .share_port = port,
                                                    .why = why});
}

static void test_who_may_share_a_port(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 16; mode++) {
        struct one_stack s;
        bool address[2] = {mode & 1, mode & 2};
        bool port[2] = {mode & 4, mode & 8};
        enum socket_refusal why = SOCKET_NO_ROUTE;
        one_stack_open(&s, NULL);
        assert_non_null(open_shared(&s, address[0], port[0], &why));
        struct udp_socket *second = open_shared(&s, address[1], port[1], &why);
        bool may = (address[0] && address[1]) || (port[0] && port[1]);
        assert_int_equal(second != NULL, may);
        assert_true(may || why == SOCKET_IN_USE);
        if (may) {
            udp_set_sharing(second, false, false);
            assert_null(open_shared(&s, true, true, &why));
        }
        one_stack_close(&s);
    }
}

static unsigned count_of(struct udp_socket *socket)
{
    struct udp_datagram got;
    unsigned count = 0;
    for (; udp_receive(socket, &got); count++)
        frame_unref(got.frame);
    return count;
}

static void send_from(struct one_stack *s, uint16_t first, uint16_t count)
{
    struct endpoint to = endpoint_of(ADDRESS_US, 53);
    for (uint16_t i = 0; i < count; i++) {
        struct endpoint from = endpoint_of(ADDRESS_PEER, (uint16_t)(first + i));
        one_stack_udp(s, &from, &to, bytes_of_text("x"));
    }
}

static void test_datagrams_are_spread(void **state)
{
    (void)state;
    enum { COUNT = 4, SENDERS = 400 };
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct udp_socket *sockets[COUNT];
    unsigned first[COUNT];
    for (unsigned i = 0; i < COUNT; i++)
        sockets[i] = open_shared(&s, false, true, NULL);
    for (unsigned round = 0; round < 2; round++) {
        unsigned all = 0;
        send_from(&s, 1000, SENDERS);
        for (unsigned i = 0; i < COUNT; i++) {
            unsigned part = count_of(sockets[i]);
            assert_in_range(part, SENDERS / COUNT / 2, 3 * SENDERS / COUNT / 2);
            assert_true(round == 0 || part == first[i]); /* a sender's always come to the same */
            first[i] = part;
            all += part;
        }
        assert_int_equal(all, SENDERS);
    }
    /* Who is connected has its peer's, and no part of the others'. */
    struct endpoint peer = endpoint_of(ADDRESS_PEER, 1000);
    udp_connect(sockets[0], &peer, NULL);
    send_from(&s, 1000, SENDERS);
    assert_int_equal(count_of(sockets[0]), 1);
    for (unsigned i = 1; i < COUNT; i++)
        (void)count_of(sockets[i]);
    udp_close(sockets[0]);
    udp_close(sockets[1]);
    send_from(&s, 1000, SENDERS);
    assert_int_equal(count_of(sockets[2]) + count_of(sockets[3]), SENDERS);
    one_stack_close(&s);
}

/* The socket bound to the address goes before all others, and of equals the newest has it. */
static void test_the_nearest_and_newest(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct udp_socket *wide[2] = {open_shared(&s, true, false, NULL),
                                  open_shared(&s, true, false, NULL)};
    send_from(&s, 1000, 10);
    assert_int_equal(count_of(wide[0]), 0);
    assert_int_equal(count_of(wide[1]), 10);
    struct udp_socket *near = open_at(&s, ADDRESS_US, 53);
    assert_non_null(near);
    struct endpoint peer = endpoint_of(ADDRESS_PEER, 1000);
    udp_connect(wide[0], &peer, NULL);
    send_from(&s, 1000, 10);
    assert_int_equal(count_of(near), 10);
    /* Connected from our address it is as near, and its peer's is nearer. */
    struct ip_address us = ADDRESS_US;
    udp_connect(wide[0], &peer, &us);
    send_from(&s, 1000, 10);
    assert_int_equal(count_of(wide[0]), 1);
    assert_int_equal(count_of(near), 9);
    /* One that is connected to somebody else is out of it, and others are asked. */
    udp_connect(near, &peer, NULL);
    udp_connect(wide[0], NULL, NULL);
    send_from(&s, 1000, 10);
    assert_int_equal(count_of(near), 1);
    assert_int_equal(count_of(wide[0]), 0);
    assert_int_equal(count_of(wide[1]), 9);
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
        enum socket_refusal why = SOCKET_IN_USE;
        struct udp_socket *socket =
            udp_open(s.stack, &(struct udp_options){.local = {address_any_v4(), 7}, .why = &why});
        assert_true(socket != NULL ? after > 3 : why == SOCKET_NO_MEMORY);
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
        cmocka_unit_test(test_who_may_share_a_port),
        cmocka_unit_test(test_datagrams_are_spread),
        cmocka_unit_test(test_the_nearest_and_newest),
        cmocka_unit_test(test_closing_forgets_all),
        cmocka_unit_test(test_no_memory_at_any_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
