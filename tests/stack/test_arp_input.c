/* SPDX-License-Identifier: ISC */
/* test_arp_input.c - RFC 826's reception, case by case. */
#include "stack/neighbour.h"

#include "tests/support/one_stack.h"

#define US 0x0a000001
#define PEER 0x0a000002
#define THIRD 0x0a000003

static const struct {
    const char *name;
    uint16_t operation;
    uint32_t source;
    uint32_t target;
    uint8_t first_octet; /* of the sender's hardware address */
    bool known;          /* is there an entry before? */
    int state;           /* of the sender's entry afterwards; -1: none */
    bool answered;
    enum drop_reason drop;
} cases[] = {
    {"a request for us is answered and makes an entry", ARP_REQUEST, PEER, US, 2, false,
     NEIGHBOUR_STALE, true, DROP_NONE},
    {"a request for another makes no entry", ARP_REQUEST, PEER, THIRD, 2, false, -1, false,
     DROP_NONE},
    {"a request for another updates what is there (merge flag)", ARP_REQUEST, PEER, THIRD, 2, true,
     NEIGHBOUR_STALE, false, DROP_NONE},
    {"a reply nobody asked for makes no reachable entry", ARP_REPLY, PEER, US, 2, false,
     NEIGHBOUR_STALE, false, DROP_NONE},
    {"a reply to another makes no entry", ARP_REPLY, PEER, THIRD, 2, false, -1, false, DROP_NONE},
    {"an announcement makes no entry", ARP_REQUEST, PEER, PEER, 2, false, -1, false, DROP_NONE},
    {"an announcement updates what is there", ARP_REQUEST, PEER, PEER, 2, true, NEIGHBOUR_STALE,
     false, DROP_NONE},
    {"a probe for our address is answered, and is no entry (RFC 5227)", ARP_REQUEST, 0, US, 2,
     false, -1, true, DROP_NONE},
    {"a probe for another's is nothing to us", ARP_REQUEST, 0, THIRD, 2, false, -1, false,
     DROP_NONE},
    {"a group as sender hardware address is not believed (RFC 1812 §3.3.2)", ARP_REPLY, PEER, US, 3,
     false, -1, false, DROP_ARP_MALFORMED},
    {"broadcast as sender address", ARP_REPLY, 0xffffffff, US, 2, false, -1, false,
     DROP_ARP_MALFORMED},
    {"a group as sender address", ARP_REPLY, 0xe0000001, US, 2, false, -1, false,
     DROP_ARP_MALFORMED},
    {"loopback as sender address", ARP_REPLY, 0x7f000001, US, 2, false, -1, false,
     DROP_ARP_MALFORMED},
    {"an unknown operation", 3, PEER, US, 2, false, -1, false, DROP_ARP_MALFORMED},
};

static int state_of(struct one_stack *s, uint32_t value)
{
    struct ip_address address = address_v4(value);
    struct neighbour_info info;
    size_t place = 0;
    while (stack_each_neighbour(s->stack, &place, &info))
        if (address_equal(&info.address, &address))
            return info.state;
    return -1;
}

static void learn_elsewhere(struct one_stack *s)
{
    struct mac other = {{2, 0, 0, 0, 0, 0x55}};
    one_stack_arp(s, ARP_REQUEST, &other, address_v4(PEER), address_v4(US));
    one_stack_drain(s, 0);
}

static void test_reception(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct one_stack s;
        one_stack_open(&s, &(struct one_stack_options){.unresolved = true});
        if (cases[i].known)
            learn_elsewhere(&s);
        struct mac mac = mac_peer;
        mac.octets[0] = cases[i].first_octet;
        uint8_t body[ARP_LEN];
        struct writer w = writer_of(body, sizeof body);
        struct arp_packet packet = {
            .operation = cases[i].operation,
            .source_mac = mac,
            .source = address_v4(cases[i].source),
            .target = address_v4(cases[i].target),
        };
        arp_encode(&packet, &w);
        uint8_t octets[64];
        w = writer_of(octets, sizeof octets);
        struct ethernet_header ethernet = {.target = ethernet_broadcast(),
                                           .source = mac_peer,
                                           .type = ETHERNET_ARP,
                                           .payload = bytes_of(body, sizeof body)};
        ethernet_encode(&ethernet, &w);
        one_stack_frame(&s, 0, writer_bytes(&w));

        CHECK_EQUAL(cases[i].name, s.last_drop, cases[i].drop);
        CHECK_EQUAL(cases[i].name, state_of(&s, cases[i].source), cases[i].state);
        if (cases[i].answered) {
            struct arp_packet reply = one_stack_next_arp(&s, 0);
            CHECK_EQUAL(cases[i].name, reply.operation, ARP_REPLY);
            CHECK_EQUAL(cases[i].name, address_v4_value(&reply.source), US);
            CHECK_EQUAL(cases[i].name, address_v4_value(&reply.target), cases[i].source);
            CHECK(cases[i].name, mac_equal(&reply.source_mac, &mac_us));
            CHECK(cases[i].name, mac_equal(&reply.target_mac, &mac_peer));
            CHECK(cases[i].name, memcmp(s.out, mac_peer.octets, 6) == 0);
        }
        CHECK_EQUAL(cases[i].name, one_stack_drain(&s, 0), 0);
        one_stack_close(&s);
    }
}

static void test_every_cut_is_malformed(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true});
    uint8_t octets[64];
    struct writer w = writer_of(octets, sizeof octets);
    uint8_t body[ARP_LEN];
    struct writer b = writer_of(body, sizeof body);
    struct arp_packet packet = {.operation = ARP_REQUEST,
                                .source_mac = mac_peer,
                                .source = ADDRESS_PEER,
                                .target = ADDRESS_US};
    arp_encode(&packet, &b);
    struct ethernet_header ethernet = {.target = ethernet_broadcast(),
                                       .source = mac_peer,
                                       .type = ETHERNET_ARP,
                                       .payload = writer_bytes(&b)};
    ethernet_encode(&ethernet, &w);
    for (size_t cut = ETHERNET_HEADER_LEN; cut < writer_len(&w); cut++) {
        one_stack_frame(&s, 0, bytes_of(octets, cut));
        assert_int_equal(s.last_drop, DROP_ARP_MALFORMED);
    }
    assert_int_equal(one_stack_drain(&s, 0), 0);
    one_stack_close(&s);
}

static void test_our_own_packet_coming_back_is_nothing(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true});
    one_stack_arp(&s, ARP_REQUEST, &mac_us, ADDRESS_US, ADDRESS_US);
    one_stack_arp(&s, ARP_REQUEST, &mac_us, ADDRESS_US, ADDRESS_PEER);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    assert_int_equal(state_of(&s, US), -1);
    one_stack_close(&s);
}

static void test_addresses_that_are_answered_for(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true, .far_mtu = 1500});
    struct ip_address outside = ADDRESS_OUTSIDE;
    one_stack_arp(&s, ARP_REQUEST, &mac_peer, ADDRESS_PEER, outside);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    assert_true(stack_add_proxy(s.stack, 1, &outside)); /* on the other link: not here */
    one_stack_arp(&s, ARP_REQUEST, &mac_peer, ADDRESS_PEER, outside);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    assert_true(stack_add_proxy(s.stack, 0, &outside));
    assert_true(stack_add_proxy(s.stack, 0, &outside)); /* again: nothing new */
    one_stack_arp(&s, ARP_REQUEST, &mac_peer, ADDRESS_PEER, outside);
    struct arp_packet reply = one_stack_next_arp(&s, 0);
    assert_int_equal(reply.operation, ARP_REPLY);
    assert_true(address_equal(&reply.source, &outside));
    assert_true(mac_equal(&reply.source_mac, &mac_us));
    for (uint32_t i = 2; i < STACK_PROXIES_MAX; i++) {
        struct ip_address address = address_v4(0xc0000200 + i);
        assert_true(stack_add_proxy(s.stack, 0, &address));
    }
    struct ip_address one_more = address_v4(0xc00002ff);
    assert_false(stack_add_proxy(s.stack, 0, &one_more));
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reception),
        cmocka_unit_test(test_every_cut_is_malformed),
        cmocka_unit_test(test_addresses_that_are_answered_for),
        cmocka_unit_test(test_our_own_packet_coming_back_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
