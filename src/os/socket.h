/* SPDX-License-Identifier: ISC */
/*
 * socket.h - the host kernel's TCP and UDP sockets, spoken to in `struct endpoint`.
 *
 * Descriptors are non-blocking and close-on-exec. An IPv4 endpoint makes an AF_INET socket, an IPv6
 * one an AF_INET6 socket that speaks IPv6 alone, but "::", which serves both versions: there IPv4
 * peers appear, as everywhere in the house, in their mapped form. Functions return 0 (or a
 * descriptor, or a length) or a negative errno. Names begin with host_: socket_ is the stack's.
 */
#ifndef WN_OS_SOCKET_H
#define WN_OS_SOCKET_H

#include <sys/socket.h>

#include "base/address.h"

/* The form in which a socket of `family` (AF_INET or AF_INET6) wants an endpoint. 0: it cannot
 * reach that address, as AF_INET an IPv6 one. */
MUST_USE socklen_t host_address_of(int family, const struct endpoint *endpoint,
                                   struct sockaddr_storage *out);
MUST_USE bool host_endpoint_of(const struct sockaddr_storage *address, struct endpoint *out);

/* `type`: SOCK_STREAM or SOCK_DGRAM; the version is that of `address`. The descriptor, or a
 * negative errno. On a host without IPv6 "::" gives an AF_INET socket. */
MUST_USE int host_socket_open(const struct ip_address *address, int type);

/* AF_INET or AF_INET6. */
int host_socket_family(int fd);

MUST_USE int host_socket_bind(int fd, const struct endpoint *local);

/* A datagram socket that has its port from having sent loses it, and gets another the next time. */
MUST_USE int host_socket_leave_port(int fd);
MUST_USE int host_socket_listen(int fd, int backlog);

/* 0: connected already; -EINPROGRESS: wait until it is writable, then ask host_socket_error(). */
MUST_USE int host_socket_connect(int fd, const struct endpoint *to);

/* A stream socket connected to one that has a path (unix(7)); the descriptor, or a negative errno
 * (-EAGAIN: too many wait there). */
MUST_USE int host_socket_connect_path(const char *path);

/* The new connection's descriptor, or a negative errno (-EAGAIN: none waits). Errors of a
 * connection that died in the queue are passed over. */
MUST_USE int host_socket_accept(int fd, struct endpoint *peer);

/* The positive errno that waits on the socket, 0 for none; asking clears it. */
int host_socket_error(int fd);

/* Zero when the socket has none. */
struct endpoint host_socket_local(int fd);
struct endpoint host_socket_peer(int fd);

/* An integer option, as setsockopt(2). */
int host_socket_set(int fd, int level, int name, int value);

int host_socket_set_nodelay(int fd);                       /* TCP_NODELAY */
int host_socket_set_defer_accept(int fd);                  /* TCP_DEFER_ACCEPT, of a second */
int host_socket_set_unsent_max(int fd, int octets);        /* TCP_NOTSENT_LOWAT */
int host_socket_set_reset_on_close(int fd);                /* SO_LINGER of 0: close() resets */
MUST_USE int host_socket_bind_device(int fd, const char *interface);

/* Makes a datagram socket that is not bound yet a member of a multicast group on a device (NULL: the
 * system's choice): it hears of that group alone what is sent to any, sends with a TTL of 255, is heard on
 * its own host, and shares its port with others that do the same. */
MUST_USE int host_socket_join(int fd, const struct ip_address *group, const char *interface);

/* Is this accept(2)'s error about one connection, and not about the listener? */
bool host_error_is_transient(int error);

/* ---- datagrams with what surrounds them ---- */

struct host_datagram {
    struct endpoint from;
    struct endpoint to;      /* received: port 0. Sending: an address any is by route */
    unsigned interface;      /* ifindex; 0: not known, or by route */
    size_t len;
};

/* Asks for the target address, interface and ICMP errors of what arrives; it is taken by
 * socket_batch.h. */
MUST_USE int host_datagram_enable(int fd);

/* For errors alone. */
MUST_USE int host_datagram_enable_errors(int fd);

/* `from` may name the source address; `to` the target. 0 or a negative errno. */
MUST_USE int host_datagram_send(int fd, int family, const struct host_datagram *facts,
                                struct bytes payload);

/* Several datagrams to one place in one piece, each of `size` octets but for the last, the octets of all in
 * `parts` (UDP_SEGMENT, udp(7)). 0, or a negative errno, with which none has gone. */
struct iovec;
MUST_USE int host_datagram_send_run(int fd, const struct endpoint *to, const struct iovec *parts,
                                    size_t count, uint16_t size);

struct host_datagram_error {
    struct endpoint to;      /* where the datagram was going */
    int error;               /* positive errno */
    bool from_icmp;
    uint8_t type, code;      /* ICMP's or ICMPv6's, with from_icmp */
    struct ip_address offender; /* who sent the ICMP error */
    uint32_t mtu;            /* EMSGSIZE */
};

/* The oldest error that came back for what was sent; -EAGAIN: none waits. */
MUST_USE int host_datagram_error(int fd, struct host_datagram_error *out);

#endif
