/* SPDX-License-Identifier: ISC */
/*
 * address.h - IP addresses, prefixes, endpoints and link-layer addresses, and their text.
 *
 * One type serves both versions: an IPv4 address is held in its IPv4-mapped form, ::ffff:a.b.c.d
 * (RFC 4291 §2.5.5.2), so that tables, keys and interfaces need no second case. All octets zero is
 * "::"; the IPv4 wildcard is ::ffff:0.0.0.0. Octets are in network order.
 */
#ifndef WN_BASE_ADDRESS_H
#define WN_BASE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

struct ip_address {
    uint8_t octets[16];
};

struct ip_prefix {
    struct ip_address address;
    uint8_t len; /* 0 to 32 for IPv4, 0 to 128 for IPv6 */
};

struct endpoint {
    struct ip_address address;
    uint16_t port;
};

struct mac {
    uint8_t octets[6];
};

enum {
    ADDRESS_TEXT_MAX = 46,  /* an IPv6 address with a NUL */
    PREFIX_TEXT_MAX = 50,
    ENDPOINT_TEXT_MAX = 54, /* [address]:65535 with a NUL */
    MAC_TEXT_MAX = 18,
};

/* An IPv4 address from its value, most significant octet first: 0x0a000201 is 10.0.2.1. */
struct ip_address address_v4(uint32_t value);

/* The value of an IPv4 address; 0 for one that is not. */
uint32_t address_v4_value(const struct ip_address *a);

static inline bool address_equal(const struct ip_address *a, const struct ip_address *b)
{
    return memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

bool address_is_v4(const struct ip_address *a);
bool address_is_any(const struct ip_address *a);       /* 0.0.0.0 or :: */
bool address_is_loopback(const struct ip_address *a);  /* 127.0.0.0/8 or ::1 */
bool address_is_multicast(const struct ip_address *a); /* 224.0.0.0/4 or ff00::/8 */
bool address_is_broadcast(const struct ip_address *a); /* 255.255.255.255 */
bool address_is_link_local(const struct ip_address *a); /* 169.254.0.0/16 or fe80::/10 */

/* 0.0.0.0 and ::. */
struct ip_address address_any_v4(void);
struct ip_address address_any_v6(void);

bool prefix_contains(const struct ip_prefix *prefix, const struct ip_address *a);

/* The last address of an IPv4 prefix, to which all hosts in it listen; meaningless for len > 30. */
struct ip_address prefix_broadcast(const struct ip_prefix *prefix);

/* 24 -> 255.255.255.0 as a value; len <= 32. */
uint32_t prefix_mask_v4(uint8_t len);

static inline bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && address_equal(&a->address, &b->address);
}

bool mac_equal(const struct mac *a, const struct mac *b);
bool mac_is_multicast(const struct mac *a); /* broadcast too */

/*
 * Text. Parsing takes the whole input or fails, leaving *out untouched: IPv4 in dotted quad without
 * leading zeros or short forms, IPv6 by RFC 4291 §2.2; prefixes as address/len; endpoints as
 * address:port, [address]:port. Formatting writes the canonical text (RFC 5952) with a NUL and
 * returns `out`, which must have room for *_TEXT_MAX.
 */
MUST_USE bool address_parse(struct bytes text, struct ip_address *out);
MUST_USE bool prefix_parse(struct bytes text, struct ip_prefix *out);
MUST_USE bool endpoint_parse(struct bytes text, struct endpoint *out);
MUST_USE bool mac_parse(struct bytes text, struct mac *out);
char *address_format(const struct ip_address *a, char out[ADDRESS_TEXT_MAX]);
char *prefix_format(const struct ip_prefix *prefix, char out[PREFIX_TEXT_MAX]);
char *endpoint_format(const struct endpoint *e, char out[ENDPOINT_TEXT_MAX]);
char *mac_format(const struct mac *a, char out[MAC_TEXT_MAX]);

#endif
