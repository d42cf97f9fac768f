/* SPDX-License-Identifier: ISC */
/*
 * digest.h - digests by OpenSSL: SHA-1 for what RFCs still ask it for, hashed names of the DNS (RFC 5155), and
 * longer ones over many pieces; MD5 and SHA-256 for HTTP's Digest authentication (RFC 7616). SHA-1 is looked up
 * once, so that short inputs cost little more than themselves; and not before it is needed, since that sets up
 * all of OpenSSL.
 */
#ifndef WN_OS_DIGEST_H
#define WN_OS_DIGEST_H

#include "base/bytes.h"

enum { DIGEST_SHA1_LEN = 20 };

struct digest;

/* NULL: no memory. One thread's. */
MUST_USE struct digest *digest_sha1_new(void);
void digest_free(struct digest *digest);

/* The digest over `first` and then `second`. `self` is a struct digest *: a callback of the pure
 * band. */
void digest_sha1(void *self, struct bytes first, struct bytes second, uint8_t out[DIGEST_SHA1_LEN]);

/* ---- by pieces, with the longer digests that ZONEMD has (RFC 8976 §5.3) ---- */

enum { DIGEST_SHA384 = 1, DIGEST_SHA512 = 2, DIGEST_LEN_MAX = 64 };

struct digest_stream;

/* NULL: no memory. One thread's. */
MUST_USE struct digest_stream *digest_stream_new(void);
void digest_stream_free(struct digest_stream *stream);

/* Callbacks of the pure band: `self` is a struct digest_stream *. False: not one of the two. */
bool digest_stream_start(void *self, uint8_t algorithm);
void digest_stream_add(void *self, struct bytes octets);
size_t digest_stream_end(void *self, uint8_t out[DIGEST_LEN_MAX]);

/* ---- at once ---- */

enum digest_kind { DIGEST_MD5, DIGEST_SHA256 };
enum { DIGEST_AT_ONCE_MAX = 32 };

/* The digest of `in`; returns its length. 0: the library has no such algorithm. */
size_t digest_at_once(enum digest_kind kind, struct bytes in, uint8_t out[DIGEST_AT_ONCE_MAX]);

#endif
