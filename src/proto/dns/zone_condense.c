/* SPDX-License-Identifier: ISC */
/* zone_condense.c - each record once, with what became of it in the end. */
#include "proto/dns/zone_condense.h"

#include "base/map.h"
#include "base/siphash.h"

enum fate { FATE_REMOVED = -1, FATE_NONE = 0, FATE_ADDED = 1 };

/* A record that some change speaks of. */
struct entry {
    struct bytes octets; /* within the history */
    enum fate fate;
};

struct condenser {
    struct heap heap;
    struct entry *entries; /* in the order in which they were first spoken of */
    size_t count;
    size_t size;
    struct map map;
};

static bool is_entry(const void *item, const void *key)
{
    const struct entry *entry = item;
    const struct bytes *octets = key;
    return bytes_equal(entry->octets, *octets);
}

static bool note(struct condenser *c, struct bytes octets, enum fate fate)
{
    static const struct siphash_key key = {0x7a6f6e65, 0x636f6e64};
    uint32_t hash = (uint32_t)siphash13(&key, octets);
    struct entry *entry = map_find(&c->map, hash, &octets);
    if (entry != NULL) {
        entry->fate = entry->fate == FATE_NONE ? fate : FATE_NONE; /* it comes back, or goes again */
        return true;
    }
    ASSERT(c->count < c->size);
    entry = &c->entries[c->count++];
    *entry = (struct entry){octets, fate};
    return map_insert(&c->map, hash, entry);
}

/* The records of one side, but for its SOA. */
static bool note_side(struct condenser *c, const struct zone_change *change, enum zone_side side)
{
    struct dns_record record;
    size_t place = 0;
    size_t before = 0;
    bool good = true;
    while (good && zone_change_next(change, side, &place, &record)) {
        struct bytes octets = bytes_of(change->sides[side].octets + before, place - before);
        if (before > 0)
            good = note(c, octets, side == ZONE_REMOVED ? FATE_REMOVED : FATE_ADDED);
        before = place;
    }
    return good;
}

static enum zone_result add_octets(struct zone_change *out, enum zone_side side,
                                   struct bytes octets)
{
    struct zone_change view = {.sides[ZONE_ADDED] = {.octets = (uint8_t *)(uintptr_t)octets.data,
                                                     .len = octets.len}};
    struct dns_record record;
    size_t place = 0;
    bool there = zone_change_next(&view, ZONE_ADDED, &place, &record);
    ASSERT(there);
    return zone_change_add(out, side, &record);
}

static enum zone_result write(const struct condenser *c, const struct zone_change *ends[2],
                              struct zone_change *out)
{
    static const enum fate fates[] = {[ZONE_REMOVED] = FATE_REMOVED, [ZONE_ADDED] = FATE_ADDED};
    enum zone_result result = ZONE_OK;
    for (size_t side = 0; side < ZONE_SIDE_COUNT && result == ZONE_OK; side++) {
        const struct zone_change_side *from = &ends[side]->sides[side];
        result = add_octets(out, (enum zone_side)side, bytes_of(from->octets, from->len));
        for (size_t i = 0; i < c->count && result == ZONE_OK; i++)
            if (c->entries[i].fate == fates[side])
                result = add_octets(out, (enum zone_side)side, c->entries[i].octets);
    }
    return result;
}

enum zone_result zone_condense(const struct zone_history *history,
                               const struct zone_change *first, struct zone_change *out)
{
    struct condenser c = {.heap = history->heap};
    const struct zone_change *last = first;
    for (const struct zone_change *at = first; at != NULL; at = zone_history_next(history, at)) {
        c.size += at->sides[ZONE_REMOVED].count + at->sides[ZONE_ADDED].count;
        last = at;
    }
    c.entries = heap_array(&c.heap, c.size, sizeof *c.entries);
    if (c.entries == NULL)
        return ZONE_NO_MEMORY;
    map_init(&c.map, &c.heap, c.size, is_entry);
    bool good = true;
    for (const struct zone_change *at = first; at != NULL && good;
         at = zone_history_next(history, at))
        good = note_side(&c, at, ZONE_REMOVED) && note_side(&c, at, ZONE_ADDED);
    const struct zone_change *ends[] = {[ZONE_REMOVED] = first, [ZONE_ADDED] = last};
    enum zone_result result = good ? write(&c, ends, out) : ZONE_NO_MEMORY;
    map_done(&c.map);
    heap_release(&c.heap, c.entries, c.size * sizeof *c.entries);
    return result;
}
