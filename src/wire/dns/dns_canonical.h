/* SPDX-License-Identifier: ISC */
/*
 * dns_canonical.h - records as they are signed and digested (RFC 4034 §6, RFC 6840 §5.1): the form of one,
 * and the order of those that have one owner and type.
 */
#ifndef WN_WIRE_DNS_DNS_CANONICAL_H
#define WN_WIRE_DNS_DNS_CANONICAL_H

#include "wire/dns/dns_record.h"

/* Writes valid RDATA with its names in lower case where the type asks for that. */
void dns_canonical_write(uint16_t type, struct bytes rdata, struct writer *w);

/* Octets in a buffer. */
struct dns_piece {
    uint32_t at, len;
};

/* In the order of RFC 4034 §6.3: as octets, a prefix first. */
int dns_canonical_compare(const uint8_t *base, const struct dns_piece *a, const struct dns_piece *b);
void dns_canonical_sort(const uint8_t *base, struct dns_piece *list, size_t count);

#endif
