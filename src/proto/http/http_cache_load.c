/* SPDX-License-Identifier: ISC */
/*
 * http_cache_load.c - files that were there before a start are found again, but for what was forgotten since.
 * What is forgotten exactly is remembered in a Bloom filter: one that says so in error costs a response.
 */
#include "proto/http/http_cache_internal.h"
#include "proto/http/http_cache_tail.h"

enum { PROBES = 4 };

struct http_cache_loading {
    struct {
        bool tag; /* otherwise a prefix */
        size_t len;
        uint8_t *text;
    } purges[HTTP_CACHE_LOAD_PURGES];
    size_t purge_count;
    bool nothing; /* there were too many */
    uint8_t filter[HTTP_CACHE_LOAD_FILTER];
};

void http_cache_load_begin(struct http_cache *cache)
{
    ASSERT(cache->loading == NULL);
    cache->loading = heap_zeroed(&cache->options.heap, sizeof *cache->loading);
}

void http_cache_load_end(struct http_cache *cache)
{
    struct http_cache_loading *loading = cache->loading;
    const struct heap *heap = &cache->options.heap;
    if (loading == NULL)
        return;
    for (size_t i = 0; i < loading->purge_count; i++)
        heap_release(heap, loading->purges[i].text, loading->purges[i].len);
    heap_release(heap, loading, sizeof *loading);
    cache->loading = NULL;
}

/* ---- what was forgotten ---- */

static uint64_t bit_of(uint64_t hash, size_t probe)
{
    uint64_t step = hash >> 32 | 1;
    return (hash + probe * step) % (HTTP_CACHE_LOAD_FILTER * UINT64_C(8));
}

void http_cache_load_forget(struct http_cache *cache, struct bytes uri)
{
    if (cache->loading == NULL)
        return;
    uint64_t hash = siphash13(&cache->options.key, uri);
    for (size_t i = 0; i < PROBES; i++) {
        uint64_t bit = bit_of(hash, i);
        cache->loading->filter[bit / 8] |= (uint8_t)(1u << bit % 8);
    }
}

void http_cache_load_purge(struct http_cache *cache, struct bytes what, bool tag)
{
    struct http_cache_loading *loading = cache->loading;
    const struct heap *heap = &cache->options.heap;
    if (loading == NULL)
        return;
    uint8_t *text = loading->purge_count < HTTP_CACHE_LOAD_PURGES && what.len > 0
                        ? heap->resize(heap->self, NULL, 0, what.len)
                        : NULL;
    if (text == NULL) {
        loading->nothing = true;
        return;
    }
    memcpy(text, what.data, what.len);
    loading->purges[loading->purge_count].tag = tag;
    loading->purges[loading->purge_count].text = text;
    loading->purges[loading->purge_count++].len = what.len;
}

static bool is_forgotten(const struct http_cache *cache, const struct http_cache_tail *tail)
{
    const struct http_cache_loading *loading = cache->loading;
    if (loading == NULL || loading->nothing)
        return true;
    uint64_t hash = siphash13(&cache->options.key, tail->uri);
    size_t found = 0;
    for (size_t i = 0; i < PROBES; i++) {
        uint64_t bit = bit_of(hash, i);
        found += loading->filter[bit / 8] >> bit % 8 & 1;
    }
    if (found == PROBES)
        return true;
    for (size_t i = 0; i < loading->purge_count; i++) {
        struct bytes text = bytes_of(loading->purges[i].text, loading->purges[i].len);
        if (loading->purges[i].tag ? http_cache_has_tag(tail->head, text)
                                   : bytes_equal(bytes_first(tail->uri, text.len), text))
            return true;
    }
    return false;
}

/* ---- what is found again ---- */

static bool answers_the_same(const struct http_cache_entry *entry,
                             const struct http_cache_tail *tail)
{
    struct bytes vary = bytes_of(entry->vary, (size_t)entry->names_len + entry->key_len);
    return bytes_equal(bytes_first(vary, entry->names_len), tail->names) &&
           bytes_equal(bytes_after(vary, entry->names_len), tail->key);
}

/* A response that came later for the same requests stands in its place; so does one that varies
 * otherwise, since what it would answer was never compared. */
static bool is_replaced(const struct http_cache_set *set, const struct http_cache_tail *tail,
                        usec response_at)
{
    for (struct list_node *node = set->entries.next; node != &set->entries; node = node->next) {
        const struct http_cache_entry *entry =
            CONTAINER_OF(node, struct http_cache_entry, in_set);
        struct bytes names = bytes_of(entry->vary, entry->names_len);
        if (answers_the_same(entry, tail)
                ? !entry->found || entry->facts.response_at >= response_at
                : !entry->found && !bytes_equal(names, tail->names))
            return true;
    }
    return set->count >= HTTP_CACHE_VARIANTS_MAX;
}

/* Both were there: one was to be removed when we ended. */
static void replace_older(struct http_cache *cache, struct http_cache_set *set,
                          const struct http_cache_entry *entry, const struct http_cache_tail *tail)
{
    size_t left = set->count;
    struct list_node *node = set->entries.next;
    while (left-- > 0) {
        struct http_cache_entry *old = CONTAINER_OF(node, struct http_cache_entry, in_set);
        node = node->next;
        if (old != entry && answers_the_same(old, tail))
            http_cache_entry_unlink(cache, old);
    }
}

static uint8_t *copy(struct http_cache *cache, struct bytes in)
{
    const struct heap *heap = &cache->options.heap;
    uint8_t *block = in.len > 0 ? heap->resize(heap->self, NULL, 0, in.len) : NULL;
    if (block != NULL)
        memcpy(block, in.data, in.len);
    return block;
}

/* False: no memory. */
static bool fill_in(struct http_cache *cache, struct http_cache_entry *entry,
                    const struct http_cache_tail *tail)
{
    size_t vary_len = tail->names.len + tail->key.len;
    const struct heap *heap = &cache->options.heap;
    entry->head = copy(cache, tail->head);
    entry->head_len = entry->head != NULL ? tail->head.len : 0;
    entry->trailers = copy(cache, tail->trailers);
    entry->trailers_len = entry->trailers != NULL ? tail->trailers.len : 0;
    entry->vary = vary_len > 0 ? heap->resize(heap->self, NULL, 0, vary_len) : NULL;
    if (entry->head_len < tail->head.len || entry->trailers_len < tail->trailers.len ||
        (vary_len > 0 && entry->vary == NULL))
        return false;
    if (vary_len > 0) {
        memcpy(entry->vary, tail->names.data, tail->names.len);
        memcpy(entry->vary + tail->names.len, tail->key.data, tail->key.len);
    }
    entry->names_len = (uint16_t)tail->names.len;
    entry->key_len = (uint16_t)tail->key.len;
    entry->total = tail->end.body_len;
    entry->confined = tail->confined;
    entry->of_parts = tail->of_parts;
    return true;
}

static struct http_cache_entry *make_entry(struct http_cache *cache,
                                           const struct http_cache_tail *tail, usec response_at)
{
    struct http_cache_entry *entry = http_cache_entry_new(cache);
    if (entry == NULL)
        return NULL;
    if (!fill_in(cache, entry, tail)) {
        cache->counters.no_memory++;
        http_cache_entry_release(cache, entry);
        return NULL;
    }
    entry->facts = tail->facts;
    entry->facts.response_at = response_at;
    entry->found = true;
    return entry;
}

struct http_cache_file *http_cache_load(struct http_cache *cache, struct bytes in,
                                        struct http_cache_time time)
{
    struct http_cache_tail tail;
    cache->now = time.now;
    if (!http_cache_tail_read(in, &tail) || tail.shared != cache->options.rules.shared ||
        tail.end.body_len > cache->options.file_object_max || is_forgotten(cache, &tail))
        return NULL;
    int64_t ago = time.wall > tail.response_wall ? time.wall - tail.response_wall : 0;
    usec response_at = time.now - ago * USEC_PER_SEC;
    struct http_cache_set *set = http_cache_make_set(cache, tail.uri);
    if (set == NULL)
        return NULL;
    struct http_cache_entry *entry =
        is_replaced(set, &tail, response_at) ? NULL : make_entry(cache, &tail, response_at);
    struct http_cache_file *file =
        entry != NULL ? http_cache_file_found(cache, set, entry, &tail.end) : NULL;
    if (file != NULL)
        replace_older(cache, set, entry, &tail);
    else
        http_cache_tidy_set(cache, set);
    if (entry != NULL)
        http_cache_entry_release(cache, entry);
    return file;
}
