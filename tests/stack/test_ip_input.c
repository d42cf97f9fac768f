/* SPDX-License-Identifier: ISC */
/* test_ip_input.c - the checks of a received packet, and whose it is. */
#include "stack/ip.h"

#include "stack/echo.h"
#include "stack/udp.h"
#include "tests/support/one_stack.h"

enum answer { NOTHING, ECHO_REPLY, UNREACHABLE, PROBLEM, EXCEEDED };

static size_t ping(uint8_t *out, size_t size)
{
    struct writer w = writer_of(out, size);
    struct icmp_message message = {.type = ICMP_ECHO_REQUEST};
    message.u.echo.data = bytes_of_text("ping");
    icmp_encode(&message, &w);
    assert_false(w.failed);
    return writer_len(&w);
}

static const struct {
    const char *name;
    uint32_t source;
    uint32_t target;
    uint8_t ttl;
    uint8_t protocol;
    uint8_t options[12];
    uint8_t options_len;
    enum drop_reason drop;
    enum answer answer;
    uint8_t code;
} cases[] = {
    {"an echo request to us", 0x0a000002, 0x0a000001, 64, 1, {0}, 0, DROP_NONE, ECHO_REPLY, 0},
    {"TTL 1 is enough for the host itself (RFC 1122 §3.2.1.7)",
     0x0a000002,
     0x0a000001,
     1,
     1,
     {0},
     0,
     DROP_NONE,
     ECHO_REPLY,
     0},
    {"not for us, and we do not forward",
     0x0a000002,
     0x0a000063,
     64,
     1,
     {0},
     0,
     DROP_IP_NOT_OURS,
     NOTHING,
     0},
    {"to the broadcast address: not answered",
     0x0a000002,
     0x0a0000ff,
     64,
     1,
     {0},
     0,
     DROP_NONE,
     NOTHING,
     0},
    {"to limited broadcast: not answered",
     0x0a000002,
     0xffffffff,
     64,
     1,
     {0},
     0,
     DROP_NONE,
     NOTHING,
     0},
    {"to all hosts: not answered", 0x0a000002, 0xe0000001, 64, 1, {0}, 0, DROP_NONE, NOTHING, 0},
    {"to loopback from a link",
     0x0a000002,
     0x7f000001,
     64,
     1,
     {0},
     0,
     DROP_IP_NOT_OURS,
     NOTHING,
     0},
    {"to 0.0.0.0", 0x0a000002, 0, 64, 1, {0}, 0, DROP_IP_NOT_OURS, NOTHING, 0},
    {"to class E", 0x0a000002, 0xf0000001, 64, 1, {0}, 0, DROP_IP_NOT_OURS, NOTHING, 0},
    {"from loopback", 0x7f000001, 0x0a000001, 64, 1, {0}, 0, DROP_IP_SOURCE, NOTHING, 0},
    {"from a group", 0xe0000001, 0x0a000001, 64, 1, {0}, 0, DROP_IP_SOURCE, NOTHING, 0},
    {"from class E", 0xf0000001, 0x0a000001, 64, 1, {0}, 0, DROP_IP_SOURCE, NOTHING, 0},
    {"from limited broadcast", 0xffffffff, 0x0a000001, 64, 1, {0}, 0, DROP_IP_SOURCE, NOTHING, 0},
    {"from our broadcast address",
     0x0a0000ff,
     0x0a000001,
     64,
     1,
     {0},
     0,
     DROP_IP_SOURCE,
     NOTHING,
     0},
    {"from ourselves", 0x0a000001, 0x0a000001, 64, 1, {0}, 0, DROP_IP_SOURCE, NOTHING, 0},
    {"from 0.0.0.0, not UDP", 0, 0x0a000001, 64, 1, {0}, 0, DROP_IP_SOURCE, NOTHING, 0},
    {"from network 0", 0x00000102, 0x0a000001, 64, 17, {0}, 0, DROP_IP_SOURCE, NOTHING, 0},
    {"an unknown protocol",
     0x0a000002,
     0x0a000001,
     64,
     99,
     {0},
     0,
     DROP_IP_PROTOCOL,
     UNREACHABLE,
     ICMP_PROTOCOL_UNREACHABLE},
    {"an unknown protocol to a group",
     0x0a000002,
     0xe0000001,
     64,
     99,
     {0},
     0,
     DROP_IP_PROTOCOL,
     NOTHING,
     0},
    {"record route is let by",
     0x0a000002,
     0x0a000001,
     64,
     1,
     {7, 7, 4, 0, 0, 0, 0, 0},
     8,
     DROP_NONE,
     ECHO_REPLY,
     0},
    {"router alert is let by",
     0x0a000002,
     0x0a000001,
     64,
     1,
     {148, 4, 0, 0},
     4,
     DROP_NONE,
     ECHO_REPLY,
     0},
    {"loose source route (RFC 7126 §4.3)",
     0x0a000002,
     0x0a000001,
     64,
     1,
     {131, 7, 4, 10, 0, 0, 9, 0},
     8,
     DROP_IP_OPTION,
     UNREACHABLE,
     ICMP_SOURCE_ROUTE_FAILED},
    {"strict source route behind a NOP",
     0x0a000002,
     0x0a000001,
     64,
     1,
     {1, 137, 7, 4, 10, 0, 0, 9},
     8,
     DROP_IP_OPTION,
     UNREACHABLE,
     ICMP_SOURCE_ROUTE_FAILED},
    {"an option longer than the header",
     0x0a000002,
     0x0a000001,
     64,
     1,
     {148, 9, 0, 0},
     4,
     DROP_IP_OPTION,
     PROBLEM,
     20},
    {"an option of length 1",
     0x0a000002,
     0x0a000001,
     64,
     1,
     {148, 1, 0, 0},
     4,
     DROP_IP_OPTION,
     PROBLEM,
     20},
};

static void check_answer(struct one_stack *s, size_t i)
{
    struct ipv4_header ip;
    if (cases[i].answer == NOTHING) {
        CHECK_EQUAL(cases[i].name, one_stack_drain(s, 0), 0);
        return;
    }
    struct icmp_message message = one_stack_next_icmp(s, 0, &ip);
    static const uint8_t types[] = {0, ICMP_ECHO_REPLY, ICMP_UNREACHABLE, ICMP_PARAMETER_PROBLEM,
                                    ICMP_TIME_EXCEEDED};
    CHECK_EQUAL(cases[i].name, message.type, types[cases[i].answer]);
    if (cases[i].answer == PROBLEM)
        CHECK_EQUAL(cases[i].name, message.u.error.pointer, cases[i].code);
    else
        CHECK_EQUAL(cases[i].name, message.code, cases[i].code);
    CHECK_EQUAL(cases[i].name, address_v4_value(&ip.target), cases[i].source);
    CHECK_EQUAL(cases[i].name, address_v4_value(&ip.source), cases[i].target);
    CHECK_EQUAL(cases[i].name, one_stack_drain(s, 0), 0);
}

static void test_checks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        uint8_t body[16];
        size_t len = ping(body, sizeof body);
        struct ipv4_header ip = {
            .source = address_v4(cases[i].source),
            .target = address_v4(cases[i].target),
            .ttl = cases[i].ttl,
            .protocol = cases[i].protocol,
            .options = bytes_of(cases[i].options, cases[i].options_len),
        };
        one_stack_ip(&s, &ip, bytes_of(body, len));
        CHECK_EQUAL(cases[i].name, s.last_drop, cases[i].drop);
        check_answer(&s, i);
        CHECK_EQUAL(cases[i].name, stack_counters(s.stack)->ipInReceives, 1);
        one_stack_close(&s);
    }
}

static void test_headers_that_lie(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t at;
        uint8_t value;
        enum drop_reason drop;
    } lies[] = {
        {"version 6", 14, 0x65, DROP_IP_MALFORMED},
        {"header of 16 octets", 14, 0x44, DROP_IP_MALFORMED},
        {"header longer than the packet", 14, 0x4f, DROP_IP_MALFORMED},
        {"Total Length beyond the frame", 16, 0x10, DROP_IP_MALFORMED},
        {"Total Length below the header", 17, 19, DROP_IP_MALFORMED},
        {"checksum", 24, 0x12, DROP_IP_CHECKSUM},
        {"TTL changed on the way", 22, 63, DROP_IP_CHECKSUM},
    };
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        uint8_t frame[64];
        struct writer w = writer_of(frame, sizeof frame);
        struct ethernet_header ethernet = {
            .target = mac_us, .source = mac_peer, .type = ETHERNET_IPV4, .payload = bytes_empty()};
        ethernet_encode(&ethernet, &w);
        uint8_t body[16];
        size_t len = ping(body, sizeof body);
        struct ipv4_header ip = {.source = ADDRESS_PEER,
                                 .target = ADDRESS_US,
                                 .ttl = 64,
                                 .total_len = (uint16_t)(20 + len),
                                 .protocol = IP_PROTOCOL_ICMP,
                                 .options = bytes_empty()};
        ipv4_encode(&ip, &w);
        write_copy(&w, body, len);
        frame[lies[i].at] = lies[i].value;
        one_stack_frame(&s, 0, writer_bytes(&w));
        CHECK_EQUAL(lies[i].name, s.last_drop, lies[i].drop);
        CHECK_EQUAL(lies[i].name, stack_counters(s.stack)->ipInHdrErrors, 1);
        CHECK_EQUAL(lies[i].name, one_stack_drain(&s, 0), 0);
        one_stack_close(&s);
    }
}

static void test_padding_of_the_link_is_cut(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct udp_socket *socket = udp_open(s.stack, &(struct udp_options){.local = {ADDRESS_US, 7}});
    uint8_t octets[60] = {0};
    struct writer w = writer_of(octets, sizeof octets);
    struct ethernet_header ethernet = {
        .target = mac_us, .source = mac_peer, .type = ETHERNET_IPV4, .payload = bytes_empty()};
    ethernet_encode(&ethernet, &w);
    struct ipv4_header ip = {.source = ADDRESS_PEER,
                             .target = ADDRESS_US,
                             .ttl = 64,
                             .total_len = 29,
                             .protocol = IP_PROTOCOL_UDP,
                             .options = bytes_empty()};
    ipv4_encode(&ip, &w);
    struct udp_header udp = {.source_port = 9, .target_port = 7, .payload = bytes_of_text("x")};
    udp_encode(&udp, &w);
    one_stack_frame(&s, 0, bytes_of(octets, sizeof octets));
    struct udp_datagram got;
    assert_true(udp_receive(socket, &got));
    assert_int_equal(got.payload.len, 1);
    frame_unref(got.frame);
    one_stack_close(&s);
}

/* A device's word about the checksum counts only for the transport header. */
static void test_offload_facts_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t checksum;
        uint32_t start; /* from the IP header */
        uint16_t offset;
        bool taken;
    } facts[] = {
        {"verified by the device", FRAME_CHECKSUM_VALID, 0, 0, true},
        {"to be completed", FRAME_CHECKSUM_PARTIAL, 20, 6, true},
        {"to be completed, elsewhere", FRAME_CHECKSUM_PARTIAL, 24, 6, false},
        {"to be completed, outside", FRAME_CHECKSUM_PARTIAL, 20, 8, false},
        {"far outside", FRAME_CHECKSUM_PARTIAL, UINT32_MAX - 200, 6, false},
        {"not known", FRAME_CHECKSUM_FULL, 0, 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        struct udp_socket *socket =
            udp_open(s.stack, &(struct udp_options){.local = {ADDRESS_US, 7}});
        struct frame *frame = frame_new(s.frames, 128);
        struct writer w = writer_of(frame->data, 128);
        struct ethernet_header ethernet = {
            .target = mac_us, .source = mac_peer, .type = ETHERNET_IPV4, .payload = bytes_empty()};
        ethernet_encode(&ethernet, &w);
        struct ipv4_header ip = {.source = ADDRESS_PEER,
                                 .target = ADDRESS_US,
                                 .ttl = 64,
                                 .total_len = 29,
                                 .protocol = IP_PROTOCOL_UDP,
                                 .options = bytes_empty()};
        ipv4_encode(&ip, &w);
        struct udp_header udp = {
            .source_port = 9, .target_port = 7, .checksum = 0xbad, .payload = bytes_of_text("x")};
        udp_encode(&udp, &w);
        frame->len = writer_len(&w);
        frame->offload = (struct frame_offload){
            .checksum = facts[i].checksum,
            .checksum_start = (uint32_t)frame_headroom(frame) + 14 + facts[i].start,
            .checksum_offset = facts[i].offset,
        };
        s.last_drop = DROP_NONE;
        stack_input(s.stack, 0, frame, s.now);
        CHECK_EQUAL(facts[i].name, s.last_drop, facts[i].taken ? DROP_NONE : DROP_UDP_CHECKSUM);
        struct udp_datagram got;
        bool taken = udp_receive(socket, &got);
        CHECK_EQUAL(facts[i].name, taken, facts[i].taken);
        if (taken)
            frame_unref(got.frame);
        one_stack_close(&s);
    }
}

static void test_interception(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.features = INTERFACE_INTERCEPT});
    uint8_t body[16];
    size_t len = ping(body, sizeof body);
    struct ipv4_header ip = {
        .source = ADDRESS_PEER, .target = ADDRESS_OUTSIDE, .protocol = IP_PROTOCOL_ICMP};
    struct ipv4_header answered;
    one_stack_ip(&s, &ip, bytes_of(body, len)); /* nobody intercepts */
    assert_int_equal(one_stack_drain(&s, 0), 0);

    struct echo_socket *echo = echo_open(s.stack, &(struct echo_options){.intercept = true});
    one_stack_ip(&s, &ip, bytes_of(body, len));
    struct echo_message request;
    assert_true(echo_receive(echo, &request));
    assert_true(address_equal(&request.to, &ip.target));
    frame_unref(request.frame);

    /* traceroute sees the interceptor as a hop. */
    ip.ttl = 1;
    one_stack_ip(&s, &ip, bytes_of(body, len));
    assert_int_equal(s.last_drop, DROP_IP_TTL);
    struct icmp_message message = one_stack_next_icmp(&s, 0, &answered);
    assert_int_equal(message.type, ICMP_TIME_EXCEEDED);
    struct ip_address us = ADDRESS_US;
    assert_true(address_equal(&answered.source, &us));
    assert_false(echo_receive(echo, &request));

    /* What is refused, the foreign host refuses. */
    struct ipv4_header odd = {.source = ADDRESS_PEER, .target = ADDRESS_OUTSIDE, .protocol = 99};
    one_stack_ip(&s, &odd, bytes_of_text("12345678"));
    message = one_stack_next_icmp(&s, 0, &answered);
    assert_int_equal(message.code, ICMP_PROTOCOL_UNREACHABLE);
    assert_true(address_equal(&answered.source, &odd.target));

    /* Our own address is still ours, TTL or not. */
    ip.target = ADDRESS_US;
    one_stack_ip(&s, &ip, bytes_of(body, len));
    message = one_stack_next_icmp(&s, 0, &answered);
    assert_int_equal(message.type, ICMP_ECHO_REPLY);
    one_stack_close(&s);
}

static void test_loopback(void **state)
{
    (void)state;
    static const uint32_t targets[] = {0x7f000001, 0x7f123456, 0x0a000001};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        struct udp_socket *server =
            udp_open(s.stack, &(struct udp_options){.local = {address_any_v4(), 53}});
        struct udp_socket *client = udp_open(s.stack, &(struct udp_options){0});
        struct udp_send_options to = {.to = {address_v4(targets[i]), 53}, .interface = -1};
        static uint8_t large[60000];
        assert_int_equal(udp_send(client, &to, bytes_of(large, sizeof large)), UDP_SENT);
        assert_true(stack_deadline(s.stack) == s.now);
        stack_tick(s.stack, s.now);
        struct udp_datagram got;
        assert_true(udp_receive(server, &got));
        assert_int_equal(got.payload.len, sizeof large);
        struct udp_send_options back = {.to = got.from, .interface = -1};
        frame_unref(got.frame);
        assert_int_equal(udp_send(server, &back, bytes_of_text("yes")), UDP_SENT);
        stack_tick(s.stack, s.now);
        assert_true(udp_receive(client, &got));
        frame_unref(got.frame);
        assert_int_equal(one_stack_drain(&s, 0), 0);
        one_stack_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_headers_that_lie),
        cmocka_unit_test(test_padding_of_the_link_is_cut),
        cmocka_unit_test(test_offload_facts_are_checked),
        cmocka_unit_test(test_interception),
        cmocka_unit_test(test_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
