/* SPDX-License-Identifier: ISC */
/* web_page.c - the frame of every page, and the page about this network, from templates of web/. */
#include "app/web/pages.h"
#include "app/web/web_exchange.h"

const struct web_page *web_page_find(struct bytes path)
{
    for (size_t i = 0; i < web_page_count; i++)
        if (bytes_equal(path, bytes_of_text(web_pages[i].path)))
            return &web_pages[i];
    return NULL;
}

static struct bytes embedded(const char *path)
{
    const struct web_page *page = web_page_find(bytes_of_text(path));
    return page != NULL ? bytes_of(page->data, page->len) : bytes_empty();
}

/* ---- the frame of every page ---- */

struct wrap {
    const struct web_exchange *exchange;
    const char *title;
    struct bytes content;
};

static bool is(struct bytes name, const char *text)
{
    return bytes_equal(name, bytes_of_text(text));
}

static bool on_wrap_name(void *self, struct page_text *page, struct bytes name)
{
    const struct wrap *wrap = self;
    if (is(name, "title"))
        page_add_text(page, wrap->title);
    else if (is(name, "domain"))
        page_add_text(page, wrap->exchange->web->domain[0] != '\0' ? wrap->exchange->web->domain
                                                                    : "wholenet");
    else if (is(name, "base"))
        page_add(page, wrap->exchange->place->prefix);
    else if (is(name, "version"))
        page_add(page, WHOLENET_VERSION);
    else if (is(name, "content"))
        page_add_bytes(page, wrap->content);
    else
        return false;
    return true;
}

/* Without a site of ours beside it the page has its own style, and nothing about who served it. */
static const char plain_head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    "<meta name=\"color-scheme\" content=\"light dark\"><title>";
static const char plain_style[] =
    "</title><style>body{font:16px/1.55 system-ui,sans-serif;max-width:60rem;margin:2rem auto;"
    "padding:0 1.25rem}table{border-collapse:collapse;width:100%}th{text-align:left}"
    "th,td{padding:.3rem 1rem .3rem 0;border-bottom:1px solid #8884}.number{text-align:right;"
    "font-variant-numeric:tabular-nums;white-space:nowrap}.code{margin:0;opacity:.6}"
    ".scroll{overflow-x:auto}</style></head><body><main>\n";

void web_page_wrap(const struct web_exchange *exchange, const char *title, struct bytes content,
                   struct page_text *out)
{
    struct wrap wrap = {exchange, title, content};
    if (!exchange->place->rule->built_in_off) {
        page_expand(out, embedded("/layout.html"), on_wrap_name, &wrap);
        return;
    }
    page_add(out, plain_head);
    page_add_text(out, title);
    page_add(out, plain_style);
    page_add_bytes(out, content);
    page_add(out, "</main></body></html>\n");
}

/* ---- the page ---- */

struct home {
    const struct web_exchange *exchange;
    struct endpoint local;
    char client[ADDRESS_TEXT_MAX];
    char server[ADDRESS_TEXT_MAX];
};

static bool on_home_name(void *self, struct page_text *page, struct bytes name)
{
    const struct home *home = self;
    const struct web *web = home->exchange->web;
    if (is(name, "client"))
        page_add_text(page, home->client);
    else if (is(name, "client_port"))
        page_add_format(page, "%u", home->exchange->peer.port);
    else if (is(name, "server"))
        page_add_text(page, home->server);
    else if (is(name, "server_port"))
        page_add_format(page, "%u", home->local.port);
    else if (is(name, "server_name"))
        page_add_text(page, web->server_name);
    else if (is(name, "domain"))
        page_add_text(page, web->domain);
    else if (is(name, "base"))
        page_add(page, home->exchange->place->prefix);
    else if (is(name, "version"))
        page_add(page, home->exchange->protocol);
    else if (is(name, "live"))
        web_page_status(home->exchange, home->client, page);
    else
        return false;
    return true;
}

void web_page_site(struct web_exchange *exchange, struct page_text *out)
{
    struct endpoint client = exchange->peer;
    struct endpoint server = stream_local(exchange->transport->stream(exchange));
    struct home home = {.exchange = exchange, .local = server};
    address_format(&client.address, home.client);
    address_format(&server.address, home.server);
    struct page_text content = {0};
    page_expand(&content, embedded("/index.html"), on_home_name, &home);
    web_page_wrap(exchange, "This network", page_bytes(&content), out);
    out->failed |= content.failed;
    page_done(&content);
}
