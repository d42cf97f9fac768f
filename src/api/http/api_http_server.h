/* SPDX-License-Identifier: ISC */
/*
 * api_http_server.h - what the files behind wholenet/http_server.h share.
 *
 *      api_http_server.c   servers, their listeners and their connections
 *      api_http_call.c     a request and its answer
 */
#ifndef WN_API_HTTP_API_HTTP_SERVER_H
#define WN_API_HTTP_API_HTTP_SERVER_H

#include <wholenet/http_server.h>

#include "api/api_loop.h"
#include "io/tls.h"
#include "proto/http/http_server.h"

enum {
    HTTP_LISTENERS_MAX = 16,
    HTTP_CONNECTIONS_DEFAULT = 1024,
    HTTP_TURNED_AWAY_MAX = 64, /* connections beyond the limit that are told so, at a time */
};

struct wn_http_server {
    struct wn_loop *outer;
    struct loop *loop;
    struct net *net;
    struct tls_server *tls; /* NULL: none */
    char *name;             /* NULL: none */
    struct wn_http_server_handler handler;
    void *self;
    struct listener *listeners[HTTP_LISTENERS_MAX];
    size_t listener_count;
    struct list_node calls;
    size_t call_count;
    size_t calls_max;
};

/* A connection, and the request on it. */
struct wn_http_call {
    struct list_node node;
    struct wn_http_server *server;
    struct stream *stream; /* NULL: it is gone */
    struct http_server http;
    struct task task;      /* after a call of the program */
    unsigned busy;         /* calls of ours that will look at it again */
    bool finished;         /* FIN is sent */
    size_t left;           /* octets that the machine has not used yet */
    /* ---- the request ---- */
    void *user;
    bool open;             /* told, and on_done is not */
    bool begun;            /* its answer */
    bool failed;           /* it will not be whole */
    bool wants_room;       /* on_room is owed */
    bool over;             /* no more of the body comes from the program */
    uint8_t *body;         /* of wn_http_call_reply(); NULL: none */
    size_t body_at, body_len;
};

/* ---- api_http_call.c ---- */

/* Acts on what the machine has found. */
void http_call_take(struct wn_http_call *call, const struct http_server_event *event);

/* Sends what there is room for, and tells of the end. */
void http_call_push(struct wn_http_call *call);

/* The answer will not be whole: on_done, if it is owed. */
void http_call_lose(struct wn_http_call *call);

static inline usec http_call_now(const struct wn_http_call *call)
{
    return loop_now(call->server->loop);
}

#endif
