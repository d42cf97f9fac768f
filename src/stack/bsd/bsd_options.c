/* SPDX-License-Identifier: ISC */
/*
 * bsd_options.c - socket options, in one table: what each is, which values it takes, and who keeps
 * it: the socket, or TCP (enum tcp_option), for which it waits until there is a connection.
 *
 * An option that neither knows is answered with ENOPROTOOPT. Kept without effect are those that
 * programs say in vain on Linux too.
 */
#include "stack/bsd/sockopt_table.h"

enum {
    BUFFER_SEND_MIN = 2304, /* Linux: SOCK_MIN_SNDBUF / 2 */
    BUFFER_RECEIVE_MIN = 1152,
    BUFFER_MAX = 1 << 29,   /* so that its double, which is told, is an int */
    PRIORITY_MAX = 6,       /* above it one must be privileged */
};

/* ---- errors ---- */

int bsd_error(const struct bsd_socket *s)
{
    if (s->error != 0)
        return s->error;
    return s->kind == BSD_STREAM ? bsd_stream_error(s) : 0;
}

int bsd_take_error(struct bsd_socket *s)
{
    int error = bsd_error(s);
    if (s->error != 0)
        s->error = 0;
    else if (error != 0)
        s->error_told = true;
    return error;
}

/* ---- TCP's ---- */

static int errno_of(enum tcp_option_status status)
{
    switch (status) {
    case TCP_OPTION_SET:
        return 0;
    case TCP_OPTION_NO_MEMORY:
        return -ENOMEM;
    case TCP_OPTION_RANGE:
    case TCP_OPTION_STATE:
        break;
    }
    return -EINVAL;
}

static int remember(struct bsd_socket *s, enum tcp_option option, uint64_t value)
{
    if (s->wishes == NULL)
        s->wishes = heap_zeroed(&s->bsd->heap, sizeof *s->wishes);
    if (s->wishes == NULL)
        return -ENOMEM;
    s->wishes->said[option] = true;
    s->wishes->values[option] = value;
    return 0;
}

/* Said to a connection, it is remembered too: the socket may be connected anew. */
int bsd_wish(struct bsd_socket *s, enum tcp_option option, uint64_t value)
{
    int result = 0;
    if (s->c != NULL)
        result = errno_of(tcp_set_option(s->c, option, value));
    else if (s->listener != NULL)
        result = errno_of(tcp_listener_set_option(s->listener, option, value));
    if (result < 0 || (s->c != NULL && s->phase == BSD_CONNECTED))
        return result;
    return remember(s, option, value);
}

uint64_t bsd_wished(const struct bsd_socket *s, enum tcp_option option)
{
    if (s->c != NULL)
        return tcp_get_option(s->c, option);
    if (s->listener != NULL)
        return tcp_listener_get_option(s->listener, option);
    if (s->wishes != NULL && s->wishes->said[option])
        return s->wishes->values[option];
    return tcp_default_option(s->bsd->stack, option);
}

void bsd_forget_wishes(struct bsd_socket *s)
{
    heap_release(&s->bsd->heap, s->wishes, sizeof *s->wishes);
    s->wishes = NULL;
}

/* What cannot be had for want of memory, or is refused now, is left as it is by default: the call
 * that said so could only be told of it by refusing the connection. */
void bsd_apply_options(struct bsd_socket *s)
{
    for (unsigned i = 0; s->wishes != NULL && i < TCP_OPTION_COUNT; i++) {
        if (!s->wishes->said[i])
            continue;
        if (s->c != NULL)
            (void)tcp_set_option(s->c, (enum tcp_option)i, s->wishes->values[i]);
        else if (s->listener != NULL)
            (void)tcp_listener_set_option(s->listener, (enum tcp_option)i, s->wishes->values[i]);
    }
}

void bsd_inherit_options(struct bsd_socket *s, const struct bsd_socket *listener)
{
    size_t from = offsetof(struct bsd_socket, reuse_address);
    size_t to = offsetof(struct bsd_socket, backlog);
    memcpy((char *)s + from, (const char *)listener + from, to - from);
    s->inet6 = listener->inet6;
}

/* ---- setting ---- */

static void share(struct bsd_socket *s)
{
    if (s->udp != NULL)
        udp_set_sharing(s->udp, s->reuse_address, s->reuse_port);
    if (s->listener != NULL)
        tcp_listener_set_shared(s->listener, s->reuse_port || s->port_shared);
}

static int set_address_reuse(struct bsd_socket *s, int value)
{
    s->reuse_address = value != 0;
    share(s);
    return 0;
}

static int set_port_reuse(struct bsd_socket *s, int value)
{
    s->reuse_port = value != 0;
    share(s);
    return 0;
}

static int set_buffer(struct bsd_socket *s, bool send, int value)
{
    int least = send ? BUFFER_SEND_MIN : BUFFER_RECEIVE_MIN;
    if (value < least) /* a negative one too, as the kernel takes it */
        value = value < 0 ? BUFFER_MAX : least;
    if (value > BUFFER_MAX)
        value = BUFFER_MAX;
    *(send ? &s->send_buffer : &s->receive_buffer) = (uint32_t)value;
    *(send ? &s->send_buffer_set : &s->receive_buffer_set) = true;
    if (s->udp != NULL && !send)
        udp_set_queue(s->udp, (size_t)value);
    if (s->kind != BSD_STREAM)
        return 0;
    uint64_t octets = value < 2048 ? 2048 : (uint64_t)value; /* TCP's least */
    return bsd_wish(s, send ? TCP_OPTION_SEND_BUFFER : TCP_OPTION_RECEIVE_BUFFER, octets);
}

static int set_send_buffer(struct bsd_socket *s, int value)
{
    return set_buffer(s, true, value);
}

static int set_receive_buffer(struct bsd_socket *s, int value)
{
    return set_buffer(s, false, value);
}

/* RFC 1122 §3.3.1.1: to hosts on the link, and nowhere else. */
static int set_dont_route(struct bsd_socket *s, int value)
{
    s->dont_route = value != 0;
    return s->kind == BSD_STREAM ? bsd_wish(s, TCP_OPTION_DIRECT, s->dont_route) : 0;
}

static int set_broadcast(struct bsd_socket *s, int value)
{
    s->broadcast = value != 0;
    if (s->udp != NULL)
        udp_set_broadcast(s->udp, s->broadcast);
    return 0;
}

static int set_keepalive(struct bsd_socket *s, int value)
{
    s->keepalive = value != 0;
    return s->kind == BSD_STREAM ? bsd_wish(s, TCP_OPTION_KEEPALIVE, s->keepalive) : 0;
}

static int set_receive_low(struct bsd_socket *s, int value)
{
    s->receive_low = value < 0 ? INT32_MAX : value;
    if (s->receive_low == 0)
        s->receive_low = 1;
    bsd_wake(s, READY_IN);
    return 0;
}

static int set_tos(struct bsd_socket *s, int value)
{
    /* The two bits of ECN are TCP's own (RFC 3168 §6.1.1). */
    s->tos = s->kind == BSD_STREAM ? value & 0xfc : value & 0xff;
    if (s->kind != BSD_STREAM)
        return 0;
    return bsd_wish(s, TCP_OPTION_TRAFFIC_CLASS, (uint64_t)s->tos);
}

static int set_ttl(struct bsd_socket *s, int value)
{
    if (value == 0)
        return -EINVAL;
    s->ttl = value < 0 ? 0 : value;
    return s->kind == BSD_STREAM ? bsd_wish(s, TCP_OPTION_TTL, (uint64_t)s->ttl) : 0;
}

/* 0 is the stack's own bound; negative, for those who have no unsigned: none at all. */
static int set_not_sent_low(struct bsd_socket *s, int value)
{
    s->not_sent_low = value;
    uint64_t low = value != 0 ? (uint32_t)value
                              : tcp_default_option(s->bsd->stack, TCP_OPTION_NOT_SENT_LOW);
    return bsd_wish(s, TCP_OPTION_NOT_SENT_LOW, low);
}

static int set_mtu_discover(struct bsd_socket *s, int value)
{
    s->mtu_discover = value;
    if (s->kind != BSD_STREAM)
        return 0;
    /* INTERFACE and OMIT differ from PROBE and DONT in what becomes of datagrams. */
    enum tcp_path_mtu_discovery mode = value == WN_IP_PMTUDISC_INTERFACE ? TCP_PATH_MTU_PROBE
                                       : value == WN_IP_PMTUDISC_OMIT
                                           ? TCP_PATH_MTU_DONT
                                           : (enum tcp_path_mtu_discovery)value;
    return bsd_wish(s, TCP_OPTION_PATH_MTU_DISCOVERY, mode);
}

static int set_mss(struct bsd_socket *s, int value)
{
    enum { MSS_MIN = 88, MSS_MAX = 32767 };
    if (value != 0 && (value < MSS_MIN || value > MSS_MAX))
        return -EINVAL;
    return bsd_wish(s, TCP_OPTION_MSS_MAX, (uint64_t)value);
}

static int set_v6only(struct bsd_socket *s, int value)
{
    if (s->local.port != 0)
        return -EINVAL;
    s->v6only = value != 0;
    return 0;
}

/* Linux keeps a number of timeouts, of which the first lasts a second and each twice as long as the one
 * before, 120 s at most; what is told is how long they last together. */
static int set_defer_accept(struct bsd_socket *s, int seconds)
{
    enum { TIMEOUT_MAX = 120, COUNT_MAX = 255 };
    int64_t timeout = 1;
    int64_t period = 0;
    for (int count = 0; period < seconds && count < COUNT_MAX; count++) {
        period += timeout;
        timeout = 2 * timeout < TIMEOUT_MAX ? 2 * timeout : TIMEOUT_MAX;
    }
    s->defer_accept = (int)period;
    return bsd_wish(s, TCP_OPTION_DEFER_ACCEPT, (uint64_t)(period * USEC_PER_SEC));
}

static int set_ttl_min(struct bsd_socket *s, int value)
{
    s->ttl_min = value;
    return s->kind == BSD_STREAM ? bsd_wish(s, TCP_OPTION_TTL_MIN, (uint64_t)value) : 0;
}

/* Programs set it; nobody has seen it do something, on Linux either, since 2018. */
static int set_thin_duplicates(struct bsd_socket *s UNUSED, int value)
{
    return value < 0 || value > 1 ? -EINVAL : 0;
}

static int get_nothing(const struct bsd_socket *s UNUSED)
{
    return 0;
}

static int set_linger_2(struct bsd_socket *s, int value)
{
    enum { SECONDS_MAX = 120 };
    s->no_linger_2 = value < 0; /* nobody waits in FIN-WAIT-2 at all */
    if (value < 0)
        value = 0;
    else if (value == 0)
        return bsd_wish(s, TCP_OPTION_FIN_WAIT_2,
                        tcp_default_option(s->bsd->stack, TCP_OPTION_FIN_WAIT_2));
    else if (value > SECONDS_MAX)
        value = SECONDS_MAX;
    return bsd_wish(s, TCP_OPTION_FIN_WAIT_2, (uint64_t)value * USEC_PER_SEC);
}

/* ---- getting ---- */

static int get_type(const struct bsd_socket *s)
{
    return s->kind == BSD_STREAM ? WN_SOCK_STREAM : WN_SOCK_DGRAM;
}

static int get_domain(const struct bsd_socket *s)
{
    return s->inet6 ? WN_AF_INET6 : WN_AF_INET;
}

static int get_protocol(const struct bsd_socket *s)
{
    if (s->kind == BSD_STREAM)
        return WN_IPPROTO_TCP;
    return s->kind == BSD_UDP ? WN_IPPROTO_UDP : WN_IPPROTO_ICMP;
}

static int get_listening(const struct bsd_socket *s)
{
    return s->listener != NULL;
}

static int get_error(const struct bsd_socket *s)
{
    return bsd_take_error((struct bsd_socket *)(uintptr_t)s);
}

static int as_int(uint64_t value)
{
    return value < INT32_MAX ? (int)value : INT32_MAX;
}

/* What was asked for is told doubled, as Linux does, whose bookkeeping takes the other half. */
static int get_send_buffer(const struct bsd_socket *s)
{
    if (s->send_buffer_set || s->kind != BSD_STREAM)
        return as_int(2 * (uint64_t)(s->send_buffer_set ? s->send_buffer : UDP_QUEUE_OCTETS));
    return as_int(bsd_wished(s, TCP_OPTION_SEND_BUFFER));
}

static int get_receive_buffer(const struct bsd_socket *s)
{
    if (s->receive_buffer_set)
        return as_int(2 * (uint64_t)s->receive_buffer);
    if (s->kind != BSD_STREAM)
        return UDP_QUEUE_OCTETS;
    return as_int(bsd_wished(s, TCP_OPTION_RECEIVE_BUFFER));
}

static int get_receive_low(const struct bsd_socket *s)
{
    return s->receive_low > 0 ? s->receive_low : 1;
}

static int get_send_low(const struct bsd_socket *s UNUSED)
{
    return 1;
}

static int get_ttl(const struct bsd_socket *s)
{
    enum { TTL_DEFAULT = 64 };
    int ttl = s->kind == BSD_STREAM ? as_int(bsd_wished(s, TCP_OPTION_TTL)) : s->ttl;
    return ttl != 0 ? ttl : TTL_DEFAULT;
}

static int get_linger_2(const struct bsd_socket *s)
{
    return s->no_linger_2 ? -1 : as_int(bsd_wished(s, TCP_OPTION_FIN_WAIT_2) / USEC_PER_SEC);
}

/* Of a connection, what it sends; before, what was asked for. */
static int get_mss(const struct bsd_socket *s)
{
    enum { MSS_DEFAULT = 536 };
    struct tcp_info info;
    enum tcp_state state = bsd_stream_state(s);
    uint64_t wished = bsd_wished(s, TCP_OPTION_MSS_MAX);
    if (s->c == NULL || state == TCP_CLOSED)
        return wished != 0 ? (int)wished : MSS_DEFAULT;
    tcp_info(s->c, &info);
    return (int)info.mss;
}

static int get_mtu(const struct bsd_socket *s)
{
    struct ip_address source;
    struct tcp_info info;
    uint16_t mtu;
    if (s->c != NULL && bsd_stream_state(s) != TCP_CLOSED) { /* as path MTU discovery has it */
        tcp_info(s->c, &info);
        return (int)info.path_mtu;
    }
    if (s->remote.port == 0 || !stack_route(s->bsd->stack, &s->remote.address, &source, &mtu))
        return -ENOTCONN;
    return mtu;
}

/* ---- the table ---- */

#define ALL BSD_OPTION_ALL
#define STREAM BSD_OPTION_STREAM
#define INET6 BSD_OPTION_INET6
#define OURS(member) offsetof(struct bsd_socket, member)

static const struct bsd_option options[] = {
    {WN_SOL_SOCKET, WN_SO_REUSEADDR, ALL, .set = set_address_reuse, .type = BSD_OPTION_BOOL,
     OURS(reuse_address)},
    {WN_SOL_SOCKET, WN_SO_REUSEPORT, ALL, .set = set_port_reuse, .type = BSD_OPTION_BOOL,
     OURS(reuse_port)},
    {WN_SOL_SOCKET, WN_SO_TYPE, ALL, .type = BSD_OPTION_ASKED, .get = get_type},
    {WN_SOL_SOCKET, WN_SO_DOMAIN, ALL, .type = BSD_OPTION_ASKED, .get = get_domain},
    {WN_SOL_SOCKET, WN_SO_PROTOCOL, ALL, .type = BSD_OPTION_ASKED, .get = get_protocol},
    {WN_SOL_SOCKET, WN_SO_ACCEPTCONN, ALL, .type = BSD_OPTION_ASKED, .get = get_listening},
    {WN_SOL_SOCKET, WN_SO_ERROR, ALL, .type = BSD_OPTION_ASKED, .get = get_error},
    {WN_SOL_SOCKET, WN_SO_DONTROUTE, ALL, .set = set_dont_route, .type = BSD_OPTION_BOOL,
     OURS(dont_route)},
    {WN_SOL_SOCKET, WN_SO_BROADCAST, ALL, .set = set_broadcast, .type = BSD_OPTION_BOOL,
     OURS(broadcast)},
    {WN_SOL_SOCKET, WN_SO_OOBINLINE, ALL, .set = bsd_urgent_set_in_line, .type = BSD_OPTION_BOOL,
     OURS(oob_inline)},
    {WN_SOL_SOCKET, WN_SO_PRIORITY, ALL, .type = BSD_OPTION_INT, OURS(priority), 0, PRIORITY_MAX},
    {WN_SOL_SOCKET, WN_SO_BUSY_POLL, ALL, .type = BSD_OPTION_INT, OURS(busy_poll), 0, INT32_MAX},
    {WN_SOL_SOCKET, WN_SO_SNDBUF, ALL, .set = set_send_buffer, .get = get_send_buffer},
    {WN_SOL_SOCKET, WN_SO_RCVBUF, ALL, .set = set_receive_buffer, .get = get_receive_buffer},
    {WN_SOL_SOCKET, WN_SO_SNDBUFFORCE, ALL, .set = set_send_buffer},
    {WN_SOL_SOCKET, WN_SO_RCVBUFFORCE, ALL, .set = set_receive_buffer},
    {WN_SOL_SOCKET, WN_SO_RCVLOWAT, ALL, .set = set_receive_low, .get = get_receive_low},
    {WN_SOL_SOCKET, WN_SO_SNDLOWAT, ALL, .type = BSD_OPTION_ASKED, .get = get_send_low},
    {WN_SOL_SOCKET, WN_SO_KEEPALIVE, ALL, .set = set_keepalive, .type = BSD_OPTION_BOOL,
     OURS(keepalive)},

    {WN_IPPROTO_IP, WN_IP_TOS, ALL, .set = set_tos, .type = BSD_OPTION_INT, OURS(tos)},
    {WN_IPPROTO_IP, WN_IP_TTL, ALL, .set = set_ttl, .get = get_ttl, .least = -1, .most = 255},
    {WN_IPPROTO_IP, WN_IP_MTU_DISCOVER, ALL, .set = set_mtu_discover, .type = BSD_OPTION_INT,
     OURS(mtu_discover), 0, WN_IP_PMTUDISC_OMIT},
    {WN_IPPROTO_IP, WN_IP_MINTTL, ALL, .set = set_ttl_min, .type = BSD_OPTION_INT, OURS(ttl_min), 0,
     255},
    {WN_IPPROTO_IP, WN_IP_MTU, ALL, .type = BSD_OPTION_ASKED, .get = get_mtu},
    {WN_IPPROTO_IP, WN_IP_RECVERR, ALL, .type = BSD_OPTION_BOOL, OURS(receive_errors)},
    {WN_IPPROTO_IP, WN_IP_FREEBIND, ALL, .type = BSD_OPTION_BOOL, OURS(free_bind)},
    {WN_IPPROTO_IP, WN_IP_BIND_ADDRESS_NO_PORT, ALL, .type = BSD_OPTION_BOOL,
     OURS(bind_without_port)},

    {WN_IPPROTO_IPV6, WN_IPV6_V6ONLY, INET6, .set = set_v6only, .type = BSD_OPTION_BOOL,
     OURS(v6only)},
    {WN_IPPROTO_IPV6, WN_IPV6_UNICAST_HOPS, INET6, .set = set_ttl, .get = get_ttl, .least = -1,
     .most = 255},
    {WN_IPPROTO_IPV6, WN_IPV6_TCLASS, INET6, .set = set_tos, .type = BSD_OPTION_INT, OURS(tos), -1,
     255},
    {WN_IPPROTO_IPV6, WN_IPV6_MTU_DISCOVER, INET6, .type = BSD_OPTION_INT, OURS(mtu_discover), 0,
     WN_IP_PMTUDISC_OMIT},
    {WN_IPPROTO_IPV6, WN_IPV6_MTU, INET6, .type = BSD_OPTION_ASKED, .get = get_mtu},

    {WN_IPPROTO_TCP, WN_TCP_NODELAY, STREAM, .type = BSD_OPTION_TCP, TCP_OPTION_NODELAY,
     .unit = BSD_OPTION_SWITCH},
    {WN_IPPROTO_TCP, WN_TCP_KEEPIDLE, STREAM, .type = BSD_OPTION_TCP, TCP_OPTION_KEEPALIVE_IDLE, 1,
     32767, .unit = USEC_PER_SEC},
    {WN_IPPROTO_TCP, WN_TCP_KEEPINTVL, STREAM, .type = BSD_OPTION_TCP,
     TCP_OPTION_KEEPALIVE_INTERVAL, 1, 32767, .unit = USEC_PER_SEC},
    {WN_IPPROTO_TCP, WN_TCP_KEEPCNT, STREAM, .type = BSD_OPTION_TCP, TCP_OPTION_KEEPALIVE_PROBES, 1,
     127, .unit = 1},
    {WN_IPPROTO_TCP, WN_TCP_SYNCNT, STREAM, .type = BSD_OPTION_TCP, TCP_OPTION_SYN_RETRIES, 1, 127,
     .unit = 1},
    {WN_IPPROTO_TCP, WN_TCP_CORK, STREAM, .type = BSD_OPTION_TCP, TCP_OPTION_CORK,
     .unit = BSD_OPTION_SWITCH},
    {WN_IPPROTO_TCP, WN_TCP_QUICKACK, STREAM, .type = BSD_OPTION_TCP, TCP_OPTION_QUICK_ACK,
     .unit = BSD_OPTION_SWITCH},
    {WN_IPPROTO_TCP, WN_TCP_USER_TIMEOUT, STREAM, .type = BSD_OPTION_TCP, TCP_OPTION_USER_TIMEOUT,
     0, INT32_MAX, .unit = USEC_PER_MSEC},
    {WN_IPPROTO_TCP, WN_TCP_WINDOW_CLAMP, STREAM, .type = BSD_OPTION_TCP, TCP_OPTION_WINDOW_CLAMP,
     0, 1 << 30, .unit = 1},
    {WN_IPPROTO_TCP, WN_TCP_MAXSEG, STREAM, .set = set_mss, .get = get_mss},
    {WN_IPPROTO_TCP, WN_TCP_NOTSENT_LOWAT, STREAM, .set = set_not_sent_low,
     .type = BSD_OPTION_INT, OURS(not_sent_low)},
    {WN_IPPROTO_TCP, WN_TCP_FASTOPEN, STREAM, .type = BSD_OPTION_TCP, TCP_OPTION_FAST_OPEN_QUEUE,
     .set = bsd_fast_open_set_queue, .unit = 1},
    {WN_IPPROTO_TCP, WN_TCP_FASTOPEN_CONNECT, STREAM, .set = bsd_fast_open_set_connect,
     .type = BSD_OPTION_BOOL, OURS(fast_open_connect)},
    {WN_IPPROTO_TCP, WN_TCP_FASTOPEN_NO_COOKIE, STREAM, .set = bsd_fast_open_set_no_cookie,
     .get = bsd_fast_open_get_no_cookie},
    {WN_IPPROTO_TCP, WN_TCP_THIN_LINEAR_TIMEOUTS, STREAM, .type = BSD_OPTION_BOOL,
     OURS(thin_timeouts), 0, 1},
    {WN_IPPROTO_TCP, WN_TCP_THIN_DUPACK, STREAM, .set = set_thin_duplicates, .get = get_nothing},
    {WN_IPPROTO_TCP, WN_TCP_DEFER_ACCEPT, STREAM, .set = set_defer_accept,
     .type = BSD_OPTION_INT, OURS(defer_accept)},
    {WN_IPPROTO_TCP, WN_TCP_LINGER2, STREAM, .set = set_linger_2, .type = BSD_OPTION_FUNCTIONS,
     .get = get_linger_2},
};

const struct bsd_option *bsd_option_find(const struct bsd_socket *s, int level, int name)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        const struct bsd_option *o = &options[i];
        if (o->level != level || o->name != name)
            continue;
        bool fits = o->whom == ALL || (o->whom == STREAM && s->kind == BSD_STREAM) ||
                    (o->whom == INET6 && s->inet6);
        return fits ? o : NULL;
    }
    return NULL;
}

bool bsd_option_level(const struct bsd_socket *s, int level)
{
    if (level == WN_IPPROTO_TCP)
        return s->kind == BSD_STREAM;
    if (level == WN_IPPROTO_IPV6)
        return s->inet6;
    return level == WN_SOL_SOCKET || level == WN_IPPROTO_IP;
}
