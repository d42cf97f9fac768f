/* SPDX-License-Identifier: ISC */
/* http2_session.c - streams, errors, settings and time of HTTP/2 (RFC 9113 §5, §6.5, §6.8). */
#include "proto/http/http2_session.h"

#include "proto/http/http2_internal.h"

_Static_assert(HTTP2_RECENT <= HTTP2_BUCKETS && HTTP2_STREAMS_MAX <= HTTP2_BUCKETS,
               "streams of one side, at a time, hardly ever share a bucket");

/* ---- streams ---- */

static unsigned bucket_of(uint32_t id)
{
    return (id >> 1) % HTTP2_BUCKETS;
}

static bool is_local(const struct http2_session *s, uint32_t id)
{
    return (id % 2 == 1) == s->options.client;
}

struct http2_stream *http2_find(const struct http2_session *s, uint32_t id)
{
    struct http2_stream *stream = s->buckets[bucket_of(id)];
    while (stream != NULL && stream->id != id)
        stream = stream->next;
    return stream;
}

void http2_enter(struct http2_session *s, struct http2_stream *stream)
{
    struct http2_stream **bucket = &s->buckets[bucket_of(stream->id)];
    list_init(&stream->node);
    stream->send_window = (int32_t)s->peer_window;
    stream->receive_window = (int32_t)s->options.window;
    stream->next = *bucket;
    *bucket = stream;
    if (is_local(s, stream->id))
        s->local_count++;
    else
        s->remote_count++;
}

/* Takes it out of the table. What it has not used up is the connection's again. */
static void leave(struct http2_session *s, struct http2_stream *stream)
{
    struct http2_stream **place = &s->buckets[bucket_of(stream->id)];
    while (*place != stream)
        place = &(*place)->next;
    *place = stream->next;
    list_remove(&stream->node);
    if (is_local(s, stream->id))
        s->local_count--;
    else
        s->remote_count--;
    if (s->data_stream == stream)
        s->data_stream = NULL;
    if (stream->unconsumed > 0)
        http2_consume_connection(s, stream->unconsumed);
    stream->unconsumed = 0;
    stream->sending = false;
    stream->over = true;
}

static void remember(struct http2_session *s, uint32_t id, bool by_us)
{
    s->recent[(id >> 1) % HTTP2_RECENT] = id << 1 | (by_us ? 1 : 0);
}

bool http2_is_recent(const struct http2_session *s, uint32_t id, bool *by_us)
{
    uint32_t recent = s->recent[(id >> 1) % HTTP2_RECENT];
    *by_us = (recent & 1) != 0;
    return recent >> 1 == id;
}

void http2_close(struct http2_session *s, struct http2_stream *stream, uint32_t error)
{
    leave(s, stream);
    stream->error = error;
    remember(s, stream->id, false);
    list_append(&s->closed, &stream->node);
}

void http2_close_ended(struct http2_session *s, struct http2_stream *stream)
{
    if (stream->local_ended && stream->remote_ended)
        http2_close(s, stream, HTTP2_NO_ERROR);
}

struct http2_stream *http2_next_closed(struct http2_session *s)
{
    struct list_node *node = list_first(&s->closed);
    if (node == NULL)
        return NULL;
    list_remove(node);
    return CONTAINER_OF(node, struct http2_stream, node);
}

void http2_forget(struct http2_session *s, struct http2_stream *stream)
{
    if (http2_find(s, stream->id) == stream)
        leave(s, stream);
    else
        list_remove(&stream->node);
}

void http2_accept(struct http2_session *s, struct http2_stream *stream)
{
    ASSERT(s->pending != 0);
    *stream = s->pending_as;
    s->pending = 0;
    http2_enter(s, stream);
}

void http2_refuse(struct http2_session *s, enum http2_error error)
{
    ASSERT(s->pending != 0);
    http2_write_number_frame(s, HTTP2_RST_STREAM, s->pending, error);
    remember(s, s->pending, true);
    s->pending = 0;
}

bool http2_may_open(const struct http2_session *s)
{
    uint32_t most = s->peer_streams_max < HTTP2_STREAMS_MAX ? s->peer_streams_max : HTTP2_STREAMS_MAX;
    return !s->failed && !s->going_away && !s->leaving && s->local_count < most &&
           s->last_local < HTTP2_STREAM_MAX - 2;
}

void http2_open(struct http2_session *s, struct http2_stream *stream, bool bodiless)
{
    ASSERT(s->options.client && http2_may_open(s));
    s->last_local = s->last_local == 0 ? 1 : s->last_local + 2;
    *stream = (struct http2_stream){
        .id = s->last_local,
        .left = HTTP2_LENGTH_UNKNOWN,
        .urgency = HTTP2_URGENCY_DEFAULT,
        .bodiless = bodiless,
    };
    http2_enter(s, stream);
}

/* ---- errors ---- */

static void say_go_away(struct http2_session *s, uint32_t last, uint32_t error)
{
    uint8_t payload[8];
    struct writer w = writer_of(payload, sizeof payload);
    write_u32(&w, last);
    write_u32(&w, error);
    http2_write_frame(s, (struct http2_frame){sizeof payload, HTTP2_GOAWAY, 0, 0}, payload);
}

void http2_fail(struct http2_session *s, enum http2_error error)
{
    if (s->failed)
        return;
    say_go_away(s, s->last_remote, error);
    s->failed = true;
    s->failure = error;
}

void http2_go_away(struct http2_session *s, enum http2_error error)
{
    if (error != HTTP2_NO_ERROR) {
        http2_fail(s, error);
        return;
    }
    if (!s->failed && !s->left)
        say_go_away(s, s->last_remote, HTTP2_NO_ERROR);
    s->leaving = s->left = true;
}

void http2_shut_down(struct http2_session *s)
{
    static const uint8_t mark[8] = "goodbye";
    if (s->failed || s->leaving)
        return;
    s->leaving = true;
    say_go_away(s, HTTP2_STREAM_MAX, HTTP2_NO_ERROR);
    http2_write_frame(s, (struct http2_frame){sizeof mark, HTTP2_PING, 0, 0}, mark);
}

bool http2_over(const struct http2_session *s)
{
    bool ending = s->going_away || s->left;
    return s->failed || (ending && s->pending == 0 && http2_stream_count(s) == 0);
}

void http2_reset(struct http2_session *s, struct http2_stream *stream, enum http2_error error)
{
    if (http2_find(s, stream->id) != stream)
        return; /* it is over */
    http2_write_number_frame(s, HTTP2_RST_STREAM, stream->id, error);
    http2_close(s, stream, error);
    remember(s, stream->id, true);
}

void http2_stream_error(struct http2_session *s, uint32_t id, enum http2_error error)
{
    struct http2_stream *stream = http2_find(s, id);
    if (!http2_spend_reset(s))
        return;
    if (stream != NULL)
        http2_reset(s, stream, error);
    else
        http2_write_number_frame(s, HTTP2_RST_STREAM, id, error);
    remember(s, id, true);
}

/* ---- limits ---- */

static bool spend(struct http2_session *s, struct http2_bucket *bucket, uint32_t burst, uint32_t rate)
{
    usec each = USEC_PER_SEC / rate;
    usec earned = (s->now - bucket->since) / each;
    if (earned > 0) {
        bucket->left = earned + bucket->left < burst ? (uint32_t)earned + bucket->left : burst;
        bucket->since += earned * each;
    }
    if (bucket->left == 0) {
        http2_fail(s, HTTP2_ENHANCE_YOUR_CALM);
        return false;
    }
    bucket->left--;
    return true;
}

bool http2_spend_reset(struct http2_session *s)
{
    return spend(s, &s->resets, HTTP2_RESETS_BURST, HTTP2_RESETS_RATE);
}

bool http2_spend_idle(struct http2_session *s)
{
    return spend(s, &s->idles, HTTP2_IDLES_BURST, HTTP2_IDLES_RATE);
}

/* ---- the connection ---- */

static void begin(struct http2_session *s)
{
    const struct http2_options *o = &s->options;
    uint8_t octets[HTTP2_PREFACE_LEN + HTTP2_FRAME_HEAD_LEN + 6 * 6];
    struct writer w = writer_of(octets, sizeof octets);
    const struct http2_parameter settings[] = {
        {HTTP2_SETTING_INITIAL_WINDOW_SIZE, o->window},
        {HTTP2_SETTING_MAX_HEADER_LIST_SIZE, HTTP_HEAD_MAX},
        {HTTP2_SETTING_NO_RFC7540_PRIORITIES, 1},
        o->client ? (struct http2_parameter){HTTP2_SETTING_ENABLE_PUSH, 0}
                  : (struct http2_parameter){HTTP2_SETTING_ENABLE_CONNECT_PROTOCOL, 1},
        {HTTP2_SETTING_MAX_CONCURRENT_STREAMS, o->streams_max},
    };
    if (o->client)
        write_copy(&w, HTTP2_PREFACE, HTTP2_PREFACE_LEN);
    http2_settings_write(&w, settings, ARRAY_LEN(settings) - (o->client ? 1 : 0));
    ASSERT(!w.failed);
    uint8_t *at = http2_reserve(s, writer_len(&w));
    if (at == NULL)
        return;
    memcpy(at, octets, writer_len(&w));
    s->output_len += writer_len(&w);
    if (o->connection_window > HTTP2_WINDOW_DEFAULT)
        http2_write_number_frame(s, HTTP2_WINDOW_UPDATE, 0,
                                 o->connection_window - HTTP2_WINDOW_DEFAULT);
}

void http2_session_init(struct http2_session *s, const struct http2_options *options,
                        const struct heap *heap, struct http2_scratch *scratch, usec now)
{
    ASSERT(options->streams_max <= HTTP2_STREAMS_MAX && options->window <= HTTP2_WINDOW_MAX &&
           options->connection_window >= HTTP2_WINDOW_DEFAULT);
    memset(s, 0, offsetof(struct http2_session, decoder));
    hpack_decoder_init(&s->decoder);
    hpack_encoder_init(&s->encoder);
    s->options = *options;
    s->heap = *heap;
    s->scratch = scratch;
    s->now = now;
    s->ack_deadline = now + HTTP2_ACK_TIMEOUT;
    s->preface_at = options->client ? HTTP2_PREFACE_LEN : 0;
    s->send_window = HTTP2_WINDOW_DEFAULT;
    s->receive_window = options->connection_window;
    s->peer_window = HTTP2_WINDOW_DEFAULT;
    s->peer_streams_max = HTTP2_STREAMS_MAX;
    s->resets = (struct http2_bucket){HTTP2_RESETS_BURST, now};
    s->idles = (struct http2_bucket){HTTP2_IDLES_BURST, now};
    list_init(&s->closed);
    for (size_t i = 0; i < HTTP2_URGENCIES; i++)
        list_init(&s->ready[i]);
    begin(s);
}

void http2_session_done(struct http2_session *s)
{
    heap_release(&s->heap, s->output, s->output_size);
    heap_release(&s->heap, s->block, s->block != NULL ? HTTP2_BLOCK_MAX : 0);
    s->output = s->block = NULL;
    s->output_size = s->output_len = s->output_at = 0;
}

usec http2_deadline(const struct http2_session *s)
{
    return s->failed ? USEC_NEVER : s->ack_deadline;
}

void http2_tick(struct http2_session *s, usec now)
{
    s->now = now;
    if (now >= s->ack_deadline)
        http2_fail(s, HTTP2_SETTINGS_TIMEOUT);
}
