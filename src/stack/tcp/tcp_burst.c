/* SPDX-License-Identifier: ISC */
/*
 * tcp_burst.c - how long a super-segment is. A long one costs as little as a short one, so it is worth
 * waiting for an acknowledgement that makes room for more; but it is a burst to the path, and what
 * waits for an acknowledgement that does not come is late.
 *
 * Where the profile says how long bursts are (burst_min), they are as Linux makes them.
 */
#include "stack/tcp/internal.h"

enum {
    RATE_SHIFT = 10,        /* a burst takes 1/1024 of a second at the rate of the window, */
    NEAR_OCTETS = 65536,    /* and this much is added, halved with each ... */
    NEAR_SHIFT = 9,         /* ... 512 usec of the round trip: near hosts take long ones well */
    SUPER_MAX = TCP_SUPER_SEGMENT_MAX - 100,
    CWND_LEAST = 8,         /* segments: smaller windows need every piece for their clock of ACKs */
};

/* No acknowledgement that comes soon is to be expected. */
static bool nothing_near(const struct tcp_connection *c)
{
    usec patience = c->profile->burst_patience;
    if (patience == 0)
        return false;
    usec now = c->stack->now;
    usec srtt = c->srtt / 8;
    usec near = usec_min(srtt / 2, patience);
    const struct tcp_sent *first = c->sending->first;
    return now - c->last_sent_at >= patience || first == NULL || first->sent_at + srtt - now > near;
}

bool tcp_burst_waits(const struct tcp_connection *c, const struct tcp_path *path,
                     const struct tcp_burst *burst)
{
    uint32_t window = c->cwnd < c->snd_wnd ? c->cwnd : c->snd_wnd;
    uint32_t len = burst->window < burst->room ? burst->window : burst->room;
    uint32_t divisor = c->profile->burst_divisor;
    if (len >= burst->unsent || len >= path->burst_max || tcp_flight(c) == 0 ||
        c->recovery != TCP_OPEN || divisor == 0)
        return false;
    if (c->profile->burst_min == 0 && window < CWND_LEAST * path->mss)
        return false;
    return len < window / divisor && !nothing_near(c);
}

uint32_t tcp_burst_wanted(const struct tcp_connection *c, uint32_t mss)
{
    if (c->profile->burst_min == 0)
        return SUPER_MAX;
    uint64_t rate = c->paced ? tcp_pacing_rate(c) : UINT64_MAX;
    uint64_t round = tcp_window_rate(c);
    uint64_t octets = (rate < round ? rate : round) >> RATE_SHIFT;
    uint32_t halvings = (c->min_rtt != 0 ? c->min_rtt : c->srtt / 8) >> NEAR_SHIFT;
    if (halvings < 32)
        octets += (uint32_t)NEAR_OCTETS >> halvings;
    uint32_t half = c->cwnd / 2 / mss;
    uint64_t segments = octets / mss;
    if (segments < c->profile->burst_min)
        segments = c->profile->burst_min;
    if (segments > half)
        segments = half > 0 ? half : 1;
    return (uint32_t)segments * mss;
}

void tcp_burst_shorten(const struct tcp_connection *c, struct tcp_path *path)
{
    uint32_t least = c->profile->burst_min;
    uint32_t burst = least != 0 ? tcp_burst_wanted(c, path->mss) : tcp_pacing_burst(c);
    if (path->frame_max == path->mss && path->mss < SUPER_MAX && least != 0)
        path->burst_max = SUPER_MAX - SUPER_MAX % path->mss; /* cut here: the device cannot */
    if (burst < path->burst_max)
        path->burst_max = burst > path->mss ? burst : path->mss;
}
