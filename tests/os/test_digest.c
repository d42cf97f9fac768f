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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(digests)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
