/* SPDX-License-Identifier: ISC */
/*
 * proxy.h - an HTTP proxy with a cache (RFC 9110 §7.6, RFC 9111, RFC 9112), of two kinds in one:
 *
 *      forward   clients name the origin in their request (http://host/path), or ask for a tunnel
 *                (CONNECT); it goes there itself or by a parent proxy
 *      reverse   clients take it for the origin; requests go to the servers that it was given
 *
 * All responses pass through the cache machine (proto/http/http_cache.h), which decides what is
 * stored; bodies are never whole in memory unless they are. Back-pressure holds end to end: what a
 * client does not read is not read from the origin, and the other way round.
 */
#ifndef WN_APP_PROXY_PROXY_H
#define WN_APP_PROXY_PROXY_H

#include "app/proxy/upstream.h"
#include "base/address.h"
#include "io/net.h"
#include "io/tls.h"

enum {
    PROXY_LISTENS_MAX = 4,
    PROXY_ALLOWED_MAX = 32,
    PROXY_PORTS_MAX = 16,
    PROXY_ORIGINS_MAX = UPSTREAM_SERVERS_MAX,
    PROXY_NAME_MAX = 256,        /* a host's name with a NUL */
    PROXY_CONNECTIONS_DEFAULT = 4096,
    PROXY_IDLE_ORIGINS_MAX = 256, /* connections to origins kept open; the one idle longest goes */
    PROXY_TRIES_MAX = 3,         /* of a request that may be repeated */
};

struct proxy;

/* For an access log. Valid during the call. */
struct proxy_request {
    struct endpoint peer;
    const char *user;    /* "-": nobody */
    const char *method;
    const char *target;  /* printable ASCII without spaces; a long one is cut */
    const char *how;     /* "hit", "miss", "stale", …: RFC 9211's words, or "tunnel", "none" */
    unsigned status;
    uint64_t octets;     /* of the body */
    usec duration;
};

struct proxy_port_range {
    uint16_t first, last;
};

struct proxy_options {
    struct {
        struct endpoint at;
        bool tls;
    } listens[PROXY_LISTENS_MAX];
    size_t listen_count;
    struct tls_server *tls_server; /* for those of them with TLS */
    const char *name;            /* of Via and Cache-Status, one word */
    bool reverse;
    struct upstream_place servers[PROXY_ORIGINS_MAX]; /* reverse: at least one; forward: parents */
    size_t server_count;
    enum upstream_balance balance;
    struct upstream_health health; /* how they are asked whether they are well */
    usec slow_start;
    bool keep_host;              /* reverse: servers see the Host of the client */
    bool forwarded;              /* Forwarded and X-Forwarded-… are added */
    bool cache_private;          /* it serves one user */
    size_t cache_octets;         /* 0: nothing is stored */
    size_t object_octets;        /* 0: a quarter of that */
    const char *disk;            /* a directory for files of the cache; NULL: there are none */
    uint64_t disk_octets;        /* of them */
    uint64_t disk_object_octets; /* 0: a quarter of that */
    struct ip_prefix allowed[PROXY_ALLOWED_MAX]; /* who may use it; none: everybody */
    size_t allowed_count;
    struct ip_prefix purgers[PROXY_ALLOWED_MAX]; /* who may purge; none: the loopback */
    size_t purger_count;
    struct proxy_port_range ports[PROXY_PORTS_MAX]; /* for CONNECT; none: 443 */
    size_t port_count;
    const char *users;           /* file with a line NAME:HASH for each, crypt(5); NULL: everybody */
    const char *realm;
    usec connect_timeout;        /* 0: 10 s */
    usec answer_timeout;         /* without an octet of the origin; 0: 60 s */
    usec tunnel_timeout;         /* a tunnel without an octet; 0: 10 min */
    unsigned connections_max;    /* 0: PROXY_CONNECTIONS_DEFAULT */
    uint64_t rate, client_rate;  /* octets a second to a connection, to all of a client; 0: any */
    struct net *outside;         /* for connections to origins */
    struct tls_client *tls_client; /* for those with TLS; NULL: there are none */
    /* Told of each request that has been answered; may be NULL. */
    void (*on_request)(void *self, const struct proxy_request *request);
    void *on_request_self;
    /* Told of what is wrong with the directory, at most once a minute; may be NULL. */
    void (*on_trouble)(void *self, const char *what);
    void *on_trouble_self;
};

/* 0 or a negative errno; -EINVAL: a line of the users' file is none; -EBUSY: another process has the
 * directory. Texts are copied. */
MUST_USE int proxy_new(struct net *net, const struct proxy_options *options, struct proxy **out);
void proxy_free(struct proxy *proxy);

/* Takes a connection that was meant for an origin: stream_local() is where. Requests in it go there, whatever
 * host they name; what comes is stored under that name if the name has the address. */
void proxy_take_transparent(struct proxy *proxy, struct stream *stream);

/* Other options from now on: what is stored stays, and so do connections; what is under way ends as it began.
 * The directory, `cache_private` and the net must be what they were. 0, or a negative errno, and nothing has
 * changed. */
MUST_USE int proxy_reload(struct proxy *proxy, const struct proxy_options *options);

/* Where it listens: the port that was given for port 0. */
struct endpoint proxy_local(const struct proxy *proxy, size_t which);

struct proxy_counters {
    uint64_t connections, requests, responses[6]; /* by first digit; [0] unused */
    uint64_t tunnels, refused, denied;
    uint64_t hits, stale_hits, misses, validations, collapsed, stored, evicted, invalidated, purged;
    uint64_t origin_requests, origin_connections, origin_failures, retries;
    uint64_t octets_in, octets_out;               /* from origins, to clients */
    uint64_t disk_hits, disk_written, disk_failed, disk_evicted, disk_loaded;
    uint64_t open, origins_idle, cache_entries, cache_octets, disk_entries, disk_octets; /* gauges */
    bool disk_loading; /* files from before the start are still being found again */
};
/* The servers it has, in their order; NULL: there are no more. */
const struct upstream_server *proxy_server(const struct proxy *proxy, size_t index);

void proxy_counters(const struct proxy *proxy, struct proxy_counters *out);

#endif
