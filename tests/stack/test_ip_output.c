/* SPDX-License-Identifier: ISC */
/* test_ip_output.c - the header of what we send, where it goes, and its identification. */
#include "stack/ip.h"

#include "stack/neighbour.h"
#include "tests/support/one_stack.h"

static struct frame *frame_of(struct one_stack *s, size_t len)
{
    struct frame *frame = frame_new(s->frames, len);
    assert_non_null(frame);
    memset(frame->data, 'x', len);
    frame->len = len;
    return frame;
}

static struct ip_send to(struct ip_address target)
{
    return (struct ip_send){.target = target, .protocol = 99, .interface = -1};
}

static void test_the_header(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct ip_send send = to(ADDRESS_PEER);
    assert_int_equal(ip_output(s.stack, &send, frame_of(&s, 10)), IP_SENT);
    struct ipv4_header ip = one_stack_next_ip(&s, 0);
    assert_memory_equal(s.out, mac_peer.octets, 6);
    assert_memory_equal(s.out + 6, mac_us.octets, 6);
    struct ip_address us = ADDRESS_US;
    assert_true(address_equal(&ip.source, &us));
    assert_int_equal(ip.ttl, IP_TTL_DEFAULT);
    assert_int_equal(ip.protocol, 99);
    assert_int_equal(ip.total_len, 30);
    assert_int_equal(ip.traffic_class, 0);
    assert_false(ip.dont_fragment || ip.more_fragments);

    send.source = ADDRESS_OUTSIDE; /* a gateway speaks for others */
    send.ttl = 7;
    send.traffic_class = 0xb8;
    send.dont_fragment = true;
    assert_int_equal(ip_output(s.stack, &send, frame_of(&s, 10)), IP_SENT);
    ip = one_stack_next_ip(&s, 0);
    assert_true(address_equal(&ip.source, &send.source));
    assert_int_equal(ip.ttl, 7);
    assert_int_equal(ip.traffic_class, 0xb8);
    assert_true(ip.dont_fragment);
    assert_int_equal(ip.identification, 0); /* RFC 6864 §4.1 */
    one_stack_close(&s);
}

static void test_where_it_goes(void **state)
{
    (void)state;
    static const struct mac given = {{2, 0, 0, 0, 0, 0x42}};
    static const struct {
        const char *name;
        uint32_t target;
        int interface;
        bool given;
        enum ip_status status;
        uint8_t mac[6];
        uint8_t ttl;
    } cases[] = {
        {"a neighbour", 0x0a000002, -1, false, IP_SENT, {2, 0, 0, 0, 0, 2}, 64},
        {"by a gateway", 0xc0000201, -1, false, IP_SENT, {2, 0, 0, 0, 0, 2}, 64},
        {"the link's broadcast address",
         0x0a0000ff,
         -1,
         false,
         IP_SENT,
         {255, 255, 255, 255, 255, 255},
         64},
        {"limited broadcast, by interface",
         0xffffffff,
         0,
         false,
         IP_SENT,
         {255, 255, 255, 255, 255, 255},
         64},
        {"limited broadcast, by no interface", 0xffffffff, -1, false, IP_NO_ROUTE, {0}, 0},
        {"a group stays on the link (RFC 1112 §6.1)",
         0xe0810203,
         -1,
         false,
         IP_SENT,
         {1, 0, 0x5e, 1, 2, 3},
         1},
        {"a station that was named (RFC 2131 §4.1)",
         0x0a000063,
         0,
         true,
         IP_SENT,
         {2, 0, 0, 0, 0, 0x42},
         64},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        struct ip_prefix all = {address_any_v4(), 0};
        struct ip_address gateway = ADDRESS_PEER;
        assert_true(stack_add_route(s.stack, &all, &gateway, 0));
        struct ip_send send = to(address_v4(cases[i].target));
        send.interface = cases[i].interface;
        send.mac = cases[i].given ? &given : NULL;
        CHECK_EQUAL(cases[i].name, ip_output(s.stack, &send, frame_of(&s, 10)), cases[i].status);
        if (cases[i].status == IP_SENT) {
            struct ipv4_header ip = one_stack_next_ip(&s, 0);
            CHECK(cases[i].name, memcmp(s.out, cases[i].mac, 6) == 0);
            CHECK_EQUAL(cases[i].name, ip.ttl, cases[i].ttl);
        }
        CHECK_EQUAL(cases[i].name, one_stack_drain(&s, 0), 0);
        one_stack_close(&s);
    }
}

static void test_too_big(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct ip_send send = to(ADDRESS_PEER);
    assert_int_equal(ip_output(s.stack, &send, frame_of(&s, 65516)), IP_TOO_BIG);
    send.dont_fragment = true;
    assert_int_equal(ip_output(s.stack, &send, frame_of(&s, 1481)), IP_TOO_BIG);
    assert_int_equal(s.last_drop, DROP_IP_TOO_BIG);
    assert_int_equal(ip_output(s.stack, &send, frame_of(&s, 1480)), IP_SENT);
    assert_int_equal(one_stack_drain(&s, 0), 1);
    one_stack_close(&s);
}

static void test_super_segments_go_whole_where_the_device_takes_them(void **state)
{
    (void)state;
    for (unsigned tso = 0; tso < 2; tso++) {
        struct one_stack s;
        one_stack_open(&s, &(struct one_stack_options){.features = INTERFACE_CHECKSUM |
                                                                   (tso ? INTERFACE_TSO4 : 0)});
        struct ip_send send = to(ADDRESS_PEER);
        struct frame *frame = frame_of(&s, 30000);
        frame->offload.gso = FRAME_GSO_TCP4;
        frame->offload.gso_size = 1460;
        assert_int_equal(ip_output(s.stack, &send, frame), tso ? IP_SENT : IP_TOO_BIG);
        assert_int_equal(one_stack_drain(&s, 0), tso);
        one_stack_close(&s);
    }
}

/* RFC 6864 §4.2: within a flow an identification does not come back soon; RFC 7739: and flows tell
 * nothing of each other. */
static void test_identification(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    static bool seen[65536];
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 3000; i++) {
        struct ip_send send = to(ADDRESS_PEER);
        assert_int_equal(ip_output(s.stack, &send, frame_of(&s, 1)), IP_SENT);
        uint16_t id = one_stack_next_ip(&s, 0).identification;
        assert_false(seen[id]);
        seen[id] = true;
    }
    uint16_t ids[64];
    int near = 0;
    for (unsigned i = 0; i < 64; i++) {
        struct ip_send send = to(ADDRESS_PEER);
        send.source = address_v4(0xc0000200 + i);
        assert_int_equal(ip_output(s.stack, &send, frame_of(&s, 1)), IP_SENT);
        ids[i] = one_stack_next_ip(&s, 0).identification;
        near += i > 0 && (uint16_t)(ids[i] - ids[i - 1]) < 64;
    }
    assert_true(near < 4);

    /* A busy flow does not advance the numbers of a quiet one. */
    struct ip_send quiet = to(ADDRESS_OUTSIDE);
    struct ip_send busy = to(ADDRESS_PEER);
    quiet.mac = &mac_peer;
    quiet.interface = 0;
    assert_int_equal(ip_output(s.stack, &quiet, frame_of(&s, 1)), IP_SENT);
    uint16_t before = one_stack_next_ip(&s, 0).identification;
    for (int i = 0; i < 50; i++)
        assert_int_equal(ip_output(s.stack, &busy, frame_of(&s, 1)), IP_SENT);
    one_stack_drain(&s, 0);
    assert_int_equal(ip_output(s.stack, &quiet, frame_of(&s, 1)), IP_SENT);
    assert_int_equal(one_stack_next_ip(&s, 0).identification, (uint16_t)(before + 1));
    one_stack_close(&s);
}

static void test_what_we_send_to_ourselves_is_bounded(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct ip_send send = to(ADDRESS_US);
    for (int i = 0; i < IP_LOOPBACK_QUEUE_MAX; i++)
        assert_int_equal(ip_output(s.stack, &send, frame_of(&s, 1)), IP_SENT);
    assert_int_equal(ip_output(s.stack, &send, frame_of(&s, 1)), IP_NO_MEMORY);
    assert_int_equal(s.last_drop, DROP_OUTPUT_FULL);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_header),
        cmocka_unit_test(test_where_it_goes),
        cmocka_unit_test(test_too_big),
        cmocka_unit_test(test_super_segments_go_whole_where_the_device_takes_them),
        cmocka_unit_test(test_identification),
        cmocka_unit_test(test_what_we_send_to_ourselves_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
