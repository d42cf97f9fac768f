/* SPDX-License-Identifier: ISC */
/* test_errand.c - what is done aside, by a thread or at once, is told on the loop. */
#include <pthread.h>
#include <unistd.h>

#include "io/errand.h"
#include "os/clock.h"
#include "tests/support/check.h"

enum { ERRANDS = 8 };

static struct {
    struct errand errands[ERRANDS];
    pthread_t ran_by[ERRANDS];
    pthread_t loop_thread;
    unsigned run, told;
    bool sending; /* errands_send() is under way */
    usec takes;
    struct loop *loop;
} w;

static size_t number_of(const struct errand *errand)
{
    return (size_t)(errand - w.errands);
}

static void run(struct errand *errand)
{
    if (w.takes > 0)
        usleep((useconds_t)w.takes);
    assert_int_equal(number_of(errand), w.run); /* one after the other */
    w.ran_by[w.run++] = pthread_self();
}

static void done(struct errand *errand)
{
    assert_false(w.sending);
    assert_true(pthread_equal(pthread_self(), w.loop_thread));
    assert_int_equal(number_of(errand), w.told);
    assert_true(w.run > w.told);
    if (++w.told == ERRANDS)
        loop_stop(w.loop);
}

static struct errands *begin(struct loop *loop, usec takes)
{
    struct errands *all;
    memset(&w, 0, sizeof w);
    w.loop_thread = pthread_self();
    w.takes = takes;
    w.loop = loop;
    assert_int_equal(errands_new(loop, ERRANDS, &all), 0);
    return all;
}

static void send_all(struct errands *all)
{
    w.sending = true;
    for (size_t i = 0; i < ERRANDS; i++)
        assert_true(errands_send(all, &w.errands[i], run, done));
    struct errand one_more;
    assert_false(errands_send(all, &one_more, run, done));
    w.sending = false;
}

static void the_loop_goes_on_meanwhile(void **state UNUSED)
{
    struct loop *loop = loop_new();
    struct errands *all = begin(loop, 20 * USEC_PER_MSEC);
    usec start = clock_monotonic();
    send_all(all);
    assert_true(clock_monotonic() - start < 100 * USEC_PER_MSEC);
    assert_int_equal(loop_run_until(loop, start + 10 * USEC_PER_SEC), 0);
    assert_int_equal(w.told, ERRANDS);
    for (size_t i = 0; i < ERRANDS; i++)
        assert_false(pthread_equal(w.ran_by[i], w.loop_thread));
    w.run = w.told = 0;
    w.takes = 0;
    send_all(all); /* there is room again */
    assert_int_equal(loop_run_until(loop, clock_monotonic() + 10 * USEC_PER_SEC), 0);
    assert_int_equal(w.told, ERRANDS);
    errands_free(all);
    loop_free(loop);
}

static void who_frees_waits_for_all(void **state UNUSED)
{
    struct loop *loop = loop_new();
    struct errands *all = begin(loop, 5 * USEC_PER_MSEC);
    send_all(all);
    errands_free(all);
    assert_int_equal(w.told, ERRANDS);
    all = begin(loop, 0);
    errands_free(all); /* nothing was sent: there was no thread */
    errands_free(NULL);
    loop_free(loop);
}

static void in_virtual_time_there_is_no_thread(void **state UNUSED)
{
    struct loop *loop = loop_new_virtual(0, 1);
    struct errands *all = begin(loop, 0);
    send_all(all);
    assert_int_equal(w.run, ERRANDS);
    assert_int_equal(w.told, 0);
    assert_int_equal(loop_run(loop), 0);
    assert_int_equal(w.told, ERRANDS);
    assert_true(pthread_equal(w.ran_by[0], w.loop_thread));
    w.run = w.told = 0;
    send_all(all);
    errands_free(all);
    assert_int_equal(w.told, ERRANDS);
    loop_free(loop);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loop_goes_on_meanwhile),
        cmocka_unit_test(who_frees_waits_for_all),
        cmocka_unit_test(in_virtual_time_there_is_no_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
