/* SPDX-License-Identifier: ISC */
/* ring.c - octets from `start` on, wrapping round at the end of the block. */
#include "base/ring.h"

void ring_init(struct ring *ring, void *block, size_t size)
{
    *ring = (struct ring){.block = block, .size = size};
}

uint8_t *ring_tail(struct ring *ring, size_t *room)
{
    size_t to_end = ring->size - ring->start;
    if (ring->len < to_end) {
        *room = to_end - ring->len;
        return ring->block + ring->start + ring->len;
    }
    *room = ring->size - ring->len;
    return ring->block + (ring->len - to_end);
}

void ring_commit(struct ring *ring, size_t len)
{
    ASSERT(len <= ring_room(ring));
    ring->len += len;
}

size_t ring_write(struct ring *ring, struct bytes in)
{
    size_t taken = 0;
    while (taken < in.len) {
        size_t room;
        uint8_t *tail = ring_tail(ring, &room);
        if (room == 0)
            break;
        size_t count = in.len - taken < room ? in.len - taken : room;
        memcpy(tail, in.data + taken, count);
        ring_commit(ring, count);
        taken += count;
    }
    return taken;
}

void ring_views(const struct ring *ring, struct bytes out[2])
{
    size_t to_end = ring->size - ring->start;
    size_t first = ring->len < to_end ? ring->len : to_end;
    out[0] = bytes_of(ring->block + ring->start, first);
    out[1] = bytes_of(ring->block, ring->len - first);
}

void ring_consume(struct ring *ring, size_t len)
{
    ASSERT(len <= ring->len);
    ring->len -= len;
    size_t to_end = ring->size - ring->start;
    ring->start = len < to_end ? ring->start + len : len - to_end;
    /* An empty ring starts over, so that what comes next lies in one piece. */
    if (ring->len == 0)
        ring->start = 0;
}
