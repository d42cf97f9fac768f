/* SPDX-License-Identifier: ISC */
#include "wire/http/http_octets.h"

#include <stdlib.h>

#include "tests/support/check.h"

static void classes_follow_the_grammar(void **state UNUSED)
{
    const char *delimiters = "\"(),/:;<=>?@[\\]{}";
    for (unsigned i = 0; i < 256; i++) {
        uint8_t c = (uint8_t)i;
        bool visible = i > 0x20 && i < 0x7f;
        bool token = visible && strchr(delimiters, (int)i) == NULL;
        assert_int_equal(http_octet_is(c, HTTP_OCTET_TOKEN), token);
        assert_int_equal(http_octet_is(c, HTTP_OCTET_FIELD),
                         visible || i == ' ' || i == '\t' || i >= 0x80);
        assert_int_equal(http_octet_is(c, HTTP_OCTET_TARGET), visible && i != '#');
        assert_int_equal(http_octet_is(c, HTTP_OCTET_ETAG), (visible && i != '"') || i >= 0x80);
        if (http_octet_is(c, HTTP_OCTET_HOST))
            assert_true(visible && strchr("/?#@\\\"<>^`{|}", (int)i) == NULL);
    }
}

static void tokens_are_not_empty(void **state UNUSED)
{
    assert_true(http_is_token(bytes_of_text("Content-Length")));
    assert_false(http_is_token(bytes_of_text("Content Length")));
    assert_false(http_is_token(bytes_empty()));
}

/* Wherever the one octet is that is not of the class, and whatever it is. */
static void one_octet_of_another_class_is_found(void **state UNUSED)
{
    for (size_t len = 1; len <= 20; len++) {
        for (size_t at = 0; at < len; at++) {
            for (unsigned bit = 0; bit < 5; bit++) {
                uint8_t class = (uint8_t)(1u << bit);
                uint8_t *text = malloc(len); /* of its exact size */
                assert_non_null(text);
                memset(text, 'a', len);
                for (unsigned octet = 0; octet < 256; octet++) {
                    text[at] = (uint8_t)octet;
                    assert_int_equal(http_octets_are(bytes_of(text, len), class),
                                     http_octet_is((uint8_t)octet, class));
                }
                free(text);
            }
        }
    }
    assert_true(http_octets_are(bytes_empty(), HTTP_OCTET_TOKEN));
}

static void trimming_leaves_inner_spaces(void **state UNUSED)
{
    assert_true(bytes_equal(http_trim(bytes_of_text(" \t a b\t ")), bytes_of_text("a b")));
    assert_int_equal(http_trim(bytes_of_text(" \t ")).len, 0);
    assert_int_equal(http_trim(bytes_of_text("\r")).len, 1);
}

static void numbers_are_digits_within_their_limit(void **state UNUSED)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool want;
        uint64_t value;
    } cases[] = {
        {"0", 0, true, 0},
        {"1", 0, false, 0},
        {"9", 5, false, 0},
        {"65535", 65535, true, 65535},
        {"65536", 65535, false, 0},
        {"00080", 80, true, 80},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"", 9, false, 0},
        {"+1", 9, false, 0},
        {"1 ", 9, false, 0},
        {"0x1", 9, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t value = 77;
        CHECK_EQUAL(cases[i].text,
                    http_number(bytes_of_text(cases[i].text), cases[i].max, &value), cases[i].want);
        CHECK(cases[i].text, value == (cases[i].want ? cases[i].value : 77));
    }
}

static void hexadecimal_digits(void **state UNUSED)
{
    assert_int_equal(http_hex_value('0'), 0);
    assert_int_equal(http_hex_value('9'), 9);
    assert_int_equal(http_hex_value('a'), 10);
    assert_int_equal(http_hex_value('F'), 15);
    assert_int_equal(http_hex_value('g'), -1);
    assert_int_equal(http_hex_value('/'), -1);
    assert_int_equal(http_hex_value(':'), -1);
    assert_int_equal(http_hex_value('@'), -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_follow_the_grammar),
        cmocka_unit_test(tokens_are_not_empty),
        cmocka_unit_test(one_octet_of_another_class_is_found),
        cmocka_unit_test(trimming_leaves_inner_spaces),
        cmocka_unit_test(numbers_are_digits_within_their_limit),
        cmocka_unit_test(hexadecimal_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
