/* SPDX-License-Identifier: ISC */
/* check.c - a heap that counts. */
#include "tests/support/check.h"

static void *resize(void *self, void *old, size_t old_size, size_t new_size)
{
    struct counting_heap *counts = self;
    if (new_size == 0) {
        if (old != NULL) {
            counts->blocks--;
            counts->octets -= old_size;
        }
        free(old);
        return NULL;
    }
    counts->allocations++;
    bool smaller = old != NULL && new_size <= old_size;
    if (counts->fail_at != 0 && counts->allocations >= counts->fail_at && !smaller)
        return NULL;
    void *block = realloc(old, new_size);
    if (block == NULL)
        return NULL;
    counts->blocks += old == NULL;
    counts->octets += new_size - old_size;
    return block;
}

struct heap counting_heap(struct counting_heap *counts)
{
    return (struct heap){.resize = resize, .self = counts};
}
