/* SPDX-License-Identifier: ISC */
/* http_range.c - byte ranges (RFC 9110 §14.1.2). Numbers too large for 64 bits are as good as the
 * largest, since no representation is longer. */
#include "wire/http/http_range.h"

#include "wire/http/http_list.h"

static bool parse_position(struct bytes text, uint64_t *out)
{
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    if (!http_number(text, UINT64_MAX, out))
        *out = UINT64_MAX;
    return true;
}

/* "0-99", "100-", "-100". False: malformed. A range of no octets has len 0. */
static bool parse_spec(struct bytes spec, uint64_t total, struct http_range *out)
{
    size_t dash = bytes_find(spec, '-');
    if (dash == spec.len)
        return false;
    struct bytes first_text = bytes_first(spec, dash);
    struct bytes last_text = bytes_after(spec, dash + 1);
    uint64_t first = 0;
    uint64_t last = UINT64_MAX;
    if (first_text.len == 0) {
        uint64_t suffix;
        if (!parse_position(last_text, &suffix))
            return false;
        out->len = suffix < total ? suffix : total;
        out->first = total - out->len;
        return true;
    }
    if (!parse_position(first_text, &first))
        return false;
    if (last_text.len > 0 && !parse_position(last_text, &last))
        return false;
    if (last < first)
        return false;
    out->first = first;
    out->len = 0;
    if (first < total)
        out->len = (last < total ? last + 1 : total) - first;
    return true;
}

enum http_range_verdict http_range_parse(struct bytes value, uint64_t total,
                                         struct http_ranges *out)
{
    size_t equals = bytes_find(value, '=');
    struct bytes unit = http_trim(bytes_first(value, equals));
    if (equals == value.len || !bytes_equal_nocase(unit, bytes_of_text("bytes")))
        return HTTP_RANGE_IGNORED;
    struct bytes rest = bytes_after(value, equals + 1);
    struct bytes spec;
    struct http_ranges ranges = {0};
    size_t asked = 0;
    while (http_list_next(&rest, &spec)) {
        struct http_range range;
        if (++asked > HTTP_RANGES_MAX || !parse_spec(spec, total, &range))
            return HTTP_RANGE_IGNORED;
        if (range.len > 0)
            ranges.list[ranges.count++] = range;
    }
    if (asked == 0)
        return HTTP_RANGE_IGNORED;
    if (ranges.count == 0)
        return HTTP_RANGE_UNSATISFIABLE;
    *out = ranges;
    return HTTP_RANGE_SATISFIABLE;
}

bool http_ranges_sensible(const struct http_ranges *ranges, uint64_t total)
{
    uint64_t left = total;
    for (size_t i = 0; i < ranges->count; i++) {
        if (ranges->list[i].len > left)
            return false;
        left -= ranges->list[i].len;
    }
    return true;
}
