/* SPDX-License-Identifier: ISC */
/*
 * tcp_input.c - segments on their way up: whose they are, and SEGMENT ARRIVES (RFC 9293 §3.10.7).
 */
#include "base/checksum.h"
#include "stack/tcp/internal.h"

/* Decodes and verifies; false when it was dropped. */
static bool take_segment(struct stack *stack, const struct ip_packet *packet,
                         struct tcp_segment *out)
{
    struct bytes segment = packet->payload;
    if (!packet->verified) {
        uint64_t sum = checksum_pseudo(&packet->source, &packet->target, packet->protocol,
                                       (uint32_t)segment.len);
        if (checksum_fold(checksum_add(sum, segment, 0)) != 0xffff) {
            stack_drop(stack, DROP_TCP_CHECKSUM, packet->frame);
            return false;
        }
    }
    if (tcp_header_decode(segment, &out->header) != WIRE_OK || packet->multicast) {
        stack_drop(stack, DROP_TCP_MALFORMED, packet->frame);
        return false;
    }
    const struct frame_offload *offload = &packet->frame->offload;
    out->packet = packet;
    out->seq = seq_of(out->header.sequence);
    out->ack = seq_of(out->header.acknowledgement);
    out->text = out->header.payload;
    out->fin = (out->header.flags & TCP_FIN) != 0;
    out->cut = false;
    out->part_len = offload->gso != FRAME_GSO_NONE && offload->gso_size < out->text.len
                        ? offload->gso_size
                        : (uint16_t)out->text.len;
    return true;
}

bool tcp_comes_too_far(struct stack *stack, const struct tcp_profile *profile,
                       const struct tcp_segment *seg)
{
    if (LIKELY(seg->packet->ttl >= profile->ttl_min))
        return false;
    stack_drop(stack, DROP_TCP_TOO_FAR, seg->packet->frame);
    return true;
}

/* For nobody we know (§3.10.7.1). */
static void nobody(struct stack *stack, const struct tcp_segment *seg)
{
    stack_drop(stack, DROP_TCP_NO_CONNECTION, seg->packet->frame);
    if (!seg->packet->foreign)
        tcp_reset_segment(stack, seg);
}

void tcp_input(struct stack *stack, const struct ip_packet *packet)
{
    struct tcp_segment seg;
    stack->counters.tcpInSegs++;
    if (!take_segment(stack, packet, &seg)) {
        stack->counters.tcpInErrs++;
        return;
    }
    struct endpoint local = {packet->target, seg.header.target_port};
    struct endpoint remote = {packet->source, seg.header.source_port};
    struct tcp_connection *c = tcp_find_again(stack, &local, &remote);
    if (c == NULL) {
        seg.hash = tcp_hash(stack, &local, &remote);
        c = tcp_find_hashed(stack, seg.hash, &local, &remote);
    }
    if (LIKELY(c != NULL)) {
        if (UNLIKELY(tcp_comes_too_far(stack, c->profile, &seg)))
            return;
        tcp_segment_arrives(c, &seg);
        return;
    }
    struct tcp_entry *entry = tcp_entry_find(stack, seg.hash, &local, &remote);
    if (entry != NULL) {
        if (entry->row == TCP_ROW_TIME_WAIT)
            tcp_time_wait_arrives(stack, entry, &seg);
        else
            tcp_half_open_arrives(stack, entry, &seg);
        return;
    }
    struct tcp_listener *listener = tcp_find_listener(stack, &local, seg.hash, packet->foreign);
    if (listener != NULL)
        tcp_listen_arrives(listener, &seg, NULL);
    else
        nobody(stack, &seg);
}

/* The RFC orders the checks; so does this list (§3.10.7.4). What a check wants sent, it records in
 * the connection; tcp_output() builds the segments. SKIPS RFC 9293 §3.10.7.4, third: security and
 * compartment are historic. */
static enum tcp_verdict (*const steps[])(struct tcp_connection *, struct tcp_segment *) = {
    tcp_check_paws,     /* RFC 7323 §5.3, R1 */
    tcp_check_sequence, /* first */
    tcp_check_rst,      /* second; RFC 5961 §3.2 tightens it */
    tcp_check_syn,      /* fourth; RFC 5961 §4.2 */
    tcp_check_ack,      /* fifth; RFC 5961 §5.2 */
    tcp_check_urgent,   /* sixth; RFC 6093 */
    tcp_process_text,   /* seventh */
    tcp_check_fin,      /* eighth */
};
enum { STEPS_BEFORE_ACK = 4 };

enum tcp_verdict tcp_segment_may_speak(struct tcp_connection *c, struct tcp_segment *seg)
{
    for (size_t i = 0; i < STEPS_BEFORE_ACK; i++)
        if (steps[i](c, seg) == TCP_STOP)
            return TCP_STOP;
    return TCP_CONTINUE;
}

void tcp_segment_speaks(struct tcp_connection *c, struct tcp_segment *seg)
{
    tcp_count_received(c, seg);
    for (size_t i = STEPS_BEFORE_ACK; i < ARRAY_LEN(steps); i++)
        if (steps[i](c, seg) == TCP_STOP)
            return;
}

void tcp_segment_arrives(struct tcp_connection *c, struct tcp_segment *seg)
{
    tcp_count_received(c, seg);
    if (UNLIKELY(c->state == TCP_SYN_SENT)) {
        tcp_syn_sent_arrives(c, seg);
        return;
    }
    if (UNLIKELY(c->unanswered)) {
        tcp_unanswered_arrives(c, seg);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (steps[i](c, seg) == TCP_STOP)
            return;
}
