/* SPDX-License-Identifier: ISC */
/* test_udp_header.c - RFC 768, and what Length may not say. */
#include "tests/support/check.h"

#include "wire/inet/udp_header.h"

static const struct {
    const char *name;
    uint8_t in[16];
    size_t len;
    enum wire_status want;
    size_t payload_len;
} cases[] = {
    {"empty payload", {0, 53, 4, 0, 0, 8, 0xab, 0xcd}, 8, WIRE_OK, 0},
    {"payload", {0, 53, 4, 0, 0, 10, 0xab, 0xcd, 'h', 'i'}, 10, WIRE_OK, 2},
    {"padding after Length is ignored", {0, 53, 4, 0, 0, 9, 0xab, 0xcd, 'h', 0, 0}, 11, WIRE_OK, 1},
    {"cut inside the header", {0, 53, 4, 0, 0, 8, 0}, 7, WIRE_TRUNCATED, 0},
    {"nothing", {0}, 0, WIRE_TRUNCATED, 0},
    {"Length beyond the datagram", {0, 53, 4, 0, 0, 11, 0, 0, 'h', 'i'}, 10, WIRE_TRUNCATED, 0},
    {"Length smaller than the header", {0, 53, 4, 0, 0, 7, 0, 0}, 8, WIRE_MALFORMED, 0},
    {"Length zero", {0, 53, 4, 0, 0, 0, 0, 0, 'h'}, 9, WIRE_MALFORMED, 0},
};

static void test_both_ways(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *name = cases[i].name;
        uint8_t *copy = exact_copy(cases[i].in, cases[i].len);
        struct udp_header header = {.source_port = 4711};
        CHECK_EQUAL(name, udp_decode(bytes_of(copy, cases[i].len), &header), cases[i].want);
        if (cases[i].want == WIRE_OK) {
            CHECK_EQUAL(name, header.source_port, 53);
            CHECK_EQUAL(name, header.target_port, 1024);
            CHECK_EQUAL(name, header.checksum, 0xabcd);
            CHECK_EQUAL(name, header.payload.len, cases[i].payload_len);
            uint8_t out[16];
            struct writer w = writer_of(out, sizeof out);
            udp_encode(&header, &w);
            CHECK(name, bytes_equal(writer_bytes(&w), bytes_of(copy, 8 + header.payload.len)));
        } else {
            CHECK_EQUAL(name, header.source_port, 4711);
        }
        free(copy);
    }
}

static void test_push_counts_the_slices(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct frame_pool *pool = frame_pool_new(&heap, 1 << 20);
    struct frame *frame = frame_new(pool, 0);
    struct frame *payload = frame_new(pool, 300);
    payload->len = 300;
    frame_add_slice(frame, payload, frame_bytes(payload));
    struct udp_header header = {.source_port = 1, .target_port = 2, .checksum = 3};
    udp_push(frame, &header);
    assert_int_equal(frame->len, 8);
    assert_memory_equal(frame->data, ((uint8_t[]){0, 1, 0, 2, 1, 52, 0, 3}), 8);
    frame_unref(frame);
    frame_unref(payload);
    frame_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_push_counts_the_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
