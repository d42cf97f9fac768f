/* SPDX-License-Identifier: ISC */
/*
 * ethernet.h - frames of Ethernet (IEEE 802.3 clause 3; IP in them by RFC 894 and RFC 1042) and
 * the VLAN tag (IEEE 802.1Q). The frame check sequence is the device's and never seen here.
 */
#ifndef WN_WIRE_LINK_ETHERNET_H
#define WN_WIRE_LINK_ETHERNET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/frame.h"
#include "wire/status.h"

enum {
    ETHERNET_HEADER_LEN = 14, /* without a tag */
    ETHERNET_TAG_LEN = 4,
    ETHERNET_SNAP_LEN = 8, /* LLC and SNAP, behind an 802.3 length */
    ETHERNET_HEADER_MAX = ETHERNET_HEADER_LEN + ETHERNET_TAG_LEN + ETHERNET_SNAP_LEN,
    ETHERNET_LENGTH_MAX = 1500, /* a type field up to this is an 802.3 length */
};

enum ethernet_type {
    ETHERNET_IPV4 = 0x0800,
    ETHERNET_ARP = 0x0806,
    ETHERNET_VLAN = 0x8100,
    ETHERNET_IPV6 = 0x86dd,
};

enum ethernet_framing {
    ETHERNET_II,   /* the type field is the EtherType */
    ETHERNET_SNAP, /* 802.3 length, LLC AA-AA-03, SNAP with organisation 00-00-00 (RFC 1042) */
    ETHERNET_LLC,  /* 802.3 length and another LLC: no EtherType; payload begins at the LLC */
};

struct ethernet_header {
    struct mac target;
    struct mac source;
    uint16_t type; /* EtherType of the payload; 0 with ETHERNET_LLC */
    uint8_t framing;
    bool tagged;
    uint16_t tag;         /* priority (3 bits), drop eligible (1), VLAN identifier (12) */
    uint8_t header_len;   /* where the payload begins; encoding sets it by itself */
    struct bytes payload; /* borrowed; with an 802.3 length exactly that, else with any padding */
};

/* One tag is read; what a second one covers is its payload, of type ETHERNET_VLAN. On WIRE_OK fills
 * *out; on anything else leaves it untouched. */
MUST_USE enum wire_status ethernet_decode(struct bytes frame, struct ethernet_header *out);

/* Writes header and header->payload. */
void ethernet_encode(const struct ethernet_header *header, struct writer *w);

/* Puts the header in front of what the frame has, which is the payload (header->payload is not
 * looked at). There must be headroom. */
void ethernet_push(struct frame *frame, const struct ethernet_header *header);

/* ff:ff:ff:ff:ff:ff. */
struct mac ethernet_broadcast(void);

/* The group address of an IPv4 (RFC 1112 §6.4) or IPv6 (RFC 2464 §7) multicast address. */
struct mac ethernet_multicast(const struct ip_address *group);

#endif
