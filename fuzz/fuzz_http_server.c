/* SPDX-License-Identifier: ISC */
/*
 * fuzz_http_server.c - octets of a client to the server machine, with the small service of
 * tests/support/http_play.h: what the service is told and the client is sent does not depend on how
 * the octets were cut, nor on how fast the client reads; and it comes to an end.
 */
#include "fuzz/fuzz.h"
#include "tests/support/http_play.h"

static void play_input(struct play *p, struct bytes in, size_t piece, size_t reader)
{
    play_init(p, reader);
    play_all(p, in, piece);
    play_end(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2)
        return 0;
    static struct play whole;
    static struct play cut;
    struct bytes in = bytes_of(data + 2, len - 2);
    size_t slow = len > 400 ? 64 : 1;
    play_input(&whole, in, in.len + 1, SIZE_MAX);
    if (whole.out_len < PLAY_OUT_MAX / 2) {
        play_input(&cut, in, slow + data[0] % 61, slow * 97 + data[1]);
        ASSERT(strcmp(whole.events, cut.events) == 0);
        ASSERT(whole.out_len == cut.out_len && memcmp(whole.out, cut.out, cut.out_len) == 0);
        ASSERT(http_server_want(&whole.server) == http_server_want(&cut.server));
        play_done(&cut);
    }
    /* Time alone brings every connection to an end, but for one whose answer the service owes. */
    if (whole.server.response != HTTP_SERVER_OWED)
        play_wait(&whole, USEC_PER_HOUR);
    enum http_server_want want = http_server_want(&whole.server);
    ASSERT(want == HTTP_SERVER_CLOSE || want == HTTP_SERVER_ABORT ||
           whole.server.response == HTTP_SERVER_OWED);
    play_done(&whole);
    return 0;
}
