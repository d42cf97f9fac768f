/* SPDX-License-Identifier: ISC */
/*
 * map.c - each part: linear probing at a load of at most three quarters. A removal moves back the
 * items that had to make way for the removed one (Knuth, volume 3, 6.4, algorithm R).
 */
#include "base/map.h"

enum {
    SIZE_FIRST = 8,    /* and half as much again each time: between half and three quarters full */
    PART_ITEMS = 4096, /* about, when the map is full: moving so many is no pause */
    BITS_MAX = 16,
};

void map_init(struct map *map, const struct heap *heap, size_t count_max,
              bool (*equal)(const void *item, const void *key))
{
    *map = (struct map){.heap = *heap, .equal = equal, .count_max = count_max};
    while (map->bits < BITS_MAX && (size_t)PART_ITEMS << (map->bits + 1) <= count_max)
        map->bits++;
    map->shift = 32 - map->bits;
}

void map_done(struct map *map)
{
    size_t parts = (size_t)1 << map->bits;
    for (size_t i = 0; map->parts != NULL && i < parts; i++)
        heap_release(&map->heap, map->parts[i].slots, map->parts[i].size * sizeof(struct map_slot));
    heap_release(&map->heap, map->parts, parts * sizeof *map->parts);
    map->parts = NULL;
    map->largest = 0;
    map->count = 0;
}

/* Mixed, so that a caller's counting numbers spread too. The highest bits choose the part, the next
 * ones where in it the search starts. */
static uint32_t mix(uint32_t hash)
{
    uint32_t mixed = hash * 0x9e3779b1u;
    return mixed ^ mixed >> 15;
}

static struct map_part *part_of(const struct map *map, uint32_t mixed)
{
    return &map->parts[(uint64_t)mixed >> map->shift];
}

static size_t home_of(const struct map *map, const struct map_part *part, uint32_t mixed)
{
    uint32_t rest = (uint32_t)((uint64_t)mixed << map->bits);
    return (size_t)((uint64_t)rest * part->size >> 32);
}

static size_t after(const struct map_part *part, size_t at)
{
    return at + 1 < part->size ? at + 1 : 0;
}

/* Steps from one slot to another. */
static size_t distance(const struct map_part *part, size_t from, size_t to)
{
    return to >= from ? to - from : to + part->size - from;
}

void *map_find(const struct map *map, uint32_t hash, const void *key)
{
    if (map->count == 0)
        return NULL;
    uint32_t mixed = mix(hash);
    const struct map_part *part = part_of(map, mixed);
    if (UNLIKELY(part->size == 0))
        return NULL;
    for (size_t at = home_of(map, part, mixed); part->slots[at].item != NULL; at = after(part, at)) {
        const struct map_slot *slot = &part->slots[at];
        if (slot->hash == hash && map->equal(slot->item, key))
            return slot->item;
    }
    return NULL;
}

static void place(const struct map *map, struct map_part *part, struct map_slot slot)
{
    size_t at = home_of(map, part, mix(slot.hash));
    while (part->slots[at].item != NULL)
        at = after(part, at);
    part->slots[at] = slot;
}

static bool grow(struct map *map, struct map_part *part)
{
    struct map_part old = *part;
    uint32_t size = old.size == 0 ? SIZE_FIRST : old.size + old.size / 2;
    struct map_slot *slots = heap_array(&map->heap, size, sizeof *slots);
    if (slots == NULL)
        return false;
    part->slots = slots;
    part->size = size;
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].item != NULL)
            place(map, part, old.slots[i]);
    heap_release(&map->heap, old.slots, old.size * sizeof *old.slots);
    if (size > map->largest)
        map->largest = size;
    return true;
}

bool map_insert(struct map *map, uint32_t hash, void *item)
{
    ASSERT(item != NULL);
    if (map->count >= map->count_max)
        return false;
    if (map->parts == NULL)
        map->parts = heap_array(&map->heap, (size_t)1 << map->bits, sizeof *map->parts);
    if (map->parts == NULL)
        return false;
    struct map_part *part = part_of(map, mix(hash));
    if (part->count >= part->size - part->size / 4 && !grow(map, part))
        return false;
    place(map, part, (struct map_slot){item, hash});
    part->count++;
    map->count++;
    return true;
}

/* Frees the slot at `hole`, closing the gap. */
static void close_gap(const struct map *map, struct map_part *part, size_t hole)
{
    for (size_t at = after(part, hole); part->slots[at].item != NULL; at = after(part, at)) {
        /* An item may move back to the hole unless its search starts behind the hole. */
        size_t home = home_of(map, part, mix(part->slots[at].hash));
        if (distance(part, home, at) >= distance(part, hole, at)) {
            part->slots[hole] = part->slots[at];
            hole = at;
        }
    }
    part->slots[hole] = (struct map_slot){NULL, 0};
}

bool map_remove(struct map *map, uint32_t hash, const void *item)
{
    if (map->count == 0)
        return false;
    uint32_t mixed = mix(hash);
    struct map_part *part = part_of(map, mixed);
    if (part->size == 0)
        return false;
    for (size_t at = home_of(map, part, mixed); part->slots[at].item != NULL; at = after(part, at)) {
        if (part->slots[at].item == item) {
            close_gap(map, part, at);
            part->count--;
            map->count--;
            return true;
        }
    }
    return false;
}

void *map_each(const struct map *map, size_t *position)
{
    /* The first slot of each part, then the second ones, … */
    while (*position < (size_t)map->largest << map->bits) {
        size_t slot = *position >> map->bits;
        const struct map_part *part = &map->parts[*position - (slot << map->bits)];
        ++*position;
        if (slot < part->size && part->slots[slot].item != NULL)
            return part->slots[slot].item;
    }
    return NULL;
}
