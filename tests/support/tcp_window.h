/* SPDX-License-Identifier: ISC */
/*
 * tcp_window.h - a connection without a peer, for the tests of congestion control: the window is
 * full all the time, round trips are as long as the test says, and each segment is acknowledged on
 * its own, evenly over the round trip.
 */
#ifndef WN_TESTS_SUPPORT_TCP_WINDOW_H
#define WN_TESTS_SUPPORT_TCP_WINDOW_H

#include "stack/tcp/internal.h"
#include "tests/support/one_stack.h"

enum { WINDOW_MSS = 1000 };

struct tcp_window {
    struct one_stack s;
    struct tcp_connection *c;
};

/* Established, with a cwnd of `segments`. */
void tcp_window_open(struct tcp_window *w, enum tcp_congestion_kind kind, uint32_t segments);
void tcp_window_close(struct tcp_window *w);

/* One ACK of `octets` after a round trip of `rtt`, `after` the last one. */
void tcp_window_ack(struct tcp_window *w, uint32_t octets, usec rtt, usec after);

/* One round trip: a window of ACKs. */
void tcp_window_round(struct tcp_window *w, usec rtt);

/* Rounds until `duration` has passed. */
void tcp_window_run(struct tcp_window *w, usec rtt, usec duration);

/* Loss is noticed, and mended at once: cwnd is ssthresh then. */
void tcp_window_lose(struct tcp_window *w);

#endif
