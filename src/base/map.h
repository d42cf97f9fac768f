/* SPDX-License-Identifier: ISC */
/*
 * map.h - a hash table of pointers: open addressing, linear probing, deletion without tombstones.
 *
 * The map stores the hash beside each item and asks `equal` only when hashes agree. Items and keys
 * belong to the caller, who hashes keys (siphash13 where strangers choose them). Bounded: an
 * insertion beyond `count_max`, or without memory to grow, is refused.
 *
 * A large map is in parts, as many as leave each a few thousand items when the map is full. Each grows
 * for itself, by half of what it has, so that no insertion takes long.
 */
#ifndef WN_BASE_MAP_H
#define WN_BASE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"

struct map_slot {
    void *item; /* NULL: free */
    uint32_t hash;
};

struct map_part {
    struct map_slot *slots;
    uint32_t size;
    uint32_t count;
};

struct map {
    struct heap heap;
    bool (*equal)(const void *item, const void *key);
    struct map_part *parts;
    unsigned bits;    /* there are 1 << bits of them */
    unsigned shift;   /* leaves so many bits of a hash */
    uint32_t largest; /* size of any */
    size_t count;
    size_t count_max;
};

/* Allocates nothing until the first insertion. */
void map_init(struct map *map, const struct heap *heap, size_t count_max,
              bool (*equal)(const void *item, const void *key));

/* Frees the table, not the items. */
void map_done(struct map *map);

/* The item with that key, or NULL. */
void *map_find(const struct map *map, uint32_t hash, const void *key);

/* Adds an item whose key is not there yet. False: full, or no memory. */
MUST_USE bool map_insert(struct map *map, uint32_t hash, void *item);

/* Removes that very item; false when it is not there. */
bool map_remove(struct map *map, uint32_t hash, const void *item);

/* Every item once, in no order: start with *place = 0; NULL ends. The map must not change in
 * between. */
void *map_each(const struct map *map, size_t *place);

#endif
