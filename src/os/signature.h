/* SPDX-License-Identifier: ISC */
/*
 * signature.h - signatures and digests as DNSSEC has them, by OpenSSL: keys in the form of DNSKEY records
 * (RFC 3110, RFC 5702, RFC 6605, RFC 8080), algorithms by their numbers in the registry.
 */
#ifndef WN_OS_SIGNATURE_H
#define WN_OS_SIGNATURE_H

#include "base/bytes.h"

enum signature_result { SIGNATURE_RIGHT, SIGNATURE_WRONG, SIGNATURE_UNSUPPORTED };

enum { SIGNATURE_DIGEST_MAX = 64 };

/* RSA/SHA-1 (5, 7), RSA/SHA-256 (8), RSA/SHA-512 (10), ECDSA P-256 (13) and P-384 (14), Ed25519 (15),
 * Ed448 (16). A key or a signature that is malformed is WRONG. */
enum signature_result signature_verify(uint8_t algorithm, struct bytes key, struct bytes data,
                                       struct bytes signature);
bool signature_supports(uint8_t algorithm);

/* The digest of a DS record's type over `first` and then `second`: SHA-1 (1), SHA-256 (2), SHA-384 (4).
 * Returns its length; 0: another type. */
size_t signature_digest(uint8_t type, struct bytes first, struct bytes second,
                        uint8_t out[SIGNATURE_DIGEST_MAX]);

#endif
