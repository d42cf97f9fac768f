/* SPDX-License-Identifier: ISC */
/* test_workers.c - what worker 0 changes, and the others look at. */
#include "io/workers.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "tests/support/check.h"

enum { COUNT = 3, CHANGES = 500 };

struct page {
    unsigned left, right; /* the same; plain on purpose */
};

/* Looks at the page in each of its turns. */
struct looker {
    struct loop *loop;
    struct task task;
    const struct page *page;
    uint64_t looks, torn;
};

static void look(struct task *task)
{
    struct looker *looker = CONTAINER_OF(task, struct looker, task);
    looker->looks++;
    unsigned left = looker->page->left;
    (void)sched_yield();
    looker->torn += left != looker->page->right;
    loop_queue(looker->loop, task);
}

static int begin_to_look(void *self)
{
    struct looker *looker = self;
    task_init(&looker->task, look);
    loop_queue(looker->loop, &looker->task);
    return 0;
}

static int end_to_look(void *self)
{
    struct looker *looker = self;
    loop_unqueue(&looker->task);
    return looker->looks > 0 ? 0 : -EAGAIN;
}

static void a_change_is_seen_whole(void **state UNUSED)
{
    struct workers *workers;
    struct page page = {0};
    struct looker lookers[COUNT] = {0};
    struct loop *loop = loop_new();
    assert_non_null(loop);
    assert_int_equal(workers_new(loop, COUNT, &workers), 0);
    assert_int_equal(workers_count(workers), COUNT);
    assert_ptr_equal(workers_loop(workers, 0), loop);
    for (size_t i = 1; i < COUNT; i++) {
        lookers[i] = (struct looker){.loop = workers_loop(workers, i), .page = &page};
        assert_int_equal(workers_call(workers, i, begin_to_look, &lookers[i]), 0);
    }
    for (unsigned i = 0; i < CHANGES; i++) {
        workers_close(workers);
        page.left++;
        (void)sched_yield();
        page.right++;
        workers_open(workers);
    }
    for (size_t i = 1; i < COUNT; i++) {
        while (workers_call(workers, i, end_to_look, &lookers[i]) == -EAGAIN)
            assert_int_equal(workers_call(workers, i, begin_to_look, &lookers[i]), 0);
        assert_int_equal(lookers[i].torn, 0);
    }
    workers_free(workers);
    loop_free(loop);
    workers_free(NULL);
}

/* ---- letters both ways ---- */

struct question {
    struct letter letter;
    struct workers *workers;
    struct mailbox *answer_to;
    pthread_t answered_in;
    unsigned hops;
};

static void open_question(struct letter *letter);

static void drop_question(struct letter *letter)
{
    free(CONTAINER_OF(letter, struct question, letter));
}

static void send(struct mailbox *mailbox, struct question *question)
{
    question->letter = (struct letter){.open = open_question, .drop = drop_question};
    assert_true(mailbox_post(mailbox, &question->letter));
}

static void open_question(struct letter *letter)
{
    struct question *q = CONTAINER_OF(letter, struct question, letter);
    bool here = q->hops % 2 == 0; /* at the other one */
    if (here)
        q->answered_in = pthread_self();
    if (++q->hops == 20) {
        assert_false(pthread_equal(q->answered_in, pthread_self()));
        loop_stop(workers_loop(q->workers, 0));
        free(q);
        return;
    }
    send(workers_mailbox(q->workers, here ? 0 : 1), q);
}

static void letters_go_both_ways(void **state UNUSED)
{
    struct workers *workers;
    struct loop *loop = loop_new();
    assert_non_null(loop);
    assert_int_equal(workers_new(loop, 2, &workers), 0);
    struct question *q = calloc(1, sizeof *q);
    assert_non_null(q);
    q->workers = workers;
    send(workers_mailbox(workers, 1), q);
    assert_int_equal(loop_run(loop), 0);
    workers_free(workers);
    loop_free(loop);
}

/* ---- grace ---- */

static int retire(void *self)
{
    struct workers *workers = self;
    uint64_t at = grace_retire(workers_grace(workers));
    return !grace_over(workers_grace(workers), at);
}

static void a_turn_is_a_readers(void **state UNUSED)
{
    struct workers *workers;
    struct loop *loop = loop_new();
    assert_non_null(loop);
    assert_int_equal(workers_new(loop, 2, &workers), 0);
    /* In a turn of its own what was retired just now may be in use. */
    assert_int_equal(workers_call(workers, 1, retire, workers), 1);
    workers_free(workers);
    loop_free(loop);
}

static void one_alone_needs_nobody(void **state UNUSED)
{
    struct workers *workers;
    struct loop *loop = loop_new();
    assert_non_null(loop);
    assert_int_equal(workers_new(loop, 1, &workers), 0);
    workers_close(workers);
    workers_open(workers);
    workers_free(workers);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_seen_whole),
        cmocka_unit_test(letters_go_both_ways),
        cmocka_unit_test(a_turn_is_a_readers),
        cmocka_unit_test(one_alone_needs_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
