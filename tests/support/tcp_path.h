/* SPDX-License-Identifier: ISC */
/*
 * tcp_path.h - two hosts and a wire in virtual time, and connections from the first host to the second
 * that carry as much as they can: for the tests of what congestion control and pacing make of a path.
 */
#ifndef WN_TESTS_SUPPORT_TCP_PATH_H
#define WN_TESTS_SUPPORT_TCP_PATH_H

#include "sim/world.h"
#include "stack/tcp/internal.h"
#include "tests/support/check.h"

enum { TCP_PATH_FLOWS_MAX = 4 };

struct tcp_path_options {
    struct tcp_profile profile; /* of both hosts */
    uint64_t rate;              /* bits a second, there; 0: no limit */
    usec rtt;
    uint32_t queue;             /* frames; 0: 1000 */
    uint32_t loss;              /* parts per million, there */
    uint32_t mark;              /* of the queue, there: struct wire_impairments */
    usec tick;                  /* of the hosts' clocks; 0: fine */
    uint32_t reorder;           /* parts per million, both ways: overtakes what is being delayed */
    bool tso;
};

struct tcp_path_flow {
    struct tcp_connection *sender;
    struct tcp_connection *receiver;
    uint64_t to_send;           /* octets, then it waits */
    uint64_t sent;
    uint64_t received;
};

struct tcp_test_path {
    struct counting_heap counts;
    struct heap heap;
    struct world *world;
    struct stack *a;
    struct stack *b;
    struct wire *wire;
    usec tick;
    struct tcp_path_flow flows[TCP_PATH_FLOWS_MAX];
    unsigned count;
};

void tcp_path_open(struct tcp_test_path *p, const struct tcp_path_options *options);
void tcp_path_close(struct tcp_test_path *p);

/* A connection with that algorithm, which sends `octets`. */
struct tcp_path_flow *tcp_path_flow(struct tcp_test_path *p, enum tcp_congestion_kind kind,
                                    uint64_t octets);

/* More of it. */
void tcp_path_send(struct tcp_test_path *p, struct tcp_path_flow *flow, uint64_t octets);

void tcp_path_run(struct tcp_test_path *p, usec duration);

/* Until all was received, `limit` at most. Returns how long it took. */
usec tcp_path_finish(struct tcp_test_path *p, usec limit);

#endif
