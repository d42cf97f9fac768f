/* SPDX-License-Identifier: ISC */
/*
 * internal.h - what fetch.c (requests, and which connection each gets) and fetch_connection.c (a
 * connection: found, opened, through a proxy, and what it carries) share.
 */
#ifndef WN_APP_FETCH_INTERNAL_H
#define WN_APP_FETCH_INTERNAL_H

#include "app/fetch/fetch.h"
#include "base/list.h"
#include "io/dial.h"

enum {
    FETCH_KEY_MAX = 2 * (URL_SCHEME_MAX + URL_HOST_MAX + 16),
};

enum fetch_connection_state {
    FETCH_CONNECTING,
    FETCH_TUNNELLING, /* CONNECT has been sent */
    FETCH_SHAKING,    /* hands, for TLS */
    FETCH_READY,
};

struct fetch_connection {
    struct list_node node; /* in fetcher->kept or fetcher->busy */
    struct fetcher *fetcher;
    struct fetch *fetch;   /* NULL: kept */
    struct stream *stream; /* NULL: not open */
    enum fetch_connection_state state;
    bool used;             /* it has carried an exchange */
    bool *gone;            /* set when it is freed: its caller looks */
    size_t surplus;        /* octets that came behind what the machine has used */
    struct dial dial;
    struct endpoint server;
    uint64_t octets_in, octets_out;
    struct http_client http;
    char key[FETCH_KEY_MAX]; /* of what it leads to */
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
    struct task start;
    bool started;    /* octets of the body were taken, or of the response came */
    bool again;      /* it is on its second connection */
    struct fetch_outcome outcome;
    char reason[FETCH_REASON_MAX];
    char key[FETCH_KEY_MAX];
};

/* Begins to open a connection for the fetch. False: it has ended already, on_end included. */
bool fetch_connection_open(struct fetch *fetch);

/* The connection carries the fetch's request from now on. */
void fetch_connection_use(struct fetch_connection *c, struct fetch *fetch);

/* Sends what is to be sent. */
void fetch_connection_flush(struct fetch_connection *c);
void fetch_connection_free(struct fetch_connection *c);

/* The fetch has lost its connection, which is freed: ends, or tries another. */
void fetch_lost(struct fetch *fetch, enum http_client_failure failure, int error);

/* on_end, and the fetch is gone. */
void fetch_finish(struct fetch *fetch, enum fetch_result result, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The response is complete: the connection is kept or closed. */
void fetch_complete(struct fetch *fetch);

#endif
