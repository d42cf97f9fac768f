/* SPDX-License-Identifier: ISC */
/*
 * dns_bitmap.h - the bitmap of types in NSEC, NSEC3 and CSYNC (RFC 4034 §4.1.2): windows of 256
 * types, each as long as its last type needs.
 */
#ifndef WN_WIRE_DNS_DNS_BITMAP_H
#define WN_WIRE_DNS_DNS_BITMAP_H

#include "base/bytes.h"

enum {
    DNS_BITMAP_MAX = 256 * (2 + 32),
};

/* Writes the bitmap of `count` types, which are in ascending order. */
void dns_bitmap_write(struct writer *w, const uint16_t *types, size_t count);

/* Is the type in a valid bitmap? */
bool dns_bitmap_has(struct bytes bitmap, uint16_t type);

#endif
