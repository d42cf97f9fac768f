/* SPDX-License-Identifier: ISC */
/*
 * web_reply.c - answers: the fields that go with them, conditional requests (RFC 9110 §13), ranges
 * (§14), and the pages that say what is wrong.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/web/web_compress.h"
#include "app/web/web_exchange.h"
#include "wire/http/http_conditions.h"
#include "wire/http/http_date.h"
#include "wire/http/http_range.h"
#include "wire/http/http_status.h"

/* ---- fields ---- */

enum { FIELDS_MAX = 20 + WEB_HEADERS_MAX + HTTP_FIELDS_MAX };

struct field_list {
    struct http_field fields[FIELDS_MAX];
    size_t count;
};

static void add(struct field_list *list, const char *name, const char *value)
{
    if (value == NULL)
        return;
    ASSERT(list->count < FIELDS_MAX);
    list->fields[list->count++] = (struct http_field){bytes_of_text(name), bytes_of_text(value)};
}

#define POLICY_REST "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; " \
                    "frame-ancestors 'none'"
#define POLICY "default-src 'none'; style-src 'self'; script-src 'self'; " POLICY_REST
#define POLICY_PLAIN "default-src 'none'; style-src 'unsafe-inline'; " POLICY_REST

static bool has_field(const struct field_list *list, struct bytes name)
{
    for (size_t i = 0; i < list->count; i++)
        if (bytes_equal_nocase(list->fields[i].name, name))
            return true;
    return false;
}

/* What the rule adds to every answer. */
static void add_of_rule(struct field_list *list, const struct web_rule *rule)
{
    for (uint32_t i = 0; i < rule->header_count; i++) {
        struct bytes line = bytes_of_text(rule->headers[i]);
        size_t colon = bytes_find(line, ':');
        ASSERT(list->count < FIELDS_MAX);
        list->fields[list->count++] = (struct http_field){
            bytes_first(line, colon), http_trim(bytes_after(line, colon + 1))};
    }
}

/* Texts of fields while the head is written. */
struct freshness {
    char expires[HTTP_DATE_LEN + 1];
    char control[160];
    char hsts[40];
};

/* The rule says how long what is served by it is fresh; an answer that has its own word keeps it. */
static void add_freshness(struct field_list *list, const struct web_rule *rule,
                          const struct web_reply *reply, int64_t now, struct freshness *texts)
{
    bool good = reply->status < 300 || reply->status == 304;
    if (reply->cache != NULL || !good || (rule->cache_control[0] == '\0' && rule->expires == 0)) {
        add(list, "Cache-Control", reply->cache);
        return;
    }
    long long seconds = (long long)(rule->expires / USEC_PER_SEC);
    if (rule->expires == 0) {
        add(list, "Cache-Control", rule->cache_control);
        return;
    }
    snprintf(texts->control, sizeof texts->control, "max-age=%lld%s%s", seconds,
             rule->cache_control[0] != '\0' ? ", " : "", rule->cache_control);
    add(list, "Cache-Control", texts->control);
    add(list, "Expires", http_date_format(now + seconds, texts->expires));
}

static void add_hsts(struct field_list *list, const struct web_exchange *exchange,
                     struct freshness *texts)
{
    const struct web_rule *rule = exchange->place->rule;
    if (rule->hsts == 0 || !exchange->secure) /* said in clear it would be ignored (RFC 6797 §7.2) */
        return;
    snprintf(texts->hsts, sizeof texts->hsts, "max-age=%lld",
             (long long)(rule->hsts / USEC_PER_SEC));
    add(list, "Strict-Transport-Security", texts->hsts);
}

void web_reply_fields(struct web_exchange *exchange, unsigned status,
                      const struct http_field *fields, size_t count, const struct web_body *body)
{
    struct freshness freshness;
    const struct web_rule *rule = exchange->place->rule;
    struct field_list list;
    struct field_list own;
    ASSERT(count <= HTTP_FIELDS_MAX);
    memcpy(list.fields, fields, count * sizeof *fields);
    list.count = count;
    own.count = 0;
    add_hsts(&own, exchange, &freshness);
    add_of_rule(&own, rule);
    for (size_t i = 0; i < own.count; i++)
        if (!has_field(&list, own.fields[i].name)) /* the program knows better */
            list.fields[list.count++] = own.fields[i];
    web_body_done(&exchange->body);
    exchange->body = *body;
    struct http_response response = {.status = status,
                                     .length = body->len,
                                     .fields = list.fields,
                                     .field_count = list.count,
                                     .passed_on = has_field(&list, bytes_of_text("Date"))};
    if (!exchange->transport->respond(exchange, &response))
        web_body_done(&exchange->body);
}

void web_reply(struct web_exchange *exchange, const struct web_reply *reply)
{
    char date[HTTP_DATE_LEN + 1];
    struct freshness freshness;
    const struct web_rule *rule = exchange->place->rule;
    struct field_list list;
    list.count = 0;
    add(&list, "ETag", reply->etag);
    if (reply->modified != INT64_MIN)
        add(&list, "Last-Modified", reply->body.file != NULL &&
                                            reply->body.file->modified == reply->modified
                                        ? reply->body.file->modified_text
                                        : http_date_format(reply->modified, date));
    add_freshness(&list, rule, reply, loop_wall_seconds(net_loop(exchange->web->net)), &freshness);
    add(&list, "Location", reply->location);
    add(&list, "Allow", reply->allow);
    add(&list, "Content-Range", reply->content_range);
    add(&list, "Content-Encoding", reply->type != NULL ? reply->encoding : NULL);
    add(&list, "Vary", reply->vary);
    add(&list, "Accept-Ranges", reply->ranges ? "bytes" : NULL);
    add(&list, "Retry-After", reply->retry_after);
    add(&list, "Set-Cookie", reply->cookie);
    add(&list, "DAV", reply->dav);
    add(&list, "Lock-Token", reply->lock_token);
    for (size_t i = 0; i < ARRAY_LEN(reply->challenges); i++)
        add(&list, "WWW-Authenticate", reply->challenges[i]);
    add(&list, "X-Content-Type-Options", reply->type != NULL ? "nosniff" : NULL);
    if (reply->built_in)
        add(&list, "Content-Security-Policy", rule->built_in_off ? POLICY_PLAIN : POLICY);
    add_hsts(&list, exchange, &freshness);
    add_of_rule(&list, rule);
    web_body_done(&exchange->body);
    exchange->body = reply->body;
    struct http_response response = {.status = reply->status,
                                     .length = reply->body.len,
                                     .content_type = reply->type,
                                     .fields = list.fields,
                                     .field_count = list.count};
    if (!exchange->transport->respond(exchange, &response))
        web_body_done(&exchange->body);
}

/* ---- conditions and ranges: RFC 9110 §13, §14 ---- */

static void drop_content(struct web_reply *reply)
{
    web_body_done(&reply->body);
    reply->type = NULL;
}

struct range_texts {
    char content_range[80];
    char type[sizeof "multipart/byteranges; boundary=" + WEB_BOUNDARY_LEN];
};

static void apply_one(struct web_reply *reply, const struct http_range *range,
                      struct range_texts *texts)
{
    snprintf(texts->content_range, sizeof texts->content_range, "bytes %llu-%llu/%llu",
             (unsigned long long)range->first, (unsigned long long)(range->first + range->len - 1),
             (unsigned long long)reply->body.len);
    reply->content_range = texts->content_range;
    reply->status = 206;
    web_body_narrow(&reply->body, range);
}

/* Ranges that overlap so that the parts are more than the whole are not worth it (§14.2): then the
 * whole is sent. */
static void apply_many(struct web_exchange *exchange, struct web_reply *reply,
                       const struct http_ranges *ranges, struct range_texts *texts)
{
    char boundary[WEB_BOUNDARY_LEN + 1];
    uint64_t random = prng_u64(loop_prng(net_loop(exchange->web->net)));
    if (!http_ranges_sensible(ranges, reply->body.len) ||
        !web_body_split(&reply->body, ranges, reply->type, random, boundary))
        return;
    snprintf(texts->type, sizeof texts->type, "multipart/byteranges; boundary=%s", boundary);
    reply->type = texts->type;
    reply->status = 206;
}

static void apply_range(struct web_exchange *exchange, const struct http_fields *fields,
                        struct web_reply *reply, struct range_texts *texts)
{
    struct http_ranges ranges;
    uint64_t total = reply->body.len;
    switch (http_range_parse(http_field_value(fields, "Range"), total, &ranges)) {
    case HTTP_RANGE_IGNORED:
        return;
    case HTTP_RANGE_UNSATISFIABLE:
        drop_content(reply);
        reply->status = 416;
        snprintf(texts->content_range, sizeof texts->content_range, "bytes */%llu",
                 (unsigned long long)total);
        reply->content_range = texts->content_range;
        return;
    case HTTP_RANGE_SATISFIABLE:
        break;
    }
    if (ranges.count == 1)
        apply_one(reply, &ranges.list[0], texts);
    else
        apply_many(exchange, reply, &ranges, texts);
}

/* Two fields are no list of ranges: as if there were none. Only GET knows ranges (§14.2). */
static bool has_range(const struct http_fields *fields, bool is_get)
{
    return is_get && http_field_count(fields, "Range") == 1;
}

void web_reply_entity(struct web_exchange *exchange, const struct http_request_head *head,
                      const struct web_reply *reply)
{
    struct range_texts texts;
    struct web_reply actual = *reply;
    int64_t now = loop_wall_seconds(net_loop(exchange->web->net));
    if (actual.modified > now)
        actual.modified = now; /* RFC 9110 §8.8.2.1: not later than Date */
    const struct http_representation there = {
        .exists = true,
        .etag = reply->etag != NULL ? bytes_of_text(reply->etag) : bytes_empty(),
        .modified = actual.modified,
    };
    bool is_get = bytes_equal(head->method, bytes_of_text("GET"));
    bool reading = is_get || bytes_equal(head->method, bytes_of_text("HEAD"));
    unsigned verdict = http_conditions_check(&head->fields, reading, &there, now);
    actual.status = verdict != 0 ? verdict : 200;
    actual.ranges = true;
    if (verdict == 412) {
        drop_content(&actual);
        web_reply_error(exchange, 412, NULL);
        return;
    }
    if (verdict != 0)
        drop_content(&actual);
    else if (has_range(&head->fields, is_get) &&
             http_if_range_holds(&head->fields, &there, now))
        apply_range(exchange, &head->fields, &actual, &texts);
    if (actual.status == 416)
        web_reply_error_with(exchange, 416, NULL, &actual);
    else
        web_reply(exchange, &actual);
}

/* ---- pages ---- */

/* A page of some size, made for this request alone. */
static void compress_page(const struct web_exchange *exchange, struct web_reply *reply)
{
    size_t len;
    if (exchange->event == NULL || exchange->place->rule->compress_off ||
        reply->body.len < WEB_COMPRESS_MIN || reply->body.len > WEB_COMPRESS_MAX)
        return;
    const struct http_fields *fields = &exchange->event->head.fields;
    reply->vary = "Accept-Encoding";
    enum web_coding coding =
        web_choose_coding(http_field_count(fields, "Accept-Encoding") > 0,
                          http_field_value(fields, "Accept-Encoding"), true);
    char *smaller = coding == WEB_IDENTITY || coding == WEB_CODING_COUNT
                        ? NULL
                        : web_compress(coding, reply->body.data, &len);
    if (smaller == NULL)
        return;
    web_body_done(&reply->body);
    reply->body = web_body_of(bytes_of(smaller, len));
    reply->body.owned = smaller;
    reply->encoding = web_coding_names[coding];
}

/* Takes the page over; false: it had no memory, and 500 was sent. */
static bool take_page(struct web_exchange *exchange, struct page_text *page, struct web_reply *out)
{
    if (page->failed) {
        page_done(page);
        exchange->transport->refuse(exchange, 500);
        return false;
    }
    *out = (struct web_reply){.status = 200,
                              .cache = "no-store",
                              .built_in = true,
                              .modified = INT64_MIN,
                              .body = web_body_of(page_bytes(page))};
    out->body.owned = page->data;
    *page = (struct page_text){0};
    return true;
}

void web_reply_page(struct web_exchange *exchange, unsigned status, const char *type,
                    struct page_text *page)
{
    struct web_reply reply;
    if (!take_page(exchange, page, &reply))
        return;
    reply.status = status;
    reply.type = type;
    compress_page(exchange, &reply);
    web_reply(exchange, &reply);
}

void web_reply_page_with_cookie(struct web_exchange *exchange, struct page_text *page,
                                const char *cookie)
{
    struct web_reply reply;
    if (!take_page(exchange, page, &reply))
        return;
    reply.type = "text/html; charset=utf-8";
    reply.cookie = cookie;
    web_reply(exchange, &reply);
}

/* `facts` has the fields that go with the status; NULL: none. */
void web_reply_error_with(struct web_exchange *exchange, unsigned status, const char *hint,
                       const struct web_reply *facts)
{
    struct page_text content = {0};
    struct page_text page = {0};
    const struct web_rule *rule = exchange->place->rule;
    for (uint32_t i = 0; i < rule->error_page_count && facts == NULL; i++)
        if (rule->error_pages[i].status == status &&
            web_files_error_page(exchange, status, rule->error_pages[i].path))
            return;
    page_add_format(&content, "<section class=\"error\"><p class=\"code\">%u</p><h1>%s</h1>", status,
                    http_status_text(status));
    page_add(&content, "<p>");
    page_add_text(&content, hint != NULL ? hint : http_status_hint(status));
    page_add(&content, "</p>");
    page_add_format(&content, "<p><a href=\"%s/\">Home</a></p></section>",
                    exchange->place->rule->built_in_off ? "" : exchange->place->prefix);
    web_page_wrap(exchange, http_status_text(status), page_bytes(&content), &page);
    page.failed |= content.failed;
    page_done(&content);
    if (page.failed) {
        page_done(&page);
        exchange->transport->refuse(exchange, status);
        return;
    }
    struct web_body body = web_body_of(page_bytes(&page));
    body.owned = page.data;
    struct web_reply reply = facts != NULL ? *facts : (struct web_reply){0};
    reply.status = status;
    reply.type = "text/html; charset=utf-8";
    reply.cache = "no-store";
    reply.built_in = true;
    reply.modified = INT64_MIN;
    reply.etag = reply.encoding = reply.vary = NULL;
    reply.ranges = false;
    reply.body = body;
    web_reply(exchange, &reply);
}

void web_reply_error(struct web_exchange *exchange, unsigned status, const char *hint)
{
    web_reply_error_with(exchange, status, hint, NULL);
}

void web_reply_method(struct web_exchange *exchange, const char *allow)
{
    static const char *const known[] = {"GET",    "HEAD",    "POST",    "PUT",
                                        "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
                                        "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE",
                                        "LOCK", "UNLOCK"};
    const struct web_reply facts = {.allow = allow};
    unsigned status = 501;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(exchange->method, known[i]) == 0)
            status = 405;
    web_reply_error_with(exchange, status, NULL, &facts);
}
