/* SPDX-License-Identifier: ISC */
/*
 * fuzz_zone_change.c - any changes to a zone, beside a table that says what it must hold: a change is
 * made whole or not at all, a change and its inverse leave what was, the difference of two versions leads
 * from one to the other, and a chain of the history to the last. Octets of any kind are no change.
 */
#include <stdlib.h>

#include "base/compiler.h"
#include "fuzz/fuzz.h"
#include "os/memory.h"
#include "proto/dns/zone_difference.h"
#include "proto/dns/zone_edit.h"
#include "proto/dns/zone_history.h"
#include "wire/dns/dns_serial.h"

enum { NAMES = 7, KINDS = 7, VALUES = 4, RECORDS_MAX = 40, OCTETS_MAX = 4000, HISTORY_MAX = 3000 };

/* The zone as a table; kinds are those of rdata_of(). */
struct model {
    bool there[NAMES][KINDS][VALUES];
    uint8_t ttl[NAMES][KINDS];
    uint32_t serial;
    size_t count;
};

static const char *const names[NAMES] = {"z.",      "a.z.",       "B.a.z.", "c.b.a.z.",
                                         "*.a.z.", "d.e.f.z.", "hash.z."};

enum kind { KIND_A, KIND_NS, KIND_CNAME, KIND_TXT, KIND_NSEC3, KIND_RRSIG_A, KIND_RRSIG_NSEC3 };

static const uint16_t types[KINDS] = {DNS_A,     DNS_NS,    DNS_CNAME, DNS_TXT,
                                      DNS_NSEC3, DNS_RRSIG, DNS_RRSIG};

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    ASSERT(dns_name_parse(bytes_of_text(text), NULL, &name));
    return name;
}

static void write_signature(struct writer *w, uint16_t covered, uint8_t value)
{
    write_u16(w, covered);
    write_zeros(w, 16);
    write_u8(w, 0); /* signer */
    write_u8(w, value);
}

static struct bytes rdata_of(enum kind kind, uint8_t value, struct writer *w)
{
    static const char *const targets[VALUES] = {"x.", "a.z.", "c.b.a.z.", "y.x."};
    struct dns_name target = name_of(targets[value]);
    switch (kind) {
    case KIND_A:
        write_u32(w, value);
        break;
    case KIND_NS:
    case KIND_CNAME:
        dns_name_write(w, &target);
        break;
    case KIND_TXT:
        write_u8(w, value);
        write_zeros(w, value);
        break;
    case KIND_NSEC3:
        write_zeros(w, 5); /* to the salt */
        write_u8(w, 1);
        write_u8(w, value);
        break;
    case KIND_RRSIG_A:
        write_signature(w, DNS_A, value);
        break;
    case KIND_RRSIG_NSEC3:
        write_signature(w, DNS_NSEC3, value);
        break;
    }
    return writer_bytes(w);
}

static struct dns_record soa_of(uint32_t serial, uint8_t rdata[22])
{
    struct writer w = writer_of(rdata, 22);
    write_u16(&w, 0); /* two roots */
    write_u32(&w, serial);
    write_zeros(&w, 16);
    return (struct dns_record){
        .owner = name_of("z."), .type = DNS_SOA, .class = DNS_IN, .ttl = 9, .rdata = bytes_of(rdata, 22)};
}

/* ---- the zone against the table ---- */

static size_t count_node(const struct zone_node *node)
{
    size_t count = 0;
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
        count += rrset->count;
    return count;
}

static size_t count_nodes(const struct trie *nodes)
{
    size_t count = 0;
    for (struct zone_node *node = trie_first(nodes); node != NULL;
         node = trie_after(nodes, bytes_of(node->key, node->key_len)))
        count += count_node(node);
    return count;
}

static const struct rrset *set_of(const struct zone *zone, size_t name, size_t kind)
{
    struct dns_name owner = name_of(names[name]);
    uint8_t key[DNS_KEY_MAX];
    size_t len = dns_key_of(&owner, key);
    bool hashed = kind == KIND_NSEC3 || kind == KIND_RRSIG_NSEC3;
    const struct zone_node *node = trie_find(hashed ? &zone->hashed : &zone->nodes,
                                             bytes_of(key + zone->key_len, len - zone->key_len));
    if (node == NULL)
        return NULL;
    if (kind == KIND_RRSIG_A || kind == KIND_RRSIG_NSEC3)
        return zone_signatures(node, kind == KIND_RRSIG_A ? DNS_A : DNS_NSEC3);
    return zone_rrset(node, types[kind]);
}

static bool has(const struct rrset *rrset, struct bytes rdata)
{
    struct rrset_place place = {0};
    struct bytes here;
    while (rrset_next(rrset, &place, &here))
        if (dns_rdata_equal(rrset->type, here, rdata))
            return true;
    return false;
}

static void check_set(const struct zone *zone, const struct model *m, size_t name, size_t kind)
{
    const struct rrset *rrset = set_of(zone, name, kind);
    bool any = false;
    for (uint8_t v = 0; v < VALUES; v++) {
        uint8_t octets[64];
        struct writer w = writer_of(octets, sizeof octets);
        struct bytes rdata = rdata_of(kind, v, &w);
        ASSERT((rrset != NULL && has(rrset, rdata)) == m->there[name][kind][v]);
        any |= m->there[name][kind][v];
    }
    ASSERT((rrset != NULL) == any);
    ASSERT(!any || rrset->ttl == m->ttl[name][kind]);
}

static void check(const struct zone *zone, const struct model *m)
{
    for (size_t name = 0; name < NAMES; name++)
        for (size_t kind = 0; kind < KINDS; kind++)
            check_set(zone, m, name, kind);
    ASSERT(zone_is_served(zone) && zone_serial(zone) == m->serial);
    ASSERT(zone->record_count == m->count + 1);
    ASSERT(count_nodes(&zone->nodes) + count_nodes(&zone->hashed) == zone->record_count);
    /* Names that have nothing in or below them are not there; wildcards are found. */
    const struct zone_node *node = trie_first(&zone->nodes);
    while ((node = trie_after(&zone->nodes, bytes_of(node->key, node->key_len))) != NULL) {
        const struct zone_node *next =
            trie_after(&zone->nodes, bytes_of(node->key, node->key_len));
        ASSERT(node->rrsets != NULL || (next != NULL && next->key_len > node->key_len &&
                                        memcmp(next->key, node->key, node->key_len) == 0));
        ASSERT(((node->flags & ZONE_HAS_NS) != 0) == (zone_rrset(node, DNS_NS) != NULL));
    }
}

/* ---- changes ---- */

static bool any_of(const struct model *m, size_t name, size_t kind)
{
    for (size_t v = 0; v < VALUES; v++)
        if (m->there[name][kind][v])
            return true;
    return false;
}

/* May it come to that name as it is? */
static bool may_come(const struct model *m, size_t name, size_t kind)
{
    bool others = any_of(m, name, KIND_A) || any_of(m, name, KIND_NS) || any_of(m, name, KIND_TXT) ||
                  name == 0; /* the SOA */
    if (kind == KIND_CNAME)
        return !others && !any_of(m, name, KIND_CNAME);
    if (kind == KIND_A || kind == KIND_NS || kind == KIND_TXT)
        return !any_of(m, name, KIND_CNAME);
    return true;
}

/* One record of a change from two octets of the input, and what it would do to the table. False: it
 * cannot be made. */
static bool put_record(struct reader *r, struct zone_change *change, struct model *m,
                       enum zone_side side)
{
    uint8_t a = read_u8(r);
    uint8_t b = read_u8(r);
    size_t name = a % NAMES;
    size_t kind = a / NAMES % KINDS;
    uint8_t value = b % VALUES;
    uint8_t octets[64];
    struct writer w = writer_of(octets, sizeof octets);
    struct dns_record record = {.owner = name_of(names[name]),
                                .type = types[kind],
                                .class = DNS_IN,
                                .ttl = b / VALUES % 3u};
    record.rdata = rdata_of(kind, value, &w);
    ASSERT(zone_change_add(change, side, &record) == ZONE_OK);
    bool *there = &m->there[name][kind][value];
    bool removed = side == ZONE_REMOVED;
    if (*there != removed || (!removed && !may_come(m, name, kind)))
        return false;
    *there = !removed;
    m->count += removed ? (size_t)-1 : 1;
    if (!removed)
        m->ttl[name][kind] = (uint8_t)record.ttl;
    return true;
}

static void put_soa(struct zone_change *change, enum zone_side side, uint32_t serial)
{
    uint8_t rdata[22];
    struct dns_record soa = soa_of(serial, rdata);
    ASSERT(zone_change_add(change, side, &soa) == ZONE_OK);
}

/* A change from the input. False: the zone cannot take it. */
static bool make_change(struct reader *r, struct zone_change *change, struct model *m)
{
    uint8_t head = read_u8(r);
    bool possible = (head & 0x70) != 0;
    uint32_t from = m->serial + !possible; /* now and then one of another version */
    put_soa(change, ZONE_REMOVED, from);
    for (unsigned n = head & 3; n > 0; n--)
        possible &= put_record(r, change, m, ZONE_REMOVED);
    m->serial = dns_serial_next(from);
    put_soa(change, ZONE_ADDED, m->serial);
    for (unsigned n = head >> 2 & 3; n > 0; n--)
        possible &= put_record(r, change, m, ZONE_ADDED);
    return possible && m->count + 1 <= RECORDS_MAX;
}

/* Through octets and back. */
static void copy_change(const struct zone_change *change, struct zone_change *out)
{
    struct heap heap = memory_heap();
    struct bytes sides[ZONE_SIDE_COUNT];
    zone_change_encode(change, sides);
    zone_change_init(out, &heap, OCTETS_MAX);
    for (size_t i = 0; i < ZONE_SIDE_COUNT; i++)
        ASSERT(zone_change_decode(out, i, sides[i]) == ZONE_OK);
    ASSERT(out->serial_from == change->serial_from && out->serial_to == change->serial_to);
}

static void apply_inverse(struct zone *zone, const struct zone_change *change)
{
    struct zone_change inverse = zone_change_inverse(change);
    ASSERT(zone_change_apply(NULL, zone, &inverse) == ZONE_OK);
}

static struct zone *new_zone(uint32_t serial)
{
    struct heap heap = memory_heap();
    struct dns_name apex = name_of("z.");
    struct zone *zone = zone_new(&heap, &apex, RECORDS_MAX);
    uint8_t rdata[22];
    struct dns_record soa = soa_of(serial, rdata);
    ASSERT(zone != NULL && zone_put(zone, &soa) == ZONE_OK);
    return zone;
}

/* A change that tells the TTL of what it removes wrongly, or adds to a set with another one, does not come
 * back to what was: this is how it is now. */
static void take_ttls(const struct zone *zone, struct model *m)
{
    for (size_t name = 0; name < NAMES; name++)
        for (size_t kind = 0; kind < KINDS; kind++) {
            const struct rrset *rrset = set_of(zone, name, kind);
            if (rrset != NULL)
                m->ttl[name][kind] = (uint8_t)rrset->ttl;
        }
}

/* Every version since the history begins leads to the zone. */
static void check_history(struct zone *zone, const struct model *m, const struct zone *first)
{
    struct heap heap = memory_heap();
    struct zone_change whole;
    struct zone_difference d;
    zone_change_init(&whole, &heap, 1 << 20);
    ASSERT(zone_difference_start(&d, first, zone, &whole) == ZONE_OK);
    enum zone_difference_status status;
    do
        status = zone_difference_step(&d, 2);
    while (status == ZONE_DIFFERENCE_MORE);
    ASSERT(status == ZONE_DIFFERENCE_DONE);
    struct zone *other = new_zone(zone_serial(first));
    ASSERT(zone_change_apply(NULL, other, &whole) == ZONE_OK);
    check(other, m);
    /* Back by the changes that are remembered, newest first, and forth again. */
    size_t count = zone->history->count;
    uint32_t serials[64];
    struct list_node *node = zone->history->items.previous;
    size_t back = 0;
    for (; back < count && back < ARRAY_LEN(serials); back++, node = node->previous) {
        const struct zone_change *change =
            &CONTAINER_OF(node, struct zone_history_item, node)->change;
        apply_inverse(other, change);
        serials[back] = zone_serial(other);
    }
    if (back > 0) {
        const struct zone_change *change =
            zone_history_find(zone->history, serials[back - 1]);
        for (; change != NULL; change = zone_history_next(zone->history, change))
            ASSERT(zone_change_apply(NULL, other, change) == ZONE_OK);
    }
    struct model same = *m;
    take_ttls(other, &same);
    check(other, &same);
    ASSERT(zone->history->octets <= HISTORY_MAX);
    zone_change_done(&whole);
    zone_free(other);
}

static void try_octets(struct bytes in)
{
    struct heap heap = memory_heap();
    struct zone_change change;
    zone_change_init(&change, &heap, OCTETS_MAX);
    enum zone_result result = zone_change_decode(&change, ZONE_ADDED, in);
    ASSERT(result == ZONE_OK || result == ZONE_INVALID || result == ZONE_FULL);
    struct dns_record record;
    for (size_t place = 0; zone_change_next(&change, ZONE_ADDED, &place, &record);)
        ASSERT(dns_rdata_valid(record.type, record.rdata));
    zone_change_done(&change);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct heap heap = memory_heap();
    struct reader r = reader_of(bytes_of(data, len));
    struct model model = {.serial = read_u32(&r) | 1};
    struct zone *zone = new_zone(model.serial);
    struct zone *first = new_zone(model.serial);
    zone->history = zone_history_new(&heap, HISTORY_MAX);
    ASSERT(zone->history != NULL);
    try_octets(bytes_of(data, len));
    while (!r.failed && reader_left(&r) > 0) {
        struct zone_change change;
        struct zone_change copy;
        struct model next = model;
        zone_change_init(&change, &heap, OCTETS_MAX);
        bool possible = make_change(&r, &change, &next);
        copy_change(&change, &copy);
        ASSERT((zone_change_apply(NULL, zone, &copy) == ZONE_OK) == possible);
        check(zone, possible ? &next : &model);
        if (possible) {
            apply_inverse(zone, &copy);
            take_ttls(zone, &model);
            check(zone, &model);
            ASSERT(zone_change_commit(NULL, zone, &change) == ZONE_OK);
            model = next;
            take_ttls(zone, &model);
            check(zone, &model);
        }
        zone_change_done(&change);
        zone_change_done(&copy);
    }
    check_history(zone, &model, first);
    zone_free(zone);
    zone_free(first);
    return 0;
}
