/* SPDX-License-Identifier: ISC */
/*
 * tcp_scoreboard.c - records of what is under way, in the order of the sequence space, from snd_una
 * to snd_nxt without a gap: when each was sent, and whether it was reported by SACK (RFC 2018),
 * thought lost (RFC 6675 §4, RFC 8985) or sent again. Sums of octets are kept along. Those that may
 * be found lost are in a second list, in the order in which they were sent.
 *
 * What an acknowledgement costs must not grow with the window. What is acknowledged goes from the
 * front; what SACK has reported is joined, so that a block is one record; and blocks are looked for
 * from where the last ones lay, since a receiver repeats them.
 */
#include "stack/tcp/internal.h"

struct tcp_sent *tcp_sent_new(struct tcp_connection *c)
{
    if (!tcp_sending_begin(c) || c->sending->records >= TCP_RECORDS_MAX)
        return NULL;
    struct tcp_sent *sent = tcp_alloc(c->stack, TCP_CACHE_SENT);
    if (sent != NULL)
        list_init(&sent->by_time);
    return sent;
}

void tcp_sent_append(struct tcp_connection *c, struct tcp_sent *sent)
{
    list_init(&sent->by_time);
    sent->next = NULL;
    sent->previous = c->sending->last;
    if (c->sending->last != NULL)
        c->sending->last->next = sent;
    else
        c->sending->first = sent;
    c->sending->last = sent;
    c->sending->records++;
    tcp_sent_stamp(c, sent);
}

void tcp_sent_stamp(struct tcp_connection *c, struct tcp_sent *sent)
{
    sent->sent_at = c->stack->now;
    sent->order = ++c->sending->rack.order_last;
    list_remove(&sent->by_time);
    list_append(&c->sending->rack.by_time, &sent->by_time);
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

static bool waits(uint8_t flags)
{
    return (flags & (TCP_SENT_LOST | TCP_SENT_AGAIN)) == TCP_SENT_LOST;
}

void tcp_sent_set(struct tcp_connection *c, struct tcp_sent *sent, uint8_t flags)
{
    struct tcp_sending *s = c->sending;
    ASSERT(!((flags & TCP_SENT_SACKED) && (flags & TCP_SENT_LOST)));
    if (waits(flags) && s->lost_next != NULL && seq_before(sent->start, s->lost_next->start))
        s->lost_next = sent;
    if (waits(flags) || (flags & TCP_SENT_SACKED))
        list_remove(&sent->by_time);
    count(c, sent->flags, tcp_sent_len(sent), false);
    sent->flags = flags;
    count(c, sent->flags, tcp_sent_len(sent), true);
}

void tcp_sent_lose(struct tcp_connection *c, struct tcp_sent *sent)
{
    uint8_t flags = sent->flags & (uint8_t)~TCP_SENT_AGAIN;
    bool news = !waits(sent->flags);
    if (news)
        c->sending->found_lost += tcp_sent_len(sent);
    tcp_sent_set(c, sent, flags | TCP_SENT_LOST);
    if (news && UNLIKELY(c->congestion->lost != NULL) && c->snd_wnd > 0)
        c->congestion->lost(c, sent);
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
    list_init(&tail->by_time);
    if (list_linked(&sent->by_time))
        list_insert_after(&sent->by_time, &tail->by_time);
    tail->start = at;
    tail->chunk = tcp_chunk_at(sent->chunk, at);
    tail->previous = sent;
    if (sent->next != NULL)
        sent->next->previous = tail;
    else
        c->sending->last = tail;
    sent->next = tail;
    sent->end = at;
    sent->flags &= (uint8_t)~(TCP_SENT_FIN | TCP_SENT_PUSH);
    c->sending->records++;
    return true;
}

/* The record goes: where it was a place of SACK's blocks, a neighbour is now. */
static void move_places(struct tcp_sending *s, const struct tcp_sent *sent)
{
    for (size_t i = 0; i < ARRAY_LEN(s->places); i++)
        if (s->places[i] == sent)
            s->places[i] = sent->previous != NULL ? sent->previous : sent->next;
}

/* Takes the record out of the lists; its octets have been uncounted, or belong to another one. */
static void take_out(struct tcp_connection *c, struct tcp_sent *sent)
{
    struct tcp_sending *s = c->sending;
    if (UNLIKELY(s->has_places))
        move_places(s, sent);
    if (sent->previous != NULL)
        sent->previous->next = sent->next;
    else
        s->first = sent->next;
    if (sent->next != NULL)
        sent->next->previous = sent->previous;
    else
        s->last = sent->previous;
    if (s->lost_next == sent)
        s->lost_next = sent->next;
    list_remove(&sent->by_time);
    s->records--;
    tcp_free(c->stack, TCP_CACHE_SENT, sent);
}

static void remove_first(struct tcp_connection *c)
{
    count(c, c->sending->first->flags, tcp_sent_len(c->sending->first), false);
    take_out(c, c->sending->first);
}

/* The record has arrived as far as `end`, and that is news: SACK has not reported it. */
static void arrived(struct tcp_connection *c, const struct tcp_sent *sent, struct seq end,
                    struct tcp_ack_event *event)
{
    if (sent->flags & TCP_SENT_EVER_AGAIN)
        event->again_arrived = true;
    else if (c->recovery == TCP_LOSS && seq_before_equal(end, c->recover))
        event->original_arrived = true;
    tcp_rack_arrived(c, sent, end, event);
    tcp_rate_arrived(c, sent, end);
}

void tcp_sent_acknowledge(struct tcp_connection *c, struct seq ack, struct tcp_ack_event *event)
{
    bool ambiguous = false;
    struct tcp_sent *first;
    while ((first = c->sending->first) != NULL && seq_before_equal(first->end, ack)) {
        /* The oldest one, since the timeout must cover the peer's delay too; none when one of
         * them was sent twice (RFC 6298 §3). What SACK reported earlier is no news now. */
        bool news = !(first->flags & TCP_SENT_SACKED);
        if (first->flags & TCP_SENT_EVER_AGAIN)
            ambiguous = true;
        else if (event->rtt < 0 && news)
            event->rtt = c->stack->now - first->sent_at;
        if (news)
            arrived(c, first, first->end, event);
        remove_first(c);
    }
    if (first != NULL && seq_before(first->start, ack)) {
        bool again = (first->flags & TCP_SENT_EVER_AGAIN) != 0;
        if (!(first->flags & TCP_SENT_SACKED)) {
            if (event->rtt < 0 && !again) /* of a super-segment's first part */
                event->rtt = c->stack->now - first->sent_at;
            arrived(c, first, ack, event);
        }
        ambiguous = ambiguous || again;
        count(c, first->flags, tcp_sent_len(first), false);
        first->chunk = tcp_chunk_at(first->chunk, ack);
        first->start = ack;
        count(c, first->flags, tcp_sent_len(first), true);
    }
    if (ambiguous)
        event->rtt = -1;
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

static uint32_t distance(struct seq a, struct seq b)
{
    int32_t diff = seq_diff(a, b);
    return diff < 0 ? (uint32_t)-diff : (uint32_t)diff;
}

/* The record in which `at` lies, which is somewhere between snd_una and snd_nxt; looked for from
 * the nearest of the places that are known. */
static struct tcp_sent *find(const struct tcp_connection *c, struct seq at)
{
    const struct tcp_sending *s = c->sending;
    struct tcp_sent *best = s->first;
    if (distance(s->last->start, at) < distance(best->start, at))
        best = s->last;
    for (size_t i = 0; i < ARRAY_LEN(s->places); i++)
        if (s->places[i] != NULL && distance(s->places[i]->start, at) < distance(best->start, at))
            best = s->places[i];
    while (best->previous != NULL && seq_before(at, best->start))
        best = best->previous;
    while (best->next != NULL && seq_before_equal(best->end, at))
        best = best->next;
    return best;
}

/* Marks what the block reports. Returns the record where it ends. */
static struct tcp_sent *sack_block(struct tcp_connection *c, struct seq start, struct seq end,
                                   struct tcp_ack_event *event)
{
    struct tcp_sent *place = find(c, start);
    for (struct tcp_sent *sent = place; sent != NULL && seq_before(sent->start, end);
         sent = sent->next) {
        place = sent;
        if (sent->flags & TCP_SENT_SACKED)
            continue;
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
        event->sacked += tcp_sent_len(sent);
        arrived(c, sent, sent->end, event);
        uint8_t keep = sent->flags & (TCP_SENT_EVER_AGAIN | TCP_SENT_FIN);
        tcp_sent_set(c, sent, keep | TCP_SENT_SACKED);
        place = sent = join_sacked(c, sent);
    }
    return place;
}

static struct seq block_start(const struct tcp_options *options, size_t i)
{
    return seq_of(options->sack[i].start);
}

static struct seq block_end(const struct tcp_options *options, size_t i)
{
    return seq_of(options->sack[i].end);
}

/* RFC 2883 §4: the first block reports duplicates when it lies below the acknowledgement, or within
 * the second block. Of octets that were never sent it is a lie. */
static bool is_dsack(const struct tcp_connection *c, const struct tcp_ack_event *event)
{
    const struct tcp_options *options = event->options;
    struct seq start = block_start(options, 0);
    struct seq end = block_end(options, 0);
    if (!seq_before(start, end) || seq_after(end, c->snd_nxt) ||
        (uint32_t)seq_diff(c->snd_nxt, start) > tcp_flight(c) + c->snd_wnd_max)
        return false;
    if (seq_before_equal(end, event->ack))
        return true;
    return options->sack_count > 1 && seq_after_equal(start, block_start(options, 1)) &&
           seq_before_equal(end, block_end(options, 1));
}

void tcp_sent_sack(struct tcp_connection *c, struct tcp_ack_event *event)
{
    const struct tcp_options *options = event->options;
    struct tcp_sending *s = c->sending;
    if (options->sack_count > 0 && is_dsack(c, event)) {
        event->dsack = true;
        c->dsacks++;
        event->dsack_start = block_start(options, 0);
        event->dsack_end = block_end(options, 0);
    }
    for (size_t i = 0; i < options->sack_count && s->first != NULL; i++) {
        struct seq start = block_start(options, i);
        struct seq end = block_end(options, i);
        /* Below snd_una it is old; beyond snd_nxt, a lie. */
        if (!seq_before(start, end) || seq_before(start, c->snd_una) || seq_after(end, c->snd_nxt))
            continue;
        s->has_places = true;
        s->places[i] = sack_block(c, start, end, event);
    }
}

/* RFC 6675 §4, IsLost(): more than (DupThresh - 1) * SMSS octets above have arrived. The other
 * rule, three discontiguous pieces, differs for pieces below SMSS only; there the count of
 * duplicate acknowledgements decides. */
void tcp_sent_mark_lost(struct tcp_connection *c)
{
    uint32_t above = c->sending->sacked;
    uint32_t enough = (c->reordering - 1) * (uint32_t)c->mss;
    for (struct tcp_sent *sent = c->sending->first; sent != NULL && above > enough; sent = sent->next) {
        if (sent->flags & TCP_SENT_SACKED)
            above -= tcp_sent_len(sent);
        else if (!(sent->flags & TCP_SENT_LOST))
            tcp_sent_lose(c, sent);
    }
}

void tcp_sent_mark_all_lost(struct tcp_connection *c)
{
    for (struct tcp_sent *sent = c->sending->first; sent != NULL; sent = sent->next)
        if (!(sent->flags & TCP_SENT_SACKED))
            tcp_sent_lose(c, sent);
}

/* Puts the record into the list by time. Those of one window come in the order of the sequence and,
 * mostly, of time: the search goes on from the last one. */
static struct list_node *insert_by_time(struct tcp_connection *c, struct tcp_sent *sent,
                                        struct list_node *place)
{
    struct list_node *head = &c->sending->rack.by_time;
    if (place != head && CONTAINER_OF(place, struct tcp_sent, by_time)->order > sent->order)
        place = head;
    while (place->next != head &&
           CONTAINER_OF(place->next, struct tcp_sent, by_time)->order <= sent->order)
        place = place->next;
    list_insert_after(place, &sent->by_time);
    return &sent->by_time;
}

void tcp_sent_mark_none_lost(struct tcp_connection *c)
{
    struct list_node *place = &c->sending->rack.by_time;
    for (struct tcp_sent *sent = c->sending->first; sent != NULL; sent = sent->next) {
        if (!(sent->flags & TCP_SENT_LOST))
            continue;
        tcp_sent_set(c, sent, sent->flags & (uint8_t)~(TCP_SENT_LOST | TCP_SENT_AGAIN));
        if (!list_linked(&sent->by_time))
            place = insert_by_time(c, sent, place);
    }
}

void tcp_sent_forget_sack(struct tcp_connection *c)
{
    for (struct tcp_sent *sent = c->sending->first; sent != NULL; sent = sent->next)
        if (sent->flags & TCP_SENT_SACKED) {
            uint8_t flags = sent->flags & (uint8_t)~TCP_SENT_SACKED;
            tcp_sent_set(c, sent, flags | TCP_SENT_LOST);
        }
}

void tcp_sent_clear(struct tcp_connection *c)
{
    while (c->sending->first != NULL)
        remove_first(c);
}
