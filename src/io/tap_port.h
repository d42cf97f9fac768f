/* SPDX-License-Identifier: ISC */
/*
 * tap_port.h - a TAP device as the port of a node, with checksum and segmentation offload, an
 * optional virtual wire with impairments in between, and an optional capture.
 *
 * With a wire that impairs, super-segments would be lost or delayed whole: the caller must then open
 * the device without offloads, so that what crosses is what a real Ethernet carries.
 */
#ifndef WN_IO_TAP_PORT_H
#define WN_IO_TAP_PORT_H

#include "io/capture.h"
#include "io/node.h"
#include "sim/wire.h"

struct tap_port;

enum { TAP_VNET_HEADER_LEN = 12 }; /* virtio_net_hdr_v1; TUNSETVNETHDRSZ */

struct tap_port_options {
    int fd;                    /* taken, also when this fails: O_NONBLOCK, IFF_TAP | IFF_NO_PI */
    unsigned interface;        /* of the node's stack */
    bool vnet;                 /* IFF_VNET_HDR with TAP_VNET_HEADER_LEN */
    uint16_t mtu;
    const char *name;          /* in the capture */
    struct mac mac;
    struct capture *capture;   /* NULL: none; borrowed */
    const struct wire_options *wire; /* NULL: ideal. Copied; its heap may be
                                        unset. WIRE_A is the guest's end */
};

MUST_USE int tap_port_new(struct node *node, const struct tap_port_options *options,
                          struct tap_port **out);
void tap_port_free(struct tap_port *port);

struct tap_port_counters {
    uint64_t frames_in, octets_in, frames_out, octets_out;
    uint64_t no_memory;      /* frames not read for want of buffers, times */
    uint64_t malformed;      /* offload facts that contradict the frame */
    uint64_t write_failed;   /* frames the device refused for good */
    struct wire_counters from_guest, to_guest; /* zero without a wire */
};
void tap_port_counters(const struct tap_port *port, struct tap_port_counters *out);

#endif
