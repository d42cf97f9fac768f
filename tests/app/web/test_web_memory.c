/* SPDX-License-Identifier: ISC */
/* test_web_memory.c - blocks of all sizes, taken, grown and given back in any order. */
#include <stdint.h>
#include <stdlib.h>

#include "app/web/web_memory.h"
#include "base/prng.h"
#include "tests/support/check.h"

static size_t warm_of(const struct web_memory *memory)
{
    size_t count = 0;
    for (size_t i = 0; i < WEB_MEMORY_CLASSES; i++)
        count += memory->classes[i].warm_count;
    return count;
}

static void what_was_given_is_taken_again(void **state UNUSED)
{
    struct web_memory memory = {0};
    static const size_t sizes[] = {0, 1, 64, 65, 128, 1000, 1024, 60000, 128 * 1024};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        void *first = web_memory_take(sizes[i], &memory);
        assert_non_null(first);
        assert_int_equal((uintptr_t)first % _Alignof(max_align_t), 0);
        memset(first, 0xaa, sizes[i]);
        web_memory_give(first, &memory);
        void *again = web_memory_zeroed(1, sizes[i], &memory);
        assert_ptr_equal(again, first);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(((uint8_t *)again)[k], 0);
        web_memory_give(again, &memory);
    }
    size_t warm = warm_of(&memory);
    web_memory_give(web_memory_take(128 * 1024 + 1, &memory), &memory);
    web_memory_give(NULL, &memory);
    assert_int_equal(warm_of(&memory), warm);
    web_memory_done(&memory);
    assert_int_equal(warm_of(&memory), 0);
}

static void no_more_are_kept_than_may_be(void **state UNUSED)
{
    struct web_memory memory = {0};
    void *blocks[WEB_MEMORY_WARM_MAX + 10];
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
        blocks[i] = web_memory_take(100, &memory);
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
        web_memory_give(blocks[i], &memory);
    assert_int_equal(warm_of(&memory), WEB_MEMORY_WARM_MAX);
    web_memory_done(&memory);
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
        blocks[i] = web_memory_take(100000, &memory);
    for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
        web_memory_give(blocks[i], &memory);
    assert_int_equal(warm_of(&memory), 8); /* of 128 KiB each */
    web_memory_done(&memory);
}

static void sizes_that_overflow_are_refused(void **state UNUSED)
{
    struct web_memory memory = {0};
    assert_null(web_memory_zeroed(SIZE_MAX / 2, 3, &memory));
    assert_null(web_memory_take(SIZE_MAX - 3, &memory));
}

static void it_is_a_heap(void **state UNUSED)
{
    struct web_memory memory = {0};
    struct heap heap = web_memory_heap(&memory);
    uint8_t *block = heap.resize(heap.self, NULL, 0, 100);
    memset(block, 7, 100);
    block = heap.resize(heap.self, block, 100, 70000);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(block[i], 7);
    heap_release(&heap, block, 70000);
    assert_int_equal(warm_of(&memory), 2);
    web_memory_done(&memory);
}

/* Each block holds its own octets, whatever happens to the others. */
static void blocks_keep_what_is_in_them(void **state UNUSED)
{
    enum { BLOCKS = 200, STEPS = 20000, LARGEST = 3000 };
    static struct {
        uint8_t *data;
        size_t len;
    } blocks[BLOCKS];
    struct web_memory memory = {0};
    struct prng prng;
    prng_init_number(&prng, 7);
    for (int step = 0; step < STEPS; step++) {
        size_t i = prng_below(&prng, BLOCKS);
        for (size_t k = 0; k < blocks[i].len; k++)
            assert_int_equal(blocks[i].data[k], (uint8_t)(i + k));
        size_t len = prng_below(&prng, LARGEST);
        if (blocks[i].data != NULL && prng_below(&prng, 2) == 0) {
            web_memory_give(blocks[i].data, &memory);
            blocks[i].data = NULL;
            blocks[i].len = 0;
            continue;
        }
        size_t kept = blocks[i].len < len ? blocks[i].len : len;
        blocks[i].data = web_memory_resize(blocks[i].data, len, &memory);
        assert_non_null(blocks[i].data);
        for (size_t k = 0; k < kept; k++)
            assert_int_equal(blocks[i].data[k], (uint8_t)(i + k));
        blocks[i].len = len;
        for (size_t k = 0; k < len; k++)
            blocks[i].data[k] = (uint8_t)(i + k);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        web_memory_give(blocks[i].data, &memory);
    web_memory_done(&memory);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_given_is_taken_again),
        cmocka_unit_test(no_more_are_kept_than_may_be),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(it_is_a_heap),
        cmocka_unit_test(blocks_keep_what_is_in_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
