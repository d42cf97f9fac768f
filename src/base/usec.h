/* SPDX-License-Identifier: ISC */
/*
 * usec.h - time, in microseconds.
 *
 * Instants come from a monotonic clock whose zero means nothing; only differences do. Whoever
 * needs wall-clock time is handed it separately. Instants end in `_at`, durations in `_timeout` or
 * `_interval`. Nothing in the pure band reads a clock: `now` is a parameter of boundary calls.
 */
#ifndef WN_BASE_USEC_H
#define WN_BASE_USEC_H

#include <stdint.h>

typedef int64_t usec;

#define USEC_PER_MSEC ((usec)1000)
#define USEC_PER_SEC ((usec)1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)

/* As a deadline: there is none. Later than every instant. */
#define USEC_NEVER INT64_MAX

static inline usec usec_min(usec a, usec b)
{
    return a < b ? a : b;
}

static inline usec usec_max(usec a, usec b)
{
    return a > b ? a : b;
}

#endif
