/* SPDX-License-Identifier: ISC */
/* mdns_cache.c - what others on the link have said, as long as it holds (RFC 6762 §10). */
#include "proto/dns/mdns_internal.h"

void mdns_cache_open(struct mdns *m)
{
    list_init(&m->ages);
    list_init(&m->known);
    for (size_t i = 0; i < MDNS_BUCKETS; i++)
        list_init(&m->buckets[i]);
    m->cache_due_at = USEC_NEVER;
}

static size_t size_of(const struct mdns_cached *c)
{
    return sizeof *c + c->owner_len + c->rdata_len;
}

static void drop(struct mdns *m, struct mdns_cached *c)
{
    list_remove(&c->bucket);
    list_remove(&c->age);
    list_remove(&c->known);
    m->counters.cached--;
    m->cached_octets -= size_of(c);
    heap_release(&m->heap, c, size_of(c));
}

void mdns_cache_close(struct mdns *m)
{
    while (!list_empty(&m->ages))
        drop(m, CONTAINER_OF(list_first(&m->ages), struct mdns_cached, age));
}

/* Strangers choose the names, of which there are few: a long chain is slow, and no more. */
struct list_node *mdns_cache_bucket(const struct mdns *m, const struct dns_name *owner)
{
    return (struct list_node *)(uintptr_t)&m->buckets[dns_name_hash(owner) % MDNS_BUCKETS];
}

static usec ttl_of(const struct mdns_cached *c)
{
    return (usec)c->ttl * USEC_PER_SEC;
}

/* RFC 6762 §5.2: at 80 %, 85 %, … of its time, each with up to 2 % more; then its end. */
static void plan(struct mdns *m, struct mdns_cached *c)
{
    usec at = c->expires_at;
    if (c->refreshes < MDNS_REFRESHES) {
        usec percent = 80 + 5 * (usec)c->refreshes;
        usec jitter = ttl_of(c) > 0 ? mdns_random(m, 0, ttl_of(c) / 50 + 1) : 0;
        at = usec_min(at, c->received_at + ttl_of(c) * percent / 100 + jitter);
    }
    if (c->failures >= MDNS_FAILURES)
        at = usec_min(at, c->failed_at + MDNS_FAILURE_TIME);
    c->due_at = at;
    m->cache_due_at = usec_min(m->cache_due_at, at);
}

static struct mdns_cached *find(const struct mdns *m, const struct dns_rr *rr, struct bytes rdata)
{
    struct list_node *head = mdns_cache_bucket(m, &rr->owner);
    for (struct list_node *node = head->next; node != head; node = node->next) {
        struct mdns_cached *c = CONTAINER_OF(node, struct mdns_cached, bucket);
        if (c->type == rr->type &&
            bytes_equal_nocase(mdns_cached_owner(c), dns_name_bytes(&rr->owner)) &&
            dns_rdata_equal(c->type, mdns_cached_rdata(c), rdata))
            return c;
    }
    return NULL;
}

static struct mdns_cached *add(struct mdns *m, const struct dns_rr *rr, struct bytes rdata)
{
    size_t size = sizeof(struct mdns_cached) + rr->owner.len + rdata.len;
    while (!list_empty(&m->ages) && (m->counters.cached == MDNS_CACHE_MAX ||
                                     m->cached_octets + size > MDNS_CACHE_OCTETS_MAX))
        drop(m, CONTAINER_OF(list_first(&m->ages), struct mdns_cached, age));
    struct mdns_cached *c = heap_zeroed(&m->heap, size);
    if (c == NULL)
        return NULL;
    c->type = rr->type;
    c->owner_len = rr->owner.len;
    c->rdata_len = (uint16_t)rdata.len;
    memcpy(c->octets, rr->owner.octets, rr->owner.len);
    memcpy(c->octets + c->owner_len, rdata.data, rdata.len);
    c->serial = ++m->serial;
    list_append(mdns_cache_bucket(m, &rr->owner), &c->bucket);
    list_init(&c->age);
    list_init(&c->known);
    m->counters.cached++;
    m->cached_octets += size;
    return c;
}

/* RFC 6762 §10.2: what was said more than a second ago of the same name and type holds no longer. */
static void flush_others(struct mdns *m, const struct dns_rr *rr, const struct mdns_cached *kept)
{
    struct list_node *head = mdns_cache_bucket(m, &rr->owner);
    for (struct list_node *node = head->next; node != head; node = node->next) {
        struct mdns_cached *c = CONTAINER_OF(node, struct mdns_cached, bucket);
        if (c == kept || c->type != rr->type ||
            m->now - c->received_at <= MDNS_GOODBYE_TIME ||
            !bytes_equal_nocase(mdns_cached_owner(c), dns_name_bytes(&rr->owner)))
            continue;
        c->expires_at = usec_min(c->expires_at, m->now + MDNS_GOODBYE_TIME);
        c->refreshes = MDNS_REFRESHES;
        plan(m, c);
    }
}

void mdns_cache_take(struct mdns *m, const struct dns_rr *rr, struct bytes rdata)
{
    struct mdns_cached *c = find(m, rr, rdata);
    bool is_new = c == NULL;
    if (rr->ttl == 0) { /* §10.1: it is gone, in a second */
        if (c == NULL)
            return;
        c->expires_at = usec_min(c->expires_at, m->now + MDNS_GOODBYE_TIME);
        c->refreshes = MDNS_REFRESHES;
        plan(m, c);
        return;
    }
    if (is_new && (c = add(m, rr, rdata)) == NULL)
        return;
    c->unique = (rr->class & MDNS_TOP_BIT) != 0;
    c->ttl = rr->ttl < DNS_TTL_MAX ? rr->ttl : DNS_TTL_MAX;
    c->from = m->from;
    c->received_at = m->now;
    c->expires_at = m->now + ttl_of(c);
    c->refreshes = 0;
    c->failures = 0;
    list_remove(&c->age);
    list_append(&m->ages, &c->age);
    plan(m, c);
    if (c->unique)
        flush_others(m, rr, c);
    if (is_new)
        mdns_query_changed(m, mdns_cached_owner(c), c->type, false);
}

void mdns_cache_want(struct mdns *m, const struct dns_question *question)
{
    struct list_node *head = mdns_cache_bucket(m, &question->name);
    for (struct list_node *node = head->next; node != head; node = node->next) {
        struct mdns_cached *c = CONTAINER_OF(node, struct mdns_cached, bucket);
        if (!mdns_cached_answers(c, question) || c->expires_at < c->received_at + ttl_of(c))
            continue; /* it is as good as gone */
        c->refreshes = 0;
        while (c->refreshes < MDNS_REFRESHES &&
               c->received_at + ttl_of(c) * (80 + 5 * (usec)c->refreshes) / 100 <= m->now)
            c->refreshes++;
        plan(m, c);
    }
}

void mdns_cache_doubt(struct mdns *m, struct mdns_cached *c)
{
    if (address_equal(&c->from, &m->from))
        return; /* it is his own: he asks the others */
    if (c->failures > 0 && m->now > c->failed_at + MDNS_FAILURE_TIME)
        c->failures = 0; /* that was long ago */
    if (c->failures == 0)
        c->failed_at = m->now;
    if (c->failures < MDNS_FAILURES)
        c->failures++;
    plan(m, c);
}

static bool has_failed(const struct mdns *m, const struct mdns_cached *c)
{
    return c->failures >= MDNS_FAILURES && m->now >= c->failed_at + MDNS_FAILURE_TIME;
}

/* Its time has come: to be asked for again, or to go. */
static void tick_one(struct mdns *m, struct mdns_cached *c)
{
    uint8_t owner[DNS_NAME_MAX];
    if (m->now < c->expires_at && !has_failed(m, c)) {
        /* What nobody wants to know is asked for no more. */
        bool wanted = mdns_query_refresh(m, mdns_cached_owner(c), c->type);
        c->refreshes = wanted ? (uint8_t)(c->refreshes + 1) : MDNS_REFRESHES;
        plan(m, c);
        return;
    }
    size_t len = c->owner_len;
    uint16_t type = c->type;
    memcpy(owner, c->octets, len);
    drop(m, c);
    mdns_query_changed(m, bytes_of(owner, len), type, true);
}

void mdns_cache_tick(struct mdns *m)
{
    if (m->now < m->cache_due_at)
        return;
    m->cache_due_at = USEC_NEVER;
    struct list_node *next;
    for (struct list_node *node = m->ages.next; node != &m->ages; node = next) {
        struct mdns_cached *c = CONTAINER_OF(node, struct mdns_cached, age);
        next = node->next;
        if (m->now >= c->due_at)
            tick_one(m, c);
        else
            m->cache_due_at = usec_min(m->cache_due_at, c->due_at);
    }
}
