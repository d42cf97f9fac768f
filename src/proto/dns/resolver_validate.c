/* SPDX-License-Identifier: ISC */
/*
 * resolver_validate.c - what a task does to learn whether what was found is to be trusted (RFC 4035 §5):
 * the keys of the zone that signed it, which the parent's DS vouches for, up to an anchor; and where
 * nothing is signed, that the parent says so.
 *
 * Keys and DS are questions like others, asked by tasks of their own that validate what they find. Each
 * leads strictly up, so the chain ends.
 *
 * SKIPS RFC 4035 §5.3.3: the TTL is not cut to the end of a signature's validity; caches are bounded to
 * a day by default. SKIPS asking another server when the data of one is bogus.
 */
#include "proto/dns/resolver_internal.h"

enum { CHILDREN_MAX = 40 }; /* of one task's validation: twice as many as labels of usual names */

enum verdict {
    VERDICT_READY, /* security and reason are known */
    VERDICT_WAITS, /* for another task */
};

struct finding {
    enum cache_security security;
    uint16_t ede;
};

static enum verdict decide(struct finding *out, enum cache_security security, uint16_t ede)
{
    *out = (struct finding){security, ede};
    return VERDICT_READY;
}

static const struct resolver_anchor *find_anchor(const struct resolver *r,
                                                 const struct dns_name *name)
{
    const struct resolver_anchor *best = NULL;
    for (size_t i = 0; i < r->options.anchor_count; i++) {
        const struct resolver_anchor *a = &r->options.anchors[i];
        if (dns_name_within(name, &a->zone) && (best == NULL || a->zone.len > best->zone.len))
            best = a;
    }
    return best;
}

/* Names that are not to be validated: no anchor above, or one that says so. */
static bool is_exempt(const struct resolver *r, const struct dns_name *name,
                      const struct resolver_anchor *anchor)
{
    if (anchor == NULL)
        return true;
    for (size_t i = 0; i < r->options.insecure_count; i++)
        if (dns_name_within(name, &r->options.insecure[i]) &&
            r->options.insecure[i].len >= anchor->zone.len)
            return true; /* RFC 7646 */
    return false;
}

/* Something that must be known first, and has been validated. READY with UNCHECKED: *look has it. */
static enum verdict need(struct resolver *r, struct task *t, const struct dns_name *name,
                         uint16_t type, usec now, struct look *look, struct finding *out)
{
    struct dns_question q = {*name, type, DNS_IN};
    struct cache_found failure;
    enum look_result result = resolver_look(r->cache, name, type, now, false, look);
    if (result == LOOK_ANSWER && look->found.content.security != CACHE_UNCHECKED)
        return decide(out, CACHE_UNCHECKED, DNS_EDE_NONE);
    if (result == LOOK_ALIAS || result == LOOK_LONG ||
        cache_find_failure(r->cache, name, type, now, &failure) || t->proofs++ >= CHILDREN_MAX)
        return decide(out, CACHE_BOGUS,
                      type == DNS_DS ? DNS_EDE_INDETERMINATE : DNS_EDE_DNSKEY_MISSING);
    struct task *child = resolver_task(r, &q, t, now);
    if (child == NULL)
        return decide(out, CACHE_BOGUS, DNS_EDE_INDETERMINATE);
    resolver_wait(r, t, child);
    return VERDICT_WAITS;
}

/* The zone's DS: READY with UNCHECKED: *ds has the list. Else what a zone without one is. */
static enum verdict need_ds(struct resolver *r, struct task *t, const struct dns_name *zone,
                            usec now, struct bytes *ds, struct finding *out)
{
    const struct resolver_anchor *anchor = find_anchor(r, zone);
    struct look look;
    if (anchor != NULL && dns_name_equal(&anchor->zone, zone)) {
        *ds = bytes_of(anchor->ds, anchor->ds_len);
        return decide(out, CACHE_UNCHECKED, DNS_EDE_NONE);
    }
    if (is_exempt(r, zone, anchor))
        return decide(out, CACHE_INSECURE, DNS_EDE_NONE);
    enum verdict verdict = need(r, t, zone, DNS_DS, now, &look, out);
    if (verdict == VERDICT_WAITS || out->security != CACHE_UNCHECKED)
        return verdict;
    const struct cache_content *c = &look.found.content;
    if (c->security != CACHE_SECURE)
        return decide(out, c->security, c->ede);
    if (c->kind != CACHE_DATA)
        return decide(out, CACHE_INSECURE, DNS_EDE_NONE);
    *ds = c->records;
    return VERDICT_READY;
}

/* The keys of a zone; READY with UNCHECKED: *out has them. */
static enum verdict need_keys(struct resolver *r, struct task *t, const struct dns_name *zone,
                              usec now, struct bytes *keys, struct finding *out)
{
    struct look look;
    enum verdict verdict = need(r, t, zone, DNS_DNSKEY, now, &look, out);
    if (verdict == VERDICT_WAITS || out->security != CACHE_UNCHECKED)
        return verdict;
    const struct cache_content *c = &look.found.content;
    if (c->security != CACHE_SECURE)
        return decide(out, c->security, c->ede);
    if (c->kind != CACHE_DATA)
        return decide(out, CACHE_BOGUS, DNS_EDE_DNSKEY_MISSING);
    *keys = c->records;
    return VERDICT_READY;
}

/* Is the zone of these DS signed by algorithms that we know (RFC 4035 §5.2)? Else *out says why not. */
static bool is_checkable(struct resolver *r, const struct dns_name *zone, struct bytes ds, usec now,
                         struct finding *out)
{
    struct validate_context v;
    struct validate_set none = {zone, DNS_DNSKEY, bytes_empty(), bytes_empty()};
    validate_init(&v, r->options.crypto, resolver_wall(r, now), r->scratch);
    struct validate_outcome outcome = validate_keys(&v, &none, ds);
    *out = (struct finding){CACHE_INSECURE, outcome.ede};
    return outcome.security != CACHE_INSECURE;
}

/* Below a zone that is signed there may be one that is not, of which a server of both, or a
 * forwarder, has answered without a referral: is one of the names on the way a delegation without
 * DS? */
static enum verdict judge_below(struct resolver *r, struct task *t, const struct dns_name *top,
                                const struct dns_name *lowest, usec now, struct finding *out)
{
    struct dns_name zone = *top;
    for (unsigned n = name_labels(top) + 1; n <= name_labels(lowest); n++) {
        struct dns_name name;
        struct look look;
        struct bytes keys;
        name_tail(lowest, n, &name);
        enum verdict verdict = need(r, t, &name, DNS_DS, now, &look, out);
        if (verdict == VERDICT_WAITS || out->security == CACHE_BOGUS)
            return verdict;
        struct cache_content c = look.found.content;
        if (c.security != CACHE_SECURE)
            return decide(out, c.security, c.ede);
        if (c.kind == CACHE_NXDOMAIN)
            break;
        if (c.kind == CACHE_DATA) {
            zone = name;
            if (!is_checkable(r, &zone, c.records, now, out))
                return VERDICT_READY;
            continue;
        }
        verdict = need_keys(r, t, &zone, now, &keys, out);
        if (verdict == VERDICT_WAITS || out->security != CACHE_UNCHECKED)
            return verdict;
        struct validate_context v;
        struct validate_zone signer = {&zone, keys};
        validate_init(&v, r->options.crypto, resolver_wall(r, now), r->scratch);
        if (validate_shows_delegation(&v, &signer, &name, c.proof))
            return decide(out, CACHE_INSECURE, DNS_EDE_NONE);
    }
    return decide(out, CACHE_BOGUS, DNS_EDE_RRSIGS_MISSING);
}

/* The zone that the name is in, as far as referrals have shown. */
static void find_cut(struct resolver *r, const struct task *t, const struct dns_name *lowest,
                     usec now, struct dns_name *out)
{
    struct cache_found found;
    *out = *lowest;
    while (!dns_name_is_root(out) && !(cache_find(r->cache, out, DNS_NS, now, false, &found) &&
                                       found.content.kind == CACHE_DATA))
        dns_name_parent(out, out);
    if (dns_name_within(lowest, &t->zone) && t->zone.len > out->len)
        *out = t->zone;
}

/* Nothing is signed: it should not be, or it should. */
static enum verdict judge_unsigned(struct resolver *r, struct task *t, const struct dns_name *owner,
                                   uint16_t type, usec now, struct finding *out)
{
    struct dns_name zone, lowest = *owner;
    struct bytes ds;
    if (type == DNS_DS)
        dns_name_parent(&lowest, &lowest);
    find_cut(r, t, &lowest, now, &zone);
    enum verdict verdict = need_ds(r, t, &zone, now, &ds, out);
    if (verdict == VERDICT_WAITS || out->security != CACHE_UNCHECKED)
        return verdict;
    if (!is_checkable(r, &zone, ds, now, out))
        return VERDICT_READY;
    return judge_below(r, t, &zone, &lowest, now, out);
}

/* Who has signed: of the set, or of the proof. */
static bool find_signer(const struct cache_content *c, uint16_t type, const struct dns_name *owner,
                        struct dns_name *out)
{
    enum { BEFORE_SIGNER = 18 };
    struct reader list = reader_of(c->kind == CACHE_DATA ? c->signatures : c->proof);
    struct bytes rdata;
    struct cache_record record;
    for (;;) {
        if (c->kind == CACHE_DATA) {
            if (!cache_read_rdata(&list, &rdata))
                return false;
        } else {
            if (!cache_read_record(&list, &record))
                return false;
            if (record.type != DNS_RRSIG)
                continue;
            rdata = record.rdata;
        }
        struct reader r = reader_of(rdata);
        read_skip(&r, BEFORE_SIGNER);
        dns_name_read(&r, rdata, out);
        /* DS is the parent's. */
        bool below = type == DNS_DS && dns_name_equal(out, owner) && !dns_name_is_root(owner);
        if (!r.failed && dns_name_within(owner, out) && !below)
            return true;
    }
}

static enum verdict judge_keys(struct resolver *r, struct task *t, const struct dns_name *zone,
                               const struct look *look, usec now, struct finding *out)
{
    struct bytes ds;
    struct validate_context v;
    enum verdict verdict = need_ds(r, t, zone, now, &ds, out);
    if (verdict == VERDICT_WAITS || out->security != CACHE_UNCHECKED)
        return verdict;
    struct validate_set set = {zone, DNS_DNSKEY, look->found.content.records,
                               look->found.content.signatures};
    validate_init(&v, r->options.crypto, resolver_wall(r, now), r->scratch);
    struct validate_outcome outcome = validate_keys(&v, &set, ds);
    return decide(out, outcome.security, outcome.ede);
}

static struct validate_outcome check(struct resolver *r, const struct validate_zone *zone,
                                     const struct look *look, uint16_t type, usec now)
{
    const struct cache_content *c = &look->found.content;
    struct validate_context v;
    validate_init(&v, r->options.crypto, resolver_wall(r, now), r->scratch);
    if (c->kind == CACHE_NXDOMAIN)
        return validate_nxdomain(&v, zone, &look->owner, c->proof);
    if (c->kind == CACHE_NODATA)
        return validate_nodata(&v, zone, &look->owner, type, c->proof);
    struct validate_set set = {&look->owner, type, c->records, c->signatures};
    unsigned labels;
    struct validate_outcome outcome = validate_set(&v, &set, zone, &labels);
    bool wildcard = look->owner.octets[0] == 1 && look->owner.octets[1] == '*';
    if (outcome.security == CACHE_SECURE && labels + wildcard < name_labels(&look->owner))
        return validate_wildcard(&v, zone, &look->owner, labels, c->proof);
    return outcome;
}

static enum verdict judge(struct resolver *r, struct task *t, const struct look *look,
                          uint16_t type, usec now, struct finding *out)
{
    struct dns_name signer;
    struct bytes keys;
    if (is_exempt(r, &look->owner, find_anchor(r, &look->owner)))
        return decide(out, CACHE_INSECURE, DNS_EDE_NONE);
    if (!find_signer(&look->found.content, type, &look->owner, &signer))
        return judge_unsigned(r, t, &look->owner, type, now, out);
    if (look->found.content.kind == CACHE_DATA && type == DNS_DNSKEY &&
        dns_name_equal(&signer, &look->owner))
        return judge_keys(r, t, &signer, look, now, out);
    enum verdict verdict = need_keys(r, t, &signer, now, &keys, out);
    if (verdict == VERDICT_WAITS || out->security != CACHE_UNCHECKED)
        return verdict;
    struct validate_zone zone = {&signer, keys};
    struct validate_outcome outcome = check(r, &zone, look, type, now);
    return decide(out, outcome.security, outcome.ede);
}

/* Is a key of that tag among the root's? */
static bool trusts_tag(const struct resolver *r, uint16_t tag)
{
    for (size_t i = 0; i < r->options.anchor_count; i++) {
        const struct resolver_anchor *a = &r->options.anchors[i];
        struct reader list = reader_of(bytes_of(a->ds, a->ds_len));
        struct bytes ds;
        while (dns_name_is_root(&a->zone) && cache_read_rdata(&list, &ds)) {
            struct reader rd = reader_of(ds);
            if (read_u16(&rd) == tag)
                return true;
        }
    }
    return false;
}

bool resolver_sentinel(const struct resolver *r, const struct dns_name *name, uint16_t type)
{
    static const char is_ta[] = "root-key-sentinel-is-ta-", not_ta[] = "root-key-sentinel-not-ta-";
    enum { DIGITS = 5 };
    struct dns_name lower = *name;
    dns_name_lower(&lower);
    struct bytes label = dns_name_label(&lower, 0);
    size_t head = 0;
    if (label.len == sizeof is_ta - 1 + DIGITS && memcmp(label.data, is_ta, sizeof is_ta - 1) == 0)
        head = sizeof is_ta - 1;
    if (label.len == sizeof not_ta - 1 + DIGITS && memcmp(label.data, not_ta, sizeof not_ta - 1) == 0)
        head = sizeof not_ta - 1;
    uint64_t tag;
    if ((type != DNS_A && type != DNS_AAAA) || head == 0 ||
        !text_parse_number(bytes_after(label, head), UINT16_MAX, &tag))
        return false;
    return trusts_tag(r, (uint16_t)tag) == (head == sizeof not_ta - 1);
}

/* What a proof shows of other names, too. */
static void keep_gaps(struct resolver *r, const struct look *look, uint16_t type, usec now)
{
    const struct cache_content *c = &look->found.content;
    struct dns_name signer;
    if (r->gaps != NULL && c->proof.len > 0 && find_signer(c, type, &look->owner, &signer))
        gaps_put(r->gaps, &signer, c->proof, c->ttl, now);
}

/* The records have been validated before: only what they show is still to be seen. */
static enum validate_check trust_it(void *self UNUSED, uint8_t algorithm UNUSED,
                                    struct bytes key UNUSED, struct bytes data UNUSED,
                                    struct bytes signature UNUSED)
{
    return VALIDATE_RIGHT;
}

static bool is_denied(struct resolver *r, const struct validate_zone *zone,
                      const struct dns_name *name, uint16_t type, struct cache_content *c, usec now)
{
    struct validate_crypto crypto = *r->options.crypto;
    struct validate_context v;
    crypto.verify = trust_it;
    validate_init(&v, &crypto, resolver_wall(r, now), r->scratch);
    c->kind = CACHE_NXDOMAIN;
    if (validate_nxdomain(&v, zone, name, c->proof).security == CACHE_SECURE)
        return true;
    validate_init(&v, &crypto, resolver_wall(r, now), r->scratch);
    c->kind = CACHE_NODATA;
    return validate_nodata(&v, zone, name, type, c->proof).security == CACHE_SECURE;
}

bool resolver_synthesise(struct resolver *r, const struct dns_name *name, uint16_t type, usec now)
{
    struct gaps_found gap;
    struct cache_found keys;
    struct writer w = writer_of(r->payload, sizeof r->payload);
    struct cache_content c = {.rank = CACHE_RANK_AUTHORITATIVE,
                              .security = CACHE_SECURE,
                              .ede = DNS_EDE_SYNTHESIZED,
                              .records = bytes_empty(),
                              .signatures = bytes_empty()};
    if (r->gaps == NULL || type == DNS_RRSIG || type == DNS_NSEC || type == DNS_DS ||
        is_exempt(r, name, find_anchor(r, name)) ||
        !gaps_find(r->gaps, name, &r->options.crypto->sha1, now, &w, &gap) ||
        !cache_find(r->cache, &gap.zone, DNS_DNSKEY, now, false, &keys) ||
        keys.content.kind != CACHE_DATA || keys.content.security != CACHE_SECURE)
        return false;
    struct validate_zone zone = {&gap.zone, keys.content.records};
    c.proof = writer_bytes(&w);
    c.ttl = gap.ttl;
    if (gap.ttl == 0 || !is_denied(r, &zone, name, type, &c, now) ||
        cache_put(r->cache, name, type, &c, now) != CACHE_TAKEN)
        return false;
    r->counters.synthesised++;
    return true;
}

bool resolver_validate(struct resolver *r, struct task *t, const struct look *look, uint16_t type,
                       usec now)
{
    struct finding finding;
    if (judge(r, t, look, type, now, &finding) == VERDICT_WAITS)
        return false;
    uint16_t entry = look->found.content.kind == CACHE_NXDOMAIN ? CACHE_NXDOMAIN_TYPE : type;
    r->counters.secure += finding.security == CACHE_SECURE;
    r->counters.bogus += finding.security == CACHE_BOGUS;
    if (finding.security == CACHE_SECURE)
        keep_gaps(r, look, type, now);
    cache_set_security(r->cache, &look->owner, entry, finding.security, finding.ede, now);
    return true;
}
