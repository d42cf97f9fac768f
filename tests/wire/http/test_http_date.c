/* SPDX-License-Identifier: ISC */
#include "wire/http/http_date.h"
#include "tests/support/check.h"

#define NOW_2024 ((int64_t)1704067200) /* 2024-01-01 */

static const struct {
    const char *text;
    bool want;
    int64_t seconds;
} cases[] = {
    /* The examples of RFC 9110 §5.6.7. */
    {"Sun, 06 Nov 1994 08:49:37 GMT", true, 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", true, 784111777},
    {"Sun Nov  6 08:49:37 1994", true, 784111777},
    {"Sun Nov 16 08:49:37 1994", true, 784975777},
    {"Thu, 01 Jan 1970 00:00:00 GMT", true, 0},
    {"Wed, 31 Dec 1969 23:59:59 GMT", true, -1},
    {"Thu, 29 Feb 2024 12:00:00 GMT", true, 1709208000},
    {"Tue, 29 Feb 2000 00:00:00 GMT", true, 951782400},
    {"Sat, 31 Dec 2016 23:59:60 GMT", true, 1483228800},  /* a leap second */
    {"Friday, 01-Jan-74 00:00:00 GMT", true, 3281990400}, /* 50 years ahead: 2074 */
    {"Friday, 01-Jan-75 00:00:00 GMT", true, 157766400},  /* 51: 1975 */
    {"Fri, 29 Feb 2023 12:00:00 GMT", false, 0},
    {"Thu, 29 Feb 1900 12:00:00 GMT", false, 0},
    {"Sun, 00 Nov 1994 08:49:37 GMT", false, 0},
    {"Sun, 31 Nov 1994 08:49:37 GMT", false, 0},
    {"Sun, 06 Nov 1994 24:00:00 GMT", false, 0},
    {"Sun, 06 Nov 1994 08:60:00 GMT", false, 0},
    {"Sun, 06 Nov 1994 08:49:61 GMT", false, 0},
    {"Sun, 06 nov 1994 08:49:37 GMT", false, 0},
    {"Sun, 06 Nov 1994 08:49:37 UTC", false, 0},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", false, 0},
    {"Sun, 6 Nov 1994 08:49:37 GMT", false, 0},
    {"Sun, 06 Nov 94 08:49:37 GMT", false, 0},
    {"Sun, 06 Nov 1994 08:49:37", false, 0},
    {"Xxx, 06 Nov 1994 08:49:37 GMT", false, 0},
    {"", false, 0},
    {"0", false, 0},
};

/* 9110/5.6.7-1 9110/5.6.7-3. */
static void dates_of_all_three_formats(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].text);
        uint8_t *copy = exact_copy(cases[i].text, len);
        int64_t seconds = 4711;
        CHECK_EQUAL(cases[i].text, http_date_parse(bytes_of(copy, len), NOW_2024, &seconds),
                    cases[i].want);
        CHECK_EQUAL(cases[i].text, seconds, cases[i].want ? cases[i].seconds : 4711);
        free(copy);
    }
}

/* 9110/5.6.7-2. */
static void formatting_is_the_inverse(void **state UNUSED)
{
    char text[HTTP_DATE_LEN + 1];
    assert_string_equal(http_date_format(784111777, text), "Sun, 06 Nov 1994 08:49:37 GMT");
    for (int64_t seconds = -(int64_t)62167219200; seconds <= 253402300799; seconds += 86399 * 31) {
        int64_t back = 1;
        http_date_format(seconds, text);
        assert_true(http_date_parse(bytes_of_text(text), NOW_2024, &back));
        assert_int_equal(back, seconds);
    }
}

static void years_without_four_digits_are_clamped(void **state UNUSED)
{
    char text[HTTP_DATE_LEN + 1];
    assert_string_equal(http_date_format(INT64_MAX, text), "Fri, 31 Dec 9999 23:59:59 GMT");
    assert_string_equal(http_date_format(INT64_MIN, text), "Sat, 01 Jan 0000 00:00:00 GMT");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_of_all_three_formats),
        cmocka_unit_test(formatting_is_the_inverse),
        cmocka_unit_test(years_without_four_digits_are_clamped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
