/* SPDX-License-Identifier: ISC */
/*
 * tcp_receive.c - the peer's octets and its FIN (RFC 9293 §3.10.7.4, seventh and eighth), and the
 * window that is offered to it (§3.8.6).
 */
#include "stack/tcp/internal.h"

bool tcp_takes_text(const struct tcp_connection *c)
{
    return c->state == TCP_ESTABLISHED || c->state == TCP_FIN_WAIT_1 ||
           c->state == TCP_FIN_WAIT_2;
}

static enum tcp_verdict refused(struct tcp_connection *c, const struct tcp_segment *seg,
                                enum drop_reason reason)
{
    stack_drop(c->stack, reason, seg->packet->frame);
    return TCP_STOP;
}

/* While frames are short each connection has only its share. What waits behind a hole does not count
 * against what fills it: nobody could go on. */
static bool no_memory_for(const struct tcp_connection *c, const struct tcp_segment *seg)
{
    bool fills = seq_equal(seg->seq, c->rcv_nxt) && c->received_len < c->stack->tcp->short_share;
    return !fills && tcp_frames_are_short(c->stack);
}

/* Octets that wait here, in order or not. */
static uint32_t queued(const struct tcp_connection *c)
{
    return c->received_len + (c->reorder != NULL ? c->reorder->octets : 0);
}

void tcp_window_begin(struct tcp_connection *c)
{
    if (!c->profile->window_grows || !tcp_extra_begin(c))
        return;
    c->extra->window_limit = c->passive ? tcp_syn_ack_window(c) : tcp_window_offered(c);
}

/* Whoever sends more is offered more: two segments for each that comes. */
static void grow_window(struct tcp_connection *c, uint32_t len)
{
    uint32_t more = 2 * (len > c->rcv_mss ? len : c->rcv_mss);
    c->extra->window_limit += more;
    if (c->extra->window_limit >= c->receive_buffer)
        c->extra->window_limit = 0;
}

static bool take_in_order(struct tcp_connection *c, const struct tcp_segment *seg)
{
    if (!tcp_queue_add(c->stack, &c->received, seg->packet->frame, seg->text, seg->seq))
        return false;
    uint32_t len = (uint32_t)seg->text.len;
    c->rcv_nxt = seq_add(c->rcv_nxt, len);
    if (UNLIKELY(c->reorder != NULL)) {
        len += tcp_reorder_collect(c);
        c->ack_now = true; /* a hole was filled, or there still is one (RFC 5681 §4.2) */
    }
    if (UNLIKELY(c->extra->window_limit != 0))
        grow_window(c, len);
    c->received_len += len;
    c->octets_received += len;
    if (tcp_tunable(c))
        tcp_tune_round_trip(c, seg);
    tcp_raise(c, SOCKET_READABLE);
    return true;
}

enum tcp_verdict tcp_process_text(struct tcp_connection *c, struct tcp_segment *seg)
{
    if (UNLIKELY(seg->cut) && tcp_takes_text(c)) { /* the sender is to learn where the window ends */
        c->ack_now = true;
        tcp_wake(c);
    }
    if (seg->text.len == 0 || !tcp_takes_text(c))
        return TCP_CONTINUE;
    if (UNLIKELY(!c->owned && c->listener == NULL)) {
        /* Nobody will read it: say so (RFC 9293 §3.6.1; RFC 2525 §2.17). */
        stack_drop(c->stack, DROP_TCP_AFTER_CLOSE, seg->packet->frame);
        tcp_reset_segment(c->stack, seg); /* with the number that the sender waits for */
        tcp_fail(c, TCP_ABORTED);
        return TCP_STOP;
    }
    if (seg->part_len > c->rcv_mss)
        c->rcv_mss = seg->part_len;
    c->text_received_at = (uint32_t)(c->stack->now / USEC_PER_MSEC);
    c->ack_pending = true;
    if (UNLIKELY(c->ecn))
        tcp_ecn_take_text(c, seg);
    tcp_wake(c);
    if (UNLIKELY(queued(c) >= c->stack->tcp->short_share) && no_memory_for(c, seg)) {
        c->ack_now = true;
        return refused(c, seg, DROP_NO_MEMORY);
    }
    if (LIKELY(seq_equal(seg->seq, c->rcv_nxt))) {
        if (!take_in_order(c, seg))
            return refused(c, seg, DROP_NO_MEMORY);
        return TCP_CONTINUE;
    }
    c->ack_now = true; /* RFC 5681 §4.2: out of order, at once */
    c->out_of_order++;
    switch (tcp_reorder_add(c, seg)) {
    case TCP_REORDER_KEPT:
        return TCP_CONTINUE;
    case TCP_REORDER_DUPLICATE:
        tcp_note_duplicate(c, seg->seq, seq_add(seg->seq, (uint32_t)seg->text.len));
        return refused(c, seg, DROP_TCP_DUPLICATE);
    case TCP_REORDER_REFUSED:
        break;
    }
    return refused(c, seg, DROP_TCP_LIMIT);
}

/* Is the peer's FIN the next thing to be received? */
static bool fin_is_next(const struct tcp_connection *c, const struct tcp_segment *seg)
{
    if (seg->fin && seq_equal(seq_add(seg->seq, (uint32_t)seg->text.len), c->rcv_nxt))
        return true;
    return c->reorder != NULL && c->reorder->fin && seq_equal(c->reorder->fin_at, c->rcv_nxt);
}

enum tcp_verdict tcp_check_fin(struct tcp_connection *c, struct tcp_segment *seg)
{
    if (LIKELY(!seg->fin && c->reorder == NULL) || !tcp_takes_text(c))
        return TCP_CONTINUE;
    if (!fin_is_next(c, seg)) {
        if (seg->fin) {
            tcp_reorder_note_fin(c, seg);
            c->ack_now = true;
            tcp_wake(c);
        }
        return TCP_CONTINUE;
    }
    tcp_reorder_clear(c);
    c->rcv_nxt = seq_add(c->rcv_nxt, 1);
    c->fin_received = true;
    c->ack_now = true;
    tcp_wake(c);
    tcp_raise(c, SOCKET_END);
    if (c->state == TCP_ESTABLISHED) {
        tcp_set_state(c, TCP_CLOSE_WAIT);
    } else if (c->state == TCP_FIN_WAIT_1) { /* our FIN is not acknowledged: tcp_check_ack() has seen */
        tcp_set_state(c, TCP_CLOSING);
    } else {
        tcp_enter_time_wait(c);
        return TCP_STOP;
    }
    return TCP_CONTINUE;
}

/* Octets that could be offered: what is free, as far as the field can tell it. */
static uint32_t space(const struct tcp_connection *c)
{
    uint32_t most = UINT32_C(65535) << c->rcv_scale;
    if (UNLIKELY(c->profile->window_clamp != 0) && c->profile->window_clamp < most)
        most = c->profile->window_clamp;
    if (UNLIKELY(c->extra->window_limit != 0) && c->extra->window_limit < most)
        most = c->extra->window_limit;
    uint32_t free = c->receive_buffer > c->received_len ? c->receive_buffer - c->received_len : 0;
    return free < most ? free : most;
}

/* RFC 9293 §3.8.6.2.2: the right edge moves when that is worth a segment. */
uint16_t tcp_window_to_offer(struct tcp_connection *c)
{
    uint32_t offer = tcp_window_offered(c);
    uint32_t free = space(c);
    uint32_t worth = c->receive_buffer / 2;
    if (worth > c->rcv_mss)
        worth = c->rcv_mss;
    if (free > offer && free - offer >= worth)
        offer = free;
    if (c->profile->window_grows) /* by less than the peer can see */
        offer += (UINT32_C(1) << c->rcv_scale) - 1;
    uint32_t value = offer >> c->rcv_scale;
    if (value > UINT16_MAX)
        value = UINT16_MAX;
    /* The value is rounded down, so the peer may see less than it was told before; what it was
     * told stays good (RFC 7323 §2.4). */
    c->rcv_adv = seq_max(c->rcv_adv, seq_add(c->rcv_nxt, value << c->rcv_scale));
    return (uint16_t)value;
}

bool tcp_window_update_due(const struct tcp_connection *c)
{
    uint32_t offered = tcp_window_offered(c);
    uint32_t free = space(c);
    if (!tcp_takes_text(c) || free <= offered)
        return false;
    if (c->profile->window_grows && free / 2 < offered) /* else every segment would be told of */
        return false;
    uint32_t opened = free - offered;
    uint32_t half = c->receive_buffer / 2;
    uint32_t two = 2 * (uint32_t)c->rcv_mss;
    if (opened < (two < half ? two : half))
        return false;
    /* A peer that has plenty left learns it from the next ACK. */
    return offered < half || opened >= half / 2;
}
