/* SPDX-License-Identifier: ISC */
/*
 * http_client.h - the client's side of an HTTP/1.x connection (RFC 9112), as a pure machine.
 *
 * One request at a time: request(), then input() until END or FAILED; then, if reusable(), the next.
 * Octets that input() does not use are offered again with what follows them. After SWITCHED the
 * machine has nothing to say any more: what follows is of another protocol.
 */
#ifndef WN_PROTO_HTTP_HTTP_CLIENT_H
#define WN_PROTO_HTTP_HTTP_CLIENT_H

#include "base/usec.h"
#include "wire/http/http_chunk.h"
#include "wire/http/http_head.h"

enum {
    HTTP_CLIENT_OUTPUT_MAX = 16 * 1024, /* a request head, and body octets as they fit */
    HTTP_CLIENT_INTERIM_MAX = 16,       /* 1xx responses before the final one */
};
#define HTTP_CLIENT_TIMEOUT (60 * USEC_PER_SEC) /* without a single octet from the server */

enum http_client_event_kind {
    HTTP_CLIENT_NO_EVENT,
    HTTP_CLIENT_INTERIM, /* a 1xx response (100: go on with the body) */
    HTTP_CLIENT_HEAD,    /* the final response's head */
    HTTP_CLIENT_BODY,    /* `data`: the next octets of its body */
    HTTP_CLIENT_END,     /* the response is complete */
    HTTP_CLIENT_SWITCHED, /* 101, or 2xx to CONNECT: what follows is no HTTP. `head` says more */
    HTTP_CLIENT_FAILED,  /* see `failure`; the connection is of no more use */
};

enum http_client_failure {
    HTTP_CLIENT_OK,
    HTTP_CLIENT_MALFORMED, /* the response contradicts the protocol */
    HTTP_CLIENT_UNSUPPORTED, /* another version, an unknown transfer coding, too many fields */
    HTTP_CLIENT_TOO_LARGE, /* the head, or the body more than body_max */
    HTTP_CLIENT_CUT_OFF,   /* the server closed before the response was complete */
    HTTP_CLIENT_TIMED_OUT,
    HTTP_CLIENT_FAILURE_COUNT
};

const char *http_client_failure_text(enum http_client_failure failure);

/* Views are borrowed from the input. */
struct http_client_event {
    enum http_client_event_kind kind;
    enum http_client_failure failure;
    struct http_response_head head; /* INTERIM, HEAD, SWITCHED */
    struct http_framing framing;    /* HEAD */
    struct bytes data;              /* BODY; never empty */
};

enum http_client_state {
    HTTP_CLIENT_IDLE,
    HTTP_CLIENT_IN_HEAD,
    HTTP_CLIENT_IN_BODY,
    HTTP_CLIENT_DONE, /* complete, END not told yet */
    HTTP_CLIENT_OTHER, /* switched to another protocol */
    HTTP_CLIENT_OVER, /* failed */
};

struct http_client {
    usec now;
    usec deadline;
    uint64_t body_max;
    enum http_client_state state;
    enum http_client_failure failure;
    bool failure_told;
    bool keep_alive;
    bool head_only;
    bool connect;              /* the method is CONNECT */
    bool may_switch;           /* Upgrade has been sent */
    bool chunked_request;      /* its body is, and is not complete yet */
    bool ended;
    uint8_t interim_count;
    usec timeout;
    struct writer *trailers;   /* see http_client_keep_trailers() */
    struct http_finder finder;
    struct http_framing framing;
    struct http_chunk chunk;
    uint64_t body_len;          /* received */
    uint64_t request_body_left;
    uint16_t output_at;
    uint16_t output_len;
    uint8_t output[HTTP_CLIENT_OUTPUT_MAX];
};

/* `body_max`: octets of a response's body we are willing to take. */
void http_client_init(struct http_client *c, uint64_t body_max, usec now);

struct http_request {
    const char *method;
    struct bytes target;
    const char *host;        /* the Host field; NULL: it is among the others, or there is none */
    const struct http_field *fields; /* others: not Connection, nor the lengths */
    size_t field_count;
    uint64_t body_len;       /* of the request's body; HTTP_CLIENT_LENGTH_UNKNOWN: chunked */
    bool has_body;
    bool close;              /* ask the server to close afterwards */
    bool old;                /* HTTP/1.0; no chunked body then */
    struct bytes upgrade;    /* protocols to switch to: Upgrade, with Connection; empty: none */
};
#define HTTP_CLIENT_LENGTH_UNKNOWN UINT64_MAX

/* Queues the head. The machine must be idle and its output empty. False: it does not fit, or is
 * none. */
MUST_USE bool http_client_request(struct http_client *c, const struct http_request *request,
                                  usec now);

/* Copies octets of the request's body to the output; returns how many. */
size_t http_client_body(struct http_client *c, struct bytes in);

/* The end of a body of unknown length; trailer fields, if any, as lines. False: there is no room for
 * it now; come again when output has gone. */
MUST_USE bool http_client_body_end(struct http_client *c, struct bytes trailers);

/* Has the whole of the request's body been taken? */
bool http_client_body_complete(const struct http_client *c);

/* Without a single octet from the server; HTTP_CLIENT_TIMEOUT unless said otherwise. */
void http_client_set_timeout(struct http_client *c, usec timeout);

/* Trailer sections of responses are written to `trailers`, as lines; NULL: nowhere. What does not fit
 * fails the writer. */
void http_client_keep_trailers(struct http_client *c, struct writer *trailers);

/* Consumes up to and including what yields an event; call until 0 are used and there is none. */
size_t http_client_input(struct http_client *c, struct bytes in, usec now,
                         struct http_client_event *out);

/* The server has sent FIN. Call input() afterwards with what was not used, be it nothing. */
void http_client_end(struct http_client *c, usec now);

struct bytes http_client_output(const struct http_client *c);
void http_client_sent(struct http_client *c, size_t len);

/* Octets of a request's body have gone: the server's time to answer begins anew. */
void http_client_wait(struct http_client *c, usec now);

/* Idle, and the connection may carry another request? */
bool http_client_reusable(const struct http_client *c);

/* When to call tick(); call input() after it, which tells the failure. */
usec http_client_deadline(const struct http_client *c);
void http_client_tick(struct http_client *c, usec now);

#endif
