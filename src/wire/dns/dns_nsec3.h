/* SPDX-License-Identifier: ISC */
/*
 * dns_nsec3.h - hashed owner names and the records that deny by them (RFC 5155).
 *
 * SHA-1 comes from outside: the pure band has no digests.
 */
#ifndef WN_WIRE_DNS_DNS_NSEC3_H
#define WN_WIRE_DNS_DNS_NSEC3_H

#include "base/bytes.h"
#include "wire/dns/dns_name.h"

enum {
    DNS_NSEC3_SHA1 = 1,       /* the only algorithm (RFC 5155 §11) */
    DNS_NSEC3_HASH_LEN = 20,
    DNS_NSEC3_LABEL_LEN = 32, /* of a hash in base32hex */
    DNS_NSEC3_OPT_OUT = 1,    /* flag */
};

/* The digest over `first` and what follows it in `second`. */
struct dns_sha1 {
    void (*digest)(void *self, struct bytes first, struct bytes second,
                   uint8_t out[DNS_NSEC3_HASH_LEN]);
    void *self;
};

/* The fields of NSEC3, or of NSEC3PARAM, which has the first four. */
struct dns_nsec3 {
    uint8_t algorithm;
    uint8_t flags;
    uint16_t iterations;
    struct bytes salt; /* borrowed from the RDATA, as are the others */
    struct bytes next;
    struct bytes types;
};

/* False: not the RDATA of an NSEC3 or NSEC3PARAM record. */
MUST_USE bool dns_nsec3_decode(struct bytes rdata, struct dns_nsec3 *out);

/* Do both hash alike? Flags are not of it. */
bool dns_nsec3_same(const struct dns_nsec3 *a, const struct dns_nsec3 *b);

/* RFC 5155 §5: of the wire form of a name in lower case. */
void dns_nsec3_hash(const struct dns_sha1 *sha1, const struct dns_nsec3 *how, struct bytes name,
                    uint8_t out[DNS_NSEC3_HASH_LEN]);

/* The hash as the label that owners have, in lower case. */
void dns_nsec3_label(const uint8_t hash[DNS_NSEC3_HASH_LEN], uint8_t out[DNS_NSEC3_LABEL_LEN]);

#endif
