/* SPDX-License-Identifier: ISC */
/*
 * fuzz_websocket_session.c - what a client sends by WebSocket, or a server: how many messages it makes and what is
 * answered does not depend on how the octets are cut; text is UTF-8; no message is larger than may be; what a
 * client answers is masked, and what it has answered a server understands.
 */
#include "fuzz/fuzz.h"
#include "proto/websocket/websocket_session.h"

enum { MESSAGE_MAX = 3000 };

struct told {
    uint64_t sum, messages, answer, code;
    bool over;
};

static void mix(uint64_t *sum, struct bytes data)
{
    for (size_t i = 0; i < data.len; i++)
        *sum = *sum * 31 + data.data[i] + 1;
}

/* Frames that a client sends by itself: whole, masked, and none but control. */
static void check_answer(struct websocket_session *server, struct bytes answer)
{
    struct websocket_event event;
    size_t used;
    do {
        used = websocket_input(server, answer, 0, &event);
        answer = bytes_after(answer, used);
        ASSERT(event.kind == WEBSOCKET_NO_EVENT || event.kind == WEBSOCKET_PONGED ||
               (event.kind == WEBSOCKET_CLOSED && !websocket_failed(server)));
        websocket_sent(server, websocket_output(server).len);
    } while (used > 0 || event.kind != WEBSOCKET_NO_EVENT);
}

static struct told play(struct bytes in, size_t piece, bool compression, bool client)
{
    static struct websocket_session s, other;
    struct prng prng;
    const struct websocket_options options = {.role = client ? WEBSOCKET_CLIENT : WEBSOCKET_SERVER,
                                              .compression = compression,
                                              .message_max = MESSAGE_MAX,
                                              .prng = &prng};
    const struct websocket_options server = {.role = WEBSOCKET_SERVER, .message_max = 1};
    prng_init_number(&prng, 1);
    websocket_init(&other, &server, 0);
    struct told told = {0};
    struct websocket_utf8 utf8 = {0};
    uint64_t message_len = 0;
    size_t start = 0, end = 0;
    websocket_init(&s, &options, 0);
    while (end < in.len) {
        end = piece < in.len - end ? end + piece : in.len;
        struct websocket_event event;
        size_t used;
        do {
            used = websocket_input(&s, bytes_of(in.data + start, end - start), 0, &event);
            ASSERT(used <= end - start);
            start += used;
            mix(&told.answer, websocket_output(&s));
            if (client)
                check_answer(&other, websocket_output(&s));
            websocket_sent(&s, websocket_output(&s).len);
            if (event.kind == WEBSOCKET_CLOSED) {
                told.code = event.code;
            } else if (event.kind == WEBSOCKET_DATA) {
                if (event.first) {
                    utf8 = (struct websocket_utf8){0};
                    message_len = 0;
                }
                message_len += event.data.len;
                ASSERT(message_len <= MESSAGE_MAX);
                if (event.text && !event.compressed)
                    ASSERT(websocket_utf8_input(&utf8, event.data) &&
                           (!event.last || websocket_utf8_whole(&utf8)));
                mix(&told.sum, event.last && told.code == 0 ? bytes_of_text("|") : bytes_empty());
                told.messages += event.last;
            }
        } while (used > 0 || event.kind != WEBSOCKET_NO_EVENT);
        ASSERT(start == end);
    }
    told.over = websocket_over(&s);
    return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 1)
        return 0;
    bool compression = (data[0] & 1) != 0;
    bool client = (data[0] & 2) != 0;
    struct bytes in = bytes_of(data + 1, len - 1);
    struct told whole = play(in, in.len > 0 ? in.len : 1, compression, client);
    static const size_t pieces[] = {1, 2, 7, 100};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct told cut = play(in, pieces[i], compression, client);
        ASSERT(cut.messages == whole.messages && cut.code == whole.code && cut.over == whole.over);
        ASSERT(cut.answer == whole.answer && cut.sum == whole.sum);
    }
    return 0;
}
