/* SPDX-License-Identifier: ISC */
/* upstream.c - which server is next. */
#include "app/proxy/upstream.h"

#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "base/siphash.h"
#include "io/loop.h"

enum { SHARE = 256 }; /* of a server of weight 1 */

struct upstream {
    struct loop *loop;
    unsigned users;
    enum upstream_balance balance;
    usec slow_start;
    size_t count;
    struct upstream_server servers[UPSTREAM_SERVERS_MAX];
};

/* Names what it names in every group of this process alike, so that cookies outlive a reload. */
static uint64_t id_of(const struct siphash_key *key, const struct upstream_place *place)
{
    uint8_t block[UPSTREAM_NAME_MAX + 4];
    struct writer w = writer_of(block, sizeof block);
    write_bytes(&w, bytes_of_text(place->host));
    write_u16(&w, place->port);
    write_u8(&w, place->tls);
    return siphash24(key, writer_bytes(&w)) | 1;
}

struct upstream *upstream_new(const struct upstream_options *options,
                              const struct siphash_key *key)
{
    struct upstream *upstream = calloc(1, sizeof *upstream);
    if (upstream == NULL)
        return NULL;
    ASSERT(options->count > 0 && options->count <= UPSTREAM_SERVERS_MAX);
    upstream->loop = options->loop;
    upstream->users = 1;
    upstream->balance = options->balance;
    upstream->slow_start = options->slow_start;
    upstream->count = options->count;
    for (size_t i = 0; i < options->count; i++) {
        struct upstream_server *server = &upstream->servers[i];
        server->upstream = upstream;
        server->place = options->servers[i];
        if (server->place.weight == 0)
            server->place.weight = 1;
        server->id = id_of(key, &server->place);
        server->back_at = INT64_MIN / 2;
        if (options->health.path[0] != '\0' &&
            !upstream_probe_begin(server, options, upstream->loop)) {
            upstream_retire(upstream);
            return NULL;
        }
    }
    return upstream;
}

void upstream_hold(struct upstream *upstream)
{
    upstream->users++;
}

void upstream_release(struct upstream *upstream)
{
    ASSERT(upstream->users > 0);
    if (--upstream->users == 0)
        free(upstream);
}

void upstream_retire(struct upstream *upstream)
{
    if (upstream == NULL)
        return;
    for (size_t i = 0; i < upstream->count; i++)
        upstream_probe_end(&upstream->servers[i]);
    upstream_release(upstream);
}

/* ---- health ---- */

bool upstream_is_up(const struct upstream_server *server)
{
    return !server->down && server->dead_until <= loop_now(server->upstream->loop);
}

void upstream_report(struct upstream_server *server, bool good)
{
    usec now = loop_now(server->upstream->loop);
    if (good) {
        if (server->ejections > 0)
            server->back_at = now;
        server->failures = server->ejections = 0;
        server->dead_until = 0;
        return;
    }
    if (++server->failures < UPSTREAM_FAILURES_MAX)
        return;
    /* It is tried again by one request after that time, and counts as dead at once if that fails. */
    usec time = UPSTREAM_DEAD_TIME << (server->ejections < 5 ? server->ejections : 5);
    server->failures = UPSTREAM_FAILURES_MAX - 1;
    server->ejections++;
    server->dead_until = now + usec_min(time, UPSTREAM_DEAD_MAX);
}

/* ---- choosing ---- */

/* What it may have now of the work. */
static int64_t share_of(const struct upstream_server *server)
{
    const struct upstream *upstream = server->upstream;
    usec since = loop_now(upstream->loop) - server->back_at;
    int64_t share = (int64_t)server->place.weight * SHARE;
    if (since < upstream->slow_start)
        share = share * since / upstream->slow_start;
    return share > 0 ? share : 1;
}

/* Each adds its share to its credit; the richest pays for all (smooth weighted round robin). */
static struct upstream_server *next_in_turn(struct upstream *upstream, uint32_t among)
{
    struct upstream_server *best = NULL;
    int64_t total = 0;
    for (size_t i = 0; i < upstream->count; i++) {
        struct upstream_server *server = &upstream->servers[i];
        if ((among >> i & 1) == 0)
            continue;
        int64_t share = share_of(server);
        server->credit += share;
        total += share;
        if (best == NULL || server->credit > best->credit)
            best = server;
    }
    best->credit -= total;
    return best;
}

static struct upstream_server *least_busy(struct upstream *upstream, uint32_t among)
{
    struct upstream_server *best = NULL;
    for (size_t i = 0; i < upstream->count; i++) {
        struct upstream_server *server = &upstream->servers[i];
        if ((among >> i & 1) == 0)
            continue;
        /* Those that are alike take turns. */
        int64_t ours = ((int64_t)server->connections + 1) * (best != NULL ? share_of(best) : 1);
        int64_t theirs = best != NULL ? ((int64_t)best->connections + 1) * share_of(server) : 0;
        if (best == NULL || ours < theirs ||
            (ours == theirs && server->requests < best->requests))
            best = server;
    }
    return best;
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

/* A hash of what cannot be another's: the places alone, so that a list in another order says the same. */
static uint64_t place_hash(const struct upstream_place *place)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ place->port;
    for (const char *c = place->host; *c != '\0'; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
    return hash;
}

/* Rendezvous hashing: the highest of all draws, of which each server has as many as it weighs. */
static struct upstream_server *drawn(struct upstream *upstream, uint32_t tag, uint32_t among)
{
    struct upstream_server *best = NULL;
    uint64_t highest = 0;
    for (size_t i = 0; i < upstream->count; i++) {
        struct upstream_server *server = &upstream->servers[i];
        uint64_t hash = place_hash(&server->place);
        for (unsigned k = 0; (among >> i & 1) != 0 && k < server->place.weight; k++) {
            uint64_t draw = mix(mix(hash + k) ^ tag);
            if (best == NULL || draw > highest) {
                best = server;
                highest = draw;
            }
        }
    }
    return best;
}

/* Those that may be chosen, as bits: those that are well; or else backups; or else all. */
static uint32_t candidates(const struct upstream *upstream, uint32_t tried)
{
    uint32_t all = (uint32_t)((UINT64_C(1) << upstream->count) - 1);
    uint32_t up = 0, backups = 0;
    for (size_t i = 0; i < upstream->count; i++) {
        up |= (uint32_t)upstream_is_up(&upstream->servers[i]) << i;
        backups |= (uint32_t)upstream->servers[i].place.backup << i;
    }
    uint32_t order[] = {up & ~backups & ~tried, up & backups & ~tried, all & ~tried & ~backups,
                        all & ~tried, up, all};
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        if (order[i] != 0)
            return order[i];
    return all;
}

struct upstream_server *upstream_choose(struct upstream *upstream, uint32_t tag, uint64_t id,
                                        uint32_t tried)
{
    uint32_t among = candidates(upstream, tried);
    struct upstream_server *chosen = NULL;
    for (size_t i = 0; id != 0 && i < upstream->count; i++)
        if (upstream->servers[i].id == id && (among >> i & 1) != 0)
            chosen = &upstream->servers[i];
    if (chosen != NULL) {
        chosen->requests++;
        return chosen;
    }
    switch (upstream->balance) {
    case UPSTREAM_LEAST_CONNECTIONS:
        chosen = least_busy(upstream, among);
        break;
    case UPSTREAM_HASH:
        chosen = drawn(upstream, tag, among);
        break;
    case UPSTREAM_ROUND_ROBIN:
    case UPSTREAM_COOKIE:
    case UPSTREAM_BALANCE_COUNT:
        chosen = next_in_turn(upstream, among);
        break;
    }
    chosen->requests++;
    return chosen;
}

uint32_t upstream_bit(const struct upstream_server *server)
{
    return UINT32_C(1) << (server - server->upstream->servers);
}

size_t upstream_count(const struct upstream *upstream)
{
    return upstream->count;
}

const struct upstream_server *upstream_server(const struct upstream *upstream, size_t index)
{
    return &upstream->servers[index];
}

enum upstream_balance upstream_balance(const struct upstream *upstream)
{
    return upstream->balance;
}
