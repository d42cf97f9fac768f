/* SPDX-License-Identifier: ISC */
/* test_tcp_rate.c - samples of the delivery rate are the path's rate, however it is measured. */
#include "tests/support/tcp_path.h"

#define MSEC(n) ((n)*USEC_PER_MSEC)

/* 1448 octets of text in a frame of 1514. */
static uint64_t text_rate(uint64_t bits)
{
    return bits / 8 * 1448 / 1514;
}

static void a_full_path_delivers_at_its_rate(void **state)
{
    (void)state;
    static const uint64_t rates[] = {1000000, 10000000, 100000000};
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        for (uint32_t loss = 0; loss <= 10000; loss += 10000) {
            struct tcp_path_options options = {.profile = tcp_profile_default, .rate = rates[i],
                                               .rtt = MSEC(20), .queue = 200, .loss = loss};
            struct tcp_test_path p;
            tcp_path_open(&p, &options);
            struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, UINT32_MAX);
            tcp_path_run(&p, 2 * USEC_PER_SEC);
            uint64_t most = text_rate(rates[i]);
            const struct tcp_rate *rate = &flow->sender->sending->rate;
            assert_true(rate->last <= most + most / 50);
            if (loss == 0) /* with loss the window does not fill the path */
                assert_true(rate->last >= most - most / 50);
            tcp_path_close(&p);
        }
    }
}

/* Super-segments are acknowledged in one: a window within a round trip is all that can be said. */
static void a_burst_is_no_rate(void **state)
{
    (void)state;
    struct tcp_path_options options = {
        .profile = tcp_profile_default, .rtt = MSEC(50), .tso = true};
    struct tcp_test_path p;
    tcp_path_open(&p, &options);
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, 0);
    tcp_path_run(&p, MSEC(100));
    tcp_path_send(&p, flow, 100000);
    tcp_path_run(&p, MSEC(60)); /* the first ten segments */
    uint64_t window = 10 * 1448;
    assert_in_range(flow->sender->sending->rate.last, window * 19, window * 20);
    tcp_path_close(&p);
}

/* An application that gives little shows less than the path can do, and the sample says so. */
static void want_of_text_is_told(void **state)
{
    (void)state;
    struct tcp_path_options options = {
        .profile = tcp_profile_default, .rate = 10000000, .rtt = MSEC(20)};
    struct tcp_test_path p;
    tcp_path_open(&p, &options);
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, 0);
    tcp_path_run(&p, MSEC(100));
    for (unsigned i = 0; i < 50; i++) {
        tcp_path_send(&p, flow, 1448);
        tcp_path_run(&p, MSEC(5));
    }
    const struct tcp_rate *rate = &flow->sender->sending->rate;
    assert_true(rate->last_app_limited);
    assert_in_range(rate->last, 1448 * 150, 1448 * 210); /* one each 5 ms */

    tcp_path_send(&p, flow, 10000000); /* and that goes away when there is enough */
    tcp_path_run(&p, USEC_PER_SEC);
    rate = &flow->sender->sending->rate;
    assert_false(rate->last_app_limited);
    assert_in_range(rate->last, text_rate(9800000), text_rate(10200000));
    tcp_path_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_path_delivers_at_its_rate),
        cmocka_unit_test(a_burst_is_no_rate),
        cmocka_unit_test(want_of_text_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
