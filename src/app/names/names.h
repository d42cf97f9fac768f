/* SPDX-License-Identifier: ISC */
/*
 * names.h - the site's name service: answers for its own domain with authority, and passes other
 * questions on to forwarders (RFC 1034 §3.7, RFC 1035, RFC 8375).
 */
#ifndef WN_APP_NAMES_NAMES_H
#define WN_APP_NAMES_NAMES_H

#include "io/net.h"

struct names;

enum { NAMES_FORWARDERS_MAX = 8, NAMES_RECORDS_MAX = 65536 };

struct names_options {
    struct endpoint listen;       /* UDP and TCP */
    const char *domain;           /* "home.arpa" */
    const char *server_name;      /* of SOA and NS: "ns.home.arpa" */
    struct endpoint forwarders[NAMES_FORWARDERS_MAX];
    size_t forwarder_count;       /* 0: other names are refused, NXDOMAIN with `closed_world` */
    bool closed_world;            /* nothing exists outside the site */
    struct net *outside;          /* where forwarders are; may be NULL when there are none */
    uint32_t ttl;                 /* of the site's own records, seconds; 0: 60 */
};

MUST_USE int names_new(struct net *net, const struct names_options *options, struct names **out);
void names_free(struct names *names);

/* Adds an A or AAAA record for `name` (within the domain, or one label that is completed with it),
 * and the PTR for the address. Existing ones stay beside it. 0, -ENOSPC, -EINVAL, -ENOMEM. */
MUST_USE int names_add_address(struct names *names, const char *name, const struct ip_address *a);

/* Removes every record of the name and the PTRs that point to it. */
void names_remove(struct names *names, const char *name);

/* Any record in master-file form, as the site file has it: "www CNAME gateway". 0 or -EINVAL with
 * the reason in `error`. */
MUST_USE int names_add_record(struct names *names, const char *line, char *error, size_t size);

/* Where it listens, by UDP and by TCP: the port that was found when options.listen had port 0. */
struct endpoint names_local(const struct names *names);

/* `answered`: replies sent, of all kinds; `nxdomain` and `refused` are among them. */
struct names_counters {
    uint64_t queries_udp, queries_tcp, answered, nxdomain, refused, forwarded, forward_failed;
    uint64_t malformed;
    uint64_t forwarding; /* gauge */
};
void names_counters(const struct names *names, struct names_counters *out);

#endif
