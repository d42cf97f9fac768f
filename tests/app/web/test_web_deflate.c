/* SPDX-License-Identifier: ISC */
#include "app/web/web_deflate.h"

#include <zlib.h>

#include "tests/support/check.h"

static const struct {
    const char *name, *answer;
    bool good;
} answers[] = {
    {"as it was offered", "permessage-deflate", true},
    {"the server keeps nothing (RFC 7692 §7.1.1.1)", "permessage-deflate; server_no_context_takeover", true},
    {"nor the client", "permessage-deflate; client_no_context_takeover", true},
    {"a smaller window of the server's (§7.1.2.1)", "permessage-deflate; server_max_window_bits=8", true},
    {"… quoted", "Permessage-Deflate ; server_max_window_bits=\"10\"", true},
    {"a window that is too small", "permessage-deflate; server_max_window_bits=7", false},
    {"… too large", "permessage-deflate; server_max_window_bits=16", false},
    {"… of no size", "permessage-deflate; server_max_window_bits", false},
    {"the client's window, which was not offered (§7.1.2.2)", "permessage-deflate; client_max_window_bits=10", false},
    {"a parameter twice", "permessage-deflate; server_no_context_takeover; server_no_context_takeover", false},
    {"a parameter with a value it has not", "permessage-deflate; server_no_context_takeover=1", false},
    {"an unknown parameter", "permessage-deflate; x=1", false},
    {"an empty parameter", "permessage-deflate;", false},
    {"another extension", "x-other", false},
    {"two extensions", "permessage-deflate, x-other", false},
    {"the same twice", "permessage-deflate, permessage-deflate", false},
    {"nothing", "", false},
};

static void what_a_server_may_choose(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        CHECK_EQUAL(answers[i].name, web_deflate_accept(bytes_of_text(answers[i].answer)), answers[i].good);
}

/* §7.2.3.2, §7.2.3.4: a message may refer to those before it, also over a block that says it is the last. */
static void the_window_outlives_a_message(void **state UNUSED)
{
    static const char text[] = "the same words again, and again the same words";
    struct web_inflater *inflater = web_inflater_new();
    struct web_flow out = {0};
    uint8_t packed[200];
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    for (unsigned i = 0; i < 4; i++) {
        bool final = i == 2;
        z.next_in = (Bytef *)(uintptr_t)text;
        z.avail_in = sizeof text - 1;
        z.next_out = packed;
        z.avail_out = sizeof packed;
        int result = deflate(&z, final ? Z_FINISH : Z_SYNC_FLUSH);
        assert_int_equal(result, final ? Z_STREAM_END : Z_OK);
        size_t len = sizeof packed - z.avail_out - (final ? 0 : 4);
        packed[len] = 0; /* §7.2.3.4: the octet behind a final block */
        len += final;
        for (size_t at = 0; at < len; at++)
            assert_int_equal(web_inflate(inflater, bytes_of(packed + at, 1), at + 1 == len, 1000, &out),
                             WEB_INFLATED);
        assert_true(bytes_equal(web_flow_bytes(&out), bytes_of(text, sizeof text - 1)));
        web_flow_done(&out);
        if (final) { /* the compressor's window goes on, as its peer's has to */
            assert_int_equal(deflateReset(&z), Z_OK);
            assert_int_equal(deflateSetDictionary(&z, (const Bytef *)text, sizeof text - 1), Z_OK);
        }
    }
    (void)deflateEnd(&z); /* it says that more could have come */
    web_inflater_free(inflater);
}

static void a_bomb_is_not_unpacked(void **state UNUSED)
{
    static uint8_t zeros[100000];
    struct web_deflater *deflater = web_deflater_new();
    struct web_inflater *inflater = web_inflater_new();
    struct web_flow packed = {0}, out = {0};
    assert_true(web_deflate(deflater, bytes_of(zeros, sizeof zeros), &packed));
    assert_int_equal(web_inflate(inflater, web_flow_bytes(&packed), true, sizeof zeros - 1, &out),
                     WEB_INFLATE_TOO_BIG);
    assert_true(out.len < sizeof zeros);
    web_flow_done(&packed);
    web_flow_done(&out);
    web_inflater_free(inflater);
    web_deflater_free(deflater);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_server_may_choose),
        cmocka_unit_test(the_window_outlives_a_message),
        cmocka_unit_test(a_bomb_is_not_unpacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
