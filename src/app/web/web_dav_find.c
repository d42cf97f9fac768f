/* SPDX-License-Identifier: ISC */
/*
 * web_dav_find.c - PROPFIND (RFC 4918 §9.1) and PROPPATCH (§9.2), live properties (§15), and multistatus (§13).
 *
 * SKIPS RFC 4918 §9.1 (Depth: infinity): refused as it may be.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/web/web_dav.h"
#include "app/web/web_types.h"
#include "base/calendar.h"

static const char xml_type[] = "application/xml; charset=utf-8";
#define XML_HEAD "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"

#define LOCK_ENTRY(scope)                                                                         \
    "<D:lockentry><D:lockscope><D:" scope "/></D:lockscope><D:locktype><D:write/></D:locktype>"   \
    "</D:lockentry>"

enum live {
    LIVE_CREATIONDATE,
    LIVE_GETCONTENTLENGTH,
    LIVE_GETCONTENTTYPE,
    LIVE_GETETAG,
    LIVE_GETLASTMODIFIED,
    LIVE_RESOURCETYPE,
    LIVE_SUPPORTEDLOCK,
    LIVE_LOCKDISCOVERY,
    LIVE_COUNT
};

static const char *const live_names[] = {
    [LIVE_CREATIONDATE] = "creationdate",
    [LIVE_GETCONTENTLENGTH] = "getcontentlength",
    [LIVE_GETCONTENTTYPE] = "getcontenttype",
    [LIVE_GETETAG] = "getetag",
    [LIVE_GETLASTMODIFIED] = "getlastmodified",
    [LIVE_RESOURCETYPE] = "resourcetype",
    [LIVE_SUPPORTEDLOCK] = "supportedlock",
    [LIVE_LOCKDISCOVERY] = "lockdiscovery",
};
_Static_assert(ARRAY_LEN(live_names) == LIVE_COUNT, "a name for each");

static enum live live_of(const struct dav_prop *prop)
{
    if (strcmp(prop->space, "DAV:") == 0)
        for (size_t i = 0; i < LIVE_COUNT; i++)
            if (strcmp(prop->name, live_names[i]) == 0)
                return (enum live)i;
    return LIVE_COUNT;
}

static bool has_live(const struct dav_resource *resource, enum live live)
{
    bool of_files = live == LIVE_GETCONTENTLENGTH || live == LIVE_GETCONTENTTYPE ||
                    live == LIVE_GETETAG;
    return !of_files || !resource->is_folder;
}

static void add_live(struct page_text *out, const struct dav_resource *resource, enum live live,
                     struct web_exchange *exchange)
{
    char date[HTTP_DATE_LEN + 1];
    char etag[WEB_ETAG_MAX];
    struct calendar c = calendar_of(resource->facts.st_ctim.tv_sec);
    page_add_format(out, "<D:%s>", live_names[live]);
    switch (live) {
    case LIVE_CREATIONDATE: /* the file system does not say; not later than that */
        page_add_format(out, "%04lld-%02u-%02uT%02u:%02u:%02uZ", (long long)c.year, c.month, c.day,
                        c.hour, c.minute, c.second);
        break;
    case LIVE_GETCONTENTLENGTH:
        page_add_format(out, "%lld", (long long)resource->facts.st_size);
        break;
    case LIVE_GETCONTENTTYPE:
        page_add_text(out, web_type_of(bytes_of_text(resource->name)));
        break;
    case LIVE_GETETAG:
        web_etag_of(&resource->facts, etag);
        page_add_text(out, etag);
        break;
    case LIVE_GETLASTMODIFIED:
        page_add(out, http_date_format(resource->facts.st_mtim.tv_sec, date));
        break;
    case LIVE_RESOURCETYPE:
        page_add(out, resource->is_folder ? "<D:collection/>" : "");
        break;
    case LIVE_SUPPORTEDLOCK:
        page_add(out, LOCK_ENTRY("exclusive") LOCK_ENTRY("shared"));
        break;
    case LIVE_LOCKDISCOVERY:
        dav_lock_discover(exchange, resource->path, out);
        break;
    case LIVE_COUNT:
        break;
    }
    page_add_format(out, "</D:%s>", live_names[live]);
}

static void add_named(struct page_text *out, const struct dav_prop *prop, const char *value)
{
    page_add_format(out, "<%s xmlns=\"", prop->name);
    page_add_text(out, prop->space);
    if (value[0] == '\0') {
        page_add(out, "\"/>");
        return;
    }
    page_add(out, "\">");
    page_add(out, value);
    page_add_format(out, "</%s>", prop->name);
}

static void end_propstat(struct page_text *out, const char *status)
{
    page_add_format(out, "</D:prop><D:status>HTTP/1.1 %s</D:status></D:propstat>", status);
}

static void begin_response(struct page_text *out, const struct dav_resource *resource)
{
    char href[3 * WEB_PATH_MAX];
    size_t len = uri_path_encode(bytes_of_text(resource->path), href, sizeof href);
    page_add(out, "<D:response><D:href>");
    page_add_escaped(out, bytes_of(href, len));
    if (resource->is_folder && resource->path[1] != '\0')
        page_add(out, "/");
    page_add(out, "</D:href>");
}

/* ---- PROPFIND ---- */

/* Where dead properties are read, one after the other. */
struct reading {
    struct web_exchange *exchange;
    struct page_text stored;
    char room[DAV_STORE_MAX + 8];
};

static void add_all(struct page_text *out, const struct dav_resource *resource,
                    struct reading *reading, bool names_only)
{
    struct dav_prop prop;
    size_t at = 0;
    page_add(out, "<D:propstat><D:prop>");
    for (size_t i = 0; i < LIVE_COUNT; i++) {
        if (!has_live(resource, (enum live)i))
            continue;
        if (names_only)
            page_add_format(out, "<D:%s/>", live_names[i]);
        else
            add_live(out, resource, (enum live)i, reading->exchange);
    }
    while (dav_props_next(page_bytes(&reading->stored), &at, &prop, reading->room, sizeof reading->room))
        add_named(out, &prop, names_only ? "" : prop.value);
    end_propstat(out, "200 OK");
}

/* False: it has none of that name. */
static bool add_dead(struct page_text *out, struct reading *reading, const struct dav_prop *wanted)
{
    struct dav_prop prop;
    size_t at = 0;
    while (dav_props_next(page_bytes(&reading->stored), &at, &prop, reading->room, sizeof reading->room)) {
        if (strcmp(prop.space, wanted->space) != 0 || strcmp(prop.name, wanted->name) != 0)
            continue;
        add_named(out, &prop, prop.value);
        return true;
    }
    return false;
}

static void add_these(struct page_text *out, const struct dav_resource *resource,
                      struct reading *reading, const struct dav_body *body)
{
    bool missing[DAV_PROPS_MAX] = {false};
    bool any = false;
    page_add(out, "<D:propstat><D:prop>");
    for (size_t i = 0; i < body->count; i++) {
        enum live live = live_of(&body->props[i]);
        if (live != LIVE_COUNT && has_live(resource, live))
            add_live(out, resource, live, reading->exchange);
        else
            missing[i] = !add_dead(out, reading, &body->props[i]);
        any |= missing[i];
    }
    end_propstat(out, "200 OK");
    if (!any)
        return;
    page_add(out, "<D:propstat><D:prop>");
    for (size_t i = 0; i < body->count; i++)
        if (missing[i])
            add_named(out, &body->props[i], "");
    end_propstat(out, "404 Not Found");
}

static void add_resource(struct page_text *out, const struct dav_resource *resource,
                         const struct dav_body *body, struct reading *reading)
{
    page_done(&reading->stored);
    reading->stored = (struct page_text){0};
    dav_props_read(resource, &reading->stored);
    begin_response(out, resource);
    if (body->find == DAV_FIND_THESE)
        add_these(out, resource, reading, body);
    else
        add_all(out, resource, reading, body->find == DAV_FIND_NAMES);
    page_add(out, "</D:response>\n");
}

/* What is in a folder, but for what is not served. */
static bool is_member(const struct web_exchange *exchange, struct dav_resource *member, int fd)
{
    const char *name = member->name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        (name[0] == '.' && !exchange->place->rule->hidden) ||
        web_dav_reserved(bytes_of_text(member->path)))
        return false;
    if (fstatat(fd, name, &member->facts, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    member->is_folder = S_ISDIR(member->facts.st_mode);
    return member->is_folder || S_ISREG(member->facts.st_mode);
}

static void add_members(struct web_exchange *exchange, struct page_text *out,
                        const struct dav_resource *folder, const struct dav_body *body,
                        struct reading *reading)
{
    struct dav_resource *member = calloc(1, sizeof *member);
    int fd = openat(folder->folder_fd, folder->name[0] != '\0' ? folder->name : ".",
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    out->failed |= member == NULL || list == NULL;
    while (!out->failed && (entry = readdir(list)) != NULL) {
        int len = snprintf(member->path, sizeof member->path, "%s%s%s", folder->path,
                           folder->path[1] != '\0' ? "/" : "", entry->d_name);
        snprintf(member->name, sizeof member->name, "%s", entry->d_name);
        member->folder_fd = fd;
        if (len > 0 && (size_t)len < sizeof member->path && is_member(exchange, member, fd))
            add_resource(out, member, body, reading);
    }
    if (list != NULL)
        (void)closedir(list);
    else if (fd >= 0)
        (void)close(fd);
    free(member);
}

static void reply_xml(struct web_exchange *exchange, unsigned status, struct page_text *page)
{
    if (page->failed) {
        page_done(page);
        web_reply_error(exchange, 507, "There is more than can be told at once.");
        return;
    }
    struct web_body body = web_body_of(page_bytes(page));
    body.owned = page->data;
    web_reply(exchange, &(struct web_reply){.status = status,
                                           .type = xml_type,
                                           .cache = "no-store",
                                           .modified = INT64_MIN,
                                           .body = body});
}

void dav_find(struct web_exchange *exchange, const struct dav_resource *resource,
              const struct dav_body *body, bool members)
{
    struct page_text page = {0};
    struct reading *reading = calloc(1, sizeof *reading);
    page.failed = reading == NULL;
    page_add(&page, XML_HEAD "<D:multistatus xmlns:D=\"DAV:\">\n");
    if (reading != NULL) {
        reading->exchange = exchange;
        add_resource(&page, resource, body, reading);
        if (members && resource->is_folder)
            add_members(exchange, &page, resource, body, reading);
        page_done(&reading->stored);
    }
    page_add(&page, "</D:multistatus>\n");
    free(reading);
    reply_xml(exchange, 207, &page);
}

/* ---- PROPPATCH ---- */

static void add_outcome(struct page_text *out, const struct dav_body *body, bool live,
                        const char *status)
{
    bool any = false;
    for (size_t i = 0; i < body->count; i++) {
        if ((live_of(&body->props[i]) != LIVE_COUNT) != live)
            continue;
        if (!any)
            page_add(out, "<D:propstat><D:prop>");
        any = true;
        add_named(out, &body->props[i], "");
    }
    if (any)
        end_propstat(out, status);
}

/* Either all is done, or nothing is (§9.2): what could have been then depends on what could not (424). */
void dav_patch(struct web_exchange *exchange, const struct dav_resource *resource,
               const struct dav_body *body)
{
    struct page_text page = {0};
    bool good = true;
    for (size_t i = 0; i < body->count; i++)
        good &= live_of(&body->props[i]) == LIVE_COUNT;
    int error = good ? dav_props_change(resource, body) : 0;
    const char *status = error == ENOSPC || error == EDQUOT ? "507 Insufficient Storage"
                         : error != 0                        ? "403 Forbidden"
                         : good                              ? "200 OK"
                                                             : "424 Failed Dependency";
    page_add(&page, XML_HEAD "<D:multistatus xmlns:D=\"DAV:\">\n");
    begin_response(&page, resource);
    add_outcome(&page, body, false, status);
    add_outcome(&page, body, true, "403 Forbidden");
    page_add(&page, "</D:response>\n</D:multistatus>\n");
    reply_xml(exchange, 207, &page);
}

void dav_refuse(struct web_exchange *exchange, unsigned status, const char *condition)
{
    struct page_text page = {0};
    page_add_format(&page, XML_HEAD "<D:error xmlns:D=\"DAV:\"><D:%s/></D:error>\n", condition);
    reply_xml(exchange, status, &page);
}
