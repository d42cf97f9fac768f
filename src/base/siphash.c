/* SPDX-License-Identifier: ISC */
/* siphash.c - SipHash with c rounds per word and d at the end, as its authors describe it. */
#include "base/siphash.h"

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* Little-endian by definition, whatever the machine; compilers make one load of it. */
static inline uint64_t load(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

static inline uint64_t siphash(const struct siphash_key *key, struct bytes in, unsigned c,
                               unsigned d)
{
    uint64_t v[4] = {
        key->k0 ^ 0x736f6d6570736575,
        key->k1 ^ 0x646f72616e646f6d,
        key->k0 ^ 0x6c7967656e657261,
        key->k1 ^ 0x7465646279746573,
    };
    size_t whole = in.len - in.len % 8;
    for (size_t at = 0; at < whole; at += 8) {
        uint64_t word = load(in.data + at);
        v[3] ^= word;
        for (unsigned i = 0; i < c; i++)
            sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)in.len << 56;
    for (size_t i = 0; i < in.len % 8; i++)
        last |= (uint64_t)in.data[whole + i] << 8 * i;
    v[3] ^= last;
    for (unsigned i = 0; i < c; i++)
        sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (unsigned i = 0; i < d; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t siphash24(const struct siphash_key *key, struct bytes in)
{
    return siphash(key, in, 2, 4);
}

uint64_t siphash13(const struct siphash_key *key, struct bytes in)
{
    return siphash(key, in, 1, 3);
}
