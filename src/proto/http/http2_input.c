/* SPDX-License-Identifier: ISC */
/* http2_input.c - frames that come (RFC 9113 §3.4, §5.1, §6). */
#include "proto/http/http2_internal.h"

static bool is_remote(const struct http2_session *s, uint32_t id)
{
    return (id % 2 == 1) != s->options.client;
}

/* Has nobody opened it yet (§5.1, idle)? */
static bool is_idle(const struct http2_session *s, uint32_t id)
{
    return id > (is_remote(s, id) ? s->last_remote : s->last_local);
}

/* ---- DATA ---- */

/* Octets of a body of which a length was told (§8.1.1). False: more than that. */
static bool fits_length(struct http2_stream *stream, size_t len)
{
    if (stream->left == HTTP2_LENGTH_UNKNOWN)
        return !stream->bodiless || len == 0;
    if (len > stream->left)
        return false;
    stream->left -= len;
    return true;
}

/* Who may not get it: an error of the stream, or of the connection. */
static struct http2_stream *find_receiver(struct http2_session *s, uint32_t id)
{
    struct http2_stream *stream = http2_find(s, id);
    bool by_us;
    if (stream == NULL && is_idle(s, id)) {
        http2_fail(s, HTTP2_PROTOCOL_ERROR);
    } else if (stream == NULL) {
        if (!http2_is_recent(s, id, &by_us) || !by_us)
            http2_stream_error(s, id, HTTP2_STREAM_CLOSED);
    } else if (stream->remote_ended) {
        http2_stream_error(s, id, HTTP2_STREAM_CLOSED);
        stream = NULL;
    } else if (s->options.client && !stream->head_received) {
        http2_stream_error(s, id, HTTP2_PROTOCOL_ERROR); /* §8.1: a message begins with its head */
        stream = NULL;
    }
    return stream;
}

/* The stream's window pays for the frame; of none, the connection has its octets back. NULL: it may not have it. */
static struct http2_stream *charge(struct http2_session *s, struct http2_stream *stream,
                                   const struct http2_frame *frame)
{
    if (stream != NULL && (int64_t)frame->len > stream->receive_window) {
        http2_stream_error(s, frame->stream, HTTP2_FLOW_CONTROL_ERROR);
        stream = NULL;
    }
    if (stream == NULL) {
        http2_consume_connection(s, frame->len);
        return NULL;
    }
    stream->receive_window -= (int32_t)frame->len;
    stream->unconsumed += frame->len;
    if (!fits_length(stream, s->data_left)) {
        http2_stream_error(s, frame->stream, HTTP2_PROTOCOL_ERROR);
        return NULL;
    }
    return stream;
}

/* The payload comes by take_data(); of one that is padded the first octet is in `in`. */
static void begin_data(struct http2_session *s, const struct http2_frame *frame, struct bytes in)
{
    uint32_t padding = frame->flags & HTTP2_PADDED ? 1u + in.data[0] : 0;
    if (padding > frame->len) {
        http2_fail(s, HTTP2_PROTOCOL_ERROR);
        return;
    }
    if (frame->len > s->receive_window) { /* §6.9.1: also for streams that are no more */
        http2_fail(s, HTTP2_FLOW_CONTROL_ERROR);
        return;
    }
    s->receive_window -= frame->len;
    s->data_left = frame->len - padding;
    s->padding_left = padding > 0 ? padding - 1 : 0;
    s->data_ends = (frame->flags & HTTP2_END_STREAM) != 0;
    s->data_stream = charge(s, find_receiver(s, frame->stream), frame);
    if (s->data_stream != NULL && padding > 0)
        http2_consume(s, s->data_stream, padding);
    if (s->data_left == 0 && !s->data_ends)
        (void)http2_spend_idle(s);
}

/* Is a frame of DATA under way? */
static bool in_data(const struct http2_session *s)
{
    return s->data_left + s->padding_left > 0;
}

/* The stream has all that the peer sends. False: it is less than was told. */
static bool end_remote(struct http2_session *s, struct http2_stream *stream)
{
    bool whole = stream->left == 0 || stream->left == HTTP2_LENGTH_UNKNOWN;
    if (!whole) {
        http2_stream_error(s, stream->id, HTTP2_PROTOCOL_ERROR);
        return false;
    }
    stream->remote_ended = true;
    http2_close_ended(s, stream);
    return true;
}

/* Tells what has come of it. The last piece tells the end, too. */
static size_t take_data(struct http2_session *s, struct bytes in, struct http2_event *out)
{
    struct bytes data = bytes_first(in, s->data_left);
    struct bytes padding = bytes_first(bytes_after(in, data.len), s->padding_left);
    s->data_left -= (uint32_t)data.len;
    if (s->data_left > 0)
        padding = bytes_empty();
    s->padding_left -= (uint32_t)padding.len;
    struct http2_stream *stream = s->data_stream;
    if (stream == NULL)
        return data.len + padding.len;
    bool ended = s->data_ends && !in_data(s) && end_remote(s, stream);
    if (data.len > 0 || ended) {
        out->kind = HTTP2_BODY;
        out->id = stream->id;
        out->stream = stream;
        out->data = data;
        out->ended = ended;
    }
    return data.len + padding.len;
}

/* ---- the others ---- */

static void change_windows(struct http2_session *s, uint32_t window)
{
    int64_t change = (int64_t)window - s->peer_window;
    s->peer_window = window;
    for (size_t i = 0; i < HTTP2_BUCKETS; i++) {
        for (struct http2_stream *stream = s->buckets[i]; stream != NULL; stream = stream->next) {
            if (stream->send_window + change > HTTP2_WINDOW_MAX) {
                http2_fail(s, HTTP2_FLOW_CONTROL_ERROR); /* §6.9.2 */
                return;
            }
            stream->send_window = (int32_t)(stream->send_window + change);
            http2_arrange(s, stream);
        }
    }
}

static enum http2_error apply(struct http2_session *s, struct http2_parameter p)
{
    switch (p.id) {
    case HTTP2_SETTING_HEADER_TABLE_SIZE:
        hpack_encoder_resize(&s->encoder, p.value);
        break;
    case HTTP2_SETTING_ENABLE_PUSH: /* §6.5.2: a server does not say 1 */
        return s->options.client && p.value != 0 ? HTTP2_PROTOCOL_ERROR : HTTP2_NO_ERROR;
    case HTTP2_SETTING_MAX_CONCURRENT_STREAMS:
        s->peer_streams_max = p.value;
        break;
    case HTTP2_SETTING_INITIAL_WINDOW_SIZE:
        change_windows(s, p.value);
        break;
    case HTTP2_SETTING_ENABLE_CONNECT_PROTOCOL:
        if (s->peer_connects && p.value == 0)
            return HTTP2_PROTOCOL_ERROR; /* RFC 8441 §3 */
        s->peer_connects = p.value == 1;
        break;
    default: /* §6.5.2: unknown ones are ignored; larger frames than the least that all take are never sent */
        break;
    }
    return HTTP2_NO_ERROR;
}

static void on_settings(struct http2_session *s, const struct http2_frame *frame, struct bytes payload)
{
    struct reader r = reader_of(payload);
    if (frame->flags & HTTP2_ACK) {
        s->ack_deadline = USEC_NEVER;
        return;
    }
    if (s->settings_came && !http2_spend_idle(s))
        return;
    s->settings_came = true;
    if (frame->len / 6 > HTTP2_SETTINGS_MAX) {
        http2_fail(s, HTTP2_ENHANCE_YOUR_CALM);
        return;
    }
    while (reader_left(&r) > 0 && !s->failed) {
        enum http2_error error;
        struct http2_parameter p = http2_parameter_read(&r, &error);
        if (error == HTTP2_NO_ERROR)
            error = apply(s, p);
        if (error != HTTP2_NO_ERROR)
            http2_fail(s, error);
    }
    if (!s->failed)
        http2_write_frame(s, (struct http2_frame){0, HTTP2_SETTINGS, HTTP2_ACK, 0}, NULL);
}

static void on_ping(struct http2_session *s, const struct http2_frame *frame, struct bytes payload)
{
    if ((frame->flags & HTTP2_ACK) == 0) {
        if (http2_spend_idle(s))
            http2_write_frame(s, (struct http2_frame){8, HTTP2_PING, HTTP2_ACK, 0}, payload.data);
    } else if (s->leaving && !s->left) {
        http2_go_away(s, HTTP2_NO_ERROR); /* what was on its way is here (§6.8) */
    }
}

static void on_window_update(struct http2_session *s, const struct http2_frame *frame,
                             struct bytes payload)
{
    struct reader r = reader_of(payload);
    uint32_t more = read_u32(&r) & HTTP2_WINDOW_MAX;
    if (frame->stream == 0) {
        if (more == 0)
            http2_fail(s, HTTP2_PROTOCOL_ERROR);
        else if (s->send_window + more > HTTP2_WINDOW_MAX)
            http2_fail(s, HTTP2_FLOW_CONTROL_ERROR);
        else
            s->send_window += more;
        return;
    }
    struct http2_stream *stream = http2_find(s, frame->stream);
    if (stream == NULL) {
        if (is_idle(s, frame->stream))
            http2_fail(s, HTTP2_PROTOCOL_ERROR);
        return; /* it may have been on its way (§5.1) */
    }
    if (more == 0) {
        http2_stream_error(s, stream->id, HTTP2_PROTOCOL_ERROR);
    } else if ((int64_t)stream->send_window + more > HTTP2_WINDOW_MAX) {
        http2_stream_error(s, stream->id, HTTP2_FLOW_CONTROL_ERROR);
    } else {
        stream->send_window += (int32_t)more;
        http2_arrange(s, stream);
    }
}

static void on_rst_stream(struct http2_session *s, const struct http2_frame *frame,
                          struct bytes payload)
{
    struct http2_stream *stream = http2_find(s, frame->stream);
    struct reader r = reader_of(payload);
    uint32_t error = read_u32(&r);
    if (stream == NULL && is_idle(s, frame->stream)) {
        http2_fail(s, HTTP2_PROTOCOL_ERROR);
        return;
    }
    if (!s->options.client && !http2_spend_reset(s))
        return;
    if (stream == NULL)
        return;
    stream->unprocessed = error == HTTP2_REFUSED_STREAM;
    /* §8.1: a server that has answered may ask so for no more of the request. */
    http2_close(s, stream, error == HTTP2_NO_ERROR && !stream->remote_ended ? HTTP2_CANCEL : error);
}

static void on_goaway(struct http2_session *s, struct bytes payload, struct http2_event *out)
{
    struct reader r = reader_of(payload);
    uint32_t last = read_u32(&r) & HTTP2_STREAM_MAX;
    uint32_t error = read_u32(&r);
    for (size_t i = 0; s->options.client && i < HTTP2_BUCKETS; i++) {
        struct http2_stream *next;
        for (struct http2_stream *stream = s->buckets[i]; stream != NULL; stream = next) {
            next = stream->next;
            if (stream->id <= last)
                continue;
            stream->unprocessed = true;
            http2_close(s, stream, HTTP2_REFUSED_STREAM);
        }
    }
    if (s->going_away && !http2_spend_idle(s))
        return;
    s->going_away = true;
    out->kind = HTTP2_GOING_AWAY;
    out->error = error;
}

static void on_priority_update(struct http2_session *s, struct bytes payload)
{
    struct reader r = reader_of(payload);
    uint32_t id = read_u32(&r) & HTTP2_STREAM_MAX;
    struct http2_stream *stream = http2_find(s, id);
    if (s->options.client || id == 0 || !is_remote(s, id)) {
        http2_fail(s, HTTP2_PROTOCOL_ERROR); /* RFC 9218 §7.1 */
        return;
    }
    if (!http2_spend_idle(s) || stream == NULL)
        return; /* DEVIATES RFC 9218 §7.1: what is said of a stream that is not there yet is not kept */
    stream->urgency = HTTP2_URGENCY_DEFAULT;
    stream->incremental = false;
    http2_prioritize(stream, read_rest(&r));
    http2_arrange(s, stream);
}

/* ---- header blocks ---- */

static bool begin_block(struct http2_session *s, const struct http2_frame *frame)
{
    if (s->block == NULL)
        s->block = s->heap.resize(s->heap.self, NULL, 0, HTTP2_BLOCK_MAX);
    if (s->block == NULL) {
        http2_fail(s, HTTP2_INTERNAL_ERROR);
        return false;
    }
    s->block_len = 0;
    s->block_stream = frame->stream;
    s->block_flags = frame->flags;
    s->continuations = 0;
    return true;
}

/* One more piece. Who sends too many, or too much, cannot be kept in step with (§10.5.1). */
static void add_to_block(struct http2_session *s, struct bytes piece)
{
    if (s->block_len + piece.len > HTTP2_BLOCK_MAX || s->continuations > HTTP2_CONTINUATIONS_MAX) {
        http2_fail(s, HTTP2_ENHANCE_YOUR_CALM);
        return;
    }
    memcpy(s->block + s->block_len, piece.data, piece.len);
    s->block_len += piece.len;
}

static void end_block(struct http2_session *s, struct http2_event *out)
{
    uint32_t id = s->block_stream;
    s->block_stream = 0;
    http2_take_block(s, id, s->block_flags, bytes_of(s->block, s->block_len), out);
}

static void on_headers(struct http2_session *s, const struct http2_frame *frame, struct bytes payload,
                       struct http2_event *out)
{
    if (!http2_frame_strip(frame, &payload)) {
        bool padded = (frame->flags & HTTP2_PADDED) != 0 && frame->len > 0;
        http2_fail(s, padded ? HTTP2_PROTOCOL_ERROR : HTTP2_FRAME_SIZE_ERROR);
    } else if (frame->flags & HTTP2_END_HEADERS) {
        http2_take_block(s, frame->stream, frame->flags, payload, out);
    } else if (begin_block(s, frame)) {
        add_to_block(s, payload);
    }
}

static void on_continuation(struct http2_session *s, const struct http2_frame *frame,
                            struct bytes payload, struct http2_event *out)
{
    s->continuations++;
    add_to_block(s, payload);
    if (!s->failed && (frame->flags & HTTP2_END_HEADERS))
        end_block(s, out);
}

/* ---- frames ---- */

static void on_frame(struct http2_session *s, const struct http2_frame *frame, struct bytes payload,
                     struct http2_event *out)
{
    switch (frame->type) {
    case HTTP2_HEADERS:
        on_headers(s, frame, payload, out);
        break;
    case HTTP2_RST_STREAM:
        on_rst_stream(s, frame, payload);
        break;
    case HTTP2_SETTINGS:
        on_settings(s, frame, payload);
        break;
    case HTTP2_PING:
        on_ping(s, frame, payload);
        break;
    case HTTP2_GOAWAY:
        on_goaway(s, payload, out);
        break;
    case HTTP2_WINDOW_UPDATE:
        on_window_update(s, frame, payload);
        break;
    case HTTP2_CONTINUATION:
        on_continuation(s, frame, payload, out);
        break;
    case HTTP2_PRIORITY_UPDATE:
        on_priority_update(s, payload);
        break;
    case HTTP2_PUSH_PROMISE: /* §8.4: forbidden to clients, and by us to servers */
        http2_fail(s, HTTP2_PROTOCOL_ERROR);
        break;
    default: /* PRIORITY, and what is not known, are ignored (§5.3.2, §5.5) */
        (void)http2_spend_idle(s);
        break;
    }
}

/* May that frame come now? */
static bool check_order(struct http2_session *s, const struct http2_frame *frame)
{
    bool in_block = s->block_stream != 0;
    bool good = s->settings_came ||
                (frame->type == HTTP2_SETTINGS && (frame->flags & HTTP2_ACK) == 0); /* §3.4 */
    if (in_block != (frame->type == HTTP2_CONTINUATION) ||
        (in_block && frame->stream != s->block_stream))
        good = false; /* §6.10 */
    if (!good)
        http2_fail(s, HTTP2_PROTOCOL_ERROR);
    return good;
}

/* One frame; of DATA, only its beginning. Returns the octets used; 0: it is not here yet. */
static size_t take_frame(struct http2_session *s, struct bytes in, struct http2_event *out)
{
    bool of_stream;
    if (in.len < HTTP2_FRAME_HEAD_LEN)
        return 0;
    struct http2_frame frame = http2_frame_read(in);
    struct bytes payload = bytes_after(in, HTTP2_FRAME_HEAD_LEN);
    enum http2_error error = http2_frame_check(&frame, HTTP2_FRAME_MAX, &of_stream);
    if (!check_order(s, &frame))
        return in.len;
    if (error != HTTP2_NO_ERROR && !of_stream) {
        http2_fail(s, error);
        return in.len;
    }
    if (frame.type == HTTP2_DATA) {
        bool padded = (frame.flags & HTTP2_PADDED) != 0;
        if (padded && frame.len == 0) {
            http2_fail(s, HTTP2_FRAME_SIZE_ERROR);
            return in.len;
        }
        if (padded && payload.len == 0)
            return 0;
        begin_data(s, &frame, payload);
        if (!s->failed && !in_data(s))
            (void)take_data(s, bytes_empty(), out);
        return HTTP2_FRAME_HEAD_LEN + (padded ? 1 : 0);
    }
    if (payload.len < frame.len)
        return 0;
    if (error != HTTP2_NO_ERROR && is_idle(s, frame.stream))
        http2_fail(s, error); /* §6.4: nothing may be said of a stream that is not there */
    else if (error != HTTP2_NO_ERROR)
        http2_stream_error(s, frame.stream, error);
    else
        on_frame(s, &frame, bytes_first(payload, frame.len), out);
    return HTTP2_FRAME_HEAD_LEN + frame.len;
}

static size_t take_preface(struct http2_session *s, struct bytes in)
{
    size_t len = HTTP2_PREFACE_LEN - s->preface_at;
    len = in.len < len ? in.len : len;
    if (memcmp(in.data, HTTP2_PREFACE + s->preface_at, len) != 0)
        http2_fail(s, HTTP2_PROTOCOL_ERROR);
    s->preface_at += len;
    return len;
}

static void tell_failure(struct http2_session *s, struct http2_event *out)
{
    if (s->failure_told)
        return;
    s->failure_told = true;
    out->kind = HTTP2_FAILED;
    out->error = s->failure;
}

size_t http2_input(struct http2_session *s, struct bytes in, usec now, struct http2_event *out)
{
    size_t used = 0;
    ASSERT(s->pending == 0);
    s->now = now;
    out->kind = HTTP2_NO_EVENT;
    while (used < in.len && out->kind == HTTP2_NO_EVENT && !s->failed &&
           s->output_len < HTTP2_OUTPUT_HIGH) {
        struct bytes rest = {in.data + used, in.len - used};
        size_t step;
        if (s->preface_at < HTTP2_PREFACE_LEN)
            step = take_preface(s, rest);
        else if (in_data(s))
            step = take_data(s, rest, out);
        else
            step = take_frame(s, rest, out);
        if (step == 0)
            break;
        used += step;
    }
    if (s->failed) {
        tell_failure(s, out);
        return in.len;
    }
    return used;
}
