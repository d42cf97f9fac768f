/* SPDX-License-Identifier: ISC */
/* zone_change.c - changes as two lists of records, and making them. */
#include "proto/dns/zone_change.h"

#include "proto/dns/zone_edit.h"
#include "proto/dns/zone_history.h"
#include "proto/dns/zone_internal.h"

enum {
    RECORD_FIXED_LEN = 8, /* type, TTL, length */
    SIDE_SIZE_MIN = 256,
};

void zone_change_init(struct zone_change *change, const struct heap *heap, size_t octets_max)
{
    *change = (struct zone_change){.heap = *heap, .octets_max = octets_max};
}

void zone_change_done(struct zone_change *change)
{
    for (size_t i = 0; i < ZONE_SIDE_COUNT; i++)
        heap_release(&change->heap, change->sides[i].octets, change->sides[i].size);
    struct heap heap = change->heap;
    zone_change_init(change, &heap, change->octets_max);
}

/* Gives back what was taken ahead. */
static void trim(const struct heap *heap, struct zone_change_side *side)
{
    if (side->len == 0 || side->size == side->len)
        return;
    side->octets = heap->resize(heap->self, side->octets, side->size, side->len);
    side->size = side->len;
}

void zone_change_move(struct zone_change *change, struct zone_change *out)
{
    for (size_t i = 0; i < ZONE_SIDE_COUNT; i++)
        trim(&change->heap, &change->sides[i]);
    *out = *change;
    zone_change_init(change, &out->heap, out->octets_max);
}

size_t zone_change_octets(const struct zone_change *change)
{
    return change->sides[ZONE_REMOVED].len + change->sides[ZONE_ADDED].len;
}

bool zone_change_is_empty(const struct zone_change *change)
{
    return change->sides[ZONE_REMOVED].count <= 1 && change->sides[ZONE_ADDED].count <= 1;
}

static enum zone_result make_room(struct zone_change *change, struct zone_change_side *side,
                                  size_t len)
{
    if (len > change->octets_max - zone_change_octets(change))
        return ZONE_FULL;
    if (len <= side->size - side->len)
        return ZONE_OK;
    size_t size = side->size < SIDE_SIZE_MIN ? SIDE_SIZE_MIN : 2 * side->size;
    while (size < side->len + len)
        size *= 2;
    uint8_t *octets = change->heap.resize(change->heap.self, side->octets, side->size, size);
    if (octets == NULL)
        return ZONE_NO_MEMORY;
    side->octets = octets;
    side->size = size;
    return ZONE_OK;
}

static void set_serial(struct zone_change *change, enum zone_side side, struct bytes soa)
{
    if (side == ZONE_REMOVED)
        change->serial_from = dns_soa_serial(soa);
    else
        change->serial_to = dns_soa_serial(soa);
}

enum zone_result zone_change_add(struct zone_change *change, enum zone_side side,
                                 const struct dns_record *record)
{
    struct zone_change_side *to = &change->sides[side];
    bool first = to->count == 0;
    if (!zone_may_hold(record) || first != (record->type == DNS_SOA))
        return ZONE_INVALID;
    size_t len = record->owner.len + (size_t)RECORD_FIXED_LEN + record->rdata.len;
    enum zone_result result = make_room(change, to, len);
    if (result != ZONE_OK)
        return result;
    struct writer w = writer_of(to->octets + to->len, len);
    dns_name_write(&w, &record->owner);
    write_u16(&w, record->type);
    write_u32(&w, record->ttl);
    write_u16(&w, (uint16_t)record->rdata.len);
    write_bytes(&w, record->rdata);
    ASSERT(!w.failed && writer_room(&w) == 0);
    to->len += len;
    to->count++;
    if (first)
        set_serial(change, side, record->rdata);
    return ZONE_OK;
}

/* One record; the reader fails if there is none. */
static void read_record(struct reader *r, struct dns_record *out)
{
    const uint8_t *owner = r->next;
    dns_name_skip(r);
    if (!dns_name_from_wire(bytes_of(owner, (size_t)(r->next - owner)), &out->owner))
        r->failed = true;
    out->type = read_u16(r);
    out->class = DNS_IN;
    out->ttl = read_u32(r);
    uint16_t len = read_u16(r);
    out->rdata = read_bytes(r, len);
    out->ttl_given = true;
}

bool zone_change_next(const struct zone_change *change, enum zone_side side, size_t *place,
                      struct dns_record *out)
{
    const struct zone_change_side *from = &change->sides[side];
    if (*place >= from->len)
        return false;
    struct reader r = reader_of(bytes_of(from->octets + *place, from->len - *place));
    read_record(&r, out);
    ASSERT(!r.failed);
    *place = from->len - reader_left(&r);
    return true;
}

struct zone_change zone_change_inverse(const struct zone_change *change)
{
    struct zone_change inverse = *change;
    inverse.serial_from = change->serial_to;
    inverse.serial_to = change->serial_from;
    inverse.sides[ZONE_REMOVED] = change->sides[ZONE_ADDED];
    inverse.sides[ZONE_ADDED] = change->sides[ZONE_REMOVED];
    return inverse;
}

/* The record that begins the side. */
static struct dns_record soa_of(const struct zone_change *change, enum zone_side side)
{
    struct dns_record soa;
    size_t place = 0;
    bool found = zone_change_next(change, side, &place, &soa);
    ASSERT(found);
    return soa;
}

bool zone_change_keeps_soa(const struct zone_change *change)
{
    const struct dns_record old = soa_of(change, ZONE_REMOVED);
    const struct dns_record new = soa_of(change, ZONE_ADDED);
    return old.ttl == new.ttl && bytes_equal(old.rdata, new.rdata);
}

static void renumber(struct zone_change *change, enum zone_side side, uint32_t serial)
{
    struct bytes rdata = soa_of(change, side).rdata;
    size_t at = (size_t)(rdata.data - change->sides[side].octets);
    dns_soa_set_serial(change->sides[side].octets + at, rdata.len, serial);
}

void zone_change_renumber(struct zone_change *change, uint32_t from, uint32_t to)
{
    renumber(change, ZONE_REMOVED, from);
    renumber(change, ZONE_ADDED, to);
    change->serial_from = from;
    change->serial_to = to;
}

/* ---- octets ---- */

void zone_change_encode(const struct zone_change *change, struct bytes out[ZONE_SIDE_COUNT])
{
    for (size_t i = 0; i < ZONE_SIDE_COUNT; i++)
        out[i] = bytes_of(change->sides[i].octets, change->sides[i].len);
}

enum zone_result zone_change_decode(struct zone_change *change, enum zone_side side,
                                    struct bytes octets)
{
    struct reader r = reader_of(octets);
    enum zone_result result = ZONE_OK;
    while (result == ZONE_OK && reader_left(&r) > 0) {
        struct dns_record record;
        read_record(&r, &record);
        result = r.failed ? ZONE_INVALID : zone_change_add(change, side, &record);
    }
    return result;
}

/* ---- making them ---- */

static enum zone_result edit_removed(struct zone_edit *edit, const struct zone_change *change)
{
    struct dns_record record;
    enum zone_result result = ZONE_OK;
    for (size_t place = 0;
         result == ZONE_OK && zone_change_next(change, ZONE_REMOVED, &place, &record);)
        result = zone_edit_remove(edit, &record);
    return result;
}

static enum zone_result edit_added(struct zone_edit *edit, const struct zone_change *change)
{
    struct dns_record record;
    enum zone_result result = ZONE_OK;
    for (size_t place = 0;
         result == ZONE_OK && zone_change_next(change, ZONE_ADDED, &place, &record);)
        result = zone_edit_add(edit, &record);
    return result;
}

enum zone_result zone_change_apply(struct zone_set *set, struct zone *zone,
                                   const struct zone_change *change)
{
    struct zone_edit edit;
    if (!zone_is_served(zone) || zone_serial(zone) != change->serial_from)
        return ZONE_OTHER_VERSION;
    enum zone_result result = zone_edit_start(&edit, set, zone);
    if (result != ZONE_OK)
        return result;
    result = edit_removed(&edit, change);
    if (result == ZONE_OK)
        result = edit_added(&edit, change);
    if (result == ZONE_OK)
        result = zone_edit_commit(&edit);
    zone_edit_done(&edit);
    return result;
}

enum zone_result zone_change_commit(struct zone_set *set, struct zone *zone,
                                    struct zone_change *change)
{
    if (set != NULL)
        zone_set_close(set);
    enum zone_result result = zone_change_apply(set, zone, change);
    if (result == ZONE_OK && zone->history != NULL)
        zone_history_add(zone->history, change);
    if (set != NULL)
        zone_set_open(set);
    return result;
}
