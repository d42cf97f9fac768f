/* SPDX-License-Identifier: ISC */
/* test_cache.c - what is kept, for how long, and what goes when there is no room. */
#include "proto/dns/cache.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/prng.h"
#include "base/text.h"
#include "os/memory.h"
#include "os/thread.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"
#include "wire/dns/dns_option.h"

#define SEC USEC_PER_SEC

static struct counting_heap counts;

static struct cache *open_cache(size_t octets_max, uint32_t stale_max)
{
    struct siphash_key key = {1, 2};
    struct heap heap;
    struct cache_options options;
    counts = (struct counting_heap){0};
    heap = counting_heap(&counts);
    cache_options_init(&options, &heap, &key);
    if (octets_max != 0)
        options.octets_max = octets_max;
    options.stale_max = stale_max;
    struct cache *cache = cache_new(&options);
    assert_non_null(cache);
    return cache;
}

static void close_cache(struct cache *cache)
{
    cache_free(cache);
    assert_int_equal(counts.blocks, 0);
    assert_int_equal(counts.octets, 0);
}

static struct cache_content content_of(enum cache_kind kind, enum cache_rank rank, uint32_t ttl)
{
    return (struct cache_content){.kind = kind,
                                  .rank = rank,
                                  .ttl = ttl,
                                  .ede = DNS_EDE_NONE,
                                  .records = bytes_empty(),
                                  .signatures = bytes_empty(),
                                  .proof = bytes_empty()};
}

/* An address record whose last octet is `value`. */
static enum cache_result put(struct cache *cache, const char *name, uint16_t type,
                             enum cache_rank rank, uint32_t ttl, uint8_t value, usec now)
{
    uint8_t list[32];
    const uint8_t rdata[] = {192, 0, 2, value};
    struct writer w = writer_of(list, sizeof list);
    struct dns_name owner = dns_text_name(name);
    struct cache_content content = content_of(CACHE_DATA, rank, ttl);
    cache_write_rdata(&w, bytes_of(rdata, sizeof rdata));
    content.records = writer_bytes(&w);
    return cache_put(cache, &owner, type, &content, now);
}

/* The last octet of what is found, or -1. */
static int get(struct cache *cache, const char *name, uint16_t type, usec now, bool stale,
               struct cache_found *out)
{
    struct cache_found found;
    struct bytes rdata;
    struct dns_name owner = dns_text_name(name);
    if (!cache_find(cache, &owner, type, now, stale, &found))
        return -1;
    if (out != NULL)
        *out = found;
    struct reader r = reader_of(found.content.records);
    return cache_read_rdata(&r, &rdata) ? rdata.data[rdata.len - 1] : 256;
}

static void test_ttl(void **state UNUSED)
{
    struct cache *cache = open_cache(0, 0);
    struct cache_found found;
    put(cache, "www.a.", DNS_A, CACHE_RANK_ANSWER, 10, 1, 0);
    assert_int_equal(get(cache, "WWW.A.", DNS_A, 0, false, &found), 1);
    assert_int_equal(found.content.ttl, 10);
    assert_int_equal(get(cache, "www.a.", DNS_A, 4 * SEC + SEC / 2, false, &found), 1);
    assert_int_equal(found.content.ttl, 5);
    assert_int_equal(get(cache, "www.a.", DNS_A, 10 * SEC, false, NULL), -1);
    assert_int_equal(get(cache, "www.a.", DNS_AAAA, 0, false, NULL), -1);
    assert_int_equal(get(cache, "a.", DNS_A, 0, false, NULL), -1);
    /* caps (RFC 8767 §4), and a TTL with its first bit set (RFC 2181 §8) */
    put(cache, "long.a.", DNS_A, CACHE_RANK_ANSWER, 1000000, 1, 0);
    assert_int_equal(get(cache, "long.a.", DNS_A, 0, false, &found), 1);
    assert_int_equal(found.content.ttl, CACHE_TTL_MAX_DEFAULT);
    put(cache, "zero.a.", DNS_A, CACHE_RANK_ANSWER, 0x80000001, 1, 0);
    assert_int_equal(get(cache, "zero.a.", DNS_A, SEC - 1, false, &found), 1);
    assert_int_equal(found.content.ttl, 0);
    assert_int_equal(get(cache, "zero.a.", DNS_A, SEC, false, NULL), -1);
    close_cache(cache);
}

static void test_negative(void **state UNUSED)
{
    struct cache *cache = open_cache(0, 0);
    struct cache_found found;
    struct dns_name name = dns_text_name("no.a.");
    struct cache_content content = content_of(CACHE_NXDOMAIN, CACHE_RANK_AUTHORITATIVE, 100000);
    uint8_t proof[512];
    struct writer w = writer_of(proof, sizeof proof);
    struct cache_record soa = {dns_text_name("a."), DNS_SOA, 60, bytes_of("x", 1)};
    cache_write_record(&w, &soa);
    content.proof = writer_bytes(&w);
    assert_int_equal(cache_put(cache, &name, DNS_A, &content, 0), CACHE_TAKEN);
    assert_false(cache_find(cache, &name, DNS_A, 0, false, &found));
    assert_true(cache_find(cache, &name, CACHE_NXDOMAIN_TYPE, 0, false, &found));
    assert_int_equal(found.content.kind, CACHE_NXDOMAIN);
    assert_int_equal(found.content.ttl, CACHE_NEGATIVE_TTL_MAX_DEFAULT);
    struct reader r = reader_of(found.content.proof);
    struct cache_record record;
    assert_true(cache_read_record(&r, &record));
    assert_true(dns_name_equal(&record.owner, &soa.owner));
    assert_int_equal(record.ttl, 60);
    assert_false(cache_read_record(&r, &record));
    content.kind = CACHE_NODATA;
    assert_int_equal(cache_put(cache, &name, DNS_AAAA, &content, 0), CACHE_TAKEN);
    assert_true(cache_find(cache, &name, DNS_AAAA, 0, false, &found));
    assert_int_equal(found.content.kind, CACHE_NODATA);
    close_cache(cache);
}

/* RFC 2181 §5.4.1: what is less to be believed does not replace more, until that is over. */
static void test_ranks(void **state UNUSED)
{
    for (int old = 0; old < CACHE_RANK_COUNT; old++) {
        for (int new = 0; new < CACHE_RANK_COUNT; new ++) {
            struct cache *cache = open_cache(0, 0);
            char name[32];
            snprintf(name, sizeof name, "%d over %d", new, old);
            put(cache, "x.", DNS_A, (enum cache_rank)old, 10, 1, 0);
            enum cache_result result = put(cache, "x.", DNS_A, (enum cache_rank)new, 10, 2, SEC);
            CHECK_EQUAL(name, result, new >= old ? CACHE_TAKEN : CACHE_KEPT);
            CHECK_EQUAL(name, get(cache, "x.", DNS_A, SEC, false, NULL), new >= old ? 2 : 1);
            put(cache, "x.", DNS_A, (enum cache_rank)new, 10, 3, 11 * SEC);
            CHECK_EQUAL(name, get(cache, "x.", DNS_A, 11 * SEC, false, NULL), 3);
            close_cache(cache);
        }
    }
}

static void test_ghost_domains(void **state UNUSED)
{
    struct cache *cache = open_cache(0, 0);
    put(cache, "x.", DNS_NS, CACHE_RANK_REFERRAL, 100, 1, 0);
    put(cache, "x.", DNS_NS, CACHE_RANK_AUTHORITATIVE, 86400, 2, 50 * SEC);
    assert_int_equal(get(cache, "x.", DNS_NS, 99 * SEC, false, NULL), 2);
    put(cache, "x.", DNS_NS, CACHE_RANK_AUTHORITATIVE, 86400, 3, 99 * SEC);
    assert_int_equal(get(cache, "x.", DNS_NS, 100 * SEC, false, NULL), -1);
    close_cache(cache);
}

static void test_stale(void **state UNUSED)
{
    struct cache *cache = open_cache(0, 60);
    struct cache_found found;
    put(cache, "x.", DNS_A, CACHE_RANK_ANSWER, 10, 1, 0);
    assert_int_equal(get(cache, "x.", DNS_A, 20 * SEC, false, NULL), -1);
    assert_int_equal(get(cache, "x.", DNS_A, 20 * SEC, true, &found), 1);
    assert_true(found.stale);
    assert_int_equal(found.content.ttl, CACHE_STALE_TTL);
    assert_int_equal(get(cache, "x.", DNS_A, 70 * SEC, true, NULL), -1);
    close_cache(cache);
}

static void test_prefetch(void **state UNUSED)
{
    struct cache *cache = open_cache(0, 0);
    struct cache_found found;
    put(cache, "x.", DNS_A, CACHE_RANK_ANSWER, 100, 1, 0);
    get(cache, "x.", DNS_A, 95 * SEC, false, &found);
    assert_false(found.prefetch); /* nobody has asked before */
    get(cache, "x.", DNS_A, 95 * SEC, false, &found);
    assert_true(found.prefetch);
    put(cache, "x.", DNS_A, CACHE_RANK_ANSWER, 100, 1, 95 * SEC);
    get(cache, "x.", DNS_A, 95 * SEC, false, &found);
    get(cache, "x.", DNS_A, 180 * SEC, false, &found);
    assert_false(found.prefetch);
    close_cache(cache);
}

/* RFC 9520 §3.2: at least a second; and who hears nothing asks again soon, also when that takes its time. */
static void test_silence(void **state UNUSED)
{
    struct cache *cache = open_cache(0, 1000);
    struct cache_found found;
    struct dns_name name = dns_text_name("x.");
    usec now = 100 * SEC;
    static const uint32_t ttls[] = {1, 2, 4, 8, 16, 20, 20};
    for (size_t i = 0; i < ARRAY_LEN(ttls); i++) {
        cache_put_silence(cache, &name, DNS_A, DNS_EDE_NO_REACHABLE_AUTHORITY, now);
        assert_true(cache_find_failure(cache, &name, DNS_A, now, &found));
        assert_int_equal(found.content.ttl, ttls[i]);
        now += ttls[i] * SEC;
        assert_false(cache_find_failure(cache, &name, DNS_A, now, &found));
        now += 12 * SEC;
    }
    cache_put_silence(cache, &name, DNS_A, DNS_EDE_NO_REACHABLE_AUTHORITY, now + 100 * SEC);
    assert_true(cache_find_failure(cache, &name, DNS_A, now + 100 * SEC, &found));
    assert_int_equal(found.content.ttl, 1);
    close_cache(cache);
}

/* RFC 9520 §3.2: longer each time, up to five minutes; and it does not hide what is stale. */
static void test_failures(void **state UNUSED)
{
    struct cache *cache = open_cache(0, 1000);
    struct cache_found found;
    struct dns_name name = dns_text_name("x.");
    usec now = 100 * SEC;
    put(cache, "x.", DNS_A, CACHE_RANK_ANSWER, 10, 1, 0);
    static const uint32_t ttls[] = {5, 10, 20, 40, 80, 160, 300, 300};
    for (size_t i = 0; i < ARRAY_LEN(ttls); i++) {
        cache_put_failure(cache, &name, DNS_A, DNS_EDE_NETWORK_ERROR, now);
        assert_true(cache_find_failure(cache, &name, DNS_A, now, &found));
        assert_int_equal(found.content.ttl, ttls[i]);
        assert_int_equal(found.content.ede, DNS_EDE_NETWORK_ERROR);
        assert_int_equal(get(cache, "x.", DNS_A, now, true, NULL), 1);
        now += ttls[i] * SEC;
        assert_false(cache_find_failure(cache, &name, DNS_A, now, &found));
        now += SEC;
    }
    static const uint32_t silence[] = {20, 20};
    for (size_t i = 0; i < ARRAY_LEN(silence); i++) { /* a server has gone silent that refused before */
        cache_put_silence(cache, &name, DNS_A, DNS_EDE_NETWORK_ERROR, now);
        assert_true(cache_find_failure(cache, &name, DNS_A, now, &found));
        assert_int_equal(found.content.ttl, silence[i]);
        now += silence[i] * SEC;
    }
    cache_put_failure(cache, &name, DNS_A, DNS_EDE_NETWORK_ERROR, now + 1000 * SEC);
    assert_true(cache_find_failure(cache, &name, DNS_A, now + 1000 * SEC, &found));
    assert_int_equal(found.content.ttl, 5);
    close_cache(cache);
}

/* Names that are asked for stay; a flood of others pushes out itself. */
static void test_flood(void **state UNUSED)
{
    struct cache *cache = open_cache(CACHE_OCTETS_MIN, 0);
    struct cache_counters counters;
    char name[32];
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "popular%d.", i);
        put(cache, name, DNS_A, CACHE_RANK_ANSWER, 86400, (uint8_t)i, 0);
    }
    usec now = 0;
    for (int i = 0; i < 20000; i++) {
        now += SEC / 50;
        snprintf(name, sizeof name, "flood%d.", i);
        assert_int_equal(put(cache, name, DNS_A, CACHE_RANK_ANSWER, 86400, 1, now), CACHE_TAKEN);
        assert_int_equal(get(cache, name, DNS_A, now, false, NULL), 1); /* at once it is there */
        snprintf(name, sizeof name, "popular%d.", i % 50);
        get(cache, name, DNS_A, now, false, NULL);
        cache_counters(cache, &counters);
        assert_true(counters.octets <= CACHE_OCTETS_MIN);
    }
    int left = 0;
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "popular%d.", i);
        left += get(cache, name, DNS_A, now, false, NULL) == i;
    }
    assert_int_equal(left, 50);
    close_cache(cache);
}

static void test_flush_and_dump(void **state UNUSED)
{
    struct cache *cache = open_cache(0, 100);
    struct dns_name name = dns_text_name("a.test.");
    put(cache, "a.test.", DNS_A, CACHE_RANK_ANSWER, 60, 1, 0);
    put(cache, "x.a.test.", DNS_A, CACHE_RANK_ANSWER, 60, 2, 0);
    put(cache, "xa.test.", DNS_A, CACHE_RANK_ANSWER, 5, 3, 0);
    cache_put_failure(cache, &name, DNS_MX, DNS_EDE_OTHER, 0);
    struct cache_item item;
    const void *place = NULL;
    char dump[1024] = "";
    struct text t = text_of(dump, sizeof dump);
    while (cache_each(cache, &place, 5 * SEC, &item))
        cache_format(&item, &t);
    assert_string_equal(dump, "; a.test. 0 MX failure\n"
                              "; stale:\nxa.test. 0 IN A 192.0.2.3\n"
                              "x.a.test. 55 IN A 192.0.2.2\n"
                              "a.test. 55 IN A 192.0.2.1\n");
    assert_int_equal(cache_flush(cache, &name, false), 2);
    assert_int_equal(get(cache, "x.a.test.", DNS_A, 0, false, NULL), 2);
    assert_int_equal(cache_flush(cache, &name, true), 1);
    assert_int_equal(get(cache, "xa.test.", DNS_A, 0, false, NULL), 3);
    close_cache(cache);
}

static void test_no_memory(void **state UNUSED)
{
    for (size_t fail_at = 2; fail_at < 6; fail_at++) {
        struct cache *cache = open_cache(0, 0);
        counts.fail_at = fail_at;
        put(cache, "a.", DNS_A, CACHE_RANK_ANSWER, 60, 1, 0);
        put(cache, "b.", DNS_A, CACHE_RANK_ANSWER, 60, 1, 0);
        counts.fail_at = 0;
        put(cache, "c.", DNS_A, CACHE_RANK_ANSWER, 60, 1, 0);
        assert_int_equal(get(cache, "c.", DNS_A, 0, false, NULL), 1);
        close_cache(cache);
    }
}

static void test_too_large(void **state UNUSED)
{
    struct cache *cache = open_cache(CACHE_OCTETS_MIN, 0);
    static uint8_t large[CACHE_PAYLOAD_MAX + 1];
    struct dns_name name = dns_text_name("a.");
    struct cache_content content = content_of(CACHE_DATA, CACHE_RANK_ANSWER, 60);
    content.proof = bytes_of(large, sizeof large);
    assert_int_equal(cache_put(cache, &name, DNS_A, &content, 0), CACHE_TOO_LARGE);
    content.proof = bytes_of(large, CACHE_OCTETS_MIN / 2);
    assert_int_equal(cache_put(cache, &name, DNS_A, &content, 0), CACHE_TOO_LARGE);
    content.proof = bytes_of(large, CACHE_OCTETS_MIN / 4);
    assert_int_equal(cache_put(cache, &name, DNS_A, &content, 0), CACHE_TAKEN);
    close_cache(cache);
}

/* Against a model: a table of what was put last, of names that all fit. */
static void test_model(void **state UNUSED)
{
    enum { NAMES = 40, STEPS = 50000 };
    struct cache *cache = open_cache(0, 0);
    struct {
        bool there;
        int rank;
        uint8_t value;
        usec until;
    } model[NAMES] = {{0}};
    struct prng prng;
    prng_init_number(&prng, 4);
    usec now = 0;
    for (int i = 0; i < STEPS; i++) {
        uint32_t n = prng_below(&prng, NAMES);
        char name[32];
        snprintf(name, sizeof name, "n%u.test.", (unsigned)n);
        now += prng_below(&prng, SEC);
        bool holds = model[n].there && model[n].until > now;
        if (prng_below(&prng, 3) == 0) {
            uint8_t value = (uint8_t)prng_u32(&prng);
            uint32_t ttl = 1 + prng_below(&prng, 60);
            int rank = (int)prng_below(&prng, CACHE_RANK_COUNT);
            enum cache_result result =
                put(cache, name, DNS_A, (enum cache_rank)rank, ttl, value, now);
            assert_int_equal(result, holds && rank < model[n].rank ? CACHE_KEPT : CACHE_TAKEN);
            if (result == CACHE_TAKEN) {
                model[n].there = true;
                model[n].rank = rank;
                model[n].value = value;
                model[n].until = now + ttl * SEC;
            }
        } else {
            assert_int_equal(get(cache, name, DNS_A, now, false, NULL),
                             holds ? model[n].value : -1);
        }
    }
    close_cache(cache);
}

/* ---- several threads ---- */

enum { THREADS = 3, NAMES = 3000, ROUNDS = 120, LOOKS = 400, RECORDS_MAX = 12 };

/* One world of a cache that is shared. */
struct crowd {
    struct grace grace;
    struct lock locks[CACHE_PARTS_MAX];
    struct cache *caches[THREADS];
    atomic_uint hits, misses, wrong;
};

struct member {
    struct crowd *crowd;
    uint32_t number;
};

static void take_lock(void *self, size_t part)
{
    struct crowd *crowd = self;
    lock_take(&crowd->locks[part]);
}

static void give_lock(void *self, size_t part)
{
    struct crowd *crowd = self;
    lock_give(&crowd->locks[part]);
}

static void open_crowd(struct crowd *crowd, size_t octets_max)
{
    struct siphash_key key = {3, 4};
    struct heap heap = memory_heap();
    struct cache_options options;
    *crowd = (struct crowd){0};
    grace_init(&crowd->grace, THREADS);
    for (size_t i = 0; i < CACHE_PARTS_MAX; i++)
        lock_init(&crowd->locks[i]);
    cache_options_init(&options, &heap, &key);
    options.octets_max = octets_max;
    options.sharing = (struct cache_sharing){&crowd->grace, take_lock, give_lock, crowd};
    crowd->caches[0] = cache_new(&options);
    assert_non_null(crowd->caches[0]);
    for (size_t i = 1; i < THREADS; i++) {
        crowd->caches[i] = cache_join(crowd->caches[0]);
        assert_non_null(crowd->caches[i]);
    }
}

static void close_crowd(struct crowd *crowd)
{
    for (size_t i = THREADS; i-- > 0;)
        cache_free(crowd->caches[i]);
    for (size_t i = 0; i < CACHE_PARTS_MAX; i++)
        lock_done(&crowd->locks[i]);
}

static struct dns_name crowd_name(uint32_t number)
{
    char text[32];
    snprintf(text, sizeof text, "n%u.example", number);
    return dns_text_name(text);
}

/* Records that say of each other whether they are of one piece: all octets are the same. */
static void put_version(struct cache *cache, uint32_t number, uint8_t version, usec now)
{
    uint8_t list[RECORDS_MAX * 6], rdata[4];
    struct writer w = writer_of(list, sizeof list);
    struct dns_name owner = crowd_name(number);
    struct cache_content content = content_of(CACHE_DATA, CACHE_RANK_ANSWER, 300);
    memset(rdata, version, sizeof rdata);
    for (unsigned i = 0; i <= version % RECORDS_MAX; i++)
        cache_write_rdata(&w, bytes_of(rdata, sizeof rdata));
    content.records = writer_bytes(&w);
    (void)cache_put(cache, &owner, DNS_A, &content, now);
}

static bool is_whole(const struct cache_content *content)
{
    struct reader r = reader_of(content->records);
    struct bytes rdata;
    unsigned count = 0;
    uint8_t version = 0;
    for (; cache_read_rdata(&r, &rdata); count++) {
        if (rdata.len != 4)
            return false;
        version = count == 0 ? rdata.data[0] : version;
        for (size_t i = 0; i < rdata.len; i++)
            if (rdata.data[i] != version)
                return false;
    }
    return count == version % RECORDS_MAX + 1u;
}

/* Turns: some things are looked up, and what was found is looked at when others have put much. */
static void work(void *self)
{
    struct member *member = self;
    struct crowd *crowd = member->crowd;
    struct cache *cache = crowd->caches[member->number];
    struct prng prng;
    prng_init_number(&prng, member->number);
    usec now = 1000 * SEC;
    for (unsigned round = 0; round < ROUNDS; round++, now += SEC) {
        struct cache_found kept[8];
        size_t kept_count = 0;
        grace_enter(&crowd->grace, member->number);
        for (unsigned i = 0; i < LOOKS; i++) {
            uint32_t number = prng_below(&prng, NAMES);
            struct dns_name name = crowd_name(number);
            struct cache_found found;
            if (!cache_find(cache, &name, DNS_A, now, false, &found)) {
                atomic_fetch_add(&crowd->misses, 1);
                put_version(cache, number, (uint8_t)prng_u32(&prng), now);
                continue;
            }
            atomic_fetch_add(&crowd->hits, 1);
            atomic_fetch_add(&crowd->wrong, !is_whole(&found.content));
            if (i % 32 == 0)
                put_version(cache, number, (uint8_t)prng_u32(&prng), now); /* in its place */
            if (i % 64 == 1)
                cache_set_security(cache, &name, DNS_A, CACHE_SECURE, DNS_EDE_NONE, now);
            kept[kept_count++ % ARRAY_LEN(kept)] = found;
        }
        for (size_t i = 0; i < kept_count && i < ARRAY_LEN(kept); i++)
            atomic_fetch_add(&crowd->wrong, !is_whole(&kept[i].content));
        if (round % 40 == 39) {
            struct dns_name name = crowd_name(prng_below(&prng, NAMES));
            (void)cache_flush(cache, &name, false);
        }
        grace_leave(&crowd->grace, member->number);
    }
}

static void run_crowd(size_t octets_max, struct crowd *crowd)
{
    struct thread threads[THREADS];
    struct member members[THREADS];
    open_crowd(crowd, octets_max);
    for (uint32_t i = 0; i < THREADS; i++) {
        members[i] = (struct member){crowd, i};
        assert_int_equal(thread_start(&threads[i], "cache", work, &members[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        thread_join(&threads[i]);
    assert_int_equal(atomic_load(&crowd->wrong), 0);
}

/* Every entry is found by its name, once. */
static size_t count_all(struct crowd *crowd, usec now)
{
    const void *place = NULL;
    struct cache_item item;
    size_t count = 0;
    while (cache_each(crowd->caches[0], &place, now, &item)) {
        struct cache_found found;
        assert_true(cache_find(crowd->caches[1], &item.name, DNS_A, now, false, &found));
        assert_ptr_equal(found.content.records.data, item.content.records.data);
        count++;
    }
    return count;
}

static void test_threads_with_room(void **state UNUSED)
{
    static struct crowd crowd;
    struct cache_counters counters;
    run_crowd((size_t)16 * 1024 * 1024, &crowd);
    cache_counters(crowd.caches[0], &counters);
    assert_true(counters.entries > NAMES - 20 && counters.entries <= NAMES);
    assert_int_equal(count_all(&crowd, 1100 * SEC), counters.entries);
    /* Only what nobody had put before, or had just flushed, was missed: but two may miss at once. */
    assert_true(atomic_load(&crowd.misses) < 2 * NAMES);
    cache_counters(crowd.caches[2], &counters);
    assert_int_equal(counters.entries, 0); /* those are told once */
    close_crowd(&crowd);
}

static void test_threads_without_room(void **state UNUSED)
{
    static struct crowd crowd;
    struct cache_counters counters;
    run_crowd((size_t)128 * 1024, &crowd);
    cache_counters(crowd.caches[0], &counters);
    assert_true(counters.octets <= 128 * 1024);
    assert_true(counters.evicted > 0);
    assert_int_equal(count_all(&crowd, 1100 * SEC), counters.entries);
    close_crowd(&crowd);
}

/* A turn that does not end keeps what it may have found: nothing more is taken when that gets too much. */
static void test_a_turn_that_does_not_end(void **state UNUSED)
{
    static struct crowd crowd;
    struct cache_counters counters;
    open_crowd(&crowd, (size_t)256 * 1024);
    grace_enter(&crowd.grace, 1);
    for (uint32_t i = 0; i < 20000; i++)
        put_version(crowd.caches[0], i, (uint8_t)i, 1000 * SEC + (usec)i * SEC / 100);
    cache_counters(crowd.caches[0], &counters);
    assert_true(counters.no_memory > 0);
    assert_true(counters.octets <= 256 * 1024);
    uint64_t refused = counters.no_memory;
    grace_leave(&crowd.grace, 1);
    for (uint32_t i = 0; i < 3000; i++)
        put_version(crowd.caches[0], i, (uint8_t)i, 2000 * SEC + (usec)i * SEC / 100);
    cache_counters(crowd.caches[0], &counters);
    assert_int_equal(counters.no_memory, refused);
    close_crowd(&crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ttl),       cmocka_unit_test(test_negative),
        cmocka_unit_test(test_ranks),     cmocka_unit_test(test_ghost_domains),
        cmocka_unit_test(test_stale),     cmocka_unit_test(test_prefetch),
        cmocka_unit_test(test_failures), cmocka_unit_test(test_silence),  cmocka_unit_test(test_flood),
        cmocka_unit_test(test_flush_and_dump), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_too_large), cmocka_unit_test(test_model),
        cmocka_unit_test(test_threads_with_room), cmocka_unit_test(test_threads_without_room),
        cmocka_unit_test(test_a_turn_that_does_not_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
