/* SPDX-License-Identifier: ISC */
/*
 * tcp_congestion.c - congestion control that is the same for every algorithm: the initial window
 * (RFC 6928), and what a pause does to it (RFC 5681 §4.1). NewReno's window (RFC 5681 §3.1) is here
 * too.
 */
#include "stack/tcp/internal.h"

enum { CWND_MAX = 1 << 30 };

/* RFC 6928 §2: min (10*MSS, max (2*MSS, 14600)), with the profile's number for ten. */
static uint32_t initial_window(const struct tcp_connection *c)
{
    uint32_t segments = c->profile->initial_window * (uint32_t)c->mss;
    uint32_t least = 2 * (uint32_t)c->mss;
    uint32_t octets = c->profile->initial_window * UINT32_C(1460);
    octets = least > octets ? least : octets;
    return segments < octets ? segments : octets;
}

void tcp_congestion_open(struct tcp_connection *c)
{
    /* RFC 5681 §3.1, RFC 6928 §2: one segment when the SYN had to be sent more than twice. */
    c->cwnd = c->retries > 1 ? c->mss : initial_window(c);
    c->ssthresh = CWND_MAX;
    c->congestion->init(c);
}

void tcp_congestion_idle(struct tcp_connection *c)
{
    uint32_t restart = initial_window(c);
    if (c->profile->restart_after_idle && c->stack->now - c->last_sent_at > tcp_rto(c) &&
        c->cwnd > restart)
        c->cwnd = restart;
}

/* state[0]: octets acknowledged since cwnd last grew in congestion avoidance. */
static void newreno_init(struct tcp_connection *c)
{
    c->congestion_state[0] = 0;
}

/*
 * DEVIATES RFC 5681 §3.1: octets are counted rather than acknowledgements (RFC 3465), and in slow
 * start without its limit of 2*SMSS: one acknowledgement of a super-segment stands for 45 segments.
 * After a timeout the limit holds, since there an ACK can cover a window's worth of old octets.
 */
static void newreno_acked(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    uint32_t mss = c->mss;
    if (c->cwnd < c->ssthresh) {
        /* Only a window that was used says anything (RFC 7661 §1). */
        if (event->flight_before < c->cwnd / 2)
            return;
        uint32_t limit = c->recovery == TCP_LOSS ? 2 * mss : CWND_MAX;
        c->cwnd += event->acknowledged < limit ? event->acknowledged : limit;
        if (c->cwnd > c->ssthresh)
            c->cwnd = c->ssthresh;
    } else if (c->cwnd_limited) {
        c->congestion_state[0] += event->acknowledged;
        if (c->congestion_state[0] >= c->cwnd) {
            c->congestion_state[0] -= c->cwnd;
            c->cwnd += mss;
        }
    }
    if (c->cwnd > CWND_MAX)
        c->cwnd = CWND_MAX;
}

/* RFC 5681 §3.1, equation 4. */
static uint32_t newreno_ssthresh(struct tcp_connection *c)
{
    uint32_t half = tcp_flight(c) / 2;
    uint32_t least = 2 * (uint32_t)c->mss;
    return half > least ? half : least;
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
