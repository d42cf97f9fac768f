/* SPDX-License-Identifier: ISC */
/*
 * gaps.h - where there is nothing, as signed zones have shown: their NSEC and NSEC3 records that were
 * validated, in order, so that they deny other names too (RFC 8198).
 *
 * What is found is a proof as the cache has it, of records that may show that a name or a type is not
 * there; whether they do is for validate_nxdomain() and validate_nodata() to say.
 *
 * Bounded; when it is full the record that was put longest ago goes.
 *
 * SKIPS RFC 8198 §5.3: answers from wildcards are not made.
 */
#ifndef WN_PROTO_DNS_GAPS_H
#define WN_PROTO_DNS_GAPS_H

#include "base/heap.h"
#include "base/usec.h"
#include "wire/dns/dns_nsec3.h"

enum {
    GAPS_RECORDS_LEN_MAX = 2048, /* of one owner, with its signatures; more is not kept */
    GAPS_HASHES_MAX = 12,        /* of NSEC3, for one question */
    GAPS_ITERATIONS_MAX = 50,    /* as VALIDATE_ITERATIONS_MAX: zones that want more are not used */
    GAPS_TTL_MAX = 10800,        /* RFC 8198 §5.4 */
};

struct gaps;

/* NULL: no memory. */
MUST_USE struct gaps *gaps_new(const struct heap *heap, size_t count_max);
void gaps_free(struct gaps *gaps);

/* Takes what a proof of the zone has that was found to be right: SOA, NSEC, NSEC3, their RRSIGs. */
void gaps_put(struct gaps *gaps, const struct dns_name *zone, struct bytes proof, uint32_t ttl,
              usec now);

struct gaps_found {
    struct dns_name zone;
    uint32_t ttl; /* of what is left of the shortest */
};

/* Puts records together that may deny the name, or a type of it. False: there are none. */
MUST_USE bool gaps_find(const struct gaps *gaps, const struct dns_name *name,
                        const struct dns_sha1 *sha1, usec now, struct writer *proof,
                        struct gaps_found *out);

void gaps_clear(struct gaps *gaps);
size_t gaps_count(const struct gaps *gaps);

#endif
