/* SPDX-License-Identifier: ISC */
/*
 * tcp_recovery.c - noticing loss and mending it: fast retransmit and fast recovery, by time (RFC
 * 8985) or by count (RFC 6675) with SACK, and without (RFC 6582); limited transmit (RFC 3042); and
 * what follows a timeout (RFC 5681 §3.1). It marks records as lost; tcp_output() sends them again as
 * cwnd allows.
 *
 * SKIPS RFC 6675 §4, NextSeg() (3) and (4): sending again what is not thought lost yet. The tail loss
 * probe does what they are for (RFC 8985 §3.3).
 */
#include "stack/tcp/internal.h"

/* Marks one segment at the front as lost: all that is known without SACK. */
static void lose_first_segment(struct tcp_connection *c)
{
    struct tcp_sent *first = c->sending->first;
    if (first == NULL || (first->flags & (TCP_SENT_SACKED | TCP_SENT_LOST)))
        return;
    /* Without memory to split it the whole record is sent again. */
    if (tcp_sent_len(first) > c->mss)
        (void)!tcp_sent_split(c, first, seq_add(first->start, c->mss));
    tcp_sent_lose(c, first);
}

/* Loss was noticed, or congestion told: the window is to shrink. */
static void shrink(struct tcp_connection *c, enum tcp_recovery_state state,
                   const struct tcp_ack_event *event)
{
    bool shrinks = c->recovery == TCP_REDUCING;
    c->recover = c->snd_nxt;
    c->recovery = (uint8_t)state;
    if (shrinks) {
        if (c->profile->abe) /* RFC 8511 §3.1: it is as if the loss had come alone */
            c->ssthresh = c->congestion->ssthresh(c, tcp_flight(c), TCP_BY_LOSS_AFTER_MARK);
        return;
    }
    uint32_t flight = tcp_flight(c);
    if (state == TCP_REDUCING && event->flight_before > flight)
        flight = event->flight_before; /* what this ACK took out was what met the congestion */
    enum tcp_congested by = state == TCP_REDUCING ? TCP_BY_MARK : TCP_BY_LOSS;
    c->ssthresh = c->congestion->ssthresh(c, flight, by);
    tcp_ecn_reduced(c);
    if (tcp_prr_in_use(c))
        tcp_prr_begin(c, event);
    else if (!c->congestion->own_window)
        c->cwnd = c->ssthresh;
}

static void enter_recovery(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    tcp_undo_begin(c);
    shrink(c, TCP_RECOVERY, event);
    c->sending->probe_at = USEC_NEVER;
    c->retransmit_forced = true; /* the first one at once: RFC 5681 §3.2, 3; RFC 6675 §5, 4.3 */
    if (tcp_rack_in_use(c)) {
        tcp_rack_detect(c); /* now that disorder is no excuse any more */
    } else {
        lose_first_segment(c);
        if (c->sack)
            tcp_sent_mark_lost(c);
        else
            c->sending->inflated = c->reordering * (uint32_t)c->mss;
    }
}

/* All that was outstanding when loss was noticed has been acknowledged. */
static void leave_recovery(struct tcp_connection *c)
{
    bool shrinks = c->recovery == TCP_RECOVERY || c->recovery == TCP_REDUCING;
    if (shrinks && tcp_prr_in_use(c)) {
        tcp_prr_end(c);
    } else if (c->recovery == TCP_RECOVERY && !c->congestion->own_window) {
        /* RFC 6582 §3.2, step 3, full acknowledgement (1): no burst. */
        uint32_t flight = tcp_flight(c) > c->mss ? tcp_flight(c) : c->mss;
        uint32_t gentle = flight + c->mss;
        c->cwnd = c->ssthresh < gentle ? c->ssthresh : gentle;
    }
    if (c->recovery >= TCP_RECOVERY)
        tcp_rack_recovery_over(c);
    c->recovery = TCP_OPEN;
    c->dup_acks = 0;
    c->sending->inflated = 0;
    c->sending->forward = TCP_FORWARD_OFF;
}

/* The peer has seen a mark (RFC 3168 §6.1.2): as after loss, once in a round trip, which is over when
 * something was acknowledged that went out after the last reduction, so that CWR has arrived. */
static void heed_mark(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    c->marked += tcp_segments_of(event->delivered, c->mss);
    if (c->extra->undo.possible) /* there is congestion, whatever was sent in vain */
        c->extra->undo.possible = false;
    if (c->recovery > TCP_DISORDER || !seq_after(c->snd_una, c->recover))
        return;
    c->stack->counters.tcpEcnReductions++;
    shrink(c, TCP_REDUCING, event);
    if (tcp_flight(c) == 0)
        leave_recovery(c);
}

static void count_duplicates(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    if (event->acknowledged > 0) {
        c->dup_acks = 0;
        c->sending->inflated = 0;
    } else if (event->duplicate && c->dup_acks < UINT8_MAX) {
        c->dup_acks++;
        /* RFC 3042: the first two let new segments out. SACK has that in the pipe's length. */
        if (!c->sack && c->dup_acks < c->reordering)
            c->sending->inflated += c->mss;
    }
}

static bool loss_is_evident(const struct tcp_connection *c, const struct tcp_ack_event *event)
{
    if (c->sending->first == NULL)
        return false;
    if (tcp_rack_in_use(c))
        return event->lost > 0;
    if (c->sack)
        return c->dup_acks >= c->reordering || event->lost > 0;
    /* RFC 6582 §3.2, step 1: not for duplicates of what an earlier loss made us send. */
    return c->dup_acks >= c->reordering && seq_after(c->snd_una, c->recover);
}

/* Marks what is lost by now. */
static void find_lost(struct tcp_connection *c, struct tcp_ack_event *event)
{
    uint32_t before = c->sending->found_lost;
    if (tcp_rack_in_use(c))
        tcp_rack_detect(c);
    else if (c->sack)
        tcp_sent_mark_lost(c);
    event->lost = c->sending->found_lost - before;
}

/* It is only a probe of the path that is lost: no congestion (RFC 4821 §7.6.2). */
static bool only_a_probe(struct tcp_connection *c)
{
    return UNLIKELY(c->extra->mtu_probe != 0) && tcp_path_probe_lost(c);
}

static void when_open(struct tcp_connection *c, struct tcp_ack_event *event)
{
    count_duplicates(c, event);
    find_lost(c, event);
    if (loss_is_evident(c, event) && !only_a_probe(c))
        enter_recovery(c, event);
    else if (c->recovery != TCP_REDUCING)
        c->recovery = c->sending->sacked > 0 || c->dup_acks > 0 ? TCP_DISORDER : TCP_OPEN;
    /* So that it stays behind snd_una however much goes well. */
    if (UNLIKELY(seq_diff(c->snd_una, c->recover) > 1 << 30) && c->recovery == TCP_OPEN)
        c->recover = seq_subtract(c->snd_una, 1);
}

static void when_recovering(struct tcp_connection *c, struct tcp_ack_event *event)
{
    find_lost(c, event);
    if (c->sack)
        return;
    if (event->acknowledged > 0) {
        /* RFC 6582 §3.2, step 3, partial acknowledgement: the next hole is known. */
        uint32_t gone = event->acknowledged;
        c->sending->inflated = c->sending->inflated > gone ? c->sending->inflated - gone : 0;
        if (gone >= c->mss)
            c->sending->inflated += c->mss;
        lose_first_segment(c);
        c->retransmit_forced = true;
    } else if (event->duplicate && c->sending->inflated < tcp_flight(c)) {
        c->sending->inflated += c->mss; /* RFC 5681 §3.2, step 4 */
    }
}

static bool shrinking(const struct tcp_connection *c)
{
    return c->recovery == TCP_REDUCING || c->recovery == TCP_RECOVERY;
}

/* RFC 4015: nothing was lost. What is marked so is still under way. */
static void take_back(struct tcp_connection *c, struct seq front_before)
{
    tcp_sent_mark_none_lost(c);
    tcp_undo(c);
    if (tcp_rack_in_use(c) && c->sending->rack.valid)
        tcp_rack_reordered(c, front_before);
    c->sending->forward = TCP_FORWARD_OFF;
    c->sending->inflated = 0;
    c->dup_acks = 0;
    c->backoff = 0;
    c->recovery = TCP_OPEN;
}

/* In fast recovery: was it entered for nothing? While something that was sent again is still under way,
 * only D-SACK can tell of all of it. */
static bool recovery_was_vain(const struct tcp_connection *c, const struct tcp_ack_event *event,
                              bool over)
{
    enum tcp_vain vain = tcp_undo_reason(c, event);
    return vain == TCP_VAIN_TWICE ||
           (vain == TCP_VAIN_LATE && (over || c->sending->again == 0));
}

/* RFC 5682 §3.1, with SACK; without (§2.1), what was sent again may have let the receiver acknowledge
 * what it had kept, so that such an acknowledgement tells nothing. */
static bool timeout_was_vain(const struct tcp_connection *c, const struct tcp_ack_event *event)
{
    if (tcp_undo_reason(c, event) != TCP_VAIN_NOT)
        return true;
    return c->sending->forward != TCP_FORWARD_OFF && event->original_arrived &&
           (c->sack || !event->again_arrived);
}

/* RFC 5682 §3.1, steps 2 and 3. */
static void forward(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    struct tcp_sending *s = c->sending;
    if (seq_after(c->snd_nxt, c->recover)) {
        if (event->sacked > 0 || event->duplicate)
            s->forward = TCP_FORWARD_OFF; /* 3 a: new text has arrived, and not the old */
    } else if (event->acknowledged > 0) {
        bool some = seq_before(c->snd_nxt, c->snd_end) && c->snd_wnd > tcp_flight(c);
        s->forward = some ? TCP_FORWARD_TRY : TCP_FORWARD_OFF;
    } else if (event->duplicate) {
        s->forward = TCP_FORWARD_OFF; /* 2 a */
    }
}

static void when_lost(struct tcp_connection *c, struct tcp_ack_event *event)
{
    if (c->sending->forward != TCP_FORWARD_OFF)
        forward(c, event);
    find_lost(c, event);
}

void tcp_recovery_acked(struct tcp_connection *c, struct tcp_ack_event *event)
{
    bool over = c->recovery >= TCP_REDUCING && seq_after_equal(c->snd_una, c->recover);
    /* Congestion control grows the window only while nobody shrinks it. */
    struct seq front_before = seq_subtract(c->snd_una, event->acknowledged);
    bool grows = c->congestion->own_window || (event->acknowledged > 0 && !shrinking(c));
    if (tcp_rack_in_use(c))
        tcp_rack_acked(c, event);
    if (c->recovery == TCP_LOSS && grows && !c->congestion->own_window) {
        c->congestion->acked(c, event);
        grows = false;
    }
    if (c->recovery == TCP_RECOVERY && recovery_was_vain(c, event, over)) {
        take_back(c, front_before);
    } else if (c->recovery == TCP_LOSS && timeout_was_vain(c, event)) {
        c->stack->counters.tcpTimeoutsInVain++;
        take_back(c, front_before);
    } else if (over) {
        leave_recovery(c);
    }
    if (UNLIKELY(event->ecn))
        heed_mark(c, event);
    switch ((enum tcp_recovery_state)c->recovery) {
    case TCP_OPEN:
    case TCP_DISORDER:
    case TCP_REDUCING:
        when_open(c, event);
        break;
    case TCP_RECOVERY:
        when_recovering(c, event);
        break;
    case TCP_LOSS:
        when_lost(c, event);
        break;
    }
    if (shrinking(c) && tcp_prr_in_use(c))
        tcp_prr_acked(c, event);
    if (grows && (c->congestion->own_window || !shrinking(c)))
        c->congestion->acked(c, event);
}

void tcp_recovery_late(struct tcp_connection *c)
{
    struct tcp_ack_event event = {.rtt = -1};
    find_lost(c, &event);
    if (event.lost == 0 || c->recovery >= TCP_RECOVERY || only_a_probe(c))
        return;
    enter_recovery(c, &event);
    if (tcp_prr_in_use(c)) {
        event.delivered = c->mss; /* what made it late */
        tcp_prr_acked(c, &event);
    }
}

/* RFC 5681 §3.1: is the timeout about other losses than those that have shrunk the window? */
static bool timeout_is_news(const struct tcp_connection *c)
{
    return c->recovery <= TCP_DISORDER || seq_after_equal(c->snd_una, c->recover) ||
           (c->recovery == TCP_LOSS && c->retries == 1);
}

void tcp_recovery_timed_out(struct tcp_connection *c)
{
    struct tcp_sending *s = c->sending;
    bool asks = c->recovery < TCP_RECOVERY || c->retries > 1;
    if (UNLIKELY(c->extra->mtu_probe != 0))
        tcp_path_probe_timed_out(c);
    if (timeout_is_news(c)) {
        tcp_undo_begin(c);
        c->ssthresh = c->congestion->ssthresh(c, tcp_flight(c), TCP_BY_LOSS);
        tcp_ecn_reduced(c);
    }
    c->congestion->timed_out(c);
    s->forward = c->profile->forward_rto && asks ? TCP_FORWARD_ASK : TCP_FORWARD_OFF;
    s->inflated = 0;
    s->reorder_at = USEC_NEVER;
    s->probe_at = USEC_NEVER;
    if (s->first != NULL && (s->first->flags & TCP_SENT_SACKED)) {
        /* RFC 2018 §8: a receiver that reported the front, but does not acknowledge it, has reneged.
         * Otherwise what was reported stays so (RFC 6675 §5.1). */
        tcp_sent_forget_sack(c);
        tcp_sent_mark_all_lost(c);
        s->forward = TCP_FORWARD_OFF;
    } else if (tcp_rack_in_use(c)) {
        tcp_rack_timed_out(c);
    } else {
        tcp_sent_mark_all_lost(c);
    }
    c->recovery = TCP_LOSS;
    c->recover = c->snd_nxt;
    c->dup_acks = 0;
    c->cwnd = tcp_pipe(c) + c->mss; /* the loss window */
    c->retransmit_forced = true;
}

struct tcp_sent *tcp_recovery_next(struct tcp_connection *c)
{
    if (LIKELY(c->sending->lost == c->sending->again) || c->sending->forward >= TCP_FORWARD_TRY)
        return NULL;
    struct tcp_sent *sent = c->sending->lost_next != NULL ? c->sending->lost_next : c->sending->first;
    while (sent != NULL && (sent->flags & (TCP_SENT_LOST | TCP_SENT_AGAIN)) != TCP_SENT_LOST)
        sent = sent->next;
    ASSERT(sent != NULL);
    c->sending->lost_next = sent;
    return sent;
}
