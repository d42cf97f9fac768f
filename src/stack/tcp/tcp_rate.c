/* SPDX-License-Identifier: ISC */
/*
 * tcp_rate.c - delivery rate samples (draft-ietf-ccwg-bbr §4.1, draft-cheng-iccrg-delivery-rate-
 * estimation): each record remembers what had been delivered when it was sent; when it arrives, the
 * octets delivered since then and the time that took are the rate at which the path delivers.
 *
 * Times are the low 32 bits of usec, octets the low 32 bits of their count: only differences are
 * used, and a record is under way for less than an hour.
 */
#include "stack/tcp/internal.h"

static uint32_t stamp(const struct tcp_connection *c)
{
    return (uint32_t)c->stack->now;
}

uint32_t tcp_delivered(const struct tcp_connection *c)
{
    return (uint32_t)c->octets_acknowledged + c->sending->sacked;
}

/* §4.1.2.2 */
void tcp_rate_sent(struct tcp_connection *c, struct tcp_sent *sent)
{
    struct tcp_rate *rate = &c->sending->rate;
    if (sent->previous == NULL && sent->next == NULL && !(sent->flags & TCP_SENT_EVER_AGAIN)) {
        rate->first_sent_at = stamp(c); /* nothing else is under way */
        rate->delivered_at = stamp(c);
    }
    sent->rate.first_sent_at = rate->first_sent_at;
    sent->rate.delivered_at = rate->delivered_at;
    sent->rate.delivered = tcp_delivered(c);
    sent->rate.app_limited = rate->app_limited;
    if (UNLIKELY(c->congestion->lost != NULL)) {
        bool fresh = seq_after(sent->end, c->snd_nxt); /* which moves only after this */
        sent->rate.in_flight = tcp_pipe(c) + (fresh ? tcp_sent_len(sent) : 0);
        sent->rate.lost = c->sending->found_lost;
    }
}

/* §4.1.2.4: nothing is waiting, and there would be room. */
void tcp_rate_app_limited(struct tcp_connection *c)
{
    uint32_t pipe = tcp_pipe(c);
    if (c->sending == tcp_sending_none() || pipe >= c->cwnd ||
        c->sending->lost > c->sending->again)
        return;
    tcp_rate_mark_app_limited(c);
}

void tcp_rate_mark_app_limited(struct tcp_connection *c)
{
    c->sending->rate.app_limited = true;
    c->sending->rate.app_limited_end = tcp_delivered(c) + tcp_pipe(c);
}

/* §4.1.2.3, UpdateRateSample(): of all records that arrived, the one sent last tells most. */
void tcp_rate_arrived(struct tcp_connection *c, const struct tcp_sent *sent, struct seq end)
{
    struct tcp_rate *rate = &c->sending->rate;
    usec later = sent->sent_at - rate->sample_sent_at;
    if (rate->sampling && (later < 0 || (later == 0 && seq_before(end, rate->sample_end))))
        return;
    rate->sampling = true;
    rate->sample = sent->rate;
    rate->sample_again = (sent->flags & TCP_SENT_EVER_AGAIN) != 0;
    rate->sample_sent_at = sent->sent_at;
    rate->sample_end = end;
}

/* §4.1.2.3, GenerateRateSample() */
void tcp_rate_sample(struct tcp_connection *c, struct tcp_ack_event *event)
{
    struct tcp_rate *rate = &c->sending->rate;
    bool sampling = rate->sampling;
    rate->sampling = false;
    if (event->delivered == 0)
        return;
    if (rate->app_limited && (int32_t)(tcp_delivered(c) - rate->app_limited_end) > 0)
        rate->app_limited = false;
    rate->delivered_at = stamp(c);
    if (!sampling)
        return;
    uint32_t octets = tcp_delivered(c) - rate->sample.delivered;
    if ((int32_t)octets <= 0)
        return; /* the peer has taken back what it had reported */
    uint32_t sent_at = (uint32_t)rate->sample_sent_at;
    uint32_t send_elapsed = sent_at - rate->sample.first_sent_at;
    uint32_t ack_elapsed = stamp(c) - rate->sample.delivered_at;
    rate->first_sent_at = sent_at;
    event->rate_prior = rate->sample.delivered;
    event->rate_octets = octets;
    event->rate_app_limited = rate->sample.app_limited;
    event->rate_in_flight = rate->sample.in_flight;
    event->rate_lost = rate->sample.lost;
    event->rate_rtt = rate->sample_again ? -1 : c->stack->now - rate->sample_sent_at;
    /* Acknowledgements may come compressed; what was sent cannot have arrived any faster. */
    event->rate_interval = send_elapsed > ack_elapsed ? send_elapsed : ack_elapsed;
    event->rate_sampled = true;
    if (event->rate_interval == 0)
        return; /* a coarse clock */
    rate->last = (uint64_t)event->rate_octets * USEC_PER_SEC / event->rate_interval;
    rate->last_app_limited = event->rate_app_limited;
}
