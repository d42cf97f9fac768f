/* SPDX-License-Identifier: ISC */
/*
 * web_pass.c - RFC 9110 §3.7: a gateway. What is asked for goes on in normal form, with another prefix if the
 * rule says so; Location and Content-Location of the answer come back with the prefix that the client knows.
 * Trailers of the answer go to who wants them (§10.1.4).
 */
#include "app/web/web_pass.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/proxy/proxy_pass.h"
#include "base/encoding.h"
#include "wire/http/uri_reference.h"

enum { ENGINES_MAX = 64 };

/* A set of servers with all that is known of them. */
struct web_engine {
    struct list_node node; /* in web->engines */
    struct web_pass_options options;
    struct proxy *proxy;
    unsigned users;
};

struct pass {
    struct web_exchange *exchange;
    struct web_engine *engine;
    struct proxy_pass *pass; /* NULL: over, or another protocol has begun */
    struct stream *other;    /* of that; NULL: none */
    struct task task;
    struct web_flow in;      /* the request's content, when the server has no room for it */
    struct web_flow out;     /* what comes */
    struct proxy_pass_answer *answer;
    struct bytes prefix;     /* the rule's, */
    char *location;          /* a field with it */
    uint8_t *trailers;       /* of the answer; NULL: there are none, or nobody wants them */
    bool has_body;
    bool wants_trailers;
    bool body_ended;
    bool answered;
};

static struct loop *loop_of(const struct web *web)
{
    return net_loop(web->net);
}

/* ---- sets of servers ---- */

static void free_engine(struct web *web, struct web_engine *engine)
{
    list_remove(&engine->node);
    web->engine_count--;
    proxy_free(engine->proxy);
    free(engine);
}

static bool is_named(const struct web *web, const struct web_engine *engine)
{
    for (size_t i = 0; web->rules != NULL && i < web->rules->config.rule_count; i++) {
        const struct web_rule *rule = web->rules->places[i].rule;
        if (memcmp(&rule->pass, &engine->options, sizeof rule->pass) == 0)
            return true;
    }
    return false;
}

void web_pass_tidy(struct web *web)
{
    struct list_node *node = web->engines.next;
    while (node != &web->engines) {
        struct web_engine *engine = CONTAINER_OF(node, struct web_engine, node);
        node = node->next;
        if (engine->users == 0 && !is_named(web, engine))
            free_engine(web, engine);
    }
}

void web_pass_done(struct web *web)
{
    struct list_node *node;
    while ((node = list_first(&web->engines)) != NULL)
        free_engine(web, CONTAINER_OF(node, struct web_engine, node));
    tls_client_free(web->pass_tls);
    web->pass_tls = NULL;
}

static int open_engine(struct web *web, struct web_engine *engine)
{
    const struct web_pass_options *from = &engine->options;
    struct proxy_options *options = calloc(1, sizeof *options);
    const struct tls_client_options tls = {.alpn = "http/1.1"};
    char ignored[256];
    struct text said = text_of(ignored, sizeof ignored);
    if (options == NULL)
        return -ENOMEM;
    /* Of Via, by which a request that comes round is known: nobody else's. */
    char name[32];
    snprintf(name, sizeof name, "wholenet-%08x",
             (unsigned)prng_u64(loop_prng(loop_of(web))));
    options->name = name;
    options->reverse = true;
    memcpy(options->servers, from->servers, sizeof from->servers);
    options->server_count = from->count;
    options->balance = from->balance;
    options->health = from->health;
    options->slow_start = from->slow_start;
    options->cache_octets = (size_t)from->cache_octets;
    options->keep_host = from->keep_host;
    options->forwarded = true;
    options->answer_timeout = from->timeout;
    for (uint32_t i = 0; i < from->count && web->pass_tls == NULL; i++)
        if (from->servers[i].tls &&
            tls_client_new(loop_of(web), &tls, &said, &web->pass_tls) < 0)
            break;
    options->tls_client = web->pass_tls;
    int status = proxy_new(web->net, options, &engine->proxy);
    free(options);
    return status;
}

/* NULL: no memory, or too many. */
static struct web_engine *engine_of(struct web *web, const struct web_pass_options *options)
{
    for (struct list_node *node = web->engines.next; node != &web->engines; node = node->next) {
        struct web_engine *engine = CONTAINER_OF(node, struct web_engine, node);
        if (memcmp(&engine->options, options, sizeof *options) == 0)
            return engine;
    }
    web_pass_tidy(web);
    struct web_engine *engine =
        web->engine_count < ENGINES_MAX ? calloc(1, sizeof *engine) : NULL;
    if (engine == NULL)
        return NULL;
    memcpy(&engine->options, options, sizeof *options);
    if (open_engine(web, engine) < 0) {
        free(engine);
        return NULL;
    }
    list_append(&web->engines, &engine->node);
    web->engine_count++;
    return engine;
}

/* ---- the answer ---- */

static void wake(const struct pass *pass)
{
    pass->exchange->transport->wake(pass->exchange);
}

/* §6.5.1: a client of HTTP/1 has to have said that it knows what to do with them. */
static bool wants_trailers(const struct web_exchange *exchange)
{
    const struct http_request_head *head = &exchange->event->head;
    return strcmp(exchange->protocol, "HTTP/2") == 0 ||
           (head->version == HTTP_VERSION_1_1 && http_field_has(&head->fields, "TE", "trailers"));
}

static void end_answer(struct pass *pass)
{
    struct bytes trailers = pass->wants_trailers ? proxy_pass_trailers(pass->pass) : bytes_empty();
    pass->trailers = trailers.len > 0 ? malloc(trailers.len) : NULL;
    if (pass->trailers != NULL) {
        memcpy(pass->trailers, trailers.data, trailers.len);
        pass->out.trailers = bytes_of(pass->trailers, trailers.len);
    }
    pass->out.ended = true;
}

/* What has come goes on to the client, as far as there is room. */
static void pump(struct pass *pass)
{
    struct bytes octets;
    while (pass->pass != NULL && !pass->out.ended && !pass->out.failed &&
           !web_flow_full(&pass->out)) {
        switch (proxy_pass_read(pass->pass, &octets)) {
        case PROXY_PASS_OCTETS:
            if (!web_flow_add(&pass->out, octets))
                pass->out.failed = true;
            proxy_pass_used(pass->pass, octets.len);
            break;
        case PROXY_PASS_LATER:
            return;
        case PROXY_PASS_END:
            end_answer(pass);
            break;
        case PROXY_PASS_BROKEN:
            pass->out.failed = true;
            break;
        }
        wake(pass);
    }
}

/* A place on one of the servers, as the client has to ask for it; other values stay. */
static struct bytes rewritten(struct pass *pass, struct bytes value)
{
    const struct web_pass_options *options = &pass->engine->options;
    struct uri_parts parts;
    struct bytes host, path = bytes_of_text(options->path), from = value;
    uint16_t port = 0;
    uri_split(value, &parts);
    if (parts.has_authority) {
        bool ours = false;
        bool tls = bytes_equal_nocase(parts.scheme, bytes_of_text("https"));
        bool good = uri_authority_parse(parts.authority, &host, &port);
        for (uint32_t i = 0; good && i < options->count; i++)
            ours |= bytes_equal_nocase(host, bytes_of_text(options->servers[i].host)) &&
                    (port != 0 ? port : tls ? 443 : 80) == options->servers[i].port;
        if (!ours)
            return value;
        from = bytes_of(parts.path.data, value.len - (size_t)(parts.path.data - value.data));
    }
    if (path.len == 0) /* nothing is rewritten on the way there */
        return from.len > 0 ? from : bytes_of_text("/");
    if (!bytes_equal(bytes_first(from, path.len), path))
        return value;
    struct bytes rest = bytes_after(from, path.len);
    pass->location = malloc(pass->prefix.len + rest.len + 1);
    if (pass->location == NULL)
        return value;
    memcpy(pass->location, pass->prefix.data, pass->prefix.len);
    memcpy(pass->location + pass->prefix.len, rest.data, rest.len);
    return bytes_of(pass->location, pass->prefix.len + rest.len);
}

static void on_answer(void *self)
{
    struct pass *pass = self;
    struct web_exchange *exchange = pass->exchange;
    struct proxy_pass_answer *answer = pass->answer;
    proxy_pass_answer(pass->pass, answer);
    for (size_t i = 0; i < answer->field_count; i++)
        if (bytes_equal_nocase(answer->fields[i].name, bytes_of_text("Location")))
            answer->fields[i].value = rewritten(pass, answer->fields[i].value);
    struct web_body body = {.kind = WEB_BODY_FLOW, .len = answer->length, .flow = &pass->out};
    if (answer->status == 204 || answer->status == 304)
        body = (struct web_body){.kind = WEB_BODY_NONE};
    pass->answered = true;
    pass->out.ended = !answer->has_body && answer->length == WEB_BODY_UNKNOWN;
    wake(pass);
    web_reply_fields(exchange, answer->status, answer->fields, answer->field_count, &body);
    if (answer->has_body)
        pump(pass);
}

static void on_octets(void *self)
{
    struct pass *pass = self;
    if (pass->answered && pass->answer->has_body)
        pump(pass);
}

static void on_interim(void *self, unsigned status, const struct http_fields *fields)
{
    struct pass *pass = self;
    if (status == 100 || pass->answered)
        return; /* the client was told so when its content was wanted */
    wake(pass);
    (void)pass->exchange->transport->interim(pass->exchange, status, fields->list, fields->count);
}

static void on_failed(void *self, unsigned status, const char *why)
{
    struct pass *pass = self;
    if (pass->answered) {
        pass->out.failed = true;
        wake(pass);
        return;
    }
    pass->answered = true;
    web_flow_done(&pass->in);
    pass->exchange->transport->hold(pass->exchange, false);
    if (why != NULL && pass->exchange->web->on_message != NULL)
        pass->exchange->web->on_message(pass->exchange->web->on_message_self, why);
    wake(pass);
    web_reply_error(pass->exchange, status, NULL);
}

/* ---- another protocol ---- */

static size_t other_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct pass *pass = self;
    if (web_flow_full(&pass->out))
        return 0;
    if (!web_flow_add(&pass->out, in))
        pass->out.failed = true;
    wake(pass);
    return in.len;
}

static void other_end(void *self, struct stream *stream UNUSED)
{
    struct pass *pass = self;
    pass->out.ended = true;
    wake(pass);
}

static void send_other(struct pass *pass)
{
    struct bytes data;
    while (pass->other != NULL && (data = web_flow_bytes(&pass->in)).len > 0) {
        size_t sent = stream_send(pass->other, data);
        if (sent == 0)
            return;
        web_flow_drop(&pass->in, sent);
    }
    if (pass->other != NULL && pass->in.ended)
        stream_finish(pass->other);
}

static void other_room(void *self, struct stream *stream UNUSED)
{
    send_other(self);
}

static void other_closed(void *self, struct stream *stream UNUSED, int error)
{
    struct pass *pass = self;
    pass->other = NULL;
    pass->out.ended |= error == 0;
    pass->out.failed |= error != 0;
    wake(pass);
}

static const struct stream_handler other_handler = {.on_bytes = other_bytes,
                                                    .on_end = other_end,
                                                    .on_room = other_room,
                                                    .on_closed = other_closed};

static void on_switched(void *self, struct stream *stream, const struct http_fields *fields)
{
    struct pass *pass = self;
    struct web_exchange *exchange = pass->exchange;
    proxy_pass_free(pass->pass);
    pass->pass = NULL;
    pass->answered = true;
    pass->other = stream;
    stream_set_handler(stream, &other_handler, pass);
    stream_set_deadline(stream, USEC_NEVER);
    exchange->body = (struct web_body){.kind = WEB_BODY_FLOW,
                                       .len = WEB_BODY_UNKNOWN,
                                       .flow = &pass->out};
    wake(pass);
    if (!exchange->transport->switch_to(exchange, fields->list, fields->count)) {
        pass->out.failed = true;
        return;
    }
    stream_resume(stream);
    send_other(pass);
}

/* ---- the request's content ---- */

static void send_content(struct pass *pass)
{
    struct bytes data;
    while (pass->pass != NULL && (data = web_flow_bytes(&pass->in)).len > 0) {
        size_t taken = proxy_pass_body(pass->pass, data);
        if (taken == 0)
            return;
        web_flow_drop(&pass->in, taken);
    }
    if (pass->pass != NULL && pass->in.ended && !pass->body_ended)
        pass->body_ended = proxy_pass_body_end(pass->pass);
}

static void on_room(void *self)
{
    struct pass *pass = self;
    loop_queue(loop_of(pass->exchange->web), &pass->task);
}

/* There is room again, on either side. */
static void on_task(struct task *task)
{
    struct pass *pass = CONTAINER_OF(task, struct pass, task);
    if (pass->other != NULL) {
        stream_resume(pass->other);
        return;
    }
    send_content(pass);
    if (pass->answered && pass->answer->has_body)
        pump(pass);
}

static void on_low_out(struct web_flow *flow)
{
    struct pass *pass = CONTAINER_OF(flow, struct pass, out);
    loop_queue(loop_of(pass->exchange->web), &pass->task);
}

static void on_low_in(struct web_flow *flow)
{
    struct pass *pass = CONTAINER_OF(flow, struct pass, in);
    pass->exchange->transport->hold(pass->exchange, false);
}

static void take_content(struct web_exchange *exchange, struct bytes data)
{
    struct pass *pass = exchange->work;
    if (pass->pass == NULL && pass->other == NULL)
        return;
    if (!web_flow_add(&pass->in, data)) {
        on_failed(pass, 503, NULL);
        return;
    }
    if (pass->other != NULL)
        send_other(pass);
    else
        send_content(pass);
    if (web_flow_full(&pass->in))
        exchange->transport->hold(exchange, true);
}

static void end_content(struct web_exchange *exchange)
{
    struct pass *pass = exchange->work;
    pass->in.ended = true;
    if (pass->other != NULL)
        send_other(pass);
    else
        send_content(pass);
}

static void content_failed(struct web_exchange *exchange)
{
    struct pass *pass = exchange->work;
    if (pass->pass != NULL)
        proxy_pass_free(pass->pass); /* which cuts the request off */
    pass->pass = NULL;
    pass->answered = true;
    pass->out.failed = true;
}

static void free_pass(struct pass *pass)
{
    if (pass->pass != NULL)
        proxy_pass_free(pass->pass);
    if (pass->other != NULL)
        stream_abort(pass->other);
    loop_unqueue(&pass->task);
    web_flow_done(&pass->in);
    web_flow_done(&pass->out);
    pass->engine->users--;
    free(pass->location);
    free(pass->trailers);
    free(pass->answer);
    free(pass);
}

static void on_done(struct web_exchange *exchange)
{
    free_pass(exchange->work);
}

static const struct web_service service = {.body = take_content,
                                           .body_end = end_content,
                                           .body_failed = content_failed,
                                           .done = on_done};

/* ---- the beginning ---- */

/* Is that what the client has written, but for its encoding? Not if it had dots in it, or was rewritten. */
static bool says_the_same(struct bytes raw, struct bytes path)
{
    size_t at = 0;
    for (size_t i = 0; i < raw.len; i++, at++) {
        uint8_t octet = raw.data[i];
        if (octet == '%') {
            struct writer w = writer_of(&octet, 1);
            if (!encoding_decode(ENCODING_BASE16, bytes_first(bytes_after(raw, i + 1), 2), &w))
                return false;
            i += 2;
        }
        if (at == path.len || path.data[at] != octet)
            return false;
    }
    return at == path.len;
}

static void write_path(struct writer *w, struct bytes path)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < path.len; i++) {
        uint8_t octet = path.data[i];
        if ((octet >= '0' && octet <= '9') || (octet >= 'A' && octet <= 'Z') ||
            (octet >= 'a' && octet <= 'z') ||
            (octet != 0 && strchr("/-._~!$&'()*+,;=:@", octet) != NULL)) {
            write_u8(w, octet);
            continue;
        }
        write_u8(w, '%');
        write_u8(w, (uint8_t)hex[octet >> 4]);
        write_u8(w, (uint8_t)hex[octet & 15]);
    }
}

static unsigned make_uri(const struct pass *pass, struct bytes path, struct writer *encoded,
                         struct writer *uri)
{
    const struct web_exchange *exchange = pass->exchange;
    const struct uri_target *asked = &exchange->event->target;
    struct uri_parts parts = {.scheme = bytes_of_text(exchange->secure ? "https" : "http"),
                              .authority = http_field_value(&exchange->event->head.fields, "Host"),
                              .path = asked->path,
                              .query = asked->query,
                              .fragment = bytes_empty(),
                              .has_scheme = true,
                              .has_authority = true,
                              .has_query = asked->has_query};
    if (!says_the_same(asked->path, path)) {
        write_path(encoded, path);
        parts.path = writer_bytes(encoded);
    }
    if (asked->form == URI_ABSOLUTE)
        parts.authority = asked->authority;
    if (parts.authority.len == 0)
        parts.authority = bytes_of_text(pass->engine->options.servers[0].host);
    if (encoded->failed)
        return 414;
    if (!uri_normalise(&parts, uri))
        return uri->failed && writer_room(uri) == 0 ? 414 : 400;
    return 0;
}

/* What is asked for, in normal form: absolute, and as the server is to see it. What rules were looked for by
 * is what goes on. 0 or a status. */
static unsigned make_target(const struct pass *pass, struct bytes path, struct writer *uri,
                            struct writer *target)
{
    uint8_t *block = malloc(URI_MAX);
    if (block == NULL)
        return 503;
    struct writer encoded = writer_of(block, URI_MAX);
    unsigned refusal = make_uri(pass, path, &encoded, uri);
    free(block);
    if (refusal != 0)
        return refusal;
    const struct web_pass_options *options = &pass->engine->options;
    struct uri_parts parts;
    uri_split(writer_bytes(uri), &parts);
    path = parts.path;
    if (options->path[0] != '\0' && bytes_equal(bytes_first(path, pass->prefix.len), pass->prefix)) {
        write_bytes(target, bytes_of_text(options->path));
        path = bytes_after(path, pass->prefix.len);
    }
    write_bytes(target, path);
    if (parts.has_query) {
        write_u8(target, '?');
        write_bytes(target, parts.query);
    }
    return target->failed ? 414 : 0;
}

static struct bytes upgrade_of(const struct web_exchange *exchange)
{
    const struct http_fields *fields = &exchange->event->head.fields;
    struct bytes value;
    return exchange->transport->switch_to != NULL &&
                   http_field_has(fields, "Connection", "upgrade") &&
                   http_field_find(fields, "Upgrade", &value)
               ? value
               : bytes_empty();
}

static const struct proxy_pass_handler handler = {.on_answer = on_answer,
                                                  .on_octets = on_octets,
                                                  .on_room = on_room,
                                                  .on_interim = on_interim,
                                                  .on_switched = on_switched,
                                                  .on_failed = on_failed};

static unsigned start(struct pass *pass, struct bytes path)
{
    struct web_exchange *exchange = pass->exchange;
    const struct http_server_event *event = exchange->event;
    uint8_t *block = malloc(2 * URI_MAX);
    if (block == NULL)
        return 503;
    struct writer uri = writer_of(block, URI_MAX), target = writer_of(block + URI_MAX, URI_MAX);
    unsigned refusal = make_target(pass, path, &uri, &target);
    const struct proxy_pass_request request = {
        .method = event->head.method,
        .uri = writer_bytes(&uri),
        .target = writer_bytes(&target),
        .fields = &event->head.fields,
        .has_body = pass->has_body,
        .body_len = event->framing.kind == HTTP_FRAMING_LENGTH ? event->framing.length : UINT64_MAX,
        .upgrade = upgrade_of(exchange),
        .peer = exchange->peer,
        .secured = exchange->secure,
        .old = event->head.version == HTTP_VERSION_1_0,
    };
    if (refusal == 0)
        refusal = proxy_pass_new(pass->engine->proxy, &request, &handler, pass, &pass->pass);
    free(block);
    return refusal;
}

static struct pass *pass_new(struct web_exchange *exchange, struct web_engine *engine)
{
    struct pass *pass = calloc(1, sizeof *pass);
    struct proxy_pass_answer *answer = malloc(sizeof *answer);
    if (pass == NULL || answer == NULL) {
        free(pass);
        free(answer);
        return NULL;
    }
    pass->exchange = exchange;
    pass->engine = engine;
    pass->answer = answer;
    const struct web_rule *rule = exchange->place->rule;
    pass->prefix = bytes_of_text(rule->match == WEB_MATCH_PREFIX || rule->match == WEB_MATCH_EXACT
                                     ? rule->pattern
                                     : "/");
    pass->has_body = exchange->event->framing.kind != HTTP_FRAMING_NONE;
    pass->wants_trailers = wants_trailers(exchange);
    pass->in.on_low = on_low_in;
    pass->out.on_low = on_low_out;
    task_init(&pass->task, on_task);
    engine->users++;
    return pass;
}

void web_pass_request(struct web_exchange *exchange, struct bytes path)
{
    const struct web_rule *rule = exchange->place->rule;
    uint64_t max = rule->body_max > 0 ? rule->body_max : WEB_BODY_DEFAULT;
    if (strcmp(exchange->method, "TRACE") == 0 || strcmp(exchange->method, "CONNECT") == 0) {
        web_reply_method(exchange, "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH");
        return;
    }
    struct web_engine *engine = engine_of(exchange->web, &rule->pass);
    struct pass *pass = engine != NULL ? pass_new(exchange, engine) : NULL;
    unsigned refusal = pass == NULL ? 503 : start(pass, path);
    if (refusal != 0) {
        if (pass != NULL)
            free_pass(pass);
        web_reply_error(exchange, refusal, NULL);
        return;
    }
    exchange->service = &service;
    exchange->work = pass;
    if (pass->has_body && !exchange->transport->accept_body(exchange, max)) {
        exchange->service = NULL;
        exchange->work = NULL;
        free_pass(pass);
    }
}
