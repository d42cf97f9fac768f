/* SPDX-License-Identifier: ISC */
/*
 * bsd.h - BSD sockets over a stack's event API, with the semantics of Linux and its error numbers.
 *
 * Every call returns at once: a value >= 0, or a negative errno. A call that would block says
 * -EAGAIN (connect: -EINPROGRESS, then -EALREADY), whatever the descriptor's O_NONBLOCK: there is
 * nothing here that one could wait for. Who wants to block does it outside:
 *
 *      size_t done = 0;
 *      while ((n = bsd_sendmsg_more(bsd, fd, &message, flags, &done)) == -EAGAIN &&
 *             bsd_may_block(bsd, fd, flags))
 *          turn the world, until bsd_patience() is over: then n = done > 0 ? done : -EAGAIN
 *
 * Constants and structures are those of wholenet/socket_types.h (numbers as on Linux).
 *
 * Order of calls: the stack's owner turns its crank (stack/stack.h) and calls bsd_turn(), or hands
 * each event to bsd_event(). Calls may come between any two of those.
 *
 * Bounds: a table of descriptors, -EMFILE when it is full; an epoll watches at most all of them.
 */
#ifndef WN_STACK_BSD_BSD_H
#define WN_STACK_BSD_BSD_H

#include <wholenet/socket_types.h>

#include "stack/stack.h"

struct bsd;

enum {
    BSD_DESCRIPTORS_DEFAULT = 1024,
    BSD_DESCRIPTORS_MAX = 1 << 20,
    BSD_BACKLOG_MAX = 4096,  /* what listen() cuts to: net.core.somaxconn */
    BSD_EPOLL_DEPTH_MAX = 5, /* of epolls that watch epolls; -ELOOP beyond */
    BSD_IOVEC_MAX = 1024,    /* -EMSGSIZE beyond */
};

struct bsd_options {
    struct heap heap;
    unsigned descriptors_max; /* 0: BSD_DESCRIPTORS_DEFAULT */
    int first;                /* the lowest number given; what programs expect is 3 */
};

/* NULL: no memory. The stack is borrowed. Several of them may share it: then its owner hands out
 * events by bsd_event(). */
MUST_USE struct bsd *bsd_new(struct stack *stack, const struct bsd_options *options);

/* Closes every descriptor. Before stack_free(). NULL is nothing. */
void bsd_free(struct bsd *bsd);

/* Takes all that the stack's sockets have to tell. Events of sockets that are not ours are lost:
 * for stacks that have no other user. */
void bsd_turn(struct bsd *bsd);

/* Takes one event; false when it is not of a socket that some struct bsd has opened. */
bool bsd_event(const struct socket_event *event);

/* Grows whenever readiness of any descriptor may have changed: who waits looks again. */
uint64_t bsd_changes(const struct bsd *bsd);

/* ---- descriptors ---- */

/* `domain` WN_AF_INET or WN_AF_INET6; `kind` WN_SOCK_STREAM (protocol 0 or TCP) or WN_SOCK_DGRAM (0
 * or UDP; ICMP: echo requests, "ping sockets"), with WN_SOCK_NONBLOCK, WN_SOCK_CLOEXEC. The lowest
 * free number. */
MUST_USE int bsd_socket(struct bsd *bsd, int domain, int kind, int protocol);
int bsd_close(struct bsd *bsd, int fd);

int bsd_bind(struct bsd *bsd, int fd, const void *address, wn_socklen_t len);
int bsd_listen(struct bsd *bsd, int fd, int backlog);

/* -EAGAIN: nobody is there yet. `address` NULL, or *len octets of room, cut when too little; *len is
 * set to what the whole takes. `flags`: WN_SOCK_NONBLOCK, WN_SOCK_CLOEXEC. */
int bsd_accept4(struct bsd *bsd, int fd, void *address, wn_socklen_t *len, int flags);
int bsd_accept(struct bsd *bsd, int fd, void *address, wn_socklen_t *len);

/* Of a stream: -EINPROGRESS when it was begun; asked again: -EALREADY while it lasts, once 0 or its
 * error, then -EISCONN or a new attempt. To WN_AF_UNSPEC: dissolves the association. */
int bsd_connect(struct bsd *bsd, int fd, const void *address, wn_socklen_t len);
int bsd_shutdown(struct bsd *bsd, int fd, int how);
int bsd_getsockname(struct bsd *bsd, int fd, void *address, wn_socklen_t *len);
int bsd_getpeername(struct bsd *bsd, int fd, void *address, wn_socklen_t *len);

int bsd_setsockopt(struct bsd *bsd, int fd, int level, int name, const void *value,
                   wn_socklen_t len);
int bsd_getsockopt(struct bsd *bsd, int fd, int level, int name, void *value, wn_socklen_t *len);
int bsd_fcntl(struct bsd *bsd, int fd, int command, int value);
int bsd_ioctl(struct bsd *bsd, int fd, unsigned long request, int *value);

/* ---- octets ---- */

/*
 * The two general forms. `done` counts what earlier tries of the same call have done: 0 at first,
 * then left alone. The whole result, when there is one; -EAGAIN: `done` may have grown, and the rest
 * would block. A caller that does not want to wait returns done when it is not 0, and must, when
 * the error is another one and done is not 0, return done and leave the error for the next call: a
 * result other than -EAGAIN already has that in it.
 *
 * A descriptor that may block (bsd_may_block()) sends all, and receives at least SO_RCVLOWAT
 * octets, or all with WN_MSG_WAITALL; one that may not does what can be done now.
 */
long bsd_sendmsg_more(struct bsd *bsd, int fd, const struct wn_msghdr *message, int flags,
                      size_t *done);
long bsd_recvmsg_more(struct bsd *bsd, int fd, struct wn_msghdr *message, int flags,
                      size_t *done);

/* The ordinary ones do what can be done now: a short count, or -EAGAIN when it is nothing. */
long bsd_sendmsg(struct bsd *bsd, int fd, const struct wn_msghdr *message, int flags);
long bsd_recvmsg(struct bsd *bsd, int fd, struct wn_msghdr *message, int flags);
long bsd_sendto(struct bsd *bsd, int fd, const void *data, size_t len, int flags,
                const void *address, wn_socklen_t address_len);
long bsd_recvfrom(struct bsd *bsd, int fd, void *data, size_t len, int flags, void *address,
                  wn_socklen_t *address_len);
long bsd_send(struct bsd *bsd, int fd, const void *data, size_t len, int flags);
long bsd_recv(struct bsd *bsd, int fd, void *data, size_t len, int flags);
long bsd_write(struct bsd *bsd, int fd, const void *data, size_t len);
long bsd_read(struct bsd *bsd, int fd, void *data, size_t len);
long bsd_writev(struct bsd *bsd, int fd, const struct wn_iovec *parts, int count);
long bsd_readv(struct bsd *bsd, int fd, const struct wn_iovec *parts, int count);

/* ---- waiting ---- */

/* May a call on the descriptor with these WN_MSG_ flags wait? (O_NONBLOCK, WN_MSG_DONTWAIT.) */
bool bsd_may_block(const struct bsd *bsd, int fd, int flags);

enum bsd_direction { BSD_RECEIVE /* accept too */, BSD_SEND /* connect too */ };

/* How long it may wait: SO_RCVTIMEO, SO_SNDTIMEO; USEC_NEVER: as long as it takes; 0: not at all.
 * What a call says when that time is over is -EAGAIN; connect: -EINPROGRESS. */
usec bsd_patience(const struct bsd *bsd, int fd, int flags, enum bsd_direction direction);

/* How long close() of it may wait for what is queued to be delivered (SO_LINGER); 0: not at all.
 * Who waits for it calls bsd_shutdown(WN_SHUT_RDWR), waits until SIOCOUTQ is 0, then closes. */
usec bsd_linger(const struct bsd *bsd, int fd);

/* WN_POLL bits that hold now, whether asked for or not; WN_POLLNVAL: no such descriptor. */
unsigned bsd_ready(const struct bsd *bsd, int fd);

/* Fills revents; how many are not 0. Never waits. */
int bsd_poll(const struct bsd *bsd, struct wn_pollfd *fds, size_t count);

/* Sets may be NULL. They are changed, and the number of bits returned, only when it is not 0: who
 * gives up waiting clears them (bsd_select_clear()). */
int bsd_select(const struct bsd *bsd, int count, wn_fd_set *readable, wn_fd_set *writable,
               wn_fd_set *exceptional);
void bsd_select_clear(int count, wn_fd_set *set);

MUST_USE int bsd_epoll_create(struct bsd *bsd, int flags);
int bsd_epoll_ctl(struct bsd *bsd, int epoll, int operation, int fd,
                  const struct wn_epoll_event *event);

/* How many events were given, 0 when there is none now. Never waits. */
int bsd_epoll_wait(struct bsd *bsd, int epoll, struct wn_epoll_event *events, int events_max);

/* ---- for tests and status pages ---- */

/* The connection behind a descriptor, or NULL. Borrowed, until any call on it. */
struct tcp_connection;
struct tcp_connection *bsd_tcp(const struct bsd *bsd, int fd);

/* What WN_TCP_INFO tells of a connection, whoever has opened it. */
void bsd_connection_info(const struct tcp_connection *c, struct wn_tcp_info *out);

#endif
