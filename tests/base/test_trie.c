/* SPDX-License-Identifier: ISC */
/* test_trie.c - the trie against a sorted array, by chance and by hand. */
#include "base/prng.h"
#include "base/trie.h"
#include "tests/support/check.h"

struct item {
    size_t len;
    uint8_t key[12];
};

static struct bytes key_of(const void *item)
{
    const struct item *i = item;
    return bytes_of(i->key, i->len);
}

static int compare(struct bytes a, struct bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.data, b.data, shorter);
    return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

/* The oracle: pointers in order. */
struct oracle {
    struct item *items[512];
    size_t count;
};

/* How many are before `key`; *found: it is there. */
static size_t rank(const struct oracle *o, struct bytes key, bool *found)
{
    size_t i = 0;
    while (i < o->count && compare(key_of(o->items[i]), key) < 0)
        i++;
    *found = i < o->count && compare(key_of(o->items[i]), key) == 0;
    return i;
}

static void check_key(const struct trie *t, const struct oracle *o, struct bytes key)
{
    bool found;
    size_t at = rank(o, key, &found);
    assert_ptr_equal(trie_find(t, key), found ? o->items[at] : NULL);
    size_t after = at + found;
    assert_ptr_equal(trie_after(t, key), after < o->count ? o->items[after] : NULL);
    assert_ptr_equal(trie_at_or_before(t, key), after > 0 ? o->items[after - 1] : NULL);
    assert_ptr_equal(trie_before(t, key), at > 0 ? o->items[at - 1] : NULL);
    void *prefixes[16];
    size_t count = trie_prefixes(t, key, prefixes, ARRAY_LEN(prefixes));
    size_t next = 0;
    for (size_t i = 0; i < o->count; i++) {
        struct bytes other = key_of(o->items[i]);
        if (other.len <= key.len && memcmp(other.data, key.data, other.len) == 0) {
            assert_true(next < count);
            assert_ptr_equal(prefixes[next++], o->items[i]);
        }
    }
    assert_int_equal(next, count);
}

struct walk {
    const struct oracle *oracle;
    size_t next;
};

static void visit(void *self, void *item)
{
    struct walk *walk = self;
    assert_ptr_equal(item, walk->oracle->items[walk->next++]);
}

static void random_key(struct prng *prng, struct item *out)
{
    /* Few letters, so that prefixes and neighbours are common; all octets now and then. */
    static const uint8_t letters[] = {0, 1, 'a', 'b', 'q', 0xff};
    out->len = prng_below(prng, sizeof out->key + 1);
    for (size_t i = 0; i < out->len; i++)
        out->key[i] = prng_below(prng, 20) == 0 ? (uint8_t)prng_below(prng, 256)
                                                : letters[prng_below(prng, ARRAY_LEN(letters))];
}

static void agrees_with_a_sorted_array(void **state UNUSED)
{
    for (uint8_t seed = 0; seed < 20; seed++) {
        uint8_t seeds[PRNG_SEED_LEN] = {seed};
        struct prng prng;
        prng_init(&prng, seeds);
        struct counting_heap counts = {0};
        struct heap heap = counting_heap(&counts);
        struct trie t;
        trie_init(&t, &heap, 400, key_of);
        struct oracle o = {.count = 0};
        for (unsigned step = 0; step < 3000; step++) {
            struct item *item = malloc(sizeof *item);
            random_key(&prng, item);
            bool found;
            size_t at = rank(&o, key_of(item), &found);
            if (prng_below(&prng, 5) < (step < 1500 ? 4u : 1u)) {
                enum trie_status want = found ? TRIE_EXISTS : o.count == 400 ? TRIE_FULL : TRIE_OK;
                assert_int_equal(trie_insert(&t, item), want);
                if (want == TRIE_OK) {
                    memmove(&o.items[at + 1], &o.items[at], (o.count++ - at) * sizeof *o.items);
                    o.items[at] = item;
                    item = NULL;
                }
            } else {
                assert_ptr_equal(trie_remove(&t, key_of(item)), found ? o.items[at] : NULL);
                if (found) {
                    free(o.items[at]);
                    memmove(&o.items[at], &o.items[at + 1], (--o.count - at) * sizeof *o.items);
                }
            }
            free(item);
            assert_int_equal(t.count, o.count);
            struct item probe;
            random_key(&prng, &probe);
            check_key(&t, &o, key_of(&probe));
            if (o.count > 0)
                check_key(&t, &o, key_of(o.items[prng_below(&prng, (uint32_t)o.count)]));
        }
        struct walk walk = {&o, 0};
        trie_each(&t, visit, &walk);
        assert_int_equal(walk.next, o.count);
        assert_ptr_equal(trie_first(&t), o.count > 0 ? o.items[0] : NULL);
        assert_ptr_equal(trie_last(&t), o.count > 0 ? o.items[o.count - 1] : NULL);
        trie_done(&t);
        assert_int_equal(counts.octets, 0);
        for (size_t i = 0; i < o.count; i++)
            free(o.items[i]);
    }
}

static void without_memory_nothing_changes(void **state UNUSED)
{
    static struct item items[] = {{1, "a"}, {2, "ab"}, {1, "b"}, {1, "c"}, {3, "abc"}};
    for (size_t fail_at = 1; fail_at < 12; fail_at++) {
        struct counting_heap counts = {.fail_at = fail_at};
        struct heap heap = counting_heap(&counts);
        struct trie t;
        trie_init(&t, &heap, SIZE_MAX, key_of);
        bool in[ARRAY_LEN(items)] = {0};
        for (size_t i = 0; i < ARRAY_LEN(items); i++) {
            enum trie_status status = trie_insert(&t, &items[i]);
            assert_true(status == TRIE_OK || status == TRIE_NO_MEMORY);
            in[i] = status == TRIE_OK;
            for (size_t k = 0; k <= i; k++)
                assert_ptr_equal(trie_find(&t, key_of(&items[k])), in[k] ? &items[k] : NULL);
        }
        for (size_t i = 0; i < ARRAY_LEN(items); i++)
            assert_ptr_equal(trie_remove(&t, key_of(&items[i])), in[i] ? &items[i] : NULL);
        assert_int_equal(counts.octets, 0);
        trie_done(&t);
    }
}

static void an_empty_one_has_nothing(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct trie t;
    void *prefix;
    trie_init(&t, &heap, 10, key_of);
    assert_null(trie_find(&t, bytes_empty()));
    assert_null(trie_at_or_before(&t, bytes_of_text("a")));
    assert_null(trie_after(&t, bytes_empty()));
    assert_null(trie_first(&t));
    assert_null(trie_last(&t));
    assert_null(trie_remove(&t, bytes_empty()));
    assert_int_equal(trie_prefixes(&t, bytes_of_text("a"), &prefix, 1), 0);
    trie_done(&t);
}

static void an_item_gives_way_to_another_of_its_key(void **state UNUSED)
{
    struct counting_heap counts = {0};
    struct heap heap = counting_heap(&counts);
    struct trie t;
    struct item first = {2, "ab"}, second = {2, "ab"}, other = {2, "ac"};
    trie_init(&t, &heap, 10, key_of);
    assert_null(trie_replace(&t, &first));
    assert_int_equal(trie_insert(&t, &first), TRIE_OK);
    assert_null(trie_replace(&t, &other));
    assert_int_equal(trie_insert(&t, &other), TRIE_OK);
    assert_ptr_equal(trie_replace(&t, &second), &first);
    assert_ptr_equal(trie_find(&t, bytes_of_text("ab")), &second);
    assert_ptr_equal(trie_after(&t, bytes_of_text("ab")), &other);
    assert_int_equal(t.count, 2);
    trie_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_sorted_array),
        cmocka_unit_test(without_memory_nothing_changes),
        cmocka_unit_test(an_empty_one_has_nothing),
        cmocka_unit_test(an_item_gives_way_to_another_of_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
