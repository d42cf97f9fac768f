/* SPDX-License-Identifier: ISC */
#include "wire/http/http_list.h"
#include "tests/support/check.h"

/* 9110/5.6.1.2-1. */
static void elements_come_in_order(void **state UNUSED)
{
    static const struct {
        const char *list;
        const char *want; /* elements joined by | */
    } cases[] = {
        {"a, b,c", "a|b|c"},
        {",, a ,\t,b,", "a|b"},
        {"\"x, y\";z, w", "\"x, y\";z|w"},
        {"\"a\\\", b\", c", "\"a\\\", b\"|c"},
        {"\"open, c", "\"open, c"},
        {"\"open\\", "\"open\\"},
        {"", ""},
        {" , ", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].list);
        uint8_t *copy = exact_copy(cases[i].list, len);
        struct bytes rest = bytes_of(copy, len);
        struct bytes element;
        char got[100] = "";
        while (http_list_next(&rest, &element)) {
            if (got[0] != '\0')
                strcat(got, "|");
            strncat(got, (const char *)element.data, element.len);
        }
        CHECK(cases[i].list, strcmp(got, cases[i].want) == 0);
        free(copy);
    }
}

static void a_token_is_found_whatever_its_case(void **state UNUSED)
{
    assert_true(http_list_has(bytes_of_text("Keep-Alive, Close"), "close"));
    assert_true(http_list_has(bytes_of_text("gzip;q=0.5, br"), "gzip"));
    assert_false(http_list_has(bytes_of_text("closed, not-close"), "close"));
    assert_false(http_list_has(bytes_of_text("\"x, close, y\""), "close"));
}

static void weights_are_thousandths(void **state UNUSED)
{
    static const struct {
        const char *element;
        unsigned want;
    } cases[] = {
        {"gzip", 1000},         {"gzip;q=0.5", 500},       {"gzip ; q=0.123", 123},
        {"gzip;q=0", 0},        {"gzip;q=1", 1000},        {"gzip;Q=0.7", 700},
        {"gzip;q=1.000", 1000}, {"gzip;q=1.001", 0},       {"gzip;q=0.1234", 0},
        {"gzip;q=2", 0},        {"gzip;q=", 0},            {"gzip;q=-1", 0},
        {"gzip;q=0,5", 0},      {"a;x=\";q=0\";q=0.3", 300}, {"text/html;level=1", 1000},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_EQUAL(cases[i].element, http_element_quality(bytes_of_text(cases[i].element)),
                    cases[i].want);
}

static void a_list_weighs_what_it_names_and_the_rest_by_its_star(void **state UNUSED)
{
    struct bytes list = bytes_of_text("gzip;q=0.5, br;q=0, *;q=0.1");
    assert_int_equal(http_list_quality(list, "gzip"), 500);
    assert_int_equal(http_list_quality(list, "br"), 0);
    assert_int_equal(http_list_quality(list, "zstd"), 100);
    assert_int_equal(http_list_quality(bytes_of_text("gzip"), "br"), 0);
    assert_int_equal(http_list_quality(bytes_empty(), "br"), 1000);
}

/* 9110/8.8.3.2-1: RFC 9110 §8.8.3.2, and the two fields that use it. */
static void entity_tags_compare_strongly_or_weakly(void **state UNUSED)
{
    static const struct {
        const char *list, *etag;
        bool strong, want;
    } cases[] = {
        {"\"1\"", "\"1\"", true, true},
        {"W/\"1\"", "W/\"1\"", true, false},
        {"W/\"1\"", "\"1\"", true, false},
        {"\"1\"", "W/\"1\"", true, false},
        {"W/\"1\"", "W/\"1\"", false, true},
        {"W/\"1\"", "\"1\"", false, true},
        {"\"a\", W/\"b\" ,\"c\"", "\"c\"", true, true},
        {"\"a,b\", \"c\"", "\"a,b\"", true, true},
        {"\"a\\\", \"c\"", "\"c\"", true, true}, /* a backslash is no escape in a tag */
        {"*", "\"x\"", true, true},
        {" * ", "W/\"x\"", true, true},
        {"\"\"", "\"\"", true, true},
        {"x", "\"x\"", false, false},
        {"\"x", "\"x\"", false, false},
        {"", "\"x\"", false, false},
        {"W/", "\"x\"", false, false},
        {"junk, \"x\"", "\"x\"", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].list);
        uint8_t *copy = exact_copy(cases[i].list, len);
        CHECK_EQUAL(cases[i].list,
                    http_etag_listed(bytes_of(copy, len), bytes_of_text(cases[i].etag),
                                     cases[i].strong),
                    cases[i].want);
        free(copy);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_come_in_order),
        cmocka_unit_test(a_token_is_found_whatever_its_case),
        cmocka_unit_test(weights_are_thousandths),
        cmocka_unit_test(a_list_weighs_what_it_names_and_the_rest_by_its_star),
        cmocka_unit_test(entity_tags_compare_strongly_or_weakly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
