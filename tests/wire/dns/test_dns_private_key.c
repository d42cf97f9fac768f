/* SPDX-License-Identifier: ISC */
/* test_dns_private_key.c - files of private keys as BIND and ldns write them, and broken ones. */
#include "tests/support/check.h"
#include "wire/dns/dns_private_key.h"

static const char of_bind[] = "Private-key-format: v1.3\n"
                              "Algorithm: 13 (ECDSAP256SHA256)\n"
                              "PrivateKey: ZEU6Rzqv50H7gBkgQKvG8Cjlw7+DnqXVb5vExd7CVTc=\n"
                              "Created: 20261121181137\n"
                              "Publish: 20261121181138\n"
                              "Activate: 20261121181139\n"
                              "SyncPublish: 20261122181139\n"
                              "Predecessor: 4711\n"
                              "MaxTTL: 3600\n";

static bool decode(const char *text, uint8_t *room, size_t size, struct dns_private_key *out,
                   const char **error)
{
    uint8_t *copy = exact_copy(text, strlen(text));
    struct writer w = writer_of(room, size);
    bool good = dns_private_key_decode(bytes_of(copy, strlen(text)), &w, out, error);
    free(copy);
    return good;
}

static void a_file_is_read_and_written_as_it_was(void **state UNUSED)
{
    uint8_t room[DNS_PRIVATE_KEY_PARTS_LEN_MAX];
    struct dns_private_key key;
    const char *error;
    char text[DNS_PRIVATE_KEY_TEXT_MAX];
    struct text t = text_of(text, sizeof text);
    assert_true(decode(of_bind, room, sizeof room, &key, &error));
    assert_int_equal(key.algorithm, 13);
    assert_int_equal(key.parts[DNS_KEY_PRIVATE].len, 32);
    assert_int_equal(key.parts[DNS_KEY_PRIVATE].data[0], 0x64);
    assert_int_equal(key.parts[DNS_KEY_MODULUS].len, 0);
    assert_int_equal(key.times[DNS_KEY_CREATED], 1795284697);
    assert_int_equal(key.times[DNS_KEY_PUBLISH], 1795284698);
    assert_int_equal(key.times[DNS_KEY_INACTIVE], 0);
    assert_true(key.has_predecessor);
    assert_false(key.has_successor);
    assert_int_equal(key.predecessor, 4711);
    dns_private_key_format(&key, &t);
    assert_string_equal(text, of_bind);
}

#define RSA \
    "Modulus: AQID\nPublicExponent: AQAB\nPrivateExponent: AQID\nPrime1: AQI=\nPrime2: AQM=\n" \
    "Exponent1: AQ==\nExponent2: Ag==\n"

static const struct {
    const char *name;
    const char *text;
    const char *error; /* NULL: it is right */
} cases[] = {
    {"ldns leaves the times out", "Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\nPrivateKey: AAAA\n", NULL},
    {"lines end as they like", "Private-key-format: v1.3\r\nAlgorithm: 15\r\nPrivateKey: AAAA", NULL},
    {"lines from later versions", "Private-key-format: v1.9\nAlgorithm: 15\nMoon: full\nPrivateKey: AAAA\n", NULL},
    {"RSA", "Private-key-format: v1.3\nAlgorithm: 8 (RSASHA256)\n" RSA "Coefficient: Aw==\n", NULL},
    {"RSA without its last part", "Private-key-format: v1.3\nAlgorithm: 8\n" RSA, "parts of the key are missing"},
    {"nothing", "", "expected \"Private-key-format: v1.3\""},
    {"something else", "example. IN DNSKEY 257 3 13 AAAA\n", "expected \"Private-key-format: v1.3\""},
    {"another major version", "Private-key-format: v2.0\n", "expected \"Private-key-format: v1.3\""},
    {"no version", "Private-key-format: 1\n", "expected \"Private-key-format: v1.3\""},
    {"no algorithm", "Private-key-format: v1.3\nPrivateKey: AAAA\n", "no algorithm"},
    {"algorithm 0", "Private-key-format: v1.3\nAlgorithm: 0\n", "not the number of an algorithm"},
    {"algorithm 256", "Private-key-format: v1.3\nAlgorithm: 256\n", "not the number of an algorithm"},
    {"an algorithm by name", "Private-key-format: v1.3\nAlgorithm: ED25519\n", "not the number of an algorithm"},
    {"no key", "Private-key-format: v1.3\nAlgorithm: 13\n", "parts of the key are missing"},
    {"an empty key", "Private-key-format: v1.3\nAlgorithm: 13\nPrivateKey:\n", "a part that is not base64"},
    {"a key twice", "Private-key-format: v1.3\nAlgorithm: 13\nPrivateKey: AAAA\nPrivateKey: AAAA\n", "a part that is not base64"},
    {"half of base64", "Private-key-format: v1.3\nAlgorithm: 13\nPrivateKey: AAA\n", "a part that is not base64"},
    {"no day", "Private-key-format: v1.3\nAlgorithm: 13\nPrivateKey: AAAA\nPublish: 20260231000000\n", "a time that is not YYYYMMDDHHmmSS"},
    {"no tag", "Private-key-format: v1.3\nAlgorithm: 13\nPrivateKey: AAAA\nSuccessor: 65536\n", "a number that is none"},
};

static void files_are_right_or_refused_with_the_reason(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t room[DNS_PRIVATE_KEY_PARTS_LEN_MAX];
        struct dns_private_key key = {.algorithm = 77};
        const char *error = NULL;
        bool good = decode(cases[i].text, room, sizeof room, &key, &error);
        CHECK_EQUAL(cases[i].name, good, cases[i].error == NULL);
        if (!good) {
            assert_string_equal(error, cases[i].error);
            assert_int_equal(key.algorithm, 77);
        }
    }
}

static void parts_that_do_not_fit_are_refused(void **state UNUSED)
{
    struct dns_private_key key;
    const char *error;
    uint8_t room[8];
    assert_false(decode(of_bind, room, sizeof room, &key, &error));
    assert_string_equal(error, "a part that is not base64");
}

static void algorithms_have_names(void **state UNUSED)
{
    uint8_t number = 0;
    assert_string_equal(dns_algorithm_name(13), "ECDSAP256SHA256");
    assert_null(dns_algorithm_name(5));
    assert_true(dns_algorithm_parse(bytes_of_text("ed25519"), &number));
    assert_int_equal(number, 15);
    assert_true(dns_algorithm_parse(bytes_of_text("8"), &number));
    assert_int_equal(number, 8);
    assert_false(dns_algorithm_parse(bytes_of_text("7"), &number));
    assert_false(dns_algorithm_parse(bytes_of_text("RSA"), &number));
    assert_string_equal(dns_key_time_name(DNS_KEY_SYNC_DELETE), "SyncDelete");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_and_written_as_it_was),
        cmocka_unit_test(files_are_right_or_refused_with_the_reason),
        cmocka_unit_test(parts_that_do_not_fit_are_refused),
        cmocka_unit_test(algorithms_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
