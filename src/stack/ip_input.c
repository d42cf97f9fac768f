/* SPDX-License-Identifier: ISC */
/*
 * ip_input.c - IPv4 packets on their way up (RFC 791, RFC 1122 §3.2.1, RFC 1812 §5.2): the checks
 * in order, then whose the packet is.
 *
 * The host model is the weak one (RFC 1122 §3.3.4.2): an address of ours is ours on every
 * interface.
 *
 * Options: source routes are refused (RFC 7126 §4.3, §4.4); record route, timestamp, security and
 * router alert are looked over and left alone. SKIPS RFC 1122 §3.2.1.8 (d) and (e), updating record
 * route and timestamp: optional there, and networks drop them.
 */
#include "stack/echo_table.h"
#include "stack/ip.h"
#include "stack/udp_table.h"
#include "wire/inet/icmp_message.h"

enum whose { OURS, GROUP, FOREIGN, PASSING, NOBODYS };

/* RFC 1122 §3.2.1.3, RFC 1812 §5.3.7: addresses that no packet on a link comes from. */
static bool source_plausible(const struct stack *stack, const struct interface *interface,
                             const struct ipv4_header *header)
{
    uint32_t source = address_v4_value(&header->source);
    if (source >> 24 == 0) /* "this host", while it learns its address */
        return source == 0 && header->protocol == IP_PROTOCOL_UDP;
    return source >> 28 < 0xe && source >> 24 != 127 && ip_own(stack, source) == NULL &&
           !ip_is_broadcast_on(stack, interface->index, source);
}

static enum whose whose(const struct stack *stack, const struct interface *interface,
                        const struct ip_address *target, bool link_group)
{
    uint32_t value = address_v4_value(target);
    if (ip_own(stack, value) != NULL)
        /* RFC 1122 §3.3.6: a link broadcast is for IP groups only. */
        return link_group ? NOBODYS : OURS;
    if (ip_is_broadcast_on(stack, interface->index, value) || address_is_multicast(target))
        return GROUP;
    if (link_group || value >> 24 == 0 || value >> 24 == 127 || value >> 28 == 0xf)
        return NOBODYS;
    if ((interface->options.features & INTERFACE_INTERCEPT) != 0)
        return FOREIGN;
    return stack->options.forwarding ? PASSING : NOBODYS;
}

static bool options_allowed(struct stack *stack, const struct ip_packet *packet,
                            struct bytes options)
{
    const uint8_t *start = options.data;
    for (;;) {
        struct bytes rest = options;
        struct ipv4_option option;
        switch (ipv4_option_next(&options, &option)) {
        case IPV4_OPTION_NONE:
            return true;
        case IPV4_OPTION_MALFORMED:
            icmp_parameter_problem(stack, packet, (uint8_t)(IPV4_HEADER_LEN + (rest.data - start)));
            return false;
        case IPV4_OPTION_FOUND:
            break;
        }
        if (option.type == IPV4_OPTION_LOOSE_ROUTE || option.type == IPV4_OPTION_STRICT_ROUTE) {
            icmp_unreachable(stack, packet, ICMP_SOURCE_ROUTE_FAILED, 0);
            return false;
        }
    }
}

static void deliver(struct stack *stack, const struct ip_packet *packet)
{
    stack->counters.ipInDelivers++;
    switch (packet->protocol) {
    case IP_PROTOCOL_TCP:
        tcp_input(stack, packet);
        break;
    case IP_PROTOCOL_UDP:
        udp_input(stack, packet);
        break;
    case IP_PROTOCOL_ICMP:
        icmp_input(stack, packet);
        break;
    default:
        stack->counters.ipInUnknownProtos++;
        stack_drop(stack, DROP_IP_PROTOCOL, packet->frame);
        icmp_unreachable(stack, packet, ICMP_PROTOCOL_UNREACHABLE, 0);
        break;
    }
}

/* Puts the parts together first when it is one; takes the frame. */
static void deliver_whole(struct stack *stack, struct frame *frame, struct ip_packet *packet,
                          const struct ipv4_header *header)
{
    if (LIKELY(!ipv4_is_fragment(header))) {
        deliver(stack, packet);
        frame_unref(frame);
        return;
    }
    frame = reassembly_add(stack, frame, packet, header);
    if (frame == NULL)
        return;
    struct ipv4_header whole;
    enum wire_status decoded = ipv4_decode(frame_bytes(frame), &whole);
    ASSERT(decoded == WIRE_OK);
    packet->frame = frame;
    packet->payload = whole.payload;
    packet->traffic_class = whole.traffic_class;
    packet->verified = false;
    deliver(stack, packet);
    frame_unref(frame);
}

static void drop(struct stack *stack, enum drop_reason reason, struct frame *frame)
{
    stack_drop(stack, reason, frame);
    frame_unref(frame);
}

/* A device may say that the checksum is partial; it must be that of this packet's transport, or it
 * is not believed. */
static void check_offload(struct frame *frame, const struct ipv4_header *header)
{
    struct frame_offload *offload = &frame->offload;
    if (offload->checksum == FRAME_CHECKSUM_PARTIAL &&
        (offload->checksum_start != frame_headroom(frame) + header->header_len ||
         offload->checksum_offset + 2u > header->payload.len))
        *offload = (struct frame_offload){0};
}

/* Decodes; false when the frame was dropped. Link padding is cut off. */
static bool decode(struct stack *stack, struct frame *frame, struct ipv4_header *header,
                   struct ip_packet *packet)
{
    stack->counters.ipInReceives++;
    enum wire_status status = ipv4_decode(frame_bytes(frame), header);
    if (UNLIKELY(status != WIRE_OK)) {
        stack->counters.ipInHdrErrors++;
        drop(stack, status == WIRE_CHECKSUM ? DROP_IP_CHECKSUM : DROP_IP_MALFORMED, frame);
        return false;
    }
    frame_trim(frame, header->total_len);
    check_offload(frame, header);
    stack->counters.ipInEcnPkts[header->traffic_class & IP_ECN_MASK]++;
    *packet = (struct ip_packet){
        .frame = frame,
        .payload = header->payload,
        .source = header->source,
        .target = header->target,
        .protocol = header->protocol,
        .ttl = header->ttl,
        .traffic_class = header->traffic_class,
        .verified = frame->offload.checksum != FRAME_CHECKSUM_FULL,
    };
    return true;
}

void ip_input(struct stack *stack, struct interface *interface, struct frame *frame,
              const struct mac *source, bool group)
{
    struct ipv4_header header;
    struct ip_packet packet;
    if (!decode(stack, frame, &header, &packet))
        return;
    packet.interface = interface->index;
    packet.mac = *source;
    if (UNLIKELY(!source_plausible(stack, interface, &header))) {
        stack->counters.ipInAddrErrors++;
        drop(stack, DROP_IP_SOURCE, frame);
        return;
    }
    enum whose mine = whose(stack, interface, &header.target, group);
    packet.multicast = group || mine == GROUP;
    packet.foreign = mine == FOREIGN;
    if (UNLIKELY(header.options.len > 0) && !options_allowed(stack, &packet, header.options)) {
        stack->counters.ipInHdrErrors++;
        drop(stack, DROP_IP_OPTION, frame);
        return;
    }
    switch (mine) {
    case FOREIGN:
        /* The interceptor is a router on the way to that host, and traceroute shall see it. */
        if (header.ttl <= 1) {
            icmp_time_exceeded(stack, &packet, ICMP_TTL_EXCEEDED);
            drop(stack, DROP_IP_TTL, frame);
            break;
        }
        deliver_whole(stack, frame, &packet, &header);
        break;
    case OURS:
    case GROUP:
        deliver_whole(stack, frame, &packet, &header);
        break;
    case PASSING:
        ip_forward(stack, frame, &packet, &header);
        break;
    case NOBODYS:
        stack->counters.ipInAddrErrors++;
        drop(stack, DROP_IP_NOT_OURS, frame);
        break;
    }
}

bool ip_loopback_waits(const struct stack *stack)
{
    return stack->ip->loopback.count > 0;
}

static void loopback_input(struct stack *stack, struct frame *frame)
{
    if (frame->slice_count > 0 || frame->refs > 1) {
        struct frame *copy = frame_copy(frame);
        if (copy == NULL) {
            drop(stack, DROP_NO_MEMORY, frame);
            return;
        }
        frame_unref(frame);
        frame = copy;
    }
    struct ipv4_header header;
    struct ip_packet packet;
    if (!decode(stack, frame, &header, &packet))
        return;
    const struct own_address *own = ip_own(stack, address_v4_value(&header.target));
    packet.interface = own != NULL ? own->interface : 0;
    deliver_whole(stack, frame, &packet, &header);
}

void ip_loopback_deliver(struct stack *stack)
{
    /* Only what is there now: an answer waits for the next turn, and a loop does not hang us. */
    for (size_t left = stack->ip->loopback.count; left > 0; left--)
        loopback_input(stack, frame_queue_pop(&stack->ip->loopback));
}
