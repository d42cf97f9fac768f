/* SPDX-License-Identifier: ISC */
/* file_age.h - whether a file's time says that it has not changed since. */
#ifndef WN_IO_FILE_AGE_H
#define WN_IO_FILE_AGE_H

#include <stdbool.h>

struct stat;

/* Could it change now, and have the time that it has? Times are those of the kernel's last tick; where they have no
 * fractions, as on some file systems, those of a second are one. */
bool file_is_fresh(const struct stat *facts);

#endif
