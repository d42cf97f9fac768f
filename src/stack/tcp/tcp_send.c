/* SPDX-License-Identifier: ISC */
/*
 * tcp_send.c - the application's side of sending (RFC 9293 §3.10.2): the queue from snd_una to what
 * was handed over last, and how long it may be.
 *
 * What may be queued follows what the path can carry: twice the smaller of cwnd and the peer's
 * window, what waits for a hole to be mended, and a floor; beyond the send buffer when that has not been fixed by the application. A fast near peer then keeps its working set in the cache, and a long path
 * still has always enough to fill its pipe.
 */
#include "stack/tcp/internal.h"

static bool may_queue(const struct tcp_connection *c)
{
    return !c->shutdown && (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED ||
                            c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT);
}

static uint32_t queued(const struct tcp_connection *c)
{
    bool handshake = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED;
    bool syn = handshake && seq_equal(c->snd_una, c->iss);
    int32_t len = seq_diff(c->snd_end, c->snd_una) - syn; /* SYN is no octet */
    return len > 0 ? (uint32_t)len : 0; /* nor is FIN */
}

uint32_t tcp_send_limit(const struct tcp_connection *c)
{
    uint32_t window = c->cwnd < c->snd_wnd ? c->cwnd : c->snd_wnd;
    window += c->sending->sacked + c->sending->lost; /* waits for a hole, not in the network */
    uint32_t wanted = (UNLIKELY(c->paced) ? 3 : 2) * window; /* a rate is kept while more is fetched */
    uint32_t limit = wanted > TCP_SEND_FLOOR ? wanted : TCP_SEND_FLOOR;
    uint32_t most = c->send_buffer;
    if (UNLIKELY(tcp_frames_are_short(c->stack)))
        limit = c->stack->tcp->short_share;
    else if (UNLIKELY(tcp_units_count(c)))
        return tcp_units_limit(c);
    else if (!c->send_fixed && most < c->profile->send_buffer_max)
        most = wanted > most ? c->profile->send_buffer_max : most;
    return limit < most ? limit : most;
}

/* What may be queued beyond what is, by the limit and by the wish that not much waits unsent. */
static size_t room(const struct tcp_connection *c)
{
    uint32_t limit = tcp_send_limit(c);
    uint32_t len = queued(c);
    if (!may_queue(c))
        return 0;
    if (UNLIKELY(tcp_units_count(c)))
        return tcp_units_room(c, len, limit);
    len += tcp_units_cost(c);
    uint32_t left = limit > len ? limit - len : 0;
    uint32_t low = c->profile->not_sent_low;
    if (UNLIKELY(low != UINT32_MAX)) {
        size_t waits = tcp_not_sent(c);
        uint32_t more = low > waits ? low - (uint32_t)waits : 0;
        left = left < more ? left : more;
    }
    return left;
}

/* Is there so much room that it is worth telling? */
static bool is_roomy(const struct tcp_connection *c)
{
    uint32_t limit = tcp_send_limit(c);
    uint32_t len = queued(c);
    if (!may_queue(c))
        return false;
    if (UNLIKELY(tcp_units_count(c)))
        return tcp_units_roomy(c, len, limit);
    return len + tcp_units_cost(c) <= limit / 2 &&
           (c->profile->not_sent_low == UINT32_MAX ||
            2 * tcp_not_sent(c) < c->profile->not_sent_low);
}

/* Whoever is told that there is no room waits for WRITABLE, whether they try or not. */
static void set_full(const struct tcp_connection *c, bool full)
{
    ((struct tcp_connection *)(uintptr_t)c)->send_full = full;
}

size_t tcp_send_room(const struct tcp_connection *c)
{
    size_t left = room(c);
    if (left == 0)
        set_full(c, true);
    return left;
}

bool tcp_writable(const struct tcp_connection *c)
{
    if (UNLIKELY(tcp_send_watches_unsent(c))) {
        bool roomy = is_roomy(c);
        set_full(c, !roomy); /* who is told that there is room need not be told again */
        return roomy;
    }
    return tcp_send_room(c) > 0 && !c->send_full;
}

void tcp_send_room_changed(struct tcp_connection *c)
{
    if (!c->send_full && (tcp_units_count(c) || queued(c) < tcp_send_limit(c)))
        return;
    if (UNLIKELY(c->send_full && tcp_units_count(c)))
        tcp_units_grow(c);
    if (c->send_full && is_roomy(c)) {
        c->send_full = false;
        tcp_raise(c, SOCKET_WRITABLE);
    } else if (room(c) == 0) {
        c->send_full = true;
    }
}

static void was_queued(struct tcp_connection *c)
{
    if (LIKELY(!tcp_units_count(c)) && room(c) == 0)
        c->send_full = true; /* the application has seen that there is no room */
    if (c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT || c->fast_open_child)
        tcp_wake(c);
}

/* With nothing queued no acknowledgement will tell that there is room again: it was memory. */
static void was_refused(struct tcp_connection *c)
{
    c->send_full = true;
    if (queued(c) == 0 && may_queue(c))
        tcp_wake(c);
}

/* Copies as much of `in` as there is memory for; returns how much. */
static size_t copy_in(struct tcp_connection *c, struct bytes in)
{
    const struct tcp_chunk *last = c->sending->queue.last;
    size_t done = last != NULL ? tcp_queue_extend(&c->sending->queue, in) : 0;
    bool alone = last == NULL || last->ends;
    while (done < in.len) {
        size_t rest = in.len - done;
        /* A stream is gathered in blocks, a lone message in a frame of its size. */
        bool stream = rest > TCP_PACKET || (queued(c) > TCP_PACKET && !alone);
        size_t size = !alone && rest < TCP_PACKET ? TCP_PACKET : rest;
        struct seq start = seq_add(c->snd_end, (uint32_t)done);
        if (stream)
            size = c->send_buffer >= TCP_BLOCK ? TCP_BLOCK : TCP_PACKET;
        if (done > 0 && UNLIKELY(tcp_frames_are_short(c->stack)))
            break;
        if (tcp_queue_add_room(c->stack, &c->sending->queue, size, start) == NULL)
            break;
        done += tcp_queue_extend(&c->sending->queue, bytes_after(in, done));
    }
    return done;
}

/* Copies in as much as may be queued, unit by unit; returns how much. */
static size_t fill_units(struct tcp_connection *c, struct bytes in, unsigned flags)
{
    uint32_t limit = tcp_send_limit(c);
    size_t done = 0;
    while (done < in.len && (tcp_unit_is_open(c) || tcp_units_room(c, queued(c), limit) > 0)) {
        uint32_t most = in.len - done < UINT32_MAX ? (uint32_t)(in.len - done) : UINT32_MAX;
        uint32_t part = tcp_unit_left(c, most);
        size_t copied = copy_in(c, bytes_first(bytes_after(in, done), part));
        if (copied > 0)
            tcp_unit_add(c, (uint32_t)copied);
        done += copied;
        if (copied < part)
            break;
        if (tcp_unit_full(c))
            tcp_unit_end(c, done == in.len && !(flags & TCP_SEND_MORE));
    }
    return done;
}

static size_t fill(struct tcp_connection *c, struct bytes in, unsigned flags)
{
    if (UNLIKELY(tcp_units_count(c)))
        return fill_units(c, in, flags);
    size_t copied = copy_in(c, bytes_first(in, room(c)));
    if (UNLIKELY(flags & TCP_SEND_RECORD) && copied > 0)
        tcp_unit_add(c, (uint32_t)copied);
    else
        c->snd_end = seq_add(c->snd_end, (uint32_t)copied);
    return copied;
}

size_t tcp_send_as(struct tcp_connection *c, struct bytes in, unsigned flags)
{
    if (!may_queue(c) || in.len == 0)
        return 0;
    size_t taken = tcp_send_room(c) > 0 && tcp_sending_begin(c) ? fill(c, in, flags) : 0;
    if (taken > 0) {
        bool all = taken == in.len;
        c->sending->more = (flags & TCP_SEND_MORE) && all;
        c->sending->held = c->sending->more;
        if (UNLIKELY(flags & TCP_SEND_RECORD) && all && !c->sending->queue.last->ends)
            tcp_unit_end(c, true);
        was_queued(c);
    }
    if (taken < in.len)
        was_refused(c);
    return taken;
}

size_t tcp_send(struct tcp_connection *c, struct bytes in)
{
    return tcp_send_as(c, in, 0);
}

/* A frame that is mostly empty would pin far more than it carries: its octets are gathered. */
static bool gather(struct tcp_connection *c, struct bytes text)
{
    if (tcp_queue_room(&c->sending->queue) < text.len) {
        size_t size = c->sending->queue.last != NULL && text.len < TCP_PACKET ? TCP_PACKET : text.len;
        if (tcp_queue_add_room(c->stack, &c->sending->queue, size, c->snd_end) == NULL)
            return false;
    }
    (void)tcp_queue_extend(&c->sending->queue, text);
    return true;
}

bool tcp_send_frame(struct tcp_connection *c, struct frame *frame)
{
    struct bytes text = frame_bytes(frame);
    if (!may_queue(c) || tcp_send_room(c) == 0 || !tcp_sending_begin(c)) {
        was_refused(c);
        return false;
    }
    if (UNLIKELY(tcp_units_count(c)) && tcp_unit_is_open(c) &&
        tcp_unit_left(c, (uint32_t)text.len) < text.len)
        tcp_unit_end(c, true);
    bool wasteful = text.len < TCP_CHUNK_MIN || text.len < frame->size / 4;
    bool done = text.len == 0 || (wasteful && gather(c, text));
    if (!done && !tcp_queue_add_whole(c->stack, &c->sending->queue, frame, text, c->snd_end)) {
        was_refused(c);
        return false;
    }
    if (UNLIKELY(tcp_units_count(c)))
        tcp_unit_add(c, (uint32_t)text.len);
    else
        c->snd_end = seq_add(c->snd_end, (uint32_t)text.len);
    c->sending->more = c->sending->held = false;
    was_queued(c);
    frame_unref(frame);
    return true;
}

void tcp_shutdown(struct tcp_connection *c)
{
    if (c->shutdown || c->state == TCP_CLOSED)
        return;
    c->shutdown = true;
    if (c->state == TCP_ESTABLISHED)
        tcp_set_state(c, TCP_FIN_WAIT_1);
    else if (c->state == TCP_CLOSE_WAIT)
        tcp_set_state(c, TCP_LAST_ACK);
    else
        return; /* SYN-SENT, SYN-RECEIVED: once it is established (RFC 9293 §3.10.4) */
    tcp_wake(c);
}

size_t tcp_unacknowledged(const struct tcp_connection *c)
{
    return queued(c);
}

size_t tcp_not_sent(const struct tcp_connection *c)
{
    int32_t len = seq_diff(c->snd_end, c->snd_nxt);
    return len > 0 ? (size_t)len : 0;
}
