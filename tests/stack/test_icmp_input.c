/* SPDX-License-Identifier: ISC */
/* test_icmp_input.c - what ICMP messages do to this host (RFC 1122 §3.2.2). */
#include "stack/ip.h"

#include "stack/echo.h"
#include "stack/udp.h"
#include "tests/support/one_stack.h"

static void put(struct one_stack *s, const struct icmp_message *message, struct ip_address target)
{
    static uint8_t body[65535];
    struct writer w = writer_of(body, sizeof body);
    icmp_encode(message, &w);
    assert_false(w.failed);
    struct ipv4_header ip = {
        .source = ADDRESS_PEER, .target = target, .protocol = IP_PROTOCOL_ICMP};
    one_stack_ip(s, &ip, writer_bytes(&w));
}

static void test_echo(void **state)
{
    (void)state;
    static uint8_t data[1472];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    struct one_stack s;
    one_stack_open(&s, NULL);
    for (size_t len = 0; len <= sizeof data; len += 368) {
        struct icmp_message request = {.type = ICMP_ECHO_REQUEST};
        request.u.echo.identifier = 0x1234;
        request.u.echo.sequence = (uint16_t)len;
        request.u.echo.data = bytes_of(data, len);
        put(&s, &request, ADDRESS_US);
        struct ipv4_header ip;
        struct icmp_message reply = one_stack_next_icmp(&s, 0, &ip);
        assert_int_equal(reply.type, ICMP_ECHO_REPLY);
        assert_int_equal(reply.u.echo.identifier, 0x1234);
        assert_int_equal(reply.u.echo.sequence, len);
        assert_true(bytes_equal(reply.u.echo.data, request.u.echo.data));
        struct ip_address us = ADDRESS_US;
        assert_true(address_equal(&ip.source, &us));
    }
    assert_int_equal(stack_counters(s.stack)->icmpInEchos, 5);
    assert_int_equal(stack_counters(s.stack)->icmpOutEchoReps, 5);
    one_stack_close(&s);
}

static const struct {
    const char *name;
    uint8_t type;
} ignored[] = {
    {"a reply to nobody", ICMP_ECHO_REPLY},
    {"source quench (RFC 6633)", ICMP_SOURCE_QUENCH},
    {"redirect", ICMP_REDIRECT},
    {"timestamp request", ICMP_TIMESTAMP_REQUEST},
    {"address mask request", ICMP_MASK_REQUEST},
    {"router solicitation", ICMP_ROUTER_SOLICITATION},
};

static void test_ignored(void **state)
{
    (void)state;
    static uint8_t quoted[28] = {0x45};
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        struct icmp_message message = {.type = ignored[i].type};
        if (ignored[i].type == ICMP_SOURCE_QUENCH || ignored[i].type == ICMP_REDIRECT) {
            message.u.error.gateway = ADDRESS_PEER;
            message.u.error.quoted = bytes_of(quoted, sizeof quoted);
        } else {
            message.u.echo.data = bytes_empty();
        }
        put(&s, &message, ADDRESS_US);
        CHECK_EQUAL(ignored[i].name, one_stack_drain(&s, 0), 0);
        CHECK_EQUAL(ignored[i].name, stack_counters(s.stack)->icmpInMsgs, 1);
        one_stack_close(&s);
    }
}

static const struct {
    const char *name;
    uint8_t type;
    uint8_t code;
    uint32_t quoted_source;
    uint16_t port;   /* quoted source port; 0: the socket's */
    uint16_t offset; /* quoted fragment offset */
    size_t quoted_len;
    bool told;
} errors[] = {
    {"port unreachable", 3, 3, 0x0a000001, 0, 0, 28, true},
    {"fragmentation needed", 3, 4, 0x0a000001, 0, 0, 28, true},
    {"time exceeded", 11, 0, 0x0a000001, 0, 0, 28, true},
    {"parameter problem", 12, 0, 0x0a000001, 0, 0, 28, true},
    {"as much as fits is quoted", 3, 1, 0x0a000001, 0, 0, 548, true},
    {"another port", 3, 3, 0x0a000001, 1, 0, 28, false},
    {"about a packet that was not ours", 3, 3, 0x0a000003, 0, 0, 28, false},
    {"about a packet of another address of ours", 3, 3, 0x0a000101, 0, 0, 28, false},
    {"about a later fragment", 3, 3, 0x0a000001, 0, 8, 28, false},
    {"seven octets of the transport", 3, 3, 0x0a000001, 0, 0, 27, false},
    {"no header", 3, 3, 0x0a000001, 0, 0, 10, false},
};

static void test_errors_reach_the_socket(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        struct one_stack s;
        one_stack_open(&s, &(struct one_stack_options){.far_mtu = 1500});
        struct udp_socket *socket = udp_open(s.stack, &(struct udp_options){0});
        uint16_t port = udp_local(socket)->port;
        uint8_t quoted[548] = {0};
        struct writer w = writer_of(quoted, sizeof quoted);
        struct ipv4_header ip = {.source = address_v4(errors[i].quoted_source),
                                 .target = ADDRESS_OUTSIDE,
                                 .ttl = 1,
                                 .total_len = 60,
                                 .protocol = IP_PROTOCOL_UDP,
                                 .options = bytes_empty(),
                                 .fragment_offset = errors[i].offset};
        ipv4_encode(&ip, &w);
        write_u16(&w, (uint16_t)(port + errors[i].port));
        write_u16(&w, 33434);
        struct icmp_message message = {.type = errors[i].type, .code = errors[i].code};
        message.u.error.gateway = address_any_v4();
        message.u.error.mtu = 1400;
        message.u.error.quoted = bytes_of(quoted, errors[i].quoted_len);
        put(&s, &message, ADDRESS_US);
        struct udp_error error;
        bool told = udp_next_error(socket, &error);
        CHECK_EQUAL(errors[i].name, told, errors[i].told);
        struct socket_event event;
        CHECK_EQUAL(errors[i].name, stack_next_event(s.stack, &event), errors[i].told);
        if (told) {
            CHECK_EQUAL(errors[i].name, event.events, SOCKET_FAILED);
            CHECK_EQUAL(errors[i].name, error.type, errors[i].type);
            CHECK_EQUAL(errors[i].name, error.code, errors[i].code);
            CHECK_EQUAL(errors[i].name, error.to.port, 33434);
            CHECK_EQUAL(errors[i].name, error.from.port, port);
            if (errors[i].code == 4)
                CHECK_EQUAL(errors[i].name, error.mtu, 1400);
        }
        CHECK_EQUAL(errors[i].name, one_stack_drain(&s, 0), 0); /* never an error about an error */
        one_stack_close(&s);
    }
}

static void test_errors_beyond_the_bound_push_out_the_oldest(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct udp_socket *socket = udp_open(s.stack, &(struct udp_options){0});
    for (uint16_t i = 0; i < 20; i++) {
        uint8_t quoted[28];
        struct writer w = writer_of(quoted, sizeof quoted);
        struct ipv4_header ip = {.source = ADDRESS_US,
                                 .target = ADDRESS_OUTSIDE,
                                 .ttl = 1,
                                 .total_len = 28,
                                 .protocol = IP_PROTOCOL_UDP,
                                 .options = bytes_empty()};
        ipv4_encode(&ip, &w);
        write_u16(&w, udp_local(socket)->port);
        write_u16(&w, i);
        write_u32(&w, 0);
        struct icmp_message message = {.type = ICMP_UNREACHABLE, .code = 3};
        message.u.error.gateway = address_any_v4();
        message.u.error.quoted = writer_bytes(&w);
        put(&s, &message, ADDRESS_US);
    }
    struct udp_error error;
    for (uint16_t i = 12; i < 20; i++) {
        assert_true(udp_next_error(socket, &error));
        assert_int_equal(error.to.port, i);
    }
    assert_false(udp_next_error(socket, &error));
    one_stack_close(&s);
}

static void test_malformed(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct ipv4_header ip = {
        .source = ADDRESS_PEER, .target = ADDRESS_US, .protocol = IP_PROTOCOL_ICMP};
    static const uint8_t wrong[] = {8, 0, 0x12, 0x34, 0, 0, 0, 0};
    one_stack_ip(&s, &ip, bytes_of(wrong, sizeof wrong));
    assert_int_equal(s.last_drop, DROP_ICMP_CHECKSUM);
    one_stack_ip(&s, &ip, bytes_of(wrong, 3));
    assert_int_equal(s.last_drop, DROP_ICMP_MALFORMED);
    assert_int_equal(stack_counters(s.stack)->icmpInErrors, 2);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_errors_reach_the_socket),
        cmocka_unit_test(test_errors_beyond_the_bound_push_out_the_oldest),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
