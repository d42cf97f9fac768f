/* SPDX-License-Identifier: ISC */
/*
 * text.h - building text in a bounded buffer, and reading the numbers that people write.
 */
#ifndef WN_BASE_TEXT_H
#define WN_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/usec.h"

/* Text under construction: always NUL-terminated; what does not fit is cut and `failed` set. */
struct text {
    char *start;
    size_t len;
    size_t size; /* with the NUL; at least 1 */
    bool failed;
};

struct text text_of(char *buffer, size_t size);
void text_add(struct text *t, const char *string);
void text_add_bytes(struct text *t, struct bytes b);
void text_add_format(struct text *t, const char *format, ...) PRINTF_LIKE(2, 3);
void text_add_format_list(struct text *t, const char *format, va_list arguments)
    PRINTF_LIKE(2, 0);

static inline struct bytes text_bytes(const struct text *t)
{
    return bytes_of(t->start, t->len);
}

/* Spaces and tabs off both ends. */
struct bytes text_trim(struct bytes text);

/* Decimal digits only, the whole input, at most `max`. Otherwise false and *out untouched. */
MUST_USE bool text_parse_number(struct bytes text, uint64_t max, uint64_t *out);

/* "150ms", "1.5s", "20us", "2m", "3h", "7d"; a bare "0" too. A unit is required otherwise. */
MUST_USE bool text_parse_duration(struct bytes text, usec *out);

/* "2%", "0.5%", "0.01" (a fraction) -> parts per million, 0 to 1,000,000. */
MUST_USE bool text_parse_chance(struct bytes text, uint32_t *out);

/* "10mbit", "1.5gbit", "64kbit", "800bit" (bits per second, powers of ten) -> bits per second. */
MUST_USE bool text_parse_rate(struct bytes text, uint64_t *out);

/* "512", "64k", "10M", "1G" (powers of 1024) -> octets. */
MUST_USE bool text_parse_size(struct bytes text, uint64_t *out);

/* "1.5 s", "20 ms", "3 h"; "64 KiB": short forms for people. */
void text_add_duration(struct text *t, usec duration);
void text_add_size(struct text *t, uint64_t octets);

/* How many letters have to be put in, left out or changed to make `b` of `a`; at most 16 letters of
 * each count. For "did you mean". */
unsigned text_distance(const char *a, const char *b);

#endif
