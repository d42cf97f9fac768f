/* SPDX-License-Identifier: ISC */
/* tcp_model.c - RFC 9293 §3.10.7, in its order and its words. See tcp_model.h. */
#include "tests/support/tcp_model.h"

#include "wire/inet/tcp_header.h"

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static bool in_order(uint32_t a, uint32_t b)
{
    return !before(b, a);
}

static uint32_t segment_len(const struct model_segment *seg)
{
    return seg->len + ((seg->flags & TCP_SYN) != 0) + ((seg->flags & TCP_FIN) != 0);
}

static void reply(struct model_reaction *out, enum model_reply what, uint32_t seq, uint32_t ack)
{
    out->reply = what;
    out->reply_seq = seq;
    out->reply_ack = ack;
}

static void reply_ack(struct model_reaction *out)
{
    reply(out, MODEL_ACK, out->tcb.snd_nxt, out->tcb.rcv_nxt);
}

/* §3.10.7.1 */
static void closed(const struct model_segment *seg, struct model_reaction *out)
{
    if (seg->flags & TCP_RST)
        return;
    if (seg->flags & TCP_ACK)
        reply(out, MODEL_RST, seg->ack, 0);
    else
        reply(out, MODEL_RST_ACK, 0, seg->seq + segment_len(seg));
}

/* §3.10.7.2. What comes with the SYN waits until the connection is established. */
static void listening(const struct model_segment *seg, struct model_reaction *out)
{
    if (seg->flags & TCP_RST)
        return;
    if (seg->flags & TCP_ACK) {
        reply(out, MODEL_RST, seg->ack, 0);
    } else if (seg->flags & TCP_SYN) {
        out->tcb.state = TCP_SYN_RECEIVED;
        out->tcb.passive = true;
        out->tcb.rcv_nxt = seg->seq + 1;
        reply(out, MODEL_SYN_ACK, 0, out->tcb.rcv_nxt);
    }
}

/* Sixth to eighth of §3.10.7.4, for a segment that begins at RCV.NXT and lies in the window. */
static void text_and_fin(const struct model_segment *seg, struct model_reaction *out)
{
    struct model_tcb *tcb = &out->tcb;
    bool open = tcb->state == TCP_ESTABLISHED || tcb->state == TCP_FIN_WAIT_1 ||
                tcb->state == TCP_FIN_WAIT_2;
    if (open && seg->len > 0) {
        tcb->rcv_nxt += seg->len;
        out->delivered += seg->len;
        out->events |= SOCKET_READABLE;
        reply_ack(out);
    }
    if (!(seg->flags & TCP_FIN))
        return;
    tcb->rcv_nxt++;
    out->events |= SOCKET_END;
    reply_ack(out);
    if (tcb->state == TCP_ESTABLISHED) {
        tcb->state = TCP_CLOSE_WAIT;
    } else if (tcb->state == TCP_FIN_WAIT_1) {
        tcb->state = TCP_CLOSING; /* our FIN not acknowledged: else it were FIN-WAIT-2 by now */
    } else if (tcb->state == TCP_FIN_WAIT_2) {
        tcb->state = TCP_TIME_WAIT;
        out->events |= SOCKET_FINISHED;
    }
}

/* §3.10.7.3 */
static void syn_sent(const struct model_segment *seg, struct model_reaction *out)
{
    struct model_tcb *tcb = &out->tcb;
    bool acked = false;
    if (seg->flags & TCP_ACK) {
        acked = before(tcb->snd_una, seg->ack) && in_order(seg->ack, tcb->snd_nxt);
        if (!acked) {
            if (!(seg->flags & TCP_RST))
                reply(out, MODEL_RST, seg->ack, 0);
            return;
        }
    }
    if (seg->flags & TCP_RST) {
        if (acked) {
            tcb->state = TCP_CLOSED;
            out->events |= SOCKET_FAILED;
        }
        return;
    }
    if (!(seg->flags & TCP_SYN))
        return;
    tcb->rcv_nxt = seg->seq + 1;
    tcb->snd_wnd = seg->window;
    tcb->snd_wl1 = seg->seq;
    tcb->snd_wl2 = seg->ack;
    if (!acked) {
        tcb->state = TCP_SYN_RECEIVED;
        tcb->passive = false;
        reply(out, MODEL_SYN_ACK, 0, tcb->rcv_nxt);
        return;
    }
    tcb->snd_una = seg->ack;
    tcb->state = TCP_ESTABLISHED;
    out->events |= SOCKET_OPENED;
    reply_ack(out);
    text_and_fin(seg, out);
}

/* Table 6. */
static bool acceptable(const struct model_tcb *tcb, const struct model_segment *seg)
{
    uint32_t len = segment_len(seg);
    uint32_t first = seg->seq - tcb->rcv_nxt;
    uint32_t last = seg->seq + len - 1 - tcb->rcv_nxt;
    if (tcb->rcv_wnd == 0)
        return len == 0 && first == 0;
    return first < tcb->rcv_wnd || (len > 0 && last < tcb->rcv_wnd);
}

/* Second. True: the segment has been dealt with. */
static bool reset_came(const struct model_segment *seg, struct model_reaction *out)
{
    struct model_tcb *tcb = &out->tcb;
    if (!(seg->flags & TCP_RST))
        return false;
    if (seg->seq != tcb->rcv_nxt) {
        if (seg->seq - tcb->rcv_nxt < tcb->rcv_wnd)
            reply_ack(out);
        return true;
    }
    bool to_listen = tcb->state == TCP_SYN_RECEIVED && tcb->passive;
    tcb->state = to_listen ? TCP_LISTEN : TCP_CLOSED;
    if (!to_listen)
        out->events |= SOCKET_FAILED; /* also beyond CLOSE-WAIT: MUST-12 */
    return true;
}

/* Fourth. */
static bool syn_came(const struct model_segment *seg, struct model_reaction *out)
{
    if (!(seg->flags & TCP_SYN))
        return false;
    if (out->tcb.state == TCP_SYN_RECEIVED && out->tcb.passive)
        out->tcb.state = TCP_LISTEN;
    else
        reply_ack(out);
    return true;
}

/* §3.6.1, MAY-2: a SYN that is newer than all of the old connection. */
static bool opens_anew(const struct model_segment *seg, struct model_reaction *out)
{
    bool bare = (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
    if (out->tcb.state != TCP_TIME_WAIT || !bare || !before(out->tcb.rcv_nxt, seg->seq))
        return false;
    listening(seg, out);
    out->anew = true;
    return true;
}

static void take_window(const struct model_segment *seg, struct model_tcb *tcb)
{
    bool newer = before(tcb->snd_wl1, seg->seq) ||
                 (tcb->snd_wl1 == seg->seq && in_order(tcb->snd_wl2, seg->ack));
    if (in_order(tcb->snd_una, seg->ack) && newer) {
        tcb->snd_wnd = seg->window;
        tcb->snd_wl1 = seg->seq;
        tcb->snd_wl2 = seg->ack;
    }
}

/* Fifth. True: the segment goes no further. */
static bool ack_came(const struct model_segment *seg, struct model_reaction *out)
{
    struct model_tcb *tcb = &out->tcb;
    if (!(seg->flags & TCP_ACK))
        return true;
    if (tcb->state == TCP_SYN_RECEIVED) {
        if (!before(tcb->snd_una, seg->ack) || before(tcb->snd_nxt, seg->ack)) {
            reply(out, MODEL_RST, seg->ack, 0);
            return true;
        }
        tcb->state = TCP_ESTABLISHED;
        tcb->snd_wl1 = seg->seq;
        tcb->snd_wl2 = seg->ack;
        out->events |= SOCKET_OPENED;
    } else if (before(seg->ack, tcb->snd_una - tcb->snd_wnd_max) ||
               before(tcb->snd_nxt, seg->ack)) {
        reply_ack(out); /* RFC 5961 §5.2 */
        return true;
    }
    take_window(seg, tcb);
    if (before(tcb->snd_una, seg->ack))
        tcb->snd_una = seg->ack;
    if (!tcb->fin_sent || tcb->snd_una != tcb->snd_nxt)
        return false;
    if (tcb->state == TCP_FIN_WAIT_1) {
        tcb->state = TCP_FIN_WAIT_2;
    } else if (tcb->state == TCP_CLOSING) {
        tcb->state = TCP_TIME_WAIT;
        out->events |= SOCKET_FINISHED;
    } else if (tcb->state == TCP_LAST_ACK) {
        tcb->state = TCP_CLOSED;
        out->events |= SOCKET_FINISHED;
        return true;
    }
    return false;
}

/* Cuts off what lies outside of the window. */
static void trim(const struct model_tcb *tcb, struct model_segment *seg)
{
    if (before(seg->seq, tcb->rcv_nxt)) {
        uint32_t old = tcb->rcv_nxt - seg->seq;
        if (seg->flags & TCP_SYN) {
            seg->flags &= (uint16_t)~TCP_SYN;
            old--;
        }
        seg->len -= old;
        seg->seq = tcb->rcv_nxt;
    }
    uint32_t fits = tcb->rcv_nxt + tcb->rcv_wnd - seg->seq;
    if (segment_len(seg) > fits)
        seg->flags &= (uint16_t)~TCP_FIN;
    if (seg->len > fits)
        seg->len = fits;
}

/* §3.10.7.4 */
static void others(const struct model_segment *given, struct model_reaction *out)
{
    struct model_tcb *tcb = &out->tcb;
    struct model_segment seg = *given;
    bool syn = (seg.flags & TCP_SYN) != 0;
    bool rst = (seg.flags & TCP_RST) != 0;
    bool closed_window = tcb->rcv_wnd == 0 && in_order(seg.seq, tcb->rcv_nxt) &&
                         before(tcb->rcv_nxt, seg.seq + segment_len(&seg));
    if (opens_anew(&seg, out))
        return;
    if (!acceptable(tcb, &seg) && !closed_window) {
        if (!rst)
            reply_ack(out);
        return;
    }
    if (closed_window && !syn) {
        /* "special allowance should be made to accept valid ACKs, URGs, and RSTs": of a segment
         * that asks for the number that we expect, and whose text has no place. */
        seg.len = 0;
        seg.flags &= (uint16_t)~TCP_FIN;
        if (!rst)
            reply_ack(out);
    }
    if (reset_came(&seg, out) || syn_came(&seg, out))
        return;
    if (closed_window)
        seg.seq = tcb->rcv_nxt;
    else
        trim(tcb, &seg);
    if (ack_came(&seg, out))
        return;
    if (seg.seq == tcb->rcv_nxt) {
        text_and_fin(&seg, out);
    } else if (segment_len(&seg) > 0 &&
               (tcb->state == TCP_ESTABLISHED || tcb->state == TCP_FIN_WAIT_1 ||
                tcb->state == TCP_FIN_WAIT_2)) {
        out->held = seg.len; /* SHLD-31 */
        reply_ack(out);      /* MAY-13 */
    }
}

void tcp_model_arrives(const struct model_tcb *tcb, const struct model_segment *seg,
                       struct model_reaction *out)
{
    *out = (struct model_reaction){.tcb = *tcb};
    switch (tcb->state) {
    case TCP_CLOSED:
        closed(seg, out);
        break;
    case TCP_LISTEN:
        listening(seg, out);
        break;
    case TCP_SYN_SENT:
        syn_sent(seg, out);
        break;
    case TCP_SYN_RECEIVED:
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT_1:
    case TCP_FIN_WAIT_2:
    case TCP_CLOSE_WAIT:
    case TCP_CLOSING:
    case TCP_LAST_ACK:
    case TCP_TIME_WAIT:
        others(seg, out);
        break;
    case TCP_STATE_COUNT:
        break;
    }
}
