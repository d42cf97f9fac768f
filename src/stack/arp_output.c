/* SPDX-License-Identifier: ISC */
/* arp_output.c - ARP requests, replies, probes and announcements (RFC 826, RFC 5227). */
#include "stack/neighbour.h"
#include "wire/link/arp_packet.h"
#include "wire/link/ethernet.h"

static void arp_send(struct stack *stack, struct interface *interface,
                     const struct arp_packet *packet, const struct mac *to)
{
    struct frame *frame = frame_new(stack->frames, ARP_LEN);
    if (frame == NULL) {
        stack_drop(stack, DROP_NO_MEMORY, NULL);
        return;
    }
    struct writer w = writer_of(frame->data, ARP_LEN);
    arp_encode(packet, &w);
    ASSERT(!w.failed);
    frame->len = ARP_LEN;
    (void)interface_send(stack, interface, to, ETHERNET_ARP, frame);
}

void arp_request(struct stack *stack, struct interface *interface, const struct ip_address *sender,
                 const struct ip_address *target, const struct mac *to)
{
    struct mac broadcast = ethernet_broadcast();
    struct arp_packet packet = {
        .operation = ARP_REQUEST,
        .source_mac = interface->mac,
        .source = *sender,
        .target = *target,
    };
    arp_send(stack, interface, &packet, to != NULL ? to : &broadcast);
}

void arp_reply(struct stack *stack, struct interface *interface, const struct ip_address *sender,
               const struct ip_address *target, const struct mac *to)
{
    struct arp_packet packet = {
        .operation = ARP_REPLY,
        .source_mac = interface->mac,
        .source = *sender,
        .target_mac = *to,
        .target = *target,
    };
    arp_send(stack, interface, &packet, to);
}
