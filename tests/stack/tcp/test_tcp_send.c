/* SPDX-License-Identifier: ISC */
/* test_tcp_send.c - the send queue as the application sees it, and the memory that it holds. */
#include "stack/tcp/internal.h"
#include "tests/support/one_stack.h"
#include "tests/support/tcp_check.h"

/* Not opened yet: all that is sent is queued. */
static struct tcp_connection *opening(struct one_stack *s)
{
    struct tcp_connect_options options = {.remote = {ADDRESS_PEER, 80},
                                          .local = {address_any_v4(), 0}};
    struct tcp_connection *c = tcp_connect(s->stack, &options);
    assert_non_null(c);
    return c;
}

static size_t held(const struct one_stack *s)
{
    struct frame_pool_counters frames;
    frame_pool_counters(s->frames, &frames);
    return frames.octets;
}

static void memory_follows_octets(void **state)
{
    (void)state;
    static const size_t lens[] = {1, 100, 513, 1460, 10000, 65536};
    for (size_t l = 0; l < ARRAY_LEN(lens); l++) {
        for (size_t way = 0; way < 2; way++) {
            struct one_stack s;
            one_stack_open(&s, NULL);
            struct tcp_connection *c = opening(&s);
            static const uint8_t zeros[65536];
            size_t before = held(&s);
            while (tcp_send_room(c) > 0) {
                struct bytes text = {zeros, lens[l]};
                if (way == 0) {
                    (void)tcp_send(c, text);
                    continue;
                }
                struct frame *frame = frame_new(s.frames, 65536);
                assert_non_null(frame);
                frame_append(frame, text);
                assert_true(tcp_send_frame(c, frame));
            }
            size_t queued = tcp_unacknowledged(c);
            assert_in_range(queued, TCP_SEND_FLOOR, TCP_SEND_FLOOR + 65536);
            assert_in_range(held(&s) - before, queued, 3 * queued);
            tcp_check_all(s.stack);
            one_stack_close(&s);
        }
    }
}

static void a_short_send_is_followed_by_writable(void **state)
{
    (void)state;
    struct one_stack s;
    struct one_stack_options options = {.stack = {.tcp_send_buffer = 3000}};
    one_stack_open(&s, &options);
    struct tcp_connection *c = opening(&s);
    static const uint8_t zeros[5000];
    assert_int_equal(tcp_send_room(c), 3000);
    assert_int_equal(tcp_send(c, bytes_of(zeros, 2000)), 2000);
    assert_int_equal(tcp_send_room(c), 1000);
    /* Any room is room for a whole frame. */
    struct frame *frame = frame_new(s.frames, 5000);
    frame_append(frame, bytes_of(zeros, 5000));
    assert_true(tcp_send_frame(c, frame));
    assert_int_equal(tcp_send_room(c), 0);
    frame = frame_new(s.frames, 10);
    frame_append(frame, bytes_of(zeros, 10));
    assert_false(tcp_send_frame(c, frame));
    frame_unref(frame);
    assert_true(c->send_full);
    /* Nothing after shutdown. */
    tcp_shutdown(c);
    assert_int_equal(tcp_set_option(c, TCP_OPTION_SEND_BUFFER, 100000), TCP_OPTION_SET);
    assert_int_equal(tcp_send_room(c), 0);
    assert_int_equal(tcp_send(c, bytes_of(zeros, 1)), 0);
    one_stack_close(&s);
}

static void no_memory_takes_nothing_or_less(void **state)
{
    (void)state;
    for (size_t fail = 1; fail < 12; fail++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        struct tcp_connection *c = opening(&s);
        static uint8_t text[60000];
        s.counts.fail_at = s.counts.allocations + fail;
        size_t taken = tcp_send(c, bytes_of(text, sizeof text));
        assert_true(taken <= sizeof text);
        assert_int_equal(tcp_unacknowledged(c), taken);
        tcp_check_all(s.stack);
        s.counts.fail_at = 0;
        one_stack_close(&s);
    }
}

static struct tcp_connection *opened(struct one_stack *s, uint16_t port)
{
    struct endpoint us = {ADDRESS_US, 80};
    struct endpoint peer = {ADDRESS_PEER, port};
    struct tcp_connection *c = tcp_connection_new(s->stack, &us, &peer);
    assert_non_null(c);
    tcp_set_state(c, TCP_SYN_SENT);
    tcp_open_sending(c);
    c->peer_mss = 1000;
    c->snd_wnd = TCP_TURN_OCTETS * 4;
    tcp_established(c);
    c->cwnd = TCP_TURN_OCTETS * 4;
    return c;
}

/* What was queued together is sent together, as far as a turn goes, and then it is the other's. */
static void connections_take_turns_of_some_length(void **state)
{
    (void)state;
    static const uint8_t zeros[TCP_TURN_OCTETS * 2];
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_connection *c[2] = {opened(&s, 1), opened(&s, 2)};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(tcp_send(c[i], bytes_of(zeros, sizeof zeros)), sizeof zeros);
    unsigned turn = TCP_TURN_OCTETS / 1000;
    for (unsigned i = 0; i < 4 * turn; i++) {
        (void)one_stack_next_ip(&s, 0);
        uint8_t port = s.out[ETHERNET_HEADER_LEN + IPV4_HEADER_LEN + 3];
        if (i / turn < 1) /* later ones begin where a batch of the interface ends */
            assert_int_equal(port, 1);
        if (i == turn)
            assert_int_equal(port, 2);
    }
    for (size_t i = 0; i < 2; i++)
        tcp_connection_free(c[i]);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_follows_octets),
        cmocka_unit_test(a_short_send_is_followed_by_writable),
        cmocka_unit_test(no_memory_takes_nothing_or_less),
        cmocka_unit_test(connections_take_turns_of_some_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
