/* SPDX-License-Identifier: ISC */
/*
 * map.c - linear probing at a load of at most three quarters. A removal moves back the items that
 * had to make way for the removed one (Knuth, volume 3, 6.4, algorithm R).
 */
#include "base/map.h"

enum { SIZE_FIRST = 16 };

void map_init(struct map *map, const struct heap *heap, size_t count_max,
              bool (*equal)(const void *item, const void *key))
{
    *map = (struct map){.heap = *heap, .equal = equal, .count_max = count_max};
}

void map_done(struct map *map)
{
    heap_release(&map->heap, map->slots, map->size * sizeof *map->slots);
    map->slots = NULL;
    map->size = 0;
    map->count = 0;
}

/* Where the search for a hash starts. Mixed, so that a caller's counting numbers spread too. */
static size_t home_of(const struct map *map, uint32_t hash)
{
    uint32_t mixed = hash * 0x9e3779b1u;
    return (mixed ^ mixed >> 15) & (map->size - 1);
}

static size_t after(const struct map *map, size_t at)
{
    return (at + 1) & (map->size - 1);
}

void *map_find(const struct map *map, uint32_t hash, const void *key)
{
    if (map->count == 0)
        return NULL;
    for (size_t at = home_of(map, hash); map->slots[at].item != NULL; at = after(map, at)) {
        const struct map_slot *slot = &map->slots[at];
        if (slot->hash == hash && map->equal(slot->item, key))
            return slot->item;
    }
    return NULL;
}

static void place(struct map *map, struct map_slot slot)
{
    size_t at = home_of(map, slot.hash);
    while (map->slots[at].item != NULL)
        at = after(map, at);
    map->slots[at] = slot;
}

static bool grow(struct map *map)
{
    struct map old = *map;
    size_t size = old.size == 0 ? SIZE_FIRST : old.size * 2;
    struct map_slot *slots = heap_array(&map->heap, size, sizeof *slots);
    if (slots == NULL)
        return false;
    map->slots = slots;
    map->size = size;
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].item != NULL)
            place(map, old.slots[i]);
    heap_release(&map->heap, old.slots, old.size * sizeof *old.slots);
    return true;
}

bool map_insert(struct map *map, uint32_t hash, void *item)
{
    ASSERT(item != NULL);
    if (map->count >= map->count_max)
        return false;
    if (map->count >= map->size / 4 * 3 && !grow(map))
        return false;
    place(map, (struct map_slot){item, hash});
    map->count++;
    return true;
}

/* Frees the slot at `hole`, closing the gap. */
static void close_gap(struct map *map, size_t hole)
{
    size_t mask = map->size - 1;
    for (size_t at = after(map, hole); map->slots[at].item != NULL; at = after(map, at)) {
        /* An item may move back to the hole unless its search starts behind the hole. */
        size_t home = home_of(map, map->slots[at].hash);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole] = (struct map_slot){NULL, 0};
}

bool map_remove(struct map *map, uint32_t hash, const void *item)
{
    if (map->count == 0)
        return false;
    for (size_t at = home_of(map, hash); map->slots[at].item != NULL; at = after(map, at)) {
        if (map->slots[at].item == item) {
            close_gap(map, at);
            map->count--;
            return true;
        }
    }
    return false;
}

void *map_each(const struct map *map, size_t *position)
{
    while (*position < map->size) {
        void *item = map->slots[(*position)++].item;
        if (item != NULL)
            return item;
    }
    return NULL;
}
