/* SPDX-License-Identifier: ISC */
/* process.h - starts programs, and learns of their end from a descriptor that a loop can watch. */
#ifndef WN_OS_PROCESS_H
#define WN_OS_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"

struct process {
    pid_t pid;
    int pidfd; /* readable when it has ended; close-on-exec; process_done() closes it */
};

struct process_options {
    const char *const *argv;        /* argv[0] is looked up in PATH; ends with NULL */
    const char *const *environment; /* "NAME=value", ends with NULL; NULL: ours */
    int standard[3];                /* take the place of 0, 1, 2; -1: as ours */
    bool own_session;               /* setsid(2): no controlling terminal, own process group */
    bool dies_with_us;              /* SIGKILL when the thread that started it ends */
    /* Runs in the child before exec, with signals at their defaults; a negative errno ends it.
     * NULL: nothing. */
    int (*before)(void *self);
    void *self;
};

/* 0, or a negative errno, also when the program could not be executed (-ENOENT, -EACCES) or
 * `before` failed: then no process is left. */
MUST_USE int process_start(const struct process_options *options, struct process *out);

/* Sends a signal. 0 or a negative errno (-ESRCH: it has ended). */
int process_signal(const struct process *process, int number);

/* Takes the exit status of a process that has ended. -EAGAIN: it has not. 0 and *exit_code: what it
 * returned, or 128 + the number of the signal that ended it, as in a shell. */
MUST_USE int process_reap(struct process *process, int *exit_code);

/* The same; sleeps until it has ended. */
MUST_USE int process_wait(struct process *process, int *exit_code);

/* Closes the descriptor; the process goes on. */
void process_done(struct process *process);

/* From waitpid(2)'s status. */
int process_exit_code(int status);

#endif
