/* SPDX-License-Identifier: ISC */
/*
 * tcp_ack.c - what an acknowledgement tells (RFC 9293 §3.10.7.4, fifth): which octets have arrived,
 * how large the peer's window is, how long the way was, and when our FIN has come home.
 */
#include "stack/tcp/internal.h"

static enum tcp_verdict drop_ack(struct tcp_connection *c, const struct tcp_segment *seg)
{
    bool future = seq_after(seg->ack, c->snd_nxt);
    if (!future || !c->profile->silent_on_future_ack)
        tcp_challenge(c);
    stack_drop(c->stack, DROP_TCP_BAD_ACK, seg->packet->frame);
    return TCP_STOP;
}

/* SND.UNA - MAX.SND.WND =< SEG.ACK =< SND.NXT (RFC 5961 §5.2). */
static bool acceptable(const struct tcp_connection *c, struct seq ack)
{
    return seq_before_equal(ack, c->snd_nxt) &&
           seq_after_equal(ack, seq_subtract(c->snd_una, c->snd_wnd_max));
}

/* Takes the window from the newest segment. True when it has changed. */
static bool take_window(struct tcp_connection *c, const struct tcp_segment *seg)
{
    bool newest = seq_before(c->snd_wl1, seg->seq) ||
                  (seq_equal(c->snd_wl1, seg->seq) && seq_before_equal(c->snd_wl2, seg->ack));
    if (!newest)
        return false;
    uint32_t window = (uint32_t)seg->header.window << c->snd_scale;
    bool changed = window != c->snd_wnd;
    c->snd_wnd = window;
    c->snd_wl1 = seg->seq;
    c->snd_wl2 = seg->ack;
    if (window > c->snd_wnd_max)
        c->snd_wnd_max = window;
    return changed;
}

/* Lets go of the octets of the send queue below the new snd_una. */
static void release_text(struct tcp_connection *c)
{
    if (c->sending->queue.first == NULL)
        return;
    struct seq to = seq_min(c->snd_una, c->snd_end); /* FIN is no octet */
    uint32_t len = (uint32_t)seq_diff(to, c->sending->queue.first->start);
    /* Forget the place when its chunk goes, which it does when it ends at `to` or before. */
    struct tcp_chunk *next = c->sending->next;
    if (next != NULL && seq_before_equal(seq_add(next->start, next->len), to))
        c->sending->next = NULL;
    tcp_queue_drop(c->stack, &c->sending->queue, len);
}

static void advance(struct tcp_connection *c, const struct tcp_segment *seg,
                    struct tcp_ack_event *event)
{
    event->acknowledged = (uint32_t)seq_diff(seg->ack, c->snd_una);
    tcp_sent_acknowledge(c, seg->ack, event);
    if (event->rtt < 0 && c->timestamps)
        event->rtt = tcp_timestamp_rtt(c, &seg->header.options);
    c->snd_una = seg->ack;
    release_text(c);
    if (UNLIKELY(c->mtu_search))
        tcp_path_search_acked(c);
    if (UNLIKELY(c->urgent_sending))
        tcp_urgent_acknowledged(c);
    c->octets_acknowledged += event->acknowledged;
    c->retries = 0;
    tcp_progress(c);
    if (UNLIKELY(c->sending->held))
        c->sending->held = false; /* more was promised, and enough was waited for it */
    if (event->rtt >= 0) {
        c->backoff = 0; /* RFC 6298 §5, Karn: only a sample ends it */
        if (seq_after(seg->ack, c->rtt_seq) || c->profile->rtt_each_ack) {
            tcp_rtt_sample(c, event->rtt);
            c->rtt_seq = c->snd_nxt;
        }
    }
    if (tcp_flight(c) == 0) /* RFC 6298 §5.2, §5.3 */
        tcp_flight_over(c);
    else
        tcp_rto_restart(c);
}

/* Our FIN has come home. */
static enum tcp_verdict fin_acknowledged(struct tcp_connection *c)
{
    if (c->state == TCP_FIN_WAIT_1) {
        tcp_set_state(c, TCP_FIN_WAIT_2);
        tcp_wake(c); /* an orphan's timer */
    } else if (c->state == TCP_CLOSING) {
        tcp_enter_time_wait(c);
        return TCP_STOP;
    } else if (c->state == TCP_LAST_ACK) {
        tcp_raise(c, SOCKET_FINISHED);
        tcp_finish(c);
        return TCP_STOP;
    }
    return TCP_CONTINUE;
}

/* What silence means from now on. */
static void settle_timer(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    if (c->sending->first == NULL)
        return;
    if (event->delivered > 0)
        tcp_tail_probe_schedule(c);
    tcp_timer_rearm(c);
}

/* Nothing of ours is under way, and nothing is reported: only the window can be news. */
static void take_window_only(struct tcp_connection *c, const struct tcp_segment *seg)
{
    bool was_closed = c->snd_wnd == 0;
    if (!seq_before(seg->ack, c->snd_una))
        (void)take_window(c, seg);
    c->retries = 0;
    if (was_closed && c->snd_wnd > 0)
        tcp_progress(c);
    tcp_sending_end(c);
}

static void take_ack(struct tcp_connection *c, const struct tcp_segment *seg)
{
    if (tcp_flight(c) == 0 && seg->header.options.sack_count == 0 && !c->extra->probing) {
        take_window_only(c, seg);
        return;
    }
    const struct tcp_sending *s = c->sending;
    struct tcp_ack_event event = {
        .flight_before = tcp_flight(c),
        .rtt = -1,
        .fack_before = s->rack.fack,
        .fack_valid = s->rack.valid,
        .ack = seg->ack,
        .options = &seg->header.options,
    };
    uint32_t unknown_before = event.flight_before - s->sacked;
    bool window_was_closed = c->snd_wnd == 0;
    if (c->sack && seg->header.options.sack_count > 0)
        tcp_sent_sack(c, &event);
    if (UNLIKELY(c->extra->probing))
        tcp_tail_probe_acked(c, &event);

    bool old = seq_before(seg->ack, c->snd_una);
    event.ecn = !old && tcp_ecn_echoed(c, seg);
    bool window_changed = !old && take_window(c, seg);
    if (seq_after(seg->ack, c->snd_una)) {
        advance(c, seg, &event);
    } else if (!old && event.flight_before > 0 && c->snd_wnd > 0) {
        bool bare = seg->text.len == 0 && !seg->fin && !window_changed;
        event.duplicate = bare && !c->sack;
    }
    if (event.sacked > 0 && event.acknowledged == 0)
        event.duplicate = true;
    if (UNLIKELY(event.dsack))
        tcp_undo_acked(c, &event);
    event.delivered = unknown_before - (tcp_flight(c) - c->sending->sacked);
    if (!c->sack && c->dup_acks > 0 && event.acknowledged > 0) {
        /* Each duplicate has told of a segment that is acknowledged only now. */
        uint32_t told = c->dup_acks * (uint32_t)c->mss;
        uint32_t least = event.delivered < c->mss ? event.delivered : c->mss;
        event.delivered = event.delivered > told + least ? event.delivered - told : least;
    }
    /* The peer lives: keepalive and window probes start counting again. */
    if (tcp_flight(c) == 0 || c->snd_wnd == 0)
        c->retries = 0;
    if (window_was_closed && c->snd_wnd > 0)
        tcp_progress(c);
    if (event.flight_before > 0) {
        tcp_rate_sample(c, &event);
        tcp_recovery_acked(c, &event);
        settle_timer(c, &event);
    }
    if (window_was_closed && c->snd_wnd > 0 && tcp_flight(c) > 0) {
        /* What was sent into the closed window was not taken: again, at once. */
        tcp_sent_mark_all_lost(c);
        c->retransmit_forced = true;
        c->backoff = 0;
    }
    if (tcp_flight(c) == 0)
        tcp_sending_end(c);
}

/* RFC 7323 §4.3: remembered only from the segment that spans Last.ACK.sent; and not of one whose
 * acknowledgement cannot be. */
void tcp_take_timestamp(struct tcp_connection *c, const struct tcp_segment *seg)
{
    const struct tcp_options *options = &seg->header.options;
    struct seq first = seq_of(seg->header.sequence);
    if (c->timestamps && (options->present & TCP_HAS_TIMESTAMPS) &&
        seq_before_equal(first, c->last_ack_sent)) {
        c->ts_recent = options->timestamp_value;
        c->ts_recent_at = c->stack->now;
    }
}

enum tcp_verdict tcp_check_ack(struct tcp_connection *c, struct tcp_segment *seg)
{
    if (UNLIKELY(!(seg->header.flags & TCP_ACK))) {
        stack_drop(c->stack, DROP_TCP_BAD_ACK, seg->packet->frame);
        return TCP_STOP;
    }
    if (UNLIKELY(c->state == TCP_SYN_RECEIVED)) {
        if (!tcp_handshake_acknowledged(c, seg))
            return TCP_STOP;
    } else if (UNLIKELY(!acceptable(c, seg->ack))) {
        return drop_ack(c, seg);
    }
    if (UNLIKELY(seg->header.options.present & TCP_HAS_USER_TIMEOUT))
        tcp_user_timeout_heard(c, &seg->header.options);
    tcp_take_timestamp(c, seg);
    take_ack(c, seg);
    if (stack_traced(c->stack))
        tcp_trace_windows(c);
    if (LIKELY(!tcp_units_count(c)))
        tcp_send_room_changed(c);
    else if (c->send_full)
        tcp_wake(c); /* asked when all has gone out that this lets go */
    if (c->snd_end.n != c->snd_nxt.n || c->sending->lost > c->sending->again || c->shutdown != c->fin_sent ||
        tcp_flight(c) == 0)
        tcp_wake(c);
    if (c->fin_sent && seq_equal(c->snd_una, c->snd_nxt))
        return fin_acknowledged(c);
    return TCP_CONTINUE;
}
