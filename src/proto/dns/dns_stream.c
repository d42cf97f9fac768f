/* SPDX-License-Identifier: ISC */
/* dns_stream.c - messages out of a byte stream (RFC 7766 §8). */
#include "proto/dns/dns_stream.h"

void dns_stream_init(struct dns_stream *s, void *buffer, size_t size, usec timeout, usec now)
{
    *s = (struct dns_stream){
        .buffer = buffer,
        .size = size,
        .timeout = timeout,
        .active_at = now,
    };
}

static size_t message_len(const struct dns_stream *s)
{
    return (size_t)s->length[0] << 8 | s->length[1];
}

size_t dns_stream_input(struct dns_stream *s, struct bytes in, usec now,
                        enum dns_stream_event *event, struct bytes *message)
{
    struct reader r = reader_of(in);
    *event = DNS_STREAM_NOTHING;
    while (s->have < DNS_STREAM_LENGTH_LEN && reader_left(&r) > 0)
        s->length[s->have++] = read_u8(&r);
    if (s->have < DNS_STREAM_LENGTH_LEN)
        return in.len;
    size_t len = message_len(s);
    if (len > s->size) {
        *event = DNS_STREAM_TOO_LONG;
        return in.len - reader_left(&r);
    }
    size_t got = s->have - DNS_STREAM_LENGTH_LEN;
    size_t count = len - got < reader_left(&r) ? len - got : reader_left(&r);
    read_copy(&r, s->buffer + got, count);
    s->have += count;
    if (got + count == len) {
        *event = DNS_STREAM_MESSAGE;
        *message = bytes_of(s->buffer, len);
        s->have = 0;
        s->active_at = now;
    }
    return in.len - reader_left(&r);
}

void dns_stream_owe(struct dns_stream *s)
{
    s->owed++;
}

void dns_stream_paid(struct dns_stream *s, usec now)
{
    ASSERT(s->owed > 0);
    s->owed--;
    s->active_at = now;
}

usec dns_stream_deadline(const struct dns_stream *s)
{
    return s->owed > 0 ? USEC_NEVER : s->active_at + s->timeout;
}

void dns_stream_write(struct writer *w, struct bytes message)
{
    ASSERT(message.len <= UINT16_MAX);
    write_u16(w, (uint16_t)message.len);
    write_bytes(w, message);
}
