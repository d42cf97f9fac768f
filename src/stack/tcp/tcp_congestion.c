/* SPDX-License-Identifier: ISC */
/*
 * tcp_congestion.c - congestion control that is the same for every algorithm: the table of them, the
 * initial window (RFC 6928), and what a pause does to it (RFC 5681 §4.1).
 */
#include "stack/tcp/internal.h"

static const struct tcp_congestion *algorithm(unsigned kind)
{
    switch ((enum tcp_congestion_kind)kind) {
    case TCP_CONGESTION_CUBIC:
        return tcp_cubic();
    case TCP_CONGESTION_NEWRENO:
        return tcp_newreno();
    case TCP_CONGESTION_BBR:
        return tcp_bbr();
    case TCP_CONGESTION_COUNT:
        break;
    }
    return tcp_newreno();
}

int tcp_congestion_find(const char *name)
{
    for (int i = 0; i < TCP_CONGESTION_COUNT; i++)
        if (strcmp(algorithm((unsigned)i)->name, name) == 0)
            return i;
    return -1;
}

const char *tcp_congestion_name(enum tcp_congestion_kind kind)
{
    return algorithm(kind)->name;
}

const char *tcp_congestion_each(unsigned *place)
{
    return *place < TCP_CONGESTION_COUNT ? algorithm((*place)++)->name : NULL;
}

void tcp_congestion_choose(struct tcp_connection *c)
{
    const struct tcp_congestion *wanted = algorithm(c->profile->congestion);
    if (c->congestion == wanted) {
        tcp_pacing_choose(c);
        return;
    }
    if (c->congestion != NULL && c->congestion->done != NULL)
        c->congestion->done(c);
    c->congestion = wanted;
    memset(c->congestion_state, 0, sizeof c->congestion_state);
    if (c->state >= TCP_ESTABLISHED) /* until then tcp_congestion_open() is still to come */
        wanted->init(c);
    tcp_pacing_choose(c);
}

/* RFC 6928 §2: min (10*MSS, max (2*MSS, 14600)), with the profile's number for ten. */
uint32_t tcp_initial_window(const struct tcp_connection *c)
{
    uint32_t segments = c->profile->initial_window * (uint32_t)c->mss;
    uint32_t least = 2 * (uint32_t)c->mss;
    uint32_t octets = c->profile->initial_window * UINT32_C(1460);
    octets = least > octets ? least : octets;
    return segments < octets ? segments : octets;
}

void tcp_congestion_open(struct tcp_connection *c)
{
    /* RFC 5681 §3.1, RFC 6928 §2: one segment when the SYN had to be sent more than twice. */
    c->cwnd = c->retries > 1 ? c->mss : tcp_initial_window(c);
    c->ssthresh = TCP_CWND_MAX;
    c->congestion->init(c);
}

void tcp_congestion_idle(struct tcp_connection *c)
{
    uint32_t restart = tcp_initial_window(c);
    usec pause = c->stack->now - c->last_sent_at;
    if (c->profile->restart_after_idle && !c->congestion->own_window && pause > tcp_rto(c) && c->cwnd > restart)
        c->cwnd = restart;
    if (c->congestion->resumed != NULL)
        c->congestion->resumed(c, pause);
}

/*
 * DEVIATES RFC 5681 §3.1, RFC 9406 §4.2: octets are counted rather than acknowledgements (RFC
 * 3465), and without its limit of 2*SMSS or L*SMSS: one acknowledgement of a super-segment stands
 * for 45 segments. After a timeout the limit holds, since there an ACK can cover a window's worth
 * of old octets.
 */
uint32_t tcp_slow_start(struct tcp_connection *c, const struct tcp_ack_event *event)
{
    /* Only a window that was used says anything (RFC 7661 §1): half of it, some time in the round
     * trip. */
    if (c->cwnd >= 2 * c->sending->flight_most)
        return 0;
    uint32_t limit = c->recovery == TCP_LOSS ? 2 * (uint32_t)c->mss : TCP_CWND_MAX;
    return event->delivered < limit ? event->delivered : limit;
}
