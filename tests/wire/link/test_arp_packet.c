/* SPDX-License-Identifier: ISC */
/* test_arp_packet.c - RFC 826 packets, and what RFC 5227 calls them. */
#include "tests/support/check.h"

#include "wire/link/arp_packet.h"

static const uint8_t request[ARP_LEN] = {
    0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 2, 1, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2,
};

static void test_request_both_ways(void **state UNUSED)
{
    uint8_t *copy = exact_copy(request, sizeof request);
    struct arp_packet packet;
    assert_int_equal(arp_decode(bytes_of(copy, sizeof request), &packet), WIRE_OK);
    assert_int_equal(packet.operation, ARP_REQUEST);
    assert_int_equal(packet.source_mac.octets[5], 1);
    assert_int_equal(packet.target_mac.octets[0], 0);
    assert_int_equal(address_v4_value(&packet.source), 0x0a000201);
    assert_int_equal(address_v4_value(&packet.target), 0x0a000202);
    assert_false(arp_is_probe(&packet));
    assert_false(arp_is_announcement(&packet));
    uint8_t out[ARP_LEN];
    struct writer w = writer_of(out, sizeof out);
    arp_encode(&packet, &w);
    assert_false(w.failed);
    assert_memory_equal(out, request, sizeof request);
    free(copy);
}

static void test_probe_and_announcement(void **state UNUSED)
{
    struct arp_packet packet = {.operation = ARP_REQUEST, .source = address_v4(0)};
    packet.target = address_v4(0x0a000202);
    assert_true(arp_is_probe(&packet));
    assert_false(arp_is_announcement(&packet));
    packet.source = packet.target;
    assert_false(arp_is_probe(&packet));
    assert_true(arp_is_announcement(&packet));
    packet.operation = ARP_REPLY;
    packet.source = address_v4(0);
    assert_false(arp_is_probe(&packet));
}

static void test_every_cut_is_truncated(void **state UNUSED)
{
    for (size_t len = 0; len < ARP_LEN; len++) {
        uint8_t *copy = exact_copy(request, len);
        struct arp_packet packet = {.operation = 4711};
        assert_int_equal(arp_decode(bytes_of(copy, len), &packet), WIRE_TRUNCATED);
        assert_int_equal(packet.operation, 4711);
        free(copy);
    }
}

static void test_other_kinds(void **state UNUSED)
{
    static const struct {
        const char *name;
        size_t at;
        uint8_t value;
        enum wire_status want;
    } cases[] = {
        {"hardware: IEEE 802", 1, 6, WIRE_UNSUPPORTED},
        {"protocol: not IPv4", 2, 9, WIRE_UNSUPPORTED},
        {"hardware length 8", 4, 8, WIRE_MALFORMED},
        {"protocol length 16", 5, 16, WIRE_MALFORMED},
        {"a reply", 7, 2, WIRE_OK},
        {"reverse ARP's operation is for the caller to ignore", 7, 3, WIRE_OK},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t octets[ARP_LEN + 18] = {0}; /* padded, as a small frame is */
        memcpy(octets, request, sizeof request);
        octets[cases[i].at] = cases[i].value;
        struct arp_packet packet;
        CHECK_EQUAL(cases[i].name, arp_decode(bytes_of(octets, sizeof octets), &packet),
                    cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_both_ways),
        cmocka_unit_test(test_probe_and_announcement),
        cmocka_unit_test(test_every_cut_is_truncated),
        cmocka_unit_test(test_other_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
