/* SPDX-License-Identifier: ISC */
/*
 * buddy.c - a heap in one block of memory. The size of a block comes with the call that gives it
 * back, so blocks have no headers; whether the other half is free is one bit a pair, which changes
 * whenever one of the two does.
 */
#include "base/buddy.h"

#include <stdalign.h>
#include <string.h>

_Static_assert(BUDDY_BLOCK_MIN >= sizeof(struct list_node), "a free block holds its node");
_Static_assert(BUDDY_BLOCK_MIN % alignof(max_align_t) == 0, "blocks are aligned for any type");

/* The smallest order that has the size; BUDDY_ORDERS: none has. */
static unsigned order_of(size_t size)
{
    unsigned order = 0;
    while (order < BUDDY_ORDERS && (size_t)BUDDY_BLOCK_MIN << order < size)
        order++;
    return order;
}

/* Octets of the bits for the pairs of an order; a last block without another half has a bit, too. */
static size_t halves_len(size_t units, unsigned order)
{
    return (units >> (order + 1)) / 8 + 1;
}

static size_t tables_len(size_t units)
{
    size_t len = 0;
    for (unsigned order = 0; order < BUDDY_ORDERS; order++)
        len += halves_len(units, order);
    return len;
}

/* Changes the bit of the pair that the block at `unit` belongs to, and says what it is now: true,
 * just one of the two is free. */
static bool flip(struct buddy *buddy, size_t unit, unsigned order)
{
    size_t pair = unit >> (order + 1);
    uint8_t bit = (uint8_t)(1 << pair % 8);
    buddy->halves[order][pair / 8] ^= bit;
    return buddy->halves[order][pair / 8] & bit;
}

static struct list_node *node_at(struct buddy *buddy, size_t unit)
{
    return (struct list_node *)(void *)(buddy->blocks + unit * BUDDY_BLOCK_MIN);
}

static size_t unit_of(const struct buddy *buddy, const void *block)
{
    return (size_t)((const uint8_t *)block - buddy->blocks) / BUDDY_BLOCK_MIN;
}

static void put_free(struct buddy *buddy, size_t unit, unsigned order)
{
    while (!flip(buddy, unit, order) && order + 1 < BUDDY_ORDERS) {
        size_t other = unit ^ (size_t)1 << order;
        list_remove(node_at(buddy, other));
        unit &= ~((size_t)1 << order);
        order++;
    }
    list_prepend(&buddy->free[order], node_at(buddy, unit));
}

static void *take(struct buddy *buddy, unsigned order)
{
    unsigned from = order;
    while (from < BUDDY_ORDERS && list_empty(&buddy->free[from]))
        from++;
    if (from >= BUDDY_ORDERS) {
        buddy->refused++;
        return NULL;
    }
    struct list_node *node = list_first(&buddy->free[from]);
    size_t unit = unit_of(buddy, node);
    list_remove(node);
    (void)flip(buddy, unit, from);
    while (from > order) {
        from--;
        list_prepend(&buddy->free[from], node_at(buddy, unit + ((size_t)1 << from)));
        (void)flip(buddy, unit, from);
    }
    buddy->octets += (size_t)BUDDY_BLOCK_MIN << order;
    if (buddy->octets > buddy->octets_high)
        buddy->octets_high = buddy->octets;
    return node;
}

static void give_back(struct buddy *buddy, void *block, unsigned order)
{
    buddy->octets -= (size_t)BUDDY_BLOCK_MIN << order;
    put_free(buddy, unit_of(buddy, block), order);
}

/* The block's front stays, its other parts go. */
static void cut(struct buddy *buddy, void *block, unsigned order, unsigned to)
{
    while (order > to) {
        order--;
        give_back(buddy, (uint8_t *)block + ((size_t)BUDDY_BLOCK_MIN << order), order);
    }
}

static void *buddy_resize(void *self, void *old, size_t old_size, size_t new_size)
{
    struct buddy *buddy = self;
    unsigned old_order = order_of(old_size);
    unsigned new_order = order_of(new_size);
    if (old != NULL && new_size == 0) {
        give_back(buddy, old, old_order);
        return NULL;
    }
    if (new_size == 0)
        return NULL;
    if (old != NULL && new_order <= old_order) {
        cut(buddy, old, old_order, new_order);
        return old;
    }
    void *block = take(buddy, new_order);
    if (block != NULL && old != NULL) {
        memcpy(block, old, old_size);
        give_back(buddy, old, old_order);
    }
    return block;
}

bool buddy_init(struct buddy *buddy, void *memory, size_t size)
{
    *buddy = (struct buddy){0};
    for (unsigned order = 0; order < BUDDY_ORDERS; order++)
        list_init(&buddy->free[order]);
    size_t skip = (BUDDY_BLOCK_MIN - (uintptr_t)memory % BUDDY_BLOCK_MIN) % BUDDY_BLOCK_MIN;
    if (size < skip)
        return false;
    size -= skip;
    size_t units = size / BUDDY_BLOCK_MIN;
    while (units > 0 && units * BUDDY_BLOCK_MIN + tables_len(units) > size)
        units--;
    if (units == 0)
        return false;
    buddy->blocks = (uint8_t *)memory + skip;
    buddy->units = units;
    uint8_t *table = buddy->blocks + units * BUDDY_BLOCK_MIN;
    memset(table, 0, tables_len(units));
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        buddy->halves[order] = table;
        table += halves_len(units, order);
    }
    /* The largest blocks that their place and what is left allow. */
    for (size_t unit = 0, order; unit < units; unit += (size_t)1 << order) {
        order = 0;
        while (order + 1 < BUDDY_ORDERS && unit % ((size_t)2 << order) == 0 &&
               units - unit >= (size_t)2 << order)
            order++;
        put_free(buddy, unit, (unsigned)order);
    }
    return true;
}

struct heap buddy_heap(struct buddy *buddy)
{
    return (struct heap){.resize = buddy_resize, .self = buddy};
}
