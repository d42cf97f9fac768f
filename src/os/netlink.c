/* SPDX-License-Identifier: ISC */
/*
 * netlink.c - requests of rtnetlink(7), each built in a bounded buffer and acknowledged by the
 * kernel before the call returns (RFC 3549 describes the protocol).
 */
#include "os/netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdalign.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_SIZE = 512, ANSWER_SIZE = 16384 };

struct request {
    alignas(struct nlmsghdr) uint8_t octets[REQUEST_SIZE];
    size_t len;
};

static void begin(struct request *request, uint16_t type, uint16_t flags)
{
    memset(request, 0, sizeof *request);
    struct nlmsghdr header = {.nlmsg_type = type,
                              .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags)};
    memcpy(request->octets, &header, sizeof header);
    request->len = NLMSG_HDRLEN;
}

static void add_part(struct request *request, const void *data, size_t len)
{
    size_t aligned = NLMSG_ALIGN(len);
    ASSERT(aligned <= sizeof request->octets - request->len);
    memcpy(request->octets + request->len, data, len);
    request->len += aligned;
}

static void add_attribute(struct request *request, uint16_t type, const void *data, size_t len)
{
    struct rtattr attribute = {.rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type};
    add_part(request, &attribute, sizeof attribute);
    add_part(request, data, len);
}

int netlink_open(struct netlink *netlink)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return -errno;
    struct sockaddr_nl local = {.nl_family = AF_NETLINK};
    struct timeval patience = {.tv_sec = 5};
    if (bind(fd, (struct sockaddr *)&local, sizeof local) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0) {
        int error = -errno;
        (void)close(fd);
        return error;
    }
    *netlink = (struct netlink){.fd = fd};
    return 0;
}

void netlink_close(struct netlink *netlink)
{
    if (netlink->fd >= 0)
        (void)close(netlink->fd);
    netlink->fd = -1;
}

static void read_link(const struct nlmsghdr *message, struct netlink_link *out)
{
    if (message->nlmsg_type != RTM_NEWLINK ||
        message->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
        return;
    const struct ifinfomsg *info = NLMSG_DATA(message);
    out->index = (unsigned)info->ifi_index;
    out->up = (info->ifi_flags & IFF_UP) != 0;
    size_t len = IFLA_PAYLOAD(message);
    for (const struct rtattr *a = IFLA_RTA(info); RTA_OK(a, len); a = RTA_NEXT(a, len)) {
        if (a->rta_type == IFLA_ADDRESS && RTA_PAYLOAD(a) == sizeof out->mac)
            memcpy(&out->mac, RTA_DATA(a), sizeof out->mac);
        else if (a->rta_type == IFLA_MTU && RTA_PAYLOAD(a) == sizeof out->mtu)
            memcpy(&out->mtu, RTA_DATA(a), sizeof out->mtu);
    }
}

/* Reads one datagram of answers. 1: the acknowledgement has not come yet; else the outcome. */
static int read_answers(const struct netlink *netlink, struct netlink_link *link)
{
    alignas(struct nlmsghdr) uint8_t answer[ANSWER_SIZE];
    ssize_t got = recv(netlink->fd, answer, sizeof answer, 0);
    if (got < 0)
        return errno == EINTR ? 1 : -errno;
    size_t len = (size_t)got;
    for (struct nlmsghdr *m = (struct nlmsghdr *)answer; NLMSG_OK(m, len);
         m = NLMSG_NEXT(m, len)) {
        if (m->nlmsg_seq != netlink->sequence)
            continue;
        if (m->nlmsg_type == NLMSG_ERROR) {
            if (m->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
                return -EPROTO;
            return ((const struct nlmsgerr *)NLMSG_DATA(m))->error;
        }
        if (link != NULL)
            read_link(m, link);
    }
    return 1;
}

static int ask(struct netlink *netlink, struct request *request, struct netlink_link *link)
{
    struct nlmsghdr *header = (struct nlmsghdr *)request->octets;
    header->nlmsg_len = (uint32_t)request->len;
    header->nlmsg_seq = ++netlink->sequence;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (sendto(netlink->fd, request->octets, request->len, 0, (struct sockaddr *)&kernel,
               sizeof kernel) < 0)
        return -errno;
    int status = 1;
    for (int datagrams = 0; status == 1 && datagrams < 16; datagrams++)
        status = read_answers(netlink, link);
    return status == 1 ? -EPROTO : status;
}

int netlink_find(struct netlink *netlink, const char *name, struct netlink_link *out)
{
    struct request request;
    struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
    struct netlink_link link = {0};
    if (strlen(name) >= IF_NAMESIZE)
        return -ENODEV;
    begin(&request, RTM_GETLINK, 0);
    add_part(&request, &info, sizeof info);
    add_attribute(&request, IFLA_IFNAME, name, strlen(name) + 1);
    int status = ask(netlink, &request, &link);
    if (status == 0 && link.index == 0)
        status = -ENODEV;
    if (status == 0)
        *out = link;
    return status;
}

int netlink_set_up(struct netlink *netlink, unsigned index, bool up)
{
    struct request request;
    struct ifinfomsg info = {.ifi_index = (int)index,
                             .ifi_flags = up ? IFF_UP : 0,
                             .ifi_change = IFF_UP};
    begin(&request, RTM_NEWLINK, 0);
    add_part(&request, &info, sizeof info);
    return ask(netlink, &request, NULL);
}

int netlink_set_mtu(struct netlink *netlink, unsigned index, uint32_t mtu)
{
    struct request request;
    struct ifinfomsg info = {.ifi_index = (int)index};
    begin(&request, RTM_NEWLINK, 0);
    add_part(&request, &info, sizeof info);
    add_attribute(&request, IFLA_MTU, &mtu, sizeof mtu);
    return ask(netlink, &request, NULL);
}

int netlink_set_mac(struct netlink *netlink, unsigned index, const struct mac *mac)
{
    struct request request;
    struct ifinfomsg info = {.ifi_index = (int)index};
    begin(&request, RTM_NEWLINK, 0);
    add_part(&request, &info, sizeof info);
    add_attribute(&request, IFLA_ADDRESS, mac, sizeof *mac);
    return ask(netlink, &request, NULL);
}

/* An address as the kernel wants it: 4 or 16 octets. */
static struct bytes raw_address(const struct ip_address *address)
{
    return address_is_v4(address) ? bytes_of(address->octets + 12, 4)
                                  : bytes_of(address->octets, 16);
}

static int change_address(struct netlink *netlink, unsigned index, const struct ip_prefix *address,
                          bool add)
{
    struct request request;
    bool v4 = address_is_v4(&address->address);
    struct ifaddrmsg info = {.ifa_family = v4 ? AF_INET : AF_INET6,
                             .ifa_prefixlen = address->len,
                             .ifa_index = index};
    struct bytes raw = raw_address(&address->address);
    begin(&request, add ? RTM_NEWADDR : RTM_DELADDR, add ? NLM_F_CREATE | NLM_F_EXCL : 0);
    add_part(&request, &info, sizeof info);
    add_attribute(&request, IFA_LOCAL, raw.data, raw.len);
    add_attribute(&request, IFA_ADDRESS, raw.data, raw.len);
    if (add && v4 && address->len <= 30) {
        struct ip_address broadcast = prefix_broadcast(address);
        add_attribute(&request, IFA_BROADCAST, raw_address(&broadcast).data, 4);
    }
    return ask(netlink, &request, NULL);
}

int netlink_add_address(struct netlink *netlink, unsigned index, const struct ip_prefix *address)
{
    return change_address(netlink, index, address, true);
}

int netlink_remove_address(struct netlink *netlink, unsigned index,
                           const struct ip_prefix *address)
{
    return change_address(netlink, index, address, false);
}

static int change_route(struct netlink *netlink, unsigned index,
                        const struct ip_prefix *destination, const struct ip_address *gateway,
                        bool add)
{
    struct request request;
    uint32_t interface = index;
    struct rtmsg info = {
        .rtm_family = address_is_v4(&destination->address) ? AF_INET : AF_INET6,
        .rtm_dst_len = destination->len,
        .rtm_table = RT_TABLE_MAIN,
        .rtm_protocol = add ? RTPROT_STATIC : RTPROT_UNSPEC,
        .rtm_scope = !add ? RT_SCOPE_NOWHERE : gateway != NULL ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
        .rtm_type = add ? RTN_UNICAST : RTN_UNSPEC,
    };
    begin(&request, add ? RTM_NEWROUTE : RTM_DELROUTE, add ? NLM_F_CREATE | NLM_F_EXCL : 0);
    add_part(&request, &info, sizeof info);
    if (destination->len > 0) {
        struct bytes raw = raw_address(&destination->address);
        add_attribute(&request, RTA_DST, raw.data, raw.len);
    }
    if (gateway != NULL) {
        struct bytes raw = raw_address(gateway);
        add_attribute(&request, RTA_GATEWAY, raw.data, raw.len);
    }
    add_attribute(&request, RTA_OIF, &interface, sizeof interface);
    return ask(netlink, &request, NULL);
}

int netlink_add_route(struct netlink *netlink, unsigned index, const struct ip_prefix *destination,
                      const struct ip_address *gateway)
{
    return change_route(netlink, index, destination, gateway, true);
}

int netlink_remove_route(struct netlink *netlink, unsigned index,
                         const struct ip_prefix *destination, const struct ip_address *gateway)
{
    return change_route(netlink, index, destination, gateway, false);
}
