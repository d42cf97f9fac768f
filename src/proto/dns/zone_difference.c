/* SPDX-License-Identifier: ISC */
/* zone_difference.c - two zones side by side. */
#include "proto/dns/zone_difference.h"

#include "proto/dns/zone_internal.h"

/* A set of records, and whose it is. */
struct told {
    struct zone_change *change;
    enum zone_side side;
    struct dns_record record;
};

static enum zone_result tell(struct told *told, const struct rrset *rrset, struct bytes rdata)
{
    told->record.type = rrset->type;
    told->record.ttl = rrset->ttl;
    told->record.rdata = rdata;
    return zone_change_add(told->change, told->side, &told->record);
}

/* Is the RDATA there at *place or behind it? That goes on to behind it then. */
static bool find_from(const struct rrset *rrset, struct rrset_place *place, struct bytes rdata)
{
    struct rrset_place at = *place;
    struct bytes here;
    while (rrset_next(rrset, &at, &here))
        if (dns_rdata_equal(rrset->type, here, rdata)) {
            *place = at;
            return true;
        }
    return false;
}

/* Tells what `rrset` has and `other` (or NULL) has not. Both are in the order in which records came, so
 * that mostly the next of one is the next of the other. */
static enum zone_result tell_missing(struct told *told, const struct rrset *rrset,
                                     const struct rrset *other)
{
    struct rrset_place place = {0};
    struct rrset_place beside = {0};
    struct bytes rdata;
    enum zone_result result = ZONE_OK;
    while (result == ZONE_OK && rrset_next(rrset, &place, &rdata))
        if (other == NULL ||
            (!find_from(other, &beside, rdata) && !zone_rrset_holds(other, rdata)))
            result = tell(told, rrset, rdata);
    return result;
}

/* The set of the node that `rrset` would be in; NULL: it has none, or with another TTL, so that all of
 * its records are others. */
static const struct rrset *counterpart(const struct zone_node *node, const struct rrset *rrset)
{
    if (node == NULL)
        return NULL;
    const struct rrset *other = node->rrsets;
    uint16_t type = rrset->type;
    if (type == DNS_RRSIG) {
        struct reader r = reader_of(rrset_first(rrset));
        other = zone_signatures(node, read_u16(&r));
    } else {
        other = zone_rrset(node, type);
    }
    return other != NULL && other->ttl == rrset->ttl ? other : NULL;
}

static enum zone_result tell_node(struct told *told, const struct zone_node *node,
                                  const struct zone_node *other)
{
    enum zone_result result = ZONE_OK;
    if (node == NULL)
        return ZONE_OK;
    for (const struct rrset *rrset = node->rrsets; rrset != NULL && result == ZONE_OK;
         rrset = rrset->next)
        if (rrset->type != DNS_SOA)
            result = tell_missing(told, rrset, counterpart(other, rrset));
    return result;
}

static struct told told_of(struct zone_change *change, enum zone_side side, const struct zone *zone,
                           const struct zone_node *node)
{
    struct told told = {.change = change, .side = side, .record = {.class = DNS_IN}};
    zone_node_name(zone, node, &told.record.owner);
    return told;
}

enum zone_result zone_difference_node(struct zone_change *change, const struct zone *zone,
                                      const struct zone_node *old, const struct zone_node *new)
{
    struct told told = told_of(change, ZONE_REMOVED, zone, old != NULL ? old : new);
    enum zone_result result = tell_node(&told, old, new);
    told.side = ZONE_ADDED;
    return result == ZONE_OK ? tell_node(&told, new, old) : result;
}

enum zone_result zone_difference_soa(struct zone_change *change, const struct zone *zone,
                                     const struct zone_node *old, const struct zone_node *new)
{
    struct told told = told_of(change, ZONE_REMOVED, zone, old);
    const struct rrset *soa = zone_rrset(old, DNS_SOA);
    enum zone_result result = tell(&told, soa, rrset_first(soa));
    told.side = ZONE_ADDED;
    soa = zone_rrset(new, DNS_SOA);
    return result == ZONE_OK ? tell(&told, soa, rrset_first(soa)) : result;
}

/* ---- whole zones ---- */

enum zone_result zone_difference_start(struct zone_difference *d, const struct zone *old,
                                       const struct zone *new, struct zone_change *change)
{
    ASSERT(zone_is_served(old) && zone_is_served(new));
    *d = (struct zone_difference){.old = old, .new = new, .change = change};
    return zone_difference_soa(change, old, old->apex, new->apex);
}

static struct zone_node *next_of(const struct zone_difference *d, const struct zone *zone)
{
    const struct trie *nodes = d->hashed ? &zone->hashed : &zone->nodes;
    return d->inside ? trie_after(nodes, bytes_of(d->key, d->key_len)) : trie_first(nodes);
}

/* As memcmp(); NULL comes last. */
static int order(const struct zone_node *a, const struct zone_node *b)
{
    if (a == NULL || b == NULL)
        return (a == NULL) - (b == NULL);
    size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
    int result = memcmp(a->key, b->key, len);
    return result != 0 ? result : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

enum zone_difference_status zone_difference_step(struct zone_difference *d, size_t names)
{
    while (names-- > 0) {
        const struct zone_node *old = next_of(d, d->old);
        const struct zone_node *new = next_of(d, d->new);
        if (old == NULL && new == NULL) {
            if (d->hashed)
                return ZONE_DIFFERENCE_DONE;
            d->hashed = true;
            d->inside = false;
            continue;
        }
        int first = order(old, new);
        const struct zone_node *at = first <= 0 ? old : new;
        if (zone_difference_node(d->change, d->old, first <= 0 ? old : NULL,
                                 first >= 0 ? new : NULL) != ZONE_OK)
            return ZONE_DIFFERENCE_FAILED;
        d->inside = true;
        d->key_len = at->key_len;
        memcpy(d->key, at->key, at->key_len);
    }
    return ZONE_DIFFERENCE_MORE;
}
