/* SPDX-License-Identifier: ISC */
/* test_tcp_destination.c - what is remembered of other hosts, how much of it, and for how long. */
#include "stack/tcp/internal.h"
#include "tests/support/one_stack.h"

static struct tcp_connection *connection_to(struct one_stack *s, uint32_t address, uint16_t port)
{
    struct endpoint local = {ADDRESS_US, port};
    struct endpoint remote = {address_v4(address), 80};
    struct tcp_connection *c = tcp_connection_new(s->stack, &local, &remote);
    assert_non_null(c);
    return c;
}

static void the_one_used_longest_ago_goes(void **state UNUSED)
{
    struct one_stack s;
    one_stack_open(&s, NULL);
    for (uint32_t i = 0; i < TCP_DESTINATIONS_MAX + 10; i++) {
        struct tcp_connection *c = connection_to(&s, 0x0b000000 + i, 1000);
        struct tcp_destination *d = tcp_destination_of(c);
        assert_non_null(d);
        d->mss = (uint16_t)i;
        tcp_connection_free(c);
        if (i >= 1) { /* the first one is used all the time */
            c = connection_to(&s, 0x0b000000, 1000);
            assert_int_equal(tcp_destination_of(c)->mss, 0);
            tcp_connection_free(c);
        }
    }
    assert_int_equal(s.stack->tcp->destinations.count, TCP_DESTINATIONS_MAX);
    struct ip_address us = ADDRESS_US;
    for (uint32_t i = 0; i < TCP_DESTINATIONS_MAX + 10; i++) {
        struct ip_address remote = address_v4(0x0b000000 + i);
        struct tcp_destination *d = tcp_destination_find(s.stack, &us, &remote);
        assert_int_equal(d != NULL, i == 0 || i > 10);
        assert_true(d == NULL || d->mss == i);
    }
    tcp_forget_destinations(s.stack);
    assert_int_equal(s.stack->tcp->destinations.count, 0);
    one_stack_close(&s);
}

static void no_memory_is_nothing_remembered(void **state UNUSED)
{
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_connection *c = connection_to(&s, 0x0b000000, 1000);
    for (unsigned i = 1; i <= 2; i++) { /* the entry, its place */
        s.counts.fail_at = s.counts.allocations + i;
        assert_null(tcp_destination_of(c));
    }
    s.counts.fail_at = 0;
    assert_non_null(tcp_destination_of(c));
    tcp_connection_free(c);
    one_stack_close(&s);
}

/* RFC 9040: the first timeout is by what is known of the way, where that is longer. */
static void round_trips_are_recalled(void **state UNUSED)
{
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_connection *c = connection_to(&s, 0x0b000000, 1000);
    tcp_destination_store(c);
    assert_int_equal(s.stack->tcp->destinations.count, 0); /* there was nothing to learn */
    c->srtt = 800000 * 8;
    c->rttvar = 300000;
    tcp_destination_store(c);
    c->srtt = 400000 * 8; /* better: a quarter of it is believed */
    c->rttvar = 300000;
    tcp_destination_store(c);
    tcp_connection_free(c);
    c = connection_to(&s, 0x0b000000, 1001);
    c->srtt = 1000 * 8;
    tcp_destination_recall(c);
    assert_int_equal(c->rto, 700000 + 300000);
    c->rto = 5;
    c->srtt = 900000 * 8; /* it is worse already */
    tcp_destination_recall(c);
    assert_int_equal(c->rto, 5);
    tcp_connection_free(c);
    one_stack_close(&s);
}

static void what_the_profile_does_not_want_is_not(void **state UNUSED)
{
    struct one_stack s;
    struct tcp_profile profile = tcp_profile_default;
    struct one_stack_options options = {.stack = {.tcp_profile = &profile}};
    profile.remember = 0;
    one_stack_open(&s, &options);
    struct tcp_connection *c = connection_to(&s, 0x0b000000, 1000);
    c->srtt = 800000 * 8;
    c->path_mtu = 600;
    tcp_destination_store(c);
    assert_int_equal(s.stack->tcp->destinations.count, 0);
    s.stack->tcp->profile.remember = TCP_REMEMBER_SSTHRESH | TCP_REMEMBER_PATH_MTU;
    c->ssthresh = 5000;
    tcp_destination_store(c);
    tcp_connection_free(c);
    c = connection_to(&s, 0x0b000000, 1001);
    tcp_destination_recall_path(c);
    tcp_destination_recall(c);
    assert_int_equal(c->path_mtu, 600);
    assert_int_equal(c->ssthresh, 5000);
    assert_int_equal(c->rto, profile.rto_initial);
    tcp_connection_free(c);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_used_longest_ago_goes),
        cmocka_unit_test(no_memory_is_nothing_remembered),
        cmocka_unit_test(round_trips_are_recalled),
        cmocka_unit_test(what_the_profile_does_not_want_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
