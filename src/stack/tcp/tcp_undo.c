/* SPDX-License-Identifier: ISC */
/*
 * tcp_undo.c - what to do when nothing was lost: the window is put back that was taken for it (RFC
 * 4015). That octets were sent again in vain is known by timestamps, when the acknowledgement echoes
 * a segment that is older than the retransmission (Eifel, RFC 3522); by D-SACK, when all that was
 * sent again has arrived twice (RFC 3708); and after a timeout by what arrives first (F-RTO, RFC
 * 5682), also without either.
 */
#include "stack/tcp/internal.h"

void tcp_undo_begin(struct tcp_connection *c)
{
    if (!tcp_extra_begin(c))
        return;
    c->extra->undo = (struct tcp_undo){
        .cwnd = c->cwnd,
        .ssthresh = c->ssthresh,
        .from = c->snd_una,
        .possible = c->profile->undo,
    };
}

void tcp_undo_sent_again(struct tcp_connection *c, uint32_t len)
{
    struct tcp_undo *undo = &c->extra->undo;
    if (!undo->possible)
        return;
    if (!undo->sent_again)
        undo->stamp = tcp_timestamp(c);
    undo->sent_again = true;
    undo->octets += len;
}

/* RFC 3708 §3: what is reported here was sent again in vain. */
static void take_dsack(struct tcp_undo *undo, const struct tcp_ack_event *event)
{
    uint32_t len = (uint32_t)seq_diff(event->dsack_end, event->dsack_start);
    if (seq_after(event->dsack_end, undo->from))
        undo->octets -= len < undo->octets ? len : undo->octets;
}

/* RFC 3522 §3.2, steps 4 and 5: the first transmission was only late. */
static bool echo_is_older(const struct tcp_connection *c, const struct tcp_ack_event *event)
{
    const struct tcp_options *options = event->options;
    return c->timestamps && (options->present & TCP_HAS_TIMESTAMPS) && event->acknowledged > 0 &&
           (int32_t)(options->timestamp_echo - c->extra->undo.stamp) < 0;
}

enum tcp_vain tcp_undo_reason(const struct tcp_connection *c, const struct tcp_ack_event *event)
{
    const struct tcp_undo *undo = &c->extra->undo;
    if (!undo->possible || !undo->sent_again)
        return TCP_VAIN_NOT;
    if (undo->octets == 0)
        return TCP_VAIN_TWICE;
    return echo_is_older(c, event) ? TCP_VAIN_LATE : TCP_VAIN_NOT;
}

/* RFC 4015 §3.2, steps DOT and SPR: the window as it was, or what it has become since. */
void tcp_undo(struct tcp_connection *c)
{
    struct tcp_undo *undo = &c->extra->undo;
    if (!undo->possible)
        return;
    undo->possible = false;
    c->stack->counters.tcpUndos++;
    if (!c->congestion->own_window && c->cwnd < undo->cwnd)
        c->cwnd = undo->cwnd;
    if (c->ssthresh < undo->ssthresh)
        c->ssthresh = undo->ssthresh;
    if (c->congestion->undo != NULL)
        c->congestion->undo(c);
}

void tcp_undo_acked(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    if (!event->dsack || !c->extra->undo.possible)
        return;
    take_dsack(&c->extra->undo, event);
    if (c->recovery <= TCP_DISORDER && tcp_undo_reason(c, event) == TCP_VAIN_TWICE)
        tcp_undo(c);
}
