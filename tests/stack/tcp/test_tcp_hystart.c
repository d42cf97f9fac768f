/* SPDX-License-Identifier: ISC */
/* test_tcp_hystart.c - HyStart++ by RFC 9406 §4.2, round by round. */
#include "tests/support/check.h"
#include "tests/support/tcp_window.h"

#define MSEC(n) ((n)*USEC_PER_MSEC)

static struct tcp_window w;

static void open_window(void)
{
    tcp_window_open(&w, TCP_CONGESTION_CUBIC, 10);
}

/* The growth in a round, in percent. */
static unsigned growth(usec rtt)
{
    uint32_t before = w.c->cwnd;
    tcp_window_round(&w, rtt);
    return (unsigned)((uint64_t)(w.c->cwnd - before) * 100 / before);
}

static void a_steady_round_trip_doubles_the_window(void **state)
{
    (void)state;
    open_window();
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(growth(MSEC(50)), 100);
    assert_int_equal(w.c->ssthresh, TCP_CWND_MAX);
    tcp_window_close(&w);
}

/* 50 ms / 8 is 6.25 ms. The eighth sample of the round tells; from then on a quarter. */
static void a_longer_round_trip_slows_growth_and_then_ends_it(void **state)
{
    (void)state;
    open_window();
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(growth(MSEC(50)), 100);
    assert_int_equal(growth(MSEC(56)), 100); /* not enough longer */
    tcp_window_round(&w, MSEC(56));
    unsigned first = growth(MSEC(64));
    assert_in_range(first, 25, 30);
    for (unsigned i = 0; i < 3; i++) {
        assert_in_range(growth(MSEC(64)), 24, 25);
        assert_int_equal(w.c->ssthresh, TCP_CWND_MAX);
    }
    (void)growth(MSEC(64)); /* the fifth of CSS */
    tcp_window_ack(&w, WINDOW_MSS, MSEC(64), 0);
    assert_in_range(w.c->ssthresh, w.c->cwnd - 2 * WINDOW_MSS, w.c->cwnd);
    assert_in_range(growth(MSEC(64)), 0, 3);
    tcp_window_close(&w);
}

static void jitter_is_forgiven(void **state)
{
    (void)state;
    open_window();
    for (unsigned i = 0; i < 5; i++)
        (void)growth(MSEC(50));
    assert_in_range(growth(MSEC(64)), 25, 40);
    assert_in_range(growth(MSEC(55)), 90, 100); /* below what began CSS */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(growth(MSEC(55)), 100);
    assert_int_equal(w.c->ssthresh, TCP_CWND_MAX);
    tcp_window_close(&w);
}

static void the_threshold_has_bounds(void **state)
{
    (void)state;
    static const struct {
        usec before, quiet, slows;
    } cases[] = {
        {MSEC(1), MSEC(4), MSEC(5)},       /* at least 4 ms */
        {MSEC(400), MSEC(415), MSEC(416)}, /* at most 16 ms */
        {MSEC(80), MSEC(89), MSEC(90)},    /* an eighth */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        open_window();
        for (unsigned round = 0; round < 4; round++)
            (void)growth(cases[i].before);
        (void)growth(cases[i].quiet);
        assert_false(w.c->sending->hystart.conservative);
        tcp_window_close(&w);

        open_window();
        for (unsigned round = 0; round < 4; round++)
            (void)growth(cases[i].before);
        (void)growth(cases[i].slows);
        assert_true(w.c->sending->hystart.conservative);
        tcp_window_close(&w);
    }
}

static void seven_samples_are_not_enough(void **state)
{
    (void)state;
    open_window();
    for (unsigned i = 0; i < 3; i++)
        (void)growth(MSEC(50));
    tcp_window_ack(&w, WINDOW_MSS, MSEC(50), MSEC(1)); /* the last one of the round before */
    for (unsigned i = 0; i < 7; i++)
        tcp_window_ack(&w, WINDOW_MSS, MSEC(90), MSEC(1));
    assert_false(w.c->sending->hystart.conservative);
    tcp_window_ack(&w, WINDOW_MSS, -1, MSEC(1)); /* of something sent twice */
    assert_false(w.c->sending->hystart.conservative);
    tcp_window_ack(&w, WINDOW_MSS, MSEC(90), MSEC(1));
    assert_true(w.c->sending->hystart.conservative);
    tcp_window_close(&w);
}

/* §4.1: only while ssthresh is not known. */
static void later_slow_starts_go_without(void **state)
{
    (void)state;
    open_window();
    w.c->ssthresh = 1000 * WINDOW_MSS;
    for (unsigned i = 0; i < 3; i++)
        (void)growth(MSEC(50));
    assert_int_equal(growth(MSEC(100)), 100);
    tcp_window_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_round_trip_doubles_the_window),
        cmocka_unit_test(a_longer_round_trip_slows_growth_and_then_ends_it),
        cmocka_unit_test(jitter_is_forgiven),
        cmocka_unit_test(the_threshold_has_bounds),
        cmocka_unit_test(seven_samples_are_not_enough),
        cmocka_unit_test(later_slow_starts_go_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
