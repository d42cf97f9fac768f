/* SPDX-License-Identifier: ISC */
/* web_body.c - the octets of responses; RFC 9110 §14.6 and RFC 2046 §5.1 for several ranges. */
#include "app/web/web_body.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/web/web_cache.h"

/* One part: its head, then its octets; behind the last stands the closing boundary as the head of
 * a part of no octets. */
struct part {
    char head[WEB_PART_HEAD_MAX];
    size_t head_len;
    struct http_range range;
};

struct web_parts {
    struct web_body source;
    size_t count; /* the closing boundary included */
    size_t at;
    uint64_t done; /* octets of part `at`, its head included */
    struct part list[HTTP_RANGES_MAX + 1];
};

int web_buffers_init(struct web_buffers *buffers)
{
    buffers->chunk = malloc(WEB_CHUNK);
    buffers->pattern = malloc(WEB_CHUNK);
    buffers->gather = malloc(WEB_CHUNK);
    if (buffers->chunk == NULL || buffers->pattern == NULL || buffers->gather == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < WEB_CHUNK; i++)
        buffers->pattern[i] = (uint8_t)(i % WEB_PATTERN_LEN);
    return 0;
}

void web_buffers_done(struct web_buffers *buffers)
{
    free(buffers->chunk);
    free(buffers->pattern);
    free(buffers->gather);
}

struct web_body web_body_of(struct bytes data)
{
    return (struct web_body){.kind = WEB_BODY_MEMORY, .data = data, .len = data.len};
}

void web_body_done(struct web_body *body)
{
    switch (body->kind) {
    case WEB_BODY_MEMORY:
        free(body->owned);
        break;
    case WEB_BODY_PARTS:
        web_body_done(&body->parts->source);
        free(body->parts);
        break;
    case WEB_BODY_FILE:
    case WEB_BODY_PATTERN:
    case WEB_BODY_FLOW:
    case WEB_BODY_NONE:
        break;
    }
    web_file_release(body->file);
    *body = (struct web_body){0};
}

/* Octets of `body` from `offset` on, counted from where it begins. */
static struct bytes octets_at(const struct web_body *body, uint64_t offset, uint64_t len,
                              const struct web_buffers *buffers)
{
    size_t want = len < WEB_CHUNK ? (size_t)len : WEB_CHUNK;
    switch (body->kind) {
    case WEB_BODY_MEMORY:
        return bytes_first(bytes_after(body->data, (size_t)offset), (size_t)len);
    case WEB_BODY_FILE: {
        ssize_t got = pread(body->file->fd, buffers->chunk, want, (off_t)(body->offset + offset));
        return bytes_of(buffers->chunk, got > 0 ? (size_t)got : 0);
    }
    case WEB_BODY_PATTERN:
        if (want > WEB_CHUNK - WEB_PATTERN_LEN)
            want = WEB_CHUNK - WEB_PATTERN_LEN;
        return bytes_of(buffers->pattern + (body->offset + offset) % WEB_PATTERN_LEN, want);
    case WEB_BODY_FLOW:
        return bytes_first(web_flow_bytes(body->flow), want);
    case WEB_BODY_PARTS:
    case WEB_BODY_NONE:
        break;
    }
    return bytes_empty();
}

static uint64_t part_len(const struct part *part)
{
    return part->head_len + part->range.len;
}

struct bytes web_body_next(const struct web_body *body, const struct web_buffers *buffers)
{
    if (body->kind != WEB_BODY_PARTS)
        return octets_at(body, 0, body->len, buffers);
    const struct web_parts *parts = body->parts;
    if (parts->at == parts->count)
        return bytes_empty();
    const struct part *part = &parts->list[parts->at];
    if (parts->done < part->head_len)
        return bytes_after(bytes_of(part->head, part->head_len), (size_t)parts->done);
    uint64_t into = parts->done - part->head_len;
    return octets_at(&parts->source, part->range.first + into, part->range.len - into, buffers);
}

/* Octets of a file go to `out` without a stop. */
static size_t read_some(const struct web_body *body, const struct web_buffers *buffers,
                        uint8_t *out, size_t size)
{
    if (body->kind == WEB_BODY_FILE) {
        size_t want = body->len < size ? (size_t)body->len : size;
        ssize_t got = pread(body->file->fd, out, want, (off_t)body->offset);
        return got > 0 ? (size_t)got : 0;
    }
    struct bytes octets = bytes_first(web_body_next(body, buffers), size);
    memcpy(out, octets.data, octets.len);
    return octets.len;
}

size_t web_body_read(struct web_body *body, const struct web_buffers *buffers, uint8_t *out,
                     size_t size)
{
    size_t len = 0;
    while (len < size && body->len > 0) {
        size_t got = read_some(body, buffers, out + len, size - len);
        if (got == 0)
            break;
        web_body_gone(body, got);
        len += got;
    }
    return len;
}

void web_body_gone(struct web_body *body, size_t len)
{
    if (body->len != WEB_BODY_UNKNOWN)
        body->len -= len;
    if (body->kind == WEB_BODY_FLOW) {
        web_flow_drop(body->flow, len);
    } else if (body->kind == WEB_BODY_MEMORY) {
        body->data = bytes_after(body->data, len);
    } else if (body->kind == WEB_BODY_PARTS) {
        struct web_parts *parts = body->parts;
        parts->done += len;
        if (parts->done == part_len(&parts->list[parts->at])) {
            parts->at++;
            parts->done = 0;
        }
    } else {
        body->offset += len;
    }
}

void web_body_narrow(struct web_body *body, const struct http_range *range)
{
    if (body->kind == WEB_BODY_MEMORY)
        body->data = bytes_first(bytes_after(body->data, (size_t)range->first), (size_t)range->len);
    else
        body->offset += range->first;
    body->len = range->len;
}

/* False: the type is longer than any. */
static bool write_head(struct part *part, const char *boundary, const char *type, uint64_t total,
                       bool first)
{
    int len = snprintf(part->head, sizeof part->head,
                       "%s--%s\r\nContent-Type: %s\r\nContent-Range: bytes %llu-%llu/%llu\r\n\r\n",
                       first ? "" : "\r\n", boundary, type, (unsigned long long)part->range.first,
                       (unsigned long long)(part->range.first + part->range.len - 1),
                       (unsigned long long)total);
    part->head_len = (size_t)len;
    return len > 0 && (size_t)len < sizeof part->head;
}

bool web_body_split(struct web_body *body, const struct http_ranges *ranges, const char *type,
                    uint64_t random, char boundary[WEB_BOUNDARY_LEN + 1])
{
    struct web_parts *parts = calloc(1, sizeof *parts);
    if (parts == NULL)
        return false;
    snprintf(boundary, WEB_BOUNDARY_LEN + 1, "wholenet%016llx", (unsigned long long)random);
    bool good = true;
    uint64_t len = 0;
    for (size_t i = 0; i < ranges->count; i++) {
        struct part *part = &parts->list[i];
        part->range = ranges->list[i];
        good &= write_head(part, boundary, type, body->len, i == 0);
        len += part_len(part);
    }
    struct part *last = &parts->list[ranges->count];
    last->head_len = (size_t)snprintf(last->head, sizeof last->head, "\r\n--%s--\r\n", boundary);
    parts->count = ranges->count + 1;
    if (!good) {
        free(parts);
        return false;
    }
    parts->source = *body;
    *body = (struct web_body){
        .kind = WEB_BODY_PARTS, .len = len + last->head_len, .parts = parts};
    return true;
}
