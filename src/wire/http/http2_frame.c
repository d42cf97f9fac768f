/* SPDX-License-Identifier: ISC */
/* http2_frame.c - frames of HTTP/2 (RFC 9113 §4.1, §6, §7). */
#include "wire/http/http2_frame.h"

enum {
    PRIORITY_LEN = 5,
};

const char *http2_error_text(uint32_t error)
{
    static const char *const names[HTTP2_ERROR_COUNT] = {
        [HTTP2_NO_ERROR] = "NO_ERROR",
        [HTTP2_PROTOCOL_ERROR] = "PROTOCOL_ERROR",
        [HTTP2_INTERNAL_ERROR] = "INTERNAL_ERROR",
        [HTTP2_FLOW_CONTROL_ERROR] = "FLOW_CONTROL_ERROR",
        [HTTP2_SETTINGS_TIMEOUT] = "SETTINGS_TIMEOUT",
        [HTTP2_STREAM_CLOSED] = "STREAM_CLOSED",
        [HTTP2_FRAME_SIZE_ERROR] = "FRAME_SIZE_ERROR",
        [HTTP2_REFUSED_STREAM] = "REFUSED_STREAM",
        [HTTP2_CANCEL] = "CANCEL",
        [HTTP2_COMPRESSION_ERROR] = "COMPRESSION_ERROR",
        [HTTP2_CONNECT_ERROR] = "CONNECT_ERROR",
        [HTTP2_ENHANCE_YOUR_CALM] = "ENHANCE_YOUR_CALM",
        [HTTP2_INADEQUATE_SECURITY] = "INADEQUATE_SECURITY",
        [HTTP2_HTTP_1_1_REQUIRED] = "HTTP_1_1_REQUIRED",
    };
    return error < HTTP2_ERROR_COUNT ? names[error] : "unknown error";
}

struct http2_frame http2_frame_read(struct bytes in)
{
    ASSERT(in.len >= HTTP2_FRAME_HEAD_LEN);
    struct reader r = reader_of(in);
    uint32_t first = read_u32(&r);
    uint8_t flags = read_u8(&r);
    uint32_t stream = read_u32(&r);
    return (struct http2_frame){first >> 8, (uint8_t)first, flags, stream & HTTP2_STREAM_MAX};
}

void http2_frame_write(struct writer *w, struct http2_frame frame)
{
    write_u32(w, frame.len << 8 | frame.type);
    write_u8(w, frame.flags);
    write_u32(w, frame.stream);
}

/* §6: what each kind wants of its head. */
static const struct rule {
    enum { ANY, STREAM, CONNECTION } on;
    uint8_t len_min;
    uint8_t len_max;     /* 0: as long as may be */
    uint8_t multiple_of; /* 0: of anything */
    bool of_stream;      /* a wrong length is an error of the stream */
} rules[] = {
    [HTTP2_DATA] = {.on = STREAM},
    [HTTP2_HEADERS] = {.on = STREAM},
    [HTTP2_PRIORITY] = {.on = STREAM, .len_min = PRIORITY_LEN, .len_max = PRIORITY_LEN, .of_stream = true},
    [HTTP2_RST_STREAM] = {.on = STREAM, .len_min = 4, .len_max = 4},
    [HTTP2_SETTINGS] = {.on = CONNECTION, .multiple_of = 6},
    [HTTP2_PUSH_PROMISE] = {.on = STREAM, .len_min = 4},
    [HTTP2_PING] = {.on = CONNECTION, .len_min = 8, .len_max = 8},
    [HTTP2_GOAWAY] = {.on = CONNECTION, .len_min = 8},
    [HTTP2_WINDOW_UPDATE] = {.on = ANY, .len_min = 4, .len_max = 4},
    [HTTP2_CONTINUATION] = {.on = STREAM},
    [HTTP2_PRIORITY_UPDATE] = {.on = CONNECTION, .len_min = 4},
};

enum http2_error http2_frame_check(const struct http2_frame *frame, uint32_t max, bool *of_stream)
{
    *of_stream = false;
    if (frame->len > max)
        return HTTP2_FRAME_SIZE_ERROR;
    if (frame->type >= HTTP2_FRAME_TYPE_COUNT && frame->type != HTTP2_PRIORITY_UPDATE)
        return HTTP2_NO_ERROR;
    const struct rule *rule = &rules[frame->type];
    if (rule->on != ANY && (rule->on == STREAM) != (frame->stream != 0))
        return HTTP2_PROTOCOL_ERROR;
    if (frame->len < rule->len_min || (rule->len_max > 0 && frame->len > rule->len_max) ||
        (rule->multiple_of > 0 && frame->len % rule->multiple_of != 0) ||
        (frame->type == HTTP2_SETTINGS && (frame->flags & HTTP2_ACK) && frame->len > 0)) {
        *of_stream = rule->of_stream;
        return HTTP2_FRAME_SIZE_ERROR;
    }
    return HTTP2_NO_ERROR;
}

bool http2_frame_strip(const struct http2_frame *frame, struct bytes *payload)
{
    struct reader r = reader_of(*payload);
    size_t padding = 0;
    if (frame->flags & HTTP2_PADDED)
        padding = read_u8(&r);
    if (frame->type == HTTP2_HEADERS && (frame->flags & HTTP2_HAS_PRIORITY))
        read_skip(&r, PRIORITY_LEN); /* of RFC 7540: ignored (§5.3.2) */
    if (r.failed || padding > reader_left(&r))
        return false;
    *payload = read_bytes(&r, reader_left(&r) - padding);
    return true;
}

struct http2_parameter http2_parameter_read(struct reader *r, enum http2_error *error)
{
    struct http2_parameter p;
    p.id = read_u16(r);
    p.value = read_u32(r);
    *error = HTTP2_NO_ERROR;
    if (p.id == HTTP2_SETTING_INITIAL_WINDOW_SIZE && p.value > HTTP2_WINDOW_MAX)
        *error = HTTP2_FLOW_CONTROL_ERROR;
    else if ((p.id == HTTP2_SETTING_MAX_FRAME_SIZE &&
              (p.value < HTTP2_FRAME_MAX || p.value > HTTP2_FRAME_LIMIT)) ||
             ((p.id == HTTP2_SETTING_ENABLE_PUSH || p.id == HTTP2_SETTING_ENABLE_CONNECT_PROTOCOL ||
               p.id == HTTP2_SETTING_NO_RFC7540_PRIORITIES) &&
              p.value > 1))
        *error = HTTP2_PROTOCOL_ERROR;
    return p;
}

void http2_settings_write(struct writer *w, const struct http2_parameter *list, size_t count)
{
    http2_frame_write(w, (struct http2_frame){(uint32_t)(6 * count), HTTP2_SETTINGS, 0, 0});
    for (size_t i = 0; i < count; i++) {
        write_u16(w, list[i].id);
        write_u32(w, list[i].value);
    }
}
