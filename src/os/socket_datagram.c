/* SPDX-License-Identifier: ISC */
/*
 * socket_datagram.c - datagrams with their surroundings: the address they were sent to and the
 * interface (IP_PKTINFO, RFC 3542 §6), and the ICMP errors that come back (IP_RECVERR).
 */
#include "os/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h> /* <linux/errqueue.h> does not include it, and must come after */

#include <linux/errqueue.h>

#include "os/socket_control.h"

/* An AF_INET6 socket that serves IPv4 too has both sets of options; one that does not refuses those
 * of IPv4, or ignores them. */
static int enable(int fd, int v4, int v6)
{
    int status = host_socket_set(fd, IPPROTO_IP, v4, 1);
    return host_socket_family(fd) == AF_INET6 ? host_socket_set(fd, IPPROTO_IPV6, v6, 1) : status;
}

int host_datagram_enable_errors(int fd)
{
    return enable(fd, IP_RECVERR, IPV6_RECVERR);
}

int host_datagram_enable(int fd)
{
    int status = enable(fd, IP_PKTINFO, IPV6_RECVPKTINFO);
    return status == 0 ? host_datagram_enable_errors(fd) : status;
}

void host_control_read(const struct msghdr *message, struct host_datagram *out)
{
    struct msghdr *m = (struct msghdr *)(uintptr_t)message; /* the macros want it so */
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            out->to.address = address_v4(ntohl(info.ipi_addr.s_addr));
            out->interface = (unsigned)info.ipi_ifindex;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(out->to.address.octets, &info.ipi6_addr, sizeof out->to.address.octets);
            out->interface = info.ipi6_ifindex;
        }
    }
}

size_t host_control_source(const struct host_datagram *facts, int family,
                           struct host_control *control)
{
    struct cmsghdr header = {.cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
    const struct ip_address *source = &facts->from.address;
    struct in_pktinfo v4 = {.ipi_ifindex = (int)facts->interface};
    struct in6_pktinfo v6 = {.ipi6_ifindex = facts->interface};
    const void *info = &v4;
    size_t len = sizeof v4;
    if (family == AF_INET6) {
        header.cmsg_level = IPPROTO_IPV6;
        header.cmsg_type = IPV6_PKTINFO;
        /* The kernel wants the version of the target in this field, also for "any". */
        struct ip_address any = address_is_v4(&facts->to.address) ? address_any_v4()
                                                                  : address_any_v6();
        const struct ip_address *chosen = address_is_any(source) ? &any : source;
        memcpy(&v6.ipi6_addr, chosen->octets, sizeof v6.ipi6_addr);
        info = &v6;
        len = sizeof v6;
    } else {
        v4.ipi_spec_dst.s_addr = htonl(address_v4_value(source));
    }
    header.cmsg_len = CMSG_LEN(len);
    memset(control, 0, sizeof *control);
    memcpy(control->octets, &header, sizeof header);
    memcpy(CMSG_DATA((struct cmsghdr *)control->octets), info, len);
    return CMSG_SPACE(len);
}

int host_control_target(const struct host_datagram *facts, int family,
                        struct sockaddr_storage *out)
{
    socklen_t len = host_address_of(family, &facts->to, out);
    if (len == 0)
        return -EAFNOSUPPORT;
    if (family == AF_INET6 && address_is_link_local(&facts->to.address))
        ((struct sockaddr_in6 *)out)->sin6_scope_id = facts->interface;
    return (int)len;
}

int host_datagram_send(int fd, int family, const struct host_datagram *facts, struct bytes payload)
{
    struct sockaddr_storage to;
    int to_len = host_control_target(facts, family, &to);
    if (to_len < 0)
        return to_len;
    struct iovec part = {(void *)(uintptr_t)payload.data, payload.len};
    struct msghdr message = {
        .msg_name = &to, .msg_namelen = (socklen_t)to_len, .msg_iov = &part, .msg_iovlen = 1};
    struct host_control control;
    if (facts->interface != 0 || !address_is_any(&facts->from.address)) {
        message.msg_control = control.octets;
        message.msg_controllen = host_control_source(facts, family, &control);
    }
    /* With IP_RECVERR an ICMP error for an earlier datagram also fails one later call, which has
     * then cleared it. What is behind it is in the error queue; this datagram is sent again. */
    for (int attempt = 0; attempt < 3; attempt++) {
        if (sendmsg(fd, &message, MSG_NOSIGNAL) >= 0)
            return 0;
        if (errno != ECONNREFUSED && errno != EHOSTUNREACH && errno != EINTR)
            break;
    }
    return -errno;
}

int host_datagram_send_run(int fd, const struct endpoint *to, const struct iovec *parts,
                           size_t count, uint16_t size)
{
    struct sockaddr_storage address;
    socklen_t len = host_address_of(address_is_v4(&to->address) ? AF_INET : AF_INET6, to, &address);
    struct host_control control = {.octets = {0}};
    struct cmsghdr header = {
        .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof size)};
    memcpy(control.octets, &header, sizeof header);
    memcpy(CMSG_DATA((struct cmsghdr *)control.octets), &size, sizeof size);
    struct msghdr message = {
        .msg_name = &address,
        .msg_namelen = len,
        .msg_iov = (struct iovec *)(uintptr_t)parts,
        .msg_iovlen = count,
        .msg_control = control.octets,
        .msg_controllen = CMSG_SPACE(sizeof size),
    };
    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The address that follows the error itself (ip(7), SO_EE_OFFENDER). */
static struct ip_address offender_of(const struct cmsghdr *c)
{
    struct sockaddr_storage from = {0};
    struct endpoint endpoint = {.port = 0};
    size_t skipped = CMSG_LEN(sizeof(struct sock_extended_err));
    size_t len = c->cmsg_len > skipped ? c->cmsg_len - skipped : 0;
    memcpy(&from, CMSG_DATA(c) + sizeof(struct sock_extended_err),
           len < sizeof from ? len : sizeof from);
    (void)!host_endpoint_of(&from, &endpoint);
    return endpoint.address;
}

/* What was sent was cut short in the queue; only the facts are wanted. */
int host_datagram_error(int fd, struct host_datagram_error *out)
{
    struct sockaddr_storage to = {0};
    struct host_control control;
    uint8_t head[8];
    struct iovec part = {head, sizeof head};
    struct msghdr message = {
        .msg_name = &to,
        .msg_namelen = sizeof to,
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control.octets,
        .msg_controllen = sizeof control.octets,
    };
    if (recvmsg(fd, &message, MSG_ERRQUEUE) < 0)
        return -errno;
    struct host_datagram_error error = {.error = EPROTO};
    (void)!host_endpoint_of(&to, &error.to);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
        bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        if (!v4 && !v6)
            continue;
        struct sock_extended_err cause;
        memcpy(&cause, CMSG_DATA(c), sizeof cause);
        error.error = (int)cause.ee_errno;
        error.from_icmp =
            cause.ee_origin == SO_EE_ORIGIN_ICMP || cause.ee_origin == SO_EE_ORIGIN_ICMP6;
        error.type = cause.ee_type;
        error.code = cause.ee_code;
        error.mtu = cause.ee_errno == EMSGSIZE ? cause.ee_info : 0;
        error.offender = offender_of(c);
    }
    *out = error;
    return 0;
}
