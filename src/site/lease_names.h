/* SPDX-License-Identifier: ISC */
/*
 * lease_names.h - the names of hosts that have them from their leases: who may be called what.
 *
 * A name belongs to whom it was given first, until that lease ends; the site's own names belong
 * to the site. So no guest can take the place of another, or of www. Who it was given to is known by
 * the DHCID record (RFC 4703 §5.3): the same client under another address keeps it, and takes it along.
 */
#ifndef WN_SITE_LEASE_NAMES_H
#define WN_SITE_LEASE_NAMES_H

#include "base/address.h"
#include "base/bytes.h"
#include "base/heap.h"

struct lease_names;

enum { LEASE_NAMES_DHCID_MAX = 35 };

struct lease_names_options {
    struct heap heap;
    size_t count_max;
    /* Puts the name into the name service, and takes it out. add: 0 or a negative errno. */
    int (*add)(void *self, const char *name, const struct ip_address *address, struct bytes dhcid);
    void (*remove)(void *self, const char *name);
    void *self;
};

MUST_USE struct lease_names *lease_names_new(const struct lease_names_options *options);
void lease_names_free(struct lease_names *names); /* without telling `remove`. NULL is nothing */

/* A name of the site's own, which no lease gets. `address` NULL: the caller adds its records. 0,
 * -EEXIST, -ENOSPC or what `add` said. */
MUST_USE int lease_names_reserve(struct lease_names *names, const char *name,
                                 const struct ip_address *address);

/* The host at `address` calls itself `name`; "" : nothing. `dhcid` says who it is, under that name: empty, or
 * at most LEASE_NAMES_DHCID_MAX octets. 0: it has that name now, or none is wanted; -EEXIST: the name is
 * another's; -ENOSPC; or what `add` said. In every case but the first the host has no name. */
MUST_USE int lease_names_begin(struct lease_names *names, const struct ip_address *address,
                               const char *name, struct bytes dhcid);
void lease_names_end(struct lease_names *names, const struct ip_address *address);

/* The name of the host at `address`; NULL: none. Valid until the next change. */
const char *lease_names_find(const struct lease_names *names, const struct ip_address *address);

#endif
