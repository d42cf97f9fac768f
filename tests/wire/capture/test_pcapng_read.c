/* SPDX-License-Identifier: ISC */
/* test_pcapng_read.c - files of others: the other byte order, blocks that lie, options cut short.
 */
#include "tests/support/check.h"

#include "wire/capture/pcapng.h"

static const uint8_t big_section[] = {
    0x0a, 0x0d, 0x0d, 0x0a, 0,    0,    0,    28,   0x1a, 0x2b, 0x3c, 0x4d, 0, 1,
    0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,    0,    0, 28,
};
static const uint8_t little_section[] = {
    0x0a, 0x0d, 0x0d, 0x0a, 28,   0,    0,    0,    0x4d, 0x3c, 0x2b, 0x1a, 1, 0,
    0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28,   0,    0, 0,
};
static const uint8_t little_interface[] = {
    1,  0, 0, 0, 28, 0, 0, 0, 101, 0, 0, 0, 0, 0, 4, 0, /* raw IP, 262144 octets */
    9,  0, 1, 0, 9,  0, 0, 0,                           /* nanoseconds; no end of options */
    28, 0, 0, 0,
};
static const uint8_t little_packet[] = {
    6, 0, 0, 0, 48, 0, 0, 0, 1,   0,   0, 0, 4, 3, 2, 1, 8, 7, 6, 5, /* interface 1, timestamp */
    2, 0, 0, 0, 60, 0, 0, 0, 'h', 'i', 0, 0, 2, 0, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0,
};
static const uint8_t little_statistics[] = {
    5, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2,  0, 0, 0,
    5, 0, 8, 0, 8,  7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 40, 0, 0, 0,
};
static const uint8_t simple_packet[] = {
    0, 0, 0, 3, 0, 0, 0, 20, 0, 0, 0, 2, 'o', 'k', 0, 0, 0, 0, 0, 20,
};

/* A file of a section header and a block; free() it. */
static uint8_t *file_of(const uint8_t section[28], const uint8_t *block, size_t len)
{
    uint8_t *file = malloc(28 + len);
    memcpy(file, section, 28);
    if (len > 0)
        memcpy(file + 28, block, len);
    return file;
}

static enum wire_status second_block(const uint8_t *file, size_t len, struct pcapng_block *out)
{
    struct pcapng_reader reader = pcapng_reader_of(bytes_of(file, len));
    assert_int_equal(pcapng_next(&reader, out), WIRE_OK);
    struct pcapng_reader before = reader;
    enum wire_status status = pcapng_next(&reader, out);
    if (status != WIRE_OK)
        assert_memory_equal(&before, &reader, sizeof reader);
    else
        assert_int_equal(reader.rest.len, 0);
    return status;
}

static void test_little_endian(void **state UNUSED)
{
    struct pcapng_block block;
    uint8_t *file = file_of(little_section, little_interface, sizeof little_interface);
    assert_int_equal(second_block(file, 28 + sizeof little_interface, &block), WIRE_OK);
    assert_int_equal(block.u.interface.link_type, PCAPNG_RAW_IP);
    assert_int_equal(block.u.interface.snap_len, 262144);
    assert_int_equal(block.u.interface.resolution, 9);
    assert_false(block.u.interface.has_mac);
    free(file);
    file = file_of(little_section, little_packet, sizeof little_packet);
    assert_int_equal(second_block(file, 28 + sizeof little_packet, &block), WIRE_OK);
    assert_int_equal(block.u.packet.interface, 1);
    assert_true(block.u.packet.timestamp == 0x0102030405060708);
    assert_int_equal(block.u.packet.original_len, 60);
    assert_int_equal(block.u.packet.direction, PCAPNG_INBOUND);
    assert_true(bytes_equal(block.u.packet.captured, bytes_of_text("hi")));
    free(file);
    file = file_of(little_section, little_statistics, sizeof little_statistics);
    assert_int_equal(second_block(file, 28 + sizeof little_statistics, &block), WIRE_OK);
    assert_true(block.u.statistics.timestamp == 0x0000000100000002);
    assert_true(block.u.statistics.has_dropped && !block.u.statistics.has_received);
    assert_true(block.u.statistics.dropped == 0x0102030405060708);
    free(file);
}

static void test_a_section_in_the_other_order_may_follow(void **state UNUSED)
{
    uint8_t *file = file_of(little_section, big_section, sizeof big_section);
    struct pcapng_reader reader = pcapng_reader_of(bytes_of(file, 56));
    struct pcapng_block block;
    assert_int_equal(pcapng_next(&reader, &block), WIRE_OK);
    assert_true(reader.little_endian);
    assert_int_equal(pcapng_next(&reader, &block), WIRE_OK);
    assert_false(reader.little_endian);
    free(file);
}

static void test_simple_and_unknown_blocks(void **state UNUSED)
{
    struct pcapng_block block;
    uint8_t *file = file_of(big_section, simple_packet, sizeof simple_packet);
    assert_int_equal(second_block(file, 28 + sizeof simple_packet, &block), WIRE_OK);
    assert_true(bytes_equal(block.u.packet.captured, bytes_of_text("ok")));
    file[28 + 2] = 1;
    assert_int_equal(second_block(file, 28 + sizeof simple_packet, &block), WIRE_OK);
    assert_int_equal(block.type, 0x103);
    assert_int_equal(block.u.body.len, 8);
    free(file);
}

static void test_lies(void **state UNUSED)
{
    static const struct {
        const char *name;
        size_t at;
        uint8_t value;
        enum wire_status want;
    } cases[] = {
        {"length not of whole words", 28 + 4, 49, WIRE_MALFORMED},
        {"length below the least", 28 + 4, 8, WIRE_MALFORMED},
        {"length zero", 28 + 4, 0, WIRE_MALFORMED},
        {"length beyond the file", 28 + 4, 52, WIRE_TRUNCATED},
        {"length beyond by far", 28 + 7, 0xff, WIRE_TRUNCATED},
        {"the lengths differ", 28 + 44, 44, WIRE_MALFORMED},
        {"captured beyond the block", 28 + 20, 200, WIRE_MALFORMED},
        {"captured of 4 GiB", 28 + 23, 0xff, WIRE_MALFORMED},
        {"option beyond the block", 28 + 34, 40, WIRE_MALFORMED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t *file = file_of(little_section, little_packet, sizeof little_packet);
        struct pcapng_block block;
        file[cases[i].at] = cases[i].value;
        CHECK_EQUAL(cases[i].name, second_block(file, 28 + sizeof little_packet, &block),
                    cases[i].want);
        free(file);
    }
}

static void test_sections_that_are_none(void **state UNUSED)
{
    struct pcapng_block block;
    uint8_t octets[28];
    for (size_t len = 0; len < 28; len++) {
        uint8_t *copy = exact_copy(big_section, len);
        struct pcapng_reader reader = pcapng_reader_of(bytes_of(copy, len));
        assert_int_equal(pcapng_next(&reader, &block), WIRE_TRUNCATED);
        free(copy);
    }
    memcpy(octets, big_section, 28);
    octets[8] = 0;
    struct pcapng_reader reader = pcapng_reader_of(bytes_of(octets, 28));
    assert_int_equal(pcapng_next(&reader, &block), WIRE_MALFORMED);
    memcpy(octets, big_section, 28);
    octets[13] = 2; /* major version */
    reader = pcapng_reader_of(bytes_of(octets, 28));
    assert_int_equal(pcapng_next(&reader, &block), WIRE_UNSUPPORTED);
    reader = pcapng_reader_of(bytes_of(simple_packet, sizeof simple_packet));
    assert_int_equal(pcapng_next(&reader, &block), WIRE_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_little_endian),
        cmocka_unit_test(test_a_section_in_the_other_order_may_follow),
        cmocka_unit_test(test_simple_and_unknown_blocks),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_sections_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
