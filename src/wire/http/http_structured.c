/* SPDX-License-Identifier: ISC */
/* http_structured.c - the parsing algorithms of RFC 8941 §4.2, and RFC 9651 §4.2.9 and §4.2.10. */
#include "wire/http/http_structured.h"

#include "wire/http/http_octets.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_alpha(uint8_t c)
{
    return is_lower(c | 0x20);
}

/* The octet at the front, or a NUL, which stands nowhere in a structured field. */
static uint8_t front(struct bytes in)
{
    return in.len > 0 ? in.data[0] : 0;
}

static bool take(struct bytes *in, uint8_t octet)
{
    if (in->len == 0 || in->data[0] != octet)
        return false;
    *in = bytes_after(*in, 1);
    return true;
}

static void skip(struct bytes *in, const char *octets)
{
    while (in->len > 0 && strchr(octets, in->data[0]) != NULL && in->data[0] != '\0')
        *in = bytes_after(*in, 1);
}

/* What lies between `from` and what is left of it. */
static struct bytes between(struct bytes from, struct bytes rest)
{
    return bytes_first(from, from.len - rest.len);
}

/* §4.2.3.3 */
static bool take_key(struct bytes *in, struct bytes *out)
{
    struct bytes from = *in;
    if (!is_lower(front(*in)) && front(*in) != '*')
        return false;
    while (is_lower(front(*in)) || is_digit(front(*in)) ||
           (front(*in) != '\0' && strchr("_-.*", front(*in)) != NULL))
        *in = bytes_after(*in, 1);
    *out = between(from, *in);
    return true;
}

/* §4.2.4 */
static bool take_number(struct bytes *in, struct http_sf_member *out)
{
    bool negative = take(in, '-');
    unsigned digits = 0, fraction = 0;
    int64_t value = 0;
    for (; is_digit(front(*in)); *in = bytes_after(*in, 1)) {
        if (++digits > HTTP_SF_DIGITS_MAX)
            return false;
        value = value * 10 + (front(*in) - '0');
    }
    if (digits == 0)
        return false;
    out->kind = HTTP_SF_INTEGER;
    if (front(*in) == '.') {
        *in = bytes_after(*in, 1);
        if (digits > HTTP_SF_WHOLE_DIGITS_MAX)
            return false;
        for (; is_digit(front(*in)); *in = bytes_after(*in, 1)) {
            if (++fraction > HTTP_SF_FRACTION_MAX)
                return false;
            value = value * 10 + (front(*in) - '0');
        }
        if (fraction == 0)
            return false;
        for (; fraction < HTTP_SF_FRACTION_MAX; fraction++)
            value *= 10;
        out->kind = HTTP_SF_DECIMAL;
    }
    out->number = negative ? -value : value;
    return true;
}

/* §4.2.5 */
static bool take_string(struct bytes *in, struct bytes *out)
{
    struct bytes from = *in;
    while (in->len > 0) {
        struct bytes here = *in;
        uint8_t c = front(*in);
        *in = bytes_after(*in, 1);
        if (c == '"') {
            *out = between(from, here);
            return true;
        }
        if (c == '\\' && !take(in, '"') && !take(in, '\\'))
            return false;
        if (c < 0x20 || c > 0x7e)
            return false;
    }
    return false;
}

/* §4.2.6 */
static void take_token(struct bytes *in, struct bytes *out)
{
    struct bytes from = *in;
    while (in->len > 0 && (http_octet_is(front(*in), HTTP_OCTET_TOKEN) || front(*in) == ':' ||
                           front(*in) == '/'))
        *in = bytes_after(*in, 1);
    *out = between(from, *in);
}

/* §4.2.7. Padding may be missing, but letters of another alphabet may not be there. */
static bool take_octets(struct bytes *in, struct bytes *out)
{
    size_t end = bytes_find(*in, ':');
    if (end == in->len)
        return false;
    *out = bytes_first(*in, end);
    *in = bytes_after(*in, end + 1);
    for (size_t i = 0; i < out->len; i++) {
        uint8_t c = out->data[i];
        if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '/' && c != '=')
            return false;
    }
    return true;
}

/* RFC 9651 §4.2.10; the octets that the encodings stand for must be UTF-8 (checked by who shows it). */
static bool take_display(struct bytes *in, struct bytes *out)
{
    struct bytes from = *in;
    while (in->len > 0) {
        struct bytes here = *in;
        uint8_t c = front(*in);
        *in = bytes_after(*in, 1);
        if (c == '"') {
            *out = between(from, here);
            return true;
        }
        if (c < 0x20 || c > 0x7e)
            return false;
        if (c != '%')
            continue;
        for (int i = 0; i < 2; i++) {
            if (!is_digit(front(*in)) && !(front(*in) >= 'a' && front(*in) <= 'f'))
                return false;
            *in = bytes_after(*in, 1);
        }
    }
    return false;
}

/* §4.2.3.1: the kind is told by the first octet. */
static bool take_bare(struct bytes *in, struct http_sf_member *out)
{
    uint8_t c = front(*in);
    out->number = 0;
    out->text = bytes_empty();
    if (c == '-' || is_digit(c))
        return take_number(in, out);
    if (is_alpha(c) || c == '*') {
        out->kind = HTTP_SF_TOKEN;
        take_token(in, &out->text);
        return true;
    }
    if (in->len > 0)
        *in = bytes_after(*in, 1);
    switch (c) {
    case '"':
        out->kind = HTTP_SF_STRING;
        return take_string(in, &out->text);
    case ':':
        out->kind = HTTP_SF_OCTETS;
        return take_octets(in, &out->text);
    case '?':
        out->kind = HTTP_SF_BOOLEAN;
        out->number = front(*in) == '1';
        return take(in, '0') || take(in, '1');
    case '@':
        if (!take_number(in, out) || out->kind != HTTP_SF_INTEGER)
            return false;
        out->kind = HTTP_SF_DATE;
        return true;
    case '%':
        out->kind = HTTP_SF_DISPLAY;
        return take(in, '"') && take_display(in, &out->text);
    default:
        return false;
    }
}

/* §4.2.3.2 */
static bool take_parameters(struct bytes *in, struct bytes *out)
{
    struct bytes from = *in;
    struct http_sf_member ignored;
    while (take(in, ';')) {
        skip(in, " ");
        if (!take_key(in, &ignored.key))
            return false;
        if (take(in, '=') && !take_bare(in, &ignored))
            return false;
    }
    *out = between(from, *in);
    return true;
}

static bool take_item(struct bytes *in, struct http_sf_member *out)
{
    return take_bare(in, out) && take_parameters(in, &out->parameters);
}

/* §4.2.1.2, after the parenthesis. */
static bool take_inner_list(struct bytes *in, struct http_sf_member *out)
{
    struct bytes from = *in;
    struct http_sf_member item;
    for (;;) {
        struct bytes here = *in;
        skip(in, " ");
        if (front(*in) == ')') {
            out->kind = HTTP_SF_LIST;
            out->number = 0;
            out->text = between(from, *in);
            *in = bytes_after(*in, 1);
            return take_parameters(in, &out->parameters);
        }
        if (in->len == 0 || (here.len == in->len && here.data != from.data))
            return false; /* items are apart by a space */
        if (!take_item(in, &item))
            return false;
    }
}

static bool take_item_or_list(struct bytes *in, struct http_sf_member *out)
{
    return take(in, '(') ? take_inner_list(in, out) : take_item(in, out);
}

/* Before a member: spaces at the front, or the comma after another. */
static enum http_sf_step before_member(struct bytes *rest, bool first)
{
    if (first) {
        skip(rest, " ");
        return rest->len == 0 ? HTTP_SF_END : HTTP_SF_MEMBER;
    }
    struct bytes here = *rest;
    skip(rest, " \t");
    if (rest->len == 0) {
        /* Only spaces may stand at the very end (§4.2, step 7). */
        skip(&here, " ");
        return here.len == 0 ? HTTP_SF_END : HTTP_SF_MALFORMED;
    }
    if (!take(rest, ','))
        return HTTP_SF_MALFORMED;
    skip(rest, " \t");
    return rest->len == 0 ? HTTP_SF_MALFORMED : HTTP_SF_MEMBER;
}

enum http_sf_step http_sf_list(struct bytes *rest, bool first, struct http_sf_member *out)
{
    enum http_sf_step step = before_member(rest, first);
    if (step != HTTP_SF_MEMBER)
        return step;
    out->key = bytes_empty();
    return take_item_or_list(rest, out) ? HTTP_SF_MEMBER : HTTP_SF_MALFORMED;
}

/* A key alone is a member that is true (§4.2.2). */
static bool take_true(struct bytes *in, struct http_sf_member *out)
{
    out->kind = HTTP_SF_BOOLEAN;
    out->number = 1;
    out->text = bytes_empty();
    return take_parameters(in, &out->parameters);
}

enum http_sf_step http_sf_dictionary(struct bytes *rest, bool first, struct http_sf_member *out)
{
    enum http_sf_step step = before_member(rest, first);
    if (step != HTTP_SF_MEMBER)
        return step;
    if (!take_key(rest, &out->key))
        return HTTP_SF_MALFORMED;
    bool taken = take(rest, '=') ? take_item_or_list(rest, out) : take_true(rest, out);
    return taken ? HTTP_SF_MEMBER : HTTP_SF_MALFORMED;
}

enum http_sf_step http_sf_inner(struct bytes *rest, struct http_sf_member *out)
{
    skip(rest, " ");
    if (rest->len == 0)
        return HTTP_SF_END;
    out->key = bytes_empty();
    return take_item(rest, out) ? HTTP_SF_MEMBER : HTTP_SF_MALFORMED;
}

enum http_sf_step http_sf_parameter(struct bytes *rest, struct http_sf_member *out)
{
    if (rest->len == 0)
        return HTTP_SF_END;
    out->parameters = bytes_empty();
    if (!take(rest, ';'))
        return HTTP_SF_MALFORMED;
    skip(rest, " ");
    if (!take_key(rest, &out->key))
        return HTTP_SF_MALFORMED;
    if (take(rest, '='))
        return take_bare(rest, out) ? HTTP_SF_MEMBER : HTTP_SF_MALFORMED;
    out->kind = HTTP_SF_BOOLEAN;
    out->number = 1;
    out->text = bytes_empty();
    return HTTP_SF_MEMBER;
}

bool http_sf_item(struct bytes value, struct http_sf_member *out)
{
    struct http_sf_member found = {.key = bytes_empty()};
    skip(&value, " ");
    if (!take_item(&value, &found))
        return false;
    skip(&value, " ");
    if (value.len > 0)
        return false;
    *out = found;
    return true;
}

static bool walk(struct bytes value,
                 enum http_sf_step (*next)(struct bytes *, bool, struct http_sf_member *))
{
    struct http_sf_member member;
    enum http_sf_step step = next(&value, true, &member);
    while (step == HTTP_SF_MEMBER)
        step = next(&value, false, &member);
    return step == HTTP_SF_END;
}

bool http_sf_is_dictionary(struct bytes value)
{
    return walk(value, http_sf_dictionary);
}

bool http_sf_is_list(struct bytes value)
{
    return walk(value, http_sf_list);
}

void http_sf_write_unescaped(struct writer *w, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\\' && i + 1 < text.len)
            i++;
        write_u8(w, text.data[i]);
    }
}

void http_sf_write_string(struct writer *w, struct bytes text)
{
    write_u8(w, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c < 0x20 || c > 0x7e)
            w->failed = true;
        if (c == '"' || c == '\\')
            write_u8(w, '\\');
        write_u8(w, c);
    }
    write_u8(w, '"');
}
