/* SPDX-License-Identifier: ISC */
/*
 * http_cache_reply.c - the answer to an ask: its fields with Age (RFC 9111 §5.1), Date (RFC 9110
 * §6.6.1) and Cache-Status (RFC 9211), and its octets as they are there.
 */
#include "proto/http/http_cache_internal.h"

#include "wire/http/http_date.h"
#include "wire/http/http_structured.h"

void http_cache_reply(const struct http_cache_ask *ask, struct http_cache_reply *out)
{
    ASSERT(ask->verdict == HTTP_CACHE_ANSWER);
    bool none = ask->status == 204 || ask->status == 304 || ask->status == 205;
    /* Trailers need a framing that has room for them, so the length is not told. */
    bool trailers = ask->entry->trailers_len > 0 && !ask->head_only && !ask->ranged && !none;
    *out = (struct http_cache_reply){
        .status = ask->status,
        .length = ask->end == HTTP_CACHE_LENGTH_UNKNOWN || trailers ? HTTP_CACHE_LENGTH_UNKNOWN
                                                                   : ask->end - ask->first,
        .has_body = !ask->head_only && !none && (ask->end != ask->first || trailers),
    };
}

/* ---- fields ---- */

/* What a 304 says of the representation that the client has (RFC 9110 §15.4.5). */
static bool goes_with_304(struct bytes name)
{
    static const char prefix[] = "Content-";
    return !bytes_equal_nocase(bytes_first(name, sizeof prefix - 1), bytes_of_text(prefix)) ||
           bytes_equal_nocase(name, bytes_of_text("Content-Location")) ||
           bytes_equal_nocase(name, bytes_of_text("Content-Security-Policy"));
}

/* A field that no-cache names is not given without validation (§5.2.2.4). */
static bool is_withheld(const struct http_cache_ask *ask, const struct http_fields *fields,
                        struct bytes name)
{
    const struct http_cache_facts *facts = &ask->entry->facts;
    if (!http_cc_has(&facts->cc, HTTP_CC_NO_CACHE_FIELDS) || ask->validated || ask->leads)
        return false;
    const char *field = facts->targeted ? ask->cache->options.rules.targeted : "Cache-Control";
    return http_cache_control_names(fields, field, "no-cache", name);
}

static bool is_left_out(const struct http_cache_ask *ask, const struct http_fields *fields,
                        struct bytes name)
{
    if (ask->status == 304 && !goes_with_304(name))
        return true;
    bool content_range = bytes_equal_nocase(name, bytes_of_text("Content-Range"));
    if (content_range && (ask->ranged || ask->entry->of_parts))
        return true;
    if (ask->status == 416 && ask->entry->facts.status != 416 &&
        (content_range || bytes_equal_nocase(name, bytes_of_text("Content-Type")) ||
         bytes_equal_nocase(name, bytes_of_text("Content-Encoding"))))
        return true;
    return is_withheld(ask, fields, name);
}

struct adder {
    struct writer *scratch;
    struct http_field *out;
    size_t count;
};

static void add(struct adder *a, const char *name, struct bytes value)
{
    if (a->count < HTTP_FIELDS_MAX && !a->scratch->failed)
        a->out[a->count++] = (struct http_field){bytes_of_text(name), value};
}

/* What was written to the scratch since `from`. */
static struct bytes since(const struct adder *a, const uint8_t *from)
{
    return bytes_of(from, (size_t)(a->scratch->next - from));
}

static void add_content_range(struct adder *a, const struct http_cache_ask *ask)
{
    const uint8_t *from = a->scratch->next;
    http_write_text(a->scratch, "bytes ");
    if (ask->status == 416) {
        http_write_text(a->scratch, "*");
    } else {
        http_write_number(a->scratch, ask->first);
        http_write_text(a->scratch, "-");
        http_write_number(a->scratch, ask->end - 1);
    }
    http_write_text(a->scratch, "/");
    http_write_number(a->scratch, ask->entry->total);
    add(a, "Content-Range", since(a, from));
}

static void write_signed(struct writer *w, int64_t value)
{
    if (value < 0)
        http_write_text(w, "-");
    http_write_number(w, (uint64_t)(value < 0 ? -value : value));
}

/* RFC 9211: appended to what caches nearer to the origin say. */
static void add_cache_status(struct adder *a, const struct http_cache_ask *ask, usec now)
{
    static const char *const reasons[] = {
        [HTTP_CACHE_HIT] = "; hit",
        [HTTP_CACHE_BY_METHOD] = "; fwd=method",
        [HTTP_CACHE_BY_REQUEST] = "; fwd=request",
        [HTTP_CACHE_URI_MISS] = "; fwd=uri-miss",
        [HTTP_CACHE_VARY_MISS] = "; fwd=vary-miss",
        [HTTP_CACHE_STALE] = "; fwd=stale",
        [HTTP_CACHE_PARTIAL] = "; fwd=partial",
    };
    _Static_assert(ARRAY_LEN(reasons) == HTTP_CACHE_REASON_COUNT, "one text per reason");
    struct writer *w = a->scratch;
    const uint8_t *from = w->next;
    http_sf_write_string(w, bytes_of_text(ask->cache->options.name));
    http_write_text(w, reasons[ask->reason]);
    if (ask->fwd_status != 0) {
        http_write_text(w, "; fwd-status=");
        http_write_number(w, ask->fwd_status);
    }
    if (ask->stored)
        http_write_text(w, "; stored");
    if (ask->collapsed)
        http_write_text(w, "; collapsed");
    if (ask->reason == HTTP_CACHE_HIT || ask->stored) {
        http_write_text(w, "; ttl=");
        write_signed(w, http_cache_ttl(&ask->entry->facts, now));
    }
    add(a, "Cache-Status", since(a, from));
}

size_t http_cache_reply_fields(struct http_cache_ask *ask, struct http_cache_time time,
                               struct writer *scratch, struct http_field out[HTTP_FIELDS_MAX])
{
    const struct http_cache_entry *entry = ask->entry;
    struct adder a = {scratch, out, 0};
    struct http_fields fields, own;
    struct bytes value;
    ASSERT(ask->verdict == HTTP_CACHE_ANSWER);
    http_cache_read_lines(bytes_of(entry->head, entry->head_len), &fields);
    http_cache_read_lines(bytes_of(ask->private_fields, ask->private_len), &own);
    for (size_t i = 0; i < fields.count && a.count < HTTP_FIELDS_MAX - 4; i++)
        if (!is_left_out(ask, &fields, fields.list[i].name))
            out[a.count++] = fields.list[i];
    for (size_t i = 0; i < own.count && a.count < HTTP_FIELDS_MAX - 4; i++)
        out[a.count++] = own.list[i];
    if (!http_field_find(&fields, "Date", &value)) {
        const uint8_t *from = scratch->next;
        char date[HTTP_DATE_LEN + 1];
        http_write_text(scratch, http_date_format(entry->facts.date, date));
        add(&a, "Date", since(&a, from));
    }
    /* Age tells that it was not made for this request (§5.1). */
    if (entry->facts.has_age || (ask->fwd_status != entry->facts.status && !ask->validated)) {
        const uint8_t *from = scratch->next;
        usec age = http_cache_age(&entry->facts, time.now) / USEC_PER_SEC;
        http_write_number(scratch, age < HTTP_DELTA_MAX ? (uint64_t)age : HTTP_DELTA_MAX);
        add(&a, "Age", since(&a, from));
    }
    if (ask->ranged || (ask->status == 416 && entry->facts.status != 416))
        add_content_range(&a, ask);
    if (ask->cache->options.name[0] != '\0')
        add_cache_status(&a, ask, time.now);
    return a.count;
}

/* ---- octets ---- */

enum http_cache_read http_cache_read(const struct http_cache_ask *ask, struct bytes *out)
{
    const struct http_cache_entry *entry = ask->entry;
    if (ask->at >= ask->end)
        return HTTP_CACHE_END;
    struct bytes octets = http_body_read(&entry->body, ask->at);
    if (octets.len > 0) {
        uint64_t left = ask->end - ask->at;
        *out = left < octets.len ? bytes_first(octets, (size_t)left) : octets;
        return HTTP_CACHE_OCTETS;
    }
    if (http_cache_read_file(ask, &(uint64_t){0}) != NULL)
        return HTTP_CACHE_IN_FILE;
    if (entry->fill != NULL && !entry->broken)
        return HTTP_CACHE_LATER;
    return ask->end == HTTP_CACHE_LENGTH_UNKNOWN && !entry->broken ? HTTP_CACHE_END
                                                                  : HTTP_CACHE_BROKEN;
}

uint64_t http_cache_lowest(const struct http_cache_entry *entry, size_t *readers)
{
    uint64_t lowest = UINT64_MAX;
    *readers = 0;
    for (struct list_node *node = entry->readers.next; node != &entry->readers;
         node = node->next) {
        const struct http_cache_ask *ask = CONTAINER_OF(node, struct http_cache_ask, node);
        if (ask->at < lowest)
            lowest = ask->at;
        ++*readers;
    }
    return lowest;
}

/* What passes through is let go behind its last reader; unless somebody holds it who may yet read all
 * of it, as a validation does. */
void http_cache_used(struct http_cache_ask *ask, size_t len)
{
    struct http_cache_entry *entry = ask->entry;
    size_t readers;
    ask->at += len;
    if (entry->set != NULL)
        return;
    uint64_t lowest = http_cache_lowest(entry, &readers);
    if (entry->users > readers + (entry->fill != NULL))
        return;
    http_body_trim(&entry->body, lowest);
    (void)http_cache_account(ask->cache, entry);
    if (entry->fill != NULL && entry->fill->stalled)
        http_cache_attend(entry->fill, HTTP_CACHE_FILL_GO_ON);
}

struct bytes http_cache_trailers(const struct http_cache_ask *ask)
{
    return bytes_of(ask->entry->trailers, ask->entry->trailers_len);
}

void http_cache_wake_readers(struct http_cache *cache, struct http_cache_entry *entry)
{
    for (struct list_node *node = entry->readers.next; node != &entry->readers; node = node->next)
        http_cache_wake(cache, CONTAINER_OF(node, struct http_cache_ask, node));
}
