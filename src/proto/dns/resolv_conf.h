/* SPDX-License-Identifier: ISC */
/*
 * resolv_conf.h - what resolv.conf(5) tells a stub resolver: whom to ask, how often and for how
 * long, and with which suffixes a short name is tried.
 *
 * Lines that nobody here understands are passed over, as C libraries do.
 */
#ifndef WN_PROTO_DNS_RESOLV_CONF_H
#define WN_PROTO_DNS_RESOLV_CONF_H

#include "base/usec.h"
#include "wire/dns/dns_name.h"

enum {
    RESOLV_SERVERS_MAX = 8,
    RESOLV_SEARCH_MAX = 32,
    RESOLV_NDOTS_MAX = 15,
    RESOLV_TIMEOUT_MAX = 30, /* seconds */
    RESOLV_ATTEMPTS_MAX = 5,
    RESOLV_PORT = 53,
};

struct resolv_conf {
    size_t server_count;
    struct endpoint servers[RESOLV_SERVERS_MAX]; /* in order, without repetitions */
    size_t search_count;
    struct dns_name search[RESOLV_SEARCH_MAX];
    unsigned ndots;    /* a name with that many dots is tried as it is first */
    usec timeout;      /* of one attempt */
    unsigned attempts; /* of each server */
    bool rotate;       /* another server is the first each time */
    bool stream;       /* use-vc: always over TCP */
    bool single_request; /* AAAA is asked for when A is answered */
    bool no_aaaa;      /* AAAA is not asked for */
    bool trust_ad;     /* AD in answers is believed, and asked for */
};

/* The values that hold without a file: no servers, 1 dot, 5 s, 2 attempts. */
void resolv_conf_init(struct resolv_conf *conf);

/* Reads a file's content over what is there. "domain" and "search" replace each other. A server
 * that cannot be used (a zone index that only the host knows) is passed over. */
void resolv_conf_parse(struct bytes content, struct resolv_conf *conf);

/*
 * The names to ask for, in order, for what somebody has typed: `turn` from 0 up, until false. A name
 * with a final dot is asked for alone; one with fewer than `ndots` dots is tried with the suffixes
 * first, and as it is in the end. Names that get too long are left out.
 */
MUST_USE bool resolv_conf_candidate(const struct resolv_conf *conf, struct bytes typed,
                                    unsigned turn, struct dns_name *out);

#endif
