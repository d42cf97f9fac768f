/* SPDX-License-Identifier: ISC */
/*
 * bsd_message.c - the many names of sending and receiving, all of which are sendmsg() and recvmsg().
 */
#include "stack/bsd/internal.h"

long bsd_sendmsg_more(struct bsd *bsd, int fd, const struct wn_msghdr *message, int flags,
                      size_t *done)
{
    struct bsd_socket *s;
    int result = bsd_socket_at(bsd, fd, &s);
    if (result < 0)
        return result;
    if (s->kind == BSD_STREAM)
        return bsd_stream_send(s, message, flags, done);
    return bsd_dgram_send(s, message, flags);
}

long bsd_recvmsg_more(struct bsd *bsd, int fd, struct wn_msghdr *message, int flags, size_t *done)
{
    struct bsd_socket *s;
    int result = bsd_socket_at(bsd, fd, &s);
    if (result < 0)
        return result;
    message->msg_flags = 0;
    message->msg_controllen = 0;
    if (s->kind == BSD_STREAM)
        return bsd_stream_receive(s, message, flags, done);
    return bsd_dgram_receive(s, message, flags);
}

long bsd_sendmsg(struct bsd *bsd, int fd, const struct wn_msghdr *message, int flags)
{
    size_t done = 0;
    return bsd_sendmsg_more(bsd, fd, message, flags | WN_MSG_DONTWAIT, &done);
}

long bsd_recvmsg(struct bsd *bsd, int fd, struct wn_msghdr *message, int flags)
{
    size_t done = 0;
    return bsd_recvmsg_more(bsd, fd, message, flags | WN_MSG_DONTWAIT, &done);
}

static void *changeable(const void *pointer)
{
    return (void *)(uintptr_t)pointer; /* struct wn_msghdr serves both directions */
}

long bsd_sendto(struct bsd *bsd, int fd, const void *data, size_t len, int flags,
                const void *address, wn_socklen_t address_len)
{
    struct wn_iovec part = {changeable(data), len};
    struct wn_msghdr message = {
        .msg_name = changeable(address),
        .msg_namelen = address_len,
        .msg_iov = &part,
        .msg_iovlen = 1,
    };
    return bsd_sendmsg(bsd, fd, &message, flags);
}

long bsd_recvfrom(struct bsd *bsd, int fd, void *data, size_t len, int flags, void *address,
                  wn_socklen_t *address_len)
{
    struct wn_iovec part = {data, len};
    struct wn_msghdr message = {.msg_name = address, .msg_iov = &part, .msg_iovlen = 1};
    if (address != NULL && address_len == NULL)
        return -EFAULT;
    message.msg_namelen = address != NULL ? *address_len : 0;
    long result = bsd_recvmsg(bsd, fd, &message, flags);
    if (result >= 0 && address != NULL)
        *address_len = message.msg_namelen;
    return result;
}

long bsd_send(struct bsd *bsd, int fd, const void *data, size_t len, int flags)
{
    return bsd_sendto(bsd, fd, data, len, flags, NULL, 0);
}

long bsd_recv(struct bsd *bsd, int fd, void *data, size_t len, int flags)
{
    return bsd_recvfrom(bsd, fd, data, len, flags, NULL, NULL);
}

/* read() and write() know files; those that are no sockets cannot. */
static int file_at(const struct bsd *bsd, int fd)
{
    const struct bsd_socket *s = bsd_find(bsd, fd);
    if (s == NULL)
        return -EBADF;
    return s->kind == BSD_EPOLL ? -EINVAL : 0;
}

long bsd_write(struct bsd *bsd, int fd, const void *data, size_t len)
{
    int result = file_at(bsd, fd);
    return result < 0 ? result : bsd_send(bsd, fd, data, len, 0);
}

/* Nothing is asked for, and nothing is looked at: not even an error. */
long bsd_read(struct bsd *bsd, int fd, void *data, size_t len)
{
    int result = file_at(bsd, fd);
    return result < 0 || len == 0 ? result : bsd_recv(bsd, fd, data, len, 0);
}

static int parts_at(const struct bsd *bsd, int fd, const struct wn_iovec *parts, int count,
                    struct wn_msghdr *out)
{
    int result = file_at(bsd, fd);
    if (result < 0)
        return result;
    if (count < 0 || count > BSD_IOVEC_MAX)
        return -EINVAL;
    *out = (struct wn_msghdr){.msg_iov = changeable(parts), .msg_iovlen = (size_t)count};
    return 0;
}

long bsd_writev(struct bsd *bsd, int fd, const struct wn_iovec *parts, int count)
{
    struct wn_msghdr message;
    int result = parts_at(bsd, fd, parts, count, &message);
    return result < 0 ? result : bsd_sendmsg(bsd, fd, &message, 0);
}

long bsd_readv(struct bsd *bsd, int fd, const struct wn_iovec *parts, int count)
{
    struct wn_msghdr message;
    int result = parts_at(bsd, fd, parts, count, &message);
    if (result < 0)
        return result;
    long len = bsd_message_len(&message);
    return len <= 0 ? len : bsd_recvmsg(bsd, fd, &message, 0);
}
