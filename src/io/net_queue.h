/* SPDX-License-Identifier: ISC */
/*
 * net_queue.h - octets that wait to be sent, in blocks of one size that come from a pool of warm
 * ones; an empty queue owns nothing.
 */
#ifndef WN_IO_NET_QUEUE_H
#define WN_IO_NET_QUEUE_H

#include <sys/uio.h>

#include "base/bytes.h"

enum {
    NET_BLOCK_SIZE = 16 * 1024,
    NET_BLOCKS_WARM_MAX = 64, /* kept for the next user; beyond it memory goes back */
};

struct net_block;

struct net_pool {
    struct net_block *warm;
    size_t warm_count;
};

void net_pool_done(struct net_pool *pool);

/* All zero is empty. */
struct net_queue {
    struct net_block *first;
    struct net_block *last;
    size_t len;
};

/* Appends a copy; returns how much, less than all only when there is no memory. */
size_t net_queue_add(struct net_queue *queue, struct net_pool *pool, struct bytes in);

/* Up to `max` views of the oldest octets, valid until the next call. Returns how many. */
int net_queue_views(const struct net_queue *queue, struct iovec *views, int max);

/* Lets go of the oldest `len` octets; there must be as many. */
void net_queue_drop(struct net_queue *queue, struct net_pool *pool, size_t len);

#endif
