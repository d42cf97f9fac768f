/* SPDX-License-Identifier: ISC */
/*
 * prng.h - the random numbers of a context: ChaCha20 (RFC 8439 §2.3) as a generator, from a seed.
 *
 * Seeded from the kernel's entropy it is fit for ports, ids and keys; seeded from a number it
 * repeats a run. After each block the key is replaced from the stream, so that what was drawn
 * cannot be found from a later state.
 */
#ifndef WN_BASE_PRNG_H
#define WN_BASE_PRNG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum { PRNG_SEED_LEN = 32 };

struct prng {
    uint32_t key[8];
    uint8_t block[256]; /* drawn from the end backwards; zeroed as it is used */
    uint16_t left;      /* octets of block not used yet */
};

void prng_init(struct prng *prng, const uint8_t seed[PRNG_SEED_LEN]);

/* From a number, as --seed gives it. */
void prng_init_number(struct prng *prng, uint64_t seed);

/* Makes an independent generator from the next octets of `parent`. */
void prng_fork(struct prng *parent, struct prng *child);

uint32_t prng_u32(struct prng *prng);
uint64_t prng_u64(struct prng *prng);

/* Evenly from 0 to limit - 1; limit > 0. */
uint32_t prng_below(struct prng *prng, uint32_t limit);

/* True `parts` times in 1,000,000. */
bool prng_chance(struct prng *prng, uint32_t parts_per_million);

void prng_fill(struct prng *prng, void *out, size_t len);

#endif
