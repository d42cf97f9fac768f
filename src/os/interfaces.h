/* SPDX-License-Identifier: ISC */
/*
 * interfaces.h - the host's network interfaces and their addresses, as they are now, and word of when
 * they change (getifaddrs(3), rtnetlink(7)).
 */
#ifndef WN_OS_INTERFACES_H
#define WN_OS_INTERFACES_H

#include "base/address.h"

enum {
    HOST_INTERFACES_MAX = 64,
    HOST_INTERFACE_ADDRESSES_MAX = 32,
    HOST_INTERFACE_NAME_MAX = 16, /* IFNAMSIZ */
};

struct host_interface {
    char name[HOST_INTERFACE_NAME_MAX];
    bool up, multicast, loopback;
    struct ip_prefix addresses[HOST_INTERFACE_ADDRESSES_MAX];
    size_t address_count; /* those beyond the maximum are left out */
};

struct host_interfaces {
    struct host_interface list[HOST_INTERFACES_MAX];
    size_t count;
};

/* 0 or a negative errno. */
MUST_USE int host_interfaces_list(struct host_interfaces *out);

/* NULL: there is none of that name. */
const struct host_interface *host_interfaces_find(const struct host_interfaces *all,
                                                  const char *name);

/* A descriptor that is ready for reading when something has changed, or a negative errno;
 * host_interfaces_changed() takes what it has to say. */
MUST_USE int host_interfaces_watch(void);
void host_interfaces_changed(int fd);

#endif
