/* SPDX-License-Identifier: ISC */
/*
 * resolver_reply.c - what the cache can say about a name (RFC 1034 §5.3.3 step 1, RFC 6672 §3.2, RFC
 * 8020), and whole messages made of it.
 */
#include "proto/dns/answer_internal.h"
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

enum look_result resolver_look(struct cache *cache, const struct dns_name *name, uint16_t type,
                               usec now, bool stale_too, struct look *out)
{
    dns_name_copy(&out->owner, name);
    out->dname = false;
    if (find_answer(cache, name, type, now, stale_too, &out->found))
        return LOOK_ANSWER;
    if (type != DNS_CNAME && find_answer(cache, name, DNS_CNAME, now, stale_too, &out->found) &&
        first_target(DNS_CNAME, &out->found, &out->target))
        return LOOK_ALIAS;
    return look_above(cache, name, now, stale_too, out);
}

/* ---- replies ---- */

/* How late what is new in the cache may be seen by who asks for the same all the time. */
#define AGAIN_MAX (5 * USEC_PER_SEC)

struct reply_work {
    struct answer_work *to;
    struct cache_found last; /* its proof goes to the authority section */
    bool has_last;
    bool fits;
    bool prefetch;
    usec steady;             /* for so long every TTL stays as it is */
    usec life;               /* and for so long nothing is nearly over */
    bool stale_too;
    bool dnssec_ok; /* signatures and proofs as well */
    bool checked;   /* nothing that is bogus, or not validated yet */
    bool authentic;
    struct policy_view policy;
    struct dns_name next;    /* where a list leads, if it has `led` */
    bool led;
    bool makes_v6;           /* DNS64 */
    bool decided;            /* by a list, whose rule is policy.rule */
};

static void add_record(struct reply_work *w, const struct dns_name *owner, uint16_t type,
                       uint32_t ttl, struct bytes rdata)
{
    w->fits = w->fits && dns_build_record(&w->to->b, &(struct dns_build_record){owner, type, DNS_IN,
                                                                                ttl, rdata});
}

static void add_rrset(struct reply_work *w, const struct dns_name *owner, uint16_t type,
                      const struct cache_content *content)
{
    struct reader r = reader_of(content->records);
    struct bytes rdata;
    while (cache_read_rdata(&r, &rdata))
        add_record(w, owner, type, content->ttl, rdata);
    if (!w->dnssec_ok)
        return;
    r = reader_of(content->signatures);
    while (cache_read_rdata(&r, &rdata))
        add_record(w, owner, DNS_RRSIG, content->ttl, rdata);
}

static void note(struct reply_work *w, const struct cache_found *found)
{
    uint16_t *ede = &w->to->ede;
    w->prefetch |= found->prefetch;
    w->steady = usec_min(w->steady, found->left % USEC_PER_SEC);
    w->life = usec_min(w->life, found->left / 2);
    if (*ede == DNS_EDE_NONE && found->stale)
        *ede = found->content.kind == CACHE_NXDOMAIN ? DNS_EDE_STALE_NXDOMAIN : DNS_EDE_STALE;
    if (*ede == DNS_EDE_NONE)
        *ede = found->content.ede;
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
    dns_build_section(&w->to->b, DNS_AUTHORITY);
    while (cache_read_record(&r, &record))
        if (record.type == DNS_SOA || w->dnssec_ok)
            add_record(w, &record.owner, record.type, w->last.content.ttl, record.rdata);
    answer_put_proofs(w->to);
}

enum trust { TRUST_SHOW, TRUST_UNKNOWN, TRUST_BOGUS };

/* May the client see it? */
static enum trust trust(const struct reply_work *w, const struct cache_found *found)
{
    if (!w->checked)
        return TRUST_SHOW;
    return found->content.security == CACHE_UNCHECKED ? TRUST_UNKNOWN
           : found->content.security == CACHE_BOGUS   ? TRUST_BOGUS
                                                      : TRUST_SHOW;
}

/* RFC 8482 §4.2: who asks for anything at all gets this. */
static void add_hinfo(struct reply_work *w, const struct dns_name *name)
{
    static const uint8_t rdata[] = {7, 'R', 'F', 'C', '8', '4', '8', '2', 0};
    add_record(w, name, DNS_HINFO, 3600, bytes_of(rdata, sizeof rdata));
}

/* The end of the chain. */
static int add_last(struct reply_work *w, const struct dns_name *name, uint16_t type,
                    const struct cache_found *found)
{
    static const enum answer_kind kinds[CACHE_KIND_COUNT] = {
        [CACHE_DATA] = ANSWER_DATA, [CACHE_NODATA] = ANSWER_NODATA,
        [CACHE_NXDOMAIN] = ANSWER_NXDOMAIN, [CACHE_FAILURE] = ANSWER_ERROR};
    w->last = *found;
    w->has_last = true;
    w->to->kind = kinds[found->content.kind];
    if (found->content.kind == CACHE_DATA) {
        w->to->source = found->content.records.data;
        add_rrset(w, name, type, &found->content);
    }
    return found->content.kind == CACHE_NXDOMAIN ? DNS_NXDOMAIN : DNS_NOERROR;
}

enum { GO_ON = -2 };

/* RFC 6147 §5.1.7: addresses made of those of IPv4. The RCODE; -1: those are missing; GO_ON: there are
 * none. */
static int add_made(struct resolver *r, struct reply_work *w, const struct dns_name *name,
                    uint32_t ttl_max, usec now)
{
    struct look look;
    struct cache_found failure;
    struct bytes v4;
    enum look_result result = resolver_look(r->cache, name, DNS_A, now, w->stale_too, &look);
    if (result == LOOK_UNKNOWN || (result == LOOK_ANSWER && trust(w, &look.found) == TRUST_UNKNOWN))
        return cache_find_failure(r->cache, name, DNS_A, now, &failure) ? GO_ON : -1;
    const struct cache_content *c = &look.found.content;
    if (result != LOOK_ANSWER || c->kind != CACHE_DATA)
        return GO_ON;
    note(w, &look.found);
    if (trust(w, &look.found) == TRUST_BOGUS)
        return DNS_SERVFAIL;
    struct reader list = reader_of(c->records);
    while (cache_read_rdata(&list, &v4)) {
        uint8_t v6[16];
        if (v4.len != 4)
            continue;
        dns64_make(&r->options.dns64, v4.data, v6);
        add_record(w, name, DNS_AAAA, c->ttl < ttl_max ? c->ttl : ttl_max, bytes_of(v6, sizeof v6));
    }
    w->authentic = false;
    w->to->kind = ANSWER_DATA;
    w->to->source = c->records.data;
    return DNS_NOERROR;
}

/* ---- lists ---- */

/* "*.garden." stands for the name with the rest behind it. */
static bool led_to(const struct dns_name *name, const struct dns_name *target, struct dns_name *out)
{
    struct dns_name root;
    dns_name_root(&root);
    if (target->octets[0] != 1 || target->octets[1] != '*') {
        *out = *target;
        return true;
    }
    struct dns_name rest;
    dns_name_parent(target, &rest);
    return !dns_name_is_root(name) && name_substitute(name, &root, &rest, out);
}

/* The records of a rule, as the name's. True: a CNAME leads to w->next. */
static bool add_policy_data(struct reply_work *w, const struct dns_name *name, uint16_t type,
                            struct bytes data)
{
    struct reader r = reader_of(data);
    struct cache_record record;
    struct dns_name target;
    w->to->kind = ANSWER_NODATA;
    while (cache_read_record(&r, &record)) {
        bool leads = record.type == DNS_CNAME && type != DNS_CNAME;
        if (leads && dns_rdata_target(DNS_CNAME, record.rdata, &target) &&
            led_to(name, &target, &w->next)) {
            add_record(w, name, DNS_CNAME, record.ttl, dns_name_bytes(&w->next));
            return true;
        }
        if (record.type != type && type != DNS_ANY)
            continue;
        add_record(w, name, record.type, record.ttl, record.rdata);
        w->to->kind = ANSWER_DATA;
    }
    return false;
}

/* Does what the list says. The RCODE; GO_ON: with w->next if it leads there, or as if nothing had been
 * said. */
static int apply(struct reply_work *w, const struct dns_name *name, uint16_t type)
{
    const struct policy_rule *rule = &w->policy.rule;
    bool stream = w->to->query->path.stream;
    w->policy.over = true;
    w->decided = true;
    if (rule->action == POLICY_PASSTHRU || (rule->action == POLICY_TCP_ONLY && stream))
        return GO_ON;
    w->authentic = false;
    w->to->ede = DNS_EDE_BLOCKED;
    switch (rule->action) {
    case POLICY_DROP:
        w->to->dropped = true;
        return DNS_NOERROR;
    case POLICY_TCP_ONLY:
        w->fits = false;
        return DNS_NOERROR;
    case POLICY_NXDOMAIN:
        w->to->kind = ANSWER_NXDOMAIN;
        return DNS_NXDOMAIN;
    case POLICY_DATA:
        w->to->ede = DNS_EDE_FORGED; /* RFC 8914 §4.5: by the operator's policy */
        w->led = add_policy_data(w, name, type, rule->data);
        return w->led ? GO_ON : DNS_NOERROR;
    case POLICY_NODATA:
    case POLICY_PASSTHRU:
    case POLICY_ACTION_COUNT:
        break;
    }
    w->to->kind = ANSWER_NODATA;
    return DNS_NOERROR;
}

/* ---- chains ---- */

/* One name of the chain. The RCODE; GO_ON: *name is the next; -1: it is missing. */
static int add_link(struct resolver *r, struct dns_name *name, usec now, struct reply_work *w)
{
    uint16_t type = w->to->query->question.type;
    struct look look;
    bool decided = resolver_policy_ask(&w->policy, name);
    for (;;) {
        if (decided) {
            int rcode = apply(w, name, type);
            if (rcode != GO_ON || w->led)
                return rcode;
        }
        enum look_result result = resolver_look(r->cache, name, type, now, w->stale_too, &look);
        enum trust trusted = result != LOOK_UNKNOWN ? trust(w, &look.found) : TRUST_UNKNOWN;
        if (trusted == TRUST_UNKNOWN)
            return -1;
        decided = resolver_policy_found(&w->policy, name, type, &look.found, now);
        if (decided)
            continue;
        note(w, &look.found);
        bool secure = look.found.content.security == CACHE_SECURE;
        if (trusted == TRUST_BOGUS ||
            (w->checked && secure && resolver_sentinel(r, &w->to->target, type)))
            return DNS_SERVFAIL;
        if (result == LOOK_ANSWER && w->makes_v6 && resolver_dns64_lacks(&look.found.content)) {
            /* No longer than it is known that there is none (§5.1.7); 600 s where that is not said. */
            uint32_t ttl = look.found.content.kind == CACHE_NODATA ? look.found.content.ttl : DNS64_TTL;
            int rcode = add_made(r, w, name, ttl, now);
            if (rcode != GO_ON)
                return rcode;
        }
        if (result == LOOK_ANSWER)
            return add_last(w, name, type, &look.found);
        if (result == LOOK_LONG) {
            add_rrset(w, &look.owner, DNS_DNAME, &look.found.content);
            return DNS_YXDOMAIN; /* RFC 6672 §2.2 */
        }
        add_alias(w, name, &look);
        dns_name_copy(name, &look.target);
        return GO_ON;
    }
}

/* Follows the aliases; the RCODE, or -1: out->missing is. What the cache knows is followed from the
 * question by whoever asks for it; what a list has led to is asked for itself. */
static int add_answers(struct resolver *r, usec now, struct reply_work *w, struct reply_outcome *out)
{
    struct dns_name name;
    dns_name_copy(&name, &w->to->target);
    dns_name_copy(&out->missing, &name);
    for (unsigned i = 0; i <= RESOLVER_ALIASES_MAX; i++) {
        int rcode = add_link(r, &name, now, w);
        if (rcode != GO_ON)
            return rcode;
        if (w->led) {
            w->led = false;
            dns_name_copy(&name, &w->next);
            dns_name_copy(&out->missing, &name);
        }
    }
    return -1;
}

/* The same may be said again, until half of what is left of any of it is over, so that a name in use is asked
 * for again before its end. */
static void keep_for(struct answer_work *work, const struct reply_work *w, usec now)
{
    work->until = now + w->life;
    work->ttl_until = now + w->steady;
}

bool resolver_reply(struct resolver *r, struct answer_work *work, bool stale_too, usec now,
                    struct reply_outcome *out)
{
    const struct answer_query *query = work->query;
    const struct resolver_policies *policies = work->options->policies;
    struct reply_work w = {.to = work,
                           .fits = true,
                           .steady = USEC_PER_SEC,
                           .life = AGAIN_MAX,
                           .stale_too = stale_too,
                           .dnssec_ok = query->dnssec_ok,
                           .checked = resolver_validates(r) && (query->flags & DNS_CD) == 0,
                           .authentic = resolver_validates(r),
                           .makes_v6 = resolver_dns64_wanted(r, query),
                           .policy = {.r = r,
                                      .policies = policies != NULL ? policies : &r->policies,
                                      .client = &query->path.from}};
    struct dns_mark mark = dns_build_mark(&work->b);
    int rcode = DNS_NOERROR;
    if (query->question.type == DNS_ANY) {
        add_hinfo(&w, &work->target);
        w.authentic = false;
    } else {
        rcode = add_answers(r, now, &w, out);
    }
    out->prefetch = w.prefetch && rcode != DNS_SERVFAIL;
    if (rcode < 0) {
        work->ede = DNS_EDE_NONE;
        work->kind = ANSWER_ERROR;
        work->source = NULL;
    }
    if (rcode < 0 || rcode == DNS_SERVFAIL)
        dns_build_back(&work->b, &mark);
    if (rcode < 0)
        return false;
    if (w.decided)
        r->counters.policies[w.policy.rule.action]++;
    if (w.has_last && w.policy.policies->count == 0 && !w.prefetch && w.life > 0)
        keep_for(work, &w, now);
    if (w.has_last)
        add_authority(&w);
    if (!w.fits) { /* what is cut short is worth nothing (RFC 2181 §9) */
        dns_build_back(&work->b, &mark);
        work->truncated = true;
    }
    work->rcode = (unsigned)rcode;
    work->authentic = w.authentic;
    return true;
}

void resolver_recall(struct resolver *r, struct answer_work *work, usec now)
{
    struct reply_outcome outcome;
    struct cache_found found;
    struct reply_work w = {.to = work, .fits = true, .dnssec_ok = work->query->dnssec_ok};
    if (resolver_reply(r, work, false, now, &outcome))
        return;
    struct dns_name zone = outcome.missing;
    while (!cache_find(r->cache, &zone, DNS_NS, now, false, &found) ||
           found.content.kind != CACHE_DATA || found.content.security == CACHE_BOGUS) {
        if (dns_name_is_root(&zone)) {
            work->rcode = work->chain_len == 0 ? DNS_REFUSED : DNS_NOERROR;
            return;
        }
        dns_name_parent(&zone, &zone);
    }
    dns_build_section(&work->b, DNS_AUTHORITY);
    add_rrset(&w, &zone, DNS_NS, &found.content);
    work->rcode = DNS_NOERROR;
    work->kind = ANSWER_REFERRAL;
    work->truncated |= !w.fits;
}
