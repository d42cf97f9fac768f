/* SPDX-License-Identifier: ISC */
/*
 * http_cache_policy.h - the decisions of HTTP caching as pure functions (RFC 9111): what may be
 * stored, how long it is fresh, how old it is, and when it may be used. http_cache.h is the cache
 * that goes by them.
 */
#ifndef WN_PROTO_HTTP_HTTP_CACHE_POLICY_H
#define WN_PROTO_HTTP_HTTP_CACHE_POLICY_H

#include "base/usec.h"
#include "wire/http/http_cache_control.h"

#define HTTP_CACHE_HEURISTIC_MAX (24 * 60 * 60) /* seconds; RFC 9111 §4.2.2 leaves it to us */

/* What kind of cache it is. */
struct http_cache_rules {
    bool shared;
    const char *targeted;   /* the targeted field that it obeys (RFC 9213); NULL: none */
    uint32_t stale_max;     /* seconds that a stale response may serve when the origin cannot be
                               reached (RFC 9111 §4.2.4); 0: not at all */
    uint32_t heuristic_max; /* seconds; 0: no heuristics */
};

/* The moment, by both clocks: seconds since 1970 are compared with dates, `now` measures. */
struct http_cache_time {
    usec now;
    int64_t wall;
};

#define HTTP_NO_DATE INT64_MIN

/* What caching asks of a response's head, found out once. */
struct http_cache_facts {
    unsigned status;
    struct http_cache_control cc; /* the targeted one, or Cache-Control */
    bool targeted;
    bool has_expires;
    bool has_age;
    uint32_t lifetime;    /* seconds (§4.2.1) */
    usec initial_age;     /* corrected_initial_age (§4.2.3) */
    usec response_at;
    int64_t date;         /* Date, or when it was received */
    int64_t modified;     /* Last-Modified, or HTTP_NO_DATE */
};

/* `request_at`: when the request that it answers was sent. */
void http_cache_facts(const struct http_cache_rules *rules, unsigned status,
                      const struct http_fields *fields, usec request_at,
                      struct http_cache_time time, struct http_cache_facts *out);

/* What caching asks of a request. */
struct http_cache_wishes {
    struct http_cache_control cc;
    bool authorized; /* it has Authorization */
};
void http_cache_wishes(const struct http_fields *fields, struct http_cache_wishes *out);

/* May the response to a GET be stored (§3)? */
bool http_cache_may_store(const struct http_cache_rules *rules,
                          const struct http_cache_wishes *wishes,
                          const struct http_cache_facts *facts);

/* May the response to a POST be, as one to GET (RFC 9110 §9.3.3)? That its Content-Location is the
 * target is for the caller to see. */
bool http_cache_may_store_post(const struct http_cache_rules *rules,
                               const struct http_cache_wishes *wishes,
                               const struct http_cache_facts *facts);

/* Statuses that may be stored without a word of the origin's (RFC 9110 §15.1). */
bool http_cache_heuristic_status(unsigned status);

/* current_age (§4.2.3). */
usec http_cache_age(const struct http_cache_facts *facts, usec now);

/* The freshness that is left, in seconds; below 0: stale for so long. */
int64_t http_cache_ttl(const struct http_cache_facts *facts, usec now);

enum http_cache_use {
    HTTP_CACHE_USE,        /* fresh, or as stale as the client takes it */
    HTTP_CACHE_USE_BEHIND, /* use it, and validate it meanwhile (RFC 5861 §3) */
    HTTP_CACHE_USE_VALID,  /* only after validation */
};

/* May it answer the request, which it matches (§4)? */
enum http_cache_use http_cache_judge(const struct http_cache_rules *rules,
                                     const struct http_cache_facts *facts,
                                     const struct http_cache_wishes *wishes, usec now);

/* May it be used though it could not be validated? `unreachable`: the origin did not answer at all;
 * otherwise its answer was a 500, 502, 503 or 504 (RFC 5861 §4). */
bool http_cache_use_after_error(const struct http_cache_rules *rules,
                                const struct http_cache_facts *facts,
                                const struct http_cache_wishes *wishes, bool unreachable, usec now);

#endif
