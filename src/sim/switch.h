/* SPDX-License-Identifier: ISC */
/*
 * switch.h - a learning Ethernet switch (IEEE 802.1D §7): frames in at a port, and to which ports
 * they go out. The table of stations is bounded; a new one takes the place of the one not heard
 * from for longest. It forwards at once: delays and queues are the wires'.
 */
#ifndef WN_SIM_SWITCH_H
#define WN_SIM_SWITCH_H

#include "base/address.h"
#include "base/frame.h"
#include "base/heap.h"
#include "base/usec.h"

enum { SWITCH_PORTS_MAX = 64, SWITCH_STATIONS_MAX = 1024 };
#define SWITCH_AGEING_TIME (300 * USEC_PER_SEC) /* 802.1D §7.9.2 */

struct ethernet_switch;

MUST_USE struct ethernet_switch *switch_new(const struct heap *heap, unsigned ports);
void switch_free(struct ethernet_switch *s);

/* Learns the source, and returns a bit for each port that the frame is to go out of; 0: none, for
 * the target is at the port it came from, or the frame is malformed. Borrows the frame. */
uint64_t switch_input(struct ethernet_switch *s, unsigned port, const struct frame *frame,
                      usec now);

#endif
