/* SPDX-License-Identifier: ISC */
/*
 * denial.h - which records of a signed zone show that something does not exist (RFC 4035 §3.1.3;
 * RFC 5155 §7.2; RFC 6840 §4).
 *
 * A zone denies by NSEC when its apex has one, and by NSEC3 when it has an NSEC3PARAM that may be
 * used (RFC 5155 §4.1.2). What a zone lacks is left out: a broken zone is not mended here.
 */
#ifndef WN_PROTO_DNS_DENIAL_H
#define WN_PROTO_DNS_DENIAL_H

#include "proto/dns/zone.h"
#include "wire/dns/dns_nsec3.h"

enum {
    DENIAL_NODES_MAX = 4, /* of one proof: RFC 5155 §7.2.5 asks for three, and one to spare */
};

/* Owners of NSEC or NSEC3 records, each once; valid until the zone changes. */
struct denial {
    const struct zone_node *nodes[DENIAL_NODES_MAX];
    size_t count;
};

/* What is to be shown of the name that was looked for. */
enum denial_of {
    DENIAL_OF_NAME,      /* it does not exist, nor does a wildcard that would stand for it */
    DENIAL_OF_TYPE,      /* it exists, without the type; at a delegation: it has no DS */
    DENIAL_OF_CLOSER,    /* a wildcard stands for it, and no closer name exists */
    DENIAL_OF_WILD_TYPE, /* the same, but the wildcard has not the type */
};

/* `match` is that of `name`. With DENIAL_OF_TYPE where match->cut is set, it is the cut's name that
 * is spoken of. `sha1` may be NULL: then there is no proof by NSEC3. */
void denial_find(const struct dns_sha1 *sha1, const struct zone_match *match,
                 const struct dns_name *name, enum denial_of what, struct denial *out);

#endif
