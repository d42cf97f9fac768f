/* SPDX-License-Identifier: ISC */
/* mdns_own.c - names and records of ours: added, found, and taken back with a goodbye (RFC 6762 §8.4, §10.1). */
#include "proto/dns/mdns_internal.h"

#include "wire/dns/dns_bitmap.h"

/* ---- adding ---- */

int mdns_add_name(struct mdns *m, const struct dns_name *name, enum mdns_style style, usec now)
{
    m->now = now;
    for (int i = 0; i < MDNS_NAMES_MAX; i++) {
        struct mdns_own_name *n = &m->names[i];
        if (n->used)
            continue;
        *n = (struct mdns_own_name){.used = true, .style = style, .number = 2};
        n->conflict_at = MDNS_LONG_AGO;
        dns_name_copy(&n->name, name);
        dns_name_copy(&n->first, name);
        mdns_start_probing(m, n, mdns_random(m, 0, MDNS_PROBE_INTERVAL)); /* §8.1 */
        return i;
    }
    return -1;
}

static struct mdns_own *find_free(struct mdns *m)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++)
        if (m->records[i].rdata == NULL)
            return &m->records[i];
    return NULL;
}

bool mdns_add_record(struct mdns *m, int name, const struct mdns_record *record, usec now)
{
    ASSERT(name >= 0 && name < MDNS_NAMES_MAX && m->names[name].used);
    ASSERT(dns_rdata_valid(record->type, record->rdata) && record->rdata.len > 0);
    struct mdns_own_name *n = &m->names[name];
    struct mdns_own *own = find_free(m);
    m->now = now;
    if (own == NULL || record->rdata.len > MDNS_RDATA_MAX)
        return false;
    uint8_t *rdata = heap_array(&m->heap, record->rdata.len, 1);
    if (rdata == NULL)
        return false;
    memcpy(rdata, record->rdata.data, record->rdata.len);
    *own = (struct mdns_own){.rdata = rdata,
                             .rdata_len = (uint16_t)record->rdata.len,
                             .type = record->type,
                             .ttl = record->ttl,
                             .name = (uint8_t)name,
                             .shared = record->owner != NULL,
                             .multicast_at = MDNS_LONG_AGO};
    dns_name_copy(&own->owner, record->owner != NULL ? record->owner : &n->name);
    if (mdns_name_is_ours(n))
        mdns_announce(m, n);
    return true;
}

static void drop(struct mdns *m, size_t i)
{
    struct mdns_own *own = &m->records[i];
    heap_release(&m->heap, own->rdata, own->rdata_len);
    *own = (struct mdns_own){0};
    mdns_set_remove(&m->sending.records, i);
    mdns_set_remove(&m->goodbyes, i);
    for (size_t p = 0; p < MDNS_PENDING_MAX; p++)
        mdns_set_remove(&m->pending[p].reply.records, i);
}

void mdns_drop_records(struct mdns *m, int name, uint16_t type)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        const struct mdns_own *own = &m->records[i];
        if (own->rdata != NULL && own->name == name && own->type == type && !own->shared)
            drop(m, i);
    }
}

/* What others have heard of is taken back; the rest is simply gone. */
static void withdraw_records(struct mdns *m, int name)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        struct mdns_own *own = &m->records[i];
        if (own->rdata == NULL || own->name != name)
            continue;
        if (!mdns_name_is_ours(&m->names[name])) {
            drop(m, i);
            continue;
        }
        mdns_set_add(&m->goodbyes, i);
        mdns_set_remove(&m->sending.records, i);
        own->name = MDNS_NOBODY;
    }
}

void mdns_drop_name(struct mdns *m, int name, usec now)
{
    ASSERT(name >= 0 && name < MDNS_NAMES_MAX);
    m->now = now;
    withdraw_records(m, name);
    m->names[name] = (struct mdns_own_name){.used = false};
}

void mdns_withdraw(struct mdns *m, usec now)
{
    for (int i = 0; i < MDNS_NAMES_MAX; i++)
        mdns_drop_name(m, i, now);
    memset(m->pending, 0, sizeof m->pending);
    memset(&m->sending, 0, sizeof m->sending);
}

/* ---- services (RFC 6763) ---- */

static bool put_srv(struct mdns *m, int name, int host, uint16_t port, usec now)
{
    uint8_t octets[6 + DNS_NAME_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    write_u16(&w, 0); /* priority */
    write_u16(&w, 0); /* weight */
    write_u16(&w, port);
    dns_name_write(&w, &m->names[host].name);
    struct mdns_record srv = {
        .type = DNS_SRV, .ttl = MDNS_TTL_HOST, .rdata = writer_bytes(&w)};
    return mdns_add_record(m, name, &srv, now);
}

/* §4.1 PTR of the type, §9 of the types that there are, SRV, and TXT, which is always there (§6.1). */
static bool put_service(struct mdns *m, int name, int host, const struct mdns_service *service,
                        const struct dns_name *type, usec now)
{
    struct dns_name browse;
    bool ok = dns_name_parse(bytes_of_text("_services._dns-sd._udp.local"), NULL, &browse);
    ASSERT(ok);
    struct mdns_record ptr = {.owner = type,
                              .type = DNS_PTR,
                              .ttl = MDNS_TTL_OTHER,
                              .rdata = dns_name_bytes(&m->names[name].name)};
    struct mdns_record of_types = {
        .owner = &browse, .type = DNS_PTR, .ttl = MDNS_TTL_OTHER, .rdata = dns_name_bytes(type)};
    static const uint8_t nothing[1] = {0};
    struct mdns_record txt = {
        .type = DNS_TXT,
        .ttl = MDNS_TTL_OTHER,
        .rdata = service->txt.len > 0 ? service->txt : bytes_of(nothing, sizeof nothing)};
    return put_srv(m, name, host, service->port, now) && mdns_add_record(m, name, &txt, now) &&
           mdns_add_record(m, name, &ptr, now) && mdns_add_record(m, name, &of_types, now);
}

int mdns_add_service(struct mdns *m, int host, const struct mdns_service *service, usec now)
{
    struct dns_name local, type, name;
    ASSERT(host >= 0 && host < MDNS_NAMES_MAX && m->names[host].used);
    bool ok = dns_name_parse(bytes_of_text("local"), NULL, &local);
    ASSERT(ok);
    if (!dns_name_parse(service->type, &local, &type) ||
        !dns_name_child(service->instance, &type, &name))
        return -1;
    int number = mdns_add_name(m, &name, MDNS_STYLE_SERVICE, now);
    if (number < 0)
        return -1;
    if (put_service(m, number, host, service, &type, now))
        return number;
    mdns_drop_name(m, number, now);
    return -1;
}

bool mdns_each_name(const struct mdns *m, int *name)
{
    for (int i = *name + 1; i < MDNS_NAMES_MAX; i++)
        if (m->names[i].used) {
            *name = i;
            return true;
        }
    return false;
}

static const char *const state_texts[] = {
    [MDNS_NAME_WAITING] = "waiting",       [MDNS_NAME_PROBING] = "probing",
    [MDNS_NAME_ANNOUNCING] = "announcing", [MDNS_NAME_HELD] = "held",
    [MDNS_NAME_LOST] = "lost",
};
_Static_assert(ARRAY_LEN(state_texts) == MDNS_NAME_STATE_COUNT, "one for each state");

const char *mdns_name_state_text(enum mdns_name_state state)
{
    ASSERT(state < MDNS_NAME_STATE_COUNT);
    return state_texts[state];
}

enum mdns_name_state mdns_name_state(const struct mdns *m, int name)
{
    ASSERT(name >= 0 && name < MDNS_NAMES_MAX);
    return m->names[name].used ? m->names[name].state : MDNS_NAME_LOST;
}

const struct dns_name *mdns_name(const struct mdns *m, int name)
{
    ASSERT(name >= 0 && name < MDNS_NAMES_MAX);
    return &m->names[name].name;
}

/* ---- looking for them ---- */

struct mdns_own *mdns_own_find(struct mdns *m, const struct dns_name *owner, uint16_t type,
                               struct bytes rdata)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        struct mdns_own *own = &m->records[i];
        if (own->rdata != NULL && own->type == type && m->names[own->name].used &&
            m->names[own->name].state != MDNS_NAME_LOST && dns_name_equal(&own->owner, owner) &&
            dns_rdata_equal(type, bytes_of(own->rdata, own->rdata_len), rdata))
            return own;
    }
    return NULL;
}

bool mdns_own_has_type(const struct mdns *m, size_t name, uint16_t type)
{
    for (size_t i = 0; i < MDNS_RECORDS_MAX; i++) {
        const struct mdns_own *own = &m->records[i];
        if (own->rdata != NULL && own->name == name && own->type == type && !own->shared)
            return true;
    }
    return false;
}

/* ---- what there is not (§6.1) ---- */

struct bytes mdns_own_types(const struct mdns *m, const struct mdns_own_name *n, uint8_t *buffer,
                            size_t size)
{
    uint16_t types[MDNS_RECORDS_MAX];
    size_t count = 0;
    for (unsigned type = 1; type < 256; type++) /* block 0 alone */
        if (mdns_own_has_type(m, (size_t)(n - m->names), (uint16_t)type))
            types[count++] = (uint16_t)type;
    struct writer w = writer_of(buffer, size);
    dns_name_write(&w, &n->name);
    dns_bitmap_write(&w, types, count);
    ASSERT(!w.failed);
    return writer_bytes(&w);
}
