/* SPDX-License-Identifier: ISC */
/*
 * cache.c - entries in parts (cache_part.h), one or, for several threads, as many as leave each large enough; an entry's
 * hash says in which it is.
 */
#include "proto/dns/cache.h"

#include <stdatomic.h>

#include "proto/dns/cache_part.h"
#include "wire/dns/dns_option.h"

enum {
    FRESH_TIME_SEC = 2,   /* what came just now is for who waits: the hand passes over it once */
    PART_MIN = 512 * 1024, /* octets of one of several */
    RETIRED_SHARE = 8,    /* of the octets, one of so many is for what waits to be freed */
};

/* What all threads have in common. */
struct store {
    struct cache_options options;
    size_t octets_max; /* of a part */
    size_t part_count; /* a power of two */
    struct cache_part parts[CACHE_PARTS_MAX];
};

struct cache {
    struct store *store;
    bool first;
    struct cache_counters counters;
};

void cache_options_init(struct cache_options *options, const struct heap *heap,
                        const struct siphash_key *key)
{
    *options = (struct cache_options){
        .heap = *heap,
        .key = *key,
        .octets_max = 64 * 1024 * 1024,
        .ttl_max = CACHE_TTL_MAX_DEFAULT,
        .negative_ttl_max = CACHE_NEGATIVE_TTL_MAX_DEFAULT,
    };
}

/* ---- life ---- */

static struct cache *new_handle(struct store *store, bool first)
{
    struct cache *cache = heap_zeroed(&store->options.heap, sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->store = store;
    cache->first = first;
    return cache;
}

static void free_store(struct store *store)
{
    struct heap heap = store->options.heap;
    for (size_t i = 0; i < store->part_count; i++)
        cache_part_done(&store->parts[i]);
    heap_release(&heap, store, sizeof *store);
}

static struct store *new_store(const struct cache_options *options)
{
    bool shared = options->sharing.grace != NULL;
    struct store *store = heap_zeroed(&options->heap, sizeof *store);
    if (store == NULL)
        return NULL;
    store->options = *options;
    store->part_count = 1;
    while (shared && store->part_count < CACHE_PARTS_MAX &&
           options->octets_max / (2 * store->part_count) >= PART_MIN)
        store->part_count *= 2;
    store->octets_max = options->octets_max / store->part_count;
    if (shared)
        store->octets_max -= store->octets_max / RETIRED_SHARE;
    for (size_t i = 0; i < store->part_count; i++)
        if (!cache_part_init(&store->parts[i], &options->heap, options->sharing.grace,
                             store->octets_max)) {
            free_store(store);
            return NULL;
        }
    return store;
}

struct cache *cache_new(const struct cache_options *options)
{
    ASSERT(options->octets_max >= CACHE_OCTETS_MIN);
    struct store *store = new_store(options);
    if (store == NULL)
        return NULL;
    struct cache *cache = new_handle(store, true);
    if (cache == NULL)
        free_store(store);
    return cache;
}

struct cache *cache_join(struct cache *first)
{
    ASSERT(first->store->options.sharing.grace != NULL);
    return new_handle(first->store, false);
}

void cache_free(struct cache *cache)
{
    if (cache == NULL)
        return;
    struct heap heap = cache->store->options.heap;
    if (cache->first)
        free_store(cache->store);
    heap_release(&heap, cache, sizeof *cache);
}

/* ---- keys and parts ---- */

static void make_key(const struct cache *cache, const struct dns_name *name, uint16_t type,
                     bool failure, struct cache_key *out)
{
    out->type = type;
    out->failure = failure;
    out->name_len = name->len;
    out->octets[0] = (uint8_t)(type >> 8);
    out->octets[1] = (uint8_t)type;
    out->octets[2] = failure;
    for (size_t i = 0; i < name->len; i++) {
        uint8_t c = name->octets[i];
        out->octets[CACHE_KEY_HEAD_LEN + i] = (uint8_t)(c | (c >= 'A' && c <= 'Z') << 5);
    }
    out->hash = (uint32_t)siphash13(&cache->store->options.key,
                                    bytes_of(out->octets, (size_t)CACHE_KEY_HEAD_LEN + out->name_len));
}

/* The upper bits of the hash; the lower ones are the chain's. */
static struct cache_part *part_of(const struct cache *cache, uint32_t hash)
{
    struct store *store = cache->store;
    return &store->parts[(hash >> 16) & (store->part_count - 1)];
}

static void lock(const struct store *store, const struct cache_part *part)
{
    const struct cache_sharing *sharing = &store->options.sharing;
    if (sharing->grace != NULL)
        sharing->lock(sharing->self, (size_t)(part - store->parts));
}

static void unlock(const struct store *store, const struct cache_part *part)
{
    const struct cache_sharing *sharing = &store->options.sharing;
    if (sharing->grace != NULL)
        sharing->unlock(sharing->self, (size_t)(part - store->parts));
}

static usec expires_at(const struct cache_entry *e)
{
    return atomic_load_explicit(&e->expires_at, memory_order_relaxed);
}

static void set_expires_at(struct cache_entry *e, usec at)
{
    atomic_store_explicit(&e->expires_at, at, memory_order_relaxed);
}

static bool is_visited(const struct cache_entry *e)
{
    return atomic_load_explicit(&e->place.visited, memory_order_relaxed);
}

/* ---- lists in entries ---- */

void cache_write_rdata(struct writer *w, struct bytes rdata)
{
    write_u16(w, (uint16_t)rdata.len);
    write_bytes(w, rdata);
}

bool cache_read_rdata(struct reader *r, struct bytes *out)
{
    if (reader_left(r) == 0)
        return false;
    uint16_t len = read_u16(r);
    *out = read_bytes(r, len);
    return !r->failed;
}

void cache_write_record(struct writer *w, const struct cache_record *record)
{
    write_u8(w, record->owner.len);
    write_bytes(w, dns_name_bytes(&record->owner));
    write_u16(w, record->type);
    write_u32(w, record->ttl);
    cache_write_rdata(w, record->rdata);
}

bool cache_read_record(struct reader *r, struct cache_record *out)
{
    if (reader_left(r) == 0)
        return false;
    uint8_t len = read_u8(r);
    bool valid = dns_name_from_wire(read_bytes(r, len), &out->owner);
    out->type = read_u16(r);
    out->ttl = read_u32(r);
    return cache_read_rdata(r, &out->rdata) && valid;
}

/* ---- making room ---- */

static bool is_fresh(const struct cache_entry *e, usec now)
{
    return now - e->put_at < FRESH_TIME_SEC * USEC_PER_SEC;
}

/* The hand's next step: an entry goes unless it was asked for since the hand came by, or is so
 * young that whoever asked has not got it yet. */
static void evict_one(struct cache *cache, struct cache_part *part, usec now, size_t *mercy)
{
    struct cache_entry *e =
        CONTAINER_OF(sieve_candidate(&part->sieve), struct cache_entry, place);
    bool over = expires_at(e) + (usec)cache->store->options.stale_max * USEC_PER_SEC <= now;
    if (!over && (is_visited(e) || is_fresh(e, now)) && *mercy > 0) {
        --*mercy;
        sieve_spare(&part->sieve, &e->place);
        return;
    }
    cache_part_drop(part, e);
    cache->counters.evicted++;
}

static void make_room(struct cache *cache, struct cache_part *part, size_t octets, usec now)
{
    /* Each entry is spared at most once in a round. */
    size_t mercy = part->entries;
    while (part->octets + octets > cache->store->octets_max && part->entries > 0)
        evict_one(cache, part, now, &mercy);
}

/* ---- putting ---- */

static uint32_t bounded_ttl(const struct cache *cache, const struct cache_content *content)
{
    uint32_t ttl = content->ttl;
    if (ttl > DNS_TTL_MAX)
        ttl = 0; /* RFC 2181 §8 */
    if (content->kind == CACHE_FAILURE)
        return ttl;
    if (ttl < cache->store->options.ttl_min)
        ttl = cache->store->options.ttl_min;
    if (ttl > cache->store->options.ttl_max)
        ttl = cache->store->options.ttl_max;
    if (content->kind != CACHE_DATA && ttl > cache->store->options.negative_ttl_max)
        ttl = cache->store->options.negative_ttl_max;
    return ttl;
}

static struct cache_entry *make_entry(struct cache *cache, const struct cache_key *key,
                                      const struct cache_content *content, usec now)
{
    size_t len = (size_t)key->name_len + content->records.len + content->signatures.len +
                 content->proof.len;
    struct cache_entry *e =
        cache->store->options.heap.resize(cache->store->options.heap.self, NULL, 0, sizeof *e + len);
    if (e == NULL)
        return NULL;
    *e = (struct cache_entry){
        .put_at = now,
        .hash = key->hash,
        .ttl = bounded_ttl(cache, content),
        .len = (uint32_t)len,
        .type = key->type,
        .ede = content->ede,
        .records_len = (uint16_t)content->records.len,
        .signatures_len = (uint16_t)content->signatures.len,
        .kind = (uint8_t)content->kind,
        .rank = (uint8_t)content->rank,
        .security = (uint8_t)content->security,
        .failure = key->failure,
        .name_len = key->name_len,
    };
    set_expires_at(e, now + (e->ttl > 0 ? e->ttl : 1) * USEC_PER_SEC);
    struct writer w = writer_of(e->octets, len);
    write_copy(&w, key->octets + CACHE_KEY_HEAD_LEN, key->name_len);
    write_bytes(&w, content->records);
    write_bytes(&w, content->signatures);
    write_bytes(&w, content->proof);
    ASSERT(!w.failed);
    list_init(&e->place.node);
    return e;
}

/* With the lock. */
static enum cache_result put(struct cache *cache, struct cache_part *part,
                             const struct cache_key *key, const struct cache_content *content,
                             usec now)
{
    struct cache_entry *old = cache_part_find(part, key);
    bool holds = old != NULL && expires_at(old) > now;
    if (holds && old->rank > content->rank) {
        cache->counters.kept++;
        return CACHE_KEPT;
    }
    cache_part_sweep(part);
    bool late = part->retired_octets > cache->store->octets_max / RETIRED_SHARE;
    struct cache_entry *e = late ? NULL : make_entry(cache, key, content, now);
    if (e == NULL) {
        cache->counters.no_memory++;
        return CACHE_NO_MEMORY;
    }
    if (holds && key->type == DNS_NS && old->kind == CACHE_DATA && content->kind == CACHE_DATA)
        set_expires_at(e, usec_min(expires_at(e), expires_at(old)));
    if (old != NULL) {
        cache_part_note_change(part); /* others look again when the new one is there */
        cache_part_drop(part, old);
    }
    make_room(cache, part, cache_entry_cost(e->len), now);
    bool taken = cache_part_put(part, e);
    if (old != NULL)
        cache_part_note_change(part);
    if (taken) {
        cache->counters.puts++;
        return CACHE_TAKEN;
    }
    heap_release(&cache->store->options.heap, e, sizeof *e + e->len);
    cache->counters.no_memory++;
    return CACHE_NO_MEMORY;
}

enum cache_result cache_put(struct cache *cache, const struct dns_name *name, uint16_t type,
                            const struct cache_content *content, usec now)
{
    struct cache_key key;
    size_t payload = content->records.len + content->signatures.len + content->proof.len;
    if (payload > CACHE_PAYLOAD_MAX ||
        cache_entry_cost(name->len + payload) > cache->store->octets_max / 2)
        return CACHE_TOO_LARGE;
    make_key(cache, name, content->kind == CACHE_NXDOMAIN ? CACHE_NXDOMAIN_TYPE : type,
             content->kind == CACHE_FAILURE, &key);
    struct cache_part *part = part_of(cache, key.hash);
    lock(cache->store, part);
    enum cache_result result = put(cache, part, &key, content, now);
    unlock(cache->store, part);
    return result;
}

/* For the rest of the turn. */
static struct cache_entry *find_entry(const struct cache *cache, const struct cache_key *key)
{
    bool unsure;
    const struct cache_part *part = part_of(cache, key->hash);
    struct cache_entry *e = cache_part_look(part, key, &unsure);
    if (!unsure)
        return e;
    lock(cache->store, part);
    e = cache_part_find(part, key);
    unlock(cache->store, part);
    return e;
}

struct failure {
    uint16_t ede;
    uint32_t ttl_min, ttl_max;
};

/* How long it holds this time: twice as long as the last time. */
static uint32_t failure_ttl(const struct failure *failure, const struct cache_entry *old, usec now)
{
    if (old == NULL ||
        now >= old->put_at + (2 * (usec)old->ttl + CACHE_FAILURE_EFFORT) * USEC_PER_SEC)
        return failure->ttl_min;
    return old->ttl < failure->ttl_max / 2 ? 2 * old->ttl : failure->ttl_max;
}

static void put_failure(struct cache *cache, const struct dns_name *name, uint16_t type,
                        const struct failure *failure, usec now)
{
    struct cache_key key;
    make_key(cache, name, type, true, &key);
    const struct cache_content content = {
        .kind = CACHE_FAILURE,
        .ttl = failure_ttl(failure, find_entry(cache, &key), now),
        .ede = failure->ede,
        .records = bytes_empty(),
        .signatures = bytes_empty(),
        .proof = bytes_empty(),
    };
    (void)cache_put(cache, name, type, &content, now);
}

void cache_put_failure(struct cache *cache, const struct dns_name *name, uint16_t type,
                       uint16_t ede, usec now)
{
    const struct failure failure = {ede, CACHE_FAILURE_TTL_MIN, CACHE_FAILURE_TTL_MAX};
    put_failure(cache, name, type, &failure, now);
}

void cache_put_silence(struct cache *cache, const struct dns_name *name, uint16_t type,
                       uint16_t ede, usec now)
{
    const struct failure failure = {ede, CACHE_SILENCE_TTL_MIN, CACHE_SILENCE_TTL_MAX};
    put_failure(cache, name, type, &failure, now);
}

/* ---- finding ---- */

static void content_of(const struct cache_entry *e, struct cache_content *out)
{
    struct reader r = reader_of(bytes_of(e->octets, e->len));
    read_skip(&r, e->name_len);
    *out = (struct cache_content){
        .kind = e->kind,
        .rank = e->rank,
        .security = atomic_load_explicit(&e->security, memory_order_relaxed),
        .ttl = e->ttl,
        .ede = atomic_load_explicit(&e->ede, memory_order_relaxed),
    };
    out->records = read_bytes(&r, e->records_len);
    out->signatures = read_bytes(&r, e->signatures_len);
    out->proof = read_rest(&r);
}

static bool find(struct cache *cache, const struct cache_key *key, usec now, bool stale_too,
                 struct cache_found *out)
{
    struct cache_entry *e = find_entry(cache, key);
    usec ends_at = e != NULL ? expires_at(e) : 0;
    bool stale = e != NULL && ends_at <= now;
    usec stale_until = ends_at + (usec)cache->store->options.stale_max * USEC_PER_SEC;
    if (e == NULL || (stale && (!stale_too || stale_until <= now || key->failure))) {
        cache->counters.misses += !key->failure;
        return false;
    }
    cache->counters.hits += !key->failure;
    cache->counters.stale_hits += stale;
    content_of(e, &out->content);
    usec left = ends_at - now;
    out->left = left;
    out->stale = stale;
    out->content.ttl = stale ? CACHE_STALE_TTL : (uint32_t)(left / USEC_PER_SEC);
    if (e->ttl == 0 && !stale)
        out->content.ttl = 0;
    bool visited = is_visited(e);
    out->prefetch = !stale && visited && e->ttl >= CACHE_PREFETCH_TTL_MIN &&
                    left < (usec)e->ttl * USEC_PER_SEC / 10;
    if (!visited && !is_fresh(e, now)) /* who asked first does not count */
        atomic_store_explicit(&e->place.visited, true, memory_order_relaxed);
    return true;
}

bool cache_find(struct cache *cache, const struct dns_name *name, uint16_t type, usec now,
                bool stale_too, struct cache_found *out)
{
    struct cache_key key;
    make_key(cache, name, type, false, &key);
    return find(cache, &key, now, stale_too, out);
}

bool cache_find_failure(struct cache *cache, const struct dns_name *name, uint16_t type, usec now,
                        struct cache_found *out)
{
    struct cache_key key;
    make_key(cache, name, type, true, &key);
    return find(cache, &key, now, false, out);
}

void cache_set_security(struct cache *cache, const struct dns_name *name, uint16_t type,
                        enum cache_security security, uint16_t ede, usec now)
{
    struct cache_key key;
    make_key(cache, name, type, false, &key);
    struct cache_entry *e = find_entry(cache, &key);
    if (e == NULL)
        return;
    atomic_store_explicit(&e->security, (uint8_t)security, memory_order_relaxed);
    atomic_store_explicit(&e->ede, ede, memory_order_relaxed);
    if (security == CACHE_BOGUS)
        set_expires_at(e, usec_min(expires_at(e), now + CACHE_FAILURE_TTL_MIN * USEC_PER_SEC));
}

/* ---- all of them ---- */

static void entry_name(const struct cache_entry *e, struct dns_name *out)
{
    out->len = e->name_len;
    memcpy(out->octets, e->octets, e->name_len);
}

static size_t flush_part(struct cache_part *part, const struct dns_name *name, bool below)
{
    size_t count = 0;
    struct list_node *node = part->sieve.ring.next;
    while (node != &part->sieve.ring) {
        struct cache_entry *e = CONTAINER_OF(node, struct cache_entry, place.node);
        struct dns_name owner;
        node = node->next;
        entry_name(e, &owner);
        if (below ? !dns_name_within(&owner, name) : !dns_name_equal(&owner, name))
            continue;
        cache_part_drop(part, e);
        count++;
    }
    return count;
}

size_t cache_flush(struct cache *cache, const struct dns_name *name, bool below)
{
    size_t count = 0;
    struct store *store = cache->store;
    for (size_t i = 0; i < store->part_count; i++) {
        lock(store, &store->parts[i]);
        count += flush_part(&store->parts[i], name, below);
        unlock(store, &store->parts[i]);
    }
    cache->counters.flushed += count;
    return count;
}

bool cache_each(const struct cache *cache, const void **place, usec now, struct cache_item *out)
{
    const struct store *store = cache->store;
    const struct cache_part *part = store->parts;
    const struct list_node *node = part->sieve.ring.next;
    if (*place != NULL) {
        const struct cache_entry *before =
            CONTAINER_OF((struct list_node *)(uintptr_t)*place, struct cache_entry, place.node);
        part = part_of(cache, before->hash);
        node = before->place.node.next;
    }
    while (node == &part->sieve.ring) {
        if (++part == store->parts + store->part_count)
            return false;
        node = part->sieve.ring.next;
    }
    *place = node;
    const struct cache_entry *e = CONTAINER_OF((struct list_node *)(uintptr_t)node, struct cache_entry, place.node);
    entry_name(e, &out->name);
    out->type = e->type;
    out->left = (expires_at(e) - now) / USEC_PER_SEC;
    content_of(e, &out->content);
    return true;
}

static void format_list(const struct cache_item *item, uint16_t type, struct bytes list,
                        struct text *out)
{
    struct reader r = reader_of(list);
    struct dns_record record = {.owner = item->name,
                                .type = type,
                                .class = DNS_IN,
                                .ttl = item->left > 0 ? (uint32_t)item->left : 0};
    while (cache_read_rdata(&r, &record.rdata)) {
        dns_record_format(&record, out);
        text_add(out, "\n");
    }
}

void cache_format(const struct cache_item *item, struct text *out)
{
    static const char *const kinds[CACHE_KIND_COUNT] = {
        [CACHE_DATA] = "", [CACHE_NODATA] = "no data", [CACHE_NXDOMAIN] = "no such name",
        [CACHE_FAILURE] = "failure"};
    char name[DNS_NAME_TEXT_MAX], type[DNS_TYPE_TEXT_MAX];
    if (item->content.kind != CACHE_DATA) {
        text_add_format(out, "; %s %lld ", dns_name_format(&item->name, name),
                        (long long)item->left);
        if (item->content.kind != CACHE_NXDOMAIN)
            text_add_format(out, "%s ", dns_type_format(item->type, type));
        text_add_format(out, "%s\n", kinds[item->content.kind]);
        return;
    }
    if (item->left <= 0)
        text_add(out, "; stale:\n");
    format_list(item, item->type, item->content.records, out);
    format_list(item, DNS_RRSIG, item->content.signatures, out);
}

void cache_counters(const struct cache *cache, struct cache_counters *out)
{
    const struct store *store = cache->store;
    *out = cache->counters;
    for (size_t i = 0; i < store->part_count && cache->first; i++) {
        out->entries += store->parts[i].entries;
        out->octets += store->parts[i].octets;
    }
}
