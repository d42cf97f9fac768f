/* SPDX-License-Identifier: ISC */
/*
 * arena.h - memory that is given back all at once: what a parser makes of one text.
 *
 * Bounded in octets. When it is full, or the heap has none, arena_zeroed() returns NULL, and what
 * was handed out before stays.
 */
#ifndef WN_BASE_ARENA_H
#define WN_BASE_ARENA_H

#include "base/bytes.h"
#include "base/heap.h"

struct arena_block;

struct arena {
    struct heap heap;
    struct arena_block *last;
    size_t octets; /* taken from the heap */
    size_t octets_max;
};

/* Takes nothing from the heap until the first request. */
void arena_init(struct arena *arena, const struct heap *heap, size_t octets_max);

/* Gives everything back. */
void arena_done(struct arena *arena);

/* `size` octets of zeros, aligned for any type; or NULL. */
MUST_USE void *arena_zeroed(struct arena *arena, size_t size);

/* A copy with a NUL behind it; or NULL. */
MUST_USE char *arena_text(struct arena *arena, struct bytes text);

#endif
