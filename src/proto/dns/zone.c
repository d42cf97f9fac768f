/* SPDX-License-Identifier: ISC */
/*
 * zone.c - the tree of names. All nodes are in one hash table, by parent and label, so that going
 * down one label is one look-up, and nodes need no lists of children.
 */
#include "proto/dns/zone.h"

#include "base/map.h"

struct zone_set {
    struct heap heap;
    struct siphash_key key;
    struct map nodes;
    struct zone_node *root;
    size_t record_count;
    size_t records_max;
    uint32_t next_id;
};

struct child_key {
    const struct zone_node *parent;
    struct bytes label;
};

static bool node_equal(const void *item, const void *key)
{
    const struct zone_node *node = item;
    const struct child_key *want = key;
    return node->parent == want->parent &&
           bytes_equal_nocase(dns_name_label(&node->owner, 0), want->label);
}

static uint32_t child_hash(const struct zone_set *set, const struct child_key *key)
{
    uint8_t buffer[DNS_LABEL_MAX + 4];
    size_t len = key->label.len;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = key->label.data[i];
        buffer[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
    }
    uint32_t id = key->parent->id;
    memcpy(buffer + len, &id, sizeof id);
    return (uint32_t)siphash13(&set->key, bytes_of(buffer, len + sizeof id));
}

static struct zone_node *find_child(const struct zone_set *set, const struct zone_node *parent,
                                    struct bytes label)
{
    struct child_key key = {parent, label};
    return parent->child_count > 0 ? map_find(&set->nodes, child_hash(set, &key), &key) : NULL;
}

struct zone_set *zone_set_new(const struct heap *heap, size_t records_max,
                              const struct siphash_key *key)
{
    struct zone_set *set = heap_zeroed(heap, sizeof *set);
    struct zone_node *root = heap_zeroed(heap, sizeof *root);
    if (set == NULL || root == NULL) {
        heap_release(heap, set, sizeof *set);
        heap_release(heap, root, sizeof *root);
        return NULL;
    }
    dns_name_root(&root->owner);
    set->heap = *heap;
    set->key = *key;
    set->root = root;
    set->records_max = records_max;
    set->next_id = 1;
    /* A record may make a node for every label of its name, but names in a zone share most. */
    map_init(&set->nodes, heap, 4 * records_max + DNS_LABELS_MAX, node_equal);
    return set;
}

static void free_rrset(struct zone_set *set, struct rrset *rrset)
{
    while (rrset->records != NULL) {
        struct zone_record *record = rrset->records;
        rrset->records = record->next;
        heap_release(&set->heap, record, sizeof *record + record->len);
    }
    heap_release(&set->heap, rrset, sizeof *rrset);
}

static void free_node(struct zone_set *set, struct zone_node *node)
{
    while (node->rrsets != NULL) {
        struct rrset *rrset = node->rrsets;
        node->rrsets = rrset->next;
        free_rrset(set, rrset);
    }
    heap_release(&set->heap, node, sizeof *node);
}

void zone_set_free(struct zone_set *set)
{
    if (set == NULL)
        return;
    struct zone_node *node;
    size_t place = 0;
    while ((node = map_each(&set->nodes, &place)) != NULL)
        free_node(set, node);
    map_done(&set->nodes);
    free_node(set, set->root);
    heap_release(&set->heap, set, sizeof *set);
}

size_t zone_set_count(const struct zone_set *set)
{
    return set->record_count;
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
    };
    _Static_assert(ARRAY_LEN(texts) == ZONE_RESULT_COUNT, "one text per result");
    return texts[result];
}

/* ---- nodes ---- */

static bool is_wildcard(const struct zone_node *node)
{
    return node->owner.octets[0] == 1 && node->owner.octets[1] == '*';
}

static struct zone_node *add_child(struct zone_set *set, struct zone_node *parent,
                                   const struct dns_name *name, size_t at)
{
    struct zone_node *node = heap_zeroed(&set->heap, sizeof *node);
    if (node == NULL)
        return NULL;
    node->parent = parent;
    node->id = set->next_id++;
    node->owner.len = (uint8_t)(name->len - at);
    memcpy(node->owner.octets, name->octets + at, node->owner.len);
    struct child_key key = {parent, dns_name_label(name, at)};
    node->hash = child_hash(set, &key);
    if (!map_insert(&set->nodes, node->hash, node)) {
        heap_release(&set->heap, node, sizeof *node);
        return NULL;
    }
    parent->child_count++;
    if (is_wildcard(node))
        parent->wildcard = node;
    return node;
}

/* A node with nothing in or below it does not exist, nor do ancestors that were there for it. */
static void prune(struct zone_set *set, struct zone_node *node)
{
    while (node != set->root && node->rrsets == NULL && node->child_count == 0) {
        struct zone_node *parent = node->parent;
        bool removed = map_remove(&set->nodes, node->hash, node);
        ASSERT(removed);
        parent->child_count--;
        if (parent->wildcard == node)
            parent->wildcard = NULL;
        free_node(set, node);
        node = parent;
    }
}

static struct zone_node *get_node(struct zone_set *set, const struct dns_name *name)
{
    struct dns_labels labels;
    dns_name_labels(name, &labels);
    struct zone_node *node = set->root;
    for (size_t i = labels.count; i-- > 0;) {
        struct zone_node *child = find_child(set, node, dns_name_label(name, labels.at[i]));
        if (child == NULL)
            child = add_child(set, node, name, labels.at[i]);
        if (child == NULL) {
            prune(set, node);
            return NULL;
        }
        node = child;
    }
    return node;
}

/* What the walk asks of a node, kept beside its records. */
static void note_types(struct zone_node *node)
{
    node->apex = zone_rrset(node, DNS_SOA) != NULL;
    node->has_ns = zone_rrset(node, DNS_NS) != NULL;
    node->has_dname = zone_rrset(node, DNS_DNAME) != NULL;
}

/* The zone has changed: its serial number goes up by one (RFC 1035 §3.3.13, RFC 1982). */
static void touch(const struct zone_node *apex)
{
    struct rrset *rrset = apex != NULL ? apex->rrsets : NULL;
    while (rrset != NULL && rrset->type != DNS_SOA)
        rrset = rrset->next;
    if (rrset == NULL)
        return;
    uint8_t *serial = rrset->records->rdata + rrset->records->len - 20;
    for (size_t i = 4; i-- > 0;)
        if (++serial[i] != 0)
            break;
}

/* ---- adding ---- */

static bool holds(const struct rrset *rrset, struct bytes rdata)
{
    for (const struct zone_record *record = rrset->records; record != NULL; record = record->next)
        if (bytes_equal(zone_rdata(record), rdata))
            return true;
    return false;
}

static enum zone_result may_add(const struct zone_set *set, const struct dns_record *record)
{
    if (record->class != DNS_IN || !dns_type_is_data(record->type) ||
        record->rdata.len > ZONE_RDATA_MAX || !dns_rdata_valid(record->type, record->rdata))
        return ZONE_INVALID;
    struct zone_match match;
    zone_find(set, &record->owner, &match);
    if (match.apex == NULL && record->type != DNS_SOA)
        return ZONE_OUTSIDE;
    if (match.node == NULL)
        return set->record_count < set->records_max ? ZONE_OK : ZONE_FULL;
    const struct rrset *rrset = zone_rrset(match.node, record->type);
    if (rrset != NULL && holds(rrset, record->rdata))
        return ZONE_OK;
    if (rrset != NULL &&
        (record->type == DNS_SOA || record->type == DNS_CNAME || record->type == DNS_DNAME))
        return ZONE_ONLY_ONE;
    if (record->type == DNS_CNAME ? match.node->rrsets != NULL
                                  : zone_rrset(match.node, DNS_CNAME) != NULL)
        return ZONE_CNAME_ALONE;
    if (set->record_count >= set->records_max || (rrset != NULL && rrset->count >= ZONE_RRSET_MAX))
        return ZONE_FULL;
    return ZONE_OK;
}

static struct rrset *get_rrset(struct zone_set *set, struct zone_node *node,
                               const struct dns_record *record)
{
    struct rrset **place = &node->rrsets;
    while (*place != NULL && (*place)->type != record->type)
        place = &(*place)->next;
    if (*place == NULL) {
        *place = heap_zeroed(&set->heap, sizeof **place);
        if (*place != NULL) {
            (*place)->type = record->type;
            (*place)->ttl = record->ttl;
        }
    }
    return *place;
}

static bool append(struct zone_set *set, struct rrset *rrset, struct bytes rdata)
{
    struct zone_record *record = heap_zeroed(&set->heap, sizeof *record + rdata.len);
    if (record == NULL)
        return false;
    record->len = (uint16_t)rdata.len;
    memcpy(record->rdata, rdata.data, rdata.len);
    struct zone_record **place = &rrset->records;
    while (*place != NULL)
        place = &(*place)->next;
    *place = record;
    rrset->count++;
    set->record_count++;
    return true;
}

static void drop_empty_rrsets(struct zone_set *set, struct zone_node *node)
{
    struct rrset **place = &node->rrsets;
    while (*place != NULL) {
        struct rrset *rrset = *place;
        if (rrset->count > 0) {
            place = &rrset->next;
            continue;
        }
        *place = rrset->next;
        free_rrset(set, rrset);
    }
    note_types(node);
}

enum zone_result zone_add(struct zone_set *set, const struct dns_record *record)
{
    enum zone_result result = may_add(set, record);
    if (result != ZONE_OK)
        return result;
    struct zone_node *node = get_node(set, &record->owner);
    if (node == NULL)
        return ZONE_NO_MEMORY;
    struct rrset *rrset = get_rrset(set, node, record);
    bool there = rrset != NULL && holds(rrset, record->rdata);
    if (rrset == NULL || (!there && !append(set, rrset, record->rdata))) {
        drop_empty_rrsets(set, node);
        prune(set, node);
        return ZONE_NO_MEMORY;
    }
    if (record->ttl < rrset->ttl)
        rrset->ttl = record->ttl;
    note_types(node);
    if (!there && record->type != DNS_SOA) {
        struct zone_match match;
        zone_find(set, &record->owner, &match);
        touch(match.apex);
    }
    return ZONE_OK;
}

/* ---- removing ---- */

static size_t remove_records(struct zone_set *set, struct rrset *rrset, const struct bytes *rdata)
{
    size_t count = 0;
    struct zone_record **place = &rrset->records;
    while (*place != NULL) {
        struct zone_record *record = *place;
        if (rdata != NULL && !bytes_equal(zone_rdata(record), *rdata)) {
            place = &record->next;
            continue;
        }
        *place = record->next;
        heap_release(&set->heap, record, sizeof *record + record->len);
        rrset->count--;
        set->record_count--;
        count++;
    }
    return count;
}

size_t zone_remove(struct zone_set *set, const struct dns_name *name, uint16_t type,
                   const struct bytes *rdata)
{
    struct zone_match match;
    zone_find(set, name, &match);
    if (match.node == NULL)
        return 0;
    struct zone_node *node = get_node(set, name);
    size_t count = 0;
    for (struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next) {
        bool structure = rrset->type == DNS_SOA || (rrset->type == DNS_NS && node->apex);
        if (type == DNS_ANY ? !structure : rrset->type == type)
            count += remove_records(set, rrset, rdata);
    }
    drop_empty_rrsets(set, node);
    bool zone_is_gone = match.apex == node && !node->apex;
    if (count > 0 && !zone_is_gone)
        touch(match.apex);
    prune(set, node);
    return count;
}

/* ---- finding ---- */

const struct rrset *zone_rrset(const struct zone_node *node, uint16_t type)
{
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
        if (rrset->type == type)
            return rrset;
    return NULL;
}

/* RFC 1034 §4.3.2, steps 2 and 3: down label by label, with an eye on where zones begin and end. */
void zone_find(const struct zone_set *set, const struct dns_name *name, struct zone_match *out)
{
    struct dns_labels labels;
    dns_name_labels(name, &labels);
    struct zone_match match = {0};
    const struct zone_node *node = set->root;
    for (size_t i = labels.count;;) {
        if (node->apex) {
            match.apex = node;
            match.cut = NULL;
            match.dname = NULL;
        } else if (node->has_ns && match.apex != NULL && match.cut == NULL &&
                   match.dname == NULL) {
            match.cut = node;
        }
        match.encloser = node;
        if (i == 0) {
            match.node = node;
            break;
        }
        if (node->has_dname && match.apex != NULL && match.cut == NULL && match.dname == NULL)
            match.dname = node;
        node = find_child(set, node, dns_name_label(name, labels.at[--i]));
        if (node == NULL)
            break;
    }
    *out = match;
}

uint32_t zone_negative_ttl(const struct rrset *soa)
{
    const struct zone_record *record = soa->records;
    struct reader r = reader_of(bytes_after(zone_rdata(record), (size_t)record->len - 4));
    uint32_t minimum = read_u32(&r);
    return minimum < soa->ttl ? minimum : soa->ttl;
}
