/* SPDX-License-Identifier: ISC */
/*
 * api_http.h - what the files behind wholenet/http.h share. For src/api/http/ only.
 *
 *      api_http.c           clients: what they have, and what they were given
 *      api_http_find.c      names to addresses, without waiting
 *      api_http_request.c   a request as it goes out
 *      api_http_transfer.c  what an answer leads to, and the end
 *      api_http_body.c      octets, in both directions
 *      api_http_told.c      responses and results as the program sees them
 *      api_http_wait.c      calls that wait for all of it; URLs
 */
#ifndef WN_API_HTTP_API_HTTP_H
#define WN_API_HTTP_API_HTTP_H

#include <wholenet/http.h>

#include "api/api_loop.h"
#include "app/fetch/fetch.h"
#include "os/content_decoder.h"
#include "proto/http/cookie_jar.h"
#include "proto/http/http_credentials.h"
#include "proto/http/http_redirect.h"

enum {
    HTTP_WHY_MAX = FETCH_REASON_MAX,
    HTTP_PIECE_MAX = 16 * 1024,       /* of a request's body, read and not taken */
    HTTP_HELD_MAX = FETCH_HTTP2_WINDOW, /* of a response's, which were on their way when it was paused */
    HTTP_STORE_MAX = 16 * 1024,       /* the fields of a request */
    HTTP_GIVEN_MAX = 80,              /* of them, those of the program */
};

struct host_lookup;

struct wn_http {
    struct wn_loop *outer;
    struct loop *loop;
    unsigned flags;
    struct wn_stack *stack; /* NULL: the host's sockets */
    struct net *net;
    struct fetcher *fetcher;
    struct tls_client *tls[2]; /* for HTTP/1, for HTTP/2 too; NULL: nothing was https yet */
    struct cookie_jar *jar;    /* NULL: none are kept */
    char *hosts, *agent, *trust_file, *trust_folder, *certificate, *key; /* NULL: not given */
    struct url proxy;
    bool has_proxy;
    /* ---- names ---- */
    struct wn_resolver *resolver; /* NULL: none */
    struct host_lookup *lookup;   /* of the host; NULL: over a stack */
    struct list_node questions;
    struct api_watcher watcher;   /* of the resolver's stack */
    struct alarm resolver_alarm;
    /* ---- */
    struct list_node transfers;
    size_t transfer_count;
    char why[HTTP_WHY_MAX];
};

enum http_next { HTTP_NEXT_NONE, HTTP_NEXT_AGAIN, HTTP_NEXT_REDIRECT };

/* A response as the program sees it: one block, with its texts behind it. */
struct http_told {
    struct wn_http_response response;
    struct wn_http_field fields[];
};

struct wn_http_transfer {
    struct list_node node;
    struct wn_http *http;
    struct wn_http_handler handler;
    void *self;
    unsigned busy; /* calls of ours that will look at it again */
    bool dead;     /* cancelled, or on_end is told: freed when nobody is busy */
    struct task task;     /* what was resumed, or has a body again */
    struct alarm timeout, idle, patience; /* patience: with 100 (Continue) */
    usec begun;

    /* ---- the wish ---- */
    struct wn_http_request wish; /* its texts lie in `copy` */
    char *copy;
    struct http_user user;
    bool has_user;
    struct bytes trailers; /* as lines */

    /* ---- where it is ---- */
    struct url url;
    struct url first; /* as it was asked: credentials are for its origin */
    struct url proxy;
    bool has_proxy;
    const char *method;
    bool sends_body;
    struct http_challenge challenge, proxy_challenge; /* that were answered; scheme NONE: none were */
    enum http_next next;
    struct http_redirect redirect;
    unsigned redirects;

    /* ---- the request ---- */
    struct fetch *fetch; /* NULL: none is under way */
    struct fetch_request request;
    struct http_field fields[HTTP_FIELDS_MAX];
    char store[HTTP_STORE_MAX];
    char proxy_authorization[HTTP_CREDENTIALS_MAX];
    bool expects;      /* this one has Expect */
    bool expected;     /* one had, and the server does not know it */
    bool waits;        /* the body, for 100 (Continue) */
    bool has_room;     /* the connection has */
    bool body_over;    /* nothing of the body is to be sent any more */
    bool was_read;     /* octets of the program's were taken: it has to rewind */
    uint64_t body_at;  /* octets taken by the connection */
    uint8_t *piece;    /* of `read`; NULL: nothing was read yet */
    size_t piece_at, piece_len;
    bool read_all;     /* `read` has said 0 */

    /* ---- the answer ---- */
    struct http_told *told; /* NULL: none yet */
    struct content_decoder *decoder; /* NULL: the octets as they come */
    uint64_t dropped;       /* of a body that nobody wants */
    uint64_t body_len;      /* told */
    bool paused;
    uint8_t *held;          /* come and not told; NULL: nothing */
    size_t held_len;
    bool has_outcome;       /* the exchange has ended, but what is held has not been told */
    struct fetch_outcome outcome;
    char reason[FETCH_REASON_MAX]; /* of the outcome */
};

/* Notes why a call has failed, and returns `error`. */
int http_fail(struct wn_http *http, int error, const char *format, ...) PRINTF_LIKE(3, 4);

/* ---- api_http_find.c: for the fetcher; `self` is the client ---- */

/* 0 or enum wn_http_error, with http->why. */
int http_find_open(struct wn_http *http);
void http_find_close(struct wn_http *http);
void http_find(void *self, struct fetch *fetch, const char *host, uint16_t port);
void http_find_forget(void *self, struct fetch *fetch);

/* ---- api_http_request.c ---- */

/* Copies what the program wishes. 0 or enum wn_http_error, with http->why. */
int http_request_take(struct wn_http_transfer *t, const struct wn_http_request *request);

/* Fills in the next request. False: it has no room. */
bool http_request_make(struct wn_http_transfer *t);

/* ---- api_http_body.c ---- */

/* Sends what there is room for. The transfer may have ended then. */
void http_send_body(struct wn_http_transfer *t);

/* To its beginning, for another request. False: that cannot be. */
bool http_rewind_body(struct wn_http_transfer *t);

/* Octets of the answer's body. The transfer may have ended then. */
void http_take_body(struct wn_http_transfer *t, struct bytes data);

/* Those that were held, and then the end, if that has come. */
void http_take_held(struct wn_http_transfer *t);

/* ---- api_http_transfer.c ---- */

/* It ends: on_end, and no more. What is under way is cancelled. */
void http_end(struct wn_http_transfer *t, int error, int system_error, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Its exchange has ended, and all that came is told. */
void http_conclude(struct wn_http_transfer *t, const struct fetch_outcome *outcome);

/* Around calls of the program's functions: the transfer stays until the last has left. False: it is over, and
 * may be gone. */
void http_enter(struct wn_http_transfer *t);
bool http_leave(struct wn_http_transfer *t);

/* The server has shown that it is there. */
void http_touch(struct wn_http_transfer *t);

/* ---- api_http_told.c ---- */

/* A copy of a head. NULL: no memory. */
struct http_told *http_tell(const struct wn_http_transfer *t, const struct http_response_head *head,
                            const struct http_framing *framing, bool http2);

/* A copy of another, with all that it points to. NULL: no memory. */
struct http_told *http_tell_again(const struct wn_http_response *response);

void http_fill_result(const struct wn_http_transfer *t, const struct fetch_outcome *outcome,
                      struct wn_http_result *out);

#endif
