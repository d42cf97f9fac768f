/* SPDX-License-Identifier: ISC */
/*
 * loop.h - the event loop: descriptors, timers and end-of-turn tasks of one thread.
 *
 * One loop is one world: all that runs on it shares its clock and needs no lock. A loop is real
 * (it sleeps in epoll and reads the monotonic clock once a turn) or virtual (it has no descriptors
 * and its clock jumps to the next timer: a day passes in a second). Code on a loop cannot tell.
 *
 * A turn: descriptors that are ready, then timers that are due, then tasks; then sleep. Callbacks
 * may add and remove anything, themselves included.
 */
#ifndef WN_IO_LOOP_H
#define WN_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/prng.h"
#include "base/usec.h"
#include "base/wheel.h"

struct loop;

/* NULL with errno when the kernel has no epoll for us, or no memory. Seeded from the kernel. */
MUST_USE struct loop *loop_new(void);

/* A loop in virtual time that starts at `start`; every random number comes from `seed`. */
MUST_USE struct loop *loop_new_virtual(usec start, uint64_t seed);
void loop_free(struct loop *loop);

/* The time of this turn. */
usec loop_now(const struct loop *loop);
bool loop_is_virtual(const struct loop *loop);

/* The time now: for who comes from outside of a turn. It is the turn's from now on. */
usec loop_look(struct loop *loop);

/* Wall-clock seconds since 1970 (virtual: a fixed epoch plus the virtual time). */
int64_t loop_wall_seconds(const struct loop *loop);

/* The loop's source of random numbers. */
struct prng *loop_prng(struct loop *loop);

/* The memory of what lives on the loop: for contexts of the pure band that want a heap. */
struct heap loop_heap(const struct loop *loop);

/* Turns until loop_stop(). 0, or a negative errno when epoll fails. A virtual loop also ends when
 * no timer is armed. */
int loop_run(struct loop *loop);

/* What is done before the callbacks of every turn, and after them; the loop sleeps outside of both. Copied; NULL:
 * nothing. Within a turn it holds from the next one on. */
struct loop_turns {
    void (*begin)(void *self);
    void (*end)(void *self);
    void *self;
};
void loop_set_turns(struct loop *loop, const struct loop_turns *turns);

/* Turns until loop_stop() or until `deadline` has come. */
int loop_run_until(struct loop *loop, usec deadline);

/* Ends loop_run() after this turn. Safe in callbacks. */
void loop_stop(struct loop *loop);

enum {
    LOOP_READ = 1 << 0,
    LOOP_WRITE = 1 << 1,
    LOOP_ERROR = 1 << 2,
    LOOP_EDGE = 1 << 3,
    LOOP_URGENT = 1 << 4, /* TCP: an urgent octet is there and not read */
    LOOP_END = 1 << 5,    /* TCP: the peer has ended; it may be told together with LOOP_READ */
};

/* A descriptor; lives in its owner, who also owns `fd` and closes it after loop_unwatch(). */
struct watch {
    int fd;
    unsigned wanted;
    void (*on_ready)(struct watch *watch, unsigned ready); /* LOOP_READ … ; LOOP_ERROR: error or
                                                              hang-up, told without being asked */
    struct loop *loop; /* NULL: not watched */
};

/* 0 or a negative errno. LOOP_EDGE: edge-triggered. */
MUST_USE int loop_watch(struct loop *loop, struct watch *watch, int fd, unsigned wanted,
                        void (*on_ready)(struct watch *, unsigned ready));
void loop_want(struct watch *watch, unsigned wanted); /* no system call when it is the same */
void loop_unwatch(struct watch *watch);               /* as often as one likes */

struct alarm {
    struct timer timer;
    void (*on_due)(struct alarm *alarm);
};

void alarm_init(struct alarm *alarm, void (*on_due)(struct alarm *));
void loop_set_alarm(struct loop *loop, struct alarm *alarm, usec due_at); /* USEC_NEVER: disarms */
void loop_clear_alarm(struct loop *loop, struct alarm *alarm);

/* Runs once at the end of this turn (of the next, when queued by a task). Queueing it twice is
 * queueing it once. */
struct task {
    struct list_node node;
    void (*run)(struct task *task);
};

void task_init(struct task *task, void (*run)(struct task *));
void loop_queue(struct loop *loop, struct task *task);
void loop_unqueue(struct task *task);

/* Signals as events: blocks them for the thread and tells `on_signal`. One call for each loop. 0
 * or a negative errno. */
struct signal_watch {
    struct watch watch;
    void (*on_signal)(struct signal_watch *watch, int number);
};
MUST_USE int loop_watch_signals(struct loop *loop, struct signal_watch *watch, const int *numbers,
                                size_t count, void (*on_signal)(struct signal_watch *, int));
void loop_unwatch_signals(struct signal_watch *watch);

#endif
