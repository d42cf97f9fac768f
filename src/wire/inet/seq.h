/* SPDX-License-Identifier: ISC */
/*
 * seq.h - TCP sequence numbers (RFC 9293 §3.4).
 *
 * Wrapped in a struct so that `a < b` does not compile: plain comparison is wrong across the wrap
 * at 2^32, and every comparison has to go through this file. Two numbers compare rightly as long
 * as they lie less than 2^31 apart.
 */
#ifndef WN_WIRE_INET_SEQ_H
#define WN_WIRE_INET_SEQ_H

#include <stdbool.h>
#include <stdint.h>

struct seq {
    uint32_t n;
};

static inline struct seq seq_of(uint32_t n)
{
    return (struct seq){n};
}

static inline bool seq_equal(struct seq a, struct seq b)
{
    return a.n == b.n;
}

static inline bool seq_before(struct seq a, struct seq b)
{
    return (int32_t)(a.n - b.n) < 0;
}

static inline bool seq_before_equal(struct seq a, struct seq b)
{
    return (int32_t)(a.n - b.n) <= 0;
}

static inline bool seq_after(struct seq a, struct seq b)
{
    return seq_before(b, a);
}

static inline bool seq_after_equal(struct seq a, struct seq b)
{
    return seq_before_equal(b, a);
}

static inline struct seq seq_add(struct seq a, uint32_t count)
{
    return (struct seq){a.n + count};
}

static inline struct seq seq_subtract(struct seq a, uint32_t count)
{
    return (struct seq){a.n - count};
}

/* How far `a` lies behind `b` in the sequence; negative when it comes before it. */
static inline int32_t seq_diff(struct seq a, struct seq b)
{
    return (int32_t)(a.n - b.n);
}

static inline struct seq seq_max(struct seq a, struct seq b)
{
    return seq_before(a, b) ? b : a;
}

static inline struct seq seq_min(struct seq a, struct seq b)
{
    return seq_before(a, b) ? a : b;
}

/* start <= a < start + len. */
static inline bool seq_in_window(struct seq a, struct seq start, uint32_t len)
{
    return a.n - start.n < len;
}

#endif
