/* SPDX-License-Identifier: ISC */
/*
 * dial.h - a connection to the first of several addresses that answers ("Happy Eyeballs", RFC 8305 §4,
 * §5): families in turn, the next one after a quarter of a second or as soon as one has failed.
 */
#ifndef WN_IO_DIAL_H
#define WN_IO_DIAL_H

#include "io/loop.h"
#include "io/net.h"

enum { DIAL_ADDRESSES_MAX = 16 };
#define DIAL_STAGGER (250 * USEC_PER_MSEC) /* RFC 8305 §8: Connection Attempt Delay */

struct dial;

struct dial_handler {
    /* One of the two, once, from the loop; the dial is free to be used again, or let go. The stream is
     * open, the callee's, and wants stream_set_handler() at once. */
    void (*on_connected)(void *self, struct stream *stream, const struct endpoint *to);
    /* `error`: the errno of the address tried first that failed, or ETIMEDOUT; `to` is that one. */
    void (*on_failed)(void *self, int error, const struct endpoint *to);
};

struct dial_attempt {
    struct dial *dial;
    struct stream *stream; /* NULL: not begun, or failed */
};

/* Lives in its owner. */
struct dial {
    struct net *net;
    const struct dial_handler *handler;
    void *self;
    usec deadline;
    size_t count;
    size_t next;
    size_t open; /* attempts under way */
    size_t failed_at;
    int error; /* of failed_at; 0: none has failed yet */
    struct alarm alarm;
    struct endpoint addresses[DIAL_ADDRESSES_MAX];
    struct dial_attempt attempts[DIAL_ADDRESSES_MAX];
};

/* `addresses` in the order of preference (RFC 6724); of more than DIAL_ADDRESSES_MAX the first are
 * taken. At least one. `deadline`: of the whole; USEC_NEVER: the network's own. */
void dial_start(struct dial *dial, struct net *net, const struct endpoint *addresses, size_t count,
                usec deadline, const struct dial_handler *handler, void *self);

/* No callback any more. As often as one likes, also on a dial of zeros. */
void dial_cancel(struct dial *dial);

#endif
