/* SPDX-License-Identifier: ISC */
/*
 * hmac.h - HMAC (RFC 2104) with SHA-1 and SHA-2, by OpenSSL: octets in pieces, then the value. The
 * algorithm is looked up once, when it is needed first: that sets up all of OpenSSL.
 */
#ifndef WN_OS_HMAC_H
#define WN_OS_HMAC_H

#include "base/bytes.h"

enum { HMAC_MAX = 64 };

struct hmac;

/* NULL: no memory. */
MUST_USE struct hmac *hmac_new(void);
void hmac_free(struct hmac *hmac);

/* Begins one with SHA-1 (1) or SHA-224, -256, -384, -512 (by their numbers). `self` is a struct hmac *,
 * and what comes out goes to the other two: callbacks of the pure band. NULL: it cannot be had. */
void *hmac_start(void *self, unsigned sha, struct bytes secret);
void hmac_add(void *running, struct bytes octets);

/* The value, and it is gone. Returns its length; 0: it could not be had. */
size_t hmac_end(void *running, uint8_t out[HMAC_MAX]);

#endif
