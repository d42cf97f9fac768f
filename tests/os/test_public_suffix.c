/* SPDX-License-Identifier: ISC */
/* Domains in which no site is alone. */
#include "os/public_suffix.h"

#include "tests/support/check.h"

static void suffixes_are_told_from_sites(void **state UNUSED)
{
    static const struct {
        const char *domain;
        bool is;
    } cases[] = {
        {"uk", true},          {"co.uk", true},        {"shop.co.uk", false}, {"www.shop.co.uk", false},
        {"example.org", false}, {"github.io", true},    {"a.github.io", false}, {"x.kobe.jp", true},
        {"city.kobe.jp", false}, {"made-up-top", true}, {"x.made-up-top", false}, {"192.0.2.1", false},
    };
    if (!public_suffix(bytes_of_text("co.uk")))
        skip(); /* no libpsl here */
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_EQUAL(cases[i].domain, public_suffix(bytes_of_text(cases[i].domain)), cases[i].is);
}

static void long_ones_are_none(void **state UNUSED)
{
    char domain[1000];
    memset(domain, 'a', sizeof domain);
    domain[500] = '.';
    assert_false(public_suffix(bytes_of(domain, sizeof domain)));
    assert_true(public_suffix(bytes_of_text("localhost")));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(suffixes_are_told_from_sites),
        cmocka_unit_test(long_ones_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
