/* SPDX-License-Identifier: ISC */
/*
 * web_flow.h - octets on their way from who makes them to who takes them, as a queue with an end. It is
 * the body of a response that is made while it is sent, and of a request that is passed on.
 *
 * The queue takes all that it is given; who fills it looks at web_flow_full() and stops for a while.
 */
#ifndef WN_APP_WEB_WEB_FLOW_H
#define WN_APP_WEB_WEB_FLOW_H

#include "base/bytes.h"

enum {
    WEB_FLOW_FULL = 64 * 1024, /* octets with which one should stop to fill it, */
    WEB_FLOW_LOW = 16 * 1024,  /* and with which to go on */
};

/* All zero is empty. */
struct web_flow {
    uint8_t *octets; /* NULL: owns nothing */
    size_t at;
    size_t len;
    size_t size;
    bool ended;      /* no more will come: what there is was all */
    bool failed;     /* it will never be whole */
    bool stopped;    /* it was full, and on_low() has not been called since */
    struct bytes trailers; /* fields behind the octets, as lines, once it has ended; borrowed */
    void (*on_low)(struct web_flow *flow); /* NULL: nobody waits. Must not touch the flow */
};

void web_flow_done(struct web_flow *flow);

/* False: no memory. */
MUST_USE bool web_flow_add(struct web_flow *flow, struct bytes in);

/* The oldest octets; valid until the flow is touched. */
struct bytes web_flow_bytes(const struct web_flow *flow);
void web_flow_drop(struct web_flow *flow, size_t len);

/* Says so once, until it is low again. */
bool web_flow_full(struct web_flow *flow);

/* Nothing there now, but something may come. */
static inline bool web_flow_waits(const struct web_flow *flow)
{
    return flow->len == 0 && !flow->ended && !flow->failed;
}

#endif
