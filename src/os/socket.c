/* SPDX-License-Identifier: ISC */
/* socket.c - stream sockets, and the addresses of all kinds. Datagrams are in socket_datagram.c. */
#include "os/socket.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

socklen_t host_address_of(int family, const struct endpoint *endpoint,
                          struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(endpoint->port);
        memcpy(&in6->sin6_addr, endpoint->address.octets, sizeof in6->sin6_addr);
        return sizeof *in6;
    }
    bool unspecified = address_is_any(&endpoint->address);
    if (family != AF_INET || (!address_is_v4(&endpoint->address) && !unspecified))
        return 0;
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    in->sin_family = AF_INET;
    in->sin_port = htons(endpoint->port);
    memcpy(&in->sin_addr, endpoint->address.octets + 12, sizeof in->sin_addr);
    return sizeof *in;
}

bool host_endpoint_of(const struct sockaddr_storage *address, struct endpoint *out)
{
    struct endpoint endpoint = {0};
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        endpoint.address = address_v4(ntohl(in->sin_addr.s_addr));
        endpoint.port = ntohs(in->sin_port);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
        memcpy(endpoint.address.octets, &in6->sin6_addr, sizeof endpoint.address.octets);
        endpoint.port = ntohs(in6->sin6_port);
    } else {
        return false;
    }
    *out = endpoint;
    return true;
}

int host_socket_set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

static bool is_dual_stack_wildcard(const struct ip_address *address)
{
    return address_is_any(address) && !address_is_v4(address);
}

int host_socket_open(const struct ip_address *address, int type)
{
    type |= SOCK_NONBLOCK | SOCK_CLOEXEC;
    int family = address_is_v4(address) ? AF_INET : AF_INET6;
    bool dual = is_dual_stack_wildcard(address);
    int fd = socket(family, type, 0);
    if (fd < 0 && errno == EAFNOSUPPORT && dual) {
        family = AF_INET;
        fd = socket(family, type, 0);
    }
    if (fd < 0)
        return -errno;
    if (family == AF_INET6) {
        int status = host_socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, dual ? 0 : 1);
        if (status < 0) {
            (void)close(fd);
            return status;
        }
    }
    return fd;
}

int host_socket_family(int fd)
{
    int family = AF_UNSPEC;
    socklen_t len = sizeof family;
    (void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
    return family;
}

int host_socket_bind(int fd, const struct endpoint *local)
{
    struct sockaddr_storage address;
    socklen_t len = host_address_of(host_socket_family(fd), local, &address);
    if (len == 0)
        return -EAFNOSUPPORT;
    return bind(fd, (struct sockaddr *)&address, len) < 0 ? -errno : 0;
}

int host_socket_leave_port(int fd)
{
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    return connect(fd, &nobody, sizeof nobody) < 0 ? -errno : 0;
}

int host_socket_listen(int fd, int backlog)
{
    return listen(fd, backlog) < 0 ? -errno : 0;
}

int host_socket_connect(int fd, const struct endpoint *to)
{
    struct sockaddr_storage address;
    int family = address_is_v4(&to->address) ? AF_INET : AF_INET6;
    socklen_t len = host_address_of(family, to, &address);
    if (len == 0)
        return -EAFNOSUPPORT;
    return connect(fd, (struct sockaddr *)&address, len) < 0 ? -errno : 0;
}

int host_socket_connect_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int status = -errno;
    (void)close(fd);
    return status;
}

bool host_error_is_transient(int error)
{
    switch (error) {
    case ECONNABORTED: /* accept(2): the peer left before it was taken; and the list given there */
    case EINTR:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
        return true;
    default:
        return false;
    }
}

int host_socket_accept(int fd, struct endpoint *peer)
{
    for (;;) {
        struct sockaddr_storage address = {0};
        socklen_t len = sizeof address;
        int connection =
            accept4(fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (connection >= 0) {
            if (!host_endpoint_of(&address, peer))
                memset(peer, 0, sizeof *peer);
            return connection;
        }
        if (!host_error_is_transient(errno))
            return -errno;
    }
}

int host_socket_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return errno;
    return error;
}

struct endpoint host_socket_local(int fd)
{
    struct sockaddr_storage address = {0};
    struct endpoint endpoint = {0};
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) == 0)
        (void)!host_endpoint_of(&address, &endpoint);
    return endpoint;
}

struct endpoint host_socket_peer(int fd)
{
    struct sockaddr_storage address = {0};
    struct endpoint endpoint = {0};
    socklen_t len = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &len) == 0)
        (void)!host_endpoint_of(&address, &endpoint);
    return endpoint;
}

int host_socket_set_defer_accept(int fd)
{
    return host_socket_set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
}

int host_socket_set_nodelay(int fd)
{
    return host_socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

int host_socket_set_unsent_max(int fd, int octets)
{
    return host_socket_set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, octets);
}

int host_socket_set_reset_on_close(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) < 0 ? -errno : 0;
}

int host_socket_bind_device(int fd, const char *interface)
{
    size_t len = strlen(interface);
    if (len == 0 || len >= IF_NAMESIZE)
        return -ENODEV;
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)len) < 0 ? -errno : 0;
}

static int join_v4(int fd, const struct ip_address *group, unsigned device)
{
    struct ip_mreqn member = {.imr_multiaddr.s_addr = htonl(address_v4_value(group)),
                              .imr_ifindex = (int)device};
    if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &member, sizeof member) < 0 ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &member, sizeof member) < 0)
        return -errno;
    int status = host_socket_set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    if (status == 0)
        status = host_socket_set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1);
    if (status == 0)
        status = host_socket_set(fd, IPPROTO_IP, IP_MULTICAST_TTL, 255);
    return status == 0 ? host_socket_set(fd, IPPROTO_IP, IP_TTL, 255) : status;
}

static int join_v6(int fd, const struct ip_address *group, unsigned device)
{
    struct ipv6_mreq member = {.ipv6mr_interface = device};
    memcpy(&member.ipv6mr_multiaddr, group->octets, sizeof member.ipv6mr_multiaddr);
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &member, sizeof member) < 0)
        return -errno;
    const struct {
        int name, value;
    } options[] = {
        {IPV6_V6ONLY, 1},          {IPV6_MULTICAST_IF, (int)device}, {IPV6_MULTICAST_ALL, 0},
        {IPV6_MULTICAST_LOOP, 1},  {IPV6_MULTICAST_HOPS, 255},       {IPV6_UNICAST_HOPS, 255},
    };
    int status = 0;
    for (size_t i = 0; i < ARRAY_LEN(options) && status == 0; i++)
        status = host_socket_set(fd, IPPROTO_IPV6, options[i].name, options[i].value);
    return status;
}

int host_socket_join(int fd, const struct ip_address *group, const char *interface)
{
    unsigned device = interface != NULL ? if_nametoindex(interface) : 0;
    if (interface != NULL && device == 0)
        return -ENODEV;
    /* Other programs set one of the two, or both. */
    int status = host_socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (status == 0)
        status = host_socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (status < 0)
        return status;
    return host_socket_family(fd) == AF_INET ? join_v4(fd, group, device)
                                             : join_v6(fd, group, device);
}
