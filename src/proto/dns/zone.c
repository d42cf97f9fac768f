/* SPDX-License-Identifier: ISC */
/*
 * zone.c - zones in memory. The names of a zone are keys of a trie, and an ancestor's key is a prefix
 * of its descendants': one descent finds a name and all that lies above it.
 *
 * Empty non-terminals are nodes without records, so that they are found like other names.
 */
#include "proto/dns/zone.h"

#include "proto/dns/zone_history.h"
#include "proto/dns/zone_internal.h"

static struct bytes key_of_zone(const void *item)
{
    const struct zone *zone = item;
    return bytes_of(zone->key, zone->key_len);
}

static struct bytes key_of_node(const void *item)
{
    const struct zone_node *node = item;
    return bytes_of(node->key, node->key_len);
}

struct zone_set *zone_set_new(const struct heap *heap, size_t records_max)
{
    struct zone_set *set = heap_zeroed(heap, sizeof *set);
    if (set == NULL)
        return NULL;
    set->heap = *heap;
    set->records_max = records_max;
    trie_init(&set->zones, heap, records_max, key_of_zone);
    return set;
}

/* ---- sets of records ---- */

size_t zone_rrset_octets(const struct rrset *rrset)
{
    struct rrset_place place = {0};
    struct bytes rdata;
    while (rrset_next(rrset, &place, &rdata))
        continue;
    return place.at;
}

static void free_rrset(struct zone *zone, struct rrset *rrset)
{
    heap_release(&zone->heap, rrset, sizeof *rrset + zone_rrset_octets(rrset));
}

/* Of RRSIG, the type that it covers. */
static uint16_t covered(const struct rrset *rrset)
{
    struct reader r = reader_of(rrset_first(rrset));
    return read_u16(&r);
}

struct rrset **zone_rrset_place(struct zone_node *node, uint16_t type, struct bytes rdata)
{
    struct reader r = reader_of(rdata);
    uint16_t covers = type == DNS_RRSIG ? read_u16(&r) : 0;
    struct rrset **place = &node->rrsets;
    while (*place != NULL &&
           !((*place)->type == type && (type != DNS_RRSIG || covered(*place) == covers)))
        place = &(*place)->next;
    return place;
}

bool zone_rrset_holds(const struct rrset *rrset, struct bytes rdata)
{
    struct rrset_place place = {0};
    struct bytes here;
    while (rrset_next(rrset, &place, &here))
        if (dns_rdata_equal(rrset->type, here, rdata))
            return true;
    return false;
}

/* Adds a record to the set at *place, which may be NULL. False: no memory, and nothing changed. */
bool zone_rrset_append(struct zone *zone, struct rrset **place, const struct dns_record *record)
{
    struct rrset *old = *place;
    uint16_t len = (uint16_t)record->rdata.len;
    size_t before = old != NULL ? zone_rrset_octets(old) : 0;
    size_t old_size = old != NULL ? sizeof *old + before : 0;
    struct rrset *rrset = zone->heap.resize(zone->heap.self, old, old_size,
                                           sizeof *rrset + before + sizeof len + len);
    if (rrset == NULL)
        return false;
    if (old == NULL)
        *rrset = (struct rrset){.type = record->type, .ttl = record->ttl};
    memcpy(rrset->octets + before, &len, sizeof len);
    memcpy(rrset->octets + before + sizeof len, record->rdata.data, len);
    rrset->count++;
    if (record->ttl < rrset->ttl)
        rrset->ttl = record->ttl;
    *place = rrset;
    return true;
}

/* Takes the records with that RDATA (NULL: all) out of the set at *place; an empty set goes. */
size_t zone_rrset_take_out(struct zone *zone, struct rrset **place, const struct bytes *rdata)
{
    struct rrset *rrset = *place;
    size_t size = sizeof *rrset + zone_rrset_octets(rrset);
    size_t removed = 0;
    size_t kept = 0;
    size_t at = 0;
    uint16_t count = rrset->count;
    for (uint16_t i = 0; i < count; i++) {
        uint16_t len;
        memcpy(&len, rrset->octets + at, sizeof len);
        size_t whole = sizeof len + len;
        struct bytes here = bytes_of(rrset->octets + at + sizeof len, len);
        if (rdata == NULL || dns_rdata_equal(rrset->type, here, *rdata)) {
            removed++;
        } else {
            memmove(rrset->octets + kept, rrset->octets + at, whole);
            kept += whole;
        }
        at += whole;
    }
    rrset->count = (uint16_t)(count - removed);
    if (rrset->count == 0) {
        *place = rrset->next;
        heap_release(&zone->heap, rrset, size);
    } else if (removed > 0) {
        *place = zone->heap.resize(zone->heap.self, rrset, size, sizeof *rrset + kept);
    }
    return removed;
}

/* ---- nodes ---- */

void zone_node_free(struct zone *zone, struct zone_node *node)
{
    while (node->rrsets != NULL) {
        struct rrset *rrset = node->rrsets;
        node->rrsets = rrset->next;
        free_rrset(zone, rrset);
    }
    heap_release(&zone->heap, node, sizeof *node + node->key_len);
}

struct zone_node *zone_node_new(struct zone *zone, struct trie *in, struct bytes key)
{
    struct zone_node *node = heap_zeroed(&zone->heap, sizeof *node + key.len);
    if (node == NULL)
        return NULL;
    node->key_len = (uint16_t)key.len;
    memcpy(node->key, key.data, key.len);
    if (trie_insert(in, node) != TRIE_OK) {
        zone_node_free(zone, node);
        return NULL;
    }
    return node;
}

/* The key of the parent: without its last label. */
static struct bytes parent_key(struct bytes key)
{
    size_t len = key.len - 1;
    while (len > 0 && key.data[len - 1] != 0)
        len--;
    return bytes_first(key, len);
}

static bool is_wildcard(struct bytes key)
{
    static const uint8_t label[] = {'*', 0};
    size_t parent_len = parent_key(key).len;
    return bytes_equal(bytes_after(key, parent_len), bytes_of(label, sizeof label));
}

bool zone_key_begins(struct bytes key, struct bytes prefix)
{
    return key.len >= prefix.len && memcmp(key.data, prefix.data, prefix.len) == 0;
}

/* A node with nothing in or below it does not exist, nor do ancestors that were there for it. */
static void prune(struct zone *zone, struct bytes key)
{
    while (key.len > 0) {
        struct zone_node *node = trie_find(&zone->nodes, key);
        struct zone_node *next = trie_after(&zone->nodes, key);
        if (node != NULL && node->rrsets != NULL)
            return;
        if (next != NULL && zone_key_begins(key_of_node(next), key))
            return;
        struct bytes above = parent_key(key);
        if (node != NULL) {
            (void)trie_remove(&zone->nodes, key);
            zone_node_free(zone, node);
        }
        struct zone_node *parent = trie_find(&zone->nodes, above);
        if (parent != NULL && is_wildcard(key))
            parent->flags &= (uint8_t)~ZONE_HAS_WILDCARD;
        key = above;
    }
}

/* The node with that key, made with all that must exist above it. NULL: no memory. */
static struct zone_node *get_node(struct zone *zone, struct bytes key)
{
    void *path[DNS_LABELS_MAX + 1];
    size_t count = trie_prefixes(&zone->nodes, key, path, ARRAY_LEN(path));
    struct zone_node *node = path[count - 1]; /* the apex at least */
    for (size_t len = node->key_len + 1u; len <= key.len; len++) {
        if (key.data[len - 1] != 0)
            continue; /* inside of a label */
        struct zone_node *parent = node;
        struct bytes part = bytes_first(key, len);
        node = zone_node_new(zone, &zone->nodes, part);
        if (node == NULL) {
            prune(zone, part);
            return NULL;
        }
        if (is_wildcard(part))
            parent->flags |= ZONE_HAS_WILDCARD;
    }
    return node;
}

/* What the search asks of a node, kept beside its records. */
void zone_note_types(struct zone_node *node)
{
    node->flags &= ZONE_HAS_WILDCARD;
    if (zone_rrset(node, DNS_NS) != NULL)
        node->flags |= ZONE_HAS_NS;
    if (zone_rrset(node, DNS_DNAME) != NULL)
        node->flags |= ZONE_HAS_DNAME;
}

void zone_node_name(const struct zone *zone, const struct zone_node *node, struct dns_name *out)
{
    dns_key_name(bytes_of(node->key, node->key_len), &zone->name, out);
}

/* ---- zones ---- */

static void free_visited(void *self, void *item)
{
    zone_node_free(self, item);
}

void zone_free(struct zone *zone)
{
    if (zone == NULL)
        return;
    trie_each(&zone->nodes, free_visited, zone);
    trie_each(&zone->hashed, free_visited, zone);
    trie_done(&zone->nodes);
    trie_done(&zone->hashed);
    zone_history_free(zone->history);
    struct heap heap = zone->heap;
    heap_release(&heap, zone, sizeof *zone);
}

struct zone *zone_new(const struct heap *heap, const struct dns_name *name, size_t records_max)
{
    struct zone *zone = heap_zeroed(heap, sizeof *zone);
    if (zone == NULL)
        return NULL;
    zone->heap = *heap;
    zone->records_max = records_max;
    dns_name_copy(&zone->name, name);
    zone->key_len = (uint16_t)dns_key_of(name, zone->key);
    /* A record may make a node for every label of its name, but names in a zone share most. */
    size_t nodes_max = 4 * records_max + DNS_LABELS_MAX;
    trie_init(&zone->nodes, heap, nodes_max, key_of_node);
    trie_init(&zone->hashed, heap, nodes_max, key_of_node);
    zone->apex = zone_node_new(zone, &zone->nodes, bytes_empty());
    if (zone->apex == NULL) {
        zone_free(zone);
        return NULL;
    }
    return zone;
}

static bool empty_trie(struct zone *zone, struct trie *t, size_t *names)
{
    struct zone_node *node;
    while (*names > 0 && (node = trie_first(t)) != NULL) {
        (void)trie_remove(t, key_of_node(node));
        zone_node_free(zone, node);
        --*names;
    }
    return t->count == 0;
}

bool zone_empty(struct zone *zone, size_t names)
{
    bool plain = empty_trie(zone, &zone->nodes, &names);
    bool hashed = empty_trie(zone, &zone->hashed, &names);
    return plain && hashed;
}

bool zone_is_served(const struct zone *zone)
{
    return zone_rrset(zone->apex, DNS_SOA) != NULL;
}

static void free_visited_zone(void *self, void *item)
{
    (void)self;
    zone_free(item);
}

void zone_set_free(struct zone_set *set)
{
    if (set == NULL)
        return;
    trie_each(&set->zones, free_visited_zone, NULL);
    trie_done(&set->zones);
    heap_release(&set->heap, set, sizeof *set);
}

void zone_set_guard(struct zone_set *set, const struct zone_guard *guard)
{
    set->guard = guard != NULL ? *guard : (struct zone_guard){0};
}

void zone_set_close(const struct zone_set *set)
{
    if (set->guard.close != NULL)
        set->guard.close(set->guard.self);
}

void zone_set_open(const struct zone_set *set)
{
    if (set->guard.close != NULL)
        set->guard.open(set->guard.self);
}

size_t zone_set_count(const struct zone_set *set)
{
    return set->record_count;
}

struct zone *zone_set_find_key(const struct zone_set *set, struct bytes key, bool above)
{
    void *zones[DNS_LABELS_MAX + 1];
    size_t count = trie_prefixes(&set->zones, key, zones, ARRAY_LEN(zones));
    if (above && count > 0 && ((struct zone *)zones[count - 1])->key_len == key.len)
        count--;
    return count > 0 ? zones[count - 1] : NULL;
}

struct zone *zone_set_find(const struct zone_set *set, const struct dns_name *name, bool above)
{
    uint8_t key[DNS_KEY_MAX];
    size_t len = dns_key_of(name, key);
    return zone_set_find_key(set, bytes_of(key, len), above);
}

uint64_t zone_set_changes(const struct zone_set *set)
{
    return set->changes;
}

struct zone *zone_set_next(const struct zone_set *set, const struct zone *after)
{
    return after != NULL ? trie_after(&set->zones, key_of_zone(after)) : trie_first(&set->zones);
}

struct zone *zone_set_get(const struct zone_set *set, const struct dns_name *name)
{
    uint8_t key[DNS_KEY_MAX];
    size_t len = dns_key_of(name, key);
    return trie_find(&set->zones, bytes_of(key, len));
}

struct zone *zone_set_take(struct zone_set *set, const struct dns_name *name)
{
    struct zone *zone = zone_set_get(set, name);
    if (zone == NULL)
        return NULL;
    zone_set_close(set);
    (void)trie_remove(&set->zones, key_of_zone(zone));
    set->record_count -= zone->record_count;
    set->changes++;
    zone_set_open(set);
    return zone;
}

void zone_set_recount(struct zone_set *set, size_t before, size_t after)
{
    ASSERT(set->record_count >= before);
    set->record_count += after;
    set->record_count -= before;
}

bool zone_set_remove(struct zone_set *set, const struct dns_name *name)
{
    struct zone *zone = zone_set_take(set, name);
    zone_free(zone);
    return zone != NULL;
}

static enum zone_result install(struct zone_set *set, struct zone *zone, struct zone **old)
{
    struct zone *before = trie_find(&set->zones, key_of_zone(zone));
    size_t others = set->record_count - (before != NULL ? before->record_count : 0);
    if (zone->record_count > set->records_max - others)
        return ZONE_FULL;
    if (before != NULL)
        (void)trie_replace(&set->zones, zone);
    else if (trie_insert(&set->zones, zone) != TRIE_OK)
        return ZONE_NO_MEMORY;
    set->record_count = others + zone->record_count;
    set->changes++;
    *old = before;
    return ZONE_OK;
}

enum zone_result zone_set_install(struct zone_set *set, struct zone *zone, struct zone **old)
{
    zone_set_close(set);
    enum zone_result result = install(set, zone, old);
    zone_set_open(set);
    return result;
}

const char *zone_result_text(enum zone_result result)
{
    static const char *const texts[] = {
        [ZONE_OK] = "ok",
        [ZONE_FULL] = "too many records",
        [ZONE_NO_MEMORY] = "no memory",
        [ZONE_INVALID] = "not a record that a zone can hold",
        [ZONE_CNAME_ALONE] = "a CNAME must be the only record of its name",
        [ZONE_ONLY_ONE] = "there can be only one of that type at a name",
        [ZONE_OUTSIDE] = "the name is in no zone of this server",
        [ZONE_NOT_THERE] = "the zone has no such record to remove",
        [ZONE_THERE] = "the zone has that record already",
        [ZONE_OTHER_VERSION] = "the zone has another serial number",
    };
    _Static_assert(ARRAY_LEN(texts) == ZONE_RESULT_COUNT, "one text per result");
    return texts[result];
}

/* The zone has changed: its serial number goes up by one (RFC 1035 §3.3.13, RFC 1982). */
static void touch(struct zone *zone)
{
    struct rrset *soa = *zone_rrset_place(zone->apex, DNS_SOA, bytes_empty());
    if (soa == NULL)
        return;
    dns_soa_set_serial(soa->octets + sizeof(uint16_t), rrset_first(soa).len,
                       dns_serial_next(zone_serial(zone)));
}

/* ---- adding ---- */

/* Types that are beside any other, a CNAME included (RFC 4034 §3, §4; RFC 2181 §10.1). */
static bool is_companion(uint16_t type)
{
    return type == DNS_RRSIG || type == DNS_NSEC;
}

static bool has_but_companions(const struct zone_node *node)
{
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
        if (!is_companion(rrset->type))
            return true;
    return false;
}

enum zone_result zone_may_join(const struct zone_node *node, const struct rrset *rrset,
                               const struct dns_record *record)
{
    if (rrset != NULL && zone_rrset_holds(rrset, record->rdata))
        return ZONE_OK;
    if (rrset != NULL &&
        (record->type == DNS_SOA || record->type == DNS_CNAME || record->type == DNS_DNAME))
        return ZONE_ONLY_ONE;
    if (record->type == DNS_CNAME && has_but_companions(node))
        return ZONE_CNAME_ALONE;
    if (!is_companion(record->type) && record->type != DNS_CNAME &&
        zone_rrset(node, DNS_CNAME) != NULL)
        return ZONE_CNAME_ALONE;
    if (rrset != NULL && rrset->count >= ZONE_RRSET_MAX)
        return ZONE_FULL;
    return ZONE_OK;
}

/* NSEC3 records and their signatures have names of their own. */
bool zone_record_hashed(const struct dns_record *record)
{
    struct reader r = reader_of(record->rdata);
    return record->type == DNS_NSEC3 ||
           (record->type == DNS_RRSIG && read_u16(&r) == DNS_NSEC3);
}

struct zone_node *zone_node_get(struct zone *zone, struct bytes key, bool hashed)
{
    if (!hashed)
        return get_node(zone, key);
    struct zone_node *node = trie_find(&zone->hashed, key);
    return node != NULL ? node : zone_node_new(zone, &zone->hashed, key);
}

void zone_node_tidy(struct zone *zone, struct bytes key, bool hashed)
{
    if (!hashed) {
        prune(zone, key);
        return;
    }
    struct zone_node *node = trie_find(&zone->hashed, key);
    if (node != NULL && node->rrsets == NULL) {
        (void)trie_remove(&zone->hashed, key);
        zone_node_free(zone, node);
    }
}

static enum zone_result add_to(struct zone *zone, struct bytes key,
                               const struct dns_record *record)
{
    bool hashed = zone_record_hashed(record);
    struct zone_node *node = zone_node_get(zone, key, hashed);
    if (node == NULL)
        return ZONE_NO_MEMORY;
    struct rrset **place = zone_rrset_place(node, record->type, record->rdata);
    enum zone_result result = zone_may_join(node, *place, record);
    bool there = *place != NULL && zone_rrset_holds(*place, record->rdata);
    zone->ttl_differences += result == ZONE_OK && *place != NULL && record->ttl != (*place)->ttl;
    if (result == ZONE_OK && there && record->ttl < (*place)->ttl)
        (*place)->ttl = record->ttl;
    if (result == ZONE_OK && !there && zone->record_count >= zone->records_max)
        result = ZONE_FULL;
    if (result == ZONE_OK && !there && !zone_rrset_append(zone, place, record))
        result = ZONE_NO_MEMORY;
    if (result != ZONE_OK || there) {
        zone_node_tidy(zone, key, hashed);
        return result;
    }
    zone_note_types(node);
    zone->record_count++;
    return ZONE_OK;
}

bool zone_may_hold(const struct dns_record *record)
{
    return record->class == DNS_IN && dns_type_is_data(record->type) &&
           record->rdata.len <= ZONE_RDATA_MAX && dns_rdata_valid(record->type, record->rdata);
}

enum zone_result zone_put(struct zone *zone, const struct dns_record *record)
{
    uint8_t octets[DNS_KEY_MAX];
    struct bytes key = bytes_of(octets, dns_key_of(&record->owner, octets));
    if (!zone_may_hold(record))
        return ZONE_INVALID;
    if (!zone_key_begins(key, key_of_zone(zone)))
        return ZONE_OUTSIDE;
    if (record->type == DNS_SOA && key.len != zone->key_len)
        return ZONE_INVALID; /* RFC 1035 §5.2: it is the zone's */
    return add_to(zone, bytes_after(key, zone->key_len), record);
}

/* A zone that begins with its SOA. */
static enum zone_result begin_zone(struct zone_set *set, const struct dns_record *soa)
{
    if (set->record_count >= set->records_max)
        return ZONE_FULL;
    struct zone *zone = zone_new(&set->heap, &soa->owner, set->records_max);
    if (zone == NULL)
        return ZONE_NO_MEMORY;
    struct zone *old;
    enum zone_result result = zone_put(zone, soa);
    if (result == ZONE_OK)
        result = zone_set_install(set, zone, &old); /* there was none of that name */
    if (result != ZONE_OK)
        zone_free(zone);
    return result;
}

enum zone_result zone_add(struct zone_set *set, const struct dns_record *record)
{
    uint8_t octets[DNS_KEY_MAX];
    struct bytes key = bytes_of(octets, dns_key_of(&record->owner, octets));
    if (!zone_may_hold(record))
        return ZONE_INVALID;
    /* A DS record is the parent's (RFC 4035 §2.4). */
    struct zone *zone = zone_set_find_key(set, key, record->type == DNS_DS);
    if (record->type == DNS_SOA && (zone == NULL || zone->key_len < key.len))
        return begin_zone(set, record);
    if (zone == NULL)
        return ZONE_OUTSIDE;
    zone_set_close(set);
    size_t before = zone->record_count;
    zone->records_max = before + (set->records_max - set->record_count);
    enum zone_result result = add_to(zone, bytes_after(key, zone->key_len), record);
    set->record_count += zone->record_count - before;
    if (zone->record_count != before)
        touch(zone);
    zone_set_open(set);
    return result;
}

/* ---- removing ---- */

static size_t remove_from(struct zone *zone, struct zone_node *node, uint16_t type,
                          const struct bytes *rdata)
{
    size_t count = 0;
    struct rrset **place = &node->rrsets;
    while (*place != NULL) {
        struct rrset *rrset = *place;
        struct rrset *next = rrset->next;
        bool apex = zone_is_apex(node);
        bool structure = apex && (rrset->type == DNS_SOA ||
                                  (rrset->type == DNS_NS && type != DNS_NS));
        if (!structure && (type == DNS_ANY || rrset->type == type))
            count += zone_rrset_take_out(zone, place, rdata);
        if (*place != next) /* it is still there, though perhaps elsewhere */
            place = &(*place)->next;
    }
    return count;
}

size_t zone_remove(struct zone_set *set, const struct dns_name *name, uint16_t type,
                   const struct bytes *rdata)
{
    uint8_t octets[DNS_KEY_MAX];
    struct bytes key = bytes_of(octets, dns_key_of(name, octets));
    struct zone *zone = zone_set_find_key(set, key, false);
    if (zone == NULL)
        return 0;
    key = bytes_after(key, zone->key_len);
    bool hashed = type == DNS_NSEC3;
    struct zone_node *node = trie_find(hashed ? &zone->hashed : &zone->nodes, key);
    if (node == NULL)
        return 0;
    zone_set_close(set);
    size_t count = remove_from(zone, node, type, rdata);
    zone->record_count -= count;
    set->record_count -= count;
    zone_note_types(node);
    if (count > 0)
        touch(zone);
    zone_node_tidy(zone, key, hashed);
    zone_set_open(set);
    return count;
}

bool zone_drop(struct zone *zone, const struct dns_record *record)
{
    uint8_t octets[DNS_KEY_MAX];
    struct bytes key = bytes_of(octets, dns_key_of(&record->owner, octets));
    if (!zone_key_begins(key, key_of_zone(zone)))
        return false;
    key = bytes_after(key, zone->key_len);
    bool hashed = zone_record_hashed(record);
    struct zone_node *node = trie_find(hashed ? &zone->hashed : &zone->nodes, key);
    if (node == NULL)
        return false;
    struct rrset **place = zone_rrset_place(node, record->type, record->rdata);
    if (*place == NULL || zone_rrset_take_out(zone, place, &record->rdata) == 0)
        return false;
    zone->record_count--;
    zone_note_types(node);
    zone_node_tidy(zone, key, hashed);
    return true;
}

/* ---- finding ---- */

const struct rrset *zone_rrset(const struct zone_node *node, uint16_t type)
{
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
        if (rrset->type == type)
            return rrset;
    return NULL;
}

const struct rrset *zone_signatures(const struct zone_node *node, uint16_t type)
{
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
        if (rrset->type == DNS_RRSIG && covered(rrset) == type)
            return rrset;
    return NULL;
}

/* RFC 1034 §4.3.2, steps 2 and 3, with an eye on where zones end. */
static void search(const struct zone *zone, struct bytes key, struct zone_match *out)
{
    void *path[DNS_LABELS_MAX + 1];
    size_t count = trie_prefixes(&zone->nodes, key, path, ARRAY_LEN(path));
    struct zone_match match = {.zone = zone};
    for (size_t i = 0; i < count; i++) {
        const struct zone_node *node = path[i];
        bool plain = match.cut == NULL && match.dname == NULL;
        if ((node->flags & ZONE_HAS_NS) && plain && !zone_is_apex(node))
            match.cut = node;
        else if ((node->flags & ZONE_HAS_DNAME) && plain && node->key_len < key.len)
            match.dname = node;
        match.encloser = node;
    }
    if (match.encloser->key_len == key.len)
        match.node = match.encloser;
    *out = match;
}

void zone_find(const struct zone_set *set, const struct dns_name *name, struct zone_match *out)
{
    uint8_t octets[DNS_KEY_MAX];
    struct bytes key = bytes_of(octets, dns_key_of(name, octets));
    const struct zone *zone = zone_set_find_key(set, key, false);
    *out = (struct zone_match){0};
    if (zone != NULL)
        search(zone, bytes_after(key, zone->key_len), out);
}

void zone_find_in(const struct zone *zone, const struct dns_name *name, struct zone_match *out)
{
    uint8_t octets[DNS_KEY_MAX];
    zone_find_key_in(zone, bytes_of(octets, dns_key_of(name, octets)), out);
}

void zone_find_key_in(const struct zone *zone, struct bytes key, struct zone_match *out)
{
    ASSERT(zone_key_begins(key, key_of_zone(zone)));
    search(zone, bytes_after(key, zone->key_len), out);
}

const struct zone_node *zone_wildcard(const struct zone *zone, const struct zone_node *node)
{
    uint8_t key[DNS_KEY_MAX + 2];
    if (!(node->flags & ZONE_HAS_WILDCARD))
        return NULL;
    memcpy(key, node->key, node->key_len);
    key[node->key_len] = '*';
    key[node->key_len + 1] = 0;
    return trie_find(&zone->nodes, bytes_of(key, node->key_len + 2u));
}

uint32_t zone_negative_ttl(const struct rrset *soa)
{
    struct bytes rdata = rrset_first(soa);
    struct reader r = reader_of(bytes_after(rdata, rdata.len - 4));
    uint32_t minimum = read_u32(&r);
    return minimum < soa->ttl ? minimum : soa->ttl;
}

uint32_t zone_serial(const struct zone *zone)
{
    return dns_soa_serial(rrset_first(zone_rrset(zone->apex, DNS_SOA)));
}
