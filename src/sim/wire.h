/* SPDX-License-Identifier: ISC */
/*
 * wire.h - the virtual wire: two ends, and between them, for each direction on its own, delay,
 * jitter, a rate with a queue, loss, duplication, reordering and corruption, all from a seed.
 *
 * A machine like the others: frames and `now` in, frames and a deadline out. It stands between
 * two simulated hosts, and between the TAP device and the gateway of `wholenet run`. The order of
 * effects is that of a real path: loss, the queue at the rate and its mark, corruption, delay with jitter
 * (which alone keeps the order of frames), reordering (a frame overtakes), duplication.
 */
#ifndef WN_SIM_WIRE_H
#define WN_SIM_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/frame.h"
#include "base/heap.h"
#include "base/usec.h"
#include "stack/trace.h"

enum { WIRE_QUEUE_DEFAULT = 1000, WIRE_IN_FLIGHT_MAX = 65536 };

struct wire_impairments {
    usec delay;              /* one way */
    usec jitter;             /* evenly in delay ± jitter */
    uint32_t loss;           /* parts per million, as all the following */
    uint32_t duplicate;
    uint32_t reorder;        /* is sent at once, before those that are being delayed; without a
                                delay: held back until two later frames have passed, or 10 ms */
    uint32_t corrupt;        /* one random bit */
    uint64_t rate;           /* bits per second; 0: no limit */
    uint32_t queue;          /* frames that may wait for the rate; 0: WIRE_QUEUE_DEFAULT */
    uint32_t mark;           /* when so many wait, packets that may be are marked (RFC 3168 §5):
                                Congestion Experienced; 0: none */
};

enum wire_end { WIRE_A, WIRE_B };

struct wire;

struct wire_options {
    struct heap heap;
    uint64_t seed;
    struct wire_impairments a_to_b;
    struct wire_impairments b_to_a;
    /* Told of each frame that the wire loses: DROP_WIRE_LOSS or DROP_WIRE_QUEUE. */
    struct trace trace;
};

MUST_USE struct wire *wire_new(const struct wire_options *options, usec now);
void wire_free(struct wire *wire);

/* Is there anything at all to do to frames in either direction? */
bool wire_is_ideal(const struct wire_impairments *impairments);

/* Takes the frame that end `from` sends. A partial checksum is completed before corruption. */
void wire_send(struct wire *wire, enum wire_end from, struct frame *frame, usec now);

/* The next frame that has arrived at `to` by `now`, whose reference goes to the caller; or NULL. */
struct frame *wire_receive(struct wire *wire, enum wire_end to, usec now);

/* When the next frame arrives at either end; USEC_NEVER: nothing is under way. */
usec wire_deadline(const struct wire *wire);

/* Cuts (frames sent are lost) or mends the wire. */
void wire_set_up(struct wire *wire, bool up);

/* Frames with more than `octets` of IP vanish from now on, and nobody says so: a black hole for path MTU
 * discovery (RFC 2923 §2.1). 0: none do. Both ways. */
void wire_set_hole(struct wire *wire, size_t octets);

struct wire_counters {
    uint64_t sent, delivered, lost, queue_full, duplicated, reordered, corrupted, marked;
};
void wire_counters(const struct wire *wire, enum wire_end from, struct wire_counters *out);

#endif
