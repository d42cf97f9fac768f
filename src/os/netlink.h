/* SPDX-License-Identifier: ISC */
/*
 * netlink.h - sets up the kernel's network interfaces by rtnetlink(7): up, MTU, MAC, addresses,
 * routes. What `ip link` and `ip address` do, without a program to run.
 */
#ifndef WN_OS_NETLINK_H
#define WN_OS_NETLINK_H

#include "base/address.h"

struct netlink {
    int fd;
    uint32_t sequence;
};

/* Speaks for the network namespace that the caller is in now. 0 or a negative errno, as all. */
MUST_USE int netlink_open(struct netlink *netlink);
void netlink_close(struct netlink *netlink);

struct netlink_link {
    unsigned index;
    uint32_t mtu;
    struct mac mac;
    bool up;
};

/* -ENODEV: there is none of that name. */
MUST_USE int netlink_find(struct netlink *netlink, const char *name, struct netlink_link *out);

MUST_USE int netlink_set_up(struct netlink *netlink, unsigned index, bool up);
MUST_USE int netlink_set_mtu(struct netlink *netlink, unsigned index, uint32_t mtu);
MUST_USE int netlink_set_mac(struct netlink *netlink, unsigned index, const struct mac *mac);

/* -EEXIST: it is there already. An IPv4 address gets its broadcast address. */
MUST_USE int netlink_add_address(struct netlink *netlink, unsigned index,
                                 const struct ip_prefix *address);
MUST_USE int netlink_remove_address(struct netlink *netlink, unsigned index,
                                    const struct ip_prefix *address);

/* `gateway` NULL: on the link. */
MUST_USE int netlink_add_route(struct netlink *netlink, unsigned index,
                               const struct ip_prefix *destination,
                               const struct ip_address *gateway);
MUST_USE int netlink_remove_route(struct netlink *netlink, unsigned index,
                                  const struct ip_prefix *destination,
                                  const struct ip_address *gateway);

#endif
