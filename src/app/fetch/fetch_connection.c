/* SPDX-License-Identifier: ISC */
/*
 * fetch_connection.c - a connection to a server or a proxy (RFC 9112 §9), and the tunnel through the
 * latter (RFC 9110 §9.3.6).
 */
#include <errno.h>
#include <stdlib.h>

#include "app/fetch/internal.h"

void fetch_connection_free(struct fetch_connection *c)
{
    if (c->fetch == NULL)
        c->fetcher->kept_count--;
    else
        c->fetch->connection = NULL;
    list_remove(&c->node);
    dial_cancel(&c->dial);
    if (c->stream != NULL)
        stream_close(c->stream);
    if (c->gone != NULL)
        *c->gone = true;
    free(c);
}

/* Closes it and tells its fetch, if it has one. */
static void drop(struct fetch_connection *c, enum http_client_failure failure, int error)
{
    struct fetch *fetch = c->fetch;
    if (fetch != NULL) {
        fetch->outcome.octets_in = c->octets_in;
        fetch->outcome.octets_out = c->octets_out;
    }
    fetch_connection_free(c);
    if (fetch != NULL)
        fetch_lost(fetch, failure, error);
}

/* ---- sending ---- */

void fetch_connection_flush(struct fetch_connection *c)
{
    struct bytes out = http_client_output(&c->http);
    size_t taken = out.len > 0 ? stream_send(c->stream, out) : 0;
    http_client_sent(&c->http, taken);
    c->octets_out += taken;
    if (taken > 0)
        http_client_wait(&c->http, loop_now(c->fetcher->loop));
    stream_set_deadline(c->stream, http_client_deadline(&c->http));
}

/* Asks for the request's body as long as it comes and there is room. */
static void offer_room(struct fetch_connection *c)
{
    struct fetch *fetch = c->fetch;
    if (fetch == NULL || c->state != FETCH_READY || !fetch->request->has_body ||
        http_client_body_complete(&c->http) || http_client_output(&c->http).len > 0)
        return;
    fetch->handler->on_room(fetch->self, fetch);
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    struct fetch_connection *c = self;
    fetch_connection_flush(c);
    offer_room(c);
}

/* ---- receiving ---- */

static void on_ready(struct fetch_connection *c);
static void on_way(struct fetch_connection *c);

static void tunnel_refused(struct fetch_connection *c, unsigned status)
{
    struct fetch *fetch = c->fetch;
    fetch->outcome.status = status;
    fetch_connection_free(c);
    fetch_finish(fetch, FETCH_NO_TUNNEL, "the proxy %s answers %u to CONNECT",
                 fetch->request->proxy->host, status);
}

/* What the proxy says to CONNECT. */
static void take_tunnel_event(struct fetch_connection *c, const struct http_client_event *event)
{
    if (event->kind == HTTP_CLIENT_SWITCHED)
        on_way(c);
    else if (event->kind == HTTP_CLIENT_HEAD)
        tunnel_refused(c, event->head.status);
    else if (event->kind == HTTP_CLIENT_FAILED)
        drop(c, event->failure, 0);
}

static void take_head(struct fetch *fetch, const struct http_client_event *event)
{
    fetch->started = true;
    if (fetch->outcome.times.first == 0)
        fetch->outcome.times.first = loop_look(fetch->fetcher->loop);
    if (event->kind == HTTP_CLIENT_HEAD)
        fetch->outcome.status = event->head.status;
    fetch->handler->on_head(fetch->self, fetch, &event->head, &event->framing);
}

static void take_event(struct fetch_connection *c, const struct http_client_event *event)
{
    struct fetch *fetch = c->fetch;
    switch (event->kind) {
    case HTTP_CLIENT_NO_EVENT:
        break;
    case HTTP_CLIENT_INTERIM:
    case HTTP_CLIENT_HEAD:
        take_head(fetch, event);
        break;
    case HTTP_CLIENT_BODY:
        fetch->handler->on_body(fetch->self, fetch, event->data);
        break;
    case HTTP_CLIENT_END:
        fetch_complete(fetch);
        break;
    case HTTP_CLIENT_SWITCHED: /* we never ask for it here */
        drop(c, HTTP_CLIENT_MALFORMED, 0);
        break;
    case HTTP_CLIENT_FAILED:
        drop(c, event->failure, 0);
        break;
    }
}

/* Gives the machine what came; returns how much was used. Callbacks may cancel the fetch, and so free
 * the connection: then *gone. */
static size_t feed(struct fetch_connection *c, struct bytes in, bool *gone)
{
    usec now = loop_now(c->fetcher->loop);
    size_t total = 0;
    *gone = false;
    c->gone = gone;
    for (;;) {
        struct http_client_event event;
        size_t used = http_client_input(&c->http, bytes_after(in, total), now, &event);
        total += used;
        c->surplus = in.len - total;
        if (c->state == FETCH_TUNNELLING)
            take_tunnel_event(c, &event);
        else
            take_event(c, &event);
        if (*gone)
            return in.len;
        if (c->fetch == NULL || c->state == FETCH_SHAKING ||
            (used == 0 && event.kind == HTTP_CLIENT_NO_EVENT))
            break;
    }
    c->gone = NULL;
    if (c->fetch != NULL && c->state != FETCH_SHAKING)
        stream_set_deadline(c->stream, http_client_deadline(&c->http));
    return total;
}

static void tls_failed(struct fetch_connection *c, const char *why, int error)
{
    struct fetch *fetch = c->fetch;
    fetch->outcome.error = error;
    fetch_connection_free(c);
    fetch_finish(fetch, FETCH_NO_TLS, "no TLS with %s: %s", fetch->request->url->host,
                 why[0] != '\0' ? why : strerror(error));
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct fetch_connection *c = self;
    bool gone;
    if (c->fetch == NULL) { /* an answer to nothing (RFC 9112 §9.2) */
        drop(c, HTTP_CLIENT_MALFORMED, 0);
        return in.len;
    }
    c->octets_in += in.len;
    size_t used = feed(c, in, &gone);
    if (!gone)
        c->octets_in -= in.len - used;
    return used;
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct fetch_connection *c = self;
    bool gone;
    if (c->fetch == NULL) {
        drop(c, HTTP_CLIENT_OK, 0);
        return;
    }
    http_client_end(&c->http, loop_now(c->fetcher->loop));
    if (c->surplus > 0) /* the machine wants to see again what it has not used */
        stream_resume(c->stream);
    else
        (void)feed(c, bytes_empty(), &gone);
}

static void on_closed(void *self, struct stream *stream, int error)
{
    struct fetch_connection *c = self;
    c->stream = NULL;
    if (c->state == FETCH_SHAKING) {
        tls_failed(c, tls_stream_error(stream), error);
        return;
    }
    drop(c, HTTP_CLIENT_CUT_OFF, error);
}

static void on_deadline(void *self, struct stream *stream UNUSED)
{
    struct fetch_connection *c = self;
    bool gone;
    if (c->fetch == NULL) {
        drop(c, HTTP_CLIENT_OK, 0);
        return;
    }
    http_client_tick(&c->http, loop_now(c->fetcher->loop));
    (void)feed(c, bytes_empty(), &gone);
}

/* The handshake is done. */
static void on_open(void *self, struct stream *stream UNUSED)
{
    struct fetch_connection *c = self;
    c->fetch->outcome.times.secured = loop_look(c->fetcher->loop);
    on_ready(c);
}

static const struct stream_handler stream_calls = {
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_room = on_room,
    .on_closed = on_closed,
    .on_deadline = on_deadline,
};

/* ---- requests ---- */

static bool write_request(struct fetch_connection *c, const struct fetch_request *r)
{
    struct http_field fields[HTTP_FIELDS_MAX];
    char text[URL_TEXT_MAX];
    char host[URL_HOST_MAX + 16];
    struct text t = text_of(text, sizeof text);
    struct text h = text_of(host, sizeof host);
    size_t count = r->field_count;
    bool forwarded = r->proxy != NULL && strcmp(r->url->scheme, "http") == 0;
    if (count >= HTTP_FIELDS_MAX)
        return false;
    memcpy(fields, r->fields, count * sizeof fields[0]);
    if (forwarded && r->proxy_authorization != NULL)
        fields[count++] = (struct http_field){bytes_of_text("Proxy-Authorization"),
                                              bytes_of_text(r->proxy_authorization)};
    if (forwarded)
        url_add_text(r->url, &t);
    if (r->host != NULL)
        text_add(&h, r->host);
    else
        url_add_authority(r->url, &h);
    struct http_request request = {
        .method = r->method,
        .target = forwarded ? text_bytes(&t) : url_target(r->url),
        .host = host,
        .fields = fields,
        .field_count = count,
        .has_body = r->has_body,
        .body_len = r->body_len,
        .close = r->close,
        .old = r->old,
    };
    return http_client_request(&c->http, &request, loop_now(c->fetcher->loop));
}

void fetch_connection_use(struct fetch_connection *c, struct fetch *fetch)
{
    c->fetch = fetch;
    fetch->connection = c;
    list_remove(&c->node);
    list_append(&c->fetcher->busy, &c->node);
    fetch->outcome.server = c->server;
    fetch->outcome.reused = c->used;
    fetch->outcome.secured = tls_stream_facts(c->stream, &fetch->outcome.tls);
    if (!write_request(c, fetch->request)) {
        fetch_connection_free(c);
        fetch_finish(fetch, FETCH_TOO_LONG, "the request has no room in %d octets, or is malformed",
                     HTTP_CLIENT_OUTPUT_MAX);
        return;
    }
    fetch->outcome.times.sent = loop_look(c->fetcher->loop);
    c->used = true;
    fetch_connection_flush(c);
    offer_room(c);
}

/* Octets go to the server and back. */
static void on_ready(struct fetch_connection *c)
{
    http_client_init(&c->http, UINT64_MAX, loop_now(c->fetcher->loop));
    c->state = FETCH_READY;
    fetch_connection_use(c, c->fetch);
}

/* There is a way to the server: for https TLS comes first. */
static void on_way(struct fetch_connection *c)
{
    const struct fetch_request *r = c->fetch->request;
    if (strcmp(r->url->scheme, "https") != 0) {
        on_ready(c);
        return;
    }
    char reason[FETCH_REASON_MAX];
    struct text why = text_of(reason, sizeof reason);
    struct tls_client *tls = c->fetcher->options.tls(c->fetcher->options.self, &why);
    if (tls == NULL) {
        tls_failed(c, reason, 0);
        return;
    }
    c->state = FETCH_SHAKING;
    stream_set_deadline(c->stream, USEC_NEVER);
    if (tls_connect(tls, c->stream, r->url->host, &stream_calls, c,
                    &c->stream) != 0)
        drop(c, HTTP_CLIENT_CUT_OFF, ENOMEM);
}

static void ask_for_tunnel(struct fetch_connection *c)
{
    const struct fetch_request *r = c->fetch->request;
    char target[URL_HOST_MAX + 16];
    struct text t = text_of(target, sizeof target);
    text_add_format(&t, r->url->literal ? "[%s]:%u" : "%s:%u", r->url->host, r->url->port);
    struct http_field field = {bytes_of_text("Proxy-Authorization"), bytes_empty()};
    if (r->proxy_authorization != NULL)
        field.value = bytes_of_text(r->proxy_authorization);
    struct http_request request = {
        .method = "CONNECT",
        .target = text_bytes(&t),
        .host = target,
        .fields = &field,
        .field_count = r->proxy_authorization != NULL,
    };
    c->state = FETCH_TUNNELLING;
    if (http_client_request(&c->http, &request, loop_now(c->fetcher->loop)))
        fetch_connection_flush(c);
    else
        drop(c, HTTP_CLIENT_TOO_LARGE, 0);
}

/* ---- opening ---- */

static void on_connected(void *self, struct stream *stream, const struct endpoint *to)
{
    struct fetch_connection *c = self;
    const struct fetch_request *r = c->fetch->request;
    c->stream = stream;
    c->server = *to;
    stream_set_handler(stream, &stream_calls, c);
    c->fetch->outcome.times.connected = loop_look(c->fetcher->loop);
    http_client_init(&c->http, UINT64_MAX, loop_now(c->fetcher->loop));
    if (r->proxy != NULL && strcmp(r->url->scheme, "https") == 0)
        ask_for_tunnel(c);
    else
        on_way(c);
}

static void on_failed(void *self, int error, const struct endpoint *to)
{
    struct fetch_connection *c = self;
    struct fetch *fetch = c->fetch;
    char address[ENDPOINT_TEXT_MAX];
    const struct url *url = fetch->request->proxy != NULL ? fetch->request->proxy
                                                          : fetch->request->url;
    fetch->outcome.error = error;
    fetch->outcome.server = *to;
    fetch_connection_free(c);
    fetch_finish(fetch, FETCH_NO_CONNECTION, "cannot connect to %s%s (%s): %s",
                 fetch->request->proxy != NULL ? "the proxy " : "", url->host,
                 endpoint_format(to, address), strerror(error));
}

bool fetch_connection_open(struct fetch *fetch)
{
    static const struct dial_handler calls = {on_connected, on_failed};
    struct fetcher *fetcher = fetch->fetcher;
    const struct fetch_request *r = fetch->request;
    const struct url *url = r->proxy != NULL ? r->proxy : r->url;
    struct endpoint addresses[FETCH_ADDRESSES_MAX];
    char reason[FETCH_REASON_MAX];
    struct text t = text_of(reason, sizeof reason);
    size_t count = fetcher->options.find(fetcher->options.self, url->host, url->port,
                                         addresses, &t);
    usec now = loop_look(fetcher->loop);
    fetch->outcome.times.found = now;
    if (count == 0) {
        fetch_finish(fetch, FETCH_NO_NAME, "%s", reason);
        return false;
    }
    struct fetch_connection *c = calloc(1, sizeof *c);
    if (c == NULL) {
        fetch->outcome.error = ENOMEM;
        fetch_finish(fetch, FETCH_NO_CONNECTION, "no memory");
        return false;
    }
    c->fetcher = fetcher;
    c->fetch = fetch;
    fetch->connection = c;
    memcpy(c->key, fetch->key, sizeof c->key);
    list_init(&c->node);
    list_append(&fetcher->busy, &c->node);
    dial_start(&c->dial, fetcher->options.net, addresses, count,
               fetch->outcome.times.begun + fetcher->options.connect_timeout, &calls, c);
    return true;
}
