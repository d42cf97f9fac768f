/* SPDX-License-Identifier: ISC */
/*
 * dns_stream.h - DNS messages over a byte stream: two octets of length in front of each (RFC 1035
 * §4.2.2, RFC 7766 §8).
 *
 * One direction of one connection: octets in, at most one message out of each call. How the octets
 * are cut makes no difference. A stream that brings no whole message for `timeout` is idle, be it
 * silent or slow; messages that are still being answered do not count as silence (§6.2.3).
 */
#ifndef WN_PROTO_DNS_DNS_STREAM_H
#define WN_PROTO_DNS_DNS_STREAM_H

#include "base/bytes.h"
#include "base/usec.h"

enum {
    DNS_STREAM_LENGTH_LEN = 2,
    DNS_STREAM_QUERY_MAX = 4096, /* of a query: one question, and options */
};
#define DNS_STREAM_IDLE_TIMEOUT (10 * USEC_PER_SEC)

enum dns_stream_event { DNS_STREAM_NOTHING, DNS_STREAM_MESSAGE, DNS_STREAM_TOO_LONG };

struct dns_stream {
    uint8_t *buffer; /* the caller's */
    size_t size;
    size_t have; /* octets of the length and the message that have come */
    uint8_t length[DNS_STREAM_LENGTH_LEN];
    unsigned owed;   /* answers */
    usec timeout;
    usec active_at;
};

/* `buffer` must hold the longest message that is to be taken, and stay until the stream is done. */
void dns_stream_init(struct dns_stream *s, void *buffer, size_t size, usec timeout, usec now);

/* Takes octets up to the end of a message. Returns how many were used: fewer than all only with a
 * message, which is valid until the next call, or with DNS_STREAM_TOO_LONG, after which the
 * connection can only be closed. */
size_t dns_stream_input(struct dns_stream *s, struct bytes in, usec now,
                        enum dns_stream_event *event, struct bytes *message);

/* The message just given out will be answered later; the answer has been given. */
void dns_stream_owe(struct dns_stream *s);
void dns_stream_paid(struct dns_stream *s, usec now);

/* When the stream is idle; USEC_NEVER while answers are owed. */
usec dns_stream_deadline(const struct dns_stream *s);

/* Writes a message with its length. */
void dns_stream_write(struct writer *w, struct bytes message);

#endif
