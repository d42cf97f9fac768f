/* SPDX-License-Identifier: ISC */
/*
 * web.c - the web service's connections: an HTTP machine (proto/http/http_server.h) on each stream, and
 * the bodies of its responses, which go from where they come from to the stream without a stop.
 *
 * When there are as many connections as may be, one between requests makes room for a new one; when
 * all are at work, the new one is told 503 and closed.
 */
#include "app/web/web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/web/pages.h"
#include "app/web/web_session.h"
#include "base/siphash.h"

enum {
    CONNECTIONS_DEFAULT = 4096,
    REFUSALS_MAX = 64, /* connections that are being told 503 at a time; more are reset */
    PATTERN_LEN = 251, /* a prime: no block of a power of two repeats */
};

static usec now_of(const struct web_session *session)
{
    return loop_now(net_loop(session->web->net));
}

/* ---- a session's end ---- */

static void session_free(struct web_session *session)
{
    struct web *web = session->web;
    loop_unqueue(&session->task);
    list_remove(&session->node);
    list_remove(&session->idle_node);
    if (session->refused)
        web->refused_open--;
    else
        web->counters.open--;
    web_body_done(&session->body);
    free(session);
}

static void session_close(struct web_session *session)
{
    stream_close(session->stream);
    session_free(session);
}

/* ---- sending ---- */

/* A response is complete, as far as we are concerned: the network has all of it. */
static void tell_request(struct web_session *session)
{
    struct web *web = session->web;
    unsigned status = session->core.status;
    web->counters.responses[status / 100 < 6 ? status / 100 : 0]++;
    if (web->on_request != NULL) {
        bool known = session->method[0] != '\0';
        struct web_request request = {
            .peer = stream_peer(session->stream),
            .method = known ? session->method : "-",
            .target = known ? session->target : "-",
            .status = status,
            .octets = session->octets,
            .duration = known ? now_of(session) - session->request_at : 0,
        };
        web->on_request(web->on_request_self, &request);
    }
    session->method[0] = '\0';
    session->octets = 0;
    web_body_done(&session->body);
}

/* The next octets of the body, at most WEB_CHUNK unless they are in memory; empty: there are none
 * where some should be. */
static struct bytes next_octets(struct web_session *session)
{
    struct web_body *body = &session->body;
    struct web *web = session->web;
    size_t want = body->len < WEB_CHUNK ? (size_t)body->len : WEB_CHUNK;
    switch (body->kind) {
    case WEB_BODY_MEMORY:
        return body->data;
    case WEB_BODY_FILE: {
        ssize_t got = pread(body->fd, web->chunk, want, (off_t)body->offset);
        return bytes_of(web->chunk, got > 0 ? (size_t)got : 0);
    }
    case WEB_BODY_PATTERN:
        if (want > WEB_CHUNK - PATTERN_LEN)
            want = WEB_CHUNK - PATTERN_LEN;
        return bytes_of(web->pattern + body->offset % PATTERN_LEN, want);
    case WEB_BODY_NONE:
        break;
    }
    return bytes_empty();
}

static void body_gone(struct web_body *body, size_t len)
{
    body->offset += len;
    body->len -= len;
    if (body->kind == WEB_BODY_MEMORY)
        body->data = bytes_after(body->data, len);
}

/* Sends octets of the body until the stream takes no more. */
static void send_body(struct web_session *session)
{
    size_t turn = 0;
    while (http_server_body_left(&session->core) > 0 && http_server_may_pass(&session->core)) {
        if (turn >= WEB_TURN_MAX) {
            loop_queue(net_loop(session->web->net), &session->task);
            return;
        }
        struct bytes octets = next_octets(session);
        if (octets.len == 0) {
            /* The file is shorter than it was when its length was announced. */
            http_server_body_end(&session->core);
            return;
        }
        size_t taken = stream_send(session->stream, octets);
        body_gone(&session->body, taken);
        session->octets += taken;
        turn += taken;
        session->web->counters.octets_sent += taken;
        if (taken > 0)
            http_server_passed(&session->core, taken, now_of(session));
        if (taken < octets.len)
            return; /* on_room() goes on */
    }
}

static void flush(struct web_session *session)
{
    struct http_server *core = &session->core;
    struct bytes out = http_server_output(core);
    if (out.len > 0) {
        size_t taken = stream_send(session->stream, out);
        session->octets += taken;
        session->web->counters.octets_sent += taken;
        http_server_sent(core, taken, now_of(session));
    }
    send_body(session);
    bool complete = http_server_body_left(core) == 0 && http_server_output(core).len == 0;
    if (complete && core->responses != session->responses_seen) {
        session->responses_seen = core->responses;
        tell_request(session);
    }
}

/* ---- the machine ---- */

static void copy_text(char *out, size_t size, struct bytes text)
{
    struct bytes part = bytes_first(text, size - 1);
    memcpy(out, part.data, part.len);
    out[part.len] = '\0';
}

static void on_event(struct web_session *session, const struct http_server_event *event)
{
    switch (event->kind) {
    case HTTP_SERVER_REQUEST:
        session->web->counters.requests++;
        list_remove(&session->idle_node); /* it will be idle from its answer on */
        session->request_at = now_of(session);
        copy_text(session->method, sizeof session->method, event->head.method);
        copy_text(session->target, sizeof session->target, event->head.target);
        web_site_request(session, event);
        break;
    case HTTP_SERVER_BODY:
        web_site_body(session, event->data);
        break;
    case HTTP_SERVER_BODY_END:
        web_site_body_end(session);
        break;
    case HTTP_SERVER_BODY_FAILED:
    case HTTP_SERVER_NO_EVENT:
        break;
    }
}

static void update_idle(struct web_session *session)
{
    bool idle = !session->refused && session->pending == 0 && http_server_idle(&session->core);
    if (!idle)
        list_remove(&session->idle_node);
    else if (!list_linked(&session->idle_node))
        list_append(&session->web->idle, &session->idle_node);
}

/* Does what the machine wants of the connection. The session may be gone afterwards. */
static void settle(struct web_session *session)
{
    switch (http_server_want(&session->core)) {
    case HTTP_SERVER_ABORT:
        stream_abort(session->stream);
        session_free(session);
        return;
    case HTTP_SERVER_CLOSE:
        session_close(session);
        return;
    case HTTP_SERVER_FINISH:
        if (!session->finished)
            stream_finish(session->stream);
        session->finished = true;
        break;
    case HTTP_SERVER_STAY:
        break;
    }
    update_idle(session);
    stream_set_deadline(session->stream, http_server_deadline(&session->core));
}

/* Turns the crank as long as something comes of it. Returns the octets used; the session may be
 * gone. */
static size_t pump(struct web_session *session, struct bytes in)
{
    size_t total = 0;
    size_t used;
    struct http_server_event event;
    int64_t wall = loop_wall_seconds(net_loop(session->web->net));
    http_server_set_wall(&session->core, wall);
    do {
        struct bytes rest = bytes_after(in, total);
        used = http_server_input(&session->core, rest, now_of(session), &event);
        total += used;
        on_event(session, &event);
        flush(session);
    } while (used > 0 || event.kind != HTTP_SERVER_NO_EVENT);
    session->pending = in.len - total;
    settle(session);
    return total;
}

/* As pump(), outside of on_bytes(): octets that the stream keeps must come from there. */
static void crank(struct web_session *session)
{
    flush(session);
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
    return pump(self, in);
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct web_session *session = self;
    http_server_end(&session->core, now_of(session));
    crank(session);
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    crank(self);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    session_free(self);
}

static void on_deadline(void *self, struct stream *stream UNUSED)
{
    struct web_session *session = self;
    http_server_tick(&session->core, now_of(session));
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
    crank(CONTAINER_OF(task, struct web_session, task));
}

/* ---- the listener ---- */

static struct web_session *session_new(struct web *web, struct stream *stream)
{
    struct web_session *session = malloc(sizeof *session);
    if (session == NULL)
        return NULL;
    memset(session, 0, sizeof *session);
    session->web = web;
    session->stream = stream;
    list_append(&web->sessions, &session->node);
    list_init(&session->idle_node);
    task_init(&session->task, on_task);
    http_server_init(&session->core, "wholenet", now_of(session));
    stream_set_handler(stream, &stream_handler, session);
    return session;
}

/* Makes room among the sessions. False: all are at work. */
static bool make_room(struct web *web)
{
    if (web->counters.open < web->connections_max)
        return true;
    struct list_node *oldest = list_first(&web->idle);
    if (oldest == NULL)
        return false;
    web->counters.shed++;
    session_close(CONTAINER_OF(oldest, struct web_session, idle_node));
    return true;
}

static void on_accept(void *self, struct listener *listener UNUSED, struct stream *stream)
{
    struct web *web = self;
    bool refuse = !make_room(web);
    web->counters.connections++;
    web->counters.refused += refuse;
    struct web_session *session = NULL;
    if (!refuse || web->refused_open < REFUSALS_MAX)
        session = session_new(web, stream);
    if (session == NULL) {
        stream_abort(stream);
        return;
    }
    session->refused = refuse;
    if (refuse) {
        web->refused_open++;
        http_server_set_wall(&session->core, loop_wall_seconds(net_loop(web->net)));
        http_server_refuse(&session->core, 503);
        flush(session);
    } else {
        web->counters.open++;
    }
    settle(session);
}

static const struct listener_handler listener_handler = {.on_accept = on_accept};

/* ---- the service ---- */

/* A tag from the contents, so that it changes with them and only with them. */
static bool make_etags(struct web *web)
{
    static const struct siphash_key key = {0x77686f6c656e6574, 0x7765622070616765};
    web->etags = calloc(web_page_count + 1, sizeof *web->etags);
    if (web->etags == NULL)
        return false;
    for (size_t i = 0; i < web_page_count; i++) {
        uint64_t hash = siphash24(&key, bytes_of(web_pages[i].data, web_pages[i].len));
        snprintf(web->etags[i], sizeof web->etags[i], "\"%016llx\"", (unsigned long long)hash);
    }
    return true;
}

static bool make_buffers(struct web *web)
{
    web->chunk = malloc(WEB_CHUNK);
    web->pattern = malloc(WEB_CHUNK);
    if (web->chunk == NULL || web->pattern == NULL)
        return false;
    for (size_t i = 0; i < WEB_CHUNK; i++)
        web->pattern[i] = (uint8_t)(i % PATTERN_LEN);
    return true;
}

static int web_prepare(struct web *web, const struct web_options *options)
{
    web->server_name = strdup(options->server_name != NULL ? options->server_name : "localhost");
    web->domain = strdup(options->domain != NULL ? options->domain : "");
    if (web->server_name == NULL || web->domain == NULL || !make_etags(web) || !make_buffers(web))
        return -ENOMEM;
    web->prefix = "";
    if (options->root == NULL)
        return 0;
    web->prefix = "/.wholenet";
    return web_files_open_root(options->root, &web->root_fd);
}

int web_new(struct net *net, const struct web_options *options, struct web **out)
{
    struct web *web = calloc(1, sizeof *web);
    if (web == NULL)
        return -ENOMEM;
    web->net = net;
    web->root_fd = -1;
    web->site = options->site;
    web->on_request = options->on_request;
    web->on_request_self = options->on_request_self;
    web->connections_max = options->connections_max;
    if (web->connections_max == 0)
        web->connections_max = CONNECTIONS_DEFAULT;
    list_init(&web->sessions);
    list_init(&web->idle);
    int status = web_prepare(web, options);
    struct listen_options listen = {.local = options->listen};
    if (status == 0)
        status = net_listen(net, &listen, &listener_handler, web, &web->listener);
    if (status < 0) {
        web_free(web);
        return status;
    }
    *out = web;
    return 0;
}

void web_free(struct web *web)
{
    if (web == NULL)
        return;
    struct list_node *node;
    while ((node = list_first(&web->sessions)) != NULL)
        session_close(CONTAINER_OF(node, struct web_session, node));
    if (web->listener != NULL)
        listener_close(web->listener);
    if (web->root_fd >= 0)
        (void)close(web->root_fd);
    free(web->server_name);
    free(web->domain);
    free(web->etags);
    free(web->chunk);
    free(web->pattern);
    free(web);
}

struct endpoint web_local(const struct web *web)
{
    return listener_local(web->listener);
}

void web_counters(const struct web *web, struct web_counters *out)
{
    *out = web->counters;
}
