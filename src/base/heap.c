/* SPDX-License-Identifier: ISC */
/* heap.c - zeroed allocation over the one resize function of a heap. */
#include "base/heap.h"

#include <stdint.h>
#include <string.h>

void *heap_zeroed(const struct heap *heap, size_t size)
{
    if (heap->zeroed != NULL)
        return heap->zeroed(heap->self, size);
    void *block = heap->resize(heap->self, NULL, 0, size);
    if (block != NULL)
        memset(block, 0, size);
    return block;
}

void *heap_array(const struct heap *heap, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return heap_zeroed(heap, count * size);
}

void heap_release(const struct heap *heap, void *block, size_t size)
{
    if (block != NULL)
        (void)heap->resize(heap->self, block, size, 0);
}
