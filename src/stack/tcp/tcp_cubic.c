/* SPDX-License-Identifier: ISC */
/*
 * tcp_cubic.c - CUBIC (RFC 9438): in congestion avoidance the window is a cubic function of the time
 * since the last reduction, so that it grows as fast on a long path as on a short one; where Reno
 * would be faster, it is as fast as Reno.
 *
 * The RFC counts segments and seconds; here are octets and milliseconds, and integers only. What is
 * less than an octet is carried over to the next acknowledgement.
 */
#include "stack/tcp/internal.h"

/* beta_cubic 0.7; C 0.4; alpha_cubic 3 * (1 - beta) / (1 + beta) = 9 / 17. */
enum { BETA = 7, BETA_OF = 10, ALPHA = 9, ALPHA_OF = 17 };
enum { BETA_ECN = 85, BETA_ECN_OF = 100 }; /* RFC 8511 §3.1 */

#define DELTA_MAX INT64_C(1000000) /* msec; beyond it every window is at its bound */

uint32_t tcp_cube_root(uint64_t x)
{
    uint64_t root = 0;
    for (int bit = 21; bit >= 0; bit--) {
        uint64_t next = root | UINT64_C(1) << bit;
        if (next <= 2642245 && next * next * next <= x) /* a larger one's cube is beyond 2^64 */
            root = next;
    }
    return (uint32_t)root;
}

/* Figure 2: K is the cube root of (W_max - cwnd_epoch) / C. */
uint32_t tcp_cubic_k(uint32_t mss, uint32_t w_max, uint32_t cwnd)
{
    if (cwnd >= w_max)
        return 0;
    return tcp_cube_root((uint64_t)(w_max - cwnd) * UINT64_C(2500000000) / mss);
}

/* Figure 1: C * (t - K)^3 + W_max. */
int64_t tcp_cubic_window(uint32_t mss, uint32_t w_max, int64_t t, int64_t k)
{
    int64_t d = t - k;
    d = d > DELTA_MAX ? DELTA_MAX : d < -DELTA_MAX ? -DELTA_MAX : d;
    int64_t cube = d * d * d;
    int64_t c = 4 * (int64_t)mss; /* C is 4 / 10, and a second's cube 10^9 msec^3 */
    if (d > -10000 && d < 10000)
        return w_max + cube * c / INT64_C(10000000000);
    return w_max + cube / 1000000 * c / 10000;
}

static uint32_t msec(const struct tcp_connection *c)
{
    return (uint32_t)(c->stack->now / USEC_PER_MSEC);
}

static void cubic_init(struct tcp_connection *c)
{
    c->cubic = (struct tcp_cubic){0};
    if (c->sending != tcp_sending_none()) {
        c->sending->cubic = (struct tcp_cubic_epoch){0};
        c->sending->hystart = (struct tcp_hystart){0};
    }
}

/* §4.2. Where the window is beyond W_max already (after a timeout, after slow start without loss)
 * the curve begins at its flat point: §4.8, §4.10. */
static void begin_epoch(struct tcp_connection *c)
{
    c->cubic.cwnd_epoch = c->cwnd;
    c->cubic.epoch_at = msec(c);
    if (c->cubic.w_max < c->cwnd)
        c->cubic.w_max = c->cwnd;
    c->sending->cubic.running = false;
}

/* What an epoch needs that was not kept while nothing was under way. */
static void begin_sending(struct tcp_connection *c)
{
    struct tcp_cubic_epoch *epoch = &c->sending->cubic;
    epoch->running = true;
    epoch->k = tcp_cubic_k(c->mss, c->cubic.w_max, c->cubic.cwnd_epoch);
    epoch->w_est = c->cwnd;
    epoch->seen_at = msec(c);
    epoch->credit = 0;
    epoch->est_credit = 0;
}

/* §4.3, figure 4: what Reno's window would be, with the same loss. */
static void grow_estimate(struct tcp_connection *c, uint32_t acknowledged)
{
    struct tcp_cubic_epoch *epoch = &c->sending->cubic;
    uint32_t alpha = epoch->w_est < c->cubic.cwnd_prior ? ALPHA : ALPHA_OF;
    uint64_t unit = (uint64_t)ALPHA_OF * c->cwnd;
    epoch->est_credit += (uint64_t)acknowledged * c->mss * alpha;
    uint64_t growth = epoch->est_credit / unit;
    epoch->est_credit -= growth * unit;
    if (epoch->w_est < TCP_CWND_MAX)
        epoch->w_est += (uint32_t)growth;
}

/* §4.4, §4.5: a round trip from now cwnd shall be what the curve says then, at most half more. */
static void follow_curve(struct tcp_connection *c, uint32_t acknowledged, uint32_t t)
{
    struct tcp_cubic_epoch *epoch = &c->sending->cubic;
    int64_t then = (int64_t)t + c->srtt / 8 / USEC_PER_MSEC;
    int64_t target = tcp_cubic_window(c->mss, c->cubic.w_max, then, epoch->k);
    int64_t most = (int64_t)c->cwnd + c->cwnd / 2;
    if (target > most)
        target = most;
    if (target <= (int64_t)c->cwnd)
        return;
    epoch->credit += (uint64_t)(target - (int64_t)c->cwnd) * acknowledged;
    uint64_t growth = epoch->credit / c->cwnd;
    epoch->credit -= growth * c->cwnd;
    c->cwnd += (uint32_t)growth;
}

static void avoid_congestion(struct tcp_connection *c, uint32_t acknowledged)
{
    struct tcp_cubic_epoch *epoch = &c->sending->cubic;
    if (c->cubic.cwnd_epoch == 0)
        begin_epoch(c);
    if (!epoch->running)
        begin_sending(c);
    uint32_t now = msec(c);
    bool used = tcp_window_used(c);
    if (!used) /* §5.8: t does not include what the application was silent */
        c->cubic.epoch_at += now - epoch->seen_at;
    epoch->seen_at = now;
    if (!used)
        return;
    uint32_t t = now - c->cubic.epoch_at;
    grow_estimate(c, acknowledged);
    if (tcp_cubic_window(c->mss, c->cubic.w_max, t, epoch->k) >= epoch->w_est)
        follow_curve(c, acknowledged, t);
    else if (epoch->w_est > c->cwnd)
        c->cwnd = epoch->w_est;
}

static void cubic_acked(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    if (c->cwnd >= c->ssthresh) {
        avoid_congestion(c, event->acknowledged);
    } else {
        /* RFC 9406 §4.1: only while ssthresh is not known. */
        bool first = c->profile->hystart && c->ssthresh >= TCP_CWND_MAX;
        c->cwnd += first ? tcp_hystart(c, event) : tcp_slow_start(c, event);
        if (c->cwnd > c->ssthresh)
            c->cwnd = c->ssthresh;
    }
    if (c->cwnd > TCP_CWND_MAX)
        c->cwnd = TCP_CWND_MAX;
}

/* §4.6, figure 5 */
static uint32_t reduced(const struct tcp_connection *c, uint32_t window, bool by_mark)
{
    uint64_t rest = by_mark && c->profile->abe ? (uint64_t)window * BETA_ECN / BETA_ECN_OF
                                               : (uint64_t)window * BETA / BETA_OF;
    uint32_t least = 2 * (uint32_t)c->mss;
    return rest > least ? (uint32_t)rest : least;
}

/* And §4.7, figure 6. What was not used is not counted (RFC 7661 §4.4.1). */
static uint32_t cubic_ssthresh(struct tcp_connection *c, uint32_t flight, enum tcp_congested by)
{
    if (by == TCP_BY_LOSS_AFTER_MARK)
        return reduced(c, c->cubic.cwnd_prior, false);
    uint32_t window = tcp_window_used(c) || flight > c->cwnd ? c->cwnd : flight;
    if (c->sending != tcp_sending_none()) {
        c->sending->cubic.before = c->cubic;
        c->sending->cubic.reduced = true;
    }
    uint64_t fast = (uint64_t)window * (BETA_OF + BETA) / (2 * BETA_OF);
    c->cubic.w_max = window < c->cubic.w_max ? (uint32_t)fast : window;
    c->cubic.cwnd_prior = window;
    c->cubic.cwnd_epoch = 0;
    return reduced(c, window, by == TCP_BY_MARK);
}

/* §4.8: the curve begins anew where congestion avoidance does. */
static void cubic_timed_out(struct tcp_connection *c)
{
    c->cubic.w_max = 0;
    c->cubic.cwnd_epoch = 0;
}

/* §5.8 */
static void cubic_resumed(struct tcp_connection *c, usec pause)
{
    if (c->cubic.cwnd_epoch != 0)
        c->cubic.epoch_at += (uint32_t)(pause / USEC_PER_MSEC);
}

/* §4.9 */
static void cubic_undo(struct tcp_connection *c)
{
    if (c->sending->cubic.reduced) {
        c->cubic = c->sending->cubic.before;
        c->sending->cubic.reduced = false;
        c->sending->cubic.running = false;
    }
}

const struct tcp_congestion *tcp_cubic(void)
{
    static const struct tcp_congestion cubic = {
        .name = "cubic",
        .init = cubic_init,
        .acked = cubic_acked,
        .ssthresh = cubic_ssthresh,
        .timed_out = cubic_timed_out,
        .resumed = cubic_resumed,
        .undo = cubic_undo,
    };
    return &cubic;
}
