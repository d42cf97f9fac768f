/* SPDX-License-Identifier: ISC */
/*
 * pair.h - two stacks in one process, joined by a link that copies each frame, as a device would:
 * A is 10.0.0.1, B is 10.0.0.2. The heap under each of them is counted.
 */
#ifndef WN_BENCH_PAIR_H
#define WN_BENCH_PAIR_H

#include "stack/stack.h"
#include "stack/tcp/tcp.h"

enum { PAIR_A, PAIR_B, PAIR_PORT = 5201 };

/* What a heap has given out. `octets` is what the C library's blocks take, their heads included. */
struct heap_count {
    uint64_t calls;
    size_t octets;
    size_t blocks;
};

struct pair_end {
    struct stack *stack;
    struct ip_address address;
    struct heap_count heap;
    uint64_t frames_out;
    uint64_t segments_out; /* of TCP with text; a super-segment counts for its parts */
    uint64_t acks_out;     /* of TCP without */
};

struct pair {
    struct pair_end ends[2];
    struct frame_pool *frames;
    struct heap_count frames_heap;
    uint16_t mtu;
};

struct pair_options {
    bool offload;
    uint16_t mtu;        /* 0: 1500 */
    size_t buffer;       /* of each connection and direction; 0: the stack's default */
    size_t connections_max;
};

/* Ends the program when there is no memory. */
void pair_open(struct pair *pair, const struct pair_options *options, usec now);
void pair_close(struct pair *pair);

/* Ticks what is due and carries frames, for some rounds or until there are none. `on_events` is told of each end's
 * sockets in between; it may be NULL. */
void pair_turn(struct pair *pair, usec now, void (*on_events)(struct pair *pair, int end));

/* Microseconds of the monotonic clock, and seconds of this thread's CPU. */
usec pair_clock(void);
double pair_cpu(void);

/* For callgrind, which tells by the names of functions: one for each way and end. */
struct frame *pair_output_a(struct pair *pair);
struct frame *pair_output_b(struct pair *pair);
void pair_input_a(struct pair *pair, struct frame *frame, usec now);
void pair_input_b(struct pair *pair, struct frame *frame, usec now);

_Noreturn void pair_die(const char *what);

#endif
