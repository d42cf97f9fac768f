/* SPDX-License-Identifier: ISC */
/*
 * drill_calls.c - the calls on sockets that the packetdrill tool makes, as those of wholenet/socket.h.
 * Numbers are the same; so are the layouts, but for those that are translated here.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "api/drill/drill_adapter.h"
#include "base/compiler.h"
#include "base/address.h"

enum { EPOLL_EVENTS_MAX = 1024 };

_Static_assert(sizeof(struct wn_pollfd) == sizeof(struct pollfd) &&
                   offsetof(struct wn_pollfd, revents) == offsetof(struct pollfd, revents),
               "one layout");
_Static_assert(sizeof(struct wn_iovec) == sizeof(struct iovec) &&
                   offsetof(struct wn_iovec, iov_len) == offsetof(struct iovec, iov_len),
               "one layout");

/* One call under the lock. */
#define CALL(type, call)                                                                           \
    struct drill *drill = self;                                                                    \
    struct wn_sockets *s = drill_enter(drill);                                                     \
    type result = call;                                                                            \
    int error = errno;                                                                             \
    drill_leave(drill);                                                                            \
    errno = error;                                                                                 \
    return result

/* ---- birth and association: where settings and addresses matter ---- */

/* The script's commands may have changed them; what this takes is nothing to virtual time. */
static void read_settings(struct drill *drill)
{
    (void)drill_enter(drill);
    drill_read_sysctls(drill);
    drill_leave(drill);
}

static int call_socket(void *self, int domain, int type, int protocol)
{
    read_settings(self);
    CALL(int, wn_socket(s, domain, type, protocol));
}

/* The tool binds to an address that it has drawn. */
static void learn_address(struct drill *drill, const struct sockaddr *address, socklen_t len)
{
    struct wn_sockaddr_in in;
    if (len < sizeof in || address->sa_family != AF_INET)
        return;
    memcpy(&in, address, sizeof in);
    const uint8_t *octets = (const uint8_t *)&in.sin_addr.s_addr;
    if (octets[0] == 0 || octets[0] == 127 || octets[0] >= 224)
        return;
    drill_add_address(drill, (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
                                 (uint32_t)octets[2] << 8 | octets[3]);
}

static int call_bind(void *self, int fd, const struct sockaddr *address, socklen_t len)
{
    (void)drill_enter(self);
    learn_address(self, address, len);
    drill_leave(self);
    CALL(int, wn_bind(s, fd, address, len));
}

static int call_listen(void *self, int fd, int backlog)
{
    read_settings(self);
    CALL(int, wn_listen(s, fd, backlog));
}

static int call_accept(void *self, int fd, struct sockaddr *address, socklen_t *len)
{
    CALL(int, wn_accept(s, fd, address, len));
}

/* An unbound socket has the address that the tool was told of. */
static void have_address(struct drill *drill)
{
    (void)drill_enter(drill);
    if (drill->address_count == 0)
        drill_add_address(drill, drill->local);
    drill_leave(drill);
}

static int call_connect(void *self, int fd, const struct sockaddr *address, socklen_t len)
{
    read_settings(self);
    have_address(self);
    CALL(int, wn_connect(s, fd, address, len));
}

static int call_close(void *self, int fd)
{
    CALL(int, wn_close(s, fd));
}

static int call_shutdown(void *self, int fd, int how)
{
    CALL(int, wn_shutdown(s, fd, how));
}

/* ---- octets ---- */

static ssize_t call_read(void *self, int fd, void *data, size_t len)
{
    CALL(ssize_t, wn_read(s, fd, data, len));
}

static ssize_t call_readv(void *self, int fd, const struct iovec *parts, int count)
{
    CALL(ssize_t, wn_readv(s, fd, (const struct wn_iovec *)(const void *)parts, count));
}

static ssize_t call_recv(void *self, int fd, void *data, size_t len, int flags)
{
    CALL(ssize_t, wn_recv(s, fd, data, len, flags));
}

static ssize_t call_recvfrom(void *self, int fd, void *data, size_t len, int flags,
                             struct sockaddr *address, socklen_t *address_len)
{
    CALL(ssize_t, wn_recvfrom(s, fd, data, len, flags, address, address_len));
}

static struct wn_msghdr message_in(const struct msghdr *message)
{
    return (struct wn_msghdr){
        .msg_name = message->msg_name,
        .msg_namelen = message->msg_namelen,
        .msg_iov = (struct wn_iovec *)(void *)message->msg_iov,
        .msg_iovlen = message->msg_iovlen,
        .msg_control = message->msg_control,
        .msg_controllen = message->msg_controllen,
        .msg_flags = message->msg_flags,
    };
}

static ssize_t call_recvmsg(void *self, int fd, struct msghdr *message, int flags)
{
    struct drill *drill = self;
    struct wn_msghdr in = message_in(message);
    struct wn_sockets *s = drill_enter(drill);
    ssize_t result = wn_recvmsg(s, fd, &in, flags);
    int error = errno;
    drill_leave(drill);
    if (result >= 0) {
        message->msg_namelen = in.msg_namelen;
        message->msg_controllen = in.msg_controllen;
        message->msg_flags = in.msg_flags;
    }
    errno = error;
    return result;
}

static ssize_t call_write(void *self, int fd, const void *data, size_t len)
{
    CALL(ssize_t, wn_write(s, fd, data, len));
}

static ssize_t call_writev(void *self, int fd, const struct iovec *parts, int count)
{
    CALL(ssize_t, wn_writev(s, fd, (const struct wn_iovec *)(const void *)parts, count));
}

static ssize_t call_send(void *self, int fd, const void *data, size_t len, int flags)
{
    CALL(ssize_t, wn_send(s, fd, data, len, flags));
}

/* May be a connect() too (RFC 7413). */
static ssize_t call_sendto(void *self, int fd, const void *data, size_t len, int flags,
                           const struct sockaddr *address, socklen_t address_len)
{
    read_settings(self);
    have_address(self);
    CALL(ssize_t, wn_sendto(s, fd, data, len, flags, address, address_len));
}

static ssize_t call_sendmsg(void *self, int fd, const struct msghdr *message, int flags)
{
    const struct wn_msghdr in = message_in(message);
    read_settings(self);
    have_address(self);
    CALL(ssize_t, wn_sendmsg(s, fd, &in, flags));
}

/* ---- options ---- */

static int call_fcntl(void *self, int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    int value = va_arg(arguments, int);
    va_end(arguments);
    CALL(int, wn_fcntl(s, fd, command, value));
}

static int call_ioctl(void *self, int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    int *value = va_arg(arguments, int *);
    va_end(arguments);
    CALL(int, wn_ioctl(s, fd, request, value));
}

static int call_getsockopt(void *self, int fd, int level, int name, void *value, socklen_t *len)
{
    CALL(int, wn_getsockopt(s, fd, level, name, value, len));
}

static int call_setsockopt(void *self, int fd, int level, int name, const void *value,
                           socklen_t len)
{
    read_settings(self);
    CALL(int, wn_setsockopt(s, fd, level, name, value, len));
}

/* ---- readiness ---- */

static int call_poll(void *self, struct pollfd *fds, nfds_t count, int timeout)
{
    CALL(int, wn_poll(s, (struct wn_pollfd *)(void *)fds, count, timeout));
}

static int call_epoll_create(void *self, int size)
{
    if (size <= 0) {
        errno = EINVAL;
        return -1;
    }
    CALL(int, wn_epoll_create(s, 0));
}

static int call_epoll_ctl(void *self, int epoll, int operation, int fd, struct epoll_event *event)
{
    struct wn_epoll_event in = {0, {.u64 = 0}};
    if (event != NULL)
        in = (struct wn_epoll_event){event->events, {.u64 = event->data.u64}};
    CALL(int, wn_epoll_ctl(s, epoll, operation, fd, event != NULL ? &in : NULL));
}

static int call_epoll_wait(void *self, int epoll, struct epoll_event *events, int events_max,
                           int timeout)
{
    struct drill *drill = self;
    int room = events_max < EPOLL_EVENTS_MAX ? events_max : EPOLL_EVENTS_MAX;
    struct wn_epoll_event *out = calloc(room > 0 ? (size_t)room : 1, sizeof *out);
    if (out == NULL) {
        errno = ENOMEM;
        return -1;
    }
    struct wn_sockets *s = drill_enter(drill);
    int result = wn_epoll_wait(s, epoll, out, room, timeout);
    int error = errno;
    drill_leave(drill);
    for (int i = 0; i < result; i++)
        events[i] = (struct epoll_event){.events = out[i].events, .data = {.u64 = out[i].data.u64}};
    free(out);
    errno = error;
    return result;
}

/* ---- what there is none of ---- */

static int call_pipe(void *self UNUSED, int fds[2] UNUSED)
{
    errno = ENOSYS;
    return -1;
}

static int call_splice(void *self UNUSED, int fd_in UNUSED, loff_t *offset_in UNUSED,
                       int fd_out UNUSED, loff_t *offset_out UNUSED, size_t len UNUSED,
                       unsigned flags UNUSED)
{
    errno = ENOSYS;
    return -1;
}

void drill_set_calls(struct drill_interface *out)
{
    out->socket = call_socket;
    out->bind = call_bind;
    out->listen = call_listen;
    out->accept = call_accept;
    out->connect = call_connect;
    out->read = call_read;
    out->readv = call_readv;
    out->recv = call_recv;
    out->recvfrom = call_recvfrom;
    out->recvmsg = call_recvmsg;
    out->write = call_write;
    out->writev = call_writev;
    out->send = call_send;
    out->sendto = call_sendto;
    out->sendmsg = call_sendmsg;
    out->fcntl = call_fcntl;
    out->ioctl = call_ioctl;
    out->close = call_close;
    out->shutdown = call_shutdown;
    out->getsockopt = call_getsockopt;
    out->setsockopt = call_setsockopt;
    out->poll = call_poll;
    out->epoll_create = call_epoll_create;
    out->epoll_ctl = call_epoll_ctl;
    out->epoll_wait = call_epoll_wait;
    out->pipe = call_pipe;
    out->splice = call_splice;
}
