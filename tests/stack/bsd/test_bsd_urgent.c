/* SPDX-License-Identifier: ISC */
/*
 * test_bsd_urgent.c - urgent data on the kernel's sockets and on ours (RFC 6093): what is read in line
 * and out of band, where reading stops, and what is told of it.
 */
#include "tests/support/bsd_compare.h"
#include "tests/support/check.h"

enum { L = 0, C = 1, A = 2, E = 5 };
enum { TCP = WN_SOCK_STREAM | WN_SOCK_NONBLOCK };

/* C is connected to A, which came to L. */
static void pair(struct play *p)
{
    play_socket(p, L, WN_AF_INET, TCP, 0);
    play_bind(p, L, LOOPBACK, 0);
    play_listen(p, L, 5);
    play_socket(p, C, WN_AF_INET, TCP, 0);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    play_settle(p);
    play_accept(p, L, A, WN_SOCK_NONBLOCK);
}

static void look(struct play *p)
{
    play_settle(p);
    play_poll(p, A);
    play_select(p, A);
    play_ioctl(p, A, WN_SIOCATMARK);
    play_ioctl(p, A, WN_FIONREAD);
}

static void in_line(struct play *p)
{
    play_set(p, A, WN_SOL_SOCKET, WN_SO_OOBINLINE, 1);
}

/* Reads `len` octets at a time until there are no more. */
static void read_all(struct play *p, size_t len)
{
    for (int i = 0; i < 12; i++) {
        look(p);
        play_recv(p, A, 100, WN_MSG_PEEK);
        if (play_recv(p, A, len, 0) <= 0)
            break;
    }
}

static void nothing_urgent(struct play *p)
{
    pair(p);
    look(p);
    play_recv(p, A, 1, WN_MSG_OOB);
    play_recv(p, A, 0, WN_MSG_OOB);
    in_line(p);
    play_recv(p, A, 1, WN_MSG_OOB);
    play_recv(p, L, 1, WN_MSG_OOB);
    play_ioctl(p, L, WN_SIOCATMARK);
    play_send(p, C, "", WN_MSG_OOB);
    look(p);
}

static void one_octet(struct play *p)
{
    pair(p);
    play_send(p, C, "x", WN_MSG_OOB);
    look(p);
    play_recv(p, A, 10, WN_MSG_OOB | WN_MSG_PEEK);
    play_recv(p, A, 0, WN_MSG_OOB | WN_MSG_PEEK);
    play_recv(p, A, 10, WN_MSG_OOB | WN_MSG_TRUNC | WN_MSG_PEEK);
    look(p);
    play_recv(p, A, 10, WN_MSG_OOB);
    look(p);
    play_recv(p, A, 10, WN_MSG_OOB);
    play_recv(p, A, 10, 0);
    look(p);
    play_send(p, C, "abc", 0);
    read_all(p, 10);
}

static void one_octet_that_nobody_wants(struct play *p)
{
    pair(p);
    play_send(p, C, "x", WN_MSG_OOB);
    look(p);
    play_recv(p, A, 10, 0);
    look(p);
    play_recv(p, A, 10, WN_MSG_OOB);
    play_send(p, C, "abc", 0);
    read_all(p, 10);
}

static void one_octet_in_line(struct play *p)
{
    pair(p);
    in_line(p);
    play_send(p, C, "x", WN_MSG_OOB);
    look(p);
    play_recv(p, A, 10, WN_MSG_OOB);
    play_recv(p, A, 10, WN_MSG_PEEK);
    read_all(p, 10);
}

static void amid_others(struct play *p, bool inside, size_t at_a_time)
{
    pair(p);
    if (inside)
        in_line(p);
    play_send(p, C, "before", 0);
    play_send(p, C, "urgent!", WN_MSG_OOB);
    play_send(p, C, "after", 0);
    look(p);
    play_recv(p, A, 100, WN_MSG_PEEK);
    read_all(p, at_a_time);
    play_recv(p, A, 1, WN_MSG_OOB);
}

static void amid_others_read_at_once(struct play *p)
{
    amid_others(p, false, 100);
}

static void amid_others_read_by_fives(struct play *p)
{
    amid_others(p, false, 5);
}

static void amid_others_read_by_ones(struct play *p)
{
    amid_others(p, false, 1);
}

static void amid_others_in_line(struct play *p)
{
    amid_others(p, true, 100);
}

static void amid_others_in_line_by_fives(struct play *p)
{
    amid_others(p, true, 5);
}

static void taken_before_what_precedes(struct play *p)
{
    pair(p);
    play_send(p, C, "before", 0);
    play_send(p, C, "!", WN_MSG_OOB);
    look(p);
    play_recv(p, A, 1, WN_MSG_OOB);
    look(p);
    play_recv(p, A, 1, WN_MSG_OOB);
    play_recv(p, A, 3, 0);
    look(p);
    play_send(p, C, "after", 0);
    read_all(p, 100);
}

static void two_in_a_row(struct play *p)
{
    pair(p);
    play_send(p, C, "1", WN_MSG_OOB);
    look(p);
    play_send(p, C, "2", WN_MSG_OOB);
    look(p);
    play_recv(p, A, 1, WN_MSG_OOB);
    play_send(p, C, "text", 0);
    read_all(p, 100);
}

static void two_in_a_row_in_line(struct play *p)
{
    pair(p);
    in_line(p);
    play_send(p, C, "1", WN_MSG_OOB);
    look(p);
    play_send(p, C, "2", WN_MSG_OOB);
    look(p);
    read_all(p, 100);
}

static void two_with_text_between(struct play *p)
{
    pair(p);
    play_send(p, C, "text", 0);
    play_send(p, C, "1", WN_MSG_OOB);
    look(p);
    play_recv(p, A, 1, WN_MSG_OOB | WN_MSG_PEEK);
    play_send(p, C, "more", 0);
    play_send(p, C, "2", WN_MSG_OOB);
    look(p);
    play_recv(p, A, 1, WN_MSG_OOB);
    read_all(p, 100);
}

static void second_after_the_first_was_taken(struct play *p)
{
    pair(p);
    play_send(p, C, "1", WN_MSG_OOB);
    play_settle(p);
    play_recv(p, A, 1, WN_MSG_OOB);
    play_send(p, C, "2", WN_MSG_OOB);
    look(p);
    play_recv(p, A, 1, WN_MSG_OOB);
    play_send(p, C, "3", WN_MSG_OOB);
    look(p);
    play_recv(p, A, 9, 0);
    look(p);
}

static void in_line_is_wished_late(struct play *p)
{
    pair(p);
    play_send(p, C, "ab", WN_MSG_OOB);
    look(p);
    in_line(p);
    look(p);
    play_recv(p, A, 1, WN_MSG_OOB);
    play_recv(p, A, 9, 0);
    play_set(p, A, WN_SOL_SOCKET, WN_SO_OOBINLINE, 0);
    look(p);
    play_recv(p, A, 1, WN_MSG_OOB);
    play_recv(p, A, 9, 0);
}

static void unseen_with_the_text(struct play *p)
{
    pair(p);
    play_send(p, C, "abc", 0);
    play_send(p, C, "!", WN_MSG_OOB);
    play_send(p, C, "def", 0);
    look(p);
    play_recv(p, A, 100, WN_MSG_TRUNC);
    look(p);
    play_recv(p, A, 100, WN_MSG_TRUNC);
    look(p);
}

static void in_parts(struct play *p)
{
    pair(p);
    play_send(p, C, "abcdef", WN_MSG_OOB);
    play_send(p, C, "ghi", 0);
    play_settle(p);
    play_recvmsg(p, A, 3, 10, WN_MSG_PEEK);
    play_recvmsg(p, A, 3, 10, 0);
    play_recvmsg(p, A, 1, 1, 0);
    play_recvmsg(p, A, 1, 1, WN_MSG_OOB);
    play_recvmsg(p, A, 3, 10, WN_MSG_WAITALL);
}

static void then_the_end(struct play *p)
{
    pair(p);
    play_send(p, C, "a", 0);
    play_send(p, C, "!", WN_MSG_OOB);
    play_shutdown(p, C, WN_SHUT_WR);
    look(p);
    play_recv(p, A, 9, 0);
    look(p);
    play_recv(p, A, 1, WN_MSG_OOB);
    look(p);
    play_recv(p, A, 9, 0);
    look(p);
    play_recv(p, A, 1, WN_MSG_OOB);
}

static void then_a_reset(struct play *p)
{
    pair(p);
    play_send(p, A, "unread", 0);
    play_settle(p);
    play_send(p, C, "!", WN_MSG_OOB);
    play_settle(p);
    play_close_slot(p, C);
    look(p);
    play_recv(p, A, 1, WN_MSG_OOB);
    play_recv(p, A, 1, 0);
    play_recv(p, A, 1, WN_MSG_OOB);
}

static void after_ones_own_shutdown(struct play *p)
{
    pair(p);
    play_shutdown(p, C, WN_SHUT_WR);
    play_send(p, C, "x", WN_MSG_OOB);
    play_send(p, A, "x", WN_MSG_OOB);
    play_settle(p);
    play_poll(p, C);
    play_recv(p, C, 1, WN_MSG_OOB);
    play_poll(p, C);
}

static void the_low_water_mark(struct play *p)
{
    pair(p);
    play_set(p, A, WN_SOL_SOCKET, WN_SO_RCVLOWAT, 3);
    play_send(p, C, "x", WN_MSG_OOB);
    play_send(p, C, "ab", 0);
    look(p);
    play_send(p, C, "c", 0);
    look(p);
    play_recv(p, A, 2, 0);
    look(p);
    play_recv(p, A, 2, 0);
}

static void inherited_from_the_listener(struct play *p)
{
    play_socket(p, L, WN_AF_INET, TCP, 0);
    play_set(p, L, WN_SOL_SOCKET, WN_SO_OOBINLINE, 1);
    play_bind(p, L, LOOPBACK, 0);
    play_listen(p, L, 5);
    play_socket(p, C, WN_AF_INET, TCP, 0);
    play_connect(p, C, LOOPBACK, p->ports[L]);
    play_settle(p);
    play_send(p, C, "1", WN_MSG_OOB);
    play_settle(p);
    play_accept(p, L, A, WN_SOCK_NONBLOCK);
    play_get(p, A, WN_SOL_SOCKET, WN_SO_OOBINLINE);
    play_send(p, C, "2", WN_MSG_OOB);
    read_all(p, 9);
}

static void told_by_epoll(struct play *p, uint32_t events)
{
    pair(p);
    play_epoll(p, E);
    play_epoll_ctl(p, E, WN_EPOLL_CTL_ADD, A, events);
    play_epoll_wait(p, E, 10);
    play_send(p, C, "a", 0);
    play_settle(p);
    play_epoll_wait(p, E, 10);
    play_send(p, C, "!", WN_MSG_OOB);
    play_settle(p);
    play_epoll_wait(p, E, 10);
    play_epoll_wait(p, E, 10);
    play_send(p, C, "b", 0);
    play_settle(p);
    play_epoll_wait(p, E, 10);
    play_recv(p, A, 1, WN_MSG_OOB);
    play_epoll_wait(p, E, 10);
    play_send(p, C, "c", 0);
    play_settle(p);
    play_epoll_wait(p, E, 10);
}

static void told_by_level(struct play *p)
{
    told_by_epoll(p, WN_EPOLLPRI);
}

static void told_by_edge(struct play *p)
{
    told_by_epoll(p, WN_EPOLLPRI | WN_EPOLLET);
}

static void told_with_others_by_edge(struct play *p)
{
    told_by_epoll(p, WN_EPOLLIN | WN_EPOLLPRI | WN_EPOLLRDBAND | WN_EPOLLET);
}

static const struct play_scenario scenarios[] = {
    PLAY_SCENARIO(nothing_urgent),
    PLAY_SCENARIO(one_octet),
    PLAY_SCENARIO(one_octet_that_nobody_wants),
    PLAY_SCENARIO(one_octet_in_line),
    PLAY_SCENARIO(amid_others_read_at_once),
    PLAY_SCENARIO(amid_others_read_by_fives),
    PLAY_SCENARIO(amid_others_read_by_ones),
    PLAY_SCENARIO(amid_others_in_line),
    PLAY_SCENARIO(amid_others_in_line_by_fives),
    PLAY_SCENARIO(taken_before_what_precedes),
    PLAY_SCENARIO(two_in_a_row),
    PLAY_SCENARIO(two_in_a_row_in_line),
    PLAY_SCENARIO(two_with_text_between),
    PLAY_SCENARIO(second_after_the_first_was_taken),
    PLAY_SCENARIO(in_line_is_wished_late),
    PLAY_SCENARIO(unseen_with_the_text),
    PLAY_SCENARIO(in_parts),
    PLAY_SCENARIO(then_the_end),
    PLAY_SCENARIO(then_a_reset),
    PLAY_SCENARIO(after_ones_own_shutdown),
    PLAY_SCENARIO(the_low_water_mark),
    PLAY_SCENARIO(inherited_from_the_listener),
    PLAY_SCENARIO(told_by_level),
    PLAY_SCENARIO(told_by_edge),
    PLAY_SCENARIO(told_with_others_by_edge),
};

int main(void)
{
    return play_compare("bsd_urgent", scenarios, ARRAY_LEN(scenarios));
}
