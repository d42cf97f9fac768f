/* SPDX-License-Identifier: ISC */
/* test_ip_route.c - the longest prefix wins, and the table has an end. */
#include "stack/ip.h"

#include "tests/support/one_stack.h"

static struct ip_prefix prefix_of(uint32_t value, uint8_t len)
{
    return (struct ip_prefix){address_v4(value), len};
}

static void add(struct one_stack *s, uint32_t value, uint8_t len, uint32_t gateway,
                unsigned interface)
{
    struct ip_prefix prefix = prefix_of(value, len);
    struct ip_address via = address_v4(gateway);
    assert_true(stack_add_route(s->stack, &prefix, gateway != 0 ? &via : NULL, interface));
}

static const struct {
    const char *name;
    uint32_t target;
    bool found;
    unsigned interface;
    uint32_t next_hop;
    bool broadcast;
    bool local;
} cases[] = {
    {"on the link", 0x0a000009, true, 0, 0x0a000009, false, false},
    {"on the other link", 0x0a000109, true, 1, 0x0a000109, false, false},
    {"by default", 0xc0000201, true, 0, 0x0a000002, false, false},
    {"a longer prefix", 0xac100001, true, 1, 0x0a000102, false, false},
    {"a still longer prefix", 0xac10ff01, true, 0, 0x0a000003, false, false},
    {"a host route", 0xac10ff02, true, 1, 0x0a000104, false, false},
    {"the broadcast address of a link", 0x0a0001ff, true, 1, 0x0a0001ff, true, false},
    {"ourselves", 0x0a000101, true, 1, 0x0a000101, false, true},
    {"loopback", 0x7f010203, true, 0, 0x7f010203, false, true},
    {"limited broadcast needs an interface", 0xffffffff, false, 0, 0, false, false},
    {"no address", 0, false, 0, 0, false, false},
    {"a group goes where the default route does", 0xe0000001, true, 0, 0xe0000001, false, false},
};

static void test_choices(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.far_mtu = 1400});
    add(&s, 0, 0, 0x0a000002, 0);
    add(&s, 0xac10ff02, 32, 0x0a000104, 1);
    add(&s, 0xac100000, 12, 0x0a000102, 1);
    add(&s, 0xac10ff00, 24, 0x0a000003, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ip_address target = address_v4(cases[i].target);
        struct route_choice choice;
        bool found = ip_route(s.stack, &target, &choice);
        CHECK_EQUAL(cases[i].name, found, cases[i].found);
        if (!found)
            continue;
        CHECK_EQUAL(cases[i].name, choice.interface, cases[i].interface);
        CHECK_EQUAL(cases[i].name, address_v4_value(&choice.next_hop), cases[i].next_hop);
        CHECK_EQUAL(cases[i].name, choice.broadcast, cases[i].broadcast);
        CHECK_EQUAL(cases[i].name, choice.local, cases[i].local);
        CHECK_EQUAL(cases[i].name, choice.mtu,
                    cases[i].local            ? 65535
                    : cases[i].interface == 0 ? 1500
                                              : 1400);
    }
    struct ip_address v6 = {{0x20, 1, 0x0d, 0xb8}};
    struct route_choice choice;
    assert_false(ip_route(s.stack, &v6, &choice));
    one_stack_close(&s);
}

static void test_an_interface_that_is_down_is_gone_around(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.far_mtu = 1400});
    add(&s, 0, 0, 0x0a000002, 0);
    add(&s, 0, 0, 0x0a000102, 1);
    struct ip_address target = ADDRESS_OUTSIDE;
    struct route_choice choice;
    assert_true(ip_route(s.stack, &target, &choice));
    assert_int_equal(choice.interface, 0);
    stack_set_up(s.stack, 0, false);
    assert_true(ip_route(s.stack, &target, &choice));
    assert_int_equal(choice.interface, 1);
    stack_set_up(s.stack, 1, false);
    assert_false(ip_route(s.stack, &target, &choice));
    one_stack_close(&s);
}

static void test_adding_and_removing(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct ip_prefix prefix = prefix_of(0xc0000200, 24);
    struct ip_address gateway = ADDRESS_PEER;
    struct ip_address other = address_v4(0x0a000003);
    struct ip_address target = ADDRESS_OUTSIDE;
    struct route_choice choice;
    assert_true(stack_add_route(s.stack, &prefix, &gateway, 0));
    assert_true(stack_add_route(s.stack, &prefix, &gateway, 0)); /* again: nothing new */
    assert_false(stack_remove_route(s.stack, &prefix, &other));
    assert_true(stack_remove_route(s.stack, &prefix, &gateway));
    assert_false(stack_remove_route(s.stack, &prefix, &gateway));
    assert_false(ip_route(s.stack, &target, &choice));
    /* The route of an address cannot be taken from under it. */
    struct ip_prefix connected = prefix_of(0x0a000000, 24);
    assert_false(stack_remove_route(s.stack, &connected, NULL));
    for (uint32_t i = 1; i < STACK_ROUTES_MAX; i++)
        add(&s, 0x0b000000 + (i << 8), 24, 0, 0);
    assert_false(stack_add_route(s.stack, &prefix, &gateway, 0));
    one_stack_close(&s);
}

static void test_a_route_in_the_middle_is_removed(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    static const uint8_t lens[] = {8, 12, 16, 20, 28};
    for (size_t i = 0; i < ARRAY_LEN(lens); i++)
        add(&s, 0x0b000000, lens[i], 0x0a000010 + lens[i], 0);
    struct ip_prefix prefix = prefix_of(0x0b000000, 16);
    struct ip_address gateway = address_v4(0x0a000020);
    assert_true(stack_remove_route(s.stack, &prefix, &gateway));
    static const uint32_t targets[] = {0x0b800000, 0x0b080000, 0x0b008000, 0x0b000800, 0x0b000001};
    static const uint8_t wanted[] = {8, 12, 12, 20, 28};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct ip_address target = address_v4(targets[i]);
        struct route_choice choice;
        assert_true(ip_route(s.stack, &target, &choice));
        assert_int_equal(address_v4_value(&choice.next_hop), 0x0a000010 + wanted[i]);
    }
    one_stack_close(&s);
}

static void test_groups_without_a_route(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.far_mtu = 1400});
    struct ip_address group = address_v4(0xe00000fb);
    struct route_choice choice;
    assert_true(ip_route(s.stack, &group, &choice));
    assert_int_equal(choice.interface, 0);
    stack_set_up(s.stack, 0, false);
    assert_true(ip_route(s.stack, &group, &choice));
    assert_int_equal(choice.interface, 1);
    assert_false(ip_route_on(s.stack, 0, &group, &choice)); /* asked for, but down */
    stack_set_up(s.stack, 1, false);
    assert_false(ip_route(s.stack, &group, &choice));
    one_stack_close(&s);
}

static void test_told_the_interface(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.far_mtu = 1400});
    struct ip_address target = address_v4(0xffffffff);
    struct route_choice choice;
    assert_true(ip_route_on(s.stack, 1, &target, &choice));
    assert_int_equal(choice.interface, 1);
    assert_true(choice.broadcast);
    assert_int_equal(address_v4_value(&choice.source), 0x0a000101);
    target = ADDRESS_OUTSIDE; /* no route: looked for on the link */
    assert_true(ip_route_on(s.stack, 1, &target, &choice));
    assert_true(address_equal(&choice.next_hop, &target));
    assert_false(ip_route_on(s.stack, 7, &target, &choice));
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_an_interface_that_is_down_is_gone_around),
        cmocka_unit_test(test_adding_and_removing),
        cmocka_unit_test(test_a_route_in_the_middle_is_removed),
        cmocka_unit_test(test_groups_without_a_route),
        cmocka_unit_test(test_told_the_interface),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
