/* SPDX-License-Identifier: ISC */
/*
 * http_body.h - the octets of a representation, or of parts of it, as they come and go: what the HTTP
 * cache keeps, and what passes through it.
 *
 * Octets lie in blocks, by their offset in the representation. Parts may come in any order and
 * overlap; what is there already is not written again.
 */
#ifndef WN_PROTO_HTTP_HTTP_BODY_H
#define WN_PROTO_HTTP_HTTP_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/heap.h"

enum {
    HTTP_BODY_BLOCK_MIN = 4 * 1024,  /* of a body whose length nobody told */
    HTTP_BODY_BLOCK_MAX = 64 * 1024,
};

struct http_block;

struct http_body {
    struct heap heap;
    struct http_block **blocks; /* by offset; none empty, none overlapping */
    size_t count;
    size_t size;
    uint64_t octets;            /* of memory */
};

/* Takes nothing from the heap. */
void http_body_init(struct http_body *body, const struct heap *heap);
void http_body_done(struct http_body *body);

/* Puts `in` at `offset`. `hint`: octets that are expected from there on, at least; 0: unknown. False:
 * no memory; some may have been written. */
MUST_USE bool http_body_write(struct http_body *body, uint64_t offset, struct bytes in,
                              uint64_t hint);

/* The octets from `offset` on, as far as they lie in one piece; empty: none there. Valid until the
 * next trim or done. */
struct bytes http_body_read(const struct http_body *body, uint64_t offset);

/* The end of what is there without a gap from `offset` on; `offset` itself when nothing is. */
uint64_t http_body_end(const struct http_body *body, uint64_t offset);

/* Lets blocks go that lie before `offset`. */
void http_body_trim(struct http_body *body, uint64_t offset);

#endif
