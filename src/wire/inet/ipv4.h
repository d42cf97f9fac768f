/* SPDX-License-Identifier: ISC */
/*
 * ipv4.h - the header of IP version 4 (RFC 791 §3.1) and its options.
 *
 * Type of Service is read as RFC 2474 and RFC 3168 define it: traffic_class has DSCP and ECN.
 */
#ifndef WN_WIRE_INET_IPV4_H
#define WN_WIRE_INET_IPV4_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/frame.h"
#include "wire/status.h"

enum {
    IPV4_HEADER_LEN = 20, /* without options */
    IPV4_HEADER_MAX = 60, /* IHL has four bits, counting words */
    IPV4_PACKET_MAX = 65535,
    IPV4_MTU_MIN = 68, /* RFC 791 §3.2: every network carries this without fragmentation */
    IPV4_CHECKSUM_OFFSET = 10,
    IPV4_TTL_OFFSET = 8,
};

/* Numbers assigned to what an IP packet carries. */
enum ip_protocol {
    IP_PROTOCOL_ICMP = 1,
    IP_PROTOCOL_IGMP = 2,
    IP_PROTOCOL_TCP = 6,
    IP_PROTOCOL_UDP = 17,
    IP_PROTOCOL_ICMPV6 = 58,
};

enum ip_ecn { IP_NOT_ECT = 0, IP_ECT_1 = 1, IP_ECT_0 = 2, IP_CE = 3, IP_ECN_MASK = 3 };

struct ipv4_header {
    struct ip_address source;
    struct ip_address target;
    uint16_t total_len; /* header and payload; encoding takes it from the caller, see there */
    uint16_t identification;
    uint16_t fragment_offset; /* in octets: a multiple of 8 */
    bool dont_fragment;
    bool more_fragments;
    uint8_t ttl;
    uint8_t protocol;
    uint8_t traffic_class;
    uint8_t header_len;   /* with options; encoding sets it by itself */
    struct bytes options; /* borrowed, 0 to 40 octets, a multiple of 4 when decoded */
    struct bytes payload; /* borrowed: exactly Total Length less the header */
};

/* Is the packet a part of a larger one? */
static inline bool ipv4_is_fragment(const struct ipv4_header *header)
{
    return header->more_fragments || header->fragment_offset != 0;
}

/*
 * Checks version, lengths and the header's checksum. Octets behind Total Length (padding of the
 * link) are left out. On WIRE_OK fills *out; on anything else leaves it untouched.
 */
MUST_USE enum wire_status ipv4_decode(struct bytes packet, struct ipv4_header *out);

/*
 * As ipv4_decode(), for the start of a packet quoted in an ICMP error: the payload is what there is
 * of it, and neither the checksum nor Total Length is checked, since routers change and cut these.
 */
MUST_USE enum wire_status ipv4_decode_quoted(struct bytes quoted, struct ipv4_header *out);

/* Writes the header, its checksum computed, with total_len as it stands; not the payload. Options
 * are padded with End of Option List. */
void ipv4_encode(const struct ipv4_header *header, struct writer *w);

/* Puts the header in front of what the frame has, with total_len made from frame_total(), which
 * must fit in a packet; there must be headroom. */
void ipv4_push(struct frame *frame, const struct ipv4_header *header);

/* RFC 791 §3.1, "Options". */
enum ipv4_option_type {
    IPV4_OPTION_END = 0,
    IPV4_OPTION_NOP = 1,
    IPV4_OPTION_RECORD_ROUTE = 7,
    IPV4_OPTION_TIMESTAMP = 68,
    IPV4_OPTION_SECURITY = 130,
    IPV4_OPTION_LOOSE_ROUTE = 131,
    IPV4_OPTION_STRICT_ROUTE = 137,
    IPV4_OPTION_ROUTER_ALERT = 148, /* RFC 2113 */
    IPV4_OPTION_COPIED = 0x80,      /* flag: goes into every fragment */
};

struct ipv4_option {
    uint8_t type;
    struct bytes data; /* behind type and length; borrowed */
};

enum ipv4_option_status { IPV4_OPTION_FOUND, IPV4_OPTION_NONE, IPV4_OPTION_MALFORMED };

/* Takes the next option off the front of *options, NOPs skipped. At NONE or MALFORMED, which is a
 * length that is not so, there are no more. */
MUST_USE enum ipv4_option_status ipv4_option_next(struct bytes *options, struct ipv4_option *out);

#endif
