/* SPDX-License-Identifier: ISC */
/* api_http_call.c - a request as the program sees it, and the answer that it gives, now or later. */
#include <stdlib.h>

#include "api/http/api_http_server.h"
#include "wire/http/http_octets.h"

/* ---- the request ---- */

static const char *put(char **place, struct bytes text)
{
    char *copy = *place;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    *place += text.len + 1;
    return copy;
}

static size_t text_size(const struct http_request_head *head)
{
    size_t size = head->method.len + head->target.len + 3;
    size += http_field_value(&head->fields, "Host").len;
    for (size_t i = 0; i < head->fields.count; i++)
        size += head->fields.list[i].name.len + head->fields.list[i].value.len + 2;
    return size;
}

static uint64_t length_of(const struct http_framing *framing)
{
    if (framing->kind == HTTP_FRAMING_CHUNKED)
        return WN_HTTP_LENGTH_UNKNOWN;
    return framing->kind == HTTP_FRAMING_LENGTH ? framing->length : 0;
}

/* Tells of it; its texts are there meanwhile. False: no memory. */
static bool tell_request(struct wn_http_call *call, const struct http_server_event *event)
{
    const struct http_request_head *head = &event->head;
    struct endpoint peer = stream_peer(call->stream);
    size_t count = head->fields.count;
    struct wn_http_field *fields = malloc(count * sizeof fields[0] + text_size(head));
    if (fields == NULL)
        return false;
    char *place = (char *)&fields[count];
    for (size_t i = 0; i < count; i++) {
        fields[i].name = put(&place, head->fields.list[i].name);
        fields[i].value = put(&place, head->fields.list[i].value);
    }
    const struct wn_http_server_request request = {
        .method = put(&place, head->method),
        .target = put(&place, head->target),
        .host = put(&place, http_field_value(&head->fields, "Host")),
        .version = head->version == HTTP_VERSION_1_0 ? WN_HTTP_1_0 : WN_HTTP_1_1,
        .fields = fields,
        .field_count = count,
        .body_len = length_of(&event->framing),
        .peer = endpoint_out(&peer),
        .secure = stream_is_tls(call->stream),
    };
    call->server->handler.on_request(call->server->self, call, &request);
    free(fields);
    return true;
}

static void begin(struct wn_http_call *call, const struct http_server_event *event)
{
    call->user = NULL;
    call->open = true;
    call->begun = call->failed = call->over = call->wants_room = false;
    if (tell_request(call, event))
        return;
    call->open = false;
    http_server_refuse(&call->http, 503);
}

void http_call_lose(struct wn_http_call *call)
{
    const struct wn_http_server *server = call->server;
    if (!call->open)
        return;
    call->open = false;
    if (server->handler.on_done != NULL)
        server->handler.on_done(server->self, call, 0);
}

void http_call_take(struct wn_http_call *call, const struct http_server_event *event)
{
    const struct wn_http_server_handler *handler = &call->server->handler;
    void *self = call->server->self;
    switch (event->kind) {
    case HTTP_SERVER_NO_EVENT:
        break;
    case HTTP_SERVER_REQUEST:
        begin(call, event);
        break;
    case HTTP_SERVER_BODY:
        if (call->open && handler->on_body != NULL)
            handler->on_body(self, call, event->data.data, event->data.len);
        break;
    case HTTP_SERVER_BODY_END:
    case HTTP_SERVER_BODY_FAILED:
        if (call->open && handler->on_body_end != NULL)
            handler->on_body_end(self, call, event->kind == HTTP_SERVER_BODY_END);
        if (event->kind == HTTP_SERVER_BODY_FAILED)
            http_call_lose(call);
        break;
    }
}

/* ---- the answer ---- */

static void flush(struct wn_http_call *call)
{
    struct bytes out = http_server_output(&call->http);
    if (out.len > 0)
        http_server_sent(&call->http, stream_send(call->stream, out), http_call_now(call));
}

/* Octets of the body on their way, past the machine where it lets them. */
static size_t send_some(struct wn_http_call *call, struct bytes in)
{
    size_t total = 0;
    size_t taken;
    do {
        struct bytes rest = bytes_after(in, total);
        flush(call);
        if (http_server_may_pass(&call->http)) {
            uint64_t left = http_server_body_left(&call->http);
            rest = bytes_first(rest, left < rest.len ? (size_t)left : rest.len);
            taken = stream_send(call->stream, rest);
            http_server_passed(&call->http, taken, http_call_now(call));
        } else {
            taken = http_server_body(&call->http, rest);
        }
        total += taken;
    } while (taken > 0 && total < in.len);
    flush(call);
    return total;
}

static void drop_body(struct wn_http_call *call)
{
    free(call->body);
    call->body = NULL;
    call->body_at = call->body_len = 0;
}

static void conclude(struct wn_http_call *call)
{
    const struct wn_http_server *server = call->server;
    call->open = false;
    drop_body(call);
    if (server->handler.on_done != NULL)
        server->handler.on_done(server->self, call, !call->failed);
}

void http_call_push(struct wn_http_call *call)
{
    const struct wn_http_server *server = call->server;
    if (call->stream == NULL)
        return;
    flush(call);
    if (!call->open || !call->begun)
        return;
    if (call->body != NULL)
        call->body_at += send_some(call, bytes_of(call->body + call->body_at,
                                                  call->body_len - call->body_at));
    if (call->body != NULL && call->body_at == call->body_len)
        drop_body(call);
    bool all_given = call->over && call->body == NULL;
    if (all_given && http_server_body_left(&call->http) > 0) {
        call->failed = call->http.response_framing.kind == HTTP_FRAMING_LENGTH; /* and is aborted */
        http_server_body_end(&call->http);
    }
    flush(call);
    /* Who has nothing to send for now is not held up by the client. */
    http_server_body_waits(&call->http, !call->over && !call->wants_room, http_call_now(call));
    if (http_server_body_left(&call->http) == 0 && (all_given || call->failed)) {
        conclude(call);
    } else if (call->wants_room && http_server_output(&call->http).len == 0 &&
               stream_room(call->stream) > 0) {
        call->wants_room = false;
        if (server->handler.on_room != NULL)
            server->handler.on_room(server->self, call);
    }
}

/* ---- the program's calls ---- */

void wn_http_call_set_user(struct wn_http_call *call, void *user)
{
    call->user = user;
}

void *wn_http_call_user(const struct wn_http_call *call)
{
    return call->user;
}

/* What follows comes from the loop. */
static void wake(struct wn_http_call *call)
{
    loop_queue(call->server->loop, &call->task);
}

int wn_http_call_take_body(struct wn_http_call *call, uint64_t max)
{
    if (!call->open || call->http.request != HTTP_SERVER_UNDECIDED)
        return WN_HTTP_BAD_OPTION;
    if (http_server_accept_body(&call->http, max))
        return 0;
    call->begun = call->failed = true;
    wake(call);
    return WN_HTTP_TOO_LARGE;
}

static bool is_ours(const char *name)
{
    static const char *const names[] = {"Date", "Server", "Connection", "Content-Length",
                                        "Transfer-Encoding", "Keep-Alive", "Upgrade"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (bytes_equal_nocase(bytes_of_text(name), bytes_of_text(names[i])))
            return true;
    return false;
}

static bool take_fields(const struct wn_http_field *fields, size_t count,
                        struct http_field out[HTTP_FIELDS_MAX])
{
    for (size_t i = 0; i < count; i++) {
        if (i == HTTP_FIELDS_MAX || fields[i].value == NULL || is_ours(fields[i].name) ||
            !http_is_token(bytes_of_text(fields[i].name)))
            return false;
        out[i] = (struct http_field){bytes_of_text(fields[i].name), bytes_of_text(fields[i].value)};
    }
    return true;
}

int wn_http_call_begin(struct wn_http_call *call, unsigned status,
                       const struct wn_http_field *fields, size_t field_count, uint64_t body_len)
{
    struct http_field list[HTTP_FIELDS_MAX];
    struct http_response response = {.status = status, .fields = list, .field_count = field_count};
    if (!call->open || call->begun || call->http.response != HTTP_SERVER_OWED)
        return WN_HTTP_BAD_OPTION;
    _Static_assert(WN_HTTP_LENGTH_UNKNOWN == HTTP_LENGTH_UNKNOWN, "the same");
    response.length = body_len;
    call->begun = true;
    wake(call);
    http_server_set_wall(&call->http, loop_wall_seconds(call->server->loop));
    bool good = status >= 200 && status <= 599 && take_fields(fields, field_count, list);
    if (!good)
        response = (struct http_response){.status = 500};
    good = http_server_respond(&call->http, &response) && good;
    call->failed = call->over = !good;
    return good ? 0 : WN_HTTP_BAD_OPTION;
}

int wn_http_call_reply(struct wn_http_call *call, unsigned status,
                       const struct wn_http_field *fields, size_t field_count, const void *body,
                       size_t body_len)
{
    uint8_t *copy = body_len > 0 ? malloc(body_len) : NULL;
    if (body_len > 0 && copy == NULL) {
        body_len = 0;
        status = 0; /* which is answered with 500 */
    }
    int result = wn_http_call_begin(call, status, fields, field_count, body_len);
    if (result != 0 || http_server_body_left(&call->http) == 0) {
        free(copy);
    } else {
        memcpy(copy, body, body_len);
        call->body = copy;
        call->body_len = body_len;
    }
    wn_http_call_end(call);
    return status == 0 ? WN_HTTP_NO_MEMORY : result;
}

size_t wn_http_call_send(struct wn_http_call *call, const void *data, size_t len)
{
    if (call->stream == NULL || !call->begun || call->over || len == 0)
        return 0;
    if (http_server_body_left(&call->http) == 0)
        return len; /* to HEAD, say */
    size_t taken = send_some(call, bytes_of(data, len));
    call->wants_room = taken < len;
    wake(call);
    return taken;
}

void wn_http_call_end(struct wn_http_call *call)
{
    call->over = true;
    wake(call);
}
