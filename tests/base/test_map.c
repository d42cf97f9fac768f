/* SPDX-License-Identifier: ISC */
/* test_map.c - against an array of what is there. */
#include "tests/support/check.h"

#include "base/map.h"
#include "base/prng.h"

struct item {
    uint32_t key;
    bool there;
    bool seen;
};

static bool has_key(const void *item, const void *key)
{
    return ((const struct item *)item)->key == *(const uint32_t *)key;
}

static void check_all(struct map *map, struct item *items, size_t count, uint32_t hash_mask)
{
    size_t there = 0;
    for (size_t i = 0; i < count; i++) {
        void *found = map_find(map, items[i].key & hash_mask, &items[i].key);
        assert_ptr_equal(found, items[i].there ? &items[i] : NULL);
        there += items[i].there;
        items[i].seen = false;
    }
    assert_int_equal(map->count, there);
    size_t place = 0;
    struct item *item;
    while ((item = map_each(map, &place)) != NULL) {
        assert_true(item->there && !item->seen);
        item->seen = true;
        there--;
    }
    assert_int_equal(there, 0);
}

/* hash_mask narrows the hashes, so that they collide. */
static void run(uint64_t seed, uint32_t hash_mask)
{
    enum { ITEMS = 300 };
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct map map;
    map_init(&map, &heap, ITEMS, has_key);
    assert_int_equal(counts.allocations, 0);
    static struct item items[ITEMS];
    struct prng prng;
    prng_init_number(&prng, seed);
    for (uint32_t i = 0; i < ITEMS; i++)
        items[i] = (struct item){.key = i * 64 + prng_below(&prng, 64)};
    for (size_t round = 0; round < 6000; round++) {
        struct item *item = &items[prng_below(&prng, ITEMS)];
        uint32_t hash = item->key & hash_mask;
        bool grow = prng_below(&prng, 4000) > round % 4000;
        if (!item->there && grow) {
            assert_true(map_insert(&map, hash, item));
            item->there = true;
        } else if (!grow) {
            assert_int_equal(map_remove(&map, hash, item), item->there);
            item->there = false;
        }
        if (round % 100 == 0)
            check_all(&map, items, ITEMS, hash_mask);
    }
    check_all(&map, items, ITEMS, hash_mask);
    map_done(&map);
    assert_int_equal(counts.blocks, 0);
}

static void test_against_a_model(void **state UNUSED)
{
    run(1, UINT32_MAX);
    run(2, 0xff);
    run(3, 0x7);
    run(4, 0);
}

static void test_bound(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct map map;
    map_init(&map, &heap, 20, has_key);
    struct item items[21];
    for (uint32_t i = 0; i < 21; i++) {
        items[i].key = i;
        assert_int_equal(map_insert(&map, i, &items[i]), i < 20);
    }
    uint32_t key = 20;
    assert_null(map_find(&map, 20, &key));
    assert_false(map_remove(&map, 20, &items[20]));
    assert_true(map_remove(&map, 3, &items[3]));
    assert_true(map_insert(&map, 20, &items[20]));
    assert_ptr_equal(map_find(&map, 20, &key), &items[20]);
    map_done(&map);
    assert_int_equal(counts.blocks, 0);
}

static void test_no_memory_to_grow(void **state UNUSED)
{
    struct counting_heap counts = {.fail_at = 3}; /* the parts, the only one, its growth */
    struct heap heap = counting_heap(&counts);
    struct map map;
    map_init(&map, &heap, 1000, has_key);
    struct item items[100];
    uint32_t count = 0;
    for (; count < 100; count++) {
        items[count].key = count;
        if (!map_insert(&map, count, &items[count]))
            break;
    }
    assert_in_range(count, 4, 8);
    for (uint32_t i = 0; i < count; i++)
        assert_ptr_equal(map_find(&map, i, &i), &items[i]);
    map_done(&map);
    assert_int_equal(counts.blocks, 0);
}

static void test_an_empty_map(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct map map;
    map_init(&map, &heap, 8, has_key);
    uint32_t key = 1;
    size_t place = 0;
    assert_null(map_find(&map, 1, &key));
    assert_false(map_remove(&map, 1, &key));
    assert_null(map_each(&map, &place));
    map_done(&map);
}

/* As many as make it a map of parts: none is lost, none comes twice, and no insertion moves many. */
static void test_many(void **state UNUSED)
{
    enum { ITEMS = 100000, MOVED_MAX = 8192 };
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct map map;
    map_init(&map, &heap, ITEMS, has_key);
    struct item *items = calloc(ITEMS, sizeof *items);
    size_t largest = 0;
    for (uint32_t i = 0; i < ITEMS; i++) {
        size_t before = counts.octets;
        items[i] = (struct item){.key = i, .there = true};
        assert_true(map_insert(&map, i, &items[i]));
        if (counts.octets - before > largest)
            largest = counts.octets - before;
    }
    assert_true(largest <= MOVED_MAX * sizeof(struct map_slot));
    assert_true(counts.octets <= (size_t)ITEMS * 33);
    check_all(&map, items, ITEMS, UINT32_MAX);
    for (uint32_t i = 0; i < ITEMS; i += 3) {
        assert_true(map_remove(&map, i, &items[i]));
        assert_false(map_remove(&map, i, &items[i]));
        items[i].there = false;
    }
    check_all(&map, items, ITEMS, UINT32_MAX);
    map_done(&map);
    free(items);
    assert_int_equal(counts.blocks, 0);
}

/* A caller whose hashes are all the same gets a slow map, and no other trouble. */
static void test_many_of_one_hash(void **state UNUSED)
{
    enum { ITEMS = 3000 };
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct map map;
    map_init(&map, &heap, 1 << 20, has_key);
    static struct item items[ITEMS];
    for (uint32_t i = 0; i < ITEMS; i++) {
        items[i] = (struct item){.key = i, .there = true};
        assert_true(map_insert(&map, 80, &items[i]));
    }
    for (uint32_t i = 0; i < ITEMS; i++)
        assert_ptr_equal(map_find(&map, 80, &i), &items[i]);
    map_done(&map);
    assert_int_equal(counts.blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_model),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_no_memory_to_grow),
        cmocka_unit_test(test_an_empty_map),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_many_of_one_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
