/* SPDX-License-Identifier: ISC */
/*
 * http_server.h - the server's side of an HTTP/1.x connection (RFC 9112), as a pure machine.
 *
 * Octets in, at most one event out; what is to be sent accumulates in a buffer that the caller
 * drains. The machine keeps no octets of the peer: what input() does not use is offered again, with
 * what follows it, so that an idle connection holds no head.
 *
 *      do {
 *          used = http_server_input(s, rest, now, &event);
 *          … act on the event: accept_body(), respond(), body() …
 *          … send http_server_output(), say http_server_sent() …
 *      } while (used > 0 || event.kind != HTTP_SERVER_NO_EVENT);
 *
 * Requests are answered one by one in their order; pipelined ones wait unused. What the machine
 * refuses by itself (400, 408, 413, 414, 417, 431, 501, 505) it answers and then closes. After every
 * call look at http_server_want() and http_server_deadline().
 */
#ifndef WN_PROTO_HTTP_HTTP_SERVER_H
#define WN_PROTO_HTTP_HTTP_SERVER_H

#include "base/usec.h"
#include "wire/http/http_chunk.h"
#include "wire/http/http_head.h"
#include "wire/http/uri.h"

enum {
    HTTP_SERVER_OUTPUT_MAX = 4096,    /* response heads and small bodies */
    HTTP_SERVER_ERROR_MAX = 1024,     /* what a refusal takes of it */
    HTTP_SERVER_BLANK_LINES_MAX = 4,  /* before a request line (RFC 9112 §2.2: at least one) */
    HTTP_SERVER_DROP_MAX = 64 * 1024, /* of an unwanted body, to save the connection */
    HTTP_SERVER_PROGRESS_MIN = 4096,  /* octets that earn a body or a response more time */
};
#define HTTP_SERVER_HEAD_TIMEOUT (10 * USEC_PER_SEC) /* from its first octet to its end */
#define HTTP_SERVER_IDLE_TIMEOUT (60 * USEC_PER_SEC) /* between requests */
#define HTTP_SERVER_BODY_TIMEOUT (30 * USEC_PER_SEC) /* for PROGRESS_MIN octets in */
#define HTTP_SERVER_SEND_TIMEOUT (60 * USEC_PER_SEC) /* for PROGRESS_MIN octets out */
#define HTTP_SERVER_LINGER (2 * USEC_PER_SEC)        /* for the peer's FIN after ours (§9.6) */
#define HTTP_LENGTH_UNKNOWN UINT64_MAX

enum http_server_event_kind {
    HTTP_SERVER_NO_EVENT,
    HTTP_SERVER_REQUEST,     /* wants respond(), now or later; accept_body() before, if wanted */
    HTTP_SERVER_BODY,        /* `data`: the next octets of an accepted body */
    HTTP_SERVER_BODY_END,    /* an accepted body is complete, also one of no octets */
    HTTP_SERVER_BODY_FAILED, /* it will not be: malformed, too large, cut off or too slow. Wants no
                                answer any more */
};

/* Views are borrowed from the input: gone when that is. */
struct http_server_event {
    enum http_server_event_kind kind;
    struct http_request_head head; /* REQUEST */
    struct uri_target target;      /* REQUEST */
    struct http_framing framing;   /* REQUEST: of its body */
    struct bytes data;             /* BODY; never empty */
};

enum http_server_want {
    HTTP_SERVER_STAY,
    HTTP_SERVER_FINISH, /* send FIN; go on reading until CLOSE */
    HTTP_SERVER_CLOSE,  /* let go */
    HTTP_SERVER_LEAVE,  /* let go; the client has said that it sends no more: no need to read on */
    HTTP_SERVER_ABORT,  /* reset: the response cannot be completed, or the peer does not read it */
};

enum http_server_request_state {
    HTTP_SERVER_HEAD,
    HTTP_SERVER_UNDECIDED, /* the head is told; its body is neither accepted nor dropped */
    HTTP_SERVER_TAKE_BODY,
    HTTP_SERVER_DROP_BODY,
    HTTP_SERVER_COMPLETE, /* waits for the end of the response */
    HTTP_SERVER_DRAIN,    /* no more requests: octets are thrown away until the peer ends */
};

enum http_server_response_state {
    HTTP_SERVER_NONE,
    HTTP_SERVER_OWED,
    HTTP_SERVER_SENDING,
    HTTP_SERVER_SENT,
};

struct http_server {
    const char *name; /* of the Server field; NULL: none. Borrowed */
    int64_t wall;     /* seconds since 1970, for Date; 0: none */
    const char *date; /* Date as it is to be, instead; borrowed. NULL: made of `wall` */
    usec now;
    usec read_deadline;
    usec send_deadline;
    enum http_server_request_state request;
    enum http_server_response_state response;
    enum http_version version;
    struct http_finder finder;
    struct http_framing framing;          /* of the request */
    struct http_framing response_framing; /* length: octets still to come */
    struct http_chunk chunk;
    uint64_t body_max;
    uint64_t body_len;   /* received */
    uint32_t in_progress, out_progress; /* since the deadlines were set */
    unsigned status;     /* of the last response */
    uint32_t responses;  /* begun, refusals included */
    uint8_t blank_lines;
    bool keep_alive;
    bool last_request;   /* the client's word: nothing follows its head (§9.6) */
    bool head_only;      /* the method is HEAD */
    bool expects_continue;
    bool switched;       /* the connection speaks another protocol */
    bool body_failed;    /* and not told yet */
    bool ended;          /* the peer has sent FIN */
    bool closed;
    bool aborted;
    uint16_t output_at;
    uint16_t output_len;
    uint8_t output[HTTP_SERVER_OUTPUT_MAX];
};

void http_server_init(struct http_server *s, const char *name, usec now);

/* The wall clock for Date fields; tell it before input() and respond(). */
void http_server_set_wall(struct http_server *s, int64_t seconds);

/* The same for who has the text, which may change as time goes on, and stays where it is. */
void http_server_set_date(struct http_server *s, const char *date);

/* Consumes up to and including what yields an event. Returns the octets used. */
size_t http_server_input(struct http_server *s, struct bytes in, usec now,
                         struct http_server_event *out);

/* The peer has sent FIN. Call input() afterwards with what was not used, be it nothing. */
void http_server_end(struct http_server *s, usec now);

/*
 * After REQUEST: the body is wanted, up to `max` octets; sends 100 (Continue) if the client waits
 * for it. False: it is larger, and 413 has been sent. A body that is not accepted before respond() is
 * thrown away.
 */
bool http_server_accept_body(struct http_server *s, uint64_t max);

/* The same, but 100 (Continue) is left to whom the request is passed on to: http_server_interim(). */
bool http_server_relay_body(struct http_server *s, uint64_t max);

/* An interim response (RFC 9110 §15.2), before respond(). False: it cannot be, since the client speaks
 * 1.0, does not expect 100, or has not read what was sent before; it may be left out then. */
bool http_server_interim(struct http_server *s, unsigned status, const struct http_field *fields,
                         size_t field_count);

struct http_response {
    unsigned status;          /* 200 or more */
    uint64_t length;          /* of the body; HTTP_LENGTH_UNKNOWN: chunked, or until close */
    const char *content_type; /* NULL: none */
    const struct http_field *fields; /* others: not Date, Server, Connection, nor the lengths */
    size_t field_count;
    bool close;               /* close the connection afterwards */
    bool passed_on;           /* another server's: Date and Server, if there are any, are among the fields */
};

/* Queues the head. For HEAD, 204 and 304 the response is then complete. False: the head did not
 * fit or was no head, and 500 has been queued in its place. */
bool http_server_respond(struct http_server *s, const struct http_response *response);

/* As respond(), but the head is written to `head`, which may be larger than the output; the caller
 * sends it after the output and before all that follows. False: it was no head, or too large; 500 has
 * been queued, and `head` failed. */
bool http_server_respond_to(struct http_server *s, const struct http_response *response,
                            struct writer *head);

/* Octets of the body still wanted by the peer: 0 when the response is complete. */
uint64_t http_server_body_left(const struct http_server *s);

/* Copies octets of the body to the output. Returns how many; none while there is no room. */
size_t http_server_body(struct http_server *s, struct bytes in);

/* May the caller send octets of the body past the output? Yes while it is empty and the body is not
 * chunked. What it has sent so, it tells here. */
bool http_server_may_pass(const struct http_server *s);
void http_server_passed(struct http_server *s, size_t len, usec now);

/* The same for a chunked body: a whole chunk of `len` octets, its frame included. */
bool http_server_may_pass_chunk(const struct http_server *s);
void http_server_chunk_passed(struct http_server *s, size_t len, usec now);

/* A body of unknown length is complete. With octets still owed, the connection is aborted. */
void http_server_body_end(struct http_server *s);

/* The same, with fields behind a chunked body, each as a line with its CRLF. What does not fit, or
 * has no place in that framing, is left out, as may be (RFC 9110 §6.5.1). */
void http_server_body_end_with(struct http_server *s, struct bytes trailers);

/* Answers whatever is under way with `status` and closes: also for a connection that is one too
 * many. A response that has begun is aborted. */
void http_server_refuse(struct http_server *s, unsigned status);

/* The caller makes the body while it is sent. Waiting: there is nothing to send for now, and the peer is
 * not to blame that it takes nothing; otherwise it has its time again. */
void http_server_body_waits(struct http_server *s, bool waiting, usec now);

/* Octets of an accepted body are not fed to input() for now, or are again: meanwhile the peer has time. */
void http_server_hold_body(struct http_server *s, bool held, usec now);

/*
 * In the place of respond(): 101 with these fields and "Connection: Upgrade", and another protocol from
 * there on (RFC 9110 §7.8). What comes is told as octets of a body until the peer ends; what goes is a
 * body until body_end(). No deadline holds but the one for a peer that does not read. False: the head
 * did not fit, and 500 has been queued.
 */
bool http_server_switch(struct http_server *s, const struct http_field *fields, size_t field_count);

/* Octets waiting to go to the peer; valid until the next call that is not _output(). */
struct bytes http_server_output(const struct http_server *s);
void http_server_sent(struct http_server *s, size_t len, usec now);

enum http_server_want http_server_want(const struct http_server *s);

/* Between requests, with nothing to send and nothing received of a next one? */
bool http_server_idle(const struct http_server *s);

/* When to call tick() next, USEC_NEVER if not at all. Call input() after tick(), be it with nothing:
 * it may have BODY_FAILED to tell. */
usec http_server_deadline(const struct http_server *s);
void http_server_tick(struct http_server *s, usec now);

#endif
