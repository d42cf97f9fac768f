/* SPDX-License-Identifier: ISC */
/*
 * log.h - what the program says to its operator: one line a message, with a level, on a
 * descriptor (standard error in practice). The context is the caller's; there is no global one.
 *
 * Control characters in messages, which may carry a peer's words, are written as \xNN.
 */
#ifndef WN_OS_LOG_H
#define WN_OS_LOG_H

#include <stdbool.h>

#include "base/compiler.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO,
                 LOG_LEVEL_DEBUG, LOG_LEVEL_COUNT };

enum { LOG_LINE_MAX = 1024 }; /* longer ones are cut */

struct log {
    int fd;
    enum log_level level; /* messages above it are not written */
    const char *name;     /* in front of each line: "wholenet"; borrowed. NULL: none */
    bool colour;
    bool timestamps;
};

/* Writes to `fd`; in colour when that is a terminal and NO_COLOR is not set. */
void log_init(struct log *log, int fd, const char *name, enum log_level level);

/* "error", "debug", … Static. */
const char *log_level_text(enum log_level level);
MUST_USE bool log_level_parse(const char *text, enum log_level *out);

static inline bool log_wants(const struct log *log, enum log_level level)
{
    return log != NULL && level <= log->level;
}

/* A message without a newline. `log` NULL: nobody listens. */
void log_write(const struct log *log, enum log_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);

void log_error(const struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);
void log_warning(const struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);
void log_notice(const struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);
void log_info(const struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);
void log_debug(const struct log *log, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
