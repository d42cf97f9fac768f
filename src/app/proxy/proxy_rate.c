/* SPDX-License-Identifier: ISC */
/* proxy_rate.c - token buckets, and whose they are. */
#include "app/proxy/proxy_rate.h"

#include "base/map.h"

enum { PIECE = 64 * 1024 }; /* less is not waited for, if a bucket holds so much */

struct rate_book {
    struct heap heap;
    struct siphash_key key;
    struct map map;
    struct list_node unused;    /* accounts, the longest first */
    struct rate_account shared; /* of those for whom there is no room */
};

/* ---- buckets ---- */

static int64_t burst_of(const struct rate_bucket *bucket)
{
    uint64_t half = bucket->per_second / 2;
    return half > INT64_MAX / 4 ? INT64_MAX / 4
           : half > PROXY_RATE_BURST_MIN ? (int64_t)half
                                         : PROXY_RATE_BURST_MIN;
}

void rate_bucket_init(struct rate_bucket *bucket, uint64_t per_second, usec now)
{
    *bucket = (struct rate_bucket){.per_second = per_second, .at = now};
    bucket->credit = burst_of(bucket);
}

static void fill_up(struct rate_bucket *bucket, usec now)
{
    usec since = usec_min(now - bucket->at, USEC_PER_MINUTE);
    double more = (double)bucket->per_second * (double)since / (double)USEC_PER_SEC;
    int64_t burst = burst_of(bucket);
    if (more < 1)
        return; /* what is less than an octet is counted later */
    bucket->at = now;
    bucket->credit = more >= (double)(burst - bucket->credit) ? burst
                                                              : bucket->credit + (int64_t)more;
}

size_t rate_bucket_may(struct rate_bucket *bucket, usec now, usec *again_at)
{
    if (bucket->per_second == 0)
        return SIZE_MAX;
    fill_up(bucket, now);
    int64_t burst = burst_of(bucket);
    int64_t worth = burst / 4 < PIECE ? burst / 4 : PIECE;
    if (bucket->credit >= worth)
        return (size_t)bucket->credit;
    double missing = (double)(worth - bucket->credit);
    usec wait = (usec)(missing * (double)USEC_PER_SEC / (double)bucket->per_second) + USEC_PER_MSEC;
    *again_at = usec_max(*again_at, now + wait);
    return 0;
}

void rate_bucket_charge(struct rate_bucket *bucket, size_t len)
{
    if (bucket->per_second > 0)
        bucket->credit -= (int64_t)len;
}

/* ---- clients ---- */

static bool account_equal(const void *item, const void *key)
{
    const struct rate_account *account = item;
    return address_equal(&account->client, key);
}

struct rate_book *rate_book_new(const struct heap *heap, const struct siphash_key *key,
                                uint64_t per_second)
{
    struct rate_book *book = heap_zeroed(heap, sizeof *book);
    if (book == NULL)
        return NULL;
    book->heap = *heap;
    book->key = *key;
    map_init(&book->map, heap, PROXY_RATE_CLIENTS, account_equal);
    list_init(&book->unused);
    rate_bucket_init(&book->shared.bucket, per_second, 0);
    return book;
}

static void drop(struct rate_book *book, struct rate_account *account)
{
    bool removed = map_remove(&book->map, account->hash, account);
    ASSERT(removed);
    list_remove(&account->node);
    heap_release(&book->heap, account, sizeof *account);
}

void rate_book_free(struct rate_book *book)
{
    struct list_node *node;
    if (book == NULL)
        return;
    while ((node = list_first(&book->unused)) != NULL)
        drop(book, CONTAINER_OF(node, struct rate_account, node));
    ASSERT(book->map.count == 0);
    map_done(&book->map);
    struct heap heap = book->heap;
    heap_release(&heap, book, sizeof *book);
}

void rate_book_change(struct rate_book *book, uint64_t per_second, usec now)
{
    rate_bucket_init(&book->shared.bucket, per_second, now);
    size_t place = 0;
    struct rate_account *account;
    while ((account = map_each(&book->map, &place)) != NULL)
        rate_bucket_init(&account->bucket, per_second, now);
}

/* Those that nobody uses and that are full again say nothing. */
static void tidy(struct rate_book *book, usec now)
{
    struct list_node *node;
    while ((node = list_first(&book->unused)) != NULL) {
        struct rate_account *account = CONTAINER_OF(node, struct rate_account, node);
        fill_up(&account->bucket, now);
        if (account->bucket.per_second > 0 && account->bucket.credit < burst_of(&account->bucket))
            return;
        drop(book, account);
    }
}

static struct rate_account *make(struct rate_book *book, const struct ip_address *client,
                                 uint32_t hash, usec now)
{
    struct rate_account *account = book->map.count < PROXY_RATE_CLIENTS
                                       ? heap_zeroed(&book->heap, sizeof *account)
                                       : NULL;
    if (account == NULL)
        return NULL;
    account->client = *client;
    account->hash = hash;
    list_init(&account->node);
    rate_bucket_init(&account->bucket, book->shared.bucket.per_second, now);
    if (map_insert(&book->map, hash, account))
        return account;
    heap_release(&book->heap, account, sizeof *account);
    return NULL;
}

struct rate_account *rate_book_take(struct rate_book *book, const struct ip_address *client,
                                    usec now)
{
    struct ip_address who = *client;
    if (!address_is_v4(&who)) /* a host has all of its /64 */
        memset(who.octets + 8, 0, 8);
    uint32_t hash = (uint32_t)siphash13(&book->key, bytes_of(&who, sizeof who));
    tidy(book, now);
    struct rate_account *account = map_find(&book->map, hash, &who);
    if (account == NULL)
        account = make(book, &who, hash, now);
    if (account == NULL)
        return &book->shared;
    account->users++;
    list_remove(&account->node);
    return account;
}

void rate_book_give(struct rate_book *book, struct rate_account *account)
{
    if (account != &book->shared && --account->users == 0)
        list_append(&book->unused, &account->node);
}
