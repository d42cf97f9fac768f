/* SPDX-License-Identifier: ISC */
/* impair.h - the virtual wire of a benchmark, from the words of its command line. */
#ifndef WN_BENCH_IMPAIR_H
#define WN_BENCH_IMPAIR_H

#include "sim/wire.h"

/* "delay=MS" (one way), "loss=PERCENT", "rate=MBIT", "queue=FRAMES": for both directions. False: it
 * is none of these. */
bool impair_word(const char *word, struct wire_options *out);

#endif
