/* SPDX-License-Identifier: ISC */
/*
 * web_body.h - where the octets of a response come from: memory, a file, a pattern, or ranges of one
 * of them as parts (multipart/byteranges, RFC 9110 §14.6), or somebody who makes them meanwhile.
 */
#ifndef WN_APP_WEB_WEB_BODY_H
#define WN_APP_WEB_WEB_BODY_H

#include "app/web/web_flow.h"
#include "base/bytes.h"
#include "wire/http/http_range.h"

enum {
    WEB_CHUNK = 64 * 1024, /* read from a file at a time; stays in the cache */
    WEB_PART_HEAD_MAX = 256,
    WEB_BOUNDARY_LEN = 24,
    WEB_PATTERN_LEN = 251, /* a prime: no block of a power of two repeats */
};

enum web_body_kind {
    WEB_BODY_NONE,
    WEB_BODY_MEMORY,
    WEB_BODY_FILE,
    WEB_BODY_PATTERN,
    WEB_BODY_PARTS,
    WEB_BODY_FLOW,
};

#define WEB_BODY_UNKNOWN UINT64_MAX /* so many octets has a flow when nobody has said */

struct web_parts;
struct web_file;

struct web_body {
    enum web_body_kind kind;
    struct bytes data;       /* MEMORY */
    char *owned;             /* MEMORY: freed with the body; NULL: static */
    struct web_file *file;   /* FILE, or whose memory it is: released with the body; NULL: none */
    uint64_t offset;         /* FILE, PATTERN: the next octet */
    uint64_t len;            /* octets still to come */
    struct web_parts *parts; /* PARTS */
    struct web_flow *flow;   /* FLOW: borrowed */
};

/* Is there nothing to send for now? */
static inline bool web_body_waits(const struct web_body *body)
{
    return body->kind == WEB_BODY_FLOW && body->len > 0 && web_flow_waits(body->flow);
}

/* A flow, whose length nobody has said, has come to its end and was whole. */
static inline bool web_body_ended(const struct web_body *body)
{
    return body->kind == WEB_BODY_FLOW && body->flow->len == 0 && body->flow->ended &&
           !body->flow->failed && body->len == WEB_BODY_UNKNOWN;
}

/* What all bodies of a service use in turn. */
struct web_buffers {
    uint8_t *chunk;   /* WEB_CHUNK octets, for files */
    uint8_t *pattern; /* WEB_CHUNK octets of what PATTERN serves */
    uint8_t *gather;  /* WEB_CHUNK octets, for frames that go together */
};

MUST_USE int web_buffers_init(struct web_buffers *buffers); /* 0 or -ENOMEM */
void web_buffers_done(struct web_buffers *buffers);

struct web_body web_body_of(struct bytes data);
void web_body_done(struct web_body *body);

/* The next octets, at most WEB_CHUNK unless they lie in memory: valid until the next call on any
 * body of the service. Empty: there are none where some should be, or, of a flow, not yet. */
struct bytes web_body_next(const struct web_body *body, const struct web_buffers *buffers);

/* Copies up to `size` of the next octets, which are on their way then. Returns how many: fewer only when
 * there are none where some should be, or no more. */
size_t web_body_read(struct web_body *body, const struct web_buffers *buffers, uint8_t *out,
                     size_t size);

/* The next `len` octets are on their way. */
void web_body_gone(struct web_body *body, size_t len);

/* Of a body that has not begun: only these octets. */
void web_body_narrow(struct web_body *body, const struct http_range *range);

/*
 * Makes the ranges of `body`, which is taken, its parts; each says that it is of `type`. `random`
 * is for the boundary, which stands in `boundary` afterwards. False: no memory, `body` is as it was.
 */
MUST_USE bool web_body_split(struct web_body *body, const struct http_ranges *ranges,
                             const char *type, uint64_t random,
                             char boundary[WEB_BOUNDARY_LEN + 1]);

#endif
