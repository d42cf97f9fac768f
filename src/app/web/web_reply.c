/* SPDX-License-Identifier: ISC */
/*
 * web_reply.c - answers: the fields that go with them, conditional requests (RFC 9110 §13), ranges
 * (§14), and the pages that say what is wrong.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/web/web_exchange.h"
#include "wire/http/http_conditions.h"
#include "wire/http/http_date.h"
#include "wire/http/http_range.h"
#include "wire/http/http_status.h"

/* ---- fields ---- */

enum { FIELDS_MAX = 12 };

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

#define POLICY "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; " \
               "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

void web_reply(struct web_exchange *exchange, const struct web_reply *reply)
{
    char date[HTTP_DATE_LEN + 1];
    struct field_list list = {.count = 0};
    add(&list, "ETag", reply->etag);
    if (reply->modified != INT64_MIN)
        add(&list, "Last-Modified", http_date_format(reply->modified, date));
    add(&list, "Cache-Control", reply->cache);
    add(&list, "Location", reply->location);
    add(&list, "Allow", reply->allow);
    add(&list, "Content-Range", reply->content_range);
    add(&list, "Accept-Ranges", reply->ranges ? "bytes" : NULL);
    add(&list, "X-Content-Type-Options", reply->type != NULL ? "nosniff" : NULL);
    add(&list, "Content-Security-Policy", reply->built_in ? POLICY : NULL);
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

static void error_page(struct web_exchange *exchange, unsigned status, const char *hint,
                       const struct web_reply *facts);

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
        error_page(exchange, 416, NULL, &actual);
    else
        web_reply(exchange, &actual);
}

/* ---- pages ---- */

void web_reply_page(struct web_exchange *exchange, unsigned status, const char *type,
                    struct page_text *page)
{
    if (page->failed) {
        page_done(page);
        exchange->transport->refuse(exchange, 500);
        return;
    }
    struct web_body body = web_body_of(page_bytes(page));
    body.owned = page->data;
    *page = (struct page_text){0};
    web_reply(exchange, &(struct web_reply){.status = status,
                                           .type = type,
                                           .cache = "no-store",
                                           .built_in = true,
                                           .modified = INT64_MIN,
                                           .body = body});
}

/* `facts` has the fields that go with the status; NULL: none. */
static void error_page(struct web_exchange *exchange, unsigned status, const char *hint,
                       const struct web_reply *facts)
{
    struct page_text content = {0};
    struct page_text page = {0};
    page_add_format(&content, "<section class=\"error\"><p class=\"code\">%u</p><h1>%s</h1>", status,
                    http_status_text(status));
    page_add(&content, "<p>");
    page_add_text(&content, hint != NULL ? hint : http_status_hint(status));
    page_add(&content, "</p>");
    page_add_format(&content, "<p><a href=\"%s/\">Home</a></p></section>", exchange->web->prefix);
    web_page_wrap(exchange->web, http_status_text(status), page_bytes(&content), &page);
    page.failed |= content.failed;
    page_done(&content);
    if (page.failed) {
        page_done(&page);
        exchange->transport->refuse(exchange, status);
        return;
    }
    struct web_body body = web_body_of(page_bytes(&page));
    body.owned = page.data;
    web_reply(exchange, &(struct web_reply){.status = status,
                                           .type = "text/html; charset=utf-8",
                                           .cache = "no-store",
                                           .built_in = true,
                                           .allow = facts != NULL ? facts->allow : NULL,
                                           .content_range = facts != NULL ? facts->content_range : NULL,
                                           .modified = INT64_MIN,
                                           .body = body});
}

void web_reply_error(struct web_exchange *exchange, unsigned status, const char *hint)
{
    error_page(exchange, status, hint, NULL);
}

void web_reply_method(struct web_exchange *exchange, const char *allow)
{
    static const char *const known[] = {"GET",    "HEAD",    "POST",    "PUT",
                                        "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    const struct web_reply facts = {.allow = allow};
    unsigned status = 501;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(exchange->method, known[i]) == 0)
            status = 405;
    error_page(exchange, status, NULL, &facts);
}
