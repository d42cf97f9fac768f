/* SPDX-License-Identifier: ISC */
/*
 * http_cache_fill.c - what the origin says, and what becomes of it: a stored response that is fresh
 * again (RFC 9111 §4.3.4), a new one that is stored (§3) or only passes through, parts that are put
 * together (§3.4), what is to be forgotten (§4.4); and whom it answers.
 */
#include "proto/http/http_cache_internal.h"

#include "wire/http/http_date.h"
#include "wire/http/uri_reference.h"

/* ---- the request ---- */

static bool is_strong(struct bytes etag)
{
    return etag.len >= 2 && etag.data[0] == '"';
}

/* Conditions and ranges of the client's give way to ours. */
static bool gives_way(struct bytes name)
{
    static const char *const names[] = {"If-None-Match", "If-Modified-Since", "If-Range", "Range"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (bytes_equal_nocase(name, bytes_of_text(names[i])))
            return true;
    return false;
}

static void add(struct http_fields *fields, const char *name, struct bytes value)
{
    if (value.len > 0 && fields->count < HTTP_FIELDS_MAX)
        fields->list[fields->count++] = (struct http_field){bytes_of_text(name), value};
}

/* What was written behind `from`; nothing if it did not fit. */
static struct bytes since(const struct writer *w, const uint8_t *from)
{
    return w->failed ? bytes_empty() : bytes_of(from, (size_t)(w->next - from));
}

/* The entity tags of all variants, each once (§4.3.1). */
static struct bytes write_tags(const struct http_cache_set *set, struct writer *w)
{
    const uint8_t *from = w->next;
    size_t count = 0;
    for (struct list_node *node = set->entries.next;
         node != &set->entries && count < HTTP_CACHE_TAGS_MAX; node = node->next) {
        const struct http_cache_entry *entry =
            CONTAINER_OF(node, struct http_cache_entry, in_set);
        struct bytes tag = http_cache_stored(entry, "ETag");
        if (tag.len == 0 || entry->partial || entry->fill != NULL || writer_room(w) < tag.len + 2)
            continue;
        if (count++ > 0)
            http_write_text(w, ", ");
        write_bytes(w, tag);
    }
    return since(w, from);
}

/* The rest of what is there, if it is still the same (RFC 9110 §13.1.5). */
static void add_range(const struct http_cache_fill *fill, struct writer *w,
                      struct http_fields *fields)
{
    const uint8_t *from = w->next;
    http_write_text(w, "bytes=");
    http_write_number(w, http_body_end(&fill->entry->body, 0));
    http_write_text(w, "-");
    add(fields, "Range", since(w, from));
    add(fields, "If-Range", http_cache_stored(fill->entry, "ETag"));
}

void http_cache_fill_request(const struct http_cache_fill *fill, struct writer *scratch,
                             struct http_cache_forward *out)
{
    struct saved_request saved;
    http_cache_restore(fill->saved, fill->saved_len, &saved);
    out->method = saved.method;
    out->uri = saved.uri;
    out->target = saved.target;
    out->fields.count = 0;
    for (size_t i = 0; i < saved.fields.count; i++)
        if (fill->mode == FILL_PLAIN || !gives_way(saved.fields.list[i].name))
            out->fields.list[out->fields.count++] = saved.fields.list[i];
    switch (fill->mode) {
    case FILL_PLAIN:
        break;
    case FILL_VALIDATE:
        add(&out->fields, "If-None-Match", http_cache_stored(fill->entry, "ETag"));
        add(&out->fields, "If-Modified-Since", http_cache_stored(fill->entry, "Last-Modified"));
        break;
    case FILL_CHOOSE:
        add(&out->fields, "If-None-Match", write_tags(fill->set, scratch));
        break;
    case FILL_COMPLETE:
        add_range(fill, scratch, &out->fields);
        break;
    }
}

void http_cache_fill_sent(struct http_cache_fill *fill, usec now)
{
    fill->request_at = now;
}

void http_cache_fill_set_owner(struct http_cache_fill *fill, void *owner)
{
    fill->owner = owner;
}

void *http_cache_fill_owner(const struct http_cache_fill *fill)
{
    return fill->owner;
}

/* ---- whom it answers ---- */

/* The ask gets the entry, as far as it has what is asked for; otherwise it goes its own way. */
static void give(struct http_cache_fill *fill, struct http_cache_ask *ask,
                 struct http_cache_entry *entry, bool evaluate, struct http_cache_time time)
{
    struct saved_request saved;
    const uint8_t *block = ask->saved != NULL ? ask->saved : fill->saved;
    size_t len = ask->saved != NULL ? ask->saved_len : fill->saved_len;
    http_cache_restore(block, len, &saved);
    struct http_cache_request request = {saved.method, saved.uri, saved.target, &saved.fields, false};
    if (!http_cache_answer(ask, entry, &request, evaluate, time))
        ask->verdict = HTTP_CACHE_REFUSED;
    http_cache_wake(fill->cache, ask);
}

static void give_leader(struct http_cache_fill *fill, struct http_cache_entry *entry,
                        bool evaluate, struct http_cache_time time)
{
    if (fill->leader != NULL)
        give(fill, fill->leader, entry, evaluate, time);
}

static struct http_cache_ask *next_waiter(struct http_cache_fill *fill)
{
    struct list_node *node = list_first(&fill->waiters);
    if (node == NULL)
        return NULL;
    list_remove(node);
    fill->waiter_count--;
    return CONTAINER_OF(node, struct http_cache_ask, node);
}

/* Waiters whose request the stored entry matches have it, whatever it would ask of the next one: it
 * came while they waited. */
static void give_waiters(struct http_cache_fill *fill, struct http_cache_entry *entry,
                         bool validated, struct http_cache_time time)
{
    struct list_node others;
    struct http_cache_ask *ask;
    list_init(&others);
    while ((ask = next_waiter(fill)) != NULL) {
        struct saved_request saved;
        ask->fill = NULL;
        http_cache_restore(ask->saved, ask->saved_len, &saved);
        if (entry != NULL && http_cache_matches(entry, &saved.fields)) {
            ask->validated = validated;
            give(fill, ask, entry, true, time);
            if (ask->verdict == HTTP_CACHE_ANSWER)
                continue;
        }
        list_append(&others, &ask->node);
    }
    /* The first of the others asks anew, and the rest may wait for that. */
    struct list_node *node;
    while ((node = list_first(&others)) != NULL) {
        list_remove(node);
        http_cache_ask_again(CONTAINER_OF(node, struct http_cache_ask, node), false, time);
    }
}

static void refuse_waiters(struct http_cache_fill *fill)
{
    struct http_cache_ask *ask;
    while ((ask = next_waiter(fill)) != NULL) {
        ask->fill = NULL;
        ask->verdict = HTTP_CACHE_REFUSED;
        http_cache_wake(fill->cache, ask);
    }
}

/* ---- the end ---- */

static void let_go(struct http_cache_fill *fill)
{
    struct http_cache *cache = fill->cache;
    ASSERT(list_empty(&fill->waiters));
    cache->behind_count -= fill->behind;
    if (fill->leader != NULL)
        fill->leader->fill = NULL;
    list_remove(&fill->attention);
    list_remove(&fill->in_set);
    if (fill->set != NULL)
        http_cache_tidy_set(cache, fill->set);
    if (fill->entry != NULL) {
        if (fill->entry->fill == fill)
            fill->entry->fill = NULL;
        http_cache_entry_release(cache, fill->entry);
    }
    heap_release(&cache->options.heap, fill->saved, fill->saved_len);
    heap_release(&cache->options.heap, fill, sizeof *fill);
}

/* Which entry the fill holds: the one asked about, then the one written. */
static void set_entry(struct http_cache_fill *fill, struct http_cache_entry *entry)
{
    if (fill->entry != NULL)
        http_cache_entry_release(fill->cache, fill->entry);
    fill->entry = entry;
}

/* ---- a stored response is fresh again ---- */

/* Is the 304 about that entry (§4.3.4)? A strong tag must be the same; a weak one, or a date, may be. */
static bool is_about(const struct http_cache_entry *entry, const struct http_fields *fields,
                     int64_t wall)
{
    struct bytes tag = http_cache_stored(entry, "ETag"), value;
    int64_t date;
    if (http_field_find(fields, "ETag", &value)) {
        if (is_strong(value))
            return bytes_equal(value, tag);
        struct bytes opaque = is_strong(tag) ? tag : bytes_after(tag, 2);
        return tag.len > 0 && bytes_equal(bytes_after(value, 2), opaque);
    }
    if (http_field_find(fields, "Last-Modified", &value))
        return http_date_parse(value, wall, &date) && date == entry->facts.modified;
    return true;
}

static struct http_cache_entry *validated_entry(const struct http_cache_fill *fill,
                                                const struct http_fields *fields, int64_t wall)
{
    struct bytes tag;
    if (fill->mode == FILL_VALIDATE)
        return is_about(fill->entry, fields, wall) ? fill->entry : NULL;
    if (!http_field_find(fields, "ETag", &tag))
        return NULL;
    for (struct list_node *node = fill->set->entries.next; node != &fill->set->entries;
         node = node->next) {
        struct http_cache_entry *entry = CONTAINER_OF(node, struct http_cache_entry, in_set);
        if (!entry->partial && entry->fill == NULL && is_about(entry, fields, wall))
            return entry;
    }
    return NULL;
}

static enum http_cache_step again(struct http_cache_fill *fill)
{
    fill->mode = FILL_PLAIN;
    set_entry(fill, NULL);
    return HTTP_CACHE_AGAIN;
}

static enum http_cache_step not_modified(struct http_cache_fill *fill,
                                         const struct http_cache_response *response,
                                         struct http_cache_time time)
{
    struct http_cache *cache = fill->cache;
    struct http_cache_entry *entry = validated_entry(fill, response->fields, time.wall);
    if (entry == NULL)
        return again(fill);
    http_cache_entry_hold(entry);
    set_entry(fill, entry);
    if (!http_cache_update_head(cache, entry, response->fields, fill->request_at, time))
        cache->counters.no_memory++;
    if (!http_cache_account(cache, entry))
        http_cache_entry_unlink(cache, entry);
    cache->counters.revalidated++;
    fill->headed = true;
    fill->dropping = true;
    if (fill->leader != NULL)
        fill->leader->validated = true;
    give_leader(fill, entry, true, time);
    /* One that was invalidated meanwhile is good for who asked before that, and for nobody else. */
    bool matches = entry->set != NULL && fill->mode == FILL_VALIDATE;
    give_waiters(fill, matches ? entry : NULL, true, time);
    return HTTP_CACHE_DROP;
}

/* ---- what a HEAD says of what is stored (§4.3.5) ---- */

static bool head_agrees(const struct http_cache_entry *entry, const struct http_fields *fields,
                        int64_t wall)
{
    struct bytes value;
    uint64_t length;
    if (!is_about(entry, fields, wall))
        return false;
    if (http_field_find(fields, "Content-Length", &value))
        return http_number(value, INT64_MAX, &length) && length == entry->total;
    return true;
}

static void head_says(struct http_cache_fill *fill, const struct http_cache_response *response,
                      struct http_cache_time time)
{
    struct http_cache *cache = fill->cache;
    struct saved_request saved;
    uint32_t hash;
    http_cache_restore(fill->saved, fill->saved_len, &saved);
    struct http_cache_set *set = http_cache_find_set(cache, saved.uri, &hash);
    struct list_node *node = set != NULL ? set->entries.next : NULL;
    size_t left = set != NULL ? set->count : 0;
    while (left-- > 0) {
        struct http_cache_entry *entry = CONTAINER_OF(node, struct http_cache_entry, in_set);
        node = node->next;
        if (entry->fill != NULL || !http_cache_matches(entry, &saved.fields))
            continue;
        if (!head_agrees(entry, response->fields, time.wall)) {
            entry->facts.lifetime = 0; /* stale, and no matter what it said */
            entry->facts.cc.present &= ~(UINT32_C(1) << HTTP_CC_STALE_WHILE_REVALIDATE |
                                         UINT32_C(1) << HTTP_CC_STALE_IF_ERROR);
        } else if (http_cache_update_head(cache, entry, response->fields, fill->request_at, time)) {
            http_cache_entry_hold(entry); /* making room must not take it from under us */
            if (!http_cache_account(cache, entry))
                http_cache_entry_unlink(cache, entry);
            http_cache_entry_release(cache, entry);
        }
    }
}

/* ---- invalidation (§4.4) ---- */

static bool is_safe(struct bytes method)
{
    static const char *const safe[] = {"GET", "HEAD", "OPTIONS", "TRACE"};
    for (size_t i = 0; i < ARRAY_LEN(safe); i++)
        if (bytes_equal(method, bytes_of_text(safe[i])))
            return true;
    return false;
}

static void invalidate_named(struct http_cache *cache, struct bytes target,
                             const struct http_fields *fields, const char *name)
{
    struct bytes value;
    uint8_t uri[URI_MAX];
    struct writer w = writer_of(uri, sizeof uri);
    if (http_field_find(fields, name, &value) && uri_resolve(target, value, false, &w) &&
        uri_same_origin(target, writer_bytes(&w)))
        http_cache_invalidate(cache, writer_bytes(&w));
}

static void invalidate(struct http_cache_fill *fill, const struct http_cache_response *response)
{
    struct saved_request saved;
    http_cache_restore(fill->saved, fill->saved_len, &saved);
    if (is_safe(saved.method) || response->status < 200 || response->status >= 400)
        return;
    http_cache_invalidate(fill->cache, saved.uri);
    invalidate_named(fill->cache, saved.uri, response->fields, "Location");
    invalidate_named(fill->cache, saved.uri, response->fields, "Content-Location");
}

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
    if (!fill->may_store || options->octets_max == 0 ||
        (response->length != HTTP_CACHE_LENGTH_UNKNOWN && response->length > options->object_max))
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
    if (fill->set == NULL || !http_field_find(fields, "ETag", &tag) || !is_strong(tag))
        return NULL;
    for (struct list_node *node = fill->set->entries.next; node != &fill->set->entries;
         node = node->next) {
        struct http_cache_entry *entry = CONTAINER_OF(node, struct http_cache_entry, in_set);
        if (entry->fill == NULL && entry->total == total && entry->facts.status == 200 &&
            bytes_equal(http_cache_stored(entry, "ETag"), tag) &&
            http_cache_matches(entry, &saved->fields))
            return entry;
    }
    return NULL;
}

static void write_to(struct http_cache_fill *fill, struct http_cache_entry *entry)
{
    set_entry(fill, entry);
    entry->fill = fill;
    fill->headed = true;
    fill->keep = entry->set != NULL;
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
    give(fill, ask, entry, false, time);
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
    give_waiters(fill, NULL, false, time);
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

static enum http_cache_step new_response(struct http_cache_fill *fill,
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
        refuse_waiters(fill);
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
        give_leader(fill, entry, fill->mode != FILL_PLAIN, time);
    give_waiters(fill, store && !entry->partial ? entry : NULL, false, time);
    if (!store && fill->leader == NULL)
        http_cache_attend(fill, HTTP_CACHE_FILL_UNUSED);
    return HTTP_CACHE_TAKE;
}

/* The rest of a partial entry has come, as was asked for (§3.3): it is whole from now on. */
static bool completes(const struct http_cache_fill *fill,
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

static enum http_cache_step complete(struct http_cache_fill *fill,
                                     const struct http_cache_response *response,
                                     struct http_cache_time time)
{
    struct http_cache_entry *entry = fill->entry;
    if (!http_cache_update_head(fill->cache, entry, response->fields, fill->request_at, time))
        fill->cache->counters.no_memory++;
    fill->at = http_body_end(&entry->body, 0);
    fill->end = entry->total;
    entry->partial = false;
    entry->fill = fill;
    fill->headed = true;
    fill->keep = entry->set != NULL;
    if (fill->leader != NULL)
        fill->leader->stored = fill->keep;
    give_leader(fill, entry, true, time);
    give_waiters(fill, fill->keep ? entry : NULL, false, time);
    return HTTP_CACHE_TAKE;
}

/* ---- errors ---- */

static bool is_error(unsigned status)
{
    return status == 500 || status == 502 || status == 503 || status == 504;
}

/* What is stored stands in for an origin that fails (§4.2.4, RFC 5861 §4). */
static bool stand_in(struct http_cache_fill *fill, bool unreachable, struct http_cache_time time)
{
    struct http_cache *cache = fill->cache;
    struct http_cache_entry *entry = fill->entry;
    if (fill->mode != FILL_VALIDATE || entry == NULL ||
        !http_cache_use_after_error(&cache->options.rules, &entry->facts, &fill->wishes,
                                    unreachable, time.now))
        return false;
    fill->headed = true;
    fill->dropping = true;
    cache->counters.stale_hits++;
    give_leader(fill, entry, true, time);
    struct http_cache_ask *ask;
    while ((ask = next_waiter(fill)) != NULL) {
        ask->fill = NULL;
        if (http_cache_use_after_error(&cache->options.rules, &entry->facts, &ask->wishes,
                                       unreachable, time.now)) {
            give(fill, ask, entry, true, time);
        } else {
            ask->verdict = HTTP_CACHE_REFUSED;
            http_cache_wake(cache, ask);
        }
    }
    return true;
}

enum http_cache_step http_cache_fill_head(struct http_cache_fill *fill,
                                          const struct http_cache_response *response,
                                          struct http_cache_time time)
{
    struct saved_request saved;
    ASSERT(!fill->headed && response->status >= 200);
    fill->cache->now = time.now;
    if (fill->leader != NULL)
        fill->leader->fwd_status = response->status;
    if (response->status == 304 && (fill->mode == FILL_VALIDATE || fill->mode == FILL_CHOOSE))
        return not_modified(fill, response, time);
    if (is_error(response->status) && stand_in(fill, false, time))
        return HTTP_CACHE_DROP;
    if (fill->mode == FILL_COMPLETE && completes(fill, response))
        return complete(fill, response, time);
    if (fill->mode == FILL_COMPLETE && (response->status == 206 || response->status == 416))
        return again(fill);
    invalidate(fill, response);
    http_cache_restore(fill->saved, fill->saved_len, &saved);
    if (response->status == 200 && bytes_equal(saved.method, bytes_of_text("HEAD")) &&
        !http_cc_has(&fill->wishes.cc, HTTP_CC_NO_STORE))
        head_says(fill, response, time);
    return new_response(fill, response, &saved, time);
}

/* ---- octets ---- */

static void give_up_storing(struct http_cache_fill *fill)
{
    http_cache_entry_unlink(fill->cache, fill->entry);
    fill->keep = false;
}

/* How much may come now: of what is kept all, of what passes through what fits the window. */
static size_t room(const struct http_cache_fill *fill)
{
    size_t readers;
    if (fill->keep)
        return SIZE_MAX;
    uint64_t lowest = http_cache_lowest(fill->entry, &readers);
    if (readers == 0)
        return SIZE_MAX; /* nobody reads: it is thrown away */
    uint64_t waiting = fill->at > lowest ? fill->at - lowest : 0;
    return waiting < HTTP_CACHE_WINDOW ? (size_t)(HTTP_CACHE_WINDOW - waiting) : 0;
}

size_t http_cache_fill_room(struct http_cache_fill *fill)
{
    ASSERT(fill->headed);
    if (fill->dropping || fill->entry->broken)
        return SIZE_MAX;
    size_t octets = room(fill);
    fill->stalled = octets == 0;
    return octets;
}

size_t http_cache_fill_body(struct http_cache_fill *fill, struct bytes in)
{
    struct http_cache *cache = fill->cache;
    struct http_cache_entry *entry = fill->entry;
    ASSERT(fill->headed);
    if (fill->dropping || entry->broken)
        return in.len;
    struct bytes piece = bytes_first(in, room(fill));
    fill->stalled = piece.len < in.len;
    if (!fill->keep && list_empty(&entry->readers))
        return in.len;
    /* More than announced cannot be: HTTP's framing has seen to that; of a part it can. */
    if (fill->end != HTTP_CACHE_LENGTH_UNKNOWN && piece.len > fill->end - fill->at)
        piece = bytes_first(piece, (size_t)(fill->end - fill->at));
    uint64_t hint = fill->end != HTTP_CACHE_LENGTH_UNKNOWN ? fill->end - fill->at : 0;
    if (!http_body_write(&entry->body, fill->at, piece, hint)) {
        cache->counters.no_memory++;
        entry->broken = true;
    }
    fill->at += piece.len;
    if ((entry->broken || !http_cache_account(cache, entry)) && fill->keep)
        give_up_storing(fill);
    http_cache_wake_readers(cache, entry);
    return fill->stalled ? piece.len : in.len;
}

static void keep_trailers(struct http_cache *cache, struct http_cache_entry *entry,
                          struct bytes trailers)
{
    const struct heap *heap = &cache->options.heap;
    if (trailers.len == 0 || trailers.len > HTTP_CACHE_TRAILERS_MAX || entry->trailers != NULL)
        return;
    entry->trailers = heap->resize(heap->self, NULL, 0, trailers.len);
    if (entry->trailers == NULL)
        return;
    memcpy(entry->trailers, trailers.data, trailers.len);
    entry->trailers_len = trailers.len;
}

void http_cache_fill_end(struct http_cache_fill *fill, struct bytes trailers)
{
    struct http_cache *cache = fill->cache;
    struct http_cache_entry *entry = fill->entry;
    ASSERT(fill->headed);
    if (!fill->dropping && entry->fill == fill) {
        entry->fill = NULL;
        if (entry->total == HTTP_CACHE_LENGTH_UNKNOWN)
            entry->total = fill->at;
        else if (fill->end != HTTP_CACHE_LENGTH_UNKNOWN && fill->at < fill->end)
            entry->partial = true; /* a part was shorter than it said */
        if (entry->partial && http_body_end(&entry->body, 0) >= entry->total)
            entry->partial = false; /* the parts are the whole by now (§3.4) */
        keep_trailers(cache, entry, trailers);
        for (struct list_node *node = entry->readers.next; node != &entry->readers;
             node = node->next) {
            struct http_cache_ask *ask = CONTAINER_OF(node, struct http_cache_ask, node);
            if (ask->end == HTTP_CACHE_LENGTH_UNKNOWN)
                ask->end = fill->at;
        }
        if (!http_cache_account(cache, entry) && entry->set != NULL)
            http_cache_entry_unlink(cache, entry);
        http_cache_wake_readers(cache, entry);
    }
    let_go(fill);
}

/* Octets that came before the origin broke off are kept as a part, if what is missing can be asked
 * for (§3.3). */
static void broken_off(struct http_cache_fill *fill)
{
    struct http_cache *cache = fill->cache;
    struct http_cache_entry *entry = fill->entry;
    entry->fill = NULL;
    entry->partial = true;
    bool of_use = entry->facts.status == 200 && entry->total != HTTP_CACHE_LENGTH_UNKNOWN &&
                  is_strong(http_cache_stored(entry, "ETag")) && entry->body.count > 0;
    if (!of_use) {
        entry->broken = true;
        http_cache_entry_unlink(cache, entry);
    }
    http_cache_wake_readers(cache, entry);
}

void http_cache_fill_fail(struct http_cache_fill *fill, struct http_cache_time time)
{
    struct http_cache *cache = fill->cache;
    cache->now = time.now;
    if (!fill->headed) {
        if (!stand_in(fill, true, time)) {
            if (fill->leader != NULL) {
                fill->leader->verdict = HTTP_CACHE_REFUSED;
                http_cache_wake(cache, fill->leader);
            }
            refuse_waiters(fill);
        }
    } else if (!fill->dropping && fill->entry->fill == fill) {
        broken_off(fill);
    }
    let_go(fill);
}
