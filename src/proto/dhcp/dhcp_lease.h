/* SPDX-License-Identifier: ISC */
/* dhcp_lease.h - reads a DHCPACK into a lease. The client's own. */
#ifndef WN_PROTO_DHCP_DHCP_LEASE_H
#define WN_PROTO_DHCP_DHCP_LEASE_H

#include "proto/dhcp/dhcp_client.h"

/* A host may have it: not 0/8, 127/8, multicast, reserved or broadcast. */
bool dhcp_address_usable(uint32_t address);

/* False, leaving *out untouched: no server, no lease time, or no address. Times count from `since`.
 * Other options that are wrong are as if they were not there. */
MUST_USE bool dhcp_lease_read(const struct dhcp_message *m, usec since, struct dhcp_lease *out);

#endif
