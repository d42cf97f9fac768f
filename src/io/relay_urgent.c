/* SPDX-License-Identifier: ISC */
/*
 * relay_urgent.c - urgent data through the relay (RFC 9293 §3.8.5): the last urgent octet of one side
 * is that of the other. Outside it is read in line (SO_OOBINLINE), so that no octet of the stream is
 * missed. A pointer goes on together with its octet, not before.
 */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include "io/relay_internal.h"
#include "os/socket.h"

void relay_urgent_watch(int fd)
{
    (void)host_socket_set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}

int relay_urgent_part(const struct tcp_connection *inside, size_t *most)
{
    struct tcp_urgent_mark mark;
    *most = SIZE_MAX;
    if (LIKELY(tcp_urgent(inside, &mark) == TCP_URGENT_NONE))
        return 0;
    *most = mark.before > 0 ? mark.before : 1;
    return mark.before > 0 ? 0 : MSG_OOB;
}

bool relay_urgent_next(int fd)
{
    int at_mark = 0;
    return ioctl(fd, SIOCATMARK, &at_mark) == 0 && at_mark != 0;
}
