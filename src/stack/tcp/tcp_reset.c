/* SPDX-License-Identifier: ISC */
/*
 * tcp_reset.c - RST segments (RFC 9293 §3.5.2), and the ACKs that ask "was that really you?" (RFC
 * 5961).
 */
#include "base/checksum.h"
#include "stack/tcp/internal.h"
#include "wire/inet/ipv4.h"

static void send_reset(struct stack *stack, const struct endpoint *from, const struct endpoint *to,
                       struct tcp_header *header)
{
    struct frame *frame = frame_new(stack->frames, 0);
    if (frame == NULL)
        return;
    header->source_port = from->port;
    header->target_port = to->port;
    header->flags |= TCP_RST;
    (void)tcp_header_push(frame, header);
    uint64_t sum = checksum_pseudo(&from->address, &to->address, IP_PROTOCOL_TCP,
                                   (uint32_t)frame->len);
    uint16_t field = (uint16_t)~checksum_fold(checksum_add(sum, frame_bytes(frame), 0));
    frame->data[TCP_CHECKSUM_OFFSET] = (uint8_t)(field >> 8);
    frame->data[TCP_CHECKSUM_OFFSET + 1] = (uint8_t)field;
    struct ip_send send = {
        .source = from->address,
        .target = to->address,
        .protocol = IP_PROTOCOL_TCP,
        .dont_fragment = true,
        .interface = -1,
    };
    /* When the interface's queue is full, as when a thousand are refused at once, the frame is dropped.
     * That is right: the peer's next segment comes to nobody, and is answered by a reset. */
    if (ip_output(stack, &send, frame) == IP_NO_MEMORY) {
        stack->counters.tcpOutRstsLost++;
        return;
    }
    stack->counters.tcpOutSegs++;
    stack->counters.tcpOutRsts++;
}

/* A port scan must not make us a source of as many segments. */
static bool may_answer(struct stack *stack)
{
    struct tcp_table *table = stack->tcp;
    if (stack->now - table->resets_at >= USEC_PER_SEC || table->resets_at == 0) {
        table->resets_at = stack->now;
        table->resets_left = TCP_RESETS_PER_SECOND;
    }
    if (table->resets_left == 0)
        return false;
    table->resets_left--;
    return true;
}

void tcp_reset_segment(struct stack *stack, const struct tcp_segment *seg)
{
    if ((seg->header.flags & TCP_RST) || !may_answer(stack))
        return;
    struct endpoint from = {seg->packet->target, seg->header.target_port};
    struct endpoint to = {seg->packet->source, seg->header.source_port};
    struct tcp_header header = {0};
    if (seg->header.flags & TCP_ACK) {
        header.sequence = seg->header.acknowledgement;
    } else {
        header.acknowledgement = seg->header.sequence + tcp_segment_len(&seg->header);
        header.flags = TCP_ACK;
    }
    send_reset(stack, &from, &to, &header);
}

void tcp_reset_connection(struct tcp_connection *c)
{
    struct tcp_header header = {
        .sequence = c->unanswered ? 0 : c->snd_nxt.n,
        .acknowledgement = c->rcv_nxt.n,
        .flags = TCP_ACK,
    };
    if (c->timestamps && !c->unanswered) { /* RFC 7323 §3.2: SHOULD */
        header.options.present = TCP_HAS_TIMESTAMPS;
        header.options.timestamp_value = tcp_timestamp(c);
        header.options.timestamp_echo = c->ts_recent;
    }
    switch ((enum tcp_state)c->state) {
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT_1:
    case TCP_FIN_WAIT_2:
    case TCP_CLOSE_WAIT:
        send_reset(c->stack, &c->local, &c->remote, &header);
        break;
    case TCP_CLOSED: /* §3.10.5: in the others there is nobody left to tell */
    case TCP_LISTEN:
    case TCP_SYN_SENT:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT:
    case TCP_STATE_COUNT:
        break;
    }
}

/* FreeBSD's way: a limit for all connections together (RFC 5961 §7). */
static bool stack_may_challenge(struct tcp_connection *c)
{
    struct tcp_table *table = c->stack->tcp;
    if (c->stack->now - table->challenges_at >= USEC_PER_SEC || table->challenges_at == 0) {
        table->challenges_at = c->stack->now;
        /* Drawn anew, so that counting them tells a stranger nothing (CVE-2016-5696). */
        uint32_t half = c->profile->challenge_count / 2;
        table->challenges_left = half + prng_below(&c->stack->prng, half + 1);
    }
    if (table->challenges_left == 0)
        return false;
    table->challenges_left--;
    return true;
}

/* Each connection has its own limit: a common one would tell a stranger what others receive. */
static bool connection_may_challenge(struct tcp_connection *c)
{
    uint32_t now = (uint32_t)(c->stack->now / USEC_PER_MSEC) | 1; /* 0: never */
    uint32_t last = c->extra->challenge_at;
    if (last != 0 && now - last < c->profile->challenge_interval / USEC_PER_MSEC)
        return false;
    if (!tcp_extra_begin(c))
        return false;
    c->extra->challenge_at = now;
    return true;
}

void tcp_challenge(struct tcp_connection *c)
{
    bool may = c->profile->challenge == TCP_CHALLENGE_PER_STACK ? stack_may_challenge(c)
                                                                : connection_may_challenge(c);
    if (!may) {
        c->stack->counters.tcpChallengesSkipped++;
        return;
    }
    c->stack->counters.tcpChallenges++;
    c->ack_now = true;
    tcp_wake(c);
}
