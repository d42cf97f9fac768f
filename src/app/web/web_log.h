/* SPDX-License-Identifier: ISC */
/*
 * web_log.h - the access log: a line for each answered request, in the combined format or as JSON.
 *
 * Lines gather in memory and are written when there are many, or a second old. What cannot be written
 * is counted and lost: no request waits for a disk that is full.
 */
#ifndef WN_APP_WEB_WEB_LOG_H
#define WN_APP_WEB_WEB_LOG_H

#include "app/web/web.h"
#include "app/web/web_config.h"
#include "io/loop.h"

enum { WEB_LOG_BUFFER = 64 * 1024, WEB_LOG_LINE_MAX = 8192 };

struct web_log;

/* 0 or a negative errno. */
MUST_USE int web_log_open(struct loop *loop, const char *path, enum web_log_format format,
                          struct web_log **out);
void web_log_free(struct web_log *log); /* writes what is left; NULL is nothing */

/* Goes on in a new file of the old name, when that was moved away. 0 or a negative errno. */
MUST_USE int web_log_reopen(struct web_log *log);

void web_log_add(struct web_log *log, const struct web_request *request);

/* One line, without its end; of at most `size` octets with a NUL. For tests too. */
size_t web_log_format(enum web_log_format format, const struct web_request *request, int64_t wall,
                      char *out, size_t size);

uint64_t web_log_lost(const struct web_log *log);

#endif
