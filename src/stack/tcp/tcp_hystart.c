/* SPDX-License-Identifier: ISC */
/*
 * tcp_hystart.c - HyStart++ (RFC 9406): the first slow start ends when the round trip grows, before
 * the queue overflows. Growth first slows down (conservative slow start, CSS); if the round trip
 * falls back, it was jitter, and slow start goes on.
 */
#include "stack/tcp/internal.h"

enum {
    MIN_RTT_THRESH = 4 * USEC_PER_MSEC, /* §4.3 has these values */
    MAX_RTT_THRESH = 16 * USEC_PER_MSEC,
    MIN_RTT_DIVISOR = 8,
    N_RTT_SAMPLE = 8,
    CSS_GROWTH_DIVISOR = 4,
    CSS_ROUNDS = 5,
    NO_RTT = UINT32_MAX,
};

static void begin_round(struct tcp_connection *c, struct tcp_hystart *h)
{
    h->last_min = h->running ? h->current_min : NO_RTT;
    h->current_min = NO_RTT;
    h->samples = 0;
    h->round_end = c->snd_nxt;
    h->running = true;
}

static void take_sample(struct tcp_hystart *h, usec rtt)
{
    if (rtt < 0)
        return;
    uint32_t sample = (uint32_t)usec_min(rtt, TCP_RTT_MAX);
    if (sample < h->current_min)
        h->current_min = sample;
    if (h->samples < N_RTT_SAMPLE)
        h->samples++;
}

static uint32_t threshold(uint32_t last_min)
{
    uint32_t part = last_min / MIN_RTT_DIVISOR;
    if (part < MIN_RTT_THRESH)
        return MIN_RTT_THRESH;
    return part < MAX_RTT_THRESH ? part : MAX_RTT_THRESH;
}

/* Slow start or CSS, by the samples of this round. */
static void choose_phase(struct tcp_hystart *h)
{
    if (h->samples < N_RTT_SAMPLE)
        return;
    if (h->conservative) {
        if (h->current_min < h->baseline)
            h->conservative = false;
    } else if (h->last_min != NO_RTT && h->current_min >= h->last_min + threshold(h->last_min)) {
        h->conservative = true;
        h->baseline = h->current_min;
        h->rounds = 0;
        h->credit = 0;
    }
}

uint32_t tcp_hystart(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    uint32_t growth = tcp_slow_start(c, event);
    struct tcp_hystart *h = &c->sending->hystart;
    if (!h->running)
        begin_round(c, h);
    take_sample(h, event->rtt);
    choose_phase(h);
    if (h->conservative) {
        h->credit += growth;
        growth = h->credit / CSS_GROWTH_DIVISOR;
        h->credit -= growth * CSS_GROWTH_DIVISOR;
    }
    if (seq_after(c->snd_una, h->round_end)) {
        begin_round(c, h);
        /* The round in which CSS began counts, though it is not whole. */
        if (h->conservative && ++h->rounds >= CSS_ROUNDS)
            c->ssthresh = c->cwnd + growth;
    }
    return growth;
}
