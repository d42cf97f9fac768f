/* SPDX-License-Identifier: ISC */
/*
 * proxy_client.c - a client's connection: an HTTP machine (proto/http/http_server.h) that reads requests,
 * an ask of the cache for each, and its answer as it comes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/proxy/proxy_internal.h"

static const struct stream_handler client_handler;
static const struct proxy_caller_ops caller_ops;

void proxy_session_close_file(struct proxy_session *session)
{
    proxy_fetch_cancel(session->fetch);
    session->fetch = NULL;
    if (session->file_fd >= 0)
        proxy_disk_close(session->proxy->disk, session->file_fd);
    session->file_fd = -1;
}

void proxy_session_drop_ask(struct proxy_session *session)
{
    proxy_session_close_file(session);
    if (!session->caller.asked)
        return;
    session->caller.asked = false;
    http_cache_ask_done(&session->caller.ask);
    proxy_stir(session->proxy);
}

/* ---- a session's life ---- */

static void on_task(struct task *task);
static void on_rate_alarm(struct alarm *alarm);

void proxy_session_new(struct proxy *proxy, struct stream *stream, bool transparent)
{
    struct proxy_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        stream_abort(stream);
        return;
    }
    session->proxy = proxy;
    session->caller.proxy = proxy;
    session->caller.ops = &caller_ops;
    session->caller.peer = stream_peer(stream);
    if (transparent)
        session->caller.to = stream_local(stream);
    session->caller.secured = stream_is_tls(stream);
    session->caller.authority = session->target;
    session->stream = stream;
    session->file_fd = -1;
    rate_bucket_init(&session->rate, proxy->options.rate, proxy_now(proxy));
    if (proxy->rates != NULL)
        session->account =
            rate_book_take(proxy->rates, &session->caller.peer.address, proxy_now(proxy));
    alarm_init(&session->rate_alarm, on_rate_alarm);
    list_init(&session->idle_node);
    list_append(&proxy->sessions, &session->node);
    list_append(&proxy->idle_sessions, &session->idle_node);
    task_init(&session->task, on_task);
    http_server_init(&session->core, NULL, proxy_now(proxy));
    stream_set_handler(stream, &client_handler, session);
    stream_set_deadline(stream, http_server_deadline(&session->core));
    proxy->counters.open++;
}

void proxy_session_close(struct proxy_session *session)
{
    struct proxy *proxy = session->proxy;
    proxy_caller_leave(&session->caller, session->body_done);
    proxy_session_drop_ask(session);
    proxy_disk_unwait(&session->wait);
    if (session->state == PROXY_TUNNEL)
        loop_clear_alarm(proxy->loop, &session->tunnel_alarm);
    if (session->other != NULL)
        stream_abort(session->other);
    if (session->stream != NULL)
        stream_close(session->stream);
    loop_unqueue(&session->task);
    loop_clear_alarm(proxy->loop, &session->rate_alarm);
    if (session->account != NULL)
        rate_book_give(proxy->rates, session->account);
    list_remove(&session->node);
    list_remove(&session->idle_node);
    proxy->counters.open--;
    free(session->pending);
    free(session->caller.tried);
    free(session);
}

void proxy_session_abort(struct proxy_session *session)
{
    stream_abort(session->stream);
    session->stream = NULL;
    proxy_session_close(session);
}

void proxy_session_log(struct proxy_session *session, unsigned status, const char *how)
{
    struct proxy *proxy = session->proxy;
    proxy->counters.responses[status / 100 < 6 ? status / 100 : 0]++;
    if (proxy->options.on_request == NULL || session->stream == NULL)
        return;
    struct proxy_request request = {
        .peer = stream_peer(session->stream),
        .user = session->user[0] != '\0' ? session->user : "-",
        .method = session->method[0] != '\0' ? session->method : "-",
        .target = session->target[0] != '\0' ? session->target : "-",
        .how = how,
        .status = status,
        .octets = session->octets,
        .duration = proxy_now(proxy) - session->request_at,
    };
    proxy->options.on_request(proxy->options.on_request_self, &request);
}

/* ---- sending ---- */

size_t proxy_session_may(struct proxy_session *session)
{
    usec now = proxy_now(session->proxy), again_at = now;
    size_t may = rate_bucket_may(&session->rate, now, &again_at);
    size_t of_client = session->account != NULL
                           ? rate_bucket_may(&session->account->bucket, now, &again_at)
                           : SIZE_MAX;
    if (of_client < may)
        may = of_client;
    if (may == 0)
        loop_set_alarm(session->proxy->loop, &session->rate_alarm, again_at);
    return may;
}

void proxy_session_charge(struct proxy_session *session, size_t len)
{
    rate_bucket_charge(&session->rate, len);
    if (session->account != NULL)
        rate_bucket_charge(&session->account->bucket, len);
}

void proxy_session_put(struct proxy_session *session, struct bytes octets)
{
    struct bytes first = bytes_of(session->pending != NULL ? session->pending + session->pending_at
                                                           : NULL,
                                  session->pending_len);
    size_t sent = first.len > 0 ? stream_send(session->stream, first) : 0;
    session->pending_at += sent;
    session->pending_len -= sent;
    if (session->pending_len == 0) {
        sent = octets.len > 0 ? stream_send(session->stream, octets) : 0;
        octets = bytes_after(octets, sent);
    }
    if (octets.len == 0 && session->pending_len > 0)
        return;
    char *block = octets.len > 0 ? malloc(session->pending_len + octets.len) : NULL;
    if (octets.len > 0 && block == NULL) {
        session->core.aborted = true; /* half an answer is none */
        return;
    }
    if (session->pending_len > 0)
        memcpy(block, session->pending + session->pending_at, session->pending_len);
    if (octets.len > 0)
        memcpy(block + session->pending_len, octets.data, octets.len);
    free(session->pending);
    session->pending = block;
    session->pending_at = 0;
    session->pending_len = block != NULL ? session->pending_len + octets.len : 0;
}

/* What lies in the machine's output, behind what waits. */
void proxy_session_output(struct proxy_session *session)
{
    struct bytes out;
    if (session->pending_len > 0)
        proxy_session_put(session, bytes_empty());
    while (session->pending_len == 0 && (out = http_server_output(&session->core)).len > 0) {
        size_t sent = stream_send(session->stream, out);
        if (sent == 0)
            return;
        http_server_sent(&session->core, sent, proxy_now(session->proxy));
    }
}

bool proxy_session_flush(struct proxy_session *session)
{
    proxy_session_output(session);
    stream_set_deadline(session->stream, http_server_deadline(&session->core));
    if (session->state == PROXY_READING && http_server_idle(&session->core) &&
        !list_linked(&session->idle_node))
        list_append(&session->proxy->idle_sessions, &session->idle_node);
    switch (http_server_want(&session->core)) {
    case HTTP_SERVER_STAY:
        break;
    case HTTP_SERVER_FINISH:
        if (!session->finished && session->pending_len == 0)
            stream_finish(session->stream);
        session->finished |= session->pending_len == 0;
        break;
    case HTTP_SERVER_LEAVE:
        if (session->pending_len > 0)
            break;
        stream_leave(session->stream);
        session->stream = NULL;
        proxy_session_close(session);
        return false;
    case HTTP_SERVER_CLOSE:
        if (session->pending_len > 0)
            break;
        proxy_session_close(session);
        return false;
    case HTTP_SERVER_ABORT:
        proxy_session_abort(session);
        return false;
    }
    return true;
}

/* ---- what the cache says ---- */

/* The session's fill is to be carried out. */
static void start_job(struct proxy_session *session)
{
    struct http_cache_fill *fill = http_cache_ask_fill(&session->caller.ask);
    struct proxy_job *job = proxy_job_new(session->proxy, fill, &session->caller);
    session->state = PROXY_ASKING;
    if (job == NULL)
        return;
    /* What waited is a GET or HEAD. */
    proxy_job_describe(job, bytes_of_text("GET"), bytes_of_text(session->target), NULL);
    proxy_job_start(job);
}

void proxy_session_look(struct proxy_session *session)
{
    if (session->state == PROXY_REPLYING) {
        (void)proxy_reply_pump(session);
        return;
    }
    if (session->state != PROXY_ASKING)
        return;
    switch (http_cache_verdict(&session->caller.ask)) {
    case HTTP_CACHE_WAIT:
        break;
    case HTTP_CACHE_FORWARD:
        if (http_cache_fill_owner(http_cache_ask_fill(&session->caller.ask)) == NULL)
            start_job(session);
        break;
    case HTTP_CACHE_ANSWER:
        proxy_reply_begin(session);
        break;
    case HTTP_CACHE_FAIL:
        proxy_session_page(session, 504, NULL, NULL, 0);
        break;
    case HTTP_CACHE_REFUSED:
        proxy_session_page(session, session->caller.tried_status != 0 ? session->caller.tried_status : 502, NULL,
                           NULL, 0);
        break;
    }
}


static struct proxy_session *session_of(struct proxy_caller *caller)
{
    return CONTAINER_OF(caller, struct proxy_session, caller);
}

static void on_wake(struct proxy_caller *caller)
{
    proxy_session_look(session_of(caller));
}

static void on_content_room(struct proxy_caller *caller)
{
    stream_resume(session_of(caller)->stream);
}

/* Fields of a response that are for the client as well as for us. */
static void on_interim(struct proxy_caller *caller, const struct http_response_head *head)
{
    struct proxy_session *session = session_of(caller);
    struct http_fields fields;
    if (session->core.response != HTTP_SERVER_OWED)
        return;
    proxy_request_fields(&head->fields, &fields);
    if (http_server_interim(&session->core, head->status, fields.list, fields.count))
        (void)proxy_session_flush(session);
}

/* The client is told so, in the origin's words, and has the connection. */
static void on_switched(struct proxy_caller *caller, struct stream *stream,
                        const struct http_response_head *head)
{
    struct proxy_session *session = session_of(caller);
    uint8_t *block = malloc(PROXY_HEAD_MAX);
    if (block == NULL) {
        stream_abort(stream);
        proxy_session_abort(session);
        return;
    }
    struct writer w = writer_of(block, PROXY_HEAD_MAX);
    if (head == NULL)
        http_write_text(&w, "HTTP/1.1 200 Connection established\r\n");
    else
        http_write_status_line(&w, 101);
    for (size_t i = 0; head != NULL && i < head->fields.count; i++) {
        const struct http_field *field = &head->fields.list[i];
        write_bytes(&w, field->name);
        http_write_text(&w, ": ");
        write_bytes(&w, field->value);
        http_write_end(&w);
    }
    http_write_end(&w);
    session->core.status = head != NULL ? 101 : 200;
    proxy_session_put(session, writer_bytes(&w));
    free(block);
    proxy_tunnel_begin(session, stream);
}

static void on_refused(struct proxy_caller *caller)
{
    proxy_session_page(session_of(caller), caller->tried_status, NULL, NULL, 0);
}

static const struct proxy_caller_ops caller_ops = {.wake = on_wake,
                                                   .room = on_content_room,
                                                   .interim = on_interim,
                                                   .switched = on_switched,
                                                   .refused = on_refused};

/* ---- the request's content ---- */

/* How many octets of the client may be looked at now. */
static size_t room_for_input(const struct proxy_session *session)
{
    const struct proxy_job *job = session->caller.job;
    if (session->state == PROXY_OPENING)
        return 0; /* they are for the tunnel */
    if (session->core.request != HTTP_SERVER_TAKE_BODY || job == NULL)
        return session->state == PROXY_READING || session->core.request != HTTP_SERVER_HEAD
                   ? SIZE_MAX
                   : 0;
    return job->origin != NULL ? proxy_origin_room(job->origin) : 0;
}

static void take_body(struct proxy_session *session, const struct http_server_event *event)
{
    struct proxy_job *job = session->caller.job;
    if (job == NULL || job->origin == NULL)
        return; /* answered early: nobody wants it any more */
    size_t taken = http_client_body(&job->origin->core, event->data);
    ASSERT(taken == event->data.len || job->head_seen);
    job->body_begun = true;
    proxy_origin_flush(job->origin);
}

static void end_body(struct proxy_session *session)
{
    struct proxy_job *job = session->caller.job;
    session->body_done = true;
    if (job == NULL || job->origin == NULL)
        return;
    bool ended = http_client_body_end(&job->origin->core, bytes_empty());
    ASSERT(ended); /* room_for_input() leaves enough */
    proxy_origin_flush(job->origin);
}

/* ---- the machine's crank ---- */

/* What the machine has answered by itself: it was no request. */
static void log_refusal(struct proxy_session *session)
{
    session->method[0] = '\0';
    session->target[0] = '\0';
    session->octets = 0;
    session->request_at = proxy_now(session->proxy);
    proxy_session_log(session, session->core.status, "none");
}

/* The request's content does not come whole. The machine has said so to the client, if it could. */
static void body_failed(struct proxy_session *session)
{
    struct proxy_job *job = session->caller.job;
    struct http_cache_fill *fill = job != NULL ? job->fill : NULL;
    if (job != NULL)
        proxy_job_free(job);
    if (fill != NULL)
        http_cache_fill_fail(fill, proxy_time(session->proxy));
    proxy_session_drop_ask(session);
    session->state = PROXY_READING;
}

/* False: the session is gone, or is a tunnel now. */
static bool act(struct proxy_session *session, const struct http_server_event *event)
{
    struct proxy *proxy = session->proxy;
    switch (event->kind) {
    case HTTP_SERVER_NO_EVENT:
        break;
    case HTTP_SERVER_REQUEST: {
        /* Answering may end the session: the list says whether it is still there. */
        uint64_t open = proxy->counters.open;
        proxy_take_request(session, event);
        return proxy->counters.open == open;
    }
    case HTTP_SERVER_BODY:
        take_body(session, event);
        break;
    case HTTP_SERVER_BODY_END:
        end_body(session);
        break;
    case HTTP_SERVER_BODY_FAILED:
        body_failed(session);
        break;
    }
    return true;
}

static size_t crank(struct proxy_session *session, struct bytes in)
{
    struct http_server_event *event = &session->proxy->client_event;
    size_t used = 0;
    for (;;) {
        size_t room = room_for_input(session);
        if (room == 0)
            return used;
        uint32_t responses = session->core.responses;
        size_t step = http_server_input(&session->core, bytes_first(bytes_after(in, used), room),
                                        proxy_now(session->proxy), event);
        bool told = event->kind != HTTP_SERVER_NO_EVENT;
        used += step;
        if (!told && session->core.responses != responses)
            log_refusal(session);
        if (!act(session, event) || session->state == PROXY_TUNNEL)
            return used;
        if (!proxy_session_flush(session))
            return used;
        if (step == 0 && !told)
            return used;
    }
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct proxy_session *session = self;
    if (session->state == PROXY_TUNNEL)
        return proxy_tunnel_bytes(session, in);
    return crank(session, in);
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct proxy_session *session = self;
    if (session->state == PROXY_TUNNEL) {
        proxy_tunnel_client_end(session);
        return;
    }
    if (session->state == PROXY_OPENING) {
        proxy_session_close(session);
        return;
    }
    http_server_end(&session->core, proxy_now(session->proxy));
    stream_resume(session->stream);
    (void)crank(session, bytes_empty());
}

static void go_on(struct proxy_session *session)
{
    if (session->state == PROXY_REPLYING) {
        if (!proxy_reply_pump(session))
            return;
    } else if (session->state == PROXY_TUNNEL) {
        proxy_tunnel_client_room(session);
        return;
    } else if (!proxy_session_flush(session)) {
        return;
    }
    if (session->state == PROXY_READING)
        stream_resume(session->stream);
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    go_on(self);
}

static void on_task(struct task *task)
{
    go_on(CONTAINER_OF(task, struct proxy_session, task));
}

static void on_rate_alarm(struct alarm *alarm)
{
    go_on(CONTAINER_OF(alarm, struct proxy_session, rate_alarm));
}

static void on_closed(void *self, struct stream *stream UNUSED, int error)
{
    struct proxy_session *session = self;
    session->stream = NULL;
    if (session->state == PROXY_TUNNEL && session->other != NULL) {
        if (error != 0)
            stream_abort(session->other);
        else
            stream_close(session->other);
        session->other = NULL;
    }
    proxy_session_close(session);
}

static void on_deadline(void *self, struct stream *stream UNUSED)
{
    struct proxy_session *session = self;
    if (session->state == PROXY_TUNNEL)
        return;
    http_server_tick(&session->core, proxy_now(session->proxy));
    if (proxy_session_flush(session))
        (void)crank(session, bytes_empty());
}

static const struct stream_handler client_handler = {.on_bytes = on_bytes,
                                                     .on_end = on_end,
                                                     .on_room = on_room,
                                                     .on_closed = on_closed,
                                                     .on_deadline = on_deadline};
