/* SPDX-License-Identifier: ISC */
/* dns_nsec3.c - hashed owner names (RFC 5155 §3, §4, §5). */
#include "wire/dns/dns_nsec3.h"

bool dns_nsec3_decode(struct bytes rdata, struct dns_nsec3 *out)
{
    struct reader r = reader_of(rdata);
    struct dns_nsec3 nsec3 = {.next = bytes_empty(), .types = bytes_empty()};
    nsec3.algorithm = read_u8(&r);
    nsec3.flags = read_u8(&r);
    nsec3.iterations = read_u16(&r);
    uint8_t salt_len = read_u8(&r);
    nsec3.salt = read_bytes(&r, salt_len);
    if (!r.failed && reader_left(&r) > 0) {
        uint8_t next_len = read_u8(&r);
        nsec3.next = read_bytes(&r, next_len);
        nsec3.types = read_rest(&r);
    }
    if (r.failed)
        return false;
    *out = nsec3;
    return true;
}

bool dns_nsec3_same(const struct dns_nsec3 *a, const struct dns_nsec3 *b)
{
    return a->algorithm == b->algorithm && a->iterations == b->iterations &&
           bytes_equal(a->salt, b->salt);
}

void dns_nsec3_hash(const struct dns_sha1 *sha1, const struct dns_nsec3 *how, struct bytes name,
                    uint8_t out[DNS_NSEC3_HASH_LEN])
{
    sha1->digest(sha1->self, name, how->salt, out);
    for (unsigned i = 0; i < how->iterations; i++) {
        uint8_t last[DNS_NSEC3_HASH_LEN];
        memcpy(last, out, sizeof last);
        sha1->digest(sha1->self, bytes_of(last, sizeof last), how->salt, out);
    }
}

void dns_nsec3_label(const uint8_t hash[DNS_NSEC3_HASH_LEN], uint8_t out[DNS_NSEC3_LABEL_LEN])
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    _Static_assert(DNS_NSEC3_HASH_LEN * 8 == DNS_NSEC3_LABEL_LEN * 5, "five bits a letter");
    for (size_t i = 0; i < DNS_NSEC3_HASH_LEN / 5; i++) {
        uint64_t bits = 0;
        for (size_t j = 0; j < 5; j++)
            bits = bits << 8 | hash[5 * i + j];
        for (size_t j = 8; j-- > 0; bits >>= 5)
            out[8 * i + j] = (uint8_t)digits[bits & 31];
    }
}
