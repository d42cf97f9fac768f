/* SPDX-License-Identifier: ISC */
/*
 * udp_input.c - datagrams and ICMP errors on their way to a UDP socket (RFC 768, RFC 1122 §4.1.3).
 *
 * A datagram waits in the frame it came in, and what is known of it is noted in that frame's
 * headroom, over headers that nobody needs any more: receiving allocates nothing.
 */
#include "base/checksum.h"
#include "stack/udp_table.h"
#include "wire/inet/icmp_message.h"
#include "wire/inet/udp_header.h"

/* Takes the frame, whose data is the payload. */
static void queue(struct stack *stack, struct udp_socket *socket, struct frame *frame,
                  const struct udp_note *note)
{
    if (frame_headroom(frame) < sizeof *note) {
        struct frame *copy = frame_copy(frame);
        frame_unref(frame);
        frame = copy;
    } else {
        frame = stack_fit(frame);
    }
    if (frame == NULL) {
        stack->counters.udpInErrors++;
        stack_drop(stack, DROP_NO_MEMORY, NULL);
        return;
    }
    if (socket->queue_octets + frame->size > socket->queue_octets_max && socket->queue.count > 0) {
        stack->counters.udpInErrors++;
        stack_drop(stack, DROP_UDP_QUEUE_FULL, frame);
        frame_unref(frame);
        return;
    }
    memcpy(frame->storage, note, sizeof *note);
    socket->queue_octets += frame->size;
    frame_queue_push(&socket->queue, frame);
    stack->counters.udpInDatagrams++;
    socket_raise(stack, &socket->base, SOCKET_READABLE);
}

/* To every socket that a group's datagram is for (RFC 1122 §4.1.3.5): those bound to the group
 * itself or to no address. Each has a copy of its own. False: there are none. */
static bool queue_group(struct stack *stack, const struct frame *frame, const struct udp_note *note)
{
    const struct udp_port *port = udp_find_port(stack, note->to.port);
    if (port == NULL)
        return false;
    bool wanted = false;
    for (struct list_node *node = port->sockets.next; node != &port->sockets; node = node->next) {
        struct udp_socket *socket = CONTAINER_OF(node, struct udp_socket, same_port);
        if (!address_is_any(&socket->local.address) &&
            !address_equal(&socket->local.address, &note->to.address))
            continue;
        if (socket->remote.port != 0 && !endpoint_equal(&socket->remote, &note->from))
            continue;
        wanted = true;
        struct frame *copy = frame_copy(frame);
        if (copy != NULL)
            queue(stack, socket, copy, note);
        else
            stack_drop(stack, DROP_NO_MEMORY, frame);
    }
    return wanted;
}

static bool checksum_fails(const struct ip_packet *packet, const struct udp_header *header)
{
    if (packet->verified || header->checksum == 0)
        return false;
    size_t len = UDP_HEADER_LEN + header->payload.len;
    uint64_t sum =
        checksum_pseudo(&packet->source, &packet->target, packet->protocol, (uint32_t)len);
    sum += checksum_sum(bytes_first(packet->payload, len));
    return checksum_fold(sum) != 0xffff;
}

static void no_port(struct stack *stack, const struct ip_packet *packet)
{
    stack->counters.udpNoPorts++;
    stack_drop(stack, DROP_UDP_NO_PORT, packet->frame);
    if (!packet->foreign) /* never about groups: icmp_output.c sees to it */
        icmp_unreachable(stack, packet, ICMP_PORT_UNREACHABLE, 0);
}

/* A reference to the frame, of which only the payload is left. The caller of udp_input() does not
 * look at it again. */
static struct frame *payload_frame(const struct ip_packet *packet, const struct udp_header *header)
{
    struct frame *frame = frame_ref(packet->frame);
    frame_pull(frame, (size_t)(packet->payload.data - frame->data) + UDP_HEADER_LEN);
    frame_trim(frame, header->payload.len);
    frame->offload = (struct frame_offload){0};
    return frame;
}

static void input_group(struct stack *stack, const struct ip_packet *packet,
                        const struct udp_header *header, const struct udp_note *note)
{
    struct frame *frame = payload_frame(packet, header);
    if (!queue_group(stack, frame, note)) {
        stack->counters.udpNoPorts++;
        stack_drop(stack, DROP_UDP_NO_PORT, frame);
    }
    frame_unref(frame);
}

void udp_input(struct stack *stack, const struct ip_packet *packet)
{
    struct udp_header header;
    if (UNLIKELY(udp_decode(packet->payload, &header) != WIRE_OK)) {
        stack->counters.udpInErrors++;
        stack_drop(stack, DROP_UDP_MALFORMED, packet->frame);
        return;
    }
    if (UNLIKELY(checksum_fails(packet, &header))) {
        stack->counters.udpInErrors++;
        stack_drop(stack, DROP_UDP_CHECKSUM, packet->frame);
        return;
    }
    struct udp_note note = {
        .from = {packet->source, header.source_port},
        .to = {packet->target, header.target_port},
        .mac = packet->mac,
        .interface = (uint8_t)packet->interface,
    };
    if (UNLIKELY(packet->multicast)) {
        input_group(stack, packet, &header, &note);
        return;
    }
    struct udp_socket *socket = packet->foreign
                                    ? stack->udp->intercept
                                    : udp_find(stack, &note.to, &note.from);
    if (socket == NULL)
        no_port(stack, packet);
    else
        queue(stack, socket, payload_frame(packet, &header), &note);
}

static void add_error(struct udp_socket *socket, const struct udp_error *error)
{
    if (socket->error_count == UDP_ERRORS_MAX) {
        socket->error_first = (uint8_t)((socket->error_first + 1) % UDP_ERRORS_MAX);
        socket->error_count--;
    }
    unsigned at = (socket->error_first + socket->error_count) % UDP_ERRORS_MAX;
    socket->errors[at] = *error;
    socket->error_count++;
}

void udp_icmp(struct stack *stack, const struct icmp_report *report)
{
    struct reader r = reader_of(report->transport);
    struct udp_error error = {
        .from = {.address = report->source},
        .to = {.address = report->target},
        .reporter = report->reporter,
        .type = report->type,
        .code = report->code,
        .mtu = report->mtu,
    };
    error.from.port = read_u16(&r);
    error.to.port = read_u16(&r);
    if (r.failed)
        return;
    struct udp_socket *socket = udp_find(stack, &error.from, &error.to);
    if (!ip_is_local(stack, &report->source))
        socket = stack->udp->intercept;
    if (socket == NULL)
        return;
    add_error(socket, &error);
    socket_raise(stack, &socket->base, SOCKET_FAILED);
}
