/* SPDX-License-Identifier: ISC */
/* test_wheel.c - against an array of deadlines: never early, a tick late at most, in order. */
#include "tests/support/check.h"

#include "base/prng.h"
#include "base/wheel.h"

enum { TIMERS = 64 };

struct model {
    struct wheel wheel;
    struct timer timers[TIMERS];
    uint64_t armed_as[TIMERS]; /* a serial number; 0: not armed */
    bool had_passed[TIMERS];   /* already when it was armed: comes out at once, whatever else */
    uint64_t serial;
    usec now;
};

static void model_init(struct model *m, usec now)
{
    wheel_init(&m->wheel, now);
    m->now = now;
    m->serial = 0;
    for (size_t i = 0; i < TIMERS; i++) {
        timer_init(&m->timers[i], (uint8_t)i);
        m->armed_as[i] = 0;
    }
}

static void model_arm(struct model *m, size_t i, usec due_at)
{
    wheel_arm(&m->wheel, &m->timers[i], due_at);
    m->armed_as[i] = due_at == USEC_NEVER ? 0 : ++m->serial;
    m->had_passed[i] = due_at <= m->now;
}

static void check_deadline(const struct model *m)
{
    usec earliest = USEC_NEVER;
    for (size_t i = 0; i < TIMERS; i++)
        if (m->armed_as[i] != 0)
            earliest = usec_min(earliest, m->timers[i].due_at);
    usec deadline = wheel_deadline(&m->wheel);
    if (earliest == USEC_NEVER)
        assert_true(deadline == USEC_NEVER);
    else
        assert_true(deadline <= usec_max(earliest + WHEEL_TICK - 1, m->now));
}

/* Turns to m->now. Returns how many timers came out. */
static size_t model_expire(struct model *m)
{
    size_t count = 0;
    const struct timer *before = NULL;
    uint64_t before_as = 0;
    struct timer *timer;
    while ((timer = wheel_expire(&m->wheel, m->now)) != NULL) {
        size_t i = timer->kind;
        assert_ptr_equal(timer, &m->timers[i]);
        assert_false(timer_armed(timer));
        assert_true(timer->due_at <= m->now);
        assert_true(m->armed_as[i] != 0);
        if (before != NULL && !m->had_passed[i]) {
            assert_true(before->due_at <= timer->due_at);
            assert_true(before->due_at < timer->due_at || before_as < m->armed_as[i]);
        }
        before = m->had_passed[i] ? NULL : timer;
        before_as = m->armed_as[i];
        m->armed_as[i] = 0;
        count++;
    }
    size_t armed = 0;
    for (size_t i = 0; i < TIMERS; i++) {
        assert_int_equal(timer_armed(&m->timers[i]), m->armed_as[i] != 0);
        if (m->armed_as[i] != 0)
            assert_true(m->timers[i].due_at > m->now - WHEEL_TICK);
        armed += m->armed_as[i] != 0;
    }
    assert_int_equal(m->wheel.count, armed);
    return count;
}

/* Durations of every size: evenly in the number of bits. */
static usec some_duration(struct prng *prng, unsigned bits_max)
{
    unsigned bits = prng_below(prng, bits_max + 1);
    return bits == 0 ? 0 : (usec)(prng_u64(prng) >> (64 - bits));
}

static void run(uint64_t seed, unsigned bits_max)
{
    struct model *m = malloc(sizeof *m);
    struct prng prng;
    prng_init_number(&prng, seed);
    model_init(m, some_duration(&prng, 50));
    for (size_t round = 0; round < 8000; round++) {
        size_t i = prng_below(&prng, TIMERS);
        switch (prng_below(&prng, 6)) {
        case 0:
            wheel_disarm(&m->wheel, &m->timers[i]);
            m->armed_as[i] = 0;
            break;
        case 1:
            model_arm(m, i, prng_below(&prng, 8) == 0 ? USEC_NEVER : m->now + 1);
            break;
        case 2: /* the very instant of another */
            model_arm(m, i, m->timers[prng_below(&prng, TIMERS)].due_at);
            break;
        default:
            model_arm(m, i, m->now + some_duration(&prng, bits_max));
            break;
        }
        check_deadline(m);
        if (prng_below(&prng, 3) != 0)
            continue;
        usec deadline = wheel_deadline(&m->wheel);
        if (prng_below(&prng, 2) != 0)
            m->now += some_duration(&prng, 10);
        else if (deadline != USEC_NEVER)
            m->now = usec_max(m->now, deadline);
        (void)model_expire(m);
        check_deadline(m);
    }
    free(m);
}

static void test_against_a_model(void **state UNUSED)
{
    run(1, 8);
    run(2, 16);
    run(3, 32);
    run(4, 44); /* beyond the top level's reach */
    run(5, 48);
}

/* Following the deadlines alone, a timer comes out on time, after few calls in vain. */
static void test_deadlines_lead_to_the_timer(void **state UNUSED)
{
    struct model *m = malloc(sizeof *m);
    for (unsigned bits = 0; bits < 46; bits++) {
        model_init(m, 123456789);
        usec due_at = m->now + ((usec)1 << bits) + 5;
        model_arm(m, 0, due_at);
        size_t calls = 0;
        size_t out = 0;
        while (out == 0) {
            usec deadline = wheel_deadline(&m->wheel);
            assert_true(deadline >= m->now);
            m->now = deadline;
            out = model_expire(m);
            assert_true(++calls <= WHEEL_LEVELS + 20);
        }
        assert_in_range(m->now, due_at, due_at + WHEEL_TICK - 1);
    }
    free(m);
}

static void test_passed_instants_are_due_at_once(void **state UNUSED)
{
    struct model *m = malloc(sizeof *m);
    model_init(m, 1000);
    m->now = 1030;
    assert_int_equal(model_expire(m), 0);
    model_arm(m, 0, 1030);
    model_arm(m, 1, -5);
    model_arm(m, 2, 1025); /* in the tick that has begun */
    model_arm(m, 3, 1031);
    model_arm(m, 4, 1025);
    assert_true(wheel_deadline(&m->wheel) <= 1030);
    static const uint8_t order[] = {1, 2, 4, 0};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        const struct timer *timer = wheel_expire(&m->wheel, m->now);
        assert_non_null(timer);
        assert_int_equal(timer->kind, order[i]);
        m->armed_as[order[i]] = 0;
    }
    assert_int_equal(model_expire(m), 0);
    m->now = 1088;
    assert_int_equal(model_expire(m), 1);
    free(m);
}

static void test_rearming_while_expiring(void **state UNUSED)
{
    struct model *m = malloc(sizeof *m);
    model_init(m, 0);
    for (size_t i = 0; i < 10; i++)
        model_arm(m, i, 6400 + (usec)(i % 3));
    m->now = 10000;
    struct timer *timer = wheel_expire(&m->wheel, m->now);
    assert_int_equal(timer->kind, 0);
    m->armed_as[0] = 0;
    model_arm(m, 3, 20000);                 /* was handed out next */
    wheel_disarm(&m->wheel, &m->timers[6]); /* was due too */
    m->armed_as[6] = 0;
    model_arm(m, 0, m->now + 1);
    assert_int_equal(model_expire(m), 7);
    m->now = 20063;
    assert_int_equal(model_expire(m), 2);
    assert_true(wheel_deadline(&m->wheel) == USEC_NEVER);
    free(m);
}

static void test_many_in_one_tick_come_sorted(void **state UNUSED)
{
    struct model *m = malloc(sizeof *m);
    model_init(m, 0);
    struct prng prng;
    prng_init_number(&prng, 6);
    for (size_t round = 0; round < 200; round++) {
        usec base = (m->now / WHEEL_TICK + 1 + prng_below(&prng, 5000)) * WHEEL_TICK;
        for (size_t i = 0; i < TIMERS; i++)
            model_arm(m, i, base + 1 + prng_below(&prng, 20));
        m->now = base + WHEEL_TICK;
        assert_int_equal(model_expire(m), TIMERS);
    }
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_model),
        cmocka_unit_test(test_deadlines_lead_to_the_timer),
        cmocka_unit_test(test_passed_instants_are_due_at_once),
        cmocka_unit_test(test_rearming_while_expiring),
        cmocka_unit_test(test_many_in_one_tick_come_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
