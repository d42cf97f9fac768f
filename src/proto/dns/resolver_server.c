/* SPDX-License-Identifier: ISC */
/*
 * resolver_server.c - what is known of servers: how fast they answer (RFC 6298 §2 for the smoothed
 * times), whether they do, and whether they serve the zone. By address and zone, in a bounded table.
 */
#include "proto/dns/resolver_internal.h"

#define SRTT_UNKNOWN (200 * USEC_PER_MSEC) /* so that a new server is tried before a slow one */
#define TIMEOUT_MIN (300 * USEC_PER_MSEC)
#define TIMEOUT_MAX (3 * USEC_PER_SEC)
#define AVOID_MIN (2 * USEC_PER_SEC)
#define AVOID_MAX (300 * USEC_PER_SEC)
#define LAME_TIME (900 * USEC_PER_SEC)
#define SPREAD (50 * USEC_PER_MSEC) /* servers that differ by less share the questions */

enum { CANDIDATES_MAX = 64 };

struct server_key {
    const struct endpoint *endpoint;
    uint64_t zone;
};

static bool info_equal(const void *item, const void *other)
{
    const struct server_info *info = item;
    const struct server_key *key = other;
    return info->zone == key->zone && endpoint_equal(&info->endpoint, key->endpoint);
}

void resolver_server_init(struct resolver *r)
{
    map_init(&r->servers_by_key, &r->options.heap, RESOLVER_SERVERS, info_equal);
    list_init(&r->servers);
    list_init(&r->free_servers);
}

static uint64_t zone_hash(const struct resolver *r, const struct dns_name *zone)
{
    struct dns_name lower = *zone;
    dns_name_lower(&lower);
    return siphash13(&r->key, dns_name_bytes(&lower));
}

static uint32_t info_hash(const struct resolver *r, const struct server_key *key)
{
    uint8_t buffer[16 + 2 + 8];
    struct writer w = writer_of(buffer, sizeof buffer);
    write_copy(&w, key->endpoint->address.octets, 16);
    write_u16(&w, key->endpoint->port);
    write_u64(&w, key->zone);
    return (uint32_t)siphash13(&r->key, writer_bytes(&w));
}

static struct server_info *find(struct resolver *r, const struct dns_name *zone,
                                const struct endpoint *endpoint)
{
    struct server_key key = {endpoint, zone_hash(r, zone)};
    return map_find(&r->servers_by_key, info_hash(r, &key), &key);
}

/* One that nobody uses, or else the one not used for longest. */
static struct server_info *free_info(struct resolver *r)
{
    if (list_empty(&r->free_servers) && r->info_count < RESOLVER_SERVERS) {
        struct server_info *info = &r->infos[r->info_count++];
        list_init(&info->node);
        return info;
    }
    bool full = list_empty(&r->free_servers);
    struct list_node *node = full ? r->servers.previous : list_first(&r->free_servers);
    struct server_info *info = CONTAINER_OF(node, struct server_info, node);
    if (full)
        (void)map_remove(&r->servers_by_key, info->hash, info);
    return info;
}

/* The entry, made if need be in the place of the one used longest ago. NULL: no memory. */
static struct server_info *find_or_make(struct resolver *r, const struct dns_name *zone,
                                        const struct endpoint *endpoint)
{
    struct server_key key = {endpoint, zone_hash(r, zone)};
    uint32_t hash = info_hash(r, &key);
    struct server_info *info = map_find(&r->servers_by_key, hash, &key);
    if (info == NULL) {
        info = free_info(r);
        list_remove(&info->node);
        *info = (struct server_info){.endpoint = *endpoint, .zone = key.zone, .hash = hash};
        list_init(&info->node);
        if (!map_insert(&r->servers_by_key, hash, info)) {
            list_append(&r->free_servers, &info->node);
            return NULL;
        }
    }
    list_remove(&info->node);
    list_prepend(&r->servers, &info->node);
    return info;
}

void resolver_server_answered(struct resolver *r, const struct dns_name *zone,
                              const struct dns_server *server, usec rtt, usec now)
{
    struct server_info *info = find_or_make(r, zone, &server->endpoint);
    if (info == NULL)
        return;
    usec difference = info->srtt > rtt ? info->srtt - rtt : rtt - info->srtt;
    info->rttvar = info->srtt == 0 ? rtt / 2 : (3 * info->rttvar + difference) / 4;
    info->srtt = info->srtt == 0 ? rtt : (7 * info->srtt + rtt) / 8;
    info->timeouts = 0;
    info->plain_case = server->plain_case;
    if (!info->lame || info->avoid_until <= now) {
        info->avoid_until = 0;
        info->lame = false;
    }
}

void resolver_server_silent(struct resolver *r, const struct dns_name *zone,
                            const struct dns_server *server, usec now)
{
    struct server_info *info = find_or_make(r, zone, &server->endpoint);
    if (info == NULL)
        return;
    if (info->timeouts < 16)
        info->timeouts++;
    usec avoid = usec_min(AVOID_MIN << info->timeouts, AVOID_MAX);
    info->avoid_until = usec_max(info->avoid_until, now + avoid);
    info->plain_case = server->plain_case;
}

void resolver_server_lame(struct resolver *r, const struct dns_name *zone,
                          const struct dns_server *server, usec now)
{
    struct server_info *info = find_or_make(r, zone, &server->endpoint);
    if (info == NULL)
        return;
    info->lame = true;
    info->avoid_until = usec_max(info->avoid_until, now + LAME_TIME);
}

static usec attempt_timeout(const struct server_info *info)
{
    if (info == NULL || info->srtt == 0)
        return 0; /* the client's own */
    usec timeout = (info->srtt + 4 * info->rttvar) << (info->timeouts < 4 ? info->timeouts : 4);
    return usec_min(usec_max(timeout, TIMEOUT_MIN), TIMEOUT_MAX);
}

struct candidate {
    usec cost;
    struct dns_server server;
};

static void rate(struct resolver *r, const struct dns_name *zone, const struct endpoint *endpoint,
                 usec now, struct candidate *out)
{
    const struct server_info *info = find(r, zone, endpoint);
    *out = (struct candidate){.cost = SRTT_UNKNOWN, .server.endpoint = *endpoint};
    if (info != NULL) {
        out->cost = info->srtt != 0 ? info->srtt : SRTT_UNKNOWN;
        out->server.plain_case = info->plain_case;
        out->server.timeout = attempt_timeout(info);
        if (info->avoid_until > now)
            out->server.avoid_until = info->avoid_until;
    }
    out->cost += prng_below(&r->prng, SPREAD);
    if (out->server.avoid_until > now)
        out->cost += USEC_PER_HOUR + out->server.avoid_until - now; /* last, the worst of all last */
}

void resolver_server_choose(struct resolver *r, const struct dns_name *zone,
                            const struct resolver_candidates *candidates, usec now,
                            struct dns_servers *out)
{
    struct candidate list[CANDIDATES_MAX];
    size_t used = 0;
    for (size_t i = 0; i < candidates->count && used < CANDIDATES_MAX; i++) {
        struct candidate c;
        rate(r, zone, &candidates->list[i], now, &c);
        if (candidates->given && c.server.avoid_until <= now)
            c.cost = 0;
        size_t at = used++;
        for (; at > 0 && list[at - 1].cost > c.cost; at--)
            list[at] = list[at - 1];
        list[at] = c;
    }
    out->count = used < DNS_SERVERS_MAX ? used : DNS_SERVERS_MAX;
    for (size_t i = 0; i < out->count; i++)
        out->list[i] = list[i].server;
}

bool resolver_each_server(const struct resolver *r, const void **place, usec now,
                          struct resolver_server *out)
{
    const struct list_node *node =
        *place == NULL ? r->servers.next : ((const struct list_node *)*place)->next;
    if (node == &r->servers)
        return false;
    *place = node;
    const struct server_info *info = CONTAINER_OF(node, struct server_info, node);
    *out = (struct resolver_server){.endpoint = info->endpoint,
                                    .srtt = info->srtt,
                                    .timeouts = info->timeouts,
                                    .lame = info->lame,
                                    .avoided = info->avoid_until > now};
    return true;
}
