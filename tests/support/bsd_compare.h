/* SPDX-License-Identifier: ISC */
/*
 * bsd_compare.h - plays each scenario on the kernel's sockets (127.0.0.1) and on ours, and fails
 * where the two records differ, line by line.
 */
#ifndef WN_TESTS_SUPPORT_BSD_COMPARE_H
#define WN_TESTS_SUPPORT_BSD_COMPARE_H

#include "tests/support/bsd_play.h"

struct play_scenario {
    const char *name;
    void (*play)(struct play *p);
};
#define PLAY_SCENARIO(name) {#name, name}

/* The result of main(): one test a scenario. */
int play_compare(const char *group, const struct play_scenario *scenarios, size_t count);

#endif
