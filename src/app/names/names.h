/* SPDX-License-Identifier: ISC */
/*
 * names.h - the site's name service: answers for its own domain with authority, and resolves other
 * names (RFC 1034 §3.7, RFC 1035, RFC 8375).
 */
#ifndef WN_APP_NAMES_NAMES_H
#define WN_APP_NAMES_NAMES_H

#include "io/tls.h"
#include "proto/dns/tsig.h"
#include "proto/dns/zone_secondary.h"
#include "proto/dns/zone_change.h"
#include "wire/dns/dns_nsec3.h"

struct mdns_link;
struct names;
struct names_crew;
struct workers;
struct names_recursion; /* names_resolver.h */

enum {
    NAMES_RECORDS_MAX = 16 << 20, /* of all zones of a view: some 2 GiB */
    NAMES_VIEWS_MAX = 8,
    NAMES_RULES_MAX = 32,         /* of who may do something */
    NAMES_UPDATES_MAX = 64,       /* rules of who may change what */
    NAMES_UPDATE_TYPES_MAX = 16,
    NAMES_NOTIFIED_MAX = 16,      /* who is told that a zone has changed */
    NAMES_SECONDARIES_MAX = 4096, /* zones that are had from others */
    NAMES_LOCAL_LINKS_MAX = 16,   /* on which names of .local are asked for */
};

/* Who may do something: whoever one of the rules is met by. */
struct names_rule {
    bool any_network;          /* else: from this one */
    struct ip_prefix network;
    bool any_key;              /* also unsigned; else: signed with the key of this name */
    struct dns_name key;
};

struct names_access {
    struct names_rule rules[NAMES_RULES_MAX];
    size_t count;              /* 0: nobody */
};

/* How far a client's questions reach. */
struct names_reach {
    struct names_access queries;   /* who is answered at all; .count 0: everybody */
    struct names_access recursion; /* who may have names of others found; .count 0: everybody */
    struct names_access cache;     /* who is told what is known of them though he wants no recursion */
    bool own_names_only;           /* names of others are found for nobody */
};

/* Zones that only some clients see, in front of those that all see; and what those may. */
struct names_view {
    struct names_access clients;
    struct names_reach reach;
};

/* Who may change which records by UPDATE (RFC 2136). */
enum names_update_scope {
    NAMES_UPDATE_ANY,        /* any name of any zone that takes updates */
    NAMES_UPDATE_NAME,       /* the one of the rule */
    NAMES_UPDATE_BELOW,      /* that, and those below it */
    NAMES_UPDATE_SELF,       /* the name that the key has */
    NAMES_UPDATE_BELOW_SELF, /* that, and those below it */
};

struct names_update_rule {
    struct names_rule who;
    enum names_update_scope scope;
    struct dns_name name;
    uint16_t types[NAMES_UPDATE_TYPES_MAX];
    size_t type_count;         /* 0: all */
};

struct store;

/* Who is told of changes (RFC 1996). */
struct names_notified {
    struct tsig_peer peers[NAMES_NOTIFIED_MAX];
    size_t count;
    bool servers; /* and the servers that the zone names, but for its primary (RFC 1996 §2.1) */
};

struct names_options {
    struct endpoint listen;       /* UDP and TCP */
    struct endpoint listen_tls;   /* with `tls` */
    struct tls_server *tls;       /* DNS over TLS (RFC 7858); must outlive it. NULL: none */
    const char *domain;           /* "home.arpa" */
    const char *server_name;      /* of SOA and NS: "ns.home.arpa" */
    const struct names_recursion *recursion; /* of other names; NULL: they are refused, NXDOMAIN
                                                with `closed_world`. Copied */
    bool closed_world;            /* nothing exists outside the site */
    bool local;                   /* names of the link are asked for there: names_set_local(). They are in no zone of
                                     ours then, but those of the site */
    const struct names_recursion *view_recursion[NAMES_VIEWS_MAX]; /* of a view; NULL: it has everybody's */
    struct net *outside;          /* where others are asked; may be NULL without recursion */
    uint32_t ttl;                 /* of the site's own records, seconds; 0: 60 */
    size_t view_count;            /* of names_manner.views */
    struct dns_sha1 sha1;         /* for zones with NSEC3; .digest NULL: they are served without */
    struct store *journal;        /* keeps changes of zones; borrowed. NULL: no zone takes updates */
    /* What has gone wrong while it runs, for the log. May be NULL. */
    void (*on_trouble)(void *self, const char *text);
    void *trouble_self;
    /* A zone, of NAMES_EVERYBODY or that view, is another one now, or has changed; or is served no more for it
     * has expired. It may be within a change: to be looked at in a later turn. May be NULL. */
    void (*on_zone)(void *self, size_t view, const struct dns_name *zone);
    void *zone_self;
    struct tsig_hmac hmac;        /* .start NULL: signatures of queries are not looked at */
    struct names_crew *crew;      /* it is one of several; borrowed. NULL: it is alone */
    size_t worker;                /* which */
};

enum names_cookies { NAMES_COOKIES_ON, NAMES_COOKIES_OFF, NAMES_COOKIES_REQUIRED };

/* How it answers; can be changed at any time. Texts are borrowed. */
struct names_manner {
    bool minimal;              /* no additional records but glue */
    enum names_cookies cookies;
    uint16_t udp_size;         /* of replies to other machines; 0: 1232 */
    const char *identity;      /* NSID, hostname.bind, id.server; NULL: hidden */
    const char *version;       /* version.bind; NULL: hidden */
    uint32_t rate_limit;       /* alike replies a second to a network, over datagrams; 0: any number */
    uint8_t rate_slip;         /* of those not sent, every so many-th says "ask by TCP"; 0: none */
    uint8_t rate_prefix_v4, rate_prefix_v6; /* how large a network is; 0: 24 and 56 */
    struct names_access secondaries; /* may have zones whole, by AXFR */
    struct names_reach reach;  /* of who has no view */
    const struct names_view *views; /* as many as there were options.views; copied. A client has the first that
                                       he is in. NULL: nobody is in any */
    const struct names_update_rule *updates; /* copied */
    size_t update_count;       /* at most NAMES_UPDATES_MAX; 0: nobody may change anything */
    struct names_access forwards;    /* whose updates of zones from others their primaries get */
    struct names_notified notified;  /* of changes in zones that are not had from others */
    uint16_t notified_port;          /* of servers that a zone names; 0: 53 */
    struct tls_client *peers_tls;    /* borrowed while the service runs: for primaries with a name, */
    struct tls_client *peers_tls_anybody; /* and for those without. NULL: they cannot be asked */
    const struct tsig_key *keys; /* copied: by which queries may be signed */
    size_t key_count;            /* at most TSIG_KEYS_MAX */
};

/*
 * One name service in several threads: each worker has its own, on its own loop, at the same addresses (SO_REUSEPORT). That
 * of worker 0 has the zones, which the others look at within their turns, and the limit of replies; it alone loads
 * and changes them, and UPDATE and NOTIFY that come to another are passed on to it. So it is made first and freed last.
 * The others get the same options; the journal is the first one's.
 */
MUST_USE int names_crew_new(struct workers *workers, struct names_crew **out);
void names_crew_free(struct names_crew *crew); /* after the workers. NULL is nothing */

MUST_USE int names_new(struct net *net, const struct names_options *options, struct names **out);
/* The links on which names of .local, and of link-local addresses, are asked for (RFC 6762); borrowed until
 * others, or none, are set. Their questions are to be told of by names_local_heard(). */
void names_set_local(struct names *names, struct mdns_link *const *links, size_t count);
void names_local_heard(struct names *names, const struct mdns_link *link, uint32_t question);

void names_free(struct names *names);

/* Adds an A or AAAA record for `name` (within the domain, or one label that is completed with it),
 * and the PTR for the address. Existing ones stay beside it. `dhcid`, unless empty, is RDATA that says whose the
 * name is (RFC 4701). 0, -ENOSPC, -EINVAL, -ENOMEM. */
MUST_USE int names_add_address(struct names *names, const char *name, const struct ip_address *a,
                               struct bytes dhcid);

/* Removes every record of the name and the PTRs that point to it. */
void names_remove(struct names *names, const char *name);

/* Any record in master-file form, as the site file has it: "www CNAME gateway"; for the clients of a view, or
 * NAMES_EVERYBODY. 0 or -EINVAL with the reason in `error`. */
MUST_USE int names_add_record(struct names *names, size_t view, const char *line, char *error, size_t size);

/* 0, or -ENOMEM: the limit of replies is as it was. */
MUST_USE int names_set_manner(struct names *names, const struct names_manner *manner);

/* The zones of a view (0 to view_count - 1), or with NAMES_EVERYBODY those that all see, for whoever
 * loads and replaces them. Those of the site's own names are among the latter. */
enum { NAMES_EVERYBODY = NAMES_VIEWS_MAX };
struct zone_set *names_zones(struct names *names, size_t view);

/* Who signs zones that everybody sees. */
struct names_signer {
    /* Does he sign that zone? */
    bool (*wants)(void *self, const struct dns_name *zone);
    /* The zone, which is served, has been through the change, its serial number left out of account unless the
     * change has a new SOA: signs what follows, gives the next serial number, and remembers and tells all of it.
     * False: it could not be signed. */
    bool (*follow)(void *self, const struct dns_name *zone, const struct zone_change *change);
    void *self;
};
void names_set_signer(struct names *names, const struct names_signer *signer);

/* Brings a zone of those that everybody sees, which has come from its file and is in no set yet, to where
 * changes have led it before; it takes updates from then on. *zone may be another afterwards. 0; else it
 * must not be served, and *error says why. *dropped: how many changes the file was newer than. Without a
 * journal nothing happens. */
MUST_USE int names_replay(struct names *names, struct zone **zone, size_t *dropped,
                          struct text *error);
/* ---- zones that are had from others (RFC 1034 §4.3.5) ---- */

/* Is a primary asked over TLS (RFC 9103), and what name must its certificate have? "": any will do. */
struct names_over_tls {
    bool secure;
    char name[DNS_NAME_MAX];
};

struct names_secondary_options {
    size_t view;                   /* whose zone it is; NAMES_EVERYBODY */
    struct dns_name zone;
    struct tsig_peer primaries[SECONDARY_PRIMARIES_MAX];
    struct names_over_tls tls[SECONDARY_PRIMARIES_MAX]; /* of each */
    size_t primary_count;          /* at least one */
    struct names_notified notified; /* of what has come from a primary */
    size_t records_max;            /* 0: NAMES_RECORDS_MAX */
    uint64_t octets_max;           /* of one transfer; 0: 1 GiB */
};

/* What happens to one of them. Texts and pointers are valid during the call. */
enum names_secondary_kind {
    NAMES_ZONE_CURRENT,   /* a primary has confirmed it */
    NAMES_ZONE_NEW,       /* it has come, or has changed, and is served: `records` and `octets` came */
    NAMES_ZONE_FAILED,    /* with this primary: `text` says how; it goes on with the next, or later */
    NAMES_ZONE_EXPIRED,   /* nobody has confirmed it for too long: its names are answered SERVFAIL */
};

struct names_secondary_event {
    enum names_secondary_kind kind;
    size_t view;
    const struct dns_name *zone;
    const struct tsig_peer *primary; /* NULL: NAMES_ZONE_EXPIRED */
    const struct zone *served;       /* NAMES_ZONE_NEW and _CURRENT */
    bool incremental;
    uint32_t serial_before;          /* of NAMES_ZONE_NEW that is incremental */
    size_t records;
    uint64_t octets;
    usec taken;
    const char *text;
};

struct names_secondary_handler {
    void (*on_event)(void *self, const struct names_secondary_event *event);
    void *self;
};

/* Keeps these zones from now on, and no others: those that were kept already go on, those that are not
 * named any more are not served any more. A new one is answered with SERVFAIL until it has come. The
 * list is copied. 0 or -ENOMEM: then all is as it was. */
MUST_USE int names_set_secondaries(struct names *names, const struct names_secondary_options *list,
                                   size_t count, const struct names_secondary_handler *handler);

/* The zone has been put into its set from where it was kept, and a primary had confirmed it so many
 * seconds ago. */
void names_secondary_have(struct names *names, size_t view, const struct dns_name *zone, uint64_t age);

/* A zone has changed, or has been loaded with another serial number: those who are to know are told. */
void names_zone_changed(struct names *names, size_t view, const struct dns_name *zone);

/* Puts a zone that was made here into its place, with what it has that the one before it, if there is one, had not
 * as a change that secondaries are told; one that is the same is let go. Unless ZONE_OK it is the caller's. */
MUST_USE enum zone_result names_replace_zone(struct names *names, struct zone *zone);

/* Takes a zone apart, a slice a turn; it is in no set. NULL is nothing. */
void names_discard_zone(struct names *names, struct zone *zone);

/* ---- queries that others carry, such as HTTP (RFC 8484) ---- */

struct names_carrier {
    struct endpoint from;      /* the client */
    bool secure;               /* nobody on the way sees more than lengths */
    /* The reply of NAMES_LATER, valid during the call; empty: there will be none. Not called from within
     * names_ask() for that query. */
    void (*on_reply)(void *self, struct bytes reply);
    void *self;
};

enum names_verdict {
    NAMES_NOW,       /* there is a reply */
    NAMES_LATER,     /* it comes */
    NAMES_NONE,      /* a policy says that there is to be none */
    NAMES_MALFORMED, /* it is no query */
    NAMES_FULL,      /* too many wait */
};

/* NAMES_NOW: *reply is valid until anything else is asked. NAMES_LATER: carrier->on_reply() will be called once,
 * unless *handle, which is not 0, is given to names_forget() before. */
MUST_USE enum names_verdict names_ask(struct names *names, const struct names_carrier *carrier,
                                      struct bytes query, struct bytes *reply, uint32_t *handle);
void names_forget(struct names *names, uint32_t handle); /* one that is over is nothing */

/* Where it listens, by UDP and by TCP: the port that was found when options.listen had port 0. */
struct endpoint names_local(const struct names *names);

/* `answered`: replies sent, of all kinds; `nxdomain` and `refused` are among them. */
struct names_counters {
    uint64_t queries_udp, queries_tcp, queries_tls, queries_https, answered, nxdomain, refused, forwarded, forward_failed;
    uint64_t malformed;
    uint64_t transfers;        /* of zones, that were begun */
    uint64_t updates, updates_refused; /* UPDATE messages, with NOERROR and without */
    uint64_t updates_forwarded, updates_forward_failed; /* to primaries; and nobody has said how it went */
    uint64_t signatures_refused; /* of queries */
    uint64_t passed_dropped;   /* UPDATE and NOTIFY that found no room on their way to worker 0 */
    uint64_t notifies_in;      /* for zones that are had from others, from who may */
    uint64_t notifies_out, notifies_unanswered; /* messages; peers that never answered */
    uint64_t transfers_in, transfers_in_failed, zones_confirmed, zones_expired;
    uint64_t secondaries;      /* gauge, as are those that are served */
    uint64_t secondaries_served;
    uint64_t rate_dropped, rate_slipped; /* by the limit: not sent, and sent as "ask by TCP" */
    uint64_t forwarding; /* gauge */
    uint64_t cache_hits, cache_entries, cache_octets, asked_outside; /* of the resolver */
};
void names_counters(const struct names *names, struct names_counters *out);

#endif
