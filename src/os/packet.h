/* SPDX-License-Identifier: ISC */
/*
 * packet.h - a packet socket: Ethernet frames of one interface of the kernel, for a DHCP client
 * that must speak before it has an address (RFC 2131 §4.1).
 */
#ifndef WN_OS_PACKET_H
#define WN_OS_PACKET_H

#include "base/address.h"

/* Frames of unfragmented IPv4 UDP datagrams to `udp_port` on interface `index`, whole. The
 * descriptor (non-blocking, close-on-exec), or a negative errno (-EPERM: needs CAP_NET_RAW). */
MUST_USE int packet_open_udp(unsigned index, uint16_t udp_port);

/* The next frame's length, or a negative errno (-EAGAIN: none waits; -EMSGSIZE: longer than `size`,
 * and gone). *checksummed: the transport checksum is in the frame; false for frames that this
 * machine sends to itself, where it is left to a device that does not exist. */
MUST_USE int packet_receive(int fd, void *buffer, size_t size, bool *checksummed);

/* Sends an Ethernet frame. 0 or a negative errno. */
MUST_USE int packet_send(int fd, struct bytes frame);

#endif
