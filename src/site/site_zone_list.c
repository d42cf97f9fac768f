/* SPDX-License-Identifier: ISC */
/* site_zone_list.c - which zones a site serves from files: those that are named, in lists, and in directories. */
#include "site/site_zone_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "app/names/names.h"
#include "os/file.h"
#include "site/site_names.h"

enum { LIST_LEN_MAX = 64 << 20 }; /* octets of a list of zones */

void site_zone_list_free(struct site_zone_list *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->all[i].path);
    free(entries->all);
    *entries = (struct site_zone_list){0};
}

/* The path is copied. 0 or a negative errno. */
static int add_entry(struct site_zone_list *entries, size_t view, const struct dns_name *name,
                     const char *path)
{
    if (entries->count == SITE_ZONES_LOADED_MAX)
        return -ENOSPC;
    if (entries->count == entries->room) {
        size_t room = entries->room == 0 ? 64 : 2 * entries->room;
        struct site_zone_entry *all = realloc(entries->all, room * sizeof *all);
        if (all == NULL)
            return -ENOMEM;
        entries->all = all;
        entries->room = room;
    }
    struct site_zone_entry *entry = &entries->all[entries->count];
    entry->path = strdup(path);
    if (entry->path == NULL)
        return -ENOMEM;
    dns_name_copy(&entry->name, name);
    dns_name_lower(&entry->name);
    entry->view = view;
    entries->count++;
    return 0;
}

/* "NAME FILE" */
static bool split(struct bytes line, struct dns_name *name, char *path, size_t path_size)
{
    size_t end = 0;
    while (end < line.len && line.data[end] != ' ' && line.data[end] != '\t')
        end++;
    struct bytes file = text_trim(bytes_after(line, end));
    if (!dns_name_parse(bytes_first(line, end), NULL, name) || file.len == 0 ||
        file.len >= path_size)
        return false;
    memcpy(path, file.data, file.len);
    path[file.len] = '\0';
    return true;
}

static int add_line(struct site_zone_list *entries, size_t view, struct bytes line)
{
    char path[SITE_TEXT_MAX], whole[SITE_PATH_MAX];
    struct dns_name name;
    if (!split(line, &name, path, sizeof path))
        return -EINVAL;
    return add_entry(entries, view, &name, site_path(entries->config, path, whole));
}

/* A file with a zone's name and its file in each line. */
static int add_list(struct site_zone_list *entries, size_t view, const char *path,
                    struct text *error)
{
    char *text;
    size_t len;
    int result = file_read(path, LIST_LEN_MAX, &text, &len);
    if (result < 0) {
        text_add_format(error, "zones \"%s\": %s", path, strerror(-result));
        return result;
    }
    struct bytes rest = bytes_of(text, len);
    for (unsigned number = 1; rest.len > 0 && result == 0; number++) {
        size_t end = bytes_find(rest, '\n');
        struct bytes line = text_trim(bytes_first(rest, bytes_find(bytes_first(rest, end), '#')));
        rest = bytes_after(rest, end + 1);
        if (line.len > 0)
            result = add_line(entries, view, line);
        if (result < 0)
            text_add_format(error, "%s:%u: %s", path, number,
                            result == -EINVAL ? "expected a zone's name and its file"
                                              : strerror(-result));
    }
    free(text);
    return result;
}

static bool is_zone_file(const char *name, struct dns_name *out)
{
    static const char ending[] = ".zone";
    size_t len = strlen(name);
    size_t stem = len - (sizeof ending - 1);
    return name[0] != '.' && len >= sizeof ending && strcmp(name + stem, ending) == 0 &&
           dns_name_parse(bytes_of(name, stem), NULL, out);
}

/* Each NAME.zone in a directory. */
static int add_directory(struct site_zone_list *entries, size_t view, const char *path,
                         struct text *error)
{
    DIR *directory = opendir(path);
    int result = directory == NULL ? -errno : 0;
    struct dirent *file;
    while (result == 0 && (file = readdir(directory)) != NULL) {
        char whole[SITE_TEXT_MAX * 4];
        struct dns_name name;
        struct text t = text_of(whole, sizeof whole);
        text_add_format(&t, "%s/%s", path, file->d_name);
        if (is_zone_file(file->d_name, &name))
            result = t.failed ? -ENAMETOOLONG : add_entry(entries, view, &name, whole);
    }
    if (directory != NULL)
        closedir(directory);
    if (result < 0)
        text_add_format(error, "zones \"%s\": %s", path, strerror(-result));
    return result;
}

static int collect_source(struct site_zone_list *entries, size_t view,
                          const struct site_zone_source *source, struct text *error)
{
    struct stat facts;
    char from[SITE_PATH_MAX];
    int result = 0;
    for (size_t i = 0; i < source->zone_count && result == 0; i++) {
        result = add_line(entries, view, bytes_of_text(source->zones[i]));
        if (result < 0)
            text_add_format(error, "zone \"%s\": %s", source->zones[i], strerror(-result));
    }
    if (result < 0 || source->from[0] == '\0')
        return result;
    site_path(entries->config, source->from, from);
    if (stat(from, &facts) == 0 && S_ISDIR(facts.st_mode))
        return add_directory(entries, view, from, error);
    return add_list(entries, view, from, error);
}

int site_zone_compare(const void *a, const void *b)
{
    const struct site_zone_entry *x = a;
    const struct site_zone_entry *y = b;
    if (x->view != y->view)
        return x->view < y->view ? -1 : 1;
    if (x->name.len != y->name.len)
        return x->name.len < y->name.len ? -1 : 1;
    return memcmp(x->name.octets, y->name.octets, x->name.len);
}

static bool is_secondary(const struct site_config *config, size_t view, const struct dns_name *name)
{
    struct dns_name other;
    for (size_t i = 0; i < config->secondaries.count; i++)
        if (config->secondaries.zones[i].view == view &&
            dns_name_parse(bytes_of_text(config->secondaries.zones[i].zone), NULL, &other) &&
            dns_name_equal(name, &other))
            return true;
    return false;
}

/* A name that is there twice is nobody's mistake to guess about, and the site's own domain is made of
 * its hosts. */
static int check_entries(const struct site_zone_list *entries, const struct site_config *config,
                         struct text *error)
{
    struct dns_name domain;
    char name[DNS_NAME_TEXT_MAX];
    bool has_domain = dns_name_parse(bytes_of_text(config->domain), NULL, &domain);
    for (size_t i = 0; i < entries->count; i++) {
        const struct site_zone_entry *entry = &entries->all[i];
        const char *wrong = NULL;
        if (i > 0 && site_zone_compare(entry - 1, entry) == 0)
            wrong = "there are two files for it";
        else if (has_domain && entry->view == NAMES_EVERYBODY &&
                 dns_name_equal(&entry->name, &domain))
            wrong = "it is the domain of the site, which is made of its hosts: expected another";
        else if (is_secondary(config, entry->view, &entry->name))
            wrong = "it is had from others: expected either a file or a block \"secondary\"";
        if (wrong == NULL)
            continue;
        text_add_format(error, "zone %s: %s", dns_name_format(&entry->name, name), wrong);
        return -EINVAL;
    }
    return 0;
}

int site_zone_list_collect(struct site_zone_list *out, const struct site_config *config,
                           struct text *error)
{
    const struct site_authority *authority = &config->authority;
    struct site_zone_list entries = {.config = config};
    int result = collect_source(&entries, NAMES_EVERYBODY, &authority->everybody, error);
    for (size_t i = 0; i < authority->view_count && result == 0; i++)
        result = collect_source(&entries, i, &authority->seen[i].source, error);
    if (result == 0 && entries.count > 0)
        qsort(entries.all, entries.count, sizeof *entries.all, site_zone_compare);
    if (result == 0)
        result = check_entries(&entries, config, error);
    if (result < 0)
        site_zone_list_free(&entries);
    entries.config = NULL;
    *out = entries;
    return result;
}
