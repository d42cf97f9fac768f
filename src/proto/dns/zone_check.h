/* SPDX-License-Identifier: ISC */
/*
 * zone_check.h - does a zone hold together? What no single line of its file shows: that it has a SOA
 * and name servers, that these have addresses, that nothing points at an alias (RFC 1034 §3.6,
 * RFC 1912 §2, RFC 2181 §10).
 */
#ifndef WN_PROTO_DNS_ZONE_CHECK_H
#define WN_PROTO_DNS_ZONE_CHECK_H

#include "proto/dns/zone.h"

enum {
    ZONE_NSEC3_ITERATIONS_MAX = 150, /* RFC 9276 §3.1: more than none help nobody, and many harm */
    ZONE_CHECK_TEXT_MAX = 700,
};

struct zone_checker {
    /* `error`: the zone must not be served like that. */
    void (*report)(void *self, bool error, const char *text);
    void *self;
};

/* True: there is no error; there may be warnings. */
bool zone_check(const struct zone *zone, const struct zone_checker *checker);

#endif
