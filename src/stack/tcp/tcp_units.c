/* SPDX-License-Identifier: ISC */
/*
 * tcp_units.c - how the application's writes lie in the send queue: in units that no super-segment
 * reaches beyond. The end of a message (TCP_SEND_RECORD) ends one. Where the profile says what a unit
 * costs, all text is kept in units, and write(), poll() and the send buffer behave as on Linux, which
 * has a socket buffer for each:
 *
 * - a unit holds half of the peer's largest window, 64 KiB at most; one that is begun may be filled,
 *   whatever the send buffer's size;
 * - each counts with its cost against the send buffer, before and after it was sent;
 * - there is room again when a third of the send buffer is free;
 * - the send buffer grows with cwnd while cwnd is not filled.
 *
 * What the window has room for is as good as sent, since it leaves when this turn is over.
 */
#include "stack/tcp/internal.h"

enum {
    UNIT_MAX = 65215,       /* IP's Total Length, less all headers */
    HEADERS = 640,          /* of a segment, with what goes with a buffer, */
    BUFFER = 256,           /* and what describes it */
    RECORD_COST = 512,      /* of a message's end where units cost nothing else */
    SEGMENTS_LEAST = 10,
};

bool tcp_units_count(const struct tcp_connection *c)
{
    return c->profile->unit_cost != 0;
}

/* Most octets of a unit. */
static uint32_t unit_max(const struct tcp_connection *c)
{
    uint32_t window = c->snd_wnd_max > TCP_MSS_DEFAULT ? c->snd_wnd_max / 2 : c->snd_wnd_max;
    uint32_t most = window < UNIT_MAX ? window : UNIT_MAX;
    return most > c->mss ? most - most % c->mss : c->mss;
}

/* The first octet that stays here when all has left that may. */
static struct seq stays_from(const struct tcp_connection *c)
{
    uint32_t flight = tcp_flight(c);
    uint32_t pipe = tcp_pipe(c);
    uint32_t window = c->snd_wnd > flight ? c->snd_wnd - flight : 0;
    uint32_t room = c->cwnd > pipe ? c->cwnd - pipe : 0;
    uint32_t len = window < room ? window : room;
    return seq_min(seq_add(c->snd_nxt, len - len % c->mss), c->snd_end);
}

/* Octets in the last unit, while it can take more. */
static uint32_t open_len(const struct tcp_connection *c)
{
    const struct tcp_sending *s = c->sending;
    if (s->units == 0)
        return 0;
    struct seq start = seq_max(s->unit_start, stays_from(c));
    return seq_before(start, c->snd_end) ? (uint32_t)seq_diff(c->snd_end, start) : 0;
}

/* How much a unit takes that is open, or would be begun. The window may have changed since. */
static uint32_t open_left(const struct tcp_connection *c)
{
    uint32_t most = unit_max(c);
    uint32_t open = open_len(c);
    return most > open ? most - open : 0;
}

static uint32_t not_sent(const struct tcp_connection *c)
{
    return (uint32_t)seq_diff(c->snd_end, stays_from(c));
}

uint32_t tcp_units_cost(const struct tcp_connection *c)
{
    const struct tcp_sending *s = c->sending;
    if (!tcp_units_count(c))
        return s->units * RECORD_COST;
    uint32_t leaving = (uint32_t)seq_diff(stays_from(c), c->snd_nxt);
    uint32_t burst = tcp_burst_wanted(c, c->mss);
    uint32_t pieces = (leaving + burst - 1) / burst; /* each will be one of its own */
    return (s->records + s->units + pieces) * c->profile->unit_cost;
}

uint32_t tcp_units_limit(const struct tcp_connection *c)
{
    bool fixed = c->send_fixed || c->profile->send_buffer_max == 0;
    return fixed ? 2 * c->send_buffer : c->send_buffer; /* what was wished is for octets alone */
}

size_t tcp_units_room(const struct tcp_connection *c, uint32_t queued, uint32_t limit)
{
    uint32_t cost = queued + tcp_units_cost(c);
    size_t room = open_len(c) > 0 ? open_left(c) : 0;
    if (cost < limit && not_sent(c) < c->profile->not_sent_low)
        room += limit - cost;
    return room;
}

bool tcp_units_roomy(const struct tcp_connection *c, uint32_t queued, uint32_t limit)
{
    uint64_t cost = (uint64_t)queued + tcp_units_cost(c);
    uint64_t waits = not_sent(c);
    return cost + cost / 2 <= limit && 2 * waits < c->profile->not_sent_low;
}

void tcp_units_grow(struct tcp_connection *c)
{
    if (c->send_fixed || tcp_pipe(c) + c->mss > c->cwnd)
        return;
    uint32_t cost = 1;
    while (cost < c->mss + (uint32_t)HEADERS)
        cost *= 2;
    uint32_t segments = c->cwnd / c->mss;
    if (segments < SEGMENTS_LEAST)
        segments = SEGMENTS_LEAST;
    if (segments < c->reordering + 1u)
        segments = c->reordering + 1u;
    uint64_t want = 2 * (uint64_t)segments * (cost + BUFFER);
    if (want > c->profile->send_buffer_max)
        want = c->profile->send_buffer_max;
    if (want > c->send_buffer)
        c->send_buffer = (uint32_t)want;
}

void tcp_unit_end(struct tcp_connection *c, bool push)
{
    struct tcp_sending *s = c->sending;
    s->queue.last->ends = true;
    s->queue.last->push = push;
    s->has_ends = true;
    s->unit_start = c->snd_end;
}

uint32_t tcp_unit_left(const struct tcp_connection *c, uint32_t len)
{
    if (!tcp_units_count(c))
        return len;
    uint32_t left = open_left(c);
    return left < len ? left : len;
}

bool tcp_unit_full(const struct tcp_connection *c)
{
    return tcp_units_count(c) && open_len(c) >= unit_max(c);
}

bool tcp_unit_is_open(const struct tcp_connection *c)
{
    return open_len(c) > 0;
}

void tcp_unit_add(struct tcp_connection *c, uint32_t len)
{
    struct tcp_sending *s = c->sending;
    if (open_len(c) == 0) {
        s->units++;
        s->unit_start = c->snd_end;
    }
    c->snd_end = seq_add(c->snd_end, len);
}

uint32_t tcp_unit_rest(const struct tcp_connection *c, bool *push)
{
    const struct tcp_sending *s = c->sending;
    uint32_t rest = (uint32_t)seq_diff(c->snd_end, c->snd_nxt);
    *push = !s->more;
    if (rest == 0 || !s->has_ends)
        return rest;
    const struct tcp_chunk *chunk =
        tcp_chunk_at(s->next != NULL ? s->next : s->queue.first, c->snd_nxt);
    while (chunk != NULL && !chunk->ends)
        chunk = chunk->next;
    if (chunk == NULL)
        return rest;
    *push = chunk->push;
    return (uint32_t)seq_diff(seq_add(chunk->start, chunk->len), c->snd_nxt);
}

void tcp_units_sent(struct tcp_connection *c, bool ended)
{
    struct tcp_sending *s = c->sending;
    if (seq_after_equal(c->snd_nxt, c->snd_end))
        s->units = 0;
    else if (ended && s->units > 1)
        s->units--;
}
