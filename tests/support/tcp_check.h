/* SPDX-License-Identifier: ISC */
/* tcp_check.h - what must hold of every TCP connection between calls; ASSERTs it. */
#ifndef WN_TESTS_SUPPORT_TCP_CHECK_H
#define WN_TESTS_SUPPORT_TCP_CHECK_H

#include "stack/stack.h"

void tcp_check_all(const struct stack *stack);

#endif
