/* SPDX-License-Identifier: ISC */
/*
 * thread.h - threads, and what they hold each other up with: a lock, and a gate that holds up many.
 */
#ifndef WN_OS_THREAD_H
#define WN_OS_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

enum { THREAD_NAME_MAX = 16 }; /* with the NUL: as the kernel has it */

struct thread {
    pthread_t id;
    void (*run)(void *self);
    void *self;
    char name[THREAD_NAME_MAX];
    bool started;
};

/* Runs run(self) in a thread of that name, cut to what fits, that gets no signals: those are for the first.
 * `thread` stays where it is until thread_join(). 0 or a negative errno. */
MUST_USE int thread_start(struct thread *thread, const char *name, void (*run)(void *self),
                          void *self);

/* Waits for its end. One that was not started is over. */
void thread_join(struct thread *thread);

/* On how many processors this process may run; at least 1. */
size_t thread_processors(void);

/* ---- a lock ---- */

struct lock {
    pthread_mutex_t mutex;
};

void lock_init(struct lock *lock);
void lock_done(struct lock *lock);
void lock_take(struct lock *lock);
void lock_give(struct lock *lock);

/* ---- a gate ---- */

/*
 * Many pass, each as often as it likes and each by a way of its own, so that they do not meet; one closes it to change
 * what they look at. Who is inside is waited for; who comes waits until it is open. Passing costs one lock that
 * nobody else wants.
 */
struct gate;

/* For so many who pass. NULL: no memory. */
MUST_USE struct gate *gate_new(size_t passers);
void gate_free(struct gate *gate);

void gate_enter(struct gate *gate, size_t passer);
void gate_leave(struct gate *gate, size_t passer);

/* Of the thread alone that made it, which is none of the passers. They nest. */
void gate_close(struct gate *gate);
void gate_open(struct gate *gate);
bool gate_is_closed(const struct gate *gate);

#endif
