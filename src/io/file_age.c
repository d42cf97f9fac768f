/* SPDX-License-Identifier: ISC */
/* file_age.c - times of files against the clock that they are stamped with. */
#include "io/file_age.h"

#include <sys/stat.h>

#include "os/clock.h"

bool file_is_fresh(const struct stat *facts)
{
    usec modified = (usec)facts->st_mtim.tv_sec * USEC_PER_SEC + facts->st_mtim.tv_nsec / 1000;
    usec step = facts->st_mtim.tv_nsec == 0 ? USEC_PER_SEC : clock_stamp_step();
    return modified + step > clock_stamp();
}
