/* SPDX-License-Identifier: ISC */
/* bytes.c - the parts of the cursors that are not worth inlining. */
#include "base/bytes.h"

static const uint8_t nothing[1] = {0};

struct bytes bytes_empty(void)
{
    return (struct bytes){nothing, 0};
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return true;
}

bool bytes_equal_secret(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < a.len; i++)
        difference = (uint8_t)(difference | (a.data[i] ^ b.data[i]));
    return difference == 0;
}

struct bytes bytes_first(struct bytes b, size_t len)
{
    return bytes_of(b.data, len < b.len ? len : b.len);
}

struct bytes bytes_after(struct bytes b, size_t len)
{
    return len < b.len ? bytes_of(b.data + len, b.len - len) : bytes_empty();
}

size_t bytes_find(struct bytes b, uint8_t octet)
{
    const uint8_t *found = b.len > 0 ? memchr(b.data, octet, b.len) : NULL;
    return found != NULL ? (size_t)(found - b.data) : b.len;
}

/* The one bounds check behind every read that has no inline form. */
static const uint8_t *take(struct reader *r, size_t len)
{
    if (r->failed || reader_left(r) < len) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *p = r->next;
    r->next += len;
    return p;
}

uint64_t read_u64(struct reader *r)
{
    uint64_t high = read_u32(r);
    uint64_t low = read_u32(r);
    return r->failed ? 0 : high << 32 | low;
}

struct bytes read_bytes(struct reader *r, size_t len)
{
    const uint8_t *p = take(r, len);
    return p != NULL ? bytes_of(p, len) : bytes_empty();
}

struct bytes read_rest(struct reader *r)
{
    return read_bytes(r, reader_left(r));
}

void read_copy(struct reader *r, void *out, size_t len)
{
    const uint8_t *p = take(r, len);
    if (p != NULL)
        memcpy(out, p, len);
    else
        memset(out, 0, len);
}

void read_skip(struct reader *r, size_t len)
{
    (void)take(r, len);
}

struct bytes writer_bytes(const struct writer *w)
{
    return bytes_of(w->start, writer_len(w));
}

static uint8_t *claim(struct writer *w, size_t len)
{
    if (w->failed || writer_room(w) < len) {
        w->failed = true;
        return NULL;
    }
    uint8_t *p = w->next;
    w->next += len;
    return p;
}

void write_u64(struct writer *w, uint64_t value)
{
    write_u32(w, (uint32_t)(value >> 32));
    write_u32(w, (uint32_t)value);
}

void write_bytes(struct writer *w, struct bytes in)
{
    write_copy(w, in.data, in.len);
}

void write_copy(struct writer *w, const void *data, size_t len)
{
    uint8_t *p = claim(w, len);
    if (p != NULL && len > 0)
        memcpy(p, data, len);
}

void write_zeros(struct writer *w, size_t len)
{
    uint8_t *p = claim(w, len);
    if (p != NULL && len > 0)
        memset(p, 0, len);
}

void write_u16_at(struct writer *w, size_t at, uint16_t value)
{
    if (w->failed)
        return;
    ASSERT(at + 2 <= writer_len(w));
    w->start[at] = (uint8_t)(value >> 8);
    w->start[at + 1] = (uint8_t)value;
}
