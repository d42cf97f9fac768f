/* SPDX-License-Identifier: ISC */
/* test_ethernet.c - the three framings and the tag, both ways. */
#include "tests/support/check.h"

#include "wire/link/ethernet.h"

#define ADDRESSES 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1

static const struct {
    const char *name;
    uint8_t in[32];
    size_t len;
    enum wire_status want;
    uint16_t type;
    uint8_t framing;
    uint8_t header_len;
    size_t payload_len;
    bool whole; /* nothing behind the payload: encodes to the same octets */
} cases[] = {
    {"Ethernet II", {ADDRESSES, 8, 0, 'a', 'b'}, 16, WIRE_OK, 0x0800, ETHERNET_II, 14, 2, true},
    {"no payload", {ADDRESSES, 8, 6}, 14, WIRE_OK, 0x0806, ETHERNET_II, 14, 0, true},
    {"the first EtherType", {ADDRESSES, 6, 0}, 14, WIRE_OK, 0x0600, ETHERNET_II, 14, 0, true},
    {"cut in the type", {ADDRESSES, 8}, 13, WIRE_TRUNCATED, 0, 0, 0, 0, false},
    {"cut in an address", {ADDRESSES}, 11, WIRE_TRUNCATED, 0, 0, 0, 0, false},
    {"nothing", {0}, 0, WIRE_TRUNCATED, 0, 0, 0, 0, false},
    {"tagged (802.1Q)",
     {ADDRESSES, 0x81, 0, 0xe0, 5, 8, 0, 'a'},
     19,
     WIRE_OK,
     0x0800,
     ETHERNET_II,
     18,
     1,
     true},
    {"a second tag is payload",
     {ADDRESSES, 0x81, 0, 0, 5, 0x81, 0, 0, 6, 8, 0},
     22,
     WIRE_OK,
     0x8100,
     ETHERNET_II,
     18,
     4,
     true},
    {"cut in the tag", {ADDRESSES, 0x81, 0, 0, 5, 8}, 17, WIRE_TRUNCATED, 0, 0, 0, 0, false},
    {"SNAP (RFC 1042)",
     {ADDRESSES, 0, 10, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0, 'a', 'b'},
     24,
     WIRE_OK,
     0x0800,
     ETHERNET_SNAP,
     22,
     2,
     true},
    {"padding behind a length is left out",
     {ADDRESSES, 0, 9, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0, 'a', 0},
     24,
     WIRE_OK,
     0x0800,
     ETHERNET_SNAP,
     22,
     1,
     false},
    {"tagged SNAP",
     {ADDRESSES, 0x81, 0, 0, 1, 0, 8, 0xaa, 0xaa, 3, 0, 0, 0, 8, 6},
     26,
     WIRE_OK,
     0x0806,
     ETHERNET_SNAP,
     26,
     0,
     true},
    {"SNAP of another organisation",
     {ADDRESSES, 0, 8, 0xaa, 0xaa, 3, 0, 0, 12, 1, 4},
     22,
     WIRE_OK,
     0,
     ETHERNET_LLC,
     14,
     8,
     true},
    {"SNAP without a type",
     {ADDRESSES, 0, 6, 0xaa, 0xaa, 3, 0, 0, 0},
     20,
     WIRE_OK,
     0,
     ETHERNET_LLC,
     14,
     6,
     true},
    {"LLC: spanning tree",
     {ADDRESSES, 0, 3, 0x42, 0x42, 3},
     17,
     WIRE_OK,
     0,
     ETHERNET_LLC,
     14,
     3,
     true},
    {"length beyond the frame",
     {ADDRESSES, 0, 4, 0x42, 0x42, 3},
     17,
     WIRE_TRUNCATED,
     0,
     0,
     0,
     0,
     false},
    {"neither length nor type", {ADDRESSES, 5, 0xdd, 1, 2}, 16, WIRE_MALFORMED, 0, 0, 0, 0, false},
    {"one below the types", {ADDRESSES, 5, 0xff, 1, 2}, 16, WIRE_MALFORMED, 0, 0, 0, 0, false},
};

static void check_pushed(const char *name, const struct ethernet_header *header, struct bytes want)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct frame_pool *pool = frame_pool_new(&heap, 1 << 20);
    struct frame *frame = frame_new(pool, 64);
    frame_append(frame, header->payload);
    ethernet_push(frame, header);
    CHECK(name, bytes_equal(frame_bytes(frame), want));
    frame_unref(frame);
    frame_pool_free(pool);
}

static void test_both_ways(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *name = cases[i].name;
        uint8_t *copy = exact_copy(cases[i].in, cases[i].len);
        struct bytes in = bytes_of(copy, cases[i].len);
        struct ethernet_header header = {.type = 4711};
        CHECK_EQUAL(name, ethernet_decode(in, &header), cases[i].want);
        if (cases[i].want != WIRE_OK) {
            CHECK_EQUAL(name, header.type, 4711);
        } else {
            CHECK_EQUAL(name, header.type, cases[i].type);
            CHECK_EQUAL(name, header.framing, cases[i].framing);
            CHECK_EQUAL(name, header.header_len, cases[i].header_len);
            CHECK_EQUAL(name, header.payload.len, cases[i].payload_len);
            CHECK_EQUAL(name, header.target.octets[0], 0xff);
            CHECK_EQUAL(name, header.source.octets[5], 1);
        }
        if (cases[i].whole) {
            uint8_t out[32];
            struct writer w = writer_of(out, cases[i].len);
            ethernet_encode(&header, &w);
            CHECK(name, !w.failed && bytes_equal(writer_bytes(&w), in));
            w = writer_of(out, cases[i].len - 1);
            ethernet_encode(&header, &w);
            CHECK(name, w.failed);
            check_pushed(name, &header, in);
        }
        free(copy);
    }
}

static void test_group_addresses(void **state UNUSED)
{
    struct ip_address group = address_v4(0xe18102fb); /* 225.129.2.251 */
    struct mac mac = ethernet_multicast(&group);
    assert_memory_equal(mac.octets, ((uint8_t[]){0x01, 0, 0x5e, 0x01, 0x02, 0xfb}), 6);
    assert_true(address_parse(bytes_of_text("ff02::1:ff28:9c5a"), &group));
    mac = ethernet_multicast(&group);
    assert_memory_equal(mac.octets, ((uint8_t[]){0x33, 0x33, 0xff, 0x28, 0x9c, 0x5a}), 6);
    mac = ethernet_broadcast();
    assert_memory_equal(mac.octets, ((uint8_t[]){0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_group_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
