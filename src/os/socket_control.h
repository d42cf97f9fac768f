/* SPDX-License-Identifier: ISC */
/*
 * socket_control.h - the control messages of datagrams: where one was sent to, and where one is to
 * come from. For socket_datagram.c and socket_batch.c.
 */
#ifndef WN_OS_SOCKET_CONTROL_H
#define WN_OS_SOCKET_CONTROL_H

#include <stdalign.h>
#include <sys/socket.h>

#include "os/socket.h"

enum { HOST_CONTROL_SIZE = 256 };

struct host_control {
    alignas(struct cmsghdr) char octets[HOST_CONTROL_SIZE];
};

/* Target address and interface of what was received. */
void host_control_read(const struct msghdr *message, struct host_datagram *out);

/* The control message that names source address and interface; returns its length. */
size_t host_control_source(const struct host_datagram *facts, int family,
                           struct host_control *control);

/* The address that it goes to, with its scope. Its length, or -EAFNOSUPPORT. */
MUST_USE int host_control_target(const struct host_datagram *facts, int family,
                                 struct sockaddr_storage *out);

#endif
