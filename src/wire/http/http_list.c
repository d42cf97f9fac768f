/* SPDX-License-Identifier: ISC */
/* http_list.c - lists, weights and entity tags (RFC 9110 §5.6.1, §12.4.2, §8.8.3). */
#include "wire/http/http_list.h"

/* Where the first `separator` outside of quoted strings is, or text.len. */
static size_t find_unquoted(struct bytes text, uint8_t separator)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (quoted && c == '\\')
            i++; /* quoted-pair: the next octet stands for itself */
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == separator)
            return i;
    }
    return text.len;
}

bool http_list_next(struct bytes *rest, struct bytes *element)
{
    while (rest->len > 0) {
        size_t comma = find_unquoted(*rest, ',');
        struct bytes found = http_trim(bytes_first(*rest, comma));
        *rest = bytes_after(*rest, comma + 1);
        if (found.len > 0) {
            *element = found;
            return true;
        }
    }
    return false;
}

struct bytes http_element_name(struct bytes element)
{
    return http_trim(bytes_first(element, find_unquoted(element, ';')));
}

bool http_list_has(struct bytes list, const char *token)
{
    struct bytes wanted = bytes_of_text(token);
    struct bytes element;
    while (http_list_next(&list, &element))
        if (bytes_equal_nocase(http_element_name(element), wanted))
            return true;
    return false;
}

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ) */
static unsigned parse_quality(struct bytes text)
{
    if (text.len < 1 || text.len > 5 || (text.data[0] != '0' && text.data[0] != '1'))
        return 0;
    if (text.len > 1 && text.data[1] != '.')
        return 0;
    unsigned value = (unsigned)(text.data[0] - '0') * 1000;
    unsigned unit = 100;
    for (size_t i = 2; i < text.len; i++, unit /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
        value += (unsigned)(text.data[i] - '0') * unit;
    }
    return value <= 1000 ? value : 0;
}

unsigned http_element_quality(struct bytes element)
{
    struct bytes rest = bytes_after(element, find_unquoted(element, ';') + 1);
    while (rest.len > 0) {
        size_t end = find_unquoted(rest, ';');
        struct bytes parameter = http_trim(bytes_first(rest, end));
        rest = bytes_after(rest, end + 1);
        if (parameter.len >= 2 && (parameter.data[0] | 0x20) == 'q' && parameter.data[1] == '=')
            return parse_quality(bytes_after(parameter, 2));
    }
    return 1000;
}

unsigned http_list_quality(struct bytes list, const char *name)
{
    struct bytes wanted = bytes_of_text(name);
    struct bytes element;
    unsigned any = 0;
    bool empty = true;
    while (http_list_next(&list, &element)) {
        empty = false;
        struct bytes found = http_element_name(element);
        if (bytes_equal_nocase(found, wanted))
            return http_element_quality(element);
        if (found.len == 1 && found.data[0] == '*')
            any = http_element_quality(element);
    }
    return empty ? 1000 : any;
}

static bool is_weak(struct bytes etag)
{
    return etag.len >= 2 && etag.data[0] == 'W' && etag.data[1] == '/';
}

/* Takes the entity tag at the front of *rest, with its W/; false when there is none. A tag may hold
 * commas and backslashes, which are no escapes in it, so that this is not http_list_next(). */
static bool next_etag(struct bytes *rest, struct bytes *etag)
{
    size_t at = 0;
    while (at < rest->len && (rest->data[at] == ',' || rest->data[at] == ' ' ||
                              rest->data[at] == '\t'))
        at++;
    *rest = bytes_after(*rest, at);
    size_t open = is_weak(*rest) ? 2 : 0;
    if (open >= rest->len || rest->data[open] != '"')
        return false;
    size_t end = open + 1;
    while (end < rest->len && http_octet_is(rest->data[end], HTTP_OCTET_ETAG))
        end++;
    if (end == rest->len || rest->data[end] != '"')
        return false;
    *etag = bytes_first(*rest, end + 1);
    *rest = bytes_after(*rest, end + 1);
    return true;
}

bool http_etag_listed(struct bytes list, struct bytes etag, bool strong)
{
    struct bytes all = http_trim(list);
    if (all.len == 1 && all.data[0] == '*')
        return true;
    if (strong && is_weak(etag))
        return false;
    struct bytes opaque = is_weak(etag) ? bytes_after(etag, 2) : etag;
    struct bytes found;
    while (next_etag(&list, &found)) {
        if (strong && is_weak(found))
            continue;
        if (bytes_equal(is_weak(found) ? bytes_after(found, 2) : found, opaque))
            return true;
    }
    return false;
}
