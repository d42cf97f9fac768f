/* SPDX-License-Identifier: ISC */
/* web_built_in.c - the built-in site: its pages, its status, and what measures the way to it. */
#include <stdio.h>
#include <stdlib.h>

#include "app/web/pages.h"
#include "app/web/web_exchange.h"
#include "app/web/web_types.h"
#include "base/text.h"

#define BYTES_MAX (UINT64_C(1) << 50) /* what /bytes/ serves at most */
#define METHODS_SINK "PUT, POST, OPTIONS"

static const char html_type[] = "text/html; charset=utf-8";

/* ---- made anew for every request ---- */

static void reply_text(struct web_exchange *exchange, const char *type, struct bytes text)
{
    web_reply(exchange, &(struct web_reply){.status = 200,
                                           .type = type,
                                           .cache = "no-store",
                                           .modified = INT64_MIN,
                                           .body = web_body_of(text)});
}

static void on_home(struct web_exchange *exchange, struct bytes rest UNUSED)
{
    struct page_text page = {0};
    web_page_site(exchange, &page);
    web_reply_page(exchange, 200, html_type, &page);
}

static void on_status(struct web_exchange *exchange, struct bytes rest UNUSED)
{
    const struct web_site *site = &exchange->web->site;
    struct page_text page = {0};
    if (site->status == NULL) {
        page_add(&page, "{\"program\":\"wholenet\"}\n");
    } else {
        page.data = malloc(WEB_STATUS_MAX);
        page.size = WEB_STATUS_MAX;
        page.failed = page.data == NULL;
        if (page.data != NULL)
            page.len = site->status(site->self, page.data, page.size);
        page.failed |= page.len > page.size;
    }
    web_reply_page(exchange, 200, "application/json", &page);
}

static void on_health(struct web_exchange *exchange, struct bytes rest UNUSED)
{
    reply_text(exchange, "text/plain", bytes_of_text("ok\n"));
}

/* ---- measurements ---- */

/* /bytes/1000, /bytes/10M: so many octets of a pattern. */
static void on_bytes(struct web_exchange *exchange, struct bytes rest)
{
    uint64_t len;
    if (!text_parse_size(rest, &len) || len > BYTES_MAX) {
        web_reply_error(exchange, 404, "Ask for a number of octets: /bytes/1000, /bytes/10M.");
        return;
    }
    web_reply(exchange, &(struct web_reply){.status = 200,
                                           .type = "application/octet-stream",
                                           .cache = "no-store",
                                           .modified = INT64_MIN,
                                           .body = {.kind = WEB_BODY_PATTERN, .len = len}});
}

static void on_sink_body(struct web_exchange *exchange, struct bytes data)
{
    exchange->sink_octets += data.len;
}

static void on_sink_end(struct web_exchange *exchange)
{
    usec now = loop_now(net_loop(exchange->web->net));
    double seconds = (double)(now - exchange->request_at) / 1e6;
    struct page_text page = {0};
    page_add_format(&page, "{\"octets\": %llu, \"seconds\": %.6f}\n",
                    (unsigned long long)exchange->sink_octets, seconds);
    web_reply_page(exchange, 200, "application/json", &page);
}

static void on_sink_over(struct web_exchange *exchange UNUSED) {}

static const struct web_service sink = {on_sink_body, on_sink_end, on_sink_over, on_sink_over};

static void on_sink(struct web_exchange *exchange, struct bytes rest UNUSED)
{
    if (exchange->event->framing.kind == HTTP_FRAMING_NONE) {
        web_reply_error(exchange, 411, "Say how much there is to come, or send it chunked.");
        return;
    }
    exchange->sink_octets = 0;
    exchange->service = &sink;
    (void)exchange->transport->accept_body(exchange, UINT64_MAX);
}

/* ---- embedded files ---- */

static void reply_embedded(struct web_exchange *exchange, const struct web_page *page)
{
    struct web_reply reply = {
        .type = web_type_of(bytes_of_text(page->path)),
        .etag = exchange->web->etags[page - web_pages],
        .cache = "no-cache",
        .modified = INT64_MIN,
        .built_in = true,
        .body = web_body_of(bytes_of(page->data, page->len)),
    };
    web_reply_entity(exchange, &exchange->event->head, &reply);
}

/* The title of a page is its first heading. */
static void copy_title(struct bytes html, char *out, size_t size)
{
    struct text title = text_of(out, size);
    for (size_t i = 0; i + 4 <= html.len; i++) {
        if (memcmp(html.data + i, "<h1>", 4) != 0)
            continue;
        struct bytes heading = bytes_after(html, i + 4);
        text_add_bytes(&title, bytes_first(heading, bytes_find(heading, '<')));
        return;
    }
    text_add(&title, "wholenet");
}

/* /docs/, /docs/run.html: fragments that are given the site's head and foot. */
static void on_docs(struct web_exchange *exchange, struct bytes rest)
{
    char path[256];
    char title[100];
    if (rest.len == 0)
        rest = bytes_of_text("index.html");
    snprintf(path, sizeof path, "/docs/%.*s", (int)(rest.len < 200 ? rest.len : 200),
             (const char *)rest.data);
    const struct web_page *found = web_page_find(bytes_of_text(path));
    if (found == NULL) {
        web_reply_error(exchange, 404, "There is no page of this name.");
        return;
    }
    struct page_text content = {0};
    struct page_text page = {0};
    struct bytes html = bytes_of(found->data, found->len);
    page_add(&content, "<article>");
    page_add_bytes(&content, html);
    page_add(&content, "</article>");
    copy_title(html, title, sizeof title);
    web_page_wrap(exchange, title, page_bytes(&content), &page);
    page.failed |= content.failed;
    page_done(&content);
    web_reply_page(exchange, 200, html_type, &page);
}

static void on_form(struct web_exchange *exchange, struct bytes rest UNUSED)
{
    web_form_request(exchange);
}

/* ---- routes ---- */

typedef void (*route_handler)(struct web_exchange *exchange, struct bytes rest);

static const struct route {
    const char *path;
    bool below; /* the path is a prefix; what follows it is `rest` */
    const char *methods;
    route_handler handle;
} routes[] = {
    {"/", false, WEB_METHODS_READ, on_home},
    {"/status.json", false, WEB_METHODS_READ, on_status},
    {"/healthz", false, WEB_METHODS_READ, on_health},
    {"/bytes/", true, WEB_METHODS_READ, on_bytes},
    {"/sink", false, METHODS_SINK, on_sink},
    {"/form", false, WEB_FORM_METHODS, on_form},
    {"/docs/", true, WEB_METHODS_READ, on_docs},
};

/* Files of web/ that are served as they are. */
static const char *const assets[] = {"/style.css", "/live.js", "/favicon.svg", "/robots.txt"};

static const struct route *find_route(struct bytes path, struct bytes *rest)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        struct bytes wanted = bytes_of_text(routes[i].path);
        bool same = routes[i].below ? bytes_equal(bytes_first(path, wanted.len), wanted)
                                    : bytes_equal(path, wanted);
        if (same) {
            *rest = bytes_after(path, wanted.len);
            return &routes[i];
        }
    }
    return NULL;
}

static const struct web_page *find_asset(struct bytes path)
{
    for (size_t i = 0; i < ARRAY_LEN(assets); i++)
        if (bytes_equal(path, bytes_of_text(assets[i])))
            return web_page_find(path);
    return NULL;
}

/* The path within the built-in site; false: it is not there. */
static bool strip_prefix(const struct web_place *place, struct bytes *path)
{
    struct bytes prefix = bytes_of_text(place->prefix);
    if (place->rule->built_in_off || !bytes_equal(bytes_first(*path, prefix.len), prefix))
        return false;
    struct bytes rest = bytes_after(*path, prefix.len);
    if (rest.len == 0 || rest.data[0] != '/')
        return false;
    *path = rest;
    return true;
}

bool web_built_in_request(struct web_exchange *exchange, struct bytes path)
{
    struct bytes rest;
    if (!strip_prefix(exchange->place, &path))
        return false;
    const struct route *route = find_route(path, &rest);
    const struct web_page *asset = find_asset(path);
    if (!web_site_has_method(exchange, route != NULL ? route->methods : WEB_METHODS_READ))
        return true;
    if (route != NULL)
        route->handle(exchange, rest);
    else if (asset != NULL)
        reply_embedded(exchange, asset);
    else
        web_reply_error(exchange, 404, NULL);
    return true;
}
