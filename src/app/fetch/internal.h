/* SPDX-License-Identifier: ISC */
/*
 * internal.h - what the parts of app/fetch/ share.
 *
 *      fetch.c             requests, and which connection each gets
 *      fetch_connection.c  a connection: found, opened, through a proxy, secured
 *      fetch_http1.c       what it carries, one exchange after the other
 *      fetch_http2.c       the same as streams, many at a time
 */
#ifndef WN_APP_FETCH_INTERNAL_H
#define WN_APP_FETCH_INTERNAL_H

#include "app/fetch/fetch.h"
#include "base/list.h"
#include "io/dial.h"

enum {
    FETCH_KEY_MAX = 2 * (URL_SCHEME_MAX + URL_HOST_MAX + 16),
    FETCH_AGAIN_MAX = 2, /* other connections for one request: what was kept may be closed by now */
};

enum fetch_connection_state {
    FETCH_FINDING, /* addresses */
    FETCH_CONNECTING,
    FETCH_TUNNELLING, /* CONNECT has been sent */
    FETCH_SHAKING,    /* hands, for TLS */
    FETCH_READY,
};

struct fetch_connection;
struct fetch_http2;
struct fetch_stream;

/* What carries exchanges: one version of HTTP. */
struct fetch_carrier {
    bool many; /* exchanges at a time */

    /* Takes the connection over: its stream is open. False: no memory. */
    bool (*open)(struct fetch_connection *c);

    /* Before its stream is closed. */
    void (*close)(struct fetch_connection *c);

    /* May another request go onto it now? */
    bool (*accepts)(const struct fetch_connection *c);

    /* The request goes onto the connection. False: it has no room, or is none. */
    bool (*begin)(struct fetch_connection *c, struct fetch *fetch);

    /* The first call for the request's body; others come by themselves. */
    void (*offer)(struct fetch *fetch);
    size_t (*body)(struct fetch *fetch, struct bytes in);
    bool (*body_end)(struct fetch *fetch);

    /* fetch->paused is no more. NULL: it cannot pause. */
    void (*resume)(struct fetch *fetch);

    /* The fetch lets go of the connection, wherever it stands. */
    void (*abandon)(struct fetch *fetch);
};

extern const struct fetch_carrier fetch_http1;
extern const struct fetch_carrier fetch_http2;

struct fetch_connection {
    struct list_node node; /* in fetcher->kept or fetcher->busy */
    bool kept;
    struct fetcher *fetcher;
    struct fetch *fetch;   /* whom it is opened for, and what HTTP/1 carries; NULL: none */
    struct stream *stream; /* NULL: not open */
    enum fetch_connection_state state;
    const struct fetch_carrier *carrier; /* when it is ready */
    bool used;             /* it has carried an exchange */
    usec begun;
    struct alarm patience; /* with fetch_seek */
    struct dial dial;
    struct endpoint server;
    uint64_t octets_in, octets_out;
    struct http_client http;   /* of HTTP/1, and of the tunnel */
    bool *gone;                /* of HTTP/1: set when it is freed: its caller looks */
    size_t surplus;            /* of HTTP/1: octets that came behind what the machine has used */
    struct fetch_http2 *http2; /* NULL: it is not of HTTP/2 */
    char key[FETCH_KEY_MAX];   /* of what it leads to */
};

struct fetcher {
    struct fetcher_options options;
    struct loop *loop;
    struct list_node kept; /* the one kept longest first */
    struct list_node busy;
    struct list_node fetches;
    unsigned kept_count;
};

struct fetch {
    struct list_node node;
    struct fetcher *fetcher;
    const struct fetch_request *request;
    const struct fetch_handler *handler;
    void *self;
    struct fetch_connection *connection; /* NULL: none */
    struct fetch_stream *stream;         /* of HTTP/2; NULL: none */
    struct task start;
    struct task go_on; /* fetch_resume() */
    bool paused;
    bool waiting;    /* for what a connection that is being opened will speak */
    bool alone;      /* it has waited in vain */
    bool only_http1; /* the server wants that (RFC 9113 §7, HTTP_1_1_REQUIRED) */
    bool started;    /* octets of the body were taken, or of the response came */
    bool stale;      /* a connection that was kept has turned out to be closed */
    unsigned again;  /* times that it has begun anew */
    uint64_t octets_in_before, octets_out_before; /* of its connection */
    struct fetch_outcome outcome;
    char reason[FETCH_REASON_MAX];
    char key[FETCH_KEY_MAX];
};

/* Does plain http go to the proxy itself? */
static inline bool fetch_is_forwarded(const struct fetch_request *r)
{
    return r->proxy != NULL && strcmp(r->url->scheme, "http") == 0;
}

/* Does TLS come first? */
static inline bool fetch_is_secure(const struct fetch_request *r)
{
    return strcmp(r->url->scheme, "https") == 0 || strcmp(r->url->scheme, "wss") == 0;
}

/* May its connection turn out to be of HTTP/2? */
bool fetch_may_be_http2(const struct fetch *fetch);

/* ---- connections ---- */

/* Begins to open a connection for the fetch; it may have ended already, on_end included. */
void fetch_connection_open(struct fetch *fetch);

/* The connection carries the fetch's request from now on, or the fetch has ended. */
void fetch_connection_use(struct fetch_connection *c, struct fetch *fetch);

/* It carries nothing any more, and waits for the next request. */
void fetch_connection_keep(struct fetch_connection *c);
void fetch_connection_free(struct fetch_connection *c);

/* Closes it and tells its one fetch, if it has one. */
void fetch_connection_drop(struct fetch_connection *c, enum http_client_failure failure, int error);

/* ---- what becomes of a fetch: it may be gone afterwards ---- */

/* Its connection, which is not its any more, was lost: ends, or tries another. */
void fetch_lost(struct fetch *fetch, enum http_client_failure failure, int error);

/* The server has not looked at the request: it goes to another connection, or ends. */
void fetch_refused(struct fetch *fetch, const char *why);

/* Another try, from the beginning. */
void fetch_restart(struct fetch *fetch);

/* A head has come. */
void fetch_take_head(struct fetch *fetch, const struct http_response_head *head,
                     const struct http_framing *framing);

/* on_end, and the fetch is gone. */
void fetch_finish(struct fetch *fetch, enum fetch_result result, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* on_switched, and the fetch, whose connection is not its any more, is gone. */
void fetch_switched(struct fetch *fetch, const struct http_response_head *head, struct stream *stream);

/* Those that wait to know what the connection speaks. */
void fetch_wake_waiting(struct fetcher *fetcher, const char *key, bool many);

#endif
