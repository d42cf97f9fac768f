/* SPDX-License-Identifier: ISC */
/*
 * http_cache_head.c - heads as they are stored: lines "Name: value" with CRLF, without what belongs
 * to the connection (RFC 9111 §3.1), and how a later response updates them (§3.2).
 */
#include "proto/http/http_cache_internal.h"

#include "wire/http/http_list.h"

void http_cache_write_lines(struct writer *w, struct bytes name, struct bytes value)
{
    write_bytes(w, name);
    write_copy(w, ": ", 2);
    write_bytes(w, value);
    write_copy(w, "\r\n", 2);
}

void http_cache_read_lines(struct bytes lines, struct http_fields *out)
{
    out->count = 0;
    while (lines.len > 0 && out->count < HTTP_FIELDS_MAX) {
        size_t end = bytes_find(lines, '\r');
        struct bytes line = bytes_first(lines, end);
        size_t colon = bytes_find(line, ':');
        out->list[out->count++] =
            (struct http_field){bytes_first(line, colon), bytes_after(line, colon + 2)};
        lines = bytes_after(lines, end + 2);
    }
}

static bool is_one_of(struct bytes name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal_nocase(name, bytes_of_text(list[i])))
            return true;
    return false;
}

bool http_cache_unstored(const struct http_fields *fields, struct bytes name)
{
    static const char *const known[] = {
        "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Transfer-Encoding", "Upgrade",
        "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization",
        "Content-Length", "Age"};
    if (is_one_of(name, known, ARRAY_LEN(known)))
        return true;
    struct bytes wanted = bytes_of_text("Connection");
    for (size_t i = 0; i < fields->count; i++) {
        if (!bytes_equal_nocase(fields->list[i].name, wanted))
            continue;
        struct bytes rest = fields->list[i].value, option;
        while (http_list_next(&rest, &option))
            if (bytes_equal_nocase(option, name))
                return true;
    }
    return false;
}

struct bytes http_cache_stored(const struct http_cache_entry *entry, const char *name)
{
    struct bytes lines = bytes_of(entry->head, entry->head_len);
    struct bytes wanted = bytes_of_text(name);
    while (lines.len > 0) {
        size_t end = bytes_find(lines, '\r');
        struct bytes line = bytes_first(lines, end);
        size_t colon = bytes_find(line, ':');
        if (colon == wanted.len && bytes_equal_nocase(bytes_first(line, colon), wanted))
            return bytes_after(line, colon + 2);
        lines = bytes_after(lines, end + 2);
    }
    return bytes_empty();
}

/* The field in which the directives stand that count. */
static const char *control_field(const struct http_cache *cache,
                                 const struct http_cache_facts *facts)
{
    return facts->targeted ? cache->options.rules.targeted : "Cache-Control";
}

/* Is the field for one client alone (§5.2.2.7)? A shared cache does not store it. */
static bool is_private(const struct http_cache *cache, const struct http_cache_facts *facts,
                       const struct http_fields *fields, struct bytes name)
{
    return cache->options.rules.shared && http_cc_has(&facts->cc, HTTP_CC_PRIVATE_FIELDS) &&
           http_cache_control_names(fields, control_field(cache, facts), "private", name);
}

static size_t lines_len(const struct http_fields *fields)
{
    size_t len = 0;
    for (size_t i = 0; i < fields->count; i++)
        len += fields->list[i].name.len + fields->list[i].value.len + 4;
    return len;
}

/* Takes `size` octets down to what was written; freed when that is nothing. */
static uint8_t *shrink(const struct heap *heap, uint8_t *block, size_t size, size_t len)
{
    return heap->resize(heap->self, block, size, len);
}

/* Those fields that are private, or those that are not, as lines in a block of their own. */
static bool take_fields(struct http_cache *cache, const struct http_cache_facts *facts,
                        const struct http_fields *fields, bool private_ones, struct bytes *out)
{
    const struct heap *heap = &cache->options.heap;
    size_t size = lines_len(fields);
    *out = (struct bytes){NULL, 0};
    if (size == 0)
        return true;
    uint8_t *block = heap->resize(heap->self, NULL, 0, size);
    if (block == NULL)
        return false;
    struct writer w = writer_of(block, size);
    for (size_t i = 0; i < fields->count; i++) {
        const struct http_field *f = &fields->list[i];
        if (!http_cache_unstored(fields, f->name) &&
            is_private(cache, facts, fields, f->name) == private_ones)
            http_cache_write_lines(&w, f->name, f->value);
    }
    size_t len = writer_len(&w);
    *out = (struct bytes){shrink(heap, block, size, len), len};
    return true;
}

static void set_head(struct http_cache *cache, struct http_cache_entry *entry, struct bytes head)
{
    heap_release(&cache->options.heap, entry->head, entry->head_len);
    entry->head = (uint8_t *)(uintptr_t)head.data;
    entry->head_len = head.len;
}

bool http_cache_store_head(struct http_cache *cache, struct http_cache_entry *entry,
                           const struct http_fields *fields, struct http_cache_ask *ask)
{
    struct bytes head, own;
    if (!take_fields(cache, &entry->facts, fields, false, &head))
        return false;
    set_head(cache, entry, head);
    if (ask == NULL || !cache->options.rules.shared ||
        !http_cc_has(&entry->facts.cc, HTTP_CC_PRIVATE_FIELDS))
        return true;
    if (!take_fields(cache, &entry->facts, fields, true, &own))
        return false;
    heap_release(&cache->options.heap, ask->private_fields, ask->private_len);
    ask->private_fields = (uint8_t *)(uintptr_t)own.data;
    ask->private_len = own.len;
    return true;
}

/* §3.2: what of a later head does not go into the stored one. The representation stays, and with it
 * what describes its octets. */
static bool never_updated(const struct http_fields *fields, struct bytes name)
{
    static const char *const known[] = {"Content-Encoding", "Content-Range", "Content-Length"};
    return is_one_of(name, known, ARRAY_LEN(known)) || http_cache_unstored(fields, name);
}

static bool names_field(const struct http_fields *fields, struct bytes name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (bytes_equal_nocase(fields->list[i].name, name))
            return true;
    return false;
}

bool http_cache_update_head(struct http_cache *cache, struct http_cache_entry *entry,
                            const struct http_fields *fields, usec request_at,
                            struct http_cache_time time)
{
    struct http_fields old, merged;
    struct bytes date = bytes_of_text("Date");
    http_cache_read_lines(bytes_of(entry->head, entry->head_len), &old);
    merged.count = 0;
    for (size_t i = 0; i < old.count; i++) {
        struct bytes name = old.list[i].name;
        /* The stored Date would make the answer old again (RFC 9110 §6.6.1). */
        bool replaced = names_field(fields, name) || bytes_equal_nocase(name, date);
        if (never_updated(fields, name) || !replaced)
            merged.list[merged.count++] = old.list[i];
    }
    for (size_t i = 0; i < fields->count && merged.count < HTTP_FIELDS_MAX; i++)
        if (!never_updated(fields, fields->list[i].name))
            merged.list[merged.count++] = fields->list[i];
    struct http_cache_facts facts;
    uint32_t age = 0;
    http_cache_facts(&cache->options.rules, entry->facts.status, &merged, request_at, time,
                     &facts);
    facts.has_age = http_age(fields, &age); /* Age is never stored */
    facts.initial_age =
        usec_max(facts.initial_age, age * USEC_PER_SEC + (time.now - request_at));
    struct bytes head;
    if (!take_fields(cache, &facts, &merged, false, &head))
        return false;
    set_head(cache, entry, head);
    entry->facts = facts;
    http_cache_file_renew(entry);
    return true;
}

/* ---- requests ---- */

uint8_t *http_cache_save(struct http_cache *cache, const struct http_cache_request *request,
                         size_t *len)
{
    const struct heap *heap = &cache->options.heap;
    size_t size = 12 + request->method.len + request->uri.len + request->target.len +
                  lines_len(request->fields);
    uint8_t *block = heap->resize(heap->self, NULL, 0, size);
    if (block == NULL) {
        cache->counters.no_memory++;
        return NULL;
    }
    struct writer w = writer_of(block, size);
    write_u32(&w, (uint32_t)request->method.len);
    write_u32(&w, (uint32_t)request->uri.len);
    write_u32(&w, (uint32_t)request->target.len);
    write_bytes(&w, request->method);
    write_bytes(&w, request->uri);
    write_bytes(&w, request->target);
    for (size_t i = 0; i < request->fields->count; i++)
        http_cache_write_lines(&w, request->fields->list[i].name, request->fields->list[i].value);
    ASSERT(!w.failed && writer_len(&w) == size);
    *len = size;
    return block;
}

void http_cache_restore(const uint8_t *saved, size_t len, struct saved_request *out)
{
    struct reader r = reader_of(bytes_of(saved, len));
    uint32_t method_len = read_u32(&r);
    uint32_t uri_len = read_u32(&r);
    uint32_t target_len = read_u32(&r);
    out->method = read_bytes(&r, method_len);
    out->uri = read_bytes(&r, uri_len);
    out->target = read_bytes(&r, target_len);
    ASSERT(!r.failed);
    http_cache_read_lines(read_rest(&r), &out->fields);
}
