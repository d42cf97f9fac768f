/* SPDX-License-Identifier: ISC */
/* wire_port.c - two node ports with a virtual wire between them, moved by one alarm. */
#include "io/wire_port.h"

#include <errno.h>
#include <stdlib.h>

#include "os/memory.h"

struct wire_port {
    struct node_port ends[2]; /* by enum wire_end */
    struct loop *loop;
    struct wire *wire;
    struct alarm arrival;
};

static void wait_for_next(struct wire_port *port)
{
    loop_set_alarm(port->loop, &port->arrival, wire_deadline(port->wire));
}

static bool send_from(struct wire_port *port, enum wire_end end, struct frame *frame)
{
    wire_send(port->wire, end, frame, loop_now(port->loop));
    return true;
}

static bool send_a(struct node_port *end, struct frame *frame)
{
    return send_from(CONTAINER_OF(end, struct wire_port, ends[WIRE_A]), WIRE_A, frame);
}

static bool send_b(struct node_port *end, struct frame *frame)
{
    return send_from(CONTAINER_OF(end, struct wire_port, ends[WIRE_B]), WIRE_B, frame);
}

static void flush_a(struct node_port *end)
{
    wait_for_next(CONTAINER_OF(end, struct wire_port, ends[WIRE_A]));
}

static void flush_b(struct node_port *end)
{
    wait_for_next(CONTAINER_OF(end, struct wire_port, ends[WIRE_B]));
}

/* What arrives now is delivered before anything that it causes: frames sent meanwhile wait for the
 * alarm, so that a wire without delay cannot keep the loop here for ever. */
static void on_arrival(struct alarm *alarm)
{
    struct wire_port *port = CONTAINER_OF(alarm, struct wire_port, arrival);
    usec now = loop_now(port->loop);
    for (enum wire_end end = WIRE_A; end <= WIRE_B; end++) {
        struct frame *frame;
        while ((frame = wire_receive(port->wire, end, now)) != NULL)
            node_input(&port->ends[end], frame);
    }
    wait_for_next(port);
}

int wire_port_join(struct loop *loop, struct node *a, unsigned interface_a, struct node *b,
                   unsigned interface_b, const struct wire_options *options, struct wire_port **out)
{
    struct wire_port *port = calloc(1, sizeof *port);
    if (port == NULL)
        return -ENOMEM;
    struct wire_options complete = *options;
    if (complete.heap.resize == NULL)
        complete.heap = memory_heap();
    port->wire = wire_new(&complete, loop_now(loop));
    if (port->wire == NULL) {
        free(port);
        return -ENOMEM;
    }
    port->loop = loop;
    alarm_init(&port->arrival, on_arrival);
    port->ends[WIRE_A] = (struct node_port){.send = send_a, .flush = flush_a};
    port->ends[WIRE_B] = (struct node_port){.send = send_b, .flush = flush_b};
    node_attach(a, &port->ends[WIRE_A], interface_a);
    node_attach(b, &port->ends[WIRE_B], interface_b);
    *out = port;
    return 0;
}

void wire_port_free(struct wire_port *port)
{
    if (port == NULL)
        return;
    loop_clear_alarm(port->loop, &port->arrival);
    node_detach(&port->ends[WIRE_A]);
    node_detach(&port->ends[WIRE_B]);
    wire_free(port->wire);
    free(port);
}
