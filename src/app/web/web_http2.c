/* SPDX-License-Identifier: ISC */
/*
 * web_http2.c - connections of HTTP/2 (RFC 9113): turns the crank of proto/http/http2_session.h, which knows
 * frames, windows and priorities, and bounds floods; how long one may take is said here. A connection on which
 * nothing that counts moves for a while is ended, however many frames come.
 */
#include <stdlib.h>

#include "app/web/web_http2.h"

enum {
    STREAMS_MAX = 100,          /* at a time (RFC 9113 §5.1.2: not less) */
    WINDOW = 256 * 1024,        /* of a stream, for uploads */
    CONNECTION_WINDOW = 1024 * 1024,
    PROGRESS_MIN = 4096,        /* octets that earn a connection more time */
};
#define IDLE_TIMEOUT HTTP_SERVER_IDLE_TIMEOUT
#define PROGRESS_TIMEOUT (30 * USEC_PER_SEC)

static usec now_of(const struct web_http2 *c)
{
    return loop_now(net_loop(c->session->web->net));
}

void web_http2_earn_time(struct web_http2 *c, size_t octets)
{
    if (octets < PROGRESS_MIN - c->progress) {
        c->progress += octets;
        return;
    }
    c->progress = 0;
    c->deadline = now_of(c) + PROGRESS_TIMEOUT;
}

/* ---- sending ---- */

static void free_closed(struct web_http2 *c)
{
    struct http2_stream *over;
    while ((over = http2_next_closed(&c->core)) != NULL)
        web_stream_free(CONTAINER_OF(over, struct web_stream, core));
}

/* Gives the stream what there is to send, many frames at a time. */
static void send_all(struct web_http2 *c)
{
    struct web *web = c->session->web;
    struct http2_slot slot;
    size_t turn = 0;
    while (turn < WEB_TURN_MAX) {
        while (http2_next_slot(&c->core, &slot))
            web_stream_fill(CONTAINER_OF(slot.stream, struct web_stream, core), &slot);
        free_closed(c);
        struct bytes out = http2_output(&c->core);
        if (out.len == 0)
            return;
        size_t taken = stream_send(c->session->stream, out);
        web->counters.octets_sent += taken;
        http2_sent(&c->core, taken);
        turn += taken;
        if (taken < out.len)
            return; /* on_room() goes on */
    }
    loop_queue(net_loop(web->net), &c->task);
}

static void set_idle(struct web_http2 *c)
{
    struct web_session *session = c->session;
    if (c->stream_count > 0 || http2_output(&c->core).len > 0 || list_linked(&session->idle_node))
        return;
    list_append(&session->web->idle, &session->idle_node);
    c->deadline = now_of(c) + IDLE_TIMEOUT;
    c->progress = 0;
}

/* Sends what there is and looks whether it was all. The session may be gone afterwards. */
static void flush(struct web_http2 *c)
{
    struct web_session *session = c->session;
    send_all(c);
    size_t waiting = http2_output(&c->core).len;
    if (waiting == 0 && (c->closing || http2_over(&c->core))) {
        web_session_close(session);
        return;
    }
    set_idle(c);
    stream_set_deadline(session->stream, usec_min(c->deadline, http2_deadline(&c->core)));
    if (c->stalled && waiting < HTTP2_OUTPUT_HIGH) {
        c->stalled = false;
        stream_resume(session->stream);
    }
}

/* ---- receiving ---- */

static void take_request(struct web_http2 *c, const struct http2_event *event)
{
    struct web_stream *s = web_stream_new(c);
    if (s == NULL) {
        http2_refuse(&c->core, HTTP2_REFUSED_STREAM);
        return;
    }
    http2_accept(&c->core, &s->core);
    web_http2_earn_time(c, SIZE_MAX);
    web_stream_begin(s, event);
    if (event->ended)
        web_stream_end(s);
}

static void take_event(struct web_http2 *c, const struct http2_event *event)
{
    struct web_stream *s;
    switch (event->kind) {
    case HTTP2_REQUEST:
        take_request(c, event);
        break;
    case HTTP2_BODY:
        s = CONTAINER_OF(event->stream, struct web_stream, core);
        web_stream_body(s, event->data);
        if (event->ended)
            web_stream_end(s);
        break;
    case HTTP2_TRAILERS: /* its fields are read past */
        web_stream_end(CONTAINER_OF(event->stream, struct web_stream, core));
        break;
    case HTTP2_FAILED:
        c->closing = true;
        break;
    case HTTP2_NO_EVENT:
    case HTTP2_GOING_AWAY:
    case HTTP2_INTERIM:
    case HTTP2_RESPONSE:
        break;
    }
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct web_http2 *c = self;
    struct http2_event event;
    usec now = now_of(c);
    size_t used = 0;
    size_t step;
    do {
        step = http2_input(&c->core, bytes_after(in, used), now, &event);
        used += step;
        take_event(c, &event);
        free_closed(c);
    } while (step > 0 || event.kind != HTTP2_NO_EVENT);
    c->stalled = http2_output(&c->core).len >= HTTP2_OUTPUT_HIGH;
    flush(c);
    return used;
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct web_http2 *c = self;
    web_session_close(c->session); /* who has closed reads no answers (§5.4.1) */
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    flush(self);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    struct web_http2 *c = self;
    web_session_free(c->session);
}

/* Is it a program that nothing moves for, and not the client? */
static bool waits_for_us(const struct web_http2 *c)
{
    for (const struct list_node *node = c->streams.next; node != &c->streams; node = node->next) {
        const struct web_stream *s =
            CONTAINER_OF((struct list_node *)(uintptr_t)node, struct web_stream, node);
        if (s->exchange.service != NULL && (!s->responded || s->core.asleep || s->held))
            return true;
    }
    return false;
}

static void on_deadline(void *self, struct stream *stream UNUSED)
{
    struct web_http2 *c = self;
    usec now = now_of(c);
    if (now >= http2_deadline(&c->core))
        http2_tick(&c->core, now);
    if (now < c->deadline) {
        flush(c);
        return;
    }
    c->deadline = now + PROGRESS_TIMEOUT;
    if (c->stream_count > 0 && waits_for_us(c)) {
        flush(c);
        return;
    }
    if (c->stream_count > 0 || c->closing) { /* nothing has moved */
        stream_abort(c->session->stream);
        web_session_free(c->session);
        return;
    }
    http2_go_away(&c->core, HTTP2_NO_ERROR);
    c->closing = true;
    flush(c);
}

static const struct stream_handler stream_handler = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_room = on_room,
    .on_closed = on_closed,
    .on_deadline = on_deadline,
};

/* ---- the connection ---- */

static void on_task(struct task *task)
{
    flush(CONTAINER_OF(task, struct web_http2, task));
}

bool web_http2_begin(struct web_session *session)
{
    static const struct http2_options options = {
        .streams_max = STREAMS_MAX,
        .window = WINDOW,
        .connection_window = CONNECTION_WINDOW,
    };
    struct web *web = session->web;
    struct web_http2 *c = malloc(sizeof *c);
    if (c == NULL)
        return false;
    memset(c, 0, offsetof(struct web_http2, core));
    c->session = session;
    list_init(&c->streams);
    task_init(&c->task, on_task);
    session->http2 = c;
    struct heap heap = web_memory_heap(&web->memory);
    http2_session_init(&c->core, &options, &heap, &web->http2_scratch, now_of(c));
    c->deadline = now_of(c) + IDLE_TIMEOUT;
    stream_set_handler(session->stream, &stream_handler, c);
    loop_queue(net_loop(web->net), &c->task); /* our settings */
    return true;
}

size_t web_http2_input(struct web_session *session, struct bytes in)
{
    return on_bytes(session->http2, session->stream, in);
}

void web_http2_done(struct web_session *session)
{
    struct web_http2 *c = session->http2;
    struct list_node *node;
    if (c == NULL)
        return;
    session->http2 = NULL;
    while ((node = list_first(&c->streams)) != NULL) {
        struct web_stream *s = CONTAINER_OF(node, struct web_stream, node);
        http2_forget(&c->core, &s->core);
        web_stream_free(s);
    }
    loop_unqueue(&c->task); /* whom they have told may have woken it */
    http2_session_done(&c->core);
    free(c);
}

bool web_http2_preface(struct bytes in, bool *more)
{
    size_t len = in.len < HTTP2_PREFACE_LEN ? in.len : HTTP2_PREFACE_LEN;
    bool fits = memcmp(in.data, HTTP2_PREFACE, len) == 0;
    *more = fits && len < HTTP2_PREFACE_LEN;
    return fits && !*more;
}
