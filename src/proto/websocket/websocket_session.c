/* SPDX-License-Identifier: ISC */
/*
 * websocket_session.c - RFC 6455 §5.4 (fragments), §5.5 (control frames), §5.6 (messages), §7 (closing).
 */
#include "proto/websocket/websocket_session.h"

static void set_deadline(struct websocket_session *s)
{
    if (s->close_sent)
        return; /* the close has its own */
    s->deadline = s->options.ping_interval > 0 ? s->now + s->options.ping_interval : USEC_NEVER;
}

void websocket_init(struct websocket_session *s, const struct websocket_options *options, usec now)
{
    memset(s, 0, offsetof(struct websocket_session, output));
    s->options = *options;
    s->now = now;
    s->heard_at = now;
    if (options->role == WEBSOCKET_CLIENT)
        prng_fork(options->prng, &s->prng);
    set_deadline(s);
}

/* ---- what goes ---- */

bool websocket_frame(struct websocket_session *s, enum websocket_opcode opcode, bool compressed,
                     uint64_t len, struct websocket_header *header)
{
    if (s->close_sent)
        return false;
    *header = (struct websocket_header){
        .final = true, .compressed = compressed, .opcode = (uint8_t)opcode, .length = len};
    if (s->options.role == WEBSOCKET_CLIENT) {
        header->masked = true; /* §5.3 */
        uint32_t key = (uint32_t)prng_u64(&s->prng);
        memcpy(header->key, &key, sizeof header->key);
    }
    return true;
}

static size_t output_room(const struct websocket_session *s)
{
    return sizeof s->output - s->output_len;
}

/* A control frame to the output. What has no room is left out. */
static void put_control(struct websocket_session *s, enum websocket_opcode opcode, struct bytes data)
{
    struct websocket_header header;
    struct writer w = writer_of(s->output + s->output_len, output_room(s));
    if (data.len > WEBSOCKET_CONTROL_MAX || !websocket_frame(s, opcode, false, data.len, &header))
        return;
    websocket_header_encode(&w, &header);
    uint8_t *begin = w.next;
    write_bytes(&w, data);
    if (w.failed)
        return;
    if (header.masked)
        websocket_mask(begin, data.len, header.key, 0);
    s->output_len = (uint16_t)(s->output_len + writer_len(&w));
}

void websocket_close(struct websocket_session *s, unsigned code, struct bytes reason, usec now)
{
    uint8_t payload[WEBSOCKET_CONTROL_MAX];
    struct writer w = writer_of(payload, sizeof payload);
    s->now = now;
    if (s->close_sent)
        return;
    if (websocket_code_valid(code)) {
        write_u16(&w, (uint16_t)code);
        write_bytes(&w, bytes_first(reason, sizeof payload - 2));
    }
    put_control(s, WEBSOCKET_CLOSE, writer_bytes(&w));
    s->close_sent = true;
    s->deadline = now + WEBSOCKET_CLOSE_TIMEOUT;
}

/* §7.1.7: says why, and reads no more. */
static void fail(struct websocket_session *s, unsigned code, struct websocket_event *event)
{
    websocket_close(s, code, bytes_empty(), s->now);
    s->close_received = true;
    s->failed = true;
    event->kind = WEBSOCKET_CLOSED;
    event->code = code;
    event->data = bytes_empty();
}

/* ---- what comes ---- */

/* Control frames may come between the fragments of a message (§5.4), which does not change. */
static void begin_frame(struct websocket_session *s, struct websocket_event *event)
{
    const struct websocket_header *frame = &s->frame;
    bool control = (frame->opcode & 8) != 0;
    if (frame->masked != (s->options.role == WEBSOCKET_SERVER) || /* §5.1 */
        (frame->compressed && !s->options.compression) ||
        (!control && (frame->opcode == WEBSOCKET_CONTINUATION) != (s->message != 0))) {
        fail(s, WEBSOCKET_PROTOCOL_ERROR, event);
        return;
    }
    s->in_frame = true;
    s->frame_at = 0;
    if (control)
        return;
    if (frame->opcode != WEBSOCKET_CONTINUATION) {
        s->message = frame->opcode;
        s->compressed = frame->compressed;
        s->first = true;
        s->message_len = 0;
        s->utf8 = (struct websocket_utf8){0};
    }
    if (frame->length > s->options.message_max - s->message_len)
        fail(s, WEBSOCKET_TOO_BIG, event);
    else
        s->message_len += frame->length;
}

static size_t read_head(struct websocket_session *s, struct bytes in, struct websocket_event *event)
{
    size_t before = s->head_len;
    size_t len;
    struct bytes part = bytes_first(in, sizeof s->head - before);
    memcpy(s->head + before, part.data, part.len);
    enum wire_status status =
        websocket_header_decode(bytes_of(s->head, before + part.len), &s->frame, &len);
    if (status == WIRE_TRUNCATED) {
        s->head_len = (uint8_t)(before + part.len);
        return part.len;
    }
    s->head_len = 0;
    if (status == WIRE_OK) {
        begin_frame(s, event);
        return len - before;
    }
    fail(s, WEBSOCKET_PROTOCOL_ERROR, event);
    return part.len;
}

/* §5.5.1: one that has a payload has a code in its first two octets, and a reason. */
static void take_close(struct websocket_session *s, struct bytes payload,
                       struct websocket_event *event)
{
    struct reader r = reader_of(payload);
    struct websocket_utf8 utf8 = {0};
    unsigned code = payload.len == 0 ? WEBSOCKET_NO_CODE : read_u16(&r);
    if (payload.len > 0 && (r.failed || !websocket_code_valid(code))) {
        fail(s, WEBSOCKET_PROTOCOL_ERROR, event);
        return;
    }
    struct bytes reason = read_rest(&r);
    if (!websocket_utf8_input(&utf8, reason) || !websocket_utf8_whole(&utf8)) {
        fail(s, WEBSOCKET_INVALID_DATA, event);
        return;
    }
    s->close_received = true;
    websocket_close(s, code, bytes_empty(), s->now); /* §5.5.1: typically the code that came */
    event->kind = WEBSOCKET_CLOSED;
    event->code = code;
    event->data = reason;
}

static void take_control(struct websocket_session *s, struct websocket_event *event)
{
    struct bytes payload = bytes_of(s->control, (size_t)s->frame.length);
    switch (s->frame.opcode) {
    case WEBSOCKET_CLOSE:
        take_close(s, payload, event);
        break;
    case WEBSOCKET_PING: /* §5.5.3 */
        put_control(s, WEBSOCKET_PONG, payload);
        break;
    default:
        event->kind = WEBSOCKET_PONGED;
        event->data = payload;
        break;
    }
}

static size_t read_control(struct websocket_session *s, struct bytes in,
                           struct websocket_event *event)
{
    struct bytes part = bytes_first(in, (size_t)(s->frame.length - s->frame_at));
    memcpy(s->control + s->frame_at, part.data, part.len);
    if (s->frame.masked)
        websocket_mask(s->control + s->frame_at, part.len, s->frame.key, s->frame_at);
    s->frame_at += part.len;
    if (s->frame_at == s->frame.length) {
        s->in_frame = false;
        take_control(s, event);
    }
    return part.len;
}

/* §8.1: what is no UTF-8 fails at once, and text must not end within a character. */
static bool check_text(struct websocket_session *s, struct bytes data, bool last)
{
    if (s->message != WEBSOCKET_TEXT || s->compressed)
        return true;
    return websocket_utf8_input(&s->utf8, data) && (!last || websocket_utf8_whole(&s->utf8));
}

static size_t read_data(struct websocket_session *s, struct bytes in, struct websocket_event *event)
{
    uint64_t left = s->frame.length - s->frame_at;
    struct bytes part = bytes_first(in, left < sizeof s->piece ? (size_t)left : sizeof s->piece);
    bool ends = part.len == left;
    if (part.len == 0 && !ends)
        return 0;
    memcpy(s->piece, part.data, part.len);
    if (s->frame.masked)
        websocket_mask(s->piece, part.len, s->frame.key, s->frame_at);
    s->frame_at += part.len;
    s->in_frame = !ends;
    event->last = ends && s->frame.final;
    event->data = bytes_of(s->piece, part.len);
    if (!check_text(s, event->data, event->last)) {
        fail(s, WEBSOCKET_INVALID_DATA, event);
        return part.len;
    }
    event->kind = WEBSOCKET_DATA;
    event->text = s->message == WEBSOCKET_TEXT;
    event->compressed = s->compressed;
    event->first = s->first;
    s->first = false;
    if (event->last)
        s->message = 0;
    return part.len;
}

static bool in_control(const struct websocket_session *s)
{
    return (s->frame.opcode & 8) != 0;
}

size_t websocket_input(struct websocket_session *s, struct bytes in, usec now,
                       struct websocket_event *out)
{
    size_t used = 0;
    ASSERT(now >= s->now);
    s->now = now;
    *out = (struct websocket_event){.data = bytes_empty()};
    if (s->close_received) /* nothing counts after a close (§5.5.1) */
        return in.len;
    if (in.len > 0) {
        s->heard_at = now;
        s->pinged = false;
        set_deadline(s);
    }
    while (out->kind == WEBSOCKET_NO_EVENT) {
        struct bytes rest = bytes_after(in, used);
        size_t len;
        if (s->in_frame && !in_control(s)) {
            len = read_data(s, rest, out);
        } else if (output_room(s) < WEBSOCKET_HEADER_MAX + WEBSOCKET_CONTROL_MAX) {
            break; /* an answer would have no room: who asks has to read */
        } else if (s->in_frame) {
            len = read_control(s, rest, out);
            if (len == 0 && s->in_frame)
                break;
        } else if (rest.len > 0) {
            len = read_head(s, rest, out);
        } else {
            break;
        }
        used += len;
        if (len == 0 && s->in_frame && rest.len == 0 && s->frame.length > s->frame_at)
            break;
    }
    return used;
}

/* ---- the rest ---- */

struct bytes websocket_output(const struct websocket_session *s)
{
    return bytes_of(s->output, s->output_len);
}

void websocket_sent(struct websocket_session *s, size_t len)
{
    ASSERT(len <= s->output_len);
    s->output_len = (uint16_t)(s->output_len - len);
    memmove(s->output, s->output + len, s->output_len);
}

bool websocket_over(const struct websocket_session *s)
{
    return s->failed ? s->close_sent : s->close_sent && s->close_received;
}

usec websocket_deadline(const struct websocket_session *s)
{
    return websocket_over(s) ? USEC_NEVER : s->deadline;
}

void websocket_tick(struct websocket_session *s, usec now)
{
    ASSERT(now >= s->now);
    s->now = now;
    if (now < s->deadline || websocket_over(s))
        return;
    if (s->close_sent || s->pinged) { /* it does not answer */
        s->close_sent = true;
        s->failed = true;
        s->close_received = true;
        return;
    }
    put_control(s, WEBSOCKET_PING, bytes_empty());
    s->pinged = true;
    set_deadline(s);
}
