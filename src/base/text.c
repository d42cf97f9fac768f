/* SPDX-License-Identifier: ISC */
/* text.c - bounded text, and numbers with the units that people write behind them. */
#include "base/text.h"

#include <stdio.h>

struct text text_of(char *buffer, size_t size)
{
    ASSERT(size > 0);
    buffer[0] = '\0';
    return (struct text){buffer, 0, size, false};
}

void text_add_bytes(struct text *t, struct bytes b)
{
    size_t room = t->size - 1 - t->len;
    if (b.len > room) {
        t->failed = true;
        b.len = room;
    }
    memcpy(t->start + t->len, b.data, b.len);
    t->len += b.len;
    t->start[t->len] = '\0';
}

void text_add(struct text *t, const char *string)
{
    text_add_bytes(t, bytes_of_text(string));
}

void text_add_format_list(struct text *t, const char *format, va_list arguments)
{
    size_t room = t->size - t->len;
    int wanted = vsnprintf(t->start + t->len, room, format, arguments);
    if (wanted < 0) {
        t->start[t->len] = '\0';
        t->failed = true;
    } else if ((size_t)wanted >= room) {
        t->len = t->size - 1;
        t->failed = true;
    } else {
        t->len += (size_t)wanted;
    }
}

void text_add_format(struct text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_add_format_list(t, format, arguments);
    va_end(arguments);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

struct bytes text_trim(struct bytes text)
{
    size_t from = 0;
    size_t to = text.len;
    while (from < to && is_blank(text.data[from]))
        from++;
    while (to > from && is_blank(text.data[to - 1]))
        to--;
    return bytes_of(text.data + from, to - from);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool text_parse_number(struct bytes text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.data[i]))
            return false;
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (text.len == 0 || value > max)
        return false;
    *out = value;
    return true;
}

/* "1.5" as a multiple of 1/scale, cut to a whole one; a digit at least on each side of a point. */
static bool parse_decimal(struct bytes text, uint64_t scale, uint64_t *out)
{
    size_t point = bytes_find(text, '.');
    uint64_t whole;
    if (!text_parse_number(bytes_first(text, point), UINT64_MAX / scale, &whole))
        return false;
    whole *= scale;
    uint64_t part = 0;
    if (point < text.len) {
        struct bytes digits = bytes_after(text, point + 1);
        uint64_t value = 0;
        if (digits.len > 6 || !text_parse_number(digits, UINT32_MAX, &value))
            return false;
        uint64_t divisor = 1;
        for (size_t i = 0; i < digits.len; i++)
            divisor *= 10;
        /* Divided in two steps: scale * value may not fit. */
        part = scale / divisor * value + scale % divisor * value / divisor;
    }
    if (part > UINT64_MAX - whole)
        return false;
    *out = whole + part;
    return true;
}

struct unit {
    const char *name;
    uint64_t scale;
};

/* A decimal and one of the units, in any case if told so; at most `max`. */
static bool parse_with_unit(struct bytes text, const struct unit *units, size_t count, uint64_t max,
                            uint64_t *out)
{
    size_t at = 0;
    while (at < text.len && (is_digit(text.data[at]) || text.data[at] == '.'))
        at++;
    struct bytes name = bytes_after(text, at);
    for (size_t i = 0; i < count; i++) {
        if (!bytes_equal_nocase(name, bytes_of_text(units[i].name)))
            continue;
        uint64_t value;
        if (!parse_decimal(bytes_first(text, at), units[i].scale, &value) || value > max)
            return false;
        *out = value;
        return true;
    }
    return false;
}

bool text_parse_duration(struct bytes text, usec *out)
{
    static const struct unit units[] = {
        {"us", 1},
        {"ms", 1000},
        {"s", 1000000},
        {"m", 60 * 1000000ull},
        {"min", 60 * 1000000ull},
        {"h", 3600 * 1000000ull},
        {"d", 86400 * 1000000ull},
    };
    uint64_t value = 0;
    if (!bytes_equal(text, bytes_of_text("0")) &&
        !parse_with_unit(text, units, ARRAY_LEN(units), USEC_NEVER - 1, &value))
        return false;
    *out = (usec)value;
    return true;
}

bool text_parse_chance(struct bytes text, uint32_t *out)
{
    static const struct unit units[] = {{"%", 10000}, {"", 1000000}};
    uint64_t value;
    if (!parse_with_unit(text, units, ARRAY_LEN(units), 1000000, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

bool text_parse_rate(struct bytes text, uint64_t *out)
{
    static const struct unit units[] = {
        {"bit", 1},           {"kbit", 1000},          {"mbit", 1000000},
        {"gbit", 1000000000}, {"tbit", 1000000000000},
    };
    return parse_with_unit(text, units, ARRAY_LEN(units), UINT64_MAX, out);
}

bool text_parse_size(struct bytes text, uint64_t *out)
{
    static const struct unit units[] = {
        {"", 1}, {"k", 1ull << 10}, {"m", 1ull << 20}, {"g", 1ull << 30}, {"t", 1ull << 40},
    };
    return parse_with_unit(text, units, ARRAY_LEN(units), UINT64_MAX, out);
}

/* In the largest of the units (ascending) that is not larger, with one decimal if it says more. */
static void add_with_unit(struct text *t, const struct unit *units, size_t count, uint64_t value)
{
    size_t i = count - 1;
    while (i > 0 && units[i].scale > value)
        i--;
    uint64_t whole = value / units[i].scale;
    uint64_t tenth = value % units[i].scale / (units[i].scale < 10 ? 1 : units[i].scale / 10);
    if (tenth > 9)
        tenth = 9;
    if (tenth == 0)
        text_add_format(t, "%llu %s", (unsigned long long)whole, units[i].name);
    else
        text_add_format(t, "%llu.%u %s", (unsigned long long)whole, (unsigned)tenth, units[i].name);
}

void text_add_duration(struct text *t, usec duration)
{
    static const struct unit units[] = {
        {"us", 1},
        {"ms", 1000},
        {"s", 1000000},
        {"min", 60 * 1000000ull},
        {"h", 3600 * 1000000ull},
        {"d", 86400 * 1000000ull},
    };
    if (duration == USEC_NEVER) {
        text_add(t, "never");
        return;
    }
    if (duration < 0)
        text_add(t, "-");
    uint64_t magnitude = duration < 0 ? 0 - (uint64_t)duration : (uint64_t)duration;
    add_with_unit(t, units, ARRAY_LEN(units), magnitude);
}

void text_add_size(struct text *t, uint64_t octets)
{
    static const struct unit units[] = {
        {"B", 1},
        {"KiB", 1ull << 10},
        {"MiB", 1ull << 20},
        {"GiB", 1ull << 30},
        {"TiB", 1ull << 40},
    };
    add_with_unit(t, units, ARRAY_LEN(units), octets);
}

enum { DISTANCE_MAX = 16 };

unsigned text_distance(const char *a, const char *b)
{
    size_t a_len = bytes_first(bytes_of_text(a), DISTANCE_MAX).len;
    size_t b_len = bytes_first(bytes_of_text(b), DISTANCE_MAX).len;
    unsigned row[DISTANCE_MAX + 1];
    for (size_t k = 0; k <= b_len; k++)
        row[k] = (unsigned)k;
    for (size_t i = 1; i <= a_len; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t k = 1; k <= b_len; k++) {
            unsigned best = diagonal + (a[i - 1] != b[k - 1]);
            diagonal = row[k];
            if (row[k] + 1 < best)
                best = row[k] + 1;
            if (row[k - 1] + 1 < best)
                best = row[k - 1] + 1;
            row[k] = best;
        }
    }
    return row[b_len];
}
