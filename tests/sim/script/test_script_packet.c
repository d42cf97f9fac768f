/* SPDX-License-Identifier: ISC */
/* test_script_packet.c - packets to octets and back, and every field that may differ. */
#include "sim/script/script_packet.h"

#include "base/checksum.h"
#include "os/memory.h"
#include "tests/support/check.h"
#include "wire/inet/icmp_message.h"
#include "wire/inet/ipv4.h"
#include "wire/inet/tcp_header.h"

static struct endpoint us(void)
{
    return (struct endpoint){address_v4(0xc0a80001), 8080};
}

static struct endpoint peer(void)
{
    return (struct endpoint){address_v4(0xc0000201), 40001};
}

static struct script_packet packet_of(const char *text)
{
    char line[256];
    struct heap heap = memory_heap();
    struct script_defines defines = {.count = 0};
    struct script script;
    struct script_error error;
    snprintf(line, sizeof line, "0 > %s", text);
    if (!script_parse(&script, &heap, bytes_of_text(line), &defines, &error))
        fail_msg("%s: %s", text, error.text);
    struct script_packet packet = *script.events->u.packet;
    script_done(&script);
    return packet;
}

static void test_there_and_back(void **state UNUSED)
{
    static const char *const cases[] = {
        "S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>",
        "SEWA. 5:5(0) ack 1 win 5",
        "FP. 1:1001(1000) ack 77 win 257 <nop,nop,TS val 100 ecr 200>",
        "U. 1:3(2) ack 1 win 9 urg 2",
        ". 1:1(0) ack 1 win 9 <nop,nop,sack 1:2 3:4>",
        ". 1:60001(60000) ack 1 win 9",
        "udp (1000)",
    };
    uint8_t buffer[65535];
    struct endpoint source = us(), target = peer();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct script_packet packet = packet_of(cases[i]);
        struct writer w = writer_of(buffer, sizeof buffer);
        script_packet_encode(&packet, &source, &target, &w);
        CHECK(cases[i], !w.failed);
        struct script_live_packet live;
        CHECK(cases[i], script_packet_decode(writer_bytes(&w), &live));
        char text[256], difference[256];
        struct text out = text_of(text, sizeof text);
        struct text different = text_of(difference, sizeof difference);
        script_packet_format(&live.packet, &out);
        assert_string_equal(text, cases[i]);
        CHECK(cases[i], live.zeros);
        CHECK(cases[i], endpoint_equal(&live.source, &source));
        CHECK(cases[i], endpoint_equal(&live.target, &target));
        CHECK(cases[i], script_packet_matches(&packet, &live.packet, &different));
        struct ipv4_header header;
        assert_int_equal(ipv4_decode(writer_bytes(&w), &header), WIRE_OK);
        uint64_t sum = checksum_pseudo(&header.source, &header.target, header.protocol,
                                       (uint32_t)header.payload.len) +
                       checksum_sum(header.payload);
        CHECK_EQUAL(cases[i], checksum_fold(sum), 0xffff);
        /* Cut short, it is nothing. */
        for (size_t len = 0; len < writer_len(&w) && len < 80; len++) {
            uint8_t *exact = exact_copy(buffer, len);
            CHECK(cases[i], !script_packet_decode(bytes_of(exact, len), &live));
            free(exact);
        }
    }
}

static void test_an_error_quotes_our_packet(void **state UNUSED)
{
    uint8_t buffer[256];
    struct endpoint source = peer(), target = us();
    struct script_packet packet =
        packet_of("icmp unreachable frag_needed mtu 1200 [1:1001(1000)]");
    struct writer w = writer_of(buffer, sizeof buffer);
    script_packet_encode(&packet, &source, &target, &w);
    struct ipv4_header header, quoted;
    struct icmp_message message;
    assert_int_equal(ipv4_decode(writer_bytes(&w), &header), WIRE_OK);
    assert_int_equal(icmp_decode(header.payload, &message), WIRE_OK);
    assert_int_equal(message.u.error.mtu, 1200);
    assert_int_equal(ipv4_decode_quoted(message.u.error.quoted, &quoted), WIRE_OK);
    assert_true(address_equal(&quoted.source, &target.address));
    assert_true(address_equal(&quoted.target, &source.address));
    assert_int_equal(quoted.total_len, 20 + 20 + 1000);
    struct reader r = reader_of(quoted.payload);
    assert_int_equal(read_u16(&r), 8080);
    assert_int_equal(read_u16(&r), 40001);
    assert_int_equal(read_u32(&r), 1);
}

static void test_each_difference_is_told(void **state UNUSED)
{
    static const char base[] = "[ect0] P. 1:101(100) ack 1 win 5 <mss 5,nop,nop,sackOK>";
    static const struct {
        const char *actual, *want;
    } cases[] = {
        {"[ect1] P. 1:101(100) ack 1 win 5 <mss 5,nop,nop,sackOK>", "ECN mark: expected 2, got 1"},
        {"[ect0] . 1:101(100) ack 1 win 5 <mss 5,nop,nop,sackOK>", "flags: expected P., got ."},
        {"[ect0] P. 2:102(100) ack 1 win 5 <mss 5,nop,nop,sackOK>",
         "sequence number: expected 1, got 2"},
        {"[ect0] P. 1:102(101) ack 1 win 5 <mss 5,nop,nop,sackOK>",
         "payload: expected 100, got 101"},
        {"[ect0] P. 1:101(100) ack 2 win 5 <mss 5,nop,nop,sackOK>",
         "acknowledgement: expected 1, got 2"},
        {"[ect0] P. 1:101(100) ack 1 win 6 <mss 5,nop,nop,sackOK>", "window: expected 5, got 6"},
        {"[ect0] P. 1:101(100) ack 1 win 5 urg 1 <mss 5,nop,nop,sackOK>",
         "urgent pointer: expected 0, got 1"},
        {"[ect0] P. 1:101(100) ack 1 win 5 <mss 6,nop,nop,sackOK>",
         "TCP options: expected mss 5, got mss 6"},
        {"[ect0] P. 1:101(100) ack 1 win 5 <nop,nop,mss 5,sackOK>",
         "TCP options: expected mss 5, got nop"},
        {"[ect0] P. 1:101(100) ack 1 win 5 <mss 5>", "TCP options: missing nop"},
        {"[ect0] P. 1:101(100) ack 1 win 5 <mss 5,nop,nop,sackOK,nop,nop,nop,nop>",
         "TCP options: unexpected nop"},
        {"udp (5)", "protocol: expected TCP, got UDP"},
        {base, ""},
    };
    struct script_packet expected = packet_of(base);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct script_packet actual = packet_of(cases[i].actual);
        char text[256] = "";
        struct text out = text_of(text, sizeof text);
        CHECK_EQUAL(cases[i].actual, script_packet_matches(&expected, &actual, &out), i + 1 == ARRAY_LEN(cases));
        assert_string_equal(text, cases[i].want);
    }
}

static void test_what_is_left_open_matches(void **state UNUSED)
{
    static const struct {
        const char *expected, *actual;
    } cases[] = {
        {". 1:1(0) ack 1", ". 1:1(0) ack 1 win 7"},
        {". 1:1(0) ack 1 <...>", ". 1:1(0) ack 1 win 7 <nop,nop,sack 1:2>"},
        {". 1:1(0) ack 1", "[ce] . 1:1(0) ack 1"},
        {"[ect01] . 1:1(0) ack 1", "[ect1] . 1:1(0) ack 1"},
        {". 1:1(0) ack 1 <nop,nop,TS val 1 ecr 2>", ". 1:1(0) ack 1 <nop,nop,TS val 3 ecr 4>"},
        {"icmp unreachable port_unreachable", "icmp unreachable port_unreachable [1:5(4)]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct script_packet expected = packet_of(cases[i].expected);
        struct script_packet actual = packet_of(cases[i].actual);
        char text[256] = "";
        struct text out = text_of(text, sizeof text);
        if (!script_packet_matches(&expected, &actual, &out))
            fail_msg("%s: %s", cases[i].expected, text);
    }
}

static void test_options_are_changed_in_place(void **state UNUSED)
{
    struct script_packet packet = packet_of(". 1:1(0) ack 1 <nop,nop,TS val 5 ecr 6,nop,nop,"
                                            "sack 10:20 4294967290:4294967295>");
    uint32_t value, echo;
    assert_true(script_packet_timestamps(&packet, &value, &echo));
    assert_int_equal(value, 5);
    assert_int_equal(echo, 6);
    script_packet_set_timestamps(&packet, 7, 8);
    script_packet_move_sack(&packet, 10);
    char text[256];
    struct text out = text_of(text, sizeof text);
    script_packet_format(&packet, &out);
    assert_string_equal(text, ". 1:1(0) ack 1 <nop,nop,TS val 7 ecr 8,nop,nop,sack 20:30 4:9>");
    packet = packet_of(". 1:1(0) ack 1");
    assert_false(script_packet_timestamps(&packet, &value, &echo));
}

static void test_segments_of_one_large_one(void **state UNUSED)
{
    static const struct {
        const char *last, *next;
        bool want;
    } cases[] = {
        {". 1:1001(1000) ack 1 win 5", "P. 1001:2001(1000) ack 1 win 5", true},
        {"W. 1:1001(1000) ack 1 win 5", "FP. 1001:2001(1000) ack 1 win 5", true},
        {". 1:1001(1000) ack 1 win 5", ". 1002:2002(1000) ack 1 win 5", false},
        {". 1:1001(1000) ack 1 win 5", ". 1001:2001(1000) ack 2 win 5", false},
        {". 1:1001(1000) ack 1 win 5", ". 1001:2001(1000) ack 1 win 6", false},
        {". 1:1001(1000) ack 1 win 5", "R. 1001:2001(1000) ack 1 win 5", false},
        {". 1:1001(1000) ack 1 win 5", "udp (1000)", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct script_packet last = packet_of(cases[i].last), next = packet_of(cases[i].next);
        char text[256];
        struct text out = text_of(text, sizeof text);
        CHECK_EQUAL(cases[i].next, script_packet_continues(&last, &next, &out), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_an_error_quotes_our_packet),
        cmocka_unit_test(test_each_difference_is_told),
        cmocka_unit_test(test_what_is_left_open_matches),
        cmocka_unit_test(test_options_are_changed_in_place),
        cmocka_unit_test(test_segments_of_one_large_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
