/* SPDX-License-Identifier: ISC */
/* test_dns_key.c - names as keys of ordered tables (RFC 4034 §6.1). */
#include "wire/dns/dns_key.h"

#include "base/prng.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

static struct bytes key_of(const char *text, uint8_t buffer[DNS_KEY_MAX])
{
    struct dns_name name = dns_text_name(text);
    return bytes_of(buffer, dns_key_of(&name, buffer));
}

static int compare(struct bytes a, struct bytes b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* The example of RFC 4034 §6.1, and what its rules say of odd octets. */
static const char *const ordered[] = {
    "example.",       "a.example.",         "yljkjljk.a.example.", "Z.a.example.",
    "zABC.a.EXAMPLE.", "z.example.",        "\\000.z.example.",    "\\001.z.example.",
    "\\001\\000.z.example.", "\\001\\001.z.example.", "\\002.z.example.", "*.z.example.",
    "\\200.z.example.",
};

static void keys_are_in_canonical_order(void **state UNUSED)
{
    for (size_t i = 1; i < ARRAY_LEN(ordered); i++) {
        uint8_t first[DNS_KEY_MAX];
        uint8_t second[DNS_KEY_MAX];
        CHECK(ordered[i], compare(key_of(ordered[i - 1], first), key_of(ordered[i], second)) < 0);
    }
}

static void case_makes_no_difference(void **state UNUSED)
{
    uint8_t first[DNS_KEY_MAX];
    uint8_t second[DNS_KEY_MAX];
    assert_true(bytes_equal(key_of("wWw.Example", first), key_of("www.eXAMPLE", second)));
    assert_int_equal(key_of(".", first).len, 0);
}

static void an_ancestors_key_is_a_prefix(void **state UNUSED)
{
    uint8_t first[DNS_KEY_MAX];
    uint8_t second[DNS_KEY_MAX];
    struct bytes parent = key_of("b.example", first);
    struct bytes child = key_of("\\000\\001.b.example", second);
    assert_true(bytes_equal(bytes_first(child, parent.len), parent));
    struct bytes other = key_of("bb.example", second);
    assert_false(bytes_equal(bytes_first(other, parent.len), parent));
}

static struct dns_name random_name(struct prng *prng)
{
    struct dns_name name;
    size_t len = 0;
    while (prng_below(prng, 8) != 0) {
        size_t label = 1 + prng_below(prng, DNS_LABEL_MAX);
        if (len + label + 2 > DNS_NAME_MAX)
            break;
        name.octets[len++] = (uint8_t)label;
        for (size_t i = 0; i < label; i++)
            name.octets[len++] = (uint8_t)prng_below(prng, prng_below(prng, 2) != 0 ? 3 : 256);
    }
    name.octets[len++] = 0;
    name.len = (uint8_t)len;
    return name;
}

static void a_name_comes_back_from_its_key(void **state UNUSED)
{
    struct prng prng;
    prng_init_number(&prng, 4034);
    struct dns_name root;
    dns_name_root(&root);
    for (size_t i = 0; i < 2000; i++) {
        struct dns_name name = random_name(&prng);
        struct dns_name again;
        uint8_t key[DNS_KEY_MAX];
        size_t len = dns_key_of(&name, key);
        dns_key_name(bytes_of(key, len), &root, &again);
        dns_name_lower(&name);
        assert_true(dns_name_same(&name, &again));
    }
    struct dns_name origin = dns_text_name("Example.ORG");
    struct dns_name want = dns_text_name("a.b.Example.ORG");
    struct dns_name got;
    dns_key_name(bytes_of("b\0a", 4), &origin, &got);
    assert_true(dns_name_same(&got, &want));
    dns_key_name(bytes_empty(), &origin, &got);
    assert_true(dns_name_same(&got, &origin));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_in_canonical_order),
        cmocka_unit_test(case_makes_no_difference),
        cmocka_unit_test(an_ancestors_key_is_a_prefix),
        cmocka_unit_test(a_name_comes_back_from_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
