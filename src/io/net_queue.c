/* SPDX-License-Identifier: ISC */
/* net_queue.c - a list of blocks, written at its end and read at its front. */
#include "io/net_queue.h"

#include <stdlib.h>

struct net_block {
    struct net_block *next;
    uint32_t start;
    uint32_t end;
    uint8_t octets[NET_BLOCK_SIZE];
};

void net_pool_done(struct net_pool *pool)
{
    while (pool->warm != NULL) {
        struct net_block *block = pool->warm;
        pool->warm = block->next;
        free(block);
    }
    pool->warm_count = 0;
}

static struct net_block *new_block(struct net_pool *pool)
{
    struct net_block *block = pool->warm;
    if (block != NULL) {
        pool->warm = block->next;
        pool->warm_count--;
    } else {
        block = malloc(sizeof *block);
    }
    if (block != NULL) {
        block->next = NULL;
        block->start = 0;
        block->end = 0;
    }
    return block;
}

static void drop_block(struct net_pool *pool, struct net_block *block)
{
    if (pool->warm_count == NET_BLOCKS_WARM_MAX) {
        free(block);
        return;
    }
    block->next = pool->warm;
    pool->warm = block;
    pool->warm_count++;
}

size_t net_queue_add(struct net_queue *queue, struct net_pool *pool, struct bytes in)
{
    size_t total = 0;
    while (in.len > 0) {
        struct net_block *last = queue->last;
        if (last == NULL || last->end == NET_BLOCK_SIZE) {
            last = new_block(pool);
            if (last == NULL)
                break;
            if (queue->last != NULL)
                queue->last->next = last;
            else
                queue->first = last;
            queue->last = last;
        }
        size_t room = NET_BLOCK_SIZE - last->end;
        size_t len = in.len < room ? in.len : room;
        memcpy(last->octets + last->end, in.data, len);
        last->end += (uint32_t)len;
        total += len;
        in = bytes_after(in, len);
    }
    queue->len += total;
    return total;
}

int net_queue_views(const struct net_queue *queue, struct iovec *views, int max)
{
    int count = 0;
    for (struct net_block *b = queue->first; b != NULL && count < max; b = b->next)
        views[count++] = (struct iovec){b->octets + b->start, b->end - b->start};
    return count;
}

void net_queue_drop(struct net_queue *queue, struct net_pool *pool, size_t len)
{
    ASSERT(len <= queue->len);
    queue->len -= len;
    struct net_block *block;
    while ((block = queue->first) != NULL) {
        uint32_t there = block->end - block->start;
        if (len < there) {
            block->start += (uint32_t)len;
            return;
        }
        len -= there;
        queue->first = block->next;
        if (queue->first == NULL)
            queue->last = NULL;
        drop_block(pool, block);
    }
}
