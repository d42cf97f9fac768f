/* SPDX-License-Identifier: ISC */
/*
 * http_cache_response.c - what the head of the origin's answer does: a stored response is fresh again
 * (RFC 9111 §4.3.4) or not what it was (§4.3.5), something is to be forgotten (§4.4), or a new response
 * has come.
 */
#include "proto/http/http_cache_internal.h"

#include "wire/http/http_date.h"
#include "wire/http/uri_reference.h"

/* ---- a stored response is fresh again ---- */

/* Is the 304 about that entry (§4.3.4)? A strong tag must be the same; a weak one, or a date, may be. */
static bool is_about(const struct http_cache_entry *entry, const struct http_fields *fields,
                     int64_t wall)
{
    struct bytes tag = http_cache_stored(entry, "ETag"), value;
    int64_t date;
    if (http_field_find(fields, "ETag", &value)) {
        if (http_cache_is_strong(value))
            return bytes_equal(value, tag);
        struct bytes opaque = http_cache_is_strong(tag) ? tag : bytes_after(tag, 2);
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
        if (!entry->partial && entry->fill == NULL && http_cache_is_for(entry, fill->trusted) &&
            is_about(entry, fields, wall))
            return entry;
    }
    return NULL;
}

static enum http_cache_step again(struct http_cache_fill *fill)
{
    fill->mode = FILL_PLAIN;
    http_cache_fill_set_entry(fill, NULL);
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
    http_cache_fill_set_entry(fill, entry);
    entry->confined |= fill->confined;
    if (!http_cache_update_head(cache, entry, response->fields, fill->request_at, time))
        cache->counters.no_memory++;
    if (!http_cache_account(cache, entry))
        http_cache_entry_unlink(cache, entry);
    cache->counters.revalidated++;
    fill->headed = true;
    fill->dropping = true;
    if (fill->leader != NULL)
        fill->leader->validated = true;
    http_cache_give_leader(fill, entry, true, time);
    /* One that was invalidated meanwhile is good for who asked before that, and for nobody else. */
    bool matches = entry->set != NULL && fill->mode == FILL_VALIDATE;
    http_cache_give_waiters(fill, matches ? entry : NULL, true, time);
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
            http_cache_file_renew(entry);
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

/* ---- the head ---- */

static bool is_error(unsigned status)
{
    return status == 500 || status == 502 || status == 503 || status == 504;
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
    if (is_error(response->status) && http_cache_stand_in(fill, false, time))
        return HTTP_CACHE_DROP;
    if (fill->mode == FILL_COMPLETE && http_cache_completes(fill, response))
        return http_cache_complete(fill, response, time);
    if (fill->mode == FILL_COMPLETE && (response->status == 206 || response->status == 416))
        return again(fill);
    invalidate(fill, response);
    http_cache_restore(fill->saved, fill->saved_len, &saved);
    if (response->status == 200 && bytes_equal(saved.method, bytes_of_text("HEAD")) &&
        !http_cc_has(&fill->wishes.cc, HTTP_CC_NO_STORE))
        head_says(fill, response, time);
    return http_cache_new_response(fill, response, &saved, time);
}
