/* SPDX-License-Identifier: ISC */
/*
 * arp_input.c - what an ARP packet does (RFC 826, "Packet Reception"), with the conflict detection
 * of RFC 5227 in front.
 *
 * Addresses that cannot be a station's are not believed (RFC 1812 §3.3.2). Proxy ARP (RFC 1027) is
 * for single addresses that the owner of the stack names.
 */
#include "stack/ip.h"
#include "stack/neighbour.h"
#include "wire/link/arp_packet.h"

static bool plausible(const struct arp_packet *packet)
{
    return (packet->operation == ARP_REQUEST || packet->operation == ARP_REPLY) &&
           !mac_is_multicast(&packet->source_mac) && !address_is_multicast(&packet->source) &&
           !address_is_broadcast(&packet->source) && !address_is_loopback(&packet->source);
}

void arp_input(struct stack *stack, struct interface *interface, const struct frame *frame,
               const struct mac *link_source)
{
    struct arp_packet packet;
    if (arp_decode(frame_bytes(frame), &packet) != WIRE_OK || !plausible(&packet) ||
        mac_is_multicast(link_source)) {
        stack_drop(stack, DROP_ARP_MALFORMED, frame);
        return;
    }
    /* Our own, come back over a hub or a bridge's loop (RFC 5227 §2.1.1 excepts it too). */
    if (mac_equal(&packet.source_mac, &interface->mac))
        return;
    if (address_conflict(stack, interface, &packet))
        return;

    bool to_us = ip_is_ours_on(stack, interface->index, &packet.target) ||
                 ip_is_proxied_on(stack, interface->index, &packet.target);
    if (!address_is_any(&packet.source)) {
        struct neighbour_news news = {
            .address = packet.source,
            .mac = packet.source_mac,
            .to_us = to_us,
            .answer = packet.operation == ARP_REPLY,
        };
        neighbour_learn(stack, interface, &news);
    }
    if (to_us && packet.operation == ARP_REQUEST)
        arp_reply(stack, interface, &packet.target, &packet.source, &packet.source_mac);
}
