/* SPDX-License-Identifier: ISC */
/* drill_time.c - virtual time between the stack and the two threads of the packetdrill tool. */
#include <errno.h>
#include <time.h>

#include "api/drill/drill_adapter.h"
#include "base/compiler.h"
#include "base/usec.h"
#include "os/clock.h"

/* Of the kernel's time: how long the other thread may take to look, which is microseconds; how long
 * it waits for the tool, which may be waiting for it, before it lets time pass itself; and when a call
 * without an end is given up, since the tool itself is in it. */
#define LOOK_PATIENCE (500 * USEC_PER_MSEC)
#define STALL_PATIENCE (300 * USEC_PER_MSEC)
#define LAST_PATIENCE (10 * USEC_PER_SEC)

/* The tool spins over the last microseconds before an event: each look at the clock is one. */
enum { LOOK_COST = 1 };

/* And how long the tool's other thread has for writing down what has come of its call: it needs a lock
 * that the main thread gives up only while it sleeps here. */
static const struct timespec note_time = {.tv_nsec = 5 * 1000 * 1000};

wn_time drill_clock(void *self)
{
    return ((struct drill *)self)->now;
}

/* Waits for the other thread, `patience` of the kernel's time at most. False: it was in vain. */
static bool wait_for_other(struct drill *drill, usec patience)
{
    usec until = clock_monotonic() + patience;
    struct timespec at = {until / USEC_PER_SEC, until % USEC_PER_SEC * 1000};
    return pthread_cond_timedwait(&drill->changed, &drill->lock, &at) != ETIMEDOUT;
}

static bool is_other(const struct drill *drill)
{
    return drill->other != DRILL_NOBODY && pthread_equal(drill->other_thread, pthread_self());
}

/* Something has happened: the other thread looks before time goes on. */
static void settle(struct drill *drill)
{
    if (drill->other == DRILL_NOBODY || is_other(drill))
        return;
    drill->round++;
    (void)pthread_cond_broadcast(&drill->changed);
    while (drill->other != DRILL_NOBODY &&
           !(drill->other == DRILL_WAITS && drill->looked == drill->round))
        if (!wait_for_other(drill, LOOK_PATIENCE))
            return; /* it is not in our hands: the tool has found something wrong, and ends */
}

/* Brings the stack up to the time, each timer at its instant. */
static void catch_up(struct drill *drill)
{
    wn_time due;
    drill_collect(drill);
    while ((due = wn_stack_deadline(drill->stack)) <= drill->time) {
        drill->now = usec_max(drill->now, due);
        wn_stack_tick(drill->stack);
        drill_collect(drill);
    }
    drill->now = drill->time;
}

struct wn_sockets *drill_enter(struct drill *drill)
{
    (void)pthread_mutex_lock(&drill->lock);
    catch_up(drill);
    return drill->sockets;
}

void drill_leave(struct drill *drill)
{
    drill_collect(drill);
    if (is_other(drill)) {
        drill->other = DRILL_OWES_TIME;
        (void)pthread_cond_broadcast(&drill->changed);
    }
    settle(drill);
    (void)pthread_mutex_unlock(&drill->lock);
}

bool drill_pass_time(struct drill *drill, wn_time until, bool for_packet)
{
    for (;;) {
        catch_up(drill);
        settle(drill);
        drill_collect(drill);
        if (for_packet && drill->packet_count > 0)
            return true;
        wn_time next = wn_stack_deadline(drill->stack);
        if (drill->other == DRILL_WAITS)
            next = usec_min(next, drill->other_until);
        if (next > until || drill->time >= until)
            break;
        drill->time = usec_max(drill->time, next);
    }
    drill->time = usec_max(drill->time, until);
    catch_up(drill);
    return for_packet && drill->packet_count > 0;
}

/* In a call that waits: until the tool has let something happen. */
int drill_pump(void *self, wn_time until)
{
    struct drill *drill = self;
    drill_collect(drill);
    if (until <= drill->time)
        return 0;
    drill->other = DRILL_WAITS;
    drill->other_thread = pthread_self();
    drill->other_until = until;
    drill->looked = drill->round;
    (void)pthread_cond_broadcast(&drill->changed);
    int result = 0;
    usec patience = until == WN_NEVER ? LAST_PATIENCE : STALL_PATIENCE;
    while (drill->looked == drill->round && result == 0) {
        if (wait_for_other(drill, patience) || drill->looked != drill->round)
            continue;
        if (until == WN_NEVER) {
            result = -EDEADLK;
        } else {
            (void)drill_pass_time(drill, until, false);
            break;
        }
    }
    drill->other = DRILL_AWAKE;
    catch_up(drill);
    return result;
}

static int sleep_for(void *self, useconds_t duration)
{
    struct drill *drill = self;
    (void)drill_enter(drill);
    (void)drill_pass_time(drill, drill->time + duration, false);
    bool ended = drill->other_ended;
    drill->other_ended = false;
    drill_leave(drill);
    if (ended)
        (void)nanosleep(&note_time, NULL);
    return 0;
}

static int tell_time(void *self, struct timeval *out, struct timezone *zone UNUSED)
{
    struct drill *drill = self;
    (void)pthread_mutex_lock(&drill->lock);
    if (is_other(drill)) {
        drill->other = DRILL_NOBODY;
        drill->other_ended = true;
        (void)pthread_cond_broadcast(&drill->changed);
    } else {
        drill->time += LOOK_COST;
    }
    *out = (struct timeval){drill->time / USEC_PER_SEC, drill->time % USEC_PER_SEC};
    (void)pthread_mutex_unlock(&drill->lock);
    return 0;
}

void drill_set_time(struct drill_interface *out)
{
    out->usleep = sleep_for;
    out->gettimeofday = tell_time;
}
