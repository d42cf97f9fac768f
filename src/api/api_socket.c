/* SPDX-License-Identifier: ISC */
/*
 * api_socket.c - wholenet/socket.h: BSD sockets over stack/bsd, which never waits; the waiting is
 * here, by the host's pump.
 *
 * Every call that may wait has the same shape: try; as long as the answer is "would block" and there
 * is time left, pump, hand out events, try again.
 */
#include <limits.h>

#include "api/internal.h"
#include "api/api_names.h"

_Static_assert(sizeof(struct wn_sockaddr) == 16, "as on Linux");
_Static_assert(sizeof(struct wn_sockaddr_in) == 16, "as on Linux");
_Static_assert(sizeof(struct wn_sockaddr_in6) == 28, "as on Linux");
_Static_assert(sizeof(struct wn_sockaddr_storage) == 128, "as on Linux");

enum { FIRST_DEFAULT = 3 };

struct wn_sockets {
    struct wn_stack *stack;
    struct bsd *bsd;
    struct heap heap;
    int (*pump)(void *self, wn_time until);
    void *pump_self;
};

/* One call that waits, on its way. */
struct wait {
    struct wn_sockets *sockets;
    usec until; /* USEC_NEVER: for ever */
    bool pumped;
};

static long answer(long result)
{
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

/* What has happened is taken in before a call looks at it. */
static struct bsd *enter(struct wn_sockets *sockets)
{
    (void)api_look_at_clock(sockets->stack);
    (void)api_tell_sockets(sockets->stack);
    return sockets->bsd;
}

struct bsd *api_sockets_enter(struct wn_sockets *sockets)
{
    return enter(sockets);
}

struct wn_stack *api_sockets_stack(const struct wn_sockets *sockets)
{
    return sockets->stack;
}

int api_sockets_pump(struct wn_sockets *sockets, usec until)
{
    if (sockets->pump == NULL)
        return -ENOSYS;
    return sockets->pump(sockets->pump_self, until);
}

/* ---- life ---- */

struct wn_sockets *wn_sockets_new(struct wn_stack *stack, const struct wn_sockets_options *options)
{
    struct wn_sockets_options o = {.size = sizeof o};
    if (options != NULL) {
        if (options->size == 0 || options->size > sizeof o)
            return NULL;
        memcpy(&o, options, options->size);
    }
    if (o.descriptors_max > BSD_DESCRIPTORS_MAX || o.first < 0)
        return NULL;
    struct bsd_options inner = {.heap = stack->heap,
                                .descriptors_max = o.descriptors_max,
                                .first = o.first > 0 ? o.first : FIRST_DEFAULT};
    struct wn_sockets *sockets = heap_zeroed(&stack->heap, sizeof *sockets);
    if (sockets == NULL)
        return NULL;
    *sockets = (struct wn_sockets){
        .stack = stack, .heap = stack->heap, .pump = o.pump, .pump_self = o.pump_self};
    sockets->bsd = bsd_new(stack->stack, &inner);
    if (sockets->bsd != NULL)
        return sockets;
    wn_sockets_free(sockets);
    return NULL;
}

void wn_sockets_free(struct wn_sockets *sockets)
{
    if (sockets == NULL)
        return;
    bsd_free(sockets->bsd);
    struct heap heap = sockets->heap;
    heap_release(&heap, sockets, sizeof *sockets);
}

/* ---- waiting ---- */

static struct wait wait_for(struct wn_sockets *sockets, usec patience)
{
    (void)enter(sockets);
    usec now = stack_now(sockets->stack->stack);
    bool bounded = sockets->pump != NULL && patience < USEC_NEVER - now;
    return (struct wait){.sockets = sockets, .until = bounded ? now + patience : USEC_NEVER};
}

/* 0: look again. Otherwise what the call says: `over` when its time has passed. The world is turned
 * once also for those that do not wait, so that a program which only asks gets on. */
static long wait_more(struct wait *wait, long over)
{
    struct wn_sockets *sockets = wait->sockets;
    bool late = stack_now(sockets->stack->stack) >= wait->until;
    if (sockets->pump == NULL || (late && wait->pumped))
        return over;
    wait->pumped = true;
    int result = sockets->pump(sockets->pump_self, wait->until);
    (void)enter(sockets);
    return result;
}

int wn_sockets_run(struct wn_sockets *sockets, wn_time until)
{
    struct wait wait = {.sockets = sockets, .until = until};
    long result = 0;
    if (sockets->pump == NULL)
        return 0;
    do
        result = wait_more(&wait, 1);
    while (result == 0);
    return (int)answer(result > 0 ? 0 : result);
}

/* As milliseconds of poll() say it. */
static usec patience_of(int timeout)
{
    return timeout < 0 ? USEC_NEVER : timeout * USEC_PER_MSEC;
}

/* ---- descriptors ---- */

int wn_socket(struct wn_sockets *sockets, int domain, int type, int protocol)
{
    return (int)answer(bsd_socket(enter(sockets), domain, type, protocol));
}

/* Waits until the peer has acknowledged what is queued (SO_LINGER). */
static void linger(struct wn_sockets *sockets, int fd)
{
    usec patience = bsd_linger(sockets->bsd, fd);
    int queued = 0;
    if (patience == 0 || sockets->pump == NULL)
        return;
    struct wait wait = wait_for(sockets, patience);
    (void)bsd_shutdown(sockets->bsd, fd, WN_SHUT_RDWR);
    while (bsd_ioctl(sockets->bsd, fd, WN_SIOCOUTQ, &queued) == 0 && queued > 0)
        if (wait_more(&wait, -EAGAIN) < 0)
            return;
}

int wn_close(struct wn_sockets *sockets, int fd)
{
    (void)enter(sockets);
    linger(sockets, fd);
    return (int)answer(bsd_close(sockets->bsd, fd));
}

int wn_bind(struct wn_sockets *sockets, int fd, const void *address, wn_socklen_t len)
{
    return (int)answer(bsd_bind(enter(sockets), fd, address, len));
}

int wn_listen(struct wn_sockets *sockets, int fd, int backlog)
{
    return (int)answer(bsd_listen(enter(sockets), fd, backlog));
}

int wn_accept(struct wn_sockets *sockets, int fd, void *address, wn_socklen_t *len)
{
    return wn_accept4(sockets, fd, address, len, 0);
}

int wn_accept4(struct wn_sockets *sockets, int fd, void *address, wn_socklen_t *len, int flags)
{
    struct wait wait =
        wait_for(sockets, bsd_patience(sockets->bsd, fd, 0, BSD_RECEIVE));
    for (;;) {
        int result = bsd_accept4(sockets->bsd, fd, address, len, flags);
        long more = result == -EAGAIN ? wait_more(&wait, result) : result;
        if (result != -EAGAIN || more != 0)
            return (int)answer(more);
    }
}

int wn_connect(struct wn_sockets *sockets, int fd, const void *address, wn_socklen_t len)
{
    struct wait wait = wait_for(sockets, bsd_patience(sockets->bsd, fd, 0, BSD_SEND));
    bool waits = sockets->pump != NULL && wait.until > stack_now(sockets->stack->stack);
    for (;;) {
        long result = bsd_connect(sockets->bsd, fd, address, len);
        bool under_way = result == -EINPROGRESS || result == -EALREADY;
        if (!under_way || !waits)
            return (int)answer(result);
        result = wait_more(&wait, -EINPROGRESS);
        if (result != 0)
            return (int)answer(result);
    }
}

int wn_shutdown(struct wn_sockets *sockets, int fd, int how)
{
    return (int)answer(bsd_shutdown(enter(sockets), fd, how));
}

int wn_getsockname(struct wn_sockets *sockets, int fd, void *address, wn_socklen_t *len)
{
    return (int)answer(bsd_getsockname(enter(sockets), fd, address, len));
}

int wn_getpeername(struct wn_sockets *sockets, int fd, void *address, wn_socklen_t *len)
{
    return (int)answer(bsd_getpeername(enter(sockets), fd, address, len));
}

int wn_setsockopt(struct wn_sockets *sockets, int fd, int level, int name, const void *value,
                  wn_socklen_t len)
{
    return (int)answer(bsd_setsockopt(enter(sockets), fd, level, name, value, len));
}

int wn_getsockopt(struct wn_sockets *sockets, int fd, int level, int name, void *value,
                  wn_socklen_t *len)
{
    return (int)answer(bsd_getsockopt(enter(sockets), fd, level, name, value, len));
}

int wn_fcntl(struct wn_sockets *sockets, int fd, int command, int value)
{
    return (int)answer(bsd_fcntl(enter(sockets), fd, command, value));
}

int wn_ioctl(struct wn_sockets *sockets, int fd, unsigned long request, int *value)
{
    return (int)answer(bsd_ioctl(enter(sockets), fd, request, value));
}

/* ---- octets ---- */

/* What a call says that has waited in vain, or was interrupted: what it has done, if anything. */
static long cut_short(size_t done, long reason)
{
    return done > 0 ? (long)done : reason;
}

long wn_sendmsg(struct wn_sockets *sockets, int fd, const struct wn_msghdr *message, int flags)
{
    size_t done = 0;
    struct wait wait = wait_for(sockets, bsd_patience(sockets->bsd, fd, flags, BSD_SEND));
    if (sockets->pump == NULL)
        flags |= WN_MSG_DONTWAIT;
    for (;;) {
        long result = bsd_sendmsg_more(sockets->bsd, fd, message, flags, &done);
        if (result != -EAGAIN)
            return answer(result);
        long more = wait_more(&wait, -EAGAIN);
        if (more != 0)
            return answer(cut_short(done, more));
    }
}

long wn_recvmsg(struct wn_sockets *sockets, int fd, struct wn_msghdr *message, int flags)
{
    size_t done = 0;
    struct wait wait = wait_for(sockets, bsd_patience(sockets->bsd, fd, flags, BSD_RECEIVE));
    if (sockets->pump == NULL)
        flags |= WN_MSG_DONTWAIT;
    for (;;) {
        long result = bsd_recvmsg_more(sockets->bsd, fd, message, flags, &done);
        if (result != -EAGAIN)
            return answer(result);
        long more = wait_more(&wait, -EAGAIN);
        if (more != 0)
            return answer(cut_short(done, more));
    }
}

long wn_sendto(struct wn_sockets *sockets, int fd, const void *data, size_t len, int flags,
               const void *address, wn_socklen_t address_len)
{
    struct wn_iovec part = {(void *)(uintptr_t)data, len};
    struct wn_msghdr message = {.msg_name = (void *)(uintptr_t)address,
                                .msg_namelen = address != NULL ? address_len : 0,
                                .msg_iov = &part,
                                .msg_iovlen = 1};
    return wn_sendmsg(sockets, fd, &message, flags);
}

long wn_recvfrom(struct wn_sockets *sockets, int fd, void *data, size_t len, int flags,
                 void *address, wn_socklen_t *address_len)
{
    struct wn_iovec part = {data, len};
    struct wn_msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (address != NULL && address_len == NULL)
        return answer(-EFAULT);
    if (address != NULL) {
        message.msg_name = address;
        message.msg_namelen = *address_len;
    }
    long result = wn_recvmsg(sockets, fd, &message, flags);
    if (result >= 0 && address != NULL)
        *address_len = message.msg_namelen;
    return result;
}

long wn_send(struct wn_sockets *sockets, int fd, const void *data, size_t len, int flags)
{
    return wn_sendto(sockets, fd, data, len, flags, NULL, 0);
}

long wn_recv(struct wn_sockets *sockets, int fd, void *data, size_t len, int flags)
{
    return wn_recvfrom(sockets, fd, data, len, flags, NULL, NULL);
}

long wn_read(struct wn_sockets *sockets, int fd, void *data, size_t len)
{
    return wn_recv(sockets, fd, data, len, 0);
}

long wn_write(struct wn_sockets *sockets, int fd, const void *data, size_t len)
{
    return wn_send(sockets, fd, data, len, 0);
}

long wn_readv(struct wn_sockets *sockets, int fd, const struct wn_iovec *parts, int count)
{
    struct wn_msghdr message = {.msg_iov = (struct wn_iovec *)(uintptr_t)parts,
                                .msg_iovlen = (size_t)count};
    return count < 0 ? answer(-EINVAL) : wn_recvmsg(sockets, fd, &message, 0);
}

long wn_writev(struct wn_sockets *sockets, int fd, const struct wn_iovec *parts, int count)
{
    struct wn_msghdr message = {.msg_iov = (struct wn_iovec *)(uintptr_t)parts,
                                .msg_iovlen = (size_t)count};
    return count < 0 ? answer(-EINVAL) : wn_sendmsg(sockets, fd, &message, 0);
}

/* ---- readiness ---- */

int wn_poll(struct wn_sockets *sockets, struct wn_pollfd *fds, size_t count, int timeout)
{
    struct wait wait = wait_for(sockets, patience_of(timeout));
    if (fds == NULL && count > 0)
        return (int)answer(-EFAULT);
    for (;;) {
        int result = bsd_poll(sockets->bsd, fds, count);
        long more = result == 0 ? wait_more(&wait, LONG_MAX) : result;
        if (result != 0 || more != 0)
            return (int)answer(more == LONG_MAX ? 0 : more);
    }
}

/* How long select() may wait, or a negative errno. */
static usec select_patience(const struct wn_timeval *timeout)
{
    if (timeout == NULL)
        return USEC_NEVER;
    if (timeout->tv_sec < 0 || timeout->tv_usec < 0)
        return -EINVAL;
    if (timeout->tv_sec >= USEC_NEVER / USEC_PER_SEC / 2)
        return USEC_NEVER;
    return timeout->tv_sec * USEC_PER_SEC + timeout->tv_usec % USEC_PER_SEC;
}

int wn_select(struct wn_sockets *sockets, int count, wn_fd_set *readable, wn_fd_set *writable,
              wn_fd_set *exceptional, const struct wn_timeval *timeout)
{
    usec patience = select_patience(timeout);
    if (patience < 0)
        return (int)answer(patience);
    struct wait wait = wait_for(sockets, patience);
    for (;;) {
        int result = bsd_select(sockets->bsd, count, readable, writable, exceptional);
        if (result != 0)
            return (int)answer(result);
        long more = wait_more(&wait, LONG_MAX);
        if (more != LONG_MAX && more != 0)
            return (int)answer(more);
        if (more == LONG_MAX)
            break;
    }
    bsd_select_clear(count, readable);
    bsd_select_clear(count, writable);
    bsd_select_clear(count, exceptional);
    return 0;
}

int wn_epoll_create(struct wn_sockets *sockets, int flags)
{
    return (int)answer(bsd_epoll_create(enter(sockets), flags));
}

int wn_epoll_ctl(struct wn_sockets *sockets, int epoll, int operation, int fd,
                 const struct wn_epoll_event *event)
{
    return (int)answer(bsd_epoll_ctl(enter(sockets), epoll, operation, fd, event));
}

int wn_epoll_wait(struct wn_sockets *sockets, int epoll, struct wn_epoll_event *events,
                  int events_max, int timeout)
{
    struct wait wait = wait_for(sockets, patience_of(timeout));
    for (;;) {
        int result = bsd_epoll_wait(sockets->bsd, epoll, events, events_max);
        long more = result == 0 ? wait_more(&wait, LONG_MAX) : result;
        if (result != 0 || more != 0)
            return (int)answer(more == LONG_MAX ? 0 : more);
    }
}
