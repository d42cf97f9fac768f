/* SPDX-License-Identifier: ISC */
/*
 * resolver_policy.c - which of the lists' rules counts for a name (draft-vixie-dnsop-dns-rpz §5): that of
 * the first list that has one, and within a list in the order of enum policy_trigger.
 *
 * A rule about an address in the answer, or a server, can only be looked for when the name has been
 * resolved. Where no list before the one that has decided has such, it is not resolved at all.
 */
#include "proto/dns/resolver_internal.h"

static bool better(const struct policy_view *v, size_t list, enum policy_trigger trigger)
{
    return list < v->list || (list == v->list && trigger < v->trigger);
}

static void note(struct policy_view *v, size_t list, enum policy_trigger trigger,
                 const struct policy_rule *rule)
{
    v->list = list;
    v->trigger = trigger;
    v->rule = *rule;
}

/* May a rule about what is found still count for more? */
static bool may_change(const struct policy_view *v)
{
    const struct resolver_policies *p = v->policies;
    for (size_t i = 0; i < p->count && i <= v->list; i++)
        for (enum policy_trigger t = POLICY_IP; t < POLICY_TRIGGER_COUNT; t++)
            if (policy_has(p->lists[i], t) && better(v, i, t))
                return true;
    return false;
}

bool resolver_policy_ask(struct policy_view *v, const struct dns_name *name)
{
    const struct resolver_policies *p = v->policies;
    v->list = p->count;
    v->trigger = POLICY_TRIGGER_COUNT;
    for (size_t i = 0; !v->over && i < p->count && v->list == p->count; i++) {
        struct policy_rule rule;
        if (policy_find_address(p->lists[i], POLICY_CLIENT_IP, v->client, &rule))
            note(v, i, POLICY_CLIENT_IP, &rule);
        else if (policy_find_name(p->lists[i], POLICY_QNAME, name, &rule))
            note(v, i, POLICY_QNAME, &rule);
    }
    return v->list < p->count && !may_change(v);
}

static void try_address(struct policy_view *v, enum policy_trigger trigger, uint16_t type,
                        struct bytes rdata)
{
    const struct resolver_policies *p = v->policies;
    struct ip_address a;
    struct policy_rule rule;
    struct reader rd = reader_of(rdata);
    if (type == DNS_A)
        a = address_v4(read_u32(&rd));
    else
        read_copy(&rd, a.octets, sizeof a.octets);
    for (size_t i = 0; !rd.failed && i < p->count && better(v, i, trigger); i++)
        if (policy_find_address(p->lists[i], trigger, &a, &rule))
            note(v, i, trigger, &rule);
}

static void try_addresses(struct policy_view *v, enum policy_trigger trigger, uint16_t type,
                          const struct cache_content *c)
{
    struct reader list = reader_of(c->records);
    struct bytes rdata;
    while (c->kind == CACHE_DATA && cache_read_rdata(&list, &rdata))
        try_address(v, trigger, type, rdata);
}

static void try_server(struct policy_view *v, const struct dns_name *server, usec now)
{
    static const uint16_t types[] = {DNS_A, DNS_AAAA};
    const struct resolver_policies *p = v->policies;
    struct policy_rule rule;
    struct cache_found found;
    for (size_t i = 0; i < p->count && better(v, i, POLICY_NSDNAME); i++)
        if (policy_find_name(p->lists[i], POLICY_NSDNAME, server, &rule))
            note(v, i, POLICY_NSDNAME, &rule);
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (cache_find(v->r->cache, server, types[i], now, true, &found))
            try_addresses(v, POLICY_NSIP, types[i], &found.content);
}

/* Those of the zones that the name is in, as far as they are known. */
static void try_servers(struct policy_view *v, const struct dns_name *name, usec now)
{
    struct dns_name zone = *name;
    for (;; dns_name_parent(&zone, &zone)) {
        struct cache_found found;
        struct bytes rdata;
        struct dns_name server;
        if (cache_find(v->r->cache, &zone, DNS_NS, now, true, &found)) {
            struct reader list = reader_of(found.content.records);
            while (found.content.kind == CACHE_DATA && cache_read_rdata(&list, &rdata))
                if (dns_rdata_target(DNS_NS, rdata, &server))
                    try_server(v, &server, now);
        }
        if (dns_name_is_root(&zone))
            return;
    }
}

static bool any_has(const struct resolver_policies *p, enum policy_trigger trigger)
{
    bool has = false;
    for (size_t i = 0; i < p->count; i++)
        has |= policy_has(p->lists[i], trigger);
    return has;
}

bool resolver_policy_found(struct policy_view *v, const struct dns_name *name, uint16_t type,
                           const struct cache_found *found, usec now)
{
    const struct resolver_policies *p = v->policies;
    if (v->over || p->count == 0)
        return false;
    if ((type == DNS_A || type == DNS_AAAA) && any_has(p, POLICY_IP))
        try_addresses(v, POLICY_IP, type, &found->content);
    if (any_has(p, POLICY_NSDNAME) || any_has(p, POLICY_NSIP))
        try_servers(v, name, now);
    return v->list < p->count;
}

void resolver_set_policies(struct resolver *r, const struct resolver_policies *policies)
{
    ASSERT(policies->count <= POLICY_LISTS_MAX);
    r->policies = *policies;
}
