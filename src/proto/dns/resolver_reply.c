/* SPDX-License-Identifier: ISC */
/*
 * resolver_reply.c - what the cache can say about a name (RFC 1034 §5.3.3 step 1, RFC 6672 §3.2, RFC
 * 8020), and whole messages made of it.
 */
#include "proto/dns/resolver_internal.h"

unsigned name_labels(const struct dns_name *name)
{
    struct dns_labels labels;
    dns_name_labels(name, &labels);
    return labels.count;
}

void name_tail(const struct dns_name *name, unsigned labels, struct dns_name *out)
{
    struct dns_labels at;
    dns_name_labels(name, &at);
    ASSERT(labels <= at.count);
    size_t from = labels == 0 ? (size_t)name->len - 1 : at.at[at.count - labels];
    struct dns_name tail = {.len = (uint8_t)(name->len - from)};
    memcpy(tail.octets, name->octets + from, tail.len);
    *out = tail;
}

bool name_substitute(const struct dns_name *name, const struct dns_name *owner,
                     const struct dns_name *target, struct dns_name *out)
{
    ASSERT(name->len > owner->len);
    size_t head = (size_t)name->len - owner->len;
    if (head + target->len > DNS_NAME_MAX)
        return false;
    struct dns_name result = {.len = (uint8_t)(head + target->len)};
    memcpy(result.octets, name->octets, head);
    memcpy(result.octets + head, target->octets, target->len);
    *out = result;
    return true;
}

/* What is only good for finding servers is no answer (RFC 2181 §5.4.1). */
static bool find_answer(struct cache *cache, const struct dns_name *name, uint16_t type, usec now,
                        bool stale_too, struct cache_found *out)
{
    return cache_find(cache, name, type, now, stale_too, out) &&
           out->content.rank >= CACHE_RANK_ANSWER;
}

static bool first_target(uint16_t type, const struct cache_found *found, struct dns_name *out)
{
    struct reader r = reader_of(found->content.records);
    struct bytes rdata;
    return found->content.kind == CACHE_DATA && cache_read_rdata(&r, &rdata) &&
           dns_rdata_target(type, rdata, out);
}

/* A DNAME above the name, or that there is nothing there. */
static enum look_result look_above(struct cache *cache, const struct dns_name *name, usec now,
                                   bool stale_too, struct look *out)
{
    struct dns_name above = *name;
    while (!dns_name_is_root(&above)) {
        if (find_answer(cache, &above, CACHE_NXDOMAIN_TYPE, now, stale_too, &out->found)) {
            out->owner = above;
            return LOOK_ANSWER;
        }
        dns_name_parent(&above, &above);
        struct dns_name target;
        if (!find_answer(cache, &above, DNS_DNAME, now, stale_too, &out->found) ||
            !first_target(DNS_DNAME, &out->found, &target))
            continue;
        out->owner = above;
        out->dname = true;
        return name_substitute(name, &above, &target, &out->target) ? LOOK_ALIAS : LOOK_LONG;
    }
    return LOOK_UNKNOWN;
}

enum look_result resolver_look(struct cache *cache, const struct dns_question *question, usec now,
                               bool stale_too, struct look *out)
{
    out->owner = question->name;
    out->dname = false;
    if (find_answer(cache, &question->name, question->type, now, stale_too, &out->found))
        return LOOK_ANSWER;
    if (question->type != DNS_CNAME &&
        find_answer(cache, &question->name, DNS_CNAME, now, stale_too, &out->found) &&
        first_target(DNS_CNAME, &out->found, &out->target))
        return LOOK_ALIAS;
    return look_above(cache, &question->name, now, stale_too, out);
}

/* ---- messages ---- */

struct reply_work {
    struct dns_builder b;
    struct cache_found last; /* its proof goes to the authority section */
    bool has_last;
    bool fits;
    bool prefetch;
    uint16_t ede; /* the first thing that there is to say */
    const struct wish *wish;
    bool validates;
    bool authentic;
};

static void add_record(struct reply_work *w, const struct dns_name *owner, uint16_t type,
                       uint32_t ttl, struct bytes rdata)
{
    w->fits = w->fits &&
              dns_build_record(&w->b, &(struct dns_build_record){owner, type, DNS_IN, ttl, rdata});
}

static void add_rrset(struct reply_work *w, const struct dns_name *owner, uint16_t type,
                      const struct cache_content *content)
{
    struct reader r = reader_of(content->records);
    struct bytes rdata;
    while (cache_read_rdata(&r, &rdata))
        add_record(w, owner, type, content->ttl, rdata);
    r = reader_of(content->signatures);
    while (w->wish->dnssec_ok && cache_read_rdata(&r, &rdata))
        add_record(w, owner, DNS_RRSIG, content->ttl, rdata);
}

static void note(struct reply_work *w, const struct cache_found *found)
{
    w->prefetch |= found->prefetch;
    if (w->ede == DNS_EDE_NONE && found->stale)
        w->ede = found->content.kind == CACHE_NXDOMAIN ? DNS_EDE_STALE_NXDOMAIN : DNS_EDE_STALE;
    if (w->ede == DNS_EDE_NONE)
        w->ede = found->content.ede;
    w->authentic &= found->content.security == CACHE_SECURE;
}

/* RFC 6672 §3.1: the CNAME that a DNAME amounts to. */
static void add_alias(struct reply_work *w, const struct dns_name *name, const struct look *look)
{
    if (!look->dname) {
        add_rrset(w, name, DNS_CNAME, &look->found.content);
        return;
    }
    add_rrset(w, &look->owner, DNS_DNAME, &look->found.content);
    add_record(w, name, DNS_CNAME, look->found.content.ttl, dns_name_bytes(&look->target));
}

/* The SOA of a negative answer; what shows it, or that a wildcard was meant, for who wants to see. */
static void add_authority(struct reply_work *w)
{
    struct reader r = reader_of(w->last.content.proof);
    struct cache_record record;
    dns_build_section(&w->b, DNS_AUTHORITY);
    while (cache_read_record(&r, &record))
        if (record.type == DNS_SOA || w->wish->dnssec_ok)
            add_record(w, &record.owner, record.type, w->last.content.ttl, record.rdata);
}

enum trust { TRUST_SHOW, TRUST_UNKNOWN, TRUST_BOGUS };

/* May the client see it? */
static enum trust trust(const struct reply_work *w, const struct cache_found *found)
{
    if (!w->validates || w->wish->unchecked)
        return TRUST_SHOW;
    return found->content.security == CACHE_UNCHECKED ? TRUST_UNKNOWN
           : found->content.security == CACHE_BOGUS   ? TRUST_BOGUS
                                                      : TRUST_SHOW;
}

/* RFC 8914: why, where there is anything to say. */
static bool add_ede(struct dns_builder *b, uint16_t ede)
{
    uint8_t code[2], option[DNS_OPTION_HEAD_LEN + sizeof code];
    if (ede == DNS_EDE_NONE)
        return true;
    struct writer c = writer_of(code, sizeof code);
    struct writer w = writer_of(option, sizeof option);
    write_u16(&c, ede);
    dns_option_write(&w, DNS_OPTION_EDE, writer_bytes(&c));
    struct dns_edns edns = {
        .present = true, .udp_size = DNS_UDP_SIZE_DEFAULT, .options = writer_bytes(&w)};
    dns_build_section(b, DNS_ADDITIONAL);
    return dns_build_edns(b, &edns);
}

struct bytes resolver_reply_error(struct resolver *r, const struct dns_question *question,
                                  unsigned rcode, uint16_t ede)
{
    struct dns_builder b;
    dns_build_start(&b, r->message, sizeof r->message);
    bool fits = dns_build_question(&b, question) && add_ede(&b, ede);
    ASSERT(fits);
    return dns_build_finish(&b, 0, (uint16_t)(DNS_QR | DNS_RD | DNS_RA | rcode));
}

/* RFC 8482 §4.2: who asks for anything at all gets this. */
static void add_hinfo(struct reply_work *w, const struct dns_name *name)
{
    static const uint8_t rdata[] = {7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
    add_record(w, name, DNS_HINFO, 3600, bytes_of(rdata, sizeof rdata));
}

enum { RCODE_YXDOMAIN = 6 }; /* RFC 6672 §2.2 */

/* Follows the aliases; the RCODE, or -1: something is missing. */
static int add_answers(struct resolver *r, const struct dns_question *question, usec now,
                       struct reply_work *w)
{
    struct dns_question q = *question;
    for (unsigned i = 0; i <= RESOLVER_ALIASES_MAX; i++) {
        struct look look;
        enum look_result result = resolver_look(r->cache, &q, now, w->wish->stale_too, &look);
        enum trust trusted = result != LOOK_UNKNOWN ? trust(w, &look.found) : TRUST_UNKNOWN;
        if (trusted == TRUST_UNKNOWN)
            return -1;
        note(w, &look.found);
        if (trusted == TRUST_BOGUS)
            return DNS_SERVFAIL;
        if (result == LOOK_LONG) {
            add_rrset(w, &look.owner, DNS_DNAME, &look.found.content);
            return RCODE_YXDOMAIN;
        }
        if (result == LOOK_ALIAS) {
            add_alias(w, &q.name, &look);
            q.name = look.target;
            continue;
        }
        w->last = look.found;
        w->has_last = true;
        if (look.found.content.kind == CACHE_DATA) {
            add_rrset(w, &q.name, q.type, &look.found.content);
            return DNS_NOERROR;
        }
        return look.found.content.kind == CACHE_NXDOMAIN ? DNS_NXDOMAIN : DNS_NOERROR;
    }
    return -1;
}

bool resolver_reply(struct resolver *r, const struct dns_question *question,
                    const struct wish *wish, usec now, struct bytes *out, bool *prefetch)
{
    struct reply_work w = {.fits = true,
                           .ede = DNS_EDE_NONE,
                           .authentic = resolver_validates(r),
                           .validates = resolver_validates(r),
                           .wish = wish};
    dns_build_start(&w.b, r->message, sizeof r->message);
    w.fits = dns_build_question(&w.b, question);
    dns_build_section(&w.b, DNS_ANSWER);
    int rcode = DNS_NOERROR;
    if (question->type == DNS_ANY) {
        add_hinfo(&w, &question->name);
        w.authentic = false;
    } else {
        rcode = add_answers(r, question, now, &w);
    }
    if (rcode < 0)
        return false;
    if (rcode == DNS_SERVFAIL) {
        *out = resolver_reply_error(r, question, DNS_SERVFAIL, w.ede);
        *prefetch = false;
        return true;
    }
    if (w.has_last)
        add_authority(&w);
    w.fits = w.fits && add_ede(&w.b, w.ede);
    if (!w.fits)
        return false;
    uint16_t flags = (uint16_t)(DNS_QR | DNS_RD | DNS_RA | (w.authentic ? DNS_AD : 0) | rcode);
    *out = dns_build_finish(&w.b, 0, flags);
    *prefetch = w.prefetch;
    return true;
}
