/* SPDX-License-Identifier: ISC */
/*
 * tcp_pacing.c - segments leave at the rate that congestion control wishes, not as fast as the window
 * allows: a gate in tcp_output() that is closed until the time of the next departure.
 *
 * Segments go in bursts of about a millisecond's worth, and two segments at least: smaller ones cost
 * more than they help, and super-segments live from it. When the gate was what held octets back and
 * its timer came late - a coarse clock, a busy host - the time is made up for; otherwise time in which
 * nothing was sent is lost.
 */
#include "stack/tcp/internal.h"

enum { BURST_MAX = 65536, RATE_SLOW = 150000 /* 1.2 Mb/s: then one segment at a time will do */ };

#define BURST_TIME USEC_PER_MSEC
#define LATE_MAX (20 * USEC_PER_MSEC)

/* Of an algorithm that has no opinion: as fast as the window within half a round trip in slow start,
 * and somewhat faster than it drains afterwards. */
uint64_t tcp_window_rate(const struct tcp_connection *c)
{
    if (c->srtt == 0)
        return UINT64_MAX;
    uint64_t srtt = c->srtt > 8 ? c->srtt / 8 : 1;
    uint64_t rate = (uint64_t)c->cwnd * USEC_PER_SEC / srtt;
    return c->cwnd < c->ssthresh / 2 ? 2 * rate : rate + rate / 5;
}

uint64_t tcp_pacing_rate(const struct tcp_connection *c)
{
    uint64_t rate = UINT64_MAX;
    uint64_t most = c->profile->pacing_rate_max;
    if (c->congestion->pacing_rate != NULL)
        rate = c->congestion->pacing_rate(c);
    else if (c->profile->pacing)
        rate = tcp_window_rate(c);
    if (most != 0 && rate > most)
        rate = most;
    return rate > 0 ? rate : 1;
}

void tcp_pacing_choose(struct tcp_connection *c)
{
    c->paced = c->congestion->pacing_rate != NULL || c->profile->pacing ||
               c->profile->pacing_rate_max != 0;
}

uint32_t tcp_pacing_burst(const struct tcp_connection *c)
{
    uint64_t rate = tcp_pacing_rate(c);
    uint32_t least = (rate < RATE_SLOW ? 1 : 2) * (uint32_t)c->mss;
    uint64_t burst = rate / (USEC_PER_SEC / BURST_TIME);
    if (burst > BURST_MAX)
        burst = BURST_MAX;
    return burst > least ? (uint32_t)burst - (uint32_t)burst % c->mss : least;
}

bool tcp_pacing_open(struct tcp_connection *c)
{
    struct tcp_sending *s = c->sending;
    usec now = c->stack->now;
    if (s == tcp_sending_none() || s->depart_at <= now ||
        c->text_segments_out < c->profile->pacing_after)
        return true;
    if (s->burst_at == now && s->burst_len < tcp_pacing_burst(c))
        return true; /* in the middle of a burst */
    wheel_arm(&c->stack->wheel, &s->pace_timer, s->depart_at);
    return false;
}

void tcp_pacing_sent(struct tcp_connection *c, uint32_t len)
{
    struct tcp_sending *s = c->sending;
    usec now = c->stack->now;
    usec least = s->opened_at == now && c->profile->pacing_after == 0 ? now - LATE_MAX : now;
    usec idle = usec_max(now - s->depart_at, 0);
    if (c->text_segments_out <= c->profile->pacing_after)
        return;
    if (s->depart_at <= now) {
        s->burst_at = now;
        s->burst_len = 0;
    }
    s->burst_len += len;
    if (s->depart_at < least)
        s->depart_at = least;
    uint64_t rate = tcp_pacing_rate(c);
    uint64_t due = (uint64_t)len * USEC_PER_SEC + (s->depart_rest < rate ? s->depart_rest : 0);
    usec interval = (usec)(due / rate);
    if (c->profile->pacing_after != 0)
        interval -= usec_min(interval / 2, idle);
    s->depart_at += interval;
    s->depart_rest = due % rate;
}

bool tcp_pacing_keeps(struct tcp_connection *c)
{
    struct tcp_sending *s = c->sending;
    if (s->depart_at <= c->stack->now)
        return false;
    wheel_arm(&c->stack->wheel, &s->pace_timer, s->depart_at);
    return true;
}

void tcp_pacing_timer(struct tcp_sending *s)
{
    struct tcp_connection *c = s->connection;
    s->opened_at = c->stack->now;
    tcp_wake(c);
    tcp_sending_end(c); /* it may have been kept for the sake of the rate only */
}
