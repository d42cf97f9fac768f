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

enum {
    VECTOR_MIN = 128,     /* octets below which the vectors' set-up costs more than it saves */
    VECTOR_MAX = 1 << 19, /* above which a lane of 32 bits, with 2^16 a step of 32, could overflow */
};
_Static_assert((int)FRAME_PACKET_MAX <= (int)VECTOR_MAX, "packets are summed by vectors");

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
/* Sixteen words, less 2^15 each: so they are signed, and added in pairs at once. */
__attribute__((target("avx2"))) static inline __m256i add_words(__m256i sum, const uint8_t *p)
{
    const __m256i bias = _mm256_set1_epi16(INT16_MIN);
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i words = _mm256_loadu_si256((const __m256i *)(const void *)p);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_xor_si256(words, bias), ones));
}

__attribute__((target("avx2"))) static uint64_t sum_avx2(const uint8_t *p, size_t len)
{
    __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    uint64_t biased = len / 32 * 16;
    while (len >= 128) {
        sums[0] = add_words(sums[0], p);
        sums[1] = add_words(sums[1], p + 32);
        sums[0] = add_words(sums[0], p + 64);
        sums[1] = add_words(sums[1], p + 96);
        p += 128;
        len -= 128;
    }
    while (len >= 32) {
        sums[0] = add_words(sums[0], p);
        p += 32;
        len -= 32;
    }
    int32_t lanes[8];
    _mm256_storeu_si256((__m256i *)(void *)lanes, _mm256_add_epi32(sums[0], sums[1]));
    int64_t sum = (int64_t)(biased << 15);
    for (size_t i = 0; i < ARRAY_LEN(lanes); i++)
        sum += lanes[i];
    return (uint64_t)sum + sum_plain(p, len);
}

static uint64_t sum_octets(const uint8_t *p, size_t len)
{
    if (len >= VECTOR_MIN && len <= VECTOR_MAX && __builtin_cpu_supports("avx2"))
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
