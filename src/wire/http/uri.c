/* SPDX-License-Identifier: ISC */
/* uri.c - targets and paths (RFC 3986 §2.1, §3, §5.2.4; RFC 9112 §3.2). */
#include "wire/http/uri.h"

#include "wire/http/http_octets.h"

static bool is_alpha(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_scheme(struct bytes text)
{
    if (text.len == 0 || !is_alpha(text.data[0]))
        return false;
    for (size_t i = 1; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '-' && c != '.')
            return false;
    }
    return true;
}

static void split_query(struct bytes text, struct uri_target *out)
{
    size_t mark = bytes_find(text, '?');
    out->path = bytes_first(text, mark);
    out->query = bytes_after(text, mark + 1);
    out->has_query = mark < text.len;
}

static bool parse_absolute(struct bytes target, struct uri_target *out)
{
    size_t colon = bytes_find(target, ':');
    struct bytes rest = bytes_after(target, colon + 1);
    out->form = URI_ABSOLUTE;
    out->scheme = bytes_first(target, colon);
    if (!is_scheme(out->scheme) || rest.len < 3 || memcmp(rest.data, "//", 2) != 0)
        return false;
    rest = bytes_after(rest, 2);
    size_t end = 0;
    while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?')
        end++;
    out->authority = bytes_first(rest, end);
    split_query(bytes_after(rest, end), out);
    if (out->path.len == 0)
        out->path = bytes_of("/", 1);
    struct bytes host;
    uint16_t port;
    return uri_authority_parse(out->authority, &host, &port);
}

bool uri_target_parse(struct bytes method, struct bytes target, struct uri_target *out)
{
    struct uri_target found = {.scheme = bytes_empty(),
                               .authority = bytes_empty(),
                               .path = bytes_empty(),
                               .query = bytes_empty()};
    if (target.len == 0 || !http_octets_are(target, HTTP_OCTET_TARGET))
        return false;
    if (bytes_equal(method, bytes_of_text("CONNECT"))) {
        struct bytes host;
        uint16_t port = 0;
        found.form = URI_AUTHORITY;
        found.authority = target;
        if (!uri_authority_parse(target, &host, &port) || port == 0)
            return false;
    } else if (target.data[0] == '/') {
        found.form = URI_ORIGIN;
        split_query(target, &found);
    } else if (target.len == 1 && target.data[0] == '*') {
        if (!bytes_equal(method, bytes_of_text("OPTIONS")))
            return false;
        found.form = URI_ASTERISK;
    } else if (!parse_absolute(target, &found)) {
        return false;
    }
    *out = found;
    return true;
}

/* IPv6address or IPvFuture, as far as its octets go; who connects to it parses it. */
static bool is_literal(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (http_hex_value(text.data[i]) < 0 && text.data[i] != ':' && text.data[i] != '.')
            return false;
    return text.len >= 2;
}

bool uri_authority_parse(struct bytes authority, struct bytes *host, uint16_t *port)
{
    struct bytes name;
    struct bytes rest;
    if (authority.len > 0 && authority.data[0] == '[') {
        size_t close = bytes_find(authority, ']');
        if (close == authority.len)
            return false;
        name = bytes_of(authority.data + 1, close - 1);
        rest = bytes_after(authority, close + 1);
        if (!is_literal(name))
            return false;
    } else {
        size_t colon = bytes_find(authority, ':');
        name = bytes_first(authority, colon);
        rest = bytes_after(authority, colon);
        if (bytes_find(name, '[') < name.len || bytes_find(name, ']') < name.len)
            return false;
    }
    if (name.len == 0 || !http_octets_are(name, HTTP_OCTET_HOST))
        return false;
    uint64_t number = 0;
    if (rest.len > 0 && rest.data[0] != ':')
        return false;
    if (rest.len > 1 && !http_number(bytes_after(rest, 1), 65535, &number))
        return false;
    *host = name;
    *port = (uint16_t)number;
    return true;
}

/* The octet at *at, decoded, and *at after it; -1: malformed, or one that may not be. */
static int decode_octet(struct bytes path, size_t *at)
{
    int octet = path.data[(*at)++];
    if (octet == '%') {
        if (path.len - *at < 2)
            return -1;
        int high = http_hex_value(path.data[*at]);
        int low = http_hex_value(path.data[*at + 1]);
        if (high < 0 || low < 0)
            return -1;
        *at += 2;
        octet = high << 4 | low;
        /* A slash that was encoded is data, not a separator; a file's name cannot hold it. */
        if (octet == '/')
            return -1;
    }
    return octet < 0x20 || octet == 0x7f || octet == '\\' ? -1 : octet;
}

/* Takes the last segment of out[0..len), which ends with "/", away; the root stays. */
static size_t drop_segment(const char *out, size_t len)
{
    if (len > 1)
        len--;
    while (len > 1 && out[len - 1] != '/')
        len--;
    return len;
}

/* A segment begins at `start` and ends at `len`: drops it if it is "." or "..", and for ".." the one
 * before it. Returns the new length; what remains ends with "/" if something was dropped. */
static size_t close_segment(const char *out, size_t start, size_t len)
{
    size_t segment = len - start;
    if (segment == 1 && out[start] == '.')
        return start;
    if (segment == 2 && out[start] == '.' && out[start + 1] == '.')
        return drop_segment(out, start);
    return len;
}

size_t uri_path_decode(struct bytes path, char *out, size_t size)
{
    size_t len = 0;
    size_t start = 1; /* of the segment at the end of out */
    if (path.len == 0 || path.data[0] != '/' || size == 0)
        return 0;
    out[len++] = '/';
    for (size_t at = 1; at < path.len;) {
        int octet = decode_octet(path, &at);
        if (octet < 0)
            return 0;
        if (octet == '/') {
            len = close_segment(out, start, len);
            start = len;
            if (out[len - 1] == '/')
                continue;
        }
        if (len == size)
            return 0;
        out[len++] = (char)octet;
        if (octet == '/')
            start = len;
    }
    return close_segment(out, start, len);
}

size_t uri_path_encode(struct bytes path, char *out, size_t size)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t len = 0;
    for (size_t i = 0; i < path.len; i++) {
        uint8_t c = path.data[i];
        bool plain = is_alpha(c) || is_digit(c) || (c != '\0' && strchr("/-._~!$&'()*+,;=:@", c));
        if (size - len < (plain ? 1u : 3u))
            return 0;
        if (plain) {
            out[len++] = (char)c;
        } else {
            out[len++] = '%';
            out[len++] = hex[c >> 4];
            out[len++] = hex[c & 15];
        }
    }
    return len;
}
