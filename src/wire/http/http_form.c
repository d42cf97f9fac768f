/* SPDX-License-Identifier: ISC */
/* http_form.c - pairs between "&", parts between boundaries. */
#include "wire/http/http_form.h"

#include "wire/http/http_octets.h"

/* ---- urlencoded ---- */

bool http_form_pair(struct bytes *rest, struct bytes *name, struct bytes *value)
{
    struct bytes pair = bytes_empty();
    while (pair.len == 0 && rest->len > 0) {
        size_t end = bytes_find(*rest, '&');
        pair = bytes_first(*rest, end);
        *rest = bytes_after(*rest, end + 1);
    }
    size_t equal = bytes_find(pair, '=');
    *name = bytes_first(pair, equal);
    *value = bytes_after(pair, equal + 1);
    return pair.len > 0;
}

/* "%" and two digits at the start of `in`: the octet; -1: not that. */
static int escaped(struct bytes in)
{
    if (in.len < 3 || in.data[0] != '%')
        return -1;
    int high = http_hex_value(in.data[1]);
    int low = http_hex_value(in.data[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

void http_form_decode(struct bytes in, struct writer *out)
{
    while (in.len > 0) {
        int octet = escaped(in);
        size_t len = octet < 0 ? 1 : 3;
        if (octet < 0)
            octet = in.data[0] == '+' ? ' ' : in.data[0];
        write_u8(out, (uint8_t)octet);
        in = bytes_after(in, len);
    }
}

/* ---- multipart ---- */

static bool begins_nocase(struct bytes text, const char *word)
{
    struct bytes wanted = bytes_of_text(word);
    return text.len >= wanted.len && bytes_equal_nocase(bytes_first(text, wanted.len), wanted);
}

/*
 * The next of "; name=value" parameters, and *rest behind it. A quoted value is what is between the quotes,
 * escapes and all: browsers make none (they write %22), so that a backslash is one (as in a file's name from
 * Windows). False: there are no more, or it is not of that form.
 */
static bool next_parameter(struct bytes *rest, struct bytes *name, struct bytes *value)
{
    struct bytes in = http_trim(*rest);
    if (in.len == 0 || in.data[0] != ';')
        return false;
    in = http_trim(bytes_after(in, 1));
    size_t equal = bytes_find(in, '=');
    *name = bytes_first(in, equal);
    in = bytes_after(in, equal + 1);
    if (!http_is_token(*name))
        return false;
    if (in.len > 0 && in.data[0] == '"') {
        in = bytes_after(in, 1);
        size_t end = bytes_find(in, '"');
        if (end == in.len)
            return false;
        *value = bytes_first(in, end);
        *rest = bytes_after(in, end + 1);
        return true;
    }
    size_t end = bytes_find(in, ';');
    *value = http_trim(bytes_first(in, end));
    *rest = bytes_after(in, end);
    return true;
}

bool http_part_boundary(struct bytes content_type, struct bytes *out)
{
    static const char form_data[] = "multipart/form-data";
    struct bytes rest = bytes_after(http_trim(content_type), sizeof form_data - 1);
    struct bytes name, value;
    if (!begins_nocase(http_trim(content_type), form_data))
        return false;
    while (next_parameter(&rest, &name, &value)) {
        if (!bytes_equal_nocase(name, bytes_of_text("boundary")))
            continue;
        *out = value;
        return value.len > 0 && value.len <= HTTP_BOUNDARY_MAX;
    }
    return false;
}

/* Where "--boundary" stands at the start of a line; in.len: nowhere. */
static size_t find_delimiter(struct bytes in, struct bytes boundary, bool at_start)
{
    for (size_t i = 0; i + boundary.len + 2 <= in.len; i++) {
        bool line = i == 0 ? at_start : i >= 2 && in.data[i - 1] == '\n' && in.data[i - 2] == '\r';
        if (line && in.data[i] == '-' && in.data[i + 1] == '-' &&
            memcmp(in.data + i + 2, boundary.data, boundary.len) == 0)
            return i;
    }
    return in.len;
}

/* A line without its CRLF; false: it has no end. */
static bool take_line(struct bytes *in, struct bytes *line)
{
    size_t end = bytes_find(*in, '\n');
    if (end == in->len || end == 0 || in->data[end - 1] != '\r')
        return false;
    *line = bytes_first(*in, end - 1);
    *in = bytes_after(*in, end + 1);
    return true;
}

/* Content-Disposition: form-data; name="…"; filename="…" (RFC 7578 §4.2). */
static bool take_disposition(struct bytes value, struct http_part *out)
{
    static const char form_data[] = "form-data";
    struct bytes rest = bytes_after(value, sizeof form_data - 1);
    struct bytes name, text;
    bool named = false;
    if (!begins_nocase(value, form_data))
        return false;
    while (next_parameter(&rest, &name, &text)) {
        if (bytes_equal_nocase(name, bytes_of_text("name"))) {
            out->name = text;
            named = true;
        } else if (bytes_equal_nocase(name, bytes_of_text("filename"))) {
            out->file_name = text;
            out->has_file_name = true;
        }
    }
    return named && http_trim(rest).len == 0;
}

static bool take_fields(struct bytes *in, struct http_part *out)
{
    struct bytes line;
    bool disposed = false;
    for (;;) {
        if (!take_line(in, &line))
            return false;
        if (line.len == 0)
            return disposed;
        size_t colon = bytes_find(line, ':');
        struct bytes name = bytes_first(line, colon);
        struct bytes value = http_trim(bytes_after(line, colon + 1));
        if (colon == line.len || !http_is_token(name) || !http_octets_are(value, HTTP_OCTET_FIELD))
            return false;
        if (bytes_equal_nocase(name, bytes_of_text("Content-Disposition"))) {
            if (disposed || !take_disposition(value, out))
                return false;
            disposed = true;
        } else if (bytes_equal_nocase(name, bytes_of_text("Content-Type"))) {
            out->type = value;
        }
    }
}

/* Behind the boundary: "--" ends the whole; else blanks, and the end of the line. */
static enum http_part_step take_delimiter(struct bytes *in)
{
    struct bytes line;
    if (in->len >= 2 && in->data[0] == '-' && in->data[1] == '-')
        return HTTP_PART_END;
    if (!take_line(in, &line) || http_trim(line).len > 0)
        return HTTP_PART_MALFORMED;
    return HTTP_PART;
}

enum http_part_step http_part_next(struct bytes *rest, bool first, struct bytes boundary,
                                   struct http_part *out)
{
    *out = (struct http_part){bytes_empty(), bytes_empty(), false, bytes_empty(), bytes_empty()};
    if (first) { /* what is in front of the first boundary counts for nothing (RFC 2046 §5.1.1) */
        size_t at = find_delimiter(*rest, boundary, true);
        if (at == rest->len)
            return HTTP_PART_MALFORMED;
        *rest = bytes_after(*rest, at + 2 + boundary.len);
    }
    enum http_part_step step = take_delimiter(rest);
    if (step != HTTP_PART)
        return step;
    if (!take_fields(rest, out))
        return HTTP_PART_MALFORMED;
    /* The delimiter's line end belongs to it: an empty content has the one that ended its fields. */
    size_t at = find_delimiter(*rest, boundary, true);
    if (at == rest->len)
        return HTTP_PART_MALFORMED;
    out->content = bytes_first(*rest, at >= 2 ? at - 2 : 0);
    *rest = bytes_after(*rest, at + 2 + boundary.len);
    return HTTP_PART;
}

void http_part_decode_name(struct bytes in, struct writer *out)
{
    while (in.len > 0) {
        int octet = escaped(in);
        bool known = octet == '"' || octet == '\r' || octet == '\n';
        write_u8(out, known ? (uint8_t)octet : in.data[0]);
        in = bytes_after(in, known ? 3 : 1);
    }
}
