/* SPDX-License-Identifier: ISC */
/* test_counters.c - every counter is shown once, under its own name, with its own value. */
#include "stack/counters.h"

#include "tests/support/check.h"

static void test_stack_counters(void **state)
{
    (void)state;
    struct stack_counters counters;
    struct counter counter;
    uint64_t *values = (uint64_t *)(void *)&counters;
    size_t count = sizeof counters / sizeof *values;
    bool seen[sizeof counters / sizeof(uint64_t)] = {false};
    for (size_t i = 0; i < count; i++)
        values[i] = i;
    size_t told = 0;
    for (size_t place = 0; stack_each_counter(&counters, &place, &counter); told++) {
        assert_true(counter.value < count && !seen[counter.value]);
        seen[counter.value] = true;
        if (strcmp(counter.name, "tcpInSegs") == 0)
            assert_int_equal(counter.value, counters.tcpInSegs);
        if (strcmp(counter.name, "tcpRetransSegsByRack") == 0)
            assert_int_equal(counter.value, counters.tcpRetransSegsBy[RETRANSMIT_RACK]);
    }
    assert_int_equal(told, count);
}

static void test_interface_counters(void **state)
{
    (void)state;
    struct interface_counters counters = {.ifInOctets = 1, .ifOutErrors = 2};
    struct counter counter;
    uint64_t sum = 0;
    for (size_t place = 0; interface_each_counter(&counters, &place, &counter);) {
        sum += counter.value;
        if (strcmp(counter.name, "ifOutErrors") == 0)
            assert_int_equal(counter.value, 2);
    }
    assert_int_equal(sum, 3);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stack_counters),
        cmocka_unit_test(test_interface_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
