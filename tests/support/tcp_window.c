/* SPDX-License-Identifier: ISC */
#include "tests/support/tcp_window.h"

#include "tests/support/check.h"

void tcp_window_open(struct tcp_window *w, enum tcp_congestion_kind kind, uint32_t segments)
{
    one_stack_open(&w->s, NULL);
    struct endpoint us = {ADDRESS_US, 80};
    struct endpoint peer = {ADDRESS_PEER, 1234};
    w->c = tcp_connection_new(w->s.stack, &us, &peer);
    assert_non_null(w->c);
    tcp_set_state(w->c, TCP_SYN_SENT);
    assert_int_equal(tcp_set_option(w->c, TCP_OPTION_CONGESTION, kind), TCP_OPTION_SET);
    tcp_open_sending(w->c);
    w->c->peer_mss = WINDOW_MSS;
    tcp_established(w->c);
    list_remove(&w->c->pending);
    assert_int_equal(w->c->mss, WINDOW_MSS);
    assert_true(tcp_sending_begin(w->c));
    w->c->cwnd = segments * WINDOW_MSS;
    w->c->snd_nxt = seq_add(w->c->snd_una, w->c->cwnd);
    w->c->snd_end = w->c->snd_nxt;
    w->c->cwnd_limited = true;
}

void tcp_window_close(struct tcp_window *w)
{
    tcp_connection_free(w->c);
    one_stack_close(&w->s);
}

void tcp_window_ack(struct tcp_window *w, uint32_t octets, usec rtt, usec after)
{
    struct tcp_connection *c = w->c;
    stack_advance(w->s.stack, stack_now(w->s.stack) + after);
    struct tcp_ack_event event = {
        .acknowledged = octets, .delivered = octets, .flight_before = tcp_flight(c), .rtt = rtt};
    c->sending->flight_most = tcp_flight(c); /* as when it was sent */
    c->snd_una = seq_add(c->snd_una, octets);
    c->srtt = (uint32_t)(rtt * 8);
    c->congestion->acked(c, &event);
    if (tcp_flight(c) < c->cwnd)
        c->snd_nxt = seq_add(c->snd_una, c->cwnd);
    c->snd_end = c->snd_nxt;
    c->last_sent_at = stack_now(w->s.stack);
}

void tcp_window_round(struct tcp_window *w, usec rtt)
{
    uint32_t segments = w->c->cwnd / WINDOW_MSS;
    usec passed = 0;
    for (uint32_t i = 1; i <= segments; i++) {
        usec until = rtt * i / segments;
        tcp_window_ack(w, WINDOW_MSS, rtt, until - passed);
        passed = until;
    }
}

void tcp_window_run(struct tcp_window *w, usec rtt, usec duration)
{
    usec end = stack_now(w->s.stack) + duration;
    while (stack_now(w->s.stack) < end)
        tcp_window_round(w, rtt);
}

void tcp_window_lose(struct tcp_window *w)
{
    struct tcp_connection *c = w->c;
    c->ssthresh = c->congestion->ssthresh(c, tcp_flight(c), TCP_BY_LOSS);
    c->cwnd = c->ssthresh;
    c->snd_nxt = seq_add(c->snd_una, c->cwnd);
}
