/* SPDX-License-Identifier: ISC */
#include "wire/http/http_range.h"
#include "tests/support/check.h"

static const struct {
    const char *value;
    uint64_t total;
    enum http_range_verdict want;
    size_t count;
    uint64_t first, len; /* of the last one */
} cases[] = {
    {"bytes=0-499", 10000, HTTP_RANGE_SATISFIABLE, 1, 0, 500},
    {"bytes=500-999", 10000, HTTP_RANGE_SATISFIABLE, 1, 500, 500},
    {"bytes=-500", 10000, HTTP_RANGE_SATISFIABLE, 1, 9500, 500},
    {"bytes=9500-", 10000, HTTP_RANGE_SATISFIABLE, 1, 9500, 500},
    {"bytes=0-0,-1", 10000, HTTP_RANGE_SATISFIABLE, 2, 9999, 1},
    {"bytes= 0-0 , 5-6", 10, HTTP_RANGE_SATISFIABLE, 2, 5, 2},
    {"Bytes=0-", 3, HTTP_RANGE_SATISFIABLE, 1, 0, 3},
    {"bytes=0-99999999999999999999999", 10, HTTP_RANGE_SATISFIABLE, 1, 0, 10},
    {"bytes=-99999", 10, HTTP_RANGE_SATISFIABLE, 1, 0, 10},
    {"bytes=9-18446744073709551615", 10, HTTP_RANGE_SATISFIABLE, 1, 9, 1},
    {"bytes=5-9, 20-30", 10, HTTP_RANGE_SATISFIABLE, 1, 5, 5},
    {"bytes=10-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0, 0},
    {"bytes=99999999999999999999999-", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0, 0},
    {"bytes=-0", 10, HTTP_RANGE_UNSATISFIABLE, 0, 0, 0},
    {"bytes=0-", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0, 0},
    {"bytes=-5", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0, 0},
    {"bytes=5-4", 10, HTTP_RANGE_IGNORED, 0, 0, 0},
    {"bytes=", 10, HTTP_RANGE_IGNORED, 0, 0, 0},
    {"bytes=-", 10, HTTP_RANGE_IGNORED, 0, 0, 0},
    {"bytes=a-b", 10, HTTP_RANGE_IGNORED, 0, 0, 0},
    {"bytes=1 -2", 10, HTTP_RANGE_IGNORED, 0, 0, 0},
    {"bytes=1-2-3", 10, HTTP_RANGE_IGNORED, 0, 0, 0},
    {"bytes=0-1,x", 10, HTTP_RANGE_IGNORED, 0, 0, 0},
    {"lines=0-1", 10, HTTP_RANGE_IGNORED, 0, 0, 0},
    {"bytes 0-1", 10, HTTP_RANGE_IGNORED, 0, 0, 0},
    {"", 10, HTTP_RANGE_IGNORED, 0, 0, 0},
    {"bytes=0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0", 10,
     HTTP_RANGE_SATISFIABLE, 16, 0, 1},
    {"bytes=0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0,0-0", 10,
     HTTP_RANGE_IGNORED, 0, 0, 0},
};

static void ranges_are_cut_to_what_there_is(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].value);
        uint8_t *copy = exact_copy(cases[i].value, len);
        struct http_ranges ranges = {0};
        CHECK_EQUAL(cases[i].value, http_range_parse(bytes_of(copy, len), cases[i].total, &ranges),
                    cases[i].want);
        CHECK_EQUAL(cases[i].value, ranges.count, cases[i].count);
        if (ranges.count > 0) {
            CHECK_EQUAL(cases[i].value, ranges.list[ranges.count - 1].first, cases[i].first);
            CHECK_EQUAL(cases[i].value, ranges.list[ranges.count - 1].len, cases[i].len);
        }
        free(copy);
    }
}

static void parts_that_are_more_than_the_whole_are_not_sensible(void **state UNUSED)
{
    struct http_ranges ranges = {2, {{0, 6}, {3, 4}}};
    assert_true(http_ranges_sensible(&ranges, 10));
    ranges.list[1].len = 5;
    assert_false(http_ranges_sensible(&ranges, 10));
    ranges.list[1].len = UINT64_MAX;
    assert_false(http_ranges_sensible(&ranges, 10));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_cut_to_what_there_is),
        cmocka_unit_test(parts_that_are_more_than_the_whole_are_not_sensible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
