/* SPDX-License-Identifier: ISC */
#include "bench/support/impair.h"

#include <stdio.h>

bool impair_word(const char *word, struct wire_options *out)
{
    struct wire_impairments *all = &out->a_to_b;
    double value;
    if (sscanf(word, "delay=%lf", &value) == 1)
        all->delay = (usec)(value * USEC_PER_MSEC);
    else if (sscanf(word, "loss=%lf", &value) == 1)
        all->loss = (uint32_t)(value * 10000);
    else if (sscanf(word, "rate=%lf", &value) == 1)
        all->rate = (uint64_t)(value * 1e6);
    else if (sscanf(word, "queue=%lf", &value) == 1)
        all->queue = (uint32_t)value;
    else
        return false;
    out->b_to_a = out->a_to_b;
    return true;
}
