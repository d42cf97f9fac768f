/* SPDX-License-Identifier: ISC */
/* test_zone_digest.c - digests of zones: the example of RFC 8976 §A.1, and what must and must not change one. */
#include "proto/dns/zone_digest.h"

#include "tests/support/check.h"
#include "tests/support/dns_sign.h"

static struct dns_sign d;

static const char *const simple[] = {
    "@ 86400 SOA ns1 admin 2018031900 1800 900 604800 86400",
    "@ 86400 NS ns1",
    "@ 86400 NS ns2",
    "@ 86400 ZONEMD 2018031900 1 1 c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c",
    "ns1 3600 A 203.0.113.63",
    "ns2 3600 AAAA 2001:db8::63",
    NULL,
};

static size_t digest_of(const char *const *lines, uint8_t algorithm, uint8_t out[ZONE_DIGEST_MAX])
{
    static uint8_t scratch[ZONE_DIGEST_SCRATCH_LEN];
    struct zone *zone = dns_sign_zone(&d, "example.", lines);
    size_t len = zone_digest(zone, &d.options.crypto.digester, algorithm, scratch, out);
    zone_free(zone);
    return len;
}

static void the_simple_example(void **state UNUSED)
{
    uint8_t digest[ZONE_DIGEST_MAX];
    uint8_t room[128];
    struct dns_record record = dns_sign_record("example.", simple[3], room, sizeof room);
    assert_int_equal(digest_of(simple, ZONE_DIGEST_SHA384, digest), 48);
    assert_memory_equal(digest, record.rdata.data + ZONE_DIGEST_HEAD_LEN, 48);
    assert_int_equal(digest_of(simple, ZONE_DIGEST_SHA512, digest), 64);
    assert_int_equal(digest_of(simple, 240, digest), 0);
}

static const struct {
    const char *name;
    const char *a[4];
    const char *b[4];
    bool same;
} cases[] = {
    {"the order of lines", {"x A 192.0.2.1", "x A 192.0.2.2", "y TXT t"}, {"y TXT t", "x A 192.0.2.2", "x A 192.0.2.1"}, true},
    {"the case of owners", {"X.y A 192.0.2.1"}, {"x.Y A 192.0.2.1"}, true},
    {"the case of a target", {"x MX 1 Mail"}, {"x MX 1 mail"}, true},
    {"the case of a text", {"x TXT Mail"}, {"x TXT mail"}, false},
    {"a record twice but for case", {"x MX 1 Mail", "x MX 1 mail"}, {"x MX 1 mail"}, true},
    {"a TTL", {"x 60 A 192.0.2.1"}, {"x 61 A 192.0.2.1"}, false},
    {"glue", {"x NS ns.x", "ns.x A 192.0.2.1"}, {"x NS ns.x"}, false},
    {"a digest at the apex", {"@ ZONEMD 1 1 1 00112233445566778899aabb"}, {"@ ZONEMD 2 1 1 ffeeddccbbaa998877665544"}, true},
    {"a digest elsewhere", {"x ZONEMD 1 1 1 00112233445566778899aabb"}, {"x ZONEMD 2 1 1 ffeeddccbbaa998877665544"}, false},
    {"a signature over it", {"@ RRSIG ZONEMD 13 1 60 20300101000000 20200101000000 1 example. AAAA"}, {"@ ZONEMD 1 1 1 00112233445566778899aabb"}, true},
    {"a signature over another set", {"@ RRSIG SOA 13 1 60 20300101000000 20200101000000 1 example. AAAA"}, {"@ RRSIG SOA 13 1 60 20300101000000 20200101000000 1 example. BBBB"}, false},
    {"signatures of several TTLs, in any order",
     {"x 60 RRSIG A 13 1 60 20300101000000 20200101000000 1 example. AAAA", "x 30 RRSIG NS 13 1 30 20300101000000 20200101000000 1 example. AAAA"},
     {"x 30 RRSIG NS 13 1 30 20300101000000 20200101000000 1 Example. AAAA", "x 60 RRSIG A 13 1 60 20300101000000 20200101000000 1 example. AAAA"}, true},
    {"hashed names have their place",
     {"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr A"}, {"0p9mhaveqvm6t7vbl5lop2u3t2rp3tom A 192.0.2.1"}, false},
};

static void what_changes_a_digest(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t a[ZONE_DIGEST_MAX], b[ZONE_DIGEST_MAX];
        assert_int_equal(digest_of(cases[i].a, ZONE_DIGEST_SHA384, a), 48);
        assert_int_equal(digest_of(cases[i].b, ZONE_DIGEST_SHA384, b), 48);
        CHECK_EQUAL(cases[i].name, memcmp(a, b, 48) == 0, cases[i].same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_simple_example),
                                       cmocka_unit_test(what_changes_a_digest)};
    dns_sign_init(&d, 1);
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    dns_sign_done(&d);
    return result;
}
