/* SPDX-License-Identifier: ISC */
/*
 * resolver_dns64.c - IPv6 addresses made of IPv4 ones, for those behind a translator (RFC 6147, addresses
 * by RFC 6052 §2.2).
 *
 * SKIPS RFC 6147 §5.3.1: reverse names of such addresses are asked for as they are.
 */
#include "proto/dns/resolver_internal.h"

enum { V6_LEN = 16, U_OCTET = 8 }; /* which is zero in them all */

/* Who wants signatures and looks at them himself would find none (§5.5). */
bool resolver_dns64_wanted(const struct resolver *r, const struct answer_query *query)
{
    return r->options.dns64.len != 0 && query->question.type == DNS_AAAA &&
           !(query->dnssec_ok && (query->flags & DNS_CD) != 0);
}

/* Addresses of IPv4 in the clothes of IPv6 are none (§5.1.4). */
bool resolver_dns64_lacks(const struct cache_content *c)
{
    struct reader list = reader_of(c->records);
    struct bytes rdata;
    while (c->kind == CACHE_DATA && cache_read_rdata(&list, &rdata)) {
        struct ip_address a;
        struct reader rd = reader_of(rdata);
        read_copy(&rd, a.octets, sizeof a.octets);
        if (!rd.failed && !address_is_v4(&a))
            return false;
    }
    return c->kind == CACHE_DATA || c->kind == CACHE_NODATA;
}

void resolver_dns64_make(const struct ip_prefix *prefix, const uint8_t v4[4], uint8_t out[16])
{
    size_t at = prefix->len / 8;
    memset(out, 0, V6_LEN);
    memcpy(out, prefix->address.octets, at);
    for (size_t i = 0; i < 4; i++, at++) {
        at += at == U_OCTET;
        out[at] = v4[i];
    }
}

bool resolver_dns64_valid(const struct ip_prefix *prefix)
{
    static const uint8_t lens[] = {32, 40, 48, 56, 64, 96};
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(lens); i++)
        known |= prefix->len == lens[i];
    return known && !address_is_v4(&prefix->address) && prefix->address.octets[U_OCTET] == 0;
}
