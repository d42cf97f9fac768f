/* SPDX-License-Identifier: ISC */
/* test_ipv4.c - headers with every lie that their lengths can tell; options. */
#include "tests/support/check.h"

#include "base/checksum.h"
#include "wire/inet/ipv4.h"

/* A widely printed example; its checksum is b861. */
static const uint8_t plain[20] = {0x45, 0,    0,    0x73, 0, 0, 0x40, 0,    0x40, 0x11,
                                  0xb8, 0x61, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0,    0xc7};

/* A packet of `len` octets from the first of `in`, with the checksum put right if it can be. */
static uint8_t *packet_of(const uint8_t *in, size_t in_len, size_t len)
{
    uint8_t *packet = calloc(1, len > 0 ? len : 1);
    memcpy(packet, in, in_len < len ? in_len : len);
    size_t header_len = (packet[0] & 15u) * 4;
    if (header_len >= 20 && header_len <= len) {
        packet[10] = packet[11] = 0;
        uint16_t sum = checksum_of(bytes_of(packet, header_len));
        packet[10] = (uint8_t)(sum >> 8);
        packet[11] = (uint8_t)sum;
    }
    return packet;
}

static void test_the_example(void **state UNUSED)
{
    uint8_t *packet = packet_of(plain, sizeof plain, 0x73 + 5);
    assert_memory_equal(packet, plain, sizeof plain);
    struct ipv4_header header;
    assert_int_equal(ipv4_decode(bytes_of(packet, 0x73 + 5), &header), WIRE_OK);
    assert_int_equal(header.total_len, 0x73);
    assert_int_equal(header.payload.len, 0x73 - 20);
    assert_int_equal(header.ttl, 64);
    assert_int_equal(header.protocol, IP_PROTOCOL_UDP);
    assert_true(header.dont_fragment && !header.more_fragments && !ipv4_is_fragment(&header));
    assert_int_equal(address_v4_value(&header.source), 0xc0a80001);
    assert_int_equal(address_v4_value(&header.target), 0xc0a800c7);
    uint8_t out[20];
    struct writer w = writer_of(out, sizeof out);
    ipv4_encode(&header, &w);
    assert_false(w.failed);
    assert_memory_equal(out, plain, sizeof plain);
    free(packet);
}

static const struct {
    const char *name;
    uint8_t first[24];
    size_t len;
    enum wire_status want;
    size_t payload_len;
} cases[] = {
    {"header alone", {0x45, 0, 0, 20}, 20, WIRE_OK, 0},
    {"padding behind Total Length is left out", {0x45, 0, 0, 21}, 46, WIRE_OK, 1},
    {"Total Length beyond the packet", {0x45, 0, 0, 22}, 21, WIRE_TRUNCATED, 0},
    {"Total Length smaller than the header", {0x45, 0, 0, 19}, 30, WIRE_MALFORMED, 0},
    {"Total Length within the options", {0x46, 0, 0, 23}, 30, WIRE_MALFORMED, 0},
    {"IHL of 4", {0x44, 0, 0, 20}, 20, WIRE_MALFORMED, 0},
    {"IHL beyond the packet", {0x4f, 0, 0, 60}, 59, WIRE_TRUNCATED, 0},
    {"version 6", {0x65, 0, 0, 20}, 20, WIRE_UNSUPPORTED, 0},
    {"version 0", {0x05, 0, 0, 20}, 20, WIRE_UNSUPPORTED, 0},
    {"with options", {0x46, 0, 0, 26}, 26, WIRE_OK, 2},
    {"the last fragment possible", {0x45, 0, 0, 27, 0, 0, 0x1f, 0xff}, 27, WIRE_OK, 7},
    {"reaches beyond 65535 octets", {0x45, 0, 0, 28, 0, 0, 0x1f, 0xff}, 28, WIRE_MALFORMED, 0},
};

static void test_lengths(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t *packet = packet_of(cases[i].first, sizeof cases[i].first, cases[i].len);
        struct ipv4_header header = {.total_len = 4711};
        CHECK_EQUAL(cases[i].name, ipv4_decode(bytes_of(packet, cases[i].len), &header),
                    cases[i].want);
        if (cases[i].want == WIRE_OK) {
            CHECK_EQUAL(cases[i].name, header.payload.len, cases[i].payload_len);
            CHECK(cases[i].name,
                  header.payload.data == packet + header.header_len || header.payload.len == 0);
        } else {
            CHECK_EQUAL(cases[i].name, header.total_len, 4711);
        }
        free(packet);
    }
    for (size_t len = 0; len < 20; len++) {
        uint8_t *packet = exact_copy(plain, len);
        struct ipv4_header header;
        assert_int_equal(ipv4_decode(bytes_of(packet, len), &header), WIRE_TRUNCATED);
        assert_int_equal(ipv4_decode_quoted(bytes_of(packet, len), &header), WIRE_TRUNCATED);
        free(packet);
    }
}

static void test_every_bit_is_in_the_checksum(void **state UNUSED)
{
    for (size_t bit = 0; bit < 160; bit++) {
        uint8_t *packet = packet_of(plain, sizeof plain, 0x73);
        packet[bit / 8] = (uint8_t)(packet[bit / 8] ^ 1u << bit % 8);
        struct ipv4_header header;
        assert_int_not_equal(ipv4_decode(bytes_of(packet, 0x73), &header), WIRE_OK);
        free(packet);
    }
}

static void test_quoted_is_lenient(void **state UNUSED)
{
    uint8_t quoted[28] = {0x45, 0, 5, 0xdc, 0, 1, 0x20, 2, 0, 17, 0xde, 0xad};
    struct ipv4_header header;
    assert_int_equal(ipv4_decode_quoted(bytes_of(quoted, 28), &header), WIRE_OK);
    assert_int_equal(header.payload.len, 8);
    assert_int_equal(header.total_len, 1500);
    assert_int_equal(header.fragment_offset, 16);
    assert_true(header.more_fragments && ipv4_is_fragment(&header));
    quoted[0] = 0x48;
    assert_int_equal(ipv4_decode_quoted(bytes_of(quoted, 28), &header), WIRE_TRUNCATED);
}

static void test_every_field_both_ways(void **state UNUSED)
{
    static const uint8_t options[] = {0x94, 4, 0, 0, 7, 3, 4};
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct frame_pool *pool = frame_pool_new(&heap, 1 << 20);
    struct frame *frame = frame_new(pool, 100);
    struct frame *tail = frame_new(pool, 100);
    frame_append(frame, bytes_of_text("hello, "));
    frame_append(tail, bytes_of_text("world"));
    frame_add_slice(frame, tail, frame_bytes(tail));
    struct ipv4_header header = {
        .source = address_v4(0x0a000201),
        .target = address_v4(0xe00000fb),
        .identification = 0x1234,
        .fragment_offset = 1480,
        .more_fragments = true,
        .ttl = 255,
        .protocol = 17,
        .traffic_class = 0xb8 | IP_ECT_0,
        .options = bytes_of(options, sizeof options),
    };
    ipv4_push(frame, &header);
    uint8_t *packet = malloc(frame_total(frame));
    frame_copy_out(frame, 0, packet, frame_total(frame));
    struct ipv4_header back;
    assert_int_equal(ipv4_decode(bytes_of(packet, frame_total(frame)), &back), WIRE_OK);
    assert_true(address_equal(&back.source, &header.source));
    assert_true(address_equal(&back.target, &header.target));
    assert_int_equal(back.total_len, 28 + 12);
    assert_int_equal(back.identification, 0x1234);
    assert_int_equal(back.fragment_offset, 1480);
    assert_true(back.more_fragments && !back.dont_fragment);
    assert_int_equal(back.ttl, 255);
    assert_int_equal(back.traffic_class, 0xb8 | IP_ECT_0);
    assert_int_equal(back.header_len, 28);
    assert_true(bytes_equal(bytes_first(back.options, 7), header.options));
    assert_int_equal(back.options.data[7], IPV4_OPTION_END);
    assert_true(bytes_equal(back.payload, bytes_of_text("hello, world")));
    free(packet);
    frame_unref(frame);
    frame_unref(tail);
    frame_pool_free(pool);
}

static void test_options(void **state UNUSED)
{
    static const struct {
        const char *name;
        uint8_t in[12];
        size_t len;
        const char *want; /* a letter each: f found, n none, m malformed */
    } option_cases[] = {
        {"none", {0}, 0, "n"},
        {"end", {0, 7, 3, 4}, 4, "n"},
        {"NOPs only", {1, 1, 1, 1}, 4, "n"},
        {"NOPs around one", {1, 7, 3, 4, 1, 0}, 6, "fn"},
        {"two", {148, 4, 0, 0, 7, 3, 4, 0}, 8, "ffn"},
        {"length 2", {130, 2, 0, 0}, 4, "fn"},
        {"length 0", {7, 0, 0, 0}, 4, "m"},
        {"length 1", {7, 1, 0, 0}, 4, "m"},
        {"length beyond", {7, 5, 0, 0}, 4, "m"},
        {"no length", {1, 1, 1, 7}, 4, "m"},
    };
    for (size_t i = 0; i < ARRAY_LEN(option_cases); i++) {
        uint8_t *copy = exact_copy(option_cases[i].in, option_cases[i].len);
        struct bytes options = bytes_of(copy, option_cases[i].len);
        for (const char *want = option_cases[i].want; *want != '\0'; want++) {
            struct ipv4_option option;
            enum ipv4_option_status status = ipv4_option_next(&options, &option);
            CHECK_EQUAL(option_cases[i].name, "fnm"[status], *want);
            if (status != IPV4_OPTION_FOUND)
                CHECK_EQUAL(option_cases[i].name, options.len, 0);
        }
        free(copy);
    }
    struct bytes options = bytes_of(option_cases[3].in, option_cases[3].len);
    struct ipv4_option option;
    assert_int_equal(ipv4_option_next(&options, &option), IPV4_OPTION_FOUND);
    assert_int_equal(option.type, IPV4_OPTION_RECORD_ROUTE);
    assert_int_equal(option.data.len, 1);
    assert_int_equal(option.data.data[0], 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_every_bit_is_in_the_checksum),
        cmocka_unit_test(test_quoted_is_lenient),
        cmocka_unit_test(test_every_field_both_ways),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
