/* SPDX-License-Identifier: ISC */
/* pingsock.c - echo requests and replies on ICMP sockets of both kinds and versions. */
#include "os/pingsock.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdalign.h>
#include <sys/uio.h>
#include <time.h> /* <linux/errqueue.h> does not include it, and must come after */
#include <unistd.h>

#include <linux/errqueue.h>

#include "base/checksum.h"
#include "os/socket.h"

enum { ICMP_ECHO_LEN = 8, IPV4_HEADER_MIN = 20 };

int pingsock_open(bool v6, uint16_t identifier, struct pingsock *out)
{
    int family = v6 ? AF_INET6 : AF_INET;
    int protocol = v6 ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP;
    int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    struct pingsock ping = {.v6 = v6};
    ping.fd = socket(family, SOCK_DGRAM | flags, protocol);
    if (ping.fd < 0) {
        ping.raw = true;
        ping.identifier = identifier;
        ping.fd = socket(family, SOCK_RAW | flags, protocol);
    }
    if (ping.fd < 0)
        return -errno;
    int status = v6 ? host_socket_set(ping.fd, IPPROTO_IPV6, IPV6_RECVERR, 1)
                    : host_socket_set(ping.fd, IPPROTO_IP, IP_RECVERR, 1);
    if (status < 0) {
        (void)close(ping.fd);
        return status;
    }
    *out = ping;
    return 0;
}

int pingsock_send(const struct pingsock *ping, const struct ip_address *to, uint16_t sequence,
                  uint8_t ttl, struct bytes payload)
{
    uint8_t header[ICMP_ECHO_LEN];
    struct writer w = writer_of(header, sizeof header);
    write_u8(&w, ping->v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO);
    write_u8(&w, 0);
    write_u16(&w, 0);
    write_u16(&w, ping->identifier);
    write_u16(&w, sequence);
    /* The kernel fills in the checksum on a datagram socket, and always for ICMPv6. */
    uint64_t sum = checksum_sum(bytes_of(header, sizeof header)) + checksum_sum(payload);
    write_u16_at(&w, 2, (uint16_t)~checksum_fold(sum));

    struct endpoint target = {.address = *to};
    struct sockaddr_storage address;
    socklen_t len = host_address_of(ping->v6 ? AF_INET6 : AF_INET, &target, &address);
    if (len == 0)
        return -EAFNOSUPPORT;
    int hops = ttl > 0 ? ttl : -1;
    int status = ping->v6 ? host_socket_set(ping->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops)
                          : host_socket_set(ping->fd, IPPROTO_IP, IP_TTL, hops);
    if (status < 0)
        return status;
    struct iovec parts[2] = {{header, sizeof header},
                             {(void *)(uintptr_t)payload.data, payload.len}};
    struct msghdr message = {
        .msg_name = &address, .msg_namelen = len, .msg_iov = parts, .msg_iovlen = 2};
    for (int attempt = 0; attempt < 3; attempt++) {
        if (sendmsg(ping->fd, &message, MSG_NOSIGNAL) >= 0)
            return 0;
        /* The error of an earlier request, which this call has cleared. */
        if (errno != EHOSTUNREACH && errno != ECONNREFUSED && errno != EINTR)
            break;
    }
    return -errno;
}

/* Decodes an echo message of `type`; false: it is none, or of somebody else. */
static bool read_echo(const struct pingsock *ping, struct bytes in, uint8_t type,
                      struct pingsock_reply *out)
{
    struct reader r = reader_of(in);
    uint8_t got_type = read_u8(&r);
    read_skip(&r, 3);
    uint16_t identifier = read_u16(&r);
    uint16_t sequence = read_u16(&r);
    if (r.failed || got_type != type || (ping->raw && identifier != ping->identifier))
        return false;
    out->sequence = sequence;
    out->payload = read_rest(&r);
    return true;
}

/* A raw IPv4 socket hands over the IP header too (raw(7)). */
static struct bytes skip_ip_header(const struct pingsock *ping, struct bytes in)
{
    if (!ping->raw || ping->v6)
        return in;
    if (in.len < IPV4_HEADER_MIN)
        return bytes_empty();
    return bytes_after(in, (size_t)(in.data[0] & 0x0f) * 4);
}

static bool receive_error(const struct pingsock *ping, struct pingsock_reply *out)
{
    struct sockaddr_storage to = {0};
    alignas(struct cmsghdr) char control[256];
    uint8_t quoted[64];
    struct iovec part = {quoted, sizeof quoted};
    struct msghdr message = {.msg_name = &to,
                             .msg_namelen = sizeof to,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t len = recvmsg(ping->fd, &message, MSG_ERRQUEUE);
    if (len < 0)
        return false;
    struct pingsock_reply reply = {.payload = bytes_empty()};
    uint8_t type = ping->v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
    if (!read_echo(ping, bytes_of(quoted, (size_t)len), type, &reply))
        return false;
    reply.payload = bytes_empty();
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
        bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        struct {
            struct sock_extended_err cause;
            struct sockaddr_storage offender;
        } told = {0};
        if (!v4 && !v6)
            continue;
        size_t told_len = c->cmsg_len - CMSG_LEN(0);
        memcpy(&told.cause, CMSG_DATA(c), sizeof told.cause);
        size_t offender_len = told_len - sizeof told.cause;
        if (offender_len > sizeof told.offender)
            offender_len = sizeof told.offender;
        memcpy(&told.offender, CMSG_DATA(c) + sizeof told.cause, offender_len);
        struct endpoint offender = {0};
        (void)!host_endpoint_of(&told.offender, &offender);
        reply.from = offender.address;
        reply.error = (int)told.cause.ee_errno;
        reply.type = told.cause.ee_type;
        reply.code = told.cause.ee_code;
    }
    *out = reply;
    return reply.error != 0;
}

int pingsock_receive(const struct pingsock *ping, void *buffer, size_t size,
                     struct pingsock_reply *out)
{
    if (receive_error(ping, out))
        return 0;
    for (;;) {
        struct sockaddr_storage from = {0};
        socklen_t from_len = sizeof from;
        ssize_t len = recvfrom(ping->fd, buffer, size, 0, (struct sockaddr *)&from, &from_len);
        if (len < 0 && (errno == EHOSTUNREACH || errno == ECONNREFUSED || errno == EINTR))
            continue;
        if (len < 0)
            return -errno;
        struct pingsock_reply reply = {.payload = bytes_empty()};
        struct endpoint source;
        struct bytes in = skip_ip_header(ping, bytes_of(buffer, (size_t)len));
        uint8_t type = ping->v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY;
        if (!host_endpoint_of(&from, &source) || !read_echo(ping, in, type, &reply))
            continue;
        reply.from = source.address;
        *out = reply;
        return 0;
    }
}
