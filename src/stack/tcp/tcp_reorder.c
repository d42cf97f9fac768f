/* SPDX-License-Identifier: ISC */
/*
 * tcp_reorder.c - octets that came before their time, as a sorted list of ranges, and what SACK
 * tells of them (RFC 2018 §4). Octets that are there already win over later copies.
 *
 * Bounded by the window in octets, and in ranges by TCP_REORDER_RANGES_MAX: a range more is refused
 * and comes again. Within a range octets are gathered like anywhere else.
 */
#include "stack/tcp/internal.h"

static struct tcp_reorder *need(struct tcp_connection *c)
{
    if (c->reorder == NULL) {
        c->reorder = tcp_alloc(c->stack, TCP_CACHE_REORDER);
        if (c->reorder != NULL)
            *c->reorder = (struct tcp_reorder){0};
    }
    return c->reorder;
}

static void release_when_empty(struct tcp_connection *c)
{
    if (c->reorder != NULL && c->reorder->first == NULL && !c->reorder->fin) {
        tcp_free(c->stack, TCP_CACHE_REORDER, c->reorder);
        c->reorder = NULL;
    }
}

static void touch(struct tcp_reorder *reorder, struct tcp_range *range)
{
    range->stamp = ++reorder->stamp;
}

/* A new range, for `text` at `start`, after `*link`. */
static bool add_range(struct tcp_connection *c, struct tcp_range **link, struct frame *frame,
                      struct bytes text, struct seq start)
{
    struct tcp_reorder *reorder = c->reorder;
    if (reorder->count >= TCP_REORDER_RANGES_MAX)
        return false;
    struct tcp_range *range = tcp_alloc(c->stack, TCP_CACHE_RANGE);
    if (range == NULL)
        return false;
    *range = (struct tcp_range){.start = start, .end = seq_add(start, (uint32_t)text.len)};
    if (!tcp_queue_add(c->stack, &range->queue, frame, text, start)) {
        tcp_free(c->stack, TCP_CACHE_RANGE, range);
        return false;
    }
    touch(reorder, range);
    range->next = *link;
    *link = range;
    reorder->count++;
    return true;
}

/* `text` ends where the range begins. */
static bool prepend(struct tcp_connection *c, struct tcp_range *range, struct frame *frame,
                    struct bytes text, struct seq start)
{
    struct tcp_queue queue = {NULL, NULL};
    if (!tcp_queue_add(c->stack, &queue, frame, text, start))
        return false;
    tcp_queue_join(&queue, &range->queue);
    range->queue = queue;
    range->start = start;
    touch(c->reorder, range);
    return true;
}

static bool append(struct tcp_connection *c, struct tcp_range *range, struct frame *frame,
                   struct bytes text, struct seq start)
{
    if (!tcp_queue_add(c->stack, &range->queue, frame, text, start))
        return false;
    range->end = seq_add(range->end, (uint32_t)text.len);
    touch(c->reorder, range);
    struct tcp_range *next = range->next;
    if (next != NULL && seq_equal(next->start, range->end)) {
        tcp_queue_join(&range->queue, &next->queue);
        range->end = next->end;
        range->next = next->next;
        c->reorder->count--;
        tcp_free(c->stack, TCP_CACHE_RANGE, next);
    }
    return true;
}

/* Adds the first stretch of `text` that is new and has no range inside it. Returns how many octets
 * are dealt with, of which *added were new; 0: refused. */
static size_t add_stretch(struct tcp_connection *c, struct frame *frame, struct bytes text,
                          struct seq start, size_t *added)
{
    struct seq end = seq_add(start, (uint32_t)text.len);
    struct tcp_range **link = &c->reorder->first;
    while (*link != NULL && seq_before((*link)->end, start))
        link = &(*link)->next;
    struct tcp_range *range = *link;

    bool done;
    if (range == NULL || seq_before(end, range->start)) {
        done = add_range(c, link, frame, text, start);
    } else if (seq_before(start, range->start)) {
        text = bytes_first(text, (size_t)seq_diff(range->start, start));
        done = prepend(c, range, frame, text, start);
    } else if (seq_before(start, range->end)) {
        touch(c->reorder, range);
        int32_t there = seq_diff(range->end, start);
        return (size_t)there < text.len ? (size_t)there : text.len;
    } else {
        if (range->next != NULL && seq_before(range->next->start, end))
            text = bytes_first(text, (size_t)seq_diff(range->next->start, start));
        done = append(c, range, frame, text, start);
    }
    if (!done)
        return 0;
    *added += text.len;
    return text.len;
}

enum tcp_reorder_status tcp_reorder_add(struct tcp_connection *c, const struct tcp_segment *seg)
{
    struct tcp_reorder *reorder = need(c);
    if (reorder == NULL)
        return TCP_REORDER_REFUSED;
    struct bytes text = seg->text;
    struct seq start = seg->seq;
    size_t added = 0;
    bool refused = false;
    while (text.len > 0 && !refused) {
        size_t len = add_stretch(c, seg->packet->frame, text, start, &added);
        text = bytes_after(text, len);
        start = seq_add(start, (uint32_t)len);
        refused = len == 0;
    }
    reorder->octets += (uint32_t)added;
    release_when_empty(c);
    if (refused)
        return TCP_REORDER_REFUSED;
    return added > 0 ? TCP_REORDER_KEPT : TCP_REORDER_DUPLICATE;
}

void tcp_reorder_note_fin(struct tcp_connection *c, const struct tcp_segment *seg)
{
    struct tcp_reorder *reorder = need(c);
    if (reorder == NULL)
        return; /* it comes again */
    reorder->fin = true;
    reorder->fin_at = seq_add(seg->seq, (uint32_t)seg->text.len);
}

uint32_t tcp_reorder_collect(struct tcp_connection *c)
{
    struct tcp_reorder *reorder = c->reorder;
    uint32_t collected = 0;
    struct tcp_range *range;
    while ((range = reorder->first) != NULL && seq_before_equal(range->start, c->rcv_nxt)) {
        uint32_t len = (uint32_t)seq_diff(range->end, range->start);
        uint32_t seen = (uint32_t)seq_diff(c->rcv_nxt, range->start);
        reorder->octets -= len;
        if (seen >= len) {
            tcp_queue_clear(c->stack, &range->queue);
        } else {
            tcp_queue_drop(c->stack, &range->queue, seen);
            tcp_queue_join(&c->received, &range->queue);
            c->rcv_nxt = range->end;
            collected += len - seen;
        }
        reorder->first = range->next;
        reorder->count--;
        tcp_free(c->stack, TCP_CACHE_RANGE, range);
    }
    release_when_empty(c);
    return collected;
}

void tcp_reorder_clear(struct tcp_connection *c)
{
    struct tcp_reorder *reorder = c->reorder;
    if (reorder == NULL)
        return;
    struct tcp_range *range;
    while ((range = reorder->first) != NULL) {
        reorder->first = range->next;
        tcp_queue_clear(c->stack, &range->queue);
        tcp_free(c->stack, TCP_CACHE_RANGE, range);
    }
    tcp_free(c->stack, TCP_CACHE_REORDER, reorder);
    c->reorder = NULL;
}

/* The newest range that is older than `stamp`. */
static const struct tcp_range *newest_below(const struct tcp_reorder *reorder, uint32_t stamp)
{
    const struct tcp_range *best = NULL;
    for (const struct tcp_range *range = reorder->first; range != NULL; range = range->next)
        if (range->stamp < stamp && (best == NULL || range->stamp > best->stamp))
            best = range;
    return best;
}

unsigned tcp_reorder_blocks(const struct tcp_connection *c, struct tcp_sack_block *blocks,
                            unsigned max)
{
    const struct tcp_reorder *reorder = c->reorder;
    unsigned count = 0;
    if (reorder == NULL)
        return 0;
    uint32_t stamp = UINT32_MAX;
    const struct tcp_range *range;
    while (count < max && (range = newest_below(reorder, stamp)) != NULL) {
        /* A FIN behind the range is part of the sequence space that has arrived. */
        bool fin = reorder->fin && seq_equal(range->end, reorder->fin_at);
        blocks[count++] = (struct tcp_sack_block){range->start.n, range->end.n + fin};
        stamp = range->stamp;
    }
    return count;
}
