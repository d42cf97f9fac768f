/* SPDX-License-Identifier: ISC */
/*
 * fuzz_cache.c - any order of puts, finds and flushes in a small cache: it stays within its octets,
 * and what is found is what was put last.
 */
#include <stdlib.h>

#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "proto/dns/cache.h"

enum { NAMES = 16, TYPES = 3 };

static void *resize(void *self, void *old, size_t old_size, size_t new_size)
{
    (void)self;
    (void)old_size;
    if (new_size > 0)
        return realloc(old, new_size);
    free(old);
    return NULL;
}

static struct dns_name name_of(uint8_t n)
{
    struct dns_name name = {.len = 1};
    for (unsigned i = 0; i <= n % 3u; i++) {
        struct dns_name child;
        const uint8_t label[] = {(uint8_t)('A' + n % NAMES)};
        ASSERT(dns_name_child(bytes_of(label, 1), &name, &child));
        name = child;
    }
    return name;
}

struct last {
    bool there;
    size_t len;
    uint8_t value;
};

static void put(struct cache *cache, struct reader *r, struct last last[256][TYPES], usec now)
{
    static uint8_t payload[CACHE_PAYLOAD_MAX + 8];
    uint8_t n = read_u8(r);
    uint16_t type = (uint16_t)(1 + read_u8(r) % (TYPES - 1));
    uint8_t value = read_u8(r);
    size_t len = read_u8(r) * (value % 8 == 0 ? 130u : 1u);
    struct writer w = writer_of(payload, sizeof payload);
    struct cache_content content = {.kind = CACHE_DATA, .rank = value % CACHE_RANK_COUNT};
    static uint8_t rdata[255 * 130];
    memset(rdata, value, len);
    cache_write_rdata(&w, bytes_of(rdata, len));
    content.ttl = read_u8(r);
    content.records = writer_bytes(&w);
    content.signatures = bytes_empty();
    content.proof = bytes_empty();
    struct dns_name name = name_of(n);
    if (cache_put(cache, &name, type, &content, now) == CACHE_TAKEN)
        last[n % NAMES * 3 + n % 3][type] = (struct last){true, len, value};
}

static void find(struct cache *cache, struct reader *r, struct last last[256][TYPES], usec now)
{
    uint8_t n = read_u8(r);
    uint16_t type = (uint16_t)(1 + read_u8(r) % (TYPES - 1));
    struct cache_found found;
    struct dns_name name = name_of(n);
    if (!cache_find(cache, &name, type, now, (n & 0x80) != 0, &found))
        return;
    const struct last *l = &last[n % NAMES * 3 + n % 3][type];
    struct bytes rdata;
    struct reader list = reader_of(found.content.records);
    ASSERT(cache_read_rdata(&list, &rdata) && reader_left(&list) == 0);
    ASSERT(l->there && rdata.len == l->len && (rdata.len == 0 || rdata.data[0] == l->value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(bytes_of(data, len));
    static struct last last[256][TYPES];
    memset(last, 0, sizeof last);
    struct heap heap = {.resize = resize};
    struct siphash_key key = {1, 2};
    struct cache_options options;
    cache_options_init(&options, &heap, &key);
    options.octets_max = CACHE_OCTETS_MIN;
    options.stale_max = read_u8(&r);
    struct cache *cache = cache_new(&options);
    ASSERT(cache != NULL);
    usec now = 0;
    while (reader_left(&r) > 0) {
        uint8_t what = read_u8(&r);
        now += (usec)(what >> 3) * USEC_PER_SEC / 2;
        struct dns_name name = name_of(what);
        if (what % 8 < 4)
            put(cache, &r, last, now);
        else if (what % 8 < 6)
            find(cache, &r, last, now);
        else if (what % 8 == 6)
            (void)cache_flush(cache, &name, (what & 8) != 0);
        else
            cache_put_failure(cache, &name, 1, 0, now);
        struct cache_counters counters;
        cache_counters(cache, &counters);
        ASSERT(counters.octets <= CACHE_OCTETS_MIN);
    }
    cache_free(cache);
    return 0;
}
