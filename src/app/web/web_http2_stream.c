/* SPDX-License-Identifier: ISC */
/* web_http2_stream.c - an exchange on a stream of HTTP/2 (RFC 9113 §8). */
#include <stdlib.h>

#include "app/web/web_http2.h"
#include "wire/http/http_octets.h"

enum { DROP_MAX = 4 * 1024 * 1024 /* of an unwanted body */ };

static struct web_stream *stream_of(struct web_exchange *exchange)
{
    return CONTAINER_OF(exchange, struct web_stream, exchange);
}

static struct http2_session *core_of(const struct web_stream *s)
{
    return &s->connection->core;
}

/* ---- streams ---- */

static const struct web_transport transport;

struct web_stream *web_stream_new(struct web_http2 *c)
{
    struct web *web = c->session->web;
    struct list_node *warm = list_first(&web->warm_streams);
    struct web_stream *s = NULL;
    if (warm != NULL) {
        s = CONTAINER_OF(warm, struct web_stream, node);
        list_remove(warm);
        web->warm_stream_count--;
    } else {
        s = malloc(sizeof *s);
    }
    if (s == NULL)
        return NULL;
    memset(s, 0, sizeof *s);
    list_init(&s->node);
    s->connection = c;
    s->exchange.web = web;
    s->exchange.transport = &transport;
    s->exchange.protocol = "HTTP/2";
    s->exchange.peer = c->session->peer;
    s->exchange.secure = c->session->secure;
    list_append(&c->streams, &s->node);
    c->stream_count++;
    list_remove(&c->session->idle_node);
    return s;
}

void web_stream_free(struct web_stream *s)
{
    struct web_http2 *c = s->connection;
    struct web *web = c->session->web;
    if (s->responded)
        web_tell_request(&s->exchange, s->status);
    web_exchange_done(&s->exchange);
    list_remove(&s->node);
    c->stream_count--;
    if (web->warm_stream_count == WEB_WARM_MAX) {
        free(s);
        return;
    }
    web->warm_stream_count++;
    list_prepend(&web->warm_streams, &s->node);
}

void web_http2_warm_done(struct web *web)
{
    struct list_node *node;
    while ((node = list_first(&web->warm_streams)) != NULL) {
        list_remove(node);
        free(CONTAINER_OF(node, struct web_stream, node));
    }
}

/* ---- responses ---- */

static void begin_response(struct web_stream *s, unsigned status)
{
    http2_begin_head(core_of(s), &s->core);
    http2_add_number(core_of(s), HPACK_STATUS, status);
}

static void end_response(struct web_stream *s, unsigned status, bool ended)
{
    s->responded = true;
    s->status = status;
    http2_end_head(core_of(s), true, ended);
}

static bool fields_fit(const struct http_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!http2_field_fits(&fields[i]))
            return false;
    return true;
}

static bool respond(struct web_exchange *exchange, const struct http_response *response)
{
    struct web_stream *s = stream_of(exchange);
    struct http2_session *core = core_of(s);
    bool bodiless = response->status == 204 || response->status == 304;
    ASSERT(!s->responded);
    if (!fields_fit(response->fields, response->field_count)) {
        exchange->transport->refuse(exchange, 500);
        return false;
    }
    begin_response(s, response->status);
    if (!response->passed_on) {
        http2_add_known(core, HPACK_DATE, bytes_of_text(web_date(exchange->web)));
        http2_add_known(core, HPACK_SERVER, bytes_of_text("wholenet"));
    }
    if (response->content_type != NULL)
        http2_add_known(core, HPACK_CONTENT_TYPE, bytes_of_text(response->content_type));
    for (size_t i = 0; i < response->field_count; i++)
        http2_add(core, response->fields[i].name, response->fields[i].value);
    if (!bodiless && response->length != HTTP_LENGTH_UNKNOWN)
        http2_add_number(core, HPACK_CONTENT_LENGTH, response->length);
    bool head_only = strcmp(exchange->method, "HEAD") == 0;
    end_response(s, response->status, bodiless || head_only || exchange->body.len == 0);
    return true;
}

static void refuse(struct web_exchange *exchange, unsigned status)
{
    struct web_stream *s = stream_of(exchange);
    if (s->responded)
        return;
    begin_response(s, status);
    http2_add_number(core_of(s), HPACK_CONTENT_LENGTH, 0);
    end_response(s, status, true);
}

static bool interim(struct web_exchange *exchange, unsigned status, const struct http_field *fields,
                    size_t count)
{
    struct web_stream *s = stream_of(exchange);
    if (s->responded || !fields_fit(fields, count))
        return false;
    begin_response(s, status);
    for (size_t i = 0; i < count; i++)
        http2_add(core_of(s), fields[i].name, fields[i].value);
    http2_end_head(core_of(s), false, false);
    return true;
}

static bool accept_body(struct web_exchange *exchange, uint64_t max)
{
    struct web_stream *s = stream_of(exchange);
    if (s->announced != HTTP_LENGTH_UNKNOWN && s->announced > max) {
        web_reply_error(exchange, 413, NULL);
        return false;
    }
    s->accepted = true;
    s->body_max = max;
    if (s->expects_continue && !s->core.remote_ended)
        (void)interim(exchange, 100, NULL, 0);
    return true;
}

/* Octets of a request's body were taken: the client may send as many more. */
static void consume(struct web_stream *s, size_t len)
{
    s->unconsumed += len;
    if (s->held)
        return;
    http2_consume(core_of(s), &s->core, s->unconsumed);
    s->unconsumed = 0;
}

static void go_on(struct web_stream *s)
{
    loop_queue(net_loop(s->exchange.web->net), &s->connection->task);
}

static void hold(struct web_exchange *exchange, bool held)
{
    struct web_stream *s = stream_of(exchange);
    if (s->held == held)
        return;
    s->held = held;
    if (held)
        return;
    consume(s, 0);
    go_on(s);
}

static struct stream *stream_under(struct web_exchange *exchange)
{
    return stream_of(exchange)->connection->session->stream;
}

static void wake(struct web_exchange *exchange)
{
    struct web_stream *s = stream_of(exchange);
    web_http2_earn_time(s->connection, SIZE_MAX);
    http2_wake(core_of(s), &s->core);
    go_on(s);
}

static const struct web_transport transport = {
    .wake = wake,
    .respond = respond,
    .accept_body = accept_body,
    .refuse = refuse,
    .stream = stream_under,
    .interim = interim,
    .hold = hold,
};

/* The body has come to its end without another octet: trailers end the response, where there are any. */
static void end_flow(struct web_stream *s)
{
    struct bytes rest = s->exchange.body.flow->trailers;
    bool begun = false;
    while (rest.len > 0) {
        struct bytes line = bytes_first(rest, bytes_find(rest, '\n'));
        size_t colon = bytes_find(line, ':');
        struct http_field field = {bytes_first(line, colon), bytes_after(line, colon + 1)};
        rest = bytes_after(rest, line.len + 1);
        if (field.value.len > 0 && field.value.data[field.value.len - 1] == '\r')
            field.value.len--;
        field.value = http_trim(field.value);
        if (!http2_field_fits(&field))
            continue;
        if (!begun)
            http2_begin_head(core_of(s), &s->core);
        begun = true;
        http2_add(core_of(s), field.name, field.value);
    }
    if (begun)
        http2_end_head(core_of(s), true, true);
    else
        http2_end_body(core_of(s), &s->core);
}

/* Octets that somebody makes meanwhile. Who is told that they have gone may do anything: so they go first. */
static void fill_from_flow(struct web_stream *s, const struct http2_slot *slot)
{
    struct web_body *body = &s->exchange.body;
    struct bytes octets = bytes_first(web_flow_bytes(body->flow), slot->room);
    if (body->len < octets.len)
        octets = bytes_first(octets, (size_t)body->len);
    if (octets.len == 0 && web_body_waits(body)) {
        http2_sleep(core_of(s), &s->core);
    } else if (octets.len == 0 && web_body_ended(body)) {
        end_flow(s);
    } else if (octets.len == 0) {
        http2_reset(core_of(s), &s->core, HTTP2_INTERNAL_ERROR);
    } else {
        memcpy(slot->at, octets.data, octets.len);
        http2_fill(core_of(s), slot, octets.len, octets.len == body->len);
        s->exchange.octets += octets.len;
        web_http2_earn_time(s->connection, octets.len);
        web_body_gone(body, octets.len);
    }
}

void web_stream_fill(struct web_stream *s, const struct http2_slot *slot)
{
    struct web_body *body = &s->exchange.body;
    if (body->kind == WEB_BODY_FLOW) {
        fill_from_flow(s, slot);
        return;
    }
    size_t len = web_body_read(body, &s->exchange.web->buffers, slot->at, slot->room);
    if (len == 0 && body->len > 0) { /* shorter than it was: not whole */
        http2_reset(core_of(s), &s->core, HTTP2_INTERNAL_ERROR);
        return;
    }
    s->exchange.octets += len;
    web_http2_earn_time(s->connection, len); /* it is asked for when what was before it is gone */
    http2_fill(core_of(s), slot, len, body->len == 0);
}

/* ---- requests ---- */

static bool is(struct bytes text, const char *name)
{
    return bytes_equal(text, bytes_of_text(name));
}

/* The head as HTTP/1 would have it. 0, or a status to refuse with. */
static unsigned make_request(const struct http2_event *request, struct http_server_event *event,
                             bool *websocket)
{
    const struct http_request_head *head = &request->head.request;
    struct http_fields *fields = &event->head.fields;
    bool extended = request->protocol.len > 0; /* RFC 8441 §4 */
    event->head.version = HTTP_VERSION_1_1;
    event->head.method = head->method;
    event->head.target = head->target;
    fields->count = head->fields.count;
    memcpy(fields->list, head->fields.list, fields->count * sizeof fields->list[0]);
    *websocket = extended && is(request->protocol, "websocket");
    if (request->too_large)
        return 431;
    if (extended && !*websocket)
        return 501; /* §3 of RFC 9220 has it so for protocols that are not known */
    if (head->method.len > HTTP_METHOD_MAX)
        return 501;
    if (head->target.len > HTTP_LINE_MAX)
        return 414;
    struct bytes host;
    size_t hosts = http_field_find(fields, "host", &host) ? http_field_count(fields, "host") : 0;
    if (hosts > 1 || (hosts == 1 && request->authority.len > 0 &&
                      !bytes_equal_nocase(host, request->authority)))
        return 400; /* §8.3.1: they must not differ */
    if (hosts == 0 && fields->count < HTTP_FIELDS_MAX)
        fields->list[fields->count++] =
            (struct http_field){bytes_of_text("host"), request->authority};
    struct bytes form = extended ? bytes_of_text("GET") : head->method;
    return uri_target_parse(form, head->target, &event->target) ? 0 : 400;
}

void web_stream_begin(struct web_stream *s, const struct http2_event *request)
{
    struct http_server_event event;
    event.kind = HTTP_SERVER_REQUEST;
    event.data = bytes_empty();
    event.framing = (struct http_framing){
        request->ended ? HTTP_FRAMING_NONE : HTTP_FRAMING_CHUNKED, 0};
    unsigned refusal = make_request(request, &event, &s->exchange.connect_websocket);
    if (refusal != 0) {
        refuse(&s->exchange, refusal);
        return;
    }
    s->announced = request->length;
    if (s->announced != HTTP_LENGTH_UNKNOWN)
        event.framing = (struct http_framing){HTTP_FRAMING_LENGTH, s->announced};
    s->expects_continue =
        !request->ended && bytes_equal_nocase(http_field_value(&event.head.fields, "expect"),
                                              bytes_of_text("100-continue"));
    web_exchange_begin(&s->exchange, &event);
}

void web_stream_end(struct web_stream *s)
{
    if (s->accepted && (!s->responded || s->exchange.service != NULL))
        web_site_body_end(&s->exchange);
    s->accepted = false;
}

/* What nobody wants is read past for a while, for clients that do not look at an answer before they
 * have sent all; then they are told to stop (§8.1). */
static void drop_data(struct web_stream *s, size_t len)
{
    s->held = false;
    consume(s, len);
    s->dropped += len;
    if (s->dropped > DROP_MAX && s->dropped - len <= DROP_MAX)
        http2_reset(core_of(s), &s->core, HTTP2_NO_ERROR);
}

void web_stream_body(struct web_stream *s, struct bytes data)
{
    if (data.len == 0)
        return;
    if (!s->accepted || (s->responded && s->exchange.service == NULL)) {
        drop_data(s, data.len);
        return;
    }
    s->body_len += data.len;
    web_http2_earn_time(s->connection, data.len);
    if (s->body_len > s->body_max) {
        web_site_body_failed(&s->exchange);
        s->accepted = s->held = false;
        consume(s, data.len);
        if (!s->responded)
            web_reply_error(&s->exchange, 413, NULL);
        else
            http2_reset(core_of(s), &s->core, HTTP2_CANCEL);
        return;
    }
    web_site_body(&s->exchange, data);
    consume(s, data.len); /* unless it is held now */
}
