/* SPDX-License-Identifier: ISC */
/*
 * zone_verify.c - a signed zone is gone through: keys, then each name with its sets and its place in the chain,
 * then what is left over, then the digest.
 */
#include "proto/dns/zone_verify.h"

#include "proto/dns/signed_data.h"
#include "wire/dns/dns_bitmap.h"
#include "wire/dns/dns_key.h"

enum {
    KEYS_MAX = 64,
    KEY_FLAG_ZONE = 0x0100,
    KEY_FLAG_REVOKE = 0x0080,
    KEY_PROTOCOL = 3,
    TYPES_MAX = 512,
};

struct key {
    uint8_t algorithm;
    uint16_t tag;
    struct bytes octets;
    struct bytes rdata;
};

/* Memory that is too large for the stack. */
struct work {
    struct signed_data data;
    uint8_t scratch[ZONE_DIGEST_SCRATCH_LEN];
};

struct verifier {
    const struct zone *zone;
    const struct zone_verify_options *options;
    struct zone_verify_result *result;
    struct work *work;
    struct key keys[KEYS_MAX];
    size_t key_count;
    bool nsec3;
    struct dns_nsec3 how;
    uint32_t denial_ttl;
    size_t links;             /* of the chain of hashes, that names have */
    struct dns_name owner;    /* of what is looked at, in lower case */
    const struct zone_node *above; /* the last delegation or DNAME */
    const struct zone_node *last_link; /* of NSEC */
};

/* ---- what is said ---- */

static void say(struct verifier *v, bool error, uint16_t type, const char *what)
{
    char line[ZONE_VERIFY_TEXT_MAX];
    char name[DNS_NAME_TEXT_MAX];
    char type_text[DNS_TYPE_TEXT_MAX];
    struct text t = text_of(line, sizeof line);
    uint64_t *count = error ? &v->result->errors : &v->result->warnings;
    if ((*count)++ >= ZONE_VERIFY_ERRORS_MAX)
        return;
    text_add_format(&t, "%.400s", dns_name_format(&v->owner, name));
    if (type != 0)
        text_add_format(&t, " %s", dns_type_format(type, type_text));
    text_add_format(&t, ": %s", what);
    v->options->report(v->options->self, error, line);
}

static void complain(struct verifier *v, uint16_t type, const char *what)
{
    say(v, true, type, what);
}

/* ---- keys ---- */

static void take_keys(struct verifier *v)
{
    const struct rrset *rrset = zone_rrset(v->zone->apex, DNS_DNSKEY);
    struct rrset_place place = {0};
    struct bytes rdata;
    while (rrset != NULL && rrset_next(rrset, &place, &rdata)) {
        struct reader r = reader_of(rdata);
        uint16_t flags = read_u16(&r);
        uint8_t protocol = read_u8(&r);
        uint8_t algorithm = read_u8(&r);
        if ((flags & KEY_FLAG_ZONE) == 0 || protocol != KEY_PROTOCOL ||
            (flags & KEY_FLAG_REVOKE) != 0)
            continue;
        if (v->key_count == KEYS_MAX) {
            complain(v, DNS_DNSKEY, "too many keys");
            return;
        }
        v->keys[v->key_count++] =
            (struct key){algorithm, validate_key_tag(rdata), read_rest(&r), rdata};
    }
    if (v->key_count == 0)
        complain(v, DNS_DNSKEY, "there is no key: the zone is not signed");
}

static bool supports(const struct verifier *v, uint8_t algorithm)
{
    return v->options->crypto->supports(v->options->crypto->self, algorithm);
}

/* ---- signatures ---- */

static unsigned labels_of(const struct dns_name *owner)
{
    struct dns_labels labels;
    dns_name_labels(owner, &labels);
    bool wildcard = owner->octets[0] == 1 && owner->octets[1] == '*';
    return labels.count - (wildcard ? 1u : 0u);
}

static const char *wrong_in_time(const struct verifier *v, const struct rrsig *s)
{
    uint32_t now = (uint32_t)v->options->wall_seconds;
    if ((int32_t)(s->expires_at - s->valid_from) < 0)
        return "a signature that ends before it begins";
    if ((int32_t)(s->expires_at - now) < 0)
        return "a signature has expired";
    if ((int32_t)(now - s->valid_from) < 0)
        return "a signature is not valid yet";
    return NULL;
}

/* Is it by one of the keys? */
static bool is_right(struct verifier *v, const struct rrset *rrset, const struct rrsig *s,
                     bool *key_known)
{
    const struct validate_crypto *crypto = v->options->crypto;
    struct signed_head head = {s->head, &s->signer};
    struct bytes data;
    *key_known = false;
    if (!signed_data_finish(&v->work->data, &head, &v->owner, rrset->ttl, &data))
        return false;
    for (size_t i = 0; i < v->key_count; i++) {
        const struct key *key = &v->keys[i];
        if (key->tag != s->tag || key->algorithm != s->algorithm)
            continue;
        *key_known = true;
        v->result->signatures++;
        if (crypto->verify(crypto->self, s->algorithm, key->octets, data, s->octets) ==
            VALIDATE_RIGHT)
            return true;
    }
    return false;
}

/* One signature. True: it is good. */
static bool check_rrsig(struct verifier *v, const struct rrset *rrset, const struct rrsig *s)
{
    bool key_known;
    const char *time = wrong_in_time(v, s);
    if (time != NULL)
        complain(v, rrset->type, time);
    else if (!dns_name_equal(&s->signer, &v->zone->name))
        complain(v, rrset->type, "a signature by the keys of another zone");
    else if (s->labels != labels_of(&v->owner))
        complain(v, rrset->type, "a signature over another number of labels");
    else if (s->ttl != rrset->ttl)
        complain(v, rrset->type, "the TTL is not that which was signed");
    else if (!supports(v, s->algorithm))
        return true; /* nobody here can tell, and so nobody is misled */
    else if (is_right(v, rrset, s, &key_known))
        return true;
    else if (key_known)
        complain(v, rrset->type, "a signature is wrong");
    else
        say(v, false, rrset->type, "a signature by a key that is not in the zone");
    return false;
}

static void note_end(struct verifier *v, const struct rrset *rrset, const struct rrsig *s)
{
    uint32_t left = s->expires_at - (uint32_t)v->options->wall_seconds;
    if (left < v->result->first_end)
        v->result->first_end = left;
    if (left < v->options->soon)
        say(v, false, rrset->type, "a signature expires soon");
}

/* RFC 4035 §2.2, RFC 6840 §5.11: one of each algorithm that there is a key of. */
static void check_algorithms(struct verifier *v, const struct rrset *rrset,
                             const bool by[UINT8_MAX + 1], bool any)
{
    if (!any) {
        complain(v, rrset->type, "not signed");
        return;
    }
    for (size_t i = 0; i < v->key_count; i++)
        if (!by[v->keys[i].algorithm]) {
            complain(v, rrset->type, "not signed by each algorithm that the zone has keys of");
            return;
        }
}

static void check_signed(struct verifier *v, const struct zone_node *node, const struct rrset *rrset)
{
    const struct rrset *signatures = zone_signatures(node, rrset->type);
    struct rrset_place place = {0};
    struct bytes rdata;
    bool by[UINT8_MAX + 1] = {false};
    bool any = false;
    v->result->sets++;
    signed_data_start(&v->work->data, rrset->type, v->work->scratch, sizeof v->work->scratch);
    while (rrset_next(rrset, &place, &rdata))
        signed_data_add(&v->work->data, rdata);
    place = (struct rrset_place){0};
    while (signatures != NULL && rrset_next(signatures, &place, &rdata)) {
        struct rrsig s;
        if (!rrsig_read(rdata, &s) || !check_rrsig(v, rrset, &s))
            continue;
        note_end(v, rrset, &s);
        by[s.algorithm] = any = true;
    }
    if (signatures != NULL && signatures->ttl != rrset->ttl)
        say(v, false, rrset->type, "its signatures have another TTL");
    check_algorithms(v, rrset, by, any);
}

/* ---- how a name stands ---- */

static struct bytes key_of(const struct zone_node *node)
{
    return bytes_of(node->key, node->key_len);
}

static bool is_below(const struct zone_node *node, const struct zone_node *above)
{
    return above != NULL && node->key_len > above->key_len &&
           memcmp(node->key, above->key, above->key_len) == 0;
}

static bool is_cut(const struct zone_node *node)
{
    return !zone_is_apex(node) && zone_rrset(node, DNS_NS) != NULL;
}

static bool is_generated(uint16_t type)
{
    return type == DNS_RRSIG || type == DNS_NSEC;
}

static bool has_own(const struct zone_node *node)
{
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next)
        if (!is_generated(rrset->type))
            return true;
    return false;
}

/* What the bitmap should say, in ascending order. */
static size_t expected_types(const struct verifier *v, const struct zone_node *node,
                             uint16_t types[TYPES_MAX + 2])
{
    static const uint16_t at_cuts[] = {DNS_NS, DNS_DS};
    size_t count = 0;
    bool cut = is_cut(node);
    bool has_signed = !v->nsec3;
    for (unsigned i = 0; cut && i < ARRAY_LEN(at_cuts); i++)
        if (zone_rrset(node, at_cuts[i]) != NULL)
            types[count++] = at_cuts[i];
    has_signed |= cut && zone_rrset(node, DNS_DS) != NULL;
    for (const struct rrset *rrset = node->rrsets; !cut && rrset != NULL; rrset = rrset->next)
        if (!is_generated(rrset->type) && count < TYPES_MAX) {
            types[count++] = rrset->type;
            has_signed = true;
        }
    if (has_signed)
        types[count++] = DNS_RRSIG;
    if (!v->nsec3)
        types[count++] = DNS_NSEC;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (types[j] < types[i]) {
                uint16_t type = types[i];
                types[i] = types[j];
                types[j] = type;
            }
    return count;
}

static bool bitmap_is_right(const struct verifier *v, const struct zone_node *node, struct bytes bitmap)
{
    uint16_t types[TYPES_MAX + 2];
    uint8_t octets[DNS_BITMAP_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    size_t count = expected_types(v, node, types);
    dns_bitmap_write(&w, types, count);
    return bytes_equal(writer_bytes(&w), bitmap);
}

/* RFC 9077 §3 */
static void check_denial_ttl(struct verifier *v, const struct rrset *rrset)
{
    if (rrset->ttl > v->denial_ttl)
        say(v, false, rrset->type, "it holds longer than the SOA says (RFC 9077)");
}

/* ---- NSEC ---- */

static void check_nsec(struct verifier *v, const struct zone_node *node)
{
    const struct rrset *rrset = zone_rrset(node, DNS_NSEC);
    struct dns_name next;
    if (rrset == NULL) {
        complain(v, DNS_NSEC, "there is none");
        return;
    }
    if (rrset->count != 1) {
        complain(v, DNS_NSEC, "there are several");
        return;
    }
    struct reader r = reader_of(rrset_first(rrset));
    dns_name_read(&r, rrset_first(rrset), &next);
    if (r.failed || !bitmap_is_right(v, node, read_rest(&r)))
        complain(v, DNS_NSEC, "its types are not those of the name");
    check_denial_ttl(v, rrset);
}

/* The link before points here. */
static void check_nsec_link(struct verifier *v, const struct zone_node *from, const struct zone_node *to)
{
    const struct rrset *rrset = from != NULL ? zone_rrset(from, DNS_NSEC) : NULL;
    struct dns_name next, want, owner;
    if (rrset == NULL)
        return;
    struct reader r = reader_of(rrset_first(rrset));
    dns_name_read(&r, rrset_first(rrset), &next);
    zone_node_name(v->zone, to, &want);
    if (dns_name_equal(&next, &want))
        return;
    dns_name_copy(&owner, &v->owner);
    zone_node_name(v->zone, from, &v->owner);
    complain(v, DNS_NSEC, "it does not lead to the next name");
    dns_name_copy(&v->owner, &owner);
}

/* ---- NSEC3 ---- */

static const struct zone_node *hashed_node(const struct verifier *v, bool *covered_by_opt_out)
{
    uint8_t hash[DNS_NSEC3_HASH_LEN];
    uint8_t key[DNS_NSEC3_LABEL_LEN + 1];
    struct dns_nsec3 nsec3;
    dns_nsec3_hash(&v->options->crypto->sha1, &v->how, dns_name_bytes(&v->owner), hash);
    dns_nsec3_label(hash, key);
    key[DNS_NSEC3_LABEL_LEN] = 0;
    const struct zone_node *node = trie_find(&v->zone->hashed, bytes_of(key, sizeof key));
    const struct zone_node *before = trie_before(&v->zone->hashed, bytes_of(key, sizeof key));
    if (before == NULL)
        before = trie_last(&v->zone->hashed);
    const struct rrset *rrset = before != NULL ? zone_rrset(before, DNS_NSEC3) : NULL;
    *covered_by_opt_out = rrset != NULL && dns_nsec3_decode(rrset_first(rrset), &nsec3) &&
                          (nsec3.flags & DNS_NSEC3_OPT_OUT) != 0;
    return node;
}

/* May it be left out where there is opt-out: a delegation without DS, or a name above such ones only? */
static bool may_be_left_out(const struct verifier *v, const struct zone_node *node)
{
    const struct zone_node *below = node;
    const struct zone_node *cut = NULL;
    do {
        if (cut == NULL || !is_below(below, cut)) {
            if (is_cut(below) && zone_rrset(below, DNS_DS) == NULL)
                cut = below;
            else if (has_own(below))
                return false;
        }
        below = trie_after(&v->zone->nodes, key_of(below));
    } while (below != NULL && is_below(below, node));
    return true;
}

static void check_nsec3(struct verifier *v, const struct zone_node *node)
{
    bool opt_out;
    struct dns_nsec3 nsec3;
    const struct zone_node *link = hashed_node(v, &opt_out);
    const struct rrset *rrset = link != NULL ? zone_rrset(link, DNS_NSEC3) : NULL;
    if (rrset == NULL) {
        if (!opt_out || !may_be_left_out(v, node))
            complain(v, DNS_NSEC3, "there is none");
        return;
    }
    v->links++;
    if (!dns_nsec3_decode(rrset_first(rrset), &nsec3) || !bitmap_is_right(v, node, nsec3.types))
        complain(v, DNS_NSEC3, "its types are not those of the name");
}

/* One owner in the ring: it leads to the next, is signed, and hashes as all do. */
static void check_ring(struct verifier *v, const struct zone_node *node)
{
    const struct rrset *rrset = zone_rrset(node, DNS_NSEC3);
    const struct zone_node *after = trie_after(&v->zone->hashed, key_of(node));
    uint8_t label[DNS_NSEC3_LABEL_LEN];
    struct dns_nsec3 nsec3;
    if (after == NULL)
        after = trie_first(&v->zone->hashed);
    if (rrset == NULL) {
        complain(v, DNS_NSEC3, "there is none, but a signature");
        return;
    }
    if (rrset->count != 1 || !dns_nsec3_decode(rrset_first(rrset), &nsec3) ||
        !dns_nsec3_same(&nsec3, &v->how) || nsec3.next.len != DNS_NSEC3_HASH_LEN) {
        complain(v, DNS_NSEC3, "not of the chain that NSEC3PARAM tells of");
        return;
    }
    dns_nsec3_label(nsec3.next.data, label);
    if (!bytes_equal(bytes_of(label, sizeof label), bytes_first(key_of(after), after->key_len - 1u)))
        complain(v, DNS_NSEC3, "it does not lead to the next hash");
    check_signed(v, node, rrset);
    check_denial_ttl(v, rrset);
}

static void check_chain_of_hashes(struct verifier *v)
{
    const struct zone_node *node = trie_first(&v->zone->hashed);
    size_t count = 0;
    for (; node != NULL; node = trie_after(&v->zone->hashed, key_of(node))) {
        zone_node_name(v->zone, node, &v->owner);
        dns_name_lower(&v->owner);
        if (v->nsec3)
            check_ring(v, node);
        else
            complain(v, DNS_NSEC3, "there is no NSEC3PARAM that tells of it");
        count++;
    }
    dns_name_copy(&v->owner, &v->zone->name);
    if (v->nsec3 && count != v->links)
        complain(v, DNS_NSEC3, "there are some for names that are not there");
}

static void choose_denial(struct verifier *v)
{
    const struct rrset *params = zone_rrset(v->zone->apex, DNS_NSEC3PARAM);
    struct rrset_place place = {0};
    struct bytes rdata;
    while (params != NULL && !v->nsec3 && rrset_next(params, &place, &rdata))
        v->nsec3 = dns_nsec3_decode(rdata, &v->how) && v->how.algorithm == DNS_NSEC3_SHA1 &&
                   v->how.flags == 0;
    if (v->nsec3 && v->how.iterations > 0)
        say(v, v->how.iterations > VALIDATE_ITERATIONS_MAX, DNS_NSEC3PARAM,
            v->how.iterations > VALIDATE_ITERATIONS_MAX
                ? "more iterations than resolvers follow: the zone counts as unsigned (RFC 9276 §3.2)"
                : "iterations help nobody: 0 is what RFC 9276 §3.1 asks for");
}

/* ---- names ---- */

static void check_unsigned(struct verifier *v, const struct zone_node *node, const struct rrset *rrset)
{
    if (zone_signatures(node, rrset->type) != NULL)
        complain(v, rrset->type, "signed, although it is not this zone's to sign");
}

static void check_sets(struct verifier *v, const struct zone_node *node, bool hidden)
{
    bool cut = is_cut(node);
    for (const struct rrset *rrset = node->rrsets; rrset != NULL; rrset = rrset->next) {
        struct reader r = reader_of(rrset_first(rrset));
        uint16_t type = rrset->type == DNS_RRSIG ? read_u16(&r) : rrset->type;
        if (rrset->type == DNS_RRSIG) {
            if (zone_rrset(node, type) == NULL)
                complain(v, type, "a signature over nothing");
        } else if (hidden || (cut && type != DNS_DS && type != DNS_NSEC)) {
            check_unsigned(v, node, rrset);
        } else {
            check_signed(v, node, rrset);
        }
    }
}

static void check_link(struct verifier *v, const struct zone_node *node)
{
    if (v->nsec3) {
        if (zone_rrset(node, DNS_NSEC) != NULL)
            complain(v, DNS_NSEC, "beside NSEC3");
        check_nsec3(v, node);
        return;
    }
    if (!has_own(node)) {
        if (zone_rrset(node, DNS_NSEC) != NULL)
            complain(v, DNS_NSEC, "at a name that has nothing else");
        return;
    }
    check_nsec(v, node);
    check_nsec_link(v, v->last_link, node);
    v->last_link = node;
}

static void check_names(struct verifier *v)
{
    const struct zone_node *node = trie_first(&v->zone->nodes);
    for (; node != NULL; node = trie_after(&v->zone->nodes, key_of(node))) {
        zone_node_name(v->zone, node, &v->owner);
        dns_name_lower(&v->owner);
        bool hidden = is_below(node, v->above);
        if (!hidden && (is_cut(node) || zone_rrset(node, DNS_DNAME) != NULL))
            v->above = node;
        check_sets(v, node, hidden);
        if (!hidden)
            check_link(v, node);
        else if (zone_rrset(node, DNS_NSEC) != NULL)
            complain(v, DNS_NSEC, "at a name that is not this zone's");
    }
    dns_name_copy(&v->owner, &v->zone->name);
    if (!v->nsec3)
        check_nsec_link(v, v->last_link, v->zone->apex);
}

/* ---- the apex ---- */

/* RFC 4035 §5.2: does a DS lead to a key that has signed them all? */
static bool leads(struct verifier *v, struct bytes ds)
{
    uint8_t digest[VALIDATE_DIGEST_MAX];
    const struct validate_crypto *crypto = v->options->crypto;
    const struct rrset *signatures = zone_signatures(v->zone->apex, DNS_DNSKEY);
    struct dns_name owner;
    dns_name_copy(&owner, &v->zone->name);
    dns_name_lower(&owner);
    if (ds.len < 5)
        return false;
    for (size_t i = 0; i < v->key_count; i++) {
        const struct key *key = &v->keys[i];
        size_t len = crypto->digest(crypto->self, ds.data[3], dns_name_bytes(&owner), key->rdata,
                                    digest);
        struct rrset_place place = {0};
        struct bytes rdata;
        struct rrsig s;
        if (key->tag != (uint16_t)(ds.data[0] << 8 | ds.data[1]) || key->algorithm != ds.data[2] ||
            len == 0 || !bytes_equal(bytes_of(digest, len), bytes_after(ds, 4)))
            continue;
        while (signatures != NULL && rrset_next(signatures, &place, &rdata))
            if (rrsig_read(rdata, &s) && s.tag == key->tag && s.algorithm == key->algorithm)
                return true; /* whether it is right is looked at with all others */
    }
    return false;
}

static void check_ds(struct verifier *v)
{
    bool any = v->options->ds_count == 0;
    dns_name_copy(&v->owner, &v->zone->name);
    for (size_t i = 0; i < v->options->ds_count; i++) {
        if (leads(v, v->options->ds[i]))
            any = true;
        else
            say(v, false, DNS_DS, "one of the parent's leads to no key that has signed the keys");
    }
    if (!any)
        complain(v, DNS_DS, "none of the parent's leads to a key: nobody will believe the zone");
}

static bool digest_is_right(struct verifier *v, struct bytes rdata, bool *known)
{
    uint8_t digest[ZONE_DIGEST_MAX];
    struct reader r = reader_of(rdata);
    uint32_t serial = read_u32(&r);
    uint8_t scheme = read_u8(&r);
    uint8_t algorithm = read_u8(&r);
    size_t len = 0;
    if (scheme == ZONE_DIGEST_SIMPLE)
        len = zone_digest(v->zone, &v->options->digester, algorithm, v->work->scratch, digest);
    *known = len > 0;
    return *known && serial == zone_serial(v->zone) &&
           bytes_equal(bytes_of(digest, len), read_rest(&r));
}

/* RFC 8976 §4: one that is right is enough, and of none that is known nothing follows. */
static void check_zonemd(struct verifier *v)
{
    const struct rrset *rrset = zone_rrset(v->zone->apex, DNS_ZONEMD);
    struct rrset_place place = {0};
    struct bytes rdata;
    bool right = false, any_known = false, known;
    if (rrset == NULL || v->options->digester.start == NULL)
        return;
    dns_name_copy(&v->owner, &v->zone->name);
    while (rrset_next(rrset, &place, &rdata)) {
        right |= digest_is_right(v, rdata, &known);
        any_known |= known;
    }
    if (any_known && !right)
        complain(v, DNS_ZONEMD, "the digest is not that of the zone");
    else if (!any_known)
        say(v, false, DNS_ZONEMD, "no digest that is known");
}

int zone_verify(const struct zone *zone, const struct zone_verify_options *options,
                struct zone_verify_result *result)
{
    const struct heap *heap = &options->heap;
    struct verifier v = {.zone = zone, .options = options, .result = result};
    *result = (struct zone_verify_result){.first_end = UINT64_MAX};
    dns_name_copy(&v.owner, &zone->name);
    if (!zone_is_served(zone)) {
        complain(&v, DNS_SOA, "there is none");
        return 0;
    }
    v.work = heap->resize(heap->self, NULL, 0, sizeof *v.work);
    if (v.work == NULL)
        return -1;
    v.denial_ttl = zone_negative_ttl(zone_rrset(zone->apex, DNS_SOA));
    take_keys(&v);
    if (v.key_count > 0) {
        choose_denial(&v);
        check_ds(&v);
        check_names(&v);
        check_chain_of_hashes(&v);
    }
    check_zonemd(&v);
    heap_release(heap, v.work, sizeof *v.work);
    return 0;
}
