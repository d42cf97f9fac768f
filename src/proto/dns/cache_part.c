/* SPDX-License-Identifier: ISC */
/* cache_part.c - chains that are read while they change. */
#include "proto/dns/cache_part.h"

#include <stdatomic.h>

enum {
    SEGMENT = 512,      /* chains that are allocated at once */
    CHAINS_FIRST = 16,
    ENTRY_USUAL = 128,  /* octets: for so many the directory has room */
};

/* ---- chains ---- */

/* The largest power of two that is not above it, which is not 0. */
static uint32_t power_below(uint32_t count)
{
    return UINT32_C(1) << (31 - __builtin_clz(count));
}

static struct cache_chain *segment_of(const struct cache_part *part, uint32_t chain)
{
    return atomic_load_explicit(&part->segments[chain / SEGMENT], memory_order_acquire);
}

static struct cache_chain *chain_at(const struct cache_part *part, uint32_t chain)
{
    return &segment_of(part, chain)[chain % SEGMENT];
}

/* Of so many chains the hash is in this one. */
static uint32_t chain_of(uint32_t hash, uint32_t count)
{
    uint32_t low = power_below(count);
    uint32_t chain = hash & (2 * low - 1);
    return chain < count ? chain : chain & (low - 1);
}

static struct cache_entry *first_of(const struct cache_chain *chain)
{
    return atomic_load_explicit(&chain->first, memory_order_acquire);
}

static struct cache_entry *next_of(const struct cache_entry *e)
{
    return atomic_load_explicit(&e->next, memory_order_acquire);
}

static void set_link(struct cache_entry *_Atomic *link, struct cache_entry *e)
{
    atomic_store_explicit(link, e, memory_order_release);
}

void cache_part_note_change(struct cache_part *part)
{
    (void)atomic_fetch_add_explicit(&part->changes, 1, memory_order_acq_rel);
}

static bool make_segment(struct cache_part *part, uint32_t chain)
{
    if (chain / SEGMENT >= part->segment_count)
        return false;
    if (segment_of(part, chain) != NULL)
        return true;
    struct cache_chain *segment = heap_array(&part->heap, SEGMENT, sizeof *segment);
    if (segment == NULL)
        return false;
    atomic_store_explicit(&part->segments[chain / SEGMENT], segment, memory_order_release);
    return true;
}

/* One chain more: what is its of the one that it is split from goes over. Without memory, chains get longer. */
static void grow(struct cache_part *part)
{
    uint32_t count = atomic_load_explicit(&part->chain_count, memory_order_relaxed);
    /* What is being replaced is a change of its own; the next one that comes lets it grow. */
    bool changing = atomic_load_explicit(&part->changes, memory_order_relaxed) % 2 != 0;
    if (changing || part->entries < count || !make_segment(part, count))
        return;
    uint32_t low = power_below(count);
    struct cache_chain *to = chain_at(part, count);
    struct cache_entry *_Atomic *link = &chain_at(part, count - low)->first;
    struct cache_entry *e = atomic_load_explicit(link, memory_order_relaxed);
    cache_part_note_change(part);
    while (e != NULL) {
        struct cache_entry *next = next_of(e);
        if ((e->hash & (2 * low - 1)) == count) {
            set_link(link, next);
            set_link(&e->next, first_of(to));
            set_link(&to->first, e);
        } else {
            link = &e->next;
        }
        e = next;
    }
    atomic_store_explicit(&part->chain_count, count + 1, memory_order_release);
    cache_part_note_change(part);
}

static void unlink_entry(struct cache_part *part, struct cache_entry *e)
{
    uint32_t count = atomic_load_explicit(&part->chain_count, memory_order_relaxed);
    struct cache_entry *_Atomic *link = &chain_at(part, chain_of(e->hash, count))->first;
    struct cache_entry *at;
    while ((at = atomic_load_explicit(link, memory_order_relaxed)) != e) {
        ASSERT(at != NULL);
        link = &at->next;
    }
    set_link(link, next_of(e)); /* whoever is there goes on from it as before */
}

/* ---- finding ---- */

static bool is_that(const struct cache_entry *e, const struct cache_key *key)
{
    return e->hash == key->hash && e->type == key->type && e->failure == key->failure &&
           e->name_len == key->name_len &&
           memcmp(e->octets, key->octets + CACHE_KEY_HEAD_LEN, e->name_len) == 0;
}

struct cache_entry *cache_part_find(const struct cache_part *part, const struct cache_key *key)
{
    uint32_t count = atomic_load_explicit(&part->chain_count, memory_order_acquire);
    if (count == 0)
        return NULL;
    struct cache_entry *e = first_of(chain_at(part, chain_of(key->hash, count)));
    while (e != NULL && !is_that(e, key))
        e = next_of(e);
    return e;
}

struct cache_entry *cache_part_look(const struct cache_part *part, const struct cache_key *key,
                                    bool *unsure)
{
    uint32_t before = atomic_load_explicit(&part->changes, memory_order_acquire);
    struct cache_entry *e = cache_part_find(part, key);
    *unsure = e == NULL &&
              (before % 2 != 0 ||
               atomic_load_explicit(&part->changes, memory_order_relaxed) != before);
    return e;
}

/* ---- letting go ---- */

size_t cache_entry_cost(size_t len)
{
    return sizeof(struct cache_entry) + len + CACHE_CHAIN_COST;
}

static void free_entry(struct cache_part *part, struct cache_entry *e)
{
    heap_release(&part->heap, e, sizeof *e + e->len);
}

static void free_list(struct cache_part *part, struct list_node *list)
{
    struct list_node *node;
    while ((node = list_first(list)) != NULL) {
        struct cache_entry *e = CONTAINER_OF(node, struct cache_entry, place.node);
        list_remove(node);
        part->retired_octets -= cache_entry_cost(e->len);
        free_entry(part, e);
    }
}

void cache_part_sweep(struct cache_part *part)
{
    while (list_empty(&part->leaving) || grace_over(part->grace, part->leaving_at)) {
        free_list(part, &part->leaving);
        if (list_empty(&part->retired))
            return;
        list_insert_after(&part->retired, &part->leaving);
        list_remove(&part->retired);
        part->leaving_at = grace_retire(part->grace);
    }
}

/* It is in no chain any more. */
static void retire(struct cache_part *part, struct cache_entry *e)
{
    sieve_remove(&part->sieve, &e->place);
    part->octets -= cache_entry_cost(e->len);
    part->entries--;
    if (part->grace == NULL) {
        free_entry(part, e);
        return;
    }
    part->retired_octets += cache_entry_cost(e->len);
    list_append(&part->retired, &e->place.node);
}

void cache_part_drop(struct cache_part *part, struct cache_entry *e)
{
    unlink_entry(part, e);
    retire(part, e);
}

/* ---- putting ---- */

bool cache_part_put(struct cache_part *part, struct cache_entry *e)
{
    uint32_t count = atomic_load_explicit(&part->chain_count, memory_order_relaxed);
    if (count == 0) {
        if (!make_segment(part, 0))
            return false;
        count = CHAINS_FIRST;
        atomic_store_explicit(&part->chain_count, count, memory_order_release);
    }
    struct cache_chain *chain = chain_at(part, chain_of(e->hash, count));
    set_link(&e->next, first_of(chain));
    set_link(&chain->first, e);
    sieve_add(&part->sieve, &e->place);
    part->octets += cache_entry_cost(e->len);
    part->entries++;
    grow(part);
    return true;
}

/* ---- life ---- */

bool cache_part_init(struct cache_part *part, const struct heap *heap, struct grace *grace,
                     size_t octets_max)
{
    size_t chains = octets_max / ENTRY_USUAL;
    part->segment_count = chains / SEGMENT + 1;
    part->segments = heap_array(heap, part->segment_count, sizeof *part->segments);
    if (part->segments == NULL)
        return false;
    part->heap = *heap;
    part->grace = grace;
    sieve_init(&part->sieve);
    list_init(&part->retired);
    list_init(&part->leaving);
    return true;
}

void cache_part_done(struct cache_part *part)
{
    struct sieve_node *node;
    if (part->segments == NULL)
        return;
    while ((node = sieve_candidate(&part->sieve)) != NULL) {
        struct cache_entry *e = CONTAINER_OF(node, struct cache_entry, place);
        sieve_remove(&part->sieve, node);
        free_entry(part, e);
    }
    free_list(part, &part->retired);
    free_list(part, &part->leaving);
    for (size_t i = 0; i < part->segment_count; i++)
        heap_release(&part->heap, part->segments[i], SEGMENT * sizeof(struct cache_chain));
    heap_release(&part->heap, (void *)part->segments, part->segment_count * sizeof *part->segments);
}
