/* SPDX-License-Identifier: ISC */
/* interfaces.c - the host's network interfaces and their addresses. */
#include "os/interfaces.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/socket.h"

static struct host_interface *take_interface(struct host_interfaces *all, const struct ifaddrs *entry)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->list[i].name, entry->ifa_name) == 0)
            return &all->list[i];
    if (all->count == HOST_INTERFACES_MAX || strlen(entry->ifa_name) >= HOST_INTERFACE_NAME_MAX)
        return NULL;
    struct host_interface *out = &all->list[all->count++];
    *out = (struct host_interface){.up = (entry->ifa_flags & IFF_RUNNING) != 0,
                                   .multicast = (entry->ifa_flags & IFF_MULTICAST) != 0,
                                   .loopback = (entry->ifa_flags & IFF_LOOPBACK) != 0};
    snprintf(out->name, sizeof out->name, "%s", entry->ifa_name);
    return out;
}

/* As many leading ones as the mask has; NULL: all. */
static uint8_t prefix_len(const struct sockaddr *mask, bool v4)
{
    struct sockaddr_storage storage = {0};
    struct endpoint e;
    uint8_t len = 0;
    if (mask == NULL)
        return v4 ? 32 : 128;
    memcpy(&storage, mask, v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
    storage.ss_family = v4 ? AF_INET : AF_INET6;
    if (!host_endpoint_of(&storage, &e))
        return 0;
    for (size_t i = v4 ? 96 : 0; i < 128 && (e.address.octets[i / 8] << (i % 8) & 0x80) != 0; i++)
        len++;
    return len;
}

static void take_address(struct host_interface *interface, const struct ifaddrs *entry)
{
    struct sockaddr_storage storage = {0};
    struct endpoint e;
    bool v4 = entry->ifa_addr->sa_family == AF_INET;
    memcpy(&storage, entry->ifa_addr, v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
    if (interface->address_count == HOST_INTERFACE_ADDRESSES_MAX || !host_endpoint_of(&storage, &e))
        return;
    interface->addresses[interface->address_count++] =
        (struct ip_prefix){e.address, prefix_len(entry->ifa_netmask, v4)};
}

int host_interfaces_list(struct host_interfaces *out)
{
    struct ifaddrs *entries;
    if (getifaddrs(&entries) < 0)
        return -errno;
    out->count = 0;
    for (const struct ifaddrs *entry = entries; entry != NULL; entry = entry->ifa_next) {
        struct host_interface *interface = take_interface(out, entry);
        if (interface != NULL && entry->ifa_addr != NULL &&
            (entry->ifa_addr->sa_family == AF_INET || entry->ifa_addr->sa_family == AF_INET6))
            take_address(interface, entry);
    }
    freeifaddrs(entries);
    return 0;
}

const struct host_interface *host_interfaces_find(const struct host_interfaces *all,
                                                  const char *name)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->list[i].name, name) == 0)
            return &all->list[i];
    return NULL;
}

int host_interfaces_watch(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                  .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int error = errno;
    (void)close(fd);
    return -error;
}

/* What is said is not read: all is looked at anew. An overflow (ENOBUFS) says the same. */
void host_interfaces_changed(int fd)
{
    char octets[8192];
    while (recv(fd, octets, sizeof octets, 0) >= 0 || errno == ENOBUFS || errno == EINTR)
        continue;
}
