/* SPDX-License-Identifier: ISC */
/*
 * dns_option.h - the options of an OPT record that somebody here sends or reads (RFC 6891 §6.1.2),
 * and extended errors (RFC 8914).
 */
#ifndef WN_WIRE_DNS_DNS_OPTION_H
#define WN_WIRE_DNS_DNS_OPTION_H

#include "base/bytes.h"

enum dns_option {
    DNS_OPTION_NSID = 3,     /* RFC 5001 */
    DNS_OPTION_SUBNET = 8,   /* RFC 7871 */
    DNS_OPTION_COOKIE = 10,  /* RFC 7873 */
    DNS_OPTION_KEEPALIVE = 11, /* RFC 7828 */
    DNS_OPTION_PADDING = 12, /* RFC 7830 */
    DNS_OPTION_EDE = 15,     /* RFC 8914 */
};

enum {
    DNS_OPTION_HEAD_LEN = 4, /* code and length */
    DNS_COOKIE_CLIENT_LEN = 8,
    DNS_COOKIE_MAX = 40,     /* a server's cookie has 8 to 32 octets */
};

/* RFC 8914 §4 and the registry that it began. */
enum dns_ede {
    DNS_EDE_OTHER = 0,
    DNS_EDE_UNSUPPORTED_ALGORITHM = 1,
    DNS_EDE_UNSUPPORTED_DIGEST = 2,
    DNS_EDE_STALE = 3,
    DNS_EDE_FORGED = 4,
    DNS_EDE_INDETERMINATE = 5,
    DNS_EDE_BOGUS = 6,
    DNS_EDE_SIGNATURE_EXPIRED = 7,
    DNS_EDE_SIGNATURE_NOT_YET = 8,
    DNS_EDE_DNSKEY_MISSING = 9,
    DNS_EDE_RRSIGS_MISSING = 10,
    DNS_EDE_NO_ZONE_KEY = 11,
    DNS_EDE_NSEC_MISSING = 12,
    DNS_EDE_CACHED_ERROR = 13,
    DNS_EDE_NOT_READY = 14,
    DNS_EDE_BLOCKED = 15,
    DNS_EDE_CENSORED = 16,
    DNS_EDE_FILTERED = 17,
    DNS_EDE_PROHIBITED = 18,
    DNS_EDE_STALE_NXDOMAIN = 19,
    DNS_EDE_NOT_AUTHORITATIVE = 20,
    DNS_EDE_NOT_SUPPORTED = 21,
    DNS_EDE_NO_REACHABLE_AUTHORITY = 22,
    DNS_EDE_NETWORK_ERROR = 23,
    DNS_EDE_INVALID_DATA = 24,
    DNS_EDE_SIGNATURE_TOO_EARLY = 25,
    DNS_EDE_TOO_EARLY = 26,
    DNS_EDE_NSEC3_ITERATIONS = 27,
    DNS_EDE_POLICY = 28,
    DNS_EDE_SYNTHESIZED = 29,
    DNS_EDE_COUNT,
    DNS_EDE_NONE = 0xffff, /* here: there is nothing to say */
};

/* "DNSSEC Bogus", …; "unknown" for a code without a name. Static. */
const char *dns_ede_text(unsigned code);

/* Writes one option. */
static inline void dns_option_write(struct writer *w, uint16_t code, struct bytes value)
{
    write_u16(w, code);
    write_u16(w, (uint16_t)value.len);
    write_bytes(w, value);
}

/* Adds an option to a message whose last record is its OPT, within `size` octets. Returns the new
 * length; `len` when there is no such record, or no room. */
size_t dns_option_append(uint8_t *message, size_t len, size_t size, uint16_t code,
                         struct bytes value);

#endif
