/* SPDX-License-Identifier: ISC */
/*
 * fuzz_rate_limit.c - replies to any clients at any times: within a second none of them is sent more
 * often than it may be, with what was saved up before, and slips come no more often than asked for.
 */
#include <stdlib.h>

#include "fuzz/fuzz.h"
#include "proto/dns/rate_limit.h"

static void *resize(void *self, void *old, size_t old_size, size_t new_size)
{
    (void)self;
    (void)old_size;
    if (new_size > 0)
        return realloc(old, new_size);
    free(old);
    return NULL;
}

struct tally {
    uint64_t sent, slipped, held;
    usec first_at;
};

static void check(const struct tally *t, const struct rate_limit_options *o, usec now)
{
    uint64_t seconds = (uint64_t)((now - t->first_at) / USEC_PER_SEC) + 1;
    ASSERT(t->sent <= (seconds + 1) * o->per_second);
    ASSERT(o->slip != 0 || t->slipped == 0);
    ASSERT(o->slip == 0 || t->slipped <= (t->slipped + t->held) / o->slip + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(bytes_of(data, len));
    struct heap heap = {.resize = resize};
    struct rate_limit_options options = {.per_second = 1u + read_u8(&r) % 20,
                                         .slip = read_u8(&r) % (RATE_LIMIT_SLIP_MAX + 1),
                                         .prefix_len_v4 = read_u8(&r) % 33,
                                         .prefix_len_v6 = read_u8(&r) % 129,
                                         .key = {1, 2}};
    struct rate_limit *limit = rate_limit_new(&heap, &options);
    ASSERT(limit != NULL);
    struct tally one = {.first_at = 0};
    const struct ip_address watched = address_v4(0xc0000201);
    usec now = 0;
    while (reader_left(&r) >= 4) {
        uint8_t what = read_u8(&r);
        struct ip_address other = address_v4(0x0a000000u + read_u16(&r));
        now += (usec)read_u8(&r) * (what & 4 ? 100 * USEC_PER_MSEC : 1);
        (void)rate_limit_check(limit, &other, what % 5, NULL, now);
        enum rate_verdict verdict = rate_limit_check(limit, &watched, 1, &heap, now);
        one.sent += verdict == RATE_SEND;
        one.slipped += verdict == RATE_SLIP;
        one.held += verdict == RATE_DROP;
        /* Networks so large that all are one share its account: then nothing is known of it alone. */
        check(&one, &options, now);
    }
    rate_limit_free(limit);
    return 0;
}
