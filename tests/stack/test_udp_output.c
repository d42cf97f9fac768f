/* SPDX-License-Identifier: ISC */
/* test_udp_output.c - what a socket sends, from where, and what it may not. */
#include "stack/udp.h"

#include "base/checksum.h"
#include "tests/support/one_stack.h"

struct setup {
    struct one_stack s;
    struct udp_socket *any;
    struct udp_socket *bound;
    struct udp_socket *loud; /* may broadcast */
};

static void setup_open(struct setup *u)
{
    one_stack_open(&u->s, &(struct one_stack_options){.far_mtu = 1500});
    struct ip_prefix all = {address_any_v4(), 0};
    struct ip_address gateway = ADDRESS_PEER;
    assert_true(stack_add_route(u->s.stack, &all, &gateway, 0));
    u->any = udp_open(u->s.stack, &(struct udp_options){.local = {address_any_v4(), 53}});
    u->bound = udp_open(u->s.stack, &(struct udp_options){.local = {ADDRESS_FAR_US, 54}});
    u->loud = udp_open(u->s.stack,
                       &(struct udp_options){.broadcast = true, .local = {address_any_v4(), 67}});
}

static const struct {
    const char *name;
    enum { FROM_ANY, FROM_BOUND, FROM_LOUD } socket;
    uint32_t to;
    uint32_t from;
    uint16_t from_port;
    int interface;
    size_t len;
    enum udp_status status;
    unsigned out; /* interface */
    uint32_t source;
    uint16_t source_port;
} cases[] = {
    {"by route", FROM_ANY, 0x0a000002, 0, 0, -1, 5, UDP_SENT, 0, 0x0a000001, 53},
    {"by route, the other way", FROM_ANY, 0x0a000102, 0, 0, -1, 5, UDP_SENT, 1, 0x0a000101, 53},
    {"from the address it is bound to", FROM_BOUND, 0x0a000002, 0, 0, -1, 5, UDP_SENT, 0,
     0x0a000101, 54},
    {"speaking for another host", FROM_ANY, 0x0a000002, 0xc0000201, 80, -1, 5, UDP_SENT, 0,
     0xc0000201, 80},
    {"nothing at all", FROM_ANY, 0x0a000002, 0, 0, -1, 0, UDP_SENT, 0, 0x0a000001, 53},
    {"broadcast without leave", FROM_ANY, 0x0a0000ff, 0, 0, -1, 5, UDP_NOT_ALLOWED, 0, 0, 0},
    {"limited broadcast without leave", FROM_ANY, 0xffffffff, 0, 0, 0, 5, UDP_NOT_ALLOWED, 0, 0, 0},
    {"broadcast with leave", FROM_LOUD, 0x0a0001ff, 0, 0, -1, 5, UDP_SENT, 1, 0x0a000101, 67},
    {"limited broadcast", FROM_LOUD, 0xffffffff, 0, 0, 1, 5, UDP_SENT, 1, 0x0a000101, 67},
    {"limited broadcast without interface", FROM_LOUD, 0xffffffff, 0, 0, -1, 5, UDP_NO_ROUTE, 0, 0,
     0},
    {"no such interface", FROM_ANY, 0x0a000002, 0, 0, 9, 5, UDP_NO_ROUTE, 0, 0, 0},
    {"larger than a packet", FROM_ANY, 0x0a000002, 0, 0, -1, 65508, UDP_TOO_BIG, 0, 0, 0},
};

static void test_sending(void **state)
{
    (void)state;
    static uint8_t payload[65536];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct setup u;
        setup_open(&u);
        struct udp_socket *sockets[] = {u.any, u.bound, u.loud};
        struct udp_send_options options = {
            .to = {address_v4(cases[i].to), 9},
            .from = {address_v4(cases[i].from), cases[i].from_port},
            .interface = cases[i].interface,
            .ttl = 9,
        };
        CHECK_EQUAL(cases[i].name,
                    udp_send(sockets[cases[i].socket], &options, bytes_of(payload, cases[i].len)),
                    cases[i].status);
        if (cases[i].status == UDP_SENT) {
            struct ipv4_header ip = one_stack_next_ip(&u.s, cases[i].out);
            struct udp_header udp;
            CHECK_EQUAL(cases[i].name, udp_decode(ip.payload, &udp), WIRE_OK);
            CHECK_EQUAL(cases[i].name, address_v4_value(&ip.source), cases[i].source);
            CHECK_EQUAL(cases[i].name, address_v4_value(&ip.target), cases[i].to);
            CHECK_EQUAL(cases[i].name, udp.source_port, cases[i].source_port);
            CHECK_EQUAL(cases[i].name, udp.target_port, 9);
            CHECK_EQUAL(cases[i].name, udp.payload.len, cases[i].len);
            CHECK_EQUAL(cases[i].name, ip.ttl, 9);
            uint64_t sum =
                checksum_pseudo(&ip.source, &ip.target, IP_PROTOCOL_UDP, (uint32_t)ip.payload.len) +
                checksum_sum(ip.payload);
            CHECK_EQUAL(cases[i].name, checksum_fold(sum), 0xffff);
            CHECK(cases[i].name, udp.checksum != 0);
        }
        CHECK_EQUAL(cases[i].name, one_stack_drain(&u.s, 0) + one_stack_drain(&u.s, 1), 0);
        one_stack_close(&u.s);
    }
}

/* RFC 768: a sum that comes out as zero is sent as all ones; zero would say there is none. */
static void test_a_checksum_is_never_zero(void **state)
{
    (void)state;
    struct setup u;
    setup_open(&u);
    int ones = 0;
    for (uint32_t value = 0; value < 65536; value += 1) {
        uint8_t payload[2] = {(uint8_t)(value >> 8), (uint8_t)value};
        struct udp_send_options options = {.to = {ADDRESS_PEER, 9}, .interface = -1};
        assert_int_equal(udp_send(u.any, &options, bytes_of(payload, 2)), UDP_SENT);
        assert_true(one_stack_next(&u.s, 0));
        unsigned checksum = (unsigned)u.s.out[40] << 8 | u.s.out[41];
        assert_true(checksum != 0);
        ones += checksum == 0xffff;
    }
    assert_true(ones >= 1);
    one_stack_close(&u.s);
}

static void test_a_frame_is_sent_where_it_lies(void **state)
{
    (void)state;
    struct setup u;
    setup_open(&u);
    struct frame *frame = frame_new(u.s.frames, 1000);
    memset(frame->data, 'x', 1000);
    frame->len = 1000;
    const uint8_t *payload = frame->data;
    struct udp_send_options options = {.to = {ADDRESS_PEER, 9}, .interface = -1};
    assert_int_equal(udp_send_frame(u.any, &options, frame), UDP_SENT);
    struct frame *out = stack_output(u.s.stack, 0);
    assert_ptr_equal(out, frame);
    assert_ptr_equal(out->data + 42, payload);
    frame_unref(out);
    one_stack_close(&u.s);
}

static struct frame *payload_of(const struct setup *u, size_t len)
{
    struct frame *frame = frame_new(u->s.frames, len);
    memset(frame->data, 'x', len);
    frame->len = len;
    return frame;
}

static void test_datagrams_in_one_piece(void **state)
{
    (void)state;
    struct setup u;
    setup_open(&u);
    struct ip_address peer = ADDRESS_PEER, us = ADDRESS_US, far = ADDRESS_FAR_PEER;
    struct udp_send_options options = {.to = {peer, 9}, .interface = -1, .segment = 100};
    uint64_t sent = stack_counters(u.s.stack)->udpOutDatagrams;
    assert_false(udp_takes_segments(u.any, &peer, 100));
    assert_int_equal(udp_send_frame(u.any, &options, payload_of(&u, 250)), UDP_TOO_BIG);
    stack_add_features(u.s.stack, 0, INTERFACE_CHECKSUM | INTERFACE_USO4);
    assert_true(udp_takes_segments(u.any, &peer, 100));
    assert_true(udp_takes_segments(u.any, &peer, 1472));
    assert_false(udp_takes_segments(u.any, &peer, 1473)); /* each must fit the way */
    assert_false(udp_takes_segments(u.any, &us, 100));
    assert_false(udp_takes_segments(u.any, &far, 100));   /* by another interface */
    assert_int_equal(udp_send_frame(u.any, &options, payload_of(&u, 60000)), UDP_SENT);
    struct frame *out = stack_output(u.s.stack, 0);
    assert_int_equal(frame_total(out), 60042);
    assert_int_equal(out->offload.gso, FRAME_GSO_UDP4);
    assert_int_equal(out->offload.gso_size, 100);
    assert_int_equal(out->offload.checksum, FRAME_CHECKSUM_PARTIAL);
    frame_unref(out);
    assert_int_equal(udp_send_frame(u.any, &options, payload_of(&u, 100)), UDP_SENT);
    out = stack_output(u.s.stack, 0);
    assert_int_equal(out->offload.gso, FRAME_GSO_NONE); /* it is one */
    frame_unref(out);
    assert_int_equal(stack_counters(u.s.stack)->udpOutDatagrams - sent, 3 + 600 + 1);
    one_stack_close(&u.s);
}

static void test_a_refusal_comes_from_the_foreign_host(void **state)
{
    (void)state;
    struct setup u;
    setup_open(&u);
    struct endpoint from = endpoint_of(ADDRESS_PEER, 1234);
    struct endpoint to = endpoint_of(ADDRESS_OUTSIDE, 53);
    static uint8_t payload[2000];
    static const size_t sizes[] = {0, 5, 520, 2000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        udp_unreachable(u.any, &from, &to, bytes_of(payload, sizes[i]), ICMP_PORT_UNREACHABLE);
        struct ipv4_header ip;
        struct icmp_message message = one_stack_next_icmp(&u.s, 0, &ip);
        assert_true(address_equal(&ip.source, &to.address));
        assert_true(address_equal(&ip.target, &from.address));
        assert_true(ip.total_len <= 576);
        assert_int_equal(message.code, ICMP_PORT_UNREACHABLE);
        struct ipv4_header quoted;
        assert_int_equal(ipv4_decode_quoted(message.u.error.quoted, &quoted), WIRE_OK);
        assert_true(address_equal(&quoted.source, &from.address));
        assert_true(address_equal(&quoted.target, &to.address));
        assert_int_equal(quoted.protocol, IP_PROTOCOL_UDP);
        struct reader r = reader_of(quoted.payload);
        assert_int_equal(read_u16(&r), 1234);
        assert_int_equal(read_u16(&r), 53);
    }
    one_stack_close(&u.s);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct setup u;
    setup_open(&u);
    u.s.counts.fail_at = 1;
    struct udp_send_options options = {.to = {ADDRESS_PEER, 9}, .interface = -1};
    static uint8_t payload[9000];
    assert_int_equal(udp_send(u.any, &options, bytes_of(payload, sizeof payload)), UDP_NO_MEMORY);
    u.s.counts.fail_at = 0;
    assert_int_equal(udp_send(u.any, &options, bytes_of(payload, sizeof payload)), UDP_SENT);
    one_stack_close(&u.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sending),
        cmocka_unit_test(test_a_checksum_is_never_zero),
        cmocka_unit_test(test_a_frame_is_sent_where_it_lies),
        cmocka_unit_test(test_datagrams_in_one_piece),
        cmocka_unit_test(test_a_refusal_comes_from_the_foreign_host),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
