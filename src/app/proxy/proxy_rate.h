/* SPDX-License-Identifier: ISC */
/*
 * proxy_rate.h - how many octets a connection, and all connections of a client, may be sent: token buckets that
 * hold half a second's worth, and 16 KiB at least.
 *
 * The account of a client lives as long as it has connections, and then until it is full again; there are
 * at most PROXY_RATE_CLIENTS, and more clients have none of their own, but share one.
 */
#ifndef WN_APP_PROXY_PROXY_RATE_H
#define WN_APP_PROXY_PROXY_RATE_H

#include "base/address.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/siphash.h"
#include "base/usec.h"

enum { PROXY_RATE_CLIENTS = 65536, PROXY_RATE_BURST_MIN = 16 * 1024 };

struct rate_bucket {
    uint64_t per_second; /* 0: no limit */
    int64_t credit;      /* octets; below 0: so many too many */
    usec at;
};

struct rate_account {
    struct list_node node; /* while nobody uses it, in the book, the longest first */
    struct ip_address client;
    uint32_t hash;
    unsigned users;
    struct rate_bucket bucket;
};

struct rate_book;

void rate_bucket_init(struct rate_bucket *bucket, uint64_t per_second, usec now);

/* How many octets may go now. 0: none, before *again_at (which is only ever made later). */
size_t rate_bucket_may(struct rate_bucket *bucket, usec now, usec *again_at);
void rate_bucket_charge(struct rate_bucket *bucket, size_t len);

MUST_USE struct rate_book *rate_book_new(const struct heap *heap, const struct siphash_key *key,
                                         uint64_t per_second);
void rate_book_free(struct rate_book *book);

/* Another rate from now on, for all. */
void rate_book_change(struct rate_book *book, uint64_t per_second, usec now);

/* The account of a client, to be given back. */
struct rate_account *rate_book_take(struct rate_book *book, const struct ip_address *client,
                                    usec now);
void rate_book_give(struct rate_book *book, struct rate_account *account);

#endif
