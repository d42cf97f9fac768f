/* SPDX-License-Identifier: ISC */
/* test_ip_forward.c - what a router passes on, and what it says of the rest (RFC 1812 §5). */
#include "stack/ip.h"

#include "base/checksum.h"
#include "tests/support/one_stack.h"

enum { PASSED = 255 }; /* instead of an ICMP type; 254: silence */
enum { SILENCE = 254 };

static const struct {
    const char *name;
    uint32_t source;
    uint32_t target;
    uint8_t ttl;
    bool dont_fragment;
    size_t len;
    uint8_t answer; /* PASSED, SILENCE, or the type of an error */
    uint8_t code;
    uint16_t mtu;
} cases[] = {
    {"passed on", 0x0a000002, 0x0a000102, 64, false, 100, PASSED, 0, 0},
    {"with the last hop but one", 0x0a000002, 0x0a000102, 2, false, 100, PASSED, 0, 0},
    {"TTL used up", 0x0a000002, 0x0a000102, 1, false, 100, ICMP_TIME_EXCEEDED, 0, 0},
    {"no route", 0x0a000002, 0xc6336401, 64, false, 100, ICMP_UNREACHABLE, ICMP_NET_UNREACHABLE, 0},
    {"just fits", 0x0a000002, 0x0a000102, 64, true, 980, PASSED, 0, 0},
    {"too big, and DF (RFC 1191 §4)", 0x0a000002, 0x0a000102, 64, true, 981, ICMP_UNREACHABLE,
     ICMP_FRAGMENTATION_NEEDED, 1000},
    {"a directed broadcast is not let in (RFC 2644)", 0x0a000002, 0x0a0001ff, 64, false, 100,
     SILENCE, 0, 0},
    {"link-local source (RFC 3927 §7)", 0xa9fe0102, 0x0a000102, 64, false, 100, SILENCE, 0, 0},
    {"link-local target", 0x0a000002, 0xa9fe0102, 64, false, 100, SILENCE, 0, 0},
};

static void test_verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct one_stack s;
        one_stack_open(&s, &(struct one_stack_options){.far_mtu = 1000, .stack.forwarding = true});
        static uint8_t payload[2000];
        struct ipv4_header ip = {.source = address_v4(cases[i].source),
                                 .target = address_v4(cases[i].target),
                                 .ttl = cases[i].ttl,
                                 .dont_fragment = cases[i].dont_fragment,
                                 .protocol = 99,
                                 .identification = 0x5555,
                                 .traffic_class = 0x28};
        one_stack_ip(&s, &ip, bytes_of(payload, cases[i].len));
        if (cases[i].answer == PASSED) {
            struct ipv4_header out = one_stack_next_ip(&s, 1); /* its checksum was verified */
            CHECK_EQUAL(cases[i].name, out.ttl, cases[i].ttl - 1);
            CHECK(cases[i].name, address_equal(&out.source, &ip.source));
            CHECK(cases[i].name, address_equal(&out.target, &ip.target));
            CHECK_EQUAL(cases[i].name, out.identification, 0x5555);
            CHECK_EQUAL(cases[i].name, out.traffic_class, 0x28);
            CHECK_EQUAL(cases[i].name, out.payload.len, cases[i].len);
            CHECK(cases[i].name, memcmp(s.out, mac_far_peer.octets, 6) == 0);
            CHECK_EQUAL(cases[i].name, stack_counters(s.stack)->ipForwDatagrams, 1);
        } else if (cases[i].answer != SILENCE) {
            struct ipv4_header out;
            struct icmp_message message = one_stack_next_icmp(&s, 0, &out);
            CHECK_EQUAL(cases[i].name, message.type, cases[i].answer);
            CHECK_EQUAL(cases[i].name, message.code, cases[i].code);
            CHECK_EQUAL(cases[i].name, message.u.error.mtu, cases[i].mtu);
            CHECK_EQUAL(cases[i].name, address_v4_value(&out.source), 0x0a000001);
            CHECK_EQUAL(cases[i].name, out.traffic_class, 0xc0);
            CHECK(cases[i].name, s.last_drop != DROP_NONE);
        } else {
            CHECK_EQUAL(cases[i].name, s.last_drop, DROP_IP_NOT_OURS);
        }
        CHECK_EQUAL(cases[i].name, one_stack_drain(&s, 0) + one_stack_drain(&s, 1), 0);
        one_stack_close(&s);
    }
}

/* RFC 1624 over every TTL, with header sums that carry. */
static void test_the_checksum_holds_at_every_ttl(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.far_mtu = 1000, .stack.forwarding = true});
    for (unsigned ttl = 2; ttl < 256; ttl++) {
        for (uint32_t id = 0; id < 65536; id += 4369) {
            struct ipv4_header ip = {.source = ADDRESS_PEER,
                                     .target = ADDRESS_FAR_PEER,
                                     .ttl = (uint8_t)ttl,
                                     .protocol = 99,
                                     .identification = (uint16_t)id};
            one_stack_ip(&s, &ip, bytes_of_text("x"));
            assert_int_equal(one_stack_next_ip(&s, 1).ttl, ttl - 1);
        }
    }
    one_stack_close(&s);
}

/* Nobody behind us answers: the sender of the packet is told (RFC 1812 §5.2.7.1). */
static void test_an_unreachable_host_is_told_to_the_sender(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.far_mtu = 1000, .stack.forwarding = true});
    struct ipv4_header ip = {
        .source = ADDRESS_PEER, .target = address_v4(0x0a000163), .protocol = IP_PROTOCOL_UDP};
    uint8_t payload[16] = {0};
    one_stack_ip(&s, &ip, bytes_of(payload, sizeof payload));
    assert_int_equal(one_stack_drain(&s, 1), 1); /* who has? */
    one_stack_wait(&s, 4 * USEC_PER_SEC);
    struct ipv4_header out;
    struct icmp_message message = one_stack_next_icmp(&s, 0, &out);
    assert_int_equal(message.type, ICMP_UNREACHABLE);
    assert_int_equal(message.code, ICMP_HOST_UNREACHABLE);
    assert_true(address_equal(&out.target, &ip.source));
    one_stack_close(&s);
}

static const struct {
    const char *name;
    unsigned far_features;
    uint16_t far_mtu;
    uint16_t gso_size;
    bool passed;
} super_segments[] = {
    {"the far device cannot cut it", 0, 1500, 1448, false},
    {"the far device cuts it", INTERFACE_TSO4, 1500, 1448, true},
    {"parts as large as the link takes", INTERFACE_TSO4, 1488, 1448, true},
    {"parts larger than the link takes", INTERFACE_TSO4, 1487, 1448, false},
};

static void test_super_segments(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(super_segments); i++) {
        struct one_stack s;
        one_stack_open(&s,
                       &(struct one_stack_options){.far_mtu = super_segments[i].far_mtu,
                                                   .far_features = super_segments[i].far_features,
                                                   .stack.forwarding = true});
        struct frame *frame = frame_new(s.frames, 10000);
        memset(frame->data, 0, 10000);
        struct writer w = writer_of(frame->data, 100);
        struct ethernet_header ethernet = {
            .target = mac_us, .source = mac_peer, .type = ETHERNET_IPV4, .payload = bytes_empty()};
        ethernet_encode(&ethernet, &w);
        struct ipv4_header ip = {.source = ADDRESS_PEER,
                                 .target = ADDRESS_FAR_PEER,
                                 .ttl = 64,
                                 .total_len = 8000,
                                 .dont_fragment = true,
                                 .protocol = IP_PROTOCOL_TCP,
                                 .options = bytes_empty()};
        ipv4_encode(&ip, &w);
        frame->data[34 + 12] = 5 << 4; /* the TCP header's length */
        frame->len = 8014;
        frame->offload.gso = FRAME_GSO_TCP4;
        frame->offload.gso_size = super_segments[i].gso_size;
        s.last_drop = DROP_NONE;
        stack_input(s.stack, 0, frame, s.now);
        bool passed = super_segments[i].passed;
        CHECK_EQUAL(super_segments[i].name, s.last_drop, passed ? DROP_NONE : DROP_IP_TOO_BIG);
        CHECK_EQUAL(super_segments[i].name, one_stack_drain(&s, 1), passed);
        if (!passed) {
            struct ipv4_header out;
            struct icmp_message message = one_stack_next_icmp(&s, 0, &out);
            CHECK_EQUAL(super_segments[i].name, message.code, ICMP_FRAGMENTATION_NEEDED);
            CHECK_EQUAL(super_segments[i].name, message.u.error.mtu, super_segments[i].far_mtu);
        }
        one_stack_close(&s);
    }
}

/* Links pad short frames; the next link is not sent the padding. */
static void test_padding_is_not_passed_on(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.far_mtu = 1500, .stack.forwarding = true});
    uint8_t octets[60] = {0};
    struct writer w = writer_of(octets, sizeof octets);
    struct ethernet_header ethernet = {
        .target = mac_us, .source = mac_peer, .type = ETHERNET_IPV4, .payload = bytes_empty()};
    ethernet_encode(&ethernet, &w);
    struct ipv4_header ip = {.source = ADDRESS_PEER,
                             .target = ADDRESS_FAR_PEER,
                             .ttl = 64,
                             .total_len = 21,
                             .protocol = 99,
                             .options = bytes_empty()};
    ipv4_encode(&ip, &w);
    one_stack_frame(&s, 0, bytes_of(octets, sizeof octets));
    assert_true(one_stack_next(&s, 1));
    assert_int_equal(s.out_len, 14 + 21);
    one_stack_close(&s);
}

static void test_without_forwarding_nothing_passes(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.far_mtu = 1000});
    struct ipv4_header ip = {.source = ADDRESS_PEER, .target = ADDRESS_FAR_PEER, .protocol = 99};
    one_stack_ip(&s, &ip, bytes_of_text("x"));
    assert_int_equal(s.last_drop, DROP_IP_NOT_OURS);
    assert_int_equal(one_stack_drain(&s, 0) + one_stack_drain(&s, 1), 0);
    /* The weak host model: the far address is ours all the same. */
    ip.target = ADDRESS_FAR_US;
    one_stack_ip(&s, &ip, bytes_of_text("x"));
    assert_int_equal(s.last_drop, DROP_IP_PROTOCOL);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_the_checksum_holds_at_every_ttl),
        cmocka_unit_test(test_an_unreachable_host_is_told_to_the_sender),
        cmocka_unit_test(test_super_segments),
        cmocka_unit_test(test_padding_is_not_passed_on),
        cmocka_unit_test(test_without_forwarding_nothing_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
