/* SPDX-License-Identifier: ISC */
/* test_tcp_cubic_path.c - what CUBIC (RFC 9438) with HyStart++ (RFC 9406) makes of a path. */
#include "tests/support/tcp_path.h"

#define MSEC(n) ((n)*USEC_PER_MSEC)
#define MBIT(n) ((n)*UINT64_C(1000000))

/* 1448 octets of text in a frame of 1514. */
static uint64_t text_rate(uint64_t bits)
{
    return bits / 8 * 1448 / 1514;
}

static void open_path(struct tcp_test_path *p, struct tcp_path_options options)
{
    options.profile = tcp_profile_default;
    options.profile.receive_buffer = options.profile.send_buffer = 32 * 1024 * 1024;
    tcp_path_open(p, &options);
}

static uint64_t received_in(struct tcp_test_path *p, const struct tcp_path_flow *flow,
                            usec duration)
{
    uint64_t before = flow->received;
    tcp_path_run(p, duration);
    return flow->received - before;
}

/* With 0.7 of the window and a queue of a quarter of a BDP hardly anything is lost of the rate. What SACK
 * has reported waits in the send queue for a hole to be mended; it must not keep the application from
 * giving more. */
static void a_short_queue_is_enough(void **state)
{
    (void)state;
    static const struct {
        uint64_t rate;
        usec rtt;
        uint32_t queue;
        unsigned percent;
    } cases[] = {
        {MBIT(100), MSEC(20), 41, 96},
        {MBIT(100), MSEC(100), 206, 94},
        {MBIT(500), MSEC(20), 206, 96},
        {MBIT(10), MSEC(100), 20, 88},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tcp_test_path p;
        open_path(&p, (struct tcp_path_options){.rate = cases[i].rate, .rtt = cases[i].rtt,
                                                .queue = cases[i].queue});
        struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, UINT64_MAX / 2);
        tcp_path_run(&p, 4 * USEC_PER_SEC);
        uint64_t got = received_in(&p, flow, 10 * USEC_PER_SEC) / 10;
        if (got < text_rate(cases[i].rate) / 100 * cases[i].percent)
            fail_msg("case %zu: %u %%", i, (unsigned)(got * 100 / text_rate(cases[i].rate)));
        assert_int_equal(flow->sender->timeouts, 0);
        tcp_path_close(&p);
    }
}

/* RFC 9406: the first slow start ends by the round trip, before a long queue overflows; without, it ends
 * by loss. */
static void slow_start_ends_before_it_overflows(void **state)
{
    (void)state;
    for (unsigned hystart = 0; hystart < 2; hystart++) {
        struct tcp_test_path p;
        struct tcp_path_options options = {.profile = tcp_profile_default, .rate = MBIT(100),
                                           .rtt = MSEC(40), .queue = 5000};
        options.profile.hystart = hystart != 0;
        options.profile.receive_buffer = options.profile.send_buffer = 32 * 1024 * 1024;
        tcp_path_open(&p, &options);
        struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, UINT64_MAX / 2);
        tcp_path_run(&p, 4 * USEC_PER_SEC);
        assert_true(flow->sender->ssthresh < TCP_CWND_MAX);
        assert_int_equal(p.a->counters.tcpRetransSegs == 0, hystart);
        tcp_path_close(&p);
    }
}

/* RFC 3168: with marks instead of losses nothing has to be sent again, and the queue is as long as the
 * mark lets it be. */
static void marks_instead_of_losses(void **state)
{
    (void)state;
    struct tcp_test_path p;
    struct tcp_path_options options = {.profile = tcp_profile_default, .rate = MBIT(50),
                                       .rtt = MSEC(20), .queue = 1000, .mark = 40};
    options.profile.ecn = TCP_ECN_ASK;
    tcp_path_open(&p, &options);
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, UINT64_MAX / 2);
    tcp_path_run(&p, 3 * USEC_PER_SEC);
    uint64_t reductions = p.a->counters.tcpEcnReductions;
    uint64_t got = received_in(&p, flow, 10 * USEC_PER_SEC) / 10;
    reductions = p.a->counters.tcpEcnReductions - reductions;
    assert_true(got > text_rate(MBIT(50)) * 90 / 100);
    assert_int_equal(p.a->counters.tcpRetransSegs, 0);
    assert_in_range(reductions, 2, 60); /* not one for each mark */
    assert_true(flow->sender->cwnd < 160 * 1448);
    struct wire_counters counters;
    wire_counters(p.wire, WIRE_A, &counters);
    assert_true(counters.marked > reductions && counters.queue_full == 0);
    tcp_path_close(&p);
}

/* RFC 8511: where a router marks long before its queue is full, a loss's reduction leaves the line empty
 * for a while. */
static void a_mark_that_costs_less(void **state)
{
    (void)state;
    static const enum tcp_congestion_kind kinds[] = {TCP_CONGESTION_CUBIC, TCP_CONGESTION_NEWRENO};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        uint64_t got[2];
        for (unsigned abe = 0; abe < 2; abe++) {
            struct tcp_test_path p;
            struct tcp_path_options options = {.profile = tcp_profile_default, .rate = MBIT(50),
                                               .rtt = MSEC(40), .queue = 1000, .mark = 5};
            options.profile.ecn = TCP_ECN_ASK;
            options.profile.abe = abe != 0;
            tcp_path_open(&p, &options);
            struct tcp_path_flow *flow = tcp_path_flow(&p, kinds[i], UINT64_MAX / 2);
            tcp_path_run(&p, 5 * USEC_PER_SEC);
            got[abe] = received_in(&p, flow, 20 * USEC_PER_SEC) / 20;
            assert_int_equal(p.a->counters.tcpRetransSegs, 0);
            tcp_path_close(&p);
        }
        assert_true(got[1] > got[0] * 103 / 100);
    }
}

/* RFC 8511 §3.1: a loss while the window shrinks for a mark costs what it would have cost alone. */
static void a_loss_beside_a_mark(void **state)
{
    (void)state;
    struct tcp_test_path p;
    struct tcp_path_options options = {.profile = tcp_profile_default, .rate = MBIT(50),
                                       .rtt = MSEC(40), .queue = 1000, .mark = 2, .loss = 3000};
    options.profile.ecn = TCP_ECN_ASK;
    options.profile.abe = true;
    tcp_path_open(&p, &options);
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, UINT64_MAX / 2);
    tcp_path_run(&p, USEC_PER_SEC);
    const struct tcp_connection *c = flow->sender;
    unsigned marks = 0, both = 0;
    for (unsigned i = 0; i < 60000 && both < 3; i++) {
        uint8_t before = c->recovery;
        tcp_path_run(&p, MSEC(1));
        uint32_t least = 2 * (uint32_t)c->mss;
        uint32_t by_mark = (uint32_t)((uint64_t)c->cubic.cwnd_prior * 85 / 100);
        uint32_t by_loss = (uint32_t)((uint64_t)c->cubic.cwnd_prior * 7 / 10);
        if (before <= TCP_DISORDER && c->recovery == TCP_REDUCING) {
            assert_int_equal(c->ssthresh, by_mark > least ? by_mark : least);
            marks++;
        } else if (before == TCP_REDUCING && c->recovery == TCP_RECOVERY) {
            assert_int_equal(c->ssthresh, by_loss > least ? by_loss : least);
            both++;
        }
    }
    assert_true(marks > 0 && both > 0);
    tcp_path_close(&p);
}

struct heard {
    uint32_t cwnd, ssthresh, window;
    unsigned count;
    unsigned conditions[TCP_CONDITION_LOSS + 1];
};

static void hear(void *self, const struct trace_event *event)
{
    struct heard *heard = self;
    if (event->kind != TRACE_TCP_WINDOW)
        return;
    heard->cwnd = event->u.tcp_window.cwnd;
    heard->ssthresh = event->u.tcp_window.ssthresh;
    heard->window = event->u.tcp_window.window;
    heard->conditions[event->u.tcp_window.condition]++;
    heard->count++;
}

/* Each change of a window is told once, and nothing that is none. */
static void windows_are_told(void **state)
{
    (void)state;
    struct tcp_test_path p;
    struct heard heard = {0};
    open_path(&p, (struct tcp_path_options){.rate = MBIT(10), .rtt = MSEC(20), .queue = 20});
    p.a->trace = (struct trace){hear, &heard};
    struct tcp_path_flow *flow = tcp_path_flow(&p, TCP_CONGESTION_CUBIC, 3000000);
    for (unsigned i = 0; i < 2000; i++) {
        tcp_path_run(&p, MSEC(1));
        if (flow->sender->state < TCP_ESTABLISHED)
            continue;
        assert_int_equal(heard.cwnd, flow->sender->cwnd);
        assert_int_equal(heard.ssthresh, flow->sender->ssthresh);
        assert_int_equal(heard.window, flow->sender->snd_wnd);
    }
    assert_true(heard.conditions[TCP_CONDITION_RECOVERY] > 0);
    assert_true(heard.conditions[TCP_CONDITION_OPEN] > 100);
    tcp_path_finish(&p, 10 * USEC_PER_SEC);
    tcp_path_run(&p, USEC_PER_SEC);
    unsigned before = heard.count;
    tcp_path_run(&p, 5 * USEC_PER_SEC);
    assert_int_equal(heard.count, before);
    tcp_path_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_queue_is_enough),
        cmocka_unit_test(slow_start_ends_before_it_overflows),
        cmocka_unit_test(marks_instead_of_losses),
        cmocka_unit_test(a_mark_that_costs_less),
        cmocka_unit_test(a_loss_beside_a_mark),
        cmocka_unit_test(windows_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
