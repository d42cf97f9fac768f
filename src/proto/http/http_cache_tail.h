/* SPDX-License-Identifier: ISC */
/*
 * http_cache_tail.h - what stands behind the octets of a response in a file of the HTTP cache: all that is
 * known of it, and at the very end how long both are, with a checksum of the tail.
 */
#ifndef WN_PROTO_HTTP_HTTP_CACHE_TAIL_H
#define WN_PROTO_HTTP_HTTP_CACHE_TAIL_H

#include "proto/http/http_cache_file.h"

struct http_cache_tail {
    struct http_cache_tail_end end; /* tail_len is found when it is written */
    struct http_cache_facts facts;  /* but for response_at, which has no meaning after a start: */
    int64_t response_wall;          /* seconds since 1970 */
    bool shared;                    /* the cache that stored it was */
    bool confined;
    bool of_parts;
    struct bytes uri;
    struct bytes names, key;        /* of Vary */
    struct bytes head, trailers;    /* lines with CRLF */
};

/* False: it does not fit. */
MUST_USE bool http_cache_tail_write(const struct http_cache_tail *tail, struct writer *w);

/* The checksum that stands in the last octets of a tail, of those before it. */
uint64_t http_cache_tail_digest(struct bytes in);

/* Views of `in`. False: it is none, or not whole. */
MUST_USE bool http_cache_tail_read(struct bytes in, struct http_cache_tail *out);

#endif
