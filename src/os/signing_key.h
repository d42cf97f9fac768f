/* SPDX-License-Identifier: ISC */
/*
 * signing_key.h - private keys of DNSSEC by OpenSSL: made, taken apart into the numbers that key files
 * have, put together again, and signing (RFC 5702, RFC 6605, RFC 8080).
 *
 * A key is in memory that is cleansed when it is freed. One thread's.
 */
#ifndef WN_OS_SIGNING_KEY_H
#define WN_OS_SIGNING_KEY_H

#include "base/bytes.h"

enum {
    SIGNING_KEY_SIGNATURE_MAX = 512, /* of RSA with 4096 bits */
    SIGNING_KEY_PUBLIC_MAX = 1 + 2 + 512 + 512,
    SIGNING_KEY_RSA_BITS_MIN = 1024, /* that we make or sign with (RFC 5702 §2.2 for SHA-512) */
    SIGNING_KEY_RSA_BITS = 2048,
    SIGNING_KEY_RSA_BITS_MAX = 4096,
};

/* The numbers of a private key, in the order in which its file has them. RSA has all but the last, the
 * others only the last. */
enum signing_key_part {
    SIGNING_KEY_MODULUS,
    SIGNING_KEY_PUBLIC_EXPONENT,
    SIGNING_KEY_PRIVATE_EXPONENT,
    SIGNING_KEY_PRIME1,
    SIGNING_KEY_PRIME2,
    SIGNING_KEY_EXPONENT1,
    SIGNING_KEY_EXPONENT2,
    SIGNING_KEY_COEFFICIENT,
    SIGNING_KEY_PRIVATE,
    SIGNING_KEY_PART_COUNT
};

enum { SIGNING_KEY_PARTS_LEN_MAX = SIGNING_KEY_PART_COUNT * 512 };

struct signing_key;

/* A new key: RSA/SHA-256 (8) and RSA/SHA-512 (10) with `bits`, or 2048 if that is 0; ECDSA P-256 (13) and
 * P-384 (14), Ed25519 (15), Ed448 (16). RSA/SHA-1 is not for signing any more (RFC 8624 §3.1). 0, or
 * -ENOTSUP, -EINVAL (bits), -ENOMEM, -EIO (OpenSSL refuses). */
MUST_USE int signing_key_new(uint8_t algorithm, unsigned bits, struct signing_key **out);

/* From its parts; those that its kind has not are ignored. 0, -ENOTSUP, or -EINVAL: it is no such key. */
MUST_USE int signing_key_from_parts(uint8_t algorithm,
                                    const struct bytes parts[SIGNING_KEY_PART_COUNT],
                                    struct signing_key **out);

/* NULL is nothing. */
void signing_key_free(struct signing_key *key);

/* The parts, written to `w`, which needs SIGNING_KEY_PARTS_LEN_MAX octets of room: the caller cleanses
 * them. 0 or -EIO. */
MUST_USE int signing_key_parts(const struct signing_key *key, struct writer *w,
                               struct bytes out[SIGNING_KEY_PART_COUNT]);

/* What a DNSKEY record has of it, SIGNING_KEY_PUBLIC_MAX octets at most. */
void signing_key_public(const struct signing_key *key, struct writer *w);

uint8_t signing_key_algorithm(const struct signing_key *key);
unsigned signing_key_bits(const struct signing_key *key);

/* The signature over `data` in the form of RRSIG records. Returns its length; 0: OpenSSL refuses. */
size_t signing_key_sign(struct signing_key *key, struct bytes data,
                        uint8_t out[SIGNING_KEY_SIGNATURE_MAX]);

/* Octets that held a secret. */
void signing_key_cleanse(void *data, size_t len);

#endif
