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

static uint32_t segments(uint32_t octets, uint32_t mss)
{
    return mss > 0 ? (octets + mss - 1) / mss : 0;
}

static void of_connection(const struct bsd_socket *s, struct wn_tcp_info *out)
{
    struct tcp_info info;
    tcp_info(s->c, &info);
    out->tcpi_options = (uint8_t)((info.timestamps ? WN_TCPI_OPT_TIMESTAMPS : 0) |
                                  (info.sack ? WN_TCPI_OPT_SACK : 0) |
                                  (info.window_scale ? WN_TCPI_OPT_WSCALE : 0));
    out->tcpi_rto = (uint32_t)info.rto;
    out->tcpi_snd_mss = info.mss;
    out->tcpi_unacked = segments(info.flight, info.mss);
    out->tcpi_rtt = (uint32_t)info.srtt;
    out->tcpi_rttvar = (uint32_t)info.rttvar;
    out->tcpi_snd_cwnd = info.mss > 0 ? info.cwnd / info.mss : 0;
    out->tcpi_snd_ssthresh =
        info.ssthresh < INT32_MAX && info.mss > 0 ? info.ssthresh / info.mss : INT32_MAX;
    out->tcpi_total_retrans = info.retransmits;
    out->tcpi_bytes_acked = info.octets_acknowledged;
    out->tcpi_bytes_received = info.octets_received;
    out->tcpi_notsent_bytes = (uint32_t)tcp_not_sent(s->c);
    out->tcpi_snd_wnd = info.send_window;
    out->tcpi_rcv_wnd = info.receive_window;
    out->wn_cwnd_bytes = info.cwnd;
    out->wn_ssthresh_bytes = info.ssthresh;
    out->wn_flight_bytes = info.flight;
    out->wn_timeouts = info.timeouts;
    struct ip_address source;
    uint16_t mtu;
    if (stack_route(s->bsd->stack, &s->remote.address, &source, &mtu))
        out->tcpi_pmtu = mtu;
}

void bsd_tcp_info(const struct bsd_socket *s, struct wn_tcp_info *out)
{
    *out = (struct wn_tcp_info){.tcpi_state = state_of(bsd_stream_state(s))};
    if (s->listener != NULL)
        out->tcpi_sacked = s->backlog;
    else if (s->c != NULL)
        of_connection(s, out);
}
