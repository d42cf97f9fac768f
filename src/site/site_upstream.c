/* SPDX-License-Identifier: ISC */
/* site_upstream.c - servers behind, how they are chosen, and how they are asked whether they are well. */
#include "site/site_upstream.h"

#include <string.h>

#include "site/site_values.h"
#include "wire/http/http_octets.h"
#include "wire/http/uri.h"
#include "wire/http/uri_reference.h"

/* [http[s]://]HOST[:PORT][PATH] */
static bool parse_server(struct bytes text, uint16_t default_port, struct upstream_place *out,
                         struct bytes *path)
{
    struct uri_parts parts;
    struct bytes host;
    uint16_t port = 0;
    bool tls = false;
    if (path != NULL)
        *path = bytes_empty();
    uri_split(text, &parts);
    if (parts.has_authority) {
        tls = bytes_equal_nocase(parts.scheme, bytes_of_text("https"));
        if ((!tls && !bytes_equal_nocase(parts.scheme, bytes_of_text("http"))) ||
            (path == NULL && parts.path.len > 1) || parts.has_query || parts.has_fragment)
            return false;
        if (path != NULL)
            *path = parts.path;
        text = parts.authority;
        default_port = tls ? 443 : 80;
    }
    if (!uri_authority_parse(text, &host, &port) || host.len >= PROXY_NAME_MAX)
        return false;
    memset(out, 0, sizeof *out); /* a reload compares it octet by octet */
    memcpy(out->host, host.data, host.len);
    out->port = port != 0 ? port : default_port;
    out->tls = tls;
    return true;
}

/* Cuts the next word off. */
static struct bytes next_word(struct bytes *rest)
{
    struct bytes word = bytes_first(*rest, bytes_find(*rest, ' '));
    *rest = text_trim(bytes_after(*rest, word.len));
    return word;
}

/* "name=5" */
static bool parse_setting(struct bytes word, const char *name, uint64_t max, uint64_t *out)
{
    size_t sign = bytes_find(word, '=');
    return sign < word.len && bytes_equal(bytes_first(word, sign), bytes_of_text(name)) &&
           text_parse_number(bytes_after(word, sign + 1), max, out);
}

bool site_upstream_place(struct bytes text, uint16_t default_port, struct upstream_place *out,
                         struct bytes *path)
{
    uint64_t weight;
    if (!parse_server(next_word(&text), default_port, out, path))
        return false;
    out->weight = 1;
    while (text.len > 0) {
        struct bytes word = next_word(&text);
        if (bytes_equal(word, bytes_of_text("backup")))
            out->backup = true;
        else if (parse_setting(word, "weight", UPSTREAM_WEIGHT_MAX, &weight) && weight > 0)
            out->weight = (uint8_t)weight;
        else
            return false;
    }
    return true;
}

/* "200" or "200-399" */
static bool parse_statuses(struct bytes text, struct upstream_health *health)
{
    uint64_t first, last;
    size_t dash = bytes_find(text, '-');
    if (!text_parse_number(bytes_first(text, dash), 599, &first))
        return false;
    last = first;
    if (dash < text.len && !text_parse_number(bytes_after(text, dash + 1), 599, &last))
        return false;
    health->status_first = (uint32_t)first;
    health->status_last = (uint32_t)last;
    return first >= 200 && first <= last;
}

static bool parse_span(struct bytes text, usec *out)
{
    static const struct site_option span = {.min = 100 * USEC_PER_MSEC, .max = USEC_PER_HOUR};
    return site_parse_duration(text, out, &span);
}

static bool parse_health_word(struct bytes word, struct upstream_health *health)
{
    uint64_t number;
    struct bytes value = bytes_after(word, bytes_find(word, '=') + 1);
    if (bytes_find(word, '=') == word.len)
        return parse_span(word, &health->interval);
    if (bytes_equal(bytes_first(word, 8), bytes_of_text("timeout=")))
        return parse_span(value, &health->timeout);
    if (bytes_equal(bytes_first(word, 7), bytes_of_text("status=")))
        return parse_statuses(value, health);
    if (parse_setting(word, "rise", 100, &number) && number > 0) {
        health->rise = (uint32_t)number;
        return true;
    }
    if (parse_setting(word, "fall", 100, &number) && number > 0) {
        health->fall = (uint32_t)number;
        return true;
    }
    return false;
}

/* PATH [INTERVAL] [timeout=…] [rise=N] [fall=N] [status=N-N] */
bool site_upstream_health(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct upstream_health health = {.interval = 5 * USEC_PER_SEC,
                                     .timeout = 2 * USEC_PER_SEC,
                                     .rise = 2,
                                     .fall = 3,
                                     .status_first = 200,
                                     .status_last = 399};
    struct bytes path = next_word(&text);
    if (path.len == 0 || path.len >= sizeof health.path || path.data[0] != '/' ||
        !http_octets_are(path, HTTP_OCTET_TARGET))
        return false;
    memcpy(health.path, path.data, path.len);
    while (text.len > 0)
        if (!parse_health_word(next_word(&text), &health))
            return false;
    memcpy(field, &health, sizeof health);
    return true;
}

bool site_upstream_balance(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    static const char *const words[] = {[UPSTREAM_ROUND_ROBIN] = "round-robin",
                                        [UPSTREAM_LEAST_CONNECTIONS] = "least-connections",
                                        [UPSTREAM_HASH] = "hash",
                                        [UPSTREAM_COOKIE] = "cookie"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (bytes_equal(text, bytes_of_text(words[i]))) {
            *(enum upstream_balance *)field = (enum upstream_balance)i;
            return true;
        }
    }
    return false;
}
