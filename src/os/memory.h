/* SPDX-License-Identifier: ISC */
/* memory.h - the host's heap, for contexts that want one. */
#ifndef WN_OS_MEMORY_H
#define WN_OS_MEMORY_H

#include "base/heap.h"

/* malloc, realloc and free. */
struct heap memory_heap(void);

#endif
