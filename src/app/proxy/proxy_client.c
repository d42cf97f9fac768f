/* SPDX-License-Identifier: ISC */
/*
 * proxy_client.c - a client's connection: an HTTP machine (proto/http/http_server.h) that reads requests,
 * an ask of the cache for each, and its answer as it comes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/proxy/proxy_internal.h"
#include "wire/http/http_list.h"

static const struct stream_handler client_handler;

static void drop_ask(struct proxy_session *session)
{
    if (!session->asked)
        return;
    session->asked = false;
    http_cache_ask_done(&session->ask);
    proxy_stir(session->proxy);
}

/* ---- a session's life ---- */

static void on_task(struct task *task);

void proxy_session_new(struct proxy *proxy, struct stream *stream)
{
    struct proxy_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        stream_abort(stream);
        return;
    }
    session->proxy = proxy;
    session->stream = stream;
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
    struct proxy_job *job = session->job;
    struct http_cache_fill *fill = job != NULL ? job->fill : NULL;
    session->job = NULL;
    if (job != NULL)
        job->session = NULL;
    /* Content that will not come whole must not look as if it had; and nobody opens a tunnel for. */
    if (job != NULL && (fill == NULL || (job->has_body && !session->body_done))) {
        proxy_job_free(job);
        if (fill != NULL)
            http_cache_fill_fail(fill, proxy_time(proxy));
    }
    drop_ask(session);
    if (session->state == PROXY_TUNNEL)
        loop_clear_alarm(proxy->loop, &session->tunnel_alarm);
    if (session->other != NULL)
        stream_abort(session->other);
    if (session->stream != NULL)
        stream_close(session->stream);
    loop_unqueue(&session->task);
    list_remove(&session->node);
    list_remove(&session->idle_node);
    proxy->counters.open--;
    free(session->pending);
    free(session->tried);
    free(session);
}

static void session_abort(struct proxy_session *session)
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
static void flush_output(struct proxy_session *session)
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
    flush_output(session);
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
    case HTTP_SERVER_CLOSE:
        if (session->pending_len > 0)
            break;
        proxy_session_close(session);
        return false;
    case HTTP_SERVER_ABORT:
        session_abort(session);
        return false;
    }
    return true;
}

/* ---- answers of our own ---- */

void proxy_session_page(struct proxy_session *session, unsigned status, const char *type,
                        char *page, size_t len)
{
    struct proxy *proxy = session->proxy;
    static const char authenticate[] = "Proxy-Authenticate";
    struct http_field fields[2];
    char challenge[128];
    size_t count = 0;
    drop_ask(session);
    if (page == NULL) {
        page = proxy_page_error(status, session->target, session->tried, &len);
        type = "text/html; charset=utf-8";
    }
    if (page == NULL)
        len = 0;
    if (status == 407) {
        snprintf(challenge, sizeof challenge, "Basic realm=\"%s\", charset=\"UTF-8\"", proxy->realm);
        fields[count++] = (struct http_field){bytes_of_text(authenticate),
                                              bytes_of_text(challenge)};
    } else if (status == 405) {
        fields[count++] = (struct http_field){
            bytes_of_text("Allow"), bytes_of_text("GET, HEAD, POST, PUT, DELETE, OPTIONS, CONNECT")};
    }
    struct http_response response = {
        .status = status,
        .length = len,
        .content_type = len > 0 ? type : NULL,
        .fields = fields,
        .field_count = count,
        .close = !session->body_done,
    };
    http_server_set_wall(&session->core, loop_wall_seconds(proxy->loop));
    bool head_only = session->core.head_only;
    if (http_server_respond(&session->core, &response) && len > 0 && !head_only) {
        flush_output(session);
        if (http_server_output(&session->core).len > 0) { /* the stream is full: behind it all */
            struct bytes out = http_server_output(&session->core);
            proxy_session_put(session, out);
            http_server_sent(&session->core, out.len, proxy_now(proxy));
        }
        proxy_session_put(session, bytes_of(page, len));
        http_server_passed(&session->core, len, proxy_now(proxy));
        session->octets = len;
    }
    http_server_set_wall(&session->core, 0);
    free(page);
    proxy_session_log(session, status, "none");
    session->state = PROXY_READING;
    loop_queue(proxy->loop, &session->task);
}

/* ---- answers by the cache ---- */

static const char *how_of(const struct proxy_session *session)
{
    static const char *const words[] = {
        [HTTP_CACHE_HIT] = "hit",           [HTTP_CACHE_BY_METHOD] = "method",
        [HTTP_CACHE_BY_REQUEST] = "request", [HTTP_CACHE_URI_MISS] = "miss",
        [HTTP_CACHE_VARY_MISS] = "vary-miss", [HTTP_CACHE_STALE] = "stale",
        [HTTP_CACHE_PARTIAL] = "partial"};
    _Static_assert(ARRAY_LEN(words) == HTTP_CACHE_REASON_COUNT, "one word per reason");
    return session->ask.collapsed ? "collapsed" : words[session->ask.reason];
}

static void end_reply(struct proxy_session *session)
{
    proxy_session_log(session, session->core.status, how_of(session));
    drop_ask(session);
    session->state = PROXY_READING;
    stream_resume(session->stream); /* the next request may wait */
}

/* One chunk's beginning, or its end. */
static void begin_chunk(struct proxy_session *session, size_t len)
{
    char frame[HTTP_CHUNK_FRAME_MAX];
    proxy_session_put(session, bytes_of(frame, http_chunk_frame(len, frame)));
    session->chunk_left = len;
}

/* Sends octets of the answer's body as far as they go. */
static size_t send_octets(struct proxy_session *session, struct bytes octets)
{
    usec now = proxy_now(session->proxy);
    if (session->chunked && session->chunk_left == 0) {
        begin_chunk(session, octets.len);
        if (session->pending_len > 0)
            return 0;
    }
    if (session->chunked)
        octets = bytes_first(octets, session->chunk_left);
    size_t sent = stream_send(session->stream, octets);
    if (sent == 0)
        return 0;
    http_cache_used(&session->ask, sent);
    session->octets += sent;
    session->proxy->counters.octets_out += sent;
    if (!session->chunked) {
        http_server_passed(&session->core, sent, now);
    } else {
        http_server_chunk_passed(&session->core, sent, now);
        session->chunk_left -= sent;
        if (session->chunk_left == 0)
            proxy_session_put(session, bytes_of_text(HTTP_CHUNK_END));
    }
    return sent;
}

/* False: the session is gone. */
static bool pump_reply(struct proxy_session *session)
{
    struct proxy *proxy = session->proxy;
    size_t turn = 0;
    for (;;) {
        struct bytes octets;
        flush_output(session);
        if (session->pending_len > 0 || http_server_output(&session->core).len > 0)
            return proxy_session_flush(session);
        if (turn > PROXY_TURN_MAX) {
            loop_queue(proxy->loop, &session->task);
            return proxy_session_flush(session);
        }
        size_t sent = 0;
        switch (http_cache_read(&session->ask, &octets)) {
        case HTTP_CACHE_OCTETS:
            sent = send_octets(session, octets);
            proxy_stir(proxy);
            break;
        case HTTP_CACHE_LATER:
            return proxy_session_flush(session);
        case HTTP_CACHE_END:
            http_server_body_end_with(&session->core, http_cache_trailers(&session->ask));
            end_reply(session);
            return proxy_session_flush(session);
        case HTTP_CACHE_BROKEN:
            /* Length and chunks tell that it is not whole, and what came is of use to who goes on from
             * there; without them only a reset does. */
            proxy_session_log(session, session->core.status, "broken");
            if (session->core.response_framing.kind == HTTP_FRAMING_UNTIL_CLOSE)
                session_abort(session);
            else
                proxy_session_close(session);
            return false;
        }
        if (sent == 0)
            return proxy_session_flush(session); /* on_room goes on */
        turn += sent;
        if (http_server_body_left(&session->core) == 0) {
            end_reply(session);
            return proxy_session_flush(session);
        }
    }
}

/* The head of the answer. False: it could not be sent, and 500 has been. */
static bool respond(struct proxy_session *session, const struct http_cache_reply *reply)
{
    struct proxy *proxy = session->proxy;
    struct {
        struct http_field fields[HTTP_FIELDS_MAX + 1];
        uint8_t scratch[HTTP_CACHE_SCRATCH];
        uint8_t head[PROXY_HEAD_MAX];
    } *room = malloc(sizeof *room);
    char via[HTTP_CACHE_NAME_MAX + 8];
    if (room == NULL) {
        http_server_refuse(&session->core, 500);
        return false;
    }
    struct writer scratch = writer_of(room->scratch, sizeof room->scratch);
    struct writer head = writer_of(room->head, sizeof room->head);
    size_t count =
        http_cache_reply_fields(&session->ask, proxy_time(proxy), &scratch, room->fields);
    snprintf(via, sizeof via, "1.1 %s", proxy->name);
    room->fields[count++] = (struct http_field){bytes_of_text("Via"), bytes_of_text(via)};
    struct http_response response = {
        .status = reply->status,
        .length = reply->length == HTTP_CACHE_LENGTH_UNKNOWN ? HTTP_LENGTH_UNKNOWN : reply->length,
        .fields = room->fields,
        .field_count = count,
        .close = !session->body_done,
    };
    bool good = http_server_respond_to(&session->core, &response, &head);
    if (good)
        proxy_session_put(session, writer_bytes(&head));
    free(room);
    return good;
}

static void begin_reply(struct proxy_session *session)
{
    struct http_cache_reply reply;
    http_cache_reply(&session->ask, &reply);
    flush_output(session);
    struct bytes out = http_server_output(&session->core);
    if (out.len > 0) { /* interim responses that the stream has no room for */
        proxy_session_put(session, out);
        http_server_sent(&session->core, out.len, proxy_now(session->proxy));
    }
    session->state = PROXY_REPLYING;
    session->chunk_left = 0;
    if (!respond(session, &reply)) {
        end_reply(session);
        (void)proxy_session_flush(session);
        return;
    }
    session->chunked = session->core.response_framing.kind == HTTP_FRAMING_CHUNKED;
    if (!reply.has_body) {
        http_server_body_end(&session->core);
        end_reply(session);
        (void)proxy_session_flush(session);
        return;
    }
    (void)pump_reply(session);
}

/* ---- requests ---- */

static void copy_printable(struct bytes in, char *out, size_t size)
{
    size_t len = in.len < size - 1 ? in.len : size - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = in.data[i] > ' ' && in.data[i] < 0x7f ? (char)in.data[i] : '?';
    out[len] = '\0';
}

static bool is_method(const struct http_server_event *event, const char *method)
{
    return bytes_equal(event->head.method, bytes_of_text(method));
}

/* RFC 9110 §9.2.2 */
static bool is_repeatable(const struct http_server_event *event)
{
    static const char *const known[] = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (is_method(event, known[i]))
            return true;
    return false;
}

/* The session's fill is to be carried out. */
static void start_job(struct proxy_session *session)
{
    struct http_cache_fill *fill = http_cache_ask_fill(&session->ask);
    struct proxy_job *job = proxy_job_new(session->proxy, fill, session);
    session->state = PROXY_ASKING;
    if (job == NULL)
        return;
    job->tag = 2166136261u;
    for (const char *c = session->target; *c != '\0'; c++)
        job->tag = (job->tag ^ (uint8_t)*c) * 16777619u;
    job->repeatable = true; /* what waited is a GET or HEAD */
    proxy_job_start(job);
}

void proxy_session_wake(struct proxy_session *session)
{
    if (session->state == PROXY_REPLYING) {
        (void)pump_reply(session);
        return;
    }
    if (session->state != PROXY_ASKING)
        return;
    switch (http_cache_verdict(&session->ask)) {
    case HTTP_CACHE_WAIT:
        break;
    case HTTP_CACHE_FORWARD:
        if (http_cache_fill_owner(http_cache_ask_fill(&session->ask)) == NULL)
            start_job(session);
        break;
    case HTTP_CACHE_ANSWER:
        begin_reply(session);
        break;
    case HTTP_CACHE_FAIL:
        proxy_session_page(session, 504, NULL, NULL, 0);
        break;
    case HTTP_CACHE_REFUSED:
        proxy_session_page(session, session->tried_status != 0 ? session->tried_status : 502, NULL,
                           NULL, 0);
        break;
    }
}

/* The content of the request goes along with it. */
static void prepare_body(struct proxy_session *session, struct proxy_job *job,
                         const struct http_server_event *event)
{
    if (event->framing.kind == HTTP_FRAMING_NONE)
        return;
    job->has_body = true;
    job->body_len = event->framing.kind == HTTP_FRAMING_LENGTH ? event->framing.length
                                                               : HTTP_CLIENT_LENGTH_UNKNOWN;
    session->body_done = !http_server_relay_body(&session->core, UINT64_MAX);
}

static void note_upgrade(struct proxy_job *job, const struct http_server_event *event)
{
    struct bytes value;
    if (event->head.version == HTTP_VERSION_1_1 &&
        http_field_has(&event->head.fields, "Connection", "upgrade") &&
        http_field_find(&event->head.fields, "Upgrade", &value))
        copy_printable(value, job->upgrade, sizeof job->upgrade);
}

static void forward(struct proxy_session *session, const struct http_server_event *event,
                    struct proxy_asked *asked)
{
    struct proxy *proxy = session->proxy;
    struct http_fields *fields = malloc(sizeof *fields);
    bool upgrade = http_field_has(&event->head.fields, "Connection", "upgrade") &&
                   http_field_count(&event->head.fields, "Upgrade") > 0;
    if (fields == NULL) {
        proxy_session_page(session, 503, NULL, NULL, 0);
        return;
    }
    proxy_request_fields(&event->head.fields, fields);
    struct http_cache_request request = {
        .method = event->head.method,
        .uri = bytes_of(asked->uri, asked->uri_len),
        .target = event->head.target,
        .fields = fields,
        .alone = upgrade || (event->framing.kind != HTTP_FRAMING_NONE &&
                             (is_method(event, "GET") || is_method(event, "HEAD"))),
    };
    session->asked = true;
    session->state = PROXY_ASKING;
    http_cache_ask(proxy->cache, &session->ask, &request, proxy_time(proxy));
    free(fields);
    struct http_cache_fill *fill = http_cache_ask_fill(&session->ask);
    if (fill == NULL) {
        proxy_session_wake(session);
        proxy_stir(proxy); /* a validation behind the answer */
        return;
    }
    struct proxy_job *job = proxy_job_new(proxy, fill, session);
    if (job == NULL)
        return;
    job->repeatable = is_repeatable(event);
    job->tag = (uint32_t)asked->uri_len;
    for (size_t i = 0; i < asked->uri_len; i++)
        job->tag = (job->tag ^ asked->uri[i]) * 16777619u;
    prepare_body(session, job, event);
    note_upgrade(job, event);
    proxy_job_start(job);
}

static void connect_tunnel(struct proxy_session *session, const struct http_server_event *event)
{
    struct bytes host;
    uint16_t port = 0;
    if (session->proxy->options.reverse) {
        proxy_session_page(session, 405, NULL, NULL, 0);
        return;
    }
    if (!uri_authority_parse(event->target.authority, &host, &port) ||
        host.len >= PROXY_NAME_MAX || event->head.target.len >= sizeof session->target) {
        proxy_session_page(session, 400, NULL, NULL, 0);
        return;
    }
    if (!proxy_may_connect(session->proxy, port)) {
        session->proxy->counters.denied++;
        proxy_session_page(session, 403, NULL, NULL, 0);
        return;
    }
    struct proxy_job *job = proxy_job_new(session->proxy, NULL, session);
    if (job == NULL) {
        proxy_session_page(session, 503, NULL, NULL, 0);
        return;
    }
    memcpy(job->place.host, host.data, host.len);
    job->place.host[host.len] = '\0';
    job->place.port = port;
    session->state = PROXY_OPENING;
    session->core.status = 200;
    proxy_job_start(job);
}

/* PURGE URL, with "Purge: prefix" all that begins so; with Cache-Tag what bears one of the tags. */
static void purge(struct proxy_session *session, const struct http_server_event *event,
                  const struct proxy_asked *asked)
{
    struct proxy *proxy = session->proxy;
    struct bytes value, tag;
    size_t count = 0, len = 0;
    char text[64];
    struct endpoint peer = stream_peer(session->stream);
    if (!proxy_may_purge(proxy, &peer.address)) {
        proxy->counters.denied++;
        proxy_session_page(session, 403, NULL, NULL, 0);
        return;
    }
    struct bytes uri = bytes_of(asked->uri, asked->uri_len);
    if (http_field_find(&event->head.fields, "Cache-Tag", &value)) {
        while (http_list_next(&value, &tag))
            count += http_cache_purge_tag(proxy->cache, tag);
    } else if (http_field_has(&event->head.fields, "Purge", "prefix")) {
        count = http_cache_purge_prefix(proxy->cache, uri);
    } else {
        count = http_cache_purge(proxy->cache, uri);
    }
    snprintf(text, sizeof text, "{\"purged\": %zu}\n", count);
    len = strlen(text);
    proxy_session_page(session, 200, "application/json", strdup(text), len);
}

/* Requests to the proxy itself. */
static void own_page(struct proxy_session *session, const struct http_server_event *event)
{
    struct bytes path = event->target.path;
    size_t len;
    if (event->target.form == URI_ASTERISK) {
        proxy_session_page(session, 204, NULL, NULL, 0);
        return;
    }
    if (bytes_equal(path, bytes_of_text("/proxy.pac")) ||
        bytes_equal(path, bytes_of_text("/wpad.dat"))) {
        char *page = proxy_page_pac(session->proxy,
                                    http_field_value(&event->head.fields, "Host"), &len);
        if (page != NULL) {
            proxy_session_page(session, 200, "application/x-ns-proxy-autoconfig", page, len);
            return;
        }
    }
    proxy_session_page(session, 404, NULL, NULL, 0);
}

/* RFC 9110 §7.6.2; the number is not passed on lower, since only OPTIONS has it and ends here. */
static bool ends_here(const struct http_server_event *event)
{
    uint64_t hops;
    return is_method(event, "OPTIONS") &&
           http_number(http_field_value(&event->head.fields, "Max-Forwards"), UINT32_MAX, &hops) &&
           hops == 0;
}

/* 0, or the status to refuse the request with, before anything is asked of anybody. */
static unsigned check_request(struct proxy_session *session, const struct http_server_event *event)
{
    struct proxy *proxy = session->proxy;
    struct endpoint peer = stream_peer(session->stream);
    if (!proxy_may_use(proxy, &peer.address))
        return 403;
    if (proxy->users != NULL &&
        !proxy_users_check(proxy->users,
                           http_field_value(&event->head.fields, "Proxy-Authorization"),
                           session->user))
        return 407;
    if (proxy_is_loop(proxy, &event->head.fields))
        return 508;
    return is_method(event, "TRACE") ? 405 : 0;
}

static void take_request(struct proxy_session *session, const struct http_server_event *event)
{
    struct proxy *proxy = session->proxy;
    proxy->counters.requests++;
    list_remove(&session->idle_node);
    session->request_at = proxy_now(proxy);
    session->octets = 0;
    session->user[0] = '\0';
    session->tried_status = 0;
    free(session->tried);
    session->tried = NULL;
    session->body_done = event->framing.kind == HTTP_FRAMING_NONE;
    copy_printable(event->head.method, session->method, sizeof session->method);
    copy_printable(event->head.target, session->target, sizeof session->target);
    unsigned refusal = check_request(session, event);
    if (refusal != 0) {
        proxy->counters.denied += refusal == 403 || refusal == 407;
        proxy_session_page(session, refusal, NULL, NULL, 0);
        return;
    }
    if (is_method(event, "CONNECT")) {
        connect_tunnel(session, event);
        return;
    }
    struct proxy_asked *asked = malloc(sizeof *asked);
    refusal = asked == NULL ? 503 : proxy_request_uri(proxy, event, stream_is_tls(session->stream), asked);
    if (refusal != 0)
        proxy_session_page(session, refusal, NULL, NULL, 0);
    else if (asked->own)
        own_page(session, event);
    else if (is_method(event, "PURGE"))
        purge(session, event, asked);
    else if (ends_here(event))
        proxy_session_page(session, 204, NULL, NULL, 0);
    else
        forward(session, event, asked);
    free(asked);
}

/* ---- the request's content ---- */

/* How many octets of the client may be looked at now. */
static size_t room_for_input(const struct proxy_session *session)
{
    const struct proxy_job *job = session->job;
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
    struct proxy_job *job = session->job;
    if (job == NULL || job->origin == NULL)
        return; /* answered early: nobody wants it any more */
    size_t taken = http_client_body(&job->origin->core, event->data);
    ASSERT(taken == event->data.len || job->head_seen);
    job->body_begun = true;
    proxy_origin_flush(job->origin);
}

static void end_body(struct proxy_session *session)
{
    struct proxy_job *job = session->job;
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
    struct proxy_job *job = session->job;
    struct http_cache_fill *fill = job != NULL ? job->fill : NULL;
    if (job != NULL)
        proxy_job_free(job);
    if (fill != NULL)
        http_cache_fill_fail(fill, proxy_time(session->proxy));
    drop_ask(session);
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
        take_request(session, event);
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
        if (!pump_reply(session))
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
