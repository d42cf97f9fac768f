/* SPDX-License-Identifier: ISC */
/* test_digest.c - SHA-1 (FIPS 180-4), by pieces and again and again. */
#include "os/digest.h"
#include "tests/support/check.h"

static const struct {
    const char *first;
    const char *second;
    const char *want;
} cases[] = {
    {"abc", "", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {"abcdbcdecdefdefgefghfghighij", "hijkijkljklmklmnlmnomnopnopq",
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
};

static void digests(void **state UNUSED)
{
    struct digest *digest = digest_sha1_new();
    assert_non_null(digest);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t out[DIGEST_SHA1_LEN];
        char text[2 * DIGEST_SHA1_LEN + 1];
        digest_sha1(digest, bytes_of_text(cases[i].first), bytes_of_text(cases[i].second), out);
        for (size_t j = 0; j < sizeof out; j++)
            snprintf(text + 2 * j, 3, "%02x", out[j]);
        assert_string_equal(text, cases[i].want);
    }
    digest_free(digest);
    digest_free(NULL);
}

static void pieces_make_one_digest(void **state UNUSED)
{
    static const uint8_t abc_384[] = {0xcb, 0x00, 0x75, 0x3f, 0x45, 0xa3, 0x5e, 0x8b};
    static const uint8_t abc_512[] = {0xdd, 0xaf, 0x35, 0xa1, 0x93, 0x61, 0x7a, 0xba};
    struct digest_stream *stream = digest_stream_new();
    uint8_t out[DIGEST_LEN_MAX];
    assert_non_null(stream);
    for (unsigned round = 0; round < 2; round++) {
        assert_true(digest_stream_start(stream, DIGEST_SHA384));
        digest_stream_add(stream, bytes_of_text("a"));
        digest_stream_add(stream, bytes_of_text(""));
        digest_stream_add(stream, bytes_of_text("bc"));
        assert_int_equal(digest_stream_end(stream, out), 48);
        assert_memory_equal(out, abc_384, sizeof abc_384);
        assert_true(digest_stream_start(stream, DIGEST_SHA512));
        digest_stream_add(stream, bytes_of_text("abc"));
        assert_int_equal(digest_stream_end(stream, out), 64);
        assert_memory_equal(out, abc_512, sizeof abc_512);
    }
    assert_false(digest_stream_start(stream, 3));
    assert_false(digest_stream_start(stream, 240));
    digest_stream_free(stream);
    digest_stream_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(digests),
                                       cmocka_unit_test(pieces_make_one_digest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
