/* SPDX-License-Identifier: ISC */
/*
 * http_server_response.c - sending a response: its head, its body as RFC 9112 §6 frames it, and 101 (RFC 9110 §7.8).
 */
#include "proto/http/http_server_internal.h"

#include "wire/http/http_octets.h"

/* ---- the head ---- */

/* What happens to a body that nobody asked for: a short one is read past, any other costs the
 * connection. So does one that the client may or may not send after our final answer. */
static void drop_body(struct http_server *s)
{
    s->request = HTTP_SERVER_DROP_BODY;
    s->body_max = UINT64_MAX;
    s->in_progress = 0;
    s->read_deadline = s->now + HTTP_SERVER_BODY_TIMEOUT;
    if (http_server_body_complete(s))
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
    struct writer w = http_server_output_writer(s);
    http_write_status_line(&w, status);
    for (size_t i = 0; i < field_count; i++)
        write_view_field(&w, &fields[i]);
    http_write_end(&w);
    if (w.failed || writer_room(&w) < HTTP_SERVER_ERROR_MAX)
        return false;
    http_server_commit(s, &w);
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
        http_server_write_opening(s, w, r->status);
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
        http_server_response_complete(s);
}

bool http_server_respond(struct http_server *s, const struct http_response *r)
{
    struct writer w = http_server_output_writer(s);
    write_head(s, r, &w);
    if (w.failed || writer_room(&w) < strlen(HTTP_CHUNK_LAST)) {
        http_server_refuse(s, 500);
        return false;
    }
    http_server_commit(s, &w);
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
    struct writer w = http_server_output_writer(s);
    http_write_status_line(&w, 101);
    for (size_t i = 0; i < field_count; i++)
        write_view_field(&w, &fields[i]);
    http_write_field_text(&w, "Connection", "Upgrade");
    http_write_end(&w);
    if (w.failed) {
        http_server_refuse(s, 500);
        return false;
    }
    http_server_commit(s, &w);
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

/* ---- the body ---- */

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
        http_server_response_complete(s);
}

static size_t chunk_body(struct http_server *s, struct bytes in)
{
    enum { OVERHEAD = HTTP_CHUNK_FRAME_MAX + sizeof HTTP_CHUNK_END + sizeof HTTP_CHUNK_LAST };
    struct writer w = http_server_output_writer(s);
    if (writer_room(&w) <= OVERHEAD || in.len == 0)
        return 0;
    struct bytes piece = bytes_first(in, writer_room(&w) - OVERHEAD);
    char frame[HTTP_CHUNK_FRAME_MAX];
    write_copy(&w, frame, http_chunk_frame(piece.len, frame));
    write_bytes(&w, piece);
    http_write_text(&w, HTTP_CHUNK_END);
    http_server_commit(s, &w);
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
        struct writer w = http_server_output_writer(s);
        uint64_t left = s->response_framing.length;
        struct bytes piece = bytes_first(in, left < in.len ? (size_t)left : in.len);
        piece = bytes_first(piece, writer_room(&w));
        write_bytes(&w, piece);
        http_server_commit(s, &w);
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

void http_server_passed(struct http_server *s, size_t len, usec now)
{
    ASSERT(http_server_may_pass(s) && len <= s->response_framing.length);
    http_server_advance(s, now);
    http_server_send_progress(s, len);
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
    http_server_advance(s, now);
    http_server_send_progress(s, len);
}

void http_server_body_waits(struct http_server *s, bool waiting, usec now)
{
    http_server_advance(s, now);
    if (s->response != HTTP_SERVER_SENDING)
        return;
    if (waiting && s->output_len == 0)
        s->send_deadline = USEC_NEVER;
    else if (!waiting && s->send_deadline == USEC_NEVER)
        s->send_deadline = now + HTTP_SERVER_SEND_TIMEOUT;
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
        http_server_abort(s); /* less than announced: the peer must not take it for whole */
        return;
    }
    if (s->response_framing.kind == HTTP_FRAMING_CHUNKED) {
        struct writer w = http_server_output_writer(s);
        write_last_chunk(&w, trailers);
        http_server_commit(s, &w);
    }
    http_server_response_complete(s);
}
