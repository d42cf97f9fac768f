/* SPDX-License-Identifier: ISC */
/* errand.c - a list, a thread that empties it, and a mailbox for what is done. */
#include "io/errand.h"

#include <errno.h>
#include <stdlib.h>

#include "os/thread.h"

struct errands {
    struct loop *loop;
    struct mailbox *mailbox;  /* NULL: the loop is virtual */
    struct thread thread;
    size_t count;             /* sent and not told */
    size_t count_max;
    struct lock lock;         /* of what follows */
    pthread_cond_t changed;
    struct list_node waiting; /* to be run; in a virtual loop, to be told */
    bool over;
};

static void tell(struct errand *errand)
{
    errand->all->count--;
    errand->done(errand);
}

static void on_letter(struct letter *letter)
{
    tell(CONTAINER_OF(letter, struct errand, letter));
}

static void on_task(struct task *task)
{
    struct errand *errand = CONTAINER_OF(task, struct errand, task);
    list_remove(&errand->node);
    tell(errand);
}

/* ---- the thread ---- */

/* NULL: there are no more, and none will come. */
static struct errand *take(struct errands *all)
{
    struct list_node *node;
    lock_take(&all->lock);
    while ((node = list_first(&all->waiting)) == NULL && !all->over)
        (void)pthread_cond_wait(&all->changed, &all->lock.mutex);
    if (node != NULL)
        list_remove(node);
    lock_give(&all->lock);
    return node != NULL ? CONTAINER_OF(node, struct errand, node) : NULL;
}

static void run_all(void *self)
{
    struct errands *all = self;
    struct errand *errand;
    while ((errand = take(all)) != NULL) {
        errand->run(errand);
        bool posted = mailbox_post(all->mailbox, &errand->letter);
        ASSERT(posted); /* it has room for all that may be under way */
    }
}

static void put(struct errands *all, struct errand *errand)
{
    lock_take(&all->lock);
    list_append(&all->waiting, &errand->node);
    (void)pthread_cond_signal(&all->changed);
    lock_give(&all->lock);
}

/* ---- the loop ---- */

int errands_new(struct loop *loop, size_t errands_max, struct errands **out)
{
    struct errands *all = calloc(1, sizeof *all);
    if (all == NULL)
        return -ENOMEM;
    int status = loop_is_virtual(loop) ? 0 : mailbox_new(loop, errands_max, &all->mailbox);
    if (status < 0) {
        free(all);
        return status;
    }
    all->loop = loop;
    all->count_max = errands_max;
    lock_init(&all->lock);
    status = pthread_cond_init(&all->changed, NULL);
    ASSERT(status == 0);
    list_init(&all->waiting);
    *out = all;
    return 0;
}

void errands_free(struct errands *all)
{
    struct list_node *node;
    if (all == NULL)
        return;
    lock_take(&all->lock);
    all->over = true;
    (void)pthread_cond_signal(&all->changed);
    lock_give(&all->lock);
    thread_join(&all->thread);
    while ((node = list_first(&all->waiting)) != NULL) {
        struct errand *errand = CONTAINER_OF(node, struct errand, node);
        loop_unqueue(&errand->task);
        on_task(&errand->task);
    }
    mailbox_free(all->mailbox);
    ASSERT(all->count == 0);
    (void)pthread_cond_destroy(&all->changed);
    lock_done(&all->lock);
    free(all);
}

bool errands_send(struct errands *all, struct errand *errand, void (*run)(struct errand *errand),
                  void (*done)(struct errand *errand))
{
    if (all->count == all->count_max)
        return false;
    if (all->mailbox != NULL && !all->thread.started &&
        thread_start(&all->thread, "errands", run_all, all) < 0)
        return false;
    *errand = (struct errand){.all = all, .letter = {.open = on_letter, .drop = on_letter},
                              .run = run, .done = done};
    list_init(&errand->node);
    all->count++;
    if (all->mailbox != NULL) {
        put(all, errand);
        return true;
    }
    task_init(&errand->task, on_task);
    run(errand);
    list_append(&all->waiting, &errand->node);
    loop_queue(all->loop, &errand->task);
    return true;
}
