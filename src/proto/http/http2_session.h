/* SPDX-License-Identifier: ISC */
/*
 * http2_session.h - one connection of HTTP/2 (RFC 9113), a server's or a client's side, as a pure machine.
 *
 * What comes:
 *
 *      used = http2_input(s, in, now, &event);     until it uses 0 and tells nothing
 *      while ((stream = http2_next_closed(s)) != NULL) …
 *
 * REQUEST is answered at once by http2_accept(), with a stream in the caller's memory, or http2_refuse();
 * a stream stays the session's until http2_next_closed() or http2_forget() gives it back. Octets of bodies that
 * were told open the window again when they are given to http2_consume().
 *
 * What goes: a head at a time, and bodies when there is room for them.
 *
 *      http2_begin_head(s, stream); http2_add(…); …; http2_end_head(s, last, ended);
 *      while (http2_next_slot(s, &slot))
 *          http2_fill(s, &slot, len, ended);       or http2_sleep(), or http2_reset()
 *      http2_sent(s, stream_send(http2_output(s)));
 *
 * Octets of bodies are written where they are sent from; slots come in the order of RFC 9218. After all octets
 * have gone there may be more slots. No call waits, and none calls back.
 *
 * Bounds: HTTP2_STREAMS_MAX streams at a time in the caller's memory; while HTTP2_OUTPUT_HIGH octets wait because
 * the peer does not read, input() uses nothing; offer them again when some have gone. A peer that resets, pings or
 * sends what means nothing faster than HTTP2_RESETS_… and HTTP2_IDLES_… allow is told to calm down (§10.5). How long
 * a window may stay closed, or a stream idle, is its user's to say.
 *
 * SKIPS RFC 9113 §8.4 (push: a client forbids it, a server does not do it) and §3.1's Upgrade, which is deprecated.
 */
#ifndef WN_PROTO_HTTP_HTTP2_SESSION_H
#define WN_PROTO_HTTP_HTTP2_SESSION_H

#include "base/heap.h"
#include "base/list.h"
#include "base/usec.h"
#include "wire/http/hpack.h"
#include "wire/http/http2_frame.h"
#include "wire/http/http_head.h"

enum {
    HTTP2_STREAMS_MAX = 128,          /* of either side at a time */
    HTTP2_BUCKETS = 128,
    HTTP2_URGENCIES = 8,              /* RFC 9218 §4.1 */
    HTTP2_URGENCY_DEFAULT = 3,
    HTTP2_OUTPUT_HIGH = 64 * 1024,    /* octets that wait, and no more is made or read */
    HTTP2_OUTPUT_MAX = 4 * 1024 * 1024, /* heads of all streams: beyond that the connection ends */
    HTTP2_BLOCK_MAX = 2 * HTTP_HEAD_MAX, /* octets of a header block in several frames */
    HTTP2_CONTINUATIONS_MAX = 8,
    HTTP2_SETTINGS_MAX = 32,          /* in one frame */
    HTTP2_RESETS_BURST = 200,         /* streams that come to nothing by the peer's doing, and */
    HTTP2_RESETS_RATE = 20,           /* as many a second afterwards */
    HTTP2_IDLES_BURST = 2000,         /* frames that move nothing */
    HTTP2_IDLES_RATE = 200,
    HTTP2_RECENT = 64,                /* streams that are remembered after their end */
};
#define HTTP2_ACK_TIMEOUT (30 * USEC_PER_SEC) /* for our SETTINGS (§6.5.3) */
#define HTTP2_LENGTH_UNKNOWN UINT64_MAX

/* Where decoded text lies until the next input(): one for all sessions of a thread. */
struct http2_scratch {
    uint8_t text[2 * HTTP_HEAD_MAX];
};

struct http2_options {
    bool client;
    uint32_t streams_max;       /* that the peer may have open, up to HTTP2_STREAMS_MAX */
    uint32_t window;            /* of a stream, for what comes */
    uint32_t connection_window; /* HTTP2_WINDOW_DEFAULT or more */
};

/* In the caller's memory; the fields are the session's, those of the first group may be read. */
struct http2_stream {
    uint32_t id;
    uint32_t error;        /* of a closed one: HTTP2_NO_ERROR, or why */
    bool remote_ended;     /* the peer has sent all */
    bool local_ended;
    bool unprocessed;      /* closed, and the peer has not looked at it (§8.7): it may be tried again */

    struct list_node node; /* of those that may send, by urgency; or of the closed */
    struct http2_stream *next; /* in its bucket */
    int32_t send_window;
    int32_t receive_window;
    uint32_t consumed;     /* and not told to the peer */
    uint32_t unconsumed;
    uint64_t left;         /* of Content-Length; HTTP2_LENGTH_UNKNOWN */
    uint8_t urgency;
    bool incremental;
    bool head_received;    /* the final one */
    bool head_sent;
    bool bodiless;         /* of a client: the response has none, whatever its length says */
    bool sending;          /* its body is not complete */
    bool asleep;           /* there is nothing of it now */
    bool over;             /* nothing goes or comes any more */
};

enum http2_event_kind {
    HTTP2_NO_EVENT,
    HTTP2_REQUEST,  /* to a server: `request`, and wants accept() or refuse() before anything else */
    HTTP2_INTERIM,  /* to a client: `response` is 1xx */
    HTTP2_RESPONSE, /* to a client: the final one */
    HTTP2_TRAILERS, /* `trailers`; ended */
    HTTP2_BODY,     /* `data`, which may be empty when `ended` */
    HTTP2_GOING_AWAY, /* GOAWAY has come: nothing new can be asked. `error` is its word */
    HTTP2_FAILED,   /* the connection is of no more use, for `error`; send what is left, and close */
};

/* Views are gone at the next input(). */
struct http2_event {
    enum http2_event_kind kind;
    uint32_t id;
    uint32_t error;
    struct http2_stream *stream; /* NULL of REQUEST */
    bool ended;                  /* nothing follows on that stream */
    bool too_large;              /* the head is not whole: 431 for a request */
    struct bytes data;
    struct bytes scheme, authority, protocol; /* REQUEST; the last of an extended CONNECT (RFC 8441) */
    uint64_t length;             /* Content-Length; HTTP2_LENGTH_UNKNOWN */
    union {
        struct http_request_head request; /* as HTTP/1.1 has it; the target of CONNECT is its authority. Host is there
                                           * only if it came */
        struct http_response_head response;
        struct http_fields trailers;
    } head;
};

struct http2_bucket { /* of tokens */
    uint32_t left;
    usec since;
};

struct http2_session {
    struct heap heap;
    struct http2_scratch *scratch;
    struct http2_options options;
    usec now;
    usec ack_deadline;       /* for our SETTINGS */
    uint32_t failure;        /* enum http2_error */
    bool failed, failure_told;
    bool settings_came;      /* the first frame has to be one */
    bool going_away;         /* GOAWAY has come */
    bool leaving;            /* we have said that we take nothing new */
    bool left;               /* and the last stream's number */
    size_t preface_at;       /* octets of the client's preface that have come */
    /* the frame that comes, when it is DATA that is told piece by piece */
    struct http2_stream *data_stream; /* NULL: nobody wants them */
    uint32_t data_left, padding_left;
    bool data_ends;
    /* a header block in several frames */
    uint8_t *block;          /* HTTP2_BLOCK_MAX octets, or NULL */
    size_t block_len;
    uint32_t block_stream;   /* 0: none is under way */
    uint8_t block_flags;
    unsigned continuations;
    /* streams */
    uint32_t pending;        /* REQUEST waits for its answer; 0: none */
    struct http2_stream pending_as;
    uint32_t last_remote, last_local;
    uint32_t remote_count, local_count;
    struct http2_stream *buckets[HTTP2_BUCKETS];
    struct list_node ready[HTTP2_URGENCIES];
    unsigned ready_mask;     /* of those lists that may have somebody */
    struct list_node closed;
    uint32_t recent[HTTP2_RECENT]; /* numbers, doubled; odd: we have reset it */
    struct http2_bucket resets, idles;
    /* windows of the connection */
    int64_t send_window, receive_window;
    uint32_t consumed;
    /* of the peer */
    uint32_t peer_window, peer_streams_max;
    bool peer_connects;      /* RFC 8441 §3 */
    /* what goes */
    uint8_t *output;
    size_t output_size, output_at, output_len;
    struct http2_stream *head_stream; /* whose head is under way; NULL: nobody's */
    size_t head_at;          /* of it, from output_at on */
    struct hpack_decoder decoder;
    struct hpack_encoder encoder;
};

/* Queues what the connection begins with. `heap` is for what waits to be sent, `scratch` is borrowed. */
void http2_session_init(struct http2_session *s, const struct http2_options *options,
                        const struct heap *heap, struct http2_scratch *scratch, usec now);

/* Gives back memory; streams are their owners'. */
void http2_session_done(struct http2_session *s);

/* Consumes up to and including what yields an event; *out is not touched but for its kind when there is none. */
size_t http2_input(struct http2_session *s, struct bytes in, usec now, struct http2_event *out);

/* Streams that are over, one after the other; they are the caller's again. NULL: no more. */
struct http2_stream *http2_next_closed(struct http2_session *s);

/* ---- of a server ---- */

/* The request's stream. */
void http2_accept(struct http2_session *s, struct http2_stream *stream);
void http2_refuse(struct http2_session *s, enum http2_error error);

/* ---- of a client ---- */

/* May another stream be opened now? Before the server's settings have come it is not known how many it takes, and
 * more may be refused. */
bool http2_may_open(const struct http2_session *s);
static inline bool http2_settings_came(const struct http2_session *s)
{
    return s->settings_came;
}

/* Opens it; a head has to follow. `bodiless`: the method is HEAD. */
void http2_open(struct http2_session *s, struct http2_stream *stream, bool bodiless);

/* ---- heads ---- */

/*
 * Begins a head on the stream: interim, final, or trailers. Pseudo fields come first. Names may have capitals; fields
 * that belong to a connection of HTTP/1 are left out (§8.2.2). What has no place in a head must not be added:
 * see http2_field_fits(). On a stream that is over, and not given back yet, all this does nothing.
 */
void http2_begin_head(struct http2_session *s, struct http2_stream *stream);
void http2_add(struct http2_session *s, struct bytes name, struct bytes value);
void http2_add_known(struct http2_session *s, enum hpack_name name, struct bytes value);
void http2_add_number(struct http2_session *s, enum hpack_name name, uint64_t value);

/* `last`: the final one, whose body follows unless it has `ended`. */
void http2_end_head(struct http2_session *s, bool last, bool ended);

/* Is it a field, octet by octet? */
bool http2_field_fits(const struct http_field *field);

/* ---- bodies ---- */

struct http2_slot {
    struct http2_stream *stream;
    uint8_t *at;
    size_t room; /* at least one octet */
};

/* Where the next octets of a body go. False: nothing may go now, or enough waits. */
bool http2_next_slot(struct http2_session *s, struct http2_slot *out);

/* `len` octets were written there, and the body ends with them, or does not. No other call in between. */
void http2_fill(struct http2_session *s, const struct http2_slot *slot, size_t len, bool ended);

/* There is nothing of its body now, or is again; a body that has come to its end without another octet. */
void http2_sleep(struct http2_session *s, struct http2_stream *stream);
void http2_wake(struct http2_session *s, struct http2_stream *stream);
void http2_end_body(struct http2_session *s, struct http2_stream *stream);

/* Octets that were told are used up: the peer may send as many. */
void http2_consume(struct http2_session *s, struct http2_stream *stream, size_t len);

/* ---- ends ---- */

/* RST_STREAM; http2_next_closed() gives it back. */
void http2_reset(struct http2_session *s, struct http2_stream *stream, enum http2_error error);

/* The session knows it no longer, and nothing is said: for an owner that goes. */
void http2_forget(struct http2_session *s, struct http2_stream *stream);

/* Nothing new is taken from now on, in two steps, so that nothing that is on its way is lost (§6.8). */
void http2_shut_down(struct http2_session *s);

/* GOAWAY at once. With an error the connection is of no more use. */
void http2_go_away(struct http2_session *s, enum http2_error error);

/* Nothing is left to do: when all output has gone, close. */
bool http2_over(const struct http2_session *s);

/* Streams that are open. */
static inline unsigned http2_stream_count(const struct http2_session *s)
{
    return s->remote_count + s->local_count;
}

/* ---- output and time ---- */

/* Octets waiting; valid until the next call that is not _output(). */
struct bytes http2_output(const struct http2_session *s);
void http2_sent(struct http2_session *s, size_t len);

/* When to call tick(); USEC_NEVER: not at all. */
usec http2_deadline(const struct http2_session *s);
void http2_tick(struct http2_session *s, usec now);

#endif
