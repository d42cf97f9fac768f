/* SPDX-License-Identifier: ISC */
/*
 * tcp_urgent.c - urgent data (RFC 9293 §3.8.5) as RFC 6093 §3 reads it: a pointer that goes with the
 * segments says where in the stream the urgent octets end. Nothing leaves the stream; the last urgent
 * octet is noted besides, for applications that want it before their turn has come (§3.3 there).
 */
#include "stack/tcp/internal.h"

/* ---- receiving ---- */

/* What the application reads next. */
static struct seq read_next(const struct tcp_connection *c)
{
    return seq_subtract(c->rcv_nxt, c->received_len + c->fin_received);
}

/* Of two urgent octets in a row the reader, who stands before the first one, would take it for
 * ordinary: where they are taken out of line, it is dropped, as on other hosts. */
static void leave_last(struct tcp_connection *c)
{
    const struct tcp_extra *extra = c->extra;
    if (!c->urgent_in_line && extra->urgent != TCP_URGENT_NONE && c->received_len > 0 &&
        seq_equal(extra->urgent_last, read_next(c)))
        tcp_consume(c, 1);
}

/* RFC 6093 §3.1: the pointer is of the octet behind the urgent data. */
static void take_pointer(struct tcp_connection *c, const struct tcp_segment *seg)
{
    uint32_t urgent = seg->header.urgent;
    struct seq last = seq_add(seq_of(seg->header.sequence), urgent > 0 ? urgent - 1 : 0);
    if (seq_before(last, c->rcv_nxt) || !tcp_extra_begin(c))
        return;
    struct tcp_extra *extra = c->extra;
    if (extra->urgent != TCP_URGENT_NONE && !seq_after(last, extra->urgent_last))
        return;
    leave_last(c);
    extra->urgent = TCP_URGENT_COMING;
    extra->urgent_last = last;
    c->urgent_coming = true;
    tcp_raise(c, SOCKET_URGENT);
}

static void take_octet(struct tcp_connection *c, const struct tcp_segment *seg)
{
    struct tcp_extra *extra = c->extra;
    int32_t place = seq_diff(extra->urgent_last, seg->seq);
    if (place < 0 || (size_t)place >= seg->text.len)
        return;
    extra->urgent = TCP_URGENT_HERE;
    extra->urgent_octet = seg->text.data[place];
    c->urgent_coming = false;
    tcp_raise(c, SOCKET_URGENT);
}

enum tcp_verdict tcp_check_urgent(struct tcp_connection *c, struct tcp_segment *seg)
{
    if (LIKELY(!(seg->header.flags & TCP_URG) && !c->urgent_coming))
        return TCP_CONTINUE;
    if (!tcp_takes_text(c))
        return TCP_CONTINUE;
    if (seg->header.flags & TCP_URG)
        take_pointer(c, seg);
    if (c->urgent_coming)
        take_octet(c, seg);
    return TCP_CONTINUE;
}

void tcp_urgent_consumed(struct tcp_connection *c)
{
    if (seq_after(read_next(c), c->extra->urgent_last))
        c->extra->urgent = TCP_URGENT_NONE;
}

enum tcp_urgent tcp_urgent(const struct tcp_connection *c, struct tcp_urgent_mark *out)
{
    const struct tcp_extra *extra = c->extra;
    if (LIKELY(extra->urgent == TCP_URGENT_NONE))
        return TCP_URGENT_NONE;
    out->before = (uint32_t)seq_diff(extra->urgent_last, read_next(c));
    out->octet = extra->urgent_octet;
    return (enum tcp_urgent)extra->urgent;
}

void tcp_urgent_take(struct tcp_connection *c)
{
    if (c->extra->urgent == TCP_URGENT_HERE)
        c->extra->urgent = TCP_URGENT_TAKEN;
}

/* ---- sending ---- */

size_t tcp_send_urgent(struct tcp_connection *c, struct bytes in)
{
    size_t taken = tcp_extra_begin(c) ? tcp_send(c, in) : 0;
    if (taken == 0)
        return 0;
    c->extra->snd_up = c->snd_end;
    c->urgent_sending = true;
    /* The peer is to know even when its window keeps the octets back (RFC 9293 §3.10.7.4, first: URG
     * counts there). */
    bool open = c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT;
    if (open && (uint32_t)seq_diff(c->snd_end, c->snd_una) > c->snd_wnd)
        c->ack_now = true;
    return taken;
}

void tcp_urgent_acknowledged(struct tcp_connection *c)
{
    c->urgent_sending = seq_before(c->snd_una, c->extra->snd_up);
}

void tcp_urgent_point(const struct tcp_connection *c, struct seq seq, struct tcp_header *header)
{
    int32_t distance = seq_diff(c->extra->snd_up, seq);
    if (distance <= 0)
        return;
    header->flags |= TCP_URG;
    /* Beyond the field's reach segments that follow move it on. */
    header->urgent = distance < UINT16_MAX ? (uint16_t)distance : UINT16_MAX;
}
