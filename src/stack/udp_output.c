/* SPDX-License-Identifier: ISC */
/*
 * udp_output.c - what UDP sockets send: datagrams, and refusals of intercepted ones (RFC 768).
 */
#include "base/checksum.h"
#include "stack/ip.h"
#include "stack/udp_table.h"
#include "wire/inet/icmp_message.h"
#include "wire/inet/udp_header.h"

static enum udp_status status_of(enum ip_status status)
{
    switch (status) {
    case IP_SENT:
        return UDP_SENT;
    case IP_TOO_BIG:
        return UDP_TOO_BIG;
    case IP_NO_ROUTE:
    case IP_DOWN:
        return UDP_NO_ROUTE;
    case IP_NO_MEMORY:
        break;
    }
    return UDP_NO_MEMORY;
}

/* The header in front, with the pseudo-header's sum: the interface does the rest. */
static void push_header(const struct ip_send *send, uint16_t source_port, uint16_t target_port,
                        struct frame *frame)
{
    size_t len = frame->len + UDP_HEADER_LEN;
    uint64_t sum = checksum_pseudo(&send->source, &send->target, IP_PROTOCOL_UDP, (uint32_t)len);
    struct udp_header header = {
        .source_port = source_port,
        .target_port = target_port,
        .checksum = checksum_fold(sum),
        .payload = bytes_empty(),
    };
    udp_push(frame, &header);
    frame->offload = (struct frame_offload){
        .checksum = FRAME_CHECKSUM_PARTIAL,
        .checksum_start = (uint32_t)frame_headroom(frame),
        .checksum_offset = UDP_CHECKSUM_OFFSET,
    };
}

bool udp_takes_segments(const struct udp_socket *socket, const struct ip_address *to,
                        uint16_t segment)
{
    struct route_choice choice;
    struct ip_send send = {.target = *to, .protocol = IP_PROTOCOL_UDP, .interface = -1};
    return ip_choose(socket->stack, &send, &choice) == IP_SENT && !choice.local &&
           !choice.broadcast && (choice.features & INTERFACE_USO4) != 0 &&
           IPV4_HEADER_LEN + UDP_HEADER_LEN + segment <= choice.mtu;
}

static void mark_segments(struct frame *frame, uint16_t segment)
{
    frame->offload.gso = FRAME_GSO_UDP4;
    frame->offload.gso_size = segment;
}

static enum udp_status send_routed(struct udp_socket *socket,
                                   const struct udp_send_options *options, struct ip_send *send,
                                   struct frame *payload)
{
    struct stack *stack = socket->stack;
    struct route_choice choice;
    if (ip_choose(stack, send, &choice) != IP_SENT) {
        stack->counters.ipOutNoRoutes++;
        frame_unref(payload);
        return UDP_NO_ROUTE;
    }
    if (choice.broadcast && !socket->broadcast) {
        frame_unref(payload);
        return UDP_NOT_ALLOWED;
    }
    uint16_t port = socket->local.port;
    if (!address_is_any(&options->from.address)) {
        send->source = options->from.address;
        port = options->from.port != 0 ? options->from.port : port;
    } else if (!address_is_any(&socket->local.address) &&
               !address_is_multicast(&socket->local.address)) {
        send->source = socket->local.address;
    } else {
        send->source = choice.source;
    }
    size_t len = payload->len;
    push_header(send, port, options->to.port, payload);
    if (options->segment != 0 && len > options->segment) {
        mark_segments(payload, options->segment);
        stack->counters.udpOutDatagrams += (len - 1) / options->segment;
    }
    stack->counters.udpOutDatagrams++;
    return status_of(ip_output_by(stack, send, &choice, payload));
}

enum { UDP_PAYLOAD_V4_MAX = IPV4_PACKET_MAX - IPV4_HEADER_LEN - UDP_HEADER_LEN };

enum udp_status udp_send_frame(struct udp_socket *socket, const struct udp_send_options *options,
                               struct frame *payload)
{
    ASSERT(payload->slice_count == 0);
    if (payload->len > UDP_PAYLOAD_V4_MAX) {
        frame_unref(payload);
        return UDP_TOO_BIG;
    }
    struct ip_send send = {
        .target = options->to.address,
        .protocol = IP_PROTOCOL_UDP,
        .ttl = options->ttl,
        .traffic_class = options->traffic_class,
        .dont_fragment = options->dont_fragment,
        .interface = options->interface,
        .mac = options->mac,
    };
    return send_routed(socket, options, &send, payload);
}

enum udp_status udp_send(struct udp_socket *socket, const struct udp_send_options *options,
                         struct bytes payload)
{
    if (payload.len > UDP_PAYLOAD_V4_MAX)
        return UDP_TOO_BIG;
    struct frame *frame = frame_new(socket->stack->frames, payload.len);
    if (frame == NULL)
        return UDP_NO_MEMORY;
    frame_append(frame, payload);
    return udp_send_frame(socket, options, frame);
}

void udp_unreachable(struct udp_socket *socket, const struct endpoint *from,
                     const struct endpoint *to, struct bytes payload, uint8_t code)
{
    uint8_t head[ICMP_QUOTED_MAX - IPV4_HEADER_LEN];
    struct writer w = writer_of(head, sizeof head);
    struct udp_header header = {
        .source_port = from->port,
        .target_port = to->port,
        .payload = bytes_first(payload, sizeof head - UDP_HEADER_LEN),
    };
    udp_encode(&header, &w);
    ASSERT(!w.failed);
    struct icmp_report report = {
        .type = ICMP_UNREACHABLE,
        .code = code,
        .protocol = IP_PROTOCOL_UDP,
        .source = from->address,
        .target = to->address,
        .transport = writer_bytes(&w),
    };
    icmp_send_report(socket->stack, &report);
}
