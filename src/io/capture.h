/* SPDX-License-Identifier: ISC */
/*
 * capture.h - every frame on the wire, as a pcapng file that Wireshark reads.
 *
 * A frame is recorded when it arrives at an end of the wire, as it arrives: late, corrupted or
 * twice if that is what happened. One that the wire or the stack dropped carries the reason as a
 * packet comment. Super-segments that cross the device in one piece are recorded in one piece.
 * Records are buffered and reach the file within CAPTURE_FLUSH_INTERVAL, and when it is closed.
 */
#ifndef WN_IO_CAPTURE_H
#define WN_IO_CAPTURE_H

#include "io/loop.h"
#include "stack/trace.h"

#define CAPTURE_FLUSH_INTERVAL (100 * USEC_PER_MSEC)

struct capture;

/* Creates or truncates the file. 0 or a negative errno. */
MUST_USE int capture_new(struct loop *loop, const char *path, struct capture **out);

/* Writes what is buffered. Returns 0, or the first error that writing met. NULL is nothing. */
int capture_free(struct capture *capture);

/* A sink for the stack's and the wire's events: it learns the drop reasons. Pass it on to
 * stack_options.trace and wire_options.trace. */
struct trace capture_trace(struct capture *capture);

/* The number of a new interface in the file, or a negative errno. */
MUST_USE int capture_add_interface(struct capture *capture, const char *name,
                                   const struct mac *mac, uint32_t mtu);

/* A frame towards the guest, which leaves now. */
void capture_sent(struct capture *capture, unsigned interface, const struct frame *frame);

/* A frame from the guest: begin() takes its octets, then it is processed, and end() records it
 * with what happened to it in between. */
void capture_received_begin(struct capture *capture, unsigned interface,
                            const struct frame *frame);
void capture_received_end(struct capture *capture);

struct capture_counters {
    uint64_t frames, octets;
    uint64_t failed; /* records that could not be written */
};
void capture_counters(const struct capture *capture, struct capture_counters *out);

#endif
