/* SPDX-License-Identifier: ISC */
/*
 * api_http_server.c - wholenet/http_server.h: servers and their connections, each a machine of proto/http/ between a
 * stream and the program (RFC 9112 §9).
 */
#include "api/http/api_http_server.h"

#include <errno.h>
#include <stdlib.h>

#include "base/text.h"

/* ---- connections ---- */

static void release(struct wn_http_call *call)
{
    list_remove(&call->node);
    loop_unqueue(&call->task);
    call->server->call_count--;
    free(call->body);
    free(call);
}

static void enter(struct wn_http_call *call)
{
    call->busy++;
}

static void leave(struct wn_http_call *call)
{
    if (--call->busy == 0 && call->stream == NULL)
        release(call);
}

/* Lets go of the stream in one of the ways. */
static void part(struct wn_http_call *call, void (*way)(struct stream *stream))
{
    struct stream *stream = call->stream;
    call->stream = NULL;
    way(stream);
    http_call_lose(call);
}

static void settle(struct wn_http_call *call)
{
    if (call->stream == NULL)
        return;
    switch (http_server_want(&call->http)) {
    case HTTP_SERVER_STAY:
        break;
    case HTTP_SERVER_FINISH:
        if (!call->finished)
            stream_finish(call->stream);
        call->finished = true;
        break;
    case HTTP_SERVER_CLOSE:
        part(call, stream_close);
        return;
    case HTTP_SERVER_LEAVE:
        part(call, stream_leave);
        return;
    case HTTP_SERVER_ABORT:
        part(call, stream_abort);
        return;
    }
    stream_set_deadline(call->stream, http_server_deadline(&call->http));
}

/* Gives the machine what came; how much it has used. */
static size_t feed(struct wn_http_call *call, struct bytes in)
{
    size_t total = 0;
    size_t used;
    struct http_server_event event;
    http_server_set_wall(&call->http, loop_wall_seconds(call->server->loop));
    do {
        used = http_server_input(&call->http, bytes_after(in, total), http_call_now(call), &event);
        total += used;
        http_call_take(call, &event);
        http_call_push(call);
    } while (call->stream != NULL && (used > 0 || event.kind != HTTP_SERVER_NO_EVENT));
    call->left = in.len - total;
    return total;
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct wn_http_call *call = self;
    enter(call);
    size_t used = feed(call, in);
    settle(call);
    if (call->stream == NULL)
        used = in.len;
    leave(call);
    return used;
}

/* Without further octets there may be something to say, too. */
static void go_on(struct wn_http_call *call)
{
    enter(call);
    http_call_push(call);
    if (call->stream != NULL && call->left > 0)
        stream_resume(call->stream);
    else if (call->stream != NULL)
        (void)feed(call, bytes_empty());
    settle(call);
    leave(call);
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct wn_http_call *call = self;
    http_server_end(&call->http, http_call_now(call));
    go_on(call);
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    go_on(self);
}

static void on_task(struct task *task)
{
    go_on(CONTAINER_OF(task, struct wn_http_call, task));
}

static void on_deadline(void *self, struct stream *stream UNUSED)
{
    struct wn_http_call *call = self;
    http_server_tick(&call->http, http_call_now(call));
    enter(call);
    (void)feed(call, bytes_empty());
    settle(call);
    leave(call);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    struct wn_http_call *call = self;
    enter(call);
    call->stream = NULL;
    http_call_lose(call);
    leave(call);
}

static void on_accept(void *self, struct listener *listener UNUSED, struct stream *stream)
{
    static const struct stream_handler calls = {.on_bytes = on_bytes,
                                                .on_end = on_end,
                                                .on_room = on_room,
                                                .on_closed = on_closed,
                                                .on_deadline = on_deadline};
    struct wn_http_server *server = self;
    bool one_too_many = server->call_count >= server->calls_max;
    struct wn_http_call *call = server->call_count < server->calls_max + HTTP_TURNED_AWAY_MAX
                                    ? calloc(1, sizeof *call)
                                    : NULL;
    if (call == NULL) {
        stream_abort(stream);
        return;
    }
    call->server = server;
    call->stream = stream;
    http_server_init(&call->http, server->name, loop_now(server->loop));
    task_init(&call->task, on_task);
    list_append(&server->calls, &call->node);
    server->call_count++;
    stream_set_handler(stream, &calls, call);
    if (one_too_many)
        http_server_refuse(&call->http, 503);
    loop_queue(server->loop, &call->task);
}

/* ---- servers ---- */

static int open_tls(struct wn_http_server *server, const struct wn_http_server_options *o,
                    struct text *why)
{
    const struct tls_certificate certificate = {.chain = o->certificate, .key = o->key};
    const struct tls_server_options options = {
        .certificates = &certificate,
        .certificate_count = 1,
        .alpn = "http/1.1",
    };
    if (o->certificate == NULL)
        return 0;
    return tls_server_new(server->loop, &options, why, &server->tls) == 0 ? 0 : WN_HTTP_BAD_OPTION;
}

static int open_parts(struct wn_http_server *server, const struct wn_http_server_options *o,
                      struct text *why)
{
    if (o->stack == NULL && loop_is_virtual(server->loop)) {
        text_add(why, "expected a stack: a virtual loop has no sockets of the host");
        return WN_HTTP_BAD_OPTION;
    }
    if (o->name != NULL && (server->name = strdup(o->name)) == NULL)
        return WN_HTTP_NO_MEMORY;
    server->net = o->stack != NULL ? api_loop_net(server->outer, o->stack)
                                   : net_kernel_new(server->loop);
    if (server->net == NULL) {
        text_add(why, o->stack != NULL ? "expected a stack that is on the loop" : "no memory");
        return o->stack != NULL ? WN_HTTP_BAD_OPTION : WN_HTTP_NO_MEMORY;
    }
    return open_tls(server, o, why);
}

int wn_http_server_new(struct wn_loop *loop, const struct wn_http_server_options *options,
                       const struct wn_http_server_handler *handler, void *self,
                       struct wn_http_server **out)
{
    struct wn_http_server_options o = {.size = sizeof o};
    char unread[1];
    if (options != NULL) {
        if (options->size < offsetof(struct wn_http_server_options, certificate) ||
            options->size > sizeof o)
            return WN_HTTP_BAD_OPTION;
        memcpy(&o, options, options->size);
    }
    bool told = o.why != NULL && o.why_size > 0;
    struct text why = text_of(told ? o.why : unread, told ? o.why_size : sizeof unread);
    struct wn_http_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return WN_HTTP_NO_MEMORY;
    server->outer = loop;
    server->loop = api_loop_inside(loop);
    server->handler = *handler;
    server->self = self;
    server->calls_max = o.connections_max > 0 ? o.connections_max : HTTP_CONNECTIONS_DEFAULT;
    list_init(&server->calls);
    int result = handler->on_request != NULL ? open_parts(server, &o, &why) : WN_HTTP_BAD_OPTION;
    if (result != 0) {
        wn_http_server_free(server);
        return result;
    }
    *out = server;
    return 0;
}

void wn_http_server_free(struct wn_http_server *server)
{
    if (server == NULL)
        return;
    for (size_t i = 0; i < server->listener_count; i++)
        listener_close(server->listeners[i]);
    while (!list_empty(&server->calls)) {
        struct wn_http_call *call =
            CONTAINER_OF(list_first(&server->calls), struct wn_http_call, node);
        stream_abort(call->stream);
        release(call);
    }
    tls_server_free(server->tls);
    if (server->net != NULL)
        net_free(server->net);
    free(server->name);
    free(server);
}

int wn_http_server_listen(struct wn_http_server *server, struct wn_endpoint *local)
{
    static const struct listener_handler calls = {on_accept};
    const struct listen_options options = {.local = endpoint_in(local), .client_first = true};
    struct listener **out = &server->listeners[server->listener_count];
    if (server->listener_count == HTTP_LISTENERS_MAX)
        return -ENOSPC;
    int result = server->tls != NULL
                     ? tls_listen(server->tls, server->net, &options, &calls, server, out)
                     : net_listen(server->net, &options, &calls, server, out);
    if (result < 0)
        return result;
    struct endpoint bound = listener_local(*out);
    *local = endpoint_out(&bound);
    server->listener_count++;
    return 0;
}
