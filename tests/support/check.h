/* SPDX-License-Identifier: ISC */
/*
 * check.h - what every unit test includes: cmocka with the headers it wants, and a few helpers.
 *
 * One program per test file; names mirror src/: src/base/map.c has tests/base/test_map.c. Inputs
 * of parsers are copied to blocks of their exact size, so that ASan sees one octet too far.
 */
#ifndef WN_TESTS_SUPPORT_CHECK_H
#define WN_TESTS_SUPPORT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/heap.h"

/* assert_int_equal in a table-driven test, with the case's name when it fails. */
#define CHECK_EQUAL(name, got, want)                                                              \
    do {                                                                                          \
        intmax_t got_ = (intmax_t)(got);                                                          \
        intmax_t want_ = (intmax_t)(want);                                                        \
        if (got_ != want_)                                                                        \
            fail_msg("%s: %s is %jd, expected %jd", name, #got, got_, want_);                     \
    } while (0)

#define CHECK(name, condition)                                                                    \
    do {                                                                                          \
        if (!(condition))                                                                         \
            fail_msg("%s: not so: %s", name, #condition);                                         \
    } while (0)

/* A copy of the octets in a block of exactly that size; free() it. */
static inline uint8_t *exact_copy(const void *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, data, len);
    return copy;
}

/* A heap that counts what is outstanding, and fails from the `fail_at`th allocation on (0: never). */
struct counting_heap {
    size_t blocks;
    size_t octets;
    size_t allocations;
    size_t fail_at;
};

struct heap counting_heap(struct counting_heap *counts);

#endif
