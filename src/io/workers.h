/* SPDX-License-Identifier: ISC */
/*
 * workers.h - several loops of one process, each with a thread of its own.
 *
 * Worker 0 is whoever calls this, on the loop that is his; it owns all that there is only once. The
 * others have services that share a port with their likes, and nothing else: what they need of worker 0 is
 * posted to it, and what it wants of them is called on their loops.
 *
 * What all look at and worker 0 changes is behind a gate: the others look within their turns, worker 0 changes
 * it between workers_close() and workers_open(), when none of them is in one.
 */
#ifndef WN_IO_WORKERS_H
#define WN_IO_WORKERS_H

#include "base/grace.h"
#include "io/loop.h"
#include "io/mailbox.h"
#include "os/thread.h"

enum {
    WORKERS_MAX = GRACE_READERS_MAX,
    WORKERS_LETTERS_MAX = 4096, /* that wait for one of them */
};

struct workers;

/* `loop` is worker 0's, `count` includes it. 0 or a negative errno. */
MUST_USE int workers_new(struct loop *loop, size_t count, struct workers **out);

/* What lives on the loops of the others must be gone. NULL is nothing. */
void workers_free(struct workers *workers);

size_t workers_count(const struct workers *workers);
struct loop *workers_loop(const struct workers *workers, size_t worker);
struct mailbox *workers_mailbox(const struct workers *workers, size_t worker);

/* Of worker 0: runs it on the loop of another, and waits. */
int workers_call(struct workers *workers, size_t worker, int (*call)(void *self), void *self);

/* Of worker 0: none of the others is in a turn between these. They nest. */
void workers_close(struct workers *workers);
void workers_open(struct workers *workers);

/* Each is one of its readers, within its turns. */
struct grace *workers_grace(struct workers *workers);

#endif
