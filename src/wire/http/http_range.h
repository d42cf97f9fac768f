/* SPDX-License-Identifier: ISC */
/*
 * http_range.h - byte ranges of a Range field (RFC 9110 §14.1.2, §14.2).
 */
#ifndef WN_WIRE_HTTP_HTTP_RANGE_H
#define WN_WIRE_HTTP_HTTP_RANGE_H

#include <stdint.h>

#include "wire/http/http_octets.h"

enum { HTTP_RANGES_MAX = 16 }; /* more are nothing that a reader of files asks for */

struct http_range {
    uint64_t first;
    uint64_t len; /* at least 1 */
};

enum http_range_verdict {
    HTTP_RANGE_IGNORED,       /* not bytes, malformed, or too many: as if it were not there */
    HTTP_RANGE_SATISFIABLE,   /* `out` has at least one */
    HTTP_RANGE_UNSATISFIABLE, /* 416 */
};

struct http_ranges {
    size_t count;
    struct http_range list[HTTP_RANGES_MAX]; /* in the order asked, cut to what there is */
};

/* The ranges that `value` asks for of a representation of `total` octets. */
enum http_range_verdict http_range_parse(struct bytes value, uint64_t total,
                                         struct http_ranges *out);

/* Are several ranges worth their parts? Not when they overlap so much that together they are more
 * than the whole: it is sent then (RFC 9110 §14.2, §17.15). */
bool http_ranges_sensible(const struct http_ranges *ranges, uint64_t total);

#endif
