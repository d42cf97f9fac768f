/* SPDX-License-Identifier: ISC */
/*
 * tap.h - opens a TAP device: a network interface of the kernel whose other end is a descriptor
 * that gives and takes Ethernet frames, each with a struct virtio_net_hdr in front.
 */
#ifndef WN_OS_TAP_H
#define WN_OS_TAP_H

#include <stdbool.h>

#include "base/compiler.h"

enum { TAP_NAME_SIZE = 16 };

struct tap_options {
    const char *path;      /* of the clone device; NULL: /dev/net/tun */
    const char *name;      /* "tap0", "wn%d"; NULL: the kernel chooses */
    int vnet_header_len;   /* 10 or 12 (virtio_net_hdr_v1); 0: no header, and no offload */
    bool offload;          /* the kernel may give us partial checksums and TCP super-segments */
    bool queues;           /* IFF_MULTI_QUEUE: open the same name again for another queue */
};

struct tap {
    int fd;                /* non-blocking, close-on-exec */
    char name[TAP_NAME_SIZE];
    bool tso6;             /* super-segments of IPv6 too */
};

/* 0 or a negative errno: -ENOENT or -ENODEV: no such device or no driver; -EPERM: neither root in
 * this network namespace nor the device's owner; -EBUSY: in use. The device goes with the last
 * descriptor. */
MUST_USE int tap_open(const struct tap_options *options, struct tap *out);

/* Does the kernel cut what is written with TAP_GSO_UDP into datagrams (Linux 6.2)? Only while nothing was read
 * from the device yet. */
enum { TAP_GSO_UDP = 5 }; /* VIRTIO_NET_HDR_GSO_UDP_L4 */
bool tap_cuts_datagrams(int fd);

/* A sentence part for people about what tap_open() returned. Static. */
const char *tap_error_text(int error);

#endif
