/* SPDX-License-Identifier: ISC */
/*
 * tcp_output.c - decides what a connection sends now. Everything that wants something sent has left
 * a note in the connection; here the notes are asked in order: SYN, what was lost, new text and
 * FIN, a keepalive probe, and last, when nothing has carried it, an acknowledgement (RFC 9293
 * §3.8.6).
 */
#include "stack/tcp/internal.h"

static enum retransmit_cause cause_of(const struct tcp_connection *c)
{
    if (c->snd_wnd == 0)
        return RETRANSMIT_PROBE;
    if (c->recovery == TCP_LOSS)
        return RETRANSMIT_TIMEOUT;
    if (!c->sack)
        return RETRANSMIT_FAST;
    return tcp_rack_in_use(c) ? RETRANSMIT_RACK : RETRANSMIT_SACK;
}

static void trace_retransmit(const struct tcp_connection *c, const struct tcp_sent *sent,
                             enum retransmit_cause cause)
{
    struct trace_event event = {.kind = TRACE_TCP_RETRANSMIT, .at = c->stack->now};
    event.u.tcp_retransmit.local = c->local;
    event.u.tcp_retransmit.remote = c->remote;
    event.u.tcp_retransmit.sequence = sent->start.n;
    event.u.tcp_retransmit.len = tcp_sent_len(sent);
    event.u.tcp_retransmit.cause = cause;
    c->stack->trace.emit(c->stack->trace.self, &event);
}

/* How much of a lost record may go now, in whole segments; 0: nothing. */
static uint32_t retransmit_len(const struct tcp_connection *c, const struct tcp_path *path,
                               const struct tcp_sent *sent)
{
    uint32_t len = tcp_sent_len(sent);
    uint32_t pipe = tcp_pipe(c);
    uint32_t room = c->cwnd > pipe ? c->cwnd - pipe : 0;
    if (room < path->mss && c->retransmit_forced)
        room = path->mss;
    if (len <= room)
        return len < path->burst_max ? len : path->burst_max;
    room -= room % path->mss;
    return room < path->burst_max ? room : path->burst_max;
}

/* Sends the record again, or what of it fits: then it is cut. Returns whether something went. */
static bool send_again(struct tcp_connection *c, const struct tcp_path *path,
                       struct tcp_sent *sent, enum retransmit_cause cause)
{
    bool fin = (sent->flags & TCP_SENT_FIN) != 0;
    struct tcp_stretch stretch = {
        .chunk = sent->chunk,
        .start = sent->start,
        .len = tcp_sent_len(sent) - fin,
        .fin = fin,
        .push = fin || (sent->flags & TCP_SENT_PUSH) != 0 ||
                (seq_equal(sent->end, c->snd_end) && !c->sending->more),
    };
    uint32_t sent_len = tcp_transmit_text(c, path, &stretch);
    if (sent_len == 0)
        return false;
    if (sent_len < tcp_sent_len(sent) &&
        !tcp_sent_split(c, sent, seq_add(sent->start, sent_len)))
        return true; /* stays as it was, as a whole, and is sent again */
    bool lost = (sent->flags & TCP_SENT_LOST) != 0;
    tcp_sent_set(c, sent, sent->flags | TCP_SENT_EVER_AGAIN | (lost ? TCP_SENT_AGAIN : 0));
    tcp_sent_stamp(c, sent);
    tcp_rate_sent(c, sent);
    if (UNLIKELY(c->paced))
        tcp_pacing_sent(c, tcp_sent_len(sent));
    if (cause != RETRANSMIT_TAIL_PROBE)
        tcp_undo_sent_again(c, sent_len);
    c->stack->counters.tcpRetransSegsBy[cause] += tcp_segments_of(sent_len, path->mss);
    tcp_count_retransmitted(c, tcp_sent_len(sent));
    tcp_prr_sent(c, sent_len);
    if (stack_traced(c->stack))
        trace_retransmit(c, sent, cause);
    if (seq_equal(sent->start, c->snd_una)) /* its answer is what the timer waits for */
        tcp_rto_restart(c);
    return true;
}

/* RFC 6675 §4, NextSeg() (1); RFC 5681 §3.2, step 3. */
static bool send_lost(struct tcp_connection *c, const struct tcp_path *path)
{
    struct tcp_sent *sent = tcp_recovery_next(c);
    if (LIKELY(sent == NULL)) {
        c->retransmit_forced = false;
        return false;
    }
    uint32_t len = retransmit_len(c, path, sent);
    if (len == 0)
        return false;
    if (len < tcp_sent_len(sent) && !tcp_sent_split(c, sent, seq_add(sent->start, len)))
        return false;
    if (!send_again(c, path, sent, cause_of(c)))
        return false;
    c->retransmit_forced = false;
    return true;
}

/* Nagle's question (RFC 9293 §3.7.4), as Minshall put it: is a small segment unacknowledged? Then
 * another small one waits. */
static bool small_may_go(const struct tcp_connection *c)
{
    if (UNLIKELY(c->urgent_sending))
        return true;
    if (UNLIKELY(c->cork || c->sending->held) || UNLIKELY(c->push_forced))
        return c->push_forced || c->shutdown;
    return c->nodelay || c->shutdown || tcp_flight(c) == 0 ||
           seq_before_equal(c->snd_small, c->snd_una);
}

/* Octets that the peer's window has room for beyond snd_nxt. */
static uint32_t usable_window(const struct tcp_connection *c)
{
    uint32_t flight = tcp_flight(c);
    return c->snd_wnd > flight ? c->snd_wnd - flight : 0;
}

/* How much new text may go now, as one piece. */
static uint32_t text_len(struct tcp_connection *c, const struct tcp_path *path)
{
    uint32_t unsent = c->fin_sent ? 0 : (uint32_t)seq_diff(c->snd_end, c->snd_nxt);
    c->cwnd_limited = false;
    if (unsent == 0) {
        c->push_forced = false;
        tcp_rate_app_limited(c);
        return 0;
    }
    bool push; /* asked for by send_new() */
    uint32_t unit = LIKELY(!c->sending->has_ends) ? unsent : tcp_unit_rest(c, &push);
    uint32_t window = usable_window(c);
    if (window == 0) /* §3.8.6.1: probes of a closed window carry an octet */
        return c->probe_forced && tcp_flight(c) == 0 ? 1 : 0;
    uint32_t len = unit < window ? unit : window;
    uint32_t pipe = tcp_pipe(c);
    uint32_t room = c->cwnd > pipe ? c->cwnd - pipe : 0;
    if (UNLIKELY(c->sending->probe_room) && room < path->mss)
        room = path->mss;
    if (len > room) {
        c->cwnd_limited = true;
        c->sending->limited_at = c->stack->now;
        len = room - room % path->mss;
        if (len == 0)
            return 0;
    }
    if (len > path->burst_max)
        return path->burst_max;
    if (tcp_burst_waits(c, path, &(struct tcp_burst){unit, window, room}))
        return 0;
    uint32_t odd = len % path->mss;
    if (odd == 0)
        return len;
    if (len == unit) /* nothing more comes into one that has others behind it */
        return unit < unsent || small_may_go(c) ? len : len - odd;
    if (len > path->mss)
        return len - odd;
    /* Sender's side of silly window avoidance (§3.8.6.2.1): half of the largest window seen is
     * worth a segment; and the persist timer's patience is limited. */
    return len >= c->snd_wnd_max / 2 || c->probe_forced ? len : 0;
}

/* How much of the window was used: the most in a round trip. */
static void note_flight(struct tcp_connection *c)
{
    struct tcp_sending *s = c->sending;
    uint32_t flight = tcp_flight(c);
    if (flight > s->flight_most || seq_after_equal(c->snd_una, s->flight_most_end)) {
        s->flight_most = flight;
        s->flight_most_end = c->snd_nxt;
    }
}

static bool send_new(struct tcp_connection *c, const struct tcp_path *path)
{
    uint32_t len = text_len(c, path);
    bool last = seq_equal(seq_add(c->snd_nxt, len), c->snd_end);
    bool fin = c->shutdown && !c->fin_sent && last;
    if (len == 0 && !fin)
        return false;
    struct tcp_sent *sent = tcp_sent_new(c);
    if (sent == NULL)
        return false;
    struct tcp_chunk *from = c->sending->next != NULL ? c->sending->next : c->sending->queue.first;
    struct tcp_stretch stretch = {
        .chunk = tcp_chunk_at(from, c->snd_nxt),
        .start = c->snd_nxt,
        .len = len,
        .fin = fin,
        .push = last,
    };
    bool ends = last;
    if (UNLIKELY(c->sending->has_ends || c->sending->more)) {
        bool push;
        ends = tcp_unit_rest(c, &push) == len;
        stretch.push = ends && push;
    }
    uint32_t sent_len = tcp_transmit_text(c, path, &stretch);
    if (sent_len == 0) {
        tcp_free(c->stack, TCP_CACHE_SENT, sent);
        return false;
    }
    bool fin_went = sent_len > len;
    *sent = (struct tcp_sent){
        .chunk = stretch.chunk,
        .start = c->snd_nxt,
        .end = seq_add(c->snd_nxt, sent_len),
        .flags = (fin_went ? TCP_SENT_FIN : 0) | (stretch.push && !last ? TCP_SENT_PUSH : 0),
    };
    tcp_sent_append(c, sent);
    tcp_prr_sent(c, sent_len);
    tcp_tail_probe_schedule(c);
    tcp_rate_sent(c, sent);
    if (UNLIKELY(c->paced))
        tcp_pacing_sent(c, sent_len);
    c->snd_nxt = sent->end;
    c->sending->next = stretch.chunk;
    c->fin_sent = fin_went;
    note_flight(c);
    if (UNLIKELY(c->sending->units > 0))
        tcp_units_sent(c, ends && sent_len >= len);
    if (sent_len % path->mss != 0 && !c->probe_forced)
        c->snd_small = c->snd_nxt;
    c->probe_forced = false;
    return true;
}

/* RFC 8985 §7.3: new text if there is any that the peer has room for, else the last segment. */
static bool send_tail_probe(struct tcp_connection *c, const struct tcp_path *path)
{
    if (LIKELY(!c->sending->probe_wanted))
        return false;
    if (c->sending->first == NULL || c->sending->sacked > 0) {
        /* Between the timer and this an ACK has come: it tells more than a probe could. */
        c->sending->probe_wanted = false;
        c->sending->probe_room = false;
        return false;
    }
    bool fresh = send_new(c, path);
    c->sending->probe_wanted = false;
    c->sending->probe_room = false;
    if (!fresh) {
        struct tcp_sent *last = tcp_tail_probe_segment(c);
        if (last == NULL || !send_again(c, path, last, RETRANSMIT_TAIL_PROBE))
            return false;
    }
    tcp_tail_probe_sent(c, !fresh);
    return true;
}

/* RFC 5682 §3.1, step 2 b: new text rather than what is thought lost, and then wait. */
static bool send_forward(struct tcp_connection *c, const struct tcp_path *path)
{
    struct tcp_sending *s = c->sending;
    if (LIKELY(s->forward != TCP_FORWARD_TRY))
        return false;
    if (send_new(c, path))
        return true;
    s->forward = seq_after(c->snd_nxt, c->recover) ? TCP_FORWARD_WAIT : TCP_FORWARD_OFF;
    return false;
}

/* The number before what the peer expects: it must answer (RFC 9293 §3.8.4). */
static bool send_keepalive(struct tcp_connection *c, const struct tcp_path *path)
{
    if (LIKELY(!c->keepalive_probe))
        return false;
    c->keepalive_probe = false;
    return tcp_transmit_ack(c, path, seq_subtract(c->snd_una, 1));
}

/* RFC 9293 §3.8.6.3, RFC 5681 §4.2: at once for two full segments, while the peer's window is
 * young, and for whatever input has marked so; later otherwise. */
static unsigned acknowledge(struct tcp_connection *c, const struct tcp_path *path)
{
    uint32_t unacknowledged = (uint32_t)seq_diff(c->rcv_nxt, c->last_ack_sent);
    bool now = c->ack_now || unacknowledged >= 2 * (uint32_t)c->rcv_mss ||
               (c->ack_pending && c->quick_acks > 0);
    if (now && tcp_transmit_ack(c, path, c->snd_nxt)) {
        if (c->quick_acks > 0)
            c->quick_acks--;
        return 1;
    }
    /* Later; or there was no memory for it, and perhaps there is then. */
    if (!timer_armed(&c->ack_timer))
        wheel_arm(&c->stack->wheel, &c->ack_timer, c->stack->now + c->profile->delayed_ack);
    return 0;
}

static unsigned output_syn(struct tcp_connection *c, const struct tcp_path *path)
{
    bool wanted = c->syn_wanted || (c->ack_now && !c->fast_open_child);
    if (c->unanswered || !wanted || !tcp_transmit_syn(c, path))
        return 0;
    c->syn_wanted = false;
    return 1;
}

/* RFC 4821 §7.4. True: nothing else is to be sent now. */
static bool probe_path(struct tcp_connection *c, const struct tcp_path *path, bool *sent)
{
    struct tcp_path probe;
    struct seq start = c->snd_nxt;
    switch (tcp_path_probe(c, path, &probe)) {
    case TCP_PROBE_NONE:
        return false;
    case TCP_PROBE_WAIT:
        *sent = false;
        return true;
    case TCP_PROBE_SEND:
        break;
    }
    *sent = send_new(c, &probe);
    if (*sent)
        tcp_path_probe_sent(c, &probe, start);
    return true;
}

static bool send_text(struct tcp_connection *c, const struct tcp_path *path)
{
    bool sent;
    if (UNLIKELY(c->paced) && !tcp_pacing_open(c))
        return false;
    if (UNLIKELY(c->mtu_search) && probe_path(c, path, &sent))
        return sent;
    return send_forward(c, path) || send_lost(c, path) || send_new(c, path);
}

static unsigned turn_frames(const struct tcp_path *path)
{
    unsigned frames = TCP_TURN_OCTETS / path->burst_max;
    return frames > TCP_TURN_FRAMES ? frames : TCP_TURN_FRAMES;
}

unsigned tcp_output(struct tcp_connection *c, unsigned budget, bool *more)
{
    struct tcp_path path;
    unsigned made = 0;
    *more = false;
    if (c->state == TCP_CLOSED)
        return 0;
    if (!tcp_path_find(c, &path)) {
        tcp_timer_settle(c); /* a route may come; the timers ask again */
        if ((c->ack_pending || c->ack_now) && !timer_armed(&c->ack_timer))
            wheel_arm(&c->stack->wheel, &c->ack_timer, c->stack->now + c->profile->delayed_ack);
        return 0;
    }
    bool opening = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED;
    if (opening)
        made = output_syn(c, &path);
    if (!opening || (c->fast_open_child && !c->syn_wanted)) {
        bool owed = c->ack_pending || c->ack_now;
        struct seq before = c->snd_nxt;
        if (tcp_flight(c) == 0 && !seq_equal(c->snd_nxt, c->snd_end))
            tcp_congestion_idle(c);
        if (UNLIKELY(c->paced || c->profile->burst_min != 0))
            tcp_burst_shorten(c, &path);
        if (UNLIKELY(c->urgent_sending))
            path.burst_max = path.mss; /* offload would point each segment to another octet */
        unsigned turn = turn_frames(&path);
        if (budget > turn)
            budget = turn;
        while (made < budget && (send_tail_probe(c, &path) || send_text(c, &path) ||
                                 send_keepalive(c, &path)))
            made++;
        *more = made == budget;
        if (c->ack_pending || c->ack_now)
            made += acknowledge(c, &path);
        else if (owed && !seq_equal(c->snd_nxt, before))
            c->quick_acks = 0; /* it is a dialogue: answers carry the acknowledgements */
    }
    tcp_timer_settle(c);
    if (UNLIKELY(c->send_full && tcp_send_watches_unsent(c)))
        tcp_send_room_changed(c); /* less waits than did */
    tcp_limit_settle(c);
    if (stack_traced(c->stack))
        tcp_trace_windows(c);
    return made;
}

bool tcp_flush(struct stack *stack, unsigned frames_max)
{
    struct tcp_table *table = stack->tcp;
    unsigned made = 0;
    struct list_node *node;
    while (made < frames_max && (node = list_first(&table->pending)) != NULL) {
        struct tcp_connection *c = CONTAINER_OF(node, struct tcp_connection, pending);
        unsigned left = frames_max - made;
        bool more;
        list_remove(node);
        made += tcp_output(c, left, &more);
        if (more)
            tcp_wake(c);
    }
    return !list_empty(&table->pending);
}
