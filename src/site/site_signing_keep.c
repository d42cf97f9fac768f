/* SPDX-License-Identifier: ISC */
/*
 * site_signing_keep.c - what survives of a zone that is signed: the zone whole, with its signatures, as it was at some serial
 * number, and a log of what it has been through since then and shortly before. Beside its keys, in the folder "signed".
 *
 * A change is in the log before anybody is told of it. Where it cannot be, the log is made worth nothing before what follows is
 * served: a restart then goes on under a serial number that nobody has seen (site_signing_keys.c).
 */
#include "site/site_signing_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/names/names.h"
#include "os/file.h"
#include "os/memory.h"
#include "proto/dns/zone_load.h"
#include "proto/dns/zone_write.h"
#include "site/change_log.h"
#include "site/zone_files.h"

enum {
    SLICE = 200,             /* names a turn */
    TRIES_MAX = 20,          /* each time that the zone changes meanwhile twice as many: it comes to an end */
    LOG_OCTETS_MIN = 4 << 20, /* a shorter log is never a reason to write the zone anew */
    LOG_RECORD_OCTETS = 64,  /* what a record takes, about */
    BUFFER_SIZE = 256 * 1024,
    FILE_MODE = 0600,
    FOLDER_MODE = 0700,
};

static bool path_of(const struct signed_zone *z, const char *ending, char out[PATH_MAX])
{
    return signed_zone_path(z, "signed/", ending, out);
}

/* With the number that the data have: they say it themselves. */
static bool has_numbers(const struct signed_zone *z)
{
    return z->policy.policy.serial != SIGN_SERIAL_KEEP;
}

static void complain(const struct signed_zone *z, const char *path, int status)
{
    char name[DNS_NAME_TEXT_MAX];
    log_error(z->owner->options.log, "zone %s: %s: %s; its signatures may not survive a restart",
              signed_zone_name(z, name), path, strerror(-status));
}

/* ---- as it was ---- */

static struct zone *load(const struct signed_zone *z, const char *path)
{
    const struct zone_load_options options = {
        .heap = memory_heap(),
        .files = zone_files_of_host(),
        .path = path,
        .name = &z->name,
        .records_max = NAMES_RECORDS_MAX,
    };
    char name[DNS_NAME_TEXT_MAX];
    uint64_t age;
    if (file_age(path, &age) < 0)
        return NULL; /* it was never there */
    struct zone_load *loading = zone_load_new(&options);
    struct zone *zone = NULL;
    if (loading != NULL && zone_load_step(loading, SIZE_MAX) == ZONE_LOAD_DONE)
        zone = zone_load_take(loading);
    else
        log_warning(z->owner->options.log, "zone %s: what was kept of its signatures is of no use: %s",
                    signed_zone_name(z, name),
                    loading != NULL ? zone_load_error(loading) : "no memory");
    zone_load_free(loading);
    return zone;
}

/* Changes before the zone was written are for its secondaries alone. */
static int on_change(void *self, struct zone_change *change)
{
    struct zone *zone = self;
    if (change->serial_from == zone_serial(zone))
        return zone_change_commit(NULL, zone, change) == ZONE_OK ? 0 : -EBADMSG;
    zone_history_add(zone->history, change);
    return 0;
}

/* Does what is remembered lead to where the zone is? */
static bool leads_here(const struct zone *zone)
{
    const struct list_node *last = zone->history->items.previous;
    return last == &zone->history->items ||
           CONTAINER_OF(last, struct zone_history_item, node)->change.serial_to == zone_serial(zone);
}

struct zone *signed_zone_restore(const struct signed_zone *z)
{
    char whole[PATH_MAX], log[PATH_MAX];
    struct heap heap = memory_heap();
    if (!has_numbers(z) || !path_of(z, "whole", whole) || !path_of(z, "changes", log))
        return NULL;
    struct zone *zone = load(z, whole);
    if (zone == NULL)
        return NULL;
    zone->history = zone_history_new(&heap, ZONE_HISTORY_OCTETS_DEFAULT);
    bool good = zone->history != NULL && zone_is_served(zone) &&
                zone_signatures(zone->apex, DNS_SOA) != NULL &&
                change_log_read(log, &heap, on_change, zone) == 0 && leads_here(zone);
    if (good)
        return zone;
    zone_free(zone);
    return NULL;
}

/* ---- what happens to it ---- */

static void close_log(struct signed_zone *z)
{
    if (z->log >= 0)
        (void)close(z->log);
    z->log = -1;
    list_remove(&z->unsynced);
}

static void write_whole(struct signed_zone *z)
{
    struct site_signing *signing = z->owner;
    if (signing->keeping == z) {
        file_replace_abandon(&signing->file);
        signing->keeping = NULL;
    }
    if (!list_linked(&z->unkept))
        list_append(&signing->unkept, &z->unkept);
    loop_queue(signing->options.loop, &signing->keep_task);
}

/* What is kept leads to nothing that will be served. */
static void make_void(struct signed_zone *z)
{
    char path[PATH_MAX];
    close_log(z);
    uint64_t age;
    if (path_of(z, "changes", path) && file_age(path, &age) == 0) {
        int status = change_log_void(path);
        if (status < 0 && unlink(path) < 0 && errno != ENOENT)
            complain(z, path, status);
    }
    z->kept = false;
}

static bool append(struct signed_zone *z, const struct zone_change *change)
{
    char path[PATH_MAX];
    if (z->log < 0 && path_of(z, "changes", path))
        z->log = change_log_open(path);
    if (z->log < 0)
        return false;
    if (!list_linked(&z->unsynced))
        list_append(&z->owner->unsynced, &z->unsynced);
    loop_queue(z->owner->options.loop, &z->owner->keep_task);
    return change_log_append(z->log, change, &z->log_octets) == 0;
}

static bool is_long(const struct signed_zone *z)
{
    const struct zone *zone = signed_zone_served(z);
    uint64_t whole = zone != NULL ? (uint64_t)zone->record_count * LOG_RECORD_OCTETS : 0;
    return z->log_octets > LOG_OCTETS_MIN && z->log_octets > whole;
}

void signed_zone_keep(struct signed_zone *z, const struct zone_change *change)
{
    if (!has_numbers(z))
        return;
    if (z->kept && change != NULL && append(z, change)) {
        if (is_long(z) && z->owner->keeping != z)
            write_whole(z);
        return;
    }
    make_void(z);
    write_whole(z);
}

void signed_zone_keep_end(struct signed_zone *z)
{
    struct site_signing *signing = z->owner;
    if (signing->keeping == z) {
        file_replace_abandon(&signing->file);
        signing->keeping = NULL;
    }
    list_remove(&z->unkept);
    if (z->log >= 0)
        (void)fdatasync(z->log);
    close_log(z);
}

/* ---- in slices ---- */

static void flush(struct site_signing *signing)
{
    if (signing->keep_status == 0 && signing->buffered > 0)
        signing->keep_status =
            file_replace_write(&signing->file, bytes_of(signing->buffer, signing->buffered));
    signing->buffered = 0;
}

static void on_line(void *self, struct bytes line)
{
    struct site_signing *signing = self;
    if (signing->buffered + line.len > BUFFER_SIZE)
        flush(signing);
    memcpy(signing->buffer + signing->buffered, line.data, line.len);
    signing->buffered += line.len;
}
_Static_assert((int)ZONE_WRITE_LINE_MAX <= (int)BUFFER_SIZE, "a line has room");

static void make_folder(const struct signed_zone *z)
{
    char path[PATH_MAX];
    struct text t = text_of(path, sizeof path);
    text_add_format(&t, "%s/signed", z->policy.keys);
    if (!t.failed)
        (void)mkdir(path, FOLDER_MODE); /* what is wrong with it is said when a file is made */
}

static void begin_writing(struct signed_zone *z)
{
    static const char head[] = "; Kept of a zone that is signed here: changes here are lost.\n";
    struct site_signing *signing = z->owner;
    const struct zone *zone = signed_zone_served(z);
    char path[PATH_MAX];
    list_remove(&z->unkept);
    if (zone == NULL || !z->served || !path_of(z, "whole", path))
        return;
    if (signing->buffer == NULL)
        signing->buffer = malloc(BUFFER_SIZE);
    make_folder(z);
    int status = signing->buffer != NULL ? file_replace_begin(&signing->file, path, FILE_MODE) : -ENOMEM;
    if (status < 0) {
        complain(z, path, status);
        return;
    }
    signing->keeping = z;
    signing->keep_status = 0;
    signing->buffered = 0;
    zone_write_start(&signing->write, zone);
    on_line(signing, bytes_of_text(head));
}

/* The zone is in its place, and then what led to it: between the two the old log, or that there is none, holds. */
static int commit(struct signed_zone *z)
{
    char path[PATH_MAX];
    int status = file_replace_commit(&z->owner->file);
    if (status < 0)
        return status;
    close_log(z);
    if (!path_of(z, "changes", path))
        return -ENAMETOOLONG;
    status = change_log_begin(path, signed_zone_served(z)->history, &z->log_octets);
    z->log_octets = 0;
    z->kept = status == 0;
    return status;
}

static void write_slice(struct signed_zone *z)
{
    struct site_signing *signing = z->owner;
    const struct zone *zone = signed_zone_served(z);
    size_t names = (size_t)SLICE << (z->keep_tries < TRIES_MAX ? z->keep_tries : TRIES_MAX);
    enum zone_write_status status = ZONE_WRITE_CHANGED;
    if (zone != NULL && signing->keep_status == 0)
        status = zone_write_step(&signing->write, zone, names, on_line, signing);
    if (status == ZONE_WRITE_MORE)
        return;
    flush(signing);
    int result = signing->keep_status;
    if (result == 0 && status == ZONE_WRITE_WHOLE)
        result = commit(z);
    file_replace_abandon(&signing->file);
    signing->keeping = NULL;
    if (result < 0) {
        complain(z, "signed", result);
        make_void(z);
    } else if (status == ZONE_WRITE_CHANGED) {
        z->keep_tries++;
        write_whole(z);
    } else {
        z->keep_tries = 0;
    }
}

static void sync_logs(struct site_signing *signing)
{
    while (!list_empty(&signing->unsynced)) {
        struct signed_zone *z = CONTAINER_OF(signing->unsynced.next, struct signed_zone, unsynced);
        int status = fdatasync(z->log) == 0 ? 0 : -errno;
        close_log(z);
        if (status == 0)
            continue;
        complain(z, "signed", status);
        make_void(z);
    }
}

void signing_keep_slice(struct task *task)
{
    struct site_signing *signing = CONTAINER_OF(task, struct site_signing, keep_task);
    sync_logs(signing);
    if (signing->keeping == NULL && !list_empty(&signing->unkept))
        begin_writing(CONTAINER_OF(signing->unkept.next, struct signed_zone, unkept));
    if (signing->keeping != NULL)
        write_slice(signing->keeping);
    if (signing->keeping != NULL || !list_empty(&signing->unkept))
        loop_queue(signing->options.loop, task);
}
