/* SPDX-License-Identifier: ISC */
/* test_dns_option.c - the names of extended errors, and options added to a message that is done. */
#include "wire/dns/dns_option.h"

#include "tests/support/check.h"
#include "tests/support/dns_text.h"

static void test_names(void **state UNUSED)
{
    assert_string_equal(dns_ede_text(DNS_EDE_BOGUS), "DNSSEC Bogus");
    assert_string_equal(dns_ede_text(DNS_EDE_SYNTHESIZED), "Synthesized");
    assert_string_equal(dns_ede_text(DNS_EDE_COUNT), "unknown");
    assert_string_equal(dns_ede_text(DNS_EDE_NONE), "unknown");
    for (unsigned i = 0; i < DNS_EDE_COUNT; i++)
        assert_non_null(dns_ede_text(i));
}

static void test_append(void **state UNUSED)
{
    static const uint8_t value[] = {0, 6};
    static const struct {
        const char *name;
        int edns;
        size_t room;  /* beyond the message */
        size_t added;
    } cases[] = {
        {"room enough", 1232, 100, 6},
        {"just enough", 1232, 6, 6},
        {"one octet too few", 1232, 5, 0},
        {"no OPT record", 0, 100, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t buffer[512];
        struct dns_text_query query = {.name = "a.example.", .type = DNS_A, .edns = cases[i].edns};
        size_t len = dns_text_query(&query, buffer, sizeof buffer).len;
        uint8_t *copy = malloc(len + cases[i].room);
        assert_non_null(copy);
        memcpy(copy, buffer, len);
        size_t got = dns_option_append(copy, len, len + cases[i].room, DNS_OPTION_EDE,
                                       bytes_of(value, sizeof value));
        CHECK_EQUAL(cases[i].name, got, len + cases[i].added);
        struct dns_summary summary;
        struct bytes ede;
        CHECK_EQUAL(cases[i].name, dns_summarise(bytes_of(copy, got), &summary), WIRE_OK);
        bool found = dns_edns_option(&summary.edns, DNS_OPTION_EDE, &ede);
        CHECK_EQUAL(cases[i].name, found, cases[i].added > 0);
        if (found)
            CHECK(cases[i].name, bytes_equal(ede, bytes_of(value, sizeof value)));
        free(copy);
    }
    uint8_t none[4] = {0};
    assert_int_equal(dns_option_append(none, sizeof none, sizeof none, 1, bytes_empty()), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_append)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
