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

/* A check under way: a zone may have a million names. The zone must stay as it is meanwhile. */
struct zone_check {
    const struct zone *zone;
    const struct zone_checker *checker;
    const struct zone_node *next; /* NULL: all have been looked at */
    const struct zone_node *above; /* the last delegation or DNAME: what lies below follows it */
    bool good;
    struct dns_name owner;        /* of what is being looked at */
};

/* What is said of the zone as a whole comes at once. */
void zone_check_start(struct zone_check *check, const struct zone *zone,
                      const struct zone_checker *checker);

/* Looks at so many names more. True: that was all, and check->good tells whether there is no error;
 * there may be warnings. */
bool zone_check_step(struct zone_check *check, size_t names);

#endif
