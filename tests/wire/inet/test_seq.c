/* SPDX-License-Identifier: ISC */
/* test_seq.c - comparisons hold at every distance from the wrap. */
#include "tests/support/check.h"

#include "wire/inet/seq.h"

static void test_order_around_the_wrap(void **state UNUSED)
{
    static const uint32_t bases[] = {0, 1, 1000, 0x7fffffff, 0x80000000, 0xffffff00, 0xffffffff};
    static const uint32_t steps[] = {1, 2, 255, 256, 65535, 0x3fffffff, 0x7fffffff};
    for (size_t b = 0; b < ARRAY_LEN(bases); b++) {
        struct seq a = seq_of(bases[b]);
        assert_true(seq_equal(a, a) && !seq_before(a, a) && !seq_after(a, a));
        assert_true(seq_before_equal(a, a) && seq_after_equal(a, a));
        for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
            struct seq later = seq_add(a, steps[s]);
            assert_true(seq_before(a, later) && !seq_before(later, a));
            assert_true(seq_after(later, a) && !seq_after(a, later));
            assert_true(seq_before_equal(a, later) && !seq_before_equal(later, a));
            assert_true(seq_after_equal(later, a) && !seq_after_equal(a, later));
            assert_int_equal(seq_diff(later, a), (int32_t)steps[s]);
            assert_int_equal(seq_diff(a, later), -(int32_t)steps[s]);
            assert_true(seq_equal(seq_max(a, later), later));
            assert_true(seq_equal(seq_max(later, a), later));
            assert_true(seq_equal(seq_min(a, later), a));
            assert_true(seq_equal(seq_subtract(later, steps[s]), a));
            assert_true(seq_in_window(a, a, steps[s]));
            assert_true(seq_in_window(seq_add(a, steps[s] - 1), a, steps[s]));
            assert_false(seq_in_window(later, a, steps[s]));
            assert_false(seq_in_window(seq_subtract(a, 1), a, steps[s]));
        }
        assert_false(seq_in_window(a, a, 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_around_the_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
