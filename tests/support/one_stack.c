/* SPDX-License-Identifier: ISC */
/* one_stack.c - makes frames for a stack, and reads what it answers. */
#include "tests/support/one_stack.h"

#include "base/checksum.h"

const struct mac mac_us = {{2, 0, 0, 0, 0, 1}};
const struct mac mac_peer = {{2, 0, 0, 0, 0, 2}};
const struct mac mac_far_us = {{2, 0, 0, 0, 1, 1}};
const struct mac mac_far_peer = {{2, 0, 0, 0, 1, 2}};

static void on_event(void *self, const struct trace_event *event)
{
    struct one_stack *s = self;
    if (event->kind == TRACE_DROP)
        s->last_drop = event->u.drop.reason;
}

static void add_interface(struct one_stack *s, const struct mac *mac, uint16_t mtu,
                          unsigned features, struct ip_address address)
{
    struct interface_options options = {
        .name = "eth", .mac = *mac, .mtu = mtu, .features = features};
    int interface = stack_add_interface(s->stack, &options);
    assert_true(interface >= 0);
    struct ip_prefix prefix = {address, 24};
    assert_true(stack_add_address(s->stack, (unsigned)interface, &prefix, false));
}

void one_stack_open(struct one_stack *s, const struct one_stack_options *options)
{
    static const struct one_stack_options none = {0};
    if (options == NULL)
        options = &none;
    *s = (struct one_stack){.now = 1000 * USEC_PER_SEC};
    s->heap = counting_heap(&s->counts);
    s->frames = frame_pool_new(&s->heap, 64 * 1024 * 1024);
    struct stack_options stack = options->stack;
    stack.heap = s->heap;
    stack.frames = s->frames;
    stack.trace = (struct trace){on_event, s};
    s->stack = stack_new(&stack, s->now);
    assert_non_null(s->stack);
    add_interface(s, &mac_us, options->mtu != 0 ? options->mtu : 1500, options->features,
                  ADDRESS_US);
    if (options->far_mtu != 0)
        add_interface(s, &mac_far_us, options->far_mtu, options->far_features, ADDRESS_FAR_US);
    one_stack_wait(s, 10 * USEC_PER_SEC);
    one_stack_drain(s, 0);
    if (options->far_mtu != 0)
        one_stack_drain(s, 1);
    if (options->unresolved)
        return;
    struct ip_address peer = ADDRESS_PEER;
    assert_true(stack_add_neighbour(s->stack, 0, &peer, &mac_peer));
    peer = ADDRESS_FAR_PEER;
    assert_true(options->far_mtu == 0 || stack_add_neighbour(s->stack, 1, &peer, &mac_far_peer));
}

void one_stack_close(struct one_stack *s)
{
    stack_free(s->stack);
    struct frame_pool_counters frames;
    frame_pool_counters(s->frames, &frames);
    assert_int_equal(frames.frames, 0);
    frame_pool_free(s->frames);
    assert_int_equal(s->counts.blocks, 0);
    assert_int_equal(s->counts.octets, 0);
}

void one_stack_wait(struct one_stack *s, usec after)
{
    usec until = s->now + after;
    for (;;) {
        usec at = stack_deadline(s->stack);
        assert_true(at >= s->now);
        if (at > until)
            break;
        s->now = at;
        stack_tick(s->stack, at);
    }
    s->now = until;
    stack_advance(s->stack, until);
}

void one_stack_frame(struct one_stack *s, unsigned interface, struct bytes octets)
{
    struct frame *frame = frame_new(s->frames, octets.len);
    assert_non_null(frame);
    frame_append(frame, octets);
    s->last_drop = DROP_NONE;
    stack_input(s->stack, interface, frame, s->now);
}

void one_stack_arp(struct one_stack *s, uint16_t operation, const struct mac *mac,
                   struct ip_address source, struct ip_address target)
{
    uint8_t body[ARP_LEN];
    struct writer w = writer_of(body, sizeof body);
    struct arp_packet packet = {
        .operation = operation, .source_mac = *mac, .source = source, .target = target};
    arp_encode(&packet, &w);
    uint8_t octets[ETHERNET_HEADER_LEN + ARP_LEN];
    w = writer_of(octets, sizeof octets);
    struct ethernet_header ethernet = {.target = ethernet_broadcast(),
                                       .source = *mac,
                                       .type = ETHERNET_ARP,
                                       .payload = bytes_of(body, sizeof body)};
    ethernet_encode(&ethernet, &w);
    one_stack_frame(s, 0, writer_bytes(&w));
}

void one_stack_ip(struct one_stack *s, const struct ipv4_header *header, struct bytes payload)
{
    static uint8_t octets[FRAME_PACKET_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct mac target = mac_us;
    if (address_is_broadcast(&header->target))
        target = ethernet_broadcast();
    else if (address_is_multicast(&header->target))
        target = ethernet_multicast(&header->target);
    struct ethernet_header ethernet = {
        .target = target, .source = mac_peer, .type = ETHERNET_IPV4, .payload = bytes_empty()};
    ethernet_encode(&ethernet, &w);
    struct ipv4_header ip = *header;
    if (ip.ttl == 0)
        ip.ttl = 64;
    if (ip.options.data == NULL)
        ip.options = bytes_empty();
    ip.total_len = (uint16_t)(IPV4_HEADER_LEN + ((ip.options.len + 3) & ~(size_t)3) + payload.len);
    ipv4_encode(&ip, &w);
    write_bytes(&w, payload);
    assert_false(w.failed);
    one_stack_frame(s, 0, writer_bytes(&w));
}

void one_stack_udp(struct one_stack *s, const struct endpoint *from, const struct endpoint *to,
                   struct bytes payload)
{
    static uint8_t octets[65535];
    struct writer w = writer_of(octets, sizeof octets);
    struct udp_header udp = {
        .source_port = from->port, .target_port = to->port, .payload = payload};
    udp_encode(&udp, &w);
    uint64_t sum =
        checksum_pseudo(&from->address, &to->address, IP_PROTOCOL_UDP, (uint32_t)writer_len(&w)) +
        checksum_sum(writer_bytes(&w));
    write_u16_at(&w, UDP_CHECKSUM_OFFSET, (uint16_t)~checksum_fold(sum));
    struct ipv4_header ip = {
        .source = from->address, .target = to->address, .protocol = IP_PROTOCOL_UDP};
    one_stack_ip(s, &ip, writer_bytes(&w));
}

bool one_stack_next(struct one_stack *s, unsigned interface)
{
    struct frame *frame = stack_output(s->stack, interface);
    if (frame == NULL)
        return false;
    s->out_len = frame_total(frame);
    frame_copy_out(frame, 0, s->out, s->out_len);
    frame_unref(frame);
    return true;
}

size_t one_stack_drain(struct one_stack *s, unsigned interface)
{
    size_t count = 0;
    while (one_stack_next(s, interface))
        count++;
    return count;
}

static struct ethernet_header next_ethernet(struct one_stack *s, unsigned interface)
{
    if (!one_stack_next(s, interface))
        fail_msg("no frame came out");
    struct ethernet_header ethernet;
    assert_int_equal(ethernet_decode(bytes_of(s->out, s->out_len), &ethernet), WIRE_OK);
    return ethernet;
}

struct ipv4_header one_stack_next_ip(struct one_stack *s, unsigned interface)
{
    struct ethernet_header ethernet = next_ethernet(s, interface);
    assert_int_equal(ethernet.type, ETHERNET_IPV4);
    struct ipv4_header ip;
    assert_int_equal(ipv4_decode(ethernet.payload, &ip), WIRE_OK);
    return ip;
}

struct arp_packet one_stack_next_arp(struct one_stack *s, unsigned interface)
{
    struct ethernet_header ethernet = next_ethernet(s, interface);
    assert_int_equal(ethernet.type, ETHERNET_ARP);
    struct arp_packet packet;
    assert_int_equal(arp_decode(ethernet.payload, &packet), WIRE_OK);
    return packet;
}

struct icmp_message one_stack_next_icmp(struct one_stack *s, unsigned interface,
                                        struct ipv4_header *ip)
{
    *ip = one_stack_next_ip(s, interface);
    assert_int_equal(ip->protocol, IP_PROTOCOL_ICMP);
    struct icmp_message message;
    assert_int_equal(icmp_decode(ip->payload, &message), WIRE_OK);
    return message;
}
