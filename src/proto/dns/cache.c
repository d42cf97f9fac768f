/* SPDX-License-Identifier: ISC */
/*
 * cache.c - entries in a map by name, type and whether they are failures, and in the ring of SIEVE by
 * age (base/sieve.h).
 */
#include "proto/dns/cache.h"

#include "base/map.h"
#include "base/sieve.h"
#include "wire/dns/dns_option.h"

enum {
    FRESH_TIME_SEC = 2,   /* what came just now is for who waits: the hand passes over it once */
    MAP_COST = 3 * sizeof(struct map_slot), /* of an entry: the map is a third to two thirds full */
    ENTRIES_MAX = 1 << 28,
};

struct cache_entry {
    struct sieve_node place;
    usec put_at;
    usec expires_at;
    uint32_t hash;
    uint32_t ttl;          /* as it was put, within the bounds */
    uint32_t len;          /* of `octets` */
    uint16_t type;
    uint16_t ede;
    uint16_t records_len;
    uint16_t signatures_len;
    uint8_t kind;
    uint8_t rank;
    uint8_t security;
    uint8_t name_len;
    uint8_t octets[];      /* the name, records, signatures, the proof */
};

struct cache {
    struct cache_options options;
    struct map map;
    struct sieve sieve;
    struct cache_counters counters;
};

enum { KEY_HEAD_LEN = 3 };

struct key {
    uint16_t type;
    bool failure;
    uint8_t name_len;
    uint8_t octets[KEY_HEAD_LEN + DNS_NAME_MAX]; /* all of it: the name is in lower case */
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

static bool entry_equal(const void *item, const void *other)
{
    const struct cache_entry *e = item;
    const struct key *key = other;
    return e->type == key->type && (e->kind == CACHE_FAILURE) == key->failure &&
           e->name_len == key->name_len &&
           memcmp(e->octets, key->octets + KEY_HEAD_LEN, e->name_len) == 0;
}

struct cache *cache_new(const struct cache_options *options)
{
    ASSERT(options->octets_max >= CACHE_OCTETS_MIN);
    struct cache *cache = heap_zeroed(&options->heap, sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->options = *options;
    map_init(&cache->map, &options->heap, ENTRIES_MAX, entry_equal);
    sieve_init(&cache->sieve);
    return cache;
}

static size_t cost(size_t len)
{
    return sizeof(struct cache_entry) + len + MAP_COST;
}

static void drop(struct cache *cache, struct cache_entry *e)
{
    bool removed = map_remove(&cache->map, e->hash, e);
    ASSERT(removed);
    sieve_remove(&cache->sieve, &e->place);
    cache->counters.octets -= cost(e->len);
    cache->counters.entries--;
    heap_release(&cache->options.heap, e, sizeof *e + e->len);
}

void cache_free(struct cache *cache)
{
    if (cache == NULL)
        return;
    struct sieve_node *node;
    while ((node = sieve_candidate(&cache->sieve)) != NULL)
        drop(cache, CONTAINER_OF(node, struct cache_entry, place));
    map_done(&cache->map);
    struct heap heap = cache->options.heap;
    heap_release(&heap, cache, sizeof *cache);
}

static void make_key(const struct dns_name *name, uint16_t type, bool failure, struct key *out)
{
    out->type = type;
    out->failure = failure;
    out->name_len = name->len;
    out->octets[0] = (uint8_t)(type >> 8);
    out->octets[1] = (uint8_t)type;
    out->octets[2] = failure;
    for (size_t i = 0; i < name->len; i++) {
        uint8_t c = name->octets[i];
        out->octets[KEY_HEAD_LEN + i] = (uint8_t)(c | (c >= 'A' && c <= 'Z') << 5);
    }
}

static uint32_t key_hash(const struct cache *cache, const struct key *key)
{
    return (uint32_t)siphash13(&cache->options.key,
                               bytes_of(key->octets, (size_t)KEY_HEAD_LEN + key->name_len));
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
static void evict_one(struct cache *cache, usec now, size_t *mercy)
{
    struct cache_entry *e =
        CONTAINER_OF(sieve_candidate(&cache->sieve), struct cache_entry, place);
    bool over = e->expires_at + (usec)cache->options.stale_max * USEC_PER_SEC <= now;
    if (!over && (e->place.visited || is_fresh(e, now)) && *mercy > 0) {
        --*mercy;
        sieve_spare(&cache->sieve, &e->place);
        return;
    }
    drop(cache, e);
    cache->counters.evicted++;
}

static void make_room(struct cache *cache, size_t octets, usec now)
{
    /* Each entry is spared at most once in a round. */
    size_t mercy = (size_t)cache->counters.entries;
    while (cache->counters.octets + octets > cache->options.octets_max &&
           !list_empty(&cache->sieve.ring))
        evict_one(cache, now, &mercy);
}

/* ---- putting ---- */

static uint32_t bounded_ttl(const struct cache *cache, const struct cache_content *content)
{
    uint32_t ttl = content->ttl;
    if (ttl > DNS_TTL_MAX)
        ttl = 0; /* RFC 2181 §8 */
    if (content->kind == CACHE_FAILURE)
        return ttl;
    if (ttl < cache->options.ttl_min)
        ttl = cache->options.ttl_min;
    if (ttl > cache->options.ttl_max)
        ttl = cache->options.ttl_max;
    if (content->kind != CACHE_DATA && ttl > cache->options.negative_ttl_max)
        ttl = cache->options.negative_ttl_max;
    return ttl;
}

static struct cache_entry *make_entry(struct cache *cache, const struct key *key,
                                      const struct cache_content *content, usec now)
{
    size_t len = (size_t)key->name_len + content->records.len + content->signatures.len +
                 content->proof.len;
    struct cache_entry *e =
        cache->options.heap.resize(cache->options.heap.self, NULL, 0, sizeof *e + len);
    if (e == NULL)
        return NULL;
    *e = (struct cache_entry){
        .put_at = now,
        .ttl = bounded_ttl(cache, content),
        .len = (uint32_t)len,
        .type = key->type,
        .ede = content->ede,
        .records_len = (uint16_t)content->records.len,
        .signatures_len = (uint16_t)content->signatures.len,
        .kind = (uint8_t)content->kind,
        .rank = (uint8_t)content->rank,
        .security = (uint8_t)content->security,
        .name_len = key->name_len,
    };
    e->expires_at = now + (e->ttl > 0 ? e->ttl : 1) * USEC_PER_SEC;
    struct writer w = writer_of(e->octets, len);
    write_copy(&w, key->octets + KEY_HEAD_LEN, key->name_len);
    write_bytes(&w, content->records);
    write_bytes(&w, content->signatures);
    write_bytes(&w, content->proof);
    ASSERT(!w.failed);
    list_init(&e->place.node);
    return e;
}

enum cache_result cache_put(struct cache *cache, const struct dns_name *name, uint16_t type,
                            const struct cache_content *content, usec now)
{
    struct key key;
    make_key(name, content->kind == CACHE_NXDOMAIN ? CACHE_NXDOMAIN_TYPE : type,
             content->kind == CACHE_FAILURE, &key);
    size_t payload = content->records.len + content->signatures.len + content->proof.len;
    size_t octets = cost(key.name_len + payload);
    if (payload > CACHE_PAYLOAD_MAX || octets > cache->options.octets_max / 2)
        return CACHE_TOO_LARGE;
    uint32_t hash = key_hash(cache, &key);
    struct cache_entry *old = map_find(&cache->map, hash, &key);
    bool holds = old != NULL && old->expires_at > now;
    if (holds && old->rank > content->rank) {
        cache->counters.kept++;
        return CACHE_KEPT;
    }
    struct cache_entry *e = make_entry(cache, &key, content, now);
    if (e == NULL) {
        cache->counters.no_memory++;
        return CACHE_NO_MEMORY;
    }
    e->hash = hash;
    if (holds && type == DNS_NS && old->kind == CACHE_DATA && content->kind == CACHE_DATA)
        e->expires_at = usec_min(e->expires_at, old->expires_at);
    if (old != NULL)
        drop(cache, old);
    make_room(cache, octets, now);
    if (!map_insert(&cache->map, hash, e)) {
        heap_release(&cache->options.heap, e, sizeof *e + e->len);
        cache->counters.no_memory++;
        return CACHE_NO_MEMORY;
    }
    sieve_add(&cache->sieve, &e->place);
    cache->counters.octets += octets;
    cache->counters.entries++;
    cache->counters.puts++;
    return CACHE_TAKEN;
}

void cache_put_failure(struct cache *cache, const struct dns_name *name, uint16_t type,
                       uint16_t ede, usec now)
{
    struct key key;
    make_key(name, type, true, &key);
    const struct cache_entry *old = map_find(&cache->map, key_hash(cache, &key), &key);
    struct cache_content content = {
        .kind = CACHE_FAILURE,
        .ttl = CACHE_FAILURE_TTL_MIN,
        .ede = ede,
        .records = bytes_empty(),
        .signatures = bytes_empty(),
        .proof = bytes_empty(),
    };
    if (old != NULL && now < old->put_at + 2 * (usec)old->ttl * USEC_PER_SEC)
        content.ttl = old->ttl < CACHE_FAILURE_TTL_MAX / 2 ? 2 * old->ttl : CACHE_FAILURE_TTL_MAX;
    (void)cache_put(cache, name, type, &content, now);
}

/* ---- finding ---- */

static void content_of(const struct cache_entry *e, struct cache_content *out)
{
    struct reader r = reader_of(bytes_of(e->octets, e->len));
    read_skip(&r, e->name_len);
    *out = (struct cache_content){
        .kind = e->kind,
        .rank = e->rank,
        .security = e->security,
        .ttl = e->ttl,
        .ede = e->ede,
    };
    out->records = read_bytes(&r, e->records_len);
    out->signatures = read_bytes(&r, e->signatures_len);
    out->proof = read_rest(&r);
}

static bool find(struct cache *cache, const struct key *key, usec now, bool stale_too,
                 struct cache_found *out)
{
    struct cache_entry *e = map_find(&cache->map, key_hash(cache, key), key);
    bool stale = e != NULL && e->expires_at <= now;
    usec stale_until =
        e != NULL ? e->expires_at + (usec)cache->options.stale_max * USEC_PER_SEC : 0;
    if (e == NULL || (stale && (!stale_too || stale_until <= now || key->failure))) {
        cache->counters.misses += !key->failure;
        return false;
    }
    cache->counters.hits += !key->failure;
    cache->counters.stale_hits += stale;
    content_of(e, &out->content);
    usec left = e->expires_at - now;
    out->stale = stale;
    out->content.ttl = stale ? CACHE_STALE_TTL : (uint32_t)(left / USEC_PER_SEC);
    if (e->ttl == 0 && !stale)
        out->content.ttl = 0;
    out->prefetch = !stale && e->place.visited && e->ttl >= CACHE_PREFETCH_TTL_MIN &&
                    left < (usec)e->ttl * USEC_PER_SEC / 10;
    if (!e->place.visited && !is_fresh(e, now)) /* who asked first does not count */
        e->place.visited = true;
    return true;
}

bool cache_find(struct cache *cache, const struct dns_name *name, uint16_t type, usec now,
                bool stale_too, struct cache_found *out)
{
    struct key key;
    make_key(name, type, false, &key);
    return find(cache, &key, now, stale_too, out);
}

bool cache_find_failure(struct cache *cache, const struct dns_name *name, uint16_t type, usec now,
                        struct cache_found *out)
{
    struct key key;
    make_key(name, type, true, &key);
    return find(cache, &key, now, false, out);
}

void cache_set_security(struct cache *cache, const struct dns_name *name, uint16_t type,
                        enum cache_security security, uint16_t ede, usec now)
{
    struct key key;
    make_key(name, type, false, &key);
    struct cache_entry *e = map_find(&cache->map, key_hash(cache, &key), &key);
    if (e == NULL)
        return;
    e->security = (uint8_t)security;
    e->ede = ede;
    if (security == CACHE_BOGUS)
        e->expires_at = usec_min(e->expires_at, now + CACHE_FAILURE_TTL_MIN * USEC_PER_SEC);
}

/* ---- all of them ---- */

static void entry_name(const struct cache_entry *e, struct dns_name *out)
{
    out->len = e->name_len;
    memcpy(out->octets, e->octets, e->name_len);
}

size_t cache_flush(struct cache *cache, const struct dns_name *name, bool below)
{
    size_t count = 0;
    struct list_node *node = cache->sieve.ring.next;
    while (node != &cache->sieve.ring) {
        struct cache_entry *e = CONTAINER_OF(node, struct cache_entry, place.node);
        struct dns_name owner;
        node = node->next;
        entry_name(e, &owner);
        if (below ? !dns_name_within(&owner, name) : !dns_name_equal(&owner, name))
            continue;
        drop(cache, e);
        count++;
    }
    cache->counters.flushed += count;
    return count;
}

bool cache_each(const struct cache *cache, const void **place, usec now, struct cache_item *out)
{
    const struct list_node *node =
        *place == NULL ? cache->sieve.ring.next : ((const struct list_node *)*place)->next;
    if (node == &cache->sieve.ring)
        return false;
    *place = node;
    const struct cache_entry *e = CONTAINER_OF(node, struct cache_entry, place.node);
    entry_name(e, &out->name);
    out->type = e->type;
    out->left = (e->expires_at - now) / USEC_PER_SEC;
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
    *out = cache->counters;
}
