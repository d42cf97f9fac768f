/* SPDX-License-Identifier: ISC */
/* clock.c - clock_gettime(2), which cannot fail for these clocks. */
#include "os/clock.h"

#include <time.h>

#include "base/compiler.h"

static usec read_clock(clockid_t id)
{
    struct timespec t;
    int status = clock_gettime(id, &t);
    ASSERT(status == 0);
    return (usec)t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

usec clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* As the kernel knew it at its last tick, which is what it stamps files with: asked for often. */
int64_t clock_wall_seconds(void)
{
    return read_clock(CLOCK_REALTIME_COARSE) / USEC_PER_SEC;
}

usec clock_wall_usec(void)
{
    return read_clock(CLOCK_REALTIME);
}

usec clock_stamp(void)
{
    return read_clock(CLOCK_REALTIME_COARSE);
}

usec clock_stamp_step(void)
{
    struct timespec t;
    int status = clock_getres(CLOCK_REALTIME_COARSE, &t);
    ASSERT(status == 0);
    return (usec)t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}
