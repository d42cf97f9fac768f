/* SPDX-License-Identifier: ISC */
/*
 * fetch_socket.c - RFC 6455 §4.1 (what a client asks and checks), §6 (messages), §7 (closing), RFC 7692
 * §7.1.3 (what of the extension the server may answer).
 */
#include "app/fetch/fetch_socket.h"

#include <errno.h>
#include <stdlib.h>

#include "app/web/web_accept.h"
#include "app/web/web_deflate.h"
#include "base/encoding.h"
#include "io/loop.h"
#include "io/net.h"
#include "proto/websocket/websocket_session.h"
#include "wire/http/http_list.h"

struct fetch_socket {
    struct stream *stream;
    struct loop *loop;
    const struct fetch_socket_handler *handler;
    void *self;
    struct websocket_session session;
    struct web_flow out;      /* frames that the stream has not taken */
    struct web_flow message;  /* so far */
    struct websocket_utf8 utf8; /* of a compressed one */
    struct web_inflater *inflater; /* NULL: nothing is compressed */
    struct web_deflater *deflater;
    uint64_t message_max;
    bool ended;               /* nothing more will be heard */
    bool ours;                /* it was we who found something wrong */
    unsigned code;            /* why; 0: not yet */
    size_t reason_len;
    uint8_t reason[WEBSOCKET_CONTROL_MAX];
    usec end_at;              /* the connection is not waited for any longer; USEC_NEVER: not yet */
};

/* ---- the handshake ---- */

void fetch_socket_hello_make(struct fetch_socket_hello *hello, struct prng *prng)
{
    uint8_t nonce[WEBSOCKET_NONCE_LEN];
    struct text key = text_of(hello->key, sizeof hello->key);
    prng_fill(prng, nonce, sizeof nonce);
    encoding_format(ENCODING_BASE64, bytes_of(nonce, sizeof nonce), &key);
    ASSERT(!key.failed && key.len == FETCH_SOCKET_KEY_LEN);
}

size_t fetch_socket_hello_fields(const struct fetch_socket_hello *hello,
                                 struct http_field out[FETCH_SOCKET_FIELDS_MAX])
{
    size_t count = 0;
    out[count++] = (struct http_field){bytes_of_text("Sec-WebSocket-Version"), bytes_of_text("13")};
    out[count++] = (struct http_field){bytes_of_text("Sec-WebSocket-Key"), bytes_of_text(hello->key)};
    if (hello->compression)
        out[count++] = (struct http_field){bytes_of_text("Sec-WebSocket-Extensions"),
                                           bytes_of_text(WEB_DEFLATE_OFFER)};
    if (hello->protocols != NULL)
        out[count++] = (struct http_field){bytes_of_text("Sec-WebSocket-Protocol"),
                                           bytes_of_text(hello->protocols)};
    return count;
}

static bool was_asked_for(const struct fetch_socket_hello *hello, struct bytes protocol)
{
    struct bytes list = bytes_of_text(hello->protocols != NULL ? hello->protocols : "");
    struct bytes element;
    while (http_list_next(&list, &element))
        if (bytes_equal(element, protocol)) /* they differ by case (§4.1) */
            return true;
    return false;
}

/* The six points of §4.1. NULL: all is well. */
static const char *check_answer(const struct fetch_socket_hello *hello,
                                const struct http_response_head *head, bool *compressed)
{
    const struct http_fields *fields = &head->fields;
    char accept[WEB_ACCEPT_LEN + 1];
    struct bytes value;
    *compressed = false;
    if (!http_field_has(fields, "Upgrade", "websocket") ||
        !http_field_has(fields, "Connection", "upgrade"))
        return "the server has switched to another protocol";
    if (!web_accept_make(bytes_of_text(hello->key), accept) ||
        http_field_count(fields, "Sec-WebSocket-Accept") != 1 ||
        !bytes_equal(http_field_value(fields, "Sec-WebSocket-Accept"), bytes_of_text(accept)))
        return "the server's Sec-WebSocket-Accept does not fit: it has not understood the question";
    if (http_field_find(fields, "Sec-WebSocket-Extensions", &value)) {
        *compressed = hello->compression && http_field_count(fields, "Sec-WebSocket-Extensions") == 1 &&
                      web_deflate_accept(value);
        if (!*compressed)
            return "the server has chosen an extension that it was not offered";
    }
    if (http_field_find(fields, "Sec-WebSocket-Protocol", &value) &&
        (http_field_count(fields, "Sec-WebSocket-Protocol") != 1 || !was_asked_for(hello, value)))
        return "the server has chosen a subprotocol that it was not offered";
    return NULL;
}

/* ---- sending, and the end ---- */

static void release(struct fetch_socket *s)
{
    if (s->stream != NULL)
        stream_close(s->stream);
    web_flow_done(&s->out);
    web_flow_done(&s->message);
    web_inflater_free(s->inflater);
    web_deflater_free(s->deflater);
    free(s);
}

static void end(struct fetch_socket *s)
{
    s->handler->on_closed(s->self, s->code != 0 ? s->code : WEBSOCKET_ABNORMAL,
                          bytes_of(s->reason, s->reason_len), s->ours);
    release(s);
}

static void note_end(struct fetch_socket *s, unsigned code, struct bytes reason, bool ours)
{
    if (s->code != 0)
        return;
    s->code = code;
    s->ours = ours;
    s->reason_len = bytes_first(reason, sizeof s->reason).len;
    memcpy(s->reason, reason.data, s->reason_len);
}

/* What the machine says by itself goes between frames. */
static void collect(struct fetch_socket *s)
{
    struct bytes output = websocket_output(&s->session);
    if (output.len > 0 && web_flow_add(&s->out, output))
        websocket_sent(&s->session, output.len);
}

/* When both have said that it is over, the server is to close the connection (§7.1.1). */
static void flush(struct fetch_socket *s)
{
    collect(s);
    web_flow_drop(&s->out, stream_send(s->stream, web_flow_bytes(&s->out)));
    if (websocket_over(&s->session) && s->end_at == USEC_NEVER)
        s->end_at = loop_now(s->loop) + FETCH_SOCKET_END_TIMEOUT;
    stream_set_deadline(s->stream, usec_min(s->end_at, websocket_deadline(&s->session)));
}

bool fetch_socket_full(struct fetch_socket *s)
{
    return web_flow_full(&s->out);
}

void fetch_socket_close(struct fetch_socket *s, unsigned code)
{
    websocket_close(&s->session, code, bytes_empty(), loop_now(s->loop));
    flush(s);
}

static bool put_frame(struct fetch_socket *s, bool text, bool compressed, const struct web_flow *data)
{
    struct websocket_header header;
    uint8_t room[WEBSOCKET_HEADER_MAX];
    struct writer w = writer_of(room, sizeof room);
    struct bytes payload = web_flow_bytes(data);
    collect(s);
    if (!websocket_frame(&s->session, text ? WEBSOCKET_TEXT : WEBSOCKET_BINARY, compressed,
                         payload.len, &header))
        return true; /* it has been closed */
    websocket_header_encode(&w, &header);
    websocket_mask(data->octets + data->at, payload.len, header.key, 0); /* a copy of ours */
    return web_flow_add(&s->out, writer_bytes(&w)) && web_flow_add(&s->out, payload);
}

bool fetch_socket_send(struct fetch_socket *s, bool text, struct bytes data)
{
    struct web_flow copy = {0};
    bool compress = s->inflater != NULL && data.len >= WEB_DEFLATE_MIN;
    if (compress && s->deflater == NULL)
        s->deflater = web_deflater_new();
    bool good = compress ? s->deflater != NULL && web_deflate(s->deflater, data, &copy)
                         : web_flow_add(&copy, data);
    good = good && put_frame(s, text, compress, &copy);
    web_flow_done(&copy);
    flush(s);
    return good;
}

/* ---- receiving ---- */

static void give_up(struct fetch_socket *s, unsigned code)
{
    note_end(s, code, bytes_empty(), true);
    websocket_close(&s->session, code, bytes_empty(), loop_now(s->loop));
    s->ended = true;
    s->end_at = loop_now(s->loop) + FETCH_SOCKET_END_TIMEOUT;
}

/* 0, or what is wrong with it. The window goes on from one message to the next, unless the server has said that
 * it does not look back: then nothing refers to it (RFC 7692 §7.1.1.1). */
static unsigned unpack(struct fetch_socket *s, const struct websocket_event *event)
{
    size_t before = s->message.len;
    if (event->first)
        s->utf8 = (struct websocket_utf8){0};
    enum web_inflate result =
        web_inflate(s->inflater, event->data, event->last, (size_t)s->message_max, &s->message);
    if (result != WEB_INFLATED)
        return result == WEB_INFLATE_TOO_BIG ? WEBSOCKET_TOO_BIG : WEBSOCKET_INVALID_DATA;
    struct bytes fresh = bytes_after(web_flow_bytes(&s->message), before);
    bool good = !event->text || (websocket_utf8_input(&s->utf8, fresh) &&
                                 (!event->last || websocket_utf8_whole(&s->utf8)));
    return good ? 0 : WEBSOCKET_INVALID_DATA;
}

static void take_data(struct fetch_socket *s, const struct websocket_event *event)
{
    unsigned wrong = 0;
    if (event->compressed)
        wrong = unpack(s, event);
    else if (!web_flow_add(&s->message, event->data))
        wrong = WEBSOCKET_TOO_BIG;
    if (wrong != 0) {
        give_up(s, wrong);
    } else if (event->last) {
        s->handler->on_message(s->self, event->text, web_flow_bytes(&s->message));
        web_flow_done(&s->message);
    }
}

static void take_event(struct fetch_socket *s, const struct websocket_event *event)
{
    switch (event->kind) {
    case WEBSOCKET_DATA:
        take_data(s, event);
        break;
    case WEBSOCKET_CLOSED:
        note_end(s, event->code, event->data, websocket_failed(&s->session));
        s->ended = true;
        break;
    case WEBSOCKET_PONGED:
    case WEBSOCKET_NO_EVENT:
        break;
    }
}

/* What it says after the end is not heard, but read: a connection that is closed with octets not read is reset,
 * and our close lost with it. */
static size_t on_bytes(void *self, struct stream *stream UNUSED, struct bytes in)
{
    struct fetch_socket *s = self;
    size_t total = 0;
    size_t used;
    struct websocket_event event;
    do {
        if (s->ended) {
            total = in.len;
            break;
        }
        used = websocket_input(&s->session, bytes_after(in, total), loop_now(s->loop), &event);
        total += used;
        take_event(s, &event);
        collect(s);
    } while (used > 0 || event.kind != WEBSOCKET_NO_EVENT);
    flush(s);
    return total;
}

static void on_end(void *self, struct stream *stream UNUSED)
{
    end(self);
}

static void on_closed(void *self, struct stream *stream UNUSED, int error UNUSED)
{
    struct fetch_socket *s = self;
    s->stream = NULL;
    end(s);
}

static void on_room(void *self, struct stream *stream UNUSED)
{
    struct fetch_socket *s = self;
    flush(s);
    if (!web_flow_full(&s->out))
        s->handler->on_room(s->self);
}

static void on_deadline(void *self, struct stream *stream UNUSED)
{
    struct fetch_socket *s = self;
    usec now = loop_now(s->loop);
    websocket_tick(&s->session, now);
    if (now >= s->end_at || websocket_failed(&s->session))
        end(s);
    else
        flush(s);
}

static const struct stream_handler calls = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_room = on_room,
    .on_closed = on_closed,
    .on_deadline = on_deadline,
};

/* ---- */

struct fetch_socket *fetch_socket_new(struct stream *stream, const struct http_response_head *head,
                                      const struct fetch_socket_options *options,
                                      const struct fetch_socket_handler *handler, void *self,
                                      struct text *why)
{
    bool compressed;
    const char *wrong = check_answer(options->hello, head, &compressed);
    struct fetch_socket *s = wrong == NULL ? calloc(1, sizeof *s) : NULL;
    if (s != NULL && compressed && (s->inflater = web_inflater_new()) == NULL) {
        free(s);
        s = NULL;
    }
    if (s == NULL) {
        text_add(why, wrong != NULL ? wrong : "no memory");
        stream_abort(stream);
        return NULL;
    }
    s->stream = stream;
    s->loop = net_loop(stream_net(stream));
    s->handler = handler;
    s->self = self;
    s->end_at = USEC_NEVER;
    s->message_max = options->message_max != 0 ? options->message_max : FETCH_SOCKET_MESSAGE_DEFAULT;
    const struct websocket_options session = {
        .role = WEBSOCKET_CLIENT,
        .compression = compressed,
        .message_max = s->message_max,
        .ping_interval = FETCH_SOCKET_PING,
        .prng = options->prng,
    };
    websocket_init(&s->session, &session, loop_now(s->loop));
    stream_set_handler(stream, &calls, s);
    stream_resume(stream);
    flush(s);
    return s;
}

void fetch_socket_free(struct fetch_socket *s)
{
    if (s == NULL)
        return;
    fetch_socket_close(s, WEBSOCKET_GOING_AWAY);
    release(s);
}
