/* SPDX-License-Identifier: ISC */
/*
 * http_server_request.c - reading a request: RFC 9112 §2.2 (empty lines), §6 (its body), RFC 9110 §10.1.1 (Expect).
 */
#include "proto/http/http_server_internal.h"

#include "wire/http/http_octets.h"

void http_server_fail_body(struct http_server *s, unsigned status)
{
    s->body_failed = s->request == HTTP_SERVER_TAKE_BODY;
    if (s->response == HTTP_SERVER_OWED)
        http_server_refuse(s, status);
    else
        http_server_stop_reading(s);
}

/* ---- the head ---- */

static size_t refuse_head(struct http_server *s, struct bytes in, unsigned status)
{
    http_server_refuse(s, status);
    return in.len;
}

/* 0 or the status to refuse the request with. */
static unsigned check_head(struct http_server *s, struct bytes head,
                           struct http_server_event *event)
{
    unsigned refusal = http_request_decode(head, &event->head);
    if (refusal != 0)
        return refusal;
    s->version = event->head.version;
    s->head_only = bytes_equal(event->head.method, bytes_of_text("HEAD"));
    refusal = http_request_framing(&event->head, &event->framing);
    if (refusal != 0)
        return refusal;
    if (!uri_target_parse(event->head.method, event->head.target, &event->target))
        return 400;
    struct bytes expectation;
    s->expects_continue = false;
    if (http_field_find(&event->head.fields, "Expect", &expectation) &&
        s->version != HTTP_VERSION_1_0) {
        if (!bytes_equal_nocase(expectation, bytes_of_text("100-continue")))
            return 417;
        s->expects_continue = event->framing.kind != HTTP_FRAMING_NONE;
    }
    return 0;
}

static size_t take_head(struct http_server *s, struct bytes in, struct http_server_event *event)
{
    struct bytes head = bytes_first(in, s->finder.scanned);
    unsigned refusal = check_head(s, head, event);
    if (refusal != 0)
        return refuse_head(s, in, refusal);
    event->kind = HTTP_SERVER_REQUEST;
    s->keep_alive = http_keeps_alive(s->version, &event->head.fields);
    s->framing = event->framing;
    s->last_request = !s->keep_alive && s->framing.kind == HTTP_FRAMING_NONE;
    s->body_len = 0;
    s->response = HTTP_SERVER_OWED;
    s->read_deadline = USEC_NEVER;
    s->request = HTTP_SERVER_UNDECIDED;
    http_chunk_init(&s->chunk);
    return head.len;
}

/* An empty line before the request line is skipped; any other octet that begins no method is
 * refused at once: a TLS ClientHello, say, which would never have an end of head. */
static bool bad_start(struct http_server *s, struct bytes in, size_t *skip)
{
    *skip = 0;
    if (in.data[0] != '\r')
        return !http_octet_is(in.data[0], HTTP_OCTET_TOKEN);
    if (in.len < 2)
        return false;
    *skip = 2;
    return in.data[1] != '\n' || ++s->blank_lines > HTTP_SERVER_BLANK_LINES_MAX;
}

static size_t read_head(struct http_server *s, struct bytes in, struct http_server_event *event)
{
    if (s->output_len > 0)
        return 0;
    if (in.len > 0 && s->finder.scanned == 0) {
        size_t skip;
        if (bad_start(s, in, &skip))
            return refuse_head(s, in, 400);
        if (skip > 0)
            return skip;
        if (s->finder.scanned == 0 && in.data[0] == '\r')
            in = bytes_empty(); /* half of an empty line */
    }
    bool first = s->finder.scanned == 0 && in.len > 0;
    switch (http_find_end(&s->finder, in)) {
    case HTTP_FIND_DONE:
        return take_head(s, in, event);
    case HTTP_FIND_MALFORMED:
        return refuse_head(s, in, 400);
    case HTTP_FIND_LONG_LINE:
        return refuse_head(s, in, 414);
    case HTTP_FIND_LONG_HEAD:
        return refuse_head(s, in, 431);
    case HTTP_FIND_MORE:
        break;
    }
    if (s->ended)
        s->closed = true; /* nothing, or half a head, and no more to come */
    else if (first)
        s->read_deadline = s->now + HTTP_SERVER_HEAD_TIMEOUT;
    return 0;
}

/* ---- the body ---- */

/* Octets of a body came: a sender that keeps up a minimal rate is given more time. */
static void body_progress(struct http_server *s, size_t len)
{
    s->in_progress += (uint32_t)(len < HTTP_SERVER_PROGRESS_MIN ? len : HTTP_SERVER_PROGRESS_MIN);
    if (s->in_progress >= HTTP_SERVER_PROGRESS_MIN) {
        s->in_progress = 0;
        s->read_deadline = s->now + HTTP_SERVER_BODY_TIMEOUT;
    }
}

/* The next octets of the body, to *data; returns how much of `in` that took. */
static size_t unframe(struct http_server *s, struct bytes in, struct bytes *data)
{
    if (s->framing.kind == HTTP_FRAMING_CHUNKED)
        return http_chunk_input(&s->chunk, in, data);
    *data = bytes_first(in, s->framing.length < in.len ? (size_t)s->framing.length : in.len);
    s->framing.length -= data->len;
    return data->len;
}

static void end_body(struct http_server *s)
{
    s->request = HTTP_SERVER_COMPLETE;
    s->read_deadline = USEC_NEVER;
    http_server_settle(s);
}

/* After a switch all that comes is the other protocol's. */
static size_t read_switched(struct http_server *s, struct bytes in, struct http_server_event *event)
{
    if (in.len > 0) {
        event->kind = HTTP_SERVER_BODY;
        event->data = in;
    } else if (s->ended) {
        event->kind = HTTP_SERVER_BODY_END;
        end_body(s);
    }
    return in.len;
}

static size_t read_body(struct http_server *s, struct bytes in, struct http_server_event *event)
{
    if (s->switched)
        return read_switched(s, in, event);
    bool wanted = s->request == HTTP_SERVER_TAKE_BODY;
    if (wanted && http_server_body_complete(s)) {
        event->kind = HTTP_SERVER_BODY_END;
        end_body(s);
        return 0;
    }
    struct bytes data = bytes_empty();
    size_t used = unframe(s, in, &data);
    s->body_len += data.len;
    body_progress(s, used);
    if (s->framing.kind == HTTP_FRAMING_CHUNKED && s->chunk.state == HTTP_CHUNK_MALFORMED) {
        http_server_fail_body(s, 400);
    } else if (s->body_len > s->body_max) {
        http_server_fail_body(s, 413);
    } else if (data.len > 0 && wanted) {
        event->kind = HTTP_SERVER_BODY;
        event->data = data;
    } else if (!wanted && http_server_body_complete(s)) {
        end_body(s);
    } else if (used == 0 && s->ended) {
        http_server_fail_body(s, 400);
    }
    return used;
}

size_t http_server_input(struct http_server *s, struct bytes in, usec now,
                         struct http_server_event *out)
{
    http_server_advance(s, now);
    out->kind = HTTP_SERVER_NO_EVENT;
    if (s->body_failed) {
        s->body_failed = false;
        out->kind = HTTP_SERVER_BODY_FAILED;
        return 0;
    }
    switch (s->request) {
    case HTTP_SERVER_HEAD:
        return read_head(s, in, out);
    case HTTP_SERVER_TAKE_BODY:
    case HTTP_SERVER_DROP_BODY:
        return read_body(s, in, out);
    case HTTP_SERVER_UNDECIDED:
    case HTTP_SERVER_COMPLETE:
        return 0;
    case HTTP_SERVER_DRAIN:
        break;
    }
    return in.len;
}

bool http_server_relay_body(struct http_server *s, uint64_t max)
{
    ASSERT(s->request == HTTP_SERVER_UNDECIDED && s->response == HTTP_SERVER_OWED);
    if (s->framing.kind == HTTP_FRAMING_LENGTH && s->framing.length > max) {
        http_server_refuse(s, 413);
        return false;
    }
    s->body_max = max;
    s->request = HTTP_SERVER_TAKE_BODY;
    s->in_progress = 0;
    s->read_deadline = s->now + HTTP_SERVER_BODY_TIMEOUT;
    return true;
}

bool http_server_accept_body(struct http_server *s, uint64_t max)
{
    if (!http_server_relay_body(s, max))
        return false;
    if (s->expects_continue)
        (void)http_server_interim(s, 100, NULL, 0);
    return true;
}
