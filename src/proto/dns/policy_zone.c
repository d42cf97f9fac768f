/* SPDX-License-Identifier: ISC */
/* policy_zone.c - names in canonical order, each with its records, into a list. */
#include "proto/dns/policy_zone.h"

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

enum policy_zone_status policy_zone_step(struct policy_zone *p, const struct zone *zone, size_t names)
{
    if (zone == NULL || !zone_is_served(zone) || zone_serial(zone) != p->serial)
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
    return node == NULL ? POLICY_ZONE_WHOLE : POLICY_ZONE_MORE;
}
