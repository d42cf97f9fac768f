/* SPDX-License-Identifier: ISC */
/* test_echo.c - pinging, and answering for others. */
#include "stack/echo.h"

#include "stack/echo_table.h"
#include "tests/support/one_stack.h"

static void put(struct one_stack *s, uint8_t type, uint16_t identifier, struct ip_address target,
                struct bytes data)
{
    static uint8_t body[2048];
    struct writer w = writer_of(body, sizeof body);
    struct icmp_message message = {.type = type};
    message.u.echo.identifier = identifier;
    message.u.echo.sequence = 5;
    message.u.echo.data = data;
    icmp_encode(&message, &w);
    struct ipv4_header ip = {
        .source = ADDRESS_PEER, .target = target, .ttl = 61, .protocol = IP_PROTOCOL_ICMP};
    one_stack_ip(s, &ip, writer_bytes(&w));
}

/* The identifier of the request that comes out. */
static uint16_t identifier_of(struct one_stack *s, struct echo_socket *socket)
{
    struct echo_message message = {
        .to = ADDRESS_PEER, .identifier = 0x1111, .sequence = 5, .payload = bytes_of_text("hello")};
    assert_true(echo_send(socket, &message));
    struct ipv4_header ip;
    struct icmp_message request = one_stack_next_icmp(s, 0, &ip);
    assert_int_equal(request.type, ICMP_ECHO_REQUEST);
    assert_int_equal(request.u.echo.sequence, 5);
    assert_true(bytes_equal(request.u.echo.data, bytes_of_text("hello")));
    struct ip_address us = ADDRESS_US;
    assert_true(address_equal(&ip.source, &us));
    return request.u.echo.identifier;
}

static void test_replies_find_their_socket(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct echo_socket *a = echo_open(s.stack, &(struct echo_options){0});
    struct echo_socket *b = echo_open(s.stack, &(struct echo_options){0});
    uint16_t id_a = identifier_of(&s, a);
    uint16_t id_b = identifier_of(&s, b);
    assert_int_not_equal(id_a, id_b);
    put(&s, ICMP_ECHO_REPLY, id_b, ADDRESS_US, bytes_of_text("hello"));
    struct echo_message got;
    assert_false(echo_receive(a, &got));
    struct socket_event event;
    assert_true(stack_next_event(s.stack, &event));
    assert_ptr_equal(socket_echo(event.socket), b);
    assert_true(echo_receive(b, &got));
    struct ip_address peer = ADDRESS_PEER;
    assert_true(got.reply);
    assert_true(address_equal(&got.from, &peer));
    assert_int_equal(got.identifier, id_b);
    assert_int_equal(got.sequence, 5);
    assert_int_equal(got.ttl, 61);
    assert_true(bytes_equal(got.payload, bytes_of_text("hello")));
    frame_unref(got.frame);
    put(&s, ICMP_ECHO_REPLY, (uint16_t)(id_a ^ id_b ^ 1), ADDRESS_US, bytes_empty());
    assert_false(stack_next_event(s.stack, &event));
    echo_close(b);
    put(&s, ICMP_ECHO_REPLY, id_b, ADDRESS_US, bytes_empty());
    assert_false(stack_next_event(s.stack, &event));
    one_stack_close(&s);
}

static void test_answering_for_others(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.features = INTERFACE_INTERCEPT});
    struct echo_socket *socket = echo_open(s.stack, &(struct echo_options){.intercept = true});
    assert_null(echo_open(s.stack, &(struct echo_options){.intercept = true}));
    put(&s, ICMP_ECHO_REQUEST, 0x4242, ADDRESS_OUTSIDE, bytes_of_text("are you there"));
    struct echo_message request;
    assert_true(echo_receive(socket, &request));
    assert_false(request.reply);
    struct echo_message reply = request;
    reply.reply = true;
    reply.from = request.to;
    reply.to = request.from;
    reply.ttl = 55;
    assert_true(echo_send(socket, &reply));
    struct ipv4_header ip;
    struct icmp_message message = one_stack_next_icmp(&s, 0, &ip);
    struct ip_address outside = ADDRESS_OUTSIDE;
    assert_true(address_equal(&ip.source, &outside));
    assert_int_equal(ip.ttl, 55);
    assert_int_equal(message.type, ICMP_ECHO_REPLY);
    assert_int_equal(message.u.echo.identifier, 0x4242);
    assert_true(bytes_equal(message.u.echo.data, bytes_of_text("are you there")));

    echo_unreachable(socket, &request, ICMP_HOST_UNREACHABLE);
    message = one_stack_next_icmp(&s, 0, &ip);
    assert_true(address_equal(&ip.source, &outside));
    assert_int_equal(message.type, ICMP_UNREACHABLE);
    assert_int_equal(message.code, ICMP_HOST_UNREACHABLE);
    struct ipv4_header quoted;
    assert_int_equal(ipv4_decode_quoted(message.u.error.quoted, &quoted), WIRE_OK);
    struct icmp_message inner;
    assert_int_equal(icmp_decode(quoted.payload, &inner), WIRE_OK);
    assert_int_equal(inner.u.echo.identifier, 0x4242);
    frame_unref(request.frame);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    one_stack_close(&s);
}

static void test_bounds(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.features = INTERFACE_INTERCEPT});
    struct echo_socket *socket = echo_open(s.stack, &(struct echo_options){.intercept = true});
    for (int i = 0; i < 2000; i++)
        put(&s, ICMP_ECHO_REQUEST, 1, ADDRESS_OUTSIDE, bytes_of_text("x"));
    struct frame_pool_counters frames;
    frame_pool_counters(s.frames, &frames);
    assert_true(frames.octets <= ECHO_QUEUE_OCTETS);
    assert_true(stack_drops(s.stack, DROP_UDP_QUEUE_FULL) > 0);
    size_t count = 1;
    while (echo_open(s.stack, &(struct echo_options){0}) != NULL)
        count++;
    assert_int_equal(count, ECHO_SOCKETS_MAX);
    static uint8_t huge[65536];
    struct echo_message message = {.to = ADDRESS_PEER, .payload = bytes_of(huge, sizeof huge)};
    assert_false(echo_send(socket, &message));
    message.payload.len = 65507;
    assert_true(echo_send(socket, &message));
    assert_int_equal(one_stack_drain(&s, 0), 45);
    message.to = ADDRESS_OUTSIDE;
    assert_false(echo_send(socket, &message)); /* no route */
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies_find_their_socket),
        cmocka_unit_test(test_answering_for_others),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
