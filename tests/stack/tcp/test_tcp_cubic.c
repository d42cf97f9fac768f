/* SPDX-License-Identifier: ISC */
/*
 * test_tcp_cubic.c - CUBIC against RFC 9438: its functions against values worked out from the
 * formulas of §4.2 with real numbers, and the window over time against the functions.
 */
#include "tests/support/check.h"
#include "tests/support/tcp_window.h"

#define NEAR(got, want, slack)                                                                    \
    assert_in_range((got), (want) > (slack) ? (want) - (slack) : 0, (want) + (slack))

static void cube_roots_are_exact(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 2642245; i += i < 3000 ? 1 : 997) {
        assert_int_equal(tcp_cube_root(i * i * i), i);
        assert_int_equal(tcp_cube_root(i * i * i - 1), i - 1);
    }
    assert_int_equal(tcp_cube_root(0), 0);
    assert_int_equal(tcp_cube_root(UINT64_MAX), 2642245);
}

static void k_is_that_of_the_formula(void **state)
{
    (void)state;
    static const struct {
        uint32_t mss, w_max, cwnd, k;
    } cases[] = {
        {1460, 146000, 102200, 4217}, /* cbrt(30 / 0.4) = 4.2172 s */
        {1460, 1460000, 1022000, 9085},
        {1460, 14600000, 10220000, 19574},
        {536, 53600, 37520, 4217},
        {8948, 894800, 626360, 4217},
        {1460, 14600, 14600, 0},
        {1460, 14600, 20000, 0},
        {1460, 1073741824, 751619276, 82010},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(tcp_cubic_k(cases[i].mss, cases[i].w_max, cases[i].cwnd), cases[i].k);
}

static void w_cubic_is_that_of_the_formula(void **state)
{
    (void)state;
    static const struct {
        uint32_t mss, w_max;
        int64_t t, k, w;
    } cases[] = {
        {1460, 146000, 0, 4217, 102206},
        {1460, 146000, 2108, 4217, 140522},
        {1460, 146000, 4217, 4217, 146000},
        {1460, 146000, 5217, 4217, 146584},
        {1460, 146000, 9217, 4217, 219000},
        {1460, 146000, 24217, 4217, 4818000},
        {1460, 14600000, 0, 19574, 10220228},
        {1460, 14600000, 9787, 19574, 14052529},
        {1460, 14600000, 24574, 19574, 14673000},
        {536, 53600, 0, 4217, 37522},
        {536, 53600, 24217, 4217, 1768800},
        {8948, 894800, 0, 4217, 626392},
        {8948, 894800, 24217, 4217, 29528400},
        {1460, 14600, 0, 0, 14600},
        {1460, 14600, 5000, 0, 87600},
        {1460, 1073741824, 0, 82010, 751625094},
        {1460, 1073741824, 102010, 82010, 1078413824},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t w = tcp_cubic_window(cases[i].mss, cases[i].w_max, cases[i].t, cases[i].k);
        NEAR(w, cases[i].w, cases[i].t - cases[i].k < -10000 ? 1500 : 1);
    }
}

/* 1000 segments, 100 ms: far from where Reno would be faster. K is cbrt(300 / 0.4) = 9.086 s. RFC 9293
 * MAY-18. */
static void the_window_follows_the_curve(void **state)
{
    (void)state;
    struct tcp_window w;
    tcp_window_open(&w, TCP_CONGESTION_CUBIC, 1000);
    w.c->srtt = 800000;
    tcp_window_lose(&w);
    assert_int_equal(w.c->cwnd, 700000); /* beta */
    usec began = stack_now(w.s.stack);
    for (unsigned second = 1; second <= 14; second++) {
        tcp_window_run(&w, 100 * USEC_PER_MSEC, USEC_PER_SEC);
        int64_t t = (stack_now(w.s.stack) - began) / USEC_PER_MSEC;
        int64_t want = tcp_cubic_window(WINDOW_MSS, 1000000, t, 9085);
        NEAR(w.c->cwnd, want, want / 100);
    }
    tcp_window_close(&w);
}

/* 20 segments, 1 ms: Reno's region. 9/17 of a segment each round trip until cwnd_prior, one after. */
static void a_short_path_is_as_with_reno(void **state)
{
    (void)state;
    struct tcp_window w;
    tcp_window_open(&w, TCP_CONGESTION_CUBIC, 200);
    tcp_window_lose(&w);
    assert_int_equal(w.c->cwnd, 140000);
    for (unsigned i = 0; i < 51; i++)
        tcp_window_round(&w, USEC_PER_MSEC);
    NEAR(w.c->cwnd, 140000 + 51 * 1000 * 9 / 17, 300);
    for (unsigned i = 51; i < 114; i++)
        tcp_window_round(&w, USEC_PER_MSEC);
    NEAR(w.c->cwnd, 200000, 1000);
    uint32_t before = w.c->cwnd;
    for (unsigned i = 0; i < 20; i++)
        tcp_window_round(&w, USEC_PER_MSEC);
    NEAR(w.c->cwnd, before + 20000, 1000);
    tcp_window_close(&w);
}

/* §4.7: a window that shrinks from loss to loss makes room for a newcomer. */
static void fast_convergence(void **state)
{
    (void)state;
    struct tcp_window w;
    tcp_window_open(&w, TCP_CONGESTION_CUBIC, 1000);
    tcp_window_lose(&w);
    assert_int_equal(w.c->cubic.w_max, 1000000);
    tcp_window_lose(&w);
    assert_int_equal(w.c->cubic.w_max, 700000 * 17 / 20);
    assert_int_equal(w.c->cubic.cwnd_prior, 700000);
    assert_int_equal(w.c->ssthresh, 490000);
    tcp_window_close(&w);
}

static uint32_t ssthresh_by(struct tcp_window *w, enum tcp_congested by)
{
    uint32_t out = w->c->congestion->ssthresh(w->c, tcp_flight(w->c), by);
    w->c->ssthresh = out;
    return out;
}

/* RFC 8511 §3.1: beta_ecn is 0.85 for CUBIC and 0.8 for Reno; a loss in the same round trip costs what it
 * would have cost alone. Where it is not wished a mark weighs as much as a loss. */
static void a_mark_is_a_lesser_sign(void **state)
{
    (void)state;
    static const struct {
        enum tcp_congestion_kind kind;
        bool abe;
        uint32_t mark, loss;
    } cases[] = {
        {TCP_CONGESTION_CUBIC, false, 700000, 700000},
        {TCP_CONGESTION_CUBIC, true, 850000, 700000},
        {TCP_CONGESTION_NEWRENO, false, 500000, 500000},
        {TCP_CONGESTION_NEWRENO, true, 800000, 500000},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tcp_window w;
        struct tcp_profile profile = tcp_profile_default;
        profile.abe = cases[i].abe;
        tcp_window_open(&w, cases[i].kind, 1000);
        struct tcp_shared_profile *own = CONTAINER_OF(w.c->profile, struct tcp_shared_profile, profile);
        if (w.c->own_profile)
            own->profile.abe = cases[i].abe;
        else
            tcp_set_profile(w.s.stack, &profile);
        assert_int_equal(ssthresh_by(&w, TCP_BY_MARK), cases[i].mark);
        if (cases[i].abe) {
            w.c->cwnd = w.c->ssthresh; /* whatever it is by then */
            assert_int_equal(ssthresh_by(&w, TCP_BY_LOSS_AFTER_MARK), cases[i].loss);
        }
        w.c->cwnd = 1000 * WINDOW_MSS;
        assert_int_equal(ssthresh_by(&w, TCP_BY_LOSS), cases[i].loss);
        w.c->cwnd = 2 * WINDOW_MSS;
        w.c->snd_nxt = seq_add(w.c->snd_una, w.c->cwnd);
        assert_int_equal(ssthresh_by(&w, TCP_BY_MARK), 2 * WINDOW_MSS);
        assert_int_equal(ssthresh_by(&w, TCP_BY_LOSS), 2 * WINDOW_MSS);
        tcp_window_close(&w);
    }
}

/* §4.8: after slow start the curve begins at its flat point. */
static void after_a_timeout_the_curve_begins_anew(void **state)
{
    (void)state;
    struct tcp_window w;
    tcp_window_open(&w, TCP_CONGESTION_CUBIC, 1000);
    w.c->ssthresh = w.c->congestion->ssthresh(w.c, tcp_flight(w.c), TCP_BY_LOSS);
    w.c->congestion->timed_out(w.c);
    w.c->cwnd = WINDOW_MSS;
    w.c->snd_nxt = seq_add(w.c->snd_una, w.c->cwnd);
    unsigned rounds = 0;
    while (w.c->cwnd < w.c->ssthresh && rounds++ < 20)
        tcp_window_round(&w, 100 * USEC_PER_MSEC);
    assert_int_equal(rounds, 10); /* 1, 2, 4, ... 700 */
    NEAR(w.c->cwnd, 700000, 1000); /* the rest of the round is beyond slow start */
    tcp_window_run(&w, 100 * USEC_PER_MSEC, 5 * USEC_PER_SEC);
    assert_int_equal(w.c->cubic.w_max, 700000);
    int64_t want = tcp_cubic_window(WINDOW_MSS, 700000, 5000, 0);
    NEAR(w.c->cwnd, want, want / 100);
    tcp_window_close(&w);
}

/* §4.4: however far the curve has gone ahead, a round trip makes the window half as large again at most.
 * So it is when what kept it small was not loss: here a reduction that was remembered for too long. */
static void half_more_in_a_round_trip(void **state)
{
    (void)state;
    struct tcp_window w;
    tcp_window_open(&w, TCP_CONGESTION_CUBIC, 1000);
    tcp_window_lose(&w);
    w.c->cwnd = 100 * WINDOW_MSS;
    w.c->ssthresh = 50 * WINDOW_MSS;
    w.c->snd_nxt = seq_add(w.c->snd_una, w.c->cwnd);
    tcp_window_ack(&w, WINDOW_MSS, 100 * USEC_PER_MSEC, 0); /* the epoch begins */
    w.c->cubic.epoch_at -= 60000; /* a minute on, far beyond the flat point */
    for (unsigned i = 0; i < 4; i++) {
        uint32_t before = w.c->cwnd;
        assert_true(tcp_cubic_window(WINDOW_MSS, w.c->cubic.w_max, 60000,
                                     w.c->sending->cubic.k) > 100 * (int64_t)before);
        tcp_window_ack(&w, before, 100 * USEC_PER_MSEC, 0);
        assert_int_equal(w.c->cwnd, before + before / 2);
        tcp_window_ack(&w, WINDOW_MSS, 100 * USEC_PER_MSEC, 0);
        NEAR(w.c->cwnd, before + before / 2 + WINDOW_MSS / 2, 1);
    }
    tcp_window_close(&w);
}

/* §5.8: neither a pause nor an application that has little to say counts as time. */
static void silence_is_not_time(void **state)
{
    (void)state;
    struct tcp_window w;
    tcp_window_open(&w, TCP_CONGESTION_CUBIC, 1000);
    tcp_window_lose(&w);
    tcp_window_run(&w, 100 * USEC_PER_MSEC, 2 * USEC_PER_SEC);
    uint32_t cwnd = w.c->cwnd;
    uint32_t epoch_at = w.c->cubic.epoch_at;
    w.c->cwnd_limited = false;
    tcp_window_run(&w, 100 * USEC_PER_MSEC, 30 * USEC_PER_SEC);
    assert_int_equal(w.c->cwnd, cwnd);
    NEAR(w.c->cubic.epoch_at - epoch_at, 30000, 200);

    epoch_at = w.c->cubic.epoch_at;
    w.c->congestion->resumed(w.c, 7 * USEC_PER_SEC);
    assert_int_equal(w.c->cubic.epoch_at - epoch_at, 7000);
    tcp_window_close(&w);
}

/* §4.9 */
static void a_loss_that_was_none_is_undone(void **state)
{
    (void)state;
    struct tcp_window w;
    tcp_window_open(&w, TCP_CONGESTION_CUBIC, 1000);
    tcp_window_lose(&w);
    tcp_window_run(&w, 100 * USEC_PER_MSEC, 3 * USEC_PER_SEC);
    struct tcp_cubic before = w.c->cubic;
    tcp_window_lose(&w);
    w.c->congestion->timed_out(w.c);
    assert_int_not_equal(w.c->cubic.w_max, before.w_max);
    w.c->congestion->undo(w.c);
    assert_memory_equal(&w.c->cubic, &before, sizeof before);
    w.c->congestion->undo(w.c); /* once */
    assert_memory_equal(&w.c->cubic, &before, sizeof before);
    tcp_window_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cube_roots_are_exact),
        cmocka_unit_test(k_is_that_of_the_formula),
        cmocka_unit_test(w_cubic_is_that_of_the_formula),
        cmocka_unit_test(the_window_follows_the_curve),
        cmocka_unit_test(a_short_path_is_as_with_reno),
        cmocka_unit_test(fast_convergence),
        cmocka_unit_test(a_mark_is_a_lesser_sign),
        cmocka_unit_test(after_a_timeout_the_curve_begins_anew),
        cmocka_unit_test(half_more_in_a_round_trip),
        cmocka_unit_test(silence_is_not_time),
        cmocka_unit_test(a_loss_that_was_none_is_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
