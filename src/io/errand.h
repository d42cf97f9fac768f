/* SPDX-License-Identifier: ISC */
/*
 * errand.h - what would hold up a loop, such as fsync(2), is done by a thread of its own, one after the
 * other; then the loop hears of it.
 *
 * An errand is a part of what its sender has allocated, and its sender's again from done() on. The thread
 * begins with the first. A virtual loop has none: there run() is called at once, and done() at the end
 * of the turn.
 */
#ifndef WN_IO_ERRAND_H
#define WN_IO_ERRAND_H

#include "io/mailbox.h"

struct errands;

struct errand {
    struct errands *all;
    struct list_node node;
    struct letter letter;
    struct task task;
    void (*run)(struct errand *errand);  /* in the thread: nothing of the loop's is to be touched */
    void (*done)(struct errand *errand); /* on the loop, never within errands_send() */
};

/* At most so many under way. 0 or a negative errno. */
MUST_USE int errands_new(struct loop *loop, size_t errands_max, struct errands **out);

/* Waits for all that are under way: done() has been called for each. NULL is nothing. */
void errands_free(struct errands *errands);

/* False: there are as many as may be, or no thread could be started, and nothing has been done. */
MUST_USE bool errands_send(struct errands *errands, struct errand *errand,
                           void (*run)(struct errand *errand), void (*done)(struct errand *errand));

#endif
