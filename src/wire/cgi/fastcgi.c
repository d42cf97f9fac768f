/* SPDX-License-Identifier: ISC */
/* fastcgi.c - FastCGI 1.0 §3.3 (records), §3.4 (pairs), §5.1 and §5.5 (begin and end of a request). */
#include "wire/cgi/fastcgi.h"

void fastcgi_write_header(struct writer *w, enum fastcgi_type type, uint16_t len)
{
    write_u8(w, FASTCGI_VERSION);
    write_u8(w, (uint8_t)type);
    write_u16(w, FASTCGI_REQUEST_ID);
    write_u16(w, len);
    write_u8(w, 0); /* padding */
    write_u8(w, 0);
}

void fastcgi_write_begin(struct writer *w, enum fastcgi_role role, bool keep)
{
    fastcgi_write_header(w, FASTCGI_BEGIN_REQUEST, 8);
    write_u16(w, (uint16_t)role);
    write_u8(w, keep ? 1 : 0);
    write_zeros(w, 5);
}

/* One octet up to 127, else four with the highest bit set. */
static void write_len(struct writer *w, size_t len)
{
    if (len > FASTCGI_VALUE_MAX)
        w->failed = true;
    else if (len < 0x80)
        write_u8(w, (uint8_t)len);
    else
        write_u32(w, (uint32_t)len | 0x80000000u);
}

void fastcgi_write_pair(struct writer *w, struct bytes name, struct bytes value)
{
    write_len(w, name.len);
    write_len(w, value.len);
    write_bytes(w, name);
    write_bytes(w, value);
}

static size_t read_len(struct reader *r)
{
    uint8_t first = read_u8(r);
    if ((first & 0x80) == 0)
        return first;
    size_t len = (size_t)(first & 0x7f) << 24;
    len |= (size_t)read_u8(r) << 16;
    len |= (size_t)read_u8(r) << 8;
    len |= read_u8(r);
    return len;
}

enum wire_status fastcgi_read_pair(struct reader *r, struct bytes *name, struct bytes *value)
{
    struct reader at = *r;
    size_t name_len = read_len(&at);
    size_t value_len = read_len(&at);
    if (name_len > FASTCGI_VALUE_MAX || value_len > FASTCGI_VALUE_MAX)
        return WIRE_MALFORMED;
    struct bytes first = read_bytes(&at, name_len);
    struct bytes second = read_bytes(&at, value_len);
    if (at.failed)
        return WIRE_TRUNCATED;
    *r = at;
    *name = first;
    *value = second;
    return WIRE_OK;
}

enum wire_status fastcgi_read_end(struct bytes content, uint32_t *exit_status,
                                  enum fastcgi_end *out)
{
    struct reader r = reader_of(content);
    uint32_t status = read_u32(&r);
    uint8_t end = read_u8(&r);
    if (r.failed)
        return WIRE_TRUNCATED;
    if (end > FASTCGI_UNKNOWN_ROLE)
        return WIRE_MALFORMED;
    *exit_status = status;
    *out = (enum fastcgi_end)end;
    return WIRE_OK;
}

/* ---- records as they come ---- */

static void skip_padding(struct fastcgi_reader *reader, struct bytes in, size_t *used)
{
    size_t len = bytes_first(bytes_after(in, *used), reader->padding).len;
    reader->padding = (uint8_t)(reader->padding - len);
    *used += len;
    if (reader->left == 0 && reader->padding == 0 && reader->header_len == FASTCGI_HEADER_LEN)
        reader->header_len = 0;
}

/* True: the header is whole now. */
static bool read_header(struct fastcgi_reader *reader, struct bytes in, size_t *used)
{
    while (reader->header_len < FASTCGI_HEADER_LEN && *used < in.len)
        reader->header[reader->header_len++] = in.data[(*used)++];
    if (reader->header_len < FASTCGI_HEADER_LEN)
        return false;
    struct reader r = reader_of(bytes_of(reader->header, FASTCGI_HEADER_LEN));
    uint8_t version = read_u8(&r);
    read_skip(&r, 3);
    reader->left = read_u16(&r);
    reader->padding = read_u8(&r);
    reader->malformed = version != FASTCGI_VERSION;
    return !reader->malformed;
}

size_t fastcgi_input(struct fastcgi_reader *reader, struct bytes in, struct fastcgi_piece *out)
{
    size_t used = 0;
    *out = (struct fastcgi_piece){.content = bytes_empty()};
    if (reader->malformed)
        return 0;
    if (reader->header_len == FASTCGI_HEADER_LEN && reader->left == 0)
        skip_padding(reader, in, &used);
    bool fresh = reader->header_len < FASTCGI_HEADER_LEN;
    if (fresh && !read_header(reader, in, &used))
        return used;
    if (reader->left == 0 && !fresh)
        return used; /* padding is still to come */
    struct bytes content = bytes_first(bytes_after(in, used), reader->left);
    if (reader->left > 0 && content.len == 0)
        return used;
    used += content.len;
    reader->left = (uint16_t)(reader->left - content.len);
    struct reader r = reader_of(bytes_of(reader->header, FASTCGI_HEADER_LEN));
    read_skip(&r, 1);
    out->present = true;
    out->type = read_u8(&r);
    out->id = read_u16(&r);
    out->content = content;
    out->last = reader->left == 0;
    if (out->last && reader->padding == 0)
        reader->header_len = 0;
    return used;
}
