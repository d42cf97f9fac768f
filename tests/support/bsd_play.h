/* SPDX-License-Identifier: ISC */
/*
 * bsd_play.h - the same socket calls on the kernel's loopback and on that of a stack of ours, each
 * written down with its result, so that the two records can be compared.
 *
 * Sockets are called by slot, ports by the slot that is bound to them: numbers that the system
 * chooses do not appear in a record. What a call has to tell is one line.
 */
#ifndef WN_TESTS_SUPPORT_BSD_PLAY_H
#define WN_TESTS_SUPPORT_BSD_PLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/bsd/bsd.h"

enum { PLAY_SLOTS = 16, PLAY_LOG = 256 * 1024 };

#define LOOPBACK 0x7f000001u

struct play {
    bool kernel;
    struct world *world;   /* ours */
    struct bsd *bsd;
    int fds[PLAY_SLOTS];   /* -1: none */
    uint16_t ports[PLAY_SLOTS]; /* that were bound */
    char log[PLAY_LOG];
    size_t log_len;
};

void play_open(struct play *p, bool kernel);
void play_close(struct play *p); /* all sockets too; ours: fails when memory is left */

void play_note(struct play *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Lets the network come to rest. */
void play_settle(struct play *p);

/* Each writes "name(slot) = result" and returns the result (negative: errno). */
int play_socket(struct play *p, int slot, int domain, int kind, int protocol);
int play_close_slot(struct play *p, int slot);
int play_bind(struct play *p, int slot, uint32_t address, uint16_t port);
int play_bind_raw(struct play *p, int slot, const void *address, wn_socklen_t len);
int play_listen(struct play *p, int slot, int backlog);
int play_accept(struct play *p, int listener, int slot, int flags);
int play_connect(struct play *p, int slot, uint32_t address, uint16_t port);
int play_connect_raw(struct play *p, int slot, const void *address, wn_socklen_t len);
int play_shutdown(struct play *p, int slot, int how);
long play_send(struct play *p, int slot, const char *text, int flags);
long play_write(struct play *p, int slot, const void *data, size_t len); /* not in full in the record */
long play_sendto(struct play *p, int slot, const char *text, int flags, uint32_t address,
                 uint16_t port);
long play_recv(struct play *p, int slot, size_t len, int flags);
long play_recvmsg(struct play *p, int slot, size_t first, size_t second, int flags);
long play_recvfrom(struct play *p, int slot, size_t len, int flags); /* and from which slot */
long play_read(struct play *p, int slot, size_t len);
void play_poll(struct play *p, int slot);         /* every bit */
void play_names(struct play *p, int slot);        /* getsockname and getpeername */
int play_set(struct play *p, int slot, int level, int name, int value);
int play_get(struct play *p, int slot, int level, int name);
int play_set_raw(struct play *p, int slot, int level, int name, const void *value,
                 wn_socklen_t len);
int play_get_raw(struct play *p, int slot, int level, int name, wn_socklen_t len);
int play_ioctl(struct play *p, int slot, unsigned long request);
int play_fcntl(struct play *p, int slot, int command, int value);
int play_state(struct play *p, int slot);         /* of TCP_INFO */
int play_epoll(struct play *p, int slot);
int play_epoll_ctl(struct play *p, int epoll, int operation, int slot, uint32_t events);
int play_epoll_wait(struct play *p, int epoll, int max);
int play_select(struct play *p, int slot);

/* Which slot has that port; -1: none. */
int play_slot_of(const struct play *p, uint16_t port);

#endif
