/* SPDX-License-Identifier: ISC */
/* net_stack.h - what the files of our stack's net share. For net_stack*.c only. */
#ifndef WN_IO_NET_STACK_H
#define WN_IO_NET_STACK_H

#include "io/net_grave.h"
#include "io/net_ops.h"
#include "io/node.h"
#include "stack/tcp/tcp.h"

/* TCP gathers small segments in larger frames, so that so many hold STREAM_PENDING_MAX octets. */
enum { STACK_NET_VIEWS_MAX = 1024 };

struct stack_net {
    struct net base;
    struct node *node;
    struct net_graveyard yard;
    struct list_node lingering; /* streams that were let go, oldest first */
    /* Where octets that lie in several frames are put together, for the time of a callback. */
    struct slice views[STACK_NET_VIEWS_MAX];
    uint8_t joined[STREAM_PENDING_MAX];
};

static inline struct stack_net *stack_net_of(struct net *net)
{
    return CONTAINER_OF(net, struct stack_net, base);
}

/* net_stack_stream.c */
int stack_net_connect(struct net *net, const struct endpoint *to, const struct endpoint *local,
                      const struct stream_handler *handler, void *self, struct stream **out);

/* An accepted connection, which it takes. NULL: no memory, and the connection is reset. */
struct stream *stack_stream_new(struct stack_net *net, struct tcp_connection *connection);

/* Gives up the stream that lingers longest. False: none lingers. */
bool stack_net_drop_lingering(struct stack_net *net);

/* net_stack_dgram.c */
int stack_net_bind(struct net *net, const struct dgram_options *options,
                   const struct dgram_handler *handler, void *self, struct dgram **out);

#endif
