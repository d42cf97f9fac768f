/* SPDX-License-Identifier: ISC */
/* wire_mark.h - what a queue does that tells of congestion rather than drops. */
#ifndef WN_SIM_WIRE_MARK_H
#define WN_SIM_WIRE_MARK_H

#include "base/compiler.h"
#include "base/frame.h"

/* Marks the IP packet in an Ethernet frame with Congestion Experienced, when its sender lets it
 * (RFC 3168 §5): ECT(0), ECT(1). True: it is marked now, and was not before. Takes *frame, which may
 * be another one afterwards: a frame that others have too is copied. */
MUST_USE bool wire_mark(struct frame **frame);

#endif
