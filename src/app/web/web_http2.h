/* SPDX-License-Identifier: ISC */
/* web_http2.h - what web_http2.c and web_http2_stream.c share. Private to them. */
#ifndef WN_APP_WEB_WEB_HTTP2_H
#define WN_APP_WEB_WEB_HTTP2_H

#include "app/web/web_exchange.h"

struct web_http2 {
    struct web_session *session;
    struct task task;        /* goes on sending in the next turn */
    struct list_node streams;
    size_t stream_count;
    size_t progress;         /* octets since the deadline was set */
    usec deadline;
    bool closing;            /* nothing is left to do when all is sent */
    bool stalled;            /* octets of the client's wait until some of ours have gone */
    struct http2_session core;
};

struct web_stream {
    struct http2_stream core;
    struct list_node node;
    struct web_http2 *connection;
    bool accepted;           /* its body is wanted */
    bool responded;
    bool expects_continue;
    bool held;               /* octets of its body are not asked for any more */
    size_t unconsumed;       /* octets that came and have not opened the window again */
    uint64_t body_max, body_len, dropped;
    uint64_t announced;      /* Content-Length; HTTP_LENGTH_UNKNOWN */
    unsigned status;
    struct web_exchange exchange;
};

/* Something that counts has moved. */
void web_http2_earn_time(struct web_http2 *c, size_t octets);

/* NULL: no memory. */
struct web_stream *web_stream_new(struct web_http2 *c);
void web_stream_free(struct web_stream *s);

/* The request that was accepted as `s`. */
void web_stream_begin(struct web_stream *s, const struct http2_event *request);

/* Octets of its body, and its end. */
void web_stream_body(struct web_stream *s, struct bytes data);
void web_stream_end(struct web_stream *s);

/* Puts octets of the response's body where they go, or says that there are none. */
void web_stream_fill(struct web_stream *s, const struct http2_slot *slot);

#endif
