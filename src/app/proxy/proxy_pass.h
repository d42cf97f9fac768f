/* SPDX-License-Identifier: ISC */
/*
 * proxy_pass.h - requests that another server has taken and hands on: by a proxy's connections to servers, their
 * balancing and health, and its cache. The proxy needs no listeners for that.
 *
 * Callbacks come from the loop only, never from inside a call of this header. Back-pressure: content is taken
 * as far as there is room for it, octets of the answer are read when the caller has room.
 */
#ifndef WN_APP_PROXY_PROXY_PASS_H
#define WN_APP_PROXY_PROXY_PASS_H

#include "app/proxy/proxy.h"
#include "wire/http/http_head.h"

struct proxy_pass;

struct proxy_pass_request {
    struct bytes method;
    struct bytes uri;     /* absolute and in normal form: what it is stored under */
    struct bytes target;  /* in origin form: what the server is to see */
    const struct http_fields *fields; /* as the client has sent them */
    bool has_body;
    uint64_t body_len;    /* UINT64_MAX: unknown */
    struct bytes upgrade; /* protocols to switch to; empty: none */
    struct endpoint peer; /* the client */
    bool secured;         /* who came by TLS, */
    bool old;             /* by HTTP/1.0 */
};

struct proxy_pass_handler {
    void (*on_answer)(void *self); /* see proxy_pass_answer() */
    void (*on_octets)(void *self); /* there are some to read, or the end */
    void (*on_room)(void *self);   /* for content */
    void (*on_interim)(void *self, unsigned status, const struct http_fields *fields);
    /* The other protocol goes by the stream, which is the callee's. The pass is over, and to be freed. */
    void (*on_switched)(void *self, struct stream *stream, const struct http_fields *fields);
    void (*on_failed)(void *self, unsigned status, const char *why); /* `why` may be NULL */
};

/* 0, or a status to refuse the request with. Views are needed during the call only. */
MUST_USE unsigned proxy_pass_new(struct proxy *proxy, const struct proxy_pass_request *request,
                                 const struct proxy_pass_handler *handler, void *self,
                                 struct proxy_pass **out);
void proxy_pass_free(struct proxy_pass *pass);

/* How much of the request's content was taken; all, when nobody wants it any more. on_room() follows when it
 * was less. */
size_t proxy_pass_body(struct proxy_pass *pass, struct bytes in);
/* It was all. False: not yet, on_room() follows. */
MUST_USE bool proxy_pass_body_end(struct proxy_pass *pass);

struct proxy_pass_answer {
    unsigned status;
    uint64_t length;    /* of the body; UINT64_MAX: unknown */
    bool has_body;
    size_t field_count;
    struct http_field fields[HTTP_FIELDS_MAX]; /* views of what follows, and of the answer */
    uint8_t scratch[2048];
    char cookie[128];
};

/* After on_answer(). Valid until the pass is read or freed. */
void proxy_pass_answer(struct proxy_pass *pass, struct proxy_pass_answer *out);

enum proxy_pass_read { PROXY_PASS_OCTETS, PROXY_PASS_LATER, PROXY_PASS_END, PROXY_PASS_BROKEN };

/* The next octets; say how many were used. After END: trailers, as lines. */
enum proxy_pass_read proxy_pass_read(const struct proxy_pass *pass, struct bytes *out);
void proxy_pass_used(struct proxy_pass *pass, size_t len);
struct bytes proxy_pass_trailers(const struct proxy_pass *pass);

#endif
