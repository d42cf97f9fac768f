/* SPDX-License-Identifier: ISC */
/*
 * lease_store.h - leases of one network in the store. Expired ones stay, for as long as nobody else
 * has the address: their clients get it again.
 */
#ifndef WN_APP_ADDRESSES_LEASE_STORE_H
#define WN_APP_ADDRESSES_LEASE_STORE_H

#include "app/addresses/addresses.h"
#include "store/store.h"

struct lease_store;

/* Makes the tables if need be. 0 or a negative errno, with store_error(). */
MUST_USE int lease_store_new(struct store *store, const struct ip_prefix *network,
                             struct lease_store **out);
void lease_store_free(struct lease_store *leases);

/* Stores the lease in the place of any other of that address. */
MUST_USE int lease_store_put(struct lease_store *leases, const struct lease *lease);

/* All leases, those that expire first first. `visit` says false for one that is to be removed. */
MUST_USE int lease_store_load(struct lease_store *leases,
                              bool (*visit)(void *self, const struct lease *lease), void *self);

#endif
