/* SPDX-License-Identifier: ISC */
/* http_body.c - blocks in an array by offset, found by bisection. */
#include "proto/http/http_body.h"

struct http_block {
    uint64_t offset;
    uint32_t len;
    uint32_t size;
    uint8_t data[];
};

enum { BLOCKS_FIRST = 4 };

void http_body_init(struct http_body *body, const struct heap *heap)
{
    *body = (struct http_body){.heap = *heap};
}

static void free_block(struct http_body *body, struct http_block *block)
{
    body->octets -= sizeof *block + block->size;
    heap_release(&body->heap, block, sizeof *block + block->size);
}

void http_body_done(struct http_body *body)
{
    for (size_t i = 0; i < body->count; i++)
        free_block(body, body->blocks[i]);
    heap_release(&body->heap, body->blocks, body->size * sizeof body->blocks[0]);
    struct heap heap = body->heap;
    http_body_init(body, &heap);
}

static uint64_t end_of(const struct http_block *block)
{
    return block->offset + block->len;
}

/* The index of the first block that ends after `offset`. */
static size_t find(const struct http_body *body, uint64_t offset)
{
    size_t low = 0, high = body->count;
    if (high > 0 && end_of(body->blocks[high - 1]) <= offset)
        return high; /* most writes are at the end */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (end_of(body->blocks[middle]) <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool make_slot(struct http_body *body, size_t at)
{
    if (body->count == body->size) {
        size_t size = body->size > 0 ? 2 * body->size : BLOCKS_FIRST;
        void *blocks = body->heap.resize(body->heap.self, body->blocks,
                                         body->size * sizeof body->blocks[0],
                                         size * sizeof body->blocks[0]);
        if (blocks == NULL)
            return false;
        body->octets += (size - body->size) * sizeof body->blocks[0];
        body->blocks = blocks;
        body->size = size;
    }
    memmove(body->blocks + at + 1, body->blocks + at,
            (body->count - at) * sizeof body->blocks[0]);
    body->count++;
    return true;
}

static size_t block_size(const struct http_body *body, size_t len, uint64_t hint)
{
    if (hint > HTTP_BODY_BLOCK_MAX)
        hint = HTTP_BODY_BLOCK_MAX;
    size_t size = hint > len ? (size_t)hint : len;
    if (hint == 0) {
        /* Each as large as all before it, so that few are half empty. */
        size_t grown = body->octets > HTTP_BODY_BLOCK_MAX ? HTTP_BODY_BLOCK_MAX
                       : body->octets > HTTP_BODY_BLOCK_MIN ? (size_t)body->octets
                                                            : HTTP_BODY_BLOCK_MIN;
        size = grown > len ? grown : len;
    }
    return size > HTTP_BODY_BLOCK_MAX ? HTTP_BODY_BLOCK_MAX : size;
}

/* A new block with the front of `in`, before index `at`; how much of it, 0 without memory. */
static size_t add_block(struct http_body *body, size_t at, uint64_t offset, struct bytes in,
                        uint64_t hint)
{
    size_t size = block_size(body, in.len, hint);
    struct http_block *block =
        body->heap.resize(body->heap.self, NULL, 0, sizeof *block + size);
    if (block == NULL)
        return 0;
    if (!make_slot(body, at)) {
        heap_release(&body->heap, block, sizeof *block + size);
        return 0;
    }
    struct bytes piece = bytes_first(in, size);
    *block = (struct http_block){.offset = offset, .len = (uint32_t)piece.len,
                                 .size = (uint32_t)size};
    memcpy(block->data, piece.data, piece.len);
    body->blocks[at] = block;
    body->octets += sizeof *block + size;
    return piece.len;
}

/* Into the room that is left in the block before index `at`, if that ends at `offset`. */
static size_t fill_up(struct http_body *body, size_t at, uint64_t offset, struct bytes in)
{
    if (at == 0)
        return 0;
    struct http_block *block = body->blocks[at - 1];
    if (end_of(block) != offset)
        return 0;
    struct bytes piece = bytes_first(in, block->size - block->len);
    memcpy(block->data + block->len, piece.data, piece.len);
    block->len += (uint32_t)piece.len;
    return piece.len;
}

bool http_body_write(struct http_body *body, uint64_t offset, struct bytes in, uint64_t hint)
{
    while (in.len > 0) {
        size_t at = find(body, offset);
        const struct http_block *next = at < body->count ? body->blocks[at] : NULL;
        struct bytes free = in; /* up to where something lies */
        size_t taken;
        if (next != NULL && next->offset <= offset) {
            uint64_t there = end_of(next) - offset;
            taken = there < in.len ? (size_t)there : in.len;
        } else {
            bool gap = next != NULL && next->offset - offset < in.len;
            if (gap)
                free = bytes_first(in, (size_t)(next->offset - offset));
            taken = fill_up(body, at, offset, free);
            if (taken == 0)
                taken = add_block(body, at, offset, free,
                                  next != NULL ? free.len : hint);
            if (taken == 0)
                return false;
        }
        offset += taken;
        hint = hint > taken ? hint - taken : 0;
        in = bytes_after(in, taken);
    }
    return true;
}

struct bytes http_body_read(const struct http_body *body, uint64_t offset)
{
    size_t at = find(body, offset);
    if (at == body->count || body->blocks[at]->offset > offset)
        return bytes_empty();
    const struct http_block *block = body->blocks[at];
    return bytes_after(bytes_of(block->data, block->len), (size_t)(offset - block->offset));
}

uint64_t http_body_end(const struct http_body *body, uint64_t offset)
{
    for (size_t at = find(body, offset);
         at < body->count && body->blocks[at]->offset <= offset; at++)
        offset = end_of(body->blocks[at]);
    return offset;
}

void http_body_trim(struct http_body *body, uint64_t offset)
{
    size_t gone = find(body, offset);
    if (gone == 0)
        return;
    for (size_t i = 0; i < gone; i++)
        free_block(body, body->blocks[i]);
    memmove(body->blocks, body->blocks + gone, (body->count - gone) * sizeof body->blocks[0]);
    body->count -= gone;
}
