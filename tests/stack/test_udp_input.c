/* SPDX-License-Identifier: ISC */
/* test_udp_input.c - which socket a datagram goes to, and which goes to none (RFC 1122 §4.1.3). */
#include "stack/udp.h"

#include "base/checksum.h"
#include "tests/support/one_stack.h"

enum { ANY, BOUND, OTHER, GROUP, INTERCEPTOR, SOCKETS };

struct sockets {
    struct udp_socket *at[SOCKETS];
};

static void open_all(struct one_stack *s, struct sockets *sockets)
{
    sockets->at[ANY] = udp_open(s->stack, &(struct udp_options){.local = {address_any_v4(), 53}});
    sockets->at[BOUND] = udp_open(s->stack, &(struct udp_options){.local = {ADDRESS_US, 53}});
    sockets->at[OTHER] = udp_open(s->stack, &(struct udp_options){.local = {address_any_v4(), 67}});
    sockets->at[GROUP] =
        udp_open(s->stack, &(struct udp_options){.local = {address_v4(0xe00000fb), 53}});
    sockets->at[INTERCEPTOR] = udp_open(s->stack, &(struct udp_options){.intercept = true});
    for (size_t i = 0; i < SOCKETS; i++)
        assert_non_null(sockets->at[i]);
}

static const struct {
    const char *name;
    uint32_t source;
    uint32_t target;
    uint16_t port;
    unsigned to; /* a bit for each socket */
    bool unreachable;
} cases[] = {
    {"the socket bound to the address", 0x0a000002, 0x0a000001, 53, 1 << BOUND, false},
    {"the wildcard, for another address of ours", 0x0a000002, 0x0a000101, 53, 1 << ANY, false},
    {"the port alone", 0x0a000002, 0x0a000001, 67, 1 << OTHER, false},
    {"broadcast goes to the wildcard", 0x0a000002, 0x0a0000ff, 53, 1 << ANY, false},
    {"limited broadcast, from a host without address", 0, 0xffffffff, 67, 1 << OTHER, false},
    {"a group goes to those bound to it, and the wildcard", 0x0a000002, 0xe00000fb, 53,
     1 << GROUP | 1 << ANY, false},
    {"another group goes to the wildcard only", 0x0a000002, 0xe0000001, 53, 1 << ANY, false},
    {"a foreign address, to the interceptor", 0x0a000002, 0xc0000201, 53, 1 << INTERCEPTOR, false},
    {"a foreign address, any port", 0x0a000002, 0xc0000201, 9999, 1 << INTERCEPTOR, false},
    {"no such port", 0x0a000002, 0x0a000001, 9, 0, true},
    {"no such port, broadcast", 0x0a000002, 0x0a0000ff, 9, 0, false},
    {"no such port, group", 0x0a000002, 0xe0000001, 9, 0, false},
};

static void test_demultiplexing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct one_stack s;
        one_stack_open(
            &s, &(struct one_stack_options){.far_mtu = 1500, .features = INTERFACE_INTERCEPT});
        struct sockets sockets;
        open_all(&s, &sockets);
        struct endpoint from = endpoint_of(address_v4(cases[i].source), 1234);
        struct endpoint to = endpoint_of(address_v4(cases[i].target), cases[i].port);
        one_stack_udp(&s, &from, &to, bytes_of_text("hello"));
        for (unsigned k = 0; k < SOCKETS; k++) {
            struct udp_datagram got;
            bool wanted = (cases[i].to >> k & 1) != 0;
            CHECK_EQUAL(cases[i].name, udp_receive(sockets.at[k], &got), wanted);
            if (!wanted)
                continue;
            CHECK(cases[i].name, bytes_equal(got.payload, bytes_of_text("hello")));
            CHECK(cases[i].name, endpoint_equal(&got.from, &from));
            CHECK(cases[i].name, endpoint_equal(&got.to, &to));
            CHECK(cases[i].name, mac_equal(&got.mac, &mac_peer));
            CHECK_EQUAL(cases[i].name, got.interface, 0);
            frame_unref(got.frame);
            CHECK(cases[i].name, !udp_receive(sockets.at[k], &got));
        }
        CHECK_EQUAL(cases[i].name, s.last_drop, cases[i].to == 0 ? DROP_UDP_NO_PORT : DROP_NONE);
        CHECK_EQUAL(cases[i].name, stack_counters(s.stack)->udpNoPorts, cases[i].to == 0);
        if (cases[i].unreachable) {
            struct ipv4_header ip;
            struct icmp_message message = one_stack_next_icmp(&s, 0, &ip);
            CHECK_EQUAL(cases[i].name, message.type, ICMP_UNREACHABLE);
            CHECK_EQUAL(cases[i].name, message.code, ICMP_PORT_UNREACHABLE);
        }
        CHECK_EQUAL(cases[i].name, one_stack_drain(&s, 0), 0);
        one_stack_close(&s);
    }
}

static const struct {
    const char *name;
    uint8_t datagram[12];
    size_t len;
    enum drop_reason drop;
    size_t payload;
} headers[] = {
    {"no checksum (RFC 768)", {4, 210, 0, 53, 0, 10, 0, 0, 'h', 'i'}, 10, DROP_NONE, 2},
    {"a wrong checksum", {4, 210, 0, 53, 0, 10, 1, 2, 'h', 'i'}, 10, DROP_UDP_CHECKSUM, 0},
    {"octets behind Length are not the datagram's",
     {4, 210, 0, 53, 0, 9, 0, 0, 'h', 'i'},
     10,
     DROP_NONE,
     1},
    {"an empty datagram", {4, 210, 0, 53, 0, 8, 0, 0}, 8, DROP_NONE, 0},
    {"Length beyond the packet", {4, 210, 0, 53, 0, 11, 0, 0, 'h', 'i'}, 10, DROP_UDP_MALFORMED, 0},
    {"Length below the header", {4, 210, 0, 53, 0, 7, 0, 0, 'h', 'i'}, 10, DROP_UDP_MALFORMED, 0},
    {"half a header", {4, 210, 0, 53}, 4, DROP_UDP_MALFORMED, 0},
};

static void test_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        struct udp_socket *socket =
            udp_open(s.stack, &(struct udp_options){.local = {address_any_v4(), 53}});
        struct ipv4_header ip = {
            .source = ADDRESS_PEER, .target = ADDRESS_US, .protocol = IP_PROTOCOL_UDP};
        one_stack_ip(&s, &ip, bytes_of(headers[i].datagram, headers[i].len));
        CHECK_EQUAL(headers[i].name, s.last_drop, headers[i].drop);
        struct udp_datagram got;
        bool taken = udp_receive(socket, &got);
        CHECK_EQUAL(headers[i].name, taken, headers[i].drop == DROP_NONE);
        CHECK_EQUAL(headers[i].name, stack_counters(s.stack)->udpInErrors, !taken);
        CHECK_EQUAL(headers[i].name, stack_counters(s.stack)->udpInDatagrams, taken);
        if (taken) {
            CHECK_EQUAL(headers[i].name, got.payload.len, headers[i].payload);
            frame_unref(got.frame);
        }
        CHECK_EQUAL(headers[i].name, one_stack_drain(&s, 0), 0);
        one_stack_close(&s);
    }
}

/* Every bit of a datagram is covered by its checksum or the checks of IP. */
static void test_every_flipped_bit_is_seen(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct udp_socket *socket =
        udp_open(s.stack, &(struct udp_options){.local = {address_any_v4(), 53}});
    uint8_t datagram[20];
    struct writer w = writer_of(datagram, sizeof datagram);
    struct udp_header udp = {
        .source_port = 1234, .target_port = 53, .payload = bytes_of_text("abcdefghijkl")};
    udp_encode(&udp, &w);
    struct ip_address peer = ADDRESS_PEER;
    struct ip_address us = ADDRESS_US;
    uint64_t sum =
        checksum_pseudo(&peer, &us, IP_PROTOCOL_UDP, 20) + checksum_sum(writer_bytes(&w));
    write_u16_at(&w, UDP_CHECKSUM_OFFSET, (uint16_t)~checksum_fold(sum));
    struct ipv4_header ip = {.source = peer, .target = us, .protocol = IP_PROTOCOL_UDP};
    struct udp_datagram got;
    for (size_t bit = 0; bit < sizeof datagram * 8; bit++) {
        datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
        one_stack_ip(&s, &ip, bytes_of(datagram, sizeof datagram));
        assert_false(udp_receive(socket, &got));
        datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    one_stack_ip(&s, &ip, bytes_of(datagram, sizeof datagram));
    assert_true(udp_receive(socket, &got));
    frame_unref(got.frame);
    one_stack_close(&s);
}

/* A datagram of a few octets in a device's 64 KiB buffer does not keep the buffer. */
static void test_small_datagrams_do_not_hold_large_buffers(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct udp_socket *socket =
        udp_open(s.stack, &(struct udp_options){.local = {address_any_v4(), 53}});
    struct frame *frame = frame_new(s.frames, 65536);
    struct writer w = writer_of(frame->data, 128);
    struct ethernet_header ethernet = {
        .target = mac_us, .source = mac_peer, .type = ETHERNET_IPV4, .payload = bytes_empty()};
    ethernet_encode(&ethernet, &w);
    struct ipv4_header ip = {.source = ADDRESS_PEER,
                             .target = ADDRESS_US,
                             .ttl = 64,
                             .total_len = 30,
                             .protocol = IP_PROTOCOL_UDP,
                             .options = bytes_empty()};
    ipv4_encode(&ip, &w);
    write_copy(&w, headers[0].datagram, headers[0].len);
    frame->len = writer_len(&w);
    stack_input(s.stack, 0, frame, s.now);
    struct frame_pool_counters frames;
    frame_pool_counters(s.frames, &frames);
    assert_int_equal(frames.frames, 1);
    assert_true(frames.octets < 1000);
    struct udp_datagram got;
    assert_true(udp_receive(socket, &got));
    assert_true(bytes_equal(got.payload, bytes_of_text("hi")));
    assert_int_equal(got.from.port, 1234);
    frame_unref(got.frame);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_demultiplexing),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_every_flipped_bit_is_seen),
        cmocka_unit_test(test_small_datagrams_do_not_hold_large_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
