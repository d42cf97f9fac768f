/* SPDX-License-Identifier: ISC */
/* test_interface.c - framing, the output queue, up and down. */
#include "stack/interface.h"

#include "stack/udp.h"
#include "tests/support/one_stack.h"

/* An echo request from the peer to us, without an Ethernet header. */
static size_t ping(uint8_t *out, size_t size)
{
    uint8_t body[12];
    struct writer w = writer_of(body, sizeof body);
    struct icmp_message message = {.type = ICMP_ECHO_REQUEST};
    message.u.echo.data = bytes_of_text("ping");
    icmp_encode(&message, &w);
    struct ipv4_header ip = {.source = ADDRESS_PEER,
                             .target = ADDRESS_US,
                             .total_len = 32,
                             .ttl = 64,
                             .protocol = IP_PROTOCOL_ICMP,
                             .options = bytes_empty()};
    struct writer p = writer_of(out, size);
    ipv4_encode(&ip, &p);
    write_bytes(&p, writer_bytes(&w));
    assert_false(p.failed);
    return writer_len(&p);
}

static const struct {
    const char *name;
    const char *head; /* hexadecimal, before the IP packet */
    enum drop_reason drop;
    bool answered;
} framings[] = {
    {"unicast to us", "020000000001 020000000002 0800", DROP_NONE, true},
    {"unicast to another station", "020000000009 020000000002 0800", DROP_ETHERNET_NOT_OURS, false},
    {"a priority tag with VLAN 0 is taken off (802.1Q §9.6)",
     "020000000001 020000000002 8100 e000 0800", DROP_NONE, true},
    {"another VLAN is not ours", "020000000001 020000000002 8100 e001 0800", DROP_ETHERNET_TYPE,
     false},
    {"802.3 with SNAP (RFC 1042)", "020000000001 020000000002 0028 aaaa03 000000 0800", DROP_NONE,
     true},
    {"802.3 with a length that cuts the packet",
     "020000000001 020000000002 0020 aaaa03 000000 0800", DROP_IP_MALFORMED, false},
    {"802.3 with another LLC", "020000000001 020000000002 0028 424203 000000 0800",
     DROP_ETHERNET_TYPE, false},
    {"IPv6 is not spoken", "020000000001 020000000002 86dd", DROP_ETHERNET_TYPE, false},
    {"a group cannot be a source", "020000000001 030000000002 0800", DROP_ETHERNET_MALFORMED,
     false},
    {"unicast IP in a link broadcast (RFC 1122 §3.3.6)", "ffffffffffff 020000000002 0800",
     DROP_IP_NOT_OURS, false},
};

static size_t unhex(const char *text, uint8_t *out)
{
    size_t len = 0;
    unsigned value;
    for (; *text != '\0'; text++) {
        if (*text == ' ')
            continue;
        assert_int_equal(sscanf(text, "%2x", &value), 1);
        out[len++] = (uint8_t)value;
        text++;
    }
    return len;
}

static void test_framing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(framings); i++) {
        struct one_stack s;
        one_stack_open(&s, NULL);
        uint8_t octets[128];
        size_t len = unhex(framings[i].head, octets);
        len += ping(octets + len, sizeof octets - len);
        one_stack_frame(&s, 0, bytes_of(octets, len));
        CHECK_EQUAL(framings[i].name, s.last_drop, framings[i].drop);
        CHECK_EQUAL(framings[i].name, one_stack_drain(&s, 0), framings[i].answered);
        const struct interface_counters *c = stack_interface_counters(s.stack, 0);
        CHECK_EQUAL(framings[i].name, c->ifInUnknownProtos, framings[i].drop == DROP_ETHERNET_TYPE);
        CHECK_EQUAL(framings[i].name, c->ifInErrors, framings[i].drop == DROP_ETHERNET_MALFORMED);
        CHECK_EQUAL(framings[i].name, c->ifOutUcastPkts, framings[i].answered);
        one_stack_close(&s);
    }
}

static void test_short_frames(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    uint8_t octets[128];
    size_t len = unhex("020000000001 020000000002 0800", octets);
    len += ping(octets + len, sizeof octets - len);
    for (size_t cut = 0; cut < len; cut++) {
        one_stack_frame(&s, 0, bytes_of(octets, cut));
        assert_int_equal(s.last_drop, cut < 14 ? DROP_ETHERNET_MALFORMED : DROP_IP_MALFORMED);
        assert_int_equal(one_stack_drain(&s, 0), 0);
    }
    one_stack_close(&s);
}

static struct udp_socket *sender(struct one_stack *s)
{
    struct udp_socket *socket = udp_open(s->stack, &(struct udp_options){0});
    assert_non_null(socket);
    return socket;
}

static enum udp_status send_one(struct udp_socket *socket, struct ip_address to, size_t len)
{
    static const uint8_t payload[65507];
    struct udp_send_options options = {.to = {to, 9}, .interface = -1};
    return udp_send(socket, &options, bytes_of(payload, len));
}

static void test_a_full_queue_drops_the_newest(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct udp_socket *socket = sender(&s);
    for (int i = 0; i < INTERFACE_QUEUE_MAX; i++)
        assert_int_equal(send_one(socket, ADDRESS_PEER, 10), UDP_SENT);
    assert_int_equal(send_one(socket, ADDRESS_PEER, 10), UDP_NO_MEMORY);
    assert_int_equal(s.last_drop, DROP_OUTPUT_FULL);
    const struct interface_counters *c = stack_interface_counters(s.stack, 0);
    assert_int_equal(c->ifOutDiscards, 1);
    assert_int_equal(one_stack_drain(&s, 0), INTERFACE_QUEUE_MAX);
    assert_int_equal(c->ifOutUcastPkts, INTERFACE_QUEUE_MAX);
    assert_int_equal(c->ifOutOctets, INTERFACE_QUEUE_MAX * (14 + 28 + 10) + 2 * 42);
    assert_int_equal(send_one(socket, ADDRESS_PEER, 10), UDP_SENT);
    one_stack_close(&s);
}

static void test_the_queue_is_bounded_in_octets_too(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.mtu = 65535});
    struct udp_socket *socket = sender(&s);
    int sent = 0;
    while (send_one(socket, ADDRESS_PEER, 65507) == UDP_SENT)
        sent++;
    assert_int_equal(sent, INTERFACE_QUEUE_OCTETS_MAX / (65535 + 14));
    assert_int_equal(one_stack_drain(&s, 0), sent);
    for (int i = 0; i < sent; i++) /* and all the room is there again */
        assert_int_equal(send_one(socket, ADDRESS_PEER, 65507), UDP_SENT);
    one_stack_close(&s);
}

static void test_a_checksum_is_completed_when_the_device_does_not(void **state)
{
    (void)state;
    for (int offload = 0; offload < 2; offload++) {
        struct one_stack s;
        one_stack_open(&s,
                       &(struct one_stack_options){.features = offload ? INTERFACE_CHECKSUM : 0});
        assert_int_equal(send_one(sender(&s), ADDRESS_PEER, 10), UDP_SENT);
        struct frame *frame = stack_output(s.stack, 0);
        assert_non_null(frame);
        assert_int_equal(frame->offload.checksum,
                         offload ? FRAME_CHECKSUM_PARTIAL : FRAME_CHECKSUM_FULL);
        if (offload) {
            assert_int_equal(frame->offload.checksum_start, frame_headroom(frame) + 34);
            assert_int_equal(frame->offload.checksum_offset, 6);
        }
        frame_unref(frame);
        one_stack_close(&s);
    }
}

static void test_down_and_up(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, &(struct one_stack_options){.unresolved = true});
    struct udp_socket *socket = sender(&s);
    assert_int_equal(send_one(socket, ADDRESS_PEER, 10), UDP_SENT); /* waits for ARP */
    stack_set_up(s.stack, 0, false);
    assert_int_equal(one_stack_drain(&s, 0), 0);
    assert_int_equal(stack_drops(s.stack, DROP_INTERFACE_DOWN), 1);
    assert_int_equal(send_one(socket, ADDRESS_PEER, 10), UDP_NO_ROUTE);
    uint8_t octets[64];
    size_t len = unhex("020000000001 020000000002 0800", octets);
    len += ping(octets + len, sizeof octets - len);
    one_stack_frame(&s, 0, bytes_of(octets, len));
    assert_int_equal(s.last_drop, DROP_INTERFACE_DOWN);
    assert_int_equal(stack_interface_counters(s.stack, 0)->ifInDiscards, 1);
    stack_set_up(s.stack, 0, true);
    struct arp_packet arp = one_stack_next_arp(&s, 0);
    assert_true(arp_is_announcement(&arp));
    assert_int_equal(send_one(socket, ADDRESS_PEER, 10), UDP_SENT);
    one_stack_close(&s);
}

static void test_frames_that_are_shared_or_in_slices_are_taken(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct frame *frame = frame_new(s.frames, 128);
    struct frame *body = frame_new(s.frames, 128);
    assert_true(frame != NULL && body != NULL);
    frame->len = unhex("020000000001 020000000002 0800", frame->data);
    body->len = ping(body->data, 128);
    frame_append(frame, bytes_first(frame_bytes(body), 25));
    frame_add_slice(frame, body, bytes_after(frame_bytes(body), 25));
    uint8_t before[128];
    memcpy(before, frame->data, frame->len);
    stack_input(s.stack, 0, frame_ref(frame), s.now);
    assert_int_equal(one_stack_drain(&s, 0), 1);
    assert_memory_equal(before, frame->data, frame->len);
    frame_unref(frame);
    frame_unref(body);
    one_stack_close(&s);
}

static void test_the_table_is_bounded(void **state)
{
    (void)state;
    struct one_stack s;
    one_stack_open(&s, NULL);
    struct interface_options options = {.mac = {{2, 0, 0, 0, 9, 9}}, .mtu = 576};
    for (int i = 1; i < STACK_INTERFACES_MAX; i++)
        assert_int_equal(stack_add_interface(s.stack, &options), i);
    assert_int_equal(stack_add_interface(s.stack, &options), -1);
    one_stack_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framing),
        cmocka_unit_test(test_short_frames),
        cmocka_unit_test(test_a_full_queue_drops_the_newest),
        cmocka_unit_test(test_the_queue_is_bounded_in_octets_too),
        cmocka_unit_test(test_a_checksum_is_completed_when_the_device_does_not),
        cmocka_unit_test(test_down_and_up),
        cmocka_unit_test(test_frames_that_are_shared_or_in_slices_are_taken),
        cmocka_unit_test(test_the_table_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
