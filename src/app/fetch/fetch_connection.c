/* SPDX-License-Identifier: ISC */
/*
 * fetch_connection.c - a connection to a server or a proxy (RFC 9112 §9), the tunnel through the latter
 * (RFC 9110 §9.3.6), TLS on it, and which version of HTTP the server has chosen (RFC 9113 §3).
 */
#include <errno.h>
#include <stdlib.h>

#include "app/fetch/internal.h"

static void leave_kept(struct fetch_connection *c)
{
    if (c->kept)
        c->fetcher->kept_count--;
    c->kept = false;
}

void fetch_connection_free(struct fetch_connection *c)
{
    leave_kept(c);
    if (c->state == FETCH_FINDING && c->fetcher->options.forget != NULL)
        c->fetcher->options.forget(c->fetcher->options.self, c->fetch);
    if (c->fetch != NULL)
        c->fetch->connection = NULL;
    loop_clear_alarm(c->fetcher->loop, &c->patience);
    list_remove(&c->node);
    dial_cancel(&c->dial);
    if (c->carrier != NULL)
        c->carrier->close(c);
    if (c->stream != NULL)
        stream_close(c->stream);
    free(c);
}

void fetch_connection_keep(struct fetch_connection *c)
{
    struct fetcher *fetcher = c->fetcher;
    list_remove(&c->node);
    list_append(&fetcher->kept, &c->node);
    c->kept = true;
    fetcher->kept_count++;
    stream_set_deadline(c->stream, loop_now(fetcher->loop) + FETCH_KEEP_TIMEOUT);
    if (fetcher->kept_count > FETCH_KEPT_MAX)
        fetch_connection_free(
            CONTAINER_OF(list_first(&fetcher->kept), struct fetch_connection, node));
}

/* The connection is gone, and its fetch is returned without it. */
static struct fetch *take_back(struct fetch_connection *c)
{
    struct fetch *fetch = c->fetch;
    if (fetch != NULL) {
        fetch->outcome.octets_in = c->octets_in - fetch->octets_in_before;
        fetch->outcome.octets_out = c->octets_out - fetch->octets_out_before;
        if (c->state != FETCH_READY)
            fetch_wake_waiting(c->fetcher, c->key, false);
    }
    fetch_connection_free(c);
    return fetch;
}

void fetch_connection_drop(struct fetch_connection *c, enum http_client_failure failure, int error)
{
    struct fetch *fetch = take_back(c);
    if (fetch != NULL)
        fetch_lost(fetch, failure, error);
}

/* ---- what it carries ---- */

void fetch_connection_use(struct fetch_connection *c, struct fetch *fetch)
{
    leave_kept(c);
    list_remove(&c->node);
    list_append(&c->fetcher->busy, &c->node);
    fetch->connection = c;
    fetch->octets_in_before = c->used ? c->octets_in : 0;
    fetch->octets_out_before = c->used ? c->octets_out : 0;
    fetch->outcome.server = c->server;
    fetch->outcome.reused = c->used;
    fetch->outcome.http2 = c->carrier->many;
    fetch->outcome.secured = tls_stream_facts(c->stream, &fetch->outcome.tls);
    if (!c->carrier->begin(c, fetch)) {
        fetch_finish(fetch, FETCH_TOO_LONG, "the request has no room in %d octets, or is malformed",
                     HTTP_CLIENT_OUTPUT_MAX);
        return;
    }
    fetch->outcome.times.sent = loop_look(c->fetcher->loop);
    c->used = true;
    if (fetch->handler->on_sent != NULL)
        fetch->handler->on_sent(fetch->self, fetch);
    c->carrier->offer(fetch);
}

/* Octets go to the server and back. */
static void on_ready(struct fetch_connection *c)
{
    struct fetch *fetch = c->fetch;
    struct tls_facts facts;
    bool by_alpn = tls_stream_facts(c->stream, &facts) && strcmp(facts.alpn, "h2") == 0;
    bool only = fetch->request->version == FETCH_HTTP_2;
    bool plain = strcmp(fetch->request->url->scheme, "http") == 0;
    if (only && !plain && !by_alpn) {
        fetch = take_back(c);
        fetch_finish(fetch, FETCH_UNSUPPORTED, "%s does not speak HTTP/2",
                     fetch->request->url->host);
        return;
    }
    c->carrier = by_alpn || (only && plain) ? &fetch_http2 : &fetch_http1;
    c->state = FETCH_READY;
    c->fetch = NULL;
    fetch->connection = NULL;
    bool open = c->carrier->open(c);
    fetch_wake_waiting(c->fetcher, c->key, open && c->carrier->many);
    if (open) {
        fetch_connection_use(c, fetch);
        return;
    }
    fetch_connection_free(c);
    fetch_lost(fetch, HTTP_CLIENT_CUT_OFF, ENOMEM);
}

/* ---- before ---- */

static void on_way(struct fetch_connection *c);

/* What the proxy says to CONNECT. False: nothing that would change anything yet. */
static bool take_tunnel_event(struct fetch_connection *c, const struct http_client_event *event)
{
    struct fetch *fetch = c->fetch;
    switch (event->kind) {
    case HTTP_CLIENT_SWITCHED:
        on_way(c);
        return true;
    case HTTP_CLIENT_HEAD:
        fetch = take_back(c);
        fetch->outcome.status = event->head.status;
        fetch_finish(fetch, FETCH_NO_TUNNEL, "the proxy %s answers %u to CONNECT",
                     fetch->request->proxy->host, event->head.status);
        return true;
    case HTTP_CLIENT_FAILED:
        fetch_connection_drop(c, event->failure, 0);
        return true;
    case HTTP_CLIENT_NO_EVENT:
    case HTTP_CLIENT_INTERIM:
    case HTTP_CLIENT_BODY:
    case HTTP_CLIENT_END:
        break;
    }
    return false;
}

static size_t feed_tunnel(struct fetch_connection *c, struct bytes in)
{
    usec now = loop_now(c->fetcher->loop);
    size_t total = 0;
    for (;;) {
        struct http_client_event event;
        size_t used = http_client_input(&c->http, bytes_after(in, total), now, &event);
        total += used;
        if (take_tunnel_event(c, &event))
            return total; /* what follows is of TLS, or for nobody */
        if (used == 0 && event.kind == HTTP_CLIENT_NO_EVENT)
            return total;
    }
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct fetch_connection *c = self;
    c->octets_in += in.len;
    return feed_tunnel(c, in);
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    struct fetch_connection *c = self;
    http_client_end(&c->http, loop_now(c->fetcher->loop));
    fetch_connection_drop(c, HTTP_CLIENT_CUT_OFF, 0);
}

static void on_deadline(void *self, struct stream *stream UNUSED)
{
    struct fetch_connection *c = self;
    fetch_connection_drop(c, HTTP_CLIENT_TIMED_OUT, 0);
}

static void tls_failed(struct fetch_connection *c, const char *why, int error)
{
    struct fetch *fetch = take_back(c);
    fetch->outcome.error = error;
    fetch_finish(fetch, FETCH_NO_TLS, "no TLS with %s: %s", fetch->request->url->host,
                 why[0] != '\0' ? why : strerror(error));
}

static void on_closed(void *self, struct stream *stream, int error)
{
    struct fetch_connection *c = self;
    c->stream = NULL;
    if (c->state == FETCH_SHAKING)
        tls_failed(c, tls_stream_error(stream), error);
    else
        fetch_connection_drop(c, HTTP_CLIENT_CUT_OFF, error);
}

/* The handshake is done. */
static void on_open(void *self, struct stream *stream UNUSED)
{
    struct fetch_connection *c = self;
    c->fetch->outcome.times.secured = loop_look(c->fetcher->loop);
    on_ready(c);
}

static const struct stream_handler opening_calls = {
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_closed = on_closed,
    .on_deadline = on_deadline,
};

/* There is a way to the server: for https TLS comes first. */
static void on_way(struct fetch_connection *c)
{
    const struct fetch_request *r = c->fetch->request;
    if (!fetch_is_secure(r)) {
        on_ready(c);
        return;
    }
    char reason[FETCH_REASON_MAX];
    struct text why = text_of(reason, sizeof reason);
    struct tls_client *tls =
        c->fetcher->options.tls(c->fetcher->options.self, fetch_may_be_http2(c->fetch), &why);
    if (tls == NULL) {
        tls_failed(c, reason, 0);
        return;
    }
    c->state = FETCH_SHAKING;
    stream_set_deadline(c->stream, USEC_NEVER);
    if (tls_connect(tls, c->stream, r->url->host, &opening_calls, c, &c->stream) != 0)
        fetch_connection_drop(c, HTTP_CLIENT_CUT_OFF, ENOMEM);
}

static void ask_for_tunnel(struct fetch_connection *c)
{
    const struct fetch_request *r = c->fetch->request;
    usec now = loop_now(c->fetcher->loop);
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
    http_client_init(&c->http, UINT64_MAX, now);
    if (!http_client_request(&c->http, &request, now)) {
        fetch_connection_drop(c, HTTP_CLIENT_TOO_LARGE, 0);
        return;
    }
    struct bytes out = http_client_output(&c->http);
    size_t taken = stream_send(c->stream, out); /* a new connection has room for it */
    http_client_sent(&c->http, taken);
    c->octets_out += taken;
    stream_set_deadline(c->stream, http_client_deadline(&c->http));
}

/* ---- opening ---- */

static void on_connected(void *self, struct stream *stream, const struct endpoint *to)
{
    struct fetch_connection *c = self;
    const struct fetch_request *r = c->fetch->request;
    c->stream = stream;
    c->server = *to;
    stream_set_handler(stream, &opening_calls, c);
    c->fetch->outcome.times.connected = loop_look(c->fetcher->loop);
    if (r->proxy != NULL && !fetch_is_forwarded(r))
        ask_for_tunnel(c);
    else
        on_way(c);
}

static void on_failed(void *self, int error, const struct endpoint *to)
{
    struct fetch *fetch = take_back(self);
    const struct url *proxy = fetch->request->proxy;
    char address[ENDPOINT_TEXT_MAX];
    fetch->outcome.error = error;
    fetch->outcome.server = *to;
    fetch_finish(fetch, FETCH_NO_CONNECTION, "cannot connect to %s%s (%s): %s",
                 proxy != NULL ? "the proxy " : "",
                 proxy != NULL ? proxy->host : fetch->request->url->host,
                 endpoint_format(to, address), strerror(error));
}

void fetch_found(struct fetch *fetch, const struct endpoint *addresses, size_t count,
                 const char *reason)
{
    static const struct dial_handler calls = {on_connected, on_failed};
    struct fetch_connection *c = fetch->connection;
    const struct fetcher_options *options = &fetch->fetcher->options;
    ASSERT(c != NULL && c->state == FETCH_FINDING);
    c->state = FETCH_CONNECTING;
    loop_clear_alarm(fetch->fetcher->loop, &c->patience);
    fetch->outcome.times.found = loop_look(fetch->fetcher->loop);
    if (count == 0) {
        (void)take_back(c);
        fetch_finish(fetch, FETCH_NO_NAME, "%s", reason);
        return;
    }
    dial_start(&c->dial, options->net, addresses, count, c->begun + options->connect_timeout, &calls,
               c);
}

static void on_patience_over(struct alarm *alarm)
{
    struct fetch *fetch = take_back(CONTAINER_OF(alarm, struct fetch_connection, patience));
    fetch->outcome.error = ETIMEDOUT;
    fetch_finish(fetch, FETCH_NO_NAME, "the address of %s was not found in time",
                 fetch->request->proxy != NULL ? fetch->request->proxy->host
                                               : fetch->request->url->host);
}

static struct fetch_connection *new_connection(struct fetch *fetch)
{
    struct fetch_connection *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->fetcher = fetch->fetcher;
    c->fetch = fetch;
    c->begun = loop_look(fetch->fetcher->loop);
    fetch->connection = c;
    memcpy(c->key, fetch->key, sizeof c->key);
    alarm_init(&c->patience, on_patience_over);
    list_init(&c->node);
    list_append(&fetch->fetcher->busy, &c->node);
    return c;
}

void fetch_connection_open(struct fetch *fetch)
{
    const struct fetcher_options *options = &fetch->fetcher->options;
    const struct fetch_request *r = fetch->request;
    const struct url *url = r->proxy != NULL ? r->proxy : r->url;
    struct fetch_connection *c = new_connection(fetch);
    if (c == NULL) {
        fetch->outcome.error = ENOMEM;
        fetch_finish(fetch, FETCH_NO_CONNECTION, "no memory");
        return;
    }
    if (options->seek != NULL) {
        loop_set_alarm(fetch->fetcher->loop, &c->patience, c->begun + options->connect_timeout);
        options->seek(options->self, fetch, url->host, url->port);
        return;
    }
    struct endpoint addresses[FETCH_ADDRESSES_MAX];
    char reason[FETCH_REASON_MAX];
    struct text t = text_of(reason, sizeof reason);
    size_t count = options->find(options->self, url->host, url->port, addresses, &t);
    fetch_found(fetch, addresses, count, reason);
}
