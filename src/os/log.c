/* SPDX-License-Identifier: ISC */
/* log.c - leveled lines, each by one write(2), so that lines of several processes do not mix. */
#include "os/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"

static const struct {
    const char *text;
    const char *colour;
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", "\033[1;31m"},   [LOG_LEVEL_WARNING] = {"warning", "\033[33m"},
    [LOG_LEVEL_NOTICE] = {"notice", "\033[1m"},    [LOG_LEVEL_INFO] = {"info", ""},
    [LOG_LEVEL_DEBUG] = {"debug", "\033[2m"},
};
_Static_assert(ARRAY_LEN(levels) == LOG_LEVEL_COUNT, "one row per level");

static const char colour_off[] = "\033[0m";

void log_init(struct log *log, int fd, const char *name, enum log_level level)
{
    const char *no_colour = getenv("NO_COLOR");
    *log = (struct log){
        .fd = fd,
        .level = level,
        .name = name,
        .colour = (no_colour == NULL || *no_colour == '\0') && isatty(fd) == 1,
    };
}

const char *log_level_text(enum log_level level)
{
    return levels[level].text;
}

bool log_level_parse(const char *text, enum log_level *out)
{
    for (size_t i = 0; i < LOG_LEVEL_COUNT; i++) {
        if (strcmp(text, levels[i].text) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* A line that grows to the end of its buffer; the last octets are kept for the end of it. */
struct line {
    char *next;
    char *end;
};

static void add(struct line *line, const char *text)
{
    while (*text != '\0' && line->next < line->end)
        *line->next++ = *text++;
}

static void add_safely(struct line *line, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        char shown[5] = {*text};
        if (c < ' ' || c == 0x7f)
            (void)snprintf(shown, sizeof shown, "\\x%02x", c);
        add(line, shown);
    }
}

static void add_time(struct line *line)
{
    struct timespec now;
    struct tm parts;
    char text[40];
    char fraction[8];
    if (clock_gettime(CLOCK_REALTIME, &now) < 0 || gmtime_r(&now.tv_sec, &parts) == NULL)
        return;
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(fraction, sizeof fraction, ".%03dZ ", (int)(now.tv_nsec / 1000000) % 1000);
    add(line, text);
    add(line, fraction);
}

static void write_list(const struct log *log, enum log_level level, const char *format,
                       va_list arguments) PRINTF_LIKE(3, 0);

static void write_list(const struct log *log, enum log_level level, const char *format,
                       va_list arguments)
{
    char message[LOG_LINE_MAX];
    char buffer[LOG_LINE_MAX + 128];
    struct line line = {buffer, buffer + sizeof buffer - sizeof colour_off - 1};
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        return;
    if (log->timestamps)
        add_time(&line);
    if (log->name != NULL) {
        add(&line, log->name);
        add(&line, ": ");
    }
    if (log->colour)
        add(&line, levels[level].colour);
    if (level != LOG_LEVEL_INFO && level != LOG_LEVEL_NOTICE) {
        add(&line, levels[level].text);
        add(&line, ": ");
    }
    add_safely(&line, message);
    line.end = buffer + sizeof buffer;
    if (log->colour)
        add(&line, colour_off);
    add(&line, "\n");
    /* Where the log itself cannot be written there is nobody left to tell. */
    ssize_t written = write(log->fd, buffer, (size_t)(line.next - buffer));
    (void)written;
}

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
    if (!log_wants(log, level))
        return;
    va_list arguments;
    va_start(arguments, format);
    write_list(log, level, format, arguments);
    va_end(arguments);
}

void log_error(const struct log *log, const char *format, ...)
{
    if (!log_wants(log, LOG_LEVEL_ERROR))
        return;
    va_list arguments;
    va_start(arguments, format);
    write_list(log, LOG_LEVEL_ERROR, format, arguments);
    va_end(arguments);
}

void log_warning(const struct log *log, const char *format, ...)
{
    if (!log_wants(log, LOG_LEVEL_WARNING))
        return;
    va_list arguments;
    va_start(arguments, format);
    write_list(log, LOG_LEVEL_WARNING, format, arguments);
    va_end(arguments);
}

void log_notice(const struct log *log, const char *format, ...)
{
    if (!log_wants(log, LOG_LEVEL_NOTICE))
        return;
    va_list arguments;
    va_start(arguments, format);
    write_list(log, LOG_LEVEL_NOTICE, format, arguments);
    va_end(arguments);
}

void log_info(const struct log *log, const char *format, ...)
{
    if (!log_wants(log, LOG_LEVEL_INFO))
        return;
    va_list arguments;
    va_start(arguments, format);
    write_list(log, LOG_LEVEL_INFO, format, arguments);
    va_end(arguments);
}

void log_debug(const struct log *log, const char *format, ...)
{
    if (!log_wants(log, LOG_LEVEL_DEBUG))
        return;
    va_list arguments;
    va_start(arguments, format);
    write_list(log, LOG_LEVEL_DEBUG, format, arguments);
    va_end(arguments);
}
