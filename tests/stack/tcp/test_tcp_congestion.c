/* SPDX-License-Identifier: ISC */
/* test_tcp_congestion.c - what is the same for every algorithm: their names, and changing them. */
#include "stack/tcp/internal.h"
#include "tests/support/check.h"
#include "tests/support/one_stack.h"

static void algorithms_are_found_by_name(void **state)
{
    (void)state;
    unsigned place = 0;
    int kind = 0;
    const char *name;
    while ((name = tcp_congestion_each(&place)) != NULL) {
        assert_int_equal(tcp_congestion_find(name), kind);
        assert_string_equal(tcp_congestion_name((enum tcp_congestion_kind)kind), name);
        kind++;
    }
    assert_int_equal(kind, TCP_CONGESTION_COUNT);
    assert_int_equal(tcp_congestion_find("newreno"), TCP_CONGESTION_NEWRENO);
    assert_int_equal(tcp_congestion_find("westwood"), -1);
    assert_int_equal(tcp_congestion_find(""), -1);
}

static void a_connection_changes_its_algorithm_at_any_time(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_connect_options options = {.remote = {ADDRESS_PEER, 80}};
    struct tcp_connection *c = tcp_connect(s.stack, &options);
    assert_non_null(c);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned kind = 0; kind < TCP_CONGESTION_COUNT; kind++) {
            assert_int_equal(tcp_set_option(c, TCP_OPTION_CONGESTION, kind), TCP_OPTION_SET);
            assert_int_equal(tcp_get_option(c, TCP_OPTION_CONGESTION), kind);
            assert_string_equal(c->congestion->name, tcp_congestion_name(kind));
        }
    }
    assert_int_equal(tcp_set_option(c, TCP_OPTION_CONGESTION, TCP_CONGESTION_COUNT),
                     TCP_OPTION_RANGE);
    tcp_abort(c);
    one_stack_close(&s); /* and nothing is left of any of them */
}

static void a_listener_hands_its_choice_on(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct tcp_listen_options options = {.local = {address_any_v4(), 80}};
    struct tcp_listener *listener = tcp_listen(s.stack, &options);
    unsigned last = TCP_CONGESTION_COUNT - 1;
    assert_int_equal(tcp_listener_set_option(listener, TCP_OPTION_CONGESTION, last),
                     TCP_OPTION_SET);
    struct endpoint us = {ADDRESS_US, 80};
    struct endpoint peer = {ADDRESS_PEER, 1234};
    struct tcp_connection *c = tcp_connection_new(s.stack, &us, &peer);
    tcp_profile_release(c);
    tcp_profile_inherit(c, listener);
    assert_string_equal(c->congestion->name, tcp_congestion_name(last));
    tcp_connection_free(c);
    tcp_listener_close(listener);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(algorithms_are_found_by_name),
        cmocka_unit_test(a_connection_changes_its_algorithm_at_any_time),
        cmocka_unit_test(a_listener_hands_its_choice_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
