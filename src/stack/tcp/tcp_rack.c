/* SPDX-License-Identifier: ISC */
/*
 * tcp_rack.c - recent acknowledgement (RFC 8985 §6): what was sent some time before something that
 * has arrived is lost, however few have arrived. The time is how much the path mixes up, which is
 * learned from what came late and from what was sent again in vain (D-SACK).
 *
 * DEVIATES RFC 8985 §6.2: which transmission was later is told by their numbers, not by their times,
 * so that nothing depends on how coarse the clock is.
 * DEVIATES RFC 8985 §6.2, step 4: each wider window is wider by an eighth of SRTT at least. A single segment
 * that a path has let overtake all others makes min_RTT so short that a quarter of it would be added a
 * hundred times, each after a loss that was none.
 */
#include "stack/tcp/internal.h"

enum {
    REORDER_PERSIST = 16, /* recoveries that a wider window lasts */
};

bool tcp_rack_in_use(const struct tcp_connection *c)
{
    return c->sack && c->profile->rack;
}

/* RACK_sent_after(): was this transmission later than the other one? */
static bool sent_after(uint32_t order, struct seq end, uint32_t other_order, struct seq other_end)
{
    int32_t diff = (int32_t)(order - other_order);
    return diff > 0 || (diff == 0 && seq_after(end, other_end));
}

/* §6.2, step 2: may it be the first transmission whose acknowledgement comes only now? */
static bool ambiguous(const struct tcp_connection *c, const struct tcp_sent *sent, usec rtt,
                      const struct tcp_options *options)
{
    if (!(sent->flags & TCP_SENT_EVER_AGAIN))
        return false;
    if (c->timestamps && (options->present & TCP_HAS_TIMESTAMPS)) {
        uint32_t stamp = tcp_timestamp_at(c, sent->sent_at);
        if ((int32_t)(options->timestamp_echo - stamp) < 0)
            return true;
    }
    return rtt < (usec)c->min_rtt;
}

/* §6.2, step 3: octets that were sent once have come after later ones. */
static void note_order(const struct tcp_sent *sent, struct seq end, struct tcp_ack_event *event)
{
    if (!event->fack_valid || seq_after_equal(end, event->fack_before))
        return;
    if (!event->was_reordered || seq_before(sent->start, event->reordered))
        event->reordered = sent->start;
    event->was_reordered = true;
}

void tcp_rack_arrived(struct tcp_connection *c, const struct tcp_sent *sent, struct seq end,
                      struct tcp_ack_event *event)
{
    struct tcp_rack *rack = &c->sending->rack;
    usec rtt = usec_min(c->stack->now - sent->sent_at, TCP_RTT_MAX);
    if (!(sent->flags & TCP_SENT_EVER_AGAIN)) {
        tcp_min_rtt_sample(c, rtt);
        note_order(sent, end, event);
    }
    if (!rack->valid || seq_after(end, rack->fack))
        rack->fack = end;
    if (ambiguous(c, sent, rtt, event->options))
        return;
    rack->rtt = (uint32_t)rtt;
    if (rack->valid && !sent_after(sent->order, end, rack->order, rack->end))
        return;
    rack->valid = true;
    rack->order = sent->order;
    rack->end = end;
}

/* The path mixes up more than was thought: by so many segments (RFC 4653 has the idea). */
void tcp_rack_reordered(struct tcp_connection *c, struct seq start)
{
    int32_t diff = seq_diff(c->sending->rack.fack, start);
    uint32_t by = diff > 0 ? (uint32_t)diff : 0;
    uint32_t segments = (by + c->mss - 1) / c->mss;
    c->reordering_seen = true;
    c->reorderings++;
    if (segments > TCP_REORDERING_MAX)
        segments = TCP_REORDERING_MAX;
    if (segments > c->reordering)
        c->reordering = (uint16_t)segments;
}

void tcp_rack_acked(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    struct tcp_rack *rack = &c->sending->rack;
    if (event->was_reordered)
        tcp_rack_reordered(c, event->reordered);
    /* §6.2, step 4: a wider window for each round trip with octets that arrived twice. Duplicates of
     * somebody who never sent anything again are the network's. */
    if (rack->in_dsack_round && seq_after_equal(c->snd_una, rack->dsack_round))
        rack->in_dsack_round = false;
    if (!event->dsack || event->dsack_of_probe || rack->in_dsack_round || c->retransmits == 0)
        return;
    rack->in_dsack_round = true;
    rack->dsack_round = c->snd_nxt;
    c->reorder_persist = REORDER_PERSIST;
    if (c->reorder_steps < UINT8_MAX)
        c->reorder_steps++;
}

void tcp_rack_recovery_over(struct tcp_connection *c)
{
    if (c->reorder_persist > 0)
        c->reorder_persist--;
    if (c->reorder_persist == 0)
        c->reorder_steps = 1;
}

/* RACK_update_reo_wnd(). On the shortest paths a tick of the timer is less than nothing. */
static usec reorder_window(const struct tcp_connection *c)
{
    uint32_t enough = c->reordering * (uint32_t)c->mss;
    if (!c->reordering_seen &&
        (c->recovery >= TCP_RECOVERY || c->sending->sacked >= enough ||
         c->dup_acks >= c->reordering))
        return 0;
    usec quarter = usec_max(c->min_rtt / 4, WHEEL_TICK);
    usec srtt = c->srtt / 8;
    usec more = usec_max(quarter, srtt / 8);
    return usec_min(quarter + more * (c->reorder_steps - 1), usec_max(srtt, WHEEL_TICK));
}

void tcp_rack_detect(struct tcp_connection *c)
{
    struct tcp_sending *s = c->sending;
    const struct tcp_rack *rack = &s->rack;
    s->reorder_at = USEC_NEVER;
    if (!rack->valid)
        return;
    usec window = reorder_window(c);
    usec latest = 0;
    bool some_late = false;
    struct list_node *next;
    for (struct list_node *node = rack->by_time.next; node != &rack->by_time; node = next) {
        struct tcp_sent *sent = CONTAINER_OF(node, struct tcp_sent, by_time);
        next = node->next;
        if (!sent_after(rack->order, rack->end, sent->order, sent->end))
            break; /* nor was anything behind it */
        usec due = sent->sent_at + (usec)rack->rtt + window;
        if (due <= c->stack->now) {
            tcp_sent_lose(c, sent);
        } else {
            latest = usec_max(latest, due);
            some_late = true;
        }
    }
    if (some_late)
        s->reorder_at = latest;
}

void tcp_rack_timed_out(struct tcp_connection *c)
{
    const struct tcp_rack *rack = &c->sending->rack;
    usec rtt = rack->valid ? (usec)rack->rtt : (usec)(c->srtt / 8);
    usec before = c->stack->now - rtt - reorder_window(c);
    for (struct tcp_sent *sent = c->sending->first; sent != NULL; sent = sent->next) {
        bool old = sent == c->sending->first || sent->sent_at <= before;
        if (old && !(sent->flags & TCP_SENT_SACKED))
            tcp_sent_lose(c, sent);
    }
}
