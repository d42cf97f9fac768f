/* SPDX-License-Identifier: ISC */
/*
 * dns64.h - IPv6 addresses in which IPv4 ones lie, for those behind a translator (RFC 6052 §2.2), and the names of both
 * for the way back (RFC 6147 §5.3.1).
 */
#ifndef WN_PROTO_DNS_DNS64_H
#define WN_PROTO_DNS_DNS64_H

#include "base/address.h"
#include "wire/dns/dns_name.h"

enum { DNS64_TTL = 600 }; /* seconds: of what is made and has no other */

/* Is that a prefix by RFC 6052 §2.2? */
bool dns64_valid(const struct ip_prefix *prefix);

/* The IPv6 address that stands for the IPv4 one. */
void dns64_make(const struct ip_prefix *prefix, const uint8_t v4[4], uint8_t out[16]);

/* If `name` is the reverse one of such an address: that of the IPv4 address in it. */
MUST_USE bool dns64_reverse(const struct ip_prefix *prefix, const struct dns_name *name,
                            struct dns_name *out);

#endif
