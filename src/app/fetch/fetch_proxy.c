/* SPDX-License-Identifier: ISC */
/*
 * fetch_proxy.c - which proxy a URL is asked for through: the environment's variables, as curl(1), wget(1) and
 * most others have them.
 */
#include "app/fetch/fetch_proxy.h"

#include <stdlib.h>

#include "base/address.h"

/* http_proxy in lower case only: a CGI program's environment has HTTP_PROXY from a field of the client's. */
static const char *environment(const struct url *url)
{
    const char *value = NULL;
    if (strcmp(url->scheme, "http") == 0 || strcmp(url->scheme, "ws") == 0) {
        value = getenv("http_proxy");
    } else if (strcmp(url->scheme, "https") == 0 || strcmp(url->scheme, "wss") == 0) {
        value = getenv("https_proxy");
        if (value == NULL)
            value = getenv("HTTPS_PROXY");
    }
    if (value == NULL)
        value = getenv("all_proxy");
    return value != NULL ? value : getenv("ALL_PROXY");
}

/* "example.org" or ".example.org" for it and what is below; an address; a prefix; "host:port". */
static bool entry_matches(struct bytes entry, const struct url *url)
{
    struct bytes host = bytes_of_text(url->host);
    struct ip_prefix prefix;
    struct ip_address address;
    size_t colon = bytes_find(entry, ':');
    uint64_t port = 0;
    if (address_parse(host, &address) && prefix_parse(entry, &prefix))
        return prefix_contains(&prefix, &address);
    if (bytes_find(bytes_after(entry, colon + 1), ':') == bytes_after(entry, colon + 1).len &&
        text_parse_number(bytes_after(entry, colon + 1), 65535, &port)) {
        if (port != url->port)
            return false;
        entry = bytes_first(entry, colon);
    }
    if (entry.len > 0 && entry.data[0] == '.')
        entry = bytes_after(entry, 1);
    if (entry.len == 0 || host.len < entry.len ||
        !bytes_equal_nocase(bytes_after(host, host.len - entry.len), entry))
        return false;
    return host.len == entry.len || host.data[host.len - entry.len - 1] == '.';
}

static bool is_excepted(const struct url *url)
{
    const char *value = getenv("no_proxy");
    if (value == NULL)
        value = getenv("NO_PROXY");
    struct bytes list = value != NULL ? bytes_of_text(value) : bytes_empty();
    while (list.len > 0) {
        size_t end = 0;
        while (end < list.len && list.data[end] != ',' && list.data[end] != ' ')
            end++;
        struct bytes entry = bytes_first(list, end);
        if (bytes_equal(entry, bytes_of_text("*")) || entry_matches(entry, url))
            return true;
        list = bytes_after(list, end + 1);
    }
    return false;
}

enum url_status fetch_parse_url(const char *text, url_to_ascii *to_ascii, struct url *out)
{
    enum url_status status = url_parse(bytes_of_text(text), to_ascii, out);
    /* "example.org:8080/x" looks as if it had a scheme. */
    if (status != URL_NO_SCHEME && (status != URL_NO_HOST || strstr(text, "//") != NULL))
        return status;
    char longer[URL_TEXT_MAX + 8];
    struct text t = text_of(longer, sizeof longer);
    text_add_format(&t, "http://%s", text);
    return t.failed ? URL_TOO_LONG : url_parse(text_bytes(&t), to_ascii, out);
}

const char *fetch_environment_proxy(const struct url *url)
{
    const char *value = is_excepted(url) ? NULL : environment(url);
    return value != NULL && value[0] != '\0' ? value : NULL;
}
