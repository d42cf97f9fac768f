/* SPDX-License-Identifier: ISC */
/*
 * web_files.c - files and folders below a root. The kernel resolves every path with RESOLVE_BENEATH:
 * neither ".." nor a symbolic link leads out of the root. Names that begin with a dot are not there,
 * but for /.well-known/ (RFC 8615).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/web/web_exchange.h"
#include "base/calendar.h"
#include "wire/http/http_date.h"

enum { ENTRIES_MAX = 10000 }; /* of a folder that is listed */

/* ---- types ---- */

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    {"html", "text/html; charset=utf-8"},
    {"htm", "text/html; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"map", "application/json"},
    {"xml", "application/xml"},
    {"txt", "text/plain; charset=utf-8"},
    {"text", "text/plain; charset=utf-8"},
    {"log", "text/plain; charset=utf-8"},
    {"md", "text/plain; charset=utf-8"},
    {"conf", "text/plain; charset=utf-8"},
    {"c", "text/plain; charset=utf-8"},
    {"h", "text/plain; charset=utf-8"},
    {"py", "text/plain; charset=utf-8"},
    {"sh", "text/plain; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"ics", "text/calendar; charset=utf-8"},
    {"svg", "image/svg+xml"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"avif", "image/avif"},
    {"ico", "image/x-icon"},
    {"bmp", "image/bmp"},
    {"mp3", "audio/mpeg"},
    {"ogg", "audio/ogg"},
    {"opus", "audio/ogg"},
    {"wav", "audio/wav"},
    {"flac", "audio/flac"},
    {"mp4", "video/mp4"},
    {"webm", "video/webm"},
    {"mkv", "video/x-matroska"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"ttf", "font/ttf"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"wasm", "application/wasm"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"xz", "application/x-xz"},
    {"zst", "application/zstd"},
    {"tar", "application/x-tar"},
    {"deb", "application/vnd.debian.binary-package"},
    {"pcap", "application/vnd.tcpdump.pcap"},
    {"eml", "message/rfc822"},
};

const char *web_files_type(struct bytes name)
{
    size_t dot = name.len;
    while (dot > 0 && name.data[dot - 1] != '.' && name.data[dot - 1] != '/')
        dot--;
    if (dot > 0 && name.data[dot - 1] == '.')
        for (size_t i = 0; i < ARRAY_LEN(types); i++)
            if (bytes_equal_nocase(bytes_after(name, dot), bytes_of_text(types[i].ending)))
                return types[i].type;
    return "application/octet-stream";
}

/* ---- opening ---- */

int web_files_open_root(const char *root, int *out)
{
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    *out = fd;
    return 0;
}

/* `path` relative to the root, without a slash in front; "" is the root itself. The descriptor or a
 * negative errno. O_NONBLOCK: a FIFO must not hold us up. */
static int open_beneath(int root_fd, const char *path)
{
    struct open_how how = {
        .flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, root_fd, path[0] != '\0' ? path : ".", &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

static void reply_open_error(struct web_exchange *exchange, int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case EXDEV:
    case ENAMETOOLONG:
    case ENXIO:
        web_reply_error(exchange, 404, "There is nothing of this name here.");
        break;
    case EACCES:
    case EPERM:
        web_reply_error(exchange, 403, NULL);
        break;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        web_reply_error(exchange, 503, NULL);
        break;
    default:
        web_reply_error(exchange, 500, NULL);
        break;
    }
}

/* A segment that begins with a dot, other than ".well-known" at the top? */
static bool is_hidden(struct bytes path)
{
    static const char well_known[] = "/.well-known/";
    size_t skip = strlen(well_known);
    if (path.len >= skip && memcmp(path.data, well_known, skip) == 0)
        path = bytes_after(path, skip - 1);
    for (size_t i = 0; i + 1 < path.len; i++)
        if (path.data[i] == '/' && path.data[i + 1] == '.')
            return true;
    return false;
}

/* ---- files ---- */

static void reply_file(struct web_exchange *exchange, const struct http_server_event *event, int fd,
                       const struct stat *facts, struct bytes name)
{
    char etag[WEB_ETAG_MAX];
    snprintf(etag, sizeof etag, "\"%llx-%llx%08lx\"", (unsigned long long)facts->st_size,
             (unsigned long long)facts->st_mtim.tv_sec, (unsigned long)facts->st_mtim.tv_nsec);
    struct web_reply reply = {
        .type = web_files_type(name),
        .etag = etag,
        .modified = facts->st_mtim.tv_sec,
        .body = {.kind = WEB_BODY_FILE, .fd = fd, .len = (uint64_t)facts->st_size},
    };
    web_reply_entity(exchange, &event->head, &reply);
}

/* "/folder" -> "/folder/", so that relative links of its index lead into it. */
static void reply_redirect(struct web_exchange *exchange, const struct http_server_event *event,
                           struct bytes path)
{
    char location[3 * WEB_PATH_MAX];
    size_t len = uri_path_encode(path, location, sizeof location);
    struct bytes query = event->target.query;
    if (len == 0 || len + query.len + 3 > sizeof location) {
        web_reply_error(exchange, 414, NULL);
        return;
    }
    location[len++] = '/';
    if (event->target.has_query) {
        location[len++] = '?';
        memcpy(location + len, query.data, query.len);
        len += query.len;
    }
    location[len] = '\0';
    web_reply(exchange, &(struct web_reply){
                           .status = 301, .location = location, .modified = INT64_MIN});
}

/* ---- folders ---- */

struct entry {
    char *name;
    bool folder;
    bool link;
    uint64_t size;
    int64_t modified;
};

struct entry_list {
    struct entry *entries;
    size_t count;
    size_t size;
    bool cut; /* there are more */
};

static void list_free(struct entry_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->entries[i].name);
    free(list->entries);
}

static bool list_add(struct entry_list *list, const struct entry *entry)
{
    if (list->count == list->size) {
        size_t size = list->size > 0 ? 2 * list->size : 64;
        struct entry *larger = realloc(list->entries, size * sizeof *larger);
        if (larger == NULL)
            return false;
        list->entries = larger;
        list->size = size;
    }
    char *name = strdup(entry->name);
    if (name == NULL)
        return false;
    list->entries[list->count] = *entry;
    list->entries[list->count++].name = name;
    return true;
}

/* Folders first, then by name, numbers in it by their value. */
static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    if (left->folder != right->folder)
        return left->folder ? -1 : 1;
    return strverscmp(left->name, right->name);
}

/* Files, folders and links whose names can be asked for. */
static bool read_entry(int fd, char *name, struct entry *out)
{
    struct stat facts;
    char path[1024];
    char decoded[1024];
    if (name[0] == '.' || fstatat(fd, name, &facts, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    size_t len = uri_path_encode(bytes_of_text(name), path + 1, sizeof path - 1);
    path[0] = '/';
    if (len == 0 || uri_path_decode(bytes_of(path, len + 1), decoded, sizeof decoded) == 0)
        return false;
    *out = (struct entry){.name = name,
                          .folder = S_ISDIR(facts.st_mode),
                          .link = S_ISLNK(facts.st_mode),
                          .size = (uint64_t)facts.st_size,
                          .modified = facts.st_mtim.tv_sec};
    return S_ISDIR(facts.st_mode) || S_ISREG(facts.st_mode) || S_ISLNK(facts.st_mode);
}

/* False: no memory. Takes fd. */
static bool read_folder(int fd, struct entry_list *list)
{
    DIR *folder = fdopendir(fd);
    if (folder == NULL) {
        (void)close(fd);
        return false;
    }
    bool good = true;
    struct dirent *found;
    while (good && (found = readdir(folder)) != NULL) {
        struct entry entry;
        if (!read_entry(fd, found->d_name, &entry))
            continue;
        list->cut = list->count == ENTRIES_MAX;
        if (list->cut)
            break;
        good = list_add(list, &entry);
    }
    (void)closedir(folder);
    if (list->count > 0)
        qsort(list->entries, list->count, sizeof *list->entries, compare_entries);
    return good;
}

static void add_date(struct page_text *page, int64_t seconds)
{
    struct calendar c = calendar_of(seconds);
    page_add_format(page, "%04lld-%02u-%02u %02u:%02u", (long long)c.year, c.month, c.day, c.hour,
                    c.minute);
}

static void add_entry(struct page_text *page, const struct entry *entry)
{
    char href[1024];
    size_t len = uri_path_encode(bytes_of_text(entry->name), href, sizeof href);
    const char *slash = entry->folder ? "/" : "";
    page_add(page, "<tr><td><a href=\"./"); /* "./": a name may look like a scheme */
    page_add_escaped(page, bytes_of(href, len));
    page_add_format(page, "%s\">", slash);
    page_add_text(page, entry->name);
    page_add_format(page, "%s</a></td><td class=\"number\">", slash);
    if (entry->link)
        page_add(page, "link");
    else if (!entry->folder)
        page_add_size(page, entry->size);
    page_add(page, "</td><td class=\"number\">");
    add_date(page, entry->modified);
    page_add(page, "</td></tr>\n");
}

static void reply_list(struct web_exchange *exchange, int fd, struct bytes path)
{
    struct entry_list list = {0};
    struct page_text content = {0};
    struct page_text page = {0};
    bool good = read_folder(fd, &list);
    page_add(&content, "<section class=\"files\"><h1>");
    page_add_escaped(&content, path);
    page_add(&content, "</h1>\n<div class=\"scroll\"><table><thead><tr><th>Name</th>"
                       "<th class=\"number\">Size</th><th class=\"number\">Modified (UTC)</th>"
                       "</tr></thead><tbody>\n");
    if (path.len > 1)
        page_add(&content, "<tr><td><a href=\"../\">..</a></td><td></td><td></td></tr>\n");
    for (size_t i = 0; i < list.count; i++)
        add_entry(&content, &list.entries[i]);
    page_add(&content, "</tbody></table></div>\n");
    if (list.cut)
        page_add(&content, "<p>There are more, which are not listed.</p>\n");
    page_add(&content, "</section>\n");
    web_page_wrap(exchange->web, "Files", page_bytes(&content), &page);
    page.failed |= content.failed || !good;
    page_done(&content);
    list_free(&list);
    web_reply_page(exchange, 200, "text/html; charset=utf-8", &page);
}

static void reply_folder(struct web_exchange *exchange, const struct http_server_event *event, int fd,
                         struct bytes path)
{
    static const char index[] = "index.html";
    char name[WEB_PATH_MAX + sizeof index];
    if (path.data[path.len - 1] != '/') {
        (void)close(fd);
        reply_redirect(exchange, event, path);
        return;
    }
    memcpy(name, path.data, path.len);
    memcpy(name + path.len, index, sizeof index);
    int index_fd = open_beneath(exchange->web->root_fd, name + 1);
    struct stat facts;
    if (index_fd >= 0 && fstat(index_fd, &facts) == 0 && S_ISREG(facts.st_mode)) {
        (void)close(fd);
        reply_file(exchange, event, index_fd, &facts, bytes_of_text(index));
        return;
    }
    if (index_fd >= 0)
        (void)close(index_fd);
    reply_list(exchange, fd, path);
}

void web_files_request(struct web_exchange *exchange, const struct http_server_event *event,
                       struct bytes path)
{
    char name[WEB_PATH_MAX];
    struct stat facts;
    if (path.len >= sizeof name || is_hidden(path)) {
        reply_open_error(exchange, ENOENT);
        return;
    }
    memcpy(name, path.data, path.len);
    name[path.len] = '\0';
    int fd = open_beneath(exchange->web->root_fd, name + 1);
    if (fd < 0) {
        reply_open_error(exchange, -fd);
    } else if (fstat(fd, &facts) < 0) {
        int error = errno;
        (void)close(fd);
        reply_open_error(exchange, error);
    } else if (S_ISREG(facts.st_mode)) {
        reply_file(exchange, event, fd, &facts, path);
    } else if (S_ISDIR(facts.st_mode)) {
        reply_folder(exchange, event, fd, path);
    } else {
        (void)close(fd);
        reply_open_error(exchange, ENOENT);
    }
}
