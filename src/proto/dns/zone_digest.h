/* SPDX-License-Identifier: ISC */
/*
 * zone_digest.h - the digest over a whole zone (RFC 8976 §3), by the SIMPLE scheme: all records in canonical form
 * and order but the ZONEMD records at the apex and their signatures.
 */
#ifndef WN_PROTO_DNS_ZONE_DIGEST_H
#define WN_PROTO_DNS_ZONE_DIGEST_H

#include "proto/dns/zone.h"

enum {
    ZONE_DIGEST_SIMPLE = 1,  /* scheme */
    ZONE_DIGEST_SHA384 = 1,  /* hash algorithm */
    ZONE_DIGEST_SHA512 = 2,
    ZONE_DIGEST_MAX = 64,
    ZONE_DIGEST_HEAD_LEN = 6, /* of ZONEMD RDATA: serial, scheme, algorithm */
};

/* A digest of many pieces, which comes from outside. */
struct zone_digester {
    /* False: not an algorithm that it knows. */
    bool (*start)(void *self, uint8_t algorithm);
    void (*add)(void *self, struct bytes octets);
    size_t (*end)(void *self, uint8_t out[ZONE_DIGEST_MAX]); /* its length */
    void *self;
};

/* Returns the digest's length; 0: the algorithm is not known, or a set is too large. `scratch` is for one
 * set, of ZONE_DIGEST_SCRATCH_LEN octets. */
enum { ZONE_DIGEST_SCRATCH_LEN = 1 << 20 };
size_t zone_digest(const struct zone *zone, const struct zone_digester *digester, uint8_t algorithm,
                   uint8_t *scratch, uint8_t out[ZONE_DIGEST_MAX]);

#endif
