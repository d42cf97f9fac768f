/* SPDX-License-Identifier: ISC */
/* test_icmp_output.c - which packets are answered by an error, what it quotes, and how often. */
#include "stack/ip.h"

#include "stack/udp.h"
#include "tests/support/one_stack.h"

static const struct {
    const char *name;
    uint32_t source;
    uint32_t target;
    uint16_t offset;
    uint8_t protocol;
    uint8_t first; /* octet of the payload */
    bool told;
} cases[] = {
    {"an unknown protocol", 0x0a000002, 0x0a000001, 0, 99, 0, true},
    {"an ICMP query whose TTL ran out would be", 0x0a000002, 0x0a000001, 0, 99, 8, true},
    {"from 0.0.0.0, nobody in particular", 0, 0x0a000001, 0, 17, 0, false},
    {"to the broadcast address", 0x0a000002, 0x0a0000ff, 0, 99, 0, false},
    {"to a group", 0x0a000002, 0xe0000001, 0, 99, 0, false},
};

static void test_who_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        uint8_t payload[16] = {cases[i].first, 0, 0, 1, 0, 8};
        struct ipv4_header ip = {.source = address_v4(cases[i].source),
                                 .target = address_v4(cases[i].target),
                                 .fragment_offset = cases[i].offset,
                                 .protocol = cases[i].protocol};
        one_stack_ip(&s, &ip, bytes_of(payload, sizeof payload));
        CHECK_EQUAL(cases[i].name, one_stack_drain(&s, 0), cases[i].told);
        one_stack_close(&s);
    }
}

/* RFC 1122 §3.2.2: an error about an error would go on for ever; about a later fragment would
 * multiply. A router sees both in passing. */
static void test_a_router_does_not_tell_of_errors_and_later_fragments(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t protocol;
        uint8_t type;
        uint16_t offset;
        bool told;
    } passing[] = {
        {"UDP", 17, 0, 0, true},
        {"echo request", 1, 8, 0, true},
        {"echo reply", 1, 0, 0, true},
        {"unreachable", 1, 3, 0, false},
        {"redirect", 1, 5, 0, false},
        {"time exceeded", 1, 11, 0, false},
        {"parameter problem", 1, 12, 0, false},
        {"a later fragment", 17, 0, 8, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
        struct one_stack s;
        one_stack_open(&s, &(struct one_stack_options){.far_mtu = 1500, .stack.forwarding = true});
        uint8_t payload[16] = {passing[i].type};
        struct ipv4_header ip = {.source = ADDRESS_PEER,
                                 .target = ADDRESS_FAR_PEER,
                                 .ttl = 1,
                                 .fragment_offset = passing[i].offset,
                                 .protocol = passing[i].protocol};
        one_stack_ip(&s, &ip, bytes_of(payload, sizeof payload));
        CHECK_EQUAL(passing[i].name, s.last_drop, DROP_IP_TTL);
        CHECK_EQUAL(passing[i].name, one_stack_drain(&s, 0), passing[i].told);
        one_stack_close(&s);
    }
}

/* RFC 1812 §4.3.2.3: as much as fits in 576 octets. */
static void test_what_is_quoted(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 8, 520, 528, 529, 1400};
    static uint8_t payload[1400];
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i + i / 256);
    struct one_stack s;
    one_stack_open(&s, NULL);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct ipv4_header ip = {.source = ADDRESS_PEER, .target = ADDRESS_US, .protocol = 99};
        one_stack_ip(&s, &ip, bytes_of(payload, sizes[i]));
        struct ipv4_header out;
        struct icmp_message message = one_stack_next_icmp(&s, 0, &out);
        assert_true(out.total_len <= 576);
        struct ipv4_header quoted;
        assert_int_equal(ipv4_decode_quoted(message.u.error.quoted, &quoted), WIRE_OK);
        assert_int_equal(quoted.payload.len, sizes[i] < 528 ? sizes[i] : 528);
        assert_memory_equal(quoted.payload.data, payload, quoted.payload.len);
    }
    one_stack_close(&s);
}

static void test_rate(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct ipv4_header ip = {.source = ADDRESS_PEER, .target = ADDRESS_US, .protocol = 99};
    for (int i = 0; i < 200; i++)
        one_stack_ip(&s, &ip, bytes_of_text("x"));
    assert_int_equal(one_stack_drain(&s, 0), ICMP_BURST);
    assert_int_equal(stack_drops(s.stack, DROP_ICMP_RATE), 200 - ICMP_BURST);
    one_stack_wait(&s, 10 * USEC_PER_SEC / ICMP_RATE);
    for (int i = 0; i < 200; i++)
        one_stack_ip(&s, &ip, bytes_of_text("x"));
    assert_int_equal(one_stack_drain(&s, 0), 10);
    one_stack_wait(&s, USEC_PER_HOUR);
    for (int i = 0; i < 200; i++)
        one_stack_ip(&s, &ip, bytes_of_text("x"));
    assert_int_equal(one_stack_drain(&s, 0), ICMP_BURST);
    /* An echo reply is no error, and not limited. */
    uint8_t body[8];
    struct writer w = writer_of(body, sizeof body);
    struct icmp_message request = {.type = ICMP_ECHO_REQUEST};
    request.u.echo.data = bytes_empty();
    icmp_encode(&request, &w);
    ip.protocol = IP_PROTOCOL_ICMP;
    one_stack_ip(&s, &ip, writer_bytes(&w));
    assert_int_equal(one_stack_drain(&s, 0), 1);
    one_stack_close(&s);
}

static void test_a_report_about_a_packet_that_is_gone(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.features = INTERFACE_INTERCEPT});
    static const uint8_t transport[600] = {0x12, 0x34, 0, 80};
    struct icmp_report report = {.type = ICMP_UNREACHABLE,
                                 .code = ICMP_ADMIN_PROHIBITED,
                                 .protocol = IP_PROTOCOL_TCP,
                                 .source = ADDRESS_PEER,
                                 .target = ADDRESS_OUTSIDE,
                                 .transport = bytes_of(transport, sizeof transport)};
    icmp_send_report(s.stack, &report);
    struct ipv4_header out;
    struct icmp_message message = one_stack_next_icmp(&s, 0, &out);
    assert_int_equal(message.type, ICMP_UNREACHABLE);
    assert_int_equal(message.code, ICMP_ADMIN_PROHIBITED);
    assert_true(address_equal(&out.source, &report.target)); /* from the foreign host */
    assert_true(address_equal(&out.target, &report.source));
    assert_int_equal(out.total_len, 576);
    struct ipv4_header quoted;
    assert_int_equal(ipv4_decode_quoted(message.u.error.quoted, &quoted), WIRE_OK);
    assert_true(address_equal(&quoted.source, &report.source));
    assert_true(address_equal(&quoted.target, &report.target));
    assert_int_equal(quoted.protocol, IP_PROTOCOL_TCP);
    assert_memory_equal(quoted.payload.data, transport, quoted.payload.len);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_told),
        cmocka_unit_test(test_a_router_does_not_tell_of_errors_and_later_fragments),
        cmocka_unit_test(test_what_is_quoted),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_a_report_about_a_packet_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
