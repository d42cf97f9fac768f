/* SPDX-License-Identifier: ISC */
/*
 * digest.h - SHA-1 by OpenSSL, for what RFCs still ask it for: hashed names of the DNS (RFC 5155).
 * The algorithm is looked up once, so that short inputs cost little more than themselves.
 */
#ifndef WN_OS_DIGEST_H
#define WN_OS_DIGEST_H

#include "base/bytes.h"

enum { DIGEST_SHA1_LEN = 20 };

struct digest;

/* NULL: no memory, or a library without the algorithm. One thread's. */
MUST_USE struct digest *digest_sha1_new(void);
void digest_free(struct digest *digest);

/* The digest over `first` and then `second`. `self` is a struct digest *: a callback of the pure
 * band. */
void digest_sha1(void *self, struct bytes first, struct bytes second, uint8_t out[DIGEST_SHA1_LEN]);

#endif
