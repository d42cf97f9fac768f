/* SPDX-License-Identifier: ISC */
/*
 * bytes.h - bounded views of octets, and the cursors that read and write wire formats.
 *
 * A cursor never leaves its buffer. The first access that would do so sets `failed`; from then on
 * reads yield zero or an empty view and writes do nothing. Callers decode a whole header in
 * straight-line code and test `failed` once at the end. Integers are in network byte order
 * (RFC 791, appendix B). One read per statement: C orders neither initialisers nor arguments.
 */
#ifndef WN_BASE_BYTES_H
#define WN_BASE_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

/* Borrowed octets; valid as long as their source. `data` is never NULL, also when `len` is 0. */
struct bytes {
    const uint8_t *data;
    size_t len;
};

/* A view of nothing. It points at a static octet: NULL + 0 is undefined in C17. */
struct bytes bytes_empty(void);

static inline struct bytes bytes_of(const void *data, size_t len)
{
    return len > 0 ? (struct bytes){data, len} : bytes_empty();
}

/* The characters of a string, without its NUL. */
static inline struct bytes bytes_of_text(const char *text)
{
    return bytes_of(text, strlen(text));
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* Equal when ASCII letters are taken without regard to case. */
bool bytes_equal_nocase(struct bytes a, struct bytes b);

/* Same contents? The time taken depends on the lengths only; for secrets. */
bool bytes_equal_secret(struct bytes a, struct bytes b);

/* At most `len` octets from the front; the rest after the first `len`. Both clamp to what is there. */
struct bytes bytes_first(struct bytes b, size_t len);
struct bytes bytes_after(struct bytes b, size_t len);

/* Index of the first `octet`, or b.len. */
size_t bytes_find(struct bytes b, uint8_t octet);

struct reader {
    const uint8_t *next;
    const uint8_t *end;
    bool failed;
};

struct writer {
    uint8_t *start;
    uint8_t *next;
    uint8_t *end;
    bool failed;
};

static inline struct reader reader_of(struct bytes in)
{
    return (struct reader){in.data, in.data + in.len, false};
}

/* Octets not read yet; also counts after a failure, for messages. */
static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->next);
}

static inline uint8_t read_u8(struct reader *r)
{
    if (UNLIKELY(r->failed || r->next == r->end)) {
        r->failed = true;
        return 0;
    }
    return *r->next++;
}

static inline uint16_t read_u16(struct reader *r)
{
    if (UNLIKELY(r->failed || reader_left(r) < 2)) {
        r->failed = true;
        return 0;
    }
    const uint8_t *p = r->next;
    r->next += 2;
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t read_u32(struct reader *r)
{
    if (UNLIKELY(r->failed || reader_left(r) < 4)) {
        r->failed = true;
        return 0;
    }
    const uint8_t *p = r->next;
    r->next += 4;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint64_t read_u64(struct reader *r);

/* The next `len` octets as a view of the source. */
struct bytes read_bytes(struct reader *r, size_t len);

/* All that is left; the reader is then at its end. */
struct bytes read_rest(struct reader *r);

/* Copies exactly `len` octets to `out`; on failure zeroes it. */
void read_copy(struct reader *r, void *out, size_t len);

void read_skip(struct reader *r, size_t len);

static inline struct writer writer_of(void *buffer, size_t size)
{
    return (struct writer){buffer, buffer, (uint8_t *)buffer + size, false};
}

static inline size_t writer_len(const struct writer *w)
{
    return (size_t)(w->next - w->start);
}

static inline size_t writer_room(const struct writer *w)
{
    return (size_t)(w->end - w->next);
}

/* What was written; valid as long as the buffer. */
struct bytes writer_bytes(const struct writer *w);

static inline void write_u8(struct writer *w, uint8_t value)
{
    if (UNLIKELY(w->failed || w->next == w->end)) {
        w->failed = true;
        return;
    }
    *w->next++ = value;
}

static inline void write_u16(struct writer *w, uint16_t value)
{
    if (UNLIKELY(w->failed || writer_room(w) < 2)) {
        w->failed = true;
        return;
    }
    uint8_t *p = w->next; /* octets that are stored could be `w`, for all the compiler knows */
    w->next = p + 2;
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void write_u32(struct writer *w, uint32_t value)
{
    if (UNLIKELY(w->failed || writer_room(w) < 4)) {
        w->failed = true;
        return;
    }
    uint8_t *p = w->next;
    w->next = p + 4;
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

void write_u64(struct writer *w, uint64_t value);
void write_bytes(struct writer *w, struct bytes in);
void write_copy(struct writer *w, const void *data, size_t len);
void write_zeros(struct writer *w, size_t len);

/* Puts `value` over two octets that were written before, at offset `at` from the start. */
void write_u16_at(struct writer *w, size_t at, uint16_t value);

#endif
