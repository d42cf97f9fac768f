/* SPDX-License-Identifier: ISC */
/* test_hmac.c - HMAC against the vectors of RFC 2202 and RFC 4231. */
#include "os/hmac.h"

#include "base/encoding.h"
#include "tests/support/check.h"

static void the_vectors_of_the_rfcs(void **state UNUSED)
{
    static const struct {
        const char *name;
        unsigned sha;
        const char *secret, *first, *second, *want;
    } cases[] = {
        {"RFC 2202 §3, case 2", 1, "Jefe", "what do ya want ", "for nothing?",
         "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
        {"RFC 4231 §4.3, SHA-224", 224, "Jefe", "what do ya want for nothing?", "",
         "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"},
        {"RFC 4231 §4.3, SHA-256", 256, "Jefe", "what do ", "ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"RFC 4231 §4.3, SHA-384", 384, "Jefe", "", "what do ya want for nothing?",
         "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ec"
         "fab21649"},
        {"RFC 4231 §4.3, SHA-512", 512, "Jefe", "what do ya want for nothing", "?",
         "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65"
         "f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
    };
    struct hmac *hmac = hmac_new();
    assert_non_null(hmac);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t value[HMAC_MAX];
        char hex[2 * HMAC_MAX + 1];
        struct text text = text_of(hex, sizeof hex);
        void *running = hmac_start(hmac, cases[i].sha, bytes_of_text(cases[i].secret));
        CHECK(cases[i].name, running != NULL);
        hmac_add(running, bytes_of_text(cases[i].first));
        hmac_add(running, bytes_of_text(cases[i].second));
        size_t len = hmac_end(running, value);
        encoding_format(ENCODING_BASE16, bytes_of(value, len), &text);
        assert_string_equal(hex, cases[i].want);
    }
    assert_null(hmac_start(hmac, 2, bytes_of_text("Jefe")));
    hmac_free(hmac);
    hmac_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_vectors_of_the_rfcs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
