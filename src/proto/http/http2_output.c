/* SPDX-License-Identifier: ISC */
/* http2_output.c - what goes: heads (RFC 9113 §6.2, §8), bodies in the order of RFC 9218 §10, windows (§6.9). */
#include "proto/http/http2_internal.h"
#include "wire/http/http_octets.h"

enum {
    BLOCK_MIN = 4096, /* of the output's memory */
    NAME_MAX = 256,   /* octets of a field's name */
    SLOT_MIN = 256,   /* a frame of fewer octets waits for more room */
};

/* ---- the queue ---- */

/* Room for `len` octets behind those that wait: grows by doubling. False: no memory, or the peer lets too many wait. */
static bool make_room(struct http2_session *s, size_t len)
{
    size_t size = s->output_size > 0 ? s->output_size : BLOCK_MIN;
    if (s->output_at + s->output_len + len <= s->output_size)
        return true;
    if (s->output_at > 0) {
        memmove(s->output, s->output + s->output_at, s->output_len);
        s->output_at = 0;
    }
    if (s->output_len + len > HTTP2_OUTPUT_MAX)
        return false;
    while (size < s->output_len + len)
        size *= 2;
    if (size == s->output_size)
        return true;
    uint8_t *larger = s->heap.resize(s->heap.self, s->output, s->output_size, size);
    if (larger == NULL)
        return false;
    s->output = larger;
    s->output_size = size;
    return true;
}

uint8_t *http2_reserve(struct http2_session *s, size_t len)
{
    if (s->failed)
        return NULL;
    if (LIKELY(make_room(s, len)))
        return s->output + s->output_at + s->output_len;
    s->failed = true; /* not even GOAWAY can be said */
    s->failure = HTTP2_INTERNAL_ERROR;
    return NULL;
}

void http2_write_frame(struct http2_session *s, struct http2_frame frame, const void *payload)
{
    uint8_t *at = http2_reserve(s, HTTP2_FRAME_HEAD_LEN + frame.len);
    if (at == NULL)
        return;
    struct writer w = writer_of(at, HTTP2_FRAME_HEAD_LEN + frame.len);
    http2_frame_write(&w, frame);
    if (frame.len > 0)
        write_copy(&w, payload, frame.len);
    s->output_len += writer_len(&w);
}

void http2_write_number_frame(struct http2_session *s, uint8_t type, uint32_t stream, uint32_t value)
{
    uint8_t payload[4];
    struct writer w = writer_of(payload, sizeof payload);
    write_u32(&w, value);
    http2_write_frame(s, (struct http2_frame){sizeof payload, type, 0, stream}, payload);
}

struct bytes http2_output(const struct http2_session *s)
{
    return bytes_of(s->output != NULL ? s->output + s->output_at : NULL, s->output_len);
}

void http2_sent(struct http2_session *s, size_t len)
{
    ASSERT(len <= s->output_len);
    s->output_at += len;
    s->output_len -= len;
    if (s->output_len > 0)
        return;
    heap_release(&s->heap, s->output, s->output_size); /* idle connections have none */
    s->output = NULL;
    s->output_size = s->output_at = 0;
}

/* ---- heads ---- */

bool http2_field_fits(const struct http_field *field)
{
    return field->name.len <= NAME_MAX && http_is_token(field->name) &&
           http_octets_are(field->value, HTTP_OCTET_FIELD);
}

void http2_begin_head(struct http2_session *s, struct http2_stream *stream)
{
    s->head_stream = NULL;
    if (stream->over)
        return;
    ASSERT(!stream->local_ended);
    uint8_t *at = http2_reserve(s, HTTP2_FRAME_HEAD_LEN + HPACK_BEGIN_ROOM);
    if (at == NULL)
        return;
    s->head_stream = stream;
    s->head_at = s->output_len;
    struct writer w = writer_of(at + HTTP2_FRAME_HEAD_LEN, HPACK_BEGIN_ROOM);
    hpack_encode_begin(&s->encoder, &w);
    s->output_len += HTTP2_FRAME_HEAD_LEN + writer_len(&w);
}

/* §8.2.2: what is of a connection of HTTP/1 has no place here. */
static bool is_of_connection(enum hpack_name known, struct bytes value)
{
    if (known == HPACK_TE)
        return !bytes_equal_nocase(value, bytes_of_text("trailers"));
    return known == HPACK_CONNECTION || known == HPACK_KEEP_ALIVE ||
           known == HPACK_PROXY_CONNECTION || known == HPACK_TRANSFER_ENCODING ||
           known == HPACK_UPGRADE;
}

/* The name in small letters, eight octets at a time: of each that is one of A to Z, bit 5 is set. The octets of a
 * token are below 0x80, so that no sum here carries into the next one. */
static void make_small(uint8_t out[NAME_MAX], struct bytes name)
{
    const uint64_t each = 0x0101010101010101u;
    for (size_t at = 0; at < name.len; at += 8) {
        uint64_t word = 0;
        size_t len = name.len - at < 8 ? name.len - at : 8;
        memcpy(&word, name.data + at, len);
        uint64_t from_a = word + (0x80 - 'A') * each;
        uint64_t beyond_z = word + (0x80 - 'Z' - 1) * each;
        word |= ((from_a & ~beyond_z) & 0x80 * each) >> 2;
        memcpy(out + at, &word, 8);
    }
}

void http2_add(struct http2_session *s, struct bytes name, struct bytes value)
{
    uint8_t small[NAME_MAX];
    ASSERT(name.len <= sizeof small);
    make_small(small, name);
    struct bytes lower = bytes_of(small, name.len);
    enum hpack_name known = hpack_name_find(lower);
    if (s->head_stream == NULL || is_of_connection(known, value))
        return;
    uint8_t *at = http2_reserve(s, name.len + value.len + HPACK_FIELD_ROOM);
    if (at == NULL)
        return;
    struct writer w = writer_of(at, name.len + value.len + HPACK_FIELD_ROOM);
    if (known != HPACK_OTHER)
        hpack_encode_known(&s->encoder, &w, known, http_trim(value));
    else
        hpack_encode(&s->encoder, &w, lower, http_trim(value));
    ASSERT(!w.failed);
    s->output_len += writer_len(&w);
}

void http2_add_known(struct http2_session *s, enum hpack_name name, struct bytes value)
{
    size_t room = 32 + value.len + HPACK_FIELD_ROOM;
    uint8_t *at = s->head_stream != NULL ? http2_reserve(s, room) : NULL;
    if (at == NULL)
        return;
    struct writer w = writer_of(at, room);
    hpack_encode_known(&s->encoder, &w, name, value);
    ASSERT(!w.failed);
    s->output_len += writer_len(&w);
}

void http2_add_number(struct http2_session *s, enum hpack_name name, uint64_t value)
{
    uint8_t digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (uint8_t)('0' + value % 10);
    while ((value /= 10) > 0);
    http2_add_known(s, name, bytes_of(digits + at, sizeof digits - at));
}

/* The block's head, now that its length is known; what is too long for one frame goes on in others (§6.10). */
static void frame_block(struct http2_session *s, uint32_t id, uint8_t flags)
{
    size_t len = s->output_len - s->head_at - HTTP2_FRAME_HEAD_LEN;
    size_t pieces = len == 0 ? 1 : (len + HTTP2_FRAME_MAX - 1) / HTTP2_FRAME_MAX;
    if (pieces > 1 && http2_reserve(s, (pieces - 1) * HTTP2_FRAME_HEAD_LEN) == NULL)
        return;
    uint8_t *block = s->output + s->output_at + s->head_at;
    for (size_t i = pieces; i-- > 0;) {
        size_t at = i * HTTP2_FRAME_MAX;
        size_t piece = len - at < HTTP2_FRAME_MAX ? len - at : HTTP2_FRAME_MAX;
        uint8_t *to = block + at + i * HTTP2_FRAME_HEAD_LEN;
        memmove(to + HTTP2_FRAME_HEAD_LEN, block + HTTP2_FRAME_HEAD_LEN + at, piece);
        struct writer w = writer_of(to, HTTP2_FRAME_HEAD_LEN);
        http2_frame_write(&w, (struct http2_frame){
                                  .len = (uint32_t)piece,
                                  .type = i == 0 ? HTTP2_HEADERS : HTTP2_CONTINUATION,
                                  .flags = (uint8_t)((i == 0 ? flags : 0) |
                                                     (i == pieces - 1 ? HTTP2_END_HEADERS : 0)),
                                  .stream = id,
                              });
    }
    s->output_len += (pieces - 1) * HTTP2_FRAME_HEAD_LEN;
}

void http2_end_head(struct http2_session *s, bool last, bool ended)
{
    struct http2_stream *stream = s->head_stream;
    s->head_stream = NULL;
    if (stream == NULL || s->failed)
        return;
    ASSERT(last || !ended);
    frame_block(s, stream->id, ended ? HTTP2_END_STREAM : 0);
    stream->head_sent = last;
    if (ended) {
        stream->local_ended = true;
        stream->sending = false;
        http2_arrange(s, stream);
        http2_close_ended(s, stream);
    } else if (last) {
        stream->sending = true;
        http2_arrange(s, stream);
    }
}

/* ---- bodies ---- */

void http2_arrange(struct http2_session *s, struct http2_stream *stream)
{
    bool may = stream->sending && !stream->asleep && stream->send_window > 0;
    list_remove(&stream->node);
    if (!may)
        return;
    list_append(&s->ready[stream->urgency], &stream->node);
    s->ready_mask |= 1u << stream->urgency;
}

/* The most urgent stream that may send, the first of those (RFC 9218 §10). */
static struct http2_stream *next_sender(struct http2_session *s)
{
    for (unsigned u = 0; s->ready_mask >> u != 0; u++) {
        struct list_node *node = list_first(&s->ready[u]);
        if (node != NULL)
            return CONTAINER_OF(node, struct http2_stream, node);
        s->ready_mask &= ~(1u << u);
    }
    return NULL;
}

bool http2_next_slot(struct http2_session *s, struct http2_slot *out)
{
    if (s->failed || s->send_window <= 0 ||
        s->output_len + HTTP2_FRAME_HEAD_LEN + SLOT_MIN > HTTP2_OUTPUT_HIGH)
        return false;
    struct http2_stream *stream = next_sender(s);
    if (stream == NULL)
        return false;
    size_t room = HTTP2_OUTPUT_HIGH - s->output_len - HTTP2_FRAME_HEAD_LEN;
    room = room < HTTP2_FRAME_MAX ? room : HTTP2_FRAME_MAX;
    room = (int64_t)room < s->send_window ? room : (size_t)s->send_window;
    room = (int64_t)room < stream->send_window ? room : (size_t)stream->send_window;
    uint8_t *at = http2_reserve(s, HTTP2_FRAME_HEAD_LEN + room);
    if (at == NULL)
        return false;
    *out = (struct http2_slot){stream, at + HTTP2_FRAME_HEAD_LEN, room};
    return true;
}

void http2_fill(struct http2_session *s, const struct http2_slot *slot, size_t len, bool ended)
{
    struct http2_stream *stream = slot->stream;
    ASSERT(len <= slot->room && stream->sending &&
           slot->at == s->output + s->output_at + s->output_len + HTTP2_FRAME_HEAD_LEN);
    struct writer w = writer_of(slot->at - HTTP2_FRAME_HEAD_LEN, HTTP2_FRAME_HEAD_LEN);
    http2_frame_write(&w, (struct http2_frame){(uint32_t)len, HTTP2_DATA,
                                               ended ? HTTP2_END_STREAM : 0, stream->id});
    s->output_len += HTTP2_FRAME_HEAD_LEN + len;
    s->send_window -= (int64_t)len;
    stream->send_window -= (int32_t)len;
    if (ended) {
        stream->local_ended = true;
        stream->sending = false;
    }
    if (stream->incremental || !stream->sending || stream->send_window <= 0)
        http2_arrange(s, stream); /* others have their turn (RFC 9218 §10) */
    http2_close_ended(s, stream);
}

void http2_sleep(struct http2_session *s, struct http2_stream *stream)
{
    if (!stream->sending)
        return;
    stream->asleep = true;
    http2_arrange(s, stream);
}

void http2_wake(struct http2_session *s, struct http2_stream *stream)
{
    if (!stream->asleep)
        return;
    stream->asleep = false;
    if (stream->sending)
        http2_arrange(s, stream);
}

void http2_end_body(struct http2_session *s, struct http2_stream *stream)
{
    if (!stream->sending || s->failed)
        return;
    http2_write_frame(s, (struct http2_frame){0, HTTP2_DATA, HTTP2_END_STREAM, stream->id}, NULL);
    stream->local_ended = true;
    stream->sending = false;
    http2_arrange(s, stream);
    http2_close_ended(s, stream);
}

/* ---- windows of what comes ---- */

void http2_consume_connection(struct http2_session *s, size_t len)
{
    s->consumed += (uint32_t)len;
    if (s->consumed < s->options.connection_window / 2)
        return;
    http2_write_number_frame(s, HTTP2_WINDOW_UPDATE, 0, s->consumed);
    s->receive_window += s->consumed;
    s->consumed = 0;
}

void http2_consume(struct http2_session *s, struct http2_stream *stream, size_t len)
{
    if (len > stream->unconsumed) /* it is over, and the connection has had them */
        len = stream->unconsumed;
    if (len == 0)
        return;
    stream->unconsumed -= (uint32_t)len;
    http2_consume_connection(s, len);
    stream->consumed += (uint32_t)len;
    if (stream->remote_ended || stream->consumed < s->options.window / 2)
        return;
    http2_write_number_frame(s, HTTP2_WINDOW_UPDATE, stream->id, stream->consumed);
    stream->receive_window += (int32_t)stream->consumed;
    stream->consumed = 0;
}
