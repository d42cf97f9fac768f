/* SPDX-License-Identifier: ISC */
/*
 * icmp_output.c - says why a packet was not served (RFC 792; RFC 1122 §3.2.2; RFC 1812 §4.3).
 *
 * All errors of a stack share one token bucket (RFC 1812 §4.3.2.8).
 */
#include "stack/ip.h"
#include "wire/inet/icmp_message.h"

/* A token is worth a million, so that a rate per second fills it by the microsecond. */
static bool take_token(struct stack *stack)
{
    static const int64_t token = 1000000;
    struct ip_state *ip = stack->ip;
    usec elapsed = usec_min(stack->now - ip->icmp_filled_at, USEC_PER_SEC);
    ip->icmp_filled_at = stack->now;
    ip->icmp_tokens += elapsed * ICMP_RATE;
    if (ip->icmp_tokens > ICMP_BURST * token)
        ip->icmp_tokens = ICMP_BURST * token;
    if (ip->icmp_tokens < token)
        return false;
    ip->icmp_tokens -= token;
    return true;
}

/* Is it the address of one host (RFC 1812 §4.3.2.7)? */
static bool is_host(const struct ip_address *address)
{
    uint32_t value = address_v4_value(address);
    return value >> 24 != 0 && value >> 24 != 127 && value >> 28 < 0xe;
}

/* RFC 1122 §3.2.2: never about an error, a group, a later fragment, or to nobody in particular. */
static bool may_tell(const struct stack *stack, const struct ip_packet *packet)
{
    struct ipv4_header header;
    if (packet->multicast || !(is_host(&packet->source) || ip_is_local(stack, &packet->source)))
        return false;
    if (ipv4_decode_quoted(frame_bytes(packet->frame), &header) != WIRE_OK ||
        header.fragment_offset != 0)
        return false;
    return header.protocol != IP_PROTOCOL_ICMP ||
           (header.payload.len > 0 && !icmp_is_error(header.payload.data[0]));
}

static void count_out(struct stack *stack, uint8_t type)
{
    stack->counters.icmpOutMsgs++;
    if (type == ICMP_UNREACHABLE)
        stack->counters.icmpOutDestUnreachs++;
    else if (type == ICMP_TIME_EXCEEDED)
        stack->counters.icmpOutTimeExcds++;
}

/* Sends the error; `source` any: by route. */
static void send_error(struct stack *stack, const struct icmp_message *message,
                       const struct ip_address *source, const struct ip_address *target)
{
    if (!take_token(stack)) {
        stack_drop(stack, DROP_ICMP_RATE, NULL);
        return;
    }
    size_t room = ICMP_HEADER_LEN + message->u.error.quoted.len;
    struct frame *frame = frame_new(stack->frames, room);
    if (frame == NULL) {
        stack->counters.icmpOutErrors++;
        stack_drop(stack, DROP_NO_MEMORY, NULL);
        return;
    }
    struct writer w = writer_of(frame->data, room);
    icmp_encode(message, &w);
    ASSERT(!w.failed);
    frame->len = writer_len(&w);
    struct ip_send send = {
        .source = *source,
        .target = *target,
        .protocol = IP_PROTOCOL_ICMP,
        .traffic_class = 0xc0, /* RFC 1812 §4.3.2.5: internetwork control */
        .interface = -1,
    };
    count_out(stack, message->type);
    (void)ip_output(stack, &send, frame);
}

/* From the packet's target where that speaks for itself, else from us (RFC 1812 §4.3.2.4). */
static void tell(struct stack *stack, const struct ip_packet *packet, struct icmp_message *message,
                 bool from_target)
{
    if (!may_tell(stack, packet))
        return;
    struct ip_address from = address_any_v4();
    if (ip_is_local(stack, &packet->target) || (from_target && packet->foreign))
        from = packet->target;
    message->u.error.quoted = bytes_first(frame_bytes(packet->frame), ICMP_QUOTED_MAX);
    send_error(stack, message, &from, &packet->source);
}

void icmp_unreachable(struct stack *stack, const struct ip_packet *packet, uint8_t code,
                      uint16_t mtu)
{
    struct icmp_message message = {.type = ICMP_UNREACHABLE, .code = code};
    message.u.error.mtu = mtu;
    message.u.error.gateway = address_any_v4();
    tell(stack, packet, &message, true);
}

void icmp_time_exceeded(struct stack *stack, const struct ip_packet *packet, uint8_t code)
{
    struct icmp_message message = {.type = ICMP_TIME_EXCEEDED, .code = code};
    message.u.error.gateway = address_any_v4();
    tell(stack, packet, &message, code == ICMP_REASSEMBLY_EXCEEDED);
}

void icmp_parameter_problem(struct stack *stack, const struct ip_packet *packet, uint8_t pointer)
{
    struct icmp_message message = {.type = ICMP_PARAMETER_PROBLEM};
    message.u.error.pointer = pointer;
    message.u.error.gateway = address_any_v4();
    tell(stack, packet, &message, false);
}

void icmp_send_report(struct stack *stack, const struct icmp_report *report)
{
    uint8_t quote[ICMP_QUOTED_MAX];
    struct writer w = writer_of(quote, sizeof quote);
    struct bytes transport = bytes_first(report->transport, sizeof quote - IPV4_HEADER_LEN);
    struct ipv4_header header = {
        .source = report->source,
        .target = report->target,
        .total_len = (uint16_t)(IPV4_HEADER_LEN + transport.len),
        .ttl = IP_TTL_DEFAULT,
        .protocol = report->protocol,
        .options = bytes_empty(),
    };
    ipv4_encode(&header, &w);
    write_bytes(&w, transport);
    struct icmp_message message = {.type = report->type, .code = report->code};
    message.u.error.mtu = report->mtu;
    message.u.error.gateway = address_any_v4();
    message.u.error.quoted = writer_bytes(&w);
    struct ip_address from = address_any_v4();
    if (report->type == ICMP_UNREACHABLE)
        from = report->target;
    send_error(stack, &message, &from, &report->source);
}
