/* SPDX-License-Identifier: ISC */
/*
 * udp_header.h - User Datagram Protocol header (RFC 768).
 *
 * Decoding checks everything that can be checked without the IP header; the checksum covers a
 * pseudo-header, so the caller verifies it: checksum_pseudo() and, where the field is not zero,
 * the sum of the datagram must fold to 0xffff.
 */
#ifndef WN_WIRE_INET_UDP_HEADER_H
#define WN_WIRE_INET_UDP_HEADER_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/frame.h"
#include "wire/status.h"

enum {
    UDP_HEADER_LEN = 8,
    UDP_PAYLOAD_MAX = 65535 - UDP_HEADER_LEN,
    UDP_CHECKSUM_OFFSET = 6, /* for frame_offload.checksum_offset */
};

struct udp_header {
    uint16_t source_port; /* 0: the sender expects no reply */
    uint16_t target_port;
    uint16_t checksum;    /* 0: not computed; legal over IPv4 only (RFC 8200 §8.1) */
    struct bytes payload; /* borrowed from the datagram that was decoded */
};

/* On WIRE_OK fills *out; on anything else leaves it untouched. Octets past Length are ignored. */
MUST_USE enum wire_status udp_decode(struct bytes datagram, struct udp_header *out);

/* Writes the header for `header->payload`, and the payload; `checksum` goes out as it stands. */
void udp_encode(const struct udp_header *header, struct writer *w);

/* Puts the header in front of what the frame has, which is the payload; header->payload is not
 * looked at, and the checksum goes out as it stands. There must be headroom. */
void udp_push(struct frame *frame, const struct udp_header *header);

#endif
