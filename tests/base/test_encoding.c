/* SPDX-License-Identifier: ISC */
/* test_encoding.c - the vectors of RFC 4648 §10, and what is not of an encoding. */
#include "base/encoding.h"
#include "tests/support/check.h"

static const struct {
    enum encoding encoding;
    const char *octets;
    const char *text;
} vectors[] = {
    {ENCODING_BASE64, "", ""},
    {ENCODING_BASE64, "f", "Zg=="},
    {ENCODING_BASE64, "fo", "Zm8="},
    {ENCODING_BASE64, "foo", "Zm9v"},
    {ENCODING_BASE64, "foob", "Zm9vYg=="},
    {ENCODING_BASE64, "fooba", "Zm9vYmE="},
    {ENCODING_BASE64, "foobar", "Zm9vYmFy"},
    {ENCODING_BASE64, "\xfb\xff\xbf", "+/+/"},
    {ENCODING_BASE64URL, "foob", "Zm9vYg"},
    {ENCODING_BASE64URL, "fooba", "Zm9vYmE"},
    {ENCODING_BASE64URL, "\xfb\xff\xbf", "-_-_"},
    {ENCODING_BASE32HEX, "", ""},
    {ENCODING_BASE32HEX, "f", "CO"},
    {ENCODING_BASE32HEX, "fo", "CPNG"},
    {ENCODING_BASE32HEX, "foo", "CPNMU"},
    {ENCODING_BASE32HEX, "foob", "CPNMUOG"},
    {ENCODING_BASE32HEX, "fooba", "CPNMUOJ1"},
    {ENCODING_BASE32HEX, "foobar", "CPNMUOJ1E8"},
    {ENCODING_BASE16, "", ""},
    {ENCODING_BASE16, "foobar", "666f6f626172"},
};

static void vectors_both_ways(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct bytes octets = bytes_of_text(vectors[i].octets);
        char printed[64];
        struct text t = text_of(printed, sizeof printed);
        encoding_format(vectors[i].encoding, octets, &t);
        assert_string_equal(printed, vectors[i].text);

        /* In one piece, and a letter at a time. */
        uint8_t out[64];
        struct writer w = writer_of(out, sizeof out);
        CHECK(printed, encoding_decode(vectors[i].encoding, text_bytes(&t), &w));
        CHECK(printed, bytes_equal(writer_bytes(&w), octets));
        struct decoder d = decoder_of(vectors[i].encoding);
        w = writer_of(out, sizeof out);
        for (size_t at = 0; at < t.len; at++)
            CHECK(printed, decoder_feed(&d, bytes_of(printed + at, 1), &w));
        CHECK(printed, decoder_at_end(&d));
        CHECK(printed, bytes_equal(writer_bytes(&w), octets));
    }
}

static const struct {
    enum encoding encoding;
    const char *text;
} wrong[] = {
    {ENCODING_BASE64, "Z"},     {ENCODING_BASE64, "Zg"},      {ENCODING_BASE64, "Zg="},
    {ENCODING_BASE64, "Zg==="}, {ENCODING_BASE64, "Zh=="}, /* bits that say nothing */
    {ENCODING_BASE64, "Z=g="},  {ENCODING_BASE64, "="},       {ENCODING_BASE64, "===="},
    {ENCODING_BASE64URL, "Zg=="}, {ENCODING_BASE64URL, "+/+/"}, {ENCODING_BASE64URL, "Zh"},
    {ENCODING_BASE64, "Zm9v="}, {ENCODING_BASE64, "Zm 9v"},   {ENCODING_BASE64, "Zm9-"},
    {ENCODING_BASE32HEX, "C"},  {ENCODING_BASE32HEX, "CPN"},  {ENCODING_BASE32HEX, "CPNMUO"},
    {ENCODING_BASE32HEX, "CP"}, {ENCODING_BASE32HEX, "CO======"}, {ENCODING_BASE32HEX, "WW"},
    {ENCODING_BASE16, "6"},     {ENCODING_BASE16, "6g"},      {ENCODING_BASE16, "666"},
};

static void what_is_not_encoded_is_refused(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        uint8_t out[64];
        struct writer w = writer_of(out, sizeof out);
        CHECK(wrong[i].text,
              !encoding_decode(wrong[i].encoding, bytes_of_text(wrong[i].text), &w));
    }
}

static void either_case_where_case_says_nothing(void **state UNUSED)
{
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof out);
    assert_true(encoding_decode(ENCODING_BASE16, bytes_of_text("aBCd"), &w));
    assert_true(encoding_decode(ENCODING_BASE32HEX, bytes_of_text("cpNmU"), &w));
    assert_memory_equal(out, "\xab\xcd" "foo", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_both_ways),
        cmocka_unit_test(what_is_not_encoded_is_refused),
        cmocka_unit_test(either_case_where_case_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
