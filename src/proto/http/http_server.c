/* SPDX-License-Identifier: ISC */
/*
 * http_server.c - a connection as an HTTP/1.x server sees it: RFC 9112 §2.2 (empty lines), §6
 * (bodies), §9.3 (persistence, pipelining), §9.5 (timeouts), §9.6 (closing), RFC 9110 §10.1.1
 * (Expect). Reading the request and sending the response are two small machines; the next request
 * begins when both are done.
 */
#include "proto/http/http_server.h"

#include "wire/http/http_octets.h"
#include "wire/http/http_status.h"

void http_server_init(struct http_server *s, const char *name, usec now)
{
    memset(s, 0, offsetof(struct http_server, output));
    s->name = name;
    s->now = now;
    s->keep_alive = true;
    s->read_deadline = now + HTTP_SERVER_IDLE_TIMEOUT;
    s->send_deadline = USEC_NEVER;
}

void http_server_set_wall(struct http_server *s, int64_t seconds)
{
    s->wall = seconds;
}

void http_server_set_date(struct http_server *s, const char *date)
{
    s->date = date;
}

static void advance(struct http_server *s, usec now)
{
    ASSERT(now >= s->now);
    s->now = now;
}

/* ---- what is to be sent ---- */

/* A writer on the room there is. What it has written counts once commit() is called. */
static struct writer output_writer(struct http_server *s)
{
    if (s->output_at > 0) {
        memmove(s->output, s->output + s->output_at, s->output_len);
        s->output_at = 0;
    }
    return writer_of(s->output + s->output_len, sizeof s->output - s->output_len);
}

static void commit(struct http_server *s, const struct writer *w)
{
    ASSERT(!w->failed);
    if (s->output_len == 0 && s->send_deadline == USEC_NEVER)
        s->send_deadline = s->now + HTTP_SERVER_SEND_TIMEOUT;
    s->output_len = (uint16_t)(s->output_len + writer_len(w));
}

static void abort_connection(struct http_server *s)
{
    s->aborted = true;
    s->request = HTTP_SERVER_DRAIN;
    s->response = HTTP_SERVER_SENT;
    s->read_deadline = USEC_NEVER;
    s->send_deadline = USEC_NEVER;
}

/* Starts over when request and response are both done; or, when the connection is not to be kept,
 * begins to close it. */
static void settle(struct http_server *s)
{
    if (s->response != HTTP_SERVER_SENT)
        return;
    if (s->output_len == 0)
        s->send_deadline = USEC_NEVER;
    if (!s->keep_alive && s->request != HTTP_SERVER_DRAIN) {
        s->request = HTTP_SERVER_DRAIN;
        s->read_deadline = USEC_NEVER;
    }
    if (s->request == HTTP_SERVER_DRAIN) {
        if (s->output_len == 0 && s->read_deadline == USEC_NEVER && !s->aborted)
            s->read_deadline = s->now + HTTP_SERVER_LINGER;
    } else if (s->request == HTTP_SERVER_COMPLETE) {
        s->request = HTTP_SERVER_HEAD;
        s->response = HTTP_SERVER_NONE;
        s->finder = (struct http_finder){0};
        s->blank_lines = 0;
        s->head_only = false;
        s->read_deadline = s->now + HTTP_SERVER_IDLE_TIMEOUT;
    }
}

static void response_complete(struct http_server *s)
{
    s->response = HTTP_SERVER_SENT;
    settle(s);
}

/* No further request will be read; the response under way is the last. */
static void stop_reading(struct http_server *s)
{
    s->keep_alive = false;
    if (s->request != HTTP_SERVER_DRAIN)
        s->read_deadline = USEC_NEVER;
    s->request = HTTP_SERVER_DRAIN;
    settle(s);
}

static void write_opening(struct http_server *s, struct writer *w, unsigned status)
{
    http_write_status_line(w, status);
    if (s->date != NULL)
        http_write_field_text(w, "Date", s->date);
    else if (s->wall != 0)
        http_write_field_date(w, "Date", s->wall);
    if (s->name != NULL)
        http_write_field_text(w, "Server", s->name);
}

void http_server_refuse(struct http_server *s, unsigned status)
{
    if (s->response == HTTP_SERVER_SENDING || s->aborted) {
        abort_connection(s);
        return;
    }
    if (s->response == HTTP_SERVER_SENT) { /* has answered already */
        stop_reading(s);
        return;
    }
    const char *reason = http_status_text(status);
    struct writer w = output_writer(s);
    write_opening(s, &w, status);
    http_write_field_text(&w, "Content-Type", "text/plain");
    http_write_field_number(&w, "Content-Length", 3 + 1 + strlen(reason) + 1);
    http_write_field_text(&w, "Connection", "close");
    http_write_end(&w);
    if (!s->head_only) {
        http_write_number(&w, status);
        write_u8(&w, ' ');
        http_write_text(&w, reason);
        write_u8(&w, '\n');
    }
    if (w.failed) { /* only behind a response that the peer does not read */
        abort_connection(s);
        return;
    }
    commit(s, &w);
    s->status = status;
    s->responses++;
    s->response = HTTP_SERVER_SENT;
    stop_reading(s);
}

/* The body cannot be read to its end. What has been answered, or is being, stays so. */
static void fail_body(struct http_server *s, unsigned status)
{
    s->body_failed = s->request == HTTP_SERVER_TAKE_BODY;
    if (s->response == HTTP_SERVER_OWED)
        http_server_refuse(s, status);
    else
        stop_reading(s);
}

/* ---- the request ---- */

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

/* Octets of a body came: a sender that keeps up a minimal rate is given more time. */
static void body_progress(struct http_server *s, size_t len)
{
    s->in_progress += (uint32_t)(len < HTTP_SERVER_PROGRESS_MIN ? len : HTTP_SERVER_PROGRESS_MIN);
    if (s->in_progress >= HTTP_SERVER_PROGRESS_MIN) {
        s->in_progress = 0;
        s->read_deadline = s->now + HTTP_SERVER_BODY_TIMEOUT;
    }
}

static bool body_complete(const struct http_server *s)
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
    settle(s);
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
    if (wanted && body_complete(s)) {
        event->kind = HTTP_SERVER_BODY_END;
        end_body(s);
        return 0;
    }
    struct bytes data = bytes_empty();
    size_t used = unframe(s, in, &data);
    s->body_len += data.len;
    body_progress(s, used);
    if (s->framing.kind == HTTP_FRAMING_CHUNKED && s->chunk.state == HTTP_CHUNK_MALFORMED) {
        fail_body(s, 400);
    } else if (s->body_len > s->body_max) {
        fail_body(s, 413);
    } else if (data.len > 0 && wanted) {
        event->kind = HTTP_SERVER_BODY;
        event->data = data;
    } else if (!wanted && body_complete(s)) {
        end_body(s);
    } else if (used == 0 && s->ended) {
        fail_body(s, 400);
    }
    return used;
}

size_t http_server_input(struct http_server *s, struct bytes in, usec now,
                         struct http_server_event *out)
{
    advance(s, now);
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

void http_server_end(struct http_server *s, usec now)
{
    advance(s, now);
    s->ended = true;
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

/* ---- the response ---- */

/* What happens to a body that nobody asked for: a short one is read past, any other costs the
 * connection. So does one that the client may or may not send after our final answer. */
static void drop_body(struct http_server *s)
{
    s->request = HTTP_SERVER_DROP_BODY;
    s->body_max = UINT64_MAX;
    s->in_progress = 0;
    s->read_deadline = s->now + HTTP_SERVER_BODY_TIMEOUT;
    if (body_complete(s))
        s->request = HTTP_SERVER_COMPLETE;
    else if (s->framing.kind != HTTP_FRAMING_LENGTH || s->expects_continue ||
             s->framing.length > HTTP_SERVER_DROP_MAX)
        s->keep_alive = false;
    if (s->request == HTTP_SERVER_COMPLETE)
        s->read_deadline = USEC_NEVER;
}

static bool bodiless(unsigned status)
{
    return status == 204 || status == 304;
}

/* How the body goes: RFC 9112 §6.1, §6.3. */
static void choose_framing(struct http_server *s, const struct http_response *r)
{
    s->response_framing = (struct http_framing){HTTP_FRAMING_LENGTH, r->length};
    if (bodiless(r->status)) {
        s->response_framing = (struct http_framing){HTTP_FRAMING_NONE, 0};
    } else if (r->length == HTTP_LENGTH_UNKNOWN) {
        bool old = s->version == HTTP_VERSION_1_0;
        s->response_framing.kind = old ? HTTP_FRAMING_UNTIL_CLOSE : HTTP_FRAMING_CHUNKED;
        if (old)
            s->keep_alive = false;
    }
}

static void write_framing(const struct http_server *s, struct writer *w)
{
    if (s->response_framing.kind == HTTP_FRAMING_LENGTH)
        http_write_field_number(w, "Content-Length", s->response_framing.length);
    else if (s->response_framing.kind == HTTP_FRAMING_CHUNKED)
        http_write_field_text(w, "Transfer-Encoding", "chunked");
    if (!s->keep_alive)
        http_write_field_text(w, "Connection", "close");
    else if (s->version == HTTP_VERSION_1_0)
        http_write_field_text(w, "Connection", "keep-alive");
}

/* The fields of a response come as views: a name that is no token fails the writer. */
static void write_view_field(struct writer *w, const struct http_field *field)
{
    if (!http_is_token(field->name) || !http_octets_are(field->value, HTTP_OCTET_FIELD))
        w->failed = true;
    write_bytes(w, field->name);
    http_write_text(w, ": ");
    write_bytes(w, field->value);
    http_write_end(w);
}

bool http_server_interim(struct http_server *s, unsigned status, const struct http_field *fields,
                         size_t field_count)
{
    ASSERT(s->response == HTTP_SERVER_OWED && status >= 100 && status < 200);
    if (s->version == HTTP_VERSION_1_0 || (status == 100 && !s->expects_continue))
        return false;
    struct writer w = output_writer(s);
    http_write_status_line(&w, status);
    for (size_t i = 0; i < field_count; i++)
        write_view_field(&w, &fields[i]);
    http_write_end(&w);
    if (w.failed || writer_room(&w) < HTTP_SERVER_ERROR_MAX)
        return false;
    commit(s, &w);
    if (status == 100)
        s->expects_continue = false; /* it has been told; and the body comes now */
    return true;
}

static void write_head(struct http_server *s, const struct http_response *r, struct writer *w)
{
    ASSERT(s->response == HTTP_SERVER_OWED && r->status >= 200);
    if (s->request == HTTP_SERVER_UNDECIDED)
        drop_body(s);
    if (r->close)
        s->keep_alive = false;
    choose_framing(s, r);
    if (r->passed_on)
        http_write_status_line(w, r->status);
    else
        write_opening(s, w, r->status);
    if (r->content_type != NULL)
        http_write_field_text(w, "Content-Type", r->content_type);
    for (size_t i = 0; i < r->field_count; i++)
        write_view_field(w, &r->fields[i]);
    write_framing(s, w);
    http_write_end(w);
}

static void response_begins(struct http_server *s, const struct http_response *r)
{
    s->status = r->status;
    s->responses++;
    s->out_progress = 0;
    s->send_deadline = s->now + HTTP_SERVER_SEND_TIMEOUT;
    s->response = HTTP_SERVER_SENDING;
    if (s->head_only || s->response_framing.kind == HTTP_FRAMING_NONE ||
        s->response_framing.length == 0)
        response_complete(s);
}

bool http_server_respond(struct http_server *s, const struct http_response *r)
{
    struct writer w = output_writer(s);
    write_head(s, r, &w);
    if (w.failed || writer_room(&w) < strlen(HTTP_CHUNK_LAST)) {
        http_server_refuse(s, 500);
        return false;
    }
    commit(s, &w);
    response_begins(s, r);
    return true;
}

bool http_server_respond_to(struct http_server *s, const struct http_response *r,
                            struct writer *head)
{
    write_head(s, r, head);
    if (head->failed) {
        http_server_refuse(s, 500);
        return false;
    }
    response_begins(s, r);
    return true;
}

bool http_server_switch(struct http_server *s, const struct http_field *fields, size_t field_count)
{
    ASSERT(s->response == HTTP_SERVER_OWED && s->request == HTTP_SERVER_UNDECIDED);
    struct writer w = output_writer(s);
    http_write_status_line(&w, 101);
    for (size_t i = 0; i < field_count; i++)
        write_view_field(&w, &fields[i]);
    http_write_field_text(&w, "Connection", "Upgrade");
    http_write_end(&w);
    if (w.failed) {
        http_server_refuse(s, 500);
        return false;
    }
    commit(s, &w);
    s->keep_alive = false;
    s->switched = true;
    s->head_only = false;
    s->framing = (struct http_framing){HTTP_FRAMING_UNTIL_CLOSE, 0};
    s->response_framing = (struct http_framing){HTTP_FRAMING_UNTIL_CLOSE, HTTP_LENGTH_UNKNOWN};
    response_begins(s, &(struct http_response){.status = 101});
    s->request = HTTP_SERVER_TAKE_BODY;
    s->body_max = UINT64_MAX;
    s->read_deadline = USEC_NEVER;
    return true;
}

uint64_t http_server_body_left(const struct http_server *s)
{
    return s->response == HTTP_SERVER_SENDING ? s->response_framing.length : 0;
}

/* Octets of the body are on their way; a length of UINT64_MAX, unknown, stays so. */
static void body_gone(struct http_server *s, size_t len)
{
    if (s->response_framing.kind != HTTP_FRAMING_LENGTH)
        return;
    s->response_framing.length -= len;
    if (s->response_framing.length == 0)
        response_complete(s);
}

static size_t chunk_body(struct http_server *s, struct bytes in)
{
    enum { OVERHEAD = HTTP_CHUNK_FRAME_MAX + sizeof HTTP_CHUNK_END + sizeof HTTP_CHUNK_LAST };
    struct writer w = output_writer(s);
    if (writer_room(&w) <= OVERHEAD || in.len == 0)
        return 0;
    struct bytes piece = bytes_first(in, writer_room(&w) - OVERHEAD);
    char frame[HTTP_CHUNK_FRAME_MAX];
    write_copy(&w, frame, http_chunk_frame(piece.len, frame));
    write_bytes(&w, piece);
    http_write_text(&w, HTTP_CHUNK_END);
    commit(s, &w);
    return piece.len;
}

size_t http_server_body(struct http_server *s, struct bytes in)
{
    if (s->response != HTTP_SERVER_SENDING)
        return 0;
    size_t taken;
    if (s->response_framing.kind == HTTP_FRAMING_CHUNKED) {
        taken = chunk_body(s, in);
    } else {
        struct writer w = output_writer(s);
        uint64_t left = s->response_framing.length;
        struct bytes piece = bytes_first(in, left < in.len ? (size_t)left : in.len);
        piece = bytes_first(piece, writer_room(&w));
        write_bytes(&w, piece);
        commit(s, &w);
        taken = piece.len;
    }
    if (taken > 0)
        body_gone(s, taken);
    return taken;
}

bool http_server_may_pass(const struct http_server *s)
{
    return s->response == HTTP_SERVER_SENDING && s->output_len == 0 &&
           s->response_framing.kind != HTTP_FRAMING_CHUNKED;
}

/* Octets left for the peer: one that takes a minimal rate is given more time. */
static void send_progress(struct http_server *s, size_t len)
{
    s->out_progress += (uint32_t)(len < HTTP_SERVER_PROGRESS_MIN ? len : HTTP_SERVER_PROGRESS_MIN);
    if (s->out_progress >= HTTP_SERVER_PROGRESS_MIN) {
        s->out_progress = 0;
        s->send_deadline = s->now + HTTP_SERVER_SEND_TIMEOUT;
    }
}

void http_server_passed(struct http_server *s, size_t len, usec now)
{
    ASSERT(http_server_may_pass(s) && len <= s->response_framing.length);
    advance(s, now);
    send_progress(s, len);
    body_gone(s, len);
}

bool http_server_may_pass_chunk(const struct http_server *s)
{
    return s->response == HTTP_SERVER_SENDING && s->output_len == 0 &&
           s->response_framing.kind == HTTP_FRAMING_CHUNKED;
}

void http_server_chunk_passed(struct http_server *s, size_t len, usec now)
{
    ASSERT(http_server_may_pass_chunk(s));
    advance(s, now);
    send_progress(s, len);
}

void http_server_body_waits(struct http_server *s, bool waiting, usec now)
{
    advance(s, now);
    if (s->response != HTTP_SERVER_SENDING)
        return;
    if (waiting && s->output_len == 0)
        s->send_deadline = USEC_NEVER;
    else if (!waiting && s->send_deadline == USEC_NEVER)
        s->send_deadline = now + HTTP_SERVER_SEND_TIMEOUT;
}

void http_server_hold_body(struct http_server *s, bool held, usec now)
{
    advance(s, now);
    if (s->request == HTTP_SERVER_TAKE_BODY && !s->switched)
        s->read_deadline = held ? USEC_NEVER : now + HTTP_SERVER_BODY_TIMEOUT;
}

void http_server_body_end(struct http_server *s)
{
    http_server_body_end_with(s, bytes_empty());
}

static void write_last_chunk(struct writer *w, struct bytes trailers)
{
    struct writer with = *w;
    http_write_text(&with, "0\r\n");
    write_bytes(&with, trailers);
    http_write_end(&with);
    if (!with.failed)
        *w = with;
    else
        http_write_text(w, HTTP_CHUNK_LAST); /* respond() and chunk_body() left room for it */
}

void http_server_body_end_with(struct http_server *s, struct bytes trailers)
{
    if (s->response != HTTP_SERVER_SENDING)
        return;
    if (s->response_framing.kind == HTTP_FRAMING_LENGTH) {
        abort_connection(s); /* less than announced: the peer must not take it for whole */
        return;
    }
    if (s->response_framing.kind == HTTP_FRAMING_CHUNKED) {
        struct writer w = output_writer(s);
        write_last_chunk(&w, trailers);
        commit(s, &w);
    }
    response_complete(s);
}

struct bytes http_server_output(const struct http_server *s)
{
    return bytes_of(s->output + s->output_at, s->output_len);
}

void http_server_sent(struct http_server *s, size_t len, usec now)
{
    ASSERT(len <= s->output_len);
    advance(s, now);
    s->output_at = (uint16_t)(s->output_at + len);
    s->output_len = (uint16_t)(s->output_len - len);
    if (s->output_len == 0) {
        s->output_at = 0;
        if (s->response != HTTP_SERVER_SENDING)
            s->send_deadline = USEC_NEVER;
        if (http_server_idle(s))
            s->read_deadline = now + HTTP_SERVER_IDLE_TIMEOUT;
    }
    if (s->send_deadline != USEC_NEVER)
        send_progress(s, len);
    settle(s);
}

enum http_server_want http_server_want(const struct http_server *s)
{
    if (s->aborted)
        return HTTP_SERVER_ABORT;
    if (s->closed)
        return HTTP_SERVER_CLOSE;
    if (s->request != HTTP_SERVER_DRAIN || s->response != HTTP_SERVER_SENT || s->output_len > 0)
        return HTTP_SERVER_STAY;
    if (s->ended)
        return HTTP_SERVER_CLOSE;
    return s->last_request ? HTTP_SERVER_LEAVE : HTTP_SERVER_FINISH;
}

bool http_server_idle(const struct http_server *s)
{
    return s->request == HTTP_SERVER_HEAD && s->finder.scanned == 0 && s->output_len == 0;
}

usec http_server_deadline(const struct http_server *s)
{
    return s->closed || s->aborted ? USEC_NEVER : usec_min(s->read_deadline, s->send_deadline);
}

void http_server_tick(struct http_server *s, usec now)
{
    advance(s, now);
    if (now >= s->send_deadline) {
        abort_connection(s);
        return;
    }
    if (now < s->read_deadline)
        return;
    s->read_deadline = USEC_NEVER;
    if (s->request == HTTP_SERVER_DRAIN)
        s->closed = true;
    else if (s->request != HTTP_SERVER_HEAD)
        fail_body(s, 408);
    else if (s->finder.scanned > 0)
        http_server_refuse(s, 408);
    else if (s->output_len == 0)
        s->closed = true; /* idle: nothing is asked, so nothing is answered */
}
