/* SPDX-License-Identifier: ISC */
/* net_kernel.h - what the files of the kernel's net share. For net_kernel*.c only. */
#ifndef WN_IO_NET_KERNEL_H
#define WN_IO_NET_KERNEL_H

#include "io/net_grave.h"
#include "io/net_ops.h"
#include "io/net_queue.h"

enum {
    /* One for all streams and sockets: it is used within a callback only. A whole datagram fits. */
    KERNEL_RECEIVE_SIZE = STREAM_PENDING_MAX,
    KERNEL_ACCEPT_BATCH = 64,
    KERNEL_DATAGRAM_ERRORS = 64, /* told in one turn */
    KERNEL_ROAMERS_MAX = 256,    /* beyond, sockets are closed */
};
#define KERNEL_ACCEPT_PAUSE (100 * USEC_PER_MSEC) /* when there is no descriptor left */

_Static_assert(KERNEL_RECEIVE_SIZE >= 65535, "a datagram fits");

struct host_batch;

struct kernel_net {
    struct net base;
    struct host_batch *batch; /* of all sockets: one at a time is being read; NULL before the first */
    struct dgram *answering;  /* the socket whose datagrams are being told, or that is held: what it
                                 sends can wait */
    struct list_node roamers; /* sockets without a port that were closed, for those to come */
    size_t roamer_count;
    struct net_pool pool;
    struct net_graveyard yard;
    struct list_node lingering; /* streams that were let go, oldest first */
    uint8_t receive[KERNEL_RECEIVE_SIZE];
};

static inline struct kernel_net *kernel_net_of(struct net *net)
{
    return CONTAINER_OF(net, struct kernel_net, base);
}

/* net_kernel.c: 0: nobody has that port, which is not 0; or a negative errno. */
MUST_USE int kernel_port_is_free(const struct endpoint *local, int type);

/* net_kernel_stream.c */
int kernel_connect(struct net *net, const struct endpoint *to, const struct endpoint *local,
                   const struct stream_handler *handler, void *self, struct stream **out);
int kernel_connect_path(struct net *base, const char *path, const struct stream_handler *handler,
                        void *self, struct stream **out);

/* An accepted connection; takes `fd`. NULL: no memory, and fd is closed. */
struct stream *kernel_stream_new(struct kernel_net *net, int fd, const struct endpoint *peer);

/* Once its owner has it: `there`: its first octets are, and are told. */
void kernel_stream_begin(struct stream *stream, bool there);

/* Closes the stream that lingers longest, for its descriptor; with `all_sent` only one that has
 * nothing left to send. False: there is none. */
bool kernel_drop_lingering(struct kernel_net *net, bool all_sent);

/* net_kernel_dgram.c */
void kernel_close_roamers(struct kernel_net *net);
int kernel_bind(struct net *net, const struct dgram_options *options,
                const struct dgram_handler *handler, void *self, struct dgram **out);

#endif
