/* SPDX-License-Identifier: ISC */
/* web_log.c - the access log. What clients have chosen is escaped, so that a line stays a line. */
#include "app/web/web_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/text.h"

struct web_log {
    struct loop *loop;
    struct alarm alarm;
    enum web_log_format format;
    int fd;
    char *path;
    uint64_t lost;
    size_t len;
    char buffer[WEB_LOG_BUFFER];
};

static int open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    return fd < 0 ? -errno : fd;
}

static void flush(struct web_log *log)
{
    size_t done = 0;
    while (done < log->len) {
        ssize_t wrote = write(log->fd, log->buffer + done, log->len - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            break;
        done += (size_t)wrote;
    }
    for (; done < log->len; done++)
        log->lost += log->buffer[done] == '\n';
    log->len = 0;
}

static void on_second(struct alarm *alarm)
{
    flush(CONTAINER_OF(alarm, struct web_log, alarm));
}

int web_log_open(struct loop *loop, const char *path, enum web_log_format format,
                 struct web_log **out)
{
    struct web_log *log = malloc(sizeof *log);
    char *copy = strdup(path);
    int fd = log != NULL && copy != NULL ? open_file(path) : -ENOMEM;
    if (fd < 0) {
        free(log);
        free(copy);
        return fd;
    }
    log->loop = loop;
    log->format = format;
    log->fd = fd;
    log->path = copy;
    log->lost = 0;
    log->len = 0;
    alarm_init(&log->alarm, on_second);
    *out = log;
    return 0;
}

void web_log_free(struct web_log *log)
{
    if (log == NULL)
        return;
    flush(log);
    loop_clear_alarm(log->loop, &log->alarm);
    (void)close(log->fd);
    free(log->path);
    free(log);
}

int web_log_reopen(struct web_log *log)
{
    flush(log);
    int fd = open_file(log->path);
    if (fd < 0)
        return fd;
    (void)close(log->fd);
    log->fd = fd;
    return 0;
}

/* Quotes, backslashes and what is no printable ASCII as \xHH, which JSON would not take: \u00HH. */
static void add_escaped(struct text *t, const char *value, bool json)
{
    for (const unsigned char *c = (const unsigned char *)value; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\' || *c < 0x20 || *c >= 0x7f)
            text_add_format(t, json ? "\\u00%02x" : "\\x%02x", *c);
        else
            text_add_bytes(t, bytes_of(c, 1));
    }
}

static void add_member(struct text *t, const char *name, const char *value)
{
    text_add_format(t, ",\"%s\":\"", name);
    add_escaped(t, value, true);
    text_add(t, "\"");
}

static void add_json(struct text *t, const struct web_request *request, int64_t wall)
{
    char address[ADDRESS_TEXT_MAX];
    struct calendar c = calendar_of(wall);
    text_add_format(t, "{\"time\":\"%04lld-%02u-%02uT%02u:%02u:%02uZ\"", (long long)c.year, c.month,
                    c.day, c.hour, c.minute, c.second);
    add_member(t, "client", address_format(&request->peer.address, address));
    add_member(t, "user", request->user);
    add_member(t, "host", request->host);
    add_member(t, "method", request->method);
    add_member(t, "target", request->target);
    add_member(t, "protocol", request->protocol);
    text_add_format(t, ",\"status\":%u,\"octets\":%llu,\"seconds\":%.6f", request->status,
                    (unsigned long long)request->octets, (double)request->duration / USEC_PER_SEC);
    add_member(t, "referer", request->referer);
    add_member(t, "agent", request->agent);
    text_add(t, "}");
}

static void add_combined(struct text *t, const struct web_request *request, int64_t wall)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char address[ADDRESS_TEXT_MAX];
    struct calendar c = calendar_of(wall);
    text_add_format(t, "%s - ", address_format(&request->peer.address, address));
    for (const char *at = request->user; *at != '\0'; at++) /* a space would be a column */
        text_add_format(t, *at > 0x20 && *at < 0x7f && *at != '"' ? "%c" : "\\x%02x",
                        (unsigned char)*at);
    text_add_format(t, "%s [%02u/%s/%04lld:%02u:%02u:%02u +0000] \"",
                    request->user[0] == '\0' ? "-" : "", c.day, months[(c.month + 11) % 12],
                    (long long)c.year, c.hour, c.minute, c.second);
    add_escaped(t, request->method, false);
    text_add(t, " ");
    add_escaped(t, request->target, false);
    text_add_format(t, " %s\" %u %llu \"", request->protocol, request->status,
                    (unsigned long long)request->octets);
    add_escaped(t, request->referer[0] != '\0' ? request->referer : "-", false);
    text_add(t, "\" \"");
    add_escaped(t, request->agent[0] != '\0' ? request->agent : "-", false);
    text_add(t, "\"");
}

size_t web_log_format(enum web_log_format format, const struct web_request *request, int64_t wall,
                      char *out, size_t size)
{
    struct text t = text_of(out, size);
    if (format == WEB_LOG_JSON)
        add_json(&t, request, wall);
    else
        add_combined(&t, request, wall);
    return t.len;
}

void web_log_add(struct web_log *log, const struct web_request *request)
{
    if (WEB_LOG_BUFFER - log->len < WEB_LOG_LINE_MAX)
        flush(log);
    if (log->len == 0)
        loop_set_alarm(log->loop, &log->alarm, loop_now(log->loop) + USEC_PER_SEC);
    log->len += web_log_format(log->format, request, loop_wall_seconds(log->loop),
                               log->buffer + log->len, WEB_LOG_LINE_MAX - 1);
    log->buffer[log->len++] = '\n';
}

uint64_t web_log_lost(const struct web_log *log)
{
    return log->lost;
}
