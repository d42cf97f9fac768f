/* SPDX-License-Identifier: ISC */
/* test_calendar.c - known days, and every day of four centuries there and back. */
#include "base/calendar.h"
#include "tests/support/check.h"

static void known_moments(void **state UNUSED)
{
    static const struct {
        int64_t seconds;
        struct calendar want;
    } cases[] = {
        {0, {1970, 1, 1, 0, 0, 0, 4}},
        {-1, {1969, 12, 31, 23, 59, 59, 3}},
        {951782400, {2000, 2, 29, 0, 0, 0, 2}},
        {1709208000, {2024, 2, 29, 12, 0, 0, 4}},
        {INT64_C(4294967295), {2106, 2, 7, 6, 28, 15, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct calendar c = calendar_of(cases[i].seconds);
        assert_int_equal(c.year, cases[i].want.year);
        assert_int_equal(c.month, cases[i].want.month);
        assert_int_equal(c.day, cases[i].want.day);
        assert_int_equal(c.hour, cases[i].want.hour);
        assert_int_equal(c.minute, cases[i].want.minute);
        assert_int_equal(c.second, cases[i].want.second);
        assert_int_equal(c.weekday, cases[i].want.weekday);
        assert_int_equal(calendar_seconds(&c), cases[i].seconds);
    }
}

static void every_day_follows_the_one_before(void **state UNUSED)
{
    struct calendar before = calendar_of(INT64_C(-11676096000) - 86400); /* 1600-01-01 */
    for (int64_t day = 0; day < 146097 + 1; day++) {
        struct calendar c = calendar_of(INT64_C(-11676096000) + day * 86400);
        bool next_day = c.month == before.month && c.day == before.day + 1;
        bool next_month = c.day == 1 && !calendar_day_exists(before.year, before.month, before.day + 1);
        assert_true(next_day || next_month);
        assert_true(calendar_day_exists(c.year, c.month, c.day));
        assert_int_equal(c.weekday, (before.weekday + 1) % 7);
        assert_int_equal(calendar_seconds(&c), INT64_C(-11676096000) + day * 86400);
        before = c;
    }
    assert_int_equal(before.year, 2000);
}

static void days_that_are_none(void **state UNUSED)
{
    assert_false(calendar_day_exists(1900, 2, 29));
    assert_true(calendar_day_exists(2000, 2, 29));
    assert_false(calendar_day_exists(2001, 0, 1));
    assert_false(calendar_day_exists(2001, 13, 1));
    assert_false(calendar_day_exists(2001, 4, 31));
    assert_false(calendar_day_exists(2001, 4, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_moments),
        cmocka_unit_test(every_day_follows_the_one_before),
        cmocka_unit_test(days_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
