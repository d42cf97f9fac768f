/* SPDX-License-Identifier: ISC */
/* test_tcp_header.c - headers, every option, and options that lie about their length. */
#include "tests/support/check.h"

#include "wire/inet/tcp_header.h"

static const uint8_t fixed[20] = {0x12, 0x34, 0,    80,   1,    2,    3,    4,    5, 6,
                                  7,    8,    0x50, 0x18, 0xff, 0xfe, 0xab, 0xcd, 0, 9};

/* A segment with these options, which are padded with END to whole words. */
static uint8_t *segment_of(const uint8_t *options, size_t len, size_t *total)
{
    size_t padded = (len + 3) / 4 * 4;
    *total = sizeof fixed + padded;
    uint8_t *segment = calloc(1, *total);
    memcpy(segment, fixed, sizeof fixed);
    segment[12] = (uint8_t)((20 + padded) / 4 << 4);
    if (len > 0)
        memcpy(segment + 20, options, len);
    return segment;
}

static void test_fixed_fields(void **state UNUSED)
{
    uint8_t segment[23];
    memcpy(segment, fixed, sizeof fixed);
    memcpy(segment + 20, "abc", 3);
    uint8_t *copy = exact_copy(segment, sizeof segment);
    struct tcp_header header;
    assert_int_equal(tcp_header_decode(bytes_of(copy, sizeof segment), &header), WIRE_OK);
    assert_int_equal(header.source_port, 0x1234);
    assert_int_equal(header.target_port, 80);
    assert_int_equal(header.sequence, 0x01020304);
    assert_int_equal(header.acknowledgement, 0x05060708);
    assert_int_equal(header.flags, TCP_ACK | TCP_PSH);
    assert_int_equal(header.window, 0xfffe);
    assert_int_equal(header.checksum, 0xabcd);
    assert_int_equal(header.urgent, 9);
    assert_int_equal(header.header_len, 20);
    assert_int_equal(header.options.present, 0);
    assert_true(bytes_equal(header.payload, bytes_of_text("abc")));
    assert_int_equal(tcp_segment_len(&header), 3);
    header.flags |= TCP_SYN | TCP_FIN;
    assert_int_equal(tcp_segment_len(&header), 5);
    header.flags = TCP_ACK | TCP_PSH;
    uint8_t out[20];
    struct writer w = writer_of(out, sizeof out);
    tcp_header_encode(&header, &w);
    assert_false(w.failed);
    assert_memory_equal(out, fixed, sizeof fixed);
    free(copy);
}

static void test_lengths(void **state UNUSED)
{
    uint8_t segment[60] = {0};
    struct tcp_header header = {.window = 4711};
    for (size_t len = 0; len < 20; len++) {
        uint8_t *copy = exact_copy(fixed, len);
        assert_int_equal(tcp_header_decode(bytes_of(copy, len), &header), WIRE_TRUNCATED);
        free(copy);
    }
    for (unsigned offset = 0; offset < 16; offset++) {
        for (size_t len = 20; len <= 60; len++) {
            uint8_t *copy = exact_copy(segment, len);
            copy[12] = (uint8_t)(offset << 4);
            enum wire_status want = offset < 5          ? WIRE_MALFORMED
                                    : offset * 4u > len ? WIRE_TRUNCATED
                                                        : WIRE_OK;
            struct tcp_header out = {.window = 4711};
            assert_int_equal(tcp_header_decode(bytes_of(copy, len), &out), want);
            if (want == WIRE_OK)
                assert_int_equal(out.payload.len, len - offset * 4u);
            else
                assert_int_equal(out.window, 4711);
            free(copy);
        }
    }
    assert_int_equal(header.window, 4711);
}

static void test_reserved_bits_are_ignored(void **state UNUSED)
{
    uint8_t segment[20];
    memcpy(segment, fixed, sizeof fixed);
    segment[12] = 0x5f;
    segment[13] = 0xff;
    struct tcp_header header;
    assert_int_equal(tcp_header_decode(bytes_of(segment, 20), &header), WIRE_OK);
    assert_int_equal(header.flags, 0xff);
}

static const struct {
    const char *name;
    uint8_t in[40];
    size_t len;
    unsigned present;
    bool unknown, malformed;
    bool same; /* laid out as we would: encodes to the same octets */
} cases[] = {
    {"none", {0}, 0, 0, false, false, true},
    {"a Linux SYN",
     {2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7},
     20,
     TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_TIMESTAMPS | TCP_HAS_WINDOW_SCALE,
     false,
     false,
     true},
    {"a Windows SYN",
     {2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2},
     12,
     TCP_HAS_MSS | TCP_HAS_SACK_PERMITTED | TCP_HAS_WINDOW_SCALE,
     false,
     false,
     false},
    {"aligned timestamps",
     {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8},
     12,
     TCP_HAS_TIMESTAMPS,
     false,
     false,
     true},
    {"timestamps with the NOPs behind",
     {8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1},
     12,
     TCP_HAS_TIMESTAMPS,
     false,
     false,
     false},
    {"timestamps and three SACK blocks",
     {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 5, 26, 0, 0, 0, 1,
      0, 0, 0, 2,  0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5,  0, 0, 0, 6},
     40,
     TCP_HAS_TIMESTAMPS | TCP_HAS_SACK,
     false,
     false,
     true},
    {"SACK permitted alone", {1, 1, 4, 2}, 4, TCP_HAS_SACK_PERMITTED, false, false, true},
    {"MSS and user timeout",
     {2, 4, 5, 0xb4, 28, 4, 0x80, 5},
     8,
     TCP_HAS_MSS | TCP_HAS_USER_TIMEOUT,
     false,
     false,
     true},
    {"a request for a cookie", {34, 2, 1, 1}, 4, TCP_HAS_COOKIE, false, false, true},
    {"a cookie of 8",
     {34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1},
     12,
     TCP_HAS_COOKIE,
     false,
     false,
     true},
    {"a cookie of 6 needs no NOP",
     {34, 8, 1, 2, 3, 4, 5, 6},
     8,
     TCP_HAS_COOKIE,
     false,
     false,
     true},
    {"behind END nothing counts", {2, 4, 5, 0xb4, 0, 3, 3, 7}, 8, TCP_HAS_MSS, false, false, false},
    {"MD5 is stepped over",
     {19, 18, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1, 3, 3, 7},
     22,
     TCP_HAS_WINDOW_SCALE,
     true,
     false,
     false},
    {"an unknown option of length 2",
     {77, 2, 1, 3, 3, 7},
     6,
     TCP_HAS_WINDOW_SCALE,
     true,
     false,
     false},
    {"length 0", {2, 4, 5, 0xb4, 77, 0, 3, 3}, 8, TCP_HAS_MSS, false, true, false},
    {"length 1", {77, 1, 3, 3, 7}, 5, 0, false, true, false},
    {"length beyond the header", {77, 5, 1, 1}, 4, 0, false, true, false},
    {"no length", {1, 1, 1, 2}, 4, 0, false, true, false},
    {"MSS of length 3", {2, 3, 5, 1}, 4, 0, false, true, false},
    {"window scale of length 4", {3, 4, 5, 1}, 4, 0, false, true, false},
    {"SACK permitted of length 3", {4, 3, 5, 1}, 4, 0, false, true, false},
    {"SACK without a block", {1, 1, 5, 2}, 4, 0, false, true, false},
    {"SACK of half a block", {1, 1, 5, 6, 0, 0, 0, 1}, 8, 0, false, true, false},
    {"timestamps of length 9", {1, 1, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8}, 12, 0, false, true, false},
    {"user timeout of length 3", {28, 3, 1, 1}, 4, 0, false, true, false},
    /* RFC 7413 §4.1.1: these are ignored, and what is behind them is not. */
    {"a cookie of 2", {34, 4, 1, 2, 3, 3, 7}, 7, TCP_HAS_WINDOW_SCALE, false, false, false},
    {"a cookie of odd length",
     {34, 7, 1, 2, 3, 4, 5, 3, 3, 7},
     10,
     TCP_HAS_WINDOW_SCALE,
     false,
     false,
     false},
    {"a cookie of 18",
     {34, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18},
     20,
     0,
     false,
     false,
     false},
    {"a request for a cookie, experimental",
     {254, 4, 0xf9, 0x89},
     4,
     TCP_HAS_COOKIE,
     false,
     false,
     true},
    {"an experimental cookie of 8",
     {254, 12, 0xf9, 0x89, 1, 2, 3, 4, 5, 6, 7, 8},
     12,
     TCP_HAS_COOKIE,
     false,
     false,
     true},
    {"an experimental cookie of 6",
     {254, 10, 0xf9, 0x89, 1, 2, 3, 4, 5, 6, 1, 1},
     12,
     TCP_HAS_COOKIE,
     false,
     false,
     true},
    {"an experimental cookie of 3", {254, 7, 0xf9, 0x89, 1, 2, 3}, 7, 0, false, false, false},
    {"another experiment", {254, 6, 0xf9, 0x88, 1, 2}, 6, 0, true, false, false},
    {"an experiment without a name", {254, 3, 0xf9, 1}, 4, 0, true, false, false},
};

/* RFC 9293 MUST-6, MUST-7, MUST-64, MUST-68 */
static void test_options(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *name = cases[i].name;
        size_t len;
        uint8_t *segment = segment_of(cases[i].in, cases[i].len, &len);
        struct tcp_header header;
        CHECK_EQUAL(name, tcp_header_decode(bytes_of(segment, len), &header), WIRE_OK);
        CHECK_EQUAL(name, header.options.present, cases[i].present);
        CHECK_EQUAL(name, header.options.unknown, cases[i].unknown);
        CHECK_EQUAL(name, header.options.malformed, cases[i].malformed);
        uint8_t out[60];
        struct writer w = writer_of(out, sizeof out);
        tcp_header_encode(&header, &w);
        CHECK(name, !w.failed);
        CHECK_EQUAL(name, writer_len(&w), 20 + tcp_options_len(&header.options));
        CHECK_EQUAL(name, writer_len(&w) % 4, 0);
        if (cases[i].same)
            CHECK(name, bytes_equal(writer_bytes(&w), bytes_of(segment, len)));
        struct tcp_header again;
        CHECK_EQUAL(name, tcp_header_decode(writer_bytes(&w), &again), WIRE_OK);
        CHECK_EQUAL(name, again.options.present, cases[i].present);
        free(segment);
    }
}

/* RFC 9293 MUST-69: whatever is behind the options up to the header's end. */
static void test_padding(void **state UNUSED)
{
    for (uint8_t len = TCP_COOKIE_MIN; len <= TCP_COOKIE_MAX; len += 2) {
        for (unsigned others = 0; others < 8; others++) {
            struct tcp_header header = {.options = {.cookie_len = len}};
            header.options.present = TCP_HAS_COOKIE | (others & 1 ? TCP_HAS_MSS : 0) |
                                     (others & 2 ? TCP_HAS_WINDOW_SCALE : 0) |
                                     (others & 4 ? TCP_HAS_SACK_PERMITTED : 0);
            uint8_t out[60];
            memset(out, 0xee, sizeof out);
            struct writer w = writer_of(out, sizeof out);
            tcp_header_encode(&header, &w);
            assert_false(w.failed);
            size_t end = (size_t)(out[12] >> 4) * 4;
            assert_int_equal(end, writer_len(&w));
            size_t at = 20;
            while (at < end && out[at] != 0)
                at += out[at] == 1 ? 1 : out[at + 1];
            while (at < end)
                assert_int_equal(out[at++], 0);
            assert_int_equal(at, end);
        }
    }
}

static void test_option_values(void **state UNUSED)
{
    size_t len;
    uint8_t *segment = segment_of(cases[1].in, cases[1].len, &len);
    struct tcp_header header;
    assert_int_equal(tcp_header_decode(bytes_of(segment, len), &header), WIRE_OK);
    assert_int_equal(header.options.mss, 1460);
    assert_int_equal(header.options.window_shift, 7);
    assert_int_equal(header.options.timestamp_value, 0x01020304);
    assert_int_equal(header.options.timestamp_echo, 0);
    assert_int_equal(header.header_len, 40);
    free(segment);
    segment = segment_of(cases[5].in, cases[5].len, &len);
    assert_int_equal(tcp_header_decode(bytes_of(segment, len), &header), WIRE_OK);
    assert_int_equal(header.options.timestamp_echo, 0x05060708);
    assert_int_equal(header.options.sack_count, 3);
    assert_int_equal(header.options.sack[0].start, 1);
    assert_int_equal(header.options.sack[2].end, 6);
    free(segment);
    segment = segment_of(cases[9].in, cases[9].len, &len);
    assert_int_equal(tcp_header_decode(bytes_of(segment, len), &header), WIRE_OK);
    assert_int_equal(header.options.cookie_len, 8);
    assert_int_equal(header.options.cookie[7], 8);
    free(segment);
    segment = segment_of(cases[7].in, cases[7].len, &len);
    assert_int_equal(tcp_header_decode(bytes_of(segment, len), &header), WIRE_OK);
    assert_int_equal(header.options.user_timeout, 0x8005);
    free(segment);
}

/* What p0f and its like know hosts by. */
static void test_orders_of_a_syn(void **state UNUSED)
{
    enum { MSS = TCP_HAS_MSS, SACK = TCP_HAS_SACK_PERMITTED, TS = TCP_HAS_TIMESTAMPS,
           WS = TCP_HAS_WINDOW_SCALE, FO = TCP_HAS_COOKIE };
    static const struct {
        const char *name;
        uint8_t order;
        unsigned present;
        uint8_t kinds[12]; /* 1: NOP, 0: end */
        size_t count;
    } orders[] = {
        {"Linux", TCP_OPTION_ORDER_LINUX, MSS | SACK | TS | WS, {2, 4, 8, 1, 3}, 5},
        {"Linux without timestamps", TCP_OPTION_ORDER_LINUX, MSS | SACK | WS,
         {2, 1, 1, 4, 1, 3}, 6},
        {"Linux without SACK", TCP_OPTION_ORDER_LINUX, MSS | TS | WS, {2, 1, 1, 8, 1, 3}, 6},
        {"Linux with a cookie", TCP_OPTION_ORDER_LINUX, MSS | SACK | WS | FO,
         {2, 1, 1, 4, 1, 3, 34, 1, 1}, 9},
        {"FreeBSD", TCP_OPTION_ORDER_FREEBSD, MSS | SACK | TS | WS, {2, 1, 3, 4, 8}, 5},
        {"FreeBSD without timestamps", TCP_OPTION_ORDER_FREEBSD, MSS | SACK | WS,
         {2, 1, 3, 4, 0}, 5},
        {"FreeBSD with a cookie", TCP_OPTION_ORDER_FREEBSD, MSS | SACK | WS | FO,
         {2, 1, 3, 4, 1, 1, 34, 1, 1}, 9},
        {"FreeBSD without SACK", TCP_OPTION_ORDER_FREEBSD, MSS | TS | WS, {2, 1, 3, 1, 1, 8}, 6},
        {"FreeBSD, little", TCP_OPTION_ORDER_FREEBSD, MSS, {2}, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        const char *name = orders[i].name;
        struct tcp_header header = {.options = {.present = (uint8_t)orders[i].present}};
        header.options.order = orders[i].order;
        uint8_t out[60];
        struct writer w = writer_of(out, sizeof out);
        tcp_header_encode(&header, &w);
        CHECK(name, !w.failed);
        CHECK_EQUAL(name, writer_len(&w) % 4, 0);
        CHECK_EQUAL(name, writer_len(&w), 20 + tcp_options_len(&header.options));
        size_t at = 20;
        for (size_t k = 0; k < orders[i].count; k++) {
            CHECK(name, at < writer_len(&w));
            CHECK_EQUAL(name, out[at], orders[i].kinds[k]);
            at += out[at] > 1 ? out[at + 1] : 1;
        }
        CHECK(name, at == writer_len(&w) || orders[i].kinds[orders[i].count - 1] == 0);
    }
}

static void test_push(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct frame_pool *pool = frame_pool_new(&heap, 1 << 20);
    struct frame *frame = frame_new(pool, 10);
    frame_append(frame, bytes_of_text("data"));
    struct tcp_header header = {
        .source_port = 1,
        .flags = TCP_ACK | 0xf00,
        .options = {.present = TCP_HAS_TIMESTAMPS | TCP_HAS_SACK, .sack_count = 1},
    };
    assert_int_equal(tcp_header_push(frame, &header), 20 + 12 + 12);
    struct tcp_header back;
    assert_int_equal(tcp_header_decode(frame_bytes(frame), &back), WIRE_OK);
    assert_int_equal(back.header_len, 44);
    assert_int_equal(back.flags, TCP_ACK);
    assert_int_equal(frame->data[12], 0xb0);
    assert_true(bytes_equal(back.payload, bytes_of_text("data")));
    frame_unref(frame);
    frame_pool_free(pool);
}

static void test_options_that_do_not_fit(void **state UNUSED)
{
    struct tcp_header header = {
        .options = {.present = TCP_HAS_TIMESTAMPS | TCP_HAS_SACK, .sack_count = 4},
    };
    assert_int_equal(tcp_options_len(&header.options), 12 + 4 + 32);
    uint8_t out[80];
    struct writer w = writer_of(out, sizeof out);
    tcp_header_encode(&header, &w);
    assert_true(w.failed);
    assert_int_equal(writer_len(&w), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_fields),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_reserved_bits_are_ignored),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_option_values),
        cmocka_unit_test(test_orders_of_a_syn),
        cmocka_unit_test(test_push),
        cmocka_unit_test(test_options_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
