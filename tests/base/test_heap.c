/* SPDX-License-Identifier: ISC */
/* test_heap.c - zeroed blocks, sizes that overflow, memory that is not there. */
#include "tests/support/check.h"

static void test_zeroed_and_released(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    uint8_t *block = heap_array(&heap, 5, 7);
    assert_non_null(block);
    for (size_t i = 0; i < 35; i++)
        assert_int_equal(block[i], 0);
    assert_int_equal(counts.octets, 35);
    heap_release(&heap, block, 35);
    heap_release(&heap, NULL, 0);
    assert_int_equal(counts.blocks, 0);
    assert_int_equal(counts.octets, 0);
}

static void test_overflow_is_refused(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    assert_null(heap_array(&heap, SIZE_MAX / 2, 3));
    assert_int_equal(counts.allocations, 0);
}

static void test_no_memory(void **state UNUSED)
{
    struct counting_heap counts = {.fail_at = 1};
    struct heap heap = counting_heap(&counts);
    assert_null(heap_zeroed(&heap, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zeroed_and_released),
        cmocka_unit_test(test_overflow_is_refused),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
