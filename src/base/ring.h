/* SPDX-License-Identifier: ISC */
/*
 * ring.h - a bounded first-in-first-out queue of octets over a block that the caller owns.
 */
#ifndef WN_BASE_RING_H
#define WN_BASE_RING_H

#include "base/bytes.h"

struct ring {
    uint8_t *block;
    size_t size;
    size_t start; /* index of the oldest octet; below size, or 0 */
    size_t len;
};

/* Empty, over `size` octets at `block`, which must outlive the ring. */
void ring_init(struct ring *ring, void *block, size_t size);

static inline size_t ring_len(const struct ring *ring)
{
    return ring->len;
}

static inline size_t ring_room(const struct ring *ring)
{
    return ring->size - ring->len;
}

/* Appends a copy of what fits; returns how much that was. */
size_t ring_write(struct ring *ring, struct bytes in);

/* What is queued, oldest first: two views (the second, or both, may be empty), valid until the
 * next write or consume. */
void ring_views(const struct ring *ring, struct bytes out[2]);

/* The free octets that follow without a break, for reading straight into; *room may be 0. Then say
 * how many of them were filled. */
uint8_t *ring_tail(struct ring *ring, size_t *room);
void ring_commit(struct ring *ring, size_t len);

/* Lets go of the oldest `len` octets; there must be as many. */
void ring_consume(struct ring *ring, size_t len);

#endif
