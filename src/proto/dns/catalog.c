/* SPDX-License-Identifier: ISC */
/* catalog.c - catalog zones, read in canonical order: a member before what is said of it. */
#include "proto/dns/catalog.h"

#include "base/siphash.h"
#include "wire/dns/dns_serial.h"

static const char version[] = "\0012"; /* the RDATA of its TXT record (§4.3.1) */

struct catalog {
    struct heap heap;
    struct trie members; /* by the wire form of the zone's name, in lower case */
};

static struct bytes key_of(const void *item)
{
    const struct catalog_member *member = item;
    return dns_name_bytes(&member->zone);
}

struct catalog *catalog_new(const struct heap *heap, size_t members_max)
{
    struct catalog *catalog = heap_zeroed(heap, sizeof *catalog);
    if (catalog == NULL)
        return NULL;
    catalog->heap = *heap;
    trie_init(&catalog->members, heap, members_max, key_of);
    return catalog;
}

void catalog_free(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    struct catalog_member *member;
    while ((member = trie_last(&catalog->members)) != NULL) {
        (void)trie_remove(&catalog->members, key_of(member));
        heap_release(&catalog->heap, member->groups, member->groups_len);
        heap_release(&catalog->heap, member, sizeof *member);
    }
    trie_done(&catalog->members);
    struct heap heap = catalog->heap;
    heap_release(&heap, catalog, sizeof *catalog);
}

size_t catalog_count(const struct catalog *catalog)
{
    return catalog->members.count;
}

static struct catalog_member *find(const struct catalog *catalog, const struct dns_name *zone)
{
    struct dns_name name = *zone;
    dns_name_lower(&name);
    return trie_find(&catalog->members, dns_name_bytes(&name));
}

const struct catalog_member *catalog_find(const struct catalog *catalog, const struct dns_name *zone)
{
    return find(catalog, zone);
}

const struct catalog_member *catalog_next(const struct catalog *catalog,
                                          const struct catalog_member *after)
{
    return after == NULL ? trie_first(&catalog->members)
                         : trie_after(&catalog->members, key_of(after));
}

bool catalog_same_id(const struct catalog_member *a, const struct catalog_member *b)
{
    return bytes_equal(bytes_of(a->id, a->id_len), bytes_of(b->id, b->id_len));
}

/* The RDATA of a group as people write it. */
static bool parse_group(const char *group, struct writer *out)
{
    size_t len = strlen(group);
    char reason[128];
    struct dns_error error = dns_error_of(reason, sizeof reason);
    if (group[0] == '"')
        return dns_rdata_parse(DNS_TXT, bytes_of_text(group), NULL, out, &error);
    write_u8(out, (uint8_t)len);
    write_bytes(out, bytes_of_text(group));
    return len <= UINT8_MAX && !out->failed;
}

bool catalog_in_group(const struct catalog_member *member, const char *group)
{
    uint8_t octets[CATALOG_GROUPS_LEN_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct reader r = reader_of(bytes_of(member->groups, member->groups_len));
    if (!parse_group(group, &w))
        return false;
    while (reader_left(&r) > 0) {
        size_t len = read_u16(&r);
        if (bytes_equal(read_bytes(&r, len), writer_bytes(&w)))
            return true;
    }
    return false;
}

/* ---- reading ---- */

struct reading {
    struct catalog *catalog;
    const struct zone *zone;
    struct text *error;
    bool has_version;
    struct catalog_member *member; /* the last one: what follows is said of it */
};

static bool broken(const struct reading *r, const struct dns_name *name, const char *what)
{
    char text[DNS_NAME_TEXT_MAX];
    text_add_format(r->error, "%s %s", dns_name_format(name, text), what);
    return false;
}

static bool is_label(struct bytes label, const char *text)
{
    return bytes_equal(label, bytes_of_text(text)); /* nodes are in lower case */
}

/* §4.3.1: one TXT record that says "2". */
static bool take_version(struct reading *r, const struct dns_name *name, const struct zone_node *node)
{
    const struct rrset *rrset = zone_rrset(node, DNS_TXT);
    if (rrset == NULL)
        return true;
    if (rrset->count != 1 || !bytes_equal(rrset_first(rrset), bytes_of_text(version)))
        return broken(r, name, "expected version 2, once");
    r->has_version = true;
    return true;
}

/* §4.1: one PTR record, to a zone that is no other's. */
static bool take_member(struct reading *r, const struct dns_name *name, const struct zone_node *node,
                        struct bytes id)
{
    struct catalog *catalog = r->catalog;
    const struct rrset *rrset = zone_rrset(node, DNS_PTR);
    r->member = NULL;
    if (rrset == NULL)
        return true;
    struct catalog_member *member = heap_zeroed(&catalog->heap, sizeof *member);
    if (member == NULL)
        return broken(r, name, "there is no memory for it");
    bool good = rrset->count == 1 && dns_rdata_target(DNS_PTR, rrset_first(rrset), &member->zone);
    dns_name_lower(&member->zone);
    member->id_len = (uint8_t)id.len;
    memcpy(member->id, id.data, id.len);
    const char *wrong = !good                            ? "expected one PTR record"
                        : find(catalog, &member->zone) != NULL ? "its zone is a member already"
                        : trie_insert(&catalog->members, member) != TRIE_OK
                            ? "too many members, or no memory"
                            : NULL;
    if (wrong != NULL) {
        heap_release(&catalog->heap, member, sizeof *member);
        return broken(r, name, wrong);
    }
    r->member = member;
    return true;
}

/* §4.4.2: as many as fit; their order is nobody's. */
static bool take_groups(struct reading *r, const struct dns_name *name, const struct zone_node *node)
{
    uint8_t octets[CATALOG_GROUPS_LEN_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    const struct rrset *rrset = zone_rrset(node, DNS_TXT);
    struct rrset_place place = {0};
    struct bytes rdata;
    while (rrset != NULL && rrset_next(rrset, &place, &rdata)) {
        if (writer_room(&w) < 2 + rdata.len)
            continue;
        write_u16(&w, (uint16_t)rdata.len);
        write_bytes(&w, rdata);
    }
    struct bytes groups = writer_bytes(&w);
    if (groups.len == 0)
        return true;
    r->member->groups = heap_zeroed(&r->catalog->heap, groups.len);
    if (r->member->groups == NULL)
        return broken(r, name, "there is no memory for it");
    memcpy(r->member->groups, groups.data, groups.len);
    r->member->groups_len = groups.len;
    return true;
}

/* §4.4.1 */
static bool take_coo(struct reading *r, const struct dns_name *name, const struct zone_node *node)
{
    const struct rrset *rrset = zone_rrset(node, DNS_PTR);
    if (rrset == NULL)
        return true;
    if (rrset->count != 1 || !dns_rdata_target(DNS_PTR, rrset_first(rrset), &r->member->coo))
        return broken(r, name, "expected one PTR record");
    r->member->has_coo = true;
    return true;
}

static bool take_node(struct reading *r, const struct zone_node *node)
{
    struct dns_name name;
    struct dns_labels labels, apex;
    zone_node_name(r->zone, node, &name);
    dns_name_labels(&name, &labels);
    dns_name_labels(&r->zone->name, &apex);
    unsigned count = labels.count - (unsigned)apex.count;
    if (count == 1 && is_label(dns_name_label(&name, labels.at[0]), "version"))
        return take_version(r, &name, node);
    if (count < 2 || !is_label(dns_name_label(&name, labels.at[count - 1]), "zones"))
        return true;
    struct bytes id = dns_name_label(&name, labels.at[count - 2]);
    if (count == 2)
        return take_member(r, &name, node, id);
    if (count != 3 || r->member == NULL ||
        !bytes_equal(id, bytes_of(r->member->id, r->member->id_len)))
        return true;
    if (is_label(dns_name_label(&name, labels.at[0]), "group"))
        return take_groups(r, &name, node);
    return !is_label(dns_name_label(&name, labels.at[0]), "coo") || take_coo(r, &name, node);
}

bool catalog_read(struct catalog *catalog, const struct zone *zone, struct text *error)
{
    struct reading r = {.catalog = catalog, .zone = zone, .error = error};
    ASSERT(zone_is_served(zone) && catalog_count(catalog) == 0);
    if (zone_rrset(zone->apex, DNS_NS) == NULL) /* §4 */
        return broken(&r, &zone->name, "expected NS records");
    for (const struct zone_node *node = trie_first(&zone->nodes); node != NULL;
         node = trie_after(&zone->nodes, bytes_of(node->key, node->key_len)))
        if (!take_node(&r, node))
            return false;
    return r.has_version || broken(&r, &zone->name, "expected its version");
}

/* ---- writing ---- */

static enum zone_result put(struct zone *zone, const struct dns_name *owner, uint16_t type,
                            struct bytes rdata)
{
    const struct dns_record record = {
        .owner = *owner, .type = type, .class = DNS_IN, .ttl = CATALOG_TTL, .rdata = rdata};
    return zone_put(zone, &record);
}

/* §4: it is for nobody to resolve, so that no server is named. */
enum zone_result catalog_begin(struct zone *zone, uint32_t serial)
{
    uint8_t octets[2 * DNS_NAME_MAX + DNS_SOA_NUMBERS_LEN];
    struct writer w = writer_of(octets, sizeof octets);
    struct dns_name nobody, owner;
    bool good = dns_name_parse(bytes_of_text("invalid."), NULL, &nobody);
    ASSERT(good);
    dns_name_write(&w, &nobody);
    dns_name_write(&w, &nobody);
    write_u32(&w, serial);
    write_u32(&w, 3600);    /* refresh */
    write_u32(&w, 600);     /* retry */
    write_u32(&w, 2419200); /* expire: four weeks */
    write_u32(&w, CATALOG_TTL);
    enum zone_result result = put(zone, &zone->name, DNS_SOA, writer_bytes(&w));
    if (result == ZONE_OK)
        result = put(zone, &zone->name, DNS_NS, dns_name_bytes(&nobody));
    if (result != ZONE_OK || !dns_name_child(bytes_of_text("version"), &zone->name, &owner))
        return result != ZONE_OK ? result : ZONE_INVALID;
    return put(zone, &owner, DNS_TXT, bytes_of_text(version));
}

/* The label of a member is made of its name, so that it is the same after a restart: 128 bits, that no two are
 * alike. */
static void make_id(const struct dns_name *member, char out[33])
{
    static const struct siphash_key keys[] = {{0x636174616c6f6721, 1}, {0x636174616c6f6721, 2}};
    struct text t = text_of(out, 33);
    struct dns_name name = *member;
    dns_name_lower(&name);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        text_add_format(&t, "%016llx",
                        (unsigned long long)siphash24(&keys[i], dns_name_bytes(&name)));
    ASSERT(!t.failed);
}

enum zone_result catalog_add(struct zone *zone, const struct dns_name *member)
{
    struct dns_name owner;
    char id[33];
    make_id(member, id);
    if (!dns_name_child(bytes_of_text("zones"), &zone->name, &owner) ||
        !dns_name_child(bytes_of_text(id), &owner, &owner))
        return ZONE_INVALID;
    return put(zone, &owner, DNS_PTR, dns_name_bytes(member));
}

/* To the member's node, or to what is said of it below (§4.4). */
static enum zone_result put_property(struct zone *zone, const struct catalog_member *member,
                                     const char *property, uint16_t type, struct bytes rdata)
{
    struct dns_name node, owner;
    bool good = dns_name_child(bytes_of_text("zones"), &zone->name, &node) &&
                dns_name_child(bytes_of(member->id, member->id_len), &node, &node) &&
                dns_name_parse(bytes_of_text(property), &node, &owner);
    return good ? put(zone, &owner, type, rdata) : ZONE_INVALID;
}

enum zone_result catalog_put(struct zone *zone, const struct catalog_member *member)
{
    struct reader r = reader_of(bytes_of(member->groups, member->groups_len));
    enum zone_result result =
        put_property(zone, member, "@", DNS_PTR, dns_name_bytes(&member->zone));
    if (result == ZONE_OK && member->has_coo)
        result = put_property(zone, member, "coo", DNS_PTR, dns_name_bytes(&member->coo));
    while (result == ZONE_OK && reader_left(&r) > 0) {
        size_t len = read_u16(&r);
        result = put_property(zone, member, "group", DNS_TXT, read_bytes(&r, len));
    }
    return result;
}
