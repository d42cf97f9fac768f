/* SPDX-License-Identifier: ISC */
/*
 * http_head.c - heads of HTTP/1.x messages: RFC 9112 §2.2 (lines), §3 (request line), §4 (status
 * line), §5 (fields), §6 (body), §9.3 (persistence); RFC 9110 §5 (fields).
 */
#include "wire/http/http_head.h"

#include "wire/http/http_date.h"
#include "wire/http/http_list.h"
#include "wire/http/http_octets.h"
#include "wire/http/http_status.h"
#include "wire/http/uri.h"

/* What a line without its end yet, or one that ends at `end`, breaks; limits count from the start
 * of the head, so that they are met at the same octet however the head was cut. */
static enum http_find over_limit(const struct http_finder *finder, size_t end)
{
    if (!finder->has_start_line && end > HTTP_LINE_MAX)
        return HTTP_FIND_LONG_LINE;
    return end > HTTP_HEAD_MAX ? HTTP_FIND_LONG_HEAD : HTTP_FIND_MORE;
}

enum http_find http_find_end(struct http_finder *finder, struct bytes in)
{
    while (finder->scanned < in.len) {
        struct bytes rest = bytes_after(in, finder->scanned);
        size_t feed = bytes_find(rest, '\n');
        size_t end = finder->scanned + feed + (feed < rest.len);
        enum http_find limit = over_limit(finder, end);
        if (limit != HTTP_FIND_MORE)
            return limit;
        finder->scanned = end;
        if (feed == rest.len)
            break;
        size_t line_len = end - finder->line_start;
        if (line_len < 2 || in.data[end - 2] != '\r')
            return HTTP_FIND_MALFORMED;
        finder->line_start = end;
        if (line_len == 2)
            return finder->has_start_line ? HTTP_FIND_DONE : HTTP_FIND_MALFORMED;
        finder->has_start_line = true;
    }
    return HTTP_FIND_MORE;
}

/* The next line without its CRLF. A CR or LF elsewhere is left in it, and no class has them. */
static struct bytes read_line(struct reader *r)
{
    struct bytes rest = bytes_of(r->next, reader_left(r));
    size_t len = bytes_find(rest, '\n');
    struct bytes line = read_bytes(r, len + 1);
    if (line.len < 2 || line.data[line.len - 2] != '\r') {
        r->failed = true;
        return bytes_empty();
    }
    return bytes_first(line, line.len - 2);
}

/* What stands before the first space, which goes too. */
static struct bytes cut_word(struct bytes *line)
{
    size_t space = bytes_find(*line, ' ');
    struct bytes word = bytes_first(*line, space);
    *line = bytes_after(*line, space + 1);
    return word;
}

/* "HTTP/1.1". 0, 400 or 505. */
static unsigned parse_version(struct bytes text, enum http_version *out)
{
    static const uint8_t prefix[5] = {'H', 'T', 'T', 'P', '/'};
    if (text.len != 8 || memcmp(text.data, prefix, 5) != 0 || text.data[6] != '.')
        return 400;
    uint8_t major = text.data[5];
    uint8_t minor = text.data[7];
    if (major < '0' || major > '9' || minor < '0' || minor > '9')
        return 400;
    if (major != '1')
        return 505;
    *out = minor == '0' ? HTTP_VERSION_1_0 : HTTP_VERSION_1_1;
    return 0;
}

/* A tab behind "chunked" is white space by §5.1, but parsers are about that take it for a part of the word. */
static bool has_odd_end(struct bytes line, const struct http_field *field)
{
    if (field->value.len == 0)
        return false; /* and its view perhaps of nothing */
    const uint8_t *end = field->value.data + field->value.len;
    size_t left = (size_t)(line.data + line.len - end);
    return left > 0 && memchr(end, '\t', left) != NULL &&
           bytes_equal_nocase(field->name, bytes_of_text("Transfer-Encoding"));
}

static bool parse_field(struct bytes line, struct http_field *out)
{
    /* A line that begins with a space is obs-fold (§5.2), and a space before the colon would be part
     * of the name (§5.1): neither is a token. */
    size_t colon = bytes_find(line, ':');
    out->name = bytes_first(line, colon);
    out->value = http_trim(bytes_after(line, colon + 1));
    return colon < line.len && http_is_token(out->name) &&
           http_octets_are(out->value, HTTP_OCTET_FIELD) && !has_odd_end(line, out);
}

/* Fields up to the empty line, which ends the head. 0, 400 or 431. */
static unsigned read_fields(struct reader *r, struct http_fields *out)
{
    out->count = 0;
    for (;;) {
        struct bytes line = read_line(r);
        if (r->failed)
            return 400;
        if (line.len == 0)
            return reader_left(r) == 0 ? 0 : 400;
        struct http_field field;
        if (!parse_field(line, &field))
            return 400;
        if (out->count == HTTP_FIELDS_MAX)
            return 431;
        out->list[out->count++] = field;
    }
}

static unsigned parse_request_line(struct bytes line, struct http_request_head *out)
{
    if (line.len + 2 > HTTP_LINE_MAX)
        return 414;
    out->method = cut_word(&line);
    out->target = cut_word(&line);
    if (!http_is_token(out->method) || out->target.len == 0 ||
        !http_octets_are(out->target, HTTP_OCTET_TARGET))
        return 400;
    unsigned refusal = parse_version(line, &out->version);
    if (refusal != 0)
        return refusal;
    return out->method.len > HTTP_METHOD_MAX ? 501 : 0;
}

/* RFC 9112 §3.2: exactly one Host in 1.1, and a valid one; its value may be empty. */
static unsigned check_host(const struct http_request_head *head)
{
    size_t count = http_field_count(&head->fields, "Host");
    if (count > 1 || (count == 0 && head->version == HTTP_VERSION_1_1))
        return 400;
    struct bytes value = http_field_value(&head->fields, "Host");
    struct bytes host;
    uint16_t port;
    return value.len == 0 || uri_authority_parse(value, &host, &port) ? 0 : 400;
}

unsigned http_request_decode(struct bytes head, struct http_request_head *out)
{
    if (head.len > HTTP_HEAD_MAX)
        return 431;
    struct reader r = reader_of(head);
    struct bytes line = read_line(&r);
    if (r.failed)
        return 400;
    unsigned refusal = parse_request_line(line, out);
    if (refusal == 0)
        refusal = read_fields(&r, &out->fields);
    return refusal != 0 ? refusal : check_host(out);
}

/* "HTTP/1.1 200 OK"; the phrase may be missing, and with it, though it should not, the space. */
static enum wire_status parse_status_line(struct bytes line, struct http_response_head *out)
{
    unsigned refusal = parse_version(cut_word(&line), &out->version);
    if (refusal != 0)
        return refusal == 505 ? WIRE_UNSUPPORTED : WIRE_MALFORMED;
    struct bytes code = cut_word(&line);
    uint64_t status;
    if (code.len != 3 || !http_number(code, 999, &status) || status < 100)
        return WIRE_MALFORMED;
    out->status = (unsigned)status;
    out->reason = line;
    return http_octets_are(line, HTTP_OCTET_FIELD) ? WIRE_OK : WIRE_MALFORMED;
}

enum wire_status http_response_decode(struct bytes head, struct http_response_head *out)
{
    struct reader r = reader_of(head);
    struct bytes line = read_line(&r);
    if (r.failed)
        return WIRE_TRUNCATED;
    enum wire_status status = parse_status_line(line, out);
    if (status != WIRE_OK)
        return status;
    switch (read_fields(&r, &out->fields)) {
    case 0:
        return WIRE_OK;
    case 431:
        return WIRE_UNSUPPORTED;
    default:
        return WIRE_MALFORMED;
    }
}

bool http_field_find(const struct http_fields *fields, const char *name, struct bytes *value)
{
    struct bytes wanted = bytes_of_text(name);
    for (size_t i = 0; i < fields->count; i++) {
        if (bytes_equal_nocase(fields->list[i].name, wanted)) {
            *value = fields->list[i].value;
            return true;
        }
    }
    return false;
}

struct bytes http_field_value(const struct http_fields *fields, const char *name)
{
    struct bytes value = bytes_empty();
    (void)http_field_find(fields, name, &value);
    return value;
}

size_t http_field_count(const struct http_fields *fields, const char *name)
{
    struct bytes wanted = bytes_of_text(name);
    size_t count = 0;
    for (size_t i = 0; i < fields->count; i++)
        count += bytes_equal_nocase(fields->list[i].name, wanted);
    return count;
}

bool http_field_has(const struct http_fields *fields, const char *name, const char *token)
{
    struct bytes wanted = bytes_of_text(name);
    for (size_t i = 0; i < fields->count; i++)
        if (bytes_equal_nocase(fields->list[i].name, wanted) &&
            http_list_has(fields->list[i].value, token))
            return true;
    return false;
}

/* All Content-Length fields, and all members of each, must be the same number (RFC 9110 §8.6):
 * a proxy before us may have joined equal ones. *count: how many there are. */
static bool content_length(const struct http_fields *fields, size_t *count, uint64_t *out)
{
    struct bytes wanted = bytes_of_text("Content-Length");
    *count = 0;
    for (size_t i = 0; i < fields->count; i++) {
        if (!bytes_equal_nocase(fields->list[i].name, wanted))
            continue;
        struct bytes rest = fields->list[i].value;
        do { /* once at least, so that an empty value is seen; the list rule would skip it */
            size_t comma = bytes_find(rest, ',');
            uint64_t value;
            if (!http_number(http_trim(bytes_first(rest, comma)), INT64_MAX, &value))
                return false;
            if (++*count > 1 && value != *out)
                return false;
            *out = value;
            if (comma == rest.len)
                break;
            rest = bytes_after(rest, comma + 1);
        } while (true);
    }
    return true;
}

/* 0 when the transfer codings are just "chunked", else 400 or 501 (RFC 9112 §6.1, §6.3). */
static unsigned check_transfer_codings(const struct http_fields *fields)
{
    struct bytes wanted = bytes_of_text("Transfer-Encoding");
    size_t codings = 0;
    bool chunked = false;
    bool plain = false; /* the word alone: lists with gaps are read in more than one way */
    for (size_t i = 0; i < fields->count; i++) {
        if (!bytes_equal_nocase(fields->list[i].name, wanted))
            continue;
        struct bytes rest = fields->list[i].value;
        plain = bytes_equal_nocase(rest, bytes_of_text("chunked"));
        struct bytes coding;
        while (http_list_next(&rest, &coding)) {
            if (chunked)
                return 400; /* nothing may follow it, nor may it come twice */
            codings++;
            chunked = bytes_equal_nocase(coding, bytes_of_text("chunked"));
        }
    }
    if (!chunked || (codings == 1 && !plain))
        return 400;
    return codings == 1 ? 0 : 501;
}

/* What both directions have in common: NONE when no field says anything. 0, 400 or 501. */
static unsigned explicit_framing(enum http_version version, const struct http_fields *fields,
                                 struct http_framing *out)
{
    struct http_framing framing = {.kind = HTTP_FRAMING_NONE};
    size_t lengths;
    if (!content_length(fields, &lengths, &framing.length))
        return 400;
    if (http_field_count(fields, "Transfer-Encoding") > 0) {
        /* Both is an attempt to smuggle (§6.1), and HTTP/1.0 knows no transfer coding. */
        if (lengths > 0 || version == HTTP_VERSION_1_0)
            return 400;
        framing.kind = HTTP_FRAMING_CHUNKED;
        unsigned refusal = check_transfer_codings(fields);
        if (refusal != 0)
            return refusal;
    } else if (lengths > 0) {
        framing.kind = HTTP_FRAMING_LENGTH;
    }
    *out = framing;
    return 0;
}

unsigned http_request_framing(const struct http_request_head *head, struct http_framing *out)
{
    return explicit_framing(head->version, &head->fields, out);
}

enum wire_status http_response_framing(const struct http_response_head *head, bool head_only,
                                       struct http_framing *out)
{
    struct http_framing framing = {.kind = HTTP_FRAMING_NONE};
    bool bodiless = head_only || head->status < 200 || head->status == 204 || head->status == 304;
    unsigned refusal = explicit_framing(head->version, &head->fields, &framing);
    if (refusal != 0)
        return refusal == 501 ? WIRE_UNSUPPORTED : WIRE_MALFORMED;
    if (bodiless)
        framing.kind = HTTP_FRAMING_NONE; /* whatever its fields say (§6.3, first) */
    else if (framing.kind == HTTP_FRAMING_NONE)
        framing.kind = HTTP_FRAMING_UNTIL_CLOSE;
    *out = framing;
    return WIRE_OK;
}

bool http_keeps_alive(enum http_version version, const struct http_fields *fields)
{
    if (http_field_has(fields, "Connection", "close"))
        return false;
    return version == HTTP_VERSION_1_1 || http_field_has(fields, "Connection", "keep-alive");
}

void http_write_text(struct writer *w, const char *text)
{
    write_bytes(w, bytes_of_text(text));
}

void http_write_number(struct writer *w, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    write_copy(w, digits + at, sizeof digits - at);
}

void http_write_request_line(struct writer *w, const char *method, struct bytes target)
{
    if (!http_is_token(bytes_of_text(method)) || target.len == 0 ||
        !http_octets_are(target, HTTP_OCTET_TARGET))
        w->failed = true;
    http_write_text(w, method);
    write_u8(w, ' ');
    write_bytes(w, target);
    http_write_text(w, " HTTP/1.1\r\n");
}

void http_write_status_line(struct writer *w, unsigned status)
{
    http_write_text(w, "HTTP/1.1 ");
    http_write_number(w, status);
    write_u8(w, ' ');
    http_write_text(w, http_status_text(status));
    http_write_text(w, "\r\n");
}

void http_write_end(struct writer *w)
{
    http_write_text(w, "\r\n");
}

void http_write_field(struct writer *w, const char *name, struct bytes value)
{
    if (!http_is_token(bytes_of_text(name)) || !http_octets_are(value, HTTP_OCTET_FIELD))
        w->failed = true;
    http_write_text(w, name);
    http_write_text(w, ": ");
    write_bytes(w, value);
    http_write_text(w, "\r\n");
}

void http_write_field_text(struct writer *w, const char *name, const char *value)
{
    http_write_field(w, name, bytes_of_text(value));
}

void http_write_field_number(struct writer *w, const char *name, uint64_t value)
{
    http_write_text(w, name);
    http_write_text(w, ": ");
    http_write_number(w, value);
    http_write_text(w, "\r\n");
}

void http_write_field_date(struct writer *w, const char *name, int64_t seconds)
{
    char date[HTTP_DATE_LEN + 1];
    http_write_field_text(w, name, http_date_format(seconds, date));
}
