/* SPDX-License-Identifier: ISC */
/*
 * tcp_tail_probe.c - the tail loss probe (RFC 8985 §7): when nothing comes back for two round trips,
 * one segment goes out, so that what it brings back shows what was lost; the timeout, which costs the
 * window, is left to what nothing can mend otherwise.
 */
#include "stack/tcp/internal.h"

#define ACK_DELAY_MAX (200 * USEC_PER_MSEC) /* §7.2: of a peer that got one segment only */
#define PROBE_SLACK (2 * USEC_PER_MSEC)     /* of the peer's timer, on the shortest paths */

/* §7.2, TLP_calc_PTO(). */
static usec probe_interval(const struct tcp_connection *c)
{
    if (c->srtt == 0)
        return USEC_PER_SEC;
    const struct tcp_sent *first = c->sending->first;
    bool one = first == c->sending->last && tcp_sent_len(first) <= c->mss;
    usec slack = one ? ACK_DELAY_MAX : PROBE_SLACK;
    return 2 * (usec)(c->srtt / 8) + slack;
}

/* §7.2: a probe is for those who could tell loss from disorder, and do not yet know of any. */
static bool may_probe(const struct tcp_connection *c)
{
    bool calm = c->recovery == TCP_OPEN || c->recovery == TCP_REDUCING;
    return c->sack && c->profile->tail_loss_probe && calm && c->sending->sacked == 0 &&
           !c->extra->probing && c->snd_wnd > 0 && c->state >= TCP_ESTABLISHED;
}

void tcp_tail_probe_schedule(struct tcp_connection *c)
{
    struct tcp_sending *s = c->sending;
    s->probe_at = USEC_NEVER;
    if (may_probe(c) && s->first != NULL) {
        usec now = c->stack->now;
        usec rto_at = s->rto_at != USEC_NEVER ? s->rto_at : now + tcp_patience(c);
        s->probe_at = usec_min(now + probe_interval(c), rto_at);
    }
}

void tcp_tail_probe_due(struct tcp_connection *c)
{
    c->sending->probe_at = USEC_NEVER;
    c->sending->probe_wanted = may_probe(c) && tcp_extra_begin(c);
    c->sending->probe_room = c->sending->probe_wanted;
    tcp_rto_restart(c); /* §7.3: whether a probe goes or not */
    tcp_wake(c);
}

/* The last segment that is under way, in a record of its own; NULL: no memory for one. */
struct tcp_sent *tcp_tail_probe_segment(struct tcp_connection *c)
{
    struct tcp_sent *last = c->sending->last;
    uint32_t text = tcp_sent_len(last) - ((last->flags & TCP_SENT_FIN) != 0);
    uint32_t before = text > c->mss ? (text - 1) / c->mss * c->mss : 0;
    if (before == 0)
        return last;
    return tcp_sent_split(c, last, seq_add(last->start, before)) ? last->next : NULL;
}

void tcp_tail_probe_sent(struct tcp_connection *c, bool again)
{
    c->extra->probing = true;
    c->extra->probe_again = again;
    c->extra->probe_end = c->snd_nxt;
    c->stack->counters.tcpTailProbes++;
    c->sending->probe_wanted = false;
    c->sending->probe_room = false;
}

/* §7.4.2: the probe has mended what nobody had noticed. It was congestion all the same. */
static void respond(struct tcp_connection *c)
{
    c->stack->counters.tcpTailProbesMended++;
    if (c->recovery > TCP_DISORDER)
        return;
    c->ssthresh = c->congestion->ssthresh(c, tcp_flight(c), TCP_BY_LOSS);
    tcp_ecn_reduced(c);
    if (!c->congestion->own_window && c->cwnd > c->ssthresh)
        c->cwnd = c->ssthresh;
}

/* §7.4.1, TLP_process_ack(). */
void tcp_tail_probe_acked(struct tcp_connection *c, struct tcp_ack_event *event)
{
    struct tcp_extra *extra = c->extra;
    if (seq_before(event->ack, extra->probe_end))
        return;
    bool twice = event->dsack && seq_equal(event->dsack_end, extra->probe_end);
    bool bare_duplicate = seq_equal(event->ack, c->snd_una) && event->options->sack_count == 0;
    bool beyond = seq_after(event->ack, extra->probe_end);
    event->dsack_of_probe = twice;
    if (!extra->probe_again || twice) {
        extra->probing = false; /* new octets; or both transmissions have arrived */
    } else if (beyond) {
        extra->probing = false;
        respond(c);
    } else if (bare_duplicate) {
        extra->probing = false; /* the answer to the second one, of a peer without D-SACK */
    }
}
