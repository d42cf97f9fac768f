/* SPDX-License-Identifier: ISC */
/*
 * tcp_checks.c - may this segment speak? The steps of RFC 9293 §3.10.7.4 that come before its
 * acknowledgement and text are looked at, with RFC 7323 §5 (PAWS) and RFC 5961 (blind attacks).
 */
#include "stack/tcp/internal.h"

static enum tcp_verdict drop(struct tcp_connection *c, const struct tcp_segment *seg,
                             enum drop_reason reason)
{
    stack_drop(c->stack, reason, seg->packet->frame);
    return TCP_STOP;
}

/* An unacceptable segment is answered by an ACK. When it carries text the sender needs that for its
 * recovery; without, two confused hosts could go on for ever. */
static void answer(struct tcp_connection *c, const struct tcp_segment *seg)
{
    if (seg->header.flags & TCP_RST)
        return;
    if (seg->text.len > 0 || seg->fin) {
        c->ack_now = true;
        tcp_wake(c);
    } else {
        tcp_challenge(c);
    }
}

enum tcp_verdict tcp_check_paws(struct tcp_connection *c, struct tcp_segment *seg)
{
    if (!c->timestamps || (seg->header.flags & TCP_RST))
        return TCP_CONTINUE;
    const struct tcp_options *options = &seg->header.options;
    if (UNLIKELY(!(options->present & TCP_HAS_TIMESTAMPS))) /* §3.2: dropped silently */
        return c->profile->timestamps_may_miss ? TCP_CONTINUE : drop(c, seg, DROP_TCP_PAWS);
    if (LIKELY((int32_t)(options->timestamp_value - c->ts_recent) >= 0))
        return TCP_CONTINUE;
    if (c->stack->now - c->ts_recent_at > TCP_PAWS_IDLE) /* §5.5: TS.Recent says nothing now */
        return TCP_CONTINUE;
    answer(c, seg);
    return drop(c, seg, DROP_TCP_PAWS);
}

/* A SYN of the handshake that is going on. */
static enum tcp_verdict repeated_syn(struct tcp_connection *c, struct tcp_segment *seg)
{
    if (!(seg->header.flags & TCP_ACK)) {
        tcp_ecn_syn_again(c, seg);
        c->syn_wanted = true; /* ours was lost */
        tcp_wake(c);
        return drop(c, seg, DROP_TCP_DUPLICATE);
    }
    /* Simultaneous open (§3.5, figure 7): the SYN was seen already, its ACK is what counts. */
    if (c->syn_text > 0) { /* what went with ours is acknowledged now: so is this */
        tcp_note_duplicate(c, seg->seq, seq_add(seg->seq, 1));
        c->ack_now = true;
    }
    seg->header.flags &= (uint16_t)~TCP_SYN;
    seg->seq = seq_add(seg->seq, 1);
    return TCP_CONTINUE;
}

static enum tcp_verdict unacceptable(struct tcp_connection *c, const struct tcp_segment *seg)
{
    struct seq end = tcp_segment_end(seg);
    bool seen = seq_before_equal(end, c->rcv_nxt);
    if (seen)
        tcp_note_duplicate(c, seg->seq, end);
    bool fin_again = seg->fin && !(seg->header.flags & TCP_RST);
    if (c->state == TCP_TIME_WAIT && fin_again) /* §3.10.7.4, eighth: restart 2 MSL */
        c->purpose = TCP_TIMER_TIME_WAIT;
    answer(c, seg);
    return drop(c, seg, seen ? DROP_TCP_DUPLICATE : DROP_TCP_OUT_OF_WINDOW);
}

/* Leaves in `seg` what is new and lies in the window. */
static void trim(struct tcp_connection *c, struct tcp_segment *seg)
{
    if (seq_before(seg->seq, c->rcv_nxt)) {
        size_t cut = (size_t)seq_diff(c->rcv_nxt, seg->seq);
        tcp_note_duplicate(c, seg->seq, c->rcv_nxt);
        seg->text = bytes_after(seg->text, cut);
        seg->seq = c->rcv_nxt;
    }
    int32_t over = seq_diff(tcp_segment_end(seg), c->rcv_adv);
    if (over > 0 && seg->fin) {
        seg->fin = false;
        over--;
    }
    if (over > 0) {
        seg->text = bytes_first(seg->text, seg->text.len - (size_t)over);
        seg->cut = true;
    }
}

static bool acceptable(const struct tcp_connection *c, const struct tcp_segment *seg)
{
    struct seq end = tcp_segment_end(seg);
    if (seq_equal(end, seg->seq)) {
        /* DEVIATES RFC 9293 §3.4: an empty segment may lie behind, as far as we have acknowledged,
         * and at the right edge: reordering and a full window make such ACKs, and they are news. */
        return seq_after_equal(seg->seq, c->last_ack_sent) &&
               seq_before_equal(seg->seq, c->rcv_adv);
    }
    return seq_after(end, c->rcv_nxt) && seq_before(seg->seq, c->rcv_adv);
}

enum tcp_verdict tcp_check_sequence(struct tcp_connection *c, struct tcp_segment *seg)
{
    uint16_t flags = seg->header.flags;
    if (UNLIKELY((flags & (TCP_SYN | TCP_RST)) == TCP_SYN)) {
        if (c->state != TCP_SYN_RECEIVED || !seq_equal(seg->seq, c->irs))
            return TCP_CONTINUE; /* tcp_check_syn() answers it, wherever it lies */
        if (repeated_syn(c, seg) == TCP_STOP)
            return TCP_STOP;
    }
    bool probe = tcp_window_offered(c) == 0 && seq_before_equal(seg->seq, c->rcv_nxt) &&
                 seq_after(tcp_segment_end(seg), c->rcv_nxt);
    if (probe) {
        /* Our window is closed: no text, but valid ACKs and RSTs count (§3.10.7.4, first). */
        seg->text = bytes_empty();
        seg->fin = false;
        seg->seq = c->rcv_nxt;
        if (!(flags & TCP_RST)) {
            c->ack_now = true;
            tcp_wake(c);
        }
    } else if (UNLIKELY(!acceptable(c, seg))) {
        return unacceptable(c, seg);
    }
    trim(c, seg);
    c->last_received_at = c->stack->now;
    return TCP_CONTINUE;
}

enum tcp_verdict tcp_check_rst(struct tcp_connection *c, struct tcp_segment *seg)
{
    if (LIKELY(!(seg->header.flags & TCP_RST)))
        return TCP_CONTINUE;
    struct seq seq = seq_of(seg->header.sequence);
    if (!seq_equal(seq, c->rcv_nxt)) {
        if (seq_in_window(seq, c->rcv_nxt, tcp_window_offered(c)))
            tcp_challenge(c);
        return drop(c, seg, DROP_TCP_BAD_RST);
    }
    /* DEVIATES RFC 9293 §3.10.7.4, second: a RST does not end TIME-WAIT, whose purpose it would
     * defeat (RFC 1337 §3, first fix). */
    if (c->state == TCP_TIME_WAIT)
        return drop(c, seg, DROP_TCP_BAD_RST);
    bool refused = c->state == TCP_SYN_RECEIVED && !c->fast_open_child;
    tcp_fail(c, refused ? TCP_REFUSED : TCP_RESET);
    return TCP_STOP;
}

enum tcp_verdict tcp_check_syn(struct tcp_connection *c, struct tcp_segment *seg)
{
    if (LIKELY(!(seg->header.flags & TCP_SYN)))
        return TCP_CONTINUE;
    tcp_challenge(c);
    return drop(c, seg, DROP_TCP_BAD_SYN);
}
