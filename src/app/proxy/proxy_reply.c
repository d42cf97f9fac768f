/* SPDX-License-Identifier: ISC */
/*
 * proxy_reply.c - answers to clients: those that the cache gives, octet by octet as they come, and pages of
 * our own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/proxy/proxy_internal.h"

/* ---- answers of our own ---- */

/* RFC 9112 §9.3: clients of 1.0 may mean another connection by Keep-Alive than the one with a proxy. */
static bool must_end(const struct proxy_session *session)
{
    return !session->body_done || (session->caller.old && !session->proxy->options.reverse);
}

void proxy_session_page(struct proxy_session *session, unsigned status, const char *type,
                        char *page, size_t len)
{
    struct proxy *proxy = session->proxy;
    static const char authenticate[] = "Proxy-Authenticate";
    struct http_field fields[2];
    char challenge[128];
    size_t count = 0;
    proxy_session_drop_ask(session);
    if (page == NULL && status != 204) {
        page = proxy_page_error(status, session->target, session->caller.tried, &len);
        type = "text/html; charset=utf-8";
    }
    if (page == NULL)
        len = 0;
    if (status == 407) {
        snprintf(challenge, sizeof challenge, "Basic realm=\"%s\", charset=\"UTF-8\"", proxy->realm);
        fields[count++] = (struct http_field){bytes_of_text(authenticate),
                                              bytes_of_text(challenge)};
    } else if (status == 429) {
        fields[count++] = (struct http_field){bytes_of_text("Retry-After"), bytes_of_text("10")};
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
        .close = must_end(session),
    };
    http_server_set_wall(&session->core, loop_wall_seconds(proxy->loop));
    bool head_only = session->core.head_only;
    if (http_server_respond(&session->core, &response) && len > 0 && !head_only) {
        proxy_session_output(session);
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
    return session->caller.ask.collapsed ? "collapsed" : words[session->caller.ask.reason];
}

static void end_reply(struct proxy_session *session)
{
    proxy_session_log(session, session->core.status, how_of(session));
    proxy_session_drop_ask(session);
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

/* How many of so many octets may go now, within a chunk if there are such. */
static size_t allowed(struct proxy_session *session, size_t len)
{
    size_t may = proxy_session_may(session);
    len = len < may ? len : may;
    if (len == 0)
        return 0;
    if (!session->chunked)
        return len;
    if (session->chunk_left == 0) {
        begin_chunk(session, len);
        if (session->pending_len > 0)
            return 0;
    }
    return len < session->chunk_left ? len : session->chunk_left;
}

/* So many octets of the answer's body have gone. */
static void passed(struct proxy_session *session, size_t sent)
{
    usec now = proxy_now(session->proxy);
    http_cache_used(&session->caller.ask, sent);
    proxy_session_charge(session, sent);
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
}

/* Sends octets of the answer's body as far as they go. */
static size_t send_octets(struct proxy_session *session, struct bytes octets)
{
    octets = bytes_first(octets, allowed(session, octets.len));
    size_t sent = octets.len > 0 ? stream_send_now(session->stream, octets) : 0;
    if (sent > 0)
        passed(session, sent);
    return sent;
}

/* ---- from files ---- */

/* Length and chunks tell that it is not whole, and what came is of use to who goes on from there; without
 * them only a reset does. */
static void break_off(struct proxy_session *session)
{
    proxy_session_log(session, session->core.status, "broken");
    if (session->core.response_framing.kind == HTTP_FRAMING_UNTIL_CLOSE)
        proxy_session_abort(session);
    else
        proxy_session_close(session);
}

/* The head of the answer has not gone: it may still be another one. */
static void on_opened(void *self, int status, int fd)
{
    struct proxy_session *session = self;
    struct http_cache_ask *ask = &session->caller.ask;
    struct proxy *proxy = session->proxy;
    session->fetch = NULL;
    session->file_fd = fd;
    session->near_until = ask->at + PROXY_DISK_AHEAD;
    if (status == 0)
        proxy_reply_begin(session);
    else if (status == -ETIMEDOUT || status == -EMFILE || status == -ENFILE || status == -ENOMEM)
        http_cache_ask_around(ask, proxy_time(proxy));
    else
        http_cache_ask_unreadable(ask, proxy_time(proxy));
    proxy_stir(proxy);
}

/* The answer is in a file alone. */
static void open_file(struct proxy_session *session, struct http_cache_file *file)
{
    struct http_cache_ask *ask = &session->caller.ask;
    session->fetch = proxy_disk_fetch(session->proxy->disk, file, ask->at, on_opened, session);
    if (session->fetch != NULL)
        return;
    http_cache_ask_around(ask, proxy_time(session->proxy));
    proxy_stir(session->proxy);
}

/* More of it is there, or the file is open: what was in memory is not any more. */
static void on_near(void *self, int status, int fd)
{
    struct proxy_session *session = self;
    struct proxy *proxy = session->proxy;
    session->fetch = NULL;
    session->near_until = session->caller.ask.at + PROXY_DISK_AHEAD;
    if (fd >= 0)
        session->file_fd = fd;
    http_server_body_waits(&session->core, false, proxy_now(proxy));
    if (status == 0 || status == -ETIMEDOUT) {
        loop_queue(proxy->loop, &session->task);
        return;
    }
    struct http_cache_file *file = http_cache_read_file(&session->caller.ask, &(uint64_t){0});
    if (file != NULL)
        http_cache_file_failed(file);
    break_off(session);
    proxy_stir(proxy);
}

/* Are the next `len` octets at hand? If not they are fetched, and then it goes on. */
static bool is_near(struct proxy_session *session, struct http_cache_file *file, size_t len)
{
    struct proxy *proxy = session->proxy;
    uint64_t at = session->caller.ask.at;
    if (session->fetch != NULL)
        return false;
    if (session->file_fd >= 0 && at < session->near_until)
        return true;
    if (session->file_fd >= 0 && proxy_disk_has_near(session->file_fd, at, len)) {
        session->near_until = at + len;
        return true;
    }
    session->fetch = session->file_fd >= 0
                         ? proxy_disk_fetch_on(proxy->disk, session->file_fd, at, on_near, session)
                         : proxy_disk_fetch(proxy->disk, file, at, on_near, session);
    if (session->fetch == NULL)
        loop_set_alarm(proxy->loop, &session->rate_alarm, proxy_now(proxy) + PROXY_READ_AGAIN);
    http_server_body_waits(&session->core, true, proxy_now(proxy));
    return false;
}

/* For a stream that cannot take them from the file itself. */
static ssize_t copy_octets(struct proxy_session *session, size_t len)
{
    size_t room = stream_room(session->stream);
    size_t max = room == 0 ? 1 : room < PROXY_DISK_SMALL ? room : PROXY_DISK_SMALL;
    if (len > max)
        len = max; /* what is not taken calls for on_room() */
    uint8_t *block = malloc(len);
    ssize_t got = block != NULL ? pread(session->file_fd, block, len, (off_t)session->caller.ask.at) : -1;
    size_t sent = got > 0 ? stream_send(session->stream, bytes_of(block, (size_t)got)) : 0;
    free(block);
    return sent > 0 ? (ssize_t)sent : got > 0 ? -EAGAIN : 0;
}

/* Sends octets of the file that the answer lies in, as far as they go. 0: there is no room; negative: they
 * are not there. */
static ssize_t send_file(struct proxy_session *session)
{
    uint64_t left;
    struct http_cache_file *file = http_cache_read_file(&session->caller.ask, &left);
    size_t len = left < PROXY_FILE_PIECE ? (size_t)left : PROXY_FILE_PIECE;
    if (!is_near(session, file, len))
        return 0;
    if (len > session->near_until - session->caller.ask.at)
        len = (size_t)(session->near_until - session->caller.ask.at);
    len = allowed(session, len);
    if (len == 0)
        return 0;
    ssize_t sent = stream_send_file(session->stream, session->file_fd, session->caller.ask.at, len);
    if (sent == -ENOSYS)
        sent = copy_octets(session, len);
    if (sent == 0) { /* it is shorter than it was */
        http_cache_file_failed(file);
        return -1;
    }
    if (sent < 0)
        return 0; /* no room, or the stream has failed and will say so */
    passed(session, (size_t)sent);
    return sent;
}

/* False: the session is gone. */
bool proxy_reply_pump(struct proxy_session *session)
{
    struct proxy *proxy = session->proxy;
    size_t turn = 0;
    for (;;) {
        struct bytes octets;
        proxy_session_output(session);
        if (session->pending_len > 0 || http_server_output(&session->core).len > 0)
            return proxy_session_flush(session);
        if (turn > PROXY_TURN_MAX) {
            loop_queue(proxy->loop, &session->task);
            return proxy_session_flush(session);
        }
        ssize_t sent = 0;
        switch (http_cache_read(&session->caller.ask, &octets)) {
        case HTTP_CACHE_OCTETS:
            sent = (ssize_t)send_octets(session, octets);
            proxy_stir(proxy);
            break;
        case HTTP_CACHE_IN_FILE:
            sent = send_file(session);
            proxy_stir(proxy);
            if (sent >= 0)
                break;
            break_off(session);
            return false;
        case HTTP_CACHE_LATER:
            return proxy_session_flush(session);
        case HTTP_CACHE_END:
            http_server_body_end_with(&session->core, http_cache_trailers(&session->caller.ask));
            end_reply(session);
            return proxy_session_flush(session);
        case HTTP_CACHE_BROKEN:
            break_off(session);
            return false;
        }
        if (sent == 0)
            return proxy_session_flush(session); /* on_room goes on */
        turn += (size_t)sent;
        if (http_server_body_left(&session->core) == 0) {
            end_reply(session);
            return proxy_session_flush(session);
        }
    }
}

bool proxy_reply_cookie(const struct proxy_caller *caller, char out[PROXY_COOKIE_MAX])
{
    if (caller->answered_by == 0 || caller->answered_by == caller->wished ||
        caller->proxy->upstream == NULL || /* a reload has taken it away */
        upstream_balance(caller->proxy->upstream) != UPSTREAM_COOKIE)
        return false;
    snprintf(out, PROXY_COOKIE_MAX, PROXY_COOKIE "=%016llx; Path=/; HttpOnly; SameSite=Lax%s",
             (unsigned long long)caller->answered_by, caller->secured ? "; Secure" : "");
    return true;
}

/* The head of the answer. False: it could not be sent, and 500 has been. */
static bool respond(struct proxy_session *session, const struct http_cache_reply *reply)
{
    struct proxy *proxy = session->proxy;
    struct {
        struct http_field fields[HTTP_FIELDS_MAX + 2];
        uint8_t scratch[HTTP_CACHE_SCRATCH];
        uint8_t head[PROXY_HEAD_MAX];
    } *room = malloc(sizeof *room);
    char via[HTTP_CACHE_NAME_MAX + 8], cookie[PROXY_COOKIE_MAX];
    if (room == NULL) {
        http_server_refuse(&session->core, 500);
        return false;
    }
    struct writer scratch = writer_of(room->scratch, sizeof room->scratch);
    struct writer head = writer_of(room->head, sizeof room->head);
    size_t count =
        http_cache_reply_fields(&session->caller.ask, proxy_time(proxy), &scratch, room->fields);
    snprintf(via, sizeof via, "1.1 %s", proxy->name);
    room->fields[count++] = (struct http_field){bytes_of_text("Via"), bytes_of_text(via)};
    if (proxy_reply_cookie(&session->caller, cookie))
        room->fields[count++] =
            (struct http_field){bytes_of_text("Set-Cookie"), bytes_of_text(cookie)};
    struct http_response response = {
        .status = reply->status,
        .length = reply->length == HTTP_CACHE_LENGTH_UNKNOWN ? HTTP_LENGTH_UNKNOWN : reply->length,
        .fields = room->fields,
        .field_count = count,
        .close = must_end(session),
    };
    bool good = http_server_respond_to(&session->core, &response, &head);
    if (good)
        proxy_session_put(session, writer_bytes(&head));
    free(room);
    return good;
}

void proxy_reply_begin(struct proxy_session *session)
{
    struct http_cache_reply reply;
    struct http_cache_file *file = http_cache_answer_file(&session->caller.ask);
    if (session->fetch != NULL)
        return;
    if (file != NULL && session->file_fd < 0) {
        open_file(session, file);
        return;
    }
    http_cache_reply(&session->caller.ask, &reply);
    proxy_session_output(session);
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
    (void)proxy_reply_pump(session);
}
