/* SPDX-License-Identifier: ISC */
/*
 * control.h - how a running wholenet is asked: an abstract Unix socket (unix(7)), which has a name
 * but no file, so that nothing can be left behind; answered for our own user and root alone.
 *
 * A client sends one line, a question, and is sent the answer until the end of the stream.
 */
#ifndef WN_SITE_CONTROL_H
#define WN_SITE_CONTROL_H

#include "io/loop.h"

struct control;

enum {
    CONTROL_NAME_MAX = 64,       /* with a NUL */
    CONTROL_FOUND_MAX = 64,
    CONTROL_QUESTION_MAX = 1200,   /* a name as text may have a thousand octets */
    CONTROL_ANSWER_MAX = 64 * 1024 * 1024,
};

/* `name` NULL: our process id. `answer` returns what is to be answered, which is free()d, with its
 * length, at most CONTROL_ANSWER_MAX; NULL: no memory. 0 or a negative errno; -EADDRINUSE: another
 * has that name. */
MUST_USE int control_new(struct loop *loop, const char *name,
                         char *(*answer)(void *self, const char *question, size_t *len), void *self,
                         struct control **out);
void control_free(struct control *control); /* NULL is nothing */

/* The client's side; both sleep. */

/* Names of running ones of user `uid`. Returns how many, or a negative errno. */
MUST_USE int control_find(unsigned uid, char names[][CONTROL_NAME_MAX], size_t max);

/* Asks; *out is a string that the caller must free(). 0 or a negative errno (-ECONNREFUSED: there
 * is none of that name). */
MUST_USE int control_ask(unsigned uid, const char *name, const char *question, char **out);

#endif
