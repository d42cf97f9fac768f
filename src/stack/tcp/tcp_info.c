/* SPDX-License-Identifier: ISC */
/* tcp_info.c - what a connection knows about itself, for its application and for status pages. */
#include "stack/tcp/internal.h"

_Static_assert((int)TCP_CONDITION_DISORDER == TCP_DISORDER &&
                   (int)TCP_CONDITION_REDUCED == TCP_REDUCING &&
                   (int)TCP_CONDITION_RECOVERY == TCP_RECOVERY &&
                   (int)TCP_CONDITION_LOSS == TCP_LOSS,
               "a condition is the state of recovery");

/* Segments of what is under way: in records, which carry whole ones. */
static void info_under_way(const struct tcp_connection *c, struct tcp_info *out)
{
    const struct tcp_sent *sent;
    for (sent = c->sending->first; sent != NULL; sent = sent->next) {
        uint32_t count = tcp_segments_of(tcp_sent_len(sent), c->mss);
        out->segments_unacknowledged += count;
        if (sent->flags & TCP_SENT_SACKED)
            out->segments_sacked += count;
        if (sent->flags & TCP_SENT_LOST)
            out->segments_lost += count;
        if (sent->flags & TCP_SENT_AGAIN)
            out->segments_again += count;
    }
    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED)
        out->segments_unacknowledged = 1;
}

static void info_sizes(const struct tcp_connection *c, struct tcp_info *out)
{
    struct route_choice route;
    out->mss = c->mss;
    out->peer_mss = c->peer_mss;
    out->receive_mss = c->rcv_mss;
    if (ip_route(c->stack, &c->remote.address, &route)) {
        out->path_mtu = tcp_path_mtu((struct tcp_connection *)c, route.mtu);
        out->advertised_mss = tcp_syn_mss(c->profile, &c->remote.address, route.mtu);
    }
    out->send_scale = c->scaling ? c->snd_scale : 0;
    out->receive_scale = c->scaling ? c->rcv_scale : 0;
}

static void info_windows(const struct tcp_connection *c, struct tcp_info *out)
{
    out->cwnd = c->cwnd;
    out->ssthresh = c->ssthresh;
    out->send_window = c->snd_wnd;
    out->receive_window = tcp_window_offered(c);
    out->send_buffer = tcp_send_limit(c);
    out->receive_buffer = c->receive_buffer;
    out->receive_space = c->extra->tune_space;
    out->flight = tcp_flight(c);
    out->not_sent = c->fin_sent ? 0 : (uint32_t)seq_diff(c->snd_end, c->snd_nxt);
}

static void info_counts(const struct tcp_connection *c, struct tcp_info *out)
{
    out->octets_acknowledged = c->octets_acknowledged;
    out->octets_received = c->octets_received;
    out->octets_retransmitted = c->octets_retransmitted;
    out->octets_sent = c->octets_acknowledged + tcp_flight(c) + c->octets_retransmitted;
    out->segments_in = c->segments_in;
    out->segments_out = c->segments_out;
    out->text_segments_in = c->text_segments_in;
    out->text_segments_out = c->text_segments_out;
    out->retransmits = c->retransmits;
    out->reorderings = c->reorderings;
    /* The SYN counts one; what was sent again arrives once, as far as is known. */
    uint32_t once = c->text_segments_out - (c->retransmits - c->syn_retransmits);
    once += c->syn_text > 0 && !c->syn_text_taken; /* went with the SYN first, in vain */
    uint32_t under_way = out->segments_unacknowledged - out->segments_sacked;
    bool open = c->state >= TCP_ESTABLISHED || c->octets_acknowledged > 0;
    if (open)
        out->segments_delivered = 1 + (once > under_way ? once - under_way : 0);
    out->timeouts = c->timeouts;
    out->segments_out_of_order = c->out_of_order;
    out->segments_marked = c->marked;
    out->dsacks = c->dsacks;
}

static void info_times(const struct tcp_connection *c, struct tcp_info *out)
{
    usec now = c->stack->now;
    uint32_t msec = (uint32_t)(now / USEC_PER_MSEC);
    out->srtt = c->srtt / 8;
    out->rttvar = c->rttvar / 4;
    out->rto = tcp_rto(c);
    out->since_sent = now - c->last_sent_at;
    out->since_acknowledged = now - c->last_received_at;
    out->since_received = (usec)(msec - c->text_received_at) * USEC_PER_MSEC;
    out->receive_rtt = c->extra->tune_rtt;
    out->limit = tcp_limit(c);
    for (unsigned i = 0; i < TCP_LIMIT_COUNT; i++)
        out->limited[i] = c->extra->limited[i];
    if (c->extra != tcp_extra_none() && c->state != TCP_CLOSED)
        out->limited[c->extra->limit] += now - c->extra->limit_at;
}

void tcp_info(const struct tcp_connection *c, struct tcp_info *out)
{
    *out = (struct tcp_info){
        .state = (enum tcp_state)c->state,
        .error = (enum tcp_error)c->error,
        .condition = (enum tcp_condition)c->recovery,
        .sack = c->sack,
        .timestamps = c->timestamps,
        .window_scale = c->scaling,
        .ecn = c->ecn,
        .ecn_seen = c->ecn_seen,
        .syn_text = c->syn_text_taken,
        .retries = c->retries,
        .backoff = c->backoff,
        .trouble = (enum tcp_trouble)c->extra->trouble,
        .icmp_type = c->extra->icmp_type,
        .icmp_code = c->extra->icmp_code,
        .min_rtt = c->min_rtt,
        .reordering = c->reordering,
        .congestion = c->congestion->name,
    };
    info_sizes(c, out);
    info_windows(c, out);
    info_under_way(c, out);
    info_counts(c, out);
    info_times(c, out);
}
