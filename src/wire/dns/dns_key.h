/* SPDX-License-Identifier: ISC */
/*
 * dns_key.h - names as keys of ordered tables: compared octet by octet, keys stand in the canonical
 * order of names (RFC 4034 §6.1), and the key of an ancestor is a prefix of its descendants'.
 *
 * A key has the labels from the root down, in lower case, each followed by a zero. The octets 0 and 1
 * in a label are written as two, 1 and then 1 or 2, so that they stay behind the zero and in order.
 */
#ifndef WN_WIRE_DNS_DNS_KEY_H
#define WN_WIRE_DNS_DNS_KEY_H

#include "wire/dns/dns_name.h"

enum { DNS_KEY_MAX = 512 }; /* twice the octets of the longest name */

/* Returns how many octets it wrote. The root's key is empty. */
size_t dns_key_of(const struct dns_name *name, uint8_t out[DNS_KEY_MAX]);

/* The name that has that key below `origin`: what dns_key_of() made of it, without what it made of the
 * origin. In lower case but for the origin. The key must be one that was made so. */
void dns_key_name(struct bytes key, const struct dns_name *origin, struct dns_name *out);

#endif
