/* SPDX-License-Identifier: ISC */
/*
 * site_config.h - what a site is, as plain data: the link, the gateway, and one block for each
 * service. It comes from the built-in site or a site file, and then from options of the command
 * line; both write it through the one table of options (site_options.c), which knows every option,
 * its kind and its limits.
 *
 *      site_config_builtin() or site_config_read()   then
 *      site_config_set() for each option of the command line   then
 *      site_config_finish()                          derives what was not said, and checks
 */
#ifndef WN_SITE_SITE_CONFIG_H
#define WN_SITE_SITE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "app/proxy/proxy.h"
#include "app/web/web_config.h"
#include "base/address.h"
#include "base/text.h"
#include "proto/dns/key_roll.h"
#include "proto/dns/tsig.h"
#include "sim/wire.h"

enum {
    SITE_NAME_MAX = 254,      /* a domain name as text (RFC 1035 §2.3.4) with a NUL */
    SITE_LABEL_MAX = 64,      /* one label with a NUL */
    SITE_TEXT_MAX = 256,      /* a path or a record line */
    SITE_PATH_MAX = 2 * SITE_TEXT_MAX, /* a path behind that of the site file */
    SITE_DEVICE_MAX = 16,     /* IFNAMSIZ */
    SITE_PUBLISHED_MAX = 64,  /* RELAY_PUBLISHED_MAX */
    SITE_RECORDS_MAX = 256,
    SITE_HOSTS_MAX = 256,
    SITE_DNS_MAX = 4,         /* ADDRESSES_DNS_MAX */
    SITE_FORWARDERS_MAX = 8,  /* DNS_SERVERS_MAX */
    SITE_FORWARDS_MAX = 64,   /* RESOLVER_FORWARDS_MAX, but for the one of all other names */
    SITE_SECURE_MAX = 32,     /* NAMES_SECURE_MAX */
    SITE_INSECURE_MAX = 32,   /* RESOLVER_INSECURE_MAX */
    SITE_POLICIES_MAX = 8,    /* POLICY_LISTS_MAX, but for the hosts file */
    SITE_OPTIONS_MAX = 256,
    SITE_WORKERS_MAX = 64,
    SITE_ZONES_MAX = 64,      /* named one by one; a directory or a list may have many more */
    SITE_VIEWS_MAX = 8,       /* NAMES_VIEWS_MAX */
    SITE_VIEW_RECORDS_MAX = 64,
    SITE_RULES_MAX = 32,      /* NAMES_RULES_MAX */
    SITE_KEYS_MAX = 64,       /* TSIG_KEYS_MAX */
    SITE_UPDATES_MAX = 64,    /* NAMES_UPDATES_MAX */
    SITE_TYPES_MAX = 16,      /* NAMES_UPDATE_TYPES_MAX */
    SITE_NOTIFIED_MAX = 16,   /* NAMES_NOTIFIED_MAX */
    SITE_PRIMARIES_MAX = 8,   /* SECONDARY_PRIMARIES_MAX */
    SITE_SECONDARIES_MAX = 128,
    SITE_CATALOGS_MAX = 4,    /* blocks "catalog" */
    SITE_ACCEPT_MAX = 16,     /* domains of a catalog's members */
    SITE_CATALOG_GROUPS_MAX = 4, /* blocks "group" in each */
    SITE_PARENTS_MAX = 8,     /* PARENT_SERVERS_MAX */
    SITE_SIGNATURES_MAX = 64, /* blocks "signing" */
    SITE_MDNS_LINKS_MAX = 16,    /* NAMES_LOCAL_LINKS_MAX */
    SITE_MDNS_SERVICES_MAX = 31, /* MDNS_LINK_SERVICES_MAX */
    SITE_MTU_MIN = 576,       /* RFC 1122 §3.3.2: what every host must take */
    SITE_MTU_MAX = 65520,     /* of a TAP device, rounded down */
};

enum site_device { SITE_DEVICE_NONE, SITE_DEVICE_TAP, SITE_DEVICE_HOST };

struct site_link {
    enum site_device device;
    char name[SITE_DEVICE_MAX];    /* of the TAP device */
    struct ip_prefix address;      /* ours, with the length of the network's prefix */
    struct mac mac;                /* ours; zeros: made from the address */
    uint32_t mtu;
    struct wire_impairments impairments; /* in each direction */
    uint64_t seed;                 /* of the impairments */
    uint8_t congestion;            /* enum tcp_congestion_kind, of the site's own TCP */
    uint8_t ecn;                   /* enum tcp_ecn */
    uint8_t syn_cookies;           /* enum tcp_syn_cookies */
};

struct site_published {
    struct endpoint outside;
    uint16_t inside_port;
    bool udp;
};

struct site_gateway {
    bool present;
    bool internet;
    bool host_loopback;
    struct ip_address host_address; /* stands for the host's loopback */
    struct site_published published[SITE_PUBLISHED_MAX];
    size_t published_count;
};

struct site_host {
    char name[SITE_LABEL_MAX];
    struct mac mac;
    struct ip_address address;
};

struct site_addresses {
    bool present;
    struct ip_address pool_first, pool_last;
    usec lease_time;
    struct ip_address router;      /* any: none */
    bool router_given;
    struct ip_address dns[SITE_DNS_MAX];
    size_t dns_count;
    bool dns_given;
    char interface[SITE_DEVICE_MAX]; /* link "host" only: the device to serve */
    char leases[SITE_TEXT_MAX];    /* the file in which leases survive; "": nowhere */
    struct site_host hosts[SITE_HOSTS_MAX];
    size_t host_count;
    struct mac guest;              /* `run`: who gets the first address of the pool; zeros: nobody */
};

struct site_names {
    bool present;
    struct endpoint listen;
    bool forward_host;             /* to the resolvers of the host */
    struct endpoint forwarders[SITE_FORWARDERS_MAX];
    size_t forwarder_count;
    bool forward_given;
    bool closed;                   /* nothing exists outside of the site */
    bool local;                    /* names of the link are asked for by multicast DNS */
    usec ttl;
    char records[SITE_RECORDS_MAX][SITE_TEXT_MAX];
    size_t record_count;
    char journal[SITE_TEXT_MAX];   /* the file in which changes of zones survive; "": there are none */
    char primaries_trust[SITE_TEXT_MAX]; /* who vouches for primaries with TLS; "": the system's */
};

enum site_resolve { SITE_RESOLVE_NONE, SITE_RESOLVE_FORWARD, SITE_RESOLVE_RECURSIVE };

/* What is answered otherwise than the Internet does. */
struct site_lists {
    char policies[SITE_POLICIES_MAX][SITE_TEXT_MAX]; /* "NAME FILE", or "NAME" of a zone here */
    size_t policy_count;
    char hosts[SITE_TEXT_MAX];     /* a file; "": none */
    bool none;                     /* of a view: nothing, whatever everybody has */
};

/* How names of others are found. */
struct site_recursion {
    enum site_resolve resolve;
    bool resolve_given;            /* else: forward when there are forwarders */
    char roots[SITE_TEXT_MAX];     /* a file with the root servers; "": those of the Internet */
    struct site_forward {
        char domain[SITE_NAME_MAX];
        struct endpoint servers[SITE_FORWARDERS_MAX];
        size_t count;
    } forwards[SITE_FORWARDS_MAX];
    size_t forward_count;
    struct site_secure {           /* servers among those above that are asked over TLS */
        struct endpoint server;
        char name[SITE_NAME_MAX];  /* "": whatever their certificate says, or in the clear */
    } secure[SITE_SECURE_MAX];
    size_t secure_count;
    char forward_trust[SITE_TEXT_MAX]; /* who signs for them; "": as the host trusts */
    struct ip_prefix dns64;        /* .len 0: none */
    struct site_lists lists;
    bool v4, v6;                   /* by which servers are asked */
    bool minimise;
    bool aggressive;
    char anchors[SITE_TEXT_MAX];   /* a file with DS or DNSKEY records; "": nothing is validated */
    char anchors_state[SITE_TEXT_MAX]; /* the file in which their rolls are kept; "": they are not followed */
    char insecure[SITE_INSECURE_MAX][SITE_NAME_MAX]; /* domains that are not */
    size_t insecure_count;
    int64_t date;                  /* at which signatures are to hold, seconds since 1970; 0: now */
    uint32_t port;                 /* of servers */
    uint64_t cache_octets;
    usec ttl_min, ttl_max, negative_ttl_max, stale_max;
};

/* Zones from files. */
struct site_zone_source {
    char zones[SITE_ZONES_MAX][SITE_TEXT_MAX]; /* "NAME FILE" */
    size_t zone_count;
    char from[SITE_TEXT_MAX];      /* a directory of NAME.zone, or a list of such lines; "": none */
};

struct site_view {
    char name[SITE_LABEL_MAX];
    char records[SITE_VIEW_RECORDS_MAX][SITE_TEXT_MAX];
    size_t record_count;
    bool asks;                     /* its clients have a resolver of their own, by what follows */
    struct endpoint forwarders[SITE_FORWARDERS_MAX];
    size_t forwarder_count;
    struct site_recursion own;     /* whom it asks, and its cache; all else is as for everybody */
};

/* Who may do something, in the names block: from a network, with a key, or both. */
struct site_rule {
    struct ip_prefix network;
    bool any_network;              /* without a key: everybody */
    char key[SITE_NAME_MAX];       /* "": none is needed */
};

struct site_rules {
    struct site_rule rules[SITE_RULES_MAX];
    size_t count;
};

/* How far somebody's questions reach; what is empty is so for everybody, of a view as for those without one. */
struct site_reach {
    struct site_rules queries, recursion;
    struct site_rules cache;       /* empty: nobody */
    bool own_names_only;
};

/* What a view consists of that can change while the server runs. */
struct site_seen {
    struct site_rules clients;
    struct site_reach reach;
    struct site_lists lists;
    struct site_zone_source source;
};

/* A block "view". */
struct site_view_block {
    struct site_view view;
    struct site_seen seen;
};

enum site_scope {
    SITE_SCOPE_ANY,
    SITE_SCOPE_NAME,
    SITE_SCOPE_BELOW,
    SITE_SCOPE_SELF,       /* the name of the key */
    SITE_SCOPE_BELOW_SELF,
};

/* Who may change what by UPDATE, in the names block. */
struct site_update {
    struct site_rule who;
    enum site_scope scope;
    char name[SITE_NAME_MAX];      /* of the two scopes that have one */
    uint16_t types[SITE_TYPES_MAX];
    size_t type_count;             /* 0: all */
};

/* A block "key". */
struct site_key {
    struct tsig_key key;
    bool has_secret;
    char file[SITE_TEXT_MAX];      /* "": the secret stands in the block */
};

struct site_keys {
    struct tsig_key keys[SITE_KEYS_MAX];
    size_t count;
};

/* Another name server, "ADDRESS[:PORT][#[TLS-NAME]] [key NAME]". */
struct site_peer {
    struct endpoint at;
    char key[SITE_NAME_MAX];       /* "": nothing is signed */
    bool secure;                   /* over TLS */
    char tls_name[SITE_NAME_MAX];  /* that its certificate must have; "": any will do */
};

struct site_peers {
    struct site_peer peers[SITE_NOTIFIED_MAX];
    size_t count;
    bool servers;                  /* who is told: those that the zone names, too */
};

/* A block "secondary": a zone that is had from others. */
struct site_secondary {
    char zone[SITE_NAME_MAX];
    size_t view;                   /* whose zone it is; SITE_VIEWS_MAX: everybody's */
    struct site_peers primaries;   /* at most SITE_PRIMARIES_MAX */
    struct site_peers notified;
    char file[SITE_TEXT_MAX];      /* in which it survives; "": nowhere */
    uint64_t octets_max;           /* of a transfer */
};

struct site_secondaries {
    struct site_secondary zones[SITE_SECONDARIES_MAX];
    size_t count;
};

/* A block "group" in a block "catalog". */
struct site_catalog_group {
    char name[SITE_LABEL_MAX];
    struct site_secondary member;
};

/* A block "catalog": a zone whose members are had from others. */
struct site_catalog {
    char zone[SITE_NAME_MAX];
    char directory[SITE_TEXT_MAX]; /* in which they survive; "": nowhere */
    struct site_secondary member;  /* how they are had: its name is not filled in */
    struct site_catalog_group groups[SITE_CATALOG_GROUPS_MAX];
    size_t group_count;
    char accept[SITE_ACCEPT_MAX][SITE_NAME_MAX]; /* members are these or below; none: all are taken */
    size_t accept_count;
};

struct site_catalog_list {
    struct site_catalog catalogs[SITE_CATALOGS_MAX];
    size_t count;
    char own[SITE_NAME_MAX];       /* the zone that lists those from files; "": there is none */
};

/* How a zone is signed. */
struct site_signature {
    char zone[SITE_NAME_MAX];      /* "*": all that have none of their own */
    bool off;                      /* it is not */
    char keys[SITE_PATH_MAX];      /* the directory of its keys */
    uint8_t algorithm;
    uint32_t bits;                 /* of RSA; 0: 2048 */
    bool separate;                 /* KSK and ZSK */
    struct sign_policy policy;
    struct roll_policy roll;
    struct endpoint parents[SITE_PARENTS_MAX]; /* who is asked whether the parent has its DS */
    size_t parent_count;           /* 0: somebody tells */
};

/* A block "signing"; times that are 0 are as they are by default. */
struct site_signature_block {
    struct site_signature signature;
    char keys[SITE_TEXT_MAX];
    uint32_t iterations;
    usec validity, refresh, jitter, key_ttl, ds_ttl, propagation, parent_propagation;
    usec zsk_lifetime, ksk_lifetime;
};

struct site_signatures {
    struct site_signature zones[SITE_SIGNATURES_MAX];
    size_t count;
};

enum site_cookies { SITE_COOKIES_ON, SITE_COOKIES_OFF, SITE_COOKIES_REQUIRED };

/* What the name server is an authority for, and how it answers: what can change while it runs. */
struct site_authority {
    struct site_zone_source everybody;
    struct site_reach reach;
    struct site_seen seen[SITE_VIEWS_MAX]; /* by the clients of each view */
    size_t view_count;
    bool minimal;
    enum site_cookies cookies;
    uint32_t udp_size;
    char identity[SITE_LABEL_MAX]; /* "": hidden */
    char version[SITE_LABEL_MAX];  /* the same */
    uint32_t rate_limit;           /* alike replies a second to a network; 0: any number */
    uint32_t rate_slip;
    uint32_t rate_prefix_v4, rate_prefix_v6;
    struct site_rules secondaries; /* may have zones whole */
    struct site_rules forwards;    /* may have updates passed on to primaries */
    struct site_update updates[SITE_UPDATES_MAX];
    size_t update_count;
    struct site_peers notified;    /* of changes */
};

/* How a service listens by TLS. */
struct site_tls {
    struct endpoint listen;        /* port 0: it does not */
    char certificate[SITE_TEXT_MAX]; /* "": one by the authority of our own (site/trust.h) */
    char key[SITE_TEXT_MAX];       /* "": in the file of the certificate */
    char staple[SITE_TEXT_MAX];    /* an OCSP response; "": none */
};

struct site_web {
    bool present;
    char name[SITE_LABEL_MAX];     /* of the host that answers for all names that are no other's */
    struct web_rule rule;          /* what its block says, for all of it that says nothing else */
    struct web_config config;
};

enum { SITE_PROXIES_MAX = 8 };

struct site_proxy_listen {
    struct endpoint at;
    bool tls;
};

struct site_proxy {
    bool present;
    bool reverse;                  /* it stands before `servers` */
    bool parents;                  /* it goes on by them */
    bool everybody;                /* may use it */
    bool keep_host;
    bool forwarded, forwarded_given;
    bool cache_private;
    bool transparent;              /* what hosts behind the gateway ask of port 80 comes here */
    struct site_proxy_listen listens[PROXY_LISTENS_MAX];
    uint32_t listen_count;
    struct upstream_place servers[PROXY_ORIGINS_MAX];
    uint32_t server_count;
    enum upstream_balance balance;
    struct upstream_health health;
    usec slow_start;
    uint64_t cache_octets;
    uint64_t object_octets;        /* 0: a quarter of those */
    char disk[SITE_TEXT_MAX];      /* a directory; "": all is in memory */
    uint64_t disk_octets, disk_object_octets; /* 0: a GiB; a quarter of those */
    struct ip_prefix allowed[PROXY_ALLOWED_MAX];
    uint32_t allowed_count;
    struct ip_prefix purgers[PROXY_ALLOWED_MAX];
    uint32_t purger_count;
    struct proxy_port_range ports[PROXY_PORTS_MAX];
    uint32_t port_count;
    char name[SITE_LABEL_MAX];
    char users[SITE_TEXT_MAX];
    char realm[SITE_LABEL_MAX];
    char trust[SITE_TEXT_MAX];     /* certificates that origins are trusted by; "": the system's */
    struct site_tls tls;           /* certificate and key of listens with TLS */
    usec connect_timeout, answer_timeout, tunnel_timeout;
    uint32_t connections_max;
    uint64_t rate, client_rate;    /* octets a second; 0: any */
    char access_log[SITE_TEXT_MAX];
    enum web_log_format log_format;
};

/* A block "site" within the block "web". */
struct site_web_host {
    struct web_host host;
    struct web_rule rule;
};

/* What is said of the host on its links (RFC 6762, RFC 6763). */
struct site_mdns {
    bool present;
    char interfaces[SITE_MDNS_LINKS_MAX][SITE_DEVICE_MAX];
    size_t interface_count;        /* 0: all that have multicast */
    char host[SITE_LABEL_MAX];     /* "": as the host is called */
    struct site_mdns_service {
        char type[SITE_NAME_MAX];      /* "_http._tcp" */
        char instance[SITE_LABEL_MAX]; /* "": the name of the host */
        uint16_t port;
        uint16_t txt_len;
        uint8_t txt[SITE_TEXT_MAX];    /* RDATA */
    } services[SITE_MDNS_SERVICES_MAX];
    size_t service_count;
};

struct site_config {
    char file[SITE_TEXT_MAX];      /* "": the built-in site */
    char domain[SITE_NAME_MAX];
    char trust_folder[SITE_PATH_MAX]; /* of the own authority; "": the usual one */
    char control[SITE_LABEL_MAX];  /* name for `wholenet status`; "": the process id */
    uint32_t workers;              /* threads that serve; 0: one for each processor */
    struct site_link link;
    struct site_gateway gateway;
    struct site_addresses addresses;
    struct site_names names;
    struct site_tls names_tls;
    struct site_recursion recursion;
    struct site_view views[SITE_VIEWS_MAX];
    struct site_authority authority;
    struct site_keys keys;
    struct site_secondaries secondaries;
    struct site_catalog_list catalogs;
    struct site_signatures signatures;
    struct site_web web;
    struct site_proxy proxies[SITE_PROXIES_MAX]; /* those that are present come first */
    struct site_mdns mdns;
    unsigned lines[SITE_OPTIONS_MAX]; /* where in the file each option stood; 0: it did not */
};

/* The default site, as the text of a site file and parsed. NULL: no memory. */
extern const char site_builtin_text[];
MUST_USE struct site_config *site_config_builtin(void);

/* Reads a site file. NULL, and *error says "FILE:LINE: what, and what was expected". */
MUST_USE struct site_config *site_config_read(const char *path, struct text *error);
MUST_USE struct site_config *site_config_parse(const char *name, const char *content,
                                               struct text *error);
void site_config_free(struct site_config *config);

/* Sets one option from its text, as the site file has it; of a list, adds to it. False: *error
 * says what was expected. The section and option must exist. */
MUST_USE bool site_config_set(struct site_config *config, const char *section, const char *option,
                              const char *value, struct text *error);

/* Derives what was left open and checks the whole. False: *error says what is wrong, where. */
MUST_USE bool site_config_finish(struct site_config *config, struct text *error);

/* Our MAC address on the link, and the one that `run` gives to the device inside. */
struct mac site_config_mac(const struct site_config *config);
struct mac site_config_guest_mac(const struct site_config *config);

/* The network that the link's address is in: 10.0.2.0/24. */
struct ip_prefix site_config_network(const struct site_config *config);

/* One or more labels of letters, digits and inner hyphens (RFC 1123 §2.1), at most 253 in all. */
bool site_name_valid(struct bytes name);
bool site_label_valid(struct bytes label);

#endif
