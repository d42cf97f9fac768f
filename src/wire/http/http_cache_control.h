/* SPDX-License-Identifier: ISC */
/*
 * http_cache_control.h - what requests and responses say to caches: Cache-Control (RFC 9111 §5.2,
 * RFC 5861, RFC 8246), the targeted CDN-Cache-Control (RFC 9213), Age (§5.1).
 */
#ifndef WN_WIRE_HTTP_HTTP_CACHE_CONTROL_H
#define WN_WIRE_HTTP_HTTP_CACHE_CONTROL_H

#include "wire/http/http_head.h"

/* Longer times are this one (RFC 9111 §1.2.2): 68 years. */
#define HTTP_DELTA_MAX UINT32_C(2147483648)

enum http_cc_directive {
    HTTP_CC_MAX_AGE, /* these six have a time, in `seconds` */
    HTTP_CC_S_MAXAGE,
    HTTP_CC_MAX_STALE, /* without an argument: HTTP_DELTA_MAX */
    HTTP_CC_MIN_FRESH,
    HTTP_CC_STALE_WHILE_REVALIDATE,
    HTTP_CC_STALE_IF_ERROR,
    HTTP_CC_NO_CACHE,        /* of the whole response */
    HTTP_CC_NO_CACHE_FIELDS, /* of some of its fields: http_cache_control_names() */
    HTTP_CC_PRIVATE,
    HTTP_CC_PRIVATE_FIELDS,
    HTTP_CC_NO_STORE,
    HTTP_CC_NO_TRANSFORM,
    HTTP_CC_ONLY_IF_CACHED,
    HTTP_CC_MUST_REVALIDATE,
    HTTP_CC_PROXY_REVALIDATE,
    HTTP_CC_MUST_UNDERSTAND,
    HTTP_CC_PUBLIC,
    HTTP_CC_IMMUTABLE,
    HTTP_CC_COUNT
};

enum { HTTP_CC_TIMES = HTTP_CC_STALE_IF_ERROR + 1 };

struct http_cache_control {
    uint32_t present; /* a bit for each directive */
    uint32_t seconds[HTTP_CC_TIMES];
};

static inline bool http_cc_has(const struct http_cache_control *cc, enum http_cc_directive which)
{
    return (cc->present >> which & 1) != 0;
}

/* Digits only, cut to HTTP_DELTA_MAX. False leaves *out untouched. */
MUST_USE bool http_delta_seconds(struct bytes text, uint32_t *out);

/*
 * All Cache-Control fields. Of a directive that comes twice the first holds (RFC 9111 §4.2.1). max-age
 * and s-maxage whose argument is none count as 0, so that the response is stale (the same section);
 * of other times such ones are ignored.
 */
void http_cache_control_parse(const struct http_fields *fields, struct http_cache_control *out);

/* A targeted field (RFC 9213 §2.1). False: it is not there, empty, or no dictionary, and does not
 * count; *out is then untouched. */
MUST_USE bool http_cache_control_targeted(const struct http_fields *fields, const char *name,
                                          struct http_cache_control *out);

/* Does `directive` ("private", "no-cache"), in fields of that name, list the field `wanted`? */
bool http_cache_control_names(const struct http_fields *fields, const char *name,
                              const char *directive, struct bytes wanted);

/* Age (RFC 9111 §5.1): of a list the first; false, and *out untouched: there is none, or it is no
 * number of seconds. */
MUST_USE bool http_age(const struct http_fields *fields, uint32_t *out);

/* The values of all fields of that name as one, with commas between (RFC 9110 §5.3). */
void http_fields_join(const struct http_fields *fields, const char *name, struct writer *w);

#endif
