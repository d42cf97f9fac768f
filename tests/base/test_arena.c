/* SPDX-License-Identifier: ISC */
/* test_arena.c - zeroed and aligned, bounded, and all of it given back. */
#include "base/arena.h"

#include "tests/support/check.h"

static void test_blocks_are_zeroed_and_apart(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct arena arena;
    arena_init(&arena, &heap, 1 << 20);
    uint8_t *blocks[200];
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        size_t size = i * 7;
        blocks[i] = arena_zeroed(&arena, size);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
        for (size_t at = 0; at < size; at++)
            assert_int_equal(blocks[i][at], 0);
        memset(blocks[i], (int)i, size);
    }
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
        for (size_t at = 0; at < i * 7; at++)
            assert_int_equal(blocks[i][at], (uint8_t)i);
    arena_done(&arena);
    assert_int_equal(counts.octets, 0);
}

static void test_it_is_bounded(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct arena arena;
    arena_init(&arena, &heap, 100000);
    assert_null(arena_zeroed(&arena, 100001));
    assert_null(arena_zeroed(&arena, SIZE_MAX));
    assert_non_null(arena_zeroed(&arena, 60000));
    assert_null(arena_zeroed(&arena, 60000));
    assert_non_null(arena_zeroed(&arena, 10));
    arena_done(&arena);
    assert_int_equal(counts.blocks, 0);
}

static void test_no_memory(void **state UNUSED)
{
    struct counting_heap counts = {.fail_at = 1};
    struct heap heap = counting_heap(&counts);
    struct arena arena;
    arena_init(&arena, &heap, 100000);
    assert_null(arena_zeroed(&arena, 1));
    assert_null(arena_text(&arena, bytes_of_text("abc")));
    arena_done(&arena);
}

static void test_texts_end_with_nul(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct arena arena;
    arena_init(&arena, &heap, 100000);
    assert_string_equal(arena_text(&arena, bytes_of_text("abc")), "abc");
    assert_string_equal(arena_text(&arena, bytes_empty()), "");
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_zeroed_and_apart),
        cmocka_unit_test(test_it_is_bounded),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_texts_end_with_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
