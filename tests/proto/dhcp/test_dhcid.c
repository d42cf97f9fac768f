/* SPDX-License-Identifier: ISC */
/* test_dhcid.c - the examples of RFC 4701 §3.6. */
#include "proto/dhcp/dhcid.h"

#include "base/encoding.h"
#include "os/digest.h"
#include "tests/support/check.h"
#include "tests/support/dns_text.h"

static const struct {
    const char *name;
    const char *id;
    size_t id_len;
    const char *owner;
    const char *want; /* RDATA in base64 */
} cases[] = {
    /* §3.6.1, with the DUID in a client identifier as RFC 4361 has it */
    {"a DUID", "\377\0\0\0\1\0\1\0\6\x41\x2d\xf1\x66\1\2\3\4\5\6", 19, "chi6.example.com",
     "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="},
    {"a client identifier", "\1\7\x08\x09\x0a\x0b\x0c", 7, "chi.Example.com",
     "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No="},
    {"an address", "", 0, "client.example.com", "AAABxLmlskllE0MVjd57zHcWmEH3pCQ6VytcKD//7es/deY="},
};

static void clients_are_known_by_their_digest(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t octets[DHCID_INPUT_MAX];
        uint8_t digest[DIGEST_AT_ONCE_MAX];
        uint8_t rdata[DHCID_LEN];
        uint8_t want[64];
        struct writer w = writer_of(octets, sizeof octets);
        struct writer wanted = writer_of(want, sizeof want);
        struct dns_name owner = dns_text_name(cases[i].owner);
        struct dhcid_client client = {bytes_of(cases[i].id, cases[i].id_len), {{1, 2, 3, 4, 5, 6}}};
        enum dhcid_kind kind = dhcid_input(&client, &owner, &w);
        assert_false(w.failed);
        assert_int_equal(digest_at_once(DIGEST_SHA256, writer_bytes(&w), digest), DHCID_DIGEST_LEN);
        dhcid_rdata(kind, digest, rdata);
        assert_true(encoding_decode(ENCODING_BASE64, bytes_of_text(cases[i].want), &wanted));
        CHECK(cases[i].name, bytes_equal(bytes_of(rdata, sizeof rdata), writer_bytes(&wanted)));
    }
}

static void the_longest_fit(void **state UNUSED)
{
    uint8_t octets[DHCID_INPUT_MAX];
    uint8_t id[255] = {0};
    struct writer w = writer_of(octets, sizeof octets);
    struct dns_name owner = {.len = DNS_NAME_MAX};
    memset(owner.octets, 1, DNS_NAME_MAX - 1);
    owner.octets[DNS_NAME_MAX - 1] = 0;
    struct dhcid_client client = {bytes_of(id, sizeof id), {{0}}};
    assert_int_equal(dhcid_input(&client, &owner, &w), DHCID_CLIENT_ID);
    assert_false(w.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_are_known_by_their_digest),
        cmocka_unit_test(the_longest_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
