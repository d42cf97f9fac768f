/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_bbr_model.c - single rules of BBR (draft-ietf-ccwg-bbr), on a connection without a peer and
 * samples that are made up: each holds one that a path hides, since others make up for it there.
 */
#include "stack/tcp/tcp_bbr.h"
#include "tests/support/tcp_window.h"

#define MSEC(n) ((n) * USEC_PER_MSEC)

static struct tcp_bbr *set_up(struct tcp_window *w, uint32_t segments)
{
    tcp_window_open(w, TCP_CONGESTION_BBR, segments);
    struct tcp_bbr *b = bbr_of(w->c);
    assert_non_null(b);
    b->min_rtt = b->probe_rtt_min_delay = (uint32_t)MSEC(40);
    return b;
}

static void pass(struct tcp_window *w, usec duration)
{
    stack_advance(w->s.stack, stack_now(w->s.stack) + duration);
}

static void sample_rate(struct tcp_window *w, uint64_t rate, bool app_limited)
{
    struct bbr_sample rs = {.valid = true, .delivery_rate = rate, .app_limited = app_limited,
                            .prior_delivered = tcp_delivered(w->c), .rtt = -1};
    bbr_update_congestion(w->c, &rs);
}

/* §5.5.5: a low rate for want of text is none of the path's; a high one is, whatever the reason. It shows
 * when a cycle has seen nothing else. */
static void want_of_text_is_no_rate(void **state)
{
    (void)state;
    struct tcp_window w;
    struct tcp_bbr *b = set_up(&w, 100);
    sample_rate(&w, 1000000, false);
    assert_int_equal(b->max_bw, 1000000);
    bbr_advance_max_bw(b);
    sample_rate(&w, 300000, true);
    bbr_advance_max_bw(b); /* that cycle has seen nothing to rely on */
    assert_int_equal(b->max_bw, 1000000);
    sample_rate(&w, 300000, true);
    sample_rate(&w, 1200000, true);
    assert_int_equal(b->max_bw, 1200000);
    sample_rate(&w, 900000, false);
    bbr_advance_max_bw(b);
    sample_rate(&w, 900000, false);
    bbr_advance_max_bw(b);
    assert_int_equal(b->max_bw, 900000); /* after two cycles what was higher is forgotten */
    tcp_window_close(&w);
}

static void probe_rtt(struct tcp_window *w, uint32_t inflight)
{
    struct bbr_sample rs = {.valid = true, .inflight = inflight, .delivered = 1000, .rtt = -1};
    bbr_check_probe_rtt(w->c, &rs);
}

/* §5.3.4.3, HandleProbeRTT(): MarkConnectionAppLimited(). What is under way then is little by intent, and
 * its rate must not be taken for the path's. */
static void probe_rtt_says_nothing_of_the_rate(void **state)
{
    (void)state;
    struct tcp_window w;
    struct tcp_bbr *b = set_up(&w, 100);
    b->full_bw_reached = true;
    b->probe_rtt_expired = true;
    w.c->sending->rate.app_limited = false;
    probe_rtt(&w, 100 * WINDOW_MSS);
    assert_int_equal(b->phase, BBR_PROBE_RTT);
    assert_true(w.c->sending->rate.app_limited);
    assert_int_equal(w.c->sending->rate.app_limited_end, tcp_delivered(w.c) + tcp_pipe(w.c));
    /* And on every acknowledgement while it lasts. */
    w.c->sending->rate.app_limited = false;
    probe_rtt(&w, 4 * WINDOW_MSS);
    assert_true(w.c->sending->rate.app_limited);
    tcp_window_close(&w);
}

static void sample_rtt(struct tcp_window *w, usec rtt)
{
    struct bbr_sample rs = {.valid = true, .rtt = rtt};
    bbr_update_min_rtt(w->c, &rs);
}

/* §5.3.4.3, UpdateMinRTT(): five seconds after the shortest round trip was seen last, not after it was
 * looked for; an equal one does not count as seen. */
static void a_round_trip_is_good_for_five_seconds(void **state)
{
    (void)state;
    struct tcp_window w;
    struct tcp_bbr *b = set_up(&w, 100);
    sample_rtt(&w, MSEC(30));
    assert_int_equal(b->probe_rtt_min_delay, MSEC(30));
    assert_int_equal(b->min_rtt, MSEC(30));
    pass(&w, MSEC(4000));
    sample_rtt(&w, MSEC(20)); /* shorter: from now on */
    assert_int_equal(b->min_rtt, MSEC(20));
    pass(&w, MSEC(4000));
    sample_rtt(&w, MSEC(25));
    assert_false(b->probe_rtt_expired);
    assert_int_equal(b->probe_rtt_min_delay, MSEC(20));
    pass(&w, MSEC(1001));
    sample_rtt(&w, MSEC(25));
    assert_true(b->probe_rtt_expired); /* it is time, and what is seen now counts */
    assert_int_equal(b->probe_rtt_min_delay, MSEC(25));
    assert_int_equal(b->min_rtt, MSEC(20)); /* for ten seconds */
    pass(&w, MSEC(1));
    sample_rtt(&w, MSEC(26));
    assert_false(b->probe_rtt_expired);
    pass(&w, MSEC(5000));
    sample_rtt(&w, MSEC(27));
    assert_int_equal(b->min_rtt, MSEC(27)); /* which are over */
    tcp_window_close(&w);
}

/* In ProbeRTT with little under way, as long as it must be. */
static struct tcp_bbr *in_probe_rtt(struct tcp_window *w)
{
    struct tcp_bbr *b = set_up(w, 100);
    b->full_bw_reached = true;
    b->probe_rtt_expired = true;
    probe_rtt(w, 100 * WINDOW_MSS);
    w->c->cwnd = 4 * WINDOW_MSS;
    probe_rtt(w, 4 * WINDOW_MSS);
    assert_int_equal(b->phase, BBR_PROBE_RTT);
    assert_int_equal(b->prior_cwnd, 100 * WINDOW_MSS);
    return b;
}

/* §5.3.4.3, CheckProbeRTTDone(): it has been looked for, so that the next five seconds begin now. */
static void after_probe_rtt_there_is_peace(void **state)
{
    (void)state;
    struct tcp_window w;
    struct tcp_bbr *b = in_probe_rtt(&w);
    usec before = b->probe_rtt_min_stamp;
    pass(&w, BBR_PROBE_RTT_DURATION);
    bbr_check_probe_rtt_done(w.c);
    assert_int_equal(b->phase, BBR_PROBE_RTT);
    pass(&w, 1);
    bbr_check_probe_rtt_done(w.c);
    assert_int_equal(b->phase, BBR_PROBE_CRUISE);
    assert_int_equal(w.c->cwnd, 100 * WINDOW_MSS);
    assert_true(b->probe_rtt_min_stamp > before);
    assert_int_equal(b->probe_rtt_min_stamp, stack_now(w.s.stack));
    pass(&w, MSEC(4999));
    sample_rtt(&w, MSEC(50));
    assert_false(b->probe_rtt_expired);
    tcp_window_close(&w);
}

/* §5.4.1, HandleRestartFromIdle(): who had nothing to send while it was looked for goes on with all of the
 * window, and not with what ProbeRTT allows. */
static void a_pause_ends_probe_rtt(void **state)
{
    (void)state;
    for (unsigned early = 0; early < 2; early++) {
        struct tcp_window w;
        struct tcp_bbr *b = in_probe_rtt(&w);
        w.c->sending->rate.app_limited = true;
        pass(&w, early ? BBR_PROBE_RTT_DURATION / 2 : BBR_PROBE_RTT_DURATION + 1);
        w.c->congestion->resumed(w.c, MSEC(100));
        assert_true(b->idle_restart);
        assert_int_equal(b->phase, early ? BBR_PROBE_RTT : BBR_PROBE_CRUISE);
        assert_int_equal(w.c->cwnd, early ? 4 * WINDOW_MSS : 100 * WINDOW_MSS);
        tcp_window_close(&w);
    }
}

/* §5.6.2: when the first round trip is known, the first rate is that of the window in it; before, it was in
 * a millisecond. */
static void the_first_round_trip_sets_the_rate(void **state)
{
    (void)state;
    struct tcp_window w;
    tcp_window_open(&w, TCP_CONGESTION_BBR, 10);
    struct tcp_bbr *b = bbr_of(w.c);
    assert_false(b->seen_rtt);
    uint64_t in_a_millisecond = (uint64_t)w.c->cwnd * 1000 * 277 / 100;
    assert_true(b->pacing_rate >= in_a_millisecond * 98 / 100);
    struct tcp_ack_event event = {.rtt = MSEC(100)};
    w.c->congestion->acked(w.c, &event);
    assert_false(b->seen_rtt);
    w.c->srtt = (uint32_t)MSEC(100) * 8;
    w.c->congestion->acked(w.c, &event);
    assert_true(b->seen_rtt);
    assert_in_range(b->pacing_rate, in_a_millisecond / 100 - 1, in_a_millisecond / 100 + 1);
    w.c->srtt = (uint32_t)MSEC(50) * 8; /* only the first */
    w.c->congestion->acked(w.c, &event);
    assert_in_range(b->pacing_rate, in_a_millisecond / 100 - 1, in_a_millisecond / 100 + 1);
    tcp_window_close(&w);
}

/* §5.6.4.2, QuantizationBudget(): what is under way covers what leaves at once, comes at once and waits
 * in the receiver's device; four segments at least, and two more when more is wanted. */
static void the_volume_covers_bursts(void **state)
{
    (void)state;
    struct tcp_window w;
    struct tcp_bbr *b = set_up(&w, 100);
    b->phase = BBR_PROBE_CRUISE;
    /* A fast path that is short: 1 GB/s in 10 us. */
    b->pacing_rate = 1000000000;
    b->min_rtt = 10;
    uint32_t burst = tcp_pacing_burst(w.c);
    assert_true(burst >= 32 * 1024);
    assert_int_equal(bbr_bdp(w.c, 1000000000, 100), 10000);
    assert_int_equal(bbr_inflight(w.c, 1000000000, 100), 3 * burst);
    b->phase = BBR_PROBE_UP;
    assert_int_equal(bbr_inflight(w.c, 1000000000, 100), 3 * burst + 2 * WINDOW_MSS);
    /* A slow one: two segments leave together at most. */
    b->phase = BBR_PROBE_CRUISE;
    b->pacing_rate = 100000;
    assert_int_equal(bbr_inflight(w.c, 100000, 100), BBR_MIN_PIPE_SEGMENTS * WINDOW_MSS);
    /* A long one: the BDP is more than all that. */
    b->min_rtt = (uint32_t)MSEC(1000);
    assert_int_equal(bbr_inflight(w.c, 100000, 100), 100000);
    tcp_window_close(&w);
}

/* §5.3.3.6, PickProbeWait(): two to three seconds, and a round trip earlier or not, so that flows which
 * share a path do not probe together for ever. */
static void probes_are_not_foretold(void **state)
{
    (void)state;
    enum { PICKS = 200 };
    struct tcp_window w;
    struct tcp_bbr *b = set_up(&w, 100);
    unsigned rounds = 0, late = 0, tenths[10] = {0};
    for (unsigned i = 0; i < PICKS; i++) {
        b->rounds_since_probe_up = 17;
        bbr_enter_cruise(w.c);
        assert_true(b->rounds_since_probe_up <= 1);
        assert_in_range(b->bw_probe_wait, 2 * USEC_PER_SEC, 3 * USEC_PER_SEC - 1);
        rounds += b->rounds_since_probe_up;
        late += b->bw_probe_wait >= 2500 * USEC_PER_MSEC;
        tenths[(b->bw_probe_wait - 2 * USEC_PER_SEC) / (100 * USEC_PER_MSEC)]++;
    }
    assert_in_range(rounds, PICKS / 3, PICKS * 2 / 3);
    assert_in_range(late, PICKS / 3, PICKS * 2 / 3);
    for (size_t i = 0; i < ARRAY_LEN(tenths); i++)
        assert_in_range(tenths[i], PICKS / 50, PICKS / 4);
    tcp_window_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(want_of_text_is_no_rate),
        cmocka_unit_test(probe_rtt_says_nothing_of_the_rate),
        cmocka_unit_test(a_round_trip_is_good_for_five_seconds),
        cmocka_unit_test(after_probe_rtt_there_is_peace),
        cmocka_unit_test(a_pause_ends_probe_rtt),
        cmocka_unit_test(the_first_round_trip_sets_the_rate),
        cmocka_unit_test(the_volume_covers_bursts),
        cmocka_unit_test(probes_are_not_foretold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
