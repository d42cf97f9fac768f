/* SPDX-License-Identifier: ISC */
/*
 * fetch_http2_head.h - heads between the form that HTTP/1 and our machines have for them and the field lists of
 * HTTP/2 (RFC 9113 §8.2, §8.3).
 */
#ifndef WN_APP_FETCH_FETCH_HTTP2_HEAD_H
#define WN_APP_FETCH_FETCH_HTTP2_HEAD_H

#include <nghttp2/nghttp2.h>

#include "app/fetch/fetch.h"

enum {
    HTTP2_PSEUDO_FIELDS = 4,
    HTTP2_EXTRA_FIELDS = 1, /* content-length */
};

/* Where a field lies in the text of a head. */
struct http2_place {
    uint16_t name, name_len, value, value_len;
};

/* A response's head, as its fields come. */
struct http2_head {
    size_t text_len;
    size_t field_count;
    bool too_large; /* what followed was left out */
    struct http2_place fields[HTTP_FIELDS_MAX + HTTP2_PSEUDO_FIELDS];
    char text[HTTP_HEAD_MAX];
};
_Static_assert(HTTP_HEAD_MAX <= UINT16_MAX, "a place holds any offset");

void http2_head_begin(struct http2_head *h);
void http2_head_add(struct http2_head *h, struct bytes name, struct bytes value);

/* The head as HTTP/1 would have it, with views of `h`. False: it was too large, or is none. nghttp2 has seen to
 * it that :status is there, and right (§8.3.2). */
MUST_USE bool http2_head_decode(const struct http2_head *h, struct http_response_head *out);

/* A request's fields; they point into the block and into the request. */
struct http2_block {
    nghttp2_nv list[HTTP_FIELDS_MAX + HTTP2_PSEUDO_FIELDS + HTTP2_EXTRA_FIELDS];
    size_t count;
    struct writer names;
    char host[URL_HOST_MAX + 16];
    char length[24];
    uint8_t text[HTTP_CLIENT_OUTPUT_MAX]; /* names, in small letters (§8.2) */
};

/* False: it has no room, or a field is none. */
MUST_USE bool http2_block_make(struct http2_block *block, const struct fetch_request *r);

#endif
