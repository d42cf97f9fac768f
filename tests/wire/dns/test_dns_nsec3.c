/* SPDX-License-Identifier: ISC */
/* test_dns_nsec3.c - hashed owner names, with the hashes of RFC 5155 appendix A. */
#include "wire/dns/dns_nsec3.h"

#include "os/digest.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

static const struct {
    const char *name;
    const char *want;
} hashes[] = {
    {"example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"},
    {"a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl"},
    {"ai.example", "gjeqe526plbf1g8mklp59enfd789njgi"},
    {"ns1.example", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"},
    {"ns2.example", "q04jkcevqvmu85r014c7dkba38o0ji5r"},
    {"w.example", "k8udemvp1j2f7eg6jebps17vp3n8i58h"},
    {"*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"},
    {"x.w.example", "b4um86eghhds6nea196smvmlo4ors995"},
    {"y.w.example", "ji6neoaepv8b5o6k4ev33abha8ht9fgc"},
    {"x.y.w.example", "2vptu5timamqttgl4luu9kg21e0aor3s"},
    {"xx.example", "t644ebqk9bibcna874givr6joj62mlhv"},
};

static void hashes_names(void **state UNUSED)
{
    struct dns_sha1 sha1 = {digest_sha1, digest_sha1_new()};
    struct dns_nsec3 how;
    assert_true(dns_nsec3_decode(bytes_of("\1\0\0\14\4\252\273\314\335", 9), &how));
    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        struct dns_name name = dns_text_name(hashes[i].name);
        uint8_t hash[DNS_NSEC3_HASH_LEN];
        char label[DNS_NSEC3_LABEL_LEN + 1] = "";
        dns_nsec3_hash(&sha1, &how, dns_name_bytes(&name), hash);
        dns_nsec3_label(hash, (uint8_t *)label);
        assert_string_equal(label, hashes[i].want);
    }
    digest_free(sha1.self);
}

static const struct {
    const char *name;
    const char *rdata;
    size_t len;
    bool ok;
    size_t salt_len;
    size_t next_len;
} records[] = {
    {"NSEC3PARAM", "\1\0\0\14\4\252\273\314\335", 9, true, 4, 0},
    {"NSEC3PARAM without salt", "\1\0\0\0\0", 5, true, 0, 0},
    {"NSEC3", "\1\1\0\1\0\2ab\0\1\100", 11, true, 0, 2},
    {"a salt that is cut", "\1\0\0\14\4\252\273\314", 8, false, 0, 0},
    {"no salt length", "\1\0\0\14", 4, false, 0, 0},
    {"a hash that is cut", "\1\1\0\1\0\2a", 7, false, 0, 0},
};

static void decodes(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(records); i++) {
        uint8_t *copy = exact_copy(records[i].rdata, records[i].len);
        struct dns_nsec3 nsec3;
        bool ok = dns_nsec3_decode(bytes_of(copy, records[i].len), &nsec3);
        CHECK_EQUAL(records[i].name, ok, records[i].ok);
        if (ok) {
            CHECK_EQUAL(records[i].name, nsec3.salt.len, records[i].salt_len);
            CHECK_EQUAL(records[i].name, nsec3.next.len, records[i].next_len);
            CHECK(records[i].name, dns_nsec3_same(&nsec3, &nsec3));
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_names),
        cmocka_unit_test(decodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
