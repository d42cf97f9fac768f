/* SPDX-License-Identifier: ISC */
/* test_grace.c - what was retired goes when every turn that had begun before is over. */
#include "base/grace.h"

#include "tests/support/check.h"

static void what_nobody_looks_at_goes_at_once(void **state UNUSED)
{
    static struct grace grace;
    grace_init(&grace, 3);
    uint64_t at = grace_retire(&grace);
    assert_true(grace_over(&grace, at));
}

static void a_turn_that_began_before_is_waited_for(void **state UNUSED)
{
    static struct grace grace;
    grace_init(&grace, 3);
    grace_enter(&grace, 2);
    uint64_t at = grace_retire(&grace);
    assert_false(grace_over(&grace, at));
    grace_leave(&grace, 2);
    assert_true(grace_over(&grace, at));
}

static void a_turn_that_began_after_is_not(void **state UNUSED)
{
    static struct grace grace;
    grace_init(&grace, 2);
    uint64_t at = grace_retire(&grace);
    grace_enter(&grace, 0);
    assert_true(grace_over(&grace, at));
    uint64_t later = grace_retire(&grace);
    assert_true(grace_over(&grace, at));
    assert_false(grace_over(&grace, later));
    grace_leave(&grace, 0);
    grace_enter(&grace, 0);
    assert_true(grace_over(&grace, later));
    grace_leave(&grace, 0);
}

static void who_retires_in_a_turn_waits_for_itself_too(void **state UNUSED)
{
    static struct grace grace;
    grace_init(&grace, 1);
    grace_enter(&grace, 0);
    uint64_t first = grace_retire(&grace);
    uint64_t second = grace_retire(&grace);
    assert_true(first < second);
    assert_false(grace_over(&grace, first));
    assert_false(grace_over(&grace, second));
    grace_leave(&grace, 0);
    assert_true(grace_over(&grace, second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_looks_at_goes_at_once),
        cmocka_unit_test(a_turn_that_began_before_is_waited_for),
        cmocka_unit_test(a_turn_that_began_after_is_not),
        cmocka_unit_test(who_retires_in_a_turn_waits_for_itself_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
