/* SPDX-License-Identifier: ISC */
/*
 * tcp_prr.c - proportional rate reduction (RFC 9937, which replaces RFC 6937): during recovery the
 * window follows what arrives, so that as many octets go out in a round trip as ssthresh allows,
 * evenly, whatever was lost.
 *
 * SKIPS RFC 9937 §6 without SACK: what duplicate acknowledgements deliver is a guess, and RFC 6582
 * has its own window for that.
 */
#include "stack/tcp/internal.h"

bool tcp_prr_in_use(const struct tcp_connection *c)
{
    return c->profile->prr && !c->congestion->own_window &&
           (c->sack || c->recovery == TCP_REDUCING);
}

void tcp_prr_begin(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    struct tcp_prr *prr = &c->sending->prr;
    /* RecoverFS: what was in flight before this acknowledgement, without what SACK had reported. */
    *prr = (struct tcp_prr){.flight = tcp_flight(c) - c->sending->sacked + event->delivered};
    if (prr->flight < c->mss)
        prr->flight = c->mss;
}

void tcp_prr_acked(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    struct tcp_prr *prr = &c->sending->prr;
    uint32_t pipe = tcp_pipe(c);
    int64_t room;
    if (event->delivered == 0)
        return;
    prr->delivered += event->delivered;
    if (pipe > c->ssthresh) {
        /* In whole segments, rounded up: a part of one could not be sent, and the pipe would drain. */
        uint64_t share = prr->delivered * c->ssthresh / prr->flight;
        room = (int64_t)((share + c->mss - 1) / c->mss * c->mss) - (int64_t)prr->out;
    } else {
        /* Conservatively (CRB) what arrives may be replaced; when loss seems to be over, more, as in
         * slow start (SSRB). A mark without loss has no end to be sure of. */
        int64_t owed = (int64_t)prr->delivered - (int64_t)prr->out;
        bool safe = c->recovery == TCP_RECOVERY && event->acknowledged > 0 && event->lost == 0;
        room = owed > (int64_t)event->delivered ? owed : (int64_t)event->delivered;
        room += safe ? c->mss : 0;
        if (room > (int64_t)(c->ssthresh - pipe))
            room = c->ssthresh - pipe;
    }
    if (prr->out == 0 && room < c->mss)
        room = c->mss; /* the first retransmission goes at once */
    c->cwnd = pipe + (uint32_t)(room > 0 ? room : 0);
    if (c->cwnd < c->mss)
        c->cwnd = c->mss;
}

void tcp_prr_sent(struct tcp_connection *c, uint32_t len)
{
    if (c->recovery == TCP_RECOVERY || c->recovery == TCP_REDUCING)
        c->sending->prr.out += len;
}

void tcp_prr_end(struct tcp_connection *c)
{
    c->cwnd = c->ssthresh;
}
