/* SPDX-License-Identifier: ISC */
/* panic.c - where a broken assertion ends: one line on standard error, then abort for a core. */
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"

_Noreturn void assert_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "wholenet: %s:%d: broken assertion: %s. This is a bug in wholenet.\n", file,
            line, expression);
    abort();
}
