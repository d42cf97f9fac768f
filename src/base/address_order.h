/* SPDX-License-Identifier: ISC */
/*
 * address_order.h - which of several addresses of a host is tried first (RFC 6724 §6).
 *
 * SKIPS RFC 6724 §6 rules 3, 4 and 7: nobody here has deprecated or home addresses, or knows of tunnels below.
 * DEVIATES RFC 6724 §6 rule 9: of two IPv4 addresses the one with the longer common prefix is preferred only
 * where it is on our network; it would always be the same one of a service's many otherwise.
 */
#ifndef WN_BASE_ADDRESS_ORDER_H
#define WN_BASE_ADDRESS_ORDER_H

#include "base/address.h"

struct address_candidate {
    struct ip_address address;
    struct ip_prefix source; /* what we would send from, and its network */
    bool reachable;          /* there is such a source */
};

/* Sorts; what is equally good stays in its order. */
void address_order(struct address_candidate *list, size_t count);

#endif
