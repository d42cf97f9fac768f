/* SPDX-License-Identifier: ISC */
/*
 * names_tell.c - the servers that a zone names itself are told that it has changed (RFC 1996 §2.1: the "notify
 * set"): those of its NS records but for the one that its SOA has as the primary, and ourselves. Their
 * addresses are those of zones here, glue too; or those that the resolver finds, which may take a while.
 */
#include <errno.h>
#include <stdlib.h>

#include "app/names/internal.h"

enum {
    ADDRESSES_MAX = 16, /* of one server */
    LOOKS_MAX = 6,      /* at the cache, until what was asked for is there: a minute in all */
};
#define FIRST_LOOK USEC_PER_SEC

/* A server whose addresses the resolver is asked for. */
struct names_sought {
    struct list_node node;
    size_t view;
    struct dns_name zone;
    struct dns_name server;
    unsigned looks;
    usec due_at;
};

/* ---- addresses ---- */

struct found {
    struct ip_address addresses[ADDRESSES_MAX];
    size_t count;
};

static void note(struct found *found, uint16_t type, struct bytes rdata)
{
    struct reader r = reader_of(rdata);
    struct ip_address *a = &found->addresses[found->count];
    if (found->count == ADDRESSES_MAX)
        return;
    if (type == DNS_A)
        *a = address_v4(read_u32(&r));
    else
        read_copy(&r, a->octets, sizeof a->octets);
    found->count += !r.failed;
}

static const uint16_t types[] = {DNS_A, DNS_AAAA};

/* In zones here. True: they know all there is, be it nothing. */
static bool look_at_zones(const struct zone_set *zones, const struct dns_name *server,
                          struct found *found)
{
    struct zone_match match;
    zone_find(zones, server, &match);
    for (size_t i = 0; match.node != NULL && i < ARRAY_LEN(types); i++) {
        const struct rrset *rrset = zone_rrset(match.node, types[i]);
        struct rrset_place place = {0};
        struct bytes rdata;
        while (rrset != NULL && rrset_next(rrset, &place, &rdata))
            note(found, types[i], rdata);
    }
    return match.zone != NULL && zone_is_served(match.zone) && (match.cut == NULL || found->count > 0);
}

static void look_at_cache(const struct names_asking *asking, const struct dns_name *server,
                          struct found *found)
{
    struct cache_found known;
    struct bytes rdata;
    for (size_t i = 0; asking != NULL && i < ARRAY_LEN(types); i++) {
        usec now = loop_now(asking->names->loop);
        if (!cache_find(asking->cache, server, types[i], now, false, &known) ||
            known.content.kind != CACHE_DATA || known.content.security == CACHE_BOGUS)
            continue;
        struct reader list = reader_of(known.content.records);
        while (cache_read_rdata(&list, &rdata))
            note(found, types[i], rdata);
    }
}

/* ---- telling ---- */

static bool is_named(const struct names_notified *whom, const struct endpoint *at)
{
    for (size_t i = 0; i < whom->count; i++)
        if (endpoint_equal(&whom->peers[i].at, at))
            return true; /* he is told in the way that was agreed on */
    return false;
}

static void tell(struct names *names, size_t view, const struct dns_name *zone,
                 const struct found *found)
{
    const struct names_notified *whom = names_notified_of(names, view, zone);
    struct endpoint ours = names_local(names);
    struct names_notified more = {.count = 0};
    for (size_t i = 0; i < found->count; i++) {
        struct tsig_peer *peer = &more.peers[more.count];
        *peer = (struct tsig_peer){.at = {found->addresses[i], names->notified_port}};
        dns_name_root(&peer->key);
        if (!is_named(whom, &peer->at) && !endpoint_equal(&peer->at, &ours))
            more.count++;
    }
    names_notify_all(names, view, zone, &more);
}
_Static_assert((int)ADDRESSES_MAX <= (int)NAMES_NOTIFIED_MAX, "all of one server fit");

static void drop(struct names *names, struct names_sought *sought)
{
    list_remove(&sought->node);
    free(sought);
    names->sought_count--;
}

static void ask(const struct names *names, const struct names_sought *sought)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        names_asking_renew(names_asking_in(names, sought->view), &sought->server, types[i]);
}

static void seek(struct names *names, size_t view, const struct dns_name *zone,
                 const struct dns_name *server)
{
    struct names_sought *sought = calloc(1, sizeof *sought);
    if (sought == NULL) {
        names->counters.notifies_unanswered++;
        return;
    }
    if (names->sought_count == NAMES_SOUGHT_MAX) {
        names->counters.notifies_unanswered++; /* that one looks for itself, in time */
        drop(names, CONTAINER_OF(list_first(&names->sought), struct names_sought, node));
    }
    sought->view = view;
    dns_name_copy(&sought->zone, zone);
    dns_name_copy(&sought->server, server);
    sought->due_at = loop_now(names->loop) + FIRST_LOOK;
    list_append(&names->sought, &sought->node);
    names->sought_count++;
    ask(names, sought);
    if (names->sought_count == 1)
        loop_set_alarm(names->loop, &names->sought_alarm, sought->due_at);
}

static void tell_server(struct names *names, size_t view, const struct dns_name *zone,
                        const struct dns_name *server)
{
    struct found found = {.count = 0};
    bool known = look_at_zones(names_zones(names, view), server, &found);
    if (!known && view != NAMES_EVERYBODY)
        known = look_at_zones(names->zones, server, &found);
    if (!known && found.count == 0)
        look_at_cache(names_asking_in(names, view), server, &found);
    if (found.count > 0)
        tell(names, view, zone, &found);
    else if (!known && names_asking_in(names, view) != NULL)
        seek(names, view, zone, server);
    else
        names->counters.notifies_unanswered++;
}

void names_tell_servers(struct names *names, size_t view, const struct dns_name *name)
{
    const struct zone *zone = zone_set_get(names_zones(names, view), name);
    const struct rrset *ns = zone != NULL ? zone_rrset(zone->apex, DNS_NS) : NULL;
    struct dns_name primary, server;
    struct rrset_place place = {0};
    struct bytes rdata;
    if (ns == NULL || !zone_is_served(zone))
        return;
    struct bytes soa = rrset_first(zone_rrset(zone->apex, DNS_SOA));
    struct reader r = reader_of(soa);
    dns_name_read(&r, soa, &primary);
    while (rrset_next(ns, &place, &rdata))
        if (dns_rdata_target(DNS_NS, rdata, &server) && !dns_name_equal(&server, &primary) &&
            !dns_name_equal(&server, &names->server_name))
            tell_server(names, view, name, &server);
}

/* ---- what the resolver has found ---- */

/* True: it is done with. */
static bool look(struct names *names, struct names_sought *sought)
{
    struct found found = {.count = 0};
    look_at_cache(names_asking_in(names, sought->view), &sought->server, &found);
    if (found.count > 0)
        tell(names, sought->view, &sought->zone, &found);
    else if (++sought->looks < LOOKS_MAX) {
        ask(names, sought); /* who did not answer then may do so now */
        sought->due_at = loop_now(names->loop) + (FIRST_LOOK << sought->looks);
        return false;
    }
    names->counters.notifies_unanswered += found.count == 0;
    return true;
}

static void on_alarm(struct alarm *alarm)
{
    struct names *names = CONTAINER_OF(alarm, struct names, sought_alarm);
    usec next = USEC_NEVER;
    struct list_node *following;
    for (struct list_node *node = names->sought.next; node != &names->sought; node = following) {
        struct names_sought *sought = CONTAINER_OF(node, struct names_sought, node);
        following = node->next;
        if (sought->due_at <= loop_now(names->loop) && look(names, sought))
            drop(names, sought);
        else if (sought->due_at < next)
            next = sought->due_at;
    }
    loop_set_alarm(names->loop, &names->sought_alarm, next);
}

void names_tell_open(struct names *names)
{
    list_init(&names->sought);
    alarm_init(&names->sought_alarm, on_alarm);
}

void names_tell_close(struct names *names)
{
    while (!list_empty(&names->sought))
        drop(names, CONTAINER_OF(list_first(&names->sought), struct names_sought, node));
    loop_clear_alarm(names->loop, &names->sought_alarm);
}
