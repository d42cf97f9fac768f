/* SPDX-License-Identifier: ISC */
/*
 * tcp_extra.c - what a connection keeps only after something out of the ordinary, and the counting
 * that this is mostly for.
 */
#include "stack/tcp/internal.h"

struct tcp_extra *tcp_extra_none(void)
{
    /* Nobody writes to it; the pointer is not const since the same member points to others. */
    static const struct tcp_extra none;
    return (struct tcp_extra *)&none;
}

bool tcp_extra_begin(struct tcp_connection *c)
{
    if (LIKELY(c->extra != tcp_extra_none()))
        return true;
    struct tcp_extra *extra = tcp_alloc(c->stack, TCP_CACHE_EXTRA);
    if (extra == NULL)
        return false;
    *extra = (struct tcp_extra){.limit = (uint8_t)tcp_limit(c), .limit_at = c->stack->now};
    tcp_watch_begin(c, &extra->watch, TCP_WATCHED_EXTRA);
    c->extra = extra;
    return true;
}

void tcp_extra_end(struct tcp_connection *c)
{
    struct tcp_extra *extra = c->extra;
    if (extra == tcp_extra_none())
        return;
    tcp_watch_end(&extra->watch);
    c->extra = tcp_extra_none();
    tcp_free(c->stack, TCP_CACHE_EXTRA, extra);
}

/* What tells of the present, and what was agreed on, must stay. What tuning has measured has had its
 * effect: the buffer is as large as it was found that it should be. A tail loss probe whose second
 * answer has not come by now was none in vain; the window begins anew after a pause anyway. */
void tcp_extra_rest(struct tcp_connection *c)
{
    const struct tcp_extra *extra = c->extra;
    bool stays = c->profile->statistics || stack_traced(c->stack) || c->mtu_search || c->dsack ||
                 c->urgent_sending || extra->urgent != TCP_URGENT_NONE ||
                 extra->window_limit != 0 || extra->peer_user_timeout != 0 ||
                 extra->trouble != TCP_TROUBLE_NONE || extra->stalled_at != 0;
    if (!stays)
        tcp_extra_end(c);
}

void tcp_count_retransmitted(struct tcp_connection *c, uint32_t len)
{
    uint32_t segments = tcp_segments_of(len, c->mss);
    c->stack->counters.tcpRetransSegs += segments;
    c->retransmits += segments;
    c->syn_retransmits += len == 0 && c->syn_retransmits < UINT8_MAX;
    c->octets_retransmitted += len;
}

void tcp_count_timeout(struct tcp_connection *c)
{
    c->stack->counters.tcpTimeouts++;
    c->timeouts++;
}

void tcp_note_duplicate(struct tcp_connection *c, struct seq start, struct seq end)
{
    if (!c->sack || !c->profile->dsack || !seq_before(start, end) || !tcp_extra_begin(c))
        return;
    c->dsack = true;
    c->extra->dsack_start = start;
    c->extra->dsack_end = end;
}

void tcp_note_trouble(struct tcp_connection *c, enum tcp_trouble trouble, uint8_t type,
                      uint8_t code)
{
    if (!tcp_extra_begin(c))
        return;
    c->extra->trouble = (uint8_t)trouble;
    c->extra->icmp_type = type;
    c->extra->icmp_code = code;
    tcp_raise(c, SOCKET_TROUBLE);
}

enum tcp_limit tcp_limit(const struct tcp_connection *c)
{
    bool sends = c->state >= TCP_ESTABLISHED && c->state != TCP_TIME_WAIT && !c->fin_sent;
    uint32_t unsent = sends ? (uint32_t)seq_diff(c->snd_end, c->snd_nxt) : 0;
    uint32_t flight = c->state >= TCP_ESTABLISHED ? tcp_flight(c) : 0;
    if (unsent == 0 && flight == 0)
        return TCP_LIMIT_IDLE;
    if (unsent == 0 && c->send_full)
        return tcp_pipe(c) + c->mss > c->cwnd ? TCP_LIMIT_CONGESTION : TCP_LIMIT_BUFFER;
    if (unsent == 0)
        return TCP_LIMIT_APPLICATION;
    if (timer_armed(&c->sending->pace_timer))
        return TCP_LIMIT_PACING;
    uint32_t next = unsent < c->mss ? unsent : c->mss;
    if (c->cwnd_limited || tcp_pipe(c) + next > c->cwnd)
        return TCP_LIMIT_CONGESTION; /* first, even if the peer's window were as small */
    return c->snd_wnd < flight + next ? TCP_LIMIT_RECEIVER : TCP_LIMIT_APPLICATION;
}

void tcp_limit_settle(struct tcp_connection *c)
{
    struct tcp_extra *extra = c->extra;
    if (LIKELY(extra == tcp_extra_none()))
        return;
    enum tcp_limit limit = tcp_limit(c);
    if (limit == extra->limit)
        return;
    extra->limited[extra->limit] += c->stack->now - extra->limit_at;
    extra->limit_at = c->stack->now;
    extra->limit = (uint8_t)limit;
}
