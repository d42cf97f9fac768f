/* SPDX-License-Identifier: ISC */
/* tcp_newreno.c - the classic window: slow start and congestion avoidance (RFC 5681 §3.1). */
#include "stack/tcp/internal.h"

/* state[0]: octets acknowledged since cwnd last grew in congestion avoidance. */
static void newreno_init(struct tcp_connection *c)
{
    c->congestion_state[0] = 0;
}

static void newreno_acked(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    if (c->cwnd < c->ssthresh) {
        c->cwnd += tcp_slow_start(c, event);
        if (c->cwnd > c->ssthresh)
            c->cwnd = c->ssthresh;
    } else if (tcp_window_used(c)) {
        c->congestion_state[0] += event->acknowledged;
        if (c->congestion_state[0] >= c->cwnd) {
            c->congestion_state[0] -= c->cwnd;
            c->cwnd += c->mss;
        }
    }
    if (c->cwnd > TCP_CWND_MAX)
        c->cwnd = TCP_CWND_MAX;
}

/* RFC 5681 §3.1, equation 4; RFC 8511 §3.1: beta is a half, and four fifths for a mark. */
static uint32_t newreno_ssthresh(struct tcp_connection *c, uint32_t flight, enum tcp_congested by)
{
    uint32_t rest = flight / 2;
    uint32_t least = 2 * (uint32_t)c->mss;
    if (by == TCP_BY_MARK && c->profile->abe)
        rest = flight / 5 * 4 + flight % 5 * 4 / 5;
    else if (by == TCP_BY_LOSS_AFTER_MARK)
        rest = c->ssthresh / 8 * 5;
    return rest > least ? rest : least;
}

static void newreno_timed_out(struct tcp_connection *c)
{
    c->congestion_state[0] = 0;
}

const struct tcp_congestion *tcp_newreno(void)
{
    static const struct tcp_congestion newreno = {
        .name = "newreno",
        .init = newreno_init,
        .acked = newreno_acked,
        .ssthresh = newreno_ssthresh,
        .timed_out = newreno_timed_out,
    };
    return &newreno;
}
