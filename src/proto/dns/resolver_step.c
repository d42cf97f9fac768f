/* SPDX-License-Identifier: ISC */
/*
 * resolver_step.c - what a task does next: look into the cache, find the closest zone whose servers are
 * known, find their addresses, ask (RFC 1034 §5.3.3; QNAME minimisation, RFC 9156; priming, RFC 8109).
 */
#include "proto/dns/resolver_internal.h"

enum { CANDIDATES_MAX = 2 * RESOLVER_NS_MAX, DNS_PORT = 53 };

/* ---- in the cache ---- */

static void start_anew(struct resolver *r, struct task *t)
{
    t->ceiling = RESOLVER_NO_CEILING;
    t->forward = NULL;
    t->labels = 0;
    t->minimised = 0;
    t->minimise = r->options.minimise;
    t->exhausted = false;
    dns_name_root(&t->zone);
}

/* DNS64: who has no IPv6 address is asked for others (RFC 6147 §5.1.6). True: it has to wait. */
static bool need_v4(struct resolver *r, struct task *t, const struct cache_content *c, usec now)
{
    struct look found;
    if (r->options.dns64.len == 0 || t->question.type != DNS_AAAA || t->has_v4 ||
        !resolver_dns64_lacks(c) || t->depth >= RESOLVER_DEPTH_MAX)
        return false;
    t->has_v4 = true;
    if (resolver_look(r->cache, &t->current, DNS_A, now, false, &found) != LOOK_UNKNOWN &&
        (!resolver_validates(r) || found.found.content.security != CACHE_UNCHECKED))
        return false;
    struct dns_question q = {t->current, DNS_A, DNS_IN};
    struct task *child = resolver_task(r, &q, t, now);
    if (child == NULL)
        return false;
    resolver_wait(r, t, child);
    return true;
}

/* True: the task has come to its end, or has to wait. */
static bool look(struct resolver *r, struct task *t, usec now)
{
    for (;;) {
        struct look found;
        enum look_result result =
            t->refresh ? LOOK_UNKNOWN
                       : resolver_look(r->cache, &t->current, t->question.type, now, false, &found);
        if (result == LOOK_UNKNOWN) {
            if (!t->refresh && resolver_synthesise(r, &t->current, t->question.type, now))
                continue;
            break;
        }
        uint16_t type = result == LOOK_ANSWER ? t->question.type
                        : found.dname         ? DNS_DNAME
                                              : DNS_CNAME;
        if (resolver_validates(r) && found.found.content.security == CACHE_UNCHECKED) {
            if (!resolver_validate(r, t, &found, type, now))
                return true; /* it waits */
            continue;
        }
        if (result == LOOK_ANSWER && need_v4(r, t, &found.found.content, now))
            return true;
        if (result != LOOK_ALIAS) {
            resolver_finish(r, t, false, DNS_EDE_NONE, now);
            return true;
        }
        t->current = found.target;
        start_anew(r, t);
        if (++t->aliases > RESOLVER_ALIASES_MAX) {
            r->counters.too_many_aliases++;
            resolver_finish(r, t, true, DNS_EDE_OTHER, now);
            return true;
        }
    }
    struct cache_found failure;
    if (cache_find_failure(r->cache, &t->current, t->question.type, now, &failure)) {
        resolver_finish(r, t, true, DNS_EDE_CACHED_ERROR, now);
        return true;
    }
    return false;
}

/* ---- whose servers ---- */

static const struct resolver_forward *find_forward(const struct resolver *r,
                                                   const struct dns_name *name, uint16_t type)
{
    const struct resolver_forward *best = NULL;
    struct dns_name lowest = *name;
    if (type == DNS_DS)
        dns_name_parent(&lowest, &lowest); /* it is the parent's (RFC 4035 §3.1.4.1) */
    for (size_t i = 0; i < r->options.forward_count; i++) {
        const struct resolver_forward *f = &r->options.forwards[i];
        if (dns_name_within(&lowest, &f->domain) &&
            (best == NULL || f->domain.len > best->domain.len))
            best = f;
    }
    return best;
}

static bool is_priming(const struct task *t)
{
    return dns_name_is_root(&t->question.name) && t->question.type == DNS_NS;
}

/* The closest zone above the name of which we know servers. False: it has to wait, or has failed. */
static bool find_zone(struct resolver *r, struct task *t, usec now)
{
    struct dns_name before = t->zone;
    struct dns_name zone = t->current;
    struct cache_found found;
    t->forward = find_forward(r, &t->current, t->question.type);
    if (t->forward != NULL) {
        dns_name_root(&t->zone); /* of whatever a forwarder may speak */
        return true;
    }
    /* DS is the parent's (RFC 4035 §3.1.4.1). */
    if (t->question.type == DNS_DS)
        dns_name_parent(&zone, &zone);
    unsigned labels = name_labels(&zone);
    for (; labels > 0; labels--, dns_name_parent(&zone, &zone))
        if (labels < t->ceiling && cache_find(r->cache, &zone, DNS_NS, now, false, &found) &&
            found.content.kind == CACHE_DATA)
            break;
    t->zone = zone;
    if (!dns_name_equal(&before, &zone)) {
        t->labels = 0;
        t->minimised = 0;
    }
    if (labels > 0 || t->primed || is_priming(t) ||
        cache_find(r->cache, &zone, DNS_NS, now, false, &found))
        return true;
    t->primed = true; /* once: if that fails, the hints have to do */
    struct dns_question root = {zone, DNS_NS, DNS_IN};
    struct task *child = resolver_task(r, &root, t, now);
    if (child == NULL)
        return true;
    resolver_wait(r, t, child);
    return false;
}

/* ---- their addresses ---- */

struct gathering {
    struct endpoint list[CANDIDATES_MAX];
    size_t count;
    size_t missing_count; /* names without an address of one kind */
    struct {
        struct dns_name name;
        uint16_t type;
        uint8_t bit;
    } missing[CANDIDATES_MAX];
};

static void add_address(const struct resolver *r, struct gathering *g, const struct ip_address *a)
{
    struct endpoint e = {*a, r->options.port != 0 ? r->options.port : DNS_PORT};
    if (g->count < CANDIDATES_MAX && !address_is_any(a) && !address_is_multicast(a) &&
        !address_is_broadcast(a))
        g->list[g->count++] = e;
}

static void add_rdata(const struct resolver *r, struct gathering *g, uint16_t type,
                      struct bytes rdata)
{
    struct ip_address a;
    struct reader rd = reader_of(rdata);
    if (type == DNS_A)
        a = address_v4(read_u32(&rd));
    else
        read_copy(&rd, a.octets, sizeof a.octets);
    add_address(r, g, &a);
}

static void gather_name(struct resolver *r, struct task *t, struct gathering *g,
                        const struct dns_name *name, uint16_t type, uint8_t bit, usec now)
{
    struct cache_found found;
    if (cache_find(r->cache, name, type, now, false, &found)) {
        struct reader list = reader_of(found.content.records);
        struct bytes rdata;
        while (found.content.kind == CACHE_DATA && cache_read_rdata(&list, &rdata))
            add_rdata(r, g, type, rdata);
        return;
    }
    /* A name within the zone itself could only be found by asking it. */
    bool hopeless = dns_name_within(name, &t->zone) && !dns_name_is_root(&t->zone);
    if ((t->fetched & 1u << bit) != 0 || hopeless || g->missing_count == CANDIDATES_MAX)
        return;
    g->missing[g->missing_count].name = *name;
    g->missing[g->missing_count].type = type;
    g->missing[g->missing_count++].bit = bit;
}

_Static_assert(2 * RESOLVER_NS_MAX <= 32, "two bits of task.fetched for each");

static void gather(struct resolver *r, struct task *t, struct gathering *g, usec now)
{
    g->count = 0;
    g->missing_count = 0;
    if (!dns_name_equal(&t->fetched_zone, &t->zone)) {
        t->fetched_zone = t->zone;
        t->fetched = 0;
    }
    struct cache_found found;
    if (!is_priming(t) && cache_find(r->cache, &t->zone, DNS_NS, now, false, &found)) {
        struct bytes rdata;
        struct dns_name name;
        struct reader list = reader_of(found.content.records);
        for (unsigned i = 0; i < RESOLVER_NS_MAX && cache_read_rdata(&list, &rdata); i++) {
            if (!dns_rdata_target(DNS_NS, rdata, &name))
                continue;
            if (r->options.v4)
                gather_name(r, t, g, &name, DNS_A, (uint8_t)(2 * i), now);
            if (r->options.v6)
                gather_name(r, t, g, &name, DNS_AAAA, (uint8_t)(2 * i + 1), now);
        }
    }
    bool hints = g->count == 0 && dns_name_is_root(&t->zone);
    for (size_t i = 0; hints && i < r->options.hint_count; i++)
        if (address_is_v4(&r->options.hints[i]) ? r->options.v4 : r->options.v6)
            add_address(r, g, &r->options.hints[i]);
}

/* Looks up one more address; false: there is none to look up, or it has been enough. */
static bool fetch_address(struct resolver *r, struct task *t, const struct gathering *g, usec now)
{
    size_t first = g->missing_count > 0 ? prng_below(&r->prng, (uint32_t)g->missing_count) : 0;
    for (size_t i = 0; i < g->missing_count; i++) {
        size_t at = (first + i) % g->missing_count;
        if (t->fetches >= RESOLVER_FETCHES_MAX || t->depth >= RESOLVER_DEPTH_MAX) {
            r->counters.over_budget++;
            return false;
        }
        t->fetches++;
        t->fetched |= 1u << g->missing[at].bit;
        struct dns_question q = {g->missing[at].name, g->missing[at].type, DNS_IN};
        struct task *child = resolver_task(r, &q, t, now);
        if (child != NULL) {
            t->exhausted = false;
            resolver_wait(r, t, child);
            return true;
        }
    }
    return false;
}

/* The zone's servers are of no use: perhaps its parent knows of others. False: there is none. */
static bool lift(struct task *t)
{
    if (t->forward != NULL || dns_name_is_root(&t->zone) || t->lifts >= RESOLVER_LIFTS_MAX)
        return false;
    t->lifts++;
    t->ceiling = name_labels(&t->zone);
    t->exhausted = false;
    return true;
}

/* ---- the question ---- */

/* RFC 9156 §2.3: how many labels more the next question has. */
static unsigned label_step(const struct task *t, unsigned total)
{
    if (t->minimised < RESOLVER_MINIMISE_ONE_LAB || t->minimised >= RESOLVER_MINIMISE_MAX)
        return 1;
    unsigned step = (total - t->labels) / (RESOLVER_MINIMISE_MAX - t->minimised);
    return step > 0 ? step : 1;
}

static void make_question(struct resolver *r, struct task *t, usec now, struct dns_question *out)
{
    unsigned total = name_labels(&t->current);
    unsigned zone = name_labels(&t->zone);
    *out = (struct dns_question){t->current, t->question.type, DNS_IN};
    if (!t->minimise || t->forward != NULL)
        return;
    if (t->labels <= zone)
        t->labels = zone + 1;
    for (; t->labels < total && t->minimised < RESOLVER_MINIMISE_MAX;
         t->labels += label_step(t, total)) {
        struct dns_question q = {.type = DNS_A, .class = DNS_IN};
        struct look known;
        name_tail(&t->current, t->labels, &q.name);
        if (resolver_look(r->cache, &q.name, q.type, now, false, &known) != LOOK_UNKNOWN)
            continue;
        t->minimised++;
        *out = q;
        return;
    }
}

/* DO, since who asks us may validate himself (RFC 4035 §3.2.1); CD, where we do in a forwarder's
 * place (RFC 6840 §5.9). */
static void ask(struct resolver *r, struct task *t, const struct resolver_candidates *candidates,
                usec now)
{
    struct dns_client_options options = {
        .flags = t->forward == NULL ? 0 : resolver_validates(r) ? DNS_RD | DNS_CD : DNS_RD,
        .dnssec_ok = true,
        .stream_wanted = true,
    };
    make_question(r, t, now, &options.question);
    resolver_server_choose(r, &t->zone, candidates, now, &t->servers);
    dns_client_init(&t->client, &options, now);
    t->state = TASK_READY;
    list_remove(&t->node);
    list_append(&r->ready, &t->node);
}

void resolver_step(struct resolver *r, struct task *t, usec now)
{
    while (!look(r, t, now)) {
        struct gathering g;
        if (!find_zone(r, t, now))
            return;
        if (t->forward != NULL && !t->exhausted && t->forward->count > 0) {
            struct resolver_candidates given = {t->forward->servers, t->forward->count, true};
            ask(r, t, &given, now);
            return;
        }
        if (t->forward == NULL) {
            gather(r, t, &g, now);
            if (g.count > 0 && !t->exhausted) {
                struct resolver_candidates found = {g.list, g.count, false};
                ask(r, t, &found, now);
                return;
            }
            if (fetch_address(r, t, &g, now))
                return;
        }
        if (!lift(t)) {
            resolver_finish(r, t, true, DNS_EDE_NO_REACHABLE_AUTHORITY, now);
            return;
        }
    }
}
