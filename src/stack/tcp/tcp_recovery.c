/* SPDX-License-Identifier: ISC */
/*
 * tcp_recovery.c - noticing loss and mending it: fast retransmit and fast recovery with SACK (RFC
 * 6675) and without (RFC 6582), limited transmit (RFC 3042), and what follows a timeout (RFC 5681
 * §3.1). It marks records as lost; tcp_output() sends them again as cwnd allows.
 *
 * SKIPS RFC 6675 §4, NextSeg() (3) and (4): sending again what is not thought lost yet; a lost tail
 * waits for the timer.
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
    tcp_sent_set(c, first, first->flags | TCP_SENT_LOST);
}

static void enter_recovery(struct tcp_connection *c)
{
    c->ssthresh = c->congestion->ssthresh(c);
    c->cwnd = c->ssthresh;
    c->recover = c->snd_nxt;
    c->recovery = TCP_RECOVERY;
    c->retransmit_forced = true; /* the first one at once: RFC 5681 §3.2, 3; RFC 6675 §5, 4.3 */
    lose_first_segment(c);
    if (c->sack)
        tcp_sent_mark_lost(c);
    else
        c->sending->inflated = TCP_DUP_THRESHOLD * (uint32_t)c->mss;
}

/* All that was outstanding when loss was noticed has been acknowledged. */
static void leave_recovery(struct tcp_connection *c)
{
    if (c->recovery == TCP_RECOVERY) {
        /* RFC 6582 §3.2, step 3, full acknowledgement (1): no burst. */
        uint32_t flight = tcp_flight(c) > c->mss ? tcp_flight(c) : c->mss;
        uint32_t gentle = flight + c->mss;
        c->cwnd = c->ssthresh < gentle ? c->ssthresh : gentle;
    }
    c->recovery = TCP_OPEN;
    c->dup_acks = 0;
    c->sending->inflated = 0;
}

static bool loss_is_evident(const struct tcp_connection *c)
{
    if (c->sending->first == NULL)
        return false;
    if (c->sack)
        return c->dup_acks >= TCP_DUP_THRESHOLD || (c->sending->first->flags & TCP_SENT_LOST);
    /* RFC 6582 §3.2, step 1: not for duplicates of what an earlier loss made us send. */
    return c->dup_acks >= TCP_DUP_THRESHOLD && seq_after(c->snd_una, c->recover);
}

static void when_open(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    if (event->acknowledged > 0) {
        c->dup_acks = 0;
        c->sending->inflated = 0;
    } else if (event->duplicate && c->dup_acks < UINT8_MAX) {
        c->dup_acks++;
        /* RFC 3042: the first two let new segments out. SACK has that in the pipe's length. */
        if (!c->sack && c->dup_acks < TCP_DUP_THRESHOLD)
            c->sending->inflated += c->mss;
    }
    if (c->sack && event->sacked > 0)
        tcp_sent_mark_lost(c);
    if (loss_is_evident(c))
        enter_recovery(c);
    else if (event->acknowledged > 0)
        c->congestion->acked(c, event);
}

static void when_recovering(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    if (c->sack) {
        tcp_sent_mark_lost(c);
    } else if (event->acknowledged > 0) {
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

void tcp_recovery_acked(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    bool over = c->recovery != TCP_OPEN && seq_after_equal(c->snd_una, c->recover);
    switch ((enum tcp_recovery_state)c->recovery) {
    case TCP_OPEN:
        when_open(c, event);
        break;
    case TCP_RECOVERY:
        if (over)
            leave_recovery(c);
        else
            when_recovering(c, event);
        break;
    case TCP_LOSS:
        if (event->acknowledged > 0)
            c->congestion->acked(c, event);
        if (over)
            leave_recovery(c);
        break;
    }
}

void tcp_recovery_timed_out(struct tcp_connection *c)
{
    /* RFC 5681 §3.1: ssthresh is halved once for a loss, however often the timer expires. */
    if (c->recovery != TCP_LOSS)
        c->ssthresh = c->congestion->ssthresh(c);
    c->congestion->timed_out(c);
    c->cwnd = c->mss; /* the loss window */
    c->recovery = TCP_LOSS;
    c->recover = c->snd_nxt;
    c->dup_acks = 0;
    c->sending->inflated = 0;
    /* RFC 2018 §8: a receiver that reported the front, but does not acknowledge it, has reneged.
     * Otherwise what was reported stays so (RFC 6675 §5.1). */
    if (c->sending->first != NULL && (c->sending->first->flags & TCP_SENT_SACKED))
        tcp_sent_forget_sack(c);
    tcp_sent_mark_all_lost(c);
    c->retransmit_forced = true;
}

struct tcp_sent *tcp_recovery_next(struct tcp_connection *c)
{
    if (LIKELY(c->sending->lost == c->sending->again))
        return NULL;
    struct tcp_sent *sent = c->sending->lost_next != NULL ? c->sending->lost_next : c->sending->first;
    while (sent != NULL && (sent->flags & (TCP_SENT_LOST | TCP_SENT_AGAIN)) != TCP_SENT_LOST)
        sent = sent->next;
    ASSERT(sent != NULL);
    c->sending->lost_next = sent;
    return sent;
}
