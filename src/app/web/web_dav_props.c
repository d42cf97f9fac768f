/* SPDX-License-Identifier: ISC */
/*
 * web_dav_props.c - dead properties (RFC 4918 §4.2) in files beside what they describe: of a folder in it, so that
 * they go where it goes. Each is "namespace LF name LF length LF value LF".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/web/web_dav.h"
#include "base/text.h"

bool dav_sidecar_name(const struct dav_resource *resource, char out[2 * NAME_MAX])
{
    const char *name = resource->name;
    const char *slash = name[0] != '\0' && resource->is_folder ? "/" : "";
    int len = resource->is_folder ? snprintf(out, 2 * NAME_MAX, "%s%s%s", name, slash, DAV_SIDECAR)
                                  : snprintf(out, 2 * NAME_MAX, "%s.%s", DAV_SIDECAR, name);
    return len > 0 && (resource->is_folder || len <= NAME_MAX);
}

void dav_props_read(const struct dav_resource *resource, struct page_text *out)
{
    char name[2 * NAME_MAX];
    char buffer[4096];
    if (!dav_sidecar_name(resource, name))
        return;
    int fd = openat(resource->folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t got;
    while (out->len < DAV_STORE_MAX && (got = read(fd, buffer, sizeof buffer)) > 0)
        page_add_bytes(out, bytes_of(buffer, (size_t)got));
    (void)close(fd);
}

static bool take_line(struct bytes all, size_t *at, struct bytes *out)
{
    struct bytes rest = bytes_after(all, *at);
    size_t end = bytes_find(rest, '\n');
    if (end == rest.len)
        return false;
    *out = bytes_first(rest, end);
    *at += end + 1;
    return true;
}

/* Views of what was read. */
struct stored {
    struct bytes space, name, value;
};

static bool next_stored(struct bytes all, size_t *at, struct stored *out)
{
    struct bytes length;
    uint64_t len;
    if (!take_line(all, at, &out->space) || !take_line(all, at, &out->name) ||
        !take_line(all, at, &length) || !text_parse_number(length, DAV_STORE_MAX, &len) ||
        *at + len + 1 > all.len)
        return false;
    out->value = bytes_of(all.data + *at, (size_t)len);
    *at += (size_t)len + 1;
    return true;
}

bool dav_props_next(struct bytes all, size_t *at, struct dav_prop *out, char *room, size_t size)
{
    struct stored stored;
    while (next_stored(all, at, &stored)) {
        size_t len = stored.space.len + stored.name.len + stored.value.len + 3;
        if (len > size)
            continue;
        char *next = room;
        const struct bytes words[] = {stored.space, stored.name, stored.value};
        const char *starts[3];
        for (size_t i = 0; i < ARRAY_LEN(words); i++) {
            starts[i] = next;
            memcpy(next, words[i].data, words[i].len);
            next += words[i].len;
            *next++ = '\0';
        }
        *out = (struct dav_prop){starts[0], starts[1], starts[2], false};
        return true;
    }
    return false;
}

static bool is_same(const struct stored *stored, const struct dav_prop *prop)
{
    return bytes_equal(stored->space, bytes_of_text(prop->space)) &&
           bytes_equal(stored->name, bytes_of_text(prop->name));
}

static bool is_touched(const struct stored *stored, const struct dav_body *body)
{
    for (size_t i = 0; i < body->count; i++)
        if (is_same(stored, &body->props[i]))
            return true;
    return false;
}

/* A later instruction for the same property is what counts (§9.2: in document order). */
static bool is_last(const struct dav_body *body, size_t i)
{
    for (size_t k = i + 1; k < body->count; k++)
        if (strcmp(body->props[i].space, body->props[k].space) == 0 &&
            strcmp(body->props[i].name, body->props[k].name) == 0)
            return false;
    return true;
}

static void put(struct page_text *out, struct bytes space, struct bytes name, struct bytes value)
{
    page_add_bytes(out, space);
    page_add(out, "\n");
    page_add_bytes(out, name);
    page_add_format(out, "\n%zu\n", value.len);
    page_add_bytes(out, value);
    page_add(out, "\n");
}

static void merge(struct bytes old, const struct dav_body *body, struct page_text *out)
{
    struct stored stored;
    size_t at = 0;
    while (next_stored(old, &at, &stored))
        if (!is_touched(&stored, body))
            put(out, stored.space, stored.name, stored.value);
    for (size_t i = 0; i < body->count; i++)
        if (!body->props[i].removed && is_last(body, i))
            put(out, bytes_of_text(body->props[i].space), bytes_of_text(body->props[i].name),
                bytes_of_text(body->props[i].value));
}

/* All or nothing, and on the disk. 0 or a positive errno. */
static int replace(int folder_fd, const char *name, struct bytes in)
{
    char temporary[2 * NAME_MAX + 8];
    snprintf(temporary, sizeof temporary, "%.*s~", (int)strlen(name), name);
    (void)unlinkat(folder_fd, temporary, 0);
    int fd = openat(folder_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return errno;
    int error = 0;
    while (in.len > 0 && error == 0) {
        ssize_t wrote = write(fd, in.data, in.len);
        if (wrote > 0)
            in = bytes_after(in, (size_t)wrote);
        else if (wrote == 0 || errno != EINTR)
            error = wrote < 0 ? errno : EIO;
    }
    if (error == 0 && fsync(fd) < 0)
        error = errno;
    (void)close(fd);
    if (error == 0 && renameat(folder_fd, temporary, folder_fd, name) < 0)
        error = errno;
    if (error != 0)
        (void)unlinkat(folder_fd, temporary, 0);
    return error;
}

int dav_props_change(const struct dav_resource *resource, const struct dav_body *body)
{
    char name[2 * NAME_MAX];
    struct page_text old = {0};
    struct page_text merged = {0};
    int error = 0;
    if (!dav_sidecar_name(resource, name))
        return ENAMETOOLONG;
    dav_props_read(resource, &old);
    merge(page_bytes(&old), body, &merged);
    if (old.failed || merged.failed)
        error = ENOMEM;
    else if (merged.len > DAV_STORE_MAX)
        error = ENOSPC;
    else if (merged.len > 0)
        error = replace(resource->folder_fd, name, page_bytes(&merged));
    else if (unlinkat(resource->folder_fd, name, 0) < 0 && errno != ENOENT)
        error = errno;
    page_done(&old);
    page_done(&merged);
    return error;
}
