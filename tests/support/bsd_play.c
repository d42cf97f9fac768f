/* SPDX-License-Identifier: ISC */
/* bsd_play.c - see bsd_play.h. */
#include "tests/support/bsd_play.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/memory.h"
#include "sim/world.h"
#include "stack/tcp/tcp_profile.h"
#include "tests/support/check.h"

static struct stack *add_host(struct world *world, uint8_t number)
{
    struct interface_options interface = {
        .name = "eth0",
        .mac = {{2, 0, 0, 0, 0, number}},
        .mtu = 1500,
    };
    struct ip_prefix address = {address_v4(0x0a000000u + number), 24};
    struct stack_options options = {.tcp_profile = &tcp_profile_linux}; /* for what is default */
    int host = world_add_host(world, &options);
    assert_true(host >= 0);
    struct stack *stack = world_host(world, (unsigned)host);
    assert_int_equal(stack_add_interface(stack, &interface), 0);
    assert_true(stack_add_address(stack, 0, &address, false));
    return stack;
}

void play_open(struct play *p, bool kernel)
{
    memset(p, 0, sizeof *p);
    p->kernel = kernel;
    for (int i = 0; i < PLAY_SLOTS; i++)
        p->fds[i] = -1;
    if (kernel)
        return;
    struct heap heap = memory_heap();
    p->world = world_new(&heap, 1, USEC_PER_SEC);
    assert_non_null(p->world);
    struct stack *stack = add_host(p->world, 1);
    (void)add_host(p->world, 2); /* a wire has two ends; nothing goes over it */
    assert_non_null(world_connect(p->world, (struct world_port){0, 0}, (struct world_port){1, 0},
                                  NULL));
    struct bsd_options options = {.heap = heap, .first = 3};
    p->bsd = bsd_new(stack, &options);
    assert_non_null(p->bsd);
}

void play_close(struct play *p)
{
    for (int i = 0; p->kernel && i < PLAY_SLOTS; i++)
        if (p->fds[i] >= 0)
            close(p->fds[i]);
    bsd_free(p->bsd);
    world_free(p->world);
}

void play_note(struct play *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(p->log + p->log_len, PLAY_LOG - p->log_len, format, arguments);
    va_end(arguments);
    assert_true(len >= 0 && p->log_len + (size_t)len < PLAY_LOG);
    p->log_len += (size_t)len;
}

/* Is some connection in a state that lasts until the next acknowledgement? */
static bool changing(const struct play *p)
{
    for (int i = 0; i < PLAY_SLOTS; i++) {
        struct wn_tcp_info info = {0};
        socklen_t len = sizeof info;
        if (p->fds[i] < 0 || getsockopt(p->fds[i], IPPROTO_TCP, WN_TCP_INFO, &info, &len) < 0)
            continue;
        if (info.tcpi_state == WN_TCP_SYN_SENT || info.tcpi_state == WN_TCP_FIN_WAIT1 ||
            info.tcpi_state == WN_TCP_CLOSING || info.tcpi_state == WN_TCP_LAST_ACK)
            return true;
    }
    return false;
}

void play_settle(struct play *p)
{
    if (p->kernel) {
        /* Loopback delivers within the call, but acknowledgements may be delayed. */
        usleep(500);
        for (int i = 0; i < 100 && changing(p); i++)
            usleep(2000);
        return;
    }
    for (int i = 0; i < 4; i++) {
        bsd_turn(p->bsd);
        world_run_until(p->world, world_now(p->world) + 1 * USEC_PER_MSEC);
    }
    bsd_turn(p->bsd);
}

static long told(struct play *p, const char *call, int slot, long result)
{
    if (result < 0)
        play_note(p, "%s(%d) = -%s\n", call, slot, strerrorname_np((int)-result));
    else
        play_note(p, "%s(%d) = %ld\n", call, slot, result);
    return result;
}

/* Of the kernel's convention. */
static long sys(long result)
{
    return result < 0 ? -errno : result;
}

static int fd_of(const struct play *p, int slot)
{
    return slot >= 0 && slot < PLAY_SLOTS ? p->fds[slot] : slot;
}

int play_slot_of(const struct play *p, uint16_t port)
{
    for (int i = 0; i < PLAY_SLOTS; i++)
        if (port != 0 && p->ports[i] == port)
            return i;
    return -1;
}

static struct wn_sockaddr_in name_of(uint32_t address, uint16_t port)
{
    struct wn_sockaddr_in name = {.sin_family = WN_AF_INET};
    name.sin_addr.s_addr = __builtin_bswap32(address);
    name.sin_port = __builtin_bswap16(port);
    return name;
}

/* ---- names ---- */

static long get_name(struct play *p, int slot, bool peer, void *address, wn_socklen_t *len)
{
    int fd = fd_of(p, slot);
    if (!p->kernel)
        return peer ? bsd_getpeername(p->bsd, fd, address, len)
                    : bsd_getsockname(p->bsd, fd, address, len);
    return sys(peer ? getpeername(fd, address, len) : getsockname(fd, address, len));
}

static void note_port(struct play *p, int slot)
{
    struct wn_sockaddr_in name;
    wn_socklen_t len = sizeof name;
    if (get_name(p, slot, false, &name, &len) == 0 && name.sin_port != 0)
        p->ports[slot] = __builtin_bswap16(name.sin_port);
}

static void note_name(struct play *p, const char *which, const struct wn_sockaddr_in *name,
                      wn_socklen_t len)
{
    uint16_t port = __builtin_bswap16(name->sin_port);
    int slot = play_slot_of(p, port);
    play_note(p, "  %s: family %d, len %u, %08x", which, name->sin_family, len,
              __builtin_bswap32(name->sin_addr.s_addr));
    if (slot >= 0)
        play_note(p, ", the port of %d\n", slot);
    else
        play_note(p, port != 0 ? ", some port\n" : ", no port\n");
}

void play_names(struct play *p, int slot)
{
    for (int peer = 0; peer < 2; peer++) {
        struct wn_sockaddr_in name = {0};
        wn_socklen_t len = sizeof name;
        const char *call = peer ? "getpeername" : "getsockname";
        if (told(p, call, slot, get_name(p, slot, peer, &name, &len)) == 0)
            note_name(p, "name", &name, len);
    }
}

/* ---- association ---- */

int play_socket(struct play *p, int slot, int domain, int kind, int protocol)
{
    long fd = p->kernel ? sys(socket(domain, kind, protocol))
                        : bsd_socket(p->bsd, domain, kind, protocol);
    p->fds[slot] = fd >= 0 ? (int)fd : -1;
    p->ports[slot] = 0;
    told(p, "socket", slot, fd >= 0 ? 0 : fd);
    return (int)fd;
}

int play_close_slot(struct play *p, int slot)
{
    int fd = fd_of(p, slot);
    long result = p->kernel ? sys(close(fd)) : bsd_close(p->bsd, fd);
    p->fds[slot] = -1;
    return (int)told(p, "close", slot, result);
}

int play_bind_raw(struct play *p, int slot, const void *address, wn_socklen_t len)
{
    int fd = fd_of(p, slot);
    long result = p->kernel ? sys(bind(fd, address, len)) : bsd_bind(p->bsd, fd, address, len);
    if (result == 0)
        note_port(p, slot);
    return (int)told(p, "bind", slot, result);
}

int play_bind(struct play *p, int slot, uint32_t address, uint16_t port)
{
    struct wn_sockaddr_in name = name_of(address, port);
    return play_bind_raw(p, slot, &name, sizeof name);
}

int play_listen(struct play *p, int slot, int backlog)
{
    int fd = fd_of(p, slot);
    long result = p->kernel ? sys(listen(fd, backlog)) : bsd_listen(p->bsd, fd, backlog);
    if (result == 0)
        note_port(p, slot);
    return (int)told(p, "listen", slot, result);
}

int play_accept(struct play *p, int listener, int slot, int flags)
{
    int fd = fd_of(p, listener);
    struct wn_sockaddr_in name = {0};
    wn_socklen_t len = sizeof name;
    long result;
    if (p->kernel) { /* never waits */
        struct pollfd one = {fd, POLLIN, 0};
        int listening = 0;
        socklen_t size = sizeof listening;
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
        if (listening && poll(&one, 1, 0) == 0)
            result = -EAGAIN;
        else
            result = sys(accept4(fd, (struct sockaddr *)&name, &len, flags));
    } else {
        result = bsd_accept4(p->bsd, fd, &name, &len, flags);
    }
    told(p, "accept", listener, result >= 0 ? 0 : result);
    if (result < 0)
        return (int)result;
    p->fds[slot] = (int)result;
    p->ports[slot] = 0;
    note_name(p, "from", &name, len);
    return (int)result;
}

int play_connect_raw(struct play *p, int slot, const void *address, wn_socklen_t len)
{
    int fd = fd_of(p, slot);
    long result =
        p->kernel ? sys(connect(fd, address, len)) : bsd_connect(p->bsd, fd, address, len);
    if (result == 0 || result == -EINPROGRESS)
        note_port(p, slot);
    return (int)told(p, "connect", slot, result);
}

int play_connect(struct play *p, int slot, uint32_t address, uint16_t port)
{
    struct wn_sockaddr_in name = name_of(address, port);
    return play_connect_raw(p, slot, &name, sizeof name);
}

int play_shutdown(struct play *p, int slot, int how)
{
    int fd = fd_of(p, slot);
    return (int)told(p, "shutdown", slot,
                     p->kernel ? sys(shutdown(fd, how)) : bsd_shutdown(p->bsd, fd, how));
}

/* ---- octets ---- */

long play_send(struct play *p, int slot, const char *text, int flags)
{
    int fd = fd_of(p, slot);
    flags |= WN_MSG_NOSIGNAL | WN_MSG_DONTWAIT;
    long result = p->kernel ? sys(send(fd, text, strlen(text), flags))
                            : bsd_send(p->bsd, fd, text, strlen(text), flags);
    return told(p, "send", slot, result);
}

long play_write(struct play *p, int slot, const void *data, size_t len)
{
    int fd = fd_of(p, slot);
    return p->kernel ? sys(send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT))
                     : bsd_send(p->bsd, fd, data, len, WN_MSG_NOSIGNAL);
}

long play_sendto(struct play *p, int slot, const char *text, int flags, uint32_t address,
                 uint16_t port)
{
    int fd = fd_of(p, slot);
    struct wn_sockaddr_in name = name_of(address, port);
    flags |= WN_MSG_NOSIGNAL | WN_MSG_DONTWAIT;
    long result = p->kernel
                      ? sys(sendto(fd, text, strlen(text), flags, (struct sockaddr *)&name,
                                   sizeof name))
                      : bsd_sendto(p->bsd, fd, text, strlen(text), flags, &name, sizeof name);
    if (result >= 0)
        note_port(p, slot);
    return told(p, "sendto", slot, result);
}

static void note_text(struct play *p, const char *text, long len)
{
    if (len > 0)
        play_note(p, "  \"%.*s\"\n", (int)len, text);
}

long play_recvmsg(struct play *p, int slot, size_t first, size_t second, int flags)
{
    int fd = fd_of(p, slot);
    char text[2][256] = {{0}};
    struct wn_iovec parts[2] = {{text[0], first}, {text[1], second}};
    struct wn_msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    assert_true(first < 256 && second < 256);
    flags |= WN_MSG_DONTWAIT;
    long result = p->kernel ? sys(recvmsg(fd, (struct msghdr *)(void *)&message, flags))
                            : bsd_recvmsg(p->bsd, fd, &message, flags);
    told(p, "recvmsg", slot, result);
    if (result >= 0)
        play_note(p, "  \"%s\" \"%s\" flags %#x\n", text[0], text[1],
                  (unsigned)message.msg_flags & ~(unsigned)WN_MSG_CMSG_CLOEXEC);
    return result;
}

long play_recv(struct play *p, int slot, size_t len, int flags)
{
    int fd = fd_of(p, slot);
    static char text[128 * 1024];
    assert_true(len <= sizeof text);
    memset(text, '?', len);
    flags |= WN_MSG_DONTWAIT;
    long result =
        p->kernel ? sys(recv(fd, text, len, flags)) : bsd_recv(p->bsd, fd, text, len, flags);
    told(p, "recv", slot, result);
    note_text(p, text, result < (long)len ? result : (long)len);
    return result;
}

long play_read(struct play *p, int slot, size_t len)
{
    int fd = fd_of(p, slot);
    char text[256];
    assert_true(len <= sizeof text);
    long result = p->kernel ? sys(read(fd, text, len)) : bsd_read(p->bsd, fd, text, len);
    told(p, "read", slot, result);
    note_text(p, text, result);
    return result;
}

long play_recvfrom(struct play *p, int slot, size_t len, int flags)
{
    int fd = fd_of(p, slot);
    char text[2048];
    struct wn_sockaddr_in name = {0};
    wn_socklen_t name_len = sizeof name;
    assert_true(len <= sizeof text);
    flags |= WN_MSG_DONTWAIT;
    long result = p->kernel ? sys(recvfrom(fd, text, len, flags, (struct sockaddr *)&name,
                                           &name_len))
                            : bsd_recvfrom(p->bsd, fd, text, len, flags, &name, &name_len);
    told(p, "recvfrom", slot, result);
    note_text(p, text, result < (long)len ? result : (long)len);
    if (result >= 0)
        note_name(p, "from", &name, name_len);
    return result;
}

/* ---- waiting ---- */

static void note_bits(struct play *p, unsigned bits)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {
        {WN_POLLIN, "IN"}, {WN_POLLPRI, "PRI"}, {WN_POLLOUT, "OUT"}, {WN_POLLERR, "ERR"},
        {WN_POLLHUP, "HUP"}, {WN_POLLNVAL, "NVAL"}, {WN_POLLRDNORM, "RDNORM"},
        {WN_POLLRDBAND, "RDBAND"}, {WN_POLLWRNORM, "WRNORM"}, {WN_POLLWRBAND, "WRBAND"},
        {WN_POLLRDHUP, "RDHUP"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (bits & names[i].bit)
            play_note(p, " %s", names[i].name);
    play_note(p, "\n");
}

void play_poll(struct play *p, int slot)
{
    struct wn_pollfd one = {fd_of(p, slot), 0x23df, 0};
    int result = p->kernel ? poll((struct pollfd *)(void *)&one, 1, 0) : bsd_poll(p->bsd, &one, 1);
    play_note(p, "poll(%d) = %d:", slot, result);
    note_bits(p, (unsigned short)one.revents);
}

int play_select(struct play *p, int slot)
{
    int fd = fd_of(p, slot);
    int result;
    bool got[3];
    if (p->kernel) {
        fd_set sets[3];
        for (int i = 0; i < 3; i++) {
            FD_ZERO(&sets[i]);
            FD_SET(fd, &sets[i]);
        }
        struct timeval now = {0, 0};
        result = (int)sys(select(fd + 1, &sets[0], &sets[1], &sets[2], &now));
        for (int i = 0; i < 3; i++)
            got[i] = FD_ISSET(fd, &sets[i]);
    } else {
        wn_fd_set sets[3] = {{{0}}, {{0}}, {{0}}};
        for (int i = 0; i < 3; i++)
            sets[i].bits[fd / 64] |= UINT64_C(1) << fd % 64;
        result = bsd_select(p->bsd, fd + 1, &sets[0], &sets[1], &sets[2]);
        for (int i = 0; i < 3; i++) {
            if (result == 0)
                bsd_select_clear(fd + 1, &sets[i]);
            got[i] = sets[i].bits[fd / 64] >> fd % 64 & 1;
        }
    }
    play_note(p, "select(%d) = %d: %d %d %d\n", slot, result, got[0], got[1], got[2]);
    return result;
}

int play_epoll(struct play *p, int slot)
{
    long fd = p->kernel ? sys(epoll_create1(0)) : bsd_epoll_create(p->bsd, 0);
    p->fds[slot] = (int)fd;
    return (int)told(p, "epoll_create", slot, fd >= 0 ? 0 : fd);
}

int play_epoll_ctl(struct play *p, int epoll, int operation, int slot, uint32_t events)
{
    int fds[2] = {fd_of(p, epoll), fd_of(p, slot)};
    struct wn_epoll_event ours = {.events = events, .data.u64 = (uint64_t)slot};
    struct epoll_event theirs = {.events = events, .data.u64 = (uint64_t)slot};
    long result = p->kernel ? sys(epoll_ctl(fds[0], operation, fds[1], &theirs))
                            : bsd_epoll_ctl(p->bsd, fds[0], operation, fds[1], &ours);
    play_note(p, "operation %d on %d: ", operation, slot);
    return (int)told(p, "epoll_ctl", epoll, result);
}

int play_epoll_wait(struct play *p, int epoll, int max)
{
    int fd = fd_of(p, epoll);
    struct wn_epoll_event ours[16];
    struct epoll_event theirs[16];
    long result = p->kernel ? sys(epoll_wait(fd, theirs, max, 0))
                            : bsd_epoll_wait(p->bsd, fd, ours, max);
    told(p, "epoll_wait", epoll, result);
    for (long i = 0; i < result; i++) {
        play_note(p, "  %d:", (int)(p->kernel ? theirs[i].data.u64 : ours[i].data.u64));
        note_bits(p, p->kernel ? theirs[i].events : ours[i].events);
    }
    return (int)result;
}

/* ---- options ---- */

int play_set_raw(struct play *p, int slot, int level, int name, const void *value,
                 wn_socklen_t len)
{
    int fd = fd_of(p, slot);
    long result = p->kernel ? sys(setsockopt(fd, level, name, value, len))
                            : bsd_setsockopt(p->bsd, fd, level, name, value, len);
    play_note(p, "level %d option %d len %d: ", level, name, (int)len);
    return (int)told(p, "setsockopt", slot, result);
}

int play_set(struct play *p, int slot, int level, int name, int value)
{
    play_note(p, "to %d ", value);
    return play_set_raw(p, slot, level, name, &value, sizeof value);
}

int play_get_raw(struct play *p, int slot, int level, int name, wn_socklen_t len)
{
    int fd = fd_of(p, slot);
    uint8_t value[64] = {0};
    assert_true(len <= sizeof value || len > INT32_MAX);
    long result = p->kernel ? sys(getsockopt(fd, level, name, value, &len))
                            : bsd_getsockopt(p->bsd, fd, level, name, value, &len);
    play_note(p, "level %d option %d len %d: ", level, name, (int)len);
    told(p, "getsockopt", slot, result);
    for (wn_socklen_t i = 0; result == 0 && i < len; i++)
        play_note(p, " %02x", value[i]);
    play_note(p, "\n");
    return (int)result;
}

int play_get(struct play *p, int slot, int level, int name)
{
    return play_get_raw(p, slot, level, name, sizeof(int));
}

int play_ioctl(struct play *p, int slot, unsigned long request)
{
    int fd = fd_of(p, slot);
    int value = 0;
    long result =
        p->kernel ? sys(ioctl(fd, request, &value)) : bsd_ioctl(p->bsd, fd, request, &value);
    play_note(p, "request %#lx value %d: ", request, result < 0 ? 0 : value);
    return (int)told(p, "ioctl", slot, result);
}

int play_fcntl(struct play *p, int slot, int command, int value)
{
    int fd = fd_of(p, slot);
    return (int)told(p, "fcntl", slot,
                     p->kernel ? sys(fcntl(fd, command, value))
                               : bsd_fcntl(p->bsd, fd, command, value));
}

int play_state(struct play *p, int slot)
{
    int fd = fd_of(p, slot);
    struct wn_tcp_info info = {0};
    wn_socklen_t len = sizeof info;
    long result = p->kernel ? sys(getsockopt(fd, IPPROTO_TCP, WN_TCP_INFO, &info, &len))
                            : bsd_getsockopt(p->bsd, fd, WN_IPPROTO_TCP, WN_TCP_INFO, &info, &len);
    play_note(p, "state(%d) = %d (%ld)\n", slot, info.tcpi_state, result);
    return info.tcpi_state;
}
