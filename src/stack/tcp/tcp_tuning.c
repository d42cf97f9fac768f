/* SPDX-License-Identifier: ISC */
/*
 * tcp_tuning.c - how large the receive buffer has to be (dynamic right-sizing, Fisk and Feng 2001):
 * a window limits the peer to so much in a round trip; who consumes as much as that could take more,
 * and is offered twice of it, so that also a peer in slow start finds the window ahead of it.
 *
 * The round trip is the receiver's own: what timestamps say, or the time in which a window's worth
 * comes. Only the first 64 KiB are free of it: short dialogues need no state for this.
 *
 * The send buffer needs none: tcp_send_limit() follows cwnd.
 */
#include "stack/tcp/internal.h"

enum {
    TUNE_AFTER = 64 * 1024,
    TUNE_SLACK = 16, /* segments that may come late without the window being in the way */
    TUNE_SHARE = 8,  /* of all frames, for one connection */
};

void tcp_tune_round_trip(struct tcp_connection *c, const struct tcp_segment *seg)
{
    if (c->octets_received < TUNE_AFTER || !tcp_extra_begin(c))
        return;
    struct tcp_extra *extra = c->extra;
    if (extra->tune_rtt_at != 0 && seq_before(c->rcv_nxt, extra->tune_rtt_seq))
        return; /* one sample in a window's worth */
    usec rtt = -1;
    if (c->timestamps)
        rtt = tcp_timestamp_rtt(c, &seg->header.options);
    else if (extra->tune_rtt_at != 0)
        rtt = usec_max(c->stack->now - extra->tune_rtt_at, 1);
    extra->tune_rtt_at = c->stack->now;
    extra->tune_rtt_seq = c->rcv_adv;
    if (rtt < 0)
        return;
    uint32_t sample = (uint32_t)usec_min(rtt, TCP_RTT_MAX);
    /* Pauses of the peer are in the samples: the short ones say more. */
    if (extra->tune_rtt == 0 || sample < extra->tune_rtt)
        extra->tune_rtt = sample;
    else
        extra->tune_rtt += (sample - extra->tune_rtt) / 8;
}

/* No connection may get more than its share of the frames that all have. */
static uint32_t buffer_max(const struct tcp_connection *c)
{
    struct frame_pool_counters frames;
    frame_pool_counters(c->stack->frames, &frames);
    size_t share = frames.octets_max / TUNE_SHARE;
    uint32_t most = c->profile->receive_buffer_max;
    return share < most ? (uint32_t)share : most;
}

void tcp_tune_receive(struct tcp_connection *c)
{
    struct tcp_extra *extra = c->extra;
    if (extra->tune_rtt == 0)
        return;
    uint32_t consumed = (uint32_t)c->octets_received - c->received_len;
    if (extra->tune_at != 0 && c->stack->now - extra->tune_at < extra->tune_rtt)
        return;
    uint32_t copied = extra->tune_at != 0 ? consumed - extra->tune_consumed : 0;
    extra->tune_consumed = consumed;
    extra->tune_at = c->stack->now;
    if (copied <= extra->tune_space)
        return;
    extra->tune_space = copied;
    uint64_t wanted = 2 * (uint64_t)copied + TUNE_SLACK * (uint64_t)c->rcv_mss;
    if (wanted <= c->receive_buffer || tcp_frames_are_short(c->stack))
        return;
    uint32_t most = buffer_max(c);
    uint32_t buffer = wanted < most ? (uint32_t)wanted : most;
    if (buffer > c->receive_buffer)
        c->receive_buffer = buffer;
}
