/* SPDX-License-Identifier: ISC */
/* test_arp_output.c - the octets of requests, probes and replies (RFC 826, RFC 5227 §2.1.1). */
#include "stack/neighbour.h"

#include "tests/support/one_stack.h"

static void expect(struct one_stack *s, const uint8_t octets[42])
{
    assert_true(one_stack_next(s, 0));
    assert_int_equal(s->out_len, 42);
    assert_memory_equal(s->out, octets, 42);
}

static void test_octets(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct interface *interface = interface_get(s.stack, 0);
    struct ip_address sender = ADDRESS_US;
    struct ip_address none = address_any_v4();
    struct ip_address target = ADDRESS_PEER;
    arp_request(s.stack, interface, &sender, &target, NULL);
    static const uint8_t request[42] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,  0, 0, 0, 1, 8, 6, 0, 1, 8, 0,  6, 4, 0,
        1,    2,    0,    0,    0,    0,    1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2};
    expect(&s, request);
    arp_request(s.stack, interface, &none, &target, NULL);
    static const uint8_t probe[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  1, 8, 6,
                                      0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 1,
                                      0,    0,    0,    0,    0,    0,    0, 0, 0, 0, 10, 0, 0, 2};
    expect(&s, probe);
    arp_request(s.stack, interface, &sender, &target, &mac_peer);
    uint8_t unicast[42];
    memcpy(unicast, request, sizeof unicast);
    memcpy(unicast, mac_peer.octets, 6);
    expect(&s, unicast);
    arp_reply(s.stack, interface, &sender, &target, &mac_peer);
    static const uint8_t reply[42] = {2,  0, 0, 0, 0, 2, 2, 0, 0, 0, 0,  1, 8, 6,
                                      0,  1, 8, 0, 6, 4, 0, 2, 2, 0, 0,  0, 0, 1,
                                      10, 0, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2};
    expect(&s, reply);
    one_stack_close(&s);
}

static void test_no_memory_is_counted(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct frame *taken[64];
    size_t count = 0;
    s.counts.fail_at = 1;
    while (count < 64 && (taken[count] = frame_new(s.frames, ARP_LEN)) != NULL)
        count++;
    assert_true(count < 64);
    struct ip_address address = ADDRESS_US;
    arp_request(s.stack, interface_get(s.stack, 0), &address, &address, NULL);
    assert_int_equal(s.last_drop, DROP_NO_MEMORY);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    s.counts.fail_at = 0;
    while (count > 0)
        frame_unref(taken[--count]);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_octets),
        cmocka_unit_test(test_no_memory_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
