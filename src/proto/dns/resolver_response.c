/* SPDX-License-Identifier: ISC */
/*
 * resolver_response.c - what a response means (RFC 1034 §5.3.3 step 4, RFC 2308 §2), and what of it is
 * believed: nothing about names that are not of the zone whose server has said it (RFC 5452 §6,
 * RFC 2181 §5.4.1), glue only for the servers of a referral and of names below the zone that refers.
 */
#include "proto/dns/resolver_internal.h"

/* Takes the records out of the message; false: malformed, or more than we understand. */
static bool read_records(struct resolver *r, struct bytes message)
{
    struct dns_cursor cursor;
    struct dns_rr rr;
    struct writer w = writer_of(r->rdata, sizeof r->rdata);
    r->record_count = 0;
    if (dns_cursor_start(&cursor, message) != WIRE_OK)
        return false;
    while (dns_cursor_record(&cursor, &rr)) {
        if (!dns_type_is_data(rr.type) || rr.class != DNS_IN)
            continue;
        size_t at = writer_len(&w);
        if (dns_rdata_expand(rr.type, message, rr.rdata, &w) != WIRE_OK || w.failed ||
            r->record_count == RESOLVER_RECORDS_MAX)
            return false;
        r->records[r->record_count++] = (struct response_record){
            .owner = rr.owner,
            .type = rr.type,
            .section = rr.section,
            .ttl = rr.ttl,
            .rdata_at = (uint32_t)at,
            .rdata_len = (uint16_t)(writer_len(&w) - at),
        };
    }
    return !cursor.reader.failed;
}

static struct bytes rdata_of(const struct resolver *r, const struct response_record *record)
{
    return bytes_of(r->rdata + record->rdata_at, record->rdata_len);
}

static const struct response_record *first_of(const struct resolver *r, const struct dns_name *owner,
                                              uint16_t type, enum dns_section section)
{
    for (size_t i = 0; i < r->record_count; i++) {
        const struct response_record *record = &r->records[i];
        if (record->type == type && record->section == section &&
            dns_name_equal(&record->owner, owner))
            return record;
    }
    return NULL;
}

/* Does the RRSIG cover that type (RFC 4034 §3.1)? */
static bool covers(const struct resolver *r, const struct response_record *record, uint16_t type)
{
    struct reader rd = reader_of(rdata_of(r, record));
    return record->type == DNS_RRSIG && read_u16(&rd) == type;
}

/* The same RDATA among those before it counts once (RFC 2181 §5). */
static bool is_repeated(const struct resolver *r, size_t index)
{
    const struct response_record *a = &r->records[index];
    for (size_t i = 0; i < index; i++) {
        const struct response_record *b = &r->records[i];
        if (b->type == a->type && b->section == a->section && b->rdata_len == a->rdata_len &&
            bytes_equal(rdata_of(r, a), rdata_of(r, b)) && dns_name_equal(&a->owner, &b->owner))
            return true;
    }
    return false;
}

/* What shows that there is nothing: SOA, NSEC and NSEC3 with their signatures. */
static bool is_proof(const struct resolver *r, const struct response_record *record)
{
    uint16_t type = record->type;
    if (record->type == DNS_RRSIG) {
        struct reader rd = reader_of(rdata_of(r, record));
        type = read_u16(&rd);
    }
    return type == DNS_SOA || type == DNS_NSEC || type == DNS_NSEC3;
}

/* NSEC and NSEC3 beside an answer: that it came from a wildcard by right (RFC 4035 §3.1.3.3). */
static struct bytes write_denials(const struct resolver *r, struct writer *w)
{
    size_t from = writer_len(w);
    for (size_t i = 0; i < r->record_count; i++) {
        const struct response_record *record = &r->records[i];
        if (record->section == DNS_AUTHORITY && is_proof(r, record) && record->type != DNS_SOA &&
            !covers(r, record, DNS_SOA))
            cache_write_record(w, &(struct cache_record){record->owner, record->type, record->ttl,
                                                         rdata_of(r, record)});
    }
    return bytes_after(writer_bytes(w), from);
}

/* Puts one RRset with its signatures into the cache; its TTL is the least of all (RFC 2181 §5.2). */
static void put_rrset(struct resolver *r, const struct dns_name *owner, uint16_t type,
                      enum dns_section section, enum cache_rank rank, usec now)
{
    struct writer w = writer_of(r->payload, sizeof r->payload);
    struct cache_content content = {.kind = CACHE_DATA, .rank = rank, .ttl = DNS_TTL_MAX,
                                    .ede = DNS_EDE_NONE, .proof = bytes_empty()};
    for (int signatures = 0; signatures < 2; signatures++) {
        size_t from = writer_len(&w);
        for (size_t i = 0; i < r->record_count; i++) {
            const struct response_record *record = &r->records[i];
            bool wanted = signatures ? covers(r, record, type) : record->type == type;
            if (!wanted || record->section != section || !dns_name_equal(&record->owner, owner) ||
                is_repeated(r, i))
                continue;
            uint32_t ttl = record->ttl > DNS_TTL_MAX ? 0 : record->ttl;
            content.ttl = ttl < content.ttl ? ttl : content.ttl;
            cache_write_rdata(&w, rdata_of(r, record));
        }
        struct bytes list = bytes_after(writer_bytes(&w), from);
        if (signatures)
            content.signatures = list;
        else
            content.records = list;
    }
    if (section == DNS_ANSWER)
        content.proof = write_denials(r, &w);
    if (!w.failed)
        (void)cache_put(r->cache, owner, type, &content, now);
}

/* ---- negative answers ---- */

static uint32_t soa_minimum(struct bytes rdata)
{
    struct reader rd = reader_of(bytes_after(rdata, rdata.len - 4));
    return read_u32(&rd);
}

/* The SOA of a zone that the name is in, within what the server may speak of. */
static const struct response_record *find_soa(const struct resolver *r, const struct task *t,
                                              const struct dns_name *name)
{
    for (size_t i = 0; i < r->record_count; i++) {
        const struct response_record *record = &r->records[i];
        if (record->section == DNS_AUTHORITY && record->type == DNS_SOA &&
            dns_name_within(name, &record->owner) && dns_name_within(&record->owner, &t->zone))
            return record;
    }
    return NULL;
}

/* Without a SOA it is not cached (RFC 2308 §5), that is, no longer than those who wait need it. */
static void put_negative(struct resolver *r, const struct task *t, const struct dns_name *name,
                         enum cache_kind kind, usec now)
{
    struct writer w = writer_of(r->payload, sizeof r->payload);
    const struct response_record *soa = find_soa(r, t, name);
    struct cache_content content = {.kind = kind,
                                    .rank = CACHE_RANK_AUTHORITATIVE,
                                    .ede = DNS_EDE_NONE,
                                    .records = bytes_empty(),
                                    .signatures = bytes_empty()};
    for (size_t i = 0; soa != NULL && i < r->record_count; i++) {
        const struct response_record *record = &r->records[i];
        if (record->section == DNS_AUTHORITY && is_proof(r, record) &&
            dns_name_within(&record->owner, &soa->owner) && !is_repeated(r, i))
            cache_write_record(&w, &(struct cache_record){record->owner, record->type, record->ttl,
                                                          rdata_of(r, record)});
    }
    if (soa != NULL && !w.failed) {
        uint32_t minimum = soa_minimum(rdata_of(r, soa));
        content.ttl = soa->ttl < minimum ? soa->ttl : minimum;
    }
    content.proof = w.failed ? bytes_empty() : writer_bytes(&w);
    (void)cache_put(r->cache, name, t->client.options.question.type, &content, now);
}

/* ---- answers ---- */

/* Addresses that came along for the servers of `zone`: for names within what the sender may speak
 * of, and no others. */
static void put_glue(struct resolver *r, const struct task *t, const struct dns_name *zone,
                     enum dns_section section, usec now)
{
    unsigned used = 0;
    for (size_t i = 0; i < r->record_count && used < RESOLVER_NS_MAX; i++) {
        const struct response_record *ns = &r->records[i];
        struct dns_name target;
        if (ns->section != section || ns->type != DNS_NS || !dns_name_equal(&ns->owner, zone) ||
            !dns_rdata_target(DNS_NS, rdata_of(r, ns), &target) ||
            !dns_name_within(&target, &t->zone))
            continue;
        used++;
        if (first_of(r, &target, DNS_A, DNS_ADDITIONAL) != NULL)
            put_rrset(r, &target, DNS_A, DNS_ADDITIONAL, CACHE_RANK_GLUE, now);
        if (first_of(r, &target, DNS_AAAA, DNS_ADDITIONAL) != NULL)
            put_rrset(r, &target, DNS_AAAA, DNS_ADDITIONAL, CACHE_RANK_GLUE, now);
    }
}

/* A CNAME or DNAME of the name in the answer; true: *name is where it leads. */
static bool take_alias(struct resolver *r, const struct task *t, struct dns_name *name,
                       enum cache_rank rank, usec now)
{
    uint16_t type = t->client.options.question.type;
    const struct response_record *record = NULL;
    struct dns_name target;
    for (struct dns_name above = *name; !dns_name_is_root(&above) && record == NULL;) {
        dns_name_parent(&above, &above);
        if (dns_name_within(&above, &t->zone))
            record = first_of(r, &above, DNS_DNAME, DNS_ANSWER);
    }
    if (record != NULL && dns_rdata_target(DNS_DNAME, rdata_of(r, record), &target)) {
        put_rrset(r, &record->owner, DNS_DNAME, DNS_ANSWER, rank, now);
        return name_substitute(name, &record->owner, &target, name);
    }
    record = type != DNS_CNAME ? first_of(r, name, DNS_CNAME, DNS_ANSWER) : NULL;
    if (record == NULL || !dns_rdata_target(DNS_CNAME, rdata_of(r, record), &target))
        return false;
    put_rrset(r, name, DNS_CNAME, DNS_ANSWER, rank, now);
    *name = target;
    return true;
}

/* The answer section, as far as the sender may speak of the names. Returns how many links of a chain
 * were taken; *name is where it ends, *found whether what was asked for is there. */
static unsigned take_answers(struct resolver *r, const struct task *t, enum cache_rank rank,
                             struct dns_name *name, bool *found, usec now)
{
    uint16_t type = t->client.options.question.type;
    unsigned links = 0;
    *found = false;
    while (links < RESOLVER_ALIASES_MAX && dns_name_within(name, &t->zone)) {
        if (first_of(r, name, type, DNS_ANSWER) != NULL) {
            put_rrset(r, name, type, DNS_ANSWER, rank, now);
            if (type == DNS_NS)
                put_glue(r, t, name, DNS_ANSWER, now);
            *found = true;
            return links + 1;
        }
        if (!take_alias(r, t, name, rank, now))
            break;
        links++;
    }
    return links;
}

/* ---- referrals ---- */

/* A zone below the one that was asked, on the way to the name. */
static const struct response_record *find_referral(const struct resolver *r, const struct task *t)
{
    const struct dns_name *asked = &t->client.options.question.name;
    for (size_t i = 0; i < r->record_count; i++) {
        const struct response_record *record = &r->records[i];
        if (record->section == DNS_AUTHORITY && record->type == DNS_NS &&
            dns_name_within(asked, &record->owner) && dns_name_within(&record->owner, &t->zone) &&
            record->owner.len > t->zone.len)
            return record;
    }
    return NULL;
}

static void take_referral(struct resolver *r, const struct task *t, const struct dns_name *zone,
                          usec now)
{
    put_rrset(r, zone, DNS_NS, DNS_AUTHORITY, CACHE_RANK_REFERRAL, now);
    if (first_of(r, zone, DNS_DS, DNS_AUTHORITY) != NULL)
        put_rrset(r, zone, DNS_DS, DNS_AUTHORITY, CACHE_RANK_AUTHORITY, now);
    put_glue(r, t, zone, DNS_AUTHORITY, now);
    r->counters.referrals++;
}

static bool is_minimised(const struct task *t)
{
    return t->client.options.question.name.len != t->current.len ||
           t->client.options.question.type != t->question.type;
}

static enum response_verdict take_nothing(struct resolver *r, struct task *t,
                                          const struct dns_name *name, bool authoritative,
                                          unsigned rcode, usec now)
{
    if (rcode == DNS_NXDOMAIN) {
        if (!authoritative && find_soa(r, t, name) == NULL)
            return RESPONSE_USELESS;
        /* RFC 9156 §2.3: some say so of names that have others below them. The whole name is asked
         * for before that is believed. */
        if (is_minimised(t))
            t->minimise = false;
        else
            put_negative(r, t, name, CACHE_NXDOMAIN, now);
        return RESPONSE_PROGRESS;
    }
    const struct response_record *referral = t->forward == NULL ? find_referral(r, t) : NULL;
    if (referral != NULL && find_soa(r, t, name) == NULL) {
        take_referral(r, t, &referral->owner, now);
        return RESPONSE_PROGRESS;
    }
    if (!authoritative && find_soa(r, t, name) == NULL)
        return RESPONSE_USELESS;
    put_negative(r, t, name, CACHE_NODATA, now);
    return RESPONSE_PROGRESS;
}

enum response_verdict resolver_response(struct resolver *r, struct task *t, struct bytes message,
                                        const struct dns_summary *summary, usec now)
{
    unsigned rcode = dns_summary_rcode(summary);
    if (rcode == DNS_SERVFAIL)
        return RESPONSE_FAILED; /* of this question; it says nothing about others */
    if ((rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN) || !read_records(r, message))
        return RESPONSE_USELESS;
    bool authoritative = (summary->header.flags & DNS_AA) != 0 || t->forward != NULL;
    enum cache_rank rank = t->forward == NULL && authoritative ? CACHE_RANK_AUTHORITATIVE
                                                               : CACHE_RANK_ANSWER;
    struct dns_name name = t->client.options.question.name;
    bool found;
    unsigned links = take_answers(r, t, rank, &name, &found, now);
    if (found)
        return RESPONSE_PROGRESS;
    if (links == 0)
        return take_nothing(r, t, &name, authoritative, rcode, now);
    /* The end of a chain, if it is the sender's to tell (RFC 2308 §2.1, §2.2). */
    if (dns_name_within(&name, &t->zone) && find_soa(r, t, &name) != NULL)
        put_negative(r, t, &name, rcode == DNS_NXDOMAIN ? CACHE_NXDOMAIN : CACHE_NODATA, now);
    return RESPONSE_PROGRESS;
}
