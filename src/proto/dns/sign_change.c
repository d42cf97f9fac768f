/* SPDX-License-Identifier: ISC */
/* sign_change.c - records that come and go, summed up. */
#include "proto/dns/sign_change.h"

struct sign_change_item {
    uint32_t hash;
    bool added;
    bool gone; /* undone by a later one */
    uint32_t ttl;
    uint16_t type;
    uint8_t owner_len;
    size_t at; /* of the owner, and behind it the RDATA */
    size_t rdata_len;
};

enum { ITEMS_FIRST = 64, OCTETS_FIRST = 8192 };

void sign_change_init(struct sign_change *change, const struct heap *heap)
{
    *change = (struct sign_change){.heap = *heap};
}

void sign_change_done(struct sign_change *change)
{
    heap_release(&change->heap, change->items, change->room * sizeof *change->items);
    heap_release(&change->heap, change->octets, change->size);
    sign_change_init(change, &change->heap);
}

static uint32_t hash_of(const struct dns_record *record)
{
    uint32_t hash = dns_name_hash(&record->owner) ^ record->ttl ^ (uint32_t)record->type << 16;
    for (size_t i = 0; i < record->rdata.len; i++)
        hash = (hash ^ record->rdata.data[i]) * UINT32_C(16777619); /* FNV-1a */
    return hash;
}

static bool is_same(const struct sign_change *change, const struct sign_change_item *item,
                    const struct dns_record *record)
{
    const uint8_t *at = change->octets + item->at;
    struct dns_name owner = {.len = item->owner_len};
    memcpy(owner.octets, at, item->owner_len);
    return item->type == record->type && item->ttl == record->ttl &&
           bytes_equal(bytes_of(at + item->owner_len, item->rdata_len), record->rdata) &&
           dns_name_equal(&owner, &record->owner);
}

/* Is it the opposite of an earlier one? Then neither is anything. */
static bool undo(struct sign_change *change, bool added, const struct dns_record *record, uint32_t hash)
{
    for (size_t i = change->count; i-- > 0;) {
        struct sign_change_item *item = &change->items[i];
        if (item->hash == hash && !item->gone && item->added != added &&
            is_same(change, item, record)) {
            item->gone = true;
            return true;
        }
    }
    return false;
}

static bool grow(struct sign_change *change, size_t more)
{
    if (change->count == change->room) {
        size_t room = change->room == 0 ? ITEMS_FIRST : 2 * change->room;
        void *items = change->heap.resize(change->heap.self, change->items,
                                          change->room * sizeof *change->items,
                                          room * sizeof *change->items);
        if (items == NULL)
            return false;
        change->items = items;
        change->room = room;
    }
    size_t size = change->size == 0 ? OCTETS_FIRST : change->size;
    while (size - change->len < more)
        size *= 2;
    if (size == change->size)
        return true;
    uint8_t *octets = change->heap.resize(change->heap.self, change->octets, change->size, size);
    if (octets == NULL)
        return false;
    change->octets = octets;
    change->size = size;
    return true;
}

void sign_change_note(void *self, bool added, const struct dns_record *record)
{
    struct sign_change *change = self;
    uint32_t hash = hash_of(record);
    size_t len = record->owner.len + record->rdata.len;
    if (change->failed || undo(change, added, record, hash))
        return;
    if (change->count == SIGN_CHANGE_RECORDS_MAX || !grow(change, len)) {
        change->failed = true;
        return;
    }
    struct sign_change_item *item = &change->items[change->count++];
    *item = (struct sign_change_item){.hash = hash,
                                      .added = added,
                                      .ttl = record->ttl,
                                      .type = record->type,
                                      .owner_len = record->owner.len,
                                      .at = change->len,
                                      .rdata_len = record->rdata.len};
    memcpy(change->octets + change->len, record->owner.octets, record->owner.len);
    memcpy(change->octets + change->len + record->owner.len, record->rdata.data, record->rdata.len);
    change->len += len;
}

static enum zone_result put(const struct sign_change *change, const struct sign_change_item *item,
                            struct zone_change *out)
{
    struct dns_record record = {.type = item->type, .class = DNS_IN, .ttl = item->ttl};
    record.owner.len = item->owner_len;
    memcpy(record.owner.octets, change->octets + item->at, item->owner_len);
    record.rdata = bytes_of(change->octets + item->at + item->owner_len, item->rdata_len);
    return zone_change_add(out, item->added ? ZONE_ADDED : ZONE_REMOVED, &record);
}

/* The SOA records, which begin each side, or all others. */
static enum zone_result put_all(const struct sign_change *change, bool soa, struct zone_change *out)
{
    enum zone_result result = ZONE_OK;
    for (size_t i = 0; i < change->count && result == ZONE_OK; i++)
        if (!change->items[i].gone && (change->items[i].type == DNS_SOA) == soa)
            result = put(change, &change->items[i], out);
    return result;
}

enum zone_result sign_change_take(struct sign_change *change, struct zone_change *out)
{
    enum zone_result result = change->failed ? ZONE_FULL : put_all(change, true, out);
    if (result == ZONE_OK && (out->sides[ZONE_REMOVED].count == 0 || out->sides[ZONE_ADDED].count == 0))
        result = ZONE_INVALID;
    if (result == ZONE_OK)
        result = put_all(change, false, out);
    change->count = change->len = 0;
    change->failed = false;
    return result;
}
