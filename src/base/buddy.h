/* SPDX-License-Identifier: ISC */
/*
 * buddy.h - a heap in one block of memory of the caller's: for a device that has no malloc, and for
 * whoever wants to see that a stack stays within its bounds.
 *
 * Blocks are powers of two, of BUDDY_BLOCK_MIN octets and more; a block that is given back is joined
 * with its other half when that is free (Knuth 2.5 C). Every call is bounded by the number of
 * orders. Making a block smaller never fails. It holds no memory but the caller's and needs no
 * _done().
 */
#ifndef WN_BASE_BUDDY_H
#define WN_BASE_BUDDY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"
#include "base/list.h"

enum {
    BUDDY_BLOCK_MIN = 32,
    BUDDY_ORDERS = 27, /* the largest block: 2 GiB */
};

struct buddy {
    struct list_node free[BUDDY_ORDERS]; /* by order: BUDDY_BLOCK_MIN << order octets */
    uint8_t *halves[BUDDY_ORDERS];       /* one bit a pair of blocks: just one of the two is free */
    uint8_t *blocks;
    size_t units;                        /* of BUDDY_BLOCK_MIN octets, from `blocks` on */
    size_t octets;                       /* handed out, rounded up to their blocks */
    size_t octets_high;                  /* the most that ever was */
    uint64_t refused;                    /* requests that found no block */
};

/* Borrows `size` octets at `memory`, of any alignment. About one octet in 100 goes to the tables.
 * False: there is no room for a single block. */
MUST_USE bool buddy_init(struct buddy *buddy, void *memory, size_t size);

/* Valid as long as the buddy is, and stays where it is. */
struct heap buddy_heap(struct buddy *buddy);

#endif
