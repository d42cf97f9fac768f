/* SPDX-License-Identifier: ISC */
/*
 * bsd_poll.c - what a descriptor is ready for, one by one (poll) and in sets (select).
 */
#include "stack/bsd/internal.h"

unsigned bsd_socket_ready(const struct bsd_socket *s, int depth)
{
    switch ((enum bsd_kind)s->kind) {
    case BSD_STREAM:
        return bsd_stream_ready(s);
    case BSD_UDP:
    case BSD_PING:
        return bsd_dgram_ready(s);
    case BSD_EPOLL:
        break;
    }
    return bsd_epoll_ready(s, depth) ? READY_IN : 0;
}

unsigned bsd_ready(const struct bsd *bsd, int fd)
{
    const struct bsd_socket *s = bsd_find(bsd, fd);
    return s != NULL ? bsd_socket_ready(s, 0) : WN_POLLNVAL;
}

int bsd_poll(const struct bsd *bsd, struct wn_pollfd *fds, size_t count)
{
    int told = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned wanted = (unsigned short)fds[i].events;
        wanted |= READY_ALWAYS | WN_POLLNVAL;
        unsigned ready = fds[i].fd < 0 ? 0 : bsd_ready(bsd, fds[i].fd) & wanted;
        fds[i].revents = (short)ready;
        told += ready != 0;
    }
    return told;
}

/* ---- select ---- */

static bool has(const wn_fd_set *set, int fd)
{
    return set != NULL && (set->bits[fd / 64] >> fd % 64 & 1);
}

/* Keeps the bit when it is true. */
static int keep(wn_fd_set *set, int fd, bool ready)
{
    if (!has(set, fd))
        return 0;
    if (!ready)
        set->bits[fd / 64] &= ~(UINT64_C(1) << fd % 64);
    return ready;
}

void bsd_select_clear(int count, wn_fd_set *set)
{
    for (int fd = 0; set != NULL && fd < count && fd < WN_FD_SETSIZE; fd++)
        set->bits[fd / 64] &= ~(UINT64_C(1) << fd % 64);
}

int bsd_select(const struct bsd *bsd, int count, wn_fd_set *readable, wn_fd_set *writable,
               wn_fd_set *exceptional)
{
    enum {
        FOR_READING = WN_POLLIN | WN_POLLRDNORM | WN_POLLRDBAND | WN_POLLHUP | WN_POLLERR,
        FOR_WRITING = WN_POLLOUT | WN_POLLWRNORM | WN_POLLWRBAND | WN_POLLERR,
        EXCEPTIONAL = WN_POLLPRI,
    };
    if (count < 0)
        return -EINVAL;
    if (count > WN_FD_SETSIZE)
        count = WN_FD_SETSIZE;
    wn_fd_set none = {{0}};
    wn_fd_set in = readable != NULL ? *readable : none;
    wn_fd_set out = writable != NULL ? *writable : none;
    wn_fd_set except = exceptional != NULL ? *exceptional : none;
    int told = 0;
    for (int fd = 0; fd < count; fd++) {
        if (!has(&in, fd) && !has(&out, fd) && !has(&except, fd))
            continue;
        unsigned ready = bsd_ready(bsd, fd);
        if (ready & WN_POLLNVAL)
            return -EBADF;
        told += keep(&in, fd, ready & FOR_READING);
        told += keep(&out, fd, ready & FOR_WRITING);
        told += keep(&except, fd, ready & EXCEPTIONAL);
    }
    if (told == 0)
        return 0;
    if (readable != NULL)
        *readable = in;
    if (writable != NULL)
        *writable = out;
    if (exceptional != NULL)
        *exceptional = except;
    return told;
}
