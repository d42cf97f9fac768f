/* SPDX-License-Identifier: ISC */
/* web_memory.c - a list of free blocks for each power of two. */
#include "app/web/web_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

/* In front of each block; what is handed out begins behind it, aligned for any type. */
struct web_block {
    _Alignas(max_align_t) size_t class; /* WEB_MEMORY_CLASSES: of none */
    union {
        struct web_block *next; /* while it is warm */
        size_t size;            /* of one of no class */
    } as;
};

_Static_assert(sizeof(struct web_block) % _Alignof(max_align_t) == 0, "what follows is aligned");

static size_t size_of(size_t class)
{
    return (size_t)WEB_MEMORY_SMALLEST << class;
}

static size_t class_of(size_t size)
{
    size_t class = 0;
    while (class < WEB_MEMORY_CLASSES && size > size_of(class))
        class++;
    return class;
}

static size_t warm_max(size_t class)
{
    size_t count = WEB_MEMORY_KEPT_MAX / size_of(class);
    return count < WEB_MEMORY_WARM_MAX ? count : WEB_MEMORY_WARM_MAX;
}

void *web_memory_take(size_t size, void *self)
{
    struct web_memory *memory = self;
    size_t class = class_of(size);
    struct web_block *block = class < WEB_MEMORY_CLASSES ? memory->classes[class].warm : NULL;
    if (block != NULL) {
        memory->classes[class].warm = block->as.next;
        memory->classes[class].warm_count--;
        return block + 1;
    }
    if (size > SIZE_MAX - sizeof *block)
        return NULL;
    block = malloc(sizeof *block + (class < WEB_MEMORY_CLASSES ? size_of(class) : size));
    if (block == NULL)
        return NULL;
    block->class = class;
    block->as.size = size;
    return block + 1;
}

void web_memory_give(void *data, void *self)
{
    struct web_memory *memory = self;
    if (data == NULL)
        return;
    struct web_block *block = (struct web_block *)data - 1;
    size_t class = block->class;
    ASSERT(class <= WEB_MEMORY_CLASSES);
    if (class == WEB_MEMORY_CLASSES || memory->classes[class].warm_count == warm_max(class)) {
        free(block);
        return;
    }
    block->as.next = memory->classes[class].warm;
    memory->classes[class].warm = block;
    memory->classes[class].warm_count++;
}

void *web_memory_zeroed(size_t count, size_t size, void *self)
{
    if (size > 0 && count > SIZE_MAX / size)
        return NULL;
    void *data = web_memory_take(count * size, self);
    if (data != NULL)
        memset(data, 0, count * size);
    return data;
}

void *web_memory_resize(void *data, size_t size, void *self)
{
    if (data == NULL)
        return web_memory_take(size, self);
    const struct web_block *block = (const struct web_block *)data - 1;
    size_t there = block->class < WEB_MEMORY_CLASSES ? size_of(block->class) : block->as.size;
    if (size <= there)
        return data;
    void *larger = web_memory_take(size, self);
    if (larger == NULL)
        return NULL;
    memcpy(larger, data, there);
    web_memory_give(data, self);
    return larger;
}

static void *resize(void *self, void *old, size_t old_size UNUSED, size_t new_size)
{
    if (new_size > 0)
        return web_memory_resize(old, new_size, self);
    web_memory_give(old, self);
    return NULL;
}

struct heap web_memory_heap(struct web_memory *memory)
{
    return (struct heap){.resize = resize, .self = memory};
}

void web_memory_done(struct web_memory *memory)
{
    for (size_t class = 0; class < WEB_MEMORY_CLASSES; class++) {
        struct web_block *block;
        while ((block = memory->classes[class].warm) != NULL) {
            memory->classes[class].warm = block->as.next;
            free(block);
        }
        memory->classes[class].warm_count = 0;
    }
}
