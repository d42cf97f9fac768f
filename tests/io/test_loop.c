/* SPDX-License-Identifier: ISC */
/* test_loop.c - turns, in real and in virtual time. */
#include "io/loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/clock.h"
#include "tests/support/check.h"

/* What happened, in order: a letter for each callback. */
struct record {
    struct loop *loop;
    char text[64];
    size_t len;
};

static void note(struct record *record, char letter)
{
    if (record->len < sizeof record->text - 1)
        record->text[record->len++] = letter;
}

struct test_alarm {
    struct alarm alarm;
    struct record *record;
    char letter;
    usec came_at;
    usec again; /* not 0: arms itself again so much later */
    bool stop;
};

static void on_alarm(struct alarm *alarm)
{
    struct test_alarm *a = CONTAINER_OF(alarm, struct test_alarm, alarm);
    a->came_at = loop_now(a->record->loop);
    note(a->record, a->letter);
    if (a->again != 0)
        loop_set_alarm(a->record->loop, alarm, loop_now(a->record->loop) + a->again);
    if (a->stop)
        loop_stop(a->record->loop);
}

struct test_task {
    struct task task;
    struct record *record;
    char letter;
    struct test_task *queues;
    struct test_task *unqueues;
    bool stop;
};

static void on_task(struct task *task)
{
    struct test_task *t = CONTAINER_OF(task, struct test_task, task);
    note(t->record, t->letter);
    if (t->queues != NULL)
        loop_queue(t->record->loop, &t->queues->task);
    if (t->unqueues != NULL)
        loop_unqueue(&t->unqueues->task);
    if (t->stop)
        loop_stop(t->record->loop);
}

static struct test_alarm new_alarm(struct record *record, char letter)
{
    struct test_alarm a = {.record = record, .letter = letter};
    return a;
}

static void virtual_time_jumps_from_alarm_to_alarm(void **state UNUSED)
{
    struct record record = {.loop = loop_new_virtual(5 * USEC_PER_SEC, 1)};
    struct test_alarm day = new_alarm(&record, 'd');
    struct test_alarm minute = new_alarm(&record, 'm');
    struct test_alarm never = new_alarm(&record, 'n');
    alarm_init(&day.alarm, on_alarm);
    alarm_init(&minute.alarm, on_alarm);
    alarm_init(&never.alarm, on_alarm);
    int64_t wall = loop_wall_seconds(record.loop);
    usec start = loop_now(record.loop);
    assert_true(loop_is_virtual(record.loop));
    assert_int_equal(start, 5 * USEC_PER_SEC);
    loop_set_alarm(record.loop, &day.alarm, start + 24 * USEC_PER_HOUR);
    loop_set_alarm(record.loop, &minute.alarm, start + USEC_PER_MINUTE);
    loop_set_alarm(record.loop, &never.alarm, start + USEC_PER_SEC);
    loop_set_alarm(record.loop, &never.alarm, USEC_NEVER);
    assert_int_equal(loop_run(record.loop), 0);
    assert_string_equal(record.text, "md");
    assert_in_range(minute.came_at - start - USEC_PER_MINUTE, 0, WHEEL_TICK);
    assert_in_range(day.came_at - start - 24 * USEC_PER_HOUR, 0, WHEEL_TICK);
    assert_in_range(loop_wall_seconds(record.loop) - wall, 86400, 86401);
    loop_free(record.loop);
}

static void a_virtual_loop_runs_until_an_instant_and_goes_on_later(void **state UNUSED)
{
    struct record record = {.loop = loop_new_virtual(0, 1)};
    struct test_alarm tick = new_alarm(&record, 't');
    tick.again = USEC_PER_SEC;
    alarm_init(&tick.alarm, on_alarm);
    loop_set_alarm(record.loop, &tick.alarm, USEC_PER_SEC);
    assert_int_equal(loop_run_until(record.loop, 3500 * USEC_PER_MSEC), 0);
    assert_string_equal(record.text, "ttt");
    assert_int_equal(loop_now(record.loop), 3500 * USEC_PER_MSEC);
    assert_int_equal(loop_run_until(record.loop, 3600 * USEC_PER_MSEC), 0);
    assert_string_equal(record.text, "ttt");
    tick.stop = true;
    assert_int_equal(loop_run(record.loop), 0);
    assert_string_equal(record.text, "tttt");
    loop_clear_alarm(record.loop, &tick.alarm);
    assert_int_equal(loop_run(record.loop), 0);
    assert_string_equal(record.text, "tttt");
    loop_free(record.loop);
}

static void seeds_repeat_a_virtual_world(void **state UNUSED)
{
    struct loop *a = loop_new_virtual(0, 7);
    struct loop *b = loop_new_virtual(0, 7);
    struct loop *c = loop_new_virtual(0, 8);
    uint64_t first = prng_u64(loop_prng(a));
    assert_true(first == prng_u64(loop_prng(b)));
    assert_true(first != prng_u64(loop_prng(c)));
    loop_free(a);
    loop_free(b);
    loop_free(c);
}

static void a_virtual_loop_watches_no_descriptor(void **state UNUSED)
{
    struct loop *loop = loop_new_virtual(0, 1);
    struct watch watch;
    assert_int_equal(loop_watch(loop, &watch, 0, LOOP_READ, NULL), -ENOTSUP);
    loop_free(loop);
}

static void check_tasks(struct loop *loop)
{
    struct record record = {.loop = loop};
    struct test_task a = {.record = &record, .letter = 'a'};
    struct test_task b = {.record = &record, .letter = 'b'};
    struct test_task c = {.record = &record, .letter = 'c'};
    struct test_task d = {.record = &record, .letter = 'd'};
    struct test_alarm end = new_alarm(&record, '.');
    end.stop = true;
    task_init(&a.task, on_task);
    task_init(&b.task, on_task);
    task_init(&c.task, on_task);
    task_init(&d.task, on_task);
    alarm_init(&end.alarm, on_alarm);
    a.queues = &d;   /* for the turn after */
    b.unqueues = &c; /* which is in the same turn */
    loop_queue(loop, &a.task);
    loop_queue(loop, &b.task);
    loop_queue(loop, &c.task);
    loop_queue(loop, &a.task); /* twice is once */
    loop_set_alarm(loop, &end.alarm, loop_now(loop) + 200 * USEC_PER_MSEC);
    assert_int_equal(loop_run(loop), 0);
    assert_string_equal(record.text, "abd.");
    loop_free(loop);
}

static void tasks_run_once_and_those_they_queue_in_the_next_turn(void **state UNUSED)
{
    check_tasks(loop_new_virtual(0, 1));
    check_tasks(loop_new());
}

static void an_alarm_in_the_past_leaves_turns_for_others(void **state UNUSED)
{
    struct record record = {.loop = loop_new_virtual(USEC_PER_SEC, 1)};
    struct test_task t = {.record = &record, .letter = 't', .stop = true};
    struct test_alarm a = new_alarm(&record, 'a');
    a.again = -1;
    task_init(&t.task, on_task);
    alarm_init(&a.alarm, on_alarm);
    loop_set_alarm(record.loop, &a.alarm, 0);
    loop_queue(record.loop, &t.task);
    assert_int_equal(loop_run(record.loop), 0);
    assert_string_equal(record.text, "at");
    assert_int_equal(loop_now(record.loop), USEC_PER_SEC);
    loop_free(record.loop);
}

static void real_alarms_come_in_time_and_not_early(void **state UNUSED)
{
    struct record record = {.loop = loop_new()};
    struct test_alarm short_one = new_alarm(&record, 's');
    struct test_alarm long_one = new_alarm(&record, 'l');
    long_one.stop = true;
    alarm_init(&short_one.alarm, on_alarm);
    alarm_init(&long_one.alarm, on_alarm);
    usec start = clock_monotonic();
    assert_false(loop_is_virtual(record.loop));
    loop_set_alarm(record.loop, &long_one.alarm, start + 12345);
    loop_set_alarm(record.loop, &short_one.alarm, start + 1500);
    assert_int_equal(loop_run(record.loop), 0);
    assert_string_equal(record.text, "sl");
    assert_true(short_one.came_at >= start + 1500);
    assert_true(long_one.came_at >= start + 12345);
    assert_true(clock_monotonic() < start + USEC_PER_SEC);
    loop_free(record.loop);
}

static void a_real_loop_runs_until_an_instant(void **state UNUSED)
{
    struct loop *loop = loop_new();
    usec start = clock_monotonic();
    assert_int_equal(loop_run_until(loop, start + 3000), 0);
    assert_true(clock_monotonic() >= start + 3000);
    assert_true(loop_now(loop) >= start + 3000);
    loop_free(loop);
}

/* A pipe whose reader is watched. */
struct test_pipe {
    struct watch watch;
    struct record *record;
    char letter;
    int ends[2];
    unsigned ready;
    struct test_pipe *removes;
    struct test_pipe *silences;
    bool stop;
    bool leave; /* what there is to read */
};

static void on_pipe(struct watch *watch, unsigned ready)
{
    struct test_pipe *p = CONTAINER_OF(watch, struct test_pipe, watch);
    char octet;
    p->ready |= ready;
    note(p->record, p->letter);
    if (!p->leave && (ready & LOOP_READ))
        assert_int_equal(read(watch->fd, &octet, 1), 1);
    if (p->removes != NULL) {
        loop_unwatch(&p->removes->watch);
        loop_unwatch(&p->removes->watch);
        memset(&p->removes->watch, 0xff, sizeof p->removes->watch); /* as if it were freed */
    }
    if (p->silences != NULL)
        loop_want(&p->silences->watch, 0);
    if (p->stop)
        loop_stop(p->record->loop);
}

static void pipe_open(struct test_pipe *p, struct record *record, char letter)
{
    *p = (struct test_pipe){.record = record, .letter = letter};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p->ends), 0);
    assert_int_equal(loop_watch(record->loop, &p->watch, p->ends[0], LOOP_READ, on_pipe), 0);
}

static void pipe_close(struct test_pipe *p)
{
    close(p->ends[0]);
    close(p->ends[1]);
}

static void put(struct test_pipe *p)
{
    assert_int_equal(write(p->ends[1], "x", 1), 1);
}

static void a_descriptor_is_told_while_it_is_ready(void **state UNUSED)
{
    struct record record = {.loop = loop_new()};
    struct test_pipe p;
    pipe_open(&p, &record, 'p');
    put(&p);
    assert_int_equal(loop_run_until(record.loop, loop_now(record.loop)), 0);
    assert_int_equal(loop_run_until(record.loop, loop_now(record.loop)), 0);
    assert_string_equal(record.text, "p");
    put(&p);
    loop_want(&p.watch, 0);
    assert_int_equal(loop_run_until(record.loop, loop_now(record.loop)), 0);
    assert_string_equal(record.text, "p");
    loop_want(&p.watch, LOOP_READ | LOOP_WRITE);
    assert_int_equal(loop_run_until(record.loop, loop_now(record.loop)), 0);
    assert_string_equal(record.text, "pp");
    assert_int_equal(p.ready, LOOP_READ | LOOP_WRITE);
    loop_unwatch(&p.watch);
    pipe_close(&p);
    loop_free(record.loop);
}

static void an_edge_is_told_once(void **state UNUSED)
{
    struct record record = {.loop = loop_new()};
    struct test_pipe p;
    pipe_open(&p, &record, 'p');
    p.leave = true;
    loop_want(&p.watch, LOOP_READ | LOOP_EDGE);
    put(&p);
    for (int i = 0; i < 3; i++)
        assert_int_equal(loop_run_until(record.loop, loop_now(record.loop)), 0);
    assert_string_equal(record.text, "p");
    loop_unwatch(&p.watch);
    pipe_close(&p);
    loop_free(record.loop);
}

static void a_hang_up_is_told_without_being_asked(void **state UNUSED)
{
    struct record record = {.loop = loop_new()};
    struct test_pipe p;
    pipe_open(&p, &record, 'p');
    loop_want(&p.watch, 0);
    close(p.ends[1]);
    assert_int_equal(loop_run_until(record.loop, loop_now(record.loop)), 0);
    assert_string_equal(record.text, "p");
    assert_int_equal(p.ready, LOOP_ERROR);
    loop_unwatch(&p.watch);
    close(p.ends[0]);
    loop_free(record.loop);
}

static void a_watch_that_another_removed_is_not_told_in_the_same_batch(void **state UNUSED)
{
    struct record record = {.loop = loop_new()};
    struct test_pipe a, b;
    pipe_open(&a, &record, 'a');
    pipe_open(&b, &record, 'b');
    a.removes = &b; /* whichever comes first removes the other */
    b.removes = &a;
    put(&a);
    put(&b);
    assert_int_equal(loop_run_until(record.loop, loop_now(record.loop)), 0);
    assert_int_equal(record.len, 1);
    loop_unwatch(record.text[0] == 'a' ? &a.watch : &b.watch);
    pipe_close(&a);
    pipe_close(&b);
    loop_free(record.loop);
}

static void a_watch_that_another_silenced_is_not_told_in_the_same_batch(void **state UNUSED)
{
    struct record record = {.loop = loop_new()};
    struct test_pipe a, b;
    pipe_open(&a, &record, 'a');
    pipe_open(&b, &record, 'b');
    a.silences = &b;
    b.silences = &a;
    put(&a);
    put(&b);
    assert_int_equal(loop_run_until(record.loop, loop_now(record.loop)), 0);
    assert_int_equal(record.len, 1);
    loop_unwatch(&a.watch);
    loop_unwatch(&b.watch);
    pipe_close(&a);
    pipe_close(&b);
    loop_free(record.loop);
}

/* Removes itself and watches a new pipe that has the same descriptor and the same memory. */
static void on_pipe_replace(struct watch *watch, unsigned ready UNUSED)
{
    struct test_pipe *p = CONTAINER_OF(watch, struct test_pipe, watch);
    struct record *record = p->record;
    note(record, 'r');
    int old = p->ends[0];
    loop_unwatch(watch);
    pipe_close(p);
    pipe_open(p, record, 'n');
    assert_int_equal(p->ends[0], old);
}

static void a_descriptor_that_is_used_again_starts_afresh(void **state UNUSED)
{
    struct record record = {.loop = loop_new()};
    struct test_pipe a, b;
    pipe_open(&a, &record, 'a');
    pipe_open(&b, &record, 'b');
    a.watch.on_ready = on_pipe_replace;
    b.watch.on_ready = on_pipe_replace;
    put(&a);
    put(&b);
    assert_int_equal(loop_run_until(record.loop, loop_now(record.loop)), 0);
    assert_int_equal(loop_run_until(record.loop, loop_now(record.loop)), 0);
    assert_string_equal(record.text, "rr");
    put(&a);
    assert_int_equal(loop_run_until(record.loop, loop_now(record.loop)), 0);
    assert_string_equal(record.text, "rrn");
    loop_unwatch(&a.watch);
    loop_unwatch(&b.watch);
    pipe_close(&a);
    pipe_close(&b);
    loop_free(record.loop);
}

struct test_signals {
    struct signal_watch watch;
    struct loop *loop;
    int numbers[4];
    size_t count;
};

static void on_signal(struct signal_watch *watch, int number)
{
    struct test_signals *s = CONTAINER_OF(watch, struct test_signals, watch);
    s->numbers[s->count++] = number;
    if (number == SIGTERM) {
        loop_unwatch_signals(watch);
        loop_stop(s->loop);
    }
}

static void signals_are_events(void **state UNUSED)
{
    struct test_signals s = {.loop = loop_new()};
    static const int numbers[] = {SIGUSR1, SIGTERM};
    assert_int_equal(
        loop_watch_signals(s.loop, &s.watch, numbers, ARRAY_LEN(numbers), on_signal), 0);
    raise(SIGUSR1);
    raise(SIGTERM);
    assert_int_equal(loop_run(s.loop), 0);
    assert_int_equal(s.count, 2);
    assert_true(s.numbers[0] == SIGUSR1 || s.numbers[0] == SIGTERM);
    loop_unwatch_signals(&s.watch);
    loop_free(s.loop);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(virtual_time_jumps_from_alarm_to_alarm),
        cmocka_unit_test(a_virtual_loop_runs_until_an_instant_and_goes_on_later),
        cmocka_unit_test(seeds_repeat_a_virtual_world),
        cmocka_unit_test(a_virtual_loop_watches_no_descriptor),
        cmocka_unit_test(tasks_run_once_and_those_they_queue_in_the_next_turn),
        cmocka_unit_test(an_alarm_in_the_past_leaves_turns_for_others),
        cmocka_unit_test(real_alarms_come_in_time_and_not_early),
        cmocka_unit_test(a_real_loop_runs_until_an_instant),
        cmocka_unit_test(a_descriptor_is_told_while_it_is_ready),
        cmocka_unit_test(an_edge_is_told_once),
        cmocka_unit_test(a_hang_up_is_told_without_being_asked),
        cmocka_unit_test(a_watch_that_another_removed_is_not_told_in_the_same_batch),
        cmocka_unit_test(a_watch_that_another_silenced_is_not_told_in_the_same_batch),
        cmocka_unit_test(a_descriptor_that_is_used_again_starts_afresh),
        cmocka_unit_test(signals_are_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
