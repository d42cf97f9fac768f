/* SPDX-License-Identifier: ISC */
#include "app/web/web_compress.h"

#include <stdlib.h>
#include <zlib.h>

#include "tests/support/check.h"

/* 9110/12.5.3-1: a coding of weight 0 is not used; identity may be had unless it is excluded. */
static void the_coding_that_is_wanted_most(void **state UNUSED)
{
    static const struct {
        const char *accept; /* NULL: no field */
        enum web_coding want;
    } cases[] = {
        {NULL, WEB_IDENTITY},
        {"", WEB_IDENTITY},
        {"gzip", WEB_GZIP},
        {"GZIP", WEB_GZIP},
        {"x-gzip", WEB_GZIP},
        {"br", WEB_BROTLI},
        {"gzip, deflate, br", WEB_BROTLI},
        {"gzip;q=1.0, br;q=0.5", WEB_GZIP},
        {"gzip;q=0", WEB_IDENTITY},
        {"gzip;q=0, br;q=0.1", WEB_BROTLI},
        {"*", WEB_BROTLI},
        {"*;q=0", WEB_CODING_COUNT},
        {"identity;q=0", WEB_CODING_COUNT},
        {"identity;q=0, gzip;q=0.1", WEB_GZIP},
        {"identity, gzip;q=0.5", WEB_IDENTITY},
        {"*;q=0, identity", WEB_IDENTITY},
        {"deflate, zstd", WEB_IDENTITY},
        {"br;q=0, *;q=0.5", WEB_GZIP},
        {"gzip;q=rubbish", WEB_IDENTITY},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *accept = cases[i].accept;
        struct bytes value = bytes_of_text(accept != NULL ? accept : "");
        CHECK_EQUAL(accept != NULL ? accept : "none",
                    web_choose_coding(accept != NULL, value, true), cases[i].want);
    }
    assert_int_equal(web_choose_coding(true, bytes_of_text("gzip"), false), WEB_IDENTITY);
}

static void what_is_compressed_is_the_same_and_smaller(void **state UNUSED)
{
    static char text[20000];
    static char back[20000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i / 7 % 26);
    size_t len = 0;
    char *out = web_compress(WEB_GZIP, bytes_of(text, sizeof text), &len);
    assert_non_null(out);
    assert_true(len < sizeof text / 4);
    z_stream stream = {.next_in = (Bytef *)out, .avail_in = (uInt)len, .next_out = (Bytef *)back,
                       .avail_out = sizeof back};
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, sizeof text);
    assert_memory_equal(text, back, sizeof text);
    (void)inflateEnd(&stream);
    free(out);
    out = web_compress(WEB_BROTLI, bytes_of(text, sizeof text), &len);
    assert_non_null(out);
    assert_true(len < sizeof text / 4);
    free(out);
}

static void what_does_not_shrink_is_left(void **state UNUSED)
{
    char noise[300];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof noise; i++) {
        x = x * 1664525 + 1013904223;
        noise[i] = (char)(x >> 24);
    }
    size_t len = 7;
    assert_null(web_compress(WEB_GZIP, bytes_of(noise, sizeof noise), &len));
    assert_null(web_compress(WEB_BROTLI, bytes_of(noise, sizeof noise), &len));
    assert_null(web_compress(WEB_GZIP, bytes_empty(), &len));
    assert_int_equal(len, 7);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_coding_that_is_wanted_most),
        cmocka_unit_test(what_is_compressed_is_the_same_and_smaller),
        cmocka_unit_test(what_does_not_shrink_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
