/* SPDX-License-Identifier: ISC */
/* workers.c - loops, their threads, and what is done before and after each turn. */
#include "io/workers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "os/thread.h"

struct worker {
    struct workers *all;
    size_t number;
    struct loop *loop;
    struct mailbox *mailbox;
    struct thread thread;
};

struct workers {
    struct grace grace;
    struct gate *gate; /* for those but 0 */
    size_t count;
    struct worker workers[WORKERS_MAX];
};

/* ---- turns ---- */

static void begin_turn(void *self)
{
    struct worker *worker = self;
    if (worker->number > 0)
        gate_enter(worker->all->gate, worker->number - 1);
    grace_enter(&worker->all->grace, (uint32_t)worker->number);
}

static void end_turn(void *self)
{
    struct worker *worker = self;
    grace_leave(&worker->all->grace, (uint32_t)worker->number);
    if (worker->number > 0)
        gate_leave(worker->all->gate, worker->number - 1);
}

static void run(void *self)
{
    struct worker *worker = self;
    int status = loop_run(worker->loop);
    ASSERT(status == 0); /* epoll does not fail on descriptors that are our own */
}

/* ---- life ---- */

static int start(struct workers *workers, size_t number, struct loop *loop)
{
    struct worker *worker = &workers->workers[number];
    char name[THREAD_NAME_MAX];
    *worker = (struct worker){.all = workers, .number = number};
    worker->loop = number == 0 ? loop : loop_new();
    if (worker->loop == NULL)
        return -errno;
    int status = mailbox_new(worker->loop, WORKERS_LETTERS_MAX, &worker->mailbox);
    if (status < 0)
        return status;
    loop_set_turns(worker->loop, &(struct loop_turns){begin_turn, end_turn, worker});
    if (number == 0)
        return 0;
    snprintf(name, sizeof name, "worker %u", (unsigned)number);
    return thread_start(&worker->thread, name, run, worker);
}

int workers_new(struct loop *loop, size_t count, struct workers **out)
{
    ASSERT(count > 0 && count <= WORKERS_MAX);
    struct workers *workers = aligned_alloc(GRACE_LINE, (sizeof *workers + GRACE_LINE - 1) /
                                                            GRACE_LINE * GRACE_LINE);
    if (workers == NULL)
        return -ENOMEM;
    *workers = (struct workers){.gate = gate_new(count - 1)};
    grace_init(&workers->grace, (uint32_t)count);
    int status = workers->gate != NULL ? 0 : -ENOMEM;
    while (status == 0 && workers->count < count) {
        workers->count++;
        status = start(workers, workers->count - 1, loop);
    }
    if (status < 0) {
        workers_free(workers);
        return status;
    }
    *out = workers;
    return 0;
}

static int stop_loop(void *self)
{
    loop_stop(self);
    return 0;
}

static void stop(struct worker *worker)
{
    if (worker->thread.started) {
        (void)mailbox_call(worker->mailbox, stop_loop, worker->loop);
        thread_join(&worker->thread);
    }
    mailbox_free(worker->mailbox);
    if (worker->number > 0)
        loop_free(worker->loop);
    else
        loop_set_turns(worker->loop, NULL);
}

void workers_free(struct workers *workers)
{
    if (workers == NULL)
        return;
    while (workers->count > 0)
        stop(&workers->workers[--workers->count]);
    gate_free(workers->gate);
    free(workers);
}

size_t workers_count(const struct workers *workers)
{
    return workers->count;
}

struct loop *workers_loop(const struct workers *workers, size_t worker)
{
    ASSERT(worker < workers->count);
    return workers->workers[worker].loop;
}

struct mailbox *workers_mailbox(const struct workers *workers, size_t worker)
{
    ASSERT(worker < workers->count);
    return workers->workers[worker].mailbox;
}

int workers_call(struct workers *workers, size_t worker, int (*call)(void *self), void *self)
{
    ASSERT(worker > 0 && worker < workers->count && !gate_is_closed(workers->gate));
    return mailbox_call(workers->workers[worker].mailbox, call, self);
}

void workers_close(struct workers *workers)
{
    gate_close(workers->gate);
}

void workers_open(struct workers *workers)
{
    gate_open(workers->gate);
}

struct grace *workers_grace(struct workers *workers)
{
    return &workers->grace;
}
