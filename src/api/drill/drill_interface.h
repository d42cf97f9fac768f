/* SPDX-License-Identifier: ISC */
/*
 * drill_interface.h - the functions by which the packetdrill tool drives a stack that is a shared
 * object (`packetdrill --so_filename=FILE`): the order and the types of the tool's
 * struct packetdrill_interface, which are facts of its binary interface.
 *
 * Each is handed `self`. Those of sockets answer as the system's do, with errno.
 */
#ifndef WN_API_DRILL_DRILL_INTERFACE_H
#define WN_API_DRILL_DRILL_INTERFACE_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

struct drill_interface {
    void *self;
    void (*free)(void *self);
    int (*socket)(void *self, int domain, int type, int protocol);
    int (*bind)(void *self, int fd, const struct sockaddr *address, socklen_t len);
    int (*listen)(void *self, int fd, int backlog);
    int (*accept)(void *self, int fd, struct sockaddr *address, socklen_t *len);
    int (*connect)(void *self, int fd, const struct sockaddr *address, socklen_t len);
    ssize_t (*read)(void *self, int fd, void *data, size_t len);
    ssize_t (*readv)(void *self, int fd, const struct iovec *parts, int count);
    ssize_t (*recv)(void *self, int fd, void *data, size_t len, int flags);
    ssize_t (*recvfrom)(void *self, int fd, void *data, size_t len, int flags,
                        struct sockaddr *address, socklen_t *address_len);
    ssize_t (*recvmsg)(void *self, int fd, struct msghdr *message, int flags);
    ssize_t (*write)(void *self, int fd, const void *data, size_t len);
    ssize_t (*writev)(void *self, int fd, const struct iovec *parts, int count);
    ssize_t (*send)(void *self, int fd, const void *data, size_t len, int flags);
    ssize_t (*sendto)(void *self, int fd, const void *data, size_t len, int flags,
                      const struct sockaddr *address, socklen_t address_len);
    ssize_t (*sendmsg)(void *self, int fd, const struct msghdr *message, int flags);
    int (*fcntl)(void *self, int fd, int command, ...);
    int (*ioctl)(void *self, int fd, unsigned long request, ...);
    int (*close)(void *self, int fd);
    int (*shutdown)(void *self, int fd, int how);
    int (*getsockopt)(void *self, int fd, int level, int name, void *value, socklen_t *len);
    int (*setsockopt)(void *self, int fd, int level, int name, const void *value, socklen_t len);
    int (*poll)(void *self, struct pollfd *fds, nfds_t count, int timeout);

    /* An IP packet arrives at the stack. 0, or -1. */
    int (*netdev_send)(void *self, const void *data, size_t len);

    /* Waits for the next IP packet that the stack sends: *len is the room at `data`, and becomes what
     * was used, 0 when none has come; *at is when it was sent, by gettimeofday. 0, or -1. */
    int (*netdev_receive)(void *self, void *data, size_t *len, long long *at);

    int (*usleep)(void *self, useconds_t duration);
    int (*gettimeofday)(void *self, struct timeval *out, struct timezone *zone);
    int (*epoll_create)(void *self, int size);
    int (*epoll_ctl)(void *self, int epoll, int operation, int fd, struct epoll_event *event);
    int (*epoll_wait)(void *self, int epoll, struct epoll_event *events, int events_max,
                      int timeout);
    int (*pipe)(void *self, int fds[2]);
    int (*splice)(void *self, int fd_in, loff_t *offset_in, int fd_out, loff_t *offset_out,
                  size_t len, unsigned flags);
};

#endif
