/* SPDX-License-Identifier: ISC */
/* zone_history.c - a list of changes. */
#include "proto/dns/zone_history.h"

#include "wire/dns/dns_serial.h"

struct zone_history *zone_history_new(const struct heap *heap, size_t octets_max)
{
    struct zone_history *history = heap_zeroed(heap, sizeof *history);
    if (history == NULL)
        return NULL;
    history->heap = *heap;
    history->octets_max = octets_max;
    list_init(&history->items);
    return history;
}

static struct zone_history_item *item_of(const struct list_node *node)
{
    return CONTAINER_OF(node, struct zone_history_item, node);
}

static size_t octets_of(const struct zone_change *change)
{
    return sizeof(struct zone_history_item) + zone_change_octets(change);
}

static void drop_oldest(struct zone_history *history)
{
    struct zone_history_item *item = item_of(list_first(&history->items));
    list_remove(&item->node);
    history->octets -= octets_of(&item->change);
    history->count--;
    zone_change_done(&item->change);
    heap_release(&history->heap, item, sizeof *item);
}

void zone_history_clear(struct zone_history *history)
{
    while (!list_empty(&history->items))
        drop_oldest(history);
}

void zone_history_free(struct zone_history *history)
{
    if (history == NULL)
        return;
    zone_history_clear(history);
    struct heap heap = history->heap;
    heap_release(&heap, history, sizeof *history);
}

/* Does the change lead on from the last one, and forwards? */
static bool follows(const struct zone_history *history, const struct zone_change *change)
{
    const struct list_node *last = history->items.previous;
    return dns_serial_before(change->serial_from, change->serial_to) &&
           (last == &history->items || item_of(last)->change.serial_to == change->serial_from);
}

void zone_history_add(struct zone_history *history, struct zone_change *change)
{
    size_t octets = octets_of(change);
    if (!follows(history, change))
        zone_history_clear(history);
    while (!list_empty(&history->items) && octets > history->octets_max - history->octets)
        drop_oldest(history);
    struct zone_history_item *item = NULL;
    if (octets <= history->octets_max && dns_serial_before(change->serial_from, change->serial_to))
        item = heap_zeroed(&history->heap, sizeof *item);
    if (item == NULL) {
        zone_history_clear(history);
        zone_change_done(change);
        return;
    }
    zone_change_move(change, &item->change);
    list_init(&item->node);
    list_append(&history->items, &item->node);
    history->octets += octets;
    history->count++;
}

const struct zone_change *zone_history_find(const struct zone_history *history, uint32_t serial)
{
    /* From the newest on: serial numbers come again after 2^32. */
    for (const struct list_node *node = history->items.previous; node != &history->items;
         node = node->previous)
        if (item_of(node)->change.serial_from == serial)
            return &item_of(node)->change;
    return NULL;
}

const struct zone_change *zone_history_next(const struct zone_history *history,
                                            const struct zone_change *change)
{
    const struct list_node *node = CONTAINER_OF(change, struct zone_history_item, change)->node.next;
    return node != &history->items ? &item_of(node)->change : NULL;
}
