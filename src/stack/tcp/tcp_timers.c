/* SPDX-License-Identifier: ISC */
/*
 * tcp_timers.c - the two timers of a connection. One serves retransmission (RFC 6298 §5), zero
 * window probes (RFC 9293 §3.8.6.1), the end of a cork's patience, a send() that found no memory,
 * keepalive (§3.8.4), FIN-WAIT-2 and the wait for tcp_answer(), which exclude each other; the
 * other one delays acknowledgements (§3.8.6.3). An idle connection has none armed.
 */
#include "stack/tcp/internal.h"

void tcp_timer_set(struct tcp_connection *c, enum tcp_timer_purpose purpose, usec due_at)
{
    c->purpose = (uint8_t)purpose;
    wheel_arm(&c->stack->wheel, &c->timer, due_at);
}

void tcp_timer_stop(struct tcp_connection *c)
{
    c->purpose = TCP_TIMER_NONE;
    wheel_disarm(&c->stack->wheel, &c->timer);
}

void tcp_flight_over(struct tcp_connection *c)
{
    struct tcp_sending *s = c->sending;
    if (s != tcp_sending_none()) {
        s->rto_at = USEC_NEVER;
        s->reorder_at = USEC_NEVER;
        s->probe_at = USEC_NEVER;
    }
    tcp_timer_stop(c);
}

static bool orphan(const struct tcp_connection *c)
{
    return !c->owned && c->listener == NULL;
}

/* Leaves a timer that runs for the same purpose as it is. */
static void keep_or_set(struct tcp_connection *c, enum tcp_timer_purpose purpose, usec interval)
{
    if (c->purpose != purpose)
        tcp_timer_set(c, purpose, c->stack->now + interval);
}

/* Is it the application's wish that what waits is not sent? */
static bool corked(const struct tcp_connection *c)
{
    return (c->cork || c->sending->held) && c->snd_wnd > 0 && (uint32_t)seq_diff(c->snd_end, c->snd_nxt) <= c->snd_wnd;
}

/* The timer that runs may be too early, and asks again then: deadlines mostly move away, with every
 * acknowledgement, and moving it each time were dear. */
void tcp_timer_rearm(struct tcp_connection *c)
{
    const struct tcp_sending *s = c->sending;
    usec due_at = usec_min(s->rto_at, usec_min(s->reorder_at, s->probe_at));
    if (UNLIKELY(c->fast_open_child || due_at == USEC_NEVER))
        return; /* tcp_timer_settle() does it */
    if (c->purpose != TCP_TIMER_RETRANSMIT || c->timer.due_at > due_at)
        tcp_timer_set(c, TCP_TIMER_RETRANSMIT, due_at);
}

void tcp_rto_restart(struct tcp_connection *c)
{
    c->sending->rto_at = c->stack->now + tcp_patience(c);
    tcp_timer_rearm(c);
}

/* Octets are under way; or a SYN, which has no record. */
static void settle_flight(struct tcp_connection *c)
{
    if (c->sending->first == NULL)
        keep_or_set(c, TCP_TIMER_RETRANSMIT, tcp_rto(c));
    else if (c->sending->rto_at == USEC_NEVER)
        tcp_rto_restart(c);
    else
        tcp_timer_rearm(c);
}

void tcp_timer_settle(struct tcp_connection *c)
{
    bool waits = seq_before(c->snd_nxt, c->snd_end) || (c->shutdown && !c->fin_sent);
    if (c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT || c->unanswered)
        return;
    if (c->fast_open_child) { /* until the handshake is complete only SYN,ACK goes again */
        keep_or_set(c, TCP_TIMER_RETRANSMIT, tcp_rto(c));
    } else if (tcp_flight(c) > 0) {
        settle_flight(c);
    } else if (waits && UNLIKELY(corked(c))) {
        keep_or_set(c, TCP_TIMER_CORK, TCP_CORK_TIMEOUT + c->srtt / 8);
    } else if (waits && !timer_armed(&c->sending->pace_timer)) {
        keep_or_set(c, TCP_TIMER_PERSIST, tcp_rto(c));
    } else if (UNLIKELY(c->send_full) && !c->shutdown && c->state != TCP_SYN_SENT) {
        keep_or_set(c, TCP_TIMER_ROOM, TCP_ROOM_TIMEOUT); /* there was no memory for a copy */
    } else if (c->state == TCP_FIN_WAIT_2 && orphan(c)) {
        keep_or_set(c, TCP_TIMER_FIN_WAIT_2, c->profile->fin_wait_2);
    } else if (c->keepalive) {
        usec idle = c->stack->now - c->last_received_at;
        keep_or_set(c, TCP_TIMER_KEEPALIVE, usec_max(c->profile->keepalive_idle - idle, 0));
    } else if (c->purpose != TCP_TIMER_NONE) {
        tcp_timer_stop(c);
    }
}

static unsigned retries_max(const struct tcp_connection *c)
{
    if (c->state == TCP_SYN_SENT)
        return c->profile->syn_retries;
    if (c->state == TCP_SYN_RECEIVED)
        return c->profile->syn_ack_retries;
    return orphan(c) ? c->profile->orphan_retries : c->profile->retries;
}

/* RFC 5482, and RFC 9293 §3.8.3 R2 as a time: how long there may be no progress, also when the peer
 * answers that its window is closed. It begins when that was sent which waits for an answer. */
static bool user_timed_out(struct tcp_connection *c)
{
    if (tcp_user_timeout(c) == 0 || !tcp_extra_begin(c))
        return false;
    if (c->extra->stalled_at == 0)
        c->extra->stalled_at = c->stack->now - tcp_rto(c); /* the timer was set then */
    return c->stack->now - c->extra->stalled_at >= tcp_user_timeout(c);
}

usec tcp_patience(const struct tcp_connection *c)
{
    usec interval = tcp_rto(c);
    usec since = c->extra->stalled_at;
    if (since == 0 || tcp_user_timeout(c) == 0)
        return interval;
    usec left = since + tcp_user_timeout(c) - c->stack->now;
    return usec_min(interval, usec_max(left, USEC_PER_MSEC));
}

/* One more timeout without an answer. True: it was one too many, and the connection is gone. */
static bool given_up(struct tcp_connection *c)
{
    bool late = user_timed_out(c);
    c->retries++;
    tcp_count_timeout(c);
    if (c->retries == TCP_R1 && (c->snd_wnd > 0 || c->state == TCP_SYN_SENT))
        ip_doubt(c->stack, &c->remote.address);
    if (c->retries == TCP_R1 && c->snd_wnd > 0)
        tcp_note_trouble(c, TCP_TROUBLE_NO_ANSWER, 0, 0);
    if (c->backoff < UINT8_MAX)
        c->backoff++;
    /* A peer that acknowledges probes of a closed window is waited for as long as it likes
     * (§3.8.6.1), but not for the sake of an application that has gone (RFC 6429 §3). */
    bool hopeless = orphan(c) && c->snd_wnd == 0 && c->backoff > c->profile->orphan_retries;
    bool over = tcp_user_timeout(c) == 0 && c->retries > retries_max(c);
    if (!over && !late && !hopeless)
        return false;
    tcp_fail(c, TCP_TIMED_OUT);
    return true;
}

/* What of the deadlines has come. True: it was not the retransmission timeout. */
static bool earlier_deadline(struct tcp_connection *c)
{
    struct tcp_sending *s = c->sending;
    usec now = c->stack->now;
    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED || s->first == NULL)
        return false;
    if (s->probe_at <= now && s->probe_at <= s->rto_at) {
        tcp_tail_probe_due(c);
    } else if (s->rto_at <= now) {
        return false;
    } else if (s->reorder_at <= now) {
        tcp_recovery_late(c);
        tcp_wake(c);
    }
    tcp_timer_rearm(c);
    return true;
}

static void retransmission_timeout(struct tcp_connection *c)
{
    if (c->state == TCP_SYN_SENT && (c->retries == 1 || c->retries == retries_max(c)))
        tcp_fast_open_unanswered(c);
    if (given_up(c))
        return;
    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED) {
        c->syn_wanted = true;
        tcp_count_retransmitted(c, 0);
    } else if (c->snd_wnd == 0) {
        /* Not the network's fault. One octet asks again. */
        struct tcp_sent *first = c->sending->first;
        bool split = tcp_sent_len(first) == 1 || tcp_sent_split(c, first, seq_add(first->start, 1));
        if (split && !(first->flags & TCP_SENT_SACKED))
            tcp_sent_lose(c, first);
        c->retransmit_forced = true;
    } else {
        if (UNLIKELY(c->retries >= TCP_R1))
            tcp_path_black_hole(c);
        tcp_recovery_timed_out(c);
    }
    if (c->sending->first != NULL)
        tcp_rto_restart(c);
    else
        tcp_timer_set(c, TCP_TIMER_RETRANSMIT, c->stack->now + tcp_patience(c));
    tcp_wake(c);
}

static void persist_timeout(struct tcp_connection *c)
{
    if (c->snd_wnd > 0 && tcp_frames_are_short(c->stack)) { /* it is not the peer's fault */
        tcp_timer_set(c, TCP_TIMER_PERSIST, c->stack->now + tcp_patience(c));
        tcp_wake(c);
        return;
    }
    if (given_up(c))
        return;
    /* DEVIATES RFC 9293 §3.8.6.1, where the profile wants it: what lies before the window is answered
     * too, and nothing is sent in vain. */
    if (c->snd_wnd == 0 && c->profile->empty_probes)
        c->keepalive_probe = true;
    else
        c->probe_forced = true;
    tcp_timer_set(c, TCP_TIMER_PERSIST, c->stack->now + tcp_patience(c));
    tcp_wake(c);
}

static void keepalive_timeout(struct tcp_connection *c)
{
    usec idle = c->stack->now - c->last_received_at;
    if (idle < c->profile->keepalive_idle) {
        c->retries = 0;
        tcp_timer_set(c, TCP_TIMER_KEEPALIVE, c->last_received_at + c->profile->keepalive_idle);
        return;
    }
    usec limit = tcp_user_timeout(c);
    if (limit != 0 ? c->retries > 0 && idle >= limit : c->retries >= c->profile->keepalive_probes) {
        tcp_reset_connection(c); /* perhaps it is only its answers that are lost */
        tcp_fail(c, TCP_TIMED_OUT);
        return;
    }
    c->retries++;
    c->keepalive_probe = true;
    tcp_timer_set(c, TCP_TIMER_KEEPALIVE, c->stack->now + c->profile->keepalive_interval);
    tcp_wake(c);
}

static void expired(struct tcp_connection *c)
{
    enum tcp_timer_purpose purpose = c->purpose;
    c->purpose = TCP_TIMER_NONE;
    switch (purpose) {
    case TCP_TIMER_RETRANSMIT:
        if (!earlier_deadline(c))
            retransmission_timeout(c);
        break;
    case TCP_TIMER_PERSIST:
        persist_timeout(c);
        break;
    case TCP_TIMER_CORK:
        c->push_forced = true;
        c->sending->more = c->sending->held = false; /* it did not come */
        tcp_wake(c);
        break;
    case TCP_TIMER_ROOM:
        tcp_send_room_changed(c);
        tcp_wake(c);
        break;
    case TCP_TIMER_KEEPALIVE:
        keepalive_timeout(c);
        break;
    case TCP_TIMER_FIN_WAIT_2:
        tcp_finish(c);
        break;
    case TCP_TIMER_ANSWER:
        tcp_fail(c, TCP_TIMED_OUT);
        break;
    case TCP_TIMER_TIME_WAIT:
    case TCP_TIMER_NONE:
        break;
    }
}

void tcp_timer(struct stack *stack, struct timer *timer)
{
    if (timer->kind == STACK_TIMER_TCP_ENTRIES) {
        tcp_entries_timer(stack);
    } else if (timer->kind == STACK_TIMER_TCP_WATCH) {
        tcp_watch_timer(stack);
    } else if (timer->kind == STACK_TIMER_TCP_ACK) {
        struct tcp_connection *c = CONTAINER_OF(timer, struct tcp_connection, ack_timer);
        c->ack_now = true;
        tcp_wake(c);
    } else if (timer->kind == STACK_TIMER_TCP_PACE) {
        tcp_pacing_timer(CONTAINER_OF(timer, struct tcp_sending, pace_timer));
    } else {
        expired(CONTAINER_OF(timer, struct tcp_connection, timer));
    }
}
