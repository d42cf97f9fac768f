/* SPDX-License-Identifier: ISC */
/* entropy.h - random octets from the kernel, to seed generators with (base/prng.h). */
#ifndef WN_OS_ENTROPY_H
#define WN_OS_ENTROPY_H

#include <stddef.h>

#include "base/compiler.h"

/* Fills `out`. 0 or a negative errno. */
MUST_USE int entropy_fill(void *out, size_t len);

#endif
