/* SPDX-License-Identifier: ISC */
/* clock.h - the host's clocks, for the loop alone: everybody below is handed the time. */
#ifndef WN_OS_CLOCK_H
#define WN_OS_CLOCK_H

#include "base/usec.h"

/* Microseconds on the monotonic clock. */
usec clock_monotonic(void);

/* Seconds and microseconds since 1970-01-01 UTC. */
int64_t clock_wall_seconds(void);
usec clock_wall_usec(void);

/* The time that a file changed now would have: that of the kernel's last tick. Those of one tick have the same. */
usec clock_stamp(void);
usec clock_stamp_step(void);

#endif
