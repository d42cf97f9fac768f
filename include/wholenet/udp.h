/* SPDX-License-Identifier: ISC */
/*
 * udp.h - UDP by events (RFC 768, RFC 1122 §4.1). Nothing here waits; what is sent leaves with
 * wn_stack_output().
 */
#ifndef WHOLENET_UDP_H
#define WHOLENET_UDP_H

#include <wholenet/stack.h>
#include <wholenet/types.h>

WN_C_BEGIN

struct wn_udp;

enum wn_udp_flags {
    WN_UDP_BROADCAST = 1 << 0, /* may send to broadcast addresses */
    WN_UDP_SHARED = 1 << 1,    /* others that say so too may be at the same endpoint: datagrams are
                                  spread over them by a hash of both ends; of a group's each gets
                                  a copy */
};

/* Opens a socket at `local`: address 0.0.0.0 for all of the stack's, port 0 for a free one (RFC
 * 6056). `flags` are of enum wn_udp_flags; `user` comes with its events. 256 KiB of datagrams wait
 * at most, then new ones are dropped, and counted. 0, -EINVAL: not IPv4, -EADDRINUSE, or -ENOMEM, which
 * is also said when the table is full; *out is untouched then. */
WN_API WN_MUST_USE int wn_udp_open(struct wn_stack *stack, const struct wn_endpoint *local,
                                   unsigned flags, void *user, struct wn_udp **out);

/* Frees the socket with what waits. NULL is nothing. */
WN_API void wn_udp_close(struct wn_udp *udp);

/* Where it is. */
WN_API void wn_udp_local(const struct wn_udp *udp, struct wn_endpoint *out);

/* Sends `len` octets to `to`: 0, -EMSGSIZE: more than a datagram holds, -ENETUNREACH: no route,
 * -EACCES: a broadcast without WN_UDP_BROADCAST, -ENOBUFS: no memory. Nothing says that it
 * arrives. */
WN_API WN_MUST_USE int wn_udp_send(struct wn_udp *udp, const struct wn_endpoint *to,
                                   const void *data, size_t len);

/* Copies the oldest datagram that waits to `out`, `size` octets at most: the rest is lost. Its whole
 * length, which may be 0, or -EAGAIN: none waits. `from` is NULL, or is told who sent it. */
WN_API WN_MUST_USE long wn_udp_receive(struct wn_udp *udp, void *out, size_t size,
                                       struct wn_endpoint *from);

/* The oldest ICMP error (RFC 1122 §4.1.3.3) that came back for a datagram sent here: where that was
 * going goes to *to, and ICMP's type and code to *type and *code. 1, or 0: there is none. At most 8
 * wait; the oldest goes. */
WN_API int wn_udp_next_error(struct wn_udp *udp, struct wn_endpoint *to, uint8_t *type,
                             uint8_t *code);

WN_C_END

#endif
