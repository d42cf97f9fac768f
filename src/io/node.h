/* SPDX-License-Identifier: ISC */
/*
 * node.h - one stack on a loop: turns the stack's crank (stack/stack.h) from devices and timers,
 * and tells its sockets' events to whoever opened them.
 *
 * A device is anything that takes and gives frames: a TAP (io/tap_port.h), one end of a virtual
 * wire (io/wire_port.h). Work is batched: all frames that are there are put in, then events are
 * told, then what is to be sent is pulled out at the end of the turn.
 */
#ifndef WN_IO_NODE_H
#define WN_IO_NODE_H

#include "io/loop.h"
#include "io/net.h"
#include "stack/stack.h"

struct node;

/* `options` as for stack_new(); NULL members heap.resize and frames take the host's defaults (256
 * MiB of frames), and a seed of zeros is drawn from the loop. */
MUST_USE struct node *node_new(struct loop *loop, const struct stack_options *options);
/* Frees the stack of node_new(), too; sockets' owners must have closed them. */
void node_free(struct node *node);

/* A node over a stack that is there already and stays its owner's, with the frames of its pool. `tell`
 * tells its events in place of the node, and says whether there was one; those of net_stack_new() are told by
 * the node. NULL: no memory. */
MUST_USE struct node *node_over(struct loop *loop, struct stack *stack, struct frame_pool *frames,
                                bool (*tell)(void *self), void *self);

struct stack *node_stack(struct node *node);
struct loop *node_loop(const struct node *node);
struct frame_pool *node_frames(const struct node *node);

/* The `user` of every socket on a node's stack points at one of these, inside its owner. */
struct node_client {
    void (*on_event)(struct node_client *client, const struct socket_event *event);
};

/* A device that serves one interface. Lives in its owner. */
struct node_port {
    unsigned interface;
    struct node *node;
    /* Sends the frame and takes it; false: the device is full, and the caller keeps the frame and
     * asks again after node_port_ready(). */
    bool (*send)(struct node_port *port, struct frame *frame);
    /* A batch of send() is over; may be NULL. */
    void (*flush)(struct node_port *port);
    struct frame *held; /* what send() refused */
};

/* The interface must exist. */
void node_attach(struct node *node, struct node_port *port, unsigned interface);
void node_detach(struct node_port *port);

/* A frame has arrived; takes it. Events and output follow at the end of the turn. */
void node_input(struct node_port *port, struct frame *frame);

/* The device has room again. */
void node_port_ready(struct node_port *port);

/* Sockets of the stack were used outside on_event: output follows at the end of the turn. Sets the
 * stack's clock to the loop's. */
void node_wake(struct node *node);

/* io/net.h over this node. */
MUST_USE struct net *net_stack_new(struct node *node);

/* A stream of a connection that was accepted elsewhere (tcp_accept()), which it takes. NULL: no memory, and
 * the connection is reset. */
struct tcp_connection;
MUST_USE struct stream *net_stack_adopt(struct net *net, struct tcp_connection *connection);

#endif
