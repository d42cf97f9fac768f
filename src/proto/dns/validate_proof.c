/* SPDX-License-Identifier: ISC */
/*
 * validate_proof.c - proofs that there is nothing: NSEC (RFC 4035 §5.4, RFC 6840 §4) and NSEC3 (RFC 5155
 * §8, RFC 9276).
 */
#include "wire/dns/dns_bitmap.h"
#include "wire/dns/dns_key.h"

#include "proto/dns/validate_internal.h"

enum { DENIALS_MAX = 16, NSEC3_KNOWN_FLAGS = DNS_NSEC3_OPT_OUT };

unsigned validate_labels(const struct dns_name *name)
{
    struct dns_labels labels;
    dns_name_labels(name, &labels);
    unsigned count = labels.count;
    bool wildcard = name->octets[0] == 1 && name->octets[1] == '*';
    return wildcard && count > 0 ? count - 1 : count; /* RFC 4034 §3.1.3: not the asterisk */
}

void validate_tail(const struct dns_name *name, unsigned labels, struct dns_name *out)
{
    struct dns_labels at;
    dns_name_labels(name, &at);
    ASSERT(labels <= at.count);
    size_t from = labels == 0 ? (size_t)name->len - 1 : at.at[at.count - labels];
    struct dns_name tail = {.len = (uint8_t)(name->len - from)};
    memcpy(tail.octets, name->octets + from, tail.len);
    *out = tail;
}

static unsigned count_labels(const struct dns_name *name)
{
    struct dns_labels labels;
    dns_name_labels(name, &labels);
    return labels.count;
}

/* RFC 4034 §6.1: before, the same, behind. */
static int name_order(const struct dns_name *a, const struct dns_name *b)
{
    uint8_t x[DNS_KEY_MAX], y[DNS_KEY_MAX];
    size_t x_len = dns_key_of(a, x);
    size_t y_len = dns_key_of(b, y);
    int order = memcmp(x, y, x_len < y_len ? x_len : y_len);
    return order != 0 ? order : (x_len > y_len) - (x_len < y_len);
}

/* An NSEC or NSEC3 record whose signature is right. */
struct denial {
    struct dns_name owner;
    bool hashed;
    struct dns_name next;     /* of NSEC */
    struct dns_nsec3 nsec3;
    uint8_t hash[DNS_NSEC3_HASH_LEN]; /* of NSEC3: the owner's */
    struct bytes types;
};

struct proof {
    struct validate_context *v;
    const struct validate_zone *zone;
    struct denial list[DENIALS_MAX];
    size_t count;
    bool has_nsec3, iterated_too_often;
    bool bogus;
};

static bool decode_hash(const struct dns_name *owner, uint8_t out[DNS_NSEC3_HASH_LEN])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    struct bytes label = dns_name_label(owner, 0);
    uint64_t bits = 0;
    unsigned have = 0;
    size_t at = 0;
    if (label.len != DNS_NSEC3_LABEL_LEN)
        return false;
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = label.data[i] >= 'A' && label.data[i] <= 'V' ? label.data[i] | 0x20
                                                                 : label.data[i];
        const char *digit = c != 0 ? memchr(digits, c, 32) : NULL;
        if (digit == NULL)
            return false;
        bits = bits << 5 | (uint64_t)(digit - digits);
        have += 5;
        if (have >= 8) {
            have -= 8;
            out[at++] = (uint8_t)(bits >> have);
        }
    }
    return true;
}

static bool decode(const struct cache_record *record, struct denial *out)
{
    out->owner = record->owner;
    out->hashed = record->type == DNS_NSEC3;
    if (!out->hashed) {
        struct reader r = reader_of(record->rdata);
        dns_name_read(&r, record->rdata, &out->next);
        out->types = read_rest(&r);
        return !r.failed;
    }
    if (!dns_nsec3_decode(record->rdata, &out->nsec3) ||
        out->nsec3.algorithm != DNS_NSEC3_SHA1 ||
        (out->nsec3.flags & ~(unsigned)NSEC3_KNOWN_FLAGS) != 0 || /* RFC 5155 §8.2 */
        out->nsec3.next.len != DNS_NSEC3_HASH_LEN || !decode_hash(&out->owner, out->hash))
        return false;
    out->types = out->nsec3.types;
    return true;
}

/* The RRSIGs in the proof over that owner and type, as a list. */
static struct bytes signatures_of(struct bytes proof, const struct dns_name *owner, uint16_t type,
                                  struct writer *w)
{
    struct reader r = reader_of(proof);
    struct cache_record record;
    while (cache_read_record(&r, &record)) {
        struct reader rd = reader_of(record.rdata);
        if (record.type == DNS_RRSIG && read_u16(&rd) == type &&
            dns_name_equal(&record.owner, owner))
            cache_write_rdata(w, record.rdata);
    }
    return writer_bytes(w);
}

/* One record of the proof: signed, or it counts for nothing. The SOA has to be right as well. */
static void take(struct proof *p, struct bytes all, const struct cache_record *record)
{
    uint8_t rdata[2 + 4096], signatures[4096];
    struct writer w = writer_of(rdata, sizeof rdata);
    struct writer s = writer_of(signatures, sizeof signatures);
    unsigned labels;
    cache_write_rdata(&w, record->rdata);
    struct validate_set set = {&record->owner, record->type, writer_bytes(&w),
                               signatures_of(all, &record->owner, record->type, &s)};
    if (w.failed || s.failed ||
        validate_set(p->v, &set, p->zone, &labels).security != CACHE_SECURE ||
        labels != validate_labels(&record->owner)) {
        p->bogus |= record->type == DNS_SOA;
        return;
    }
    struct denial denial;
    if (record->type == DNS_SOA || p->count == DENIALS_MAX || !decode(record, &denial))
        return;
    p->iterated_too_often |=
        denial.hashed && denial.nsec3.iterations > VALIDATE_ITERATIONS_MAX;
    p->has_nsec3 |= denial.hashed;
    p->list[p->count++] = denial;
}

static void read_proof(struct validate_context *v, const struct validate_zone *zone,
                       struct bytes all, struct proof *out)
{
    struct reader r = reader_of(all);
    struct cache_record record;
    out->v = v;
    out->zone = zone;
    out->count = 0;
    out->has_nsec3 = out->iterated_too_often = out->bogus = false;
    while (cache_read_record(&r, &record))
        if (record.type == DNS_NSEC || record.type == DNS_NSEC3 || record.type == DNS_SOA)
            take(out, all, &record);
}

static bool has_type(const struct denial *d, uint16_t type)
{
    return dns_bitmap_has(d->types, type);
}

/* A parent's record about a child, or about what a DNAME moves: it says nothing of names below, and
 * nothing but DS of the name itself (RFC 6840 §4.1). */
static bool is_delegation(const struct denial *d)
{
    return has_type(d, DNS_NS) && !has_type(d, DNS_SOA);
}

/* The record is of the very name: does it deny the type (RFC 6840 §4.1, §4.3)? */
static bool denies_type(const struct denial *d, uint16_t type)
{
    if (type == DNS_DS ? has_type(d, DNS_SOA) && !dns_name_is_root(&d->owner) : is_delegation(d))
        return false;
    return !has_type(d, type) && !has_type(d, DNS_CNAME);
}

/* ---- NSEC ---- */

static const struct denial *nsec_at(const struct proof *p, const struct dns_name *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (!p->list[i].hashed && dns_name_equal(&p->list[i].owner, name))
            return &p->list[i];
    return NULL;
}

static bool nsec_covers(const struct denial *d, const struct dns_name *name)
{
    if (dns_name_within(name, &d->owner) && (is_delegation(d) || has_type(d, DNS_DNAME)))
        return false;
    bool behind = name_order(&d->owner, name) < 0;
    bool before = name_order(name, &d->next) < 0;
    bool last = name_order(&d->next, &d->owner) <= 0; /* back to the apex */
    return last ? behind || before : behind && before;
}

static const struct denial *nsec_covering(const struct proof *p, const struct dns_name *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (!p->list[i].hashed && nsec_covers(&p->list[i], name))
            return &p->list[i];
    return NULL;
}

static unsigned common_labels(const struct dns_name *a, const struct dns_name *b)
{
    unsigned n = count_labels(a) < count_labels(b) ? count_labels(a) : count_labels(b);
    for (; n > 0; n--) {
        struct dns_name x, y;
        validate_tail(a, n, &x);
        validate_tail(b, n, &y);
        if (dns_name_equal(&x, &y))
            break;
    }
    return n;
}

/* "*" below the closest ancestor that exists, which the covering record's ends show. */
static bool nsec_wildcard(const struct denial *d, const struct dns_name *name,
                          struct dns_name *out)
{
    unsigned a = common_labels(name, &d->owner);
    unsigned b = common_labels(name, &d->next);
    validate_tail(name, a > b ? a : b, out);
    return dns_name_child(bytes_of("*", 1), out, out);
}

static bool nsec_nodata(const struct proof *p, const struct dns_name *name, uint16_t type)
{
    const struct denial *d = nsec_at(p, name);
    if (d != NULL)
        return denies_type(d, type);
    d = nsec_covering(p, name);
    if (d == NULL)
        return false;
    if (dns_name_within(&d->next, name))
        return true; /* names below it exist, and it has nothing itself */
    struct dns_name wildcard;
    if (!nsec_wildcard(d, name, &wildcard))
        return false;
    const struct denial *w = nsec_at(p, &wildcard);
    if (w != NULL)
        return denies_type(w, type);
    w = nsec_covering(p, &wildcard); /* there are names below it, and it has nothing itself (RFC 4592 §2.2.2) */
    return w != NULL && dns_name_within(&w->next, &wildcard);
}

static bool nsec_nxdomain(const struct proof *p, const struct dns_name *name)
{
    const struct denial *d = nsec_covering(p, name);
    struct dns_name wildcard;
    if (d == NULL || dns_name_within(&d->next, name))
        return false;
    if (!nsec_wildcard(d, name, &wildcard))
        return true;
    const struct denial *w = nsec_covering(p, &wildcard);
    return w != NULL && !dns_name_within(&w->next, &wildcard);
}

/* ---- NSEC3 ---- */

/* The first record says how; all that are of another kind count for nothing (RFC 5155 §8.2). */
static bool hash_name(struct proof *p, const struct dns_name *name,
                      uint8_t out[DNS_NSEC3_HASH_LEN], const struct dns_nsec3 **how)
{
    struct dns_name lower = *name;
    *how = NULL;
    for (size_t i = 0; i < p->count && *how == NULL; i++)
        if (p->list[i].hashed)
            *how = &p->list[i].nsec3;
    if (*how == NULL || p->v->hashes_left == 0)
        return false;
    p->v->hashes_left--;
    dns_name_lower(&lower);
    dns_nsec3_hash(&p->v->crypto->sha1, *how, dns_name_bytes(&lower), out);
    return true;
}

/* Is the record of this zone, and hashed as the others are? */
static bool belongs(const struct proof *p, const struct denial *d, const struct dns_nsec3 *how)
{
    struct dns_name parent;
    dns_name_parent(&d->owner, &parent);
    return d->hashed && dns_nsec3_same(&d->nsec3, how) && dns_name_equal(&parent, p->zone->name);
}

static const struct denial *nsec3_find(struct proof *p, const struct dns_name *name, bool covering)
{
    uint8_t hash[DNS_NSEC3_HASH_LEN];
    const struct dns_nsec3 *how;
    if (!hash_name(p, name, hash, &how))
        return NULL;
    for (size_t i = 0; i < p->count; i++) {
        const struct denial *d = &p->list[i];
        if (!belongs(p, d, how))
            continue;
        int owner = memcmp(d->hash, hash, sizeof hash);
        if (!covering) {
            if (owner == 0)
                return d;
            continue;
        }
        int next = memcmp(hash, d->nsec3.next.data, sizeof hash);
        bool last = memcmp(d->nsec3.next.data, d->hash, sizeof hash) <= 0;
        if (last ? (owner < 0 || next < 0) && owner != 0 : owner < 0 && next < 0)
            return d;
    }
    return NULL;
}

/* RFC 5155 §8.3: the closest ancestor that exists, and that the next name below it does not. */
struct encloser {
    struct dns_name name;
    const struct denial *next_closer; /* covers it */
};

static bool nsec3_encloser(struct proof *p, const struct dns_name *name, struct encloser *out)
{
    unsigned labels = count_labels(name);
    unsigned apex = count_labels(p->zone->name);
    for (unsigned n = labels; n-- > apex;) {
        struct dns_name next;
        validate_tail(name, n, &out->name);
        const struct denial *d = nsec3_find(p, &out->name, false);
        if (d == NULL)
            continue;
        if (is_delegation(d) || has_type(d, DNS_DNAME))
            return false;
        validate_tail(name, n + 1, &next);
        out->next_closer = nsec3_find(p, &next, true);
        return out->next_closer != NULL;
    }
    return false;
}

static bool is_opt_out(const struct denial *d)
{
    return (d->nsec3.flags & DNS_NSEC3_OPT_OUT) != 0;
}

static enum cache_security nsec3_nodata(struct proof *p, const struct dns_name *name, uint16_t type)
{
    const struct denial *d = nsec3_find(p, name, false);
    struct encloser e;
    struct dns_name wildcard;
    if (d != NULL)
        return denies_type(d, type) ? CACHE_SECURE : CACHE_BOGUS;
    if (!nsec3_encloser(p, name, &e))
        return CACHE_BOGUS;
    if (type == DNS_DS && is_opt_out(e.next_closer))
        return CACHE_INSECURE; /* §8.6 */
    d = dns_name_child(bytes_of("*", 1), &e.name, &wildcard) ? nsec3_find(p, &wildcard, false)
                                                             : NULL;
    if (d == NULL || !denies_type(d, type))
        return is_opt_out(e.next_closer) ? CACHE_INSECURE : CACHE_BOGUS;
    return CACHE_SECURE; /* §8.7 */
}

static enum cache_security nsec3_nxdomain(struct proof *p, const struct dns_name *name)
{
    struct encloser e;
    struct dns_name wildcard;
    if (!nsec3_encloser(p, name, &e) ||
        !dns_name_child(bytes_of("*", 1), &e.name, &wildcard) ||
        nsec3_find(p, &wildcard, true) == NULL)
        return CACHE_BOGUS;
    return is_opt_out(e.next_closer) ? CACHE_INSECURE : CACHE_SECURE; /* RFC 5155 §9.2 */
}

/* ---- together ---- */

static struct validate_outcome outcome_of(const struct proof *p, enum cache_security found)
{
    if (found == CACHE_SECURE && p->bogus)
        found = CACHE_BOGUS;
    return validate_say(found, found == CACHE_BOGUS ? DNS_EDE_NSEC_MISSING : DNS_EDE_NONE);
}

static struct validate_outcome too_often(void)
{
    return validate_say(CACHE_INSECURE, DNS_EDE_NSEC3_ITERATIONS);
}

struct validate_outcome validate_nodata(struct validate_context *v, const struct validate_zone *zone,
                                        const struct dns_name *name, uint16_t type,
                                        struct bytes proof)
{
    struct proof p;
    read_proof(v, zone, proof, &p);
    if (p.iterated_too_often)
        return too_often();
    if (nsec_nodata(&p, name, type))
        return outcome_of(&p, CACHE_SECURE);
    return outcome_of(&p, p.has_nsec3 ? nsec3_nodata(&p, name, type) : CACHE_BOGUS);
}

struct validate_outcome validate_nxdomain(struct validate_context *v,
                                          const struct validate_zone *zone,
                                          const struct dns_name *name, struct bytes proof)
{
    struct proof p;
    read_proof(v, zone, proof, &p);
    if (p.iterated_too_often)
        return too_often();
    if (nsec_nxdomain(&p, name))
        return outcome_of(&p, CACHE_SECURE);
    return outcome_of(&p, p.has_nsec3 ? nsec3_nxdomain(&p, name) : CACHE_BOGUS);
}

struct validate_outcome validate_wildcard(struct validate_context *v,
                                          const struct validate_zone *zone,
                                          const struct dns_name *name, unsigned labels,
                                          struct bytes proof)
{
    struct proof p;
    struct dns_name next;
    read_proof(v, zone, proof, &p);
    if (p.iterated_too_often)
        return too_often();
    if (nsec_covering(&p, name) != NULL)
        return outcome_of(&p, CACHE_SECURE);
    ASSERT(labels < count_labels(name));
    validate_tail(name, labels + 1, &next); /* RFC 5155 §8.8 */
    const struct denial *d = p.has_nsec3 ? nsec3_find(&p, &next, true) : NULL;
    if (d == NULL)
        return outcome_of(&p, CACHE_BOGUS);
    return outcome_of(&p, is_opt_out(d) ? CACHE_INSECURE : CACHE_SECURE);
}

bool validate_shows_delegation(struct validate_context *v, const struct validate_zone *zone,
                               const struct dns_name *name, struct bytes proof)
{
    struct proof p;
    read_proof(v, zone, proof, &p);
    const struct denial *d = nsec_at(&p, name);
    if (d == NULL && p.has_nsec3)
        d = nsec3_find(&p, name, false);
    return d != NULL && is_delegation(d) && !has_type(d, DNS_DS);
}
