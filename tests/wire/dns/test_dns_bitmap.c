/* SPDX-License-Identifier: ISC */
/* test_dns_bitmap.c - types in, types out (RFC 4034 §4.1.2, and the example of §4.3). */
#include "tests/support/check.h"
#include "wire/dns/dns_bitmap.h"
#include "wire/dns/dns_record.h"

static void the_example_of_the_rfc(void **state UNUSED)
{
    static const uint16_t types[] = {DNS_A, DNS_MX, DNS_RRSIG, DNS_NSEC, 1234};
    static const uint8_t want[] = {0, 6, 0x40, 1, 0, 0, 0, 3, 4, 27, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                   0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20};
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof out);
    dns_bitmap_write(&w, types, ARRAY_LEN(types));
    assert_int_equal(writer_len(&w), sizeof want);
    assert_memory_equal(out, want, sizeof want);
}

static void has_what_was_written_and_nothing_else(void **state UNUSED)
{
    static const uint16_t types[] = {1, 255, 256, 511, 512, 65535};
    uint8_t out[DNS_BITMAP_MAX];
    struct writer w = writer_of(out, sizeof out);
    dns_bitmap_write(&w, types, ARRAY_LEN(types));
    uint8_t *copy = exact_copy(out, writer_len(&w));
    struct bytes bitmap = bytes_of(copy, writer_len(&w));
    size_t next = 0;
    for (uint32_t type = 0; type < 65536; type++) {
        bool want = next < ARRAY_LEN(types) && types[next] == type;
        next += want;
        assert_int_equal(dns_bitmap_has(bitmap, (uint16_t)type), want);
    }
    free(copy);
    assert_false(dns_bitmap_has(bytes_empty(), 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc),
        cmocka_unit_test(has_what_was_written_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
