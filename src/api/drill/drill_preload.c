/* SPDX-License-Identifier: ISC */
/*
 * drill_preload.c - the packetdrill tool asks the system, not its shared object, for TCP_INFO and its
 * kin (assertions in %{ }%), and closes by it what a script has left open. With this library in
 * LD_PRELOAD, too, those calls come here, and what is about descriptors of ours is answered by the
 * stack.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "api/drill/drill_adapter.h"

static struct drill *owner_of(int fd)
{
    return fd >= DRILL_DESCRIPTOR_FIRST ? drill_of_process() : NULL;
}

/* SO_MEMINFO, as far as there is such a thing here: octets, in Linux's order. */
static int memory_of(struct wn_sockets *s, int fd, void *value, socklen_t *len)
{
    enum { RECEIVED, RECEIVE_BUFFER, SENDING, SEND_BUFFER, AHEAD, QUEUED, OPTIONS, BACKLOG, DROPS, ALL };
    int numbers[ALL] = {0};
    socklen_t size = sizeof numbers[0];
    if (wn_getsockopt(s, fd, WN_SOL_SOCKET, WN_SO_RCVBUF, &numbers[RECEIVE_BUFFER], &size) < 0 ||
        wn_getsockopt(s, fd, WN_SOL_SOCKET, WN_SO_SNDBUF, &numbers[SEND_BUFFER], &size) < 0)
        return -1;
    (void)wn_ioctl(s, fd, WN_SIOCINQ, &numbers[RECEIVED]);
    if (wn_ioctl(s, fd, WN_SIOCOUTQ, &numbers[QUEUED]) == 0)
        numbers[SENDING] = numbers[QUEUED];
    *len = *len < sizeof numbers ? *len : (socklen_t)sizeof numbers;
    memcpy(value, numbers, *len);
    return 0;
}

static int answer(struct wn_sockets *s, int fd, int level, int name, void *value, socklen_t *len)
{
    if (level == SOL_SOCKET && name == SO_MEMINFO)
        return memory_of(s, fd, value, len);
    if (level == WN_SOL_TCP && name == WN_TCP_CC_INFO) {
        *len = 0; /* as of an algorithm that has nothing to tell */
        return 0;
    }
    return wn_getsockopt(s, fd, level, name, value, len);
}

WN_API int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
    struct drill *drill = owner_of(fd);
    if (drill == NULL)
        return (int)syscall(SYS_getsockopt, fd, level, name, value, len);
    int result = answer(drill_enter(drill), fd, level, name, value, len);
    int error = errno;
    drill_leave(drill);
    errno = error;
    return result;
}

WN_API int close(int fd)
{
    struct drill *drill = owner_of(fd);
    if (drill == NULL)
        return (int)syscall(SYS_close, fd);
    int result = wn_close(drill_enter(drill), fd);
    int error = errno;
    drill_leave(drill);
    errno = error;
    return result;
}
