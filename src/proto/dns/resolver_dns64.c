/* SPDX-License-Identifier: ISC */
/*
 * resolver_dns64.c - when IPv6 addresses are made of IPv4 ones, for those behind a translator (RFC 6147).
 */
#include "proto/dns/resolver_internal.h"

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
