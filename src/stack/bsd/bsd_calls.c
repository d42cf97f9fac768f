/* SPDX-License-Identifier: ISC */
/*
 * bsd_calls.c - the calls on a descriptor as a whole: each looks it up, checks what all kinds have in
 * common, and hands it to its kind. The checks are in the order in which Linux answers.
 */
#include "stack/bsd/internal.h"
#include "stack/ip.h"

/* Numbers beyond these are none to Linux. */
enum { KIND_MASK = 0xf, DOMAIN_COUNT = 46, KIND_COUNT = 11, PROTOCOL_COUNT = 263 };

/* ---- birth and end ---- */

/* The kind that the numbers mean, or a negative errno. */
static int kind_of(int domain, int kind, int protocol)
{
    if (domain < 0 || domain >= DOMAIN_COUNT)
        return -EAFNOSUPPORT;
    if (kind < 0 || kind >= KIND_COUNT)
        return -EINVAL;
    if (domain != WN_AF_INET && domain != WN_AF_INET6)
        return -EAFNOSUPPORT;
    if (protocol < 0 || protocol >= PROTOCOL_COUNT)
        return -EINVAL;
    if (kind == WN_SOCK_RAW)
        return -EPERM;
    if (kind == WN_SOCK_STREAM)
        return protocol == 0 || protocol == WN_IPPROTO_TCP ? (int)BSD_STREAM : -EPROTONOSUPPORT;
    if (kind != WN_SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    if (protocol == WN_IPPROTO_ICMP && domain == WN_AF_INET)
        return BSD_PING;
    return protocol == 0 || protocol == WN_IPPROTO_UDP ? (int)BSD_UDP : -EPROTONOSUPPORT;
}

int bsd_socket(struct bsd *bsd, int domain, int kind, int protocol)
{
    int flags = kind & ~KIND_MASK;
    if (flags & ~(WN_SOCK_NONBLOCK | WN_SOCK_CLOEXEC))
        return -EINVAL;
    int which = kind_of(domain, kind & KIND_MASK, protocol);
    if (which < 0)
        return which;
    struct bsd_socket *s;
    int fd = bsd_add(bsd, (enum bsd_kind)which, &s);
    if (fd < 0)
        return fd;
    s->inet6 = domain == WN_AF_INET6;
    s->nonblock = (flags & WN_SOCK_NONBLOCK) != 0;
    return fd;
}

int bsd_close(struct bsd *bsd, int fd)
{
    struct bsd_socket *s = bsd_find(bsd, fd);
    if (s == NULL)
        return -EBADF;
    bsd->changes++;
    switch ((enum bsd_kind)s->kind) {
    case BSD_STREAM:
        bsd_stream_close(s);
        break;
    case BSD_UDP:
    case BSD_PING:
        bsd_dgram_close(s);
        break;
    case BSD_EPOLL:
        bsd_epoll_close(s);
        break;
    }
    bsd_remove(s);
    return 0;
}

/* ---- names ---- */

/* AF_UNSPEC with the wildcard is an old way to say AF_INET. */
static int bind_address(const struct bsd_socket *s, const void *address, wn_socklen_t len,
                        struct endpoint *out)
{
    struct wn_sockaddr_in in;
    if (!s->inet6 && len >= sizeof in && address != NULL) {
        memcpy(&in, address, sizeof in);
        if (in.sin_family == WN_AF_UNSPEC && in.sin_addr.s_addr == 0) {
            in.sin_family = WN_AF_INET;
            return bsd_address_in(s, &in, sizeof in, out);
        }
    }
    return bsd_address_in(s, address, len, out);
}

static bool may_have(const struct bsd_socket *s, const struct ip_address *address)
{
    return s->free_bind || address_is_any(address) || address_is_multicast(address) ||
           address_is_broadcast(address) || ip_is_local(s->bsd->stack, address);
}

int bsd_bind(struct bsd *bsd, int fd, const void *address, wn_socklen_t len)
{
    struct bsd_socket *s;
    struct endpoint local;
    int result = bsd_socket_at(bsd, fd, &s);
    if (result == 0)
        result = bind_address(s, address, len, &local);
    if (result < 0)
        return result;
    if (!may_have(s, &local.address))
        return -EADDRNOTAVAIL;
    if (bsd_holds_port(s))
        return -EINVAL;
    return s->kind == BSD_STREAM ? bsd_bind_stream(s, &local) : bsd_dgram_bind(s, &local);
}

int bsd_getsockname(struct bsd *bsd, int fd, void *address, wn_socklen_t *len)
{
    struct bsd_socket *s;
    int result = bsd_socket_at(bsd, fd, &s);
    if (result < 0)
        return result;
    if (address == NULL || len == NULL)
        return -EFAULT;
    return bsd_address_out(s, &s->local, address, len);
}

int bsd_getpeername(struct bsd *bsd, int fd, void *address, wn_socklen_t *len)
{
    struct bsd_socket *s;
    int result = bsd_socket_at(bsd, fd, &s);
    if (result < 0)
        return result;
    enum tcp_state state = s->kind == BSD_STREAM ? bsd_stream_state(s) : TCP_ESTABLISHED;
    if (s->remote.port == 0 || state == TCP_CLOSED || state == TCP_SYN_SENT)
        return -ENOTCONN;
    if (address == NULL || len == NULL)
        return -EFAULT;
    return bsd_address_out(s, &s->remote, address, len);
}

/* ---- association ---- */

int bsd_connect(struct bsd *bsd, int fd, const void *address, wn_socklen_t len)
{
    struct bsd_socket *s;
    int result = bsd_socket_at(bsd, fd, &s);
    if (result < 0)
        return result;
    if (address == NULL)
        return -EFAULT;
    int family = bsd_address_family(address, len);
    if (family < 0)
        return family;
    if (family == WN_AF_UNSPEC)
        return s->kind == BSD_STREAM ? bsd_stream_disconnect(s) : bsd_dgram_disconnect(s);
    struct endpoint to;
    /* A stream that is under way or done says so, whatever the address. */
    bool settled = s->kind == BSD_STREAM && s->phase != BSD_UNCONNECTED;
    if (!settled)
        result = bsd_address_in(s, address, len, &to);
    if (result < 0)
        return result;
    return s->kind == BSD_STREAM ? bsd_stream_connect(s, &to) : bsd_dgram_connect(s, &to);
}

int bsd_listen(struct bsd *bsd, int fd, int backlog)
{
    struct bsd_socket *s;
    int result = bsd_socket_at(bsd, fd, &s);
    if (result < 0)
        return result;
    return s->kind == BSD_STREAM ? bsd_stream_listen(s, backlog) : -EOPNOTSUPP;
}

int bsd_accept4(struct bsd *bsd, int fd, void *address, wn_socklen_t *len, int flags)
{
    struct bsd_socket *s;
    struct bsd_socket *child;
    int result = bsd_socket_at(bsd, fd, &s);
    if (flags & ~(WN_SOCK_NONBLOCK | WN_SOCK_CLOEXEC))
        return -EINVAL;
    if (result < 0)
        return result;
    if (s->kind != BSD_STREAM)
        return -EOPNOTSUPP;
    int accepted = bsd_stream_accept(s, flags, &child);
    if (accepted < 0)
        return accepted;
    result = bsd_address_out(child, &child->remote, address, len);
    if (result < 0) {
        (void)bsd_close(bsd, accepted);
        return result;
    }
    return accepted;
}

int bsd_accept(struct bsd *bsd, int fd, void *address, wn_socklen_t *len)
{
    return bsd_accept4(bsd, fd, address, len, 0);
}

static int shut_down_dgram(struct bsd_socket *s, unsigned how)
{
    s->shut |= (uint8_t)how; /* also of one that is not connected, which is told so */
    bsd_wake(s, READY_ANY);
    return s->phase == BSD_CONNECTED ? 0 : -ENOTCONN;
}

int bsd_shutdown(struct bsd *bsd, int fd, int how)
{
    struct bsd_socket *s;
    int result = bsd_socket_at(bsd, fd, &s);
    if (result < 0)
        return result;
    if (how < WN_SHUT_RD || how > WN_SHUT_RDWR)
        return -EINVAL;
    unsigned bits = (unsigned)how + 1; /* SHUT_RD 1, SHUT_WR 2, SHUT_RDWR 3 */
    return s->kind == BSD_STREAM ? bsd_stream_shutdown(s, bits) : shut_down_dgram(s, bits);
}

/* ---- fcntl and ioctl ---- */

int bsd_fcntl(struct bsd *bsd, int fd, int command, int value)
{
    struct bsd_socket *s = bsd_find(bsd, fd);
    if (s == NULL)
        return -EBADF;
    if (command == WN_F_GETFL)
        return WN_O_RDWR | (s->nonblock ? WN_O_NONBLOCK : 0);
    if (command != WN_F_SETFL)
        return -EINVAL;
    s->nonblock = (value & WN_O_NONBLOCK) != 0;
    return 0;
}

static int ioctl_stream(struct bsd_socket *s, unsigned long request, int *value)
{
    enum tcp_state state = bsd_stream_state(s);
    if (request == WN_SIOCATMARK) {
        *value = bsd_urgent_at_mark(s);
        return 0;
    }
    if (request != WN_FIONREAD && request != WN_SIOCOUTQ && request != WN_SIOCOUTQNSD)
        return -ENOTTY;
    if (state == TCP_LISTEN)
        return -EINVAL;
    size_t len = 0;
    if (s->c != NULL && request == WN_FIONREAD)
        len = bsd_urgent_readable(s);
    else if (s->c != NULL && state != TCP_CLOSED && state != TCP_SYN_SENT)
        len = request == WN_SIOCOUTQ ? tcp_unacknowledged(s->c) : tcp_not_sent(s->c);
    *value = (int)len;
    return 0;
}

int bsd_ioctl(struct bsd *bsd, int fd, unsigned long request, int *value)
{
    struct bsd_socket *s = bsd_find(bsd, fd);
    if (s == NULL)
        return -EBADF;
    if (value == NULL)
        return -EFAULT;
    if (request == WN_FIONBIO) {
        s->nonblock = *value != 0;
        return 0;
    }
    if (s->kind == BSD_STREAM)
        return ioctl_stream(s, request, value);
    if (s->kind == BSD_EPOLL)
        return -EINVAL;
    if (request != WN_FIONREAD && request != WN_SIOCOUTQ)
        return -ENOTTY;
    *value = request == WN_FIONREAD ? (int)bsd_dgram_next_len(s) : 0;
    return 0;
}

/* ---- how long to wait ---- */

bool bsd_may_block(const struct bsd *bsd, int fd, int flags)
{
    return bsd_patience(bsd, fd, flags, BSD_RECEIVE) > 0 ||
           bsd_patience(bsd, fd, flags, BSD_SEND) > 0;
}

usec bsd_patience(const struct bsd *bsd, int fd, int flags, enum bsd_direction direction)
{
    const struct bsd_socket *s = bsd_find(bsd, fd);
    if (s == NULL || !bsd_waits(s, flags))
        return 0;
    return direction == BSD_SEND ? s->send_timeout : s->receive_timeout;
}

usec bsd_linger(const struct bsd *bsd, int fd)
{
    const struct bsd_socket *s = bsd_find(bsd, fd);
    if (s == NULL || s->kind != BSD_STREAM || s->c == NULL || !s->linger)
        return 0;
    return s->linger_seconds * USEC_PER_SEC;
}

struct tcp_connection *bsd_tcp(const struct bsd *bsd, int fd)
{
    const struct bsd_socket *s = bsd_find(bsd, fd);
    return s != NULL ? s->c : NULL;
}
