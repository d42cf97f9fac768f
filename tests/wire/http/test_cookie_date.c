/* SPDX-License-Identifier: ISC */
#include "wire/http/cookie_date.h"
#include "tests/support/check.h"

static const struct {
    const char *text;
    int64_t want; /* -1: no date */
} dates[] = {
    {"Wed, 09 Jun 2021 10:18:14 GMT", 1623233894},
    {"Wednesday, 09-Jun-21 10:18:14 GMT", 1623233894},
    {"Wed Jun  9 10:18:14 2021", 1623233894},
    {"10:18:14 2021 june 9", 1623233894},
    {"9-jUNE-2021;10:18:14", 1623233894},
    {"9 6 2021 10:18:14", -1},
    {"1 Jan 70 0:0:0", 0},
    {"1 Jan 69 00:00:00", 3124224000},
    {"1 Jan 99 00:00:00", 915148800},
    {"1 Jan 2000 00:00:00x GMT", 946684800},
    {"1 Jan 2000 00:00:001", -1},
    {"1 Jan 2000 24:00:00", -1},
    {"1 Jan 2000 23:60:00", -1},
    {"1 Jan 2000 23:59:60", -1},
    {"31 Feb 2000 00:00:00", -1},
    {"29 Feb 2000 00:00:00", 951782400},
    {"29 Feb 1900 00:00:00", -1},
    {"0 Jan 2000 00:00:00", -1},
    {"1 Jan 1600 00:00:00", -1},
    {"1 Jan 20000 00:00:00", -1},
    {"1 Jan 00:00:00", -1},
    {"Jan 2000 00:00:00", -1},
    {"1 2000 00:00:00", -1},
    {"1 Jan 2000", -1},
    {"", -1},
    {"never", -1},
};

static void dates_are_read_with_patience(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
        size_t len = strlen(dates[i].text);
        uint8_t *copy = exact_copy(dates[i].text, len);
        int64_t got = -1;
        bool ok = cookie_date_parse(bytes_of(copy, len), &got);
        free(copy);
        CHECK_EQUAL(dates[i].text, ok ? got : -1, dates[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(dates_are_read_with_patience)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
