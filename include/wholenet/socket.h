/* SPDX-License-Identifier: ISC */
/*
 * socket.h - BSD sockets on a stack, for programs that were written for them.
 *
 * What each call does, and which error it gives in which state, is what Linux does: -1 with errno on
 * failure. Constants and structures are in <wholenet/socket_types.h>. A struct wn_sockets is what a
 * process is to a kernel: a table of descriptors, small numbers that mean nothing to the system.
 *
 * Waiting. A call on a descriptor without O_NONBLOCK waits by turning the world with the `pump` it
 * was given: so a program in one thread may block on a TAP, or in virtual time while the other host
 * of the conversation answers by events. Without a pump nothing ever waits: calls behave as with
 * O_NONBLOCK. What is queued leaves with the next call that waits, with wn_sockets_run(), or when the
 * stack's owner turns its crank.
 *
 * Events and sockets. The stack may have sockets of both kinds: each kind's events go where they
 * belong. Closing a struct wn_sockets closes its descriptors.
 */
#ifndef WHOLENET_SOCKET_H
#define WHOLENET_SOCKET_H

#include <wholenet/socket_types.h>
#include <wholenet/stack.h>
#include <wholenet/types.h>

WN_C_BEGIN

struct wn_sockets;

struct wn_sockets_options {
    size_t size;              /* sizeof(struct wn_sockets_options): for later versions */
    unsigned descriptors_max; /* 0: 1024; then EMFILE */
    int first;                /* the lowest descriptor; 0 for 3, which is what programs expect */

    /* Moves frames and time until something may have happened to a socket of the stack, or until
     * the instant `until`. 0, or a negative errno which ends the call that waits (-EINTR; -EDEADLK:
     * nothing will ever happen). wn_loop_pump() is one. NULL: see above. */
    int (*pump)(void *self, wn_time until);
    void *pump_self;
};

/* Makes a table of descriptors on the stack, which is borrowed. `options` NULL: all zero. NULL: no
 * memory, or an option cannot be. */
WN_API WN_MUST_USE struct wn_sockets *wn_sockets_new(struct wn_stack *stack,
                                                     const struct wn_sockets_options *options);

/* Closes every descriptor, without waiting. NULL is nothing. */
WN_API void wn_sockets_free(struct wn_sockets *sockets);

/* Pumps until the instant `until` by the stack's clock: what is queued leaves. 0, or -1 with what the
 * pump said; without one 0 at once. */
WN_API int wn_sockets_run(struct wn_sockets *sockets, wn_time until);

/* ---- descriptors ---- */

/* A new descriptor, the lowest that is free: WN_AF_INET or WN_AF_INET6; WN_SOCK_STREAM or
 * WN_SOCK_DGRAM, with WN_SOCK_NONBLOCK; protocol 0, or WN_IPPROTO_ICMP for echo requests. */
WN_API int wn_socket(struct wn_sockets *sockets, int domain, int type, int protocol);

/* Frees the descriptor. With SO_LINGER and a time it waits that long until what is queued is
 * acknowledged. */
WN_API int wn_close(struct wn_sockets *sockets, int fd);

/* Gives it a local address. */
WN_API int wn_bind(struct wn_sockets *sockets, int fd, const void *address, wn_socklen_t len);

/* Makes it a listener with room for `backlog` connections that wait. */
WN_API int wn_listen(struct wn_sockets *sockets, int fd, int backlog);

/* A descriptor of the oldest connection that waits. `address` NULL, or *len octets of room for the
 * peer's, which is cut when that is too little; *len becomes what the whole takes. */
WN_API int wn_accept(struct wn_sockets *sockets, int fd, void *address, wn_socklen_t *len);

/* The same with WN_SOCK_NONBLOCK in `flags` for the new descriptor. */
WN_API int wn_accept4(struct wn_sockets *sockets, int fd, void *address, wn_socklen_t *len,
                      int flags);

/* Connects to `address`. A stream is established when this says 0; EINPROGRESS: it is under way. To
 * WN_AF_UNSPEC: dissolves the association. */
WN_API int wn_connect(struct wn_sockets *sockets, int fd, const void *address, wn_socklen_t len);

/* Ends receiving (WN_SHUT_RD), sending (WN_SHUT_WR: FIN), or both. */
WN_API int wn_shutdown(struct wn_sockets *sockets, int fd, int how);

/* The local address; `address` and `len` as of wn_accept(). */
WN_API int wn_getsockname(struct wn_sockets *sockets, int fd, void *address, wn_socklen_t *len);

/* The peer's. */
WN_API int wn_getpeername(struct wn_sockets *sockets, int fd, void *address, wn_socklen_t *len);

/* Sets an option (WN_SO_…, WN_IP_…, WN_TCP_…) to the `len` octets at `value`. */
WN_API int wn_setsockopt(struct wn_sockets *sockets, int fd, int level, int name, const void *value,
                         wn_socklen_t len);

/* Tells an option: *len octets of room at `value`, and *len becomes how many were filled. */
WN_API int wn_getsockopt(struct wn_sockets *sockets, int fd, int level, int name, void *value,
                         wn_socklen_t *len);

/* WN_F_GETFL, and WN_F_SETFL with WN_O_NONBLOCK in `value`. */
WN_API int wn_fcntl(struct wn_sockets *sockets, int fd, int command, int value);

/* WN_FIONREAD, WN_SIOCOUTQ, WN_SIOCOUTQNSD, WN_SIOCATMARK fill *value; WN_FIONBIO reads it. */
WN_API int wn_ioctl(struct wn_sockets *sockets, int fd, unsigned long request, int *value);

/* ---- octets ---- */

/* Sends `len` octets at `data`; how many were taken. `flags` are of WN_MSG_…. */
WN_API long wn_send(struct wn_sockets *sockets, int fd, const void *data, size_t len, int flags);

/* The same to an address; with WN_MSG_FASTOPEN a stream is opened by it (RFC 7413). */
WN_API long wn_sendto(struct wn_sockets *sockets, int fd, const void *data, size_t len, int flags,
                      const void *address, wn_socklen_t address_len);

/* The same from several buffers. */
WN_API long wn_sendmsg(struct wn_sockets *sockets, int fd, const struct wn_msghdr *message,
                       int flags);

/* Receives at most `len` octets to `data`; how many, 0 at the end of a stream. */
WN_API long wn_recv(struct wn_sockets *sockets, int fd, void *data, size_t len, int flags);

/* The same with the sender's address, as of wn_accept(). */
WN_API long wn_recvfrom(struct wn_sockets *sockets, int fd, void *data, size_t len, int flags,
                        void *address, wn_socklen_t *address_len);

/* The same into several buffers; msg_flags tells what was cut. */
WN_API long wn_recvmsg(struct wn_sockets *sockets, int fd, struct wn_msghdr *message, int flags);

/* wn_recv() without flags. */
WN_API long wn_read(struct wn_sockets *sockets, int fd, void *data, size_t len);

/* wn_send() without flags. */
WN_API long wn_write(struct wn_sockets *sockets, int fd, const void *data, size_t len);

/* wn_read() into `count` buffers. */
WN_API long wn_readv(struct wn_sockets *sockets, int fd, const struct wn_iovec *parts, int count);

/* wn_write() from `count` buffers. */
WN_API long wn_writev(struct wn_sockets *sockets, int fd, const struct wn_iovec *parts, int count);

/* ---- waiting ---- */

/* Waits for one of `count` descriptors, `timeout` milliseconds (negative: for ever), and fills
 * revents; how many are not 0. */
WN_API int wn_poll(struct wn_sockets *sockets, struct wn_pollfd *fds, size_t count, int timeout);

/* The same with sets of descriptors below `count`, each of which may be NULL; `timeout` NULL: for
 * ever. */
WN_API int wn_select(struct wn_sockets *sockets, int count, wn_fd_set *readable,
                     wn_fd_set *writable, wn_fd_set *exceptional,
                     const struct wn_timeval *timeout);

/* A descriptor that watches others. `flags`: 0. */
WN_API int wn_epoll_create(struct wn_sockets *sockets, int flags);

/* Adds, changes or removes what is watched: WN_EPOLL_CTL_…. */
WN_API int wn_epoll_ctl(struct wn_sockets *sockets, int epoll, int operation, int fd,
                        const struct wn_epoll_event *event);

/* Waits for events, `timeout` milliseconds (negative: for ever), and gives `events_max` at most; how
 * many. */
WN_API int wn_epoll_wait(struct wn_sockets *sockets, int epoll, struct wn_epoll_event *events,
                         int events_max, int timeout);

WN_C_END

#endif
