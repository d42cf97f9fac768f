/* SPDX-License-Identifier: ISC */
/* test_mailbox.c - letters from other threads. */
#include "io/mailbox.h"

#include <errno.h>
#include <stdlib.h>

#include "os/thread.h"
#include "tests/support/check.h"

enum { ROOM = 8, MANY = 20000 };

struct addressee {
    struct loop *loop;
    struct mailbox *mailbox;
    unsigned opened, dropped, out_of_order;
    unsigned next;
    unsigned wanted; /* then it stops */
};

struct test_letter {
    struct letter letter;
    struct addressee *addressee;
    unsigned number;
};

static void open_it(struct letter *letter)
{
    struct test_letter *l = CONTAINER_OF(letter, struct test_letter, letter);
    struct addressee *r = l->addressee;
    r->opened++;
    r->out_of_order += l->number != r->next;
    r->next = l->number + 1;
    if (r->opened == r->wanted)
        loop_stop(r->loop);
    free(l);
}

static void drop_it(struct letter *letter)
{
    struct test_letter *l = CONTAINER_OF(letter, struct test_letter, letter);
    l->addressee->dropped++;
    free(l);
}

static struct test_letter *letter_of(struct addressee *addressee, unsigned number)
{
    struct test_letter *l = calloc(1, sizeof *l);
    assert_non_null(l);
    *l = (struct test_letter){{.open = open_it, .drop = drop_it}, addressee, number};
    return l;
}

static void open_addressee(struct addressee *addressee)
{
    *addressee = (struct addressee){.loop = loop_new()};
    assert_non_null(addressee->loop);
    assert_int_equal(mailbox_new(addressee->loop, ROOM, &addressee->mailbox), 0);
}

static void a_full_one_takes_no_more_and_what_is_left_is_dropped(void **state UNUSED)
{
    struct addressee addressee;
    open_addressee(&addressee);
    for (unsigned i = 0; i < ROOM; i++)
        assert_true(mailbox_post(addressee.mailbox, &letter_of(&addressee, i)->letter));
    struct test_letter *late = letter_of(&addressee, ROOM);
    assert_false(mailbox_post(addressee.mailbox, &late->letter));
    addressee.wanted = ROOM;
    assert_int_equal(loop_run(addressee.loop), 0);
    assert_int_equal(addressee.opened, ROOM);
    assert_int_equal(addressee.out_of_order, 0);
    assert_true(mailbox_post(addressee.mailbox, &late->letter)); /* there is room again */
    mailbox_free(addressee.mailbox);
    assert_int_equal(addressee.dropped, 1);
    loop_free(addressee.loop);
    mailbox_free(NULL);
}

static void send_many(void *self)
{
    struct addressee *addressee = self;
    for (unsigned i = 0; i < MANY; i++) {
        struct test_letter *l = letter_of(addressee, i);
        while (!mailbox_post(addressee->mailbox, &l->letter))
            ; /* it is read meanwhile */
    }
}

static void letters_of_another_thread_come_all_and_in_order(void **state UNUSED)
{
    struct addressee addressee;
    struct thread thread;
    open_addressee(&addressee);
    addressee.wanted = MANY;
    assert_int_equal(thread_start(&thread, "sender", send_many, &addressee), 0);
    assert_int_equal(loop_run(addressee.loop), 0);
    thread_join(&thread);
    assert_int_equal(addressee.opened, MANY);
    assert_int_equal(addressee.out_of_order, 0);
    mailbox_free(addressee.mailbox);
    loop_free(addressee.loop);
}

/* ---- calls ---- */

struct called {
    struct addressee *addressee;
    pthread_t where;
    bool last;
};

static int call_it(void *self)
{
    struct called *called = self;
    called->where = pthread_self();
    if (called->last)
        loop_stop(called->addressee->loop);
    return 42;
}

static void run_loop(void *self)
{
    struct addressee *addressee = self;
    int status = loop_run(addressee->loop);
    assert_int_equal(status, 0);
}

static void a_call_is_made_there_and_waited_for(void **state UNUSED)
{
    struct addressee addressee;
    struct thread thread;
    open_addressee(&addressee);
    assert_int_equal(thread_start(&thread, "addressee", run_loop, &addressee), 0);
    for (unsigned i = 0; i < 500; i++) {
        struct called called = {.addressee = &addressee, .last = i == 499};
        assert_int_equal(mailbox_call(addressee.mailbox, call_it, &called), 42);
        assert_true(pthread_equal(called.where, thread.id));
    }
    thread_join(&thread);
    mailbox_free(addressee.mailbox);
    loop_free(addressee.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_one_takes_no_more_and_what_is_left_is_dropped),
        cmocka_unit_test(letters_of_another_thread_come_all_and_in_order),
        cmocka_unit_test(a_call_is_made_there_and_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
