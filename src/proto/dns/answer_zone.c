/* SPDX-License-Identifier: ISC */
/*
 * answer_zone.c - RFC 1034 §4.3.2 as code: find the name, follow aliases, fill the sections; with DO,
 * the signatures and the proofs that RFC 4035 §3.1 asks for. Records are written straight into the
 * reply; a set of records that does not fit is taken back whole (RFC 2181 §9).
 */
#include "proto/dns/answer_internal.h"

#include "wire/dns/dns_key.h"

enum { OPTIONAL_TARGETS_MAX = 13 };

/* ---- records ---- */

static bool put_records(struct answer_work *work, const struct dns_name *owner,
                        const struct rrset *rrset, uint32_t ttl)
{
    struct rrset_place place = {0};
    struct bytes rdata;
    while (rrset_next(rrset, &place, &rdata)) {
        struct dns_build_record record = {owner, rrset->type, DNS_IN, ttl, rdata};
        if (!dns_build_record(&work->b, &record))
            return false;
    }
    return true;
}

/* A set from that node with its signatures, or nothing. */
static bool put_set(struct answer_work *work, const struct dns_name *owner,
                    const struct zone_node *node, const struct rrset *rrset, uint32_t ttl)
{
    const struct rrset *signatures = NULL;
    if (work->query->dnssec_ok && rrset->type != DNS_RRSIG)
        signatures = zone_signatures(node, rrset->type);
    struct dns_mark mark = dns_build_mark(&work->b);
    if (put_records(work, owner, rrset, ttl) &&
        (signatures == NULL || put_records(work, owner, signatures, ttl)))
        return true;
    dns_build_back(&work->b, &mark);
    return false;
}

/* Into a section that must be whole: when it does not fit, the reply is truncated. */
static void put(struct answer_work *work, const struct dns_name *owner,
                const struct zone_node *node, const struct rrset *rrset, uint32_t ttl)
{
    if (!work->truncated && !put_set(work, owner, node, rrset, ttl))
        work->truncated = true;
}

/* ---- zones ---- */

static const struct zone *zone_of(const struct answer_options *options, struct bytes key,
                                  bool above)
{
    const struct zone *zone = zone_set_find_key(options->zones, key, above);
    if (LIKELY(options->common == NULL))
        return zone;
    const struct zone *other = zone_set_find_key(options->common, key, above);
    return zone == NULL || (other != NULL && other->key_len > zone->key_len) ? other : zone;
}

/* A DS record is the parent's at a delegation, also where the child is ours as well (RFC 4035
 * §3.1.4.1). False: the name is in no zone of ours. */
static bool find_name(const struct answer_options *options, const struct dns_name *name,
                      uint16_t type, struct zone_match *out)
{
    uint8_t octets[DNS_KEY_MAX];
    struct bytes key = bytes_of(octets, dns_key_of(name, octets));
    const struct zone *zone = type == DNS_DS ? zone_of(options, key, true) : NULL;
    if (zone != NULL) {
        zone_find_key_in(zone, key, out);
        if (out->cut != NULL && out->cut == out->node)
            return true;
    }
    zone = zone_of(options, key, false);
    if (zone == NULL)
        return false;
    zone_find_key_in(zone, key, out);
    return true;
}

/* ---- additional records (RFC 1034 §4.3.2 step 6) ---- */

static bool seen(struct answer_work *work, const struct zone_node *node)
{
    for (size_t i = 0; i < work->seen_count; i++)
        if (work->seen[i] == node)
            return true;
    if (work->seen_count < ANSWER_ADDITIONAL_MAX)
        work->seen[work->seen_count++] = node;
    return false;
}

/* What is ours of that name and of those types. False: something did not fit. */
static bool put_additional(struct answer_work *work, const struct dns_name *name,
                           const uint16_t *types, size_t count)
{
    struct zone_match match;
    if (!find_name(work->options, name, DNS_A, &match) || match.node == NULL ||
        match.node->rrsets == NULL || seen(work, match.node))
        return true;
    bool fits = true;
    for (size_t i = 0; i < count; i++) {
        const struct rrset *rrset = zone_rrset(match.node, types[i]);
        if (rrset != NULL && !put_set(work, name, match.node, rrset, rrset->ttl))
            fits = false;
    }
    return fits;
}

/* Glue within the delegated zone must not be lost silently (RFC 9471 §2.1), so it comes first; the
 * rest is there if it fits. */
static void put_glue(struct answer_work *work, const struct rrset *ns, const struct dns_name *cut)
{
    static const uint16_t types[] = {DNS_A, DNS_AAAA};
    for (unsigned round = 0; round < 2; round++) {
        struct rrset_place place = {0};
        struct bytes rdata;
        struct dns_name target;
        unsigned others = 0;
        while (!work->truncated && rrset_next(ns, &place, &rdata)) {
            bool needed = dns_rdata_target(DNS_NS, rdata, &target) &&
                          dns_name_within(&target, cut);
            if (needed != (round == 0) || (!needed && ++others > OPTIONAL_TARGETS_MAX))
                continue;
            bool fits = put_additional(work, &target, types, ARRAY_LEN(types));
            work->truncated |= needed && !fits;
        }
    }
}

/* What those who got the set will ask for next: RFC 1035 §3.3 for NS and MX, RFC 2782 for SRV,
 * RFC 3403 §4.2 for NAPTR, RFC 9460 §4.1 for SVCB and HTTPS. */
static void put_targets(struct answer_work *work, const struct dns_name *owner,
                        const struct rrset *rrset)
{
    const uint16_t types[] = {DNS_A, DNS_AAAA, rrset->type == DNS_NAPTR ? DNS_SRV : rrset->type};
    bool more = rrset->type == DNS_SVCB || rrset->type == DNS_HTTPS || rrset->type == DNS_NAPTR;
    struct rrset_place place = {0};
    struct bytes rdata;
    struct dns_name target;
    dns_build_section(&work->b, DNS_ADDITIONAL);
    while (place.done < OPTIONAL_TARGETS_MAX && rrset_next(rrset, &place, &rdata)) {
        if (work->truncated || !dns_rdata_target(rrset->type, rdata, &target))
            return;
        bool root = dns_name_is_root(&target);
        if (root && (rrset->type == DNS_SVCB || rrset->type == DNS_HTTPS))
            (void)put_additional(work, owner, types, 2); /* RFC 9460 §2.5.2: the owner itself */
        else if (!root)
            (void)put_additional(work, &target, types,
                                 more && !dns_name_equal(&target, owner) ? 3 : 2);
    }
}

static bool has_targets(uint16_t type)
{
    return type == DNS_NS || type == DNS_MX || type == DNS_SRV || type == DNS_SVCB ||
           type == DNS_HTTPS || type == DNS_NAPTR || type == DNS_AFSDB || type == DNS_KX;
}

/* ---- denial ---- */

static void add_proofs(struct answer_work *work, const struct zone_match *match,
                       enum denial_of what)
{
    struct denial denial;
    if (!work->query->dnssec_ok)
        return;
    denial_find(work->options->sha1, match, &work->target, what, &denial);
    for (size_t i = 0; i < denial.count; i++) {
        bool there = false;
        for (size_t j = 0; j < work->proof_count; j++)
            there |= work->proofs[j].node == denial.nodes[i];
        if (!there && work->proof_count < ANSWER_PROOFS_MAX)
            work->proofs[work->proof_count++] =
                (struct answer_proof){match->zone, denial.nodes[i]};
    }
}

void answer_put_proofs(struct answer_work *work)
{
    if (work->proof_count == 0)
        return;
    dns_build_section(&work->b, DNS_AUTHORITY);
    for (size_t i = 0; i < work->proof_count; i++) {
        const struct zone_node *node = work->proofs[i].node;
        const struct rrset *rrset = zone_rrset(node, DNS_NSEC3);
        struct dns_name owner;
        if (rrset == NULL)
            rrset = zone_rrset(node, DNS_NSEC);
        zone_node_name(work->proofs[i].zone, node, &owner);
        put(work, &owner, node, rrset, rrset->ttl);
    }
}

/* Whether a name does not exist, or only not with that type, the SOA tells for how long (RFC 2308
 * §3). */
static void put_negative(struct answer_work *work, const struct zone_match *match,
                         enum denial_of what)
{
    const struct zone *zone = match->zone;
    const struct rrset *soa = zone_rrset(zone->apex, DNS_SOA);
    dns_build_section(&work->b, DNS_AUTHORITY);
    put(work, &zone->name, zone->apex, soa, zone_negative_ttl(soa));
    add_proofs(work, match, what);
    answer_put_proofs(work);
}

/* ---- the steps of the algorithm ---- */

/* RFC 4035 §3.1.4: with DS, or with what shows that there is none. */
static void put_referral(struct answer_work *work, const struct zone_match *match)
{
    struct dns_name cut;
    const struct rrset *ns = zone_rrset(match->cut, DNS_NS);
    const struct rrset *ds = zone_rrset(match->cut, DNS_DS);
    zone_node_name(match->zone, match->cut, &cut);
    work->kind = ANSWER_REFERRAL;
    work->source = match->cut;
    dns_build_section(&work->b, DNS_AUTHORITY);
    put(work, &cut, match->cut, ns, ns->ttl);
    if (ds != NULL && work->query->dnssec_ok)
        put(work, &cut, match->cut, ds, ds->ttl);
    else
        add_proofs(work, match, DENIAL_OF_TYPE);
    answer_put_proofs(work);
    dns_build_section(&work->b, DNS_ADDITIONAL);
    put_glue(work, ns, &cut);
}

/* RFC 8482 §4.1: one of the sets will do, but who has shown his address gets all of them. */
static void put_any(struct answer_work *work, const struct zone_node *node)
{
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next) {
        if (work->query->proven)
            (void)(work->truncated ||
                   (work->truncated =
                        !put_records(work, &work->target, rrset, rrset->ttl)));
        else if (rrset->type != DNS_RRSIG && rrset->type != DNS_NSEC) {
            put(work, &work->target, node, rrset, rrset->ttl);
            return;
        }
    }
}

/* Signatures are sets by the type that they cover. */
static void put_signatures(struct answer_work *work, const struct zone_node *node)
{
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
        if (rrset->type == DNS_RRSIG)
            put(work, &work->target, node, rrset, rrset->ttl);
}

/* Goes on at the name that the alias points to. False: the chain ends here. */
static bool follow(struct answer_work *work, const struct dns_name *target)
{
    if (++work->chain_len > ANSWER_CHAIN_MAX) {
        work->rcode = DNS_SERVFAIL; /* a loop, in all likelihood (RFC 1034 §3.6.2) */
        work->kind = ANSWER_ERROR;
        return false;
    }
    dns_name_copy(&work->target, target);
    return true;
}

/* RFC 6672 §2.2, §3.1: the DNAME, and a CNAME made from it for those who do not know DNAMEs. */
static bool follow_dname(struct answer_work *work, const struct zone_match *match)
{
    const struct rrset *rrset = zone_rrset(match->dname, DNS_DNAME);
    struct dns_name owner;
    struct dns_name name;
    struct dns_name target;
    zone_node_name(match->zone, match->dname, &owner);
    put(work, &owner, match->dname, rrset, rrset->ttl);
    if (!dns_rdata_target(DNS_DNAME, rrset_first(rrset), &name))
        return false;
    size_t prefix_len = (size_t)work->target.len - owner.len;
    if (prefix_len + name.len > DNS_NAME_MAX) {
        work->rcode = DNS_YXDOMAIN;
        return false;
    }
    memcpy(target.octets, work->target.octets, prefix_len);
    memcpy(target.octets + prefix_len, name.octets, name.len);
    target.len = (uint8_t)(prefix_len + name.len);
    struct dns_build_record cname = {&work->target, DNS_CNAME, DNS_IN, rrset->ttl,
                                     dns_name_bytes(&target)};
    if (!work->truncated && !dns_build_record(&work->b, &cname))
        work->truncated = true;
    return follow(work, &target);
}

/* RFC 6147 §5.3.1: an address that was made has the names of the one that is in it. DEVIATES RFC 6147 §5.3.1:
 * that there are any is seen when they are looked for, after it was said. */
static bool follow_translation(struct answer_work *work)
{
    const struct answer_query *query = work->query;
    struct dns_name target;
    bool looks_himself = query->dnssec_ok && (query->flags & DNS_CD) != 0;
    if (work->options->dns64 == NULL || query->question.type != DNS_PTR || looks_himself ||
        !dns64_reverse(work->options->dns64, &work->target, &target))
        return false;
    struct dns_build_record cname = {&work->target, DNS_CNAME, DNS_IN, DNS64_TTL,
                                     dns_name_bytes(&target)};
    if (!work->truncated && !dns_build_record(&work->b, &cname))
        work->truncated = true;
    work->kind = ANSWER_DATA;
    return follow(work, &target);
}

/* The records asked for, if the node has them. */
static bool put_type(struct answer_work *work, const struct zone_match *match,
                     const struct zone_node *node)
{
    uint16_t type = work->query->question.type;
    const struct rrset *rrset = type != DNS_ANY ? zone_rrset(node, type) : node->rrsets;
    if (rrset == NULL)
        return false;
    work->kind = ANSWER_DATA;
    if (type == DNS_ANY)
        put_any(work, node);
    else if (type == DNS_RRSIG)
        put_signatures(work, node);
    else
        put(work, &work->target, node, rrset, rrset->ttl);
    if (match->node == NULL)
        add_proofs(work, match, DENIAL_OF_CLOSER);
    answer_put_proofs(work);
    if (has_targets(type) && !work->options->minimal)
        put_targets(work, &work->target, rrset);
    return true;
}

/* The node has the name, or is the wildcard that stands for it (RFC 4592 §3.3.1). */
static bool answer_from(struct answer_work *work, const struct zone_match *match,
                        const struct zone_node *node)
{
    struct dns_name target;
    work->source = node;
    if (put_type(work, match, node))
        return false;
    const struct rrset *cname = zone_rrset(node, DNS_CNAME);
    if (cname == NULL || !dns_rdata_target(DNS_CNAME, rrset_first(cname), &target)) {
        work->kind = ANSWER_NODATA;
        put_negative(work, match, match->node != NULL ? DENIAL_OF_TYPE : DENIAL_OF_WILD_TYPE);
        return false;
    }
    work->kind = ANSWER_DATA;
    put(work, &work->target, node, cname, cname->ttl);
    if (match->node == NULL)
        add_proofs(work, match, DENIAL_OF_CLOSER);
    return follow(work, &target);
}

/* One name of the chain. True: work->target is the next. */
static bool answer_step(struct answer_work *work)
{
    struct zone_match match;
    if (!find_name(work->options, &work->target, work->query->question.type, &match)) {
        if (follow_translation(work))
            return true;
        work->elsewhere = true;
        return false;
    }
    if (UNLIKELY(!zone_is_served(match.zone))) {
        work->rcode = DNS_SERVFAIL;
        return false;
    }
    bool of_parent = work->query->question.type == DNS_DS && match.cut == match.node;
    if (match.cut != NULL && !of_parent) {
        put_referral(work, &match);
        return false;
    }
    work->authoritative = true; /* AA is about the first name (RFC 1035 §4.1.1) */
    if (match.dname != NULL)
        return follow_dname(work, &match);
    const struct zone_node *node =
        match.node != NULL ? match.node : zone_wildcard(match.zone, match.encloser);
    if (node == NULL) {
        work->rcode = DNS_NXDOMAIN;
        work->kind = ANSWER_NXDOMAIN;
        work->source = match.zone;
        put_negative(work, &match, DENIAL_OF_NAME);
        return false;
    }
    return answer_from(work, &match, node);
}

void answer_run(struct answer_work *work)
{
    dns_name_copy(&work->target, &work->query->question.name);
    while (answer_step(work))
        continue;
}
