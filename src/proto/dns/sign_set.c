/* SPDX-License-Identifier: ISC */
/* sign_set.c - the signatures over one set of records: which are good, which go, which are made. */
#include "proto/dns/sign_internal.h"
#include "proto/dns/validate.h"

enum { RRSIG_HEAD_LEN = SIGNED_DATA_HEAD_LEN };

static struct bytes key_of(const struct sign_spot *spot)
{
    return bytes_of(spot->key, spot->key_len);
}

static bool is_about_keys(const struct sign_spot *spot, uint16_t type)
{
    return !spot->hashed && spot->key_len == 0 &&
           (type == DNS_DNSKEY || type == DNS_CDS || type == DNS_CDNSKEY);
}

/* The keys that sign the set, a bit each (RFC 4035 §2.2; RFC 7344 §4.1 for CDS). */
static uint32_t signers_of(const struct signer *s, const struct sign_spot *spot, uint16_t type)
{
    uint32_t mask = 0;
    bool about_keys = is_about_keys(spot, type);
    for (size_t i = 0; i < s->key_count; i++) {
        const struct sign_key *key = &s->keys[i].key;
        if (key->secret != NULL && (about_keys ? key->signs_keys : key->signs_zone))
            mask |= UINT32_C(1) << i;
    }
    return mask;
}

/* What is looked at in a signature. */
struct facts {
    uint8_t algorithm, labels;
    uint32_t ttl, expires_at, valid_from;
    uint16_t tag;
    struct dns_name signer;
};

static bool read_facts(struct bytes rdata, struct facts *out)
{
    struct reader r = reader_of(rdata);
    read_skip(&r, 2);
    out->algorithm = read_u8(&r);
    out->labels = read_u8(&r);
    out->ttl = read_u32(&r);
    out->expires_at = read_u32(&r);
    out->valid_from = read_u32(&r);
    out->tag = read_u16(&r);
    dns_name_read(&r, rdata, &out->signer);
    return !r.failed;
}

static unsigned labels_of(const struct dns_name *owner)
{
    struct dns_labels labels;
    dns_name_labels(owner, &labels);
    bool wildcard = owner->octets[0] == 1 && owner->octets[1] == '*';
    return labels.count - (wildcard ? 1u : 0u); /* RFC 4034 §3.1.3 */
}

/* By which of the wanted keys it is, if it is good for some time yet; -1: by none. */
static int good_for(struct signer *s, const struct sign_spot *spot, uint32_t ttl, uint32_t wanted,
                    struct bytes rdata)
{
    struct facts facts;
    if (!read_facts(rdata, &facts) || facts.ttl != ttl || facts.labels != labels_of(&spot->owner) ||
        !dns_name_equal(&facts.signer, &s->zone->name) ||
        (int32_t)(s->now - facts.valid_from) < 0 ||
        (int32_t)(facts.expires_at - s->now) <= (int32_t)s->policy.refresh)
        return -1;
    for (size_t i = 0; i < s->key_count; i++)
        if ((wanted >> i & 1) != 0 && s->keys[i].tag == facts.tag &&
            s->keys[i].algorithm == facts.algorithm) {
            int64_t left = (int32_t)(facts.expires_at - s->now);
            int64_t due_at = s->wall_seconds + left - s->policy.refresh;
            s->pass_due_at = due_at < s->pass_due_at ? due_at : s->pass_due_at;
            return (int)i;
        }
    return -1;
}

/* Drops the signatures that are of no use; returns whose are there. */
static uint32_t keep_good(struct signer *s, const struct sign_spot *spot, uint16_t type, uint32_t ttl,
                          uint32_t wanted)
{
    const struct zone_node *node = sign_node(s, spot);
    const struct rrset *signatures = node != NULL ? zone_signatures(node, type) : NULL;
    struct rrset_place place = {0};
    struct bytes rdata;
    uint32_t have = 0;
    struct writer w = writer_of(s->dropped, sizeof s->dropped);
    while (signatures != NULL && rrset_next(signatures, &place, &rdata)) {
        int by = signatures->ttl == ttl ? good_for(s, spot, ttl, wanted, rdata) : -1;
        if (by >= 0 && (have >> by & 1) == 0) {
            have |= UINT32_C(1) << by;
            s->counters.kept++;
            continue;
        }
        write_u32(&w, signatures->ttl);
        write_u16(&w, (uint16_t)rdata.len);
        write_bytes(&w, rdata);
    }
    struct reader r = reader_of(writer_bytes(&w)); /* what did not fit goes the next time */
    while (reader_left(&r) > 0) {
        uint32_t old_ttl = read_u32(&r);
        size_t len = read_u16(&r);
        rdata = read_bytes(&r, len);
        if (r.failed)
            break;
        sign_drop(s, spot, DNS_RRSIG, old_ttl, rdata);
        s->counters.dropped++;
    }
    return have;
}

void sign_drop_signatures(struct signer *s, const struct sign_spot *spot, uint16_t type)
{
    (void)keep_good(s, spot, type, 0, 0);
}

void sign_drop_set(struct signer *s, const struct sign_spot *spot, uint16_t type)
{
    const struct sign_records none = {.type = type};
    sign_drop_signatures(s, spot, type);
    (void)sign_make_set(s, spot, &none);
}

/* ---- those of the zone before ---- */

static bool has_record(const struct rrset *rrset, struct bytes rdata)
{
    struct rrset_place place = {0};
    struct bytes here;
    while (rrset_next(rrset, &place, &here))
        if (bytes_equal(here, rdata))
            return true;
    return false;
}

/* Mostly in the same order, as the file has not changed much: then it is one comparison a record. */
bool sign_same_set(const struct rrset *a, const struct rrset *b)
{
    struct rrset_place a_place = {0}, b_place = {0};
    struct bytes x, y;
    if (a == NULL || b == NULL || a->count != b->count || a->ttl != b->ttl)
        return false;
    while (rrset_next(a, &a_place, &x)) {
        bool there = rrset_next(b, &b_place, &y);
        if (!(there && bytes_equal(x, y)) && !has_record(b, x))
            return false;
    }
    return true;
}

/* Takes over what is good there. Returns whose it was. */
static uint32_t take_over(struct signer *s, const struct sign_spot *spot, const struct rrset *rrset,
                          uint32_t wanted)
{
    const struct zone *previous = s->previous;
    struct rrset_place place = {0};
    struct bytes rdata;
    uint32_t have = 0;
    if (previous == NULL)
        return 0;
    const struct zone_node *node =
        trie_find(spot->hashed ? &previous->hashed : &previous->nodes, key_of(spot));
    if (node == NULL || !sign_same_set(rrset, zone_rrset(node, rrset->type)))
        return 0;
    const struct rrset *signatures = zone_signatures(node, rrset->type);
    uint32_t ttl = rrset->ttl; /* the set may move when the zone is added to */
    while (signatures != NULL && rrset_next(signatures, &place, &rdata)) {
        int by = good_for(s, spot, ttl, wanted & ~have, rdata);
        if (by < 0 || !sign_put(s, spot, DNS_RRSIG, ttl, rdata))
            continue;
        have |= UINT32_C(1) << by;
        s->counters.kept++;
    }
    return have;
}

/* ---- new ones ---- */

static uint32_t expiration(struct signer *s)
{
    const struct sign_policy *policy = &s->policy;
    uint32_t jitter = policy->jitter > 0 ? prng_below(s->options.prng, policy->jitter + 1) : 0;
    int64_t left = (int64_t)policy->validity - jitter;
    int64_t due_at = s->wall_seconds + left - policy->refresh;
    s->pass_due_at = due_at < s->pass_due_at ? due_at : s->pass_due_at;
    return s->now + (uint32_t)left;
}

static bool make(struct signer *s, const struct sign_spot *spot, const struct sign_own_key *key,
                 uint32_t ttl)
{
    uint8_t octets[RRSIG_HEAD_LEN + DNS_NAME_MAX + SIGN_SIGNATURE_MAX];
    uint8_t signature[SIGN_SIGNATURE_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct bytes data;
    struct dns_name signer;
    dns_name_copy(&signer, &s->zone->name);
    dns_name_lower(&signer);
    write_u16(&w, s->data.type);
    write_u8(&w, key->algorithm);
    write_u8(&w, (uint8_t)labels_of(&spot->owner));
    write_u32(&w, ttl);
    write_u32(&w, expiration(s));
    write_u32(&w, s->now - s->policy.offset);
    write_u16(&w, key->tag);
    struct signed_head head = {writer_bytes(&w), &signer};
    if (!signed_data_finish(&s->data, &head, &spot->owner, ttl, &data))
        return sign_fail(s, "a set of records is too large to be signed");
    size_t len = s->options.crypto.sign(s->options.crypto.self, key->key.secret, data, signature);
    if (len == 0 || len > sizeof signature)
        return sign_fail(s, "a key refuses to sign");
    dns_name_write(&w, &signer);
    write_copy(&w, signature, len);
    s->counters.made++;
    s->budget -= s->budget > 0;
    return sign_put(s, spot, DNS_RRSIG, ttl, writer_bytes(&w));
}

static bool make_missing(struct signer *s, const struct sign_spot *spot, const struct rrset *rrset,
                         uint32_t missing)
{
    struct rrset_place place = {0};
    struct bytes rdata;
    uint32_t ttl = rrset->ttl;
    signed_data_start(&s->data, rrset->type, s->scratch, sizeof s->scratch);
    while (rrset_next(rrset, &place, &rdata))
        signed_data_add(&s->data, rdata);
    for (size_t i = 0; i < s->key_count; i++)
        if ((missing >> i & 1) != 0 && !make(s, spot, &s->keys[i], ttl))
            return false;
    return true;
}

bool sign_set(struct signer *s, const struct sign_spot *spot, uint16_t type)
{
    const struct zone_node *node = sign_node(s, spot);
    const struct rrset *rrset = node != NULL ? zone_rrset(node, type) : NULL;
    if (rrset == NULL) {
        sign_drop_signatures(s, spot, type);
        return true;
    }
    uint32_t wanted = signers_of(s, spot, type);
    s->ttl_max = rrset->ttl > s->ttl_max ? rrset->ttl : s->ttl_max;
    uint32_t have = keep_good(s, spot, type, rrset->ttl, s->whole ? 0 : wanted);
    rrset = zone_rrset(sign_node(s, spot), type);
    have |= take_over(s, spot, rrset, wanted & ~have);
    rrset = zone_rrset(sign_node(s, spot), type);
    uint32_t missing = wanted & ~have;
    return missing == 0 || make_missing(s, spot, rrset, missing);
}

/* ---- sets that are made here ---- */

static bool is_wanted(const struct sign_records *want, struct bytes rdata)
{
    for (size_t i = 0; i < want->count; i++)
        if (bytes_equal(want->rdata[i], rdata))
            return true;
    return false;
}

static bool is_same(const struct rrset *rrset, const struct sign_records *want)
{
    struct rrset_place place = {0};
    struct bytes rdata;
    if (rrset == NULL || want->count == 0)
        return rrset == NULL && want->count == 0;
    if (rrset->ttl != want->ttl || rrset->count != want->count)
        return false;
    while (rrset_next(rrset, &place, &rdata))
        if (!is_wanted(want, rdata))
            return false;
    return true;
}

/* All of it goes: records of which some may stay go too, so that the TTL can change. */
static void drop_records(struct signer *s, const struct sign_spot *spot, uint16_t type)
{
    for (;;) {
        uint8_t octets[ZONE_RDATA_MAX];
        const struct zone_node *node = sign_node(s, spot);
        const struct rrset *rrset = node != NULL ? zone_rrset(node, type) : NULL;
        if (rrset == NULL)
            return;
        struct bytes rdata = rrset_first(rrset);
        memcpy(octets, rdata.data, rdata.len);
        sign_drop(s, spot, type, rrset->ttl, bytes_of(octets, rdata.len));
    }
}

bool sign_make_set(struct signer *s, const struct sign_spot *spot, const struct sign_records *want)
{
    const struct zone_node *node = sign_node(s, spot);
    if (is_same(node != NULL ? zone_rrset(node, want->type) : NULL, want))
        return true;
    sign_drop_signatures(s, spot, want->type);
    drop_records(s, spot, want->type);
    for (size_t i = 0; i < want->count; i++)
        if (!sign_put(s, spot, want->type, want->ttl, want->rdata[i]))
            return false;
    return true;
}
