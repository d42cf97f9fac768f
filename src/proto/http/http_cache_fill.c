/* SPDX-License-Identifier: ISC */
/*
 * http_cache_fill.c - a request to the origin: what is sent, whom it answers, the octets of what comes, and
 * how it ends.
 */
#include "proto/http/http_cache_internal.h"

/* ---- the request ---- */

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
static struct bytes write_tags(const struct http_cache_fill *fill, struct writer *w)
{
    const struct http_cache_set *set = fill->set;
    const uint8_t *from = w->next;
    size_t count = 0;
    for (struct list_node *node = set->entries.next;
         node != &set->entries && count < HTTP_CACHE_TAGS_MAX; node = node->next) {
        const struct http_cache_entry *entry =
            CONTAINER_OF(node, struct http_cache_entry, in_set);
        struct bytes tag = http_cache_stored(entry, "ETag");
        if (tag.len == 0 || !http_cache_is_for(entry, fill->trusted) || entry->partial || entry->fill != NULL || writer_room(w) < tag.len + 2)
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
        add(&out->fields, "If-None-Match", write_tags(fill, scratch));
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

void http_cache_fill_confine(struct http_cache_fill *fill)
{
    ASSERT(!fill->headed && fill->trusted);
    fill->confined = true;
}

bool http_cache_fill_trusted(const struct http_cache_fill *fill)
{
    return fill->trusted;
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
void http_cache_give(struct http_cache_fill *fill, struct http_cache_ask *ask,
                 struct http_cache_entry *entry, bool evaluate, struct http_cache_time time)
{
    struct saved_request saved;
    const uint8_t *block = ask->saved != NULL ? ask->saved : fill->saved;
    size_t len = ask->saved != NULL ? ask->saved_len : fill->saved_len;
    http_cache_restore(block, len, &saved);
    struct http_cache_request request = {.method = saved.method,
                                         .uri = saved.uri,
                                         .target = saved.target,
                                         .fields = &saved.fields,
                                         .trusted = ask->trusted};
    if (!http_cache_answer(ask, entry, &request, evaluate, time))
        ask->verdict = HTTP_CACHE_REFUSED;
    http_cache_wake(fill->cache, ask);
}

void http_cache_give_leader(struct http_cache_fill *fill, struct http_cache_entry *entry,
                        bool evaluate, struct http_cache_time time)
{
    if (fill->leader != NULL)
        http_cache_give(fill, fill->leader, entry, evaluate, time);
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
void http_cache_give_waiters(struct http_cache_fill *fill, struct http_cache_entry *entry,
                         bool validated, struct http_cache_time time)
{
    struct list_node others;
    struct http_cache_ask *ask;
    list_init(&others);
    while ((ask = next_waiter(fill)) != NULL) {
        struct saved_request saved;
        ask->fill = NULL;
        http_cache_restore(ask->saved, ask->saved_len, &saved);
        if (entry != NULL && http_cache_is_for(entry, ask->trusted) &&
            http_cache_matches(entry, &saved.fields)) {
            ask->validated = validated;
            http_cache_give(fill, ask, entry, true, time);
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

void http_cache_refuse_waiters(struct http_cache_fill *fill)
{
    struct http_cache_ask *ask;
    while ((ask = next_waiter(fill)) != NULL) {
        ask->fill = NULL;
        ask->verdict = HTTP_CACHE_REFUSED;
        http_cache_wake(fill->cache, ask);
    }
}

/* ---- errors ---- */

/* What is stored stands in for an origin that fails (§4.2.4, RFC 5861 §4). */
bool http_cache_stand_in(struct http_cache_fill *fill, bool unreachable, struct http_cache_time time)
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
    http_cache_give_leader(fill, entry, true, time);
    struct http_cache_ask *ask;
    while ((ask = next_waiter(fill)) != NULL) {
        ask->fill = NULL;
        if (http_cache_use_after_error(&cache->options.rules, &entry->facts, &ask->wishes,
                                       unreachable, time.now)) {
            http_cache_give(fill, ask, entry, true, time);
        } else {
            ask->verdict = HTTP_CACHE_REFUSED;
            http_cache_wake(cache, ask);
        }
    }
    return true;
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
void http_cache_fill_set_entry(struct http_cache_fill *fill, struct http_cache_entry *entry)
{
    if (fill->entry != NULL)
        http_cache_entry_release(fill->cache, fill->entry);
    fill->entry = entry;
}

/* ---- octets ---- */

static void give_up_storing(struct http_cache_fill *fill)
{
    http_cache_entry_unlink(fill->cache, fill->entry);
    fill->keep = false;
}

/* How much may come now: of what is kept all, of what passes through, or goes to its file as it comes, what fits
 * the window. */
static size_t room(const struct http_cache_fill *fill)
{
    size_t readers;
    if (fill->keep && fill->entry->large) {
        uint64_t unwritten = fill->at - fill->entry->file->written;
        return unwritten < HTTP_CACHE_WINDOW ? (size_t)(HTTP_CACHE_WINDOW - unwritten) : 0;
    }
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
    http_cache_file_more(entry);
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
        if (entry->large && entry->partial) {
            entry->broken = true;
            http_cache_entry_unlink(cache, entry);
        }
        http_cache_file_more(entry);
        (void)http_cache_file_begin(cache, entry);
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
    if (http_cache_has_file(entry)) { /* a part of what is whole */
        http_cache_wake_readers(cache, entry);
        return;
    }
    entry->partial = true;
    bool of_use = !entry->large && entry->facts.status == 200 && entry->total != HTTP_CACHE_LENGTH_UNKNOWN &&
                  http_cache_is_strong(http_cache_stored(entry, "ETag")) && entry->body.count > 0;
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
        if (!http_cache_stand_in(fill, true, time)) {
            if (fill->leader != NULL) {
                fill->leader->verdict = HTTP_CACHE_REFUSED;
                http_cache_wake(cache, fill->leader);
            }
            http_cache_refuse_waiters(fill);
        }
    } else if (!fill->dropping && fill->entry->fill == fill) {
        broken_off(fill);
    }
    let_go(fill);
}
