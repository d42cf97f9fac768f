/* SPDX-License-Identifier: ISC */
/* test_thread.c - threads, and the gate that holds them up. */
#include "os/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/support/check.h"

struct seen {
    char name[THREAD_NAME_MAX];
    bool blocked;
};

static void look(void *self)
{
    struct seen *seen = self;
    sigset_t mask;
    (void)pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &mask);
    seen->blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGUSR1) == 1;
}

static void a_thread_has_its_name_and_gets_no_signals(void **state UNUSED)
{
    struct thread thread;
    struct seen seen = {0};
    sigset_t before, after;
    (void)pthread_sigmask(SIG_BLOCK, NULL, &before);
    assert_int_equal(thread_start(&thread, "a name that is too long", look, &seen), 0);
    thread_join(&thread);
    thread_join(&thread); /* of what is over */
    assert_string_equal(seen.name, "a name that is ");
    assert_true(seen.blocked);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &after);
    assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

static void there_is_a_processor(void **state UNUSED)
{
    assert_true(thread_processors() >= 1);
}

/* ---- the gate ---- */

enum { PASSERS = 3, CHANGES = 2000 };

struct world {
    struct gate *gate;
    atomic_bool ended;
    unsigned left, right; /* the same whenever nobody changes them; not atomic on purpose */
};

struct passer {
    struct world *world;
    size_t number;
    atomic_size_t passed;
    size_t torn;
};

static void pass(void *self)
{
    struct passer *passer = self;
    struct world *world = passer->world;
    while (!atomic_load(&world->ended)) {
        gate_enter(world->gate, passer->number);
        unsigned left = world->left;
        (void)sched_yield();
        passer->torn += left != world->right;
        gate_leave(world->gate, passer->number);
        atomic_fetch_add(&passer->passed, 1);
    }
}

static void nobody_inside_sees_a_change(void **state UNUSED)
{
    struct world world = {.gate = gate_new(PASSERS)};
    struct thread threads[PASSERS];
    struct passer passers[PASSERS];
    assert_non_null(world.gate);
    for (size_t i = 0; i < PASSERS; i++) {
        passers[i] = (struct passer){.world = &world, .number = i};
        assert_int_equal(thread_start(&threads[i], "passer", pass, &passers[i]), 0);
    }
    for (unsigned i = 1; i <= CHANGES; i++) {
        gate_close(world.gate);
        world.left = i;
        (void)sched_yield();
        gate_close(world.gate); /* they nest */
        assert_true(gate_is_closed(world.gate));
        gate_open(world.gate);
        world.right = i;
        gate_open(world.gate);
        assert_false(gate_is_closed(world.gate));
    }
    /* The gate is open, so all get through. */
    for (size_t i = 0; i < PASSERS; i++) {
        size_t before = atomic_load(&passers[i].passed);
        while (atomic_load(&passers[i].passed) == before)
            ;
    }
    atomic_store(&world.ended, true);
    for (size_t i = 0; i < PASSERS; i++) {
        thread_join(&threads[i]);
        assert_int_equal(passers[i].torn, 0);
    }
    gate_free(world.gate);
}

static void a_gate_for_nobody_is_a_gate(void **state UNUSED)
{
    struct gate *gate = gate_new(0);
    assert_non_null(gate);
    gate_close(gate);
    gate_open(gate);
    gate_free(gate);
    gate_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_has_its_name_and_gets_no_signals),
        cmocka_unit_test(there_is_a_processor),
        cmocka_unit_test(nobody_inside_sees_a_change),
        cmocka_unit_test(a_gate_for_nobody_is_a_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
