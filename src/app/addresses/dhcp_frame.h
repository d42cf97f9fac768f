/* SPDX-License-Identifier: ISC */
/*
 * dhcp_frame.h - DHCP messages as whole Ethernet frames, for a client that has no address yet and
 * so speaks through a packet socket (RFC 2131 §4.1).
 */
#ifndef WN_APP_ADDRESSES_DHCP_FRAME_H
#define WN_APP_ADDRESSES_DHCP_FRAME_H

#include "base/address.h"
#include "wire/dhcp/dhcp.h"

enum { DHCP_FRAME_MAX = 14 + 20 + 8 + DHCP_MESSAGE_MAX };

struct dhcp_frame {
    struct mac source;
    struct mac target;
    struct ip_address from;
    struct ip_address to;
    struct bytes message; /* decoded: borrowed from the frame */
};

/* From a client to servers: port 68 to port 67. */
void dhcp_frame_encode(const struct dhcp_frame *frame, struct writer *w);

/*
 * A server's datagram to port 68. False for all else.
 *
 * DEVIATES RFC 1122 §4.1.3.4: a UDP checksum that covers the pseudo-header alone passes. Frames
 * that never leave this machine carry such, for a device to complete that does not exist.
 */
MUST_USE bool dhcp_frame_decode(struct bytes octets, struct dhcp_frame *out);

#endif
