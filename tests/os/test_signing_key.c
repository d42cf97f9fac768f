/* SPDX-License-Identifier: ISC */
/* test_signing_key.c - keys that are made, taken apart, put together again, and sign what signature.h
 * believes. */
#include <errno.h>

#include "os/signature.h"
#include "os/signing_key.h"
#include "tests/support/check.h"

static const struct {
    const char *name;
    uint8_t algorithm;
    unsigned bits;
    size_t public_len;
    size_t signature_len;
} cases[] = {
    {"RSA/SHA-256, 2048 bits", 8, 0, 260, 256},
    {"RSA/SHA-256, 1024 bits", 8, 1024, 132, 128},
    {"RSA/SHA-512", 10, 2048, 260, 256},
    {"ECDSA P-256", 13, 0, 64, 64},
    {"ECDSA P-384", 14, 0, 96, 96},
    {"Ed25519", 15, 0, 32, 64},
    {"Ed448", 16, 0, 57, 114},
};

struct octets {
    uint8_t data[SIGNING_KEY_PUBLIC_MAX];
    size_t len;
};

static struct octets public_of(const struct signing_key *key)
{
    struct octets out;
    struct writer w = writer_of(out.data, sizeof out.data);
    signing_key_public(key, &w);
    assert_false(w.failed);
    out.len = writer_len(&w);
    return out;
}

static void check_signatures(const char *name, struct signing_key *signer, struct octets public,
                             size_t want_len)
{
    struct bytes key = bytes_of(public.data, public.len);
    uint8_t algorithm = signing_key_algorithm(signer);
    for (unsigned round = 0; round < 20; round++) {
        char data[40];
        uint8_t signature[SIGNING_KEY_SIGNATURE_MAX];
        snprintf(data, sizeof data, "what is signed, round %u", round);
        size_t len = signing_key_sign(signer, bytes_of_text(data), signature);
        CHECK_EQUAL(name, len, want_len);
        CHECK_EQUAL(name, signature_verify(algorithm, key, bytes_of_text(data),
                                           bytes_of(signature, len)),
                    SIGNATURE_RIGHT);
        CHECK_EQUAL(name, signature_verify(algorithm, key, bytes_of_text("something else"),
                                           bytes_of(signature, len)),
                    SIGNATURE_WRONG);
    }
}

static void keys_sign_and_come_back_from_their_parts(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct signing_key *key, *again;
        static uint8_t room[SIGNING_KEY_PARTS_LEN_MAX];
        struct writer w = writer_of(room, sizeof room);
        struct bytes parts[SIGNING_KEY_PART_COUNT];
        assert_int_equal(signing_key_new(cases[i].algorithm, cases[i].bits, &key), 0);
        struct octets public = public_of(key);
        CHECK_EQUAL(cases[i].name, public.len, cases[i].public_len);
        check_signatures(cases[i].name, key, public, cases[i].signature_len);
        assert_int_equal(signing_key_parts(key, &w, parts), 0);
        assert_int_equal(signing_key_from_parts(cases[i].algorithm, parts, &again), 0);
        struct octets same = public_of(again);
        CHECK(cases[i].name, same.len == public.len &&
                                 memcmp(same.data, public.data, same.len) == 0);
        check_signatures(cases[i].name, again, public, cases[i].signature_len);
        signing_key_free(again);
        signing_key_free(key);
    }
    signing_key_free(NULL);
}

static void no_two_keys_are_alike(void **state UNUSED)
{
    struct signing_key *a, *b;
    assert_int_equal(signing_key_new(13, 0, &a), 0);
    assert_int_equal(signing_key_new(13, 0, &b), 0);
    assert_memory_not_equal(public_of(a).data, public_of(b).data, 64);
    signing_key_free(a);
    signing_key_free(b);
}

static void what_is_no_key_is_refused(void **state UNUSED)
{
    static uint8_t zeros[512], ones[512], room[SIGNING_KEY_PARTS_LEN_MAX];
    struct signing_key *key;
    struct bytes parts[SIGNING_KEY_PART_COUNT];
    memset(ones, 0xff, sizeof ones);
    assert_int_equal(signing_key_new(5, 0, &key), -ENOTSUP);
    assert_int_equal(signing_key_new(7, 0, &key), -ENOTSUP);
    assert_int_equal(signing_key_new(12, 0, &key), -ENOTSUP);
    assert_int_equal(signing_key_new(255, 0, &key), -ENOTSUP);
    assert_int_equal(signing_key_new(8, 512, &key), -EINVAL);
    assert_int_equal(signing_key_new(8, 8192, &key), -EINVAL);
    static const uint8_t algorithms[] = {8, 10, 13, 14, 15, 16};
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
        for (size_t len = 0; len <= sizeof ones; len += 1 + len / 3) {
            for (size_t j = 0; j < SIGNING_KEY_PART_COUNT; j++)
                parts[j] = bytes_of(ones, len);
            size_t order = algorithms[i] == 13 ? 32 : algorithms[i] == 14 ? 48 : 0;
            bool any = (algorithms[i] == 15 && len == 32) || (algorithms[i] == 16 && len == 57) ||
                       (len > 0 && len < order);
            if (!any) /* of an Edwards curve any octets are a key, of the others any number below */
                assert_int_equal(signing_key_from_parts(algorithms[i], parts, &key), -EINVAL);
        }
    for (size_t j = 0; j < SIGNING_KEY_PART_COUNT; j++)
        parts[j] = bytes_of(zeros, 32);
    assert_int_equal(signing_key_from_parts(13, parts, &key), -EINVAL); /* zero is out of range */

    /* The halves of an RSA key that do not belong together. */
    struct signing_key *one, *two;
    struct bytes others[SIGNING_KEY_PART_COUNT];
    struct writer w = writer_of(room, sizeof room);
    assert_int_equal(signing_key_new(8, 1024, &one), 0);
    assert_int_equal(signing_key_new(8, 1024, &two), 0);
    assert_int_equal(signing_key_parts(one, &w, parts), 0);
    assert_int_equal(signing_key_parts(two, &w, others), 0);
    parts[SIGNING_KEY_MODULUS] = others[SIGNING_KEY_MODULUS];
    assert_int_equal(signing_key_from_parts(8, parts, &key), -EINVAL);
    signing_key_free(one);
    signing_key_free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_sign_and_come_back_from_their_parts),
        cmocka_unit_test(no_two_keys_are_alike),
        cmocka_unit_test(what_is_no_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
