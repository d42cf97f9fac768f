/* SPDX-License-Identifier: ISC */
/*
 * get_socket.c - a WebSocket (RFC 6455): lines of standard input, or what --message has, become messages, and
 * those of the server lines of the output; its close is the status.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/fetch/fetch_socket.h"
#include "app/web/web_flow.h"
#include "base/encoding.h"
#include "cli/get.h"

enum { CHUNK = 64 * 1024 };

struct get_socket {
    struct get_transfer *t;
    struct prng prng;
    struct fetch_socket_hello hello;
    struct fetch_socket *socket; /* NULL: not yet, or not any more */
    struct watch input;
    bool is_file;                /* of standard input: it is always ready */
    struct task more;            /* reads it then */
    struct web_flow line;        /* of it, not at its end yet */
    bool input_over;
    struct alarm silence;        /* the server seems to have said all */
    size_t sent;                 /* of the messages of the command line */
    bool failed;                 /* t->status and t->reason say why */
};

static void on_more(struct task *task);
static void on_silence(struct alarm *alarm);

static bool has_scheme(const struct url *url, const char *plain, const char *secure)
{
    return strcmp(url->scheme, plain) == 0 || strcmp(url->scheme, secure) == 0;
}

bool get_socket_prepare(struct get_transfer *t)
{
    if (t->socket != NULL && has_scheme(&t->url, "http", "https")) /* where a redirect has led */
        snprintf(t->url.scheme, sizeof t->url.scheme, "%s", t->url.scheme[4] == 's' ? "wss" : "ws");
    if (t->socket == NULL) {
        if (!has_scheme(&t->first, "ws", "wss"))
            return true;
        t->socket = calloc(1, sizeof *t->socket);
        if (t->socket == NULL)
            return false;
        t->socket->t = t;
        task_init(&t->socket->more, on_more);
        alarm_init(&t->socket->silence, on_silence);
        prng_fork(loop_prng(t->get->loop), &t->socket->prng);
    }
    t->socket->hello.compression = !t->get->raw;
    t->socket->hello.protocols = t->get->subprotocol;
    fetch_socket_hello_make(&t->socket->hello, &t->socket->prng);
    return true;
}

size_t get_socket_fields(const struct get_transfer *t, struct http_field out[GET_SOCKET_FIELDS_MAX])
{
    _Static_assert((int)GET_SOCKET_FIELDS_MAX == (int)FETCH_SOCKET_FIELDS_MAX, "the same fields");
    return fetch_socket_hello_fields(&t->socket->hello, out);
}

/* ---- to the server ---- */

static void stop_input(struct get_socket *s)
{
    loop_unwatch(&s->input);
    loop_unqueue(&s->more);
    loop_clear_alarm(s->t->get->loop, &s->silence);
}

/* It is over, and we know why; the rest is courtesy. */
static void give_up(struct get_socket *s, unsigned code, enum get_status status, const char *format, ...)
    PRINTF_LIKE(4, 5);
static void give_up(struct get_socket *s, unsigned code, enum get_status status, const char *format, ...)
{
    struct text reason = text_of(s->t->reason, sizeof s->t->reason);
    va_list arguments;
    if (s->failed)
        return;
    va_start(arguments, format);
    text_add_format_list(&reason, format, arguments);
    va_end(arguments);
    s->failed = true;
    s->t->status = status;
    stop_input(s);
    fetch_socket_close(s->socket, code);
}

static bool is_utf8(struct bytes text)
{
    struct websocket_utf8 utf8 = {0};
    return websocket_utf8_input(&utf8, text) && websocket_utf8_whole(&utf8);
}

static void send_message(struct get_socket *s, bool text, struct bytes data)
{
    if (text && !is_utf8(data)) /* §8.1 */
        give_up(s, WEBSOCKET_GOING_AWAY, GET_FAILED, "what is to be sent is no UTF-8; --binary sends any octets");
    else if (!fetch_socket_send(s->socket, text, data))
        give_up(s, WEBSOCKET_GOING_AWAY, GET_FAILED, "no memory");
}

static void take_lines(struct get_socket *s, struct bytes data)
{
    while (data.len > 0 && !s->failed) {
        size_t end = bytes_find(data, '\n');
        if (s->line.len + end > FETCH_SOCKET_MESSAGE_DEFAULT ||
            !web_flow_add(&s->line, bytes_first(data, end))) {
            give_up(s, WEBSOCKET_GOING_AWAY, GET_FAILED, "standard input has a line that is too long");
            return;
        }
        if (end < data.len) {
            send_message(s, true, web_flow_bytes(&s->line));
            web_flow_done(&s->line);
        }
        data = bytes_after(data, end + 1);
    }
}

/* Servers do not say that they have answered all, and what they have not said when they are told to close they
 * never will. */
static void wait_for_silence(struct get_socket *s)
{
    struct loop *loop = s->t->get->loop;
    if (s->input_over && !s->failed && !s->t->get->listens)
        loop_set_alarm(loop, &s->silence, loop_now(loop) + GET_SOCKET_SILENCE);
}

static void on_silence(struct alarm *alarm)
{
    fetch_socket_close(CONTAINER_OF(alarm, struct get_socket, silence)->socket, WEBSOCKET_NORMAL);
}

/* Nothing more is to be sent. */
static void input_ended(struct get_socket *s)
{
    stop_input(s);
    if (s->line.len > 0)
        send_message(s, true, web_flow_bytes(&s->line));
    web_flow_done(&s->line);
    s->input_over = true;
    wait_for_silence(s);
}

static void go_on(struct get_socket *s)
{
    bool full = fetch_socket_full(s->socket);
    if (s->is_file && !full)
        loop_queue(s->t->get->loop, &s->more);
    else if (s->input.loop != NULL)
        loop_want(&s->input, full ? 0 : LOOP_READ);
}

static void read_input(struct get_socket *s)
{
    static uint8_t chunk[CHUNK];
    ssize_t got = read(STDIN_FILENO, chunk, sizeof chunk);
    if (got < 0) {
        if (errno != EINTR && errno != EAGAIN)
            give_up(s, WEBSOCKET_GOING_AWAY, GET_FAILED, "cannot read standard input: %s", strerror(errno));
        return;
    }
    if (got == 0)
        input_ended(s);
    else if (s->t->get->binary)
        send_message(s, false, bytes_of(chunk, (size_t)got));
    else
        take_lines(s, bytes_of(chunk, (size_t)got));
    if (got > 0 && !s->failed)
        go_on(s);
}

static void on_input(struct watch *watch, unsigned ready UNUSED)
{
    read_input(CONTAINER_OF(watch, struct get_socket, input));
}

static void on_more(struct task *task)
{
    read_input(CONTAINER_OF(task, struct get_socket, more));
}

static void send_given(struct get_socket *s)
{
    const struct get *g = s->t->get;
    while (s->sent < g->message_count && !s->failed && !fetch_socket_full(s->socket))
        send_message(s, !g->binary, bytes_of_text(g->messages[s->sent++]));
}

static void begin_input(struct get_socket *s)
{
    struct get *g = s->t->get;
    if (g->message_count > 0) {
        send_given(s);
        return;
    }
    int status = loop_watch(g->loop, &s->input, STDIN_FILENO, LOOP_READ, on_input);
    s->is_file = status == -EPERM; /* epoll(7) has no files */
    if (s->is_file)
        loop_queue(g->loop, &s->more);
    else if (status != 0)
        give_up(s, WEBSOCKET_GOING_AWAY, GET_FAILED, "cannot read standard input: %s", strerror(-status));
}

/* ---- from the server ---- */

static json_t *as_base64(struct bytes data)
{
    size_t size = (data.len + 2) / 3 * 4 + 1;
    char *base64 = malloc(size);
    if (base64 == NULL)
        return NULL;
    struct text t = text_of(base64, size);
    encoding_format(ENCODING_BASE64, data, &t);
    json_t *value = json_stringn(base64, t.len);
    free(base64);
    return value;
}

/* NULL: no memory. */
static char *as_json(bool text, struct bytes data)
{
    json_t *object = json_object();
    json_t *value = text ? json_stringn((const char *)data.data, data.len) : as_base64(data);
    json_object_set_new(object, "message", json_string(text ? "text" : "binary"));
    char *line = NULL;
    if (json_object_set_new(object, text ? "text" : "base64", value) == 0)
        line = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return line;
}

static int write_message(struct get_transfer *t, bool text, struct bytes data)
{
    const struct get *g = t->get;
    char *line = g->json ? as_json(text, data) : NULL;
    if (g->json && line == NULL)
        return -ENOMEM;
    int error = get_output_write(&t->output, line != NULL ? bytes_of_text(line) : data);
    free(line);
    if (error == 0 && (g->json || !g->binary))
        error = get_output_write(&t->output, bytes_of_text("\n"));
    return error;
}

static void on_message(void *self, bool text, struct bytes data)
{
    struct get_socket *s = self;
    struct get_transfer *t = s->t;
    const struct get *g = t->get;
    if (s->failed || t->write_error != 0 || (g->count > 0 && t->messages == g->count))
        return;
    t->received += data.len;
    t->messages++;
    t->write_error = write_message(t, text, data);
    wait_for_silence(s);
    if (t->write_error != 0 || (g->count > 0 && t->messages == g->count)) {
        stop_input(s);
        fetch_socket_close(s->socket, t->write_error != 0 ? WEBSOCKET_GOING_AWAY : WEBSOCKET_NORMAL);
    }
}

static void on_room(void *self)
{
    struct get_socket *s = self;
    send_given(s);
    if (!s->failed && s->t->get->message_count == 0)
        go_on(s);
}

/* Who is not told what it has waited for has failed, however polite the close was. */
static enum get_status judge(struct get_transfer *t, unsigned code, struct bytes reason, bool ours)
{
    const struct get *g = t->get;
    struct text why = text_of(t->reason, sizeof t->reason);
    bool well = code == WEBSOCKET_NORMAL || code == WEBSOCKET_NO_CODE;
    if (g->count > 0 && t->messages == g->count)
        return GET_DONE;
    if (code == WEBSOCKET_ABNORMAL)
        text_add(&why, "the connection was lost (1006)");
    else if (ours && code == WEBSOCKET_TOO_BIG)
        text_add(&why, "a message is larger than --max-size (1009)");
    else if (ours)
        text_add_format(&why, "the server does not keep to the protocol (%u, %s)", code,
                        websocket_code_text(code));
    else if (!well || g->count > 0)
        text_add_format(&why, "closed by the server: %u, %s", code, websocket_code_text(code));
    if (!ours && reason.len > 0 && (!well || g->count > 0)) {
        text_add(&why, ": ");
        text_add_bytes(&why, reason);
    }
    if (code == WEBSOCKET_ABNORMAL || (ours && code != WEBSOCKET_TOO_BIG))
        return GET_BROKEN;
    if (ours)
        return GET_FAILED;
    return well ? (g->count > 0 ? GET_BROKEN : GET_DONE) : GET_REFUSED;
}

static void on_closed(void *self, unsigned code, struct bytes reason, bool ours)
{
    struct get_socket *s = self;
    struct get_transfer *t = s->t;
    struct text kept = text_of(t->close_reason, sizeof t->close_reason);
    s->socket = NULL;
    stop_input(s);
    t->outcome.times.ended = loop_look(t->get->loop);
    t->close_code = code;
    for (size_t i = 0; i < reason.len; i++) /* it may go to a terminal */
        text_add_format(&kept, "%c", reason.data[i] < 0x20 || reason.data[i] == 0x7f ? '?' : reason.data[i]);
    get_transfer_end(t, s->failed ? t->status : judge(t, code, text_bytes(&kept), ours));
}

static const struct fetch_socket_handler handler = {
    .on_message = on_message,
    .on_room = on_room,
    .on_closed = on_closed,
};

void get_socket_open(struct get_transfer *t, const struct http_response_head *head, struct stream *stream)
{
    struct get_socket *s = t->socket;
    char reason[FETCH_REASON_MAX];
    struct text why = text_of(reason, sizeof reason);
    const struct fetch_socket_options options = {
        .hello = &s->hello,
        .prng = &s->prng,
        .message_max = t->get->size_max,
    };
    s->socket = fetch_socket_new(stream, head, &options, &handler, s, &why);
    if (s->socket == NULL)
        get_transfer_fail(t, GET_BROKEN, "%s", reason);
    else
        begin_input(s);
}

void get_socket_end(struct get_transfer *t)
{
    struct get_socket *s = t->socket;
    if (s == NULL)
        return;
    stop_input(s);
    fetch_socket_free(s->socket);
    web_flow_done(&s->line);
    free(s);
    t->socket = NULL;
}
