/* SPDX-License-Identifier: ISC */
/*
 * validate.h - is it what the zone's owner has signed? Signatures, chains of keys, and proofs that
 * there is nothing (RFC 4034, RFC 4035 §5, RFC 5155 §8, RFC 6840).
 *
 * Pure: signatures and digests come in by function pointers, the date by an argument, lists of records
 * as cache.h has them. Work is bounded: a context has a number of verifications and hashes that it may
 * spend, so that keys with one tag (CVE-2023-50387, "KeyTrap") and long chains of hashes
 * (CVE-2023-50868) cost no more than honest answers do.
 */
#ifndef WN_PROTO_DNS_VALIDATE_H
#define WN_PROTO_DNS_VALIDATE_H

#include "proto/dns/cache.h"
#include "wire/dns/dns_nsec3.h"
#include "wire/dns/dns_option.h"

enum {
    VALIDATE_VERIFICATIONS_MAX = 32, /* of one question */
    VALIDATE_KEYS_TRIED_MAX = 4,     /* with the tag of one signature */
    VALIDATE_HASHES_MAX = 256,       /* names hashed for one proof */
    VALIDATE_ITERATIONS_MAX = 100,   /* RFC 9276 §3.2: more are as if there were no signatures */
    VALIDATE_DIGEST_MAX = 64,
    VALIDATE_SCRATCH_LEN = 3 * 65536,
};

enum validate_check { VALIDATE_RIGHT, VALIDATE_WRONG, VALIDATE_UNSUPPORTED };

struct validate_crypto {
    /* The key and the signature as DNSKEY and RRSIG have them. */
    enum validate_check (*verify)(void *self, uint8_t algorithm, struct bytes key,
                                  struct bytes data, struct bytes signature);
    bool (*supports)(void *self, uint8_t algorithm);
    /* The length of the digest of a DS record's type; 0: not supported. */
    size_t (*digest)(void *self, uint8_t type, struct bytes first, struct bytes second,
                     uint8_t out[VALIDATE_DIGEST_MAX]);
    struct dns_sha1 sha1;
    void *self;
};

struct validate_context {
    const struct validate_crypto *crypto;
    int64_t wall_seconds; /* the date at which signatures are to hold */
    unsigned verifications_left;
    unsigned hashes_left;
    uint8_t *scratch;     /* VALIDATE_SCRATCH_LEN octets */
};

void validate_init(struct validate_context *v, const struct validate_crypto *crypto,
                   int64_t wall_seconds, uint8_t scratch[VALIDATE_SCRATCH_LEN]);

/* SECURE, INSECURE or BOGUS, and for people why. */
struct validate_outcome {
    enum cache_security security;
    uint16_t ede;
};

struct validate_set {
    const struct dns_name *owner;
    uint16_t type;
    struct bytes records;    /* RDATA, as cache_read_rdata() takes them */
    struct bytes signatures;
};

/* A zone and its keys, which have been validated. */
struct validate_zone {
    const struct dns_name *name;
    struct bytes keys;
};

/* RFC 4034 appendix B. */
uint16_t validate_key_tag(struct bytes rdata);

/* Is one of the set's signatures by one of the zone's keys? *labels: of the name as it was signed; if
 * it has fewer than the owner, the set came from a wildcard, and validate_wildcard() is due. */
struct validate_outcome validate_set(struct validate_context *v, const struct validate_set *set,
                                     const struct validate_zone *zone, unsigned *labels);

/* Are the keys those that the DS records (of the parent, or an anchor) name (RFC 4035 §5.2)?
 * INSECURE: none of the DS has an algorithm and a digest that we know. */
struct validate_outcome validate_keys(struct validate_context *v, const struct validate_set *keys,
                                      struct bytes ds);

/* Has that key, which is one of the set and has the REVOKE bit, signed the set (RFC 5011 §2.1)? Nothing else
 * that such a key has signed counts. */
bool validate_revocation(struct validate_context *v, const struct validate_set *keys,
                         struct bytes key);

/* Is that the DNSKEY, not revoked, that the DS of the zone names? */
bool validate_ds_is_of(const struct validate_crypto *crypto, const struct dns_name *zone,
                       struct bytes ds, struct bytes key);

/* The DS that a DNSKEY amounts to (RFC 4034 §5.1.4), by SHA-256. */
enum { VALIDATE_DS_LEN_MAX = 4 + VALIDATE_DIGEST_MAX };
struct bytes validate_make_ds(const struct validate_crypto *crypto, const struct dns_name *zone,
                              struct bytes key, uint8_t buffer[VALIDATE_DS_LEN_MAX]);

/* Does the proof (records as cache_read_record() takes them, of that zone) show that the name has
 * nothing of the type; that it does not exist; that what came from a wildcard of `labels` labels is
 * for a name that is not there itself? INSECURE: below an opt-out, or hashed too often. */
struct validate_outcome validate_nodata(struct validate_context *v, const struct validate_zone *zone,
                                        const struct dns_name *name, uint16_t type,
                                        struct bytes proof);
struct validate_outcome validate_nxdomain(struct validate_context *v,
                                          const struct validate_zone *zone,
                                          const struct dns_name *name, struct bytes proof);
struct validate_outcome validate_wildcard(struct validate_context *v,
                                          const struct validate_zone *zone,
                                          const struct dns_name *name, unsigned labels,
                                          struct bytes proof);

/* Does the proof show that the name is a delegation to a zone without DS? */
bool validate_shows_delegation(struct validate_context *v, const struct validate_zone *zone,
                               const struct dns_name *name, struct bytes proof);

#endif
