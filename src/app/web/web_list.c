/* SPDX-License-Identifier: ISC */
/*
 * web_list.c - what is in a folder, as a table that can be sorted by its heads without a script.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/web/web_exchange.h"
#include "base/calendar.h"

enum { ENTRIES_MAX = 10000 }; /* of a folder that is listed */

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

/* Folders first; numbers in names by their value. */
static int by_name(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    if (left->folder != right->folder)
        return left->folder ? -1 : 1;
    return strverscmp(left->name, right->name);
}

static int by_size(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    if (left->folder != right->folder || left->size == right->size)
        return by_name(a, b);
    return left->size < right->size ? -1 : 1;
}

static int by_time(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    if (left->folder != right->folder || left->modified == right->modified)
        return by_name(a, b);
    return left->modified < right->modified ? -1 : 1;
}

static int by_name_down(const void *a, const void *b)
{
    return by_name(b, a);
}

static int by_size_down(const void *a, const void *b)
{
    return by_size(b, a);
}

static int by_time_down(const void *a, const void *b)
{
    return by_time(b, a);
}

/* What the query may ask for: "?sort=size", "?sort=-size". */
static const struct order {
    const char *query;  /* of this order */
    const char *other;  /* of the opposite one */
    size_t column;
    const char *sorted; /* for aria-sort */
    int (*compare)(const void *, const void *);
} orders[] = {
    {"sort=name", "sort=-name", 0, "ascending", by_name},
    {"sort=-name", "sort=name", 0, "descending", by_name_down},
    {"sort=size", "sort=-size", 1, "ascending", by_size},
    {"sort=-size", "sort=size", 1, "descending", by_size_down},
    {"sort=time", "sort=-time", 2, "ascending", by_time},
    {"sort=-time", "sort=time", 2, "descending", by_time_down},
};

static const struct order *order_of(struct bytes query)
{
    for (size_t i = 0; i < ARRAY_LEN(orders); i++)
        if (bytes_equal(query, bytes_of_text(orders[i].query)))
            return &orders[i];
    return &orders[0];
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
static bool read_folder(int fd, const struct order *order, struct entry_list *list)
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
        qsort(list->entries, list->count, sizeof *list->entries, order->compare);
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

static void add_heads(struct page_text *page, const struct order *order)
{
    static const char *const names[] = {"Name", "Size", "Modified (UTC)"};
    page_add(page, "<thead><tr>");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        bool here = order->column == i;
        page_add_format(page, "<th%s", i > 0 ? " class=\"number\"" : "");
        if (here)
            page_add_format(page, " aria-sort=\"%s\"", order->sorted);
        page_add_format(page, "><a href=\"./?%s\">%s</a>%s</th>",
                        here ? order->other : orders[2 * i].query, names[i],
                        !here                           ? ""
                        : order->sorted[0] == 'a' ? " ↑"
                                                        : " ↓");
    }
    page_add(page, "</tr></thead>");
}

void web_list_reply(struct web_exchange *exchange, int fd, struct bytes path, struct bytes query)
{
    struct entry_list list = {0};
    struct page_text content = {0};
    struct page_text page = {0};
    const struct order *order = order_of(query);
    bool good = read_folder(fd, order, &list);
    page_add(&content, "<section class=\"files\"><h1>");
    page_add_escaped(&content, path);
    page_add(&content, "</h1>\n<div class=\"scroll\"><table>");
    add_heads(&content, order);
    page_add(&content, "<tbody>\n");
    if (path.len > 1)
        page_add(&content, "<tr><td><a href=\"../\">..</a></td><td></td><td></td></tr>\n");
    for (size_t i = 0; i < list.count; i++)
        add_entry(&content, &list.entries[i]);
    page_add(&content, "</tbody></table></div>\n");
    if (list.cut)
        page_add(&content, "<p>There are more, which are not listed.</p>\n");
    page_add(&content, "</section>\n");
    web_page_wrap(exchange, "Files", page_bytes(&content), &page);
    page.failed |= content.failed || !good;
    page_done(&content);
    list_free(&list);
    web_reply_page(exchange, 200, "text/html; charset=utf-8", &page);
}
