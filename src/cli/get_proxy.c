/* SPDX-License-Identifier: ISC */
/*
 * get_proxy.c - which proxy a URL is asked for through: the environment's variables, as curl(1), wget(1) and
 * most others have them.
 */
#include <stdlib.h>

#include "cli/get.h"

/* http_proxy in lower case only: a CGI program's environment has HTTP_PROXY from a field of the client's. */
static const char *environment(const struct url *url)
{
    const char *value = NULL;
    if (strcmp(url->scheme, "http") == 0) {
        value = getenv("http_proxy");
    } else if (strcmp(url->scheme, "https") == 0) {
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

enum url_status get_proxy_choose(const struct get *g, const struct url *url, struct url *out,
                                 bool *found)
{
    const char *value = g->proxy;
    if (value == NULL && !is_excepted(url))
        value = environment(url);
    *found = value != NULL && value[0] != '\0';
    return *found ? get_parse_url(value, out) : URL_OK;
}
