/* SPDX-License-Identifier: ISC */
/*
 * tcp_rtt.c - the round trip and the retransmission timeout (RFC 6298), with timestamps where a
 * retransmission makes the sending time ambiguous (RFC 7323 §4).
 *
 * srtt is kept times 8 and rttvar times 4, so that the weights 1/8 and 1/4 are shifts and lose
 * nothing.
 */
#include "stack/tcp/internal.h"

void tcp_rtt_sample(struct tcp_connection *c, usec rtt)
{
    if (rtt < 0)
        return;
    if (rtt < 1)
        rtt = 1; /* srtt 0 says that there is none */
    if (rtt > TCP_RTT_MAX)
        rtt = TCP_RTT_MAX;
    int64_t r = rtt;
    if (c->srtt == 0) { /* §2.2 */
        c->srtt = (uint32_t)(r * 8);
        c->rttvar = (uint32_t)(r * 2);
    } else { /* §2.3: rttvar first, with the old srtt */
        int64_t error = r - (int64_t)(c->srtt / 8);
        int64_t deviation = error < 0 ? -error : error;
        c->rttvar = (uint32_t)((int64_t)c->rttvar + deviation - (int64_t)(c->rttvar / 4));
        c->srtt = (uint32_t)((int64_t)c->srtt + error);
    }
    usec variance = usec_max(c->rttvar, usec_max(c->profile->rto_min, WHEEL_TICK)); /* G */
    usec round_trip = c->srtt / 8 < WHEEL_TICK ? 0 : c->srtt / 8;
    c->rto = (uint32_t)usec_min(round_trip + variance, c->profile->rto_max);
}

usec tcp_rto(const struct tcp_connection *c)
{
    usec rto = (usec)c->rto << (c->backoff < 10 ? c->backoff : 10);
    return usec_min(rto, c->profile->rto_max);
}

/* A coarse clock sees no time pass on a short path; 0 says that there is no sample. */
void tcp_min_rtt_sample(struct tcp_connection *c, usec rtt)
{
    uint32_t sample = rtt > 0 ? (uint32_t)rtt : 1;
    if (c->min_rtt == 0 || sample < c->min_rtt)
        c->min_rtt = sample;
}

uint32_t tcp_timestamp_at(const struct tcp_connection *c, usec at)
{
    return (uint32_t)(at / USEC_PER_MSEC) + c->ts_offset;
}

uint32_t tcp_timestamp(const struct tcp_connection *c)
{
    return tcp_timestamp_at(c, c->stack->now);
}

usec tcp_timestamp_rtt(const struct tcp_connection *c, const struct tcp_options *options)
{
    int32_t msec = (int32_t)(tcp_timestamp(c) - options->timestamp_echo);
    if (!(options->present & TCP_HAS_TIMESTAMPS) || options->timestamp_echo == 0 || msec < 0 ||
        msec > TCP_RTT_MAX / USEC_PER_MSEC)
        return -1;
    return msec > 0 ? msec * USEC_PER_MSEC : USEC_PER_MSEC;
}
