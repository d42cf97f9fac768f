/* SPDX-License-Identifier: ISC */
/*
 * interface.h - the stack's end of a link: Ethernet framing (RFC 894) and a bounded output queue.
 *
 * When the queue is full the new frame is dropped (drop tail): what waits has been waiting longer,
 * and senders with congestion control learn soonest from the newest.
 */
#ifndef WN_STACK_INTERFACE_H
#define WN_STACK_INTERFACE_H

#include "stack/internal.h"

enum {
    INTERFACE_QUEUE_MAX = 1024,                   /* frames, about what a host's queue holds */
    INTERFACE_QUEUE_OCTETS_MAX = 8 * 1024 * 1024, /* super-segments are large */
    INTERFACE_MTU_MIN = 576,                      /* RFC 1122 §3.3.2: what every host takes */
    INTERFACE_FLUSH_FRAMES = 64,                  /* asked of TCP at a time */
    INTERFACE_FLUSH_ROUNDS = 16,
};

struct neighbour;

struct interface {
    struct interface_options options;
    struct mac mac; /* options.mac, near the rest */
    uint8_t index;
    bool up;
    struct frame_queue output; /* Ethernet header first */
    size_t output_octets;
    struct neighbour *last_used; /* saves the look-up when the next packet goes the same way */
    struct interface_counters counters;
};

/* The interface of that index when it exists and is up, or NULL. */
struct interface *interface_get(const struct stack *stack, unsigned index);

/* Takes the frame, whose data begins at the network header: puts an Ethernet header in front,
 * completes the checksum if the device does not, queues. */
enum ip_status interface_send(struct stack *stack, struct interface *interface,
                              const struct mac *target, uint16_t type, struct frame *frame);

/* Drops what waits. */
void interface_flush(struct interface *interface);

/* All of them; for stack_free(). */
void interfaces_done(struct stack *stack);

#endif
