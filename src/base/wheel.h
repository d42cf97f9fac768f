/* SPDX-License-Identifier: ISC */
/*
 * wheel.h - a hierarchical timer wheel: arming, disarming and expiring cost the same whatever the
 * number of timers.
 *
 * Six levels of 64 slots; the lowest slot is WHEEL_TICK wide. A timer never fires early, and at
 * most one tick late. A timer lives in its owner, which tells them apart by `kind` and finds
 * itself with CONTAINER_OF; there are no callbacks. Timers that are due at the same tick come out
 * in the order of due_at, then of arming, so that a run can be repeated.
 */
#ifndef WN_BASE_WHEEL_H
#define WN_BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/usec.h"

enum {
    WHEEL_TICK = 64, /* usec; a power of two */
    WHEEL_LEVELS = 6,
    WHEEL_SLOTS = 64,
};

struct timer {
    struct list_node node; /* linked while armed */
    usec due_at;
    uint8_t kind; /* the owner's */
    uint8_t level;
    uint8_t slot;
};

struct wheel {
    usec now;
    uint64_t tick;                   /* all slots before this tick have been expired */
    uint64_t occupied[WHEEL_LEVELS]; /* a bit for every slot that is not empty */
    struct list_node slots[WHEEL_LEVELS][WHEEL_SLOTS];
    struct list_node due; /* taken from the slots, not handed out yet */
    uint32_t count;       /* armed timers */
};

void wheel_init(struct wheel *wheel, usec now);

/* An unarmed timer. */
void timer_init(struct timer *timer, uint8_t kind);

static inline bool timer_armed(const struct timer *timer)
{
    return list_linked(&timer->node);
}

/* Arms, or moves, the timer. An instant that has passed is due at the next wheel_expire().
 * USEC_NEVER disarms. */
void wheel_arm(struct wheel *wheel, struct timer *timer, usec due_at);

/* Does nothing when it is not armed. */
void wheel_disarm(struct wheel *wheel, struct timer *timer);

/* No timer is due before this; USEC_NEVER when none is armed. May be earlier than the first timer
 * where that one lies far off: then expire() yields nothing and the next deadline is nearer. */
usec wheel_deadline(const struct wheel *wheel);

/* The next timer that is due at `now`, disarmed; NULL when there is none. Call until NULL. `now`
 * must not run backwards. */
struct timer *wheel_expire(struct wheel *wheel, usec now);

#endif
