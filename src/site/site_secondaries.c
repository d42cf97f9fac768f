/* SPDX-License-Identifier: ISC */
/* site_secondaries.c - files of zones that are had from others, and what the log says of them. */
#include "site/site_secondaries.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/file.h"
#include "os/memory.h"
#include "proto/dns/zone_load.h"
#include "proto/dns/zone_write.h"
#include "site/site_names.h"
#include "site/zone_files.h"

enum {
    SLICE = 200,                /* names a turn */
    BUFFER_SIZE = 256 * 1024,
    FILE_MODE = 0644,
};

struct entry {
    size_t view;        /* or NAMES_EVERYBODY */
    struct dns_name zone;
    char *path;         /* NULL: it is kept nowhere */
    bool member;        /* of a catalog: its file goes with it */
    bool changed;       /* since its file was written */
    bool failing;       /* it was logged already that no primary is of use */
};

struct site_secondaries_kept {
    struct loop *loop;
    const struct log *log;
    struct names *names;
    struct entry *entries;
    size_t count;
    struct task task;
    struct entry *writing;  /* NULL: none is being written */
    struct zone_write write;
    struct file_replacement file;
    int write_status;
    size_t buffered;
    char *buffer;
};

static struct entry *find(const struct site_secondaries_kept *kept, size_t view,
                          const struct dns_name *zone)
{
    for (size_t i = 0; i < kept->count; i++)
        if (kept->entries[i].view == view && dns_name_equal(&kept->entries[i].zone, zone))
            return &kept->entries[i];
    return NULL;
}

/* ---- writing ---- */

static void flush(struct site_secondaries_kept *kept)
{
    if (kept->write_status == 0 && kept->buffered > 0)
        kept->write_status =
            file_replace_write(&kept->file, bytes_of(kept->buffer, kept->buffered));
    kept->buffered = 0;
}

static void on_line(void *self, struct bytes line)
{
    struct site_secondaries_kept *kept = self;
    if (kept->buffered + line.len > BUFFER_SIZE)
        flush(kept);
    memcpy(kept->buffer + kept->buffered, line.data, line.len);
    kept->buffered += line.len;
}
_Static_assert((int)ZONE_WRITE_LINE_MAX <= (int)BUFFER_SIZE, "a line has room");

static void write_failed(struct site_secondaries_kept *kept, int status)
{
    char name[DNS_NAME_TEXT_MAX];
    log_error(kept->log, "zone %s: cannot write %s: %s; it is served, but not kept",
              dns_name_format(&kept->writing->zone, name), kept->writing->path, strerror(-status));
    file_replace_abandon(&kept->file);
    kept->writing = NULL;
}

static void begin_writing(struct site_secondaries_kept *kept, struct entry *entry)
{
    static const char head[] = "; Kept of a zone that is had from others: changes here are lost.\n";
    const struct zone *zone =
        zone_set_get(names_zones(kept->names, entry->view), &entry->zone);
    entry->changed = false;
    if (zone == NULL || !zone_is_served(zone))
        return;
    kept->writing = entry;
    zone_write_start(&kept->write, zone);
    int status = file_replace_begin(&kept->file, entry->path, FILE_MODE);
    if (status < 0) {
        write_failed(kept, status);
        return;
    }
    kept->write_status = 0;
    kept->buffered = 0;
    on_line(kept, bytes_of_text(head));
}

static void write_slice(struct site_secondaries_kept *kept)
{
    struct entry *entry = kept->writing;
    const struct zone *zone =
        zone_set_get(names_zones(kept->names, entry->view), &entry->zone);
    enum zone_write_status status = zone_write_step(&kept->write, zone, SLICE, on_line, kept);
    if (status == ZONE_WRITE_WHOLE)
        flush(kept);
    if (kept->write_status < 0) {
        write_failed(kept, kept->write_status);
        return;
    }
    if (status == ZONE_WRITE_MORE)
        return;
    if (status == ZONE_WRITE_CHANGED) {
        file_replace_abandon(&kept->file);
        kept->writing = NULL;
        entry->changed = zone != NULL && zone_is_served(zone);
        return;
    }
    int committed = file_replace_commit(&kept->file);
    if (committed < 0)
        write_failed(kept, committed);
    kept->writing = NULL;
}

static void run_slice(struct task *task)
{
    struct site_secondaries_kept *kept = CONTAINER_OF(task, struct site_secondaries_kept, task);
    for (size_t i = 0; i < kept->count && kept->writing == NULL; i++)
        if (kept->entries[i].changed)
            begin_writing(kept, &kept->entries[i]);
    if (kept->writing == NULL)
        return;
    write_slice(kept);
    loop_queue(kept->loop, &kept->task);
}

/* ---- what happens to them ---- */

static void log_new(const struct site_secondaries_kept *kept, const char *name, const char *primary,
                    const struct names_secondary_event *event)
{
    char text[200];
    struct text t = text_of(text, sizeof text);
    text_add_format(&t, "%zu records, ", event->records);
    text_add_size(&t, (size_t)event->octets);
    text_add(&t, " in ");
    text_add_duration(&t, event->taken);
    if (event->incremental)
        log_notice(kept->log, "zone %s: serial %" PRIu32 " from %s, changes since %" PRIu32 ": %s",
                   name, zone_serial(event->served), primary, event->serial_before, text);
    else
        log_notice(kept->log, "zone %s: serial %" PRIu32 " from %s, whole: %s", name,
                   zone_serial(event->served), primary, text);
}

static void on_confirmed(const struct site_secondaries_kept *kept, struct entry *entry,
                         const char *name, const char *primary)
{
    if (entry->failing)
        log_notice(kept->log, "zone %s: %s confirms it", name, primary);
    entry->failing = false;
    if (entry->path == NULL || entry->changed || entry == kept->writing)
        return;
    int status = file_touch(entry->path); /* its age is that of the last confirmation */
    if (status < 0)
        entry->changed = true;
}

static void on_event(void *self, const struct names_secondary_event *event)
{
    struct site_secondaries_kept *kept = self;
    struct entry *entry = find(kept, event->view, event->zone);
    char name[DNS_NAME_TEXT_MAX], primary[ENDPOINT_TEXT_MAX] = "";
    if (entry == NULL)
        return;
    dns_name_format(event->zone, name);
    if (event->primary != NULL)
        endpoint_format(&event->primary->at, primary);
    switch (event->kind) {
    case NAMES_ZONE_CURRENT:
        on_confirmed(kept, entry, name, primary);
        break;
    case NAMES_ZONE_NEW:
        log_new(kept, name, primary, event);
        entry->failing = false;
        entry->changed = entry->path != NULL;
        break;
    case NAMES_ZONE_FAILED:
        log_write(kept->log, entry->failing ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
                  "zone %s: %s is of no use: %s", name, primary, event->text);
        entry->failing = true;
        break;
    case NAMES_ZONE_EXPIRED:
        log_error(kept->log, "zone %s has expired: its names are answered SERVFAIL until a primary "
                             "has it", name);
        break;
    }
    if (entry->changed)
        loop_queue(kept->loop, &kept->task);
}

/* ---- what was kept ---- */

static void on_warning(void *self UNUSED, const char *text UNUSED)
{
    /* The zone's owner is told by the server that it comes from. */
}

/* Loads the file into the set; how many seconds ago was it confirmed? False: it could not be. */
static bool load(const struct site_secondaries_kept *kept, const struct entry *entry, uint64_t *age)
{
    const struct zone_load_options options = {
        .heap = memory_heap(),
        .files = zone_files_of_host(),
        .path = entry->path,
        .name = &entry->zone,
        .records_max = NAMES_RECORDS_MAX,
        .on_warning = on_warning,
    };
    char name[DNS_NAME_TEXT_MAX];
    if (file_age(entry->path, age) < 0)
        return false; /* it was never there */
    struct zone_load *loading = zone_load_new(&options);
    struct zone *zone = NULL;
    struct zone *old = NULL;
    if (loading != NULL && zone_load_step(loading, SIZE_MAX) == ZONE_LOAD_DONE)
        zone = zone_load_take(loading);
    else
        log_warning(kept->log, "zone %s: what was kept of it is of no use: %s",
                    dns_name_format(&entry->zone, name),
                    loading != NULL ? zone_load_error(loading) : "no memory");
    zone_load_free(loading);
    struct zone_set *set = names_zones(kept->names, entry->view);
    if (zone != NULL && zone_set_install(set, zone, &old) != ZONE_OK) {
        zone_free(zone);
        zone = NULL;
    }
    zone_free(old);
    return zone != NULL;
}

/* ---- life ---- */

_Static_assert((int)SITE_VIEWS_MAX == (int)NAMES_EVERYBODY, "who has no view is behind them all");

static void make_options(const struct site_secondary *from, struct names_secondary_options *out)
{
    out->octets_max = from->octets_max;
    out->primary_count = from->primaries.count;
    for (size_t i = 0; i < from->primaries.count; i++) {
        site_peer_make(&from->primaries.peers[i], &out->primaries[i]);
        out->tls[i].secure = from->primaries.peers[i].secure;
        snprintf(out->tls[i].name, sizeof out->tls[i].name, "%s", from->primaries.peers[i].tls_name);
    }
    out->notified.servers = from->notified.servers;
    out->notified.count = from->notified.count;
    for (size_t i = 0; i < from->notified.count; i++)
        site_peer_make(&from->notified.peers[i], &out->notified.peers[i]);
}

static void free_entries(struct entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(entries[i].path);
    free(entries);
}

/* All that are to be had from others. */
struct wanted {
    const struct site_config *config;
    const struct site_member *members;
    size_t member_count;
    size_t count;
};

static const struct site_secondary *wanted_like(const struct wanted *wanted, size_t index)
{
    size_t own = wanted->config->secondaries.count;
    return index < own ? &wanted->config->secondaries.zones[index] : wanted->members[index - own].like;
}

bool site_secondaries_path(const struct site_config *config, const char *directory,
                           const struct dns_name *zone, const char *ending, char out[SITE_PATH_MAX])
{
    char name[DNS_NAME_TEXT_MAX], whole[SITE_PATH_MAX];
    struct text t = text_of(out, SITE_PATH_MAX);
    if (directory[0] == '\0')
        return false;
    text_add_format(&t, "%s/", site_path(config, directory, whole));
    dns_name_format(zone, name);
    for (const char *at = name; *at != '\0'; at++)
        text_add_format(&t, *at == '/' ? "%%2F" : "%c", *at);
    text_add(&t, ending);
    return !t.failed;
}

/* False: no memory. */
static bool make_entry(const struct wanted *wanted, size_t index, struct entry *out)
{
    char path[SITE_PATH_MAX];
    size_t own = wanted->config->secondaries.count;
    const struct site_secondary *from = wanted_like(wanted, index);
    out->member = index >= own;
    out->view = out->member ? (size_t)NAMES_EVERYBODY : from->view;
    if (out->member) {
        const struct site_member *member = &wanted->members[index - own];
        dns_name_copy(&out->zone, &member->zone);
        if (!site_secondaries_path(wanted->config, member->directory, &member->zone, "zone", path))
            return true;
    } else {
        bool good = dns_name_parse(bytes_of_text(from->zone), NULL, &out->zone);
        ASSERT(good); /* it was when it was read */
        if (from->file[0] == '\0')
            return true;
        (void)site_path(wanted->config, from->file, path);
    }
    out->path = strdup(path);
    return out->path != NULL;
}

static struct entry *make_entries(const struct wanted *wanted)
{
    struct entry *entries = calloc(wanted->count > 0 ? wanted->count : 1, sizeof *entries);
    for (size_t i = 0; i < wanted->count && entries != NULL; i++) {
        if (make_entry(wanted, i, &entries[i]))
            continue;
        free_entries(entries, wanted->count);
        return NULL;
    }
    return entries;
}

/* Nothing is left of members that go, or where those are kept no more that go to another catalog. */
static void remove_files(const struct site_secondaries_kept *kept, const struct entry *entries,
                         size_t count)
{
    const struct site_secondaries_kept after = {.entries = (struct entry *)(uintptr_t)entries,
                                                .count = count};
    for (size_t i = 0; i < kept->count; i++) {
        const struct entry *entry = &kept->entries[i];
        if (!entry->member || entry->path == NULL)
            continue;
        const struct entry *then = find(&after, entry->view, &entry->zone);
        if (then == NULL || then->path == NULL || strcmp(then->path, entry->path) != 0)
            (void)unlink(entry->path);
    }
}

static void load_all(struct site_secondaries_kept *kept, const bool *known)
{
    for (size_t i = 0; i < kept->count; i++) {
        uint64_t age;
        struct entry *entry = &kept->entries[i];
        if (known[i] || entry->path == NULL || !load(kept, entry, &age))
            continue;
        names_secondary_have(kept->names, entry->view, &entry->zone, age);
    }
}

/* The entries, what they were before, and the service, go over to the configuration together. */
static int take_over(struct site_secondaries_kept *kept, const struct wanted *wanted)
{
    size_t count = wanted->count;
    const struct names_secondary_handler handler = {on_event, kept};
    struct entry *entries = make_entries(wanted);
    struct names_secondary_options *options = calloc(count > 0 ? count : 1, sizeof *options);
    bool *known = calloc(count > 0 ? count : 1, sizeof *known);
    int result = entries == NULL || options == NULL || known == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < count && result == 0; i++) {
        const struct entry *before = find(kept, entries[i].view, &entries[i].zone);
        known[i] = before != NULL;
        if (before != NULL)
            entries[i].failing = before->failing;
        /* In another place there is no file yet, or an old one. */
        bool there = before != NULL && before->path != NULL && entries[i].path != NULL &&
                     strcmp(before->path, entries[i].path) == 0 && !before->changed &&
                     before != kept->writing;
        entries[i].changed = before != NULL && entries[i].path != NULL && !there;
        options[i].view = entries[i].view;
        dns_name_copy(&options[i].zone, &entries[i].zone);
        make_options(wanted_like(wanted, i), &options[i]);
    }
    if (result == 0)
        result = names_set_secondaries(kept->names, options, count, &handler);
    free(options);
    if (result < 0) {
        free_entries(entries, entries != NULL ? count : 0);
        free(known);
        return result;
    }
    if (kept->writing != NULL)
        file_replace_abandon(&kept->file);
    kept->writing = NULL;
    remove_files(kept, entries, count);
    free_entries(kept->entries, kept->count);
    kept->entries = entries;
    kept->count = count;
    load_all(kept, known);
    free(known);
    loop_queue(kept->loop, &kept->task);
    return 0;
}

int site_secondaries_new(struct loop *loop, const struct log *log, struct names *names,
                         const struct site_config *config, struct site_secondaries_kept **out)
{
    struct site_secondaries_kept *kept = calloc(1, sizeof *kept);
    if (kept == NULL)
        return -ENOMEM;
    kept->loop = loop;
    kept->log = log;
    kept->names = names;
    kept->file.fd = -1;
    kept->buffer = malloc(BUFFER_SIZE);
    task_init(&kept->task, run_slice);
    int result = kept->buffer != NULL ? site_secondaries_reload(kept, config, NULL, 0) : -ENOMEM;
    if (result < 0) {
        site_secondaries_free(kept);
        return result;
    }
    *out = kept;
    return 0;
}

void site_secondaries_free(struct site_secondaries_kept *kept)
{
    if (kept == NULL)
        return;
    loop_unqueue(&kept->task);
    file_replace_abandon(&kept->file);
    free_entries(kept->entries, kept->count);
    free(kept->buffer);
    free(kept);
}

/* Without those that are to begin anew, and then with them. */
static int take_over_anew(struct site_secondaries_kept *kept, const struct wanted *wanted)
{
    struct site_member *others = calloc(wanted->member_count, sizeof *others);
    struct wanted first = *wanted;
    if (others == NULL)
        return -ENOMEM;
    first.members = others;
    first.member_count = 0;
    for (size_t i = 0; i < wanted->member_count; i++)
        if (!wanted->members[i].reset)
            others[first.member_count++] = wanted->members[i];
    first.count = wanted->config->secondaries.count + first.member_count;
    int result = take_over(kept, &first);
    free(others);
    return result == 0 ? take_over(kept, wanted) : result;
}

int site_secondaries_reload(struct site_secondaries_kept *kept, const struct site_config *config,
                            const struct site_member *members, size_t count)
{
    const struct wanted wanted = {.config = config,
                                  .members = members,
                                  .member_count = count,
                                  .count = config->secondaries.count + count};
    bool anew = false;
    if (wanted.count > NAMES_SECONDARIES_MAX)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        anew |= members[i].reset;
    return anew ? take_over_anew(kept, &wanted) : take_over(kept, &wanted);
}
