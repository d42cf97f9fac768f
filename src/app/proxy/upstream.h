/* SPDX-License-Identifier: ISC */
/*
 * upstream.h - a group of servers that requests go to: which one is next, and which are well.
 *
 * A server that fails is left out for a while, twice as long each time, up to five minutes. With checks
 * (struct upstream_health) it is asked for a path in intervals, left out after `fall` answers in a row that are
 * none, and back after `rise` that are. One that is back gets its share bit by bit within `slow_start`.
 * Backups are for when all others are out; when those are, too, all are tried.
 *
 * Counted: whoever remembers a server holds the group, so that a reload can put another in its place.
 */
#ifndef WN_APP_PROXY_UPSTREAM_H
#define WN_APP_PROXY_UPSTREAM_H

#include "base/address.h"
#include "base/siphash.h"
#include "io/host_lookup.h"
#include "io/net.h"
#include "io/tls.h"

enum {
    UPSTREAM_SERVERS_MAX = 32,
    UPSTREAM_NAME_MAX = 256,     /* a host's name with a NUL */
    UPSTREAM_PATH_MAX = 256,
    UPSTREAM_WEIGHT_MAX = 100,
    UPSTREAM_FAILURES_MAX = 3,   /* in a row: a server is taken for dead */
};
#define UPSTREAM_DEAD_TIME (10 * USEC_PER_SEC)
#define UPSTREAM_DEAD_MAX (5 * USEC_PER_MINUTE)

enum upstream_balance {
    UPSTREAM_ROUND_ROBIN,
    UPSTREAM_LEAST_CONNECTIONS,
    UPSTREAM_HASH,   /* of the URI: when a server goes, only its URIs move */
    UPSTREAM_COOKIE, /* round robin, and then always the same */
    UPSTREAM_BALANCE_COUNT
};

struct upstream_place {
    char host[UPSTREAM_NAME_MAX];
    uint16_t port;
    uint8_t weight;  /* 0: 1 */
    bool tls;
    bool backup;
};

struct upstream_health {
    char path[UPSTREAM_PATH_MAX]; /* "": servers are not asked */
    usec interval, timeout;
    uint32_t rise, fall;
    uint32_t status_first, status_last;
};

struct upstream_options {
    struct upstream_place servers[UPSTREAM_SERVERS_MAX];
    size_t count;                /* at least one */
    enum upstream_balance balance;
    struct upstream_health health;
    usec slow_start;             /* 0: all at once */
    struct loop *loop;
    struct net *net;             /* for checks; and what follows */
    struct tls_client *tls_client; /* NULL: servers with TLS are out */
    struct host_lookup *lookup;
};

struct upstream;
struct upstream_probe;

struct upstream_server {
    struct upstream *upstream;
    struct upstream_place place;
    uint64_t id;             /* of its place; nobody outside can make one */
    unsigned connections;    /* the caller's to count */
    unsigned failures;       /* in a row */
    unsigned ejections;      /* in a row */
    usec dead_until;
    usec back_at;            /* since when it gets its share, bit by bit */
    int64_t credit;          /* of round robin */
    bool down;               /* as checks have found */
    unsigned streak;         /* of checks that say otherwise */
    uint64_t requests, checks, checks_failed;
    struct upstream_probe *probe; /* NULL: there are no checks */
};

/* `key` makes ids. NULL: no memory. The net, the client and the lookup must live until upstream_retire(). */
MUST_USE struct upstream *upstream_new(const struct upstream_options *options,
                                       const struct siphash_key *key);
void upstream_hold(struct upstream *upstream);
void upstream_release(struct upstream *upstream);

/* Servers are not asked any more; releases it, too. NULL is nothing. */
void upstream_retire(struct upstream *upstream);

/* The next one, not one of `tried` if there is another. `tag` says what it is for (UPSTREAM_HASH); `id` which
 * one is wished (UPSTREAM_COOKIE), 0: any. */
struct upstream_server *upstream_choose(struct upstream *upstream, uint32_t tag, uint64_t id,
                                        uint32_t tried);
uint32_t upstream_bit(const struct upstream_server *server); /* for `tried` */

/* It has answered well, or has not. */
void upstream_report(struct upstream_server *server, bool good);

bool upstream_is_up(const struct upstream_server *server);
size_t upstream_count(const struct upstream *upstream);
const struct upstream_server *upstream_server(const struct upstream *upstream, size_t index);
enum upstream_balance upstream_balance(const struct upstream *upstream);

/* ---- upstream_check.c ---- */

/* Asks a server in intervals from now on. False: no memory. */
bool upstream_probe_begin(struct upstream_server *server, const struct upstream_options *options,
                          struct loop *loop);
void upstream_probe_end(struct upstream_server *server);

#endif
