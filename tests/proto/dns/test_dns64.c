/* SPDX-License-Identifier: ISC */
/* test_dns64.c - IPv4 addresses in IPv6 ones, there and back, with the examples of RFC 6052 §2.4. */
#include "proto/dns/dns64.h"

#include "tests/support/check.h"
#include "tests/support/dns_text.h"

static const uint8_t v4[4] = {192, 0, 2, 33};

static const struct {
    const char *prefix, *address;
} made[] = {
    {"2001:db8::/32", "2001:db8:c000:221::"},
    {"2001:db8:100::/40", "2001:db8:1c0:2:21::"},
    {"2001:db8:122::/48", "2001:db8:122:c000:2:2100::"},
    {"2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"},
    {"2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100:0"},
    {"2001:db8:122:344::/96", "2001:db8:122:344::c000:221"},
    {"64:ff9b::/96", "64:ff9b::c000:221"},
};

static struct ip_prefix prefix_of(const char *text)
{
    struct ip_prefix prefix;
    assert_true(prefix_parse(bytes_of_text(text), &prefix));
    return prefix;
}

/* What the reverse name of the address leads to. */
static bool reverse(const struct ip_prefix *prefix, const char *address, struct dns_name *out)
{
    struct ip_address a;
    struct dns_name name;
    assert_true(address_parse(bytes_of_text(address), &a));
    dns_name_reverse(&a, &name);
    return dns64_reverse(prefix, &name, out);
}

static void addresses_lie_where_the_prefix_ends(void **state UNUSED)
{
    struct dns_name want = dns_text_name("33.2.0.192.in-addr.arpa");
    for (size_t i = 0; i < ARRAY_LEN(made); i++) {
        struct ip_prefix prefix = prefix_of(made[i].prefix);
        struct ip_address address;
        struct dns_name name;
        uint8_t octets[16];
        CHECK(made[i].prefix, dns64_valid(&prefix));
        dns64_make(&prefix, v4, octets);
        assert_true(address_parse(bytes_of_text(made[i].address), &address));
        CHECK(made[i].prefix, memcmp(octets, address.octets, 16) == 0);
        CHECK(made[i].prefix, reverse(&prefix, made[i].address, &name));
        CHECK(made[i].prefix, dns_name_equal(&name, &want));
    }
}

static void what_was_not_made_leads_nowhere(void **state UNUSED)
{
    struct ip_prefix short_one = prefix_of("2001:db8::/32"), long_one = prefix_of("64:ff9b::/96");
    struct dns_name name, other = dns_text_name("1.2.0.192.in-addr.arpa");
    assert_false(reverse(&long_one, "64:ff9c::c000:221", &name));
    assert_false(reverse(&short_one, "2001:db8:c000:221::1", &name));
    assert_false(reverse(&short_one, "2001:db8:c000:221:100::", &name));
    assert_false(dns64_reverse(&long_one, &other, &name));
    other = dns_text_name("0.0.b.9.f.f.4.6.0.0.ip6.arpa");
    assert_false(dns64_reverse(&long_one, &other, &name));
}

static void not_every_prefix_will_do(void **state UNUSED)
{
    static const char *const wrong[] = {"64:ff9b::/95", "64:ff9b::/128", "64:ff9b::/0", "192.0.2.0/24",
                                        "2001:db8:0:0:100::/96"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct ip_prefix prefix = prefix_of(wrong[i]);
        CHECK(wrong[i], !dns64_valid(&prefix));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_lie_where_the_prefix_ends),
        cmocka_unit_test(what_was_not_made_leads_nowhere),
        cmocka_unit_test(not_every_prefix_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
