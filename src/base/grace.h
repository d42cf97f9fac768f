/* SPDX-License-Identifier: ISC */
/*
 * grace.h - when nobody can be looking any more at what was taken out of a shared table.
 *
 * Several workers read a table without a lock. Who takes something out of it cannot free it at once: another
 * may have found it before. A worker looks only within its turns, between grace_enter() and grace_leave();
 * what was taken out before any of the turns that are under way began can be seen by nobody.
 *
 *      … unlink it …
 *      item->retired_at = grace_retire(grace);
 *      … later, now and then …
 *      if (grace_over(grace, item->retired_at))
 *          … free it …
 */
#ifndef WN_BASE_GRACE_H
#define WN_BASE_GRACE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum {
    GRACE_READERS_MAX = 64,
    GRACE_LINE = 64, /* octets that move together between processors */
};

struct grace_reader {
    /* The instant in which its turn began; 0: it is in none. */
    alignas(GRACE_LINE) _Atomic uint64_t since;
};

struct grace {
    alignas(GRACE_LINE) _Atomic uint64_t now; /* counts what was retired */
    alignas(GRACE_LINE) uint32_t reader_count;
    struct grace_reader readers[GRACE_READERS_MAX];
};

void grace_init(struct grace *grace, uint32_t readers);

/* Of the thread that is that reader. They do not nest. */
void grace_enter(struct grace *grace, uint32_t reader);
void grace_leave(struct grace *grace, uint32_t reader);

/* Of any thread: what was unlinked before this call may go when grace_over() says so of its result. */
MUST_USE uint64_t grace_retire(struct grace *grace);
MUST_USE bool grace_over(const struct grace *grace, uint64_t retired_at);

#endif
