/* SPDX-License-Identifier: ISC */
/* url.c - URLs of clients (RFC 3986 §3, §5.2, §6.2). */
#include "wire/http/url.h"

#include "base/address.h"
#include "wire/http/http_octets.h"
#include "wire/http/uri_reference.h"

static const char *const status_texts[] = {
    [URL_OK] = "ok",
    [URL_NO_SCHEME] = "expected a scheme in front, as in http://",
    [URL_NO_HOST] = "expected a host after \"//\"",
    [URL_BAD_HOST] = "expected a host name or an address",
    [URL_BAD_PORT] = "expected a port from 1 to 65535",
    [URL_TOO_LONG] = "longer than 8000 characters",
    [URL_BAD_ENCODING] = "expected two hexadecimal digits after \"%\", and no control characters",
};
_Static_assert(ARRAY_LEN(status_texts) == URL_STATUS_COUNT, "one text per status");

const char *url_status_text(enum url_status status)
{
    return status_texts[status];
}

static bool is_alpha(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* RFC 3986 §2.3 */
static bool is_unreserved(uint8_t c)
{
    return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

uint16_t url_default_port(const char *scheme)
{
    if (strcmp(scheme, "http") == 0 || strcmp(scheme, "ws") == 0)
        return 80;
    if (strcmp(scheme, "https") == 0 || strcmp(scheme, "wss") == 0)
        return 443;
    return 0;
}

bool url_same_origin(const struct url *a, const struct url *b)
{
    return a->port == b->port && strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0;
}

void url_add_authority(const struct url *url, struct text *out)
{
    text_add_format(out, url->literal ? "[%s]" : "%s", url->host);
    if (url->port != url_default_port(url->scheme))
        text_add_format(out, ":%u", url->port);
}

void url_add_text(const struct url *url, struct text *out)
{
    text_add_format(out, "%s://", url->scheme);
    url_add_authority(url, out);
    text_add_bytes(out, url_target(url));
}

/* ---- percent-encoding ---- */

static void add_octet(struct text *out, uint8_t octet)
{
    text_add_bytes(out, bytes_of(&octet, 1));
}

static void add_encoded(struct text *out, uint8_t octet)
{
    static const char digits[] = "0123456789ABCDEF";
    const uint8_t triplet[3] = {'%', (uint8_t)digits[octet >> 4], (uint8_t)digits[octet & 15]};
    text_add_bytes(out, bytes_of(triplet, sizeof triplet));
}

/* The octet that "%xx" at `at` stands for; -1: it stands for none. */
static int encoded_at(struct bytes in, size_t at)
{
    if (in.len - at < 3)
        return -1;
    int high = http_hex_value(in.data[at + 1]);
    int low = http_hex_value(in.data[at + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool url_decode(struct bytes in, struct text *out)
{
    for (size_t i = 0; i < in.len; i++) {
        int octet = in.data[i];
        if (octet == '%') {
            octet = encoded_at(in, i);
            if (octet < 0)
                return false;
            i += 2;
        }
        add_octet(out, (uint8_t)octet);
    }
    return !out->failed;
}

void url_encode(struct bytes in, struct text *out)
{
    for (size_t i = 0; i < in.len; i++) {
        if (is_unreserved(in.data[i]))
            add_octet(out, in.data[i]);
        else
            add_encoded(out, in.data[i]);
    }
}

/* May the octet stand as itself in a path or a query (§3.3, §3.4)? Brackets and the like may not, but
 * servers take them, and some take nothing else. */
static bool stands(uint8_t c)
{
    return c > 0x20 && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '\\' && c != '^' &&
           c != '`' && c != '{' && c != '|' && c != '}';
}

/* Copies with escapes in upper case, those of unreserved characters undone (§6.2.2.1, §6.2.2.2),
 * and what may not stand escaped. */
static bool add_normal(struct bytes in, struct text *out)
{
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.data[i];
        if (c == '%') {
            int octet = encoded_at(in, i);
            if (octet < 0)
                return false;
            i += 2;
            if (is_unreserved((uint8_t)octet))
                add_octet(out, (uint8_t)octet);
            else
                add_encoded(out, (uint8_t)octet);
        } else if (c < 0x20 || c == 0x7f) {
            return false;
        } else if (stands(c)) {
            add_octet(out, c);
        } else {
            add_encoded(out, c);
        }
    }
    return true;
}

/* ---- paths ---- */

/* Everything from the path on: `directory` is put in front of the path when that is relative. */
static enum url_status take_target(struct bytes directory, struct bytes path, struct bytes query,
                                   bool has_query, struct url *out)
{
    struct text t = text_of(out->target, sizeof out->target);
    if (path.len == 0 || path.data[0] != '/')
        text_add_bytes(&t, directory);
    if (!add_normal(path, &t))
        return URL_BAD_ENCODING;
    if (t.failed)
        return URL_TOO_LONG;
    t.len = uri_remove_dots((uint8_t *)out->target, t.len);
    out->target[t.len] = '\0';
    out->path_len = (uint16_t)t.len;
    if (has_query)
        add_octet(&t, '?');
    if (has_query && !add_normal(query, &t))
        return URL_BAD_ENCODING;
    if (t.failed)
        return URL_TOO_LONG;
    out->target_len = (uint16_t)t.len;
    return URL_OK;
}

/* ---- authorities ---- */

static enum url_status take_literal(struct bytes inside, struct url *out)
{
    struct ip_address address;
    if (!address_parse(inside, &address) || address_is_v4(&address))
        return URL_BAD_HOST;
    out->literal = true;
    char text[ADDRESS_TEXT_MAX];
    struct text t = text_of(out->host, sizeof out->host);
    text_add(&t, address_format(&address, text));
    return URL_OK;
}

/* Escapes in a host are its UTF-8 (§3.2.2). */
static enum url_status take_name(struct bytes name, url_to_ascii *to_ascii, struct url *out)
{
    char decoded[URL_HOST_MAX + 1];
    struct text d = text_of(decoded, sizeof decoded);
    struct text host = text_of(out->host, sizeof out->host);
    if (name.len == 0)
        return URL_NO_HOST;
    if (!url_decode(name, &d))
        return d.failed ? URL_TOO_LONG : URL_BAD_HOST;
    bool ascii = true;
    for (size_t i = 0; i < d.len; i++)
        ascii = ascii && (uint8_t)decoded[i] < 0x80;
    if (ascii)
        text_add_bytes(&host, text_bytes(&d));
    else if (to_ascii == NULL || !to_ascii(text_bytes(&d), &host))
        return URL_BAD_HOST;
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = (uint8_t)out->host[i];
        if (!is_unreserved(c))
            return URL_BAD_HOST;
        if (c >= 'A' && c <= 'Z')
            out->host[i] = (char)(c | 0x20);
    }
    return host.failed ? URL_TOO_LONG : URL_OK;
}

static enum url_status take_port(struct bytes port, struct url *out)
{
    uint64_t number = url_default_port(out->scheme);
    if (port.len > 0 && (!http_number(port, 65535, &number) || number == 0))
        return URL_BAD_PORT;
    out->port = (uint16_t)number;
    return URL_OK;
}

/* [ user "@" ] host [ ":" port ] */
static enum url_status take_authority(struct bytes authority, url_to_ascii *to_ascii,
                                      struct url *out)
{
    size_t at = authority.len; /* of the last "@": passwords that hold one are common */
    while (at > 0 && authority.data[at - 1] != '@')
        at--;
    if (at > 0) {
        struct text user = text_of(out->user, sizeof out->user);
        text_add_bytes(&user, bytes_first(authority, at - 1));
        if (user.failed)
            return URL_TOO_LONG;
    }
    struct bytes rest = bytes_after(authority, at);
    struct bytes port = bytes_empty();
    enum url_status status;
    if (rest.len > 0 && rest.data[0] == '[') {
        size_t close = bytes_find(rest, ']');
        struct bytes behind = bytes_after(rest, close + 1);
        if (close == rest.len || (behind.len > 0 && behind.data[0] != ':'))
            return URL_BAD_HOST;
        port = bytes_after(behind, 1);
        status = take_literal(bytes_of(rest.data + 1, close - 1), out);
    } else {
        size_t colon = bytes_find(rest, ':');
        port = bytes_after(rest, colon + 1);
        status = take_name(bytes_first(rest, colon), to_ascii, out);
    }
    return status == URL_OK ? take_port(port, out) : status;
}

/* ---- the whole ---- */

static bool take_scheme(struct bytes scheme, struct url *out)
{
    if (scheme.len > URL_SCHEME_MAX || !is_alpha(scheme.data[0]))
        return false;
    for (size_t i = 0; i < scheme.len; i++) {
        uint8_t c = scheme.data[i];
        if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '-' && c != '.')
            return false;
        out->scheme[i] = (char)(is_alpha(c) ? c | 0x20 : c);
    }
    out->scheme[scheme.len] = '\0';
    return true;
}

static void clear(struct url *out)
{
    memset(out, 0, offsetof(struct url, target));
    out->target[0] = '\0';
}

static enum url_status take_absolute(const struct uri_parts *r, url_to_ascii *to_ascii,
                                     struct url *out)
{
    if (!r->has_authority)
        return URL_NO_HOST;
    enum url_status status = take_authority(r->authority, to_ascii, out);
    if (status != URL_OK)
        return status;
    return take_target(bytes_of("/", 1), r->path, r->query, r->has_query, out);
}

enum url_status url_parse(struct bytes text, url_to_ascii *to_ascii, struct url *out)
{
    struct uri_parts r;
    clear(out);
    uri_split(text_trim(text), &r);
    if (!r.has_scheme)
        return URL_NO_SCHEME;
    if (!take_scheme(r.scheme, out))
        return URL_NO_SCHEME;
    return take_absolute(&r, to_ascii, out);
}

static void copy_authority(const struct url *base, struct url *out)
{
    memcpy(out->host, base->host, sizeof out->host);
    out->port = base->port;
    out->literal = base->literal;
}

enum url_status url_resolve(const struct url *base, struct bytes reference, url_to_ascii *to_ascii,
                            struct url *out)
{
    struct uri_parts r;
    clear(out);
    uri_split(text_trim(reference), &r);
    if (r.has_scheme)
        return take_scheme(r.scheme, out) ? take_absolute(&r, to_ascii, out) : URL_NO_SCHEME;
    memcpy(out->scheme, base->scheme, sizeof out->scheme);
    if (r.has_authority)
        return take_absolute(&r, to_ascii, out);
    copy_authority(base, out);
    struct bytes path = url_path(base);
    if (r.path.len == 0) {
        struct bytes query = bytes_after(url_target(base), (size_t)base->path_len + 1);
        bool keeps = !r.has_query && base->target_len > base->path_len;
        return take_target(bytes_empty(), path, keeps ? query : r.query, keeps || r.has_query, out);
    }
    while (path.len > 0 && path.data[path.len - 1] != '/')
        path.len--;
    return take_target(path, r.path, r.query, r.has_query, out);
}
