/* SPDX-License-Identifier: ISC */
/*
 * http_server_internal.h - what the two small machines of a connection share. Private to http_server*.c:
 *
 *      http_server.c            the connection: when the next request begins, when it ends
 *      http_server_request.c    reading the request
 *      http_server_response.c   sending the response
 */
#ifndef WN_PROTO_HTTP_HTTP_SERVER_INTERNAL_H
#define WN_PROTO_HTTP_HTTP_SERVER_INTERNAL_H

#include "proto/http/http_server.h"

/* ---- the connection ---- */

static inline void http_server_advance(struct http_server *s, usec now)
{
    ASSERT(now >= s->now);
    s->now = now;
}

/* Starts over when request and response are both done; or, when the connection is not to be kept,
 * begins to close it. */
void http_server_settle(struct http_server *s);

/* The response cannot be completed, or nobody reads it. */
void http_server_abort(struct http_server *s);

/* No further request will be read; the response under way is the last. */
void http_server_stop_reading(struct http_server *s);

/* ---- the request ---- */

/* The body cannot be read to its end. What has been answered, or is being, stays so. */
void http_server_fail_body(struct http_server *s, unsigned status);

static inline bool http_server_body_complete(const struct http_server *s)
{
    switch (s->framing.kind) {
    case HTTP_FRAMING_LENGTH:
        return s->framing.length == 0;
    case HTTP_FRAMING_CHUNKED:
        return s->chunk.state == HTTP_CHUNK_DONE;
    case HTTP_FRAMING_NONE:
    case HTTP_FRAMING_UNTIL_CLOSE:
        break;
    }
    return true;
}

/* ---- what is to be sent ---- */

/* A writer on the room there is. What it has written counts once http_server_commit() is called. */
static inline struct writer http_server_output_writer(struct http_server *s)
{
    if (s->output_at > 0) {
        memmove(s->output, s->output + s->output_at, s->output_len);
        s->output_at = 0;
    }
    return writer_of(s->output + s->output_len, sizeof s->output - s->output_len);
}

static inline void http_server_commit(struct http_server *s, const struct writer *w)
{
    ASSERT(!w->failed);
    if (s->output_len == 0 && s->send_deadline == USEC_NEVER)
        s->send_deadline = s->now + HTTP_SERVER_SEND_TIMEOUT;
    s->output_len = (uint16_t)(s->output_len + writer_len(w));
}

/* Octets left for the peer: one that takes a minimal rate is given more time. */
static inline void http_server_send_progress(struct http_server *s, size_t len)
{
    s->out_progress += (uint32_t)(len < HTTP_SERVER_PROGRESS_MIN ? len : HTTP_SERVER_PROGRESS_MIN);
    if (s->out_progress >= HTTP_SERVER_PROGRESS_MIN) {
        s->out_progress = 0;
        s->send_deadline = s->now + HTTP_SERVER_SEND_TIMEOUT;
    }
}

/* The status line, Date and Server. */
void http_server_write_opening(const struct http_server *s, struct writer *w, unsigned status);

static inline void http_server_response_complete(struct http_server *s)
{
    s->response = HTTP_SERVER_SENT;
    http_server_settle(s);
}

#endif
