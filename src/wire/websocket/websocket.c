/* SPDX-License-Identifier: ISC */
/* websocket.c - RFC 6455 §5.2 (base framing), §5.3 (masking), §7.4 (codes), §8.1 (UTF-8). */
#include "wire/websocket/websocket.h"

enum { FINAL = 0x80, RSV1 = 0x40, RSV = 0x70, OPCODE = 0x0f, MASKED = 0x80, LENGTH = 0x7f };

static bool is_control(uint8_t opcode)
{
    return (opcode & 8) != 0;
}

static bool is_known(uint8_t opcode)
{
    return opcode <= WEBSOCKET_BINARY || (opcode >= WEBSOCKET_CLOSE && opcode <= WEBSOCKET_PONG);
}

static bool first_octet_good(uint8_t first)
{
    uint8_t opcode = first & OPCODE;
    bool message_starts = opcode == WEBSOCKET_TEXT || opcode == WEBSOCKET_BINARY;
    if ((first & RSV & ~RSV1) != 0 || !is_known(opcode))
        return false;
    if ((first & RSV1) != 0 && !message_starts) /* RFC 7692 §6.1 */
        return false;
    return !is_control(opcode) || (first & FINAL) != 0;
}

/* False: it could have been said in fewer octets, or is more than any. */
static bool read_length(struct reader *r, uint8_t second, uint64_t *out)
{
    uint8_t length = second & LENGTH;
    *out = length;
    if (length == 126) {
        *out = read_u16(r);
        return r->failed || *out > 125;
    }
    if (length == 127) {
        *out = read_u64(r);
        return r->failed || (*out > UINT16_MAX && *out <= INT64_MAX);
    }
    return true;
}

enum wire_status websocket_header_decode(struct bytes in, struct websocket_header *out,
                                         size_t *len)
{
    struct reader r = reader_of(in);
    struct websocket_header header = {0};
    uint8_t first = read_u8(&r);
    if (!r.failed && !first_octet_good(first))
        return WIRE_MALFORMED;
    uint8_t second = read_u8(&r);
    if (!r.failed && is_control(first & OPCODE) && (second & LENGTH) > WEBSOCKET_CONTROL_MAX)
        return WIRE_MALFORMED;
    if (!read_length(&r, second, &header.length))
        return WIRE_MALFORMED;
    header.final = (first & FINAL) != 0;
    header.compressed = (first & RSV1) != 0;
    header.opcode = first & OPCODE;
    header.masked = (second & MASKED) != 0;
    if (header.masked)
        read_copy(&r, header.key, sizeof header.key);
    if (r.failed)
        return WIRE_TRUNCATED;
    *out = header;
    *len = in.len - reader_left(&r);
    return WIRE_OK;
}

void websocket_header_encode(struct writer *w, const struct websocket_header *header)
{
    uint8_t mask = header->masked ? MASKED : 0;
    write_u8(w, (uint8_t)((header->final ? FINAL : 0) | (header->compressed ? RSV1 : 0) |
                          header->opcode));
    if (header->length <= 125) {
        write_u8(w, (uint8_t)(mask | header->length));
    } else if (header->length <= UINT16_MAX) {
        write_u8(w, mask | 126);
        write_u16(w, (uint16_t)header->length);
    } else {
        write_u8(w, mask | 127);
        write_u64(w, header->length);
    }
    if (header->masked)
        write_copy(w, header->key, sizeof header->key);
}

void websocket_mask(uint8_t *data, size_t len, const uint8_t key[WEBSOCKET_KEY_LEN],
                    uint64_t offset)
{
    uint8_t turned[8];
    uint64_t word, piece;
    size_t i = 0;
    for (size_t k = 0; k < sizeof turned; k++)
        turned[k] = key[(offset + k) % WEBSOCKET_KEY_LEN];
    memcpy(&word, turned, sizeof word);
    for (; i + sizeof piece <= len; i += sizeof piece) {
        memcpy(&piece, data + i, sizeof piece);
        piece ^= word;
        memcpy(data + i, &piece, sizeof piece);
    }
    for (; i < len; i++)
        data[i] ^= turned[i % WEBSOCKET_KEY_LEN];
}

bool websocket_code_valid(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

const char *websocket_code_text(unsigned code)
{
    static const struct {
        unsigned code;
        const char *text;
    } known[] = {
        {WEBSOCKET_NORMAL, "normal closure"},
        {WEBSOCKET_GOING_AWAY, "going away"},
        {WEBSOCKET_PROTOCOL_ERROR, "protocol error"},
        {WEBSOCKET_UNSUPPORTED_DATA, "unsupported data"},
        {WEBSOCKET_NO_CODE, "no code"},
        {WEBSOCKET_ABNORMAL, "abnormal closure"},
        {WEBSOCKET_INVALID_DATA, "invalid data"},
        {WEBSOCKET_POLICY, "policy violation"},
        {WEBSOCKET_TOO_BIG, "message too big"},
        {1010, "mandatory extension"},
        {WEBSOCKET_INTERNAL_ERROR, "internal error"},
        {1012, "service restart"}, /* 1012 to 1014: of IANA's registry */
        {1013, "try again later"},
        {1014, "bad gateway"},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].code == code)
            return known[i].text;
    return code >= 4000 ? "private use" : code >= 3000 ? "registered" : "unknown";
}

/* What follows a first octet (RFC 3629 §4): no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool begin_character(struct websocket_utf8 *state, uint8_t first)
{
    state->low = 0x80;
    state->high = 0xbf;
    if (first < 0x80)
        return true;
    if (first >= 0xc2 && first <= 0xdf) {
        state->left = 1;
    } else if (first >= 0xe0 && first <= 0xef) {
        state->left = 2;
        if (first == 0xe0)
            state->low = 0xa0;
        if (first == 0xed)
            state->high = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
        state->left = 3;
        if (first == 0xf0)
            state->low = 0x90;
        if (first == 0xf4)
            state->high = 0x8f;
    } else {
        return false;
    }
    return true;
}

bool websocket_utf8_input(struct websocket_utf8 *state, struct bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        uint8_t octet = in.data[i];
        if (state->left == 0) {
            if (!begin_character(state, octet))
                return false;
        } else {
            if (octet < state->low || octet > state->high)
                return false;
            state->left--;
            state->low = 0x80;
            state->high = 0xbf;
        }
    }
    return true;
}
