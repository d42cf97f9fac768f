/* SPDX-License-Identifier: ISC */
/* uri_reference.c - RFC 3986 §5.2 (resolution), §6.2 (normal form), appendix B (splitting). */
#include "wire/http/uri_reference.h"

#include "wire/http/http_octets.h"
#include "wire/http/uri.h"

static size_t find_any(struct bytes in, const char *octets)
{
    for (size_t i = 0; i < in.len; i++)
        if (in.data[i] != '\0' && strchr(octets, in.data[i]) != NULL)
            return i;
    return in.len;
}

void uri_split(struct bytes uri, struct uri_parts *out)
{
    *out = (struct uri_parts){.scheme = bytes_empty(),
                              .authority = bytes_empty(),
                              .query = bytes_empty(),
                              .fragment = bytes_empty()};
    size_t end = find_any(uri, ":/?#");
    if (end < uri.len && end > 0 && uri.data[end] == ':') {
        out->has_scheme = true;
        out->scheme = bytes_first(uri, end);
        uri = bytes_after(uri, end + 1);
    }
    if (uri.len >= 2 && uri.data[0] == '/' && uri.data[1] == '/') {
        out->has_authority = true;
        uri = bytes_after(uri, 2);
        end = find_any(uri, "/?#");
        out->authority = bytes_first(uri, end);
        uri = bytes_after(uri, end);
    }
    end = find_any(uri, "#");
    out->has_fragment = end < uri.len;
    out->fragment = bytes_after(uri, end + 1);
    uri = bytes_first(uri, end);
    end = find_any(uri, "?");
    out->has_query = end < uri.len;
    out->query = bytes_after(uri, end + 1);
    out->path = bytes_first(uri, end);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool is_unreserved(int c)
{
    return (lower((uint8_t)c) >= 'a' && lower((uint8_t)c) <= 'z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

/* Octets of a path, query or fragment. A dot that was encoded stays so: whether "%2e%2e" leads
 * upwards is for who resolves it to say. */
static void write_normal(struct writer *w, struct bytes in)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.data[i];
        int high = c == '%' && in.len - i > 2 ? http_hex_value(in.data[i + 1]) : -1;
        int low = high >= 0 ? http_hex_value(in.data[i + 2]) : -1;
        if (c <= 0x20 || c >= 0x7f || (c == '%' && low < 0)) {
            w->failed = true;
            return;
        }
        if (c != '%') {
            write_u8(w, c);
            continue;
        }
        int octet = high << 4 | low;
        if (is_unreserved(octet) && octet != '.') {
            write_u8(w, (uint8_t)octet);
        } else {
            write_u8(w, '%');
            write_u8(w, (uint8_t)hex[high]);
            write_u8(w, (uint8_t)hex[low]);
        }
        i += 2;
    }
}

/* What may stand in a path or a query, as it stands. */
static void write_as_it_is(struct writer *w, struct bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.data[i];
        bool encoded = c == '%' && in.len - i > 2 && http_hex_value(in.data[i + 1]) >= 0 &&
                       http_hex_value(in.data[i + 2]) >= 0;
        if (c <= 0x20 || c >= 0x7f || (c == '%' && !encoded))
            w->failed = true;
    }
    write_bytes(w, in);
}

static void write_lower(struct writer *w, struct bytes in)
{
    for (size_t i = 0; i < in.len; i++)
        write_u8(w, lower(in.data[i]));
}

static void write_authority(struct writer *w, struct bytes authority, uint16_t default_port)
{
    struct bytes host;
    uint16_t port;
    if (!uri_authority_parse(authority, &host, &port)) {
        w->failed = true;
        return;
    }
    bool literal = bytes_find(host, ':') < host.len;
    if (literal)
        write_u8(w, '[');
    write_lower(w, host);
    if (literal)
        write_u8(w, ']');
    if (port == 0 || port == default_port)
        return;
    char digits[6];
    size_t at = sizeof digits;
    for (uint16_t rest = port; rest > 0; rest /= 10)
        digits[--at] = (char)('0' + rest % 10);
    write_u8(w, ':');
    write_copy(w, digits + at, sizeof digits - at);
}

/* Scheme and authority; false: it is none of ours. */
static bool write_origin(struct writer *w, const struct uri_parts *parts)
{
    bool http = bytes_equal_nocase(parts->scheme, bytes_of_text("http"));
    if (!http && !bytes_equal_nocase(parts->scheme, bytes_of_text("https")))
        return false;
    if (!parts->has_authority)
        return false;
    write_lower(w, parts->scheme);
    write_copy(w, "://", 3);
    write_authority(w, parts->authority, http ? 80 : 443);
    return true;
}

static bool write_uri(const struct uri_parts *parts, struct writer *out,
                      void (*write)(struct writer *w, struct bytes in))
{
    if (!write_origin(out, parts))
        return false;
    if (parts->path.len == 0)
        write_u8(out, '/');
    else if (parts->path.data[0] != '/')
        return false;
    write(out, parts->path);
    if (parts->has_query) {
        write_u8(out, '?');
        write(out, parts->query);
    }
    return !out->failed;
}

bool uri_normalise(const struct uri_parts *parts, struct writer *out)
{
    return write_uri(parts, out, write_normal);
}

bool uri_normalise_origin(const struct uri_parts *parts, struct writer *out)
{
    return write_uri(parts, out, write_as_it_is);
}

size_t uri_remove_dots(uint8_t *path, size_t len)
{
    size_t kept = 0; /* octets that stay, without the slash before the next segment */
    for (size_t at = 0; at < len;) {
        size_t end = at + 1;
        while (end < len && path[end] != '/')
            end++;
        size_t segment = end - at - 1;
        bool dot = segment == 1 && path[at + 1] == '.';
        bool dots = segment == 2 && path[at + 1] == '.' && path[at + 2] == '.';
        if (dots)
            while (kept > 0 && path[--kept] != '/')
                ;
        if (!dot && !dots) {
            memmove(path + kept, path + at, segment + 1);
            kept += segment + 1;
        } else if (end == len) {
            path[kept++] = '/'; /* "/a/.." is "/" */
        }
        at = end;
    }
    return kept;
}

/* The base's path up to its last slash, and the reference's behind it (§5.2.3). */
static void write_merged(struct writer *w, const struct uri_parts *base, struct bytes path)
{
    size_t keep = base->path.len;
    while (keep > 0 && base->path.data[keep - 1] != '/')
        keep--;
    if (keep == 0)
        write_u8(w, '/');
    write_normal(w, bytes_first(base->path, keep));
    write_normal(w, path);
}

bool uri_resolve(struct bytes base, struct bytes reference, bool fragment, struct writer *out)
{
    struct uri_parts b, r;
    uri_split(base, &b);
    uri_split(reference, &r);
    struct uri_parts origin = r;
    if (!r.has_scheme) {
        origin.scheme = b.scheme;
        if (!r.has_authority) {
            origin.authority = b.authority;
            origin.has_authority = b.has_authority;
        }
    }
    bool of_base = !r.has_scheme && !r.has_authority;
    bool same_path = of_base && r.path.len == 0;
    if (!write_origin(out, &origin) || out->failed)
        return false;
    size_t from = writer_len(out);
    if (same_path && b.path.len > 0)
        write_normal(out, b.path);
    else if (of_base && r.path.len > 0 && r.path.data[0] != '/')
        write_merged(out, &b, r.path);
    else if (r.path.len > 0 && r.path.data[0] != '/')
        return false;
    else if (r.path.len > 0)
        write_normal(out, r.path);
    else
        write_u8(out, '/');
    if (out->failed)
        return false;
    uint8_t *path = out->start + from;
    out->next = path + uri_remove_dots(path, writer_len(out) - from);
    bool base_query = same_path && !r.has_query;
    if (base_query ? b.has_query : r.has_query) {
        write_u8(out, '?');
        write_normal(out, base_query ? b.query : r.query);
    }
    if (fragment && r.has_fragment) {
        write_u8(out, '#');
        write_normal(out, r.fragment);
    }
    return !out->failed;
}

bool uri_same_origin(struct bytes a, struct bytes b)
{
    struct uri_parts first, second;
    uri_split(a, &first);
    uri_split(b, &second);
    return bytes_equal(first.scheme, second.scheme) &&
           bytes_equal(first.authority, second.authority);
}
