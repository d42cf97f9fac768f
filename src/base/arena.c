/* SPDX-License-Identifier: ISC */
/* arena.c - a chain of blocks, each filled from its front. */
#include "base/arena.h"

#include <stdalign.h>

enum { BLOCK_SIZE = 16 * 1024, ALIGNMENT = alignof(max_align_t) };

struct arena_block {
    struct arena_block *previous;
    size_t size; /* of `octets` */
    size_t used;
    alignas(max_align_t) uint8_t octets[];
};

void arena_init(struct arena *arena, const struct heap *heap, size_t octets_max)
{
    *arena = (struct arena){.heap = *heap, .octets_max = octets_max};
}

void arena_done(struct arena *arena)
{
    while (arena->last != NULL) {
        struct arena_block *block = arena->last;
        arena->last = block->previous;
        heap_release(&arena->heap, block, sizeof *block + block->size);
    }
    arena->octets = 0;
}

static bool add_block(struct arena *arena, size_t at_least)
{
    size_t size = at_least > BLOCK_SIZE ? at_least : BLOCK_SIZE;
    size_t total = sizeof(struct arena_block) + size;
    if (total > arena->octets_max - arena->octets)
        return false;
    struct arena_block *block = heap_zeroed(&arena->heap, total);
    if (block == NULL)
        return false;
    block->previous = arena->last;
    block->size = size;
    arena->last = block;
    arena->octets += total;
    return true;
}

void *arena_zeroed(struct arena *arena, size_t size)
{
    if (size > arena->octets_max)
        return NULL;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct arena_block *block = arena->last;
    if (block == NULL || size > block->size - block->used) {
        if (!add_block(arena, size))
            return NULL;
        block = arena->last;
    }
    void *out = block->octets + block->used;
    block->used += size;
    return out;
}

char *arena_text(struct arena *arena, struct bytes text)
{
    char *out = arena_zeroed(arena, text.len + 1);
    if (out != NULL)
        memcpy(out, text.data, text.len);
    return out;
}
