/* SPDX-License-Identifier: ISC */
/*
 * gaps.c - records in an ordered table, by kind, zone and owner; for NSEC3 the order of owners is that
 * of the hashes, since base32hex keeps it (RFC 5155 §1.3).
 */
#include "proto/dns/gaps.h"

#include "base/list.h"
#include "base/trie.h"
#include "proto/dns/cache.h"
#include "wire/dns/dns_key.h"

enum { KEY_MAX = 2 + 2 * DNS_KEY_MAX };

struct gap {
    struct list_node node; /* oldest first */
    usec expires_at;
    uint16_t key_len;
    uint16_t records_len;
    uint8_t octets[]; /* the key; records as cache_write_record() puts them: what denies is first */
};

struct gaps {
    struct heap heap;
    struct trie trie;
    struct list_node ring;
    size_t count_max;
};

static struct bytes key_of(const void *item)
{
    const struct gap *gap = item;
    return bytes_of(gap->octets, gap->key_len);
}

static struct bytes records_of(const struct gap *gap)
{
    return bytes_of(gap->octets + gap->key_len, gap->records_len);
}

struct gaps *gaps_new(const struct heap *heap, size_t count_max)
{
    ASSERT(count_max > 0);
    struct gaps *gaps = heap_zeroed(heap, sizeof *gaps);
    if (gaps == NULL)
        return NULL;
    gaps->heap = *heap;
    gaps->count_max = count_max;
    trie_init(&gaps->trie, heap, count_max, key_of);
    list_init(&gaps->ring);
    return gaps;
}

static void drop(struct gaps *gaps, struct gap *gap)
{
    (void)trie_remove(&gaps->trie, key_of(gap));
    list_remove(&gap->node);
    heap_release(&gaps->heap, gap, sizeof *gap + gap->key_len + gap->records_len);
}

void gaps_clear(struct gaps *gaps)
{
    while (!list_empty(&gaps->ring))
        drop(gaps, CONTAINER_OF(list_first(&gaps->ring), struct gap, node));
}

void gaps_free(struct gaps *gaps)
{
    if (gaps == NULL)
        return;
    gaps_clear(gaps);
    trie_done(&gaps->trie);
    struct heap heap = gaps->heap;
    heap_release(&heap, gaps, sizeof *gaps);
}

size_t gaps_count(const struct gaps *gaps)
{
    return gaps->trie.count;
}

/* SOA: of the zone alone. Others: the zone's key ends with a zero or is empty, and no label is empty:
 * one more zero divides it from the owner's. */
static size_t make_key(uint16_t type, const struct dns_name *zone, const struct dns_name *owner,
                       uint8_t out[KEY_MAX])
{
    size_t len = 1;
    out[0] = type == DNS_SOA ? 'S' : type == DNS_NSEC ? 'N' : 'H';
    len += dns_key_of(zone, out + len);
    if (type == DNS_SOA)
        return len;
    out[len++] = 0;
    return len + dns_key_of(owner, out + len);
}

/* ---- putting ---- */

/* The record and the RRSIGs over it. */
static void write_signed(struct bytes proof, const struct cache_record *record, struct writer *w)
{
    struct reader r = reader_of(proof);
    struct cache_record other;
    cache_write_record(w, record);
    while (cache_read_record(&r, &other)) {
        struct reader rd = reader_of(other.rdata);
        if (other.type == DNS_RRSIG && read_u16(&rd) == record->type &&
            dns_name_equal(&other.owner, &record->owner))
            cache_write_record(w, &other);
    }
}

static void put(struct gaps *gaps, struct bytes key, struct bytes records, usec expires_at)
{
    struct gap *old = trie_find(&gaps->trie, key);
    if (old != NULL)
        drop(gaps, old);
    if (gaps->trie.count == gaps->count_max)
        drop(gaps, CONTAINER_OF(list_first(&gaps->ring), struct gap, node));
    struct gap *gap = heap_zeroed(&gaps->heap, sizeof *gap + key.len + records.len);
    if (gap == NULL)
        return; /* less is denied by heart, and that is all */
    gap->expires_at = expires_at;
    gap->key_len = (uint16_t)key.len;
    gap->records_len = (uint16_t)records.len;
    memcpy(gap->octets, key.data, key.len);
    memcpy(gap->octets + key.len, records.data, records.len);
    list_init(&gap->node);
    if (trie_insert(&gaps->trie, gap) != TRIE_OK) {
        heap_release(&gaps->heap, gap, sizeof *gap + key.len + records.len);
        return;
    }
    list_append(&gaps->ring, &gap->node);
}

void gaps_put(struct gaps *gaps, const struct dns_name *zone, struct bytes proof, uint32_t ttl,
              usec now)
{
    struct reader r = reader_of(proof);
    struct cache_record record;
    ttl = ttl < GAPS_TTL_MAX ? ttl : GAPS_TTL_MAX;
    while (cache_read_record(&r, &record)) {
        uint8_t key[KEY_MAX], octets[GAPS_RECORDS_LEN_MAX];
        struct writer w = writer_of(octets, sizeof octets);
        bool denies = record.type == DNS_NSEC || record.type == DNS_NSEC3;
        bool apex = record.type == DNS_SOA && dns_name_equal(&record.owner, zone);
        if (!(denies && dns_name_within(&record.owner, zone)) && !apex)
            continue;
        write_signed(proof, &record, &w);
        size_t key_len = make_key(record.type, zone, &record.owner, key);
        uint32_t least = record.ttl < ttl ? record.ttl : ttl;
        if (!w.failed && least > 0)
            put(gaps, bytes_of(key, key_len), writer_bytes(&w), now + least * USEC_PER_SEC);
    }
}

/* ---- finding ---- */

struct search {
    const struct gaps *gaps;
    const struct dns_name *zone;
    uint16_t type; /* NSEC or NSEC3 */
    usec now;
    usec expires_at; /* the first of what was taken */
    struct writer *proof;
    const struct gap *taken[4];
    size_t taken_count;
};

static void take(struct search *s, const struct gap *gap)
{
    for (size_t i = 0; i < s->taken_count; i++)
        if (s->taken[i] == gap)
            return;
    if (s->taken_count == ARRAY_LEN(s->taken))
        return;
    s->taken[s->taken_count++] = gap;
    s->expires_at = usec_min(s->expires_at, gap->expires_at);
    write_bytes(s->proof, records_of(gap));
}

/* The zone's record at the name or the last before it. */
static const struct gap *find_before(const struct search *s, const struct dns_name *name,
                                     struct cache_record *out)
{
    uint8_t key[KEY_MAX];
    size_t head = make_key(s->type, s->zone, s->zone, key);
    uint8_t zone_key[DNS_KEY_MAX];
    head -= dns_key_of(s->zone, zone_key); /* what those of the zone begin with */
    size_t len = make_key(s->type, s->zone, name, key);
    const struct gap *gap = trie_at_or_before(&s->gaps->trie, bytes_of(key, len));
    if (gap == NULL || gap->key_len < head || memcmp(gap->octets, key, head) != 0 ||
        gap->expires_at <= s->now)
        return NULL;
    struct reader r = reader_of(records_of(gap));
    return cache_read_record(&r, out) ? gap : NULL;
}

/* "*" below what the name has in common with one end of the gap, whichever is longer. */
static bool closest_wildcard(const struct dns_name *name, const struct cache_record *nsec,
                             struct dns_name *out)
{
    struct dns_name next;
    struct reader r = reader_of(nsec->rdata);
    dns_name_read(&r, nsec->rdata, &next);
    *out = *name;
    while (!r.failed && !dns_name_is_root(out) && !dns_name_within(&nsec->owner, out) &&
           !dns_name_within(&next, out))
        dns_name_parent(out, out);
    return !r.failed && dns_name_child(bytes_of("*", 1), out, out);
}

static bool find_nsec(struct search *s, const struct dns_name *name)
{
    struct cache_record record, other;
    struct dns_name wildcard;
    const struct gap *gap = find_before(s, name, &record);
    if (gap == NULL)
        return false;
    take(s, gap);
    if (dns_name_equal(&record.owner, name) || !closest_wildcard(name, &record, &wildcard))
        return true;
    gap = find_before(s, &wildcard, &other);
    if (gap != NULL)
        take(s, gap);
    return true;
}

/* How the zone hashes: as any of its records says. */
static bool find_hashing(const struct search *s, struct cache_record *record,
                         struct dns_nsec3 *out)
{
    struct dns_name last;
    uint8_t label[DNS_NSEC3_LABEL_LEN];
    memset(label, 'v', sizeof label);
    return dns_name_child(bytes_of(label, sizeof label), s->zone, &last) &&
           find_before(s, &last, record) != NULL && dns_nsec3_decode(record->rdata, out) &&
           out->algorithm == DNS_NSEC3_SHA1 && out->iterations <= GAPS_ITERATIONS_MAX;
}

struct hashing {
    const struct dns_sha1 *sha1;
    struct dns_nsec3 how;
    unsigned left;
};

/* The record whose owner is the hash of the name, *exact, or the last before it. */
static const struct gap *find_hashed(const struct search *s, struct hashing *h,
                                     const struct dns_name *name, bool *exact)
{
    uint8_t hash[DNS_NSEC3_HASH_LEN], label[DNS_NSEC3_LABEL_LEN];
    struct dns_name lower = *name, owner;
    struct cache_record record;
    if (h->left == 0)
        return NULL;
    h->left--;
    dns_name_lower(&lower);
    dns_nsec3_hash(h->sha1, &h->how, dns_name_bytes(&lower), hash);
    dns_nsec3_label(hash, label);
    if (!dns_name_child(bytes_of(label, sizeof label), s->zone, &owner))
        return NULL;
    const struct gap *gap = find_before(s, &owner, &record);
    *exact = gap != NULL && dns_name_equal(&record.owner, &owner);
    return gap;
}

/* RFC 5155 §8.4: the closest encloser, what covers the next name below it, and the wildcard's. The last
 * gap of a zone, which goes round to its first record, is not used for what is before that. */
static bool find_nsec3(struct search *s, const struct dns_name *name, const struct dns_sha1 *sha1)
{
    struct cache_record any;
    struct hashing h = {.sha1 = sha1, .left = GAPS_HASHES_MAX};
    struct dns_name encloser = *name, wildcard;
    bool exact = false;
    if (!find_hashing(s, &any, &h.how))
        return false;
    const struct gap *below = NULL;
    for (;;) {
        const struct gap *gap = find_hashed(s, &h, &encloser, &exact);
        if (gap == NULL)
            return false;
        if (exact) {
            take(s, gap);
            break;
        }
        if (dns_name_equal(&encloser, s->zone))
            return false;
        below = gap;
        dns_name_parent(&encloser, &encloser);
    }
    if (below == NULL)
        return true; /* the name itself: a type of it may be denied */
    take(s, below);
    const struct gap *gap = dns_name_child(bytes_of("*", 1), &encloser, &wildcard)
                                ? find_hashed(s, &h, &wildcard, &exact)
                                : NULL;
    if (gap != NULL)
        take(s, gap);
    return gap != NULL;
}

/* In one zone that the name is in. */
static bool find_in(struct search *s, const struct gap *soa, const struct dns_name *name,
                    const struct dns_sha1 *sha1)
{
    take(s, soa);
    s->type = DNS_NSEC;
    if (find_nsec(s, name))
        return !s->proof->failed;
    s->type = DNS_NSEC3;
    return find_nsec3(s, name, sha1) && !s->proof->failed;
}

bool gaps_find(const struct gaps *gaps, const struct dns_name *name, const struct dns_sha1 *sha1,
               usec now, struct writer *proof, struct gaps_found *out)
{
    uint8_t key[KEY_MAX];
    void *zones[DNS_LABELS_MAX + 1];
    size_t len = make_key(DNS_SOA, name, name, key);
    size_t count = trie_prefixes(&gaps->trie, bytes_of(key, len), zones, ARRAY_LEN(zones));
    while (count-- > 0) { /* the deepest first */
        const struct gap *soa = zones[count];
        struct reader r = reader_of(records_of(soa));
        struct cache_record record;
        struct writer begun = *proof;
        if (soa->expires_at <= now || !cache_read_record(&r, &record))
            continue;
        struct search s = {.gaps = gaps, .zone = &record.owner, .now = now,
                           .expires_at = soa->expires_at, .proof = proof};
        if (find_in(&s, soa, name, sha1)) {
            dns_name_copy(&out->zone, &record.owner);
            out->ttl = (uint32_t)((s.expires_at - now) / USEC_PER_SEC);
            return true;
        }
        *proof = begun;
    }
    return false;
}
