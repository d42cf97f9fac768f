/* SPDX-License-Identifier: ISC */
/*
 * denial.c - denial of existence from a signed zone: with NSEC the neighbours in canonical order
 * (RFC 4035 §3.1.3), with NSEC3 the closest encloser proof (RFC 5155 §7.2.1) and what each kind of
 * answer adds to it.
 */
#include "proto/dns/denial.h"

#include "wire/dns/dns_key.h"

enum { CHAIN_STEPS_MAX = 64 }; /* past records of another NSEC3 chain, while one replaces another */

/* One search. */
struct search {
    const struct zone *zone;
    const struct dns_sha1 *sha1;
    struct dns_nsec3 how;
    struct dns_name name; /* in lower case */
    struct dns_labels labels;
    size_t apex_labels;
    struct denial *out;
};

static void add(struct denial *out, const struct zone_node *node)
{
    if (node == NULL || out->count == DENIAL_NODES_MAX)
        return;
    for (size_t i = 0; i < out->count; i++)
        if (out->nodes[i] == node)
            return;
    out->nodes[out->count++] = node;
}

/* ---- NSEC ---- */

/* The owner of the NSEC record at that name or the last one before it. Names that are not
 * authoritative, and empty non-terminals, have none. */
static const struct zone_node *nsec_cover(const struct zone *zone, struct bytes key)
{
    const struct zone_node *node = trie_at_or_before(&zone->nodes, key);
    while (node != NULL && zone_rrset(node, DNS_NSEC) == NULL)
        node = trie_before(&zone->nodes, bytes_of(node->key, node->key_len));
    return node;
}

static void nsec_cover_wildcard(const struct zone *zone, const struct zone_node *encloser,
                                struct denial *out)
{
    uint8_t key[DNS_KEY_MAX + 2];
    memcpy(key, encloser->key, encloser->key_len);
    key[encloser->key_len] = '*';
    key[encloser->key_len + 1] = 0;
    add(out, nsec_cover(zone, bytes_of(key, encloser->key_len + 2u)));
}

static void find_nsec(const struct zone_match *match, const struct dns_name *name,
                      enum denial_of what, struct denial *out)
{
    uint8_t octets[DNS_KEY_MAX];
    size_t len = dns_key_of(name, octets);
    struct bytes key = bytes_after(bytes_of(octets, len), match->zone->key_len);
    if (what == DENIAL_OF_TYPE && match->cut != NULL)
        key = bytes_of(match->cut->key, match->cut->key_len);
    add(out, nsec_cover(match->zone, key));
    if (what == DENIAL_OF_NAME)
        nsec_cover_wildcard(match->zone, match->encloser, out);
    if (what == DENIAL_OF_WILD_TYPE) /* its own, or, if it has nothing itself, the one before */
        nsec_cover_wildcard(match->zone, match->encloser, out);
}

/* ---- NSEC3 ---- */

/* The chain that may be used: the first whose flags are zero (RFC 5155 §4.1.2). */
static bool find_chain(const struct zone *zone, struct dns_nsec3 *out)
{
    const struct rrset *params = zone_rrset(zone->apex, DNS_NSEC3PARAM);
    struct rrset_place place = {0};
    struct bytes rdata;
    while (params != NULL && rrset_next(params, &place, &rdata))
        if (dns_nsec3_decode(rdata, out) && out->algorithm == DNS_NSEC3_SHA1 && out->flags == 0)
            return true;
    return false;
}

static bool is_of_chain(const struct search *s, const struct zone_node *node)
{
    struct dns_nsec3 nsec3;
    const struct rrset *rrset = zone_rrset(node, DNS_NSEC3);
    return rrset != NULL && dns_nsec3_decode(rrset_first(rrset), &nsec3) &&
           dns_nsec3_same(&nsec3, &s->how);
}

/* The key that the owner of a hash has: its label. */
struct hashed_key {
    uint8_t octets[DNS_NSEC3_LABEL_LEN + 1];
};

static struct bytes hash_wire(const struct search *s, struct bytes wire, struct hashed_key *key)
{
    uint8_t hash[DNS_NSEC3_HASH_LEN];
    dns_nsec3_hash(s->sha1, &s->how, wire, hash);
    dns_nsec3_label(hash, key->octets);
    key->octets[DNS_NSEC3_LABEL_LEN] = 0;
    return bytes_of(key->octets, sizeof key->octets);
}

/* The ancestor of the name with so many labels below the apex. */
static struct bytes ancestor(const struct search *s, size_t depth)
{
    size_t above = s->labels.count - s->apex_labels - depth;
    size_t at = above < s->labels.count ? s->labels.at[above] : (size_t)s->name.len - 1;
    return bytes_after(dns_name_bytes(&s->name), at);
}

static const struct zone_node *match_wire(const struct search *s, struct bytes wire)
{
    struct hashed_key key;
    const struct zone_node *node = trie_find(&s->zone->hashed, hash_wire(s, wire, &key));
    return node != NULL && is_of_chain(s, node) ? node : NULL;
}

/* The chain is a ring: before the first comes the last (RFC 5155 §3.1.7). */
static const struct zone_node *cover_wire(const struct search *s, struct bytes wire)
{
    struct hashed_key key;
    const struct trie *hashed = &s->zone->hashed;
    const struct zone_node *node = trie_at_or_before(hashed, hash_wire(s, wire, &key));
    for (size_t i = 0; i < CHAIN_STEPS_MAX; i++) {
        if (node == NULL)
            node = trie_last(hashed);
        if (node == NULL || is_of_chain(s, node))
            return node;
        node = trie_before(hashed, bytes_of(node->key, node->key_len));
    }
    return NULL;
}

static size_t depth_of(const struct zone_node *node)
{
    size_t depth = 0;
    for (size_t i = 0; i < node->key_len; i++)
        depth += node->key[i] == 0;
    return depth;
}

/* RFC 5155 §7.2.1, from the ancestor of that depth upwards: with opt-out not every name that exists
 * has an NSEC3 record. Returns the depth of the encloser that could be shown. */
static size_t prove_encloser(const struct search *s, size_t depth, size_t name_depth)
{
    const struct zone_node *node = match_wire(s, ancestor(s, depth));
    while (node == NULL && depth > 0)
        node = match_wire(s, ancestor(s, --depth));
    add(s->out, node);
    if (depth < name_depth)
        add(s->out, cover_wire(s, ancestor(s, depth + 1)));
    return depth;
}

static struct bytes wildcard_wire(const struct search *s, size_t depth, uint8_t out[DNS_NAME_MAX])
{
    struct bytes encloser = ancestor(s, depth);
    struct writer w = writer_of(out, DNS_NAME_MAX);
    write_u8(&w, 1);
    write_u8(&w, '*');
    write_bytes(&w, encloser);
    ASSERT(!w.failed); /* the encloser lacks at least one label of the name */
    return writer_bytes(&w);
}

/* §7.2.3, §7.2.4, §7.2.7. */
static void prove_no_type(const struct search *s, size_t depth)
{
    const struct zone_node *node = match_wire(s, ancestor(s, depth));
    if (node != NULL)
        add(s->out, node);
    else if (depth > 0)
        (void)prove_encloser(s, depth - 1, depth);
}

static void find_nsec3(const struct search *s, const struct zone_match *match, enum denial_of what)
{
    size_t name_depth = s->labels.count - s->apex_labels;
    size_t encloser_depth = depth_of(match->encloser);
    uint8_t wildcard[DNS_NAME_MAX];
    switch (what) {
    case DENIAL_OF_TYPE:
        prove_no_type(s, match->cut != NULL ? depth_of(match->cut) : name_depth);
        break;
    case DENIAL_OF_NAME: /* §7.2.2 */
        encloser_depth = prove_encloser(s, encloser_depth, name_depth);
        if (encloser_depth < name_depth)
            add(s->out, cover_wire(s, wildcard_wire(s, encloser_depth, wildcard)));
        break;
    case DENIAL_OF_CLOSER: /* §7.2.6 */
        if (encloser_depth < name_depth)
            add(s->out, cover_wire(s, ancestor(s, encloser_depth + 1)));
        break;
    case DENIAL_OF_WILD_TYPE: /* §7.2.5 */
        encloser_depth = prove_encloser(s, encloser_depth, name_depth);
        if (encloser_depth < name_depth)
            add(s->out, match_wire(s, wildcard_wire(s, encloser_depth, wildcard)));
        break;
    }
}

void denial_find(const struct dns_sha1 *sha1, const struct zone_match *match,
                 const struct dns_name *name, enum denial_of what, struct denial *out)
{
    struct search s = {.zone = match->zone, .sha1 = sha1, .name = *name, .out = out};
    out->count = 0;
    if (sha1 != NULL && find_chain(s.zone, &s.how)) {
        struct dns_labels apex;
        dns_name_lower(&s.name);
        dns_name_labels(&s.name, &s.labels);
        dns_name_labels(&s.zone->name, &apex);
        s.apex_labels = apex.count;
        find_nsec3(&s, match, what);
    } else if (zone_rrset(s.zone->apex, DNS_NSEC) != NULL) {
        find_nsec(match, name, what, out);
    }
}
