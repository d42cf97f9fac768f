/* SPDX-License-Identifier: ISC */
/* Conditional requests: RFC 9110 §13, each field alone and in the order of precedence. */
#include "wire/http/http_conditions.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/check.h"

#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define SAME_850 "Sunday, 06-Nov-94 08:49:37 GMT"
#define SAME_ASCTIME "Sun Nov  6 08:49:37 1994"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"
#define MODIFIED INT64_C(784111777)
#define NOW (MODIFIED + 1000)

enum { GET, PUT };

struct condition_case {
    const char *fields;
    int method;
    const char *etag;  /* "": none; NULL: there is no representation */
    bool dated;
    unsigned want;
};

static void check_cases(const struct condition_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[600];
        int len = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n",
                           cases[i].fields);
        uint8_t *copy = exact_copy(text, (size_t)len);
        struct http_request_head head;
        CHECK_EQUAL(cases[i].fields, http_request_decode(bytes_of(copy, (size_t)len), &head), 0);
        const struct http_representation there = {
            .exists = cases[i].etag != NULL,
            .etag = bytes_of_text(cases[i].etag != NULL ? cases[i].etag : ""),
            .modified = cases[i].dated ? MODIFIED : INT64_MIN,
        };
        CHECK_EQUAL(cases[i].fields,
                    http_conditions_check(&head.fields, cases[i].method == GET, &there, NOW),
                    cases[i].want);
        free(copy);
    }
}

/* 9110/13.1.1-1 9110/13.1.1-2 9110/8.8.3.2-1: If-Match compares strongly, and 412 answers what does not hold. */
static void if_match(void **state UNUSED)
{
    static const struct condition_case cases[] = {
        {"If-Match: \"a\"\r\n", PUT, "\"a\"", true, 0},
        {"If-Match: \"b\"\r\n", PUT, "\"a\"", true, 412},
        {"If-Match: \"b\", \"a\"\r\n", PUT, "\"a\"", true, 0},
        {"If-Match: \"b\"\r\nIf-Match: \"a\"\r\n", PUT, "\"a\"", true, 0}, /* lines are one list */
        {"If-Match: \"a,b\"\r\n", PUT, "\"a,b\"", true, 0},
        {"If-Match: W/\"a\"\r\n", PUT, "\"a\"", true, 412},
        {"If-Match: W/\"a\"\r\n", PUT, "W/\"a\"", true, 412},
        {"If-Match: \"a\"\r\n", PUT, "W/\"a\"", true, 412},
        {"If-Match: *\r\n", PUT, "\"a\"", true, 0},
        {"If-Match: *\r\n", PUT, "", true, 0},
        {"If-Match: *\r\n", PUT, NULL, false, 412},
        {"If-Match: \"a\"\r\n", PUT, NULL, false, 412},
        {"If-Match: \"a\"\r\n", PUT, "", true, 412},
        {"If-Match: a\r\n", PUT, "\"a\"", true, 412},
        {"If-Match: \r\n", PUT, "\"a\"", true, 412},
        {"If-Match: \"b\"\r\n", GET, "\"a\"", true, 412},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

/* 9110/13.1.2-1 9110/13.1.2-2 9110/13.1.2-3: If-None-Match compares weakly; 304 for GET and HEAD, else 412. */
static void if_none_match(void **state UNUSED)
{
    static const struct condition_case cases[] = {
        {"If-None-Match: \"a\"\r\n", GET, "\"a\"", true, 304},
        {"If-None-Match: \"a\"\r\n", PUT, "\"a\"", true, 412},
        {"If-None-Match: W/\"a\"\r\n", GET, "\"a\"", true, 304},
        {"If-None-Match: \"a\"\r\n", GET, "W/\"a\"", true, 304},
        {"If-None-Match: \"b\"\r\n", GET, "\"a\"", true, 0},
        {"If-None-Match: \"b\"\r\nIf-None-Match: \"a\"\r\n", GET, "\"a\"", true, 304},
        {"If-None-Match: *\r\n", GET, "", true, 304},
        {"If-None-Match: *\r\n", PUT, "\"a\"", true, 412},
        {"If-None-Match: *\r\n", PUT, NULL, false, 0},
        {"If-None-Match: \"a\"\r\n", PUT, NULL, false, 0},
        {"If-None-Match: a\r\n", GET, "\"a\"", true, 0},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

/* 9110/13.1.3-1 9110/13.1.3-2 9110/13.1.3-3 9110/5.6.7-1: dates in three formats; what is none, or not GET, or beside
 * If-None-Match, is ignored. */
static void if_modified_since(void **state UNUSED)
{
    static const struct condition_case cases[] = {
        {"If-Modified-Since: " SAME "\r\n", GET, "\"a\"", true, 304},
        {"If-Modified-Since: " SAME_850 "\r\n", GET, "\"a\"", true, 304},
        {"If-Modified-Since: " SAME_ASCTIME "\r\n", GET, "\"a\"", true, 304},
        {"If-Modified-Since: " AFTER "\r\n", GET, "\"a\"", true, 304},
        {"If-Modified-Since: " BEFORE "\r\n", GET, "\"a\"", true, 0},
        {"If-Modified-Since: yesterday\r\n", GET, "\"a\"", true, 0},
        {"If-Modified-Since: " SAME "\r\nIf-Modified-Since: " SAME "\r\n", GET, "\"a\"", true, 0},
        {"If-Modified-Since: " SAME "\r\n", GET, "\"a\"", false, 0},
        {"If-Modified-Since: " SAME "\r\n", PUT, "\"a\"", true, 0},
        {"If-None-Match: \"b\"\r\nIf-Modified-Since: " SAME "\r\n", GET, "\"a\"", true, 0},
        {"If-None-Match: \"a\"\r\nIf-Modified-Since: " BEFORE "\r\n", GET, "\"a\"", true, 304},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

/* 9110/13.1.4-1 9110/13.1.4-2: If-Unmodified-Since; ignored beside If-Match and when it is no date. */
static void if_unmodified_since(void **state UNUSED)
{
    static const struct condition_case cases[] = {
        {"If-Unmodified-Since: " SAME "\r\n", PUT, "\"a\"", true, 0},
        {"If-Unmodified-Since: " BEFORE "\r\n", PUT, "\"a\"", true, 412},
        {"If-Unmodified-Since: " BEFORE "\r\n", GET, "\"a\"", true, 412},
        {"If-Unmodified-Since: " AFTER "\r\n", PUT, "\"a\"", true, 0},
        {"If-Unmodified-Since: never\r\n", PUT, "\"a\"", true, 0},
        {"If-Unmodified-Since: " BEFORE "\r\n", PUT, NULL, false, 0},
        {"If-Match: \"a\"\r\nIf-Unmodified-Since: " BEFORE "\r\n", PUT, "\"a\"", true, 0},
        {"If-Match: \"b\"\r\nIf-Unmodified-Since: " SAME "\r\n", PUT, "\"a\"", true, 412},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

/* 9110/13.2.2-1: the order of precedence. */
static void precedence(void **state UNUSED)
{
    static const struct condition_case cases[] = {
        {"If-Match: \"b\"\r\nIf-None-Match: \"a\"\r\n", GET, "\"a\"", true, 412},
        {"If-Match: \"a\"\r\nIf-None-Match: \"a\"\r\n", GET, "\"a\"", true, 304},
        {"If-Unmodified-Since: " BEFORE "\r\nIf-None-Match: \"a\"\r\n", GET, "\"a\"", true, 412},
        {"If-Unmodified-Since: " SAME "\r\nIf-Modified-Since: " SAME "\r\n", GET, "\"a\"", true, 304},
        {"", GET, "\"a\"", true, 0},
    };
    check_cases(cases, ARRAY_LEN(cases));
}

/* 9110/13.1.5-1 9110/13.1.5-2: If-Range holds for a strong tag that is the same, or the very date. */
static void if_range(void **state UNUSED)
{
    static const struct {
        const char *value, *etag;
        int64_t now;
        bool want;
    } cases[] = {
        {"\"a\"", "\"a\"", NOW, true},       {"\"b\"", "\"a\"", NOW, false},
        {"W/\"a\"", "W/\"a\"", NOW, false},  {"W/\"a\"", "\"a\"", NOW, false},
        {"\"a\"", "W/\"a\"", NOW, false},    {SAME, "\"a\"", NOW, true},
        {SAME_850, "\"a\"", NOW, true},      {BEFORE, "\"a\"", NOW, false},
        {AFTER, "\"a\"", NOW, false},        {SAME, "\"a\"", MODIFIED, false},
        {"*", "\"a\"", NOW, false},          {"", "\"a\"", NOW, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_fields fields = {.count = 1};
        fields.list[0] =
            (struct http_field){bytes_of_text("if-range"), bytes_of_text(cases[i].value)};
        struct http_representation there = {true, bytes_of_text(cases[i].etag), MODIFIED};
        CHECK_EQUAL(cases[i].value, http_if_range_holds(&fields, &there, cases[i].now),
                    cases[i].want);
        there.exists = false;
        CHECK(cases[i].value, !http_if_range_holds(&fields, &there, cases[i].now));
        fields.list[fields.count++] = fields.list[0];
        CHECK(cases[i].value, !http_if_range_holds(&fields, &there, cases[i].now));
        fields.count = 0;
        CHECK(cases[i].value, http_if_range_holds(&fields, &there, cases[i].now));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(if_match),          cmocka_unit_test(if_none_match),
        cmocka_unit_test(if_modified_since), cmocka_unit_test(if_unmodified_since),
        cmocka_unit_test(precedence),        cmocka_unit_test(if_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
