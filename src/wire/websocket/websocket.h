/* SPDX-License-Identifier: ISC */
/*
 * websocket.h - frames of the WebSocket protocol (RFC 6455 §5), and what may stand in them.
 */
#ifndef WN_WIRE_WEBSOCKET_WEBSOCKET_H
#define WN_WIRE_WEBSOCKET_WEBSOCKET_H

#include "base/bytes.h"
#include "wire/status.h"

enum {
    WEBSOCKET_HEADER_MAX = 14,
    WEBSOCKET_CONTROL_MAX = 125, /* octets of a control frame (§5.5) */
    WEBSOCKET_KEY_LEN = 4,       /* of a mask */
    WEBSOCKET_NONCE_LEN = 16,    /* of Sec-WebSocket-Key, decoded (§4.1) */
};

/* What is hashed behind Sec-WebSocket-Key for Sec-WebSocket-Accept (§4.2.2). */
#define WEBSOCKET_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

enum websocket_opcode {
    WEBSOCKET_CONTINUATION = 0,
    WEBSOCKET_TEXT = 1,
    WEBSOCKET_BINARY = 2,
    WEBSOCKET_CLOSE = 8,
    WEBSOCKET_PING = 9,
    WEBSOCKET_PONG = 10,
};

/* Status codes of a close (§7.4.1). */
enum websocket_code {
    WEBSOCKET_NORMAL = 1000,
    WEBSOCKET_GOING_AWAY = 1001,
    WEBSOCKET_PROTOCOL_ERROR = 1002,
    WEBSOCKET_UNSUPPORTED_DATA = 1003,
    WEBSOCKET_NO_CODE = 1005,  /* never in a frame: it had none */
    WEBSOCKET_ABNORMAL = 1006, /* never in a frame: there was no close */
    WEBSOCKET_INVALID_DATA = 1007,
    WEBSOCKET_POLICY = 1008,
    WEBSOCKET_TOO_BIG = 1009,
    WEBSOCKET_INTERNAL_ERROR = 1011,
};

struct websocket_header {
    bool final;
    bool compressed;  /* RSV1: the message is (RFC 7692 §6) */
    uint8_t opcode;
    bool masked;
    uint8_t key[WEBSOCKET_KEY_LEN];
    uint64_t length;  /* octets of payload that follow */
};

/*
 * The header at the front of `in`; its length goes to *len. WIRE_TRUNCATED: more is needed;
 * WIRE_MALFORMED: what no frame may be: a reserved bit or opcode, a control frame that is long, in
 * fragments or compressed, a length that could be shorter (§5.2: the minimal number of octets).
 */
MUST_USE enum wire_status websocket_header_decode(struct bytes in, struct websocket_header *out,
                                                  size_t *len);
void websocket_header_encode(struct writer *w, const struct websocket_header *header);

/* Masks or unmasks (§5.3); `offset`: of the first octet in the payload. */
void websocket_mask(uint8_t *data, size_t len, const uint8_t key[WEBSOCKET_KEY_LEN],
                    uint64_t offset);

/* May the code stand in a close frame (§7.4)? */
bool websocket_code_valid(unsigned code);

/* What a code says, for people. */
const char *websocket_code_text(unsigned code);

/* UTF-8 that comes in pieces (RFC 3629); all zero at the start. */
struct websocket_utf8 {
    uint8_t left;          /* octets of a character still to come */
    uint8_t low, high;     /* what the next one may be */
};

/* False: it is none, whatever follows. */
MUST_USE bool websocket_utf8_input(struct websocket_utf8 *state, struct bytes in);

/* Could the text end here? */
static inline bool websocket_utf8_whole(const struct websocket_utf8 *state)
{
    return state->left == 0;
}

#endif
