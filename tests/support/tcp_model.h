/* SPDX-License-Identifier: ISC */
/*
 * tcp_model.h - what RFC 9293 §3.10.7 wants done with one segment, as a function of the state's
 * numbers. An oracle: written from the text, section by section, and sharing nothing with the stack
 * that it judges. With the rules of RFC 5961 (RST, SYN, ACK range) that RFC 9293 takes in.
 *
 * Numbers count from both initial sequence numbers, modulo 2^32.
 */
#ifndef WN_TESTS_SUPPORT_TCP_MODEL_H
#define WN_TESTS_SUPPORT_TCP_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/tcp/tcp.h"

struct model_tcb {
    enum tcp_state state;
    bool passive;      /* SYN-RECEIVED: came from LISTEN */
    bool fin_sent;     /* the octet before snd_nxt is FIN */
    uint32_t snd_una;
    uint32_t snd_nxt;
    uint32_t snd_wnd;
    uint32_t snd_wl1;
    uint32_t snd_wl2;
    uint32_t snd_wnd_max;
    uint32_t rcv_nxt;
    uint32_t rcv_wnd;
};

struct model_segment {
    uint16_t flags; /* enum tcp_flags */
    uint32_t seq;
    uint32_t ack;
    uint32_t len;   /* of the text */
    uint32_t window;
};

enum model_reply {
    MODEL_SILENT,
    MODEL_ACK,     /* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
    MODEL_RST,     /* <SEQ=SEG.ACK><CTL=RST> */
    MODEL_RST_ACK, /* <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> */
    MODEL_SYN_ACK, /* <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> */
};

struct model_reaction {
    struct model_tcb tcb; /* as it is afterwards */
    enum model_reply reply;
    uint32_t reply_seq;
    uint32_t reply_ack;
    uint32_t delivered;   /* octets for the application */
    uint32_t held;        /* octets that wait for what is before them */
    unsigned events;      /* enum socket_events */
    bool anew;            /* another connection has taken the place of one in TIME-WAIT */
};

void tcp_model_arrives(const struct model_tcb *tcb, const struct model_segment *seg,
                       struct model_reaction *out);

#endif
