/* SPDX-License-Identifier: ISC */
/*
 * web_dav_resource.c - which resource a request of WebDAV is about, and whether its conditions let it be changed:
 * RFC 9110 §13, and the field If of RFC 4918 §10.4 with the locks.
 */
#include "app/web/web_dav.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "wire/http/dav_if.h"
#include "wire/http/http_conditions.h"
#include "wire/http/uri_reference.h"

bool web_dav_reserved(struct bytes path)
{
    static const char *const ours[] = {"/" DAV_SIDECAR, "/" DAV_HIDDEN, "/.upload-"};
    for (size_t i = 0; i < path.len; i++)
        for (size_t k = 0; k < ARRAY_LEN(ours); k++)
            if (bytes_equal(bytes_first(bytes_after(path, i), strlen(ours[k])),
                            bytes_of_text(ours[k])))
                return true;
    return false;
}

void dav_resource_close(struct dav_resource *resource)
{
    if (resource->folder_fd >= 0)
        (void)close(resource->folder_fd);
    resource->folder_fd = -1;
}

static unsigned look(struct dav_resource *resource)
{
    const char *name = resource->name[0] != '\0' ? resource->name : ".";
    if (fstatat(resource->folder_fd, name, &resource->facts, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : 403;
    resource->exists = true;
    resource->is_folder = S_ISDIR(resource->facts.st_mode);
    return resource->is_folder || S_ISREG(resource->facts.st_mode) ? 0 : 403;
}

unsigned dav_resource_open(const struct web_place *place, struct bytes path,
                           struct dav_resource *out)
{
    char folder[WEB_PATH_MAX];
    out->folder_fd = -1;
    out->exists = out->is_folder = false;
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    size_t slash = path.len - 1;
    while (path.data[slash] != '/')
        slash--;
    struct bytes name = bytes_after(path, slash + 1);
    if (path.len >= sizeof out->path || name.len > NAME_MAX)
        return 414;
    snprintf(out->path, sizeof out->path, "%.*s", (int)path.len, (const char *)path.data);
    snprintf(out->name, sizeof out->name, "%.*s", (int)name.len, (const char *)name.data);
    snprintf(folder, sizeof folder, "%.*s", slash > 0 ? (int)slash - 1 : 0, (const char *)path.data + 1);
    out->folder_fd = web_open_beneath(place->root_fd, place->rule->symlinks, folder,
                                      O_RDONLY | O_DIRECTORY);
    if (out->folder_fd < 0)
        return out->folder_fd == -EACCES ? 403 : 409;
    return look(out);
}

unsigned dav_status_of(int error)
{
    switch (error) {
    case 0:
        return 204;
    case ENOENT:
    case ENOTDIR:
        return 409;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return 507;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return 503;
    case ENAMETOOLONG:
        return 414;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
    case EXDEV: /* SKIPS: a move to another file system; a client copies then */
        return 403;
    default:
        return 500;
    }
}

/* ---- conditions ---- */

size_t dav_local_path(const struct web_exchange *exchange, struct bytes uri, char out[WEB_PATH_MAX])
{
    struct uri_parts parts;
    uri_split(uri, &parts);
    struct bytes host = http_field_value(&exchange->event->head.fields, "Host");
    if (parts.has_authority && !bytes_equal_nocase(parts.authority, host))
        return 0;
    if (parts.path.len == 0 || parts.path.len >= WEB_PATH_MAX || parts.path.data[0] != '/')
        return 0;
    return uri_path_decode(parts.path, out, WEB_PATH_MAX - 1);
}

bool dav_same_place(const struct web_exchange *exchange, struct bytes path)
{
    const struct web_place *place = web_rules_place(exchange->rules, exchange->site, path);
    return place == exchange->place;
}

struct asking {
    struct web_exchange *exchange;
    const struct dav_resource *resource;
};

/* A state token is that of a lock (§10.4.4). */
static bool holds(void *self, const struct dav_if_condition *condition)
{
    const struct asking *asking = self;
    const struct dav_resource *resource = asking->resource;
    char etag[WEB_ETAG_MAX];
    char path[WEB_PATH_MAX];
    struct dav_resource other = {.folder_fd = -1};
    bool good;
    if (condition->resource.len > 0) {
        size_t len = dav_local_path(asking->exchange, condition->resource, path);
        if (len == 0 || !dav_same_place(asking->exchange, bytes_of(path, len)) ||
            dav_resource_open(asking->exchange->place, bytes_of(path, len), &other) != 0)
            other.exists = false;
        resource = &other;
    }
    if (!condition->is_etag) {
        good = dav_lock_holds(asking->exchange, resource->path, condition->token);
    } else {
        good = resource->exists;
        if (good)
            web_etag_of(&resource->facts, etag);
        good = good && bytes_equal(condition->token, bytes_of_text(etag));
    }
    dav_resource_close(&other);
    return good;
}

unsigned dav_check(struct web_exchange *exchange, const struct dav_resource *resource,
                   enum dav_touch touch)
{
    const struct http_fields *fields = &exchange->event->head.fields;
    char etag[WEB_ETAG_MAX] = "";
    struct asking asking = {exchange, resource};
    struct bytes value;
    if (resource->exists)
        web_etag_of(&resource->facts, etag);
    const struct http_representation there = {
        .exists = resource->exists,
        .etag = bytes_of_text(etag),
        .modified = resource->exists ? resource->facts.st_mtim.tv_sec : INT64_MIN,
    };
    unsigned status = http_conditions_check(fields, false, &there,
                                            loop_wall_seconds(net_loop(exchange->web->net)));
    if (status != 0)
        return status;
    if (!http_field_find(fields, "If", &value))
        return dav_lock_check(exchange, resource->path, touch);
    switch (dav_if_check(value, holds, &asking)) {
    case DAV_IF_HOLDS:
        return dav_lock_check(exchange, resource->path, touch);
    case DAV_IF_FAILS:
        return 412;
    case DAV_IF_MALFORMED:
        break;
    }
    return 400;
}

unsigned web_dav_check_put(struct web_exchange *exchange, struct bytes path)
{
    struct dav_resource resource;
    unsigned status = dav_resource_open(exchange->place, path, &resource);
    if (status == 0)
        status = dav_check(exchange, &resource,
                           resource.exists ? DAV_TOUCH_CONTENT : DAV_TOUCH_MEMBER);
    else
        status = 0; /* it will be found by who looks at the rest */
    dav_resource_close(&resource);
    return status;
}
