/* SPDX-License-Identifier: ISC */
/* test_address_order.c - the examples of RFC 6724 §10.2, and what it leaves open. */
#include "base/address_order.h"
#include "tests/support/check.h"

enum { ADDRESSES_MAX = 4 };

/* "destination source/len"; no source: there is none. The wanted order is that of the numbers. */
static const struct {
    const char *name;
    const char *given[ADDRESSES_MAX];
    const char *wanted;
} cases[] = {
    {"10.2: scopes that match", {"2001:db8:1::1 2001:db8:1::2/64", "198.51.100.121 169.254.13.78/16"}, "01"},
    {"10.2: the other way round", {"2001:db8:1::1 fe80::1/64", "198.51.100.121 198.51.100.117/24"}, "10"},
    {"10.2: precedence", {"2001:db8:1::1 2001:db8:1::2/64", "10.1.2.3 10.1.2.4/8"}, "01"},
    {"10.2: smaller scope", {"2001:db8:1::1 2001:db8:1::2/64", "fe80::1 fe80::2/64"}, "10"},
    {"10.2: labels", {"2002:c633:6401::1 2002:c633:6401::2/64", "2001:db8:1::1 2002:c633:6401::2/64"}, "01"},
    {"10.2: 6to4 after native", {"2002:c633:6401::1 2002:c633:6401::2/64", "2001:db8:1::1 2001:db8:1::2/64"}, "10"},
    {"unreachable ones last", {"2001:db8::1", "192.0.2.1 192.0.2.9/24"}, "10"},
    {"all unreachable: by precedence", {"192.0.2.1", "2001:db8::1", "::1"}, "210"},
    {"unique local after IPv4", {"fd00::1 fd00::2/64", "192.0.2.1 192.0.2.9/24"}, "10"},
    {"Teredo after IPv4", {"2001::1 2001::2/32", "192.0.2.1 192.0.2.9/24"}, "10"},
    {"loopback of either version", {"127.0.0.1 127.0.0.1/8", "::1 ::1/128"}, "10"},
    {"longer common prefix", {"2001:db8:2::1 2001:db8:1::2/64", "2001:db8:1::1 2001:db8:1::2/64"}, "10"},
    {"as far as the source's network", {"2001:db8:1::ff00 2001:db8:1::2/64", "2001:db8:1::1 2001:db8:1::2/64"}, "01"},
    {"of IPv4 what is on the network", {"198.51.100.1 10.0.0.2/24", "10.0.0.1 10.0.0.2/24"}, "10"},
    {"of IPv4 that is not: as it came", {"198.51.100.1 10.0.0.2/24", "10.0.1.1 10.0.0.2/24"}, "01"},
    {"four of them", {"192.0.2.1 10.0.0.2/24", "2001:db8::1", "192.0.2.2 10.0.0.2/24", "10.0.0.7 10.0.0.2/24"}, "3021"},
};

static void addresses_are_ordered_by_the_rules(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct address_candidate list[ADDRESSES_MAX] = {0};
        struct ip_address given[ADDRESSES_MAX];
        size_t count = 0;
        for (; count < ADDRESSES_MAX && cases[i].given[count] != NULL; count++) {
            struct bytes text = bytes_of_text(cases[i].given[count]);
            size_t space = bytes_find(text, ' ');
            CHECK(cases[i].name, address_parse(bytes_first(text, space), &list[count].address));
            list[count].reachable = space < text.len;
            if (space < text.len)
                CHECK(cases[i].name, prefix_parse(bytes_after(text, space + 1), &list[count].source));
            given[count] = list[count].address;
        }
        address_order(list, count);
        for (size_t j = 0; j < count; j++)
            CHECK(cases[i].name, address_equal(&list[j].address, &given[cases[i].wanted[j] - '0']));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(addresses_are_ordered_by_the_rules)};
    return cmocka_run_group_tests_name("address order", tests, NULL, NULL);
}
