/* SPDX-License-Identifier: ISC */
/* test_pcapng.c - blocks as they are written, octet for octet, and read back. */
#include "tests/support/check.h"

#include "wire/capture/pcapng.h"

static void test_a_packet_octet_for_octet(void **state UNUSED)
{
    static const uint8_t want[] = {
        0,   0,   0,   6,   0,   0,   0, 60, /* enhanced packet block of 60 octets */
        0,   0,   0,   3,                    /* interface */
        0,   1,   2,   3,   4,   5,   6, 7,  /* timestamp */
        0,   0,   0,   5,   0,   0,   0, 9,  /* captured, original */
        'h', 'e', 'l', 'l', 'o', 0,   0, 0,  /* padded */
        0,   1,   0,   2,   'h', 'i', 0, 0,  /* opt_comment */
        0,   2,   0,   4,   0,   0,   0, 2,  /* epb_flags: outbound */
        0,   0,   0,   0,                    /* opt_endofopt */
        0,   0,   0,   60,
    };
    struct pcapng_packet packet = {
        .interface = 3,
        .timestamp = 0x0001020304050607,
        .original_len = 9,
        .direction = PCAPNG_OUTBOUND,
        .captured = bytes_of_text("hello"),
        .comment = bytes_of_text("hi"),
    };
    uint8_t *out = malloc(sizeof want + 4);
    for (size_t size = 0; size <= sizeof want + 4; size++) {
        struct writer w = writer_of(out, size);
        pcapng_write_packet(&w, &packet);
        assert_int_equal(w.failed, size < sizeof want);
        if (!w.failed)
            assert_true(bytes_equal(writer_bytes(&w), bytes_of(want, sizeof want)));
    }
    free(out);
}

static void test_a_plain_packet_has_no_options(void **state UNUSED)
{
    struct pcapng_packet packet = {
        .captured = bytes_of_text("four"), .original_len = 4, .comment = bytes_empty()};
    uint8_t out[64];
    struct writer w = writer_of(out, sizeof out);
    pcapng_write_packet(&w, &packet);
    assert_int_equal(writer_len(&w), 36);
    assert_int_equal(out[7], 36);
    assert_int_equal(out[35], 36);
}

static void test_a_whole_file_reads_back(void **state UNUSED)
{
    uint8_t out[1024];
    struct writer w = writer_of(out, sizeof out);
    struct pcapng_section section = {bytes_of_text("EPYC"), bytes_of_text("Linux"),
                                     bytes_of_text("wholenet"), bytes_of_text("run 1")};
    struct pcapng_interface interface = {
        .link_type = PCAPNG_ETHERNET,
        .snap_len = 65535,
        .name = bytes_of_text("lan"),
        .description = bytes_of_text("the gateway's side"),
        .has_mac = true,
        .mac = {{2, 0, 0, 0, 0, 1}},
    };
    struct pcapng_packet packet = {
        .timestamp = 1700000000123456,
        .original_len = 1514,
        .direction = PCAPNG_INBOUND,
        .captured = bytes_of_text("octets"),
        .comment = bytes_of_text("lost by the wire"),
    };
    struct pcapng_statistics statistics = {
        .timestamp = 1700000001000000, .has_received = true, .received = 1ull << 40};
    pcapng_write_section(&w, &section);
    pcapng_write_interface(&w, &interface);
    pcapng_write_packet(&w, &packet);
    pcapng_write_statistics(&w, &statistics);
    assert_false(w.failed);

    struct pcapng_reader reader = pcapng_reader_of(writer_bytes(&w));
    struct pcapng_block block;
    assert_int_equal(pcapng_next(&reader, &block), WIRE_OK);
    assert_true(block.type == PCAPNG_SECTION);
    assert_true(bytes_equal(block.u.section.hardware, section.hardware));
    assert_true(bytes_equal(block.u.section.os, section.os));
    assert_true(bytes_equal(block.u.section.application, section.application));
    assert_true(bytes_equal(block.u.section.comment, section.comment));
    assert_int_equal(pcapng_next(&reader, &block), WIRE_OK);
    assert_true(block.type == PCAPNG_INTERFACE);
    assert_int_equal(block.u.interface.link_type, PCAPNG_ETHERNET);
    assert_int_equal(block.u.interface.snap_len, 65535);
    assert_int_equal(block.u.interface.resolution, 6);
    assert_true(bytes_equal(block.u.interface.name, interface.name));
    assert_true(bytes_equal(block.u.interface.description, interface.description));
    assert_true(block.u.interface.has_mac && mac_equal(&block.u.interface.mac, &interface.mac));
    assert_int_equal(pcapng_next(&reader, &block), WIRE_OK);
    assert_true(block.type == PCAPNG_PACKET);
    assert_true(block.u.packet.timestamp == packet.timestamp);
    assert_int_equal(block.u.packet.original_len, 1514);
    assert_int_equal(block.u.packet.direction, PCAPNG_INBOUND);
    assert_true(bytes_equal(block.u.packet.captured, packet.captured));
    assert_true(bytes_equal(block.u.packet.comment, packet.comment));
    assert_int_equal(pcapng_next(&reader, &block), WIRE_OK);
    assert_true(block.type == PCAPNG_STATISTICS);
    assert_true(block.u.statistics.has_received && !block.u.statistics.has_dropped);
    assert_true(block.u.statistics.received == 1ull << 40);
    assert_true(block.u.statistics.timestamp == statistics.timestamp);
    assert_int_equal(reader.rest.len, 0);
    assert_int_equal(pcapng_next(&reader, &block), WIRE_TRUNCATED);
}

static void test_a_frame_with_slices(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct frame_pool *pool = frame_pool_new(&heap, 1 << 20);
    struct frame *frame = frame_new(pool, 10);
    struct frame *tail = frame_new(pool, 10);
    frame_append(frame, bytes_of_text("head "));
    frame_append(tail, bytes_of_text("tail"));
    frame_add_slice(frame, tail, frame_bytes(tail));
    static const size_t snaps[] = {0, 3, 7, 9, 100};
    for (size_t i = 0; i < ARRAY_LEN(snaps); i++) {
        size_t captured = snaps[i] == 0 || snaps[i] > 9 ? 9 : snaps[i];
        struct pcapng_packet meta = {.timestamp = 5, .comment = bytes_empty()};
        struct pcapng_packet flat = meta;
        flat.captured = bytes_of("head tail", captured);
        flat.original_len = 9;
        uint8_t got[64];
        uint8_t want[64];
        struct writer a = writer_of(got, sizeof got);
        struct writer b = writer_of(want, sizeof want);
        pcapng_write_frame(&a, &meta, frame, snaps[i]);
        pcapng_write_packet(&b, &flat);
        assert_true(!a.failed && bytes_equal(writer_bytes(&a), writer_bytes(&b)));
        a = writer_of(got, writer_len(&b) - 1);
        pcapng_write_frame(&a, &meta, frame, snaps[i]);
        assert_true(a.failed);
        a = writer_of(got, 30);
        pcapng_write_frame(&a, &meta, frame, snaps[i]);
        assert_true(a.failed);
    }
    frame_unref(frame);
    frame_unref(tail);
    frame_pool_free(pool);
}

static void test_long_texts_are_cut(void **state UNUSED)
{
    static char text[3000];
    memset(text, 'x', sizeof text);
    struct bytes all = bytes_of(text, sizeof text);
    struct pcapng_section section = {all, all, all, all};
    static uint8_t out[PCAPNG_BLOCK_OVERHEAD];
    struct writer w = writer_of(out, sizeof out);
    pcapng_write_section(&w, &section);
    assert_false(w.failed);
    struct pcapng_reader reader = pcapng_reader_of(writer_bytes(&w));
    struct pcapng_block block;
    assert_int_equal(pcapng_next(&reader, &block), WIRE_OK);
    assert_int_equal(block.u.section.comment.len, PCAPNG_TEXT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_packet_octet_for_octet),
        cmocka_unit_test(test_a_plain_packet_has_no_options),
        cmocka_unit_test(test_a_whole_file_reads_back),
        cmocka_unit_test(test_a_frame_with_slices),
        cmocka_unit_test(test_long_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
