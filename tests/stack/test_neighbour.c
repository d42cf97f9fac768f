/* SPDX-License-Identifier: ISC */
/* test_neighbour.c - the states of the neighbour cache, its queues and its bounds. */
#include "stack/neighbour.h"

#include "stack/ip.h"
#include "stack/udp.h"
#include "tests/support/one_stack.h"

static struct udp_socket *open_socket(struct one_stack *s)
{
    struct udp_socket *socket = udp_open(s->stack, &(struct udp_options){0});
    assert_non_null(socket);
    return socket;
}

static enum udp_status send_to(struct udp_socket *socket, struct ip_address to)
{
    struct udp_send_options options = {.to = {to, 9}, .interface = -1};
    return udp_send(socket, &options, bytes_of_text("hello"));
}

/* The state of the entry; -1: there is none. */
static int state_of(struct one_stack *s, struct ip_address address)
{
    struct neighbour_info info;
    size_t place = 0;
    while (stack_each_neighbour(s->stack, &place, &info))
        if (address_equal(&info.address, &address))
            return info.state;
    return -1;
}

static size_t entry_count(struct one_stack *s)
{
    struct neighbour_info info;
    size_t place = 0;
    size_t count = 0;
    while (stack_each_neighbour(s->stack, &place, &info))
        count++;
    return count;
}

static void expect_request(struct one_stack *s, const struct mac *to)
{
    struct arp_packet arp = one_stack_next_arp(s, 0);
    struct ip_address us = ADDRESS_US;
    struct ip_address peer = ADDRESS_PEER;
    struct ethernet_header ethernet;
    assert_int_equal(ethernet_decode(bytes_of(s->out, s->out_len), &ethernet), WIRE_OK);
    assert_int_equal(arp.operation, ARP_REQUEST);
    assert_true(address_equal(&arp.source, &us));
    assert_true(address_equal(&arp.target, &peer));
    assert_true(mac_equal(&arp.source_mac, &mac_us));
    struct mac all = ethernet_broadcast();
    assert_true(mac_equal(&ethernet.target, to != NULL ? to : &all));
}

static void answer(struct one_stack *s, const struct mac *mac)
{
    one_stack_arp(s, ARP_REPLY, mac, ADDRESS_PEER, ADDRESS_US);
}

static void test_resolution_and_its_states(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true});
    struct udp_socket *socket = open_socket(&s);

    assert_int_equal(send_to(socket, ADDRESS_PEER), UDP_SENT);
    expect_request(&s, NULL);
    assert_int_equal(state_of(&s, ADDRESS_PEER), NEIGHBOUR_INCOMPLETE);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    assert_int_equal(send_to(socket, ADDRESS_PEER), UDP_SENT);
    assert_int_equal(one_stack_drain(&s, 0), 0); /* one request a second, not one a packet */

    answer(&s, &mac_peer);
    assert_int_equal(state_of(&s, ADDRESS_PEER), NEIGHBOUR_REACHABLE);
    assert_int_equal(one_stack_drain(&s, 0), 2);

    one_stack_wait(&s, NEIGHBOUR_REACHABLE_TIME / 2 - USEC_PER_SEC);
    assert_int_equal(state_of(&s, ADDRESS_PEER), NEIGHBOUR_REACHABLE);
    one_stack_wait(&s, NEIGHBOUR_REACHABLE_TIME + 2 * USEC_PER_SEC);
    assert_int_equal(state_of(&s, ADDRESS_PEER), NEIGHBOUR_STALE);

    assert_int_equal(send_to(socket, ADDRESS_PEER), UDP_SENT); /* sent at once, and probed */
    assert_int_equal(one_stack_next_ip(&s, 0).protocol, IP_PROTOCOL_UDP);
    assert_int_equal(state_of(&s, ADDRESS_PEER), NEIGHBOUR_PROBE);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    one_stack_wait(&s, NEIGHBOUR_PROBE_DELAY + USEC_PER_MSEC);
    expect_request(&s, &mac_peer);
    answer(&s, &mac_peer);
    assert_int_equal(state_of(&s, ADDRESS_PEER), NEIGHBOUR_REACHABLE);
    one_stack_close(&s);
}

static void doubt(struct one_stack *s, uint32_t address)
{
    struct ip_address target = address_v4(address);
    ip_doubt(s->stack, &target);
}

/* RFC 9293 §3.8.3 (MUST-20), RFC 1122 §3.3.1.4: whoever is the way there is asked at once, and goes on being
 * used as it is until it is known better. */
static void test_a_doubted_neighbour_is_asked(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true});
    struct udp_socket *socket = open_socket(&s);
    doubt(&s, 0x0a000002); /* nobody knows it: it is asked when there is something to send */
    doubt(&s, 0xc0000201);
    doubt(&s, 0x0a000001);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    assert_int_equal(send_to(socket, ADDRESS_PEER), UDP_SENT);
    expect_request(&s, NULL);
    doubt(&s, 0x0a000002); /* it is being asked */
    assert_int_equal(one_stack_drain(&s, 0), 0);
    answer(&s, &mac_peer);
    assert_int_equal(one_stack_drain(&s, 0), 1);
    doubt(&s, 0x0a000002); /* it was just now */
    assert_int_equal(one_stack_drain(&s, 0), 0);

    one_stack_wait(&s, USEC_PER_SEC);
    doubt(&s, 0x0a000002);
    expect_request(&s, &mac_peer);
    assert_int_equal(state_of(&s, ADDRESS_PEER), NEIGHBOUR_PROBE);
    doubt(&s, 0x0a000002);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    answer(&s, &mac_far_peer); /* it has moved */
    assert_int_equal(state_of(&s, ADDRESS_PEER), NEIGHBOUR_REACHABLE);

    /* Before the five seconds of a stale one are over, too. */
    one_stack_wait(&s, 2 * NEIGHBOUR_REACHABLE_TIME);
    assert_int_equal(send_to(socket, ADDRESS_PEER), UDP_SENT);
    assert_int_equal(one_stack_drain(&s, 0), 1);
    doubt(&s, 0x0a000002);
    expect_request(&s, &mac_far_peer);
    one_stack_wait(&s, 4 * USEC_PER_SEC); /* no answer: all are asked */
    (void)one_stack_drain(&s, 0);
    assert_int_equal(state_of(&s, ADDRESS_PEER), -1);
    assert_int_equal(send_to(socket, ADDRESS_PEER), UDP_SENT);
    expect_request(&s, NULL);
    one_stack_close(&s);
}

/* Far hosts are the router's business. */
static void test_the_router_is_doubted(void **state)
{
    (void)state;
    struct one_stack s;
    struct ip_prefix everywhere = {address_any_v4(), 0};
    struct ip_address router = ADDRESS_PEER;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true});
    assert_true(stack_add_route(s.stack, &everywhere, &router, 0));
    struct udp_socket *socket = open_socket(&s);
    assert_int_equal(send_to(socket, ADDRESS_OUTSIDE), UDP_SENT);
    answer(&s, &mac_peer);
    (void)one_stack_drain(&s, 0);
    one_stack_wait(&s, 2 * USEC_PER_SEC);
    (void)one_stack_drain(&s, 0);
    doubt(&s, 0xc0000201);
    expect_request(&s, &mac_peer);
    assert_true(stack_add_neighbour(s.stack, 0, &router, &mac_peer));
    one_stack_wait(&s, 2 * USEC_PER_SEC);
    doubt(&s, 0xc0000201); /* it is what we were told that it is */
    assert_int_equal(one_stack_drain(&s, 0), 0);
    one_stack_close(&s);
}

static void test_an_unused_entry_goes(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true});
    struct udp_socket *socket = open_socket(&s);
    assert_int_equal(send_to(socket, ADDRESS_PEER), UDP_SENT);
    answer(&s, &mac_peer);
    one_stack_wait(&s, 2 * NEIGHBOUR_REACHABLE_TIME + NEIGHBOUR_STALE_TIME);
    assert_int_equal(state_of(&s, ADDRESS_PEER), -1);
    assert_true(stack_deadline(s.stack) == USEC_NEVER);
    one_stack_close(&s);
}

static void test_a_probe_without_answer_removes_the_entry(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true});
    struct udp_socket *socket = open_socket(&s);
    assert_int_equal(send_to(socket, ADDRESS_PEER), UDP_SENT);
    answer(&s, &mac_peer);
    one_stack_wait(&s, 2 * NEIGHBOUR_REACHABLE_TIME);
    one_stack_drain(&s, 0);
    assert_int_equal(send_to(socket, ADDRESS_PEER), UDP_SENT);
    one_stack_drain(&s, 0);
    one_stack_wait(&s, NEIGHBOUR_PROBE_DELAY + 4 * USEC_PER_SEC);
    for (int i = 0; i < NEIGHBOUR_REQUESTS_MAX; i++)
        expect_request(&s, &mac_peer);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    assert_int_equal(state_of(&s, ADDRESS_PEER), -1);
    one_stack_close(&s);
}

static void test_silence_is_told_to_the_sender(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true});
    struct udp_socket *socket = open_socket(&s);
    assert_int_equal(send_to(socket, ADDRESS_PEER), UDP_SENT);
    one_stack_wait(&s, 3 * USEC_PER_SEC + USEC_PER_MSEC);
    for (int i = 0; i < NEIGHBOUR_REQUESTS_MAX; i++)
        expect_request(&s, NULL);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    assert_int_equal(state_of(&s, ADDRESS_PEER), -1);
    assert_int_equal(stack_drops(s.stack, DROP_ARP_UNRESOLVED), 1);
    struct socket_event event;
    assert_true(stack_next_event(s.stack, &event));
    assert_ptr_equal(event.socket, udp_socket_base(socket));
    assert_int_equal(event.events, SOCKET_FAILED);
    struct udp_error error;
    assert_true(udp_next_error(socket, &error));
    assert_int_equal(error.type, ICMP_UNREACHABLE);
    assert_int_equal(error.code, ICMP_HOST_UNREACHABLE);
    struct ip_address peer = ADDRESS_PEER;
    assert_true(address_equal(&error.to.address, &peer));
    assert_int_equal(error.to.port, 9);
    assert_false(udp_next_error(socket, &error));
    one_stack_close(&s);
}

/* RFC 1122 §2.3.2.2: at least the latest packet is kept. */
static void test_the_queue_of_an_entry_keeps_the_newest(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true});
    struct udp_socket *socket = open_socket(&s);
    for (uint8_t i = 0; i < NEIGHBOUR_QUEUE_MAX + 5; i++) {
        struct udp_send_options options = {.to = {ADDRESS_PEER, 9}, .interface = -1};
        assert_int_equal(udp_send(socket, &options, bytes_of(&i, 1)), UDP_SENT);
    }
    assert_int_equal(stack_drops(s.stack, DROP_ARP_QUEUE_FULL), 5);
    one_stack_drain(&s, 0);
    answer(&s, &mac_peer);
    struct ipv4_header ip = one_stack_next_ip(&s, 0);
    assert_int_equal(ip.payload.data[8], 5);
    assert_int_equal(one_stack_drain(&s, 0), NEIGHBOUR_QUEUE_MAX - 1);
    one_stack_close(&s);
}

static void test_all_queues_together_are_bounded(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true});
    struct udp_socket *socket = open_socket(&s);
    for (unsigned host = 2; host < 252; host++)
        for (int i = 0; i < 6; i++)
            (void)send_to(socket, address_v4(0x0a000000 + host));
    assert_int_equal(stack_drops(s.stack, DROP_ARP_QUEUE_FULL), 250 * 6 - NEIGHBOUR_WAITING_MAX);
    one_stack_close(&s);
}

static void test_a_full_table_evicts_those_who_never_answered(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true, .stack.neighbours_max = 4});
    struct udp_socket *socket = open_socket(&s);
    struct ip_address fixed = address_v4(0x0a0000c8);
    assert_true(stack_add_neighbour(s.stack, 0, &fixed, &mac_far_peer));
    assert_int_equal(send_to(socket, ADDRESS_PEER), UDP_SENT);
    answer(&s, &mac_peer);
    for (unsigned host = 10; host < 110; host++)
        assert_int_equal(send_to(socket, address_v4(0x0a000000 + host)), UDP_SENT);
    assert_int_equal(entry_count(&s), 4);
    assert_int_equal(state_of(&s, ADDRESS_PEER), NEIGHBOUR_REACHABLE);
    assert_int_equal(state_of(&s, fixed), NEIGHBOUR_REACHABLE);
    assert_int_equal(state_of(&s, address_v4(0x0a00006d)), NEIGHBOUR_INCOMPLETE);
    assert_int_equal(stack_drops(s.stack, DROP_ARP_TABLE_FULL), 98);
    one_stack_close(&s);
}

static void test_static_entries_are_never_evicted(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true, .stack.neighbours_max = 2});
    struct udp_socket *socket = open_socket(&s);
    struct ip_address address = address_v4(0x0a0000c8);
    assert_true(stack_add_neighbour(s.stack, 0, &address, &mac_far_peer));
    address = address_v4(0x0a0000c9);
    assert_true(stack_add_neighbour(s.stack, 0, &address, &mac_far_peer));
    assert_int_equal(send_to(socket, ADDRESS_PEER), UDP_NO_MEMORY);
    address = address_v4(0x0a0000ca);
    assert_false(stack_add_neighbour(s.stack, 0, &address, &mac_far_peer));
    /* What the station itself says does not change them either. */
    one_stack_arp(&s, ARP_REPLY, &mac_peer, address_v4(0x0a0000c8), ADDRESS_US);
    assert_int_equal(send_to(socket, address_v4(0x0a0000c8)), UDP_SENT);
    assert_true(one_stack_next(&s, 0));
    assert_memory_equal(s.out, mac_far_peer.octets, 6);
    one_stack_wait(&s, USEC_PER_HOUR);
    assert_int_equal(entry_count(&s), 2);
    one_stack_close(&s);
}

static void test_a_station_that_moves_is_followed(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true});
    struct udp_socket *socket = open_socket(&s);
    assert_int_equal(send_to(socket, ADDRESS_PEER), UDP_SENT);
    answer(&s, &mac_peer);
    one_stack_drain(&s, 0);
    struct mac moved = {{2, 0, 0, 0, 0, 0x77}};
    /* A gratuitous announcement (RFC 5944 §4.6): not to us, but the entry exists. */
    one_stack_arp(&s, ARP_REQUEST, &moved, ADDRESS_PEER, ADDRESS_PEER);
    assert_int_equal(state_of(&s, ADDRESS_PEER), NEIGHBOUR_STALE);
    assert_int_equal(send_to(socket, ADDRESS_PEER), UDP_SENT);
    assert_true(one_stack_next(&s, 0));
    assert_memory_equal(s.out, moved.octets, 6);
    one_stack_close(&s);
}

/* The interface remembers the entry used last; it must not outlive it. */
static void test_the_entry_used_last_may_go(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true, .stack.neighbours_max = 1});
    struct udp_socket *socket = open_socket(&s);
    for (unsigned i = 0; i < 20; i++) {
        struct ip_address address = address_v4(0x0a000010 + i % 3);
        assert_int_equal(send_to(socket, address), UDP_SENT);
        one_stack_arp(&s, ARP_REPLY, &mac_peer, address, ADDRESS_US);
        assert_int_equal(send_to(socket, address), UDP_SENT);
        assert_int_equal(send_to(socket, address), UDP_SENT);
        assert_int_equal(entry_count(&s), 1);
    }
    one_stack_close(&s);
}

/* The one used last is not moved in the list each time; it is not the one to go all the same. */
static void test_the_entry_in_use_is_not_evicted(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true, .stack.neighbours_max = 3});
    struct udp_socket *socket = open_socket(&s);
    for (unsigned host = 10; host < 13; host++) {
        struct ip_address address = address_v4(0x0a000000 + host);
        assert_int_equal(send_to(socket, address), UDP_SENT);
        one_stack_arp(&s, ARP_REPLY, &mac_peer, address, ADDRESS_US);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_to(socket, address_v4(0x0a00000a)), UDP_SENT);
    /* The others are heard again, and are younger in the list now. */
    struct mac moved = {{2, 0, 0, 0, 0, 0x77}};
    one_stack_arp(&s, ARP_REQUEST, &moved, address_v4(0x0a00000b), ADDRESS_US);
    one_stack_arp(&s, ARP_REQUEST, &moved, address_v4(0x0a00000c), ADDRESS_US);
    one_stack_arp(&s, ARP_REQUEST, &moved, address_v4(0x0a00000d), ADDRESS_US);
    assert_int_equal(entry_count(&s), 3);
    assert_true(state_of(&s, address_v4(0x0a00000a)) >= 0);
    assert_int_equal(state_of(&s, address_v4(0x0a00000b)), -1);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolution_and_its_states),
        cmocka_unit_test(test_a_doubted_neighbour_is_asked),
        cmocka_unit_test(test_the_router_is_doubted),
        cmocka_unit_test(test_an_unused_entry_goes),
        cmocka_unit_test(test_a_probe_without_answer_removes_the_entry),
        cmocka_unit_test(test_silence_is_told_to_the_sender),
        cmocka_unit_test(test_the_queue_of_an_entry_keeps_the_newest),
        cmocka_unit_test(test_all_queues_together_are_bounded),
        cmocka_unit_test(test_a_full_table_evicts_those_who_never_answered),
        cmocka_unit_test(test_static_entries_are_never_evicted),
        cmocka_unit_test(test_a_station_that_moves_is_followed),
        cmocka_unit_test(test_the_entry_used_last_may_go),
        cmocka_unit_test(test_the_entry_in_use_is_not_evicted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
