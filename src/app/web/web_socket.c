/* SPDX-License-Identifier: ISC */
/*
 * web_socket.c - the server's side of WebSocket: RFC 6455 §4.2 (handshake), §10.2 (origins), RFC 8441
 * (over HTTP/2), RFC 7692 (compression), and the programs behind it.
 */
#include "app/web/web_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/web/web_accept.h"
#include "app/web/web_deflate.h"
#include "proto/websocket/websocket_session.h"
#include "wire/http/http_list.h"
#include "wire/http/http_octets.h"

enum { ARGUMENTS_MAX = 16, ENVIRONMENT_MAX = HTTP_FIELDS_MAX + WEB_PARAMS_MAX + 40 };

struct web_socket {
    struct web *web;
    struct web_exchange *exchange;
    struct web_rules *rules;      /* used */
    const struct web_rule *rule;
    struct websocket_session session;
    struct web_flow in;           /* of the client, not read yet */
    struct web_flow out;          /* to it: the body of the response */
    struct web_flow to_program;
    struct web_flow message;      /* from the client, for who wants it whole */
    struct web_flow line;         /* from the program, not at its end yet */
    struct web_inflater *inflater; /* while a compressed message comes */
    struct websocket_utf8 utf8;   /* of that */
    bool compression;
    bool closed;                  /* nothing more is heard */
    struct program *program;      /* NULL: echo, or it is over */
    struct alarm alarm;
    char target[100];             /* for the log */
};

static struct loop *loop_of(const struct web_socket *s)
{
    return net_loop(s->web->net);
}

static usec now_of(const struct web_socket *s)
{
    return loop_now(loop_of(s));
}

static size_t message_max(const struct web_socket *s)
{
    return s->rule->websocket_max > 0 ? (size_t)s->rule->websocket_max : WEB_SOCKET_MESSAGE_DEFAULT;
}

static void say(const struct web_socket *s, const char *what, struct bytes text)
{
    char line[400];
    if (s->web->on_message == NULL)
        return;
    snprintf(line, sizeof line, "%s: %s%.*s", s->target, what, (int)(text.len < 240 ? text.len : 240),
             (const char *)text.data);
    s->web->on_message(s->web->on_message_self, line);
}

/* ---- to the client ---- */

static void settle(struct web_socket *s)
{
    struct bytes output = websocket_output(&s->session);
    if (output.len > 0 && web_flow_add(&s->out, output))
        websocket_sent(&s->session, output.len);
    if (websocket_over(&s->session) && !s->out.ended) {
        s->closed = true;
        s->out.ended = true;
    }
    loop_set_alarm(loop_of(s), &s->alarm, websocket_deadline(&s->session));
    s->exchange->transport->wake(s->exchange);
}

static void give_up(struct web_socket *s, unsigned code, const char *why)
{
    say(s, why, bytes_empty());
    websocket_close(&s->session, code, bytes_empty(), now_of(s));
    settle(s);
}

/* A message goes in one frame. */
static bool put_frame(struct web_socket *s, bool text, bool compressed, struct bytes payload)
{
    struct websocket_header header;
    uint8_t room[WEBSOCKET_HEADER_MAX];
    struct writer w = writer_of(room, sizeof room);
    enum websocket_opcode opcode = text ? WEBSOCKET_TEXT : WEBSOCKET_BINARY;
    if (!websocket_frame(&s->session, opcode, compressed, payload.len, &header))
        return true; /* it has been closed */
    websocket_header_encode(&w, &header);
    return web_flow_add(&s->out, writer_bytes(&w)) && web_flow_add(&s->out, payload);
}

static bool put_compressed(struct web_socket *s, bool text, struct bytes payload)
{
    struct web_flow smaller = {0};
    if (s->web->deflater == NULL)
        s->web->deflater = web_deflater_new();
    if (s->web->deflater == NULL || !web_deflate(s->web->deflater, payload, &smaller))
        return put_frame(s, text, false, payload);
    bool good = put_frame(s, text, true, web_flow_bytes(&smaller));
    web_flow_done(&smaller);
    return good;
}

static void send_message(struct web_socket *s, bool text, struct bytes payload)
{
    bool good = s->compression && payload.len >= WEB_DEFLATE_MIN
                    ? put_compressed(s, text, payload)
                    : put_frame(s, text, false, payload);
    if (!good)
        s->out.failed = true;
}

/* ---- the program ---- */

static void feed_program(struct web_socket *s)
{
    if (s->program == NULL) {
        web_flow_done(&s->to_program);
        return;
    }
    struct bytes data = web_flow_bytes(&s->to_program);
    web_flow_drop(&s->to_program, program_write(s->program, data));
}

static void pump(struct web_socket *s);

static void on_room(void *self)
{
    struct web_socket *s = self;
    feed_program(s);
    pump(s);
}

/* A line is a message; it must be text (RFC 6455 §8.1 holds for what we send, too). */
static void send_line(struct web_socket *s)
{
    struct bytes line = web_flow_bytes(&s->line);
    struct websocket_utf8 utf8 = {0};
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    if (websocket_utf8_input(&utf8, line) && websocket_utf8_whole(&utf8))
        send_message(s, true, line);
    else
        give_up(s, WEBSOCKET_INTERNAL_ERROR, "the program has written a line that is no UTF-8");
    web_flow_done(&s->line);
}

static void take_lines(struct web_socket *s, struct bytes data)
{
    while (data.len > 0) {
        size_t end = bytes_find(data, '\n');
        if (s->line.len + end > message_max(s) || !web_flow_add(&s->line, bytes_first(data, end))) {
            give_up(s, WEBSOCKET_INTERNAL_ERROR, "the program has written a line that is too long");
            return;
        }
        if (end < data.len)
            send_line(s);
        data = bytes_after(data, end + 1);
    }
}

static size_t on_output(void *self, struct bytes data)
{
    struct web_socket *s = self;
    if (web_flow_full(&s->out))
        return 0; /* on_room_out() goes on */
    if (s->rule->websocket_binary)
        send_message(s, false, data);
    else
        take_lines(s, data);
    settle(s);
    return data.len;
}

static void on_complaint(void *self, struct bytes data)
{
    struct web_socket *s = self;
    while (data.len > 0) {
        size_t end = bytes_find(data, '\n');
        if (end > 0)
            say(s, "", bytes_first(data, end));
        data = bytes_after(data, end + 1);
    }
}

static void on_ended(void *self, int exit_code)
{
    struct web_socket *s = self;
    s->program = NULL;
    if (s->line.len > 0)
        send_line(s);
    if (exit_code != 0)
        say(s, "the program has ended with a failure", bytes_empty());
    websocket_close(&s->session, exit_code == 0 ? WEBSOCKET_NORMAL : WEBSOCKET_INTERNAL_ERROR,
                    bytes_empty(), now_of(s));
    settle(s);
}

static const struct program_handler program_handler = {
    .on_output = on_output,
    .on_complaint = on_complaint,
    .on_room = on_room,
    .on_ended = on_ended,
};

static void make_environment(const struct page_text *meta, const char *list[ENVIRONMENT_MAX + 2])
{
    static const char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    struct bytes name, value;
    size_t count = 0;
    size_t at = 0;
    list[count++] = path;
    while (count <= ENVIRONMENT_MAX && web_meta_next(page_bytes(meta), &at, &name, &value))
        list[count++] = (const char *)name.data;
    list[count] = NULL;
}

/* Words are between spaces. */
static void split(char *command, const char *argv[ARGUMENTS_MAX + 1])
{
    size_t count = 0;
    for (char *word = command; *word != '\0' && count < ARGUMENTS_MAX;) {
        size_t len = strcspn(word, " ");
        if (len > 0)
            argv[count++] = word;
        word += len;
        if (*word == ' ')
            *word++ = '\0';
    }
    argv[count] = NULL;
}

/* 0 or a negative errno. */
static int start_program(struct web_socket *s, struct bytes path, struct bytes protocol)
{
    char command[WEB_TEXT_MAX];
    const char *argv[ARGUMENTS_MAX + 1];
    const char *environment[ENVIRONMENT_MAX + 2];
    struct page_text meta = {0};
    struct web_script *script = calloc(1, sizeof *script);
    if (script == NULL)
        return -ENOMEM;
    web_script_split(s->rule, path, script);
    web_meta_add(s->exchange, script, &meta);
    free(script);
    if (protocol.len > 0)
        web_meta_add_one(&meta, "WEBSOCKET_PROTOCOL", protocol);
    memcpy(command, s->rule->websocket, sizeof command);
    split(command, argv);
    make_environment(&meta, environment);
    const struct program_options options = {.argv = argv, .environment = environment};
    int status = meta.failed ? -ENOMEM
                             : program_start(&s->web->socket_programs, &options, &program_handler, s,
                                             &s->program);
    page_done(&meta);
    return status;
}

/* ---- from the client ---- */

static bool is_echo(const struct web_socket *s)
{
    return strcmp(s->rule->websocket, WEB_SOCKET_ECHO) == 0;
}

/* A piece of a message as it was meant. */
static void deliver(struct web_socket *s, const struct websocket_event *event, struct bytes data)
{
    if (is_echo(s)) {
        if (data.data != web_flow_bytes(&s->message).data && !web_flow_add(&s->message, data))
            s->out.failed = true;
        if (event->last) {
            send_message(s, event->text, web_flow_bytes(&s->message));
            web_flow_done(&s->message);
        }
        return;
    }
    bool line_ends = event->last && !s->rule->websocket_binary;
    if (!web_flow_add(&s->to_program, data) ||
        (line_ends && !web_flow_add(&s->to_program, bytes_of_text("\n"))))
        s->out.failed = true;
    feed_program(s);
}

/* RFC 7692 §6.2. The whole is inflated before it is delivered, so that its end is known to be right. */
static void deliver_compressed(struct web_socket *s, const struct websocket_event *event)
{
    if (event->first) {
        s->inflater = web_inflater_new();
        s->utf8 = (struct websocket_utf8){0};
    }
    size_t before = s->message.len;
    enum web_inflate result = s->inflater == NULL
                                  ? WEB_INFLATE_TOO_BIG
                                  : web_inflate(s->inflater, event->data, event->last,
                                                message_max(s), &s->message);
    unsigned code = result == WEB_INFLATED            ? 0
                    : result == WEB_INFLATE_TOO_BIG ? WEBSOCKET_TOO_BIG
                                                    : WEBSOCKET_INVALID_DATA;
    struct bytes fresh = bytes_after(web_flow_bytes(&s->message), before);
    if (code == 0 && event->text &&
        (!websocket_utf8_input(&s->utf8, fresh) ||
         (event->last && !websocket_utf8_whole(&s->utf8))))
        code = WEBSOCKET_INVALID_DATA;
    if (event->last || code != 0) {
        web_inflater_free(s->inflater);
        s->inflater = NULL;
    }
    if (code != 0) {
        websocket_close(&s->session, code, bytes_empty(), now_of(s));
        s->closed = true;
        s->out.ended = true;
    } else if (event->last) {
        deliver(s, event, web_flow_bytes(&s->message));
        web_flow_done(&s->message);
    }
}

static void on_event(struct web_socket *s, const struct websocket_event *event)
{
    switch (event->kind) {
    case WEBSOCKET_DATA:
        if (event->compressed)
            deliver_compressed(s, event);
        else
            deliver(s, event, event->data);
        break;
    case WEBSOCKET_CLOSED:
        s->closed = true;
        if (s->program != NULL)
            program_write_end(s->program);
        break;
    case WEBSOCKET_PONGED:
    case WEBSOCKET_NO_EVENT:
        break;
    }
}

/* Reads as long as what follows from it has room. */
static void pump(struct web_socket *s)
{
    struct websocket_event event;
    size_t used;
    bool room;
    do {
        struct bytes output = websocket_output(&s->session);
        if (output.len > 0 && web_flow_add(&s->out, output))
            websocket_sent(&s->session, output.len);
        room = !web_flow_full(&s->out) && !web_flow_full(&s->to_program);
        if (!room || s->closed)
            break;
        used = websocket_input(&s->session, web_flow_bytes(&s->in), now_of(s), &event);
        web_flow_drop(&s->in, used);
        on_event(s, &event);
    } while (used > 0 || event.kind != WEBSOCKET_NO_EVENT);
    if (s->closed)
        web_flow_done(&s->in);
    s->exchange->transport->hold(s->exchange, s->in.len > 0 && !s->closed);
    settle(s);
}

static void on_body(struct web_exchange *exchange, struct bytes data)
{
    struct web_socket *s = exchange->work;
    if (s->closed)
        return;
    if (!web_flow_add(&s->in, data)) {
        s->out.failed = true;
        return;
    }
    pump(s);
}

/* The client has gone without a close (§7.1.5: 1006). */
static void on_body_end(struct web_exchange *exchange)
{
    struct web_socket *s = exchange->work;
    s->closed = true;
    s->out.ended = true;
    exchange->transport->wake(exchange);
}

static void on_room_out(struct web_flow *flow)
{
    struct web_socket *s = CONTAINER_OF(flow, struct web_socket, out);
    if (s->program != NULL)
        program_resume(s->program);
    loop_set_alarm(loop_of(s), &s->alarm, now_of(s)); /* pump(), but not from within a call of the flow's */
}

static void on_due(struct alarm *alarm)
{
    struct web_socket *s = CONTAINER_OF(alarm, struct web_socket, alarm);
    websocket_tick(&s->session, now_of(s));
    if (websocket_failed(&s->session) && !s->closed) {
        s->closed = true;
        s->out.failed = true; /* nobody is there to read more */
    }
    pump(s);
}

static void on_done(struct web_exchange *exchange)
{
    struct web_socket *s = exchange->work;
    if (s->program != NULL)
        program_kill(s->program);
    loop_clear_alarm(loop_of(s), &s->alarm);
    web_flow_done(&s->in);
    web_flow_done(&s->out);
    web_flow_done(&s->to_program);
    web_flow_done(&s->message);
    web_flow_done(&s->line);
    web_inflater_free(s->inflater);
    web_rules_release(s->rules);
    free(s);
}

static const struct web_service service = {
    .body = on_body,
    .body_end = on_body_end,
    .body_failed = on_body_end,
    .done = on_done,
};

/* ---- the handshake ---- */

/* Browsers say which page has asked (§10.2); others say nothing, and could say anything. */
static bool origin_good(const struct web_exchange *exchange)
{
    const struct web_rule *rule = exchange->place->rule;
    const struct http_fields *fields = &exchange->event->head.fields;
    struct bytes origin;
    if (!http_field_find(fields, "Origin", &origin))
        return true;
    for (uint32_t i = 0; i < rule->websocket_origin_count; i++)
        if (strcmp(rule->websocket_origins[i], WEB_SOCKET_ANY_ORIGIN) == 0 ||
            bytes_equal_nocase(origin, bytes_of_text(rule->websocket_origins[i])))
            return true;
    struct bytes scheme = bytes_of_text(exchange->secure ? "https://" : "http://");
    return rule->websocket_origin_count == 0 &&
           bytes_equal(bytes_first(origin, scheme.len), scheme) &&
           bytes_equal_nocase(bytes_after(origin, scheme.len), http_field_value(fields, "Host"));
}

/* Has the client named it? The field may be there more than once (§11.3.4), and tells cases apart. */
static bool is_offered(const struct http_fields *fields, const char *protocol)
{
    struct bytes element;
    for (size_t i = 0; i < fields->count; i++) {
        struct bytes list = fields->list[i].value;
        while (bytes_equal_nocase(fields->list[i].name, bytes_of_text("Sec-WebSocket-Protocol")) &&
               http_list_next(&list, &element))
            if (bytes_equal(element, bytes_of_text(protocol)))
                return true;
    }
    return false;
}

static struct bytes first_offered(const struct http_fields *fields)
{
    struct bytes list = http_field_value(fields, "Sec-WebSocket-Protocol");
    struct bytes element;
    return http_list_next(&list, &element) && http_is_token(element) ? element : bytes_empty();
}

/* §4.2.2, point 5.5: of those that the client has named the one that we prefer. Empty: none, which the client may
 * take or leave. */
static struct bytes choose_protocol(const struct web_exchange *exchange)
{
    const struct web_rule *rule = exchange->place->rule;
    const struct http_fields *fields = &exchange->event->head.fields;
    for (uint32_t i = 0; i < rule->websocket_protocol_count; i++) {
        const char *ours = rule->websocket_protocols[i];
        if (strcmp(ours, WEB_SOCKET_ANY_PROTOCOL) == 0)
            return first_offered(fields);
        if (is_offered(fields, ours))
            return bytes_of_text(ours);
    }
    return bytes_empty();
}

/* 426: §4.4 and RFC 9110 §15.5.22. */
static void ask_to_upgrade(struct web_exchange *exchange)
{
    const struct http_field fields[] = {
        {bytes_of_text("Content-Type"), bytes_of_text("text/plain")},
        {bytes_of_text("Sec-WebSocket-Version"), bytes_of_text("13")},
        {bytes_of_text("Upgrade"), bytes_of_text("websocket")},
        {bytes_of_text("Connection"), bytes_of_text("Upgrade")},
    };
    size_t count = exchange->transport->switch_to != NULL ? 4 : 2; /* HTTP/2 has neither */
    struct web_body body = web_body_of(bytes_of_text("WebSocket, version 13, is spoken here.\n"));
    web_reply_fields(exchange, 426, fields, count, &body);
}

static bool wants_upgrade(const struct web_exchange *exchange)
{
    const struct http_fields *fields = &exchange->event->head.fields;
    if (exchange->transport->switch_to == NULL)
        return exchange->connect_websocket;
    return strcmp(exchange->method, "GET") == 0 &&
           strcmp(exchange->protocol, "HTTP/1.1") == 0 &&
           exchange->event->framing.kind == HTTP_FRAMING_NONE &&
           http_field_has(fields, "Upgrade", "websocket") &&
           http_field_has(fields, "Connection", "upgrade");
}

struct handshake {
    bool compression;
    char accept[WEB_ACCEPT_LEN + 1];
    char extension[WEB_DEFLATE_ANSWER_MAX];
};

/* False: it has been answered. */
static bool check(struct web_exchange *exchange, struct handshake *out)
{
    const struct web_rule *rule = exchange->place->rule;
    const struct http_fields *fields = &exchange->event->head.fields;
    bool version = http_field_count(fields, "Sec-WebSocket-Version") == 1 &&
                   bytes_equal(http_field_value(fields, "Sec-WebSocket-Version"), bytes_of_text("13"));
    bool keyed = exchange->transport->switch_to != NULL; /* RFC 8441 §5: not over HTTP/2 */
    if (!wants_upgrade(exchange) || !version) {
        ask_to_upgrade(exchange);
    } else if (keyed && (http_field_count(fields, "Sec-WebSocket-Key") != 1 ||
                         !web_accept_make(http_field_value(fields, "Sec-WebSocket-Key"), out->accept))) {
        web_reply_error(exchange, 400, "A key of sixteen octets in base64 is wanted.");
    } else if (!origin_good(exchange)) {
        web_reply_error(exchange, 403, "Pages of that origin may not come here.");
    } else {
        out->compression =
            !rule->websocket_plain && http_field_count(fields, "Sec-WebSocket-Extensions") == 1 &&
            web_deflate_agree(http_field_value(fields, "Sec-WebSocket-Extensions"), out->extension);
        return true;
    }
    return false;
}

static bool accept_it(struct web_socket *s, const struct handshake *handshake)
{
    struct web_exchange *exchange = s->exchange;
    struct http_field fields[5];
    size_t count = 0;
    struct bytes protocol = choose_protocol(exchange);
    const struct web_body body = {.kind = WEB_BODY_FLOW, .len = WEB_BODY_UNKNOWN, .flow = &s->out};
    if (handshake->compression)
        fields[count++] = (struct http_field){bytes_of_text("Sec-WebSocket-Extensions"),
                                              bytes_of_text(handshake->extension)};
    if (protocol.len > 0)
        fields[count++] = (struct http_field){bytes_of_text("Sec-WebSocket-Protocol"), protocol};
    if (exchange->transport->switch_to == NULL) {
        if (!exchange->transport->accept_body(exchange, UINT64_MAX))
            return false;
        web_reply_fields(exchange, 200, fields, count, &body);
        return true;
    }
    fields[count++] = (struct http_field){bytes_of_text("Upgrade"), bytes_of_text("websocket")};
    fields[count++] = (struct http_field){bytes_of_text("Sec-WebSocket-Accept"),
                                          bytes_of_text(handshake->accept)};
    web_body_done(&exchange->body);
    exchange->body = body;
    if (exchange->transport->switch_to(exchange, fields, count))
        return true;
    exchange->body = (struct web_body){0};
    return false;
}

static void init(struct web_socket *s, struct web_exchange *exchange, bool compression)
{
    usec ping = exchange->place->rule->websocket_ping;
    s->web = exchange->web;
    s->exchange = exchange;
    s->rule = exchange->place->rule;
    s->rules = web_rules_use(exchange->rules);
    s->compression = compression;
    s->out.on_low = on_room_out;
    alarm_init(&s->alarm, on_due);
    snprintf(s->target, sizeof s->target, "%.99s", exchange->target);
    const struct websocket_options options = {
        .role = WEBSOCKET_SERVER,
        .compression = compression,
        .message_max = message_max(s),
        .ping_interval = ping > 0 ? ping : WEB_SOCKET_PING,
    };
    websocket_init(&s->session, &options, now_of(s));
}

void web_socket_request(struct web_exchange *exchange, struct bytes path)
{
    struct handshake handshake = {0};
    if (!check(exchange, &handshake))
        return;
    struct web_socket *s = calloc(1, sizeof *s);
    if (s == NULL) {
        web_reply_error(exchange, 503, NULL);
        return;
    }
    init(s, exchange, handshake.compression);
    exchange->work = s;
    int status = 0;
    if (!is_echo(s))
        status = s->web->socket_programs.count < WEB_SOCKET_PROGRAMS_MAX ? start_program(s, path, choose_protocol(exchange))
                                                                          : -EAGAIN;
    if (status < 0) {
        say(s, "the program cannot be run: ", bytes_of_text(strerror(-status)));
        on_done(exchange);
        const struct web_reply facts = {.retry_after = "5"};
        web_reply_error_with(exchange, status == -EAGAIN ? 503 : 500, NULL,
                             status == -EAGAIN ? &facts : NULL);
    } else if (!accept_it(s, &handshake)) {
        on_done(exchange);
    } else {
        exchange->service = &service;
        settle(s);
    }
}

void web_socket_done(struct web *web)
{
    programs_done(&web->socket_programs);
    web_deflater_free(web->deflater);
    web->deflater = NULL;
}
