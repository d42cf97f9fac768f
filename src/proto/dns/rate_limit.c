/* SPDX-License-Identifier: ISC */
/* rate_limit.c - accounts of replies in a table of fixed size. */
#include "proto/dns/rate_limit.h"

enum { BUCKET_SIZE = 4, BUCKET_COUNT = RATE_LIMIT_ACCOUNTS / BUCKET_SIZE };
_Static_assert((BUCKET_COUNT & (BUCKET_COUNT - 1)) == 0, "a hash chooses by its bits");

/* Credit is in millionths of a reply: one a microsecond for each reply a second. */
struct account {
    uint64_t credit;
    usec at;       /* when it was brought up to date */
    uint32_t tag;  /* of the hash; 0: free */
    uint32_t held; /* replies not sent since the last slip */
};

struct rate_limit {
    struct heap heap;
    struct rate_limit_options options;
    struct account accounts[RATE_LIMIT_ACCOUNTS];
};

struct rate_limit *rate_limit_new(const struct heap *heap,
                                  const struct rate_limit_options *options)
{
    ASSERT(options->per_second > 0 && options->per_second <= RATE_LIMIT_MAX);
    ASSERT(options->prefix_len_v4 <= 32 && options->prefix_len_v6 <= 128);
    struct rate_limit *limit = heap_zeroed(heap, sizeof *limit);
    if (limit == NULL)
        return NULL;
    limit->heap = *heap;
    limit->options = *options;
    return limit;
}

void rate_limit_free(struct rate_limit *limit)
{
    if (limit == NULL)
        return;
    struct heap heap = limit->heap;
    heap_release(&heap, limit, sizeof *limit);
}

/* The address with all bits behind the prefix zero. */
static void mask(const struct ip_address *address, unsigned len, uint8_t out[16])
{
    if (address_is_v4(address))
        len += 96;
    for (unsigned i = 0; i < 16; i++) {
        unsigned bits = len > 8 * i ? len - 8 * i : 0;
        out[i] = bits >= 8 ? address->octets[i]
                           : (uint8_t)(address->octets[i] & (0xff00u >> bits));
    }
}

static uint64_t hash(const struct rate_limit *limit, const struct ip_address *client, unsigned kind,
                     const void *source)
{
    uint8_t octets[16 + sizeof kind + sizeof source];
    bool v4 = address_is_v4(client);
    mask(client, v4 ? limit->options.prefix_len_v4 : limit->options.prefix_len_v6, octets);
    memcpy(octets + 16, &kind, sizeof kind);
    memcpy(octets + 16 + sizeof kind, &source, sizeof source);
    return siphash13(&limit->options.key, bytes_of(octets, sizeof octets));
}

/* The account with that hash; a new one is full. */
static struct account *find(struct rate_limit *limit, uint64_t key, usec now)
{
    struct account *bucket = &limit->accounts[key % BUCKET_COUNT * BUCKET_SIZE];
    uint32_t tag = (uint32_t)(key >> 32) | 1;
    struct account *quiet = &bucket[0];
    for (unsigned i = 0; i < BUCKET_SIZE; i++) {
        if (bucket[i].tag == tag)
            return &bucket[i];
        if (bucket[i].at < quiet->at || bucket[i].tag == 0)
            quiet = &bucket[i];
    }
    *quiet = (struct account){
        .credit = limit->options.per_second * (uint64_t)USEC_PER_SEC,
        .at = now,
        .tag = tag,
    };
    return quiet;
}

/* What has come in since, up to a second's worth. */
static void bring_up_to_date(struct account *account, uint32_t per_second, usec now)
{
    uint64_t full = per_second * (uint64_t)USEC_PER_SEC;
    usec passed = now > account->at ? now - account->at : 0;
    if (passed > USEC_PER_SEC)
        passed = USEC_PER_SEC;
    account->credit += (uint64_t)passed * per_second;
    if (account->credit > full)
        account->credit = full;
    account->at = usec_max(account->at, now); /* another worker may have been here a moment later */
}

enum rate_verdict rate_limit_check(struct rate_limit *limit, const struct ip_address *client,
                                   unsigned kind, const void *source, usec now)
{
    const struct rate_limit_options *options = &limit->options;
    struct account *account = find(limit, hash(limit, client, kind, source), now);
    bring_up_to_date(account, options->per_second, now);
    if (account->credit >= (uint64_t)USEC_PER_SEC) {
        account->credit -= (uint64_t)USEC_PER_SEC;
        return RATE_SEND;
    }
    if (options->slip == 0 || ++account->held < options->slip)
        return RATE_DROP;
    account->held = 0;
    return RATE_SLIP;
}
