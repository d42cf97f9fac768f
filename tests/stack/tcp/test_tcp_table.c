/* SPDX-License-Identifier: ISC */
/* test_tcp_table.c - who is found by which address, and numbers that cannot be guessed. */
#include "stack/tcp/internal.h"
#include "tests/support/one_stack.h"

static struct endpoint at(uint32_t address, uint16_t port)
{
    return (struct endpoint){address_v4(address), port};
}

static struct tcp_listener *listen_at(struct one_stack *s, struct endpoint local)
{
    struct tcp_listen_options options = {.local = local};
    return tcp_listen(s->stack, &options);
}

/* RFC 9293 MUST-41 */
static void the_nearest_listener_is_found(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct endpoint any = {address_any_v4(), 80};
    struct endpoint ours = at(0x0a000001, 80);
    struct endpoint other = at(0x0a000009, 80);
    struct tcp_listener *wide = listen_at(&s, any);
    struct tcp_listener *narrow = listen_at(&s, ours);
    assert_non_null(wide);
    assert_non_null(narrow);
    assert_null(listen_at(&s, any));
    assert_null(listen_at(&s, ours));
    struct tcp_listener *somewhere = listen_at(&s, at(0x0a000001, 0));
    assert_non_null(somewhere);
    assert_ptr_equal(tcp_find_listener(s.stack, tcp_listener_local(somewhere), 0, false), somewhere);
    assert_true(tcp_listener_local(somewhere)->port >= 49152);
    assert_ptr_equal(tcp_find_listener(s.stack, &ours, 0, false), narrow);
    assert_ptr_equal(tcp_find_listener(s.stack, &other, 0, false), wide);
    assert_null(tcp_find_listener(s.stack, &other, 0, true));
    ours.port = 81;
    assert_null(tcp_find_listener(s.stack, &ours, 0, false));

    struct tcp_listen_options intercept = {.intercept = true};
    struct tcp_listener *interceptor = tcp_listen(s.stack, &intercept);
    assert_non_null(interceptor);
    assert_null(tcp_listen(s.stack, &intercept));
    assert_ptr_equal(tcp_find_listener(s.stack, &ours, 0, true), interceptor);
    tcp_listener_close(interceptor);
    tcp_listener_close(narrow);
    ours.port = 80;
    assert_ptr_equal(tcp_find_listener(s.stack, &ours, 0, false), wide);
    one_stack_close(&s); /* with a listener open */
}

static void connections_are_told_apart_by_both_ends(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_connection *made[64];
    for (uint16_t i = 0; i < 64; i++) {
        struct endpoint local = at(0x0a000001 + i % 2, (uint16_t)(80 + i / 2 % 4));
        struct endpoint remote = at(0x0a000002, (uint16_t)(1000 + i / 8));
        made[i] = tcp_connection_new(s.stack, &local, &remote);
        assert_non_null(made[i]);
    }
    for (uint16_t i = 0; i < 64; i++) {
        assert_ptr_equal(tcp_find(s.stack, &made[i]->local, &made[i]->remote), made[i]);
        assert_null(tcp_find(s.stack, &made[i]->remote, &made[i]->local));
    }
    size_t place = 0;
    size_t count = 0;
    while (tcp_each(s.stack, &place) != NULL)
        count++;
    assert_int_equal(count, 64);
    for (uint16_t i = 0; i < 64; i++) { /* one that is gone is not found, though it was just before */
        struct endpoint local = made[i]->local;
        struct endpoint remote = made[i]->remote;
        assert_ptr_equal(tcp_find(s.stack, &local, &remote), made[i]);
        tcp_connection_free(made[i]);
        assert_null(tcp_find(s.stack, &local, &remote));
    }
    one_stack_close(&s);
}

/* RFC 6528 §3: monotonic for the same ends, unrelated for others. RFC 9293 MUST-8, SHLD-1. */
static void isns_count_with_time(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct endpoint local = at(0x0a000001, 80);
    struct endpoint remote = at(0x0a000002, 1000);
    uint32_t offset;
    uint32_t offset_later;
    struct seq first = tcp_initial_sequence(s.stack, &local, &remote, &offset);
    one_stack_wait(&s, USEC_PER_SEC);
    struct seq later = tcp_initial_sequence(s.stack, &local, &remote, &offset_later);
    assert_int_equal(seq_diff(later, first), 250000);
    assert_int_equal(offset, offset_later);
    remote.port++;
    struct seq other = tcp_initial_sequence(s.stack, &local, &remote, &offset_later);
    assert_true(seq_diff(other, later) > 1000 || seq_diff(other, later) < -1000);
    assert_true(offset != offset_later);
    one_stack_close(&s);
}

/* RFC 9293 MUST-9: what one host shows of its numbers tells nothing of another's secret. */
static void isns_of_another_secret_are_others(void **state)
{
    (void)state;
    struct one_stack s[2];
    struct one_stack_options options = {0};
    struct endpoint local = at(0x0a000001, 80);
    uint32_t distance[8];
    for (size_t i = 0; i < 2; i++) {
        options.stack.seed[0] = (uint8_t)(i + 1);
        one_stack_open(&s[i], &options);
    }
    /* Were F known, the difference between two hosts at one instant would be the same for all. */
    for (uint16_t i = 0; i < ARRAY_LEN(distance); i++) {
        struct endpoint remote = at(0x0a000002, (uint16_t)(1000 + i));
        uint32_t offset;
        struct seq one = tcp_initial_sequence(s[0].stack, &local, &remote, &offset);
        struct seq two = tcp_initial_sequence(s[1].stack, &local, &remote, &offset);
        distance[i] = one.n - two.n;
        for (uint16_t k = 0; k < i; k++)
            assert_true(distance[k] != distance[i]);
    }
    one_stack_close(&s[0]);
    one_stack_close(&s[1]);
}

/* RFC 6056: from the ephemeral range, never one in use, not counting up for all to see. */
static void ports_are_spread_and_free(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    static bool seen[65536];
    memset(seen, 0, sizeof seen);
    for (unsigned i = 0; i < 200; i++) {
        struct tcp_connect_options options = {.remote = at(0x0a000002, 80),
                                              .local = {address_any_v4(), 0}};
        struct tcp_connection *c = tcp_connect(s.stack, &options);
        assert_non_null(c);
        uint16_t port = tcp_local(c)->port;
        assert_in_range(port, 16384, 65535);
        assert_false(seen[port]);
        seen[port] = true;
    }
    struct endpoint local = at(0x0a000001, 0);
    struct endpoint one = at(0x0a000002, 81);
    struct endpoint two = at(0x0a000002, 82);
    struct endpoint from_one = local;
    struct endpoint from_two = local;
    assert_true(tcp_choose_port(s.stack, &from_one, &one));
    assert_true(tcp_choose_port(s.stack, &from_two, &two));
    int apart = from_two.port - from_one.port;
    assert_true(apart > 8 || apart < -8);
    one_stack_close(&s);
}

static void the_table_is_bounded(void **state)
{
    (void)state;
    struct one_stack s;
    struct one_stack_options options = {.stack = {.tcp_connections_max = 3}};
    one_stack_open(&s, &options);
    struct tcp_connection *made[4] = {NULL};
    for (uint16_t i = 0; i < 4; i++) {
        struct endpoint local = at(0x0a000001, 80);
        struct endpoint remote = at(0x0a000002, (uint16_t)(1000 + i));
        made[i] = tcp_connection_new(s.stack, &local, &remote);
        assert_int_equal(made[i] != NULL, i < 3);
    }
    /* Those in TIME-WAIT make room, whether their owner still has them or not. */
    for (size_t i = 0; i < 2; i++) {
        made[i]->owned = i == 0;
        made[i]->state = TCP_FIN_WAIT_2;
        tcp_enter_time_wait(made[i]);
    }
    struct endpoint local = at(0x0a000001, 80);
    for (uint16_t i = 0; i < 3; i++) {
        struct endpoint remote = at(0x0a000002, (uint16_t)(2000 + i));
        assert_int_equal(tcp_connection_new(s.stack, &local, &remote) != NULL, i < 2);
    }
    assert_int_equal(tcp_state(made[0]), TCP_TIME_WAIT);
    assert_int_equal(s.stack->tcp->entries.time_wait, 2);
    tcp_close(made[0]);
    assert_int_equal(s.stack->tcp->entries.time_wait, 2);
    one_stack_close(&s);
}

static void no_memory_is_no_connection(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_connect_options options = {.remote = at(0x0a000002, 80),
                                          .local = {address_any_v4(), 0}};
    for (size_t i = 1; i < 3; i++) {
        s.counts.fail_at = s.counts.allocations + i;
        assert_true(tcp_connect(s.stack, &options) == NULL || i > 1);
    }
    s.counts.fail_at = s.counts.allocations + 1;
    struct tcp_listen_options listen = {.local = {address_any_v4(), 80}};
    assert_null(tcp_listen(s.stack, &listen));
    s.counts.fail_at = 0;
    assert_non_null(tcp_connect(s.stack, &options));
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_listener_is_found),
        cmocka_unit_test(connections_are_told_apart_by_both_ends),
        cmocka_unit_test(isns_count_with_time),
        cmocka_unit_test(isns_of_another_secret_are_others),
        cmocka_unit_test(ports_are_spread_and_free),
        cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(no_memory_is_no_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
