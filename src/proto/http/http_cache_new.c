/* SPDX-License-Identifier: ISC */
/*
 * http_cache_new.c - a new response: it is stored (RFC 9111 §3) or only passes through; parts are put
 * together (§3.3, §3.4).
 */
#include "proto/http/http_cache_internal.h"

#include "wire/http/uri_reference.h"

/* ---- a new response ---- */

/* "bytes 0-99/1000", one part, its length known (RFC 9110 §14.4). */
static bool content_range(const struct http_fields *fields, uint64_t *first, uint64_t *end,
                          uint64_t *total)
{
    struct bytes value;
    uint64_t last;
    static const char unit[] = "bytes ";
    if (!http_field_find(fields, "Content-Range", &value) ||
        !bytes_equal_nocase(bytes_first(value, sizeof unit - 1), bytes_of_text(unit)))
        return false;
    value = bytes_after(value, sizeof unit - 1);
    size_t dash = bytes_find(value, '-'), slash = bytes_find(value, '/');
    if (dash >= slash || !http_number(bytes_first(value, dash), INT64_MAX, first) ||
        !http_number(bytes_of(value.data + dash + 1, slash - dash - 1), INT64_MAX, &last) ||
        !http_number(bytes_after(value, slash + 1), INT64_MAX, total))
        return false;
    *end = last + 1;
    return *first <= last && last < *total;
}

/* Is it worth a place? Without freshness and without a validator it could never be used again. */
static bool is_of_use(const struct http_cache_facts *facts, const struct http_fields *fields)
{
    struct bytes value;
    return facts->lifetime > 0 || facts->modified != HTTP_NO_DATE ||
           http_field_find(fields, "ETag", &value) ||
           http_cc_has(&facts->cc, HTTP_CC_STALE_WHILE_REVALIDATE) ||
           http_cc_has(&facts->cc, HTTP_CC_STALE_IF_ERROR);
}

/* A POST's response answers a later GET when it says that it is the target's (RFC 9110 §9.3.3). */
static bool post_is_for_get(const struct saved_request *saved, const struct http_fields *fields)
{
    struct bytes value;
    uint8_t uri[URI_MAX];
    struct writer w = writer_of(uri, sizeof uri);
    return bytes_equal(saved->method, bytes_of_text("POST")) &&
           http_field_find(fields, "Content-Location", &value) &&
           uri_resolve(saved->uri, value, false, &w) && bytes_equal(writer_bytes(&w), saved->uri);
}

static bool may_store(struct http_cache_fill *fill, const struct saved_request *saved,
                      const struct http_cache_response *response,
                      const struct http_cache_facts *facts)
{
    const struct http_cache_options *options = &fill->cache->options;
    uint64_t first, end, total;
    uint64_t max = options->file_octets_max > 0 && options->file_object_max > options->object_max
                       ? options->file_object_max
                       : options->object_max;
    if (!fill->may_store || options->octets_max == 0 ||
        (response->length != HTTP_CACHE_LENGTH_UNKNOWN && response->length > max))
        return false;
    if (post_is_for_get(saved, response->fields))
        return http_cache_may_store_post(&options->rules, &fill->wishes, facts);
    if (!bytes_equal(saved->method, bytes_of_text("GET")) ||
        !is_of_use(facts, response->fields) ||
        !http_cache_may_store(&options->rules, &fill->wishes, facts))
        return false;
    /* A part that is not as long as it says could lie anywhere. */
    return facts->status != 206 ||
           (content_range(response->fields, &first, &end, &total) && total <= options->object_max &&
            (response->length == HTTP_CACHE_LENGTH_UNKNOWN || response->length == end - first));
}

/* The names of Vary and what the request says in them. False: no request will match. */
static bool note_vary(struct http_cache *cache, struct http_cache_entry *entry,
                      const struct http_fields *response, const struct http_fields *request)
{
    uint8_t buffer[HTTP_VARY_NAMES_MAX + HTTP_VARY_KEY_MAX];
    struct writer names = writer_of(buffer, HTTP_VARY_NAMES_MAX);
    if (!http_vary_names(response, &names))
        return false;
    struct writer key = writer_of(names.next, HTTP_VARY_KEY_MAX);
    if (!http_vary_key(writer_bytes(&names), request, &key))
        return false;
    size_t len = writer_len(&names) + writer_len(&key);
    if (len == 0)
        return true;
    const struct heap *heap = &cache->options.heap;
    entry->vary = heap->resize(heap->self, NULL, 0, len);
    if (entry->vary == NULL)
        return false;
    memcpy(entry->vary, buffer, len);
    entry->names_len = (uint16_t)writer_len(&names);
    entry->key_len = (uint16_t)writer_len(&key);
    return true;
}

/* A new response takes the place of those that the same request would have got. One with a longer
 * list in Vary makes those without it stand for requests that were never compared: they go too. */
static void replace(struct http_cache *cache, struct http_cache_set *set,
                    const struct http_cache_entry *entry, const struct http_fields *request)
{
    size_t left = set->count;
    struct list_node *node = set->entries.next;
    while (left-- > 0) {
        struct http_cache_entry *old = CONTAINER_OF(node, struct http_cache_entry, in_set);
        node = node->next;
        if (old != entry && http_cache_matches(old, request))
            http_cache_entry_unlink(cache, old);
    }
}

/* Parts of one representation lie in one entry (§3.4): the strong tag says that they are. */
static struct http_cache_entry *entry_to_join(const struct http_cache_fill *fill,
                                              const struct saved_request *saved,
                                              const struct http_fields *fields, uint64_t total)
{
    struct bytes tag;
    if (fill->set == NULL || !http_field_find(fields, "ETag", &tag) || !http_cache_is_strong(tag))
        return NULL;
    for (struct list_node *node = fill->set->entries.next; node != &fill->set->entries;
         node = node->next) {
        struct http_cache_entry *entry = CONTAINER_OF(node, struct http_cache_entry, in_set);
        if (entry->fill == NULL && entry->total == total && entry->facts.status == 200 &&
            entry->confined == fill->confined &&
            bytes_equal(http_cache_stored(entry, "ETag"), tag) &&
            http_cache_matches(entry, &saved->fields))
            return entry;
    }
    return NULL;
}

static void write_to(struct http_cache_fill *fill, struct http_cache_entry *entry)
{
    http_cache_fill_set_entry(fill, entry);
    entry->fill = fill;
    fill->headed = true;
    fill->keep = entry->set != NULL;
    if (entry->total != HTTP_CACHE_LENGTH_UNKNOWN && entry->total > fill->cache->options.object_max)
        (void)http_cache_grow(fill->cache, entry);
}

/* The leader of a part gets that part, as it was asked for and sent. */
static void give_part(struct http_cache_fill *fill, struct http_cache_entry *entry,
                      struct http_cache_time time)
{
    struct http_cache_ask *ask = fill->leader;
    if (ask == NULL)
        return;
    bool partial = entry->partial;
    entry->partial = false;
    http_cache_give(fill, ask, entry, false, time);
    entry->partial = partial;
    if (ask->verdict != HTTP_CACHE_ANSWER)
        return;
    ask->status = 206;
    ask->ranged = true;
    ask->first = ask->at = fill->at;
    ask->end = fill->end;
}

static enum http_cache_step join_part(struct http_cache_fill *fill,
                                      struct http_cache_entry *entry,
                                      const struct http_cache_response *response,
                                      struct http_cache_time time)
{
    http_cache_entry_hold(entry);
    if (!http_cache_update_head(fill->cache, entry, response->fields, fill->request_at, time))
        fill->cache->counters.no_memory++;
    write_to(fill, entry);
    if (fill->leader != NULL)
        fill->leader->stored = true;
    give_part(fill, entry, time);
    http_cache_give_waiters(fill, NULL, false, time);
    return HTTP_CACHE_TAKE;
}

/* What of the response is to be found again: where its octets lie. */
static void place_octets(struct http_cache_fill *fill, struct http_cache_entry *entry,
                         const struct http_cache_response *response, bool store)
{
    uint64_t first, end, total;
    entry->total = response->length;
    fill->at = 0;
    fill->end = response->length;
    if (!store || response->status != 206 ||
        !content_range(response->fields, &first, &end, &total))
        return;
    entry->facts.status = 200;
    entry->partial = true;
    entry->of_parts = true;
    entry->total = total;
    fill->at = first;
    fill->end = end;
}

static struct http_cache_set *set_for(struct http_cache_fill *fill,
                                      const struct saved_request *saved)
{
    return fill->set != NULL ? fill->set : http_cache_make_set(fill->cache, saved->uri);
}

static struct http_cache_entry *make_entry(struct http_cache_fill *fill,
                                           const struct saved_request *saved,
                                           const struct http_cache_response *response,
                                           const struct http_cache_facts *facts, bool *store)
{
    struct http_cache *cache = fill->cache;
    struct http_cache_entry *entry = http_cache_entry_new(cache);
    if (entry == NULL)
        return NULL;
    entry->facts = *facts;
    entry->confined = fill->confined;
    *store = *store && note_vary(cache, entry, response->fields, &saved->fields);
    place_octets(fill, entry, response, *store);
    if (!http_cache_store_head(cache, entry, response->fields, fill->leader)) {
        cache->counters.no_memory++;
        http_cache_entry_release(cache, entry);
        return NULL;
    }
    struct http_cache_set *set = *store ? set_for(fill, saved) : NULL;
    if (set != NULL) {
        replace(cache, set, entry, &saved->fields);
        set = set_for(fill, saved); /* the last old entry may have taken it along */
    }
    *store = set != NULL && http_cache_entry_insert(cache, set, entry);
    if (!*store)
        (void)http_cache_account(cache, entry);
    return entry;
}

enum http_cache_step http_cache_new_response(struct http_cache_fill *fill,
                                         const struct http_cache_response *response,
                                         const struct saved_request *saved,
                                         struct http_cache_time time)
{
    struct http_cache *cache = fill->cache;
    struct http_cache_facts facts;
    uint64_t first, end, total;
    http_cache_facts(&cache->options.rules, response->status, response->fields, fill->request_at,
                     time, &facts);
    bool store = may_store(fill, saved, response, &facts);
    if (store && response->status == 206 && content_range(response->fields, &first, &end, &total)) {
        struct http_cache_entry *entry = entry_to_join(fill, saved, response->fields, total);
        fill->at = first;
        fill->end = end;
        if (entry != NULL)
            return join_part(fill, entry, response, time);
    }
    /* A stored response that the origin has taken back must not stand in for it later. */
    if (!store && fill->mode == FILL_VALIDATE && response->status < 500)
        http_cache_entry_unlink(cache, fill->entry);
    struct http_cache_entry *entry = make_entry(fill, saved, response, &facts, &store);
    if (entry == NULL) {
        fill->headed = true;
        fill->dropping = true;
        if (fill->leader != NULL) {
            fill->leader->verdict = HTTP_CACHE_REFUSED;
            http_cache_wake(cache, fill->leader);
        }
        http_cache_refuse_waiters(fill);
        return HTTP_CACHE_DROP;
    }
    cache->counters.stored += store;
    write_to(fill, entry);
    if (!store && fill->set != NULL && fill->collapsible)
        http_cache_note_pass(cache, fill->set->hash);
    if (fill->leader != NULL)
        fill->leader->stored = store;
    if (entry->partial)
        give_part(fill, entry, time);
    else
        http_cache_give_leader(fill, entry, fill->mode != FILL_PLAIN, time);
    http_cache_give_waiters(fill, store && !entry->partial ? entry : NULL, false, time);
    if (!store && fill->leader == NULL)
        http_cache_attend(fill, HTTP_CACHE_FILL_UNUSED);
    return HTTP_CACHE_TAKE;
}

/* The rest of a partial entry has come, as was asked for (§3.3): it is whole from now on. */
bool http_cache_completes(const struct http_cache_fill *fill,
                      const struct http_cache_response *response)
{
    uint64_t first, end, total;
    struct bytes tag;
    return response->status == 206 &&
           content_range(response->fields, &first, &end, &total) &&
           first == http_body_end(&fill->entry->body, 0) && end == total &&
           total == fill->entry->total && http_field_find(response->fields, "ETag", &tag) &&
           bytes_equal(tag, http_cache_stored(fill->entry, "ETag")) && fill->entry->fill == NULL;
}

enum http_cache_step http_cache_complete(struct http_cache_fill *fill,
                                     const struct http_cache_response *response,
                                     struct http_cache_time time)
{
    struct http_cache_entry *entry = fill->entry;
    if (!http_cache_update_head(fill->cache, entry, response->fields, fill->request_at, time))
        fill->cache->counters.no_memory++;
    fill->at = http_body_end(&entry->body, 0);
    fill->end = entry->total;
    entry->confined |= fill->confined;
    entry->partial = false;
    entry->fill = fill;
    fill->headed = true;
    fill->keep = entry->set != NULL;
    if (fill->leader != NULL)
        fill->leader->stored = fill->keep;
    http_cache_give_leader(fill, entry, true, time);
    http_cache_give_waiters(fill, fill->keep ? entry : NULL, false, time);
    return HTTP_CACHE_TAKE;
}
