/* SPDX-License-Identifier: ISC */
/* dns64.c - where in an IPv6 address the octets of an IPv4 one lie: behind the prefix, and not in octet 8. */
#include "proto/dns/dns64.h"

#include <string.h>

#include "base/compiler.h"

enum { V6_LEN = 16, U_OCTET = 8 }; /* which is zero in them all */

bool dns64_valid(const struct ip_prefix *prefix)
{
    static const uint8_t lens[] = {32, 40, 48, 56, 64, 96};
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(lens); i++)
        known |= prefix->len == lens[i];
    return known && !address_is_v4(&prefix->address) && prefix->address.octets[U_OCTET] == 0;
}

void dns64_make(const struct ip_prefix *prefix, const uint8_t v4[4], uint8_t out[16])
{
    size_t at = prefix->len / 8;
    memset(out, 0, V6_LEN);
    memcpy(out, prefix->address.octets, at);
    for (size_t i = 0; i < 4; i++, at++) {
        at += at == U_OCTET;
        out[at] = v4[i];
    }
}

bool dns64_reverse(const struct ip_prefix *prefix, const struct dns_name *name, struct dns_name *out)
{
    struct ip_address address;
    uint8_t v4[4];
    uint8_t made[V6_LEN];
    if (!dns_name_reverse_address(name, &address) || !prefix_contains(prefix, &address))
        return false;
    for (size_t i = 0, at = prefix->len / 8; i < 4; i++, at++) {
        at += at == U_OCTET;
        v4[i] = address.octets[at];
    }
    dns64_make(prefix, v4, made);
    if (memcmp(made, address.octets, V6_LEN) != 0)
        return false; /* there is something behind it: none that we have made */
    struct ip_address inner = address_v4((uint32_t)v4[0] << 24 | (uint32_t)v4[1] << 16 |
                                         (uint32_t)v4[2] << 8 | v4[3]);
    dns_name_reverse(&inner, out);
    return true;
}
