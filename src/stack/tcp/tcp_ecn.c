/* SPDX-License-Identifier: ISC */
/*
 * tcp_ecn.c - explicit congestion notification (RFC 3168 §6.1): routers mark segments rather than
 * drop them; the receiver echoes the mark until it is told that the window was reduced.
 *
 * SKIPS RFC 3168 §6.1.2, last paragraph: with a window of one segment the rate is not reduced further;
 * ssthresh is two segments at least.
 */
#include "stack/tcp/internal.h"

/* An ECN-setup SYN has both, an ECN-setup SYN,ACK only ECE (§6.1.1). */
enum { SETUP = TCP_ECE | TCP_CWR };

uint16_t tcp_ecn_syn_flags(struct tcp_connection *c)
{
    bool again = c->retries > 0; /* §6.1.1.1: somebody on the way may dislike these flags */
    if (again)
        c->ecn_marks = false;
    if (c->state == TCP_SYN_SENT) {
        c->ecn_asked = c->ecn_asked || (c->profile->ecn == TCP_ECN_ASK && !again);
        return c->profile->ecn == TCP_ECN_ASK && !again ? SETUP : 0;
    }
    return c->ecn_marks ? TCP_ECE : 0;
}

/* §6.1.1.1: who has heard or said at least once that there is no ECN does not mark what it sends;
 * echoing what the peer marks is a matter of what it has heard. */
void tcp_ecn_take_syn(struct tcp_connection *c, const struct tcp_segment *seg)
{
    uint16_t flags = seg->header.flags;
    bool marked = (seg->packet->traffic_class & IP_ECN_MASK) != IP_NOT_ECT;
    if (flags & TCP_ACK) {
        c->ecn = c->ecn_asked && (flags & SETUP) == TCP_ECE;
        c->ecn_marks = c->ecn && c->retries == 0;
    } else {
        c->ecn = c->profile->ecn != TCP_ECN_OFF && (flags & SETUP) == SETUP && !marked;
        c->ecn_marks = c->ecn;
    }
}

void tcp_ecn_syn_again(struct tcp_connection *c, const struct tcp_segment *seg)
{
    if ((seg->header.flags & SETUP) != SETUP)
        c->ecn_marks = false;
}

/* §6.1.3. The segment lies in the window, so that strangers have no say (§6.1.5). */
void tcp_ecn_take_text(struct tcp_connection *c, const struct tcp_segment *seg)
{
    unsigned mark = seg->packet->traffic_class & IP_ECN_MASK;
    if (seg->header.flags & TCP_CWR) {
        c->ecn_echo = false;
        c->ack_now = true; /* its window may be one segment now */
    }
    if (mark != IP_NOT_ECT)
        c->ecn_seen = true;
    if (mark != IP_CE)
        return;
    if (!c->ecn_echo)
        c->ack_now = true; /* the sooner the peer knows the better */
    c->ecn_echo = true;
}

bool tcp_ecn_echoed(const struct tcp_connection *c, const struct tcp_segment *seg)
{
    return c->ecn_marks && (seg->header.flags & TCP_ECE) != 0;
}

void tcp_ecn_reduced(struct tcp_connection *c)
{
    c->ecn_reduced = c->ecn_marks;
}

uint8_t tcp_ecn_mark_text(struct tcp_connection *c, const struct tcp_stretch *stretch,
                          uint16_t *flags)
{
    /* §6.1.4 to §6.1.6: text that was not sent before, and no probe of a closed window. */
    bool fresh = stretch->len > 0 && seq_equal(stretch->start, c->snd_nxt) && c->snd_wnd > 0;
    if (!c->ecn_marks || !fresh)
        return IP_NOT_ECT;
    if (c->ecn_reduced)
        *flags |= TCP_CWR;
    c->ecn_reduced = false;
    return IP_ECT_0;
}
