/* SPDX-License-Identifier: ISC */
/*
 * http_conditions.h - conditional requests (RFC 9110 §13): what If-Match, If-None-Match,
 * If-Modified-Since, If-Unmodified-Since and If-Range say of a representation, in the order of
 * §13.2.2.
 */
#ifndef WN_WIRE_HTTP_HTTP_CONDITIONS_H
#define WN_WIRE_HTTP_HTTP_CONDITIONS_H

#include "wire/http/http_head.h"

/* What there is now. */
struct http_representation {
    bool exists;
    struct bytes etag; /* with its quotes; empty: none */
    int64_t modified;  /* seconds since 1970; INT64_MIN: unknown */
};

/*
 * 0: the method is to be performed. 304 (only when `reading`: the method is GET or HEAD) or 412
 * otherwise. `now` is for dates with two digits of a year.
 */
MUST_USE unsigned http_conditions_check(const struct http_fields *fields, bool reading,
                                        const struct http_representation *there, int64_t now);

/* May a Range of the request be applied (§13.1.5)? True without an If-Range. */
MUST_USE bool http_if_range_holds(const struct http_fields *fields,
                                  const struct http_representation *there, int64_t now);

#endif
