/* SPDX-License-Identifier: ISC */
/* test_text.c - bounded text, numbers and units. */
#include "tests/support/check.h"

#include "base/text.h"

static void test_text_is_cut_and_says_so(void **state UNUSED)
{
    static const char whole[] = "ab7 cd\001";
    for (size_t size = 1; size <= 10; size++) {
        char *buffer = malloc(size);
        struct text t = text_of(buffer, size);
        text_add(&t, "ab");
        text_add_format(&t, "%d %s", 7, "cd");
        text_add_bytes(&t, bytes_of("\001", 1));
        size_t want = size - 1 < 7 ? size - 1 : 7;
        assert_int_equal(t.failed, size - 1 < 7);
        assert_int_equal(t.len, want);
        assert_int_equal(strlen(buffer), want);
        assert_memory_equal(buffer, whole, want);
        assert_int_equal(text_bytes(&t).len, want);
        free(buffer);
    }
}

static void test_trim(void **state UNUSED)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"", ""}, {" \t ", ""}, {"a", "a"}, {" a b\t", "a b"}, {"\r a", "\r a"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK(cases[i].in,
              bytes_equal(text_trim(bytes_of_text(cases[i].in)), bytes_of_text(cases[i].want)));
}

enum { BAD = -1 };

/* What each parser makes of a text; BAD: nothing. */
struct parse_case {
    const char *in;
    int64_t want;
};

static struct bytes exact_text(const char *text)
{
    return strlen(text) > 0 ? bytes_of(exact_copy(text, strlen(text)), strlen(text))
                            : bytes_empty();
}

static void free_text(struct bytes text)
{
    if (text.len > 0)
        free((void *)(uintptr_t)text.data);
}

static void test_numbers(void **state UNUSED)
{
    static const struct {
        const char *in;
        uint64_t max;
        bool good;
        uint64_t want;
    } cases[] = {
        {"0", 0, true, 0},
        {"007", 9, true, 7},
        {"65535", 65535, true, 65535},
        {"65536", 65535, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"99999999999999999999", UINT64_MAX, false, 0},
        {"", 9, false, 0},
        {"+1", 9, false, 0},
        {"-1", 9, false, 0},
        {" 1", 9, false, 0},
        {"1a", 99, false, 0},
        {"0x1", 99, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t out = 4711;
        struct bytes in = exact_text(cases[i].in);
        CHECK_EQUAL(cases[i].in, text_parse_number(in, cases[i].max, &out), cases[i].good);
        CHECK(cases[i].in, out == (cases[i].good ? cases[i].want : 4711));
        free_text(in);
    }
}

static void test_durations(void **state UNUSED)
{
    static const struct parse_case cases[] = {
        {"0", 0},
        {"0s", 0},
        {"20us", 20},
        {"150ms", 150000},
        {"1.5s", 1500000},
        {"2m", 120000000},
        {"2min", 120000000},
        {"3h", 10800000000},
        {"7d", 604800000000},
        {"0.000001s", 1},
        {"1.0000001s", BAD},
        {"0.5us", 0},
        {"1", BAD},
        {"", BAD},
        {"ms", BAD},
        {"1.s", BAD},
        {".5s", BAD},
        {"1..5s", BAD},
        {"-1s", BAD},
        {"1 s", BAD},
        {"1sx", BAD},
        {"106751991d", 106751991ll * 86400 * 1000000},
        {"106751992d", BAD},
        {"99999999999999999999s", BAD},
        {"9223372036854775806us", 9223372036854775806},
        {"9223372036854775807us", BAD},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        usec out = BAD;
        struct bytes in = exact_text(cases[i].in);
        CHECK_EQUAL(cases[i].in, text_parse_duration(in, &out), cases[i].want != BAD);
        CHECK_EQUAL(cases[i].in, out, cases[i].want);
        free_text(in);
    }
}

static void test_chances(void **state UNUSED)
{
    static const struct parse_case cases[] = {
        {"2%", 20000},  {"0.5%", 5000}, {"100%", 1000000}, {"0%", 0},      {"0.01", 10000},
        {"1", 1000000}, {"0", 0},       {"0.000001", 1},   {"0.0001%", 1}, {"100.1%", BAD},
        {"1.1", BAD},   {"%", BAD},     {"", BAD},         {"2 %", BAD},   {"-1%", BAD},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint32_t out = 4711;
        struct bytes in = exact_text(cases[i].in);
        CHECK_EQUAL(cases[i].in, text_parse_chance(in, &out), cases[i].want != BAD);
        CHECK_EQUAL(cases[i].in, out, cases[i].want == BAD ? 4711 : cases[i].want);
        free_text(in);
    }
}

static void test_rates_and_sizes(void **state UNUSED)
{
    static const struct parse_case rates[] = {
        {"10mbit", 10000000},
        {"10Mbit", 10000000},
        {"1.5gbit", 1500000000},
        {"64kbit", 64000},
        {"800bit", 800},
        {"1tbit", 1000000000000},
        {"10", BAD},
        {"10mb", BAD},
        {"mbit", BAD},
        {"99999999999tbit", BAD},
    };
    static const struct parse_case sizes[] = {
        {"512", 512},          {"64k", 65536},     {"64K", 65536},
        {"10M", 10485760},     {"1G", 1073741824}, {"1.5k", 1536},
        {"2t", 2199023255552}, {"0", 0},           {"k", BAD},
        {"1kb", BAD},          {"", BAD},          {"16777216T", BAD},
    };
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        uint64_t out = 4711;
        CHECK_EQUAL(rates[i].in, text_parse_rate(bytes_of_text(rates[i].in), &out),
                    rates[i].want != BAD);
        CHECK_EQUAL(rates[i].in, out, rates[i].want == BAD ? 4711 : rates[i].want);
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint64_t out = 4711;
        CHECK_EQUAL(sizes[i].in, text_parse_size(bytes_of_text(sizes[i].in), &out),
                    sizes[i].want != BAD);
        CHECK_EQUAL(sizes[i].in, out, sizes[i].want == BAD ? 4711 : sizes[i].want);
    }
}

static void test_forms_for_people(void **state UNUSED)
{
    static const struct {
        usec duration;
        const char *want;
    } durations[] = {
        {0, "0 us"},
        {999, "999 us"},
        {1000, "1 ms"},
        {20000, "20 ms"},
        {1999999, "1.9 s"},
        {1500000, "1.5 s"},
        {90 * USEC_PER_SEC, "1.5 min"},
        {3 * USEC_PER_HOUR, "3 h"},
        {36 * USEC_PER_HOUR, "1.5 d"},
        {-1500, "-1.5 ms"},
        {USEC_NEVER, "never"},
    };
    static const struct {
        uint64_t octets;
        const char *want;
    } sizes[] = {
        {0, "0 B"},         {1023, "1023 B"},
        {1024, "1 KiB"},    {65536, "64 KiB"},
        {1536, "1.5 KiB"},  {1048575, "1023.9 KiB"},
        {1048576, "1 MiB"}, {UINT64_MAX, "16777215.9 TiB"},
    };
    char buffer[40];
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        struct text t = text_of(buffer, sizeof buffer);
        text_add_duration(&t, durations[i].duration);
        assert_string_equal(buffer, durations[i].want);
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct text t = text_of(buffer, sizeof buffer);
        text_add_size(&t, sizes[i].octets);
        assert_string_equal(buffer, sizes[i].want);
    }
    struct text t = text_of(buffer, sizeof buffer);
    text_add_duration(&t, INT64_MIN);
    assert_int_equal(buffer[0], '-');
}

static void distances_are_counted_in_letters(void **state UNUSED)
{
    static const struct {
        const char *a, *b;
        unsigned want;
    } pairs[] = {
        {"", "", 0},         {"a", "", 1},         {"", "abc", 3},       {"run", "run", 0},
        {"rnu", "run", 2},   {"delay", "dely", 1}, {"cat", "cut", 1},    {"kitten", "sitting", 3},
        {"abcdefghijklmnopqrst", "abcdefghijklmnopxxxx", 0}, /* 16 letters are looked at */
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        CHECK_EQUAL(pairs[i].a, text_distance(pairs[i].a, pairs[i].b), pairs[i].want);
        CHECK_EQUAL(pairs[i].b, text_distance(pairs[i].b, pairs[i].a), pairs[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_cut_and_says_so),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_chances),
        cmocka_unit_test(test_rates_and_sizes),
        cmocka_unit_test(test_forms_for_people),
        cmocka_unit_test(distances_are_counted_in_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
