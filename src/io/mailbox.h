/* SPDX-License-Identifier: ISC */
/*
 * mailbox.h - messages from other threads to what lives on a loop.
 *
 * A letter is a part of what its sender has allocated; from mailbox_post() on it is the mailbox's, and
 * then that of who opens it. It is opened on the loop, in the order in which letters came. One that
 * comes no more, because the mailbox is freed, is dropped by its own function.
 */
#ifndef WN_IO_MAILBOX_H
#define WN_IO_MAILBOX_H

#include "base/list.h"
#include "io/loop.h"

struct mailbox;

struct letter {
    struct list_node node;
    void (*open)(struct letter *letter); /* on the loop of the mailbox */
    void (*drop)(struct letter *letter); /* wherever the mailbox is freed */
};

/* It holds at most so many letters. 0 or a negative errno. */
MUST_USE int mailbox_new(struct loop *loop, size_t letters_max, struct mailbox **out);

/* Once the loop does not run any more, or on it. NULL is nothing. */
void mailbox_free(struct mailbox *mailbox);

/* Of any thread. False: it is full, and the letter stays the sender's. */
MUST_USE bool mailbox_post(struct mailbox *mailbox, struct letter *letter);

/* Runs `call` on the loop of the mailbox, and waits for it: of another thread, which nothing on that loop
 * waits for. There is always room for this. Returns its result. */
int mailbox_call(struct mailbox *mailbox, int (*call)(void *self), void *self);

#endif
