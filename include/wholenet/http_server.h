/* SPDX-License-Identifier: ISC */
/*
 * http_server.h - an HTTP/1.1 server (RFC 9110, RFC 9112) in a program: on addresses of the host or of a stack on the
 * same loop, with TLS or without. In libwholenet-http, as <wholenet/http.h>, whose rules of callbacks hold here.
 *
 * A call is a request that wants an answer, at once or later. Requests of a connection are told one after the
 * other, however many wait. What is wrong with a request is answered here (400, 408, 413, 414, 417, 431, 501, 505).
 * Limits hold from the beginning: a head of 16 KiB within 10 s, 60 s between requests, 4 KiB of a body each 30 s,
 * 4 KiB of an answer taken each 60 s.
 */
#ifndef WHOLENET_HTTP_SERVER_H
#define WHOLENET_HTTP_SERVER_H

#include <wholenet/http.h>

WN_C_BEGIN

struct wn_http_server;
struct wn_http_call;

/* All zero but `size`: on the host's sockets, without TLS. */
struct wn_http_server_options {
    size_t size;              /* sizeof(struct wn_http_server_options): for later versions */
    struct wn_stack *stack;   /* on which one; it must be on the loop. NULL: the host's sockets */
    const char *certificate;  /* a chain in PEM, with the server's own first: TLS. NULL: none */
    const char *key;          /* NULL: in the file of the chain */
    const char *name;         /* of the field Server; NULL: none */
    unsigned connections_max; /* 0: 1024. One more is answered with 503 */
    char *why;                /* where wn_http_server_new() writes why it has failed; NULL: nowhere */
    size_t why_size;
};

/* Valid in on_request. */
struct wn_http_server_request {
    const char *method;
    const char *target;      /* path and query as they were asked for */
    const char *host;        /* of the target or of the field Host; "": HTTP/1.0 without one */
    enum wn_http_version version;
    const struct wn_http_field *fields;
    size_t field_count;
    uint64_t body_len;       /* WN_HTTP_LENGTH_UNKNOWN: chunked */
    struct wn_endpoint peer;
    int secure;              /* over TLS */
};

/* on_request must be there, the others may be NULL. */
struct wn_http_server_handler {
    /* Wants an answer, in this call or later. */
    void (*on_request)(void *self, struct wn_http_call *call,
                       const struct wn_http_server_request *request);

    /* Octets of a body that wn_http_call_take_body() has asked for, and its end; `whole` 0: it was cut off, was
     * too large or too slow, and no answer is wanted any more. */
    void (*on_body)(void *self, struct wn_http_call *call, const void *data, size_t len);
    void (*on_body_end)(void *self, struct wn_http_call *call, int whole);

    /* There is room for more of the answer, after wn_http_call_send() has taken less than it was given. */
    void (*on_room)(void *self, struct wn_http_call *call);

    /* The last one: the answer is on its way (`whole`), or the connection is lost. The call is gone when it
     * returns. */
    void (*on_done)(void *self, struct wn_http_call *call, int whole);
};

/* Makes a server, which listens nowhere yet; `handler` is copied. 0, WN_HTTP_BAD_OPTION or WN_HTTP_NO_MEMORY. */
WN_API WN_MUST_USE int wn_http_server_new(struct wn_loop *loop,
                                          const struct wn_http_server_options *options,
                                          const struct wn_http_server_handler *handler, void *self,
                                          struct wn_http_server **out);

/* Closes all connections without a callback; before its loop and stack, and not in a callback. NULL is nothing. */
WN_API void wn_http_server_free(struct wn_http_server *server);

/* Listens at one more address, of at most 16; port 0: any, see *local afterwards. 0, or a negative number of
 * <errno.h>. */
WN_API WN_MUST_USE int wn_http_server_listen(struct wn_http_server *server,
                                             struct wn_endpoint *local);

/* What the program keeps with a call; NULL at first. */
WN_API void wn_http_call_set_user(struct wn_http_call *call, void *user);
WN_API void *wn_http_call_user(const struct wn_http_call *call);

/* In on_request: the body is wanted, up to `max` octets; who waits for 100 (Continue) gets it. 0, or
 * WN_HTTP_TOO_LARGE: 413 has been answered. A body that nobody has asked for is thrown away. */
WN_API WN_MUST_USE int wn_http_call_take_body(struct wn_http_call *call, uint64_t max);

/* A whole answer; `status` 200 to 599, fields others than Date, Server, Connection and the lengths; all is copied.
 * 0, WN_HTTP_BAD_OPTION: the head cannot be, 500 was answered; or WN_HTTP_NO_MEMORY, the same. */
WN_API int wn_http_call_reply(struct wn_http_call *call, unsigned status,
                              const struct wn_http_field *fields, size_t field_count,
                              const void *body, size_t body_len);

/* The head of an answer whose body follows, of `body_len` octets, or WN_HTTP_LENGTH_UNKNOWN. The same. */
WN_API WN_MUST_USE int wn_http_call_begin(struct wn_http_call *call, unsigned status,
                                          const struct wn_http_field *fields, size_t field_count,
                                          uint64_t body_len);

/* Takes octets of it; how many: on_room follows when not all. To HEAD and what has no body all are taken, and
 * none is sent. */
WN_API WN_MUST_USE size_t wn_http_call_send(struct wn_http_call *call, const void *data, size_t len);

/* That was all. An answer that is shorter than was said ends with its connection. */
WN_API void wn_http_call_end(struct wn_http_call *call);

WN_C_END

#endif
