/* SPDX-License-Identifier: ISC */
/* test_dhcp_fqdn.c - the Client FQDN option (RFC 4702 §2). */
#include "wire/dhcp/dhcp_fqdn.h"

#include "tests/support/check.h"

static const struct {
    const char *name;
    const char *in;
    size_t len;
    bool good;
    uint8_t flags;
    const char *label;
} cases[] = {
    {"in ASCII", "\1\0\0Chi.example.com", 18, true, DHCP_FQDN_S, "chi"},
    {"one label", "\0\0\0chi", 6, true, 0, "chi"},
    {"no name", "\5\0\0", 3, true, DHCP_FQDN_S | DHCP_FQDN_E, ""},
    {"no flags", "\1\0", 2, false, 0, ""},
    {"in wire form, whole", "\5\377\377\3CHI\7example\0", 16, true, 5, "chi"},
    {"in wire form, one label", "\4\0\0\3chi", 7, true, DHCP_FQDN_E, "chi"},
    {"the root in wire form", "\4\0\0\0", 4, true, DHCP_FQDN_E, ""},
    {"in wire form, cut", "\4\0\0\4chi", 7, false, 0, ""},
    {"with something behind the root", "\4\0\0\0x", 5, false, 0, ""},
    {"a pointer", "\4\0\0\300\0", 5, false, 0, ""},
    {"a dot in a label", "\4\0\0\3a.b", 7, true, DHCP_FQDN_E, ""},
    {"no name of a host", "\10\0\0../etc", 9, true, DHCP_FQDN_N, ""},
    {"reserved flags are kept off the mark", "\361\0\0x", 4, true, 0xf1, "x"},
};

static void options_are_read(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct dhcp_fqdn fqdn = {0};
        uint8_t *in = exact_copy(cases[i].in, cases[i].len);
        CHECK_EQUAL(cases[i].name, dhcp_fqdn_decode(bytes_of(in, cases[i].len), &fqdn), cases[i].good);
        if (cases[i].good) {
            CHECK_EQUAL(cases[i].name, fqdn.flags, cases[i].flags);
            CHECK(cases[i].name, strcmp(fqdn.label, cases[i].label) == 0);
        }
        free(in);
    }
}

static void check_encoded(uint8_t flags, const char *label, const char *domain, const char *want,
                          size_t want_len)
{
    uint8_t octets[DHCP_FQDN_OPTION_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct dhcp_fqdn fqdn = {.flags = flags};
    memcpy(fqdn.label, label, strlen(label) + 1);
    dhcp_fqdn_encode(&fqdn, domain, &w);
    assert_false(w.failed);
    assert_int_equal(writer_len(&w), want_len);
    assert_memory_equal(octets, want, want_len);
}

static void options_are_written(void **state UNUSED)
{
    check_encoded(1, "chi", "example.com", "\1\377\377chi.example.com", 18);
    check_encoded(1, "chi", "", "\1\377\377chi", 6);
    check_encoded(5, "chi", "example", "\5\377\377\3chi\7example\0", 16);
    check_encoded(8, "", "example", "\10\377\377", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_read),
        cmocka_unit_test(options_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
