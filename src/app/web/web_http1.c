/* SPDX-License-Identifier: ISC */
/*
 * web_http1.c - connections of HTTP/1.x: a machine (proto/http/http_server.h) on each stream, and the
 * bodies of its responses, which go from where they come from to the stream without a stop.
 *
 * A connection between requests has neither machine nor exchange: they come from a few that are kept
 * warm when octets do, and go back with the last octet of the answer.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "app/web/web_exchange.h"

/* What a connection has while a request is under way. */
struct web_work {
    struct web_session *session;
    struct list_node warm;
    struct task task;           /* goes on in the next turn */
    struct http_server core;
    uint32_t responses_seen;
    bool held;                  /* octets of the request's body are not read */
    uint8_t frame_at, frame_len; /* of what stands around a chunk: sent, in all */
    char frame[HTTP_CHUNK_FRAME_MAX];
    size_t chunk_left;          /* octets of the chunk that has begun */
    struct web_exchange exchange;
};

static usec now_of(const struct web_session *session)
{
    return loop_now(net_loop(session->web->net));
}

static struct web_work *work_of(struct web_exchange *exchange)
{
    return CONTAINER_OF(exchange, struct web_work, exchange);
}

/* ---- works ---- */

static const struct web_transport transport;
static void on_task(struct task *task);

static struct web_work *take_warm(struct web *web)
{
    struct list_node *node = list_first(&web->warm);
    if (node == NULL)
        return malloc(sizeof(struct web_work));
    list_remove(node);
    web->warm_count--;
    return CONTAINER_OF(node, struct web_work, warm);
}

static bool work_begin(struct web_session *session)
{
    struct web *web = session->web;
    struct web_work *work = take_warm(web);
    if (work == NULL)
        return false;
    work->session = session;
    list_init(&work->warm);
    task_init(&work->task, on_task);
    work->responses_seen = 0;
    work->held = false;
    work->frame_at = work->frame_len = 0;
    work->chunk_left = 0;
    http_server_init(&work->core, "wholenet", now_of(session));
    work->exchange = (struct web_exchange){
        .web = web,
        .transport = &transport,
        .peer = session->peer,
        .secure = session->secure,
    };
    session->work = work;
    return true;
}

void web_http1_work_done(struct web_session *session)
{
    struct web_work *work = session->work;
    struct web *web = session->web;
    if (work == NULL)
        return;
    session->work = NULL;
    loop_unqueue(&work->task);
    web_exchange_done(&work->exchange);
    if (web->warm_count == WEB_WARM_MAX) {
        free(work);
        return;
    }
    web->warm_count++;
    list_prepend(&web->warm, &work->warm);
}

void web_http1_warm_done(struct web *web)
{
    struct list_node *node;
    while ((node = list_first(&web->warm)) != NULL) {
        list_remove(node);
        free(CONTAINER_OF(node, struct web_work, warm));
    }
}

/* ---- the transport of exchanges ---- */

/* A head that the machine has no room for, as programs make them. It goes to the stream behind what the
 * machine has said before. */
static bool respond_large(struct web_work *work, const struct http_response *response)
{
    uint8_t *room = malloc(HTTP_HEAD_MAX);
    struct bytes before = http_server_output(&work->core);
    if (room == NULL || stream_room(work->session->stream) < before.len + HTTP_HEAD_MAX) {
        free(room);
        http_server_refuse(&work->core, 503);
        return false;
    }
    size_t sent = stream_send(work->session->stream, before);
    http_server_sent(&work->core, sent, now_of(work->session));
    struct writer head = writer_of(room, HTTP_HEAD_MAX);
    bool good = http_server_respond_to(&work->core, response, &head);
    if (good) {
        sent = stream_send(work->session->stream, writer_bytes(&head));
        work->exchange.octets += sent;
        work->session->web->counters.octets_sent += sent;
        good = sent == writer_len(&head);
        if (!good)
            http_server_refuse(&work->core, 503); /* which ends the connection */
    }
    free(room);
    return good;
}

static bool respond(struct web_exchange *exchange, const struct http_response *response)
{
    struct web_work *work = work_of(exchange);
    struct http_response actual = *response;
    size_t len = 0;
    if (work->core.request == HTTP_SERVER_TAKE_BODY)
        actual.close = true; /* the rest of the request's body is not waited for */
    for (size_t i = 0; i < response->field_count; i++)
        len += response->fields[i].name.len + response->fields[i].value.len + 4;
    if (len > HTTP_SERVER_OUTPUT_MAX / 2)
        return respond_large(work, &actual);
    return http_server_respond(&work->core, &actual);
}

static bool interim(struct web_exchange *exchange, unsigned status, const struct http_field *fields,
                    size_t count)
{
    return http_server_interim(&work_of(exchange)->core, status, fields, count);
}

static bool switch_to(struct web_exchange *exchange, const struct http_field *fields, size_t count)
{
    return http_server_switch(&work_of(exchange)->core, fields, count);
}

static void hold(struct web_exchange *exchange, bool held)
{
    struct web_work *work = work_of(exchange);
    if (work->held == held)
        return;
    work->held = held;
    http_server_hold_body(&work->core, held, now_of(work->session));
    if (!held)
        loop_queue(net_loop(exchange->web->net), &work->task);
}

static bool accept_body(struct web_exchange *exchange, uint64_t max)
{
    return http_server_accept_body(&work_of(exchange)->core, max);
}

static void refuse(struct web_exchange *exchange, unsigned status)
{
    http_server_refuse(&work_of(exchange)->core, status);
}

static struct stream *stream_of(struct web_exchange *exchange)
{
    return work_of(exchange)->session->stream;
}

static void wake(struct web_exchange *exchange)
{
    struct web_work *work = work_of(exchange);
    http_server_set_date(&work->core, web_date(exchange->web));
    loop_queue(net_loop(exchange->web->net), &work->task);
}

static const struct web_transport transport = {
    .wake = wake,
    .stream = stream_of,
    .respond = respond,
    .accept_body = accept_body,
    .refuse = refuse,
    .interim = interim,
    .switch_to = switch_to,
    .hold = hold,
};

/* ---- sending ---- */

static void count_sent(struct web_work *work, size_t len)
{
    work->exchange.octets += len;
    work->session->web->counters.octets_sent += len;
}

static void passed(struct web_work *work, size_t len)
{
    web_body_gone(&work->exchange.body, len);
    count_sent(work, len);
    http_server_passed(&work->core, len, now_of(work->session));
}

/* Octets of the body that went past memory; 0: none can go now; negative: none ever can. */
static ssize_t send_file(struct web_work *work)
{
    const struct web_body *body = &work->exchange.body;
    size_t want = body->len < SSIZE_MAX ? (size_t)body->len : SSIZE_MAX;
    if (body->kind != WEB_BODY_FILE || body->len < WEB_CHUNK)
        return -ENOSYS;
    ssize_t sent = stream_send_file(work->session->stream, body->file->fd, body->offset, want);
    if (sent > 0)
        passed(work, (size_t)sent);
    else if (sent == 0)
        http_server_body_end(&work->core); /* shorter than when its length was announced */
    return sent == -EAGAIN ? 0 : sent;
}

/* A body that somebody makes meanwhile has come to its end, has broken off, or is only late. */
static void end_flow(struct web_work *work)
{
    const struct web_body *body = &work->exchange.body;
    if (web_body_waits(body))
        http_server_body_waits(&work->core, true, now_of(work->session));
    else if (web_body_ended(body))
        http_server_body_end_with(&work->core, body->flow->trailers);
    else
        http_server_refuse(&work->core, 502); /* it has begun: the connection is reset */
}

/* What stands around a chunk and has not been sent. False: the stream is full. */
static bool send_frame(struct web_work *work)
{
    struct bytes frame = bytes_after(bytes_of(work->frame, work->frame_len), work->frame_at);
    size_t sent = stream_send(work->session->stream, frame);
    work->frame_at = (uint8_t)(work->frame_at + sent);
    count_sent(work, sent);
    if (sent > 0)
        http_server_chunk_passed(&work->core, sent, now_of(work->session));
    return work->frame_at == work->frame_len;
}

static void begin_chunk(struct web_work *work, size_t len)
{
    work->chunk_left = len;
    work->frame_len = (uint8_t)http_chunk_frame(len, work->frame);
    work->frame_at = 0;
}

static void end_chunk(struct web_work *work)
{
    memcpy(work->frame, HTTP_CHUNK_END, strlen(HTTP_CHUNK_END));
    work->frame_len = (uint8_t)strlen(HTTP_CHUNK_END);
    work->frame_at = 0;
}

/* The next octets of a chunked body. False: the stream is full, or there are none. */
static bool send_chunk(struct web_work *work)
{
    if (!send_frame(work))
        return false;
    struct bytes octets = web_body_next(&work->exchange.body, &work->session->web->buffers);
    if (octets.len == 0) {
        end_flow(work);
        return false;
    }
    http_server_body_waits(&work->core, false, now_of(work->session));
    if (work->chunk_left == 0)
        begin_chunk(work, octets.len);
    if (!send_frame(work))
        return false;
    octets = bytes_first(octets, work->chunk_left);
    size_t taken = stream_send(work->session->stream, octets);
    if (taken > 0) {
        web_body_gone(&work->exchange.body, taken);
        count_sent(work, taken);
        http_server_chunk_passed(&work->core, taken, now_of(work->session));
        work->chunk_left -= taken;
        if (work->chunk_left == 0)
            end_chunk(work);
    }
    return taken == octets.len;
}

/* As much as the stream takes of the next octets. False: it is full, or there are none. */
static bool send_octets(struct web_work *work)
{
    if (work->exchange.body.kind == WEB_BODY_FILE && !stream_ready(work->session->stream))
        return false; /* nothing is read that could not go */
    struct bytes octets = web_body_next(&work->exchange.body, &work->session->web->buffers);
    if (octets.len == 0 && work->exchange.body.kind == WEB_BODY_FLOW) {
        end_flow(work);
        return false;
    }
    if (octets.len == 0) {
        http_server_body_end(&work->core);
        return false;
    }
    if (work->exchange.body.kind == WEB_BODY_FLOW)
        http_server_body_waits(&work->core, false, now_of(work->session));
    size_t taken = stream_send_now(work->session->stream, octets);
    if (taken > 0)
        passed(work, taken);
    return taken == octets.len;
}

/* Sends octets of the body until the stream takes no more. */
static void send_body(struct web_work *work)
{
    uint64_t before = work->exchange.octets;
    while (http_server_body_left(&work->core) > 0 && http_server_output(&work->core).len == 0) {
        if (work->exchange.octets - before >= WEB_TURN_MAX) {
            loop_queue(net_loop(work->session->web->net), &work->task);
            return;
        }
        if (!http_server_may_pass(&work->core)) {
            if (!send_chunk(work))
                return;
            continue;
        }
        ssize_t sent = send_file(work);
        if (sent == 0 || (sent < 0 && (sent != -ENOSYS || !send_octets(work))))
            return; /* on_room() goes on */
    }
}

static void flush(struct web_work *work)
{
    struct http_server *core = &work->core;
    struct bytes out = http_server_output(core);
    if (out.len > 0) {
        size_t taken = stream_send(work->session->stream, out);
        count_sent(work, taken);
        http_server_sent(core, taken, now_of(work->session));
    }
    send_body(work);
    bool complete = http_server_body_left(core) == 0 && http_server_output(core).len == 0;
    if (complete && core->responses != work->responses_seen) {
        work->responses_seen = core->responses;
        web_tell_request(&work->exchange, core->status);
    }
}

/* ---- the machine ---- */

static void on_request(struct web_session *session, const struct http_server_event *event)
{
    struct web_exchange *exchange = &session->work->exchange;
    list_remove(&session->idle_node);
    session->work->held = false;
    session->work->frame_at = session->work->frame_len = 0;
    session->work->chunk_left = 0;
    exchange->protocol = event->head.version == HTTP_VERSION_1_0 ? "HTTP/1.0" : "HTTP/1.1";
    web_exchange_begin(exchange, event);
}

static void on_event(struct web_session *session, const struct http_server_event *event)
{
    switch (event->kind) {
    case HTTP_SERVER_REQUEST:
        on_request(session, event);
        break;
    case HTTP_SERVER_BODY:
        web_site_body(&session->work->exchange, event->data);
        break;
    case HTTP_SERVER_BODY_END:
        web_site_body_end(&session->work->exchange);
        break;
    case HTTP_SERVER_BODY_FAILED:
        web_site_body_failed(&session->work->exchange);
        break;
    case HTTP_SERVER_NO_EVENT:
        break;
    }
}

/* Between requests, with nothing of a next one? */
static bool is_idle(const struct web_session *session)
{
    return !session->refused && session->pending == 0 && http_server_idle(&session->work->core) &&
           session->work->core.blank_lines == 0;
}

/* Does what the machine wants of the connection. The session may be gone afterwards. */
static void settle(struct web_session *session)
{
    struct web_work *work = session->work;
    switch (http_server_want(&work->core)) {
    case HTTP_SERVER_ABORT:
        stream_abort(session->stream);
        web_session_free(session);
        return;
    case HTTP_SERVER_CLOSE:
        web_session_close(session);
        return;
    case HTTP_SERVER_LEAVE:
        stream_leave(session->stream);
        web_session_free(session);
        return;
    case HTTP_SERVER_FINISH:
        if (!session->finished)
            stream_finish(session->stream);
        session->finished = true;
        break;
    case HTTP_SERVER_STAY:
        break;
    }
    stream_set_deadline(session->stream, http_server_deadline(&work->core));
    if (is_idle(session)) {
        web_http1_work_done(session);
        list_remove(&session->idle_node);
        list_append(&session->web->idle, &session->idle_node);
    } else if (!session->refused && work->core.request == HTTP_SERVER_HEAD &&
               !list_linked(&session->idle_node)) {
        session->head_at = now_of(session);
        list_append(&session->web->heads, &session->idle_node);
    }
}

/* Octets of a body that is held stay with the stream, and close the client's window. */
static size_t input(struct web_work *work, struct bytes in, struct http_server_event *event)
{
    event->kind = HTTP_SERVER_NO_EVENT;
    if (work->held && work->core.request == HTTP_SERVER_TAKE_BODY)
        return 0;
    return http_server_input(&work->core, in, now_of(work->session), event);
}

/* Turns the crank as long as something comes of it. Returns the octets used; the session may be
 * gone. */
static size_t pump(struct web_session *session, struct bytes in)
{
    size_t total = 0;
    size_t used;
    struct http_server_event event;
    struct http_server *core = &session->work->core;
    http_server_set_date(core, web_date(session->web));
    do {
        used = input(session->work, bytes_after(in, total), &event);
        total += used;
        on_event(session, &event);
        flush(session->work);
    } while (used > 0 || event.kind != HTTP_SERVER_NO_EVENT);
    session->pending = in.len - total;
    settle(session);
    return total;
}

/* As pump(), outside of on_bytes(): octets that the stream keeps must come from there. */
static void crank(struct web_session *session)
{
    flush(session->work);
    if (session->pending > 0) {
        stream_resume(session->stream);
        settle(session);
    } else {
        (void)pump(session, bytes_empty());
    }
}

/* ---- the stream's callbacks ---- */

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct web_session *session = self;
    if (!session->begun) { /* in clear, HTTP/2 begins by itself (RFC 9113 §3.3) */
        bool more;
        if (web_http2_preface(in, &more) && web_http2_begin(session))
            return web_http2_input(session, in);
        if (more)
            return 0;
        session->begun = true;
    }
    if (session->work == NULL) {
        list_remove(&session->idle_node);
        if (!work_begin(session)) {
            stream_abort(session->stream);
            web_session_free(session);
            return in.len;
        }
    }
    return pump(session, in);
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct web_session *session = self;
    if (session->work == NULL) {
        web_session_close(session);
        return;
    }
    struct http_server *core = &session->work->core;
    http_server_end(core, now_of(session));
    if (session->work->exchange.service != NULL && core->request == HTTP_SERVER_COMPLETE) {
        web_session_close(session); /* a program is not to work for who has gone */
        return;
    }
    crank(session);
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    struct web_session *session = self;
    if (session->work != NULL)
        crank(session);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    web_session_free(self);
}

static void on_deadline(void *self, struct stream *stream UNUSED)
{
    struct web_session *session = self;
    if (session->work == NULL) {
        web_session_close(session); /* idle: nothing is asked, so nothing is answered */
        return;
    }
    http_server_tick(&session->work->core, now_of(session));
    crank(session);
}

static const struct stream_handler stream_handler = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_room = on_room,
    .on_closed = on_closed,
    .on_deadline = on_deadline,
};

static void on_task(struct task *task)
{
    crank(CONTAINER_OF(task, struct web_work, task)->session);
}

void web_http1_begin(struct web_session *session, bool refuse_it)
{
    stream_set_handler(session->stream, &stream_handler, session);
    if (!refuse_it) {
        list_append(&session->web->idle, &session->idle_node);
        stream_set_deadline(session->stream, now_of(session) + HTTP_SERVER_IDLE_TIMEOUT);
        return;
    }
    if (!work_begin(session)) {
        stream_abort(session->stream);
        web_session_free(session);
        return;
    }
    struct http_server *core = &session->work->core;
    http_server_set_date(core, web_date(session->web));
    http_server_refuse(core, 503);
    flush(session->work);
    settle(session);
}
