/* SPDX-License-Identifier: ISC */
/*
 * arp_packet.h - Address Resolution Protocol packets (RFC 826), for IPv4 over Ethernet. Probes and
 * announcements are RFC 5227's.
 */
#ifndef WN_WIRE_LINK_ARP_PACKET_H
#define WN_WIRE_LINK_ARP_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/bytes.h"
#include "wire/status.h"

enum { ARP_LEN = 28 };

enum arp_operation { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct arp_packet {
    uint16_t operation;       /* enum arp_operation; others are decoded too, to be ignored */
    struct mac source_mac;    /* "sender hardware address" */
    struct ip_address source; /* "sender protocol address" */
    struct mac target_mac;
    struct ip_address target;
};

/* Octets behind the packet (padding of the link) are ignored. WIRE_UNSUPPORTED for other hardware
 * or protocols. On WIRE_OK fills *out; on anything else leaves it untouched. */
MUST_USE enum wire_status arp_decode(struct bytes in, struct arp_packet *out);

void arp_encode(const struct arp_packet *packet, struct writer *w);

/* Does the sender ask whether anyone has the address (RFC 5227 §1.1, "ARP Probe")? */
static inline bool arp_is_probe(const struct arp_packet *packet)
{
    return packet->operation == ARP_REQUEST && address_is_any(&packet->source);
}

/* Does the sender tell its own address (RFC 5227 §1.1, "ARP Announcement")? */
static inline bool arp_is_announcement(const struct arp_packet *packet)
{
    return !address_is_any(&packet->source) && address_equal(&packet->source, &packet->target);
}

#endif
