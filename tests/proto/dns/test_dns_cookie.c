/* SPDX-License-Identifier: ISC */
/* test_dns_cookie.c - server cookies, with the examples of RFC 9018 appendix A. */
#include "proto/dns/dns_cookie.h"

#include "base/encoding.h"
#include "tests/support/check.h"

static size_t unhex(const char *text, uint8_t *out, size_t size)
{
    struct writer w = writer_of(out, size);
    assert_true(encoding_decode(ENCODING_BASE16, bytes_of_text(text), &w) && !w.failed);
    return writer_len(&w);
}

static struct siphash_key key_of(const char *text)
{
    uint8_t octets[16];
    struct siphash_key key = {0};
    assert_int_equal(unhex(text, octets, sizeof octets), 16);
    for (size_t i = 0; i < 8; i++) {
        key.k0 |= (uint64_t)octets[i] << 8 * i;
        key.k1 |= (uint64_t)octets[8 + i] << 8 * i;
    }
    return key;
}

#define SECRET "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define NEW_SECRET "445536bcd2513298075a5d379663c962"
#define OLD_SECRET "dd3bdf9344b678b185a6f5cb60fca715"

static const struct {
    const char *name;
    const char *secret;
    const char *previous;
    const char *client;
    uint32_t now;
    const char *cookie;
    enum cookie_verdict verdict;
    const char *reply;
} cases[] = {
    {"A.1: a new one", SECRET, NULL, "198.51.100.100", 1559731985, "2464c4abcf10c957",
     COOKIE_CLIENT_ONLY, "2464c4abcf10c957010000005cf79f111f8130c3eee29480"},
    {"A.1: sent back at once", SECRET, NULL, "198.51.100.100", 1559731990,
     "2464c4abcf10c957010000005cf79f111f8130c3eee29480", COOKIE_VALID,
     "2464c4abcf10c957010000005cf79f111f8130c3eee29480"},
    {"A.2: renewed", SECRET, NULL, "198.51.100.100", 1559734385,
     "2464c4abcf10c957010000005cf79f111f8130c3eee29480", COOKIE_VALID,
     "2464c4abcf10c957010000005cf7a871d4a564a1442aca77"},
    {"A.3: reserved bits are not zero", SECRET, NULL, "203.0.113.203", 1559734700,
     "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5", COOKIE_CLIENT_ONLY,
     "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e"},
    {"A.4: after the secret was changed", NEW_SECRET, OLD_SECRET,
     "2001:db8:220:1:59de:d0f4:8769:82b8", 1559741961,
     "22681ab97d52c298010000005cf7c57926556bd0934c72f8", COOKIE_VALID,
     "22681ab97d52c298010000005cf7c609a6bb79d16625507a"},
    {"the old secret is not known any more", NEW_SECRET, NULL,
     "2001:db8:220:1:59de:d0f4:8769:82b8", 1559741961,
     "22681ab97d52c298010000005cf7c57926556bd0934c72f8", COOKIE_CLIENT_ONLY,
     "22681ab97d52c298010000005cf7c609a6bb79d16625507a"},
    {"too old", SECRET, NULL, "198.51.100.100", 1559731985 + 3601,
     "2464c4abcf10c957010000005cf79f111f8130c3eee29480", COOKIE_CLIENT_ONLY, NULL},
    {"as old as may be", SECRET, NULL, "198.51.100.100", 1559731985 + 3600,
     "2464c4abcf10c957010000005cf79f111f8130c3eee29480", COOKIE_VALID, NULL},
    {"from a clock ahead", SECRET, NULL, "198.51.100.100", 1559731985 - 300,
     "2464c4abcf10c957010000005cf79f111f8130c3eee29480", COOKIE_VALID, NULL},
    {"from the future", SECRET, NULL, "198.51.100.100", 1559731985 - 301,
     "2464c4abcf10c957010000005cf79f111f8130c3eee29480", COOKIE_CLIENT_ONLY, NULL},
    {"from another address", SECRET, NULL, "198.51.100.101", 1559731985,
     "2464c4abcf10c957010000005cf79f111f8130c3eee29480", COOKIE_CLIENT_ONLY, NULL},
    {"of another version", SECRET, NULL, "198.51.100.100", 1559731985,
     "2464c4abcf10c957020000005cf79f111f8130c3eee29480", COOKIE_CLIENT_ONLY, NULL},
    {"somebody else's", SECRET, NULL, "198.51.100.100", 1559731985,
     "2464c4abcf10c9570102030405060708", COOKIE_CLIENT_ONLY, NULL},
    {"empty", SECRET, NULL, "198.51.100.100", 1, "", COOKIE_MALFORMED, NULL},
    {"7 octets", SECRET, NULL, "198.51.100.100", 1, "2464c4abcf10c9", COOKIE_MALFORMED, NULL},
    {"15 octets", SECRET, NULL, "198.51.100.100", 1, "2464c4abcf10c9570102030405060f",
     COOKIE_MALFORMED, NULL},
    {"41 octets", SECRET, NULL, "198.51.100.100", 1,
     "2464c4abcf10c957010203040506070801020304050607080102030405060708010203040506070801",
     COOKIE_MALFORMED, NULL},
};

static void makes_and_knows_cookies(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cookie_secrets secrets = {.active = key_of(cases[i].secret)};
        struct ip_address client;
        uint8_t octets[64];
        uint8_t out[COOKIE_LEN];
        uint8_t want[COOKIE_LEN];
        secrets.has_previous = cases[i].previous != NULL;
        if (secrets.has_previous)
            secrets.previous = key_of(cases[i].previous);
        assert_true(address_parse(bytes_of_text(cases[i].client), &client));
        size_t len = unhex(cases[i].cookie, octets, sizeof octets);
        uint8_t *copy = exact_copy(octets, len);
        CHECK_EQUAL(cases[i].name,
                    cookie_check(&secrets, bytes_of(copy, len), &client, cases[i].now, out),
                    cases[i].verdict);
        free(copy);
        if (cases[i].reply == NULL)
            continue;
        assert_int_equal(unhex(cases[i].reply, want, sizeof want), COOKIE_LEN);
        CHECK(cases[i].name, memcmp(out, want, COOKIE_LEN) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(makes_and_knows_cookies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
