/* SPDX-License-Identifier: ISC */
/* fetch_http1.c - exchanges over a connection of HTTP/1 (RFC 9112 §9): one after the other. */
#include "app/fetch/internal.h"

/* A server whose octets nobody takes is not to blame for sending none. */
static void set_deadline(struct fetch_connection *c)
{
    bool held = c->fetch != NULL && c->fetch->paused;
    stream_set_deadline(c->stream, held ? USEC_NEVER : http_client_deadline(&c->http));
}

static void flush(struct fetch_connection *c)
{
    struct bytes out = http_client_output(&c->http);
    size_t taken = out.len > 0 ? stream_send(c->stream, out) : 0;
    http_client_sent(&c->http, taken);
    c->octets_out += taken;
    if (taken > 0)
        http_client_wait(&c->http, loop_now(c->fetcher->loop));
    set_deadline(c);
}

/* Asks for the request's body as long as it comes and there is room. */
static void offer_room(struct fetch_connection *c)
{
    struct fetch *fetch = c->fetch;
    if (fetch == NULL || !fetch->request->has_body || http_client_body_complete(&c->http) ||
        http_client_output(&c->http).len > 0)
        return;
    fetch->handler->on_room(fetch->self, fetch);
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    struct fetch_connection *c = self;
    flush(c);
    offer_room(c);
}

/* ---- receiving ---- */

/* The response is complete: the connection is kept or closed. */
static void complete(struct fetch_connection *c)
{
    struct fetch *fetch = c->fetch;
    fetch->outcome.octets_in = c->octets_in - fetch->octets_in_before;
    fetch->outcome.octets_out = c->octets_out - fetch->octets_out_before;
    fetch->outcome.body_refused = !http_client_body_complete(&c->http);
    fetch->connection = NULL;
    c->fetch = NULL;
    if (http_client_reusable(&c->http) && !fetch->request->close && c->surplus == 0)
        fetch_connection_keep(c);
    else
        fetch_connection_free(c);
    fetch_finish(fetch, FETCH_OK, "%s", "");
}

/* What follows is of another protocol (RFC 9110 §15.2.2), and somebody else's. */
static void hand_over(struct fetch_connection *c, const struct http_client_event *event)
{
    struct fetch *fetch = c->fetch;
    struct stream *stream = c->stream;
    fetch->outcome.octets_in = c->octets_in - fetch->octets_in_before;
    fetch->outcome.octets_out = c->octets_out - fetch->octets_out_before;
    fetch->connection = NULL;
    c->fetch = NULL;
    c->stream = NULL;
    stream_set_deadline(stream, USEC_NEVER);
    fetch_connection_free(c);
    fetch_switched(fetch, &event->head, stream);
}

static void take_event(struct fetch_connection *c, const struct http_client_event *event)
{
    struct fetch *fetch = c->fetch;
    switch (event->kind) {
    case HTTP_CLIENT_NO_EVENT:
        break;
    case HTTP_CLIENT_INTERIM:
    case HTTP_CLIENT_HEAD:
        fetch_take_head(fetch, &event->head, &event->framing);
        break;
    case HTTP_CLIENT_BODY:
        fetch->handler->on_body(fetch->self, fetch, event->data);
        break;
    case HTTP_CLIENT_END:
        complete(c);
        break;
    case HTTP_CLIENT_SWITCHED: /* never without `upgrade` */
        hand_over(c, event);
        break;
    case HTTP_CLIENT_FAILED:
        fetch_connection_drop(c, event->failure, 0);
        break;
    }
}

/* Gives the machine what came; returns how much was used. Callbacks may cancel the fetch, and so free
 * the connection: then *gone. */
static size_t feed(struct fetch_connection *c, struct bytes in, bool *gone)
{
    size_t total = 0;
    *gone = false;
    c->gone = gone;
    c->surplus = in.len;
    while (!c->fetch->paused) {
        struct http_client_event event;
        usec now = loop_now(c->fetcher->loop); /* callbacks may have looked at the clock */
        size_t used = http_client_input(&c->http, bytes_after(in, total), now, &event);
        total += used;
        c->surplus = in.len - total;
        take_event(c, &event);
        if (*gone)
            return event.kind == HTTP_CLIENT_SWITCHED ? total : in.len;
        if (c->fetch == NULL || (used == 0 && event.kind == HTTP_CLIENT_NO_EVENT))
            break;
    }
    c->gone = NULL;
    if (c->fetch != NULL)
        set_deadline(c);
    return total;
}

static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct fetch_connection *c = self;
    bool gone;
    if (c->fetch == NULL) { /* an answer to nothing (RFC 9112 §9.2) */
        fetch_connection_drop(c, HTTP_CLIENT_MALFORMED, 0);
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
        fetch_connection_drop(c, HTTP_CLIENT_OK, 0);
        return;
    }
    http_client_end(&c->http, loop_now(c->fetcher->loop));
    if (c->surplus > 0) /* the machine wants to see again what it has not used */
        stream_resume(c->stream);
    else
        (void)feed(c, bytes_empty(), &gone);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error)
{
    struct fetch_connection *c = self;
    c->stream = NULL;
    fetch_connection_drop(c, HTTP_CLIENT_CUT_OFF, error);
}

static void on_deadline(void *self, struct stream *stream UNUSED)
{
    struct fetch_connection *c = self;
    bool gone;
    if (c->fetch == NULL) {
        fetch_connection_drop(c, HTTP_CLIENT_OK, 0);
        return;
    }
    http_client_tick(&c->http, loop_now(c->fetcher->loop));
    (void)feed(c, bytes_empty(), &gone);
}

static void resume(struct fetch *fetch)
{
    struct fetch_connection *c = fetch->connection;
    bool gone;
    http_client_wait(&c->http, loop_now(c->fetcher->loop));
    if (c->surplus > 0) {
        set_deadline(c);
        stream_resume(c->stream);
    } else {
        (void)feed(c, bytes_empty(), &gone);
    }
}

/* ---- requests ---- */

static bool write_request(struct fetch_connection *c, const struct fetch_request *r)
{
    struct http_field fields[HTTP_FIELDS_MAX];
    char text[URL_TEXT_MAX];
    char host[URL_HOST_MAX + 16];
    struct text t = text_of(text, sizeof text);
    struct text h = text_of(host, sizeof host);
    size_t count = r->field_count;
    bool forwarded = fetch_is_forwarded(r);
    if (count >= HTTP_FIELDS_MAX)
        return false;
    if (count > 0)
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
        .old = r->version == FETCH_HTTP_1_0,
        .upgrade = r->upgrade != NULL ? bytes_of_text(r->upgrade) : bytes_empty(),
    };
    http_client_set_timeout(&c->http, r->timeout > 0 ? r->timeout : HTTP_CLIENT_TIMEOUT);
    return !h.failed && http_client_request(&c->http, &request, loop_now(c->fetcher->loop));
}

/* ---- as a carrier ---- */

static bool open_connection(struct fetch_connection *c)
{
    static const struct stream_handler calls = {
        .on_bytes = on_bytes,
        .on_end = on_end,
        .on_room = on_room,
        .on_closed = on_closed,
        .on_deadline = on_deadline,
    };
    http_client_init(&c->http, UINT64_MAX, loop_now(c->fetcher->loop));
    stream_set_handler(c->stream, &calls, c);
    return true;
}

static void close_connection(struct fetch_connection *c)
{
    if (c->gone != NULL)
        *c->gone = true;
}

static bool accepts(const struct fetch_connection *c)
{
    return c->kept;
}

static bool begin(struct fetch_connection *c, struct fetch *fetch)
{
    c->fetch = fetch;
    c->surplus = 0;
    return write_request(c, fetch->request);
}

static void offer(struct fetch *fetch)
{
    flush(fetch->connection);
    offer_room(fetch->connection);
}

static size_t take_body(struct fetch *fetch, struct bytes in)
{
    size_t taken = http_client_body(&fetch->connection->http, in);
    flush(fetch->connection);
    return taken;
}

static bool end_body(struct fetch *fetch)
{
    const struct bytes *trailers = fetch->request->trailers;
    bool done = http_client_body_end(&fetch->connection->http,
                                     trailers != NULL ? *trailers : bytes_empty());
    flush(fetch->connection);
    return done;
}

static void abandon(struct fetch *fetch)
{
    fetch_connection_free(fetch->connection);
}

const struct fetch_carrier fetch_http1 = {
    .open = open_connection,
    .close = close_connection,
    .accepts = accepts,
    .begin = begin,
    .offer = offer,
    .body = take_body,
    .body_end = end_body,
    .resume = resume,
    .abandon = abandon,
};
