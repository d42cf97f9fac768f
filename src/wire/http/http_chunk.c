/* SPDX-License-Identifier: ISC */
/* http_chunk.c - the chunked transfer coding (RFC 9112 §7.1), octet by octet except for data. */
#include "wire/http/http_chunk.h"

#include "wire/http/http_octets.h"

void http_chunk_init(struct http_chunk *chunk)
{
    *chunk = (struct http_chunk){.state = HTTP_CHUNK_SIZE};
}

/* Extensions are dropped unread, so that a body could consist of nothing else for ever: it has to
 * earn them with data. */
static bool line_too_long(struct http_chunk *chunk)
{
    chunk->line_len++;
    chunk->overhead += chunk->state == HTTP_CHUNK_EXTENSION || chunk->state == HTTP_CHUNK_BLANK;
    return chunk->line_len > HTTP_CHUNK_LINE_MAX || chunk->overhead > HTTP_CHUNK_OVERHEAD_MAX;
}

static enum http_chunk_state after_size(uint8_t c)
{
    if (c == '\r')
        return HTTP_CHUNK_SIZE_LF;
    if (c == ';')
        return HTTP_CHUNK_EXTENSION;
    /* BWS may stand before the semicolon (§7.1.1), and old servers fill lines up with it. */
    return c == ' ' || c == '\t' ? HTTP_CHUNK_BLANK : HTTP_CHUNK_MALFORMED;
}

static enum http_chunk_state digit(struct http_chunk *chunk, uint8_t c)
{
    int value = http_hex_value(c);
    if (value < 0)
        return chunk->digits > 0 ? after_size(c) : HTTP_CHUNK_MALFORMED;
    if (chunk->digits == HTTP_CHUNK_DIGITS_MAX)
        return HTTP_CHUNK_MALFORMED;
    chunk->digits++;
    chunk->left = chunk->left << 4 | (unsigned)value;
    return HTTP_CHUNK_DIGITS;
}

static enum http_chunk_state data_begins(struct http_chunk *chunk, uint8_t c)
{
    if (c != '\n')
        return HTTP_CHUNK_MALFORMED;
    chunk->line_len = 0;
    chunk->digits = 0;
    return chunk->left > 0 ? HTTP_CHUNK_DATA : HTTP_CHUNK_TRAILER;
}

/* Trailer fields are dropped, but a line that is no field is malformed: obs-fold, a space before
 * the colon, a bare CR or LF (§5.1, §2.2). */
static enum http_chunk_state trailer_octet(struct http_chunk *chunk, uint8_t c)
{
    if (++chunk->line_len > HTTP_TRAILERS_MAX)
        return HTTP_CHUNK_MALFORMED;
    if (chunk->trailers != NULL && (chunk->state != HTTP_CHUNK_TRAILER || c != '\r'))
        write_u8(chunk->trailers, c);
    if (chunk->state == HTTP_CHUNK_TRAILER_VALUE) {
        if (c == '\r')
            return HTTP_CHUNK_TRAILER_LF;
        return http_octet_is(c, HTTP_OCTET_FIELD) ? HTTP_CHUNK_TRAILER_VALUE
                                                  : HTTP_CHUNK_MALFORMED;
    }
    if (chunk->state == HTTP_CHUNK_TRAILER && c == '\r')
        return HTTP_CHUNK_LAST_LF;
    if (chunk->state == HTTP_CHUNK_TRAILER_NAME && c == ':')
        return HTTP_CHUNK_TRAILER_VALUE;
    return http_octet_is(c, HTTP_OCTET_TOKEN) ? HTTP_CHUNK_TRAILER_NAME : HTTP_CHUNK_MALFORMED;
}

/* The state that one octet, which is not data, leads to. */
static enum http_chunk_state step(struct http_chunk *chunk, uint8_t c)
{
    switch (chunk->state) {
    case HTTP_CHUNK_SIZE:
    case HTTP_CHUNK_DIGITS:
        return line_too_long(chunk) ? HTTP_CHUNK_MALFORMED : digit(chunk, c);
    case HTTP_CHUNK_BLANK:
        return line_too_long(chunk) ? HTTP_CHUNK_MALFORMED : after_size(c);
    case HTTP_CHUNK_EXTENSION:
        if (line_too_long(chunk))
            return HTTP_CHUNK_MALFORMED;
        if (c == '\r')
            return HTTP_CHUNK_SIZE_LF;
        return http_octet_is(c, HTTP_OCTET_FIELD) ? HTTP_CHUNK_EXTENSION : HTTP_CHUNK_MALFORMED;
    case HTTP_CHUNK_SIZE_LF:
        return data_begins(chunk, c);
    case HTTP_CHUNK_DATA_CR:
        return c == '\r' ? HTTP_CHUNK_DATA_LF : HTTP_CHUNK_MALFORMED;
    case HTTP_CHUNK_DATA_LF:
        return c == '\n' ? HTTP_CHUNK_SIZE : HTTP_CHUNK_MALFORMED;
    case HTTP_CHUNK_TRAILER:
    case HTTP_CHUNK_TRAILER_NAME:
    case HTTP_CHUNK_TRAILER_VALUE:
        return trailer_octet(chunk, c);
    case HTTP_CHUNK_TRAILER_LF:
        if (chunk->trailers != NULL)
            write_u8(chunk->trailers, c);
        return c == '\n' ? HTTP_CHUNK_TRAILER : HTTP_CHUNK_MALFORMED;
    case HTTP_CHUNK_LAST_LF:
        return c == '\n' ? HTTP_CHUNK_DONE : HTTP_CHUNK_MALFORMED;
    case HTTP_CHUNK_DATA:
    case HTTP_CHUNK_DONE:
    case HTTP_CHUNK_MALFORMED:
    case HTTP_CHUNK_STATE_COUNT:
        break;
    }
    return chunk->state;
}

static struct bytes take_data(struct http_chunk *chunk, struct bytes rest)
{
    struct bytes data = bytes_first(rest, chunk->left < rest.len ? (size_t)chunk->left : rest.len);
    chunk->left -= data.len;
    chunk->overhead -= data.len < chunk->overhead ? (uint32_t)data.len : chunk->overhead;
    if (chunk->left == 0)
        chunk->state = HTTP_CHUNK_DATA_CR;
    return data;
}

size_t http_chunk_input(struct http_chunk *chunk, struct bytes in, struct bytes *data)
{
    *data = bytes_empty();
    for (size_t at = 0; at < in.len; at++) {
        if (chunk->state == HTTP_CHUNK_DATA) {
            *data = take_data(chunk, bytes_after(in, at));
            return at + data->len;
        }
        if (chunk->state == HTTP_CHUNK_DONE || chunk->state == HTTP_CHUNK_MALFORMED)
            return at;
        chunk->state = step(chunk, in.data[at]);
    }
    return in.len;
}

size_t http_chunk_frame(size_t len, char out[HTTP_CHUNK_FRAME_MAX])
{
    static const char hex[] = "0123456789abcdef";
    char digits[16];
    size_t count = 0;
    for (size_t rest = len; rest > 0 || count == 0; rest >>= 4)
        digits[count++] = hex[rest & 15];
    for (size_t i = 0; i < count; i++)
        out[i] = digits[count - 1 - i];
    out[count] = '\r';
    out[count + 1] = '\n';
    return count + 2;
}
