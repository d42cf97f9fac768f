/* SPDX-License-Identifier: ISC */
/*
 * ip_output.c - packets of this host on their way down (RFC 791, RFC 1122 §3.3.1), and to itself.
 *
 * Identification (RFC 6864): a packet that must not be fragmented has 0, for nobody needs it.
 * Others count up within a bucket that source, target and protocol hash to, from a secret start
 * (RFC 7739 §5.3): no value comes back before 65536 others, and strangers cannot guess the next
 * one.
 */
#include "stack/ip.h"
#include "stack/neighbour.h"
#include "wire/inet/icmp_message.h"
#include "wire/link/ethernet.h"

bool ip_init(struct stack *stack)
{
    struct ip_state *ip = heap_zeroed(&stack->heap, sizeof *ip);
    if (ip == NULL)
        return false;
    stack->ip = ip;
    prng_fill(&stack->prng, ip->identifiers, sizeof ip->identifiers);
    list_init(&ip->reassembly.datagrams);
    ip->reassembly.octets_max = stack->options.reassembly_octets_max != 0
                                    ? stack->options.reassembly_octets_max
                                    : REASSEMBLY_OCTETS_DEFAULT;
    ip->icmp_tokens = ICMP_BURST * (int64_t)1000000;
    ip->icmp_filled_at = stack->now;
    return true;
}

void ip_done(struct stack *stack)
{
    struct ip_state *ip = stack->ip;
    if (ip == NULL)
        return;
    reassembly_done(stack);
    for (unsigned i = 0; i < ip->address_top; i++)
        if (ip->addresses[i].used)
            wheel_disarm(&stack->wheel, &ip->addresses[i].timer);
    frame_queue_clear(&ip->loopback);
    heap_release(&stack->heap, ip, sizeof *ip);
    stack->ip = NULL;
}

static uint16_t identification(struct stack *stack, const struct ip_send *send)
{
    uint8_t key[9];
    memcpy(key, send->source.octets + 12, 4);
    memcpy(key + 4, send->target.octets + 12, 4);
    key[8] = send->protocol;
    uint64_t hash = siphash13(&stack->hash_key, bytes_of(key, sizeof key));
    return (uint16_t)(stack->ip->identifiers[hash % IP_IDENTIFIERS]++ + (hash >> 32));
}

static enum ip_status loop_back(struct stack *stack, struct frame *frame)
{
    struct ip_state *ip = stack->ip;
    if (ip->loopback.count >= IP_LOOPBACK_QUEUE_MAX) {
        stack_drop(stack, DROP_OUTPUT_FULL, frame);
        frame_unref(frame);
        return IP_NO_MEMORY;
    }
    frame_queue_push(&ip->loopback, frame);
    return IP_SENT;
}

enum ip_status ip_link_output(struct stack *stack, const struct route_choice *choice,
                              const struct mac *mac, struct frame *frame)
{
    if (choice->local)
        return loop_back(stack, frame);
    struct interface *interface = stack->interfaces[choice->interface];
    struct mac group;
    if (choice->broadcast) {
        group = ethernet_broadcast();
        mac = &group;
    } else if (mac == NULL && UNLIKELY(address_is_multicast(&choice->next_hop))) {
        group = ethernet_multicast(&choice->next_hop);
        mac = &group;
    }
    if (mac != NULL)
        return interface_send(stack, interface, mac, ETHERNET_IPV4, frame);
    return neighbour_output(stack, interface, &choice->next_hop, frame);
}

static enum ip_status too_big(struct stack *stack, struct frame *frame)
{
    stack->counters.ipOutFragFails++;
    stack_drop(stack, DROP_IP_TOO_BIG, frame);
    frame_unref(frame);
    return IP_TOO_BIG;
}

enum { DONT_FRAGMENT_BIT = 0x40, FLAGS_AT = 6 };

enum ip_status ip_transmit(struct stack *stack, const struct route_choice *choice,
                           const struct mac *mac, struct frame *frame)
{
    if (UNLIKELY(frame->offload.gso != FRAME_GSO_NONE)) {
        /* It is cut by the device. Where the device does not, the sender must not make one: who
         * does looks at route_choice.features. */
        unsigned wanted = frame->offload.gso == FRAME_GSO_UDP4 ? INTERFACE_USO4 : INTERFACE_TSO4;
        if ((choice->features & wanted) == 0)
            return too_big(stack, frame);
        return ip_link_output(stack, choice, mac, frame);
    }
    if (LIKELY(frame_total(frame) <= choice->mtu))
        return ip_link_output(stack, choice, mac, frame);
    if ((frame->data[FLAGS_AT] & DONT_FRAGMENT_BIT) != 0)
        return too_big(stack, frame);
    return ip_fragment(stack, choice, mac, frame);
}

enum ip_status ip_output_by(struct stack *stack, const struct ip_send *send,
                            const struct route_choice *choice, struct frame *frame)
{
    stack->counters.ipOutRequests++;
    if (UNLIKELY(frame_total(frame) > IPV4_PACKET_MAX - IPV4_HEADER_LEN))
        return too_big(stack, frame);
    struct ipv4_header header = {
        .source = send->source,
        .target = send->target,
        .identification = send->dont_fragment ? 0 : identification(stack, send),
        .dont_fragment = send->dont_fragment,
        .ttl = send->ttl != 0 ? send->ttl : IP_TTL_DEFAULT,
        .protocol = send->protocol,
        .traffic_class = send->traffic_class,
        .options = bytes_empty(),
    };
    /* RFC 1112 §6.1: a datagram to a group stays on the link unless it says otherwise. */
    if (send->ttl == 0 && address_is_multicast(&send->target))
        header.ttl = 1;
    ipv4_push(frame, &header);
    return ip_transmit(stack, choice, send->mac, frame);
}

enum ip_status ip_choose(struct stack *stack, const struct ip_send *send, struct route_choice *out)
{
    if (UNLIKELY(!ip_route_on(stack, send->interface, &send->target, out)))
        return IP_NO_ROUTE;
    return IP_SENT;
}

enum ip_status ip_output(struct stack *stack, const struct ip_send *send, struct frame *frame)
{
    struct route_choice choice;
    if (ip_choose(stack, send, &choice) != IP_SENT) {
        stack->counters.ipOutNoRoutes++;
        stack_drop(stack, DROP_IP_NO_ROUTE, frame);
        frame_unref(frame);
        return IP_NO_ROUTE;
    }
    if (!address_is_any(&send->source))
        return ip_output_by(stack, send, &choice, frame);
    struct ip_send chosen = *send;
    chosen.source = choice.source;
    return ip_output_by(stack, &chosen, &choice, frame);
}

void ip_undeliverable(struct stack *stack, unsigned interface, struct frame *frame)
{
    uint8_t head[IPV4_HEADER_MAX + ICMP_HEADER_LEN];
    size_t len = frame_total(frame) < sizeof head ? frame_total(frame) : sizeof head;
    frame_copy_out(frame, 0, head, len);
    struct ipv4_header header;
    if (ipv4_decode_quoted(bytes_of(head, len), &header) != WIRE_OK || header.fragment_offset != 0)
        return;
    struct icmp_report report = {
        .type = ICMP_UNREACHABLE,
        .code = ICMP_HOST_UNREACHABLE,
        .protocol = header.protocol,
        .source = header.source,
        .target = header.target,
        .transport = header.payload,
        .reporter = ip_source_on(stack, interface, &header.target),
    };
    icmp_deliver(stack, &report);
    if (ip_is_local(stack, &header.source) || !stack->options.forwarding)
        return;
    struct ip_packet packet = {
        .frame = frame,
        .source = header.source,
        .target = header.target,
        .interface = interface,
        .protocol = header.protocol,
    };
    icmp_unreachable(stack, &packet, ICMP_HOST_UNREACHABLE, 0);
}
