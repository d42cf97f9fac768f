/* SPDX-License-Identifier: ISC */
/*
 * siphash.h - keyed hashes for tables that strangers can fill, and for numbers they must not guess
 * (Aumasson and Bernstein, "SipHash: a fast short-input PRF").
 */
#ifndef WN_BASE_SIPHASH_H
#define WN_BASE_SIPHASH_H

#include <stdint.h>

#include "base/bytes.h"

struct siphash_key {
    uint64_t k0;
    uint64_t k1;
};

/* SipHash-2-4: for initial sequence numbers, cookies, tokens. */
uint64_t siphash24(const struct siphash_key *key, struct bytes in);

/* SipHash-1-3: for hash tables. */
uint64_t siphash13(const struct siphash_key *key, struct bytes in);

#endif
