/* SPDX-License-Identifier: ISC */
/*
 * ip_forward.c - passes a packet on to another link (RFC 1812 §5.2.1, §5.3).
 *
 * SKIPS RFC 1812 §5.2.7.2, redirects: hosts do well to ignore them, as ours does,
 * and the packet has been forwarded. SKIPS §5.3.8, source address validation: it is for the filter.
 */
#include "base/checksum.h"
#include "stack/ip.h"
#include "wire/inet/icmp_message.h"

static void refuse(struct stack *stack, enum drop_reason reason, struct frame *frame)
{
    stack_drop(stack, reason, frame);
    frame_unref(frame);
}

/* RFC 1812 §4.2.2.11, §5.3.7; RFC 3927 §7: addresses that never cross a router. */
static bool may_cross(const struct ip_packet *packet)
{
    return !packet->multicast && !address_is_any(&packet->source) &&
           !address_is_link_local(&packet->source) && !address_is_link_local(&packet->target) &&
           !address_is_loopback(&packet->target) && address_v4_value(&packet->target) >> 24 != 0 &&
           address_v4_value(&packet->target) >> 28 != 0xf;
}

static bool fits(const struct route_choice *choice, const struct frame *frame, size_t header_len)
{
    if (frame->offload.gso == FRAME_GSO_NONE)
        return frame->len <= choice->mtu;
    /* Of a super-segment each part must fit. SKIPS cutting it here where the device cannot: the
     * interfaces of one router are of one kind. */
    enum { DATA_OFFSET_AT = 12 };
    if ((choice->features & INTERFACE_TSO4) == 0 || frame->len <= header_len + DATA_OFFSET_AT)
        return false;
    size_t tcp_len = (size_t)(frame->data[header_len + DATA_OFFSET_AT] >> 4) * 4;
    return header_len + tcp_len + frame->offload.gso_size <= choice->mtu;
}

/* RFC 1624: only the word with the TTL changes. */
static void decrement_ttl(struct frame *frame, const struct ipv4_header *header)
{
    uint16_t old_word = (uint16_t)(header->ttl << 8 | header->protocol);
    uint16_t new_word = (uint16_t)(old_word - 0x100);
    uint8_t *field = frame->data + IPV4_CHECKSUM_OFFSET;
    uint16_t sum = checksum_update((uint16_t)(field[0] << 8 | field[1]), old_word, new_word);
    frame->data[IPV4_TTL_OFFSET]--;
    field[0] = (uint8_t)(sum >> 8);
    field[1] = (uint8_t)sum;
}

void ip_forward(struct stack *stack, struct frame *frame, const struct ip_packet *packet,
                const struct ipv4_header *header)
{
    if (!may_cross(packet)) {
        stack->counters.ipInAddrErrors++;
        refuse(stack, DROP_IP_NOT_OURS, frame);
        return;
    }
    if (header->ttl <= 1) {
        icmp_time_exceeded(stack, packet, ICMP_TTL_EXCEEDED);
        stack->counters.ipInHdrErrors++;
        refuse(stack, DROP_IP_TTL, frame);
        return;
    }
    struct route_choice choice;
    if (!ip_route(stack, &packet->target, &choice)) {
        icmp_unreachable(stack, packet, ICMP_NET_UNREACHABLE, 0);
        stack->counters.ipInNoRoutes++;
        refuse(stack, DROP_IP_NO_ROUTE, frame);
        return;
    }
    /* RFC 2644: directed broadcasts are not let in. */
    if (choice.broadcast || choice.local) {
        refuse(stack, DROP_IP_NOT_OURS, frame);
        return;
    }
    if (!fits(&choice, frame, header->header_len) &&
        (header->dont_fragment || frame->offload.gso != FRAME_GSO_NONE)) {
        icmp_unreachable(stack, packet, ICMP_FRAGMENTATION_NEEDED, choice.mtu);
        stack->counters.ipOutFragFails++;
        refuse(stack, DROP_IP_TOO_BIG, frame);
        return;
    }
    decrement_ttl(frame, header);
    stack->counters.ipForwDatagrams++;
    (void)ip_transmit(stack, &choice, NULL, frame);
}
