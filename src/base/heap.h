/* SPDX-License-Identifier: ISC */
/*
 * heap.h - where memory comes from: the one allocator that a context was created with.
 *
 * The pure band has no malloc. A context is handed a heap by the world that makes it: the host's
 * (os/memory.h), a test's that counts and fails on purpose, an embedder's fixed arena.
 */
#ifndef WN_BASE_HEAP_H
#define WN_BASE_HEAP_H

#include <stddef.h>

#include "base/compiler.h"

struct heap {
    /*
     * Changes the block `old` of `old_size` octets to `new_size`. `old` NULL (size 0) allocates,
     * `new_size` 0 frees and returns NULL. NULL otherwise means that there is no memory, and the
     * old block stays as it was. Blocks are aligned for any type; contents beyond old_size are
     * not initialised. Making a block smaller never fails: where it cannot be done, the old block
     * stays, and counts as one of the new size.
     */
    void *(*resize)(void *self, void *old, size_t old_size, size_t new_size);
    void *self;
    /* NULL, or a way to `size` octets of zeros that does not touch them: large tables that are hardly
     * used cost no memory then. */
    void *(*zeroed)(void *self, size_t size);
};

/* `size` octets of zeros, or NULL. */
MUST_USE void *heap_zeroed(const struct heap *heap, size_t size);

/* Room for `count` items of `size` octets each, zeroed; NULL also when the product overflows. */
MUST_USE void *heap_array(const struct heap *heap, size_t count, size_t size);

/* Gives back a block of `size` octets; NULL is nothing. */
void heap_release(const struct heap *heap, void *block, size_t size);

#endif
