/* SPDX-License-Identifier: ISC */
/*
 * program.h - programs on the loop: their standard input is written to, what they write is read, and their
 * end is told.
 *
 * Each runs in a session of its own, so that what it starts ends with it. Callbacks come from the loop only;
 * after program_kill() there are none.
 */
#ifndef WN_IO_PROGRAM_H
#define WN_IO_PROGRAM_H

#include "base/bytes.h"
#include "io/loop.h"

struct program;

/* All that are under way. */
struct programs {
    struct loop *loop;
    struct list_node list;
    unsigned count; /* those that were killed and have not ended are among them */
    void (*on_gone)(struct programs *programs); /* there is one less; NULL: nobody asks */
};

void programs_init(struct programs *programs, struct loop *loop);
/* Ends them all at once, without a callback. */
void programs_done(struct programs *programs);

struct program_handler {
    /* Octets of its standard output. Returns how many were used; the rest is offered again after
     * program_resume(), and no more is read before. */
    size_t (*on_output)(void *self, struct bytes data);
    /* Of its standard error. */
    void (*on_complaint)(void *self, struct bytes data);
    /* There is room again after program_write() took less than it was given. */
    void (*on_room)(void *self);
    /* It has ended, and what it wrote has been told: the last call. `exit_code` as in a shell: 128 and the
     * number of the signal that ended it. The pointer is dead. */
    void (*on_ended)(void *self, int exit_code);
};

enum { PROGRAM_LIMITS_MAX = 4 };

struct program_options {
    const char *const *argv;        /* argv[0] is looked up in PATH; ends with NULL */
    const char *const *environment; /* "NAME=value"; ends with NULL */
    const char *folder;             /* where it runs; NULL: here */
    struct {
        int resource;               /* RLIMIT_CPU and others of setrlimit(2) */
        uint64_t max;
    } limits[PROGRAM_LIMITS_MAX];
    size_t limit_count;
};

/* 0 or a negative errno, as when it cannot be executed (-ENOENT, -EACCES, -ENOEXEC). */
MUST_USE int program_start(struct programs *programs, const struct program_options *options,
                           const struct program_handler *handler, void *self,
                           struct program **out);

/* Gives it octets to read; how many there was room for. Those of which it has closed the end are taken and
 * thrown away. */
size_t program_write(struct program *program, struct bytes data);
void program_write_end(struct program *program);

/* Offers again, from the loop, what was not used. */
void program_resume(struct program *program);

/* SIGTERM to it and all of its session, SIGKILL after PROGRAM_GRACE; the pointer is dead. */
void program_kill(struct program *program);
#define PROGRAM_GRACE (2 * USEC_PER_SEC)

#endif
