/* SPDX-License-Identifier: ISC */
/*
 * tcp_scoreboard.c - records of what is under way, in the order of the sequence space, from snd_una
 * to snd_nxt without a gap: when each was sent, and whether it was reported by SACK (RFC 2018),
 * thought lost (RFC 6675 §4) or sent again. Sums of octets are kept along.
 */
#include "stack/tcp/internal.h"

struct tcp_sent *tcp_sent_new(struct tcp_connection *c)
{
    return tcp_sending_begin(c) ? tcp_alloc(c->stack, TCP_CACHE_SENT) : NULL;
}

void tcp_sent_append(struct tcp_connection *c, struct tcp_sent *sent)
{
    sent->next = NULL;
    sent->previous = c->sending->last;
    if (c->sending->last != NULL)
        c->sending->last->next = sent;
    else
        c->sending->first = sent;
    c->sending->last = sent;
}

/* Adds or takes away what the record's octets count for. */
static void count(struct tcp_connection *c, uint8_t flags, uint32_t len, bool add)
{
    uint32_t delta = add ? len : (uint32_t)-len;
    if (flags & TCP_SENT_SACKED)
        c->sending->sacked += delta;
    if (flags & TCP_SENT_LOST) {
        c->sending->lost += delta;
        if (flags & TCP_SENT_AGAIN)
            c->sending->again += delta;
    }
}

void tcp_sent_set(struct tcp_connection *c, struct tcp_sent *sent, uint8_t flags)
{
    ASSERT(!((flags & TCP_SENT_SACKED) && (flags & TCP_SENT_LOST)));
    bool waits = (flags & (TCP_SENT_LOST | TCP_SENT_AGAIN)) == TCP_SENT_LOST;
    if (waits && c->sending->lost_next != NULL && seq_before(sent->start, c->sending->lost_next->start))
        c->sending->lost_next = sent;
    count(c, sent->flags, tcp_sent_len(sent), false);
    sent->flags = flags;
    count(c, sent->flags, tcp_sent_len(sent), true);
}

struct tcp_chunk *tcp_chunk_at(struct tcp_chunk *from, struct seq at)
{
    while (from != NULL && seq_before_equal(seq_add(from->start, from->len), at))
        from = from->next;
    return from;
}

bool tcp_sent_split(struct tcp_connection *c, struct tcp_sent *sent, struct seq at)
{
    ASSERT(seq_before(sent->start, at) && seq_before(at, sent->end));
    struct tcp_sent *tail = tcp_sent_new(c);
    if (tail == NULL)
        return false;
    *tail = *sent;
    tail->start = at;
    tail->chunk = tcp_chunk_at(sent->chunk, at);
    tail->previous = sent;
    if (sent->next != NULL)
        sent->next->previous = tail;
    else
        c->sending->last = tail;
    sent->next = tail;
    sent->end = at;
    sent->flags &= (uint8_t)~TCP_SENT_FIN;
    return true;
}

/* Takes the record out of the list; its octets have been uncounted, or belong to another one. */
static void take_out(struct tcp_connection *c, struct tcp_sent *sent)
{
    if (sent->previous != NULL)
        sent->previous->next = sent->next;
    else
        c->sending->first = sent->next;
    if (sent->next != NULL)
        sent->next->previous = sent->previous;
    else
        c->sending->last = sent->previous;
    if (c->sending->lost_next == sent)
        c->sending->lost_next = sent->next;
    tcp_free(c->stack, TCP_CACHE_SENT, sent);
}

static void remove_first(struct tcp_connection *c)
{
    count(c, c->sending->first->flags, tcp_sent_len(c->sending->first), false);
    take_out(c, c->sending->first);
}

usec tcp_sent_acknowledge(struct tcp_connection *c, struct seq ack)
{
    usec rtt = -1;
    bool ambiguous = false;
    struct tcp_sent *first;
    while ((first = c->sending->first) != NULL && seq_before_equal(first->end, ack)) {
        /* The oldest one, since the timeout must cover the peer's delay too; none when one of
         * them was sent twice (RFC 6298 §3). What SACK reported earlier is no news now. */
        if (first->flags & TCP_SENT_EVER_AGAIN)
            ambiguous = true;
        else if (rtt < 0 && !(first->flags & TCP_SENT_SACKED))
            rtt = c->stack->now - first->sent_at;
        remove_first(c);
    }
    if (first != NULL && seq_before(first->start, ack)) {
        count(c, first->flags, tcp_sent_len(first), false);
        first->chunk = tcp_chunk_at(first->chunk, ack);
        first->start = ack;
        count(c, first->flags, tcp_sent_len(first), true);
    }
    return ambiguous ? -1 : rtt;
}

/* Which part of the record the block covers, in whole segments: a peer that reports single octets
 * must not make us keep a record for each. False: none. */
static bool covered(const struct tcp_connection *c, const struct tcp_sent *sent, struct seq *start,
                    struct seq *end)
{
    if (seq_before(sent->start, *start)) {
        uint32_t from = (uint32_t)seq_diff(*start, sent->start);
        *start = seq_add(sent->start, (from + c->mss - 1) / c->mss * c->mss);
    } else {
        *start = sent->start;
    }
    if (seq_before(*end, sent->end)) {
        uint32_t to = (uint32_t)seq_diff(*end, sent->start);
        *end = seq_add(sent->start, to / c->mss * c->mss);
    } else {
        *end = sent->end;
    }
    return seq_before(*start, *end);
}

/* Makes one record of this one and its neighbours that were reported too: long windows with few
 * holes are then short lists. Returns it. */
static struct tcp_sent *join_sacked(struct tcp_connection *c, struct tcp_sent *sent)
{
    struct tcp_sent *before = sent->previous;
    if (before != NULL && (before->flags & TCP_SENT_SACKED))
        sent = before;
    struct tcp_sent *next;
    while ((next = sent->next) != NULL && (next->flags & TCP_SENT_SACKED)) {
        sent->end = next->end;
        sent->flags |= next->flags;
        take_out(c, next);
    }
    return sent;
}

static uint32_t sack_block(struct tcp_connection *c, struct seq start, struct seq end)
{
    uint32_t news = 0;
    for (struct tcp_sent *sent = c->sending->first; sent != NULL; sent = sent->next) {
        if (seq_before_equal(sent->end, start) || (sent->flags & TCP_SENT_SACKED))
            continue;
        if (seq_before_equal(end, sent->start))
            break;
        struct seq from = start;
        struct seq to = end;
        if (!covered(c, sent, &from, &to))
            continue;
        if (seq_before(sent->start, from)) {
            if (!tcp_sent_split(c, sent, from))
                break;
            continue; /* the tail comes next */
        }
        if (seq_before(to, sent->end) && !tcp_sent_split(c, sent, to))
            break;
        uint8_t keep = sent->flags & (TCP_SENT_EVER_AGAIN | TCP_SENT_FIN);
        tcp_sent_set(c, sent, keep | TCP_SENT_SACKED);
        news += tcp_sent_len(sent);
        sent = join_sacked(c, sent);
    }
    return news;
}

uint32_t tcp_sent_sack(struct tcp_connection *c, const struct tcp_options *options)
{
    uint32_t news = 0;
    for (size_t i = 0; i < options->sack_count; i++) {
        struct seq start = seq_of(options->sack[i].start);
        struct seq end = seq_of(options->sack[i].end);
        /* Below snd_una it is a report of duplicates (RFC 2883 §4); beyond snd_nxt, a lie. */
        if (seq_before(start, end) && seq_after_equal(start, c->snd_una) &&
            seq_before_equal(end, c->snd_nxt))
            news += sack_block(c, start, end);
    }
    return news;
}

/* RFC 6675 §4, IsLost(): more than (DupThresh - 1) * SMSS octets above have arrived. The other
 * rule, three discontiguous pieces, differs for pieces below SMSS only; there the count of
 * duplicate acknowledgements decides. */
void tcp_sent_mark_lost(struct tcp_connection *c)
{
    uint32_t above = c->sending->sacked;
    uint32_t enough = (TCP_DUP_THRESHOLD - 1) * (uint32_t)c->mss;
    for (struct tcp_sent *sent = c->sending->first; sent != NULL && above > enough; sent = sent->next) {
        if (sent->flags & TCP_SENT_SACKED)
            above -= tcp_sent_len(sent);
        else if (!(sent->flags & TCP_SENT_LOST))
            tcp_sent_set(c, sent, sent->flags | TCP_SENT_LOST);
    }
}

void tcp_sent_mark_all_lost(struct tcp_connection *c)
{
    for (struct tcp_sent *sent = c->sending->first; sent != NULL; sent = sent->next) {
        uint8_t keep = sent->flags & (TCP_SENT_EVER_AGAIN | TCP_SENT_FIN);
        if (!(sent->flags & TCP_SENT_SACKED))
            tcp_sent_set(c, sent, keep | TCP_SENT_LOST);
    }
}

void tcp_sent_forget_sack(struct tcp_connection *c)
{
    for (struct tcp_sent *sent = c->sending->first; sent != NULL; sent = sent->next)
        tcp_sent_set(c, sent, sent->flags & (uint8_t)~TCP_SENT_SACKED);
}

void tcp_sent_clear(struct tcp_connection *c)
{
    while (c->sending->first != NULL)
        remove_first(c);
}
