/* SPDX-License-Identifier: ISC */
/*
 * checksum.c - the Internet checksum (RFC 1071), in the widest words at hand.
 *
 * A one's complement sum does not mind the byte order (RFC 1071 §2 B) nor the width of the words
 * (§2 C): the octets are added as they lie in memory, 32 bits of them to a 64-bit lane, and only
 * the folded result is put into network order.
 */
#include "base/checksum.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* 32-bit words of what is summed at once add up in 64 bits without a carry. */
_Static_assert(FRAME_PACKET_MAX < UINT32_MAX, "one packet cannot overflow a lane");

enum { VECTOR_MIN = 128 }; /* octets below which the vectors' set-up costs more than it saves */

uint16_t checksum_fold(uint64_t sum)
{
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    sum = (sum & UINT16_MAX) + (sum >> 16);
    return (uint16_t)sum;
}

/* Folds far enough that many such sums can be added. */
static inline uint64_t halve(uint64_t sum)
{
    return (sum & UINT32_MAX) + (sum >> 32);
}

static uint16_t swap_octets(uint16_t word)
{
    return (uint16_t)(word << 8 | word >> 8);
}

/* One's complement sum of 64-bit words: what overflows comes in again at the other end. */
static inline uint64_t add_around(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word);
}

/* Sums of words in the machine's order. */
static inline uint64_t sum_plain(const uint8_t *p, size_t len)
{
    uint64_t sum = 0;
    uint64_t word;
    for (; len >= 8; p += 8, len -= 8) {
        memcpy(&word, p, 8);
        sum = add_around(sum, word);
    }
    sum = halve(sum);
    if (len >= 4) {
        uint32_t half;
        memcpy(&half, p, 4);
        sum += half;
        p += 4;
        len -= 4;
    }
    uint16_t last;
    if (len >= 2) {
        memcpy(&last, p, 2);
        sum += last;
        p += 2;
        len -= 2;
    }
    /* An odd octet has a zero behind it (RFC 1071 §1). */
    last = 0;
    if (len == 1)
        memcpy(&last, p, 1);
    return sum + last;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static inline void add_vector(__m256i *low, __m256i *high,
                                                              const uint8_t *p)
{
    const __m256i mask = _mm256_set1_epi64x(UINT32_MAX);
    __m256i words = _mm256_loadu_si256((const __m256i *)(const void *)p);
    *low = _mm256_add_epi64(*low, _mm256_and_si256(words, mask));
    *high = _mm256_add_epi64(*high, _mm256_srli_epi64(words, 32));
}

__attribute__((target("avx2"))) static uint64_t sum_avx2(const uint8_t *p, size_t len)
{
    __m256i low[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    __m256i high[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    while (len >= 128) {
        add_vector(&low[0], &high[0], p);
        add_vector(&low[1], &high[1], p + 32);
        add_vector(&low[0], &high[0], p + 64);
        add_vector(&low[1], &high[1], p + 96);
        p += 128;
        len -= 128;
    }
    while (len >= 32) {
        add_vector(&low[0], &high[0], p);
        p += 32;
        len -= 32;
    }
    __m256i all =
        _mm256_add_epi64(_mm256_add_epi64(low[0], low[1]), _mm256_add_epi64(high[0], high[1]));
    uint64_t lanes[4];
    _mm256_storeu_si256((__m256i *)(void *)lanes, all);
    uint64_t sum = halve(lanes[0]) + halve(lanes[1]) + halve(lanes[2]) + halve(lanes[3]);
    return sum + sum_plain(p, len);
}

static uint64_t sum_octets(const uint8_t *p, size_t len)
{
    if (len >= VECTOR_MIN && __builtin_cpu_supports("avx2"))
        return sum_avx2(p, len);
    return sum_plain(p, len);
}
#else
static uint64_t sum_octets(const uint8_t *p, size_t len)
{
    return sum_plain(p, len);
}
#endif

/* True where the first octet in memory is the low one. */
static inline bool little_endian(void)
{
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first == 1;
}

uint64_t checksum_sum(struct bytes in)
{
    uint16_t sum = checksum_fold(sum_octets(in.data, in.len));
    return little_endian() ? swap_octets(sum) : sum;
}

uint64_t checksum_add(uint64_t sum, struct bytes in, size_t offset)
{
    uint16_t part = (uint16_t)checksum_sum(in);
    return halve(sum) + (offset % 2 == 0 ? part : swap_octets(part));
}

static uint64_t sum_of_address(const struct ip_address *a)
{
    return checksum_sum(bytes_of(a->octets, sizeof a->octets));
}

uint64_t checksum_pseudo(const struct ip_address *source, const struct ip_address *target,
                         uint8_t protocol, uint32_t len)
{
    uint64_t sum = (uint64_t)protocol + (len >> 16) + (len & UINT16_MAX);
    /* IPv4's is the same sum with the bare addresses, and `len` in 16 bits. */
    if (address_is_v4(source) && address_is_v4(target)) {
        uint64_t both = (uint64_t)address_v4_value(source) + address_v4_value(target);
        return sum + (both & UINT32_MAX) + (both >> 32);
    }
    return sum + sum_of_address(source) + sum_of_address(target);
}

uint16_t checksum_update(uint16_t field, uint16_t old_word, uint16_t new_word)
{
    uint64_t sum = (uint64_t)(uint16_t)~field + (uint16_t)~old_word + new_word;
    return (uint16_t)~checksum_fold(sum);
}

void checksum_complete(struct frame *frame)
{
    struct frame_offload *offload = &frame->offload;
    if (offload->checksum != FRAME_CHECKSUM_PARTIAL)
        return;
    size_t start = offload->checksum_start;
    size_t end = frame_headroom(frame) + frame->len;
    ASSERT(start >= frame_headroom(frame) && start + offload->checksum_offset + 2 <= end);

    /* The field holds the pseudo-header's sum, so that it takes part as it is. */
    uint64_t sum = checksum_sum(bytes_of(frame->storage + start, end - start));
    size_t offset = end - start;
    for (size_t i = 0; i < frame->slice_count; i++) {
        const struct slice *slice = &frame->slices[i];
        sum = checksum_add(sum, bytes_of(slice->data, slice->len), offset);
        offset += slice->len;
    }
    /* Zero would say "not computed" in UDP (RFC 768); its other form is right for all. */
    uint16_t value = (uint16_t)~checksum_fold(sum);
    if (value == 0)
        value = UINT16_MAX;
    uint8_t *field = frame->storage + start + offload->checksum_offset;
    field[0] = (uint8_t)(value >> 8);
    field[1] = (uint8_t)value;
    offload->checksum = FRAME_CHECKSUM_FULL;
}
