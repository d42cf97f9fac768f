/* SPDX-License-Identifier: ISC */
/*
 * sign_chain.c - the chains that show what is not there: NSEC in canonical order (RFC 4034 §4), NSEC3 in the
 * order of hashes (RFC 5155 §7.1). Which names are links of them, what each says, and who comes next.
 */
#include "base/encoding.h"
#include "proto/dns/sign_internal.h"
#include "wire/dns/dns_bitmap.h"
#include "wire/dns/dns_key.h"

static struct bytes key_of(const struct zone_node *node)
{
    return bytes_of(node->key, node->key_len);
}

static bool begins_with(struct bytes key, struct bytes prefix)
{
    return key.len >= prefix.len && memcmp(key.data, prefix.data, prefix.len) == 0;
}

/* ---- how names stand ---- */

bool sign_has_data(const struct zone_node *node)
{
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
        if (rrset->type != DNS_RRSIG && rrset->type != DNS_NSEC)
            return true;
    return false;
}

static void stand(const struct signer *s, struct bytes key, struct zone_match *match,
                  struct sign_standing *out)
{
    uint8_t whole[DNS_KEY_MAX];
    const struct zone *zone = s->zone;
    ASSERT(zone->key_len + key.len <= sizeof whole);
    memcpy(whole, zone->key, zone->key_len);
    memcpy(whole + zone->key_len, key.data, key.len);
    zone_find_key_in(zone, bytes_of(whole, zone->key_len + key.len), match);
    out->node = match->node;
    out->cut = match->cut != NULL && match->cut == match->node;
    out->hidden = match->dname != NULL || (match->cut != NULL && !out->cut);
}

void sign_stand(const struct signer *s, struct bytes key, struct sign_standing *out)
{
    struct zone_match match;
    stand(s, key, &match, out);
}

/* The key behind all that begins with `prefix`: its last octet, the zero of a label, becomes a one. No name has
 * it, as keys end with that zero. */
static struct bytes behind(struct bytes prefix, uint8_t out[DNS_KEY_MAX])
{
    memcpy(out, prefix.data, prefix.len);
    out[prefix.len - 1]++;
    return bytes_of(out, prefix.len);
}

static bool is_insecure_cut(const struct zone_node *node)
{
    return (node->flags & ZONE_HAS_NS) != 0 && !zone_is_apex(node) &&
           zone_rrset(node, DNS_DS) == NULL;
}

/* Is there a name with data below it? With opt-out RFC 5155 §7.1 (erratum 3441) lets those be left out that only
 * lead to delegations without DS; but then nobody could show that a wildcard further up is not for the names
 * below them (§7.2.2), so they stay. */
static bool leads_to_data(const struct signer *s, struct bytes prefix)
{
    const struct zone_node *node = trie_after(&s->zone->nodes, prefix);
    while (node != NULL && begins_with(key_of(node), prefix)) {
        if (sign_has_data(node))
            return true;
        node = trie_after(&s->zone->nodes, key_of(node));
    }
    return false;
}

static bool is_link(const struct signer *s, struct bytes key, const struct sign_standing *standing)
{
    const struct zone_node *node = standing->node;
    if (node == NULL || standing->hidden)
        return false;
    if (!s->policy.nsec3)
        return sign_has_data(node);
    if (sign_has_data(node))
        return !(s->policy.opt_out && is_insecure_cut(node));
    return leads_to_data(s, key);
}

/* ---- what a link says ---- */

/* RFC 4034 §4.1.2: at a delegation only what is the parent's; RRSIG where anything is signed. */
static void write_types(const struct signer *s, const struct sign_standing *standing, struct writer *w)
{
    uint16_t types[SIGN_TYPES_MAX + 2];
    size_t count = 0;
    bool is_signed = !s->policy.nsec3;
    for (const struct rrset *rrset = standing->node->rrsets; rrset != NULL; rrset = rrset->next) {
        uint16_t type = rrset->type;
        if (type == DNS_RRSIG || type == DNS_NSEC ||
            (standing->cut && type != DNS_NS && type != DNS_DS))
            continue;
        is_signed |= sign_is_signed(standing, type);
        if (count < SIGN_TYPES_MAX)
            types[count++] = type;
        else
            w->failed = true;
    }
    if (is_signed)
        types[count++] = DNS_RRSIG;
    if (!s->policy.nsec3)
        types[count++] = DNS_NSEC;
    for (size_t i = 1; i < count; i++) { /* few, and nearly in order */
        uint16_t type = types[i];
        size_t at = i;
        for (; at > 0 && types[at - 1] > type; at--)
            types[at] = types[at - 1];
        types[at] = type;
    }
    dns_bitmap_write(w, types, count);
}

static bool put_link(struct signer *s, const struct sign_spot *spot, uint16_t type,
                     const struct writer *w)
{
    struct sign_records want = {.type = type, .ttl = s->denial_ttl, .count = 1,
                                .rdata = {writer_bytes(w)}};
    if (w->failed)
        return sign_fail(s, "a name has too many types");
    return sign_make_set(s, spot, &want);
}

/* ---- NSEC ---- */

static const struct zone_node *next_link(const struct signer *s, struct bytes key)
{
    uint8_t octets[DNS_KEY_MAX];
    const struct trie *nodes = &s->zone->nodes;
    const struct zone_node *node = trie_find(nodes, key);
    bool hides = node != NULL && (node->flags & (ZONE_HAS_NS | ZONE_HAS_DNAME)) != 0;
    /* A DNAME at the apex hides all other names; of the apex NS does not. */
    if (key.len == 0)
        hides = false;
    const struct zone_node *apex = s->zone->apex;
    if ((apex->flags & ZONE_HAS_DNAME) != 0)
        return apex;
    node = trie_after(nodes, hides ? behind(key, octets) : key);
    while (node != NULL && !sign_has_data(node))
        node = trie_after(nodes, key_of(node));
    return node != NULL ? node : apex;
}

static bool chain_nsec(struct signer *s, const struct sign_spot *spot,
                       const struct sign_standing *standing)
{
    uint8_t rdata[DNS_NAME_MAX + DNS_BITMAP_MAX];
    struct writer w = writer_of(rdata, sizeof rdata);
    struct bytes key = bytes_of(spot->key, spot->key_len);
    struct dns_name next;
    if (!is_link(s, key, standing)) {
        sign_drop_set(s, spot, DNS_NSEC);
        return true;
    }
    zone_node_name(s->zone, next_link(s, key), &next);
    dns_name_write(&w, &next);
    write_types(s, standing, &w);
    return put_link(s, spot, DNS_NSEC, &w) && sign_set(s, spot, DNS_NSEC);
}

bool sign_chain_before(struct signer *s, struct bytes key)
{
    const struct trie *nodes = &s->zone->nodes;
    const struct zone_node *node = trie_before(nodes, key);
    while (node != NULL) {
        struct zone_match match;
        struct sign_standing standing;
        struct bytes at = key_of(node);
        stand(s, at, &match, &standing);
        if (is_link(s, at, &standing)) {
            struct sign_spot spot;
            sign_spot_of_key(s, at, false, &spot);
            return chain_nsec(s, &spot, &standing);
        }
        const struct zone_node *above = match.dname != NULL ? match.dname : match.cut;
        if (standing.hidden && above != NULL)
            node = above; /* what is hidden is passed over at once */
        else
            node = trie_before(nodes, at);
    }
    return true;
}

/* ---- NSEC3 ---- */

static void hash_spot(const struct signer *s, struct bytes key, struct sign_spot *out,
                      uint8_t hash[DNS_NSEC3_HASH_LEN])
{
    uint8_t label[DNS_NSEC3_LABEL_LEN + 1];
    const struct dns_nsec3 how = {.algorithm = DNS_NSEC3_SHA1,
                                  .iterations = s->policy.iterations,
                                  .salt = bytes_of(s->policy.salt, s->policy.salt_len)};
    sign_spot_of_key(s, key, false, out);
    dns_nsec3_hash(&s->options.crypto.sha1, &how, dns_name_bytes(&out->owner), hash);
    dns_nsec3_label(hash, label);
    label[DNS_NSEC3_LABEL_LEN] = 0;
    sign_spot_of_key(s, bytes_of(label, sizeof label), true, out);
}

/* The hash that is the key of an owner. */
static bool hash_of(const struct zone_node *node, uint8_t out[DNS_NSEC3_HASH_LEN])
{
    struct writer w = writer_of(out, DNS_NSEC3_HASH_LEN);
    return encoding_decode(ENCODING_BASE32HEX, bytes_first(key_of(node), node->key_len - 1u), &w) &&
           writer_len(&w) == DNS_NSEC3_HASH_LEN;
}

static void write_nsec3(const struct signer *s, const uint8_t next[DNS_NSEC3_HASH_LEN], struct writer *w)
{
    write_u8(w, DNS_NSEC3_SHA1);
    write_u8(w, s->policy.opt_out ? DNS_NSEC3_OPT_OUT : 0);
    write_u16(w, s->policy.iterations);
    write_u8(w, s->policy.salt_len);
    write_copy(w, s->policy.salt, s->policy.salt_len);
    write_u8(w, DNS_NSEC3_HASH_LEN);
    write_copy(w, next, DNS_NSEC3_HASH_LEN);
}

/* The same record with another successor. */
static bool point(struct signer *s, struct zone_node *node, const uint8_t next[DNS_NSEC3_HASH_LEN])
{
    uint8_t octets[ZONE_RDATA_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct dns_nsec3 old;
    struct sign_spot spot;
    const struct rrset *rrset = zone_rrset(node, DNS_NSEC3);
    if (rrset == NULL || !dns_nsec3_decode(rrset_first(rrset), &old))
        return sign_fail(s, "an owner of NSEC3 has none");
    sign_spot_of_key(s, key_of(node), true, &spot);
    write_nsec3(s, next, &w);
    write_bytes(&w, old.types);
    return put_link(s, &spot, DNS_NSEC3, &w) && sign_set(s, &spot, DNS_NSEC3);
}

static struct zone_node *ring_before(const struct signer *s, struct bytes key)
{
    struct zone_node *node = trie_before(&s->zone->hashed, key);
    return node != NULL ? node : trie_last(&s->zone->hashed);
}

static struct zone_node *ring_after(const struct signer *s, struct bytes key)
{
    struct zone_node *node = trie_after(&s->zone->hashed, key);
    return node != NULL ? node : trie_first(&s->zone->hashed);
}

static bool put_nsec3(struct signer *s, const struct sign_spot *spot, const uint8_t *next,
                      const struct sign_standing *standing)
{
    uint8_t octets[8 + SIGN_SALT_MAX + DNS_NSEC3_HASH_LEN + DNS_BITMAP_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    write_nsec3(s, next, &w);
    write_types(s, standing, &w);
    return put_link(s, spot, DNS_NSEC3, &w);
}

static bool take_out_nsec3(struct signer *s, const struct sign_spot *spot)
{
    uint8_t next[DNS_NSEC3_HASH_LEN];
    struct bytes key = bytes_of(spot->key, spot->key_len);
    sign_drop_set(s, spot, DNS_NSEC3);
    struct zone_node *before = ring_before(s, key);
    if (before == NULL || !hash_of(ring_after(s, key), next))
        return true;
    return point(s, before, next);
}

static bool chain_nsec3(struct signer *s, struct bytes key, const struct sign_standing *standing)
{
    struct sign_spot spot;
    uint8_t hash[DNS_NSEC3_HASH_LEN], next[DNS_NSEC3_HASH_LEN];
    hash_spot(s, key, &spot, hash);
    struct bytes at = bytes_of(spot.key, spot.key_len);
    const struct zone_node *there = sign_node(s, &spot);
    bool link = is_link(s, key, standing);
    if (!link)
        return there == NULL || take_out_nsec3(s, &spot);
    if (s->whole) /* its successor is known when all are there */
        return put_nsec3(s, &spot, hash, standing);
    const struct zone_node *after = ring_after(s, at);
    if (after == NULL || !hash_of(after, next))
        memcpy(next, hash, sizeof next);
    bool is_new = there == NULL;
    if (!put_nsec3(s, &spot, next, standing) || !sign_set(s, &spot, DNS_NSEC3))
        return false;
    struct zone_node *before = ring_before(s, at);
    return !is_new || before == sign_node(s, &spot) || point(s, before, hash);
}

bool sign_chain_link(struct signer *s, struct zone_node *node)
{
    uint8_t next[DNS_NSEC3_HASH_LEN];
    const struct rrset *rrset = zone_rrset(node, DNS_NSEC3);
    if (rrset == NULL || !hash_of(ring_after(s, key_of(node)), next))
        return sign_fail(s, "an owner of NSEC3 has none");
    struct bytes rdata = rrset_first(rrset);
    size_t at = 6u + s->policy.salt_len; /* in the RDATA: in its place, as nothing is signed yet */
    ASSERT(at + sizeof next <= rdata.len);
    memcpy((uint8_t *)(uintptr_t)rdata.data + at, next, sizeof next);
    struct sign_spot spot;
    sign_spot_of_key(s, key_of(node), true, &spot);
    return sign_set(s, &spot, DNS_NSEC3);
}

bool sign_chain_name(struct signer *s, struct bytes key)
{
    struct sign_standing standing;
    struct sign_spot spot;
    sign_stand(s, key, &standing);
    sign_spot_of_key(s, key, false, &spot);
    if (!s->policy.nsec3)
        return chain_nsec(s, &spot, &standing);
    sign_drop_set(s, &spot, DNS_NSEC);
    sign_stand(s, key, &standing); /* it may have gone with that */
    return chain_nsec3(s, key, &standing);
}
