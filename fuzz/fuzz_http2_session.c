/* SPDX-License-Identifier: ISC */
/*
 * fuzz_http2_session.c - octets of a hostile peer to both sides of HTTP/2, with the user of
 * tests/support/http2_play.h: what is told and said does not depend on how the octets were cut, but for how much of
 * bodies is on its way by then; what waits is bounded when the peer does not read; and time ends a session whose
 * settings are never acknowledged.
 */
#include "fuzz/fuzz.h"
#include "tests/support/http2_play.h"

static void ask(struct http2_play *p)
{
    for (int i = 0; i < 3; i++) {
        struct http2_play_stream *s = http2_play_stream_new(p);
        http2_open(&p->session, &s->core, i == 1);
        http2_begin_head(&p->session, &s->core);
        http2_add_known(&p->session, HPACK_METHOD, bytes_of_text(i == 1 ? "HEAD" : "PUT"));
        http2_add_known(&p->session, HPACK_SCHEME, bytes_of_text("http"));
        http2_add_known(&p->session, HPACK_PATH, bytes_of_text("/"));
        s->left = i == 2 ? 100000 : 0;
        http2_end_head(&p->session, true, i != 2);
    }
}

static void play(struct http2_play *p, struct bytes in, size_t piece, bool client, bool deaf, bool slow)
{
    http2_play_init(p, client);
    p->deaf = deaf;
    p->slow = slow;
    if (client)
        ask(p);
    http2_play_input(p, in, piece);
    ASSERT(http2_output(&p->session).len < HTTP2_OUTPUT_HIGH + 2 * HTTP_HEAD_MAX);
    ASSERT(http2_stream_count(&p->session) <= 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct http2_play whole, cut;
    static uint8_t text[70000];
    if (len < 2)
        return 0;
    bool client = (data[0] & 1) != 0;
    struct writer w = writer_of(text, sizeof text);
    if (!client && (data[0] & 2) == 0)
        write_copy(&w, HTTP2_PREFACE, HTTP2_PREFACE_LEN);
    write_copy(&w, data + 2, len - 2 < 65536 ? len - 2 : 65536);
    struct bytes in = writer_bytes(&w);
    play(&whole, in, SIZE_MAX, client, false, true);
    play(&cut, in, 1 + data[1] % 100u + (len > 2000 ? 200 : 0), client, false, true);
    ASSERT(strcmp(whole.events, cut.events) == 0 && strcmp(whole.frames, cut.frames) == 0);
    http2_play_done(&cut);
    http2_play_done(&whole);
    play(&cut, in, SIZE_MAX, client, true, false);
    http2_play_done(&cut);
    play(&whole, in, SIZE_MAX, client, false, false);
    bool acknowledged = http2_deadline(&whole.session) == USEC_NEVER;
    http2_tick(&whole.session, whole.now + HTTP2_ACK_TIMEOUT);
    ASSERT(acknowledged || http2_over(&whole.session));
    http2_play_done(&whole);
    return 0;
}
