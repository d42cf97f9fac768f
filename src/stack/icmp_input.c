/* SPDX-License-Identifier: ISC */
/*
 * icmp_input.c - ICMP messages to this host (RFC 792, RFC 1122 §3.2.2).
 *
 * Echo requests are answered, those to groups are not (RFC 1122 §3.2.2.6 leaves it; smurf attacks
 * decided it). Errors go to the transport whose packet they quote. SKIPS redirects: routes are
 * configured, and strangers must not change them. SKIPS source quench (RFC 6633), timestamp and
 * address mask requests (RFC 1122 §3.2.2.8, §3.2.2.9: optional, and they tell strangers too much),
 * router discovery (RFC 1256).
 */
#include "stack/echo_table.h"
#include "stack/ip.h"
#include "stack/udp_table.h"
#include "wire/inet/icmp_message.h"

static void answer(struct stack *stack, const struct ip_packet *packet,
                   const struct icmp_message *request)
{
    size_t len = ICMP_HEADER_LEN + request->u.echo.data.len;
    struct frame *frame = frame_new(stack->frames, len);
    if (frame == NULL) {
        stack_drop(stack, DROP_NO_MEMORY, packet->frame);
        return;
    }
    struct icmp_message reply = *request;
    reply.type = ICMP_ECHO_REPLY;
    struct writer w = writer_of(frame->data, len);
    icmp_encode(&reply, &w);
    ASSERT(!w.failed);
    frame->len = len;
    struct ip_send send = {
        .source = packet->target,
        .target = packet->source,
        .protocol = IP_PROTOCOL_ICMP,
        .traffic_class = packet->traffic_class & (uint8_t)~IP_ECN_MASK,
        .interface = -1,
    };
    stack->counters.icmpOutMsgs++;
    stack->counters.icmpOutEchoReps++;
    (void)ip_output(stack, &send, frame);
}

void icmp_deliver(struct stack *stack, const struct icmp_report *report)
{
    if (report->protocol == IP_PROTOCOL_UDP)
        udp_icmp(stack, report);
    else if (report->protocol == IP_PROTOCOL_TCP)
        tcp_icmp(stack, report);
}

/* RFC 1122 §3.2.2: the quoted header tells whose packet it was; it must have come from where this
 * error went to. */
static void error_input(struct stack *stack, const struct ip_packet *packet,
                        const struct icmp_message *message)
{
    struct ipv4_header quoted;
    if (ipv4_decode_quoted(message->u.error.quoted, &quoted) != WIRE_OK || quoted.payload.len < 8 ||
        quoted.fragment_offset != 0 || !address_equal(&quoted.source, &packet->target)) {
        stack->counters.icmpInErrors++;
        stack_drop(stack, DROP_ICMP_MALFORMED, packet->frame);
        return;
    }
    if (message->type == ICMP_UNREACHABLE)
        stack->counters.icmpInDestUnreachs++;
    struct icmp_report report = {
        .type = message->type,
        .code = message->code,
        .mtu = message->u.error.mtu,
        .protocol = quoted.protocol,
        .source = quoted.source,
        .target = quoted.target,
        .transport = quoted.payload,
        .reporter = packet->source,
    };
    icmp_deliver(stack, &report);
}

static void malformed(struct stack *stack, const struct ip_packet *packet, enum wire_status status)
{
    if (status == WIRE_UNSUPPORTED)
        return; /* RFC 1122 §3.2.2: silently */
    stack->counters.icmpInErrors++;
    stack_drop(stack, status == WIRE_CHECKSUM ? DROP_ICMP_CHECKSUM : DROP_ICMP_MALFORMED,
               packet->frame);
}

void icmp_input(struct stack *stack, const struct ip_packet *packet)
{
    stack->counters.icmpInMsgs++;
    struct icmp_message message;
    enum wire_status status = icmp_decode(packet->payload, &message);
    if (status != WIRE_OK) {
        malformed(stack, packet, status);
        return;
    }
    if (packet->multicast)
        return;
    switch (message.type) {
    case ICMP_ECHO_REQUEST:
        stack->counters.icmpInEchos++;
        if (packet->foreign)
            echo_input(stack, packet, &message);
        else
            answer(stack, packet, &message);
        break;
    case ICMP_ECHO_REPLY:
        if (!packet->foreign)
            echo_input(stack, packet, &message);
        break;
    case ICMP_UNREACHABLE:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER_PROBLEM:
        error_input(stack, packet, &message);
        break;
    default:
        break;
    }
}
