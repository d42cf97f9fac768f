/* SPDX-License-Identifier: ISC */
/* test_cache_part.c - a table that is read while it changes: what is found, and when that cannot be known. */
#include "proto/dns/cache_part.h"

#include <stdatomic.h>

#include "tests/support/check.h"
#include "tests/support/dns_text.h"

enum { MANY = 5000, OCTETS_MAX = 8 << 20 };

static struct counting_heap counts;

/* Names "aaa" and so on, of the type that is given; hashes are the caller's. */
static struct cache_key key_of(uint32_t number, uint32_t hash)
{
    struct cache_key key = {.hash = hash, .type = 1, .name_len = 4};
    memcpy(key.octets + CACHE_KEY_HEAD_LEN, &number, sizeof number);
    return key;
}

static struct cache_entry *make(const struct heap *heap, uint32_t number, uint32_t hash)
{
    struct cache_entry *e = heap_zeroed(heap, sizeof *e + 4);
    assert_non_null(e);
    e->hash = hash;
    e->type = 1;
    e->name_len = 4;
    e->len = 4;
    list_init(&e->place.node);
    memcpy(e->octets, &number, sizeof number);
    return e;
}

/* Not random: so that many are in one chain, too. */
static uint32_t hash_of(uint32_t number)
{
    return number * 2654435761u >> number % 3;
}

static void open_part(struct cache_part *part, struct heap *heap, struct grace *grace)
{
    counts = (struct counting_heap){0};
    *heap = counting_heap(&counts);
    *part = (struct cache_part){0};
    assert_true(cache_part_init(part, heap, grace, OCTETS_MAX));
}

static void close_part(struct cache_part *part)
{
    cache_part_done(part);
    assert_int_equal(counts.blocks, 0);
}

static void what_was_put_is_found_however_the_table_grows(void **state UNUSED)
{
    struct cache_part part;
    struct heap heap;
    bool unsure;
    open_part(&part, &heap, NULL);
    struct cache_key nobody = key_of(MANY + 1, 7);
    assert_null(cache_part_look(&part, &nobody, &unsure));
    assert_false(unsure);
    for (uint32_t i = 0; i < MANY; i++)
        assert_true(cache_part_put(&part, make(&heap, i, hash_of(i))));
    assert_int_equal(part.entries, MANY);
    assert_true(atomic_load(&part.chain_count) >= MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        struct cache_key key = key_of(i, hash_of(i));
        struct cache_entry *e = cache_part_look(&part, &key, &unsure);
        assert_non_null(e);
        assert_false(unsure);
        assert_ptr_equal(cache_part_find(&part, &key), e);
        if (i % 2 == 0)
            cache_part_drop(&part, e);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        struct cache_key key = key_of(i, hash_of(i));
        assert_int_equal(cache_part_look(&part, &key, &unsure) != NULL, i % 2);
    }
    close_part(&part);
}

static void while_something_is_moved_a_miss_is_not_sure(void **state UNUSED)
{
    struct cache_part part;
    struct heap heap;
    bool unsure;
    open_part(&part, &heap, NULL);
    assert_true(cache_part_put(&part, make(&heap, 1, 1)));
    struct cache_key here = key_of(1, 1), nobody = key_of(2, 2);
    cache_part_note_change(&part);
    assert_null(cache_part_look(&part, &nobody, &unsure));
    assert_true(unsure);
    assert_non_null(cache_part_look(&part, &here, &unsure));
    assert_false(unsure); /* what is found is found */
    cache_part_note_change(&part);
    assert_null(cache_part_look(&part, &nobody, &unsure));
    assert_false(unsure);
    close_part(&part);
}

static void growth_is_such_a_change(void **state UNUSED)
{
    struct cache_part part;
    struct heap heap;
    open_part(&part, &heap, NULL);
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t chains = atomic_load(&part.chain_count);
        uint32_t changes = atomic_load(&part.changes);
        assert_true(cache_part_put(&part, make(&heap, i, hash_of(i))));
        bool grew = chains > 0 && atomic_load(&part.chain_count) > chains;
        assert_int_equal(atomic_load(&part.changes) - changes, grew ? 2 : 0);
    }
    /* Not within another one, which would end too early. */
    uint32_t chains = atomic_load(&part.chain_count);
    cache_part_note_change(&part);
    for (uint32_t i = 200; i < 400; i++)
        assert_true(cache_part_put(&part, make(&heap, i, hash_of(i))));
    assert_int_equal(atomic_load(&part.chain_count), chains);
    assert_int_equal(atomic_load(&part.changes) % 2, 1);
    cache_part_note_change(&part);
    close_part(&part);
}

static void what_goes_stays_until_the_turns_are_over(void **state UNUSED)
{
    static struct grace grace;
    struct cache_part part;
    struct heap heap;
    grace_init(&grace, 2);
    open_part(&part, &heap, &grace);
    struct cache_entry *e = make(&heap, 1, 1);
    assert_true(cache_part_put(&part, e));
    grace_enter(&grace, 1);
    size_t blocks = counts.blocks;
    cache_part_drop(&part, e);
    assert_int_equal(part.entries, 0);
    assert_int_equal(part.octets, 0);
    cache_part_sweep(&part);
    assert_int_equal(counts.blocks, blocks);
    assert_true(part.retired_octets > 0);
    struct cache_entry *second = make(&heap, 2, 2);
    assert_true(cache_part_put(&part, second));
    cache_part_drop(&part, second);
    grace_leave(&grace, 1);
    cache_part_sweep(&part);
    assert_int_equal(counts.blocks, blocks - 1);
    assert_int_equal(part.retired_octets, 0);
    close_part(&part);
}

static void without_memory_nothing_is_put(void **state UNUSED)
{
    struct cache_part part;
    struct heap heap;
    open_part(&part, &heap, NULL);
    struct cache_entry *e = make(&heap, 1, 1);
    counts.fail_at = counts.allocations + 1;
    assert_false(cache_part_put(&part, e));
    counts.fail_at = 0;
    assert_int_equal(part.entries, 0);
    assert_true(cache_part_put(&part, e));
    close_part(&part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_however_the_table_grows),
        cmocka_unit_test(while_something_is_moved_a_miss_is_not_sure),
        cmocka_unit_test(growth_is_such_a_change),
        cmocka_unit_test(what_goes_stays_until_the_turns_are_over),
        cmocka_unit_test(without_memory_nothing_is_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
