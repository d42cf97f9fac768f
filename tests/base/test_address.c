/* SPDX-License-Identifier: ISC */
/* test_address.c - classes of addresses, prefixes, and text both ways. */
#include "tests/support/check.h"

#include "base/address.h"
#include "base/prng.h"

static struct ip_address address_of(const char *text)
{
    struct ip_address a;
    if (!address_parse(bytes_of_text(text), &a))
        fail_msg("%s is not an address", text);
    return a;
}

static void test_text_to_canonical_text(void **state UNUSED)
{
    static const struct {
        const char *in, *want; /* NULL: not an address */
    } cases[] = {
        {"0.0.0.0", "0.0.0.0"},
        {"10.0.2.1", "10.0.2.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"256.0.0.1", NULL},
        {"1.2.3", NULL},
        {"1.2.3.4.5", NULL},
        {"1.2.3.", NULL},
        {"1..2.3", NULL},
        {"01.2.3.4", NULL},
        {"1.2.3.00", NULL},
        {" 1.2.3.4", NULL},
        {"1.2.3.4 ", NULL},
        {"1.2.3.-4", NULL},
        {"", NULL},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"}, /* RFC 5952 §4.2.3: the first of equals */
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"}, /* §4.2.2: one group is not shortened */
        {"2001:0db8::0001", "2001:db8::1"},
        {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
        {"0:0:1:2:3:4:5:6", "::1:2:3:4:5:6"},
        {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        {"::ffff:1.2.3.4", "1.2.3.4"},
        {"::ffff:102:304", "1.2.3.4"},
        {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
        {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
        {"1:2:3:4:5:6:7:1.2.3.4", NULL},
        {"1.2.3.4::", NULL},
        {"::1.2.3", NULL},
        {"1:2:3:4:5:6:7:8::", NULL},
        {"1:2:3:4::5:6:7:8", NULL},
        {"1:2:3:4:5:6:7", NULL},
        {"1:2:3:4:5:6:7:8:9", NULL},
        {"1:2:3:4:5:6:7:8:", NULL},
        {":1:2:3:4:5:6:7:8", NULL},
        {"1::2::3", NULL},
        {":::", NULL},
        {":", NULL},
        {":1::", NULL},
        {"::1:", NULL},
        {"12345::", NULL},
        {"g::", NULL},
        {"fe80::1%eth0", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].in);
        uint8_t *copy = exact_copy(cases[i].in, len);
        struct ip_address a;
        memset(&a, 0x5a, sizeof a);
        bool good = address_parse(bytes_of(copy, len), &a);
        CHECK_EQUAL(cases[i].in, good, cases[i].want != NULL);
        if (good) {
            char text[ADDRESS_TEXT_MAX];
            assert_string_equal(address_format(&a, text), cases[i].want);
        } else {
            for (size_t o = 0; o < 16; o++)
                CHECK_EQUAL(cases[i].in, a.octets[o], 0x5a);
        }
        free(copy);
    }
}

/* Addresses with many zero groups, there and back. */
static void test_round_trips(void **state UNUSED)
{
    struct prng prng;
    prng_init_number(&prng, 1);
    for (size_t round = 0; round < 20000; round++) {
        struct ip_address a;
        prng_fill(&prng, a.octets, sizeof a.octets);
        for (size_t i = 0; i < 8; i++)
            if (prng_below(&prng, 2) == 0)
                memset(a.octets + i * 2, 0, 2);
        if (round % 4 == 0)
            a = address_v4(prng_u32(&prng));
        char text[ADDRESS_TEXT_MAX];
        address_format(&a, text);
        struct ip_address back = address_of(text);
        assert_true(address_equal(&a, &back));
    }
}

static void test_classes(void **state UNUSED)
{
    enum { V4 = 1, ANY = 2, LOOPBACK = 4, MULTICAST = 8, BROADCAST = 16, LINK_LOCAL = 32 };
    static const struct {
        const char *text;
        unsigned want;
    } cases[] = {
        {"0.0.0.0", V4 | ANY},
        {"0.0.0.1", V4},
        {"127.0.0.1", V4 | LOOPBACK},
        {"127.255.255.255", V4 | LOOPBACK},
        {"126.255.255.255", V4},
        {"128.0.0.0", V4},
        {"223.255.255.255", V4},
        {"224.0.0.0", V4 | MULTICAST},
        {"239.255.255.255", V4 | MULTICAST},
        {"240.0.0.0", V4},
        {"255.255.255.255", V4 | BROADCAST},
        {"255.255.255.254", V4},
        {"169.254.0.1", V4 | LINK_LOCAL},
        {"169.253.0.1", V4},
        {"::", ANY},
        {"::1", LOOPBACK},
        {"::2", 0},
        {"::7f00:1", 0},
        {"ff02::1", MULTICAST},
        {"fe80::1", LINK_LOCAL},
        {"febf::1", LINK_LOCAL},
        {"fec0::1", 0},
        {"::fffe:1.2.3.4", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ip_address a = address_of(cases[i].text);
        unsigned got = (address_is_v4(&a) ? V4 : 0u) | (address_is_any(&a) ? ANY : 0u) |
                       (address_is_loopback(&a) ? LOOPBACK : 0u) |
                       (address_is_multicast(&a) ? MULTICAST : 0u) |
                       (address_is_broadcast(&a) ? BROADCAST : 0u) |
                       (address_is_link_local(&a) ? LINK_LOCAL : 0u);
        CHECK_EQUAL(cases[i].text, got, cases[i].want);
    }
    struct ip_address a = address_v4(0x0a000201);
    assert_int_equal(address_v4_value(&a), 0x0a000201);
    a = address_of("::10.0.2.1");
    assert_int_equal(address_v4_value(&a), 0);
    struct ip_address any = address_any_v4();
    assert_true(address_is_any(&any) && address_is_v4(&any));
    any = address_any_v6();
    assert_true(address_is_any(&any) && !address_is_v4(&any));
}

static void test_prefixes(void **state UNUSED)
{
    static const struct {
        const char *prefix, *address;
        bool want;
    } cases[] = {
        {"10.0.2.0/24", "10.0.2.255", true},
        {"10.0.2.0/24", "10.0.3.0", false},
        {"10.0.2.77/24", "10.0.2.1", true},
        {"10.0.2.0/23", "10.0.3.1", true},
        {"10.0.2.0/25", "10.0.2.128", false},
        {"10.0.2.5/32", "10.0.2.5", true},
        {"10.0.2.5/32", "10.0.2.4", false},
        {"0.0.0.0/0", "255.1.2.3", true},
        {"0.0.0.0/0", "::", false},
        {"::/0", "fe80::1", true},
        {"::/0", "1.2.3.4", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"2001:db8::1/128", "2001:db8::1", true},
        {"2001:db8::1/128", "2001:db8::", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ip_prefix prefix;
        assert_true(prefix_parse(bytes_of_text(cases[i].prefix), &prefix));
        struct ip_address a = address_of(cases[i].address);
        CHECK_EQUAL(cases[i].prefix, prefix_contains(&prefix, &a), cases[i].want);
        char text[PREFIX_TEXT_MAX];
        assert_string_equal(prefix_format(&prefix, text), cases[i].prefix);
    }
    static const char *const bad[] = {"10.0.0.0",    "10.0.0.0/33",   "10.0.0.0/",
                                      "/8",          "::/129",        "10.0.0.0/8/8",
                                      "10.0.0.0/-1", "10.0.0.0/0008", ""};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct ip_prefix prefix;
        CHECK(bad[i], !prefix_parse(bytes_of_text(bad[i]), &prefix));
    }
    struct ip_prefix lan;
    assert_true(prefix_parse(bytes_of_text("10.0.2.77/23"), &lan));
    struct ip_address broadcast = prefix_broadcast(&lan);
    assert_int_equal(address_v4_value(&broadcast), 0x0a0003ff);
    assert_int_equal(prefix_mask_v4(0), 0);
    assert_int_equal(prefix_mask_v4(24), 0xffffff00);
    assert_int_equal(prefix_mask_v4(32), 0xffffffff);
}

static void test_endpoints(void **state UNUSED)
{
    static const char *const good[] = {"1.2.3.4:53", "0.0.0.0:0", "[::1]:65535",
                                       "[2001:db8::5]:80"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct endpoint e;
        CHECK(good[i], endpoint_parse(bytes_of_text(good[i]), &e));
        char text[ENDPOINT_TEXT_MAX];
        assert_string_equal(endpoint_format(&e, text), good[i]);
        struct endpoint other = e;
        assert_true(endpoint_equal(&e, &other));
        other.port ^= 1;
        assert_false(endpoint_equal(&e, &other));
    }
    static const char *const bad[] = {"1.2.3.4",     "1.2.3.4:",   "1.2.3.4:65536", ":53",
                                      "::1:53",      "[::1]",      "[::1]53",       "[::1",
                                      "[1.2.3.4]:1", "1.2.3.4:5x", "[]:1",          "",
                                      "[",           "[::1]:",     "1.2.3.4:000053"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct endpoint e;
        size_t len = strlen(bad[i]);
        uint8_t *copy = exact_copy(bad[i], len);
        CHECK(bad[i], !endpoint_parse(bytes_of(copy, len), &e));
        free(copy);
    }
    struct endpoint longest = {.port = 65535};
    memset(longest.address.octets, 0xff, 16);
    char text[ENDPOINT_TEXT_MAX];
    assert_string_equal(endpoint_format(&longest, text),
                        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void test_macs(void **state UNUSED)
{
    struct mac mac;
    char text[MAC_TEXT_MAX];
    assert_true(mac_parse(bytes_of_text("02:00:5E:ab:Cd:ff"), &mac));
    assert_string_equal(mac_format(&mac, text), "02:00:5e:ab:cd:ff");
    assert_false(mac_is_multicast(&mac));
    struct mac other = mac;
    assert_true(mac_equal(&mac, &other));
    other.octets[5] = 0;
    assert_false(mac_equal(&mac, &other));
    other.octets[0] = 0xff;
    assert_true(mac_is_multicast(&other));
    static const char *const bad[] = {"",
                                      "02:00:5e:ab:cd",
                                      "02:00:5e:ab:cd:f",
                                      "02-00-5e-ab-cd-ff",
                                      "02:00:5e:ab:cd:ffx",
                                      "02:00:5e:ab:cd:fg",
                                      "2:00:5e:ab:cd:ff0"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(bad[i], !mac_parse(bytes_of_text(bad[i]), &mac));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_to_canonical_text),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_macs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
