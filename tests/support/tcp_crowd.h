/* SPDX-License-Identifier: ISC */
/*
 * tcp_crowd.h - many hosts around one server in virtual time, on wires as bad as is wished, with
 * applications that write, read, dawdle, close at odd moments and abort.
 *
 * Checked of every flow: each octet that arrives is the one that was sent there; what the sender was
 * told to be acknowledged has arrived; without a reason for failure all arrives and both ends are
 * told of the end; nothing goes on for longer than CROWD_PATIENCE; and when all is over no
 * connection, no frame and no memory is left. After each turn of those involved the invariants
 * of tests/support/tcp_check.c hold.
 *
 * A seed decides all; whoever runs a seed again sees the same.
 */
#ifndef WN_TESTS_SUPPORT_TCP_CROWD_H
#define WN_TESTS_SUPPORT_TCP_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/usec.h"

#define CROWD_PATIENCE (4 * USEC_PER_HOUR) /* keepalive needs two and a quarter */

struct crowd_options {
    uint64_t seed;
    unsigned clients;     /* hosts; up to 945 */
    unsigned flows;       /* of each of them */
    uint32_t octets_max;  /* each way */
    uint32_t loss_max;    /* parts per million, each way */
    bool disorder;        /* jitter, reordering, duplicates, corruption, slow links */
    bool flapping;        /* links go down for up to 20 s */
    bool moving;          /* addresses go away for up to 20 s */
    bool rude;            /* some applications abort, some close early */
    usec tick;            /* of the hosts' clocks; 0: exact */
    bool check_each_turn; /* the invariants of all connections after every turn, not now and then */
    bool verbose;
};

struct crowd_result {
    uint64_t segments;    /* that all hosts sent */
    uint64_t again;       /* retransmissions */
    unsigned completed;   /* flows in which all arrived both ways */
    unsigned failed;      /* for a reason */
    usec took;            /* virtual time */
};

void tcp_crowd_run(const struct crowd_options *options, struct crowd_result *out);

#endif
