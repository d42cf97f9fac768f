/* SPDX-License-Identifier: ISC */
/* memory.c - the C library's allocator as a heap. */
#include "os/memory.h"

#include <stdlib.h>

static void *resize(void *self UNUSED, void *old, size_t old_size UNUSED, size_t new_size)
{
    if (new_size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_size);
}

static void *zeroed(void *self UNUSED, size_t size)
{
    return calloc(1, size);
}

struct heap memory_heap(void)
{
    return (struct heap){.resize = resize, .zeroed = zeroed};
}
