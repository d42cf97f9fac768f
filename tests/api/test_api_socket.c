/* SPDX-License-Identifier: ISC */
/*
 * test_api_socket.c - BSD sockets that wait: a client that blocks, in virtual time, against servers
 * that answer by events; and the time that each call takes.
 */
#include "tests/support/check.h"

#include <errno.h>
#include <wholenet/loop.h>
#include <wholenet/socket.h>
#include <wholenet/tcp.h>

enum { DELAY = 10 }; /* milliseconds, one way */

struct pair {
    struct wn_loop *loop;
    struct wn_stack *client;
    struct wn_stack *server;
    struct wn_sockets *s;      /* the client's */
    struct wn_listener *echo;  /* 10.0.0.2:7 */
    struct wn_tcp *mute;       /* a connection to 10.0.0.2:9, which nobody reads */
    unsigned pumps_left;       /* then it is interrupted; 0: never */
};

static void on_event(void *self, const struct wn_event *event)
{
    struct pair *p = self;
    uint8_t octets[2000];
    size_t len;
    if (event->kind == WN_EVENT_LISTENER) {
        struct wn_tcp *tcp;
        while ((tcp = wn_tcp_accept(event->listener, p)) != NULL)
            if (event->listener != p->echo) {
                p->mute = tcp;
                wn_tcp_set_user(tcp, NULL);
            }
        return;
    }
    if (event->user == NULL)
        return;
    while (wn_tcp_send_room(event->tcp) >= sizeof octets &&
           (len = wn_tcp_receive(event->tcp, octets, sizeof octets)) > 0)
        assert_int_equal(wn_tcp_send(event->tcp, octets, len), len);
    if (wn_tcp_error(event->tcp) != 0 || wn_tcp_at_end(event->tcp))
        wn_tcp_close(event->tcp);
}

static struct wn_stack *add_host(struct pair *p, const char *mac, const char *address)
{
    struct wn_stack *stack;
    assert_int_equal(wn_loop_stack(p->loop, NULL, &stack), 0);
    assert_int_equal(wn_stack_add_interface(stack, "eth0", mac, 1500, 0), 0);
    assert_int_equal(wn_stack_add_address(stack, 0, address), 0);
    return stack;
}

static struct wn_listener *listen_at(struct pair *p, const char *text)
{
    struct wn_endpoint local;
    struct wn_listener *listener;
    assert_int_equal(wn_endpoint_parse(text, &local), 0);
    assert_int_equal(wn_listener_open(p->server, &local, 0, NULL, &listener), 0);
    return listener;
}

static int interruptible(void *self, wn_time until)
{
    struct pair *p = self;
    if (p->pumps_left == 1)
        return -EINTR;
    if (p->pumps_left > 1)
        p->pumps_left--;
    return wn_loop_pump(p->loop, until);
}

static void pair_init(struct pair *p)
{
    const struct wn_impairments slow = {.delay = DELAY * WN_MILLISECOND};
    *p = (struct pair){.loop = wn_loop_new_virtual(1)};
    p->client = add_host(p, "02:00:00:00:00:01", "10.0.0.1/24");
    p->server = add_host(p, "02:00:00:00:00:02", "10.0.0.2/24");
    assert_int_equal(wn_loop_join(p->loop, p->client, 0, p->server, 0, &slow, &slow), 0);
    wn_stack_on_event(p->server, on_event, p);
    p->echo = listen_at(p, "0.0.0.0:7");
    (void)listen_at(p, "0.0.0.0:9");
    struct wn_sockets_options options = {
        .size = sizeof options, .pump = interruptible, .pump_self = p};
    p->s = wn_sockets_new(p->client, &options);
    assert_non_null(p->s);
}

static void pair_done(struct pair *p)
{
    wn_sockets_free(p->s);
    wn_loop_free(p->loop);
    wn_stack_free(p->client);
    wn_stack_free(p->server);
}

static struct wn_sockaddr_in server_at(uint16_t port)
{
    struct wn_sockaddr_in out = {.sin_family = WN_AF_INET};
    uint8_t *number = (uint8_t *)&out.sin_port;
    number[0] = (uint8_t)(port >> 8);
    number[1] = (uint8_t)port;
    memcpy(&out.sin_addr.s_addr, "\x0a\x00\x00\x02", 4);
    return out;
}

static int connect_to(struct pair *p, uint16_t port)
{
    struct wn_sockaddr_in to = server_at(port);
    int fd = wn_socket(p->s, WN_AF_INET, WN_SOCK_STREAM, 0);
    assert_true(fd >= 3);
    assert_int_equal(wn_connect(p->s, fd, &to, sizeof to), 0);
    return fd;
}

/* Milliseconds of virtual time. */
static int64_t now(const struct pair *p)
{
    return wn_loop_now(p->loop) / WN_MILLISECOND;
}

static void test_stream(void **state)
{
    (void)state;
    struct pair p;
    char got[8];
    pair_init(&p);
    int fd = connect_to(&p, 7);
    assert_int_equal(now(&p), 3 * DELAY); /* an announcement by ARP, and SYN */
    assert_int_equal(wn_write(p.s, fd, "hello", 5), 5);
    assert_int_equal(wn_read(p.s, fd, got, sizeof got), 5);
    assert_memory_equal(got, "hello", 5);
    assert_int_equal(now(&p), 5 * DELAY);
    struct wn_iovec out[] = {{(char[]){"ab"}, 2}, {(char[]){"cde"}, 3}}, in[] = {{got, 1}, {got + 1, 7}};
    assert_int_equal(wn_writev(p.s, fd, out, 2), 5);
    assert_int_equal(wn_readv(p.s, fd, in, 2), 5);
    assert_memory_equal(got, "abcde", 5);
    assert_int_equal(wn_readv(p.s, fd, in, -1), -1);
    assert_int_equal(errno, EINVAL);
    struct wn_sockaddr_in peer;
    wn_socklen_t len = sizeof peer;
    assert_int_equal(wn_getpeername(p.s, fd, &peer, &len), 0);
    assert_true(len == sizeof peer && peer.sin_port == server_at(7).sin_port);
    assert_int_equal(wn_getsockname(p.s, fd, &peer, &len), 0);
    assert_int_equal(wn_shutdown(p.s, fd, WN_SHUT_WR), 0);
    assert_int_equal(wn_recv(p.s, fd, got, sizeof got, 0), 0);
    assert_int_equal(wn_write(p.s, fd, "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(wn_close(p.s, fd), 0);
    assert_int_equal(wn_close(p.s, fd), -1);
    assert_int_equal(errno, EBADF);
    pair_done(&p);
}

static void test_refused(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p);
    struct wn_sockaddr_in to = server_at(80);
    int fd = wn_socket(p.s, WN_AF_INET, WN_SOCK_STREAM, 0);
    assert_int_equal(wn_connect(p.s, fd, &to, sizeof to), -1);
    assert_int_equal(errno, ECONNREFUSED);
    to = server_at(7);
    assert_int_equal(wn_connect(p.s, fd, &to, sizeof to), 0); /* another attempt, as on Linux */
    pair_done(&p);
}

static void set_timeout(struct pair *p, int fd, int name, int milliseconds)
{
    struct wn_timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};
    assert_int_equal(wn_setsockopt(p->s, fd, WN_SOL_SOCKET, name, &time, sizeof time), 0);
}

static void test_timeouts(void **state)
{
    (void)state;
    struct pair p;
    static char many[4000000];
    pair_init(&p);
    int fd = connect_to(&p, 9);
    set_timeout(&p, fd, WN_SO_RCVTIMEO, 300);
    int64_t began = now(&p);
    assert_int_equal(wn_recv(p.s, fd, many, 10, 0), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(now(&p), began + 300);
    assert_int_equal(wn_recv(p.s, fd, many, 10, WN_MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(now(&p), began + 300);
    /* Who never reads takes some, then time is over: what was taken is told. */
    set_timeout(&p, fd, WN_SO_SNDTIMEO, 2000);
    int size = 100000;
    assert_int_equal(wn_setsockopt(p.s, fd, WN_SOL_SOCKET, WN_SO_SNDBUF, &size, sizeof size), 0);
    assert_int_equal(wn_stack_set(p.server, "receive_buffer", 65536), 0);
    long sent = 0, n;
    while ((n = wn_send(p.s, fd, many, sizeof many, 0)) > 0)
        sent += n;
    assert_true(n == -1 && errno == EAGAIN && sent > size);
    /* A connect() to nobody ends with its time, and goes on. */
    struct wn_sockaddr_in to = server_at(80);
    memcpy(&to.sin_addr.s_addr, "\x0a\x00\x00\x63", 4);
    fd = wn_socket(p.s, WN_AF_INET, WN_SOCK_STREAM, 0);
    set_timeout(&p, fd, WN_SO_SNDTIMEO, 200);
    began = now(&p);
    assert_int_equal(wn_connect(p.s, fd, &to, sizeof to), -1);
    assert_int_equal(errno, EINPROGRESS);
    assert_int_equal(now(&p), began + 200);
    pair_done(&p);
}

static void test_interrupted(void **state)
{
    (void)state;
    struct pair p;
    char got[4];
    pair_init(&p);
    int fd = connect_to(&p, 9);
    p.pumps_left = 1;
    assert_int_equal(wn_recv(p.s, fd, got, 1, 0), -1);
    assert_int_equal(errno, EINTR);
    p.pumps_left = 0;
    /* Two octets are here, and four are wished for: who is interrupted has two. */
    wn_loop_run_until(p.loop, wn_loop_now(p.loop) + WN_SECOND);
    assert_non_null(p.mute);
    assert_int_equal(wn_tcp_send(p.mute, "ab", 2), 2);
    wn_loop_run_until(p.loop, wn_loop_now(p.loop) + WN_SECOND);
    p.pumps_left = 1;
    assert_int_equal(wn_recv(p.s, fd, got, 4, WN_MSG_WAITALL), 2);
    p.pumps_left = 0;
    /* Nothing will ever happen, and nobody can be waited for. */
    assert_int_equal(wn_recv(p.s, fd, got, 1, 0), -1);
    assert_int_equal(errno, EDEADLK);
    pair_done(&p);
}

static void test_poll(void **state)
{
    (void)state;
    struct pair p;
    char got[8];
    pair_init(&p);
    struct wn_sockaddr_in to = server_at(7);
    int fd = wn_socket(p.s, WN_AF_INET, WN_SOCK_STREAM | WN_SOCK_NONBLOCK, 0);
    assert_int_equal(wn_connect(p.s, fd, &to, sizeof to), -1);
    assert_int_equal(errno, EINPROGRESS);
    struct wn_pollfd poll = {.fd = fd, .events = WN_POLLOUT};
    assert_int_equal(wn_poll(p.s, &poll, 1, 5), 0);
    assert_int_equal(now(&p), 5);
    assert_int_equal(wn_poll(p.s, &poll, 1, -1), 1);
    assert_int_equal(poll.revents, WN_POLLOUT);
    assert_int_equal(wn_send(p.s, fd, "hi", 2, 0), 2);
    int queued = 0;
    assert_int_equal(wn_ioctl(p.s, fd, WN_SIOCOUTQ, &queued), 0);
    assert_int_equal(queued, 2);
    poll.events = WN_POLLIN;
    assert_int_equal(wn_poll(p.s, &poll, 1, 0), 0); /* but what was queued leaves */
    assert_int_equal(wn_poll(p.s, &poll, 1, 2 * DELAY - 1), 0);
    assert_int_equal(wn_poll(p.s, &poll, 1, 2), 1);
    assert_int_equal(wn_ioctl(p.s, fd, WN_FIONREAD, &queued), 0);
    assert_int_equal(queued, 2);
    wn_fd_set readable = {{UINT64_C(1) << fd}}, writable = readable;
    struct wn_timeval none = {0, 0};
    assert_int_equal(wn_select(p.s, fd + 1, &readable, &writable, NULL, &none), 2);
    assert_int_equal(wn_recv(p.s, fd, got, 8, 0), 2);
    struct wn_timeval little = {0, 30000};
    int64_t began = now(&p);
    assert_int_equal(wn_select(p.s, fd + 1, &readable, NULL, NULL, &little), 0);
    assert_true(readable.bits[0] == 0 && now(&p) == began + 30);
    struct wn_timeval wrong = {-1, 0};
    assert_int_equal(wn_select(p.s, fd + 1, &readable, NULL, NULL, &wrong), -1);
    assert_int_equal(errno, EINVAL);
    pair_done(&p);
}

static void test_epoll(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p);
    int fd = connect_to(&p, 7);
    int epoll = wn_epoll_create(p.s, 0);
    struct wn_epoll_event event = {.events = WN_EPOLLIN | WN_EPOLLET, .data = {.fd = fd}};
    assert_int_equal(wn_epoll_ctl(p.s, epoll, WN_EPOLL_CTL_ADD, fd, &event), 0);
    struct wn_epoll_event got[4];
    int64_t began = now(&p);
    assert_int_equal(wn_epoll_wait(p.s, epoll, got, 4, 50), 0);
    assert_int_equal(now(&p), began + 50);
    assert_int_equal(wn_send(p.s, fd, "x", 1, 0), 1);
    assert_int_equal(wn_epoll_wait(p.s, epoll, got, 4, -1), 1);
    assert_true(got[0].events == WN_EPOLLIN && got[0].data.fd == fd);
    assert_int_equal(now(&p), began + 50 + 2 * DELAY);
    assert_int_equal(wn_epoll_wait(p.s, epoll, got, 4, 0), 0); /* an edge is told once */
    assert_int_equal(wn_epoll_wait(p.s, fd, got, 4, 0), -1);
    assert_int_equal(errno, EINVAL);
    pair_done(&p);
}

static void test_accept(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p);
    struct wn_sockaddr_in own = server_at(8080);
    own.sin_addr.s_addr = 0;
    int fd = wn_socket(p.s, WN_AF_INET, WN_SOCK_STREAM, 0);
    int one = 1;
    assert_int_equal(wn_setsockopt(p.s, fd, WN_SOL_SOCKET, WN_SO_REUSEADDR, &one, sizeof one), 0);
    assert_int_equal(wn_bind(p.s, fd, &own, sizeof own), 0);
    assert_int_equal(wn_listen(p.s, fd, 5), 0);
    assert_int_equal(wn_fcntl(p.s, fd, WN_F_SETFL, WN_O_NONBLOCK), 0);
    assert_int_equal(wn_accept(p.s, fd, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(wn_fcntl(p.s, fd, WN_F_SETFL, 0), 0);
    struct wn_endpoint target;
    struct wn_tcp *tcp;
    assert_int_equal(wn_endpoint_parse("10.0.0.1:8080", &target), 0);
    assert_int_equal(wn_tcp_connect(p.server, &target, NULL, NULL, &tcp), 0);
    struct wn_sockaddr_in from;
    wn_socklen_t len = sizeof from;
    int accepted = wn_accept4(p.s, fd, &from, &len, WN_SOCK_NONBLOCK);
    assert_true(accepted > fd && from.sin_addr.s_addr == server_at(0).sin_addr.s_addr);
    assert_int_equal(wn_fcntl(p.s, accepted, WN_F_GETFL, 0) & WN_O_NONBLOCK, WN_O_NONBLOCK);
    assert_int_equal(wn_recv(p.s, accepted, &one, 1, 0), -1);
    assert_int_equal(errno, EAGAIN);
    wn_tcp_abort(tcp);
    pair_done(&p);
}

static void test_datagrams(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p);
    struct wn_sockaddr_in to = server_at(7), from;
    wn_socklen_t len = sizeof from;
    char got[8];
    int one = wn_socket(p.s, WN_AF_INET, WN_SOCK_DGRAM, 0);
    assert_int_equal(wn_sendto(p.s, one, "ask", 3, 0, &to, sizeof to), 3);
    set_timeout(&p, one, WN_SO_RCVTIMEO, 100);
    assert_int_equal(wn_recvfrom(p.s, one, got, 8, 0, &from, &len), -1);
    assert_int_equal(errno, EAGAIN); /* nobody answers, and an unconnected socket is not told why */
    assert_int_equal(wn_connect(p.s, one, &to, sizeof to), 0);
    assert_int_equal(wn_send(p.s, one, "ask", 3, 0), 3);
    assert_int_equal(wn_recv(p.s, one, got, 8, 0), -1);
    assert_int_equal(errno, ECONNREFUSED);
    /* To oneself. */
    int two = wn_socket(p.s, WN_AF_INET, WN_SOCK_DGRAM, 0);
    struct wn_sockaddr_in own = server_at(5353);
    memcpy(&own.sin_addr.s_addr, "\x7f\x00\x00\x01", 4);
    assert_int_equal(wn_bind(p.s, two, &own, sizeof own), 0);
    int three = wn_socket(p.s, WN_AF_INET, WN_SOCK_DGRAM, 0);
    struct wn_iovec parts[] = {{(char[]){"ab"}, 2}, {(char[]){"c"}, 1}};
    struct wn_msghdr message = {
        .msg_name = &own, .msg_namelen = sizeof own, .msg_iov = parts, .msg_iovlen = 2};
    assert_int_equal(wn_sendmsg(p.s, three, &message, 0), 3);
    struct wn_iovec room = {got, 2};
    message = (struct wn_msghdr){
        .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &room, .msg_iovlen = 1};
    assert_int_equal(wn_recvmsg(p.s, two, &message, 0), 2);
    assert_true(message.msg_flags == WN_MSG_TRUNC && message.msg_namelen == sizeof from);
    pair_done(&p);
}

static void test_linger(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p);
    int fd = connect_to(&p, 7);
    struct wn_linger linger = {1, 10};
    assert_int_equal(wn_setsockopt(p.s, fd, WN_SOL_SOCKET, WN_SO_LINGER, &linger, sizeof linger),
                     0);
    int64_t began = now(&p);
    assert_int_equal(wn_send(p.s, fd, "x", 1, 0), 1);
    assert_int_equal(wn_close(p.s, fd), 0);
    assert_int_equal(now(&p), began + 2 * DELAY); /* until it was acknowledged */
    fd = connect_to(&p, 7);
    began = now(&p);
    assert_int_equal(wn_close(p.s, fd), 0);
    assert_int_equal(now(&p), began);
    pair_done(&p);
}

/* Without a pump nothing waits: the owner turns the world. */
static void test_without_pump(void **state)
{
    (void)state;
    struct pair p;
    char got[4];
    pair_init(&p);
    struct wn_sockets *s = wn_sockets_new(p.client, NULL);
    struct wn_sockaddr_in to = server_at(7);
    int fd = wn_socket(s, WN_AF_INET, WN_SOCK_STREAM, 0);
    assert_int_equal(fd, 3);
    assert_int_equal(wn_connect(s, fd, &to, sizeof to), -1);
    assert_int_equal(errno, EINPROGRESS);
    assert_int_equal(wn_loop_run_until(p.loop, 100 * WN_MILLISECOND), 0);
    assert_int_equal(wn_connect(s, fd, &to, sizeof to), 0);
    assert_int_equal(wn_send(s, fd, "abc", 3, 0), 3);
    assert_int_equal(wn_recv(s, fd, got, 4, 0), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(wn_loop_run_until(p.loop, 200 * WN_MILLISECOND), 0);
    assert_int_equal(wn_recv(s, fd, got, 4, 0), 3);
    struct wn_pollfd poll = {.fd = fd, .events = WN_POLLIN};
    assert_int_equal(wn_poll(s, &poll, 1, -1), 0);
    assert_int_equal(wn_sockets_run(s, WN_NEVER), 0);
    wn_sockets_free(s);
    pair_done(&p);
}

static void test_bounds(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p);
    struct wn_sockets_options options = {
        .size = sizeof options, .descriptors_max = 2, .first = 100};
    struct wn_sockets *s = wn_sockets_new(p.client, &options);
    assert_int_equal(wn_socket(s, WN_AF_INET, WN_SOCK_STREAM, 0), 100);
    assert_int_equal(wn_socket(s, WN_AF_INET, WN_SOCK_DGRAM, 0), 101);
    assert_int_equal(wn_socket(s, WN_AF_INET, WN_SOCK_DGRAM, 0), -1);
    assert_int_equal(errno, EMFILE);
    wn_sockets_free(s);
    options.first = -1;
    assert_null(wn_sockets_new(p.client, &options));
    options.size = 0;
    assert_null(wn_sockets_new(p.client, &options));
    pair_done(&p);
}

/* What waits for the one kind of socket is not given to the other. */
static void test_both_kinds(void **state)
{
    (void)state;
    struct pair p;
    struct wn_endpoint echo;
    struct wn_tcp *tcp;
    struct wn_event event;
    char got[2];
    pair_init(&p);
    assert_int_equal(wn_endpoint_parse("10.0.0.2:7", &echo), 0);
    assert_int_equal(wn_tcp_connect(p.client, &echo, NULL, &p, &tcp), 0);
    assert_int_equal(wn_tcp_send(tcp, "b", 1), 1);
    int fd = connect_to(&p, 7);
    assert_int_equal(wn_send(p.s, fd, "a", 1, 0), 1);
    assert_int_equal(wn_recv(p.s, fd, got, 2, 0), 1);
    assert_int_equal(got[0], 'a');
    assert_int_equal(wn_stack_next_event(p.client, &event), 1);
    assert_true(event.tcp == tcp && event.user == &p && (event.events & WN_OPENED) &&
                (event.events & WN_READABLE));
    assert_int_equal(wn_stack_next_event(p.client, &event), 0);
    assert_int_equal(wn_tcp_receive(tcp, got, 2), 1);
    assert_int_equal(got[0], 'b');
    wn_tcp_close(tcp);
    pair_done(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_timeouts),     cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_poll),         cmocka_unit_test(test_epoll),
        cmocka_unit_test(test_accept),       cmocka_unit_test(test_datagrams),
        cmocka_unit_test(test_linger),       cmocka_unit_test(test_without_pump),
        cmocka_unit_test(test_bounds),       cmocka_unit_test(test_both_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
