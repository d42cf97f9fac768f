/* SPDX-License-Identifier: ISC */
/*
 * tcp_open.c - opening: by the application (RFC 9293 §3.10.1), and the segments that come before a
 * connection is established (§3.10.7.3).
 */
#include "stack/tcp/internal.h"

void tcp_open_sending(struct tcp_connection *c)
{
    c->snd_una = c->iss;
    c->snd_nxt = seq_add(c->iss, 1); /* SYN */
    c->snd_end = c->snd_nxt;
    c->snd_wl2 = c->iss;
    c->snd_small = c->iss;
    c->recover = c->iss;
    c->rtt_seq = c->iss;
}

/* The local endpoint that the options ask for, or false. */
static bool choose_local(struct stack *stack, const struct tcp_connect_options *options,
                         struct endpoint *out)
{
    struct route_choice route;
    if (!ip_route(stack, &options->remote.address, &route) || route.broadcast)
        return false;
    bool direct = options->direct || stack->tcp->profile.direct;
    if (direct && !route_is_direct(&route, &options->remote.address))
        return false;
    socket_refuse(options->why, SOCKET_IN_USE);
    *out = options->local;
    if (address_is_any(&out->address))
        out->address = route.source;
    if (out->port == 0)
        return tcp_choose_port(stack, out, &options->remote);
    return tcp_pair_of(stack, out, &options->remote) != TCP_PAIR_TAKEN;
}

struct tcp_connection *tcp_connect(struct stack *stack, const struct tcp_connect_options *options)
{
    const struct endpoint *remote = &options->remote;
    struct endpoint local;
    socket_refuse(options->why, SOCKET_NO_ROUTE);
    if (remote->port == 0 || address_is_any(&remote->address) ||
        address_is_multicast(&remote->address) || address_is_broadcast(&remote->address))
        return NULL;
    if (!choose_local(stack, options, &local))
        return NULL;
    struct tcp_connection *c = tcp_connection_new(stack, &local, remote);
    if (c == NULL) {
        socket_refuse(options->why, SOCKET_NO_MEMORY);
        return NULL;
    }
    struct tcp_entry *before = tcp_entry_find(stack, c->hash, &local, remote);
    if (before != NULL)
        c->iss = seq_max(c->iss, tcp_time_wait_reuse(stack, before));
    c->socket.user = options->user;
    c->owned = true;
    c->fast_open = options->fast_open;
    c->direct |= options->direct;
    tcp_destination_recall_path(c);
    tcp_open_sending(c);
    tcp_set_state(c, TCP_SYN_SENT);
    c->syn_wanted = true;
    tcp_wake(c);
    return c;
}

static void sample_exactly(struct tcp_connection *c)
{
    usec rtt = c->stack->now - c->last_sent_at;
    tcp_rtt_sample(c, rtt);
    tcp_min_rtt_sample(c, rtt);
}

/* The round trip of a SYN, unless it was sent twice and nothing tells which was answered. */
static void sample_handshake(struct tcp_connection *c, const struct tcp_segment *seg)
{
    if (UNLIKELY(c->syn_deferred))
        return; /* what is answered now came from the application, when it liked */
    if (c->syn_forgotten)
        tcp_rtt_sample(c, c->timestamps ? tcp_timestamp_rtt(c, &seg->header.options) : -1);
    else if (c->retries == 0)
        sample_exactly(c);
    else if (c->timestamps)
        tcp_rtt_sample(c, tcp_timestamp_rtt(c, &seg->header.options));
    else
        c->rto = (uint32_t)TCP_RTO_AFTER_SYN_LOSS; /* RFC 6298 §5.7 */
}

/* SYN is acknowledged, and perhaps what went with it: by the peer, or by a child that did. */
static bool acknowledges_syn(const struct tcp_connection *c, struct seq ack)
{
    struct seq first = seq_add(c->iss, 1);
    struct seq last = c->passive ? c->snd_nxt : seq_add(first, c->syn_text);
    return seq_after_equal(ack, first) && seq_before_equal(ack, last);
}

static void syn_acknowledged(struct tcp_connection *c, const struct tcp_segment *seg)
{
    sample_handshake(c, seg);
    if (!c->passive)
        tcp_fast_open_answered(c, seg);
    else if (!c->fast_open_child) /* of which it is known already */
        c->snd_una = seg->ack;
}

/* RFC 7323 §3.2: does TSecr repeat what one of our SYNs has said? Without timestamps nobody asks. */
static bool echo_is_ours(const struct tcp_connection *c, const struct tcp_options *options)
{
    return !c->profile->timestamps || !(options->present & TCP_HAS_TIMESTAMPS) ||
           options->timestamp_echo == 0 || tcp_timestamp_rtt(c, options) >= 0;
}

/* RFC 9293 §3.10.7.3, fourth: octets and FIN that came with SYN,ACK. */
static void take_text_of_syn(struct tcp_connection *c, struct tcp_segment *seg)
{
    uint32_t offered = tcp_window_offered(c);
    seg->header.flags &= (uint16_t)~TCP_SYN;
    seg->seq = seq_add(seg->seq, 1);
    seg->cut = seg->text.len + seg->fin > offered;
    if (seg->cut) {
        seg->text = bytes_first(seg->text, offered);
        seg->fin = false;
    }
    if (tcp_process_text(c, seg) == TCP_CONTINUE)
        (void)tcp_check_fin(c, seg);
}

void tcp_syn_sent_arrives(struct tcp_connection *c, struct tcp_segment *seg)
{
    uint16_t flags = seg->header.flags;
    bool acknowledged = (flags & TCP_ACK) && acknowledges_syn(c, seg->ack) &&
                        ((flags & TCP_RST) || echo_is_ours(c, &seg->header.options));
    if ((flags & TCP_ACK) && !acknowledged) {
        stack_drop(c->stack, DROP_TCP_BAD_ACK, seg->packet->frame);
        tcp_reset_segment(c->stack, seg);
        return;
    }
    if (flags & TCP_RST) {
        if (acknowledged)
            tcp_fail(c, TCP_REFUSED);
        else
            stack_drop(c->stack, DROP_TCP_BAD_RST, seg->packet->frame);
        return;
    }
    if (!(flags & TCP_SYN)) {
        stack_drop(c->stack, DROP_TCP_NO_CONNECTION, seg->packet->frame);
        return;
    }
    uint32_t offered = tcp_window_offered(c); /* in our SYN, unscaled */
    tcp_take_syn_options(c, &seg->header);
    tcp_ecn_take_syn(c, seg);
    c->rcv_adv = seq_add(c->rcv_nxt, offered);
    if (acknowledged) {
        c->snd_wl2 = seg->ack;
        syn_acknowledged(c, seg);
        c->ack_now = true;
        tcp_established(c);
        take_text_of_syn(c, seg);
    } else { /* simultaneous open: SYN,ACK. SKIPS RFC 9293 §3.10.7.3, fifth: text of a SYN that
              * crosses ours; only the SYN is acknowledged, and it comes again. */
        tcp_set_state(c, TCP_SYN_RECEIVED);
        c->syn_wanted = true;
        tcp_wake(c);
    }
}

/* An intercepted SYN waits for tcp_answer(): only the client's change of mind counts. */
void tcp_unanswered_arrives(struct tcp_connection *c, const struct tcp_segment *seg)
{
    struct seq after_syn = seq_add(c->irs, 1);
    if ((seg->header.flags & TCP_RST) && seq_equal(seg->seq, after_syn))
        tcp_fail(c, TCP_RESET);
    else
        stack_drop(c->stack, DROP_TCP_DUPLICATE, seg->packet->frame);
}

bool tcp_handshake_acknowledged(struct tcp_connection *c, const struct tcp_segment *seg)
{
    if (!acknowledges_syn(c, seg->ack)) {
        stack_drop(c->stack, DROP_TCP_BAD_ACK, seg->packet->frame);
        tcp_reset_segment(c->stack, seg);
        return false;
    }
    c->syn_wanted = false;
    syn_acknowledged(c, seg);
    tcp_established(c);
    return true;
}
