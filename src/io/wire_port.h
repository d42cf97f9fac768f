/* SPDX-License-Identifier: ISC */
/*
 * wire_port.h - joins interfaces of two nodes on one loop by a virtual wire (sim/wire.h).
 */
#ifndef WN_IO_WIRE_PORT_H
#define WN_IO_WIRE_PORT_H

#include "io/node.h"
#include "sim/wire.h"

struct wire_port;

/* `a` is WIRE_A. The heap of `options` may be unset: the host's is taken. 0 or -ENOMEM. */
MUST_USE int wire_port_join(struct loop *loop, struct node *a, unsigned interface_a,
                            struct node *b, unsigned interface_b,
                            const struct wire_options *options, struct wire_port **out);
void wire_port_free(struct wire_port *port);

#endif
