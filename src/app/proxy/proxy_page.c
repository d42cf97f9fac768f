/* SPDX-License-Identifier: ISC */
/* proxy_page.c - what people and browsers see of the proxy itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/proxy/proxy_internal.h"
#include "app/web/page_text.h"
#include "wire/http/http_status.h"

char *proxy_page_error(unsigned status, const char *target, const char *tried, size_t *len)
{
    struct page_text page = {0};
    const char *reason = http_status_text(status);
    page_add_format(&page,
                    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                    "<title>%u %s</title></head>\n<body><h1>%u %s</h1>\n",
                    status, reason, status, reason);
    if (target[0] != '\0') {
        page_add(&page, "<p>What was asked for: <code>");
        page_add_text(&page, target);
        page_add(&page, "</code></p>\n");
    }
    if (tried != NULL && tried[0] != '\0') {
        page_add(&page, "<p>What was tried:</p>\n<pre>");
        page_add_text(&page, tried);
        page_add(&page, "</pre>\n");
    } else {
        page_add(&page, "<p>");
        page_add_text(&page, http_status_hint(status));
        page_add(&page, "</p>\n");
    }
    page_add(&page, "<hr><p>Wholenet, proxy</p></body></html>\n");
    if (page.failed) {
        page_done(&page);
        return NULL;
    }
    *len = page.len;
    return page.data;
}

/* The form that Netscape gave it: plain names and addresses of the machine itself go direct. */
char *proxy_page_pac(const struct proxy *proxy, struct bytes host, size_t *len)
{
    char text[1024], authority[PROXY_NAME_MAX + 8];
    struct endpoint local = proxy_local(proxy, 0);
    struct bytes name;
    uint16_t port = 0;
    if (host.len > 0 && host.len < PROXY_NAME_MAX && uri_authority_parse(host, &name, &port))
        snprintf(authority, sizeof authority, "%.*s%s", (int)host.len, (const char *)host.data,
                 port == 0 ? ":80" : "");
    else
        snprintf(authority, sizeof authority, "127.0.0.1:%u", (unsigned)local.port);
    for (const char *c = authority; *c != '\0'; c++)
        if (*c == '"' || *c == '\\' || *c == '\'' || *c == ';')
            return NULL; /* it goes into a program */
    int written = snprintf(text, sizeof text,
                           "function FindProxyForURL(url, host) {\n"
                           "    if (isPlainHostName(host) || host == \"127.0.0.1\")\n"
                           "        return \"DIRECT\";\n"
                           "    return \"PROXY %s; DIRECT\";\n"
                           "}\n",
                           authority);
    char *page = strdup(text);
    *len = (size_t)written;
    return page;
}
