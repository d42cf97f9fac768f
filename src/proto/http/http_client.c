/* SPDX-License-Identifier: ISC */
/*
 * http_client.c - a connection as an HTTP/1.x client sees it: RFC 9112 §4 (responses), §6.3 (where
 * a body ends), §8 (incomplete messages), §9 (persistence); RFC 9110 §15.2 (1xx).
 */
#include "proto/http/http_client.h"

#include "wire/http/http_octets.h"

static const char *const failure_texts[] = {
    [HTTP_CLIENT_OK] = "ok",
    [HTTP_CLIENT_MALFORMED] = "malformed response",
    [HTTP_CLIENT_UNSUPPORTED] = "unsupported response",
    [HTTP_CLIENT_TOO_LARGE] = "response too large",
    [HTTP_CLIENT_CUT_OFF] = "connection closed before the response was complete",
    [HTTP_CLIENT_TIMED_OUT] = "timed out",
};
_Static_assert(ARRAY_LEN(failure_texts) == HTTP_CLIENT_FAILURE_COUNT, "one text per failure");

const char *http_client_failure_text(enum http_client_failure failure)
{
    return failure_texts[failure];
}

void http_client_init(struct http_client *c, uint64_t body_max, usec now)
{
    memset(c, 0, offsetof(struct http_client, output));
    c->body_max = body_max;
    c->now = now;
    c->deadline = USEC_NEVER;
    c->keep_alive = true;
    c->timeout = HTTP_CLIENT_TIMEOUT;
}

void http_client_set_timeout(struct http_client *c, usec timeout)
{
    c->timeout = timeout;
    if (c->deadline != USEC_NEVER)
        c->deadline = c->now + timeout;
}

void http_client_keep_trailers(struct http_client *c, struct writer *trailers)
{
    c->trailers = trailers;
}

static void advance(struct http_client *c, usec now)
{
    ASSERT(now >= c->now);
    c->now = now;
}

/* How the body goes is ours to say, once (RFC 9112 §6.2, §6.3): whatever else is said of it is left out, but that
 * there is none. */
static bool is_of_framing(const struct http_request *r, const struct http_field *field)
{
    if (bytes_equal_nocase(field->name, bytes_of_text("Content-Length")))
        return r->has_body || !bytes_equal(field->value, bytes_of_text("0"));
    return bytes_equal_nocase(field->name, bytes_of_text("Transfer-Encoding"));
}

static void write_fields(struct writer *w, const struct http_request *r)
{
    if (r->host != NULL)
        http_write_field_text(w, "Host", r->host);
    for (size_t i = 0; i < r->field_count; i++) {
        const struct http_field *field = &r->fields[i];
        if (is_of_framing(r, field))
            continue;
        if (!http_is_token(field->name) || !http_octets_are(field->value, HTTP_OCTET_FIELD))
            w->failed = true;
        write_bytes(w, field->name);
        http_write_text(w, ": ");
        write_bytes(w, field->value);
        http_write_end(w);
    }
    if (r->has_body && r->body_len == HTTP_CLIENT_LENGTH_UNKNOWN)
        http_write_field_text(w, "Transfer-Encoding", "chunked");
    else if (r->has_body)
        http_write_field_number(w, "Content-Length", r->body_len);
    if (r->upgrade.len > 0) {
        http_write_field(w, "Upgrade", r->upgrade);
        http_write_field_text(w, "Connection", "Upgrade");
    } else if (r->close) {
        http_write_field_text(w, "Connection", "close");
    } else if (r->old) {
        http_write_field_text(w, "Connection", "keep-alive");
    }
    http_write_end(w);
}

/* The request line ends with the version that we write. */
static void make_old(struct writer *w)
{
    if (!w->failed)
        w->next[-3] = '0'; /* "HTTP/1.1\r\n" */
}

bool http_client_request(struct http_client *c, const struct http_request *r, usec now)
{
    ASSERT(c->state == HTTP_CLIENT_IDLE && c->output_len == 0);
    advance(c, now);
    struct writer w = writer_of(c->output, sizeof c->output);
    bool unknown = r->has_body && r->body_len == HTTP_CLIENT_LENGTH_UNKNOWN;
    http_write_request_line(&w, r->method, r->target);
    if (r->old)
        make_old(&w);
    write_fields(&w, r);
    if (w.failed || (unknown && r->old))
        return false;
    c->output_at = 0;
    c->output_len = (uint16_t)writer_len(&w);
    c->request_body_left = r->has_body ? r->body_len : 0;
    c->chunked_request = unknown;
    c->head_only = strcmp(r->method, "HEAD") == 0;
    c->connect = strcmp(r->method, "CONNECT") == 0;
    c->may_switch = r->upgrade.len > 0;
    c->keep_alive = !r->close;
    c->finder = (struct http_finder){0};
    c->interim_count = 0;
    c->state = HTTP_CLIENT_IN_HEAD;
    c->deadline = now + c->timeout;
    return true;
}

/* A writer on the room there is in the output. */
static struct writer output_writer(struct http_client *c)
{
    if (c->output_at > 0)
        memmove(c->output, c->output + c->output_at, c->output_len);
    c->output_at = 0;
    return writer_of(c->output + c->output_len, sizeof c->output - c->output_len);
}

static size_t chunk_body(struct http_client *c, struct bytes in)
{
    enum { OVERHEAD = HTTP_CHUNK_FRAME_MAX + sizeof HTTP_CHUNK_END };
    struct writer w = output_writer(c);
    if (in.len == 0 || writer_room(&w) <= OVERHEAD)
        return 0;
    struct bytes piece = bytes_first(in, writer_room(&w) - OVERHEAD);
    char frame[HTTP_CHUNK_FRAME_MAX];
    write_copy(&w, frame, http_chunk_frame(piece.len, frame));
    write_bytes(&w, piece);
    http_write_text(&w, HTTP_CHUNK_END);
    c->output_len = (uint16_t)(c->output_len + writer_len(&w));
    return piece.len;
}

bool http_client_body_end(struct http_client *c, struct bytes trailers)
{
    if (!c->chunked_request)
        return true;
    struct writer w = output_writer(c);
    http_write_text(&w, "0\r\n");
    write_bytes(&w, trailers);
    http_write_end(&w);
    if (w.failed)
        return false;
    c->output_len = (uint16_t)(c->output_len + writer_len(&w));
    c->chunked_request = false;
    c->request_body_left = 0;
    return true;
}

bool http_client_body_complete(const struct http_client *c)
{
    return c->request_body_left == 0;
}

size_t http_client_body(struct http_client *c, struct bytes in)
{
    if (c->chunked_request)
        return chunk_body(c, in);
    (void)output_writer(c);
    uint64_t left = c->request_body_left;
    struct bytes piece = bytes_first(in, left < in.len ? (size_t)left : in.len);
    piece = bytes_first(piece, sizeof c->output - c->output_len);
    memcpy(c->output + c->output_len, piece.data, piece.len);
    c->output_len = (uint16_t)(c->output_len + piece.len);
    c->request_body_left -= piece.len;
    return piece.len;
}

static void fail(struct http_client *c, enum http_client_failure failure)
{
    c->state = HTTP_CLIENT_OVER;
    c->failure = failure;
    c->keep_alive = false;
    c->deadline = USEC_NEVER;
}

static void fail_status(struct http_client *c, enum wire_status status)
{
    fail(c, status == WIRE_UNSUPPORTED ? HTTP_CLIENT_UNSUPPORTED : HTTP_CLIENT_MALFORMED);
}

/* A whole head: decides whether it is the final one, and what its body is. */
static void take_head(struct http_client *c, struct bytes head, struct http_client_event *event)
{
    enum wire_status status = http_response_decode(head, &event->head);
    bool tunnel = status == WIRE_OK && c->connect && event->head.status >= 200 &&
                  event->head.status < 300;
    if (tunnel) /* whatever its fields say of a length (RFC 9110 §9.3.6) */
        event->framing = (struct http_framing){.kind = HTTP_FRAMING_NONE};
    else if (status == WIRE_OK)
        status = http_response_framing(&event->head, c->head_only, &event->framing);
    if (status != WIRE_OK) {
        fail_status(c, status);
        return;
    }
    c->finder = (struct http_finder){0};
    if ((event->head.status == 101 && c->may_switch) || tunnel) {
        event->kind = HTTP_CLIENT_SWITCHED;
        c->state = HTTP_CLIENT_OTHER;
        c->keep_alive = false;
        c->deadline = USEC_NEVER;
        return;
    }
    if (event->head.status < 200) {
        /* 101 needs an Upgrade of ours (RFC 9110 §15.2.2). */
        if (event->head.status == 101 || ++c->interim_count > HTTP_CLIENT_INTERIM_MAX)
            fail(c, HTTP_CLIENT_MALFORMED);
        else
            event->kind = HTTP_CLIENT_INTERIM;
        return;
    }
    if (event->framing.kind == HTTP_FRAMING_LENGTH && event->framing.length > c->body_max) {
        fail(c, HTTP_CLIENT_TOO_LARGE);
        return;
    }
    event->kind = HTTP_CLIENT_HEAD;
    c->framing = event->framing;
    c->body_len = 0;
    http_chunk_init(&c->chunk);
    c->chunk.trailers = c->trailers;
    if (!http_keeps_alive(event->head.version, &event->head.fields) ||
        c->framing.kind == HTTP_FRAMING_UNTIL_CLOSE)
        c->keep_alive = false;
    bool none = c->framing.kind == HTTP_FRAMING_NONE ||
                (c->framing.kind == HTTP_FRAMING_LENGTH && c->framing.length == 0);
    c->state = none ? HTTP_CLIENT_DONE : HTTP_CLIENT_IN_BODY;
}

static size_t read_head(struct http_client *c, struct bytes in, struct http_client_event *event)
{
    size_t seen = c->finder.scanned;
    switch (http_find_end(&c->finder, in)) {
    case HTTP_FIND_DONE:
        seen = c->finder.scanned;
        take_head(c, bytes_first(in, seen), event);
        return seen;
    case HTTP_FIND_MALFORMED:
        fail(c, HTTP_CLIENT_MALFORMED);
        return 0;
    case HTTP_FIND_LONG_LINE:
    case HTTP_FIND_LONG_HEAD:
        fail(c, HTTP_CLIENT_TOO_LARGE);
        return 0;
    case HTTP_FIND_MORE:
        break;
    }
    if (c->ended)
        fail(c, HTTP_CLIENT_CUT_OFF);
    else if (c->finder.scanned > seen)
        c->deadline = c->now + c->timeout;
    return 0;
}

/* The next octets of the body to *data; how much of `in` that took. Sets the state DONE at its end. */
static size_t unframe(struct http_client *c, struct bytes in, struct bytes *data)
{
    if (c->framing.kind == HTTP_FRAMING_CHUNKED) {
        size_t used = http_chunk_input(&c->chunk, in, data);
        if (c->chunk.state == HTTP_CHUNK_DONE)
            c->state = HTTP_CLIENT_DONE;
        if (c->chunk.state == HTTP_CHUNK_MALFORMED)
            fail(c, HTTP_CLIENT_MALFORMED);
        return used;
    }
    *data = in;
    if (c->framing.kind == HTTP_FRAMING_LENGTH) {
        *data = bytes_first(in, c->framing.length < in.len ? (size_t)c->framing.length : in.len);
        c->framing.length -= data->len;
        if (c->framing.length == 0)
            c->state = HTTP_CLIENT_DONE;
    }
    return data->len;
}

static size_t read_body(struct http_client *c, struct bytes in, struct http_client_event *event)
{
    struct bytes data = bytes_empty();
    size_t used = unframe(c, in, &data);
    c->body_len += data.len;
    if (c->state != HTTP_CLIENT_OVER && c->body_len > c->body_max)
        fail(c, HTTP_CLIENT_TOO_LARGE);
    if (c->state == HTTP_CLIENT_OVER)
        return used;
    if (used > 0)
        c->deadline = c->now + c->timeout;
    if (data.len > 0) {
        event->kind = HTTP_CLIENT_BODY;
        event->data = data;
    } else if (used == 0 && c->ended && c->state == HTTP_CLIENT_IN_BODY) {
        if (c->framing.kind == HTTP_FRAMING_UNTIL_CLOSE)
            c->state = HTTP_CLIENT_DONE;
        else
            fail(c, HTTP_CLIENT_CUT_OFF);
    }
    return used;
}

/* What is due without further octets: the end, or a failure that has not been told. */
static void tell(struct http_client *c, struct http_client_event *event)
{
    if (event->kind != HTTP_CLIENT_NO_EVENT)
        return;
    if (c->state == HTTP_CLIENT_DONE) {
        event->kind = HTTP_CLIENT_END;
        c->state = HTTP_CLIENT_IDLE;
        c->deadline = USEC_NEVER;
        if (c->request_body_left > 0)
            c->keep_alive = false; /* answered early; the rest of the body cannot be left out */
    } else if (c->state == HTTP_CLIENT_OVER && !c->failure_told) {
        event->kind = HTTP_CLIENT_FAILED;
        event->failure = c->failure;
        c->failure_told = true;
    }
}

size_t http_client_input(struct http_client *c, struct bytes in, usec now,
                         struct http_client_event *out)
{
    advance(c, now);
    out->kind = HTTP_CLIENT_NO_EVENT;
    out->failure = HTTP_CLIENT_OK;
    size_t used = 0;
    switch (c->state) {
    case HTTP_CLIENT_IN_HEAD:
        used = read_head(c, in, out);
        break;
    case HTTP_CLIENT_IN_BODY:
        used = read_body(c, in, out);
        break;
    case HTTP_CLIENT_IDLE:
        if (in.len > 0) /* an answer to nothing: whose is the next one? */
            fail(c, HTTP_CLIENT_MALFORMED);
        break;
    case HTTP_CLIENT_DONE:
    case HTTP_CLIENT_OTHER:
    case HTTP_CLIENT_OVER:
        break;
    }
    tell(c, out);
    return c->state == HTTP_CLIENT_OVER ? in.len : used;
}

void http_client_end(struct http_client *c, usec now)
{
    advance(c, now);
    c->ended = true;
}

struct bytes http_client_output(const struct http_client *c)
{
    return bytes_of(c->output + c->output_at, c->output_len);
}

void http_client_sent(struct http_client *c, size_t len)
{
    ASSERT(len <= c->output_len);
    c->output_at = (uint16_t)(c->output_at + len);
    c->output_len = (uint16_t)(c->output_len - len);
}

void http_client_wait(struct http_client *c, usec now)
{
    advance(c, now);
    if (c->deadline != USEC_NEVER)
        c->deadline = now + c->timeout;
}

bool http_client_reusable(const struct http_client *c)
{
    return c->state == HTTP_CLIENT_IDLE && c->keep_alive && !c->ended && c->output_len == 0;
}

usec http_client_deadline(const struct http_client *c)
{
    return c->deadline;
}

void http_client_tick(struct http_client *c, usec now)
{
    advance(c, now);
    if (now >= c->deadline)
        fail(c, HTTP_CLIENT_TIMED_OUT);
}
