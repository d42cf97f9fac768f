/* SPDX-License-Identifier: ISC */
/*
 * prng.c - four ChaCha20 blocks at a time (RFC 8439 §2.3, counters 0 to 3, nonce zero); the first
 * 32 octets become the next key, the rest is drawn.
 */
#include "base/prng.h"

enum {
    CHACHA_BLOCK_LEN = 64,
    DRAWN_AT = PRNG_SEED_LEN, /* octets of `block` before this one are the next key */
};

static inline uint32_t rotate(uint32_t x, unsigned bits)
{
    return x << bits | x >> (32 - bits);
}

static inline void quarter_round(uint32_t x[16], unsigned a, unsigned b, unsigned c, unsigned d)
{
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 7);
}

static inline uint32_t load_le(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void store_le(uint8_t *p, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

/* RFC 8439 §2.3.1, with a nonce of zero: a key is used for one set of blocks only. */
static void chacha20_block(const uint32_t key[8], uint32_t counter, uint8_t out[CHACHA_BLOCK_LEN])
{
    uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint32_t x[16];
    memcpy(start + 4, key, 8 * sizeof *key);
    start[12] = counter;
    memcpy(x, start, sizeof x);
    for (unsigned i = 0; i < 10; i++) {
        quarter_round(x, 0, 4, 8, 12);
        quarter_round(x, 1, 5, 9, 13);
        quarter_round(x, 2, 6, 10, 14);
        quarter_round(x, 3, 7, 11, 15);
        quarter_round(x, 0, 5, 10, 15);
        quarter_round(x, 1, 6, 11, 12);
        quarter_round(x, 2, 7, 8, 13);
        quarter_round(x, 3, 4, 9, 14);
    }
    for (size_t i = 0; i < 16; i++)
        store_le(out + i * 4, x[i] + start[i]);
}

static void refill(struct prng *prng)
{
    for (uint32_t i = 0; i < sizeof prng->block / CHACHA_BLOCK_LEN; i++)
        chacha20_block(prng->key, i, prng->block + (size_t)i * CHACHA_BLOCK_LEN);
    for (size_t i = 0; i < 8; i++)
        prng->key[i] = load_le(prng->block + i * 4);
    memset(prng->block, 0, DRAWN_AT);
    prng->left = sizeof prng->block - DRAWN_AT;
}

void prng_init(struct prng *prng, const uint8_t seed[PRNG_SEED_LEN])
{
    *prng = (struct prng){0};
    for (size_t i = 0; i < 8; i++)
        prng->key[i] = load_le(seed + i * 4);
}

void prng_init_number(struct prng *prng, uint64_t seed)
{
    /* Every number is another key, which is all that ChaCha20 asks for independent streams. */
    uint8_t key[PRNG_SEED_LEN + 1] = "........wholenet, seed by number";
    store_le(key, (uint32_t)seed);
    store_le(key + 4, (uint32_t)(seed >> 32));
    prng_init(prng, key);
}

void prng_fork(struct prng *parent, struct prng *child)
{
    uint8_t seed[PRNG_SEED_LEN];
    prng_fill(parent, seed, sizeof seed);
    prng_init(child, seed);
}

void prng_fill(struct prng *prng, void *out, size_t len)
{
    uint8_t *next = out;
    while (len > 0) {
        if (prng->left == 0)
            refill(prng);
        size_t count = len < prng->left ? len : prng->left;
        prng->left = (uint16_t)(prng->left - count);
        uint8_t *from = prng->block + DRAWN_AT + prng->left;
        memcpy(next, from, count);
        memset(from, 0, count);
        next += count;
        len -= count;
    }
}

uint32_t prng_u32(struct prng *prng)
{
    uint8_t octets[4];
    prng_fill(prng, octets, sizeof octets);
    return load_le(octets);
}

uint64_t prng_u64(struct prng *prng)
{
    uint64_t low = prng_u32(prng);
    uint64_t high = prng_u32(prng);
    return high << 32 | low;
}

uint32_t prng_below(struct prng *prng, uint32_t limit)
{
    ASSERT(limit > 0);
    /* Lemire, "Fast random integer generation in an interval": the few draws that would make some
     * results likelier than others are drawn again. */
    uint64_t product = (uint64_t)prng_u32(prng) * limit;
    if ((uint32_t)product < limit) {
        uint32_t uneven = (0 - limit) % limit;
        while ((uint32_t)product < uneven)
            product = (uint64_t)prng_u32(prng) * limit;
    }
    return (uint32_t)(product >> 32);
}

bool prng_chance(struct prng *prng, uint32_t parts_per_million)
{
    return prng_below(prng, 1000000) < parts_per_million;
}
