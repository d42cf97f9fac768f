/* SPDX-License-Identifier: ISC */
/* mailbox.c - a list behind a lock, and an eventfd(2) that wakes the loop for the first letter of many. */
#include "io/mailbox.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "os/thread.h"

struct mailbox {
    struct watch watch;
    struct lock lock;       /* of what follows */
    struct list_node letters;
    size_t count;
    size_t count_max;
};

/* All that are there, and no more: those that come meanwhile are for the next turn. */
static void take_all(struct mailbox *mailbox, struct list_node *out)
{
    list_init(out);
    lock_take(&mailbox->lock);
    if (!list_empty(&mailbox->letters)) {
        list_insert_after(&mailbox->letters, out);
        list_remove(&mailbox->letters);
    }
    mailbox->count = 0;
    lock_give(&mailbox->lock);
}

static void on_letters(struct watch *watch, unsigned ready UNUSED)
{
    struct mailbox *mailbox = CONTAINER_OF(watch, struct mailbox, watch);
    uint64_t count;
    struct list_node letters, *node;
    if (read(watch->fd, &count, sizeof count) != (ssize_t)sizeof count)
        return;
    take_all(mailbox, &letters);
    while ((node = list_first(&letters)) != NULL) {
        struct letter *letter = CONTAINER_OF(node, struct letter, node);
        list_remove(node);
        letter->open(letter); /* which frees it */
    }
}

int mailbox_new(struct loop *loop, size_t letters_max, struct mailbox **out)
{
    struct mailbox *mailbox = calloc(1, sizeof *mailbox);
    if (mailbox == NULL)
        return -ENOMEM;
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int status = fd < 0 ? -errno : loop_watch(loop, &mailbox->watch, fd, LOOP_READ, on_letters);
    if (status < 0) {
        if (fd >= 0)
            (void)close(fd);
        free(mailbox);
        return status;
    }
    lock_init(&mailbox->lock);
    list_init(&mailbox->letters);
    mailbox->count_max = letters_max;
    *out = mailbox;
    return 0;
}

void mailbox_free(struct mailbox *mailbox)
{
    struct list_node letters, *node;
    if (mailbox == NULL)
        return;
    take_all(mailbox, &letters);
    while ((node = list_first(&letters)) != NULL) {
        struct letter *letter = CONTAINER_OF(node, struct letter, node);
        list_remove(node);
        letter->drop(letter);
    }
    int fd = mailbox->watch.fd;
    loop_unwatch(&mailbox->watch);
    (void)close(fd);
    lock_done(&mailbox->lock);
    free(mailbox);
}

static bool post(struct mailbox *mailbox, struct letter *letter, size_t count_max)
{
    lock_take(&mailbox->lock);
    bool room = mailbox->count < count_max;
    bool first = mailbox->count == 0;
    if (room) {
        list_init(&letter->node);
        list_append(&mailbox->letters, &letter->node);
        mailbox->count++;
    }
    lock_give(&mailbox->lock);
    if (room && first) {
        ssize_t written = write(mailbox->watch.fd, &(uint64_t){1}, sizeof(uint64_t));
        ASSERT(written == (ssize_t)sizeof(uint64_t)); /* the counter is at most a few */
    }
    return room;
}

bool mailbox_post(struct mailbox *mailbox, struct letter *letter)
{
    return post(mailbox, letter, mailbox->count_max);
}

/* ---- calls ---- */

struct call {
    struct letter letter;
    int (*run)(void *self);
    void *self;
    int result;
    struct lock lock;       /* held by neither in between */
    pthread_cond_t changed;
    bool done;
};

static void end_call(struct call *call, int result)
{
    lock_take(&call->lock);
    call->result = result;
    call->done = true;
    (void)pthread_cond_signal(&call->changed); /* within the lock: the caller frees both */
    lock_give(&call->lock);
}

static void open_call(struct letter *letter)
{
    struct call *call = CONTAINER_OF(letter, struct call, letter);
    end_call(call, call->run(call->self));
}

static void drop_call(struct letter *letter)
{
    end_call(CONTAINER_OF(letter, struct call, letter), -ECANCELED);
}

int mailbox_call(struct mailbox *mailbox, int (*run)(void *self), void *self)
{
    struct call call = {.letter = {.open = open_call, .drop = drop_call}, .run = run, .self = self};
    lock_init(&call.lock);
    int status = pthread_cond_init(&call.changed, NULL);
    ASSERT(status == 0);
    bool posted = post(mailbox, &call.letter, SIZE_MAX);
    ASSERT(posted);
    lock_take(&call.lock);
    while (!call.done)
        (void)pthread_cond_wait(&call.changed, &call.lock.mutex);
    lock_give(&call.lock);
    (void)pthread_cond_destroy(&call.changed);
    lock_done(&call.lock);
    return call.result;
}
