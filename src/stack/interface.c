/* SPDX-License-Identifier: ISC */
/*
 * interface.c - frames in from a device and out to it (RFC 894; 802.1Q priority tags).
 *
 * Taken: unicast to us, and groups. A tag with VLAN 0 carries only a priority (802.1Q §9.6) and is
 * taken off; other VLANs, 802.3 frames without SNAP and EtherTypes that are not spoken are counted
 * as unknown. RFC 1042 framing is taken too (RFC 1122 §2.3.3); ours is always RFC 894's.
 */
#include "stack/interface.h"

#include "base/checksum.h"
#include "stack/ip.h"
#include "stack/neighbour.h"
#include "wire/link/ethernet.h"

enum { VLAN_ID_MASK = 0x0fff };

struct interface *interface_get(const struct stack *stack, unsigned index)
{
    if (index >= stack->interface_count || !stack->interfaces[index]->up)
        return NULL;
    return stack->interfaces[index];
}

int stack_add_interface(struct stack *stack, const struct interface_options *options)
{
    if (stack->interface_count == STACK_INTERFACES_MAX)
        return -1;
    ASSERT(options->mtu >= INTERFACE_MTU_MIN);
    struct interface *interface = heap_zeroed(&stack->heap, sizeof *interface);
    if (interface == NULL)
        return -1;
    interface->options = *options;
    interface->options.name[sizeof interface->options.name - 1] = '\0';
    interface->mac = options->mac;
    interface->index = (uint8_t)stack->interface_count;
    interface->up = true;
    stack->interfaces[stack->interface_count] = interface;
    return (int)stack->interface_count++;
}

void interfaces_done(struct stack *stack)
{
    for (unsigned i = 0; i < stack->interface_count; i++) {
        interface_flush(stack->interfaces[i]);
        heap_release(&stack->heap, stack->interfaces[i], sizeof *stack->interfaces[i]);
    }
    stack->interface_count = 0;
}

void interface_flush(struct interface *interface)
{
    frame_queue_clear(&interface->output);
    interface->output_octets = 0;
}

void stack_set_up(struct stack *stack, unsigned index, bool up)
{
    ASSERT(index < stack->interface_count);
    struct interface *interface = stack->interfaces[index];
    if (interface->up == up)
        return;
    interface->up = up;
    if (up) {
        addresses_announce(stack, index);
        return;
    }
    neighbours_flush(stack, index);
    interface_flush(interface);
}

void stack_set_mtu(struct stack *stack, unsigned index, uint16_t mtu)
{
    ASSERT(index < stack->interface_count && mtu >= INTERFACE_MTU_MIN);
    stack->interfaces[index]->options.mtu = mtu;
}

void stack_add_features(struct stack *stack, unsigned index, unsigned features)
{
    ASSERT(index < stack->interface_count);
    stack->interfaces[index]->options.features |= features;
}

const struct interface_counters *stack_interface_counters(const struct stack *stack,
                                                          unsigned interface)
{
    ASSERT(interface < stack->interface_count);
    return &stack->interfaces[interface]->counters;
}

static void count_in(struct interface *interface, const struct mac *target, size_t len)
{
    interface->counters.ifInOctets += len;
    if (LIKELY(!mac_is_multicast(target)))
        interface->counters.ifInUcastPkts++;
    else if (target->octets[0] == 0xff)
        interface->counters.ifInBroadcastPkts++;
    else
        interface->counters.ifInMulticastPkts++;
}

static void drop_unknown(struct stack *stack, struct interface *interface, struct frame *frame)
{
    interface->counters.ifInUnknownProtos++;
    stack_drop(stack, DROP_ETHERNET_TYPE, frame);
    frame_unref(frame);
}

static void input_error(struct stack *stack, struct interface *interface, enum drop_reason reason,
                        struct frame *frame)
{
    interface->counters.ifInErrors++;
    stack_drop(stack, reason, frame);
    frame_unref(frame);
}

static void interface_input(struct stack *stack, struct interface *interface, struct frame *frame)
{
    struct ethernet_header header;
    if (ethernet_decode(frame_bytes(frame), &header) != WIRE_OK ||
        mac_is_multicast(&header.source)) {
        input_error(stack, interface, DROP_ETHERNET_MALFORMED, frame);
        return;
    }
    bool group = mac_is_multicast(&header.target);
    if (UNLIKELY(!group && !mac_equal(&header.target, &interface->mac))) {
        stack_drop(stack, DROP_ETHERNET_NOT_OURS, frame);
        frame_unref(frame);
        return;
    }
    count_in(interface, &header.target, frame->len);
    if (header.tagged && (header.tag & VLAN_ID_MASK) != 0) {
        drop_unknown(stack, interface, frame);
        return;
    }
    frame_pull(frame, header.header_len);
    frame_trim(frame, header.payload.len);
    switch (header.type) {
    case ETHERNET_IPV4:
        ip_input(stack, interface, frame, &header.source, group);
        break;
    case ETHERNET_ARP:
        arp_input(stack, interface, frame, &header.source);
        frame_unref(frame);
        break;
    default:
        drop_unknown(stack, interface, frame);
        break;
    }
}

void stack_input(struct stack *stack, unsigned index, struct frame *frame, usec now)
{
    ASSERT(index < stack->interface_count);
    stack_advance(stack, now);
    struct interface *interface = stack->interfaces[index];
    if (UNLIKELY(!interface->up)) {
        interface->counters.ifInDiscards++;
        stack_drop(stack, DROP_INTERFACE_DOWN, frame);
        frame_unref(frame);
        return;
    }
    /* Headers are taken off in place and payload is queued as it lies: the frame must be linear
     * and ours alone. From a device it always is; from a virtual wire it may not be. */
    if (UNLIKELY(frame->slice_count > 0 || frame->refs > 1)) {
        struct frame *copy = frame_copy(frame);
        if (copy == NULL) {
            interface->counters.ifInDiscards++;
            stack_drop(stack, DROP_NO_MEMORY, frame);
        }
        frame_unref(frame);
        if (copy == NULL)
            return;
        frame = copy;
    }
    interface_input(stack, interface, frame);
}

static void count_out(struct interface *interface, const struct frame *frame, size_t len)
{
    interface->counters.ifOutOctets += len;
    if (LIKELY((frame->data[0] & 1) == 0))
        interface->counters.ifOutUcastPkts++;
    else if (frame->data[0] == 0xff)
        interface->counters.ifOutBroadcastPkts++;
    else
        interface->counters.ifOutMulticastPkts++;
}

enum ip_status interface_send(struct stack *stack, struct interface *interface,
                              const struct mac *target, uint16_t type, struct frame *frame)
{
    if (UNLIKELY(!interface->up)) {
        stack_drop(stack, DROP_INTERFACE_DOWN, frame);
        frame_unref(frame);
        return IP_DOWN;
    }
    size_t len = frame_total(frame) + ETHERNET_HEADER_LEN;
    if (UNLIKELY(interface->output.count >= INTERFACE_QUEUE_MAX ||
                 interface->output_octets + len > INTERFACE_QUEUE_OCTETS_MAX)) {
        interface->counters.ifOutDiscards++;
        stack_drop(stack, DROP_OUTPUT_FULL, frame);
        frame_unref(frame);
        return IP_NO_MEMORY;
    }
    if (frame->offload.checksum == FRAME_CHECKSUM_PARTIAL &&
        (interface->options.features & INTERFACE_CHECKSUM) == 0)
        checksum_complete(frame);
    struct ethernet_header header = {.target = *target, .source = interface->mac, .type = type};
    ethernet_push(frame, &header);
    interface->output_octets += len;
    frame_queue_push(&interface->output, frame);
    return IP_SENT;
}

struct frame *stack_output(struct stack *stack, unsigned index)
{
    ASSERT(index < stack->interface_count);
    struct interface *interface = stack->interfaces[index];
    /* What TCP makes may be for other interfaces, whose queues may be full: it is asked again, but
     * not for ever. */
    for (int i = 0; i < INTERFACE_FLUSH_ROUNDS && interface->output.count == 0; i++)
        if (!tcp_flush(stack, INTERFACE_FLUSH_FRAMES))
            break;
    struct frame *frame = frame_queue_pop(&interface->output);
    if (frame == NULL)
        return NULL;
    size_t len = frame_total(frame);
    interface->output_octets -= len;
    count_out(interface, frame, len);
    return frame;
}
