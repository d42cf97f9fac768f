/* SPDX-License-Identifier: ISC */
/*
 * checksum.h - the Internet checksum (RFC 1071).
 *
 * A sum is the 64-bit accumulation of 16-bit words in network byte order; sums of consecutive
 * parts may be added when every part but the last has an even length (checksum_add handles odd
 * ones when told the offset). checksum_fold() makes the 16-bit one's complement sum; the field of
 * a header is its complement.
 */
#ifndef WN_BASE_CHECKSUM_H
#define WN_BASE_CHECKSUM_H

#include <stdint.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/frame.h"

/* The unfolded sum of `in`, as if it began at an even offset. Fast on long inputs. */
uint64_t checksum_sum(struct bytes in);

/* `sum` plus the sum of `in`, which begins `offset` octets after the start of what is summed. */
uint64_t checksum_add(uint64_t sum, struct bytes in, size_t offset);

/* The one's complement sum in 16 bits, not complemented. */
uint16_t checksum_fold(uint64_t sum);

/* The field's value for a header or packet whose checksum field is zero; 0 when a packet whose
 * field is filled in verifies. */
static inline uint16_t checksum_of(struct bytes in)
{
    return (uint16_t)~checksum_fold(checksum_sum(in));
}

/* Sum of the pseudo-header (RFC 9293 §3.1, RFC 768; RFC 8200 §8.1 when both are IPv6). `len`
 * counts the transport header and its payload. */
uint64_t checksum_pseudo(const struct ip_address *source, const struct ip_address *target,
                         uint8_t protocol, uint32_t len);

/* The field after a 16-bit word of the covered data changed (RFC 1624, equation 3). */
uint16_t checksum_update(uint16_t field, uint16_t old_word, uint16_t new_word);

/* Turns FRAME_CHECKSUM_PARTIAL into FRAME_CHECKSUM_FULL: for devices that do not. */
void checksum_complete(struct frame *frame);

#endif
