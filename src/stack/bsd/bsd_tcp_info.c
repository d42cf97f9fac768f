/* SPDX-License-Identifier: ISC */
/* bsd_tcp_info.c - TCP_INFO: what a connection knows of itself, in the shape that Linux gave it. */
#include "stack/bsd/sockopt_table.h"

static uint8_t state_of(enum tcp_state state)
{
    static const uint8_t states[] = {
        [TCP_CLOSED] = WN_TCP_CLOSE,
        [TCP_LISTEN] = WN_TCP_LISTEN,
        [TCP_SYN_SENT] = WN_TCP_SYN_SENT,
        [TCP_SYN_RECEIVED] = WN_TCP_SYN_RECV,
        [TCP_ESTABLISHED] = WN_TCP_ESTABLISHED,
        [TCP_FIN_WAIT_1] = WN_TCP_FIN_WAIT1,
        [TCP_FIN_WAIT_2] = WN_TCP_FIN_WAIT2,
        [TCP_CLOSE_WAIT] = WN_TCP_CLOSE_WAIT,
        [TCP_CLOSING] = WN_TCP_CLOSING,
        [TCP_LAST_ACK] = WN_TCP_LAST_ACK,
        [TCP_TIME_WAIT] = WN_TCP_TIME_WAIT,
    };
    _Static_assert(ARRAY_LEN(states) == TCP_STATE_COUNT, "one number per state");
    return states[state];
}

/* What is under way, in segments, and what the path is like. */
static void of_sending(const struct tcp_info *info, struct wn_tcp_info *out)
{
    uint32_t mss = info->mss > 0 ? info->mss : 1;
    out->tcpi_ca_state = (uint8_t)info->condition;
    out->tcpi_snd_mss = info->mss;
    out->tcpi_unacked = info->segments_unacknowledged;
    out->tcpi_sacked = info->segments_sacked;
    out->tcpi_lost = info->segments_lost;
    out->tcpi_retrans = info->segments_again;
    out->tcpi_reordering = info->reordering;
    out->tcpi_snd_cwnd = info->cwnd / mss;
    out->tcpi_snd_ssthresh =
        info->ssthresh < (UINT32_C(1) << 30) ? info->ssthresh / mss : INT32_MAX;
    out->tcpi_total_retrans = info->retransmits;
    out->tcpi_bytes_acked = info->octets_acknowledged;
    out->tcpi_bytes_sent = info->octets_sent;
    out->tcpi_bytes_retrans = info->octets_retransmitted;
    out->tcpi_delivered_ce = info->segments_marked;
    out->tcpi_dsack_dups = info->dsacks;
    out->tcpi_delivered = info->segments_delivered;
    out->tcpi_reord_seen = info->reorderings;
    out->tcpi_notsent_bytes = info->not_sent;
    out->tcpi_snd_wnd = info->send_window;
    out->tcpi_segs_out = info->segments_out;
    out->tcpi_data_segs_out = info->text_segments_out;
    out->wn_cwnd_bytes = info->cwnd;
    out->wn_ssthresh_bytes = info->ssthresh;
    out->wn_flight_bytes = info->flight;
    out->wn_timeouts = info->timeouts;
}

static void of_receiving(const struct tcp_info *info, struct wn_tcp_info *out)
{
    out->tcpi_rcv_mss = info->receive_mss;
    out->tcpi_advmss = info->advertised_mss;
    out->tcpi_bytes_received = info->octets_received;
    out->tcpi_rcv_wnd = info->receive_window;
    out->tcpi_rcv_ooopack = info->segments_out_of_order;
    out->tcpi_segs_in = info->segments_in;
    out->tcpi_data_segs_in = info->text_segments_in;
}

static uint32_t milliseconds(usec time)
{
    return (uint32_t)(time / USEC_PER_MSEC);
}

static void of_times(const struct tcp_info *info, struct wn_tcp_info *out)
{
    out->tcpi_rto = (uint32_t)info->rto;
    out->tcpi_rtt = (uint32_t)info->srtt;
    out->tcpi_rttvar = (uint32_t)info->rttvar;
    out->tcpi_min_rtt = (uint32_t)info->min_rtt;
    out->tcpi_retransmits = info->retries;
    out->tcpi_backoff = info->backoff;
    if (info->send_window == 0)
        out->tcpi_probes = info->retries;
    out->tcpi_last_data_sent = milliseconds(info->since_sent);
    out->tcpi_last_data_recv = milliseconds(info->since_received);
    out->tcpi_last_ack_recv = milliseconds(info->since_acknowledged);
    out->tcpi_rwnd_limited = (uint64_t)info->limited[TCP_LIMIT_RECEIVER];
    out->tcpi_sndbuf_limited = (uint64_t)info->limited[TCP_LIMIT_BUFFER];
    out->wn_cwnd_limited = (uint64_t)info->limited[TCP_LIMIT_CONGESTION];
    out->wn_pacing_limited = (uint64_t)info->limited[TCP_LIMIT_PACING];
    out->wn_app_limited = (uint64_t)info->limited[TCP_LIMIT_APPLICATION];
    for (unsigned i = 0; i < TCP_LIMIT_COUNT; i++)
        if (i != TCP_LIMIT_IDLE)
            out->tcpi_busy_time += (uint64_t)info->limited[i];
}

void bsd_connection_info(const struct tcp_connection *c, struct wn_tcp_info *out)
{
    struct tcp_info info;
    tcp_info(c, &info);
    *out = (struct wn_tcp_info){.tcpi_state = state_of(info.state)};
    out->tcpi_options = (uint8_t)((info.timestamps ? WN_TCPI_OPT_TIMESTAMPS : 0) |
                                  (info.sack ? WN_TCPI_OPT_SACK : 0) |
                                  (info.window_scale ? WN_TCPI_OPT_WSCALE : 0) |
                                  (info.ecn ? WN_TCPI_OPT_ECN : 0) |
                                  (info.ecn_seen ? WN_TCPI_OPT_ECN_SEEN : 0) |
                                  (info.syn_text ? WN_TCPI_OPT_SYN_DATA : 0));
    out->tcpi_wscale = (uint8_t)(info.receive_scale << 4 | info.send_scale);
    out->tcpi_pmtu = info.path_mtu;
    of_sending(&info, out);
    of_receiving(&info, out);
    of_times(&info, out);
}

void bsd_tcp_info(const struct bsd_socket *s, struct wn_tcp_info *out)
{
    *out = (struct wn_tcp_info){0};
    if (s->listener != NULL)
        out->tcpi_sacked = s->backlog;
    else if (s->c != NULL)
        bsd_connection_info(s->c, out);
    out->tcpi_state = state_of(bsd_stream_state(s));
}
