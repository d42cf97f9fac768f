/* SPDX-License-Identifier: ISC */
/*
 * grace.c - a reader says in which instant its turn has begun, and each thing that is retired ends one.
 *
 * All of it is sequentially consistent: either who retires sees that the reader is in a turn, or the reader
 * sees that the thing is unlinked.
 */
#include "base/grace.h"

#include <stdatomic.h>

void grace_init(struct grace *grace, uint32_t readers)
{
    ASSERT(readers <= GRACE_READERS_MAX);
    atomic_init(&grace->now, 1);
    grace->reader_count = readers;
    for (uint32_t i = 0; i < GRACE_READERS_MAX; i++)
        atomic_init(&grace->readers[i].since, 0);
}

void grace_enter(struct grace *grace, uint32_t reader)
{
    ASSERT(reader < grace->reader_count);
    atomic_store(&grace->readers[reader].since, atomic_load(&grace->now));
}

void grace_leave(struct grace *grace, uint32_t reader)
{
    atomic_store_explicit(&grace->readers[reader].since, 0, memory_order_release);
}

uint64_t grace_retire(struct grace *grace)
{
    return atomic_fetch_add(&grace->now, 1);
}

bool grace_over(const struct grace *grace, uint64_t retired_at)
{
    for (uint32_t i = 0; i < grace->reader_count; i++) {
        uint64_t since = atomic_load(&grace->readers[i].since);
        if (since != 0 && since <= retired_at)
            return false;
    }
    return true;
}
