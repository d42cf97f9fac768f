/* SPDX-License-Identifier: ISC */
/* thread.c - POSIX threads. */
#include "os/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static void *run(void *self)
{
    struct thread *thread = self;
    (void)pthread_setname_np(pthread_self(), thread->name);
    thread->run(thread->self);
    return NULL;
}

int thread_start(struct thread *thread, const char *name, void (*body)(void *self), void *self)
{
    sigset_t all, before;
    thread->run = body;
    thread->self = self;
    snprintf(thread->name, sizeof thread->name, "%s", name);
    /* It inherits the mask that is in force where it is made. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&thread->id, NULL, run, thread);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    thread->started = status == 0;
    return -status;
}

void thread_join(struct thread *thread)
{
    if (!thread->started)
        return;
    int status = pthread_join(thread->id, NULL);
    ASSERT(status == 0);
    thread->started = false;
}

size_t thread_processors(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1; /* more than fit into the set: whoever has those says how many workers */
    int count = CPU_COUNT(&set);
    return count > 0 ? (size_t)count : 1;
}

/* ---- a lock ---- */

void lock_init(struct lock *lock)
{
    int status = pthread_mutex_init(&lock->mutex, NULL);
    ASSERT(status == 0);
}

void lock_done(struct lock *lock)
{
    int status = pthread_mutex_destroy(&lock->mutex);
    ASSERT(status == 0);
}

void lock_take(struct lock *lock)
{
    int status = pthread_mutex_lock(&lock->mutex);
    ASSERT(status == 0);
}

void lock_give(struct lock *lock)
{
    int status = pthread_mutex_unlock(&lock->mutex);
    ASSERT(status == 0);
}

/* ---- a gate ---- */

enum { LINE = 64 }; /* octets that move together between processors */

struct way {
    alignas(LINE) struct lock lock; /* held while its passer is inside */
};

struct gate {
    pthread_t owner;        /* who made it */
    struct lock door;       /* held while the gate is closed */
    atomic_bool closing;    /* else who comes and goes in haste would never be found outside */
    size_t closed;          /* so many times, by its one owner */
    size_t count;
    struct way ways[];
};

struct gate *gate_new(size_t passers)
{
    size_t size = sizeof(struct gate) + passers * sizeof(struct way);
    struct gate *gate = aligned_alloc(LINE, (size + LINE - 1) / LINE * LINE);
    if (gate == NULL)
        return NULL;
    gate->owner = pthread_self();
    lock_init(&gate->door);
    atomic_init(&gate->closing, false);
    gate->closed = 0;
    gate->count = passers;
    for (size_t i = 0; i < passers; i++)
        lock_init(&gate->ways[i].lock);
    return gate;
}

void gate_free(struct gate *gate)
{
    if (gate == NULL)
        return;
    ASSERT(gate->closed == 0);
    for (size_t i = 0; i < gate->count; i++)
        lock_done(&gate->ways[i].lock);
    lock_done(&gate->door);
    free(gate);
}

void gate_enter(struct gate *gate, size_t passer)
{
    ASSERT(passer < gate->count);
    if (atomic_load_explicit(&gate->closing, memory_order_relaxed)) {
        lock_take(&gate->door);
        lock_give(&gate->door);
    }
    lock_take(&gate->ways[passer].lock);
}

void gate_leave(struct gate *gate, size_t passer)
{
    lock_give(&gate->ways[passer].lock);
}

void gate_close(struct gate *gate)
{
    ASSERT(pthread_equal(gate->owner, pthread_self())); /* a passer would wait for itself */
    if (gate->closed++ > 0)
        return;
    lock_take(&gate->door);
    atomic_store_explicit(&gate->closing, true, memory_order_relaxed);
    for (size_t i = 0; i < gate->count; i++)
        lock_take(&gate->ways[i].lock);
}

void gate_open(struct gate *gate)
{
    ASSERT(gate->closed > 0);
    if (--gate->closed > 0)
        return;
    atomic_store_explicit(&gate->closing, false, memory_order_relaxed);
    for (size_t i = 0; i < gate->count; i++)
        lock_give(&gate->ways[i].lock);
    lock_give(&gate->door);
}

bool gate_is_closed(const struct gate *gate)
{
    return gate->closed > 0;
}
