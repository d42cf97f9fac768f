/* SPDX-License-Identifier: ISC */
/*
 * file.h - small files as a whole: read, and replaced so that a crash leaves the old or the new.
 */
#ifndef WN_OS_FILE_H
#define WN_OS_FILE_H

#include <sys/types.h>

#include "base/bytes.h"

/*
 * Reads the file. 0 and *out and *out_len: octets the caller must free(), with a NUL behind them
 * that *out_len does not count; or a negative errno. -EFBIG: longer than `len_max`.
 */
MUST_USE int file_read(const char *path, size_t len_max, char **out, size_t *out_len);

/*
 * Replaces the file: writes beside it, brings it to stable storage, renames it, and brings the
 * directory to stable storage. 0 or a negative errno; the old file is then still there.
 */
MUST_USE int file_write(const char *path, struct bytes in, mode_t mode);

/* Writes all of `in` to a blocking descriptor. 0 or a negative errno. */
MUST_USE int file_write_all(int fd, struct bytes in);

/* Sets O_NONBLOCK and FD_CLOEXEC. 0 or a negative errno. */
MUST_USE int file_set_nonblocking(int fd);

/* close(2) for CLEANUP: `*fd` -1 is nothing. */
void file_close(int *fd);

#define CLOSE_AT_END __attribute__((cleanup(file_close)))

#endif
