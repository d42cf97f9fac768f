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

/* The same piece by piece, so that a large file keeps nothing else waiting. */
struct file_reading {
    int fd; /* -1: it is not under way */
    char *text;
    size_t len, size, len_max;
};

/* 0 or a negative errno. */
MUST_USE int file_reading_begin(struct file_reading *r, const char *path, size_t len_max);

/* Reads so many octets more, or less. 1: there are more; 0: that was all; or a negative errno, and it is
 * over. */
MUST_USE int file_reading_step(struct file_reading *r, size_t len);

/* What was read, which the caller must free(), with a NUL behind it; it is over. */
char *file_reading_take(struct file_reading *r, size_t *len);

/* Of what is over: nothing. */
void file_reading_abandon(struct file_reading *r);

/*
 * Replaces the file: writes beside it, brings it to stable storage, renames it, and brings the
 * directory to stable storage. 0 or a negative errno; the old file is then still there.
 */
MUST_USE int file_write(const char *path, struct bytes in, mode_t mode);

/* The same piece by piece. */
struct file_replacement {
    int fd; /* -1: it is not under way */
    char *path;
    char *beside;
    uint64_t len; /* written so far */
};

/* 0, and it must be committed or abandoned; or a negative errno. */
MUST_USE int file_replace_begin(struct file_replacement *r, const char *path, mode_t mode);
MUST_USE int file_replace_write(struct file_replacement *r, struct bytes in);

/* 0 or a negative errno; it is over in any case. Abandoning what is over is nothing. */
MUST_USE int file_replace_commit(struct file_replacement *r);
void file_replace_abandon(struct file_replacement *r);

/* It was written now, so to say; how many seconds ago it was written. 0 or a negative errno. */
MUST_USE int file_touch(const char *path);
MUST_USE int file_age(const char *path, uint64_t *out);

/* Writes all of `in` to a blocking descriptor. 0 or a negative errno. */
MUST_USE int file_write_all(int fd, struct bytes in);

/* Sets O_NONBLOCK and FD_CLOEXEC. 0 or a negative errno. */
MUST_USE int file_set_nonblocking(int fd);

/* close(2) for CLEANUP: `*fd` -1 is nothing. */
void file_close(int *fd);

#define CLOSE_AT_END __attribute__((cleanup(file_close)))

#endif
