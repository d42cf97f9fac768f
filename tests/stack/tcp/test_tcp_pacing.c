/* SPDX-License-Identifier: ISC */
/* test_tcp_pacing.c - what is paced leaves at the rate, in bursts of its size, and not all at once. */
#include "tests/support/tcp_path.h"

#define MSEC(n) ((n)*USEC_PER_MSEC)

/* Octets of a second at `rate` octets a second over a path that has no limit of its own. */
static uint64_t carried(uint64_t rate, usec rtt, bool tso)
{
    struct tcp_path_options options = {.profile = tcp_profile_default, .rtt = rtt, .tso = tso};
    options.profile.pacing_rate_max = rate;
    struct tcp_test_path p;
    tcp_path_open(&p, &options);
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, UINT32_MAX);
    tcp_path_run(&p, USEC_PER_SEC);
    uint64_t before = flow->received;
    tcp_path_run(&p, USEC_PER_SEC);
    struct tcp_info info;
    tcp_info(flow->sender, &info);
    assert_int_equal(info.limit, TCP_LIMIT_PACING);
    uint64_t len = flow->received - before;
    tcp_path_close(&p);
    return len;
}

static void the_rate_is_kept(void **state)
{
    (void)state;
    static const uint64_t rates[] = {10000, 100000, 1000000, 10000000, 100000000};
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        for (unsigned tso = 0; tso < 2; tso++) {
            uint64_t slack = rates[i] / 50 + 3000; /* a burst at either end */
            assert_in_range(carried(rates[i], MSEC(2), tso != 0),
                            rates[i] > slack ? rates[i] - slack : 0, rates[i] + slack);
        }
    }
}

/* Messages far apart: each may leave at once, but none sooner than the one before allows. */
static void messages_are_paced_too(void **state)
{
    (void)state;
    struct tcp_path_options options = {.profile = tcp_profile_default, .rtt = MSEC(1)};
    options.profile.pacing_rate_max = 100000;
    struct tcp_test_path p;
    tcp_path_open(&p, &options);
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, 0);
    tcp_path_run(&p, MSEC(100));
    for (unsigned i = 0; i < 20; i++) {
        tcp_path_send(&p, flow, 1000); /* 10 ms each, and one every 5 ms */
        tcp_path_run(&p, MSEC(5));
    }
    assert_in_range(flow->received, 9000, 13000); /* a burst more */
    tcp_path_run(&p, MSEC(150));
    assert_int_equal(flow->received, 20000);
    assert_true(flow->sender->sending == tcp_sending_none());
    usec before = world_now(p.world);
    tcp_path_send(&p, flow, 1000);
    (void)tcp_path_finish(&p, MSEC(100));
    assert_in_range(world_now(p.world) - before, 0, MSEC(1));
    tcp_path_close(&p);
}

/* 1000 octets a second: 1.4 s between segments. No timer may take that for trouble. */
static void a_very_slow_rate_lives(void **state)
{
    (void)state;
    struct tcp_path_options options = {.profile = tcp_profile_default, .rtt = MSEC(10)};
    options.profile.pacing_rate_max = 1000;
    struct tcp_test_path p;
    tcp_path_open(&p, &options);
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, 100000);
    tcp_path_run(&p, 60 * USEC_PER_SEC);
    assert_in_range(flow->received, 58000, 62000);
    struct tcp_info info;
    tcp_info(flow->sender, &info);
    assert_int_equal(info.timeouts, 0);
    assert_int_equal(info.retries, 0);
    tcp_abort(flow->sender); /* and its timer goes with it */
    tcp_path_close(&p);
}

/* A queue of 20 frames, a window of 160: unpaced slow start overruns it. */
static unsigned again(bool pacing)
{
    struct tcp_path_options options = {
        .profile = tcp_profile_default, .rate = 20000000, .rtt = MSEC(100), .queue = 20};
    options.profile.pacing = pacing;
    struct tcp_test_path p;
    tcp_path_open(&p, &options);
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_NEWRENO, 200000);
    (void)tcp_path_finish(&p, 10 * USEC_PER_SEC);
    struct tcp_info info;
    tcp_info(flow->sender, &info);
    assert_int_equal(flow->received, 200000);
    tcp_path_close(&p);
    return info.retransmits;
}

static void a_short_queue_is_not_overrun(void **state)
{
    (void)state;
    assert_true(again(false) > 10);
    assert_int_equal(again(true), 0);
}

static void bursts_have_the_size_of_a_millisecond(void **state)
{
    (void)state;
    static const struct {
        uint64_t rate;
        uint32_t burst;
    } cases[] = {
        {1000, 1448},          /* one segment will do */
        {200000, 2 * 1448},    /* two at least */
        {10000000, 6 * 1448},  /* 10000 octets, in whole segments */
        {100000000, 45 * 1448}, /* never beyond a super-segment */
    };
    struct tcp_path_options options = {.profile = tcp_profile_default};
    struct tcp_test_path p;
    tcp_path_open(&p, &options);
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_NEWRENO, 1000);
    tcp_path_run(&p, MSEC(10));
    assert_int_equal(flow->sender->mss, 1448);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(
            tcp_set_option(flow->sender, TCP_OPTION_PACING_RATE_MAX, cases[i].rate),
            TCP_OPTION_SET);
        assert_int_equal(tcp_pacing_burst(flow->sender), cases[i].burst);
    }
    tcp_path_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_is_kept),
        cmocka_unit_test(messages_are_paced_too),
        cmocka_unit_test(a_very_slow_rate_lives),
        cmocka_unit_test(a_short_queue_is_not_overrun),
        cmocka_unit_test(bursts_have_the_size_of_a_millisecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
