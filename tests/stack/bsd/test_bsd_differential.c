/* SPDX-License-Identifier: ISC */
/*
 * test_bsd_differential.c - the same lists of calls on the kernel's sockets (127.0.0.1) and on ours:
 * results, errors and poll bits must be the same. Each deliberate difference is said where it is.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stack/tcp/tcp.h"
#include "tests/support/bsd_compare.h"
#include "tests/support/check.h"

enum { L = 0, C = 1, A = 2, B = 3, D = 4, E = 5, F = 6 };
enum { TCP = WN_SOCK_STREAM | WN_SOCK_NONBLOCK, UDP = WN_SOCK_DGRAM | WN_SOCK_NONBLOCK };

static void tcp(struct play *p, int slot)
{
    play_socket(p, slot, WN_AF_INET, TCP, 0);
}

static void udp(struct play *p, int slot)
{
    play_socket(p, slot, WN_AF_INET, UDP, 0);
}

static void listener(struct play *p, int slot)
{
    tcp(p, slot);
    play_bind(p, slot, LOOPBACK, 0);
    play_listen(p, slot, 5);
}

static void look(struct play *p, int slot)
{
    play_settle(p);
    play_poll(p, slot);
    play_select(p, slot);
    play_state(p, slot);
    play_names(p, slot);
}

/* C is connected to A, which came to L. */
static void pair(struct play *p)
{
    listener(p, L);
    tcp(p, C);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    play_settle(p);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    play_accept(p, L, A, WN_SOCK_NONBLOCK);
}

/* ---- scenarios ---- */

static void every_kind_of_socket(struct play *p)
{
    static const int domains[] = {0, WN_AF_INET, WN_AF_INET6, 999};
    static const int kinds[] = {0, WN_SOCK_STREAM, WN_SOCK_DGRAM, 5, 11, 99,
                                WN_SOCK_STREAM | WN_SOCK_CLOEXEC, WN_SOCK_STREAM | 0x10000};
    static const int protocols[] = {-1, 0, WN_IPPROTO_TCP, WN_IPPROTO_UDP, 999};
    for (size_t d = 0; d < ARRAY_LEN(domains); d++)
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
            for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
                play_note(p, "%d %d %d ", domains[d], kinds[k], protocols[i]);
                if (play_socket(p, C, domains[d], kinds[k], protocols[i]) >= 0)
                    play_close_slot(p, C);
            }
}

static void every_call_on_nothing(struct play *p)
{
    p->fds[C] = 900;
    play_bind(p, C, LOOPBACK, 0);
    play_listen(p, C, 1);
    play_connect(p, C, LOOPBACK, 1);
    play_accept(p, C, A, 0);
    play_shutdown(p, C, WN_SHUT_WR);
    play_send(p, C, "x", 0);
    play_recv(p, C, 1, 0);
    play_read(p, C, 1);
    play_poll(p, C);
    play_names(p, C);
    play_set(p, C, WN_SOL_SOCKET, WN_SO_KEEPALIVE, 1);
    play_get(p, C, WN_SOL_SOCKET, WN_SO_ERROR);
    play_ioctl(p, C, WN_FIONREAD);
    play_fcntl(p, C, WN_F_GETFL, 0);
    play_close_slot(p, C);
    p->fds[C] = -1;
}

static void every_call_on_an_epoll(struct play *p)
{
    play_epoll(p, C);
    play_bind(p, C, LOOPBACK, 0);
    play_listen(p, C, 1);
    play_connect(p, C, LOOPBACK, 1);
    play_shutdown(p, C, WN_SHUT_WR);
    play_send(p, C, "x", 0);
    play_recv(p, C, 1, 0);
    play_read(p, C, 1);
    play_poll(p, C);
    play_names(p, C);
    play_set(p, C, WN_SOL_SOCKET, WN_SO_KEEPALIVE, 1);
    play_get(p, C, WN_SOL_SOCKET, WN_SO_ERROR);
    play_ioctl(p, C, WN_FIONREAD);
    play_close_slot(p, C);
}

/* What each call says in a state; `slot` is lost afterwards. */
static void calls_in_this_state(struct play *p, int slot)
{
    look(p, slot);
    play_listen(p, slot, 3);
    play_accept(p, slot, F, 0);
    play_ioctl(p, slot, WN_FIONREAD);
    play_ioctl(p, slot, WN_SIOCOUTQ);
    play_ioctl(p, slot, WN_SIOCATMARK);
    play_ioctl(p, slot, 0x1234);
    play_recv(p, slot, 10, WN_MSG_PEEK);
    play_recv(p, slot, 10, WN_MSG_OOB);
    play_recv(p, slot, 0, 0);
    play_read(p, slot, 0);
    play_recv(p, slot, 10, 0);
    play_recv(p, slot, 10, 0);
    play_send(p, slot, "", 0);
    play_send(p, slot, "out", 0);
    look(p, slot);
    play_get(p, slot, WN_SOL_SOCKET, WN_SO_ERROR);
    play_get(p, slot, WN_SOL_SOCKET, WN_SO_ACCEPTCONN);
    play_bind(p, slot, LOOPBACK, 0);
    play_shutdown(p, slot, WN_SHUT_RD);
    look(p, slot);
    play_send(p, slot, "more", 0);
    play_recv(p, slot, 10, 0);
    play_shutdown(p, slot, WN_SHUT_WR);
    look(p, slot);
    play_send(p, slot, "more", 0);
    play_recv(p, slot, 10, 0);
    play_shutdown(p, slot, 3);
    play_shutdown(p, slot, -1);
    play_shutdown(p, slot, WN_SHUT_RDWR);
    look(p, slot);
    play_connect(p, slot, LOOPBACK, p->ports[L]);
    look(p, slot);
    play_close_slot(p, slot);
}

static void calls_when_new(struct play *p)
{
    listener(p, L);
    tcp(p, C);
    /* not listen(), or it would be no new one any more */
    look(p, C);
    play_accept(p, C, F, 0);
    play_ioctl(p, C, WN_FIONREAD);
    play_ioctl(p, C, WN_SIOCOUTQ);
    play_recv(p, C, 10, 0);
    play_recv(p, C, 0, 0);
    play_read(p, C, 0);
    play_recv(p, C, 10, WN_MSG_OOB);
    play_send(p, C, "x", 0);
    play_send(p, C, "", 0);
    play_shutdown(p, C, WN_SHUT_WR);
    look(p, C);
    play_shutdown(p, C, WN_SHUT_RD);
    look(p, C);
    play_recv(p, C, 10, 0);
    play_send(p, C, "x", 0);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    look(p, C);
    play_send(p, C, "x", 0);
}

static void calls_when_bound(struct play *p)
{
    listener(p, L);
    tcp(p, C);
    play_bind(p, C, LOOPBACK, 0);
    look(p, C);
    play_bind(p, C, LOOPBACK, 0);
    play_recv(p, C, 10, 0);
    play_send(p, C, "x", 0);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    look(p, C);
}

static void calls_when_listening(struct play *p)
{
    listener(p, L);
    listener(p, C);
    calls_in_this_state(p, C);
}

static void calls_when_established(struct play *p)
{
    pair(p);
    play_send(p, C, "hello", 0);
    play_settle(p);
    calls_in_this_state(p, A);
    look(p, C);
}

static void calls_in_close_wait(struct play *p)
{
    pair(p);
    play_send(p, C, "hello", 0);
    play_shutdown(p, C, WN_SHUT_WR);
    play_settle(p);
    look(p, C);
    calls_in_this_state(p, A);
    look(p, C);
}

static void calls_in_fin_wait_2(struct play *p)
{
    pair(p);
    play_shutdown(p, C, WN_SHUT_WR);
    play_settle(p);
    play_send(p, A, "late", 0);
    play_settle(p);
    calls_in_this_state(p, C);
    look(p, A);
}

static void calls_in_time_wait(struct play *p)
{
    pair(p);
    play_send(p, A, "late", 0);
    play_shutdown(p, C, WN_SHUT_WR);
    play_settle(p);
    play_shutdown(p, A, WN_SHUT_WR);
    play_settle(p);
    look(p, C);
    look(p, A);
    calls_in_this_state(p, C);
    calls_in_this_state(p, A);
}

static void calls_when_closing_on_both_sides(struct play *p)
{
    pair(p);
    play_shutdown(p, C, WN_SHUT_WR);
    play_shutdown(p, A, WN_SHUT_WR);
    calls_in_this_state(p, C);
}

static void reset_it(struct play *p, int slot)
{
    struct wn_linger now = {1, 0};
    play_set_raw(p, slot, WN_SOL_SOCKET, WN_SO_LINGER, &now, sizeof now);
    play_close_slot(p, slot);
    play_settle(p);
}

static void calls_when_reset(struct play *p)
{
    pair(p);
    play_send(p, C, "unread", 0);
    play_settle(p);
    reset_it(p, C);
    calls_in_this_state(p, A);
}

static void a_reset_is_told_once_by_receiving(struct play *p)
{
    pair(p);
    reset_it(p, C);
    look(p, A);
    play_recv(p, A, 10, 0);
    look(p, A);
    play_recv(p, A, 10, 0);
    play_send(p, A, "x", 0);
    play_get(p, A, WN_SOL_SOCKET, WN_SO_ERROR);
}

static void a_reset_is_told_once_by_sending(struct play *p)
{
    pair(p);
    reset_it(p, C);
    play_send(p, A, "x", 0);
    look(p, A);
    play_send(p, A, "x", 0);
    play_recv(p, A, 10, 0);
}

static void a_reset_is_told_once_by_so_error(struct play *p)
{
    pair(p);
    reset_it(p, C);
    play_get(p, A, WN_SOL_SOCKET, WN_SO_ERROR);
    look(p, A);
    play_get(p, A, WN_SOL_SOCKET, WN_SO_ERROR);
    play_recv(p, A, 10, 0);
    play_send(p, A, "x", 0);
}

static void a_reset_after_the_end_is_a_broken_pipe(struct play *p)
{
    pair(p);
    play_shutdown(p, C, WN_SHUT_WR);
    play_settle(p);
    reset_it(p, C);
    look(p, A);
    play_recv(p, A, 10, 0);
    play_get(p, A, WN_SOL_SOCKET, WN_SO_ERROR);
    look(p, A);
    play_send(p, A, "x", 0);
}

static void closing_with_unread_octets_resets(struct play *p)
{
    pair(p);
    play_send(p, C, "unread", 0);
    play_settle(p);
    play_close_slot(p, A);
    look(p, C);
    play_recv(p, C, 10, 0);
    look(p, C);
}

static void closing_then_octets_come(struct play *p)
{
    pair(p);
    play_close_slot(p, A);
    look(p, C);
    play_send(p, C, "to nobody", 0);
    look(p, C);
    play_send(p, C, "again", 0);
    play_recv(p, C, 10, 0);
    look(p, C);
    play_recv(p, C, 10, 0);
}

static void connecting_refused(struct play *p)
{
    listener(p, L);
    uint16_t port = p->ports[L];
    play_close_slot(p, L);
    tcp(p, C);
    play_connect(p, C, LOOPBACK, port);
    look(p, C);
    play_connect(p, C, LOOPBACK, port);
    look(p, C);
    play_connect(p, C, LOOPBACK, port);
    play_settle(p);
    play_get(p, C, WN_SOL_SOCKET, WN_SO_ERROR);
    look(p, C);
    play_connect(p, C, LOOPBACK, port);
    look(p, C);
    tcp(p, D);
    play_connect(p, D, LOOPBACK, port);
    play_settle(p);
    play_recv(p, D, 10, 0);
    play_recv(p, D, 10, 0);
    play_send(p, D, "x", 0);
    play_shutdown(p, D, WN_SHUT_RDWR);
    tcp(p, E);
    play_connect(p, E, LOOPBACK, port);
    play_settle(p);
    play_send(p, E, "x", 0);
    play_send(p, E, "x", 0);
    play_recv(p, E, 10, 0);
    play_listen(p, E, 5);
    look(p, E);
}

/* What a socket is good for after a refusal: `asked` how it learned of it, and whether it was bound. */
static void connect_anew(struct play *p, int asked, bool bound)
{
    listener(p, L);
    listener(p, D);
    uint16_t nobody = p->ports[D];
    play_close_slot(p, D);
    tcp(p, C);
    if (bound)
        play_bind(p, C, LOOPBACK, 0);
    play_connect(p, C, LOOPBACK, nobody);
    play_settle(p);
    look(p, C);
    if (asked == 1)
        play_get(p, C, WN_SOL_SOCKET, WN_SO_ERROR);
    else if (asked == 2)
        play_recv(p, C, 1, 0);
    else if (asked == 3)
        play_send(p, C, "x", 0);
    else if (asked == 4)
        play_connect(p, C, LOOPBACK, nobody);
    look(p, C);
    for (int i = 0; i < 3; i++) {
        play_connect(p, C, LOOPBACK, p->ports[L]);
        look(p, C);
        play_get(p, C, WN_SOL_SOCKET, WN_SO_ERROR);
    }
    play_accept(p, L, A, WN_SOCK_NONBLOCK);
    play_send(p, C, "hello", 0);
    play_settle(p);
    play_recv(p, A, 10, 0);
    play_close_slot(p, A);
    play_settle(p);
    play_recv(p, C, 10, 0);
    look(p, C);
    play_close_slot(p, C);
}

static void connecting_after_a_refusal(struct play *p)
{
    for (int asked = 0; asked < 5; asked++) {
        connect_anew(p, asked, false);
        connect_anew(p, asked, true);
    }
}

/* Bound, made to listen, or dissolved instead. */
static void other_things_after_a_refusal(struct play *p)
{
    struct wn_sockaddr none = {.sa_family = WN_AF_UNSPEC};
    for (int mode = 0; mode < 12; mode++) {
        listener(p, D);
        uint16_t nobody = p->ports[D];
        play_close_slot(p, D);
        tcp(p, C);
        if (mode & 1)
            play_bind(p, C, LOOPBACK, 0);
        play_connect(p, C, LOOPBACK, nobody);
        play_settle(p);
        if (mode & 2)
            play_connect(p, C, LOOPBACK, nobody);
        if (mode < 4) {
            play_bind(p, C, LOOPBACK, 0);
            look(p, C);
            play_listen(p, C, 5);
        } else if (mode < 8) {
            play_listen(p, C, 5);
        } else {
            play_connect_raw(p, C, &none, sizeof none);
            look(p, C);
            play_get(p, C, WN_SOL_SOCKET, WN_SO_ERROR);
            play_listen(p, C, 5);
        }
        look(p, C);
        play_shutdown(p, C, WN_SHUT_RDWR);
        look(p, C);
        play_close_slot(p, C);
    }
}

static void connecting_twice(struct play *p)
{
    pair(p);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    play_connect(p, A, LOOPBACK, p->ports[L]);
    play_connect(p, L, LOOPBACK, p->ports[L]);
    look(p, C);
}

static void connecting_to_oneself_in_bad_ways(struct play *p)
{
    struct wn_sockaddr_in name = {.sin_family = WN_AF_INET};
    tcp(p, C);
    play_connect_raw(p, C, &name, 1);
    play_connect_raw(p, C, &name, 15);
    name.sin_family = 99;
    play_connect_raw(p, C, &name, sizeof name);
    name.sin_family = WN_AF_INET6;
    play_connect_raw(p, C, &name, sizeof name);
    play_connect(p, C, 0xe0000001, 80);
    look(p, C);
    play_connect(p, C, 0xffffffff, 80);
    look(p, C);
    play_bind(p, C, LOOPBACK, 0);
    look(p, C);
}

static void connecting_to_the_wildcard_is_to_oneself(struct play *p)
{
    listener(p, L);
    tcp(p, C);
    play_connect(p, C, 0, p->ports[L]);
    look(p, C);
    play_accept(p, L, A, 0);
    look(p, A);
}

static void dissolving(struct play *p)
{
    struct wn_sockaddr none = {.sa_family = WN_AF_UNSPEC};
    pair(p);
    play_connect_raw(p, C, &none, sizeof none);
    look(p, C);
    look(p, A);
    play_get(p, C, WN_SOL_SOCKET, WN_SO_ERROR);
    play_recv(p, C, 10, 0);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    look(p, C);
    play_recv(p, A, 10, 0);
    tcp(p, D);
    play_connect_raw(p, D, &none, sizeof none);
    look(p, D);
    play_connect_raw(p, L, &none, sizeof none);
    look(p, L);
    play_listen(p, L, 5);
    look(p, L);
}

static void binding_in_bad_ways(struct play *p)
{
    struct wn_sockaddr_in name = {.sin_family = WN_AF_INET};
    tcp(p, C);
    play_bind_raw(p, C, &name, 2);
    play_bind_raw(p, C, &name, 15);
    name.sin_family = 99;
    play_bind_raw(p, C, &name, sizeof name);
    name.sin_family = 0;
    name.sin_addr.s_addr = 1;
    play_bind_raw(p, C, &name, sizeof name);
    name.sin_addr.s_addr = 0;
    play_bind_raw(p, C, &name, sizeof name);
    look(p, C);
    play_bind_raw(p, C, &name, sizeof name);
    tcp(p, D);
    play_bind(p, D, 0xc0000201, 0);
    play_bind(p, D, 0xc0000201, 7777);
    play_set(p, D, WN_IPPROTO_IP, WN_IP_FREEBIND, 1);
    play_bind(p, D, 0xc0000201, 0);
    look(p, D);
}

static void who_may_bind_beside(struct play *p)
{
    for (int mode = 0; mode < 32; mode++) {
        bool first_reuses = mode & 1, second_reuses = mode & 2, listens = mode & 4;
        bool other_address = mode & 8, ports = mode & 16;
        int option = ports ? WN_SO_REUSEPORT : WN_SO_REUSEADDR;
        tcp(p, C);
        tcp(p, D);
        play_set(p, C, WN_SOL_SOCKET, option, first_reuses);
        play_set(p, D, WN_SOL_SOCKET, option, second_reuses);
        play_bind(p, C, LOOPBACK, 0);
        if (listens)
            play_listen(p, C, 5);
        play_bind(p, D, other_address ? LOOPBACK + 1 : LOOPBACK, p->ports[C]);
        play_names(p, D);
        tcp(p, E);
        play_set(p, E, WN_SOL_SOCKET, option, second_reuses);
        play_bind(p, E, 0, p->ports[C]);
        play_close_slot(p, C);
        play_close_slot(p, D);
        play_close_slot(p, E);
    }
}

static void binding_beside_connections(struct play *p)
{
    tcp(p, L);
    play_set(p, L, WN_SOL_SOCKET, WN_SO_REUSEADDR, 1);
    play_bind(p, L, LOOPBACK, 0);
    play_listen(p, L, 5);
    uint16_t port = p->ports[L];
    tcp(p, C);
    play_connect(p, C, LOOPBACK, port);
    play_settle(p);
    play_accept(p, L, A, 0);
    tcp(p, D);
    play_bind(p, D, LOOPBACK, port);
    play_close_slot(p, L);
    play_bind(p, D, LOOPBACK, port);
    play_bind(p, D, LOOPBACK, p->ports[C]);
    play_set(p, D, WN_SOL_SOCKET, WN_SO_REUSEADDR, 1);
    play_bind(p, D, LOOPBACK, port);
    play_close_slot(p, A);
    play_close_slot(p, C);
    play_settle(p);
    tcp(p, E);
    play_bind(p, E, LOOPBACK, port);
    play_set(p, E, WN_SOL_SOCKET, WN_SO_REUSEADDR, 1);
    play_bind(p, E, LOOPBACK, port);
    play_listen(p, E, 5);
}

static void listening_on_a_used_port(struct play *p)
{
    tcp(p, C);
    tcp(p, D);
    play_set(p, C, WN_SOL_SOCKET, WN_SO_REUSEADDR, 1);
    play_set(p, D, WN_SOL_SOCKET, WN_SO_REUSEADDR, 1);
    play_bind(p, C, LOOPBACK, 0);
    play_bind(p, D, LOOPBACK, p->ports[C]);
    play_listen(p, C, 5);
    play_listen(p, D, 5);
    look(p, D);
    play_close_slot(p, C);
    play_listen(p, D, 5);
    look(p, D);
}

/* The port is everybody's who said so before bind(), and from the first on. */
static void who_may_listen_beside(struct play *p)
{
    for (int mode = 0; mode < 64; mode++) {
        bool reuse[3] = {mode & 1, mode & 2, mode & 4};
        bool listens = mode & 8, wide = mode & 16;
        int option = mode & 32 ? WN_SO_REUSEADDR : WN_SO_REUSEPORT;
        for (int i = 0; i < 3; i++) {
            tcp(p, C + i);
            play_set(p, C + i, WN_SOL_SOCKET, option, reuse[i]);
            play_bind(p, C + i, i == 1 && wide ? 0 : LOOPBACK, i == 0 ? 0 : p->ports[C]);
            if (listens)
                play_listen(p, C + i, 5);
        }
        for (int i = 0; i < 3; i++)
            play_listen(p, C + i, 5);
        for (int i = 0; i < 3; i++) {
            play_state(p, C + i);
            play_close_slot(p, C + i);
        }
    }
}

/* The flag may be changed at any time; what counts then is what is known of each. */
static void sharing_is_changed(struct play *p)
{
    for (int mode = 0; mode < 4; mode++) {
        bool before = mode & 1, listens = mode & 2;
        tcp(p, C);
        play_set(p, C, WN_SOL_SOCKET, WN_SO_REUSEPORT, before);
        play_bind(p, C, LOOPBACK, 0);
        if (listens)
            play_listen(p, C, 5);
        play_set(p, C, WN_SOL_SOCKET, WN_SO_REUSEPORT, !before);
        tcp(p, D);
        play_set(p, D, WN_SOL_SOCKET, WN_SO_REUSEPORT, 1);
        play_bind(p, D, LOOPBACK, p->ports[C]);
        play_listen(p, D, 5);
        play_listen(p, C, 5);
        play_close_slot(p, C);
        play_close_slot(p, D);
    }
}

/* Takes what waits at the slot; how many. */
static int accept_all(struct play *p, int slot)
{
    int count = 0;
    size_t before = p->log_len;
    while (play_accept(p, slot, F, WN_SOCK_NONBLOCK) >= 0) {
        play_close_slot(p, F);
        count++;
    }
    p->log_len = before; /* which one has it is a secret */
    p->log[before] = '\0';
    return count;
}

static void connections_are_spread(struct play *p)
{
    enum { FIRST = 8, COUNT = 7 };
    for (int i = C; i <= A; i++) {
        tcp(p, i);
        play_set(p, i, WN_SOL_SOCKET, WN_SO_REUSEPORT, 1);
        play_bind(p, i, LOOPBACK, i == C ? 0 : p->ports[C]);
        play_listen(p, i, 20);
    }
    uint16_t port = p->ports[C];
    bool both = false;
    for (int round = 0; round < 20; round++) {
        for (int i = FIRST; i < FIRST + COUNT; i++) {
            tcp(p, i);
            play_connect(p, i, LOOPBACK, port);
        }
        play_settle(p);
        int first = accept_all(p, C), second = accept_all(p, A);
        play_note(p, "%d\n", first + second);
        both = both || (first > 0 && second > 0);
        for (int i = FIRST; i < FIRST + COUNT; i++)
            play_close_slot(p, i);
        play_settle(p);
    }
    play_note(p, "both: %d\n", both);
    /* Who comes when one is closed comes to the other. */
    play_close_slot(p, C);
    for (int i = FIRST; i < FIRST + COUNT; i++) {
        tcp(p, i);
        play_connect(p, i, LOOPBACK, port);
    }
    play_settle(p);
    play_note(p, "%d\n", accept_all(p, A));
    play_close_slot(p, A);
    tcp(p, D);
    play_connect(p, D, LOOPBACK, port);
    look(p, D);
}

static void closing_one_of_several_listeners(struct play *p)
{
    enum { FIRST = 8, COUNT = 7 };
    for (int i = C; i <= A; i++) {
        tcp(p, i);
        play_set(p, i, WN_SOL_SOCKET, WN_SO_REUSEPORT, 1);
        play_bind(p, i, LOOPBACK, i == C ? 0 : p->ports[C]);
        play_listen(p, i, 20);
    }
    for (int i = FIRST; i < FIRST + COUNT; i++) {
        tcp(p, i);
        play_connect(p, i, LOOPBACK, p->ports[C]);
    }
    play_settle(p);
    play_close_slot(p, C);
    play_settle(p);
    size_t before = p->log_len;
    int reset = 0;
    for (int i = FIRST; i < FIRST + COUNT; i++)
        reset += play_recv(p, i, 1, 0) == -ECONNRESET;
    p->log_len = before;
    p->log[before] = '\0';
    play_note(p, "%d\n", reset + accept_all(p, A));
}

static void listening_unbound(struct play *p)
{
    tcp(p, L);
    play_listen(p, L, 5);
    look(p, L);
    tcp(p, C);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    look(p, L);
    play_accept(p, L, A, 0);
    look(p, A);
}

static void the_accept_queue(struct play *p)
{
    listener(p, L);
    for (int i = C; i <= D; i++) {
        tcp(p, i);
        play_connect(p, i, LOOPBACK, p->ports[L]);
    }
    look(p, L);
    play_accept(p, L, E, WN_SOCK_NONBLOCK | WN_SOCK_CLOEXEC);
    play_fcntl(p, E, WN_F_GETFL, 0);
    play_accept(p, L, F, 0);
    play_fcntl(p, F, WN_F_GETFL, 0);
    look(p, L);
    play_accept(p, L, 7, 1);
    play_accept(p, L, 7, 0);
    look(p, L);
    play_accept(p, L, 8, 0);
    look(p, L);
    play_accept(p, C, 8, 0);
}

static void closing_the_listener_resets_who_waits(struct play *p)
{
    listener(p, L);
    tcp(p, C);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    play_settle(p);
    play_close_slot(p, L);
    look(p, C);
    play_recv(p, C, 10, 0);
    look(p, C);
}

static void shutting_the_listener(struct play *p)
{
    listener(p, L);
    play_shutdown(p, L, WN_SHUT_WR);
    look(p, L);
    tcp(p, C);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    look(p, L);
    play_shutdown(p, L, WN_SHUT_RD);
    look(p, L);
    look(p, C);
    play_accept(p, L, A, 0);
    play_listen(p, L, 5);
    look(p, L);
}

static void octets_that_wait(struct play *p)
{
    pair(p);
    play_send(p, C, "one", 0);
    play_send(p, C, "two", 0);
    play_settle(p);
    play_ioctl(p, A, WN_FIONREAD);
    play_recv(p, A, 4, WN_MSG_PEEK);
    play_recv(p, A, 2, 0);
    play_ioctl(p, A, WN_FIONREAD);
    play_recv(p, A, 2, WN_MSG_TRUNC);
    play_recvmsg(p, A, 1, 10, 0);
    play_recv(p, A, 10, 0);
    play_send(p, C, "scatter", 0);
    play_settle(p);
    play_recvmsg(p, A, 3, 0, WN_MSG_PEEK);
    play_recvmsg(p, A, 3, 2, WN_MSG_WAITALL);
    play_recvfrom(p, A, 10, 0);
    play_recv(p, A, 10, WN_MSG_WAITALL);
    look(p, A);
}

static void the_low_water_mark(struct play *p)
{
    pair(p);
    play_set(p, A, WN_SOL_SOCKET, WN_SO_RCVLOWAT, 5);
    play_get(p, A, WN_SOL_SOCKET, WN_SO_RCVLOWAT);
    play_send(p, C, "four", 0);
    look(p, A);
    play_recv(p, A, 1, WN_MSG_PEEK);
    play_send(p, C, "5", 0);
    look(p, A);
    play_recv(p, A, 10, 0);
    play_set(p, A, WN_SOL_SOCKET, WN_SO_RCVLOWAT, 0);
    play_get(p, A, WN_SOL_SOCKET, WN_SO_RCVLOWAT);
    play_set(p, A, WN_SOL_SOCKET, WN_SO_RCVLOWAT, 100);
    play_shutdown(p, C, WN_SHUT_WR);
    look(p, A);
}

static void reading_after_ones_own_shutdown(struct play *p)
{
    pair(p);
    play_shutdown(p, A, WN_SHUT_RD);
    look(p, A);
    play_recv(p, A, 10, 0);
    play_send(p, C, "still", 0);
    look(p, A);
    play_recv(p, A, 10, 0);
    play_recv(p, A, 10, 0);
    play_send(p, A, "back", 0);
    look(p, C);
    play_recv(p, C, 10, 0);
    play_close_slot(p, A);
    look(p, C);
}

/* MSG_MORE and MSG_EOR shape segments, not the stream. */
static void more_to_come(struct play *p)
{
    pair(p);
    play_send(p, C, "one", WN_MSG_MORE);
    look(p, C);
    play_send(p, C, "two", 0);
    look(p, A);
    play_recv(p, A, 10, 0);
    play_send(p, C, "three", WN_MSG_MORE);
    play_set(p, C, WN_IPPROTO_TCP, WN_TCP_NODELAY, 1);
    look(p, A);
    play_recv(p, A, 10, 0);
    play_send(p, C, "four", WN_MSG_EOR);
    play_send(p, C, "five", WN_MSG_EOR | WN_MSG_MORE);
    play_send(p, C, "six", 0);
    play_settle(p);
    play_recv(p, A, 20, 0);
    play_send(p, C, "", WN_MSG_EOR);
    play_send(p, C, "seven", WN_MSG_MORE);
    play_shutdown(p, C, WN_SHUT_WR);
    play_settle(p);
    play_recv(p, A, 10, 0);
    play_recv(p, A, 10, 0);
}

/* How much fits is each one's own affair; what happens then is not. `low` is TCP_NOTSENT_LOWAT. */
static void fill_and_drain(struct play *p, int low)
{
    static char block[65536];
    pair(p);
    if (low != 0)
        play_set(p, C, WN_IPPROTO_TCP, WN_TCP_NOTSENT_LOWAT, low);
    play_get(p, C, WN_IPPROTO_TCP, WN_TCP_NOTSENT_LOWAT);
    long sent = 0;
    for (int i = 0; i < 100000; i++) {
        long n = play_write(p, C, block, sizeof block);
        if (n < 0) {
            play_settle(p);
            n = play_write(p, C, block, sizeof block);
        }
        if (n < 0) {
            play_note(p, "full: %ld\n", n);
            break;
        }
        sent += n;
    }
    look(p, C);
    play_epoll(p, E);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, C, WN_EPOLLOUT | WN_EPOLLET);
    play_epoll_wait(p, E, 10);
    long left = sent;
    while (left > 0) {
        size_t before = p->log_len;
        long n = play_recv(p, A, sizeof block, 0);
        p->log_len = before;
        p->log[before] = '\0';
        if (n <= 0) {
            play_settle(p);
            continue;
        }
        left -= n;
    }
    look(p, C);
    play_epoll_wait(p, E, 10);
    play_epoll_wait(p, E, 10);
}

static void a_full_send_buffer(struct play *p)
{
    fill_and_drain(p, 0);
}

static void more_waits_unsent_than_was_wished(struct play *p)
{
    fill_and_drain(p, 100000);
}

static void flags_of_the_descriptor(struct play *p)
{
    play_socket(p, C, WN_AF_INET, WN_SOCK_STREAM, 0);
    play_fcntl(p, C, WN_F_GETFL, 0);
    play_fcntl(p, C, WN_F_SETFL, WN_O_NONBLOCK);
    play_fcntl(p, C, WN_F_GETFL, 0);
    play_fcntl(p, C, WN_F_SETFL, 0);
    play_fcntl(p, C, WN_F_GETFL, 0);
    play_fcntl(p, C, 9999, 0);
    play_ioctl(p, C, WN_FIONBIO);
    play_ioctl(p, C, 0x5499);
}

/* ---- options ---- */

static const struct {
    int level;
    int name;
    bool values; /* compare what is told, too */
} known_options[] = {
    {WN_SOL_SOCKET, WN_SO_REUSEADDR, true},
    {WN_SOL_SOCKET, WN_SO_TYPE, true},
    {WN_SOL_SOCKET, WN_SO_ERROR, true},
    {WN_SOL_SOCKET, WN_SO_DONTROUTE, true},
    {WN_SOL_SOCKET, WN_SO_BROADCAST, true},
    {WN_SOL_SOCKET, WN_SO_KEEPALIVE, true},
    {WN_SOL_SOCKET, WN_SO_OOBINLINE, true},
    {WN_SOL_SOCKET, WN_SO_LINGER, true},
    {WN_SOL_SOCKET, WN_SO_REUSEPORT, true},
    {WN_SOL_SOCKET, WN_SO_RCVLOWAT, true},
    {WN_SOL_SOCKET, WN_SO_SNDLOWAT, true},
    {WN_SOL_SOCKET, WN_SO_RCVTIMEO, true},
    {WN_SOL_SOCKET, WN_SO_SNDTIMEO, true},
    {WN_SOL_SOCKET, WN_SO_ACCEPTCONN, true},
    {WN_SOL_SOCKET, WN_SO_PROTOCOL, true},
    {WN_SOL_SOCKET, WN_SO_DOMAIN, true},
    {WN_SOL_SOCKET, WN_SO_BUSY_POLL, true},
    {WN_SOL_SOCKET, WN_SO_MAX_PACING_RATE, true},
    {WN_SOL_SOCKET, 9999, true},
    {WN_IPPROTO_IP, WN_IP_TOS, true},
    {WN_IPPROTO_IP, WN_IP_TTL, true},
    {WN_IPPROTO_IP, WN_IP_MTU_DISCOVER, true},
    {WN_IPPROTO_IP, WN_IP_MINTTL, true},
    {WN_IPPROTO_IP, WN_IP_RECVERR, true},
    {WN_IPPROTO_IP, WN_IP_FREEBIND, true},
    {WN_IPPROTO_IP, WN_IP_BIND_ADDRESS_NO_PORT, true},
    {WN_IPPROTO_IP, 9999, true},
    {WN_IPPROTO_TCP, WN_TCP_NODELAY, true},
    {WN_IPPROTO_TCP, WN_TCP_KEEPIDLE, true},
    {WN_IPPROTO_TCP, WN_TCP_KEEPINTVL, true},
    {WN_IPPROTO_TCP, WN_TCP_KEEPCNT, true},
    {WN_IPPROTO_TCP, WN_TCP_SYNCNT, true},
    {WN_IPPROTO_TCP, WN_TCP_CORK, true},
    {WN_IPPROTO_TCP, WN_TCP_USER_TIMEOUT, true},
    {WN_IPPROTO_TCP, WN_TCP_LINGER2, true},
    {WN_IPPROTO_TCP, WN_TCP_DEFER_ACCEPT, true},
    {WN_IPPROTO_TCP, WN_TCP_THIN_LINEAR_TIMEOUTS, true},
    {WN_IPPROTO_TCP, WN_TCP_THIN_DUPACK, true},
    {WN_IPPROTO_TCP, 9999, true},
    {4242, 1, true},
};

static void options_of(struct play *p, int slot)
{
    static const int values[] = {1, 2, 100, 0, -1, 40000};
    for (size_t i = 0; i < ARRAY_LEN(known_options); i++) {
        int level = known_options[i].level, name = known_options[i].name;
        play_get_raw(p, slot, level, name, 16);
        play_get_raw(p, slot, level, name, 4);
        play_get_raw(p, slot, level, name, 3);
        play_get_raw(p, slot, level, name, 0);
        play_get_raw(p, slot, level, name, UINT32_MAX);
        for (size_t v = 0; v < ARRAY_LEN(values); v++) {
            if (name == WN_SO_RCVLOWAT && values[v] < 0)
                continue; /* cut to a bound of the system's */
            play_set(p, slot, level, name, values[v]);
            play_get_raw(p, slot, level, name, 16);
        }
        int64_t two[2] = {3, 40000}; /* the kernel counts in ticks of up to 10 ms */
        play_set_raw(p, slot, level, name, two, sizeof two);
        play_get_raw(p, slot, level, name, 16);
        two[1] = 1000000;
        play_set_raw(p, slot, level, name, two, sizeof two);
        play_set_raw(p, slot, level, name, two, 3);
        play_set_raw(p, slot, level, name, two, 1);
        play_set_raw(p, slot, level, name, two, 0);
        play_set_raw(p, slot, level, name, two, UINT32_MAX);
        play_get_raw(p, slot, level, name, 16);
    }
}

static void options_of_a_new_stream(struct play *p)
{
    tcp(p, C);
    options_of(p, C);
}

static void options_of_a_listener(struct play *p)
{
    listener(p, L);
    options_of(p, L);
}

static void options_of_a_connection(struct play *p)
{
    pair(p);
    options_of(p, A);
    options_of(p, C);
}

/* A connection that has answered is not there before it has sent something. */
static void accepting_is_deferred(struct play *p)
{
    listener(p, L);
    play_set(p, L, WN_IPPROTO_TCP, WN_TCP_DEFER_ACCEPT, 5);
    play_get(p, L, WN_IPPROTO_TCP, WN_TCP_DEFER_ACCEPT);
    tcp(p, C);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    look(p, C);
    play_poll(p, L);
    play_accept(p, L, A, 0);
    play_send(p, C, "text", 0);
    look(p, C);
    play_poll(p, L);
    play_accept(p, L, A, WN_SOCK_NONBLOCK);
    play_recv(p, A, 10, 0);
    play_get(p, A, WN_IPPROTO_TCP, WN_TCP_DEFER_ACCEPT);
    /* One that ends at once is there. */
    tcp(p, D);
    play_connect(p, D, LOOPBACK, p->ports[L]);
    play_settle(p);
    play_accept(p, L, B, WN_SOCK_NONBLOCK);
    play_shutdown(p, D, WN_SHUT_WR);
    play_settle(p);
    play_accept(p, L, B, WN_SOCK_NONBLOCK);
}

static void seconds_of_deferring(struct play *p)
{
    static const int values[] = {1, 2, 3, 4, 7, 8, 15, 16, 100, 127, 128, 247, 248, 1000, 100000, -5};
    tcp(p, C);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        play_set(p, C, WN_IPPROTO_TCP, WN_TCP_DEFER_ACCEPT, values[i]);
        play_get(p, C, WN_IPPROTO_TCP, WN_TCP_DEFER_ACCEPT);
    }
}

/* RFC 5082: nothing that has come far is heard. */
static void far_segments_are_not_heard(struct play *p)
{
    listener(p, L);
    play_set(p, L, WN_IPPROTO_IP, WN_IP_MINTTL, 200);
    tcp(p, C);
    play_set(p, C, WN_IPPROTO_IP, WN_IP_TTL, 199);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    play_settle(p);
    play_poll(p, L);
    tcp(p, D);
    play_set(p, D, WN_IPPROTO_IP, WN_IP_TTL, 200);
    play_connect(p, D, LOOPBACK, p->ports[L]);
    play_settle(p);
    play_poll(p, L);
    play_accept(p, L, A, WN_SOCK_NONBLOCK);
    play_get(p, A, WN_IPPROTO_IP, WN_IP_MINTTL);
    play_set(p, A, WN_IPPROTO_IP, WN_IP_MINTTL, 201);
    play_send(p, D, "lost", 0);
    play_settle(p);
    play_poll(p, A);
}

static void a_pacing_rate_is_handed_on(struct play *p)
{
    pair(p);
    play_set(p, C, WN_SOL_SOCKET, WN_SO_MAX_PACING_RATE, 50000);
    if (!p->kernel)
        assert_int_equal(
            tcp_get_option(bsd_tcp(p->bsd, p->fds[C]), TCP_OPTION_PACING_RATE_MAX), 50000);
    play_set(p, C, WN_SOL_SOCKET, WN_SO_MAX_PACING_RATE, -1);
    if (!p->kernel)
        assert_int_equal(
            tcp_get_option(bsd_tcp(p->bsd, p->fds[C]), TCP_OPTION_PACING_RATE_MAX), 0);
}

static void options_of_a_datagram_socket(struct play *p)
{
    udp(p, C);
    options_of(p, C);
}

static void options_are_inherited(struct play *p)
{
    listener(p, L);
    struct wn_linger linger = {1, 7};
    play_set(p, L, WN_IPPROTO_TCP, WN_TCP_NODELAY, 1);
    play_set(p, L, WN_SOL_SOCKET, WN_SO_KEEPALIVE, 1);
    play_set(p, L, WN_SOL_SOCKET, WN_SO_REUSEADDR, 1);
    play_set(p, L, WN_IPPROTO_TCP, WN_TCP_KEEPIDLE, 77);
    play_set(p, L, WN_IPPROTO_IP, WN_IP_TTL, 33);
    play_set(p, L, WN_IPPROTO_IP, WN_IP_TOS, 0x20);
    play_set(p, L, WN_SOL_SOCKET, WN_SO_RCVLOWAT, 9);
    play_set_raw(p, L, WN_SOL_SOCKET, WN_SO_LINGER, &linger, sizeof linger);
    tcp(p, C);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    play_settle(p);
    play_accept(p, L, A, 0);
    for (size_t i = 0; i < ARRAY_LEN(known_options); i++)
        play_get_raw(p, A, known_options[i].level, known_options[i].name, 16);
}

/* ---- epoll ---- */

static void epoll_misused(struct play *p)
{
    play_epoll(p, E);
    tcp(p, C);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, E, WN_EPOLLIN);
    play_epoll_ctl(p, C, WN_EPOLL_CTL_ADD, E, WN_EPOLLIN);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_MOD, C, WN_EPOLLIN);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_DEL, C, WN_EPOLLIN);
    play_epoll_ctl(p, E, 9, C, WN_EPOLLIN);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, C, WN_EPOLLIN);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, C, WN_EPOLLIN);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, D, WN_EPOLLIN);
    play_epoll_ctl(p, D, WN_EPOLL_CTL_ADD, C, WN_EPOLLIN);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_MOD, C, WN_EPOLLIN | WN_EPOLLEXCLUSIVE);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_DEL, C, 0);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, C, WN_EPOLLIN | WN_EPOLLEXCLUSIVE);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_MOD, C, WN_EPOLLIN);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_DEL, C, 0);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, C, WN_EPOLLIN | WN_EPOLLEXCLUSIVE | WN_EPOLLONESHOT);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, C, WN_EPOLLRDHUP | WN_EPOLLEXCLUSIVE);
    play_epoll_wait(p, E, 0);
    play_epoll_wait(p, E, -1);
    play_epoll_wait(p, C, 1);
    play_epoll_wait(p, D, 1);
    play_epoll(p, F);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, F, WN_EPOLLIN | WN_EPOLLEXCLUSIVE);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, F, WN_EPOLLIN);
    play_epoll_ctl(p, F, WN_EPOLL_CTL_ADD, E, WN_EPOLLIN);
}

static void epoll_nested_too_deep(struct play *p)
{
    for (int i = 0; i < 8; i++)
        play_epoll(p, i);
    for (int i = 0; i < 7; i++)
        play_epoll_ctl(p, i + 1, WN_EPOLL_CTL_ADD, i, WN_EPOLLIN);
}

static void epoll_through_a_life(struct play *p, uint32_t mode)
{
    static const uint32_t all = WN_EPOLLIN | WN_EPOLLOUT | WN_EPOLLRDHUP | WN_EPOLLPRI |
                                WN_EPOLLRDNORM | WN_EPOLLWRNORM;
    listener(p, L);
    play_epoll(p, E);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, L, WN_EPOLLIN | mode);
    play_epoll_wait(p, E, 10);
    tcp(p, C);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, C, all | mode);
    play_epoll_wait(p, E, 10);
    play_epoll_wait(p, E, 10);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_MOD, C, all | mode);
    play_epoll_wait(p, E, 10);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_DEL, C, 0);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    play_settle(p);
    play_epoll_wait(p, E, 10);
    play_epoll_wait(p, E, 10);
    play_accept(p, L, A, WN_SOCK_NONBLOCK);
    play_epoll_wait(p, E, 10);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, A, all | mode);
    play_epoll_wait(p, E, 10);
    play_epoll_wait(p, E, 10);
    for (int i = 0; i < 3; i++) {
        play_send(p, C, "tick", 0);
        play_settle(p);
        play_epoll_wait(p, E, 10);
        play_epoll_wait(p, E, 10);
        if (i == 1)
            play_recv(p, A, 3, 0);
        play_epoll_wait(p, E, 10);
    }
    play_epoll_ctl(p, E, WN_EPOLL_CTL_MOD, A, WN_EPOLLIN | mode);
    play_epoll_wait(p, E, 10);
    play_recv(p, A, 100, 0);
    play_epoll_wait(p, E, 10);
    play_shutdown(p, C, WN_SHUT_WR);
    play_settle(p);
    play_epoll_wait(p, E, 10);
    play_epoll_wait(p, E, 10);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_MOD, A, all | mode);
    play_epoll_wait(p, E, 10);
    play_poll(p, E);
    reset_it(p, C);
    play_epoll_wait(p, E, 10);
    play_epoll_wait(p, E, 10);
    play_close_slot(p, A);
    play_epoll_wait(p, E, 10);
}

static void epoll_by_level(struct play *p)
{
    epoll_through_a_life(p, 0);
}

static void epoll_by_edge(struct play *p)
{
    epoll_through_a_life(p, WN_EPOLLET);
}

static void epoll_once(struct play *p)
{
    epoll_through_a_life(p, WN_EPOLLONESHOT);
}

static void epoll_once_by_edge(struct play *p)
{
    epoll_through_a_life(p, WN_EPOLLONESHOT | WN_EPOLLET);
}

static void epoll_takes_turns(struct play *p)
{
    pair(p);
    play_epoll(p, E);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, A, WN_EPOLLOUT);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, C, WN_EPOLLOUT);
    for (int i = 0; i < 4; i++)
        play_epoll_wait(p, E, 1);
    play_close_slot(p, A);
    play_settle(p);
    for (int i = 0; i < 2; i++)
        play_epoll_wait(p, E, 1);
}

static void epoll_of_epolls(struct play *p)
{
    pair(p);
    play_epoll(p, E);
    play_epoll(p, F);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, A, WN_EPOLLIN);
    play_epoll_ctl(p, F, WN_EPOLL_CTL_ADD, E, WN_EPOLLIN);
    play_epoll_wait(p, F, 10);
    play_poll(p, F);
    play_send(p, C, "x", 0);
    play_settle(p);
    play_poll(p, E);
    play_poll(p, F);
    play_epoll_wait(p, F, 10);
    play_epoll_wait(p, E, 10);
    play_recv(p, A, 10, 0);
    play_epoll_wait(p, F, 10);
    play_poll(p, F);
}

/* ---- datagrams ---- */

static void datagrams_from_here_to_there(struct play *p)
{
    udp(p, A);
    play_poll(p, A);
    play_names(p, A);
    play_recv(p, A, 10, 0);
    play_send(p, A, "x", 0);
    play_bind(p, A, LOOPBACK, 0);
    play_bind(p, A, LOOPBACK, 0);
    udp(p, B);
    play_sendto(p, B, "first", 0, LOOPBACK, p->ports[A]);
    play_names(p, B);
    play_sendto(p, B, "", 0, LOOPBACK, p->ports[A]);
    play_sendto(p, B, "third one", 0, LOOPBACK, p->ports[A]);
    play_settle(p);
    play_poll(p, A);
    play_select(p, A);
    play_ioctl(p, A, WN_FIONREAD);
    play_ioctl(p, A, WN_SIOCOUTQ);
    play_recvfrom(p, A, 3, WN_MSG_PEEK);
    play_recvfrom(p, A, 100, 0);
    play_ioctl(p, A, WN_FIONREAD);
    play_poll(p, A);
    play_recvfrom(p, A, 100, 0);
    play_recvfrom(p, A, 3, WN_MSG_TRUNC | WN_MSG_PEEK);
    play_recvmsg(p, A, 2, 3, 0);
    play_recvfrom(p, A, 3, 0);
    play_poll(p, A);
}

static void datagrams_of_friends(struct play *p)
{
    struct wn_sockaddr none = {.sa_family = WN_AF_UNSPEC};
    udp(p, A);
    udp(p, B);
    udp(p, C);
    play_bind(p, A, LOOPBACK, 0);
    play_bind(p, B, LOOPBACK, 0);
    play_connect(p, A, LOOPBACK, p->ports[B]);
    play_names(p, A);
    play_send(p, A, "hello", 0);
    play_sendto(p, C, "stranger", 0, LOOPBACK, p->ports[A]);
    play_sendto(p, B, "friend", 0, LOOPBACK, p->ports[A]);
    play_settle(p);
    play_recvfrom(p, A, 100, 0);
    play_recvfrom(p, A, 100, 0);
    play_recvfrom(p, B, 100, 0);
    play_sendto(p, A, "aside", 0, LOOPBACK, p->ports[C]);
    play_settle(p);
    play_recvfrom(p, C, 100, 0);
    play_connect(p, A, LOOPBACK, p->ports[C]);
    play_send(p, A, "new", 0);
    play_settle(p);
    play_recvfrom(p, C, 100, 0);
    play_connect_raw(p, A, &none, sizeof none);
    play_names(p, A);
    play_send(p, A, "nobody", 0);
    play_sendto(p, C, "now you may", 0, LOOPBACK, p->ports[A]);
    play_settle(p);
    play_recvfrom(p, A, 100, 0);
}

static void datagrams_to_nobody(struct play *p)
{
    udp(p, B);
    play_bind(p, B, LOOPBACK, 0);
    uint16_t port = p->ports[B];
    play_close_slot(p, B);
    udp(p, A);
    play_sendto(p, A, "x", 0, LOOPBACK, port);
    play_settle(p);
    play_poll(p, A);
    play_recv(p, A, 10, 0);
    play_connect(p, A, LOOPBACK, port);
    play_send(p, A, "x", 0);
    play_settle(p);
    play_poll(p, A);
    play_recv(p, A, 10, 0);
    play_poll(p, A);
    play_recv(p, A, 10, 0);
    play_send(p, A, "x", 0);
    play_settle(p);
    play_send(p, A, "y", 0);
    play_settle(p);
    play_send(p, A, "y", 0);
    play_settle(p);
    play_get(p, A, WN_SOL_SOCKET, WN_SO_ERROR);
    play_get(p, A, WN_SOL_SOCKET, WN_SO_ERROR);
}

static void datagrams_that_cannot_be(struct play *p)
{
    static char big[70000];
    struct wn_sockaddr_in name = {.sin_family = 99};
    udp(p, A);
    memset(big, 'b', sizeof big - 1);
    play_sendto(p, A, big, 0, LOOPBACK, 9);
    play_sendto(p, A, "x", 0, LOOPBACK, 0);
    play_sendto(p, A, "x", 0, 0xffffffff, 9);
    play_connect(p, A, 0xffffffff, 9);
    play_connect_raw(p, A, &name, sizeof name);
    play_connect_raw(p, A, &name, 3);
    play_listen(p, A, 5);
    play_accept(p, A, B, 0);
    play_sendto(p, A, "x", WN_MSG_OOB, LOOPBACK, 9);
    udp(p, B);
    play_bind(p, B, LOOPBACK, 0);
    udp(p, C);
    play_bind(p, C, LOOPBACK, p->ports[B]);
    play_bind(p, C, 0, p->ports[B]);
    play_bind(p, C, 0xc0000201, 0);
}

static void datagrams_after_shutdown(struct play *p)
{
    udp(p, A);
    play_shutdown(p, A, WN_SHUT_RD);
    play_poll(p, A);
    play_recv(p, A, 10, 0);
    udp(p, B);
    udp(p, C);
    play_bind(p, B, LOOPBACK, 0);
    play_bind(p, C, LOOPBACK, 0);
    play_connect(p, B, LOOPBACK, p->ports[C]);
    play_shutdown(p, B, 3);
    play_shutdown(p, B, WN_SHUT_WR);
    play_poll(p, B);
    play_send(p, B, "x", 0);
    play_sendto(p, C, "in", 0, LOOPBACK, p->ports[B]);
    play_settle(p);
    play_recv(p, B, 10, 0);
    play_shutdown(p, B, WN_SHUT_RD);
    play_poll(p, B);
    play_select(p, B);
    play_recv(p, B, 10, 0);
}

static void datagrams_in_pieces(struct play *p)
{
    udp(p, A);
    udp(p, B);
    play_bind(p, A, LOOPBACK, 0);
    play_connect(p, B, LOOPBACK, p->ports[A]);
    play_send(p, B, "one ", WN_MSG_MORE);
    play_send(p, B, "two ", WN_MSG_MORE);
    play_settle(p);
    play_poll(p, A);
    play_send(p, B, "three", 0);
    play_settle(p);
    play_recv(p, A, 100, 0);
    play_send(p, B, "four", 0);
    play_settle(p);
    play_recv(p, A, 100, 0);
}

static void who_may_have_a_port_of_datagrams(struct play *p)
{
    for (int mode = 0; mode < 32; mode++) {
        bool first = mode & 1, second = mode & 2, wide = mode & 4, later = mode & 8;
        int option = mode & 16 ? WN_SO_REUSEADDR : WN_SO_REUSEPORT;
        udp(p, A);
        udp(p, B);
        if (!later)
            play_set(p, A, WN_SOL_SOCKET, option, first);
        play_set(p, B, WN_SOL_SOCKET, option, second);
        play_bind(p, A, LOOPBACK, 0);
        if (later)
            play_set(p, A, WN_SOL_SOCKET, option, first);
        play_bind(p, B, wide ? 0 : LOOPBACK, p->ports[A]);
        play_names(p, B);
        play_close_slot(p, A);
        play_close_slot(p, B);
    }
}

static int receive_all(struct play *p, int slot)
{
    int count = 0;
    size_t before = p->log_len;
    while (play_recv(p, slot, 10, 0) >= 0)
        count++;
    p->log_len = before;
    p->log[before] = '\0';
    return count;
}

static void datagrams_are_spread(struct play *p)
{
    enum { FIRST = 8, COUNT = 8 };
    for (int i = A; i <= B; i++) {
        udp(p, i);
        play_set(p, i, WN_SOL_SOCKET, WN_SO_REUSEPORT, 1);
        play_bind(p, i, LOOPBACK, i == A ? 0 : p->ports[A]);
    }
    uint16_t port = p->ports[A];
    bool both = false, divided = false;
    for (int round = 0; round < 10; round++) {
        for (int i = FIRST; i < FIRST + COUNT; i++) {
            udp(p, i);
            play_sendto(p, i, "x", 0, LOOPBACK, port);
        }
        play_settle(p);
        int first = receive_all(p, A), second = receive_all(p, B);
        play_note(p, "%d\n", first + second);
        both = both || (first > 0 && second > 0);
        /* All of one sender come to the same. */
        for (int i = 0; i < 5; i++)
            play_sendto(p, FIRST, "y", 0, LOOPBACK, port);
        play_settle(p);
        first = receive_all(p, A);
        second = receive_all(p, B);
        play_note(p, "%d\n", first + second);
        divided = divided || (first > 0 && second > 0);
        for (int i = FIRST; i < FIRST + COUNT; i++)
            play_close_slot(p, i);
    }
    play_note(p, "both: %d, divided: %d\n", both, divided);
    /* One that is connected has its peer's, and no other. */
    udp(p, C);
    udp(p, D);
    play_bind(p, C, LOOPBACK, 0);
    play_connect(p, B, LOOPBACK, p->ports[C]);
    for (int i = 0; i < 4; i++) {
        play_sendto(p, C, "friend", 0, LOOPBACK, port);
        play_sendto(p, D, "stranger", 0, LOOPBACK, port);
    }
    play_settle(p);
    play_note(p, "%d %d\n", receive_all(p, A), receive_all(p, B));
    play_close_slot(p, A);
    play_sendto(p, D, "to nobody", 0, LOOPBACK, port);
    play_settle(p);
    play_note(p, "%d\n", receive_all(p, B));
}

/* With SO_REUSEADDR the newest has all. */
static void datagrams_are_for_the_newest(struct play *p)
{
    for (int i = A; i <= D; i++) {
        udp(p, i);
        play_set(p, i, WN_SOL_SOCKET, WN_SO_REUSEADDR, 1);
        play_bind(p, i, LOOPBACK, i == A ? 0 : p->ports[A]);
        udp(p, E);
        play_sendto(p, E, "x", 0, LOOPBACK, p->ports[A]);
        play_settle(p);
        for (int k = A; k <= i; k++)
            play_recv(p, k, 10, 0);
        play_close_slot(p, E);
    }
}

static void epoll_of_datagrams(struct play *p)
{
    udp(p, A);
    udp(p, B);
    play_bind(p, A, LOOPBACK, 0);
    play_epoll(p, E);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, A, WN_EPOLLIN | WN_EPOLLOUT | WN_EPOLLET);
    play_epoll_wait(p, E, 10);
    play_epoll_wait(p, E, 10);
    for (int i = 0; i < 3; i++) {
        play_sendto(p, B, "tick", 0, LOOPBACK, p->ports[A]);
        play_settle(p);
        play_epoll_wait(p, E, 10);
        play_epoll_wait(p, E, 10);
    }
    play_recv(p, A, 10, 0);
    play_epoll_wait(p, E, 10);
}

/* ---- all of them ---- */

static const struct play_scenario scenarios[] = {
    PLAY_SCENARIO(every_kind_of_socket),
    PLAY_SCENARIO(every_call_on_nothing),
    PLAY_SCENARIO(every_call_on_an_epoll),
    PLAY_SCENARIO(calls_when_new),
    PLAY_SCENARIO(calls_when_bound),
    PLAY_SCENARIO(calls_when_listening),
    PLAY_SCENARIO(calls_when_established),
    PLAY_SCENARIO(calls_in_close_wait),
    PLAY_SCENARIO(calls_in_fin_wait_2),
    PLAY_SCENARIO(calls_in_time_wait),
    PLAY_SCENARIO(calls_when_closing_on_both_sides),
    PLAY_SCENARIO(calls_when_reset),
    PLAY_SCENARIO(a_reset_is_told_once_by_receiving),
    PLAY_SCENARIO(a_reset_is_told_once_by_sending),
    PLAY_SCENARIO(a_reset_is_told_once_by_so_error),
    PLAY_SCENARIO(a_reset_after_the_end_is_a_broken_pipe),
    PLAY_SCENARIO(closing_with_unread_octets_resets),
    PLAY_SCENARIO(closing_then_octets_come),
    PLAY_SCENARIO(connecting_refused),
    PLAY_SCENARIO(connecting_after_a_refusal),
    PLAY_SCENARIO(other_things_after_a_refusal),
    PLAY_SCENARIO(connecting_twice),
    PLAY_SCENARIO(connecting_to_oneself_in_bad_ways),
    PLAY_SCENARIO(connecting_to_the_wildcard_is_to_oneself),
    PLAY_SCENARIO(dissolving),
    PLAY_SCENARIO(binding_in_bad_ways),
    PLAY_SCENARIO(who_may_bind_beside),
    PLAY_SCENARIO(binding_beside_connections),
    PLAY_SCENARIO(listening_on_a_used_port),
    PLAY_SCENARIO(who_may_listen_beside),
    PLAY_SCENARIO(sharing_is_changed),
    PLAY_SCENARIO(connections_are_spread),
    PLAY_SCENARIO(closing_one_of_several_listeners),
    PLAY_SCENARIO(listening_unbound),
    PLAY_SCENARIO(the_accept_queue),
    PLAY_SCENARIO(closing_the_listener_resets_who_waits),
    PLAY_SCENARIO(shutting_the_listener),
    PLAY_SCENARIO(octets_that_wait),
    PLAY_SCENARIO(the_low_water_mark),
    PLAY_SCENARIO(reading_after_ones_own_shutdown),
    PLAY_SCENARIO(more_to_come),
    PLAY_SCENARIO(a_full_send_buffer),
    PLAY_SCENARIO(more_waits_unsent_than_was_wished),
    PLAY_SCENARIO(flags_of_the_descriptor),
    PLAY_SCENARIO(options_of_a_new_stream),
    PLAY_SCENARIO(options_of_a_listener),
    PLAY_SCENARIO(options_of_a_connection),
    PLAY_SCENARIO(accepting_is_deferred),
    PLAY_SCENARIO(seconds_of_deferring),
    PLAY_SCENARIO(far_segments_are_not_heard),
    PLAY_SCENARIO(a_pacing_rate_is_handed_on),
    PLAY_SCENARIO(options_of_a_datagram_socket),
    PLAY_SCENARIO(options_are_inherited),
    PLAY_SCENARIO(epoll_misused),
    PLAY_SCENARIO(epoll_nested_too_deep),
    PLAY_SCENARIO(epoll_by_level),
    PLAY_SCENARIO(epoll_by_edge),
    PLAY_SCENARIO(epoll_once),
    PLAY_SCENARIO(epoll_once_by_edge),
    PLAY_SCENARIO(epoll_takes_turns),
    PLAY_SCENARIO(epoll_of_epolls),
    PLAY_SCENARIO(datagrams_from_here_to_there),
    PLAY_SCENARIO(datagrams_of_friends),
    PLAY_SCENARIO(datagrams_to_nobody),
    PLAY_SCENARIO(datagrams_that_cannot_be),
    PLAY_SCENARIO(datagrams_after_shutdown),
    PLAY_SCENARIO(datagrams_in_pieces),
    PLAY_SCENARIO(who_may_have_a_port_of_datagrams),
    PLAY_SCENARIO(datagrams_are_spread),
    PLAY_SCENARIO(datagrams_are_for_the_newest),
    PLAY_SCENARIO(epoll_of_datagrams),
};

int main(void)
{
    return play_compare("bsd_differential", scenarios, ARRAY_LEN(scenarios));
}
