/* SPDX-License-Identifier: ISC */
/* test_buddy.c - a heap in one block of memory: blocks apart and kept whole, and joined again. */
#include "base/buddy.h"

#include "base/prng.h"
#include "tests/support/check.h"

enum { LIVE_MAX = 200 };

struct live {
    uint8_t *block;
    size_t size;
    uint8_t fill;
};

static void check_live(const struct live *live)
{
    assert_int_equal((uintptr_t)live->block % BUDDY_BLOCK_MIN, 0);
    for (size_t i = 0; i < live->size; i++)
        if (live->block[i] != live->fill)
            fail_msg("octet %zu of a block of %zu is another's", i, live->size);
}

/* Changes one block, now and then from or to nothing. */
static void change(const struct heap *heap, struct live *live, size_t size, uint8_t fill)
{
    if (live->block != NULL)
        check_live(live);
    bool smaller = size <= live->size;
    uint8_t *block = heap->resize(heap->self, live->block, live->size, size);
    if (block == NULL && size > 0) {
        assert_false(smaller && live->block != NULL); /* it never fails */
        return;
    }
    size_t kept = size < live->size ? size : live->size;
    for (size_t i = 0; live->block != NULL && i < kept; i++)
        assert_int_equal(block[i], live->fill);
    *live = (struct live){block, size, fill};
    if (block != NULL)
        memset(block, fill, size);
}

/* The sizes of the largest blocks that can be had, one after the other, until nothing is left. */
static size_t all_that_can_be_had(const struct heap *heap, size_t *largest)
{
    static void *blocks[4096];
    static size_t sizes[4096];
    size_t count = 0, octets = 0;
    *largest = 0;
    for (size_t size = (size_t)1 << 24; size >= BUDDY_BLOCK_MIN; size /= 2) {
        void *block;
        while ((block = heap->resize(heap->self, NULL, 0, size)) != NULL) {
            if (*largest == 0)
                *largest = size;
            blocks[count] = block;
            sizes[count++] = size;
            octets += size;
        }
    }
    while (count-- > 0)
        heap_release(heap, blocks[count], sizes[count]);
    return octets;
}

static void play(uint64_t seed, size_t size, size_t offset)
{
    struct prng random;
    prng_init_number(&random, seed);
    uint8_t *memory = malloc(size + offset);
    struct buddy buddy;
    assert_true(buddy_init(&buddy, memory + offset, size));
    struct heap heap = buddy_heap(&buddy);
    size_t largest, largest_after;
    size_t octets = all_that_can_be_had(&heap, &largest);
    assert_true(octets >= size - size / 50 - 2 * BUDDY_BLOCK_MIN - BUDDY_ORDERS);
    assert_true(octets <= size);
    assert_int_equal(buddy.octets, 0);
    assert_int_equal(buddy.octets_high, octets);

    static struct live live[LIVE_MAX];
    memset(live, 0, sizeof live);
    for (int step = 0; step < 20000; step++) {
        struct live *l = &live[prng_below(&random, LIVE_MAX)];
        uint32_t limit = prng_below(&random, 9) == 0 ? 8000 : 300;
        size_t size_now = prng_below(&random, 3) == 0 ? 0 : prng_below(&random, limit);
        change(&heap, l, size_now, (uint8_t)prng_u32(&random));
    }
    for (size_t i = 0; i < LIVE_MAX; i++)
        change(&heap, &live[i], 0, 0);
    assert_int_equal(buddy.octets, 0);
    assert_true(buddy.refused > 0);
    assert_int_equal(all_that_can_be_had(&heap, &largest_after), octets);
    assert_int_equal(largest_after, largest);
    free(memory);
}

static void test_blocks_are_apart_and_joined_again(void **state UNUSED)
{
    static const size_t sizes[] = {65536, 65535, 60000, 33333, 20000, 100001};
    for (uint64_t seed = 0; seed < 12; seed++)
        play(seed, sizes[seed % ARRAY_LEN(sizes)], seed % 5 * 3);
}

static void test_too_little_memory(void **state UNUSED)
{
    struct buddy buddy;
    for (size_t size = 0; size < 32; size++) {
        uint8_t *memory = exact_copy("", 0);
        memory = realloc(memory, size > 0 ? size : 1);
        assert_false(buddy_init(&buddy, memory, size));
        free(memory);
    }
}

static void test_requests_that_nothing_can_meet(void **state UNUSED)
{
    static _Alignas(64) uint8_t memory[8192];
    struct buddy buddy;
    assert_true(buddy_init(&buddy, memory, sizeof memory));
    struct heap heap = buddy_heap(&buddy);
    assert_null(heap_zeroed(&heap, SIZE_MAX));
    assert_null(heap_zeroed(&heap, sizeof memory));
    void *block = heap_zeroed(&heap, 100);
    assert_non_null(block);
    assert_null(heap.resize(heap.self, block, 100, SIZE_MAX));
    assert_int_equal(buddy.refused, 3);
    assert_int_equal(buddy.octets, 128);
    assert_ptr_equal(heap.resize(heap.self, block, 100, 128), block);
    assert_ptr_equal(heap.resize(heap.self, block, 128, 1), block);
    assert_int_equal(buddy.octets, 32);
    heap_release(&heap, block, 1);
    assert_int_equal(buddy.octets, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_apart_and_joined_again),
        cmocka_unit_test(test_too_little_memory),
        cmocka_unit_test(test_requests_that_nothing_can_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
