/* SPDX-License-Identifier: ISC */
/* site_internal.h - what a running site consists of; for site*.c alone. */
#ifndef WN_SITE_SITE_INTERNAL_H
#define WN_SITE_SITE_INTERNAL_H

#include "app/addresses/addresses.h"
#include "app/gateway/gateway.h"
#include "app/names/names.h"
#include "app/web/web.h"
#include "io/node.h"
#include "io/tap_port.h"
#include "site/lease_names.h"
#include "site/site.h"
#include "site/site_policies.h"
#include "site/site_crypto.h"
#include "site/site_secondaries.h"
#include "site/site_zones.h"

struct control;
struct names_recursion;
struct site_anchors;
struct site_catalogs;
struct site_workers;
struct web_log;
struct digest;
struct hmac;

struct site {
    struct loop *loop;
    struct site *first;       /* of the workers, which owns what there is only once; itself: it is that */
    size_t worker;            /* 0: the first */
    struct site_workers *workers; /* NULL: it is alone */
    struct names_crew *crew;  /* the same, of their name services */
    const struct log *log;
    struct capture *capture;
    const char *capture_path;
    struct site_config *config;
    usec started_at;

    struct node *node;        /* NULL on link "host" */
    unsigned interface;
    char device[SITE_DEVICE_MAX];
    struct tap_port *port;    /* NULL: no device yet */
    struct net *outside;      /* the kernel's sockets */
    struct net *inside;       /* where services listen: the node's, or the same as outside */
    struct endpoint resolvers[SITE_FORWARDERS_MAX];
    size_t resolver_count;
    struct ip_address guest;  /* where published ports lead; any: nobody has a lease yet */

    struct gateway *gateway;
    struct lease_names *lease_names;
    struct names *names;
    struct digest *digest;    /* of hashed names */
    struct tls_server *names_tls;
    struct tls_client *forwarders_tls; /* for those with a name to be checked, and without */
    struct tls_client *forwarders_tls_anybody;
    struct store *journal;    /* of zones that change; NULL: none does */
    struct hmac *hmac;        /* of queries and replies that are signed */
    struct validate_crypto crypto;
    struct site_anchors *anchors; /* that follow rolls; NULL: none does */
    struct site_zones *zones; /* from files */
    struct site_policies *policies;
    struct site_secondaries_kept *secondaries; /* from others */
    struct site_catalogs *catalogs; /* which of those there are */
    struct tls_client *primaries_tls, *primaries_tls_anybody; /* NULL: none has TLS */
    struct addresses *addresses;
    struct store *leases;     /* NULL: they end with us */
    struct web *web;
    struct hmac *web_hmac;    /* of its sessions */
    struct site_mdns_links *mdns; /* NULL: nothing is asked for, or said, on links */
    struct site_proxy_part {
        struct site *site;
        const struct site_proxy *config;
        struct proxy *proxy;           /* NULL: there is no such block */
        struct tls_server *tls_server;
        struct tls_client *tls_client; /* for origins */
        struct web_log *log;
    } proxies[SITE_PROXIES_MAX];
    struct control *control;
};

/* The services of a site, in the order in which they start (site_services.c). */
struct site_part {
    const char *name;
    /* Are these two the same to it? */
    bool (*same)(const struct site_config *a, const struct site_config *b);
    /* As site->config says; 0 also when it says that there is none. */
    int (*start)(struct site *site, struct text *error);
    void (*stop)(struct site *site); /* also when it does not run */
    /* While it runs on, what it can change; and it looks at its files again. NULL: nothing. */
    void (*reload)(struct site *site);
    bool many; /* each worker has one, which starts after that of the first and stops before it */
};

enum { SITE_PARTS = 7 };
extern const struct site_part site_parts[SITE_PARTS];

/* Is the member the same in both, `a` and `b`? Structures come zeroed, so padding does not count. */
#define SITE_SAME(member) (memcmp(&a->member, &b->member, sizeof a->member) == 0)

/* Says what failed, at which endpoint (NULL: none), and why; `result` again. */
int site_failed(struct text *error, int result, const char *what, const struct endpoint *where);

/* site_gateway.c */
bool site_gateway_same(const struct site_config *a, const struct site_config *b);
MUST_USE int site_gateway_start(struct site *site, struct text *error);
void site_gateway_stop(struct site *site);
void site_gateway_lead_to(struct site *site, const struct ip_address *guest);

/* site_names_service.c */
bool site_names_same(const struct site_config *a, const struct site_config *b);
MUST_USE int site_names_start(struct site *site, struct text *error);
void site_names_stop(struct site *site);
void site_names_reload(struct site *site);

/* site_names_manner.c: 0 or -ENOMEM. */
MUST_USE int site_names_set_manner(struct site *site);

/* site_recursion.c: how the site resolves; *out is the caller's to free, NULL: nobody is to be asked. */
MUST_USE int site_recursion_new(struct site *site, struct names_recursion **out, struct text *error);
/* The same for the view of that number, if it has a resolver of its own. */
MUST_USE int site_recursion_new_of_view(struct site *site, size_t index, struct names_recursion **out,
                                        struct text *error);
/* Files of roots and anchors may have changed. */
void site_recursion_reload(struct site *site);

/* site_lease_names.c: made before the name service starts, and filled when it runs. */
MUST_USE int site_lease_names_open(struct site *site, struct text *error);
MUST_USE int site_lease_names_fill(struct site *site, struct text *error);
/* The lease has begun. */
void site_names_lease(struct site *site, const struct lease *lease);

/* site_mdns.c */
bool site_mdns_same(const struct site_config *a, const struct site_config *b);
MUST_USE int site_mdns_start(struct site *site, struct text *error);
void site_mdns_stop(struct site *site);
/* The name service has started: it gets the links, if it is to have them. */
void site_mdns_lend(struct site *site);
/* NULL: there are no more. */
struct mdns_link *site_mdns_link(const struct site *site, size_t i);

/* site_addresses.c */
bool site_addresses_same(const struct site_config *a, const struct site_config *b);
MUST_USE int site_addresses_start(struct site *site, struct text *error);
void site_addresses_stop(struct site *site);

/* site_web_service.c */
bool site_web_same(const struct site_config *a, const struct site_config *b);
MUST_USE int site_web_start(struct site *site, struct text *error);
void site_web_stop(struct site *site);
void site_web_reload(struct site *site);

#endif
