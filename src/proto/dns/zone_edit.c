/* SPDX-License-Identifier: ISC */
/*
 * zone_edit.c - copies of names in a zone of their own. That has no names on the way to others, so that
 * it holds what was touched and nothing else.
 */
#include "proto/dns/zone_edit.h"

#include "proto/dns/zone_difference.h"
#include "proto/dns/zone_internal.h"

static struct trie *nodes_of(struct zone *zone, bool hashed)
{
    return hashed ? &zone->hashed : &zone->nodes;
}

static struct bytes key_of(const struct zone_node *node)
{
    return bytes_of(node->key, node->key_len);
}

/* Copies the sets of the original. False: no memory, and some are copied. */
static bool copy_sets(struct zone *copies, struct zone_node *to, const struct zone_node *from)
{
    struct rrset **place = &to->rrsets;
    for (const struct rrset *rrset = from->rrsets; rrset != NULL; rrset = rrset->next) {
        size_t size = sizeof *rrset + zone_rrset_octets(rrset);
        struct rrset *copy = copies->heap.resize(copies->heap.self, NULL, 0, size);
        if (copy == NULL)
            return false;
        memcpy(copy, rrset, size);
        copy->next = NULL;
        *place = copy;
        place = &copy->next;
    }
    return true;
}

/* The copy of the name with that key, made if there is none. NULL: no memory. */
static struct zone_node *touch(struct zone_edit *edit, struct bytes key, bool hashed)
{
    struct trie *in = nodes_of(edit->copies, hashed);
    struct zone_node *copy = trie_find(in, key);
    if (copy != NULL)
        return copy;
    copy = zone_node_new(edit->copies, in, key);
    const struct zone_node *original = trie_find(nodes_of(edit->zone, hashed), key);
    if (copy == NULL || original == NULL || copy_sets(edit->copies, copy, original))
        return copy;
    (void)trie_remove(in, key);
    zone_node_free(edit->copies, copy);
    return NULL;
}

enum zone_result zone_edit_start(struct zone_edit *edit, struct zone_set *set, struct zone *zone)
{
    ASSERT(zone_is_served(zone));
    *edit = (struct zone_edit){set, zone, zone_new(&zone->heap, &zone->name, zone->records_max)};
    /* The node at the apex is made with the zone: so it is always touched. */
    if (edit->copies == NULL || !copy_sets(edit->copies, edit->copies->apex, zone->apex)) {
        zone_edit_done(edit);
        return ZONE_NO_MEMORY;
    }
    return ZONE_OK;
}

void zone_edit_done(struct zone_edit *edit)
{
    zone_free(edit->copies);
    edit->copies = NULL;
}

const struct zone_node *zone_edit_find(const struct zone_edit *edit, const struct dns_name *name)
{
    uint8_t octets[DNS_KEY_MAX];
    struct bytes key = bytes_of(octets, dns_key_of(name, octets));
    struct bytes apex = bytes_of(edit->zone->key, edit->zone->key_len);
    if (!zone_key_begins(key, apex))
        return NULL;
    key = bytes_after(key, apex.len);
    const struct zone_node *node = trie_find(&edit->copies->nodes, key);
    if (node == NULL)
        node = trie_find(&edit->zone->nodes, key);
    return node != NULL && node->rrsets != NULL ? node : NULL;
}

/* The copy of the record's name. */
static enum zone_result touch_owner(struct zone_edit *edit, const struct dns_record *record,
                                    struct zone_node **out)
{
    uint8_t octets[DNS_KEY_MAX];
    struct bytes key = bytes_of(octets, dns_key_of(&record->owner, octets));
    struct bytes apex = bytes_of(edit->zone->key, edit->zone->key_len);
    if (!zone_key_begins(key, apex))
        return ZONE_OUTSIDE;
    if (record->type == DNS_SOA && key.len != apex.len)
        return ZONE_INVALID; /* RFC 1035 §5.2: it is the zone's */
    *out = touch(edit, bytes_after(key, apex.len), zone_record_hashed(record));
    return *out != NULL ? ZONE_OK : ZONE_NO_MEMORY;
}

enum zone_result zone_edit_add(struct zone_edit *edit, const struct dns_record *record)
{
    struct zone_node *node;
    if (!zone_may_hold(record))
        return ZONE_INVALID;
    enum zone_result result = touch_owner(edit, record, &node);
    if (result != ZONE_OK)
        return result;
    struct rrset **place = zone_rrset_place(node, record->type, record->rdata);
    result = zone_may_join(node, *place, record);
    if (result != ZONE_OK)
        return result;
    bool there = *place != NULL && zone_rrset_holds(*place, record->rdata);
    if (!there && !zone_rrset_append(edit->copies, place, record))
        return ZONE_NO_MEMORY;
    (*place)->ttl = record->ttl;
    return there ? ZONE_THERE : ZONE_OK;
}

enum zone_result zone_edit_remove(struct zone_edit *edit, const struct dns_record *record)
{
    struct zone_node *node;
    enum zone_result result = touch_owner(edit, record, &node);
    if (result != ZONE_OK)
        return result;
    struct rrset **place = zone_rrset_place(node, record->type, record->rdata);
    if (*place == NULL || zone_rrset_take_out(edit->copies, place, &record->rdata) == 0)
        return ZONE_NOT_THERE;
    return ZONE_OK;
}

bool zone_type_is_of_signers(uint16_t type)
{
    switch (type) {
    case DNS_RRSIG:
    case DNS_NSEC:
    case DNS_NSEC3:
    case DNS_NSEC3PARAM:
    case DNS_DNSKEY:
    case DNS_CDS:
    case DNS_CDNSKEY:
    case DNS_ZONEMD:
        return true;
    default:
        return false;
    }
}

static bool is_removed(const struct zone_edit *edit, uint16_t of, uint16_t type, bool apex)
{
    if (type != DNS_ANY)
        return of == type;
    bool kept = zone_signatures(edit->zone->apex, DNS_SOA) != NULL && zone_type_is_of_signers(of);
    return of != DNS_SOA && !(apex && of == DNS_NS) && !kept;
}

enum zone_result zone_edit_remove_type(struct zone_edit *edit, const struct dns_name *name,
                                       uint16_t type, size_t *count)
{
    struct zone_node *node;
    struct dns_record owner = {.type = DNS_ANY, .rdata = bytes_empty()};
    dns_name_copy(&owner.owner, name);
    enum zone_result result = touch_owner(edit, &owner, &node);
    *count = 0;
    if (result != ZONE_OK)
        return result;
    for (struct rrset **place = &node->rrsets; *place != NULL;) {
        struct rrset *rrset = *place;
        if (is_removed(edit, rrset->type, type, zone_is_apex(node)))
            *count += zone_rrset_take_out(edit->copies, place, NULL);
        else
            place = &rrset->next;
    }
    return ZONE_OK;
}

void zone_edit_set_serial(struct zone_edit *edit, uint32_t serial)
{
    struct rrset *soa = *zone_rrset_place(edit->copies->apex, DNS_SOA, bytes_empty());
    dns_soa_set_serial(soa->octets + sizeof(uint16_t), rrset_first(soa).len, serial);
}

/* ---- what it comes to ---- */

static enum zone_result compare_copies(const struct zone_edit *edit, struct zone_change *change,
                                       bool hashed)
{
    const struct trie *copies = nodes_of(edit->copies, hashed);
    const struct trie *originals = nodes_of(edit->zone, hashed);
    enum zone_result result = ZONE_OK;
    const struct zone_node *copy = trie_first(copies);
    while (copy != NULL && result == ZONE_OK) {
        struct bytes key = key_of(copy);
        result = zone_difference_node(change, edit->zone, trie_find(originals, key), copy);
        copy = trie_after(copies, key);
    }
    return result;
}

enum zone_result zone_edit_difference(const struct zone_edit *edit, struct zone_change *change)
{
    enum zone_result result =
        zone_difference_soa(change, edit->zone, edit->zone->apex, edit->copies->apex);
    if (result == ZONE_OK)
        result = compare_copies(edit, change, false);
    if (result == ZONE_OK)
        result = compare_copies(edit, change, true);
    return result;
}

enum zone_result zone_edit_settle(struct zone_edit *edit, struct zone_change *change)
{
    struct bytes sides[ZONE_SIDE_COUNT];
    enum zone_result result = zone_edit_difference(edit, change);
    if (result != ZONE_OK)
        return result;
    zone_change_encode(change, sides);
    bool same = bytes_equal(sides[ZONE_REMOVED], sides[ZONE_ADDED]); /* the SOA of each, at least */
    if (!same && dns_serial_before(change->serial_from, change->serial_to))
        return ZONE_OK;
    zone_change_done(change);
    if (same)
        return ZONE_OK;
    zone_edit_set_serial(edit, dns_serial_next(zone_serial(edit->zone)));
    return zone_edit_difference(edit, change);
}

enum zone_result zone_edit_settle_signed(struct zone_edit *edit, struct zone_change *change)
{
    struct bytes sides[ZONE_SIDE_COUNT];
    enum zone_result result = zone_edit_difference(edit, change);
    if (result != ZONE_OK)
        return result;
    zone_change_encode(change, sides);
    if (bytes_equal(sides[ZONE_REMOVED], sides[ZONE_ADDED])) {
        zone_change_done(change);
        return ZONE_OK;
    }
    if (zone_change_keeps_soa(change) ||
        dns_serial_before(change->serial_from, change->serial_to))
        return ZONE_OK;
    zone_change_done(change);
    zone_edit_set_serial(edit, dns_serial_next(zone_serial(edit->zone)));
    return zone_edit_difference(edit, change);
}

static size_t count_records(const struct zone_node *node)
{
    size_t count = 0;
    if (node != NULL)
        for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
            count += rrset->count;
    return count;
}

/* What one step of the commit does with a copy. False: no memory. */
typedef bool (*step)(struct zone_edit *edit, struct zone_node *copy, bool hashed);

static bool each_copy(struct zone_edit *edit, step todo)
{
    for (int hashed = 0; hashed <= 1; hashed++) {
        struct trie *copies = nodes_of(edit->copies, hashed);
        struct zone_node *copy = trie_first(copies);
        while (copy != NULL) {
            if (!todo(edit, copy, hashed))
                return false;
            copy = trie_after(copies, key_of(copy));
        }
    }
    return true;
}

/* Counts records in the copies' own count: how many there would be in the zone. */
static bool count_copy(struct zone_edit *edit, struct zone_node *copy, bool hashed)
{
    const struct zone_node *original = trie_find(nodes_of(edit->zone, hashed), key_of(copy));
    edit->copies->record_count += count_records(copy);
    edit->copies->record_count -= count_records(original); /* which is counted in the zone's */
    return true;
}

static bool make_node(struct zone_edit *edit, struct zone_node *copy, bool hashed)
{
    return copy->rrsets == NULL || zone_node_get(edit->zone, key_of(copy), hashed) != NULL;
}

static bool swap_sets(struct zone_edit *edit, struct zone_node *copy, bool hashed)
{
    struct zone_node *node = trie_find(nodes_of(edit->zone, hashed), key_of(copy));
    if (node == NULL)
        return true; /* never was, and will not be */
    struct rrset *rrsets = node->rrsets;
    node->rrsets = copy->rrsets;
    copy->rrsets = rrsets;
    zone_note_types(node);
    return true;
}

static bool tidy(struct zone_edit *edit, struct zone_node *copy, bool hashed)
{
    zone_node_tidy(edit->zone, key_of(copy), hashed);
    return true;
}

/* Is there room for as many records as there would be? */
static bool fits(const struct zone_edit *edit, size_t count)
{
    const struct zone *zone = edit->zone;
    if (count <= zone->record_count)
        return true;
    size_t more = count - zone->record_count;
    return edit->set != NULL ? more <= edit->set->records_max - edit->set->record_count
                             : count <= zone->records_max;
}

enum zone_result zone_edit_commit(struct zone_edit *edit)
{
    struct zone *zone = edit->zone;
    if (!zone_is_served(edit->copies))
        return ZONE_INVALID;
    edit->copies->record_count = zone->record_count;
    (void)each_copy(edit, count_copy);
    size_t count = edit->copies->record_count;
    if (!fits(edit, count))
        return ZONE_FULL;
    if (edit->set != NULL)
        zone_set_close(edit->set);
    bool made = each_copy(edit, make_node);
    if (made) {
        (void)each_copy(edit, swap_sets);
        if (edit->set != NULL)
            edit->set->record_count += count - zone->record_count;
        zone->record_count = count;
    }
    (void)each_copy(edit, tidy);
    if (edit->set != NULL)
        zone_set_open(edit->set);
    return made ? ZONE_OK : ZONE_NO_MEMORY;
}
