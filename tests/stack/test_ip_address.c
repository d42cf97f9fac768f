/* SPDX-License-Identifier: ISC */
/* test_ip_address.c - probing, announcing and defending addresses (RFC 5227), and source selection.
 */
#include "stack/ip.h"

#include "tests/support/one_stack.h"

#define NEW_ADDRESS address_v4(0x0a000063)

static const struct ip_prefix new_prefix = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0x63}}, 24};

static enum address_state state_of(struct one_stack *s)
{
    struct ip_address address = NEW_ADDRESS;
    return stack_address_state(s->stack, 0, &address);
}

static void test_an_address_is_probed_then_announced(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    assert_int_equal(state_of(&s), ADDRESS_NONE);
    usec began_at = s.now;
    assert_true(stack_add_address(s.stack, 0, &new_prefix, true));
    assert_false(stack_add_address(s.stack, 0, &new_prefix, true));
    int probes = 0;
    usec last_at = 0;
    while (state_of(&s) == ADDRESS_PROBING) {
        usec at = stack_deadline(s.stack);
        assert_true(at != USEC_NEVER);
        s.now = at;
        stack_tick(s.stack, at);
        struct ip_address wanted = NEW_ADDRESS;
        while (state_of(&s) == ADDRESS_PROBING && one_stack_next(&s, 0)) {
            struct arp_packet probe;
            assert_int_equal(arp_decode(bytes_of(s.out + 14, 28), &probe), WIRE_OK);
            assert_true(arp_is_probe(&probe));
            assert_true(address_equal(&probe.target, &wanted));
            if (probes > 0) {
                assert_true(s.now - last_at >= USEC_PER_SEC);
                assert_true(s.now - last_at <= 2 * USEC_PER_SEC + 100);
            }
            last_at = s.now;
            probes++;
        }
        assert_false(ip_is_local(s.stack, &wanted) && state_of(&s) == ADDRESS_PROBING);
    }
    assert_int_equal(probes, 3);
    assert_true(s.now - last_at >= 2 * USEC_PER_SEC);
    assert_true(s.now - began_at <= 7 * USEC_PER_SEC + 1000);
    struct arp_packet arp = one_stack_next_arp(&s, 0);
    assert_true(arp_is_announcement(&arp));
    one_stack_wait(&s, 2 * USEC_PER_SEC + 100);
    arp = one_stack_next_arp(&s, 0);
    assert_true(arp_is_announcement(&arp));
    one_stack_wait(&s, USEC_PER_HOUR);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    one_stack_close(&s);
}

static const struct {
    const char *name;
    uint16_t operation;
    uint32_t source;
    uint32_t target;
    enum address_state state;
} conflicts[] = {
    {"someone uses it", ARP_REPLY, 0x0a000063, 0x0a000001, ADDRESS_DUPLICATE},
    {"someone asks with it", ARP_REQUEST, 0x0a000063, 0x0a000002, ADDRESS_DUPLICATE},
    {"someone probes for it too (RFC 5227 §2.1.1)", ARP_REQUEST, 0, 0x0a000063, ADDRESS_DUPLICATE},
    {"someone asks for it", ARP_REQUEST, 0x0a000002, 0x0a000063, ADDRESS_PROBING},
    {"someone probes for another", ARP_REQUEST, 0, 0x0a000064, ADDRESS_PROBING},
};

static void test_conflicts_while_probing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(conflicts); i++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        assert_true(stack_add_address(s.stack, 0, &new_prefix, true));
        one_stack_wait(&s, USEC_PER_SEC + 100);
        one_stack_drain(&s, 0);
        one_stack_arp(&s, conflicts[i].operation, &mac_peer, address_v4(conflicts[i].source),
                      address_v4(conflicts[i].target));
        CHECK_EQUAL(conflicts[i].name, state_of(&s), conflicts[i].state);
        CHECK_EQUAL(conflicts[i].name, one_stack_drain(&s, 0), 0); /* never answered */
        one_stack_wait(&s, USEC_PER_MINUTE);
        CHECK_EQUAL(conflicts[i].name, state_of(&s),
                    conflicts[i].state == ADDRESS_PROBING ? ADDRESS_READY : ADDRESS_DUPLICATE);
        struct ip_address address = NEW_ADDRESS;
        CHECK_EQUAL(conflicts[i].name, ip_is_local(s.stack, &address),
                    conflicts[i].state == ADDRESS_PROBING);
        assert_true(stack_remove_address(s.stack, 0, &address));
        assert_false(stack_remove_address(s.stack, 0, &address));
        CHECK_EQUAL(conflicts[i].name, state_of(&s), ADDRESS_NONE);
        one_stack_close(&s);
    }
}

static void test_an_address_in_use_is_defended_at_most_every_ten_seconds(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    for (int i = 0; i < 5; i++)
        one_stack_arp(&s, ARP_REQUEST, &mac_peer, ADDRESS_US, ADDRESS_FAR_PEER);
    struct arp_packet arp = one_stack_next_arp(&s, 0);
    assert_true(arp_is_announcement(&arp));
    assert_true(mac_equal(&arp.source_mac, &mac_us));
    assert_int_equal(one_stack_drain(&s, 0), 0);
    one_stack_wait(&s, 9 * USEC_PER_SEC);
    one_stack_arp(&s, ARP_REQUEST, &mac_peer, ADDRESS_US, ADDRESS_FAR_PEER);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    one_stack_wait(&s, 2 * USEC_PER_SEC);
    one_stack_arp(&s, ARP_REQUEST, &mac_peer, ADDRESS_US, ADDRESS_FAR_PEER);
    assert_int_equal(one_stack_drain(&s, 0), 1);
    struct neighbour_info info;
    size_t place = 0;
    struct ip_address us = ADDRESS_US;
    while (stack_each_neighbour(s.stack, &place, &info))
        assert_false(address_equal(&info.address, &us));
    one_stack_close(&s);
}

static void test_the_nearest_address_is_the_source(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.far_mtu = 1500});
    struct ip_prefix wide = {address_v4(0x0b000001), 8};
    struct ip_prefix narrow = {address_v4(0x0b010001), 16};
    assert_true(stack_add_address(s.stack, 0, &wide, false));
    assert_true(stack_add_address(s.stack, 0, &narrow, false));
    static const struct {
        unsigned interface;
        uint32_t target;
        uint32_t source;
    } wanted[] = {
        {0, 0x0a000009, 0x0a000001}, {0, 0x0b020202, 0x0b000001}, {0, 0x0b010202, 0x0b010001},
        {0, 0xc0000201, 0x0a000001}, {1, 0xc0000201, 0x0a000101}, {1, 0x0b010202, 0x0a000101},
    };
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        struct ip_address target = address_v4(wanted[i].target);
        struct ip_address source = ip_source_on(s.stack, wanted[i].interface, &target);
        assert_int_equal(address_v4_value(&source), wanted[i].source);
    }
    one_stack_close(&s);
}

static void test_a_link_without_address_borrows_one_but_not_for_dhcp(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.far_mtu = 1500});
    struct ip_address far = ADDRESS_FAR_US;
    assert_true(stack_remove_address(s.stack, 1, &far));
    struct ip_address target = ADDRESS_OUTSIDE;
    struct ip_address source = ip_source_on(s.stack, 1, &target);
    assert_int_equal(address_v4_value(&source), 0x0a000001);
    target = address_v4(0xffffffff);
    source = ip_source_on(s.stack, 1, &target);
    assert_int_equal(address_v4_value(&source), 0);
    assert_true(address_is_v4(&source));
    one_stack_close(&s);
}

static void test_the_table_is_bounded(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    for (uint32_t i = 1; i < STACK_ADDRESSES_MAX; i++) {
        struct ip_prefix prefix = {address_v4(0x0a000100 + i), 24};
        assert_true(stack_add_address(s.stack, 0, &prefix, i % 2 == 0));
    }
    struct ip_prefix prefix = {address_v4(0x0a0002ff), 24};
    assert_false(stack_add_address(s.stack, 0, &prefix, false));
    struct ip_address gone = address_v4(0x0a000105);
    assert_true(stack_remove_address(s.stack, 0, &gone));
    assert_true(stack_add_address(s.stack, 0, &prefix, false));
    one_stack_close(&s);
}

static void test_the_route_of_a_prefix_goes_with_its_last_address(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct ip_prefix first = {address_v4(0x0c000001), 24};
    struct ip_prefix second = {address_v4(0x0c000002), 24};
    struct ip_address target = address_v4(0x0c000009);
    struct ip_address source;
    uint16_t mtu;
    assert_false(stack_route(s.stack, &target, &source, &mtu));
    assert_true(stack_add_address(s.stack, 0, &first, false));
    assert_true(stack_add_address(s.stack, 0, &second, false));
    assert_true(stack_remove_address(s.stack, 0, &first.address));
    assert_true(stack_route(s.stack, &target, &source, &mtu));
    assert_true(address_equal(&source, &second.address));
    assert_int_equal(mtu, 1500);
    assert_true(stack_remove_address(s.stack, 0, &second.address));
    assert_false(stack_route(s.stack, &target, &source, &mtu));
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_address_is_probed_then_announced),
        cmocka_unit_test(test_conflicts_while_probing),
        cmocka_unit_test(test_an_address_in_use_is_defended_at_most_every_ten_seconds),
        cmocka_unit_test(test_the_nearest_address_is_the_source),
        cmocka_unit_test(test_a_link_without_address_borrows_one_but_not_for_dhcp),
        cmocka_unit_test(test_the_table_is_bounded),
        cmocka_unit_test(test_the_route_of_a_prefix_goes_with_its_last_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
