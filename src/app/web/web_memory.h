/* SPDX-License-Identifier: ISC */
/*
 * web_memory.h - small blocks that come and go with every request, kept for the next one: what
 * nghttp2 asks for while many streams are open at a time, more than malloc() keeps at hand.
 *
 * Larger blocks, and those of which enough are kept, are malloc()'s.
 */
#ifndef WN_APP_WEB_WEB_MEMORY_H
#define WN_APP_WEB_WEB_MEMORY_H

#include <stddef.h>

enum {
    WEB_MEMORY_CLASSES = 5,     /* 64, 128, … 1024 octets */
    WEB_MEMORY_SMALLEST = 64,
    WEB_MEMORY_WARM_MAX = 256,  /* blocks kept of each */
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

/* Gives back what is warm; everything that was taken must have been given before. */
void web_memory_done(struct web_memory *memory);

#endif
