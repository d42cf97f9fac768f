/* SPDX-License-Identifier: ISC */
/* policy_zone.c - names in canonical order, each with its records, into a list; and names that have changed again. */
#include "proto/dns/policy_zone.h"

#include "proto/dns/zone_history.h"
#include "wire/dns/dns_key.h"

void policy_zone_start(struct policy_zone *p, struct policy *policy, const struct zone *zone)
{
    ASSERT(zone_is_served(zone) && policy_count(policy) == 0);
    *p = (struct policy_zone){.policy = policy, .serial = zone_serial(zone)};
}

/* A feed that has a new kind of rule is of use all the same: what is not understood is left out. */
static bool add_set(struct policy_zone *p, const struct dns_name *owner, const struct rrset *rrset)
{
    struct rrset_place place = {0};
    struct dns_record record = {.type = rrset->type, .class = DNS_IN, .ttl = rrset->ttl};
    dns_name_copy(&record.owner, owner);
    while (rrset_next(rrset, &place, &record.rdata)) {
        enum policy_result result = policy_add(p->policy, &record);
        if (result == POLICY_FULL || result == POLICY_NO_MEMORY)
            return false;
        p->wrong += result == POLICY_WRONG;
    }
    return true;
}

static bool add_node(struct policy_zone *p, const struct zone *zone, const struct zone_node *node)
{
    struct dns_name owner;
    zone_node_name(zone, node, &owner);
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
        if (!add_set(p, &owner, rrset))
            return false;
    return true;
}

/* ---- what has changed ---- */

/* Is the name of that key, in the order of names, among those that are done? */
static bool is_done(const struct policy_zone *p, struct bytes key)
{
    size_t len = key.len < p->key_len ? key.len : p->key_len;
    int order = memcmp(key.data, p->key, len);
    return p->whole || (p->inside && (order < 0 || (order == 0 && key.len <= p->key_len)));
}

static bool renew(struct policy_zone *p, const struct zone *zone, const struct dns_name *owner)
{
    uint8_t octets[DNS_KEY_MAX];
    struct bytes whole = bytes_of(octets, dns_key_of(owner, octets));
    struct bytes key = bytes_after(whole, zone->key_len);
    if (!is_done(p, key))
        return true;
    policy_forget(p->policy, owner);
    const struct zone_node *node = trie_find(&zone->nodes, key);
    return node == NULL || add_node(p, zone, node);
}

/* All names that the change concerns, as they are now. */
static bool renew_all(struct policy_zone *p, const struct zone *zone, const struct zone_change *change)
{
    struct dns_record record;
    struct dns_name last = zone->name;
    for (int side = 0; side < ZONE_SIDE_COUNT; side++) {
        size_t place = 0;
        while (zone_change_next(change, (enum zone_side)side, &place, &record)) {
            if (dns_name_equal(&record.owner, &last))
                continue;
            last = record.owner;
            if (!renew(p, zone, &last))
                return false;
        }
    }
    return true;
}

enum policy_zone_status policy_zone_follow(struct policy_zone *p, const struct zone *zone)
{
    if (zone == NULL || !zone_is_served(zone))
        return POLICY_ZONE_CHANGED;
    if (zone_serial(zone) == p->serial)
        return POLICY_ZONE_WHOLE;
    const struct zone_change *first =
        zone->history != NULL ? zone_history_find(zone->history, p->serial) : NULL;
    uint32_t serial = p->serial;
    size_t records = 0;
    for (const struct zone_change *c = first; c != NULL; c = zone_history_next(zone->history, c)) {
        records += c->sides[ZONE_REMOVED].count + c->sides[ZONE_ADDED].count;
        serial = c->serial_to;
    }
    if (first == NULL || serial != zone_serial(zone) || records > POLICY_ZONE_FOLLOW_MAX ||
        policy_is_mixed(p->policy))
        return POLICY_ZONE_CHANGED;
    for (const struct zone_change *c = first; c != NULL; c = zone_history_next(zone->history, c))
        if (!renew_all(p, zone, c))
            return POLICY_ZONE_CHANGED;
    p->serial = serial;
    return policy_is_mixed(p->policy) ? POLICY_ZONE_CHANGED : POLICY_ZONE_WHOLE;
}

enum policy_zone_status policy_zone_step(struct policy_zone *p, const struct zone *zone, size_t names)
{
    if (policy_zone_follow(p, zone) == POLICY_ZONE_CHANGED)
        return POLICY_ZONE_CHANGED;
    const struct zone_node *node =
        p->inside ? trie_after(&zone->nodes, bytes_of(p->key, p->key_len)) : trie_first(&zone->nodes);
    for (; node != NULL && names > 0; names--) {
        if (!add_node(p, zone, node))
            return POLICY_ZONE_FULL;
        p->inside = true;
        p->key_len = node->key_len;
        memcpy(p->key, node->key, node->key_len);
        node = trie_after(&zone->nodes, bytes_of(p->key, p->key_len));
    }
    p->whole = node == NULL;
    return p->whole ? POLICY_ZONE_WHOLE : POLICY_ZONE_MORE;
}
