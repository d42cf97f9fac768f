/* SPDX-License-Identifier: ISC */
/*
 * web_gateway.c - RFC 3875: §4.2 (the request's body), §6 (the response), and RFC 8297 (early hints).
 *
 * CONTENT_LENGTH must be right when there is a body (§4.1.2), so a body of unknown length is gathered
 * before the program starts; any other goes along as it comes.
 */
#include "app/web/web_gateway.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/web/web_cgi.h"
#include "app/web/web_fastcgi.h"
#include "wire/cgi/cgi_head.h"

static struct loop *loop_of(const struct web_gateway *g)
{
    return net_loop(g->web->net);
}

/* ---- time ---- */

static usec patience_of(const struct web_gateway *g)
{
    if (g->exchange == NULL)
        return WEB_DRAIN_TIMEOUT;
    return g->rule->answer_timeout > 0 ? g->rule->answer_timeout : WEB_ANSWER_TIMEOUT;
}

/* Something has moved. Who has gone earns no more time. */
static void touch(struct web_gateway *g)
{
    if (g->exchange != NULL)
        loop_set_alarm(loop_of(g), &g->alarm,
                       g->endless ? USEC_NEVER : loop_now(loop_of(g)) + patience_of(g));
}

static void free_gateway(struct web_gateway *g)
{
    loop_clear_alarm(loop_of(g), &g->alarm);
    list_remove(&g->node);
    web_flow_done(&g->in);
    web_flow_done(&g->out);
    page_done(&g->meta);
    page_done(&g->head);
    web_rules_release(g->rules);
    free(g);
}

static void on_due(struct alarm *alarm)
{
    struct web_gateway *g = CONTAINER_OF(alarm, struct web_gateway, alarm);
    if (g->exchange != NULL && g->out.stopped) {
        touch(g); /* it is the client who does not read, and has its own time for that */
        return;
    }
    if (g->exchange != NULL)
        web_gateway_say(g, "no answer in time");
    web_gateway_fail(g, 504);
}

/* ---- the log ---- */

void web_gateway_say(const struct web_gateway *g, const char *format, ...)
{
    char line[512];
    struct text text = text_of(line, sizeof line);
    struct bytes name, value;
    size_t at = 0;
    if (g->web->on_message == NULL)
        return;
    while (web_meta_next(page_bytes(&g->meta), &at, &name, &value))
        if (bytes_equal(name, bytes_of_text("REQUEST_URI")))
            text_add_bytes(&text, bytes_first(value, 100));
    text_add(&text, ": ");
    va_list arguments;
    va_start(arguments, format);
    text_add_format_list(&text, format, arguments);
    va_end(arguments);
    g->web->on_message(g->web->on_message_self, line);
}

static void end_complaint(struct web_gateway *g)
{
    if (g->complaint_len > 0 && g->complaints <= WEB_COMPLAINTS_MAX)
        web_gateway_say(g, "%.*s", (int)g->complaint_len,
                        g->complaints < WEB_COMPLAINTS_MAX ? g->complaint : "…");
    g->complaints += g->complaint_len > 0;
    g->complaint_len = 0;
}

void web_gateway_complain(struct web_gateway *g, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n' || g->complaint_len == sizeof g->complaint)
            end_complaint(g);
        if (text.data[i] != '\n' && text.data[i] != '\r')
            g->complaint[g->complaint_len++] = (char)text.data[i];
    }
}

/* ---- the request's body ---- */

static void start(struct web_gateway *g)
{
    g->started = true;
    touch(g);
    g->backend->start(g);
}

/* The whole body is here, and its length known. */
static void end_gathering(struct web_gateway *g)
{
    char length[24];
    snprintf(length, sizeof length, "%zu", g->in.len);
    web_meta_add_one(&g->meta, "CONTENT_LENGTH", bytes_of_text(length));
    g->gathers = false;
    if (g->meta.failed)
        web_gateway_fail(g, 503);
    else
        start(g);
}

static void on_body(struct web_exchange *exchange, struct bytes data)
{
    struct web_gateway *g = exchange->work;
    if (!g->has_body || g->over)
        return;
    if (!web_flow_add(&g->in, data)) {
        web_gateway_fail(g, 503);
        return;
    }
    touch(g);
    if (g->gathers) {
        if (g->in.len > WEB_GATHER_MAX)
            web_gateway_fail(g, 411);
        return;
    }
    if (web_flow_full(&g->in))
        exchange->transport->hold(exchange, true);
    if (g->started)
        g->backend->send(g);
}

static void on_body_end(struct web_exchange *exchange)
{
    struct web_gateway *g = exchange->work;
    if (!g->has_body || g->over)
        return;
    g->in.ended = true;
    if (g->gathers)
        end_gathering(g);
    else if (g->started)
        g->backend->send(g);
}

static void on_room_in(struct web_flow *flow)
{
    struct web_gateway *g = CONTAINER_OF(flow, struct web_gateway, in);
    if (g->exchange != NULL)
        g->exchange->transport->hold(g->exchange, false);
}

void web_gateway_sent(struct web_gateway *g, size_t len)
{
    touch(g);
    web_flow_drop(&g->in, len);
}

/* ---- the end ---- */

/* Has the client all that it was to have? */
static bool is_complete(const struct web_gateway *g, const struct web_exchange *exchange)
{
    bool nothing_left = exchange->body.kind != WEB_BODY_FLOW || exchange->body.len == 0 ||
                        web_body_ended(&exchange->body);
    return g->answered && (nothing_left || strcmp(exchange->method, "HEAD") == 0);
}

/* The exchange is over. A program that has answered may end in peace. */
static void on_done(struct web_exchange *exchange)
{
    struct web_gateway *g = exchange->work;
    bool complete = is_complete(g, exchange) && !g->out.failed;
    g->exchange = NULL;
    web_flow_done(&g->out);
    g->out.stopped = g->out.failed = false;
    if (g->over) {
        free_gateway(g);
        return;
    }
    if (!complete || !g->started || !(g->in.ended || !g->has_body)) {
        g->over = true;
        g->backend->cancel(g);
        free_gateway(g);
        return;
    }
    loop_set_alarm(loop_of(g), &g->alarm, loop_now(loop_of(g)) + WEB_DRAIN_TIMEOUT);
    g->backend->resume(g);
}

static void on_body_failed(struct web_exchange *exchange)
{
    struct web_gateway *g = exchange->work;
    if (!g->over) { /* the transport has answered, or will reset */
        g->answered = true;
        web_gateway_fail(g, 0);
    }
}

static const struct web_service service = {
    .body = on_body,
    .body_end = on_body_end,
    .body_failed = on_body_failed,
    .done = on_done,
};

static void wake(const struct web_gateway *g)
{
    g->exchange->transport->wake(g->exchange);
}

void web_gateway_fail(struct web_gateway *g, unsigned status)
{
    struct web_exchange *exchange = g->exchange;
    bool cancel = g->started && !g->over;
    g->over = true;
    loop_clear_alarm(loop_of(g), &g->alarm);
    if (cancel)
        g->backend->cancel(g);
    if (exchange == NULL) {
        free_gateway(g);
        return;
    }
    web_flow_done(&g->in);
    exchange->transport->hold(exchange, false);
    if (g->answered) {
        g->out.failed = true;
        if (exchange->body.kind == WEB_BODY_FLOW)
            wake(g);
        return;
    }
    g->answered = true;
    wake(g);
    const struct web_reply facts = {.retry_after = "5"};
    web_reply_error_with(exchange, status, NULL, status == 503 ? &facts : NULL);
}

/* ---- the response ---- */

/* Fields that we add ourselves say it once. */
static void respond(struct web_gateway *g, const struct cgi_head *head)
{
    struct web_exchange *exchange = g->exchange;
    struct bytes type = http_field_value(&head->fields, "Content-Type");
    bool none = head->status == 204 || head->status == 304;
    struct web_body body = {.kind = WEB_BODY_FLOW, .len = WEB_BODY_UNKNOWN, .flow = &g->out};
    if (head->has_length && !none)
        body.len = head->length;
    if (none)
        body = (struct web_body){0};
    g->length = none ? 0 : body.len;
    g->answered = true;
    g->endless = bytes_equal_nocase(bytes_first(type, bytes_find(type, ';')),
                                    bytes_of_text("text/event-stream"));
    if (g->endless)
        touch(g);
    wake(g);
    web_reply_fields(exchange, head->status, head->fields.list, head->fields.count, &body);
}

/* §6.2.2: answered as if the client had asked for that path. */
static void redirect(struct web_gateway *g, struct bytes location)
{
    struct web_exchange *exchange = g->exchange;
    char target[WEB_PATH_MAX];
    if (location.len >= sizeof target || exchange->redirects == WEB_REDIRECTS_MAX) {
        web_gateway_say(g, "redirected too often, or too far");
        web_gateway_fail(g, 502);
        return;
    }
    memcpy(target, location.data, location.len);
    exchange->redirects++;
    exchange->service = NULL;
    exchange->work = NULL;
    exchange->transport->hold(exchange, false);
    exchange->transport->wake(exchange);
    struct page_text meta = g->meta; /* it knows the request's fields, and goes with us */
    g->meta = (struct page_text){0};
    g->exchange = NULL;
    g->answered = true;
    web_flow_done(&g->in);
    if (!g->over)
        loop_set_alarm(loop_of(g), &g->alarm, loop_now(loop_of(g)) + WEB_DRAIN_TIMEOUT);
    web_site_again(exchange, bytes_of(target, location.len), page_bytes(&meta));
    page_done(&meta);
}

/* Only links are of use before there is an answer (RFC 8297 §2). */
static void hint(struct web_gateway *g, const struct cgi_head *head)
{
    struct http_field links[8];
    size_t count = 0;
    for (size_t i = 0; i < head->fields.count && count < ARRAY_LEN(links); i++)
        if (bytes_equal_nocase(head->fields.list[i].name, bytes_of_text("Link")))
            links[count++] = head->fields.list[i];
    if (head->status != 103 || count == 0)
        return;
    wake(g);
    (void)g->exchange->transport->interim(g->exchange, 103, links, count);
}

static void add_body(struct web_gateway *g, struct bytes data)
{
    if (g->length != WEB_BODY_UNKNOWN) {
        data = bytes_first(data, g->length < data.len ? (size_t)g->length : data.len);
        g->length -= data.len;
    }
    if (!web_flow_add(&g->out, data))
        g->out.failed = true;
    if (data.len > 0)
        wake(g);
}

/* Octets before the end of the head. Returns how many were used. */
static void take_head(struct web_gateway *g, struct bytes data)
{
    struct cgi_head *head = malloc(sizeof *head); /* it holds many fields */
    page_add_bytes(&g->head, data);
    while (!g->answered && !g->over) {
        struct bytes all = page_bytes(&g->head);
        size_t len = g->head.failed ? 0 : cgi_head_find_end(all, &g->scanned);
        if (head == NULL || g->head.failed || (len == 0 && all.len > CGI_HEAD_MAX)) {
            web_gateway_fail(g, 502);
        } else if (len == 0) {
            break;
        } else if (len > CGI_HEAD_MAX || cgi_head_decode(bytes_first(all, len), head) != WIRE_OK) {
            web_gateway_say(g, "its answer has no good head");
            web_gateway_fail(g, 502);
        } else if (head->kind == CGI_LOCAL_REDIRECT) {
            redirect(g, head->location);
        } else if (head->kind == CGI_INTERIM) {
            hint(g, head);
            memmove(g->head.data, g->head.data + len, all.len - len);
            g->head.len -= len;
            g->scanned = 0;
        } else {
            respond(g, head);
            add_body(g, bytes_after(all, len));
        }
    }
    free(head);
    if (g->answered)
        page_done(&g->head);
}

void web_gateway_output(struct web_gateway *g, struct bytes data)
{
    if (g->exchange == NULL || g->over || data.len == 0)
        return;
    touch(g);
    if (g->answered)
        add_body(g, data);
    else
        take_head(g, data);
}

bool web_gateway_full(struct web_gateway *g)
{
    return g->exchange != NULL && web_flow_full(&g->out);
}

static void on_room_out(struct web_flow *flow)
{
    struct web_gateway *g = CONTAINER_OF(flow, struct web_gateway, out);
    if (!g->over)
        g->backend->resume(g);
}

void web_gateway_over(struct web_gateway *g)
{
    if (g->over)
        return;
    g->over = true;
    end_complaint(g);
    loop_clear_alarm(loop_of(g), &g->alarm);
    if (g->exchange == NULL) {
        free_gateway(g);
        return;
    }
    if (!g->answered) {
        web_gateway_say(g, "it has ended without an answer");
        g->started = false;
        web_gateway_fail(g, 502);
        return;
    }
    web_flow_done(&g->in); /* the rest of the request is of use to nobody */
    g->exchange->transport->hold(g->exchange, false);
    g->out.ended = true;
    wake(g);
}

/* ---- the beginning ---- */

static unsigned prepare(struct web_gateway *g, const struct web_script *script)
{
    struct web_exchange *exchange = g->exchange;
    const struct http_framing *framing = &exchange->event->framing;
    web_meta_add(exchange, script, &g->meta);
    if (g->meta.failed)
        return 503;
    g->has_body = framing->kind != HTTP_FRAMING_NONE;
    g->gathers = framing->kind == HTTP_FRAMING_CHUNKED;
    g->in.ended = !g->has_body;
    return 0;
}

unsigned web_gateway_begin(struct web_gateway *g, struct web_exchange *exchange,
                           const struct web_script *script, const struct web_backend *backend)
{
    g->web = exchange->web;
    g->exchange = exchange;
    g->backend = backend;
    g->rule = exchange->place->rule;
    g->in.on_low = on_room_in;
    g->out.on_low = on_room_out;
    list_init(&g->node);
    alarm_init(&g->alarm, on_due);
    unsigned refusal = prepare(g, script);
    uint64_t max = g->rule->body_max > 0 ? g->rule->body_max : WEB_BODY_DEFAULT;
    if (refusal != 0) {
        page_done(&g->meta);
        return refusal;
    }
    g->rules = web_rules_use(exchange->rules);
    if (g->has_body && !exchange->transport->accept_body(exchange, max)) {
        free_gateway(g);
        return 0;
    }
    exchange->service = &service;
    exchange->work = g;
    list_append(&g->web->gateways, &g->node);
    if (g->gathers)
        touch(g);
    else
        start(g);
    return 0;
}

void web_gateways_done(struct web *web)
{
    struct list_node *node;
    while ((node = list_first(&web->gateways)) != NULL) {
        struct web_gateway *g = CONTAINER_OF(node, struct web_gateway, node);
        g->over = true;
        g->backend->cancel(g);
        free_gateway(g);
    }
}

void web_gateway_request(struct web_exchange *exchange, struct bytes path)
{
    struct web_script *script = malloc(sizeof *script);
    unsigned refusal = script == NULL ? 503 : web_script_find(exchange, path, script);
    if (strcmp(exchange->method, "TRACE") == 0 || strcmp(exchange->method, "CONNECT") == 0)
        refusal = 405;
    if (refusal == 0)
        refusal = exchange->place->rule->cgi ? web_cgi_request(exchange, script)
                                             : web_fastcgi_request(exchange, script);
    free(script);
    if (refusal == 405)
        web_reply_method(exchange, "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS");
    else if (refusal != 0)
        web_reply_error(exchange, refusal, NULL);
}
