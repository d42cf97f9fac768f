/* SPDX-License-Identifier: ISC */
/*
 * program.c - three pipes and a pidfd for each program.
 *
 * It is over when it has ended and nothing is left in the pipe of its output. One that leaves others behind,
 * who still hold that pipe, is over none the less.
 */
#include "io/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/file.h"
#include "os/process.h"

enum { READ_SIZE = 16 * 1024 };

struct program {
    struct programs *programs;
    struct list_node node;
    const struct program_handler *handler;
    void *self;
    struct process process;
    struct watch ended;   /* the process */
    struct watch input;   /* ours of its standard input; fd -1: closed */
    struct watch output;
    struct watch errors;
    struct alarm alarm;   /* SIGKILL follows SIGTERM */
    struct task task;     /* offers again */
    size_t pending_len;   /* of its output, not used yet */
    bool exited;
    bool killed;          /* nobody is told any more */
    uint8_t pending[READ_SIZE];
};

void programs_init(struct programs *programs, struct loop *loop)
{
    programs->loop = loop;
    programs->count = 0;
    programs->on_gone = NULL;
    list_init(&programs->list);
}

/* ---- the end ---- */

static void close_watch(struct watch *watch)
{
    loop_unwatch(watch);
    file_close(&watch->fd);
}

static void free_program(struct program *p)
{
    close_watch(&p->input);
    close_watch(&p->output);
    close_watch(&p->errors);
    loop_unwatch(&p->ended);
    loop_clear_alarm(p->programs->loop, &p->alarm);
    loop_unqueue(&p->task);
    process_done(&p->process);
    list_remove(&p->node);
    p->programs->count--;
    struct programs *programs = p->programs;
    free(p);
    if (programs->on_gone != NULL)
        programs->on_gone(programs);
}

static void signal_all(const struct program *p, int number)
{
    if (p->process.pid > 1) /* its session, of which it is the leader; not reaped, so the number is its */
        (void)kill(-p->process.pid, number);
}

static void on_grace_over(struct alarm *alarm)
{
    signal_all(CONTAINER_OF(alarm, struct program, alarm), SIGKILL);
}

/* It has ended, and what it has written is told. */
static void conclude(struct program *p)
{
    int exit_code = 0;
    if (process_reap(&p->process, &exit_code) < 0)
        exit_code = 255;
    const struct program_handler *handler = p->killed ? NULL : p->handler;
    void *self = p->self;
    free_program(p);
    if (handler != NULL)
        handler->on_ended(self, exit_code);
}

void programs_done(struct programs *programs)
{
    struct list_node *node;
    programs->on_gone = NULL;
    while ((node = list_first(&programs->list)) != NULL) {
        struct program *p = CONTAINER_OF(node, struct program, node);
        int exit_code;
        signal_all(p, SIGKILL);
        (void)process_signal(&p->process, SIGKILL);
        (void)!process_wait(&p->process, &exit_code);
        free_program(p);
    }
}

void program_kill(struct program *p)
{
    struct loop *loop = p->programs->loop;
    p->killed = true;
    close_watch(&p->input);
    close_watch(&p->output);
    close_watch(&p->errors);
    loop_unqueue(&p->task);
    signal_all(p, SIGTERM);
    if (p->exited)
        loop_queue(loop, &p->task); /* a callback of its may be under way */
    else
        loop_set_alarm(loop, &p->alarm, loop_now(loop) + PROGRAM_GRACE);
}

/* ---- what it writes ---- */

/* True: all was used, and somebody is still there for more. */
static bool offer(struct program *p, struct bytes data)
{
    size_t used = p->handler->on_output(p->self, data);
    if (p->killed)
        return false;
    p->pending_len = data.len - used;
    memmove(p->pending, data.data + used, p->pending_len);
    if (p->pending_len > 0 && p->output.loop != NULL)
        loop_want(&p->output, 0);
    return p->pending_len == 0;
}

/* One read. False: there is nothing now, or ever. */
static bool receive(struct program *p)
{
    uint8_t buffer[READ_SIZE];
    ssize_t got = read(p->output.fd, buffer, sizeof buffer);
    if (got > 0)
        return offer(p, bytes_of(buffer, (size_t)got));
    if (got < 0 && errno == EINTR)
        return true;
    if (got == 0 || errno != EAGAIN)
        close_watch(&p->output);
    return false;
}

/* What it has written last, when it has ended. */
static void drain(struct program *p)
{
    while (p->pending_len == 0 && p->output.fd >= 0 && receive(p))
        continue;
    if (!p->killed && p->pending_len == 0)
        conclude(p);
}

static void on_output_ready(struct watch *watch, unsigned ready UNUSED)
{
    struct program *p = CONTAINER_OF(watch, struct program, output);
    if (p->pending_len > 0) { /* only a hang-up is told now, which can wait */
        loop_unwatch(watch);
        return;
    }
    (void)receive(p);
}

static void on_errors_ready(struct watch *watch, unsigned ready UNUSED)
{
    struct program *p = CONTAINER_OF(watch, struct program, errors);
    uint8_t buffer[4096];
    ssize_t got = read(watch->fd, buffer, sizeof buffer);
    if (got > 0)
        p->handler->on_complaint(p->self, bytes_of(buffer, (size_t)got));
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        close_watch(watch);
}

/* Reads on where it was stopped. A hang-up, which would be told for ever, may have ended the watch. */
static void read_on(struct program *p)
{
    if (p->output.loop != NULL)
        loop_want(&p->output, LOOP_READ);
    else if (p->output.fd >= 0 && loop_watch(p->programs->loop, &p->output, p->output.fd, LOOP_READ,
                                             on_output_ready) < 0)
        signal_all(p, SIGKILL);
}

static void on_task(struct task *task)
{
    struct program *p = CONTAINER_OF(task, struct program, task);
    if (p->killed) {
        conclude(p);
        return;
    }
    if (p->pending_len > 0 && !offer(p, bytes_of(p->pending, p->pending_len)))
        return;
    if (p->exited)
        drain(p);
    else
        read_on(p);
}

void program_resume(struct program *p)
{
    if (!p->killed)
        loop_queue(p->programs->loop, &p->task);
}

static void on_process_ended(struct watch *watch, unsigned ready UNUSED)
{
    struct program *p = CONTAINER_OF(watch, struct program, ended);
    p->exited = true;
    loop_unwatch(watch);
    if (p->killed) {
        signal_all(p, SIGKILL); /* those whom it has left behind */
        conclude(p);
        return;
    }
    while (p->errors.fd >= 0) { /* its last words */
        uint8_t buffer[4096];
        ssize_t got = read(p->errors.fd, buffer, sizeof buffer);
        if (got <= 0)
            break;
        p->handler->on_complaint(p->self, bytes_of(buffer, (size_t)got));
    }
    drain(p);
}

/* ---- what it reads ---- */

static void on_input_ready(struct watch *watch, unsigned ready)
{
    struct program *p = CONTAINER_OF(watch, struct program, input);
    loop_want(watch, 0);
    if (ready & LOOP_ERROR) /* it does not read any more */
        close_watch(watch);
    p->handler->on_room(p->self);
}

size_t program_write(struct program *p, struct bytes data)
{
    size_t total = 0;
    while (total < data.len && p->input.fd >= 0) {
        ssize_t put = write(p->input.fd, data.data + total, data.len - total);
        if (put > 0) {
            total += (size_t)put;
        } else if (put < 0 && errno == EAGAIN) {
            loop_want(&p->input, LOOP_WRITE);
            return total;
        } else if (put < 0 && errno != EINTR) {
            close_watch(&p->input);
        }
    }
    return data.len;
}

void program_write_end(struct program *p)
{
    close_watch(&p->input);
}

/* ---- the beginning ---- */

/* In the child, after fork: nothing that takes a lock. */
static int prepare_child(void *self)
{
    const struct program_options *options = self;
    for (size_t i = 0; i < options->limit_count; i++) {
        struct rlimit limit;
        rlim_t max = (rlim_t)options->limits[i].max;
        if (getrlimit((__rlimit_resource_t)options->limits[i].resource, &limit) < 0)
            return -errno;
        if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > max)
            limit.rlim_max = max;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit((__rlimit_resource_t)options->limits[i].resource, &limit) < 0)
            return -errno;
    }
    return options->folder != NULL && chdir(options->folder) < 0 ? -errno : 0;
}

struct pipes {
    int ours[3];
    int theirs[3];
};

static void close_pipes(struct pipes *pipes)
{
    for (int i = 0; i < 3; i++) {
        file_close(&pipes->ours[i]);
        file_close(&pipes->theirs[i]);
    }
}

static int open_pipes(struct pipes *pipes)
{
    *pipes = (struct pipes){{-1, -1, -1}, {-1, -1, -1}};
    for (int i = 0; i < 3; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
            return -errno;
        pipes->theirs[i] = ends[i == 0 ? 0 : 1];
        pipes->ours[i] = ends[i == 0 ? 1 : 0];
        int status = file_set_nonblocking(pipes->ours[i]);
        if (status < 0)
            return status;
    }
    return 0;
}

static int watch_all(struct program *p, struct pipes *pipes)
{
    struct loop *loop = p->programs->loop;
    int status = loop_watch(loop, &p->input, pipes->ours[0], 0, on_input_ready);
    if (status == 0)
        status = loop_watch(loop, &p->output, pipes->ours[1], LOOP_READ, on_output_ready);
    if (status == 0)
        status = loop_watch(loop, &p->errors, pipes->ours[2], LOOP_READ, on_errors_ready);
    if (status == 0)
        status = loop_watch(loop, &p->ended, p->process.pidfd, LOOP_READ, on_process_ended);
    return status;
}

static int start(struct program *p, const struct program_options *options, struct pipes *pipes)
{
    const struct process_options child = {
        .argv = options->argv,
        .environment = options->environment,
        .standard = {pipes->theirs[0], pipes->theirs[1], pipes->theirs[2]},
        .own_session = true,
        .dies_with_us = true,
        .before = prepare_child,
        .self = (void *)(uintptr_t)options,
    };
    int status = process_start(&child, &p->process);
    if (status < 0)
        return status;
    status = watch_all(p, pipes);
    if (status == 0)
        return 0;
    int exit_code;
    loop_unwatch(&p->input);
    loop_unwatch(&p->output);
    loop_unwatch(&p->errors);
    signal_all(p, SIGKILL);
    (void)!process_wait(&p->process, &exit_code);
    process_done(&p->process);
    return status;
}

int program_start(struct programs *programs, const struct program_options *options,
                  const struct program_handler *handler, void *self, struct program **out)
{
    struct pipes pipes;
    struct program *p = calloc(1, sizeof *p);
    if (p == NULL)
        return -ENOMEM;
    p->programs = programs;
    p->handler = handler;
    p->self = self;
    p->process.pidfd = -1;
    list_init(&p->node);
    alarm_init(&p->alarm, on_grace_over);
    task_init(&p->task, on_task);
    int status = open_pipes(&pipes);
    if (status == 0)
        status = start(p, options, &pipes);
    if (status < 0) {
        close_pipes(&pipes);
        free(p);
        return status;
    }
    for (int i = 0; i < 3; i++)
        file_close(&pipes.theirs[i]);
    list_append(&programs->list, &p->node);
    programs->count++;
    *out = p;
    return 0;
}
