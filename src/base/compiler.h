/* SPDX-License-Identifier: ISC */
/*
 * compiler.h - the few things that the language leaves to the compiler, and the one assertion.
 *
 * ASSERT states what only a programmer can break, and stays on in every build: for a program that
 * reads hostile input, stopping beats going on with a broken invariant. It never does work.
 */
#ifndef WN_BASE_COMPILER_H
#define WN_BASE_COMPILER_H

#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define UNUSED __attribute__((unused))
#define PRINTF_LIKE(format_at, arguments_at) \
    __attribute__((format(printf, format_at, arguments_at)))
#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* The structure of type `type` whose member `member` is at `pointer`. */
#define CONTAINER_OF(pointer, type, member) \
    ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

/* Says what broke and where, then stops the program. Supplied by the host band (os/panic.c). */
_Noreturn void assert_failed(const char *expression, const char *file, int line);

#define ASSERT(expression) \
    (LIKELY(expression) ? (void)0 : assert_failed(#expression, __FILE__, __LINE__))

#endif
