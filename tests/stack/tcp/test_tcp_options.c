/* SPDX-License-Identifier: ISC */
/* test_tcp_options.c - wishes change the connection that wished, and nobody else. */
#include "stack/tcp/internal.h"
#include "tests/support/one_stack.h"

static struct tcp_connection *opening(struct one_stack *s)
{
    struct tcp_connect_options options = {.remote = {ADDRESS_PEER, 80},
                                          .local = {address_any_v4(), 0}};
    struct tcp_connection *c = tcp_connect(s->stack, &options);
    assert_non_null(c);
    return c;
}

static void every_option_is_kept_and_the_neighbour_left_alone(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_connection *a = opening(&s);
    struct tcp_connection *b = opening(&s);
    for (unsigned option = 0; option < TCP_OPTION_COUNT; option++) {
        uint64_t before = tcp_get_option(b, option);
        uint64_t other = 0;
        /* A value that it takes and that is not the one it has. */
        for (uint64_t value = 1; other == 0 && value < UINT64_C(1) << 40; value *= 2)
            if (value != before && tcp_set_option(a, option, value) == TCP_OPTION_SET)
                other = value;
        if (other == 0) { /* a switch that is on */
            assert_int_equal(before, 1);
            assert_int_equal(tcp_set_option(a, option, 0), TCP_OPTION_SET);
        }
        assert_int_equal(tcp_get_option(a, option), other);
        assert_int_equal(tcp_get_option(b, option), before);
    }
    one_stack_close(&s); /* the copy goes with its connection */
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_connection *c = opening(&s);
    assert_int_equal(tcp_set_option(c, TCP_OPTION_NODELAY, 2), TCP_OPTION_RANGE);
    assert_int_equal(tcp_set_option(c, TCP_OPTION_RECEIVE_BUFFER, 1), TCP_OPTION_RANGE);
    assert_int_equal(tcp_set_option(c, TCP_OPTION_KEEPALIVE_PROBES, 0), TCP_OPTION_RANGE);
    assert_int_equal(tcp_get_option(c, TCP_OPTION_KEEPALIVE_PROBES), 9);
    one_stack_close(&s);
}

static void common_wishes_cost_no_copy(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_connection *c = opening(&s);
    size_t before = s.counts.octets;
    assert_int_equal(tcp_set_option(c, TCP_OPTION_NODELAY, 1), TCP_OPTION_SET);
    assert_int_equal(tcp_set_option(c, TCP_OPTION_KEEPALIVE, 1), TCP_OPTION_SET);
    assert_int_equal(tcp_set_option(c, TCP_OPTION_SEND_BUFFER, 5000), TCP_OPTION_SET);
    assert_int_equal(s.counts.octets, before);
    assert_int_equal(tcp_set_option(c, TCP_OPTION_TTL, 9), TCP_OPTION_SET);
    assert_true(s.counts.octets > before);
    one_stack_close(&s);
}

static void profiles_are_found_by_name(void **state)
{
    (void)state;
    unsigned place = 0;
    unsigned count = 0;
    const char *name;
    while ((name = tcp_profile_each(&place)) != NULL) {
        const struct tcp_profile *profile = tcp_profile_find(name);
        assert_non_null(profile);
        assert_string_equal(profile->name, name);
        assert_true(profile->rto_min <= profile->rto_initial);
        assert_true(profile->rto_initial <= profile->rto_max);
        assert_in_range(profile->delayed_ack, 1, 500 * USEC_PER_MSEC); /* RFC 9293 §3.8.6.3 */
        count++;
    }
    assert_int_equal(count, 4);
    assert_null(tcp_profile_find("windows"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_is_kept_and_the_neighbour_left_alone),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(common_wishes_cost_no_copy),
        cmocka_unit_test(profiles_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
