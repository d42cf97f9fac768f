/* SPDX-License-Identifier: ISC */
/*
 * websocket_session.h - one end of a WebSocket connection (RFC 6455), after the handshake, as a pure machine.
 *
 * Octets of the peer go in, and come out as pieces of messages, one event at a time; what the machine answers
 * by itself (pongs, closes, pings against silence) waits in a small output. Messages are sent by a frame's
 * header, which the caller puts before its octets: between frames, and after the output.
 *
 *      do {
 *          used = websocket_input(s, rest, now, &event);
 *          … act on the event …
 *      } while (used > 0 || event.kind != WEBSOCKET_NO_EVENT);
 *      … send websocket_output(), say websocket_sent(); look at websocket_over() and websocket_deadline() …
 */
#ifndef WN_PROTO_WEBSOCKET_WEBSOCKET_SESSION_H
#define WN_PROTO_WEBSOCKET_WEBSOCKET_SESSION_H

#include "base/prng.h"
#include "base/usec.h"
#include "wire/websocket/websocket.h"

enum {
    WEBSOCKET_PIECE_MAX = 4096, /* octets of a message told at a time */
    WEBSOCKET_OUTPUT_MAX = 4 * (WEBSOCKET_HEADER_MAX + WEBSOCKET_CONTROL_MAX),
};
#define WEBSOCKET_CLOSE_TIMEOUT (5 * USEC_PER_SEC) /* for the peer's close after ours */

enum websocket_role { WEBSOCKET_SERVER, WEBSOCKET_CLIENT };

struct websocket_options {
    enum websocket_role role;
    bool compression;     /* permessage-deflate was agreed upon */
    uint64_t message_max; /* octets as they come, compressed or not */
    usec ping_interval;   /* after so long without a word from the peer it is asked for one; and as long after
                             that it is given up. 0: never */
    struct prng *prng;    /* of a client: its masks come from one that is forked from it, and must not be
                             foreseen (§10.3); NULL for a server */
};

enum websocket_event_kind {
    WEBSOCKET_NO_EVENT,
    WEBSOCKET_DATA,   /* the next octets of a message, perhaps none */
    WEBSOCKET_PONGED, /* to whoever has asked */
    WEBSOCKET_CLOSED, /* no more will come: `code`, and why */
};

struct websocket_event {
    enum websocket_event_kind kind;
    bool text;         /* DATA, of the message: text or binary; text that is not compressed is UTF-8 so far */
    bool compressed;   /* DATA, of the message: what it is to be told when it is inflated */
    bool first, last;  /* DATA: the piece is the message's first, last */
    struct bytes data; /* DATA, PONGED; CLOSED: the peer's reason, UTF-8. Valid until the next call */
    unsigned code;     /* CLOSED: the peer's, WEBSOCKET_NO_CODE, or what was wrong with what it has sent */
};

struct websocket_session {
    struct websocket_options options;
    struct prng prng;
    usec now;
    usec heard_at;
    usec deadline;          /* of the close, or of silence */
    uint8_t head[WEBSOCKET_HEADER_MAX];
    uint8_t head_len;
    bool in_frame;          /* `frame` is being read */
    struct websocket_header frame;
    uint64_t frame_at;      /* octets of it read */
    uint8_t message;        /* opcode of the message under way; 0: none */
    bool compressed;
    bool first;             /* nothing of it has been told */
    uint64_t message_len;
    struct websocket_utf8 utf8;
    uint8_t control[WEBSOCKET_CONTROL_MAX];
    bool pinged;            /* it was asked for a word */
    bool close_sent;
    bool close_received;    /* or nothing more is read */
    bool failed;            /* the peer has broken a rule, or is silent */
    uint16_t output_len;
    uint8_t output[WEBSOCKET_OUTPUT_MAX];
    uint8_t piece[WEBSOCKET_PIECE_MAX];
};

void websocket_init(struct websocket_session *s, const struct websocket_options *options, usec now);

/* Consumes up to and including what yields an event; nothing while the output is full. Returns the octets
 * used. */
size_t websocket_input(struct websocket_session *s, struct bytes in, usec now,
                       struct websocket_event *out);

/* The header of a frame of `len` octets; a client masks them with header->key. False: a close was sent, after
 * which there is nothing more to say. */
MUST_USE bool websocket_frame(struct websocket_session *s, enum websocket_opcode opcode,
                              bool compressed, uint64_t len, struct websocket_header *header);

/* Begins to close (§7.1.2), once; `reason` is UTF-8, and cut at 123 octets. */
void websocket_close(struct websocket_session *s, unsigned code, struct bytes reason, usec now);

struct bytes websocket_output(const struct websocket_session *s);
void websocket_sent(struct websocket_session *s, size_t len);

/* All has been said, by both: the connection may be closed once the output is gone. */
bool websocket_over(const struct websocket_session *s);

/* The peer will not be heard any more (§7.1.7): it has not kept to the protocol, or to time. */
static inline bool websocket_failed(const struct websocket_session *s)
{
    return s->failed;
}

usec websocket_deadline(const struct websocket_session *s);
void websocket_tick(struct websocket_session *s, usec now);

#endif
