/* SPDX-License-Identifier: ISC */
/* entropy.c - getrandom(2), which may be cut short by a signal when much is asked for. */
#include "os/entropy.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

int entropy_fill(void *out, size_t len)
{
    uint8_t *next = out;
    while (len > 0) {
        ssize_t got = getrandom(next, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        next += got;
        len -= (size_t)got;
    }
    return 0;
}
