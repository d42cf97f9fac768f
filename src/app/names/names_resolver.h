/* SPDX-License-Identifier: ISC */
/*
 * names_resolver.h - how the name service finds what others know: as a resolver with a cache, from the
 * root down, or by forwarders for all names or for some domains.
 */
#ifndef WN_APP_NAMES_NAMES_RESOLVER_H
#define WN_APP_NAMES_NAMES_RESOLVER_H

#include "io/tls.h"
#include "proto/dns/resolver.h"

enum { NAMES_SECURE_MAX = 32 };

/* A server, of those in `forwards`, that is asked over TLS. */
struct names_secure_server {
    struct endpoint server;
    char name[TLS_NAME_MAX]; /* that its certificate must have; "": opportunistic (RFC 8310 §5) */
};

struct names_recursion {
    size_t hint_count;             /* addresses of root servers; 0: those of the Internet */
    struct ip_address hints[RESOLVER_HINTS_MAX];
    size_t forward_count;          /* domains that others are asked about */
    struct resolver_forward forwards[RESOLVER_FORWARDS_MAX];
    size_t secure_count;
    struct names_secure_server secure[NAMES_SECURE_MAX];
    struct tls_client *tls;        /* borrowed while the service runs, as is the next: who checks names */
    struct tls_client *tls_anybody; /* and who does not, for servers without a name */
    bool v4, v6;                   /* by which servers may be asked */
    struct ip_prefix dns64;        /* .len 0: no addresses are made (RFC 6147) */
    bool minimise;
    bool aggressive;               /* RFC 8198 */
    uint16_t port;                 /* of the servers; 0: 53 */
    size_t cache_octets;
    uint32_t ttl_min, ttl_max, negative_ttl_max; /* seconds */
    uint32_t stale_max;            /* 0: nothing stale */
    /* Validation: NULL or no anchors: none. */
    const struct validate_crypto *crypto; /* borrowed while the service runs */
    size_t anchor_count;
    struct resolver_anchor anchors[RESOLVER_ANCHORS_MAX];
    size_t insecure_count;         /* domains that are not validated (RFC 7646) */
    struct dns_name insecure[RESOLVER_INSECURE_MAX];
    int64_t date;                  /* at which signatures are to hold; 0: now */
};

/* What holds where nothing else is said. */
void names_recursion_init(struct names_recursion *recursion);

/* Names of the domain are asked of those servers, who recurse. False: there are too many. */
MUST_USE bool names_recursion_forward(struct names_recursion *recursion,
                                      const struct dns_name *domain,
                                      const struct endpoint *servers, size_t count);

/* The root servers of a hints file: the A and AAAA records in a master file (as IANA's named.root).
 * False: none, or not readable; *error says so. */
MUST_USE bool names_recursion_hints(struct bytes file, struct names_recursion *out,
                                    struct text *error);

/* Trust anchors, as DS or DNSKEY records of a master file; out->crypto is needed for the latter. */
MUST_USE bool names_recursion_anchors(struct bytes file, struct names_recursion *out,
                                      struct text *error);

struct names;

/* Of all workers, and of what they share. It resolves. */
void names_resolution_counters(const struct names *names, struct resolver_counters *resolver,
                               struct cache_counters *cache);

/* What the resolver of that view has of its own, or that of NAMES_EVERYBODY, for whoever looks. NULL: there is none. */
struct cache *names_cache(const struct names *names, size_t view);
const struct resolver *names_resolver(const struct names *names, size_t view);

/* Roots and anchors are those from now on; if they are others, all that was known is forgotten. 0, or
 * -ENOMEM. */
MUST_USE int names_set_roots(struct names *names, const struct names_recursion *recursion);

/* It is to be asked for again, though it may be known: what comes is then in the cache. */
void names_renew(struct names *names, const struct dns_name *name, uint16_t type);

/* The anchors of the Internet's root, as IANA publishes them: text for names_recursion_anchors(). */
extern const char names_root_anchors[];

/* From now on, for the clients of that view, or NAMES_EVERYBODY; the lists stay while they are used. NULL, for a
 * view: those that everybody has. */
void names_set_policies(struct names *names, size_t view, const struct resolver_policies *policies);

/* Forgets the name, or all names below it as well, wherever it is known. Returns how much. */
size_t names_flush(struct names *names, const struct dns_name *name, bool below);

#endif
