/* SPDX-License-Identifier: ISC */
/*
 * web_reply.c - answers: the fields that go with them, conditional requests (RFC 9110 §13), ranges
 * (§14), and the pages that say what is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/web/web_session.h"
#include "wire/http/http_date.h"
#include "wire/http/http_list.h"
#include "wire/http/http_range.h"
#include "wire/http/http_status.h"

struct web_body web_body_of(struct bytes data)
{
    return (struct web_body){.kind = WEB_BODY_MEMORY, .data = data, .len = data.len};
}

void web_body_done(struct web_body *body)
{
    if (body->kind == WEB_BODY_MEMORY)
        free(body->owned);
    else if (body->kind == WEB_BODY_FILE)
        (void)close(body->fd);
    *body = (struct web_body){0};
}

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

void web_reply(struct web_session *session, const struct web_reply *reply)
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
    web_body_done(&session->body);
    session->body = reply->body;
    struct http_response response = {.status = reply->status,
                                     .length = reply->body.len,
                                     .content_type = reply->type,
                                     .fields = list.fields,
                                     .field_count = list.count};
    if (!http_server_respond(&session->core, &response))
        web_body_done(&session->body);
}

/* ---- conditions: RFC 9110 §13.2.2, in its order ---- */

/* True when the field is a date, and the representation has not been modified since. */
static bool unmodified_since(struct bytes value, int64_t modified, int64_t now)
{
    int64_t date;
    return modified != INT64_MIN && http_date_parse(value, now, &date) && modified <= date;
}

static unsigned check_conditions(const struct http_fields *fields, const struct web_reply *reply,
                                 int64_t now)
{
    struct bytes value;
    struct bytes etag = reply->etag != NULL ? bytes_of_text(reply->etag) : bytes_empty();
    if (http_field_find(fields, "If-Match", &value)) {
        if (!http_etag_listed(value, etag, true))
            return 412;
    } else if (http_field_find(fields, "If-Unmodified-Since", &value)) {
        int64_t date;
        if (reply->modified != INT64_MIN && http_date_parse(value, now, &date) &&
            reply->modified > date)
            return 412;
    }
    if (http_field_find(fields, "If-None-Match", &value)) {
        if (http_etag_listed(value, etag, false))
            return 304;
    } else if (http_field_find(fields, "If-Modified-Since", &value)) {
        if (unmodified_since(value, reply->modified, now))
            return 304;
    }
    return 200;
}

/* Does If-Range allow the range (§13.1.5)? Only what it names exactly. */
static bool if_range_holds(const struct http_fields *fields, const struct web_reply *reply,
                           int64_t now)
{
    struct bytes value;
    if (!http_field_find(fields, "If-Range", &value))
        return true;
    int64_t date;
    if (http_date_parse(value, now, &date))
        return reply->modified == date;
    return reply->etag != NULL && value.len > 0 && value.data[0] == '"' &&
           bytes_equal(value, bytes_of_text(reply->etag));
}

static void narrow(struct web_body *body, const struct http_range *range)
{
    if (body->kind == WEB_BODY_MEMORY)
        body->data = bytes_first(bytes_after(body->data, (size_t)range->first), (size_t)range->len);
    else
        body->offset += range->first;
    body->len = range->len;
}

static void drop_content(struct web_reply *reply)
{
    web_body_done(&reply->body);
    reply->type = NULL;
}

/* One range is sent as such; several would cost more to frame than the whole costs to send (§14.2
 * lets a server ignore them). */
static void apply_range(const struct http_request_head *head, struct web_reply *reply,
                        char *content_range, size_t size, int64_t now)
{
    struct bytes value;
    struct http_ranges ranges;
    if (!http_field_find(&head->fields, "Range", &value) ||
        !bytes_equal(head->method, bytes_of_text("GET")) ||
        !if_range_holds(&head->fields, reply, now))
        return;
    uint64_t total = reply->body.len;
    switch (http_range_parse(value, total, &ranges)) {
    case HTTP_RANGE_IGNORED:
        return;
    case HTTP_RANGE_UNSATISFIABLE:
        drop_content(reply);
        reply->status = 416;
        snprintf(content_range, size, "bytes */%llu", (unsigned long long)total);
        break;
    case HTTP_RANGE_SATISFIABLE:
        if (ranges.count > 1)
            return;
        narrow(&reply->body, &ranges.list[0]);
        reply->status = 206;
        snprintf(content_range, size, "bytes %llu-%llu/%llu",
                 (unsigned long long)ranges.list[0].first,
                 (unsigned long long)(ranges.list[0].first + ranges.list[0].len - 1),
                 (unsigned long long)total);
        break;
    }
    reply->content_range = content_range;
}

void web_reply_entity(struct web_session *session, const struct http_request_head *head,
                      const struct web_reply *reply)
{
    char content_range[80];
    struct web_reply actual = *reply;
    int64_t now = loop_wall_seconds(net_loop(session->web->net));
    actual.status = check_conditions(&head->fields, reply, now);
    actual.ranges = true;
    if (actual.status == 200)
        apply_range(head, &actual, content_range, sizeof content_range, now);
    else
        drop_content(&actual);
    web_reply(session, &actual);
}

/* ---- pages ---- */

void web_reply_page(struct web_session *session, unsigned status, const char *type,
                    struct page_text *page)
{
    if (page->failed) {
        page_done(page);
        http_server_refuse(&session->core, 500);
        return;
    }
    struct web_body body = web_body_of(page_bytes(page));
    body.owned = page->data;
    *page = (struct page_text){0};
    web_reply(session, &(struct web_reply){.status = status,
                                           .type = type,
                                           .cache = "no-store",
                                           .built_in = true,
                                           .modified = INT64_MIN,
                                           .body = body});
}

static void error_page(struct web_session *session, unsigned status, const char *hint,
                       const char *allow)
{
    struct page_text content = {0};
    struct page_text page = {0};
    page_add_format(&content, "<section class=\"error\"><p class=\"code\">%u</p><h1>%s</h1>", status,
                    http_status_text(status));
    if (hint != NULL) {
        page_add(&content, "<p>");
        page_add_text(&content, hint);
        page_add(&content, "</p>");
    }
    page_add_format(&content, "<p><a href=\"%s/\">Home</a></p></section>", session->web->prefix);
    web_page_wrap(session->web, http_status_text(status), page_bytes(&content), &page);
    page.failed |= content.failed;
    page_done(&content);
    if (page.failed) {
        page_done(&page);
        http_server_refuse(&session->core, status);
        return;
    }
    struct web_body body = web_body_of(page_bytes(&page));
    body.owned = page.data;
    web_reply(session, &(struct web_reply){.status = status,
                                           .type = "text/html; charset=utf-8",
                                           .cache = "no-store",
                                           .built_in = true,
                                           .allow = allow,
                                           .modified = INT64_MIN,
                                           .body = body});
}

void web_reply_error(struct web_session *session, unsigned status, const char *hint)
{
    error_page(session, status, hint, NULL);
}

void web_reply_method(struct web_session *session, const char *allow)
{
    static const char *const known[] = {"GET",    "HEAD",    "POST",    "PUT",
                                        "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(session->method, known[i]) == 0) {
            error_page(session, 405, "This method makes no sense here.", allow);
            return;
        }
    }
    error_page(session, 501, "This method is not known.", allow);
}
