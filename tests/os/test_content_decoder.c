/* SPDX-License-Identifier: ISC */
#include "os/content_decoder.h"

#include <zlib.h>

#include "tests/support/check.h"

enum { PLAIN = 300000 };

static uint8_t plain[PLAIN];
static uint8_t got[2 * PLAIN];
static size_t got_len;

static void on_octets(void *self UNUSED, struct bytes octets)
{
    assert_true(octets.len > 0 && got_len + octets.len <= sizeof got);
    memcpy(got + got_len, octets.data, octets.len);
    got_len += octets.len;
}

/* Feeds in pieces of `piece`; true when all was taken and the end was there. */
static bool decode(enum content_coding coding, struct bytes in, size_t piece)
{
    struct content_decoder *d = content_decoder_new(coding);
    bool good = true;
    got_len = 0;
    assert_true(content_decoder_at_end(d)); /* an empty body is whole */
    while (good && in.len > 0) {
        struct bytes next = bytes_first(in, piece);
        uint8_t *copy = exact_copy(next.data, next.len);
        good = content_decoder_feed(d, bytes_of(copy, next.len), on_octets, NULL);
        free(copy);
        in = bytes_after(in, piece);
    }
    good = good && content_decoder_at_end(d);
    content_decoder_free(d);
    return good;
}

static size_t encode(int window_bits, uint8_t *out, size_t size)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = plain;
    z.avail_in = sizeof plain;
    z.next_out = out;
    z.avail_out = (uInt)size;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(deflateEnd(&z), Z_OK);
    return size - z.avail_out;
}

static int fill(void **state UNUSED)
{
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i % 251 * (i / 1000));
    return 0;
}

static void what_was_coded_comes_back(void **state UNUSED)
{
    static const struct {
        const char *name;
        enum content_coding coding;
        int window_bits;
    } cases[] = {
        {"gzip", CONTENT_GZIP, 16 + MAX_WBITS},
        {"deflate", CONTENT_DEFLATE, MAX_WBITS},
        {"deflate without its format", CONTENT_DEFLATE, -MAX_WBITS},
    };
    static const size_t pieces[] = {1, 7, 4096, SIZE_MAX};
    static uint8_t coded[PLAIN];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = encode(cases[i].window_bits, coded, sizeof coded);
        for (size_t j = 0; j < ARRAY_LEN(pieces); j++) {
            CHECK(cases[i].name, decode(cases[i].coding, bytes_of(coded, len), pieces[j]));
            CHECK_EQUAL(cases[i].name, got_len, sizeof plain);
            CHECK(cases[i].name, memcmp(got, plain, sizeof plain) == 0);
            CHECK(cases[i].name, !decode(cases[i].coding, bytes_of(coded, len - 1), pieces[j]));
        }
        coded[len / 2] ^= 0x10;
        CHECK(cases[i].name,
              !decode(cases[i].coding, bytes_of(coded, len), SIZE_MAX) || i == 2); /* has no check */
    }
}

static void gzip_has_several_members(void **state UNUSED)
{
    static uint8_t coded[2 * PLAIN];
    size_t len = encode(16 + MAX_WBITS, coded, PLAIN);
    memcpy(coded + len, coded, len);
    assert_true(decode(CONTENT_GZIP, bytes_of(coded, 2 * len), 100));
    assert_int_equal(got_len, 2 * sizeof plain);
    assert_memory_equal(got + sizeof plain, plain, sizeof plain);
    coded[len] = 'x'; /* no member */
    assert_false(decode(CONTENT_GZIP, bytes_of(coded, 2 * len), 100));
}

static void brotli_comes_back(void **state UNUSED)
{
    /* printf 'hello hello hello hello hello hello\n' | brotli -c */
    static const uint8_t coded[] = {0x1f, 0x23, 0x00, 0xf8, 0x8d, 0x94, 0x6e, 0xde,
                                    0x44, 0x55, 0x86, 0xd6, 0x0a, 0x20, 0x6c, 0x6f,
                                    0x4a, 0x11, 0x7a, 0xe2, 0x80, 0x5e, 0x2d, 0x00};
    for (size_t piece = 1; piece <= sizeof coded; piece += 5) {
        assert_true(decode(CONTENT_BROTLI, bytes_of(coded, sizeof coded), piece));
        assert_int_equal(got_len, 36);
        assert_memory_equal(got, "hello hello hello hello hello hello\n", 36);
        assert_false(decode(CONTENT_BROTLI, bytes_of(coded, sizeof coded - 2), piece));
    }
    uint8_t longer[sizeof coded + 1] = {0};
    memcpy(longer, coded, sizeof coded);
    assert_false(decode(CONTENT_BROTLI, bytes_of(longer, sizeof longer), 1));
    assert_false(decode(CONTENT_BROTLI, bytes_of_text("\xff\xff\xff\xff\xff\xff"), 6));
}

static void names_are_known(void **state UNUSED)
{
    enum content_coding coding;
    assert_true(content_coding_parse(bytes_of_text("X-GZip"), &coding));
    assert_int_equal(coding, CONTENT_GZIP);
    assert_true(content_coding_parse(bytes_of_text("br"), &coding));
    assert_int_equal(coding, CONTENT_BROTLI);
    assert_false(content_coding_parse(bytes_of_text("zstd"), &coding));
    assert_false(content_coding_parse(bytes_of_text(""), &coding));
    assert_true(decode(CONTENT_IDENTITY, bytes_of_text("as it is"), 3));
    assert_memory_equal(got, "as it is", 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_coded_comes_back),
        cmocka_unit_test(gzip_has_several_members),
        cmocka_unit_test(brotli_comes_back),
        cmocka_unit_test(names_are_known),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
