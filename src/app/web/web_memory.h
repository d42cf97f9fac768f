/* SPDX-License-Identifier: ISC */
/*
 * web_memory.h - blocks that come and go with every batch of requests, kept for the next one: what waits
 * to be sent on connections of HTTP/2.
 *
 * Larger blocks, and those of which enough are kept, are malloc()'s.
 */
#ifndef WN_APP_WEB_WEB_MEMORY_H
#define WN_APP_WEB_WEB_MEMORY_H

#include <stddef.h>

#include "base/heap.h"

enum {
    WEB_MEMORY_CLASSES = 12,    /* 64, 128, … 128 Ki octets */
    WEB_MEMORY_SMALLEST = 64,
    WEB_MEMORY_WARM_MAX = 256,  /* blocks kept of each, */
    WEB_MEMORY_KEPT_MAX = 1024 * 1024, /* and octets */
};

struct web_block;

/* All zero is empty. */
struct web_memory {
    struct {
        struct web_block *warm;
        size_t warm_count;
    } classes[WEB_MEMORY_CLASSES];
};

/* As malloc(), calloc(), realloc() and free(); `self` is the web_memory. */
void *web_memory_take(size_t size, void *self);
void *web_memory_zeroed(size_t count, size_t size, void *self);
void *web_memory_resize(void *block, size_t size, void *self);
void web_memory_give(void *block, void *self);

/* The same as a heap; valid as long as the memory is, and stays where it is. */
struct heap web_memory_heap(struct web_memory *memory);

/* Gives back what is warm; everything that was taken must have been given before. */
void web_memory_done(struct web_memory *memory);

#endif
