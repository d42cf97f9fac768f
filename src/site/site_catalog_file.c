/* SPDX-License-Identifier: ISC */
/* site_catalog_file.c - a catalog of our own making, in a master file. */
#include "site/site_catalog_file.h"

#include <errno.h>

#include "app/names/names.h"
#include "os/file.h"
#include "os/memory.h"
#include "proto/dns/zone_load.h"
#include "proto/dns/zone_write.h"
#include "site/zone_files.h"

enum {
    FILE_MODE = 0644,
    /* Each member has a record, perhaps one of whom it is to go to, and groups of three octets and more. */
    RECORDS_MAX = 16 + NAMES_SECONDARIES_MAX * (2 + CATALOG_GROUPS_LEN_MAX / 3),
};

/* ---- writing ---- */

struct writing {
    struct file_replacement file;
    int status;
};

static void on_line(void *self, struct bytes line)
{
    struct writing *w = self;
    if (w->status == 0)
        w->status = file_replace_write(&w->file, line);
}

static int write_zone(const char *path, const struct zone *zone)
{
    static const char head[] = "; Kept of a catalog that is gone by: changes here are lost.\n";
    struct writing w = {.file = {.fd = -1}};
    struct zone_write write;
    w.status = file_replace_begin(&w.file, path, FILE_MODE);
    if (w.status < 0)
        return w.status;
    on_line(&w, bytes_of_text(head));
    zone_write_start(&write, zone);
    enum zone_write_status status = zone_write_step(&write, zone, SIZE_MAX, on_line, &w);
    ASSERT(status == ZONE_WRITE_WHOLE); /* it is nobody else's */
    if (w.status == 0)
        return file_replace_commit(&w.file);
    file_replace_abandon(&w.file);
    return w.status;
}

int site_catalog_file_write(const char *path, const struct dns_name *name,
                            const struct catalog_member *const *members, size_t count)
{
    struct heap heap = memory_heap();
    struct zone *zone = zone_new(&heap, name, RECORDS_MAX);
    enum zone_result result = zone != NULL ? catalog_begin(zone, 1) : ZONE_NO_MEMORY;
    for (size_t i = 0; i < count && result == ZONE_OK; i++)
        result = catalog_put(zone, members[i]);
    int status = result == ZONE_OK          ? write_zone(path, zone)
                 : result == ZONE_NO_MEMORY ? -ENOMEM
                                            : -EINVAL;
    zone_free(zone);
    return status;
}

/* ---- reading ---- */

static struct zone *load_zone(const char *path, const struct dns_name *name, const struct log *log)
{
    const struct zone_load_options options = {
        .heap = memory_heap(),
        .files = zone_files_of_host(),
        .path = path,
        .name = name,
        .records_max = RECORDS_MAX,
    };
    uint64_t age;
    if (file_age(path, &age) < 0)
        return NULL; /* it was never there */
    struct zone_load *load = zone_load_new(&options);
    struct zone *zone = NULL;
    if (load != NULL && zone_load_step(load, SIZE_MAX) == ZONE_LOAD_DONE)
        zone = zone_load_take(load);
    else
        log_warning(log, "what was kept of a catalog is of no use: %s",
                    load != NULL ? zone_load_error(load) : "no memory");
    zone_load_free(load);
    return zone;
}

struct catalog *site_catalog_file_read(const char *path, const struct dns_name *name,
                                       const struct log *log)
{
    char complaint[DNS_NAME_TEXT_MAX + 100] = "no memory";
    struct text error = text_of(complaint, sizeof complaint);
    struct heap heap = memory_heap();
    struct zone *zone = load_zone(path, name, log);
    if (zone == NULL)
        return NULL;
    struct catalog *catalog = catalog_new(&heap, NAMES_SECONDARIES_MAX);
    if (catalog == NULL || !catalog_read(catalog, zone, &error)) {
        log_warning(log, "%s: what was kept of a catalog is of no use: %s", path, complaint);
        catalog_free(catalog);
        catalog = NULL;
    }
    zone_free(zone);
    return catalog;
}
