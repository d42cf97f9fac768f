/* SPDX-License-Identifier: ISC */
/*
 * socket_batch.h - datagrams by the dozen: one system call takes many, and one sends what was
 * answered (recvmmsg(2), sendmmsg(2)). Those of one length to one peer go through the kernel as one
 * (UDP_SEGMENT, udp(7)), which costs it a fraction; datagrams of different lengths may change places.
 */
#ifndef WN_OS_SOCKET_BATCH_H
#define WN_OS_SOCKET_BATCH_H

#include "os/socket.h"

enum {
    HOST_BATCH_MAX = 64,
    HOST_BATCH_SEND_SIZE = 64 * 1024, /* octets of payload that wait */
};

struct host_batch;

/* NULL: no memory. Holds four megabytes of addresses, of which only those are memory that long
 * datagrams have touched. */
MUST_USE struct host_batch *host_batch_new(void);
void host_batch_free(struct host_batch *batch);

/* Takes what waits, at most HOST_BATCH_MAX. How many, or a negative errno (-EAGAIN: none). They stay
 * until the next call. */
MUST_USE int host_batch_receive(struct host_batch *batch, int fd);

/* The datagram at `index`. False: from nowhere that there is. */
MUST_USE bool host_batch_get(const struct host_batch *batch, unsigned index,
                             struct host_datagram *facts, struct bytes *payload);

/* Takes a copy of what is to be sent. 1: taken; 0: there is no room until host_batch_flush(); or a
 * negative errno. */
MUST_USE int host_batch_put(struct host_batch *batch, int family, const struct host_datagram *facts,
                            struct bytes payload);

/* Sends what was taken. What the kernel has no room for is lost, as datagrams may be. */
void host_batch_flush(struct host_batch *batch, int fd);

#endif
