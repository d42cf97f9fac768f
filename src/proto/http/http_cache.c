/* SPDX-License-Identifier: ISC */
/*
 * http_cache.c - what is stored: sets by URI in a map, each with its variants, and all entries in the
 * ring of SIEVE.
 */
#include "proto/http/http_cache_internal.h"

#include "wire/http/http_list.h"

void http_cache_options_init(struct http_cache_options *options, const struct heap *heap,
                             const struct siphash_key *key)
{
    *options = (struct http_cache_options){
        .heap = *heap,
        .key = *key,
        .rules = {.shared = true,
                  .targeted = "CDN-Cache-Control",
                  .stale_max = 24 * 60 * 60,
                  .heuristic_max = HTTP_CACHE_HEURISTIC_MAX},
        .octets_max = 64 * 1024 * 1024,
        .object_max = 16 * 1024 * 1024,
    };
}

static size_t set_cost(size_t uri_len)
{
    return sizeof(struct http_cache_set) + uri_len + MAP_COST;
}

static bool set_equal(const void *item, const void *key)
{
    const struct http_cache_set *set = item;
    return bytes_equal(bytes_of(set->uri, set->uri_len), *(const struct bytes *)key);
}

struct http_cache *http_cache_new(const struct http_cache_options *options)
{
    ASSERT(options->octets_max == 0 || options->octets_max >= HTTP_CACHE_OCTETS_MIN);
    struct http_cache *cache = heap_zeroed(&options->heap, sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->options = *options;
    map_init(&cache->sets, &options->heap, SETS_MIN + options->octets_max / set_cost(0), set_equal);
    sieve_init(&cache->sieve);
    sieve_init(&cache->file_sieve);
    list_init(&cache->files);
    list_init(&cache->removals);
    list_init(&cache->ready);
    list_init(&cache->attention);
    return cache;
}

void http_cache_free(struct http_cache *cache)
{
    if (cache == NULL)
        return;
    struct sieve_node *node;
    http_cache_load_end(cache);
    while ((node = sieve_candidate(&cache->file_sieve)) != NULL) {
        struct http_cache_entry *entry = CONTAINER_OF(node, struct http_cache_file, place)->entry;
        http_cache_file_abandon(entry);
        http_cache_entry_unlink(cache, entry);
    }
    while ((node = sieve_candidate(&cache->sieve)) != NULL) {
        struct http_cache_entry *entry = CONTAINER_OF(node, struct http_cache_entry, place);
        http_cache_file_abandon(entry);
        http_cache_entry_unlink(cache, entry);
    }
    ASSERT(list_empty(&cache->files) && list_empty(&cache->removals));
    ASSERT(cache->sets.count == 0);
    map_done(&cache->sets);
    struct heap heap = cache->options.heap;
    heap_release(&heap, cache, sizeof *cache);
}

/* ---- sets ---- */

struct http_cache_set *http_cache_find_set(const struct http_cache *cache, struct bytes uri,
                                           uint32_t *hash)
{
    *hash = (uint32_t)siphash13(&cache->options.key, uri);
    return map_find(&cache->sets, *hash, &uri);
}

struct http_cache_set *http_cache_make_set(struct http_cache *cache, struct bytes uri)
{
    uint32_t hash;
    struct http_cache_set *set = http_cache_find_set(cache, uri, &hash);
    if (set != NULL)
        return set;
    const struct heap *heap = &cache->options.heap;
    set = heap->resize(heap->self, NULL, 0, sizeof *set + uri.len);
    if (set == NULL) {
        cache->counters.no_memory++;
        return NULL;
    }
    *set = (struct http_cache_set){.hash = hash, .uri_len = (uint32_t)uri.len};
    list_init(&set->entries);
    list_init(&set->fills);
    memcpy(set->uri, uri.data, uri.len);
    if (!map_insert(&cache->sets, hash, set)) {
        heap_release(heap, set, sizeof *set + uri.len);
        cache->counters.no_memory++;
        return NULL;
    }
    cache->counters.octets += set_cost(uri.len);
    return set;
}

void http_cache_tidy_set(struct http_cache *cache, struct http_cache_set *set)
{
    if (!list_empty(&set->entries) || !list_empty(&set->fills))
        return;
    bool removed = map_remove(&cache->sets, set->hash, set);
    ASSERT(removed);
    cache->counters.octets -= set_cost(set->uri_len);
    heap_release(&cache->options.heap, set, sizeof *set + set->uri_len);
}

/* ---- entries ---- */

struct http_cache_entry *http_cache_entry_new(struct http_cache *cache)
{
    struct http_cache_entry *entry = heap_zeroed(&cache->options.heap, sizeof *entry);
    if (entry == NULL) {
        cache->counters.no_memory++;
        return NULL;
    }
    list_init(&entry->place.node);
    list_init(&entry->in_set);
    list_init(&entry->readers);
    http_body_init(&entry->body, &cache->options.heap);
    entry->total = HTTP_CACHE_LENGTH_UNKNOWN;
    entry->users = 1;
    return entry;
}

void http_cache_entry_hold(struct http_cache_entry *entry)
{
    entry->users++;
}

static void entry_free(struct http_cache *cache, struct http_cache_entry *entry)
{
    const struct heap *heap = &cache->options.heap;
    ASSERT(list_empty(&entry->readers) && entry->set == NULL);
    http_cache_file_leave(entry);
    http_body_done(&entry->body);
    heap_release(heap, entry->head, entry->head_len);
    heap_release(heap, entry->vary, (size_t)entry->names_len + entry->key_len);
    heap_release(heap, entry->trailers, entry->trailers_len);
    cache->counters.octets -= entry->cost;
    heap_release(heap, entry, sizeof *entry);
}

void http_cache_entry_release(struct http_cache *cache, struct http_cache_entry *entry)
{
    ASSERT(entry->users > 0);
    if (--entry->users == 0 && entry->set == NULL)
        entry_free(cache, entry);
}

void http_cache_entry_unlink(struct http_cache *cache, struct http_cache_entry *entry)
{
    struct http_cache_set *set = entry->set;
    if (set == NULL)
        return;
    if (list_linked(&entry->place.node))
        sieve_remove(&cache->sieve, &entry->place);
    if (entry->file != NULL)
        http_cache_file_hide(entry->file);
    list_remove(&entry->in_set);
    entry->set = NULL;
    set->count--;
    cache->counters.entries--;
    if (entry->fill != NULL)
        entry->fill->keep = false;
    http_cache_tidy_set(cache, set);
    if (entry->users == 0)
        entry_free(cache, entry);
}

static size_t cost_of(const struct http_cache_entry *entry)
{
    return sizeof *entry + entry->head_len + entry->names_len + entry->key_len +
           entry->trailers_len + (size_t)entry->body.octets +
           (entry->file != NULL ? sizeof *entry->file : 0);
}

/* What is being written, or read, stays: letting go of it frees nothing now. */
static bool is_in_use(const struct http_cache_entry *entry)
{
    return entry->users > 0;
}

/* The hand spares each entry at most once in a round; then what is not in use goes all the same. What is in
 * a file, too, only leaves memory; heads of such go when nothing else is left. */
bool http_cache_make_room(struct http_cache *cache)
{
    uint64_t mercy = 2 * cache->counters.entries;
    while (cache->counters.octets > cache->options.octets_max) {
        struct sieve_node *node = sieve_candidate(&cache->sieve);
        if (node == NULL || mercy-- == 0)
            return http_cache_file_make_heads(cache);
        struct http_cache_entry *entry = CONTAINER_OF(node, struct http_cache_entry, place);
        if (node->visited || is_in_use(entry)) {
            sieve_spare(&cache->sieve, node);
        } else if (http_cache_has_file(entry)) {
            http_cache_drop_body(cache, entry);
        } else {
            http_cache_entry_unlink(cache, entry);
            cache->counters.evicted++;
        }
    }
    return true;
}

void http_cache_recount(struct http_cache *cache, struct http_cache_entry *entry)
{
    size_t cost = cost_of(entry);
    cache->counters.octets += cost - entry->cost;
    entry->cost = cost;
}

bool http_cache_account(struct http_cache *cache, struct http_cache_entry *entry)
{
    http_cache_recount(cache, entry);
    if (entry->set == NULL)
        return true;
    if (entry->cost > cache->options.object_max && !http_cache_grow(cache, entry)) {
        cache->counters.too_large++;
        return false;
    }
    return http_cache_make_room(cache);
}

/* Too many variants: the oldest that nobody uses goes. */
static void shed_variant(struct http_cache *cache, struct http_cache_set *set)
{
    for (struct list_node *node = set->entries.previous; node != &set->entries;
         node = node->previous) {
        struct http_cache_entry *entry = CONTAINER_OF(node, struct http_cache_entry, in_set);
        if (is_in_use(entry) && node != set->entries.previous)
            continue;
        http_cache_entry_unlink(cache, entry);
        cache->counters.evicted++;
        return;
    }
}

bool http_cache_entry_insert(struct http_cache *cache, struct http_cache_set *set,
                             struct http_cache_entry *entry)
{
    if (set->count >= HTTP_CACHE_VARIANTS_MAX)
        shed_variant(cache, set);
    entry->set = set;
    list_prepend(&set->entries, &entry->in_set);
    set->count++;
    sieve_add(&cache->sieve, &entry->place);
    cache->counters.entries++;
    if (http_cache_account(cache, entry))
        return true;
    http_cache_entry_unlink(cache, entry);
    return false;
}

void http_cache_change(struct http_cache *cache, const struct http_cache_options *options)
{
    struct http_cache_options *ours = &cache->options;
    ASSERT(options->octets_max == 0 || options->octets_max >= HTTP_CACHE_OCTETS_MIN);
    /* Sets are bounded as at the beginning; there are fewer than entries would take octets. */
    ours->octets_max = options->octets_max;
    ours->object_max = options->object_max;
    ours->file_octets_max = options->file_octets_max;
    ours->file_object_max = options->file_object_max;
    memcpy(ours->name, options->name, sizeof ours->name);
    if (ours->octets_max == 0)
        (void)http_cache_purge_prefix(cache, bytes_empty());
    (void)http_cache_file_room(cache, NULL);
    (void)http_cache_make_room(cache);
}

/* ---- what may not wait ---- */

void http_cache_note_pass(struct http_cache *cache, uint32_t hash)
{
    cache->passes[hash % PASS_SLOTS] =
        (struct pass_slot){hash, cache->now + PASS_TIME_SEC * USEC_PER_SEC};
}

bool http_cache_passes(const struct http_cache *cache, uint32_t hash)
{
    const struct pass_slot *slot = &cache->passes[hash % PASS_SLOTS];
    return slot->hash == hash && slot->until > cache->now;
}

/* ---- invalidation (§4.4) and purging ---- */

static size_t forget_set(struct http_cache *cache, struct http_cache_set *set)
{
    size_t count = 0;
    /* What was asked for before may be what it was before. */
    for (struct list_node *node = set->fills.next; node != &set->fills; node = node->next) {
        struct http_cache_fill *fill = CONTAINER_OF(node, struct http_cache_fill, in_set);
        fill->may_store = false;
        fill->collapsible = false;
    }
    size_t left = set->count;
    struct list_node *node = set->entries.next;
    while (left-- > 0) {
        struct http_cache_entry *entry = CONTAINER_OF(node, struct http_cache_entry, in_set);
        node = node->next;
        http_cache_entry_unlink(cache, entry); /* with the last one the set goes too */
        count++;
    }
    return count;
}

void http_cache_invalidate(struct http_cache *cache, struct bytes uri)
{
    uint32_t hash;
    struct http_cache_set *set = http_cache_find_set(cache, uri, &hash);
    http_cache_load_forget(cache, uri);
    if (set != NULL)
        cache->counters.invalidated += forget_set(cache, set);
}

size_t http_cache_purge(struct http_cache *cache, struct bytes uri)
{
    uint32_t hash;
    struct http_cache_set *set = http_cache_find_set(cache, uri, &hash);
    http_cache_load_forget(cache, uri);
    size_t count = set != NULL ? forget_set(cache, set) : 0;
    cache->counters.purged += count;
    return count;
}

/* Unlinks every entry of which `is_meant` says so. */
static size_t purge_all(struct http_cache *cache, struct bytes what,
                        bool (*is_meant)(const struct http_cache_entry *, struct bytes))
{
    size_t count = 0;
    struct list_node *node = cache->sieve.ring.next;
    while (node != &cache->sieve.ring) {
        struct http_cache_entry *entry = CONTAINER_OF(node, struct http_cache_entry, place.node);
        node = node->next;
        if (!is_meant(entry, what))
            continue;
        http_cache_entry_unlink(cache, entry);
        count++;
    }
    node = cache->file_sieve.ring.next;
    while (node != &cache->file_sieve.ring) {
        struct http_cache_entry *entry =
            CONTAINER_OF(node, struct http_cache_file, place.node)->entry;
        node = node->next;
        if (!is_meant(entry, what))
            continue;
        http_cache_entry_unlink(cache, entry);
        count++;
    }
    cache->counters.purged += count;
    return count;
}

static bool has_prefix(const struct http_cache_entry *entry, struct bytes prefix)
{
    struct bytes uri = bytes_of(entry->set->uri, entry->set->uri_len);
    return bytes_equal(bytes_first(uri, prefix.len), prefix);
}

size_t http_cache_purge_prefix(struct http_cache *cache, struct bytes prefix)
{
    http_cache_load_purge(cache, prefix, false);
    return purge_all(cache, prefix, has_prefix);
}

/* Cache-Tag separates by commas, Surrogate-Key by spaces. */
bool http_cache_has_tag(struct bytes head, struct bytes tag)
{
    struct http_fields fields;
    http_cache_read_lines(head, &fields);
    for (size_t i = 0; i < fields.count; i++) {
        bool keys = bytes_equal_nocase(fields.list[i].name, bytes_of_text("Surrogate-Key"));
        if (!keys && !bytes_equal_nocase(fields.list[i].name, bytes_of_text("Cache-Tag")))
            continue;
        struct bytes rest = fields.list[i].value;
        while (rest.len > 0) {
            size_t end = bytes_find(rest, keys ? ' ' : ',');
            if (bytes_equal(http_trim(bytes_first(rest, end)), tag))
                return true;
            rest = bytes_after(rest, end + 1);
        }
    }
    return false;
}

static bool has_tag(const struct http_cache_entry *entry, struct bytes tag)
{
    return http_cache_has_tag(bytes_of(entry->head, entry->head_len), tag);
}

size_t http_cache_purge_tag(struct http_cache *cache, struct bytes tag)
{
    if (tag.len == 0)
        return 0;
    http_cache_load_purge(cache, tag, true);
    return purge_all(cache, tag, has_tag);
}

/* ---- who is to be told ---- */

void http_cache_wake(struct http_cache *cache, struct http_cache_ask *ask)
{
    if (!list_linked(&ask->ready))
        list_append(&cache->ready, &ask->ready);
}

struct http_cache_ask *http_cache_next_ask(struct http_cache *cache)
{
    struct list_node *node = list_first(&cache->ready);
    if (node == NULL)
        return NULL;
    list_remove(node);
    return CONTAINER_OF(node, struct http_cache_ask, ready);
}

void http_cache_attend(struct http_cache_fill *fill, enum http_cache_fill_state state)
{
    if (list_linked(&fill->attention) && fill->state == HTTP_CACHE_FILL_UNUSED)
        return;
    fill->state = state;
    if (!list_linked(&fill->attention))
        list_append(&fill->cache->attention, &fill->attention);
}

struct http_cache_fill *http_cache_next_fill(struct http_cache *cache,
                                             enum http_cache_fill_state *state)
{
    struct list_node *node = list_first(&cache->attention);
    if (node == NULL)
        return NULL;
    list_remove(node);
    struct http_cache_fill *fill = CONTAINER_OF(node, struct http_cache_fill, attention);
    *state = fill->state;
    return fill;
}

void http_cache_counters(const struct http_cache *cache, struct http_cache_counters *out)
{
    *out = cache->counters;
}
