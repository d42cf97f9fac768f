/* SPDX-License-Identifier: ISC */
/* site_zones.c - which zones a site serves from files, and loading them. */
#include "site/site_zones.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "os/file.h"
#include "os/memory.h"
#include "proto/dns/zone_difference.h"
#include "proto/dns/zone_history.h"
#include "site/site_names.h"
#include "site/site_signing.h"
#include "site/zone_files.h"
#include "wire/dns/dns_serial.h"

enum {
    SLICE = 200,             /* records or names a turn: well under a millisecond */
    READ_SLICE = 1 << 20,    /* octets of a file: the same, when it is in memory */
    RECORDS_A_SIGNATURE = 10, /* so many take as long as a signature */
    START_SIGNATURES = 40000, /* made before the site starts: a second or two; then in slices */
    START_SLICE = 1000,
    LIST_LEN_MAX = 64 << 20, /* octets of a list of zones */
};

/* One zone of one view. */
struct entry {
    struct dns_name name;
    size_t view;
    char *path;
};

struct entries {
    struct entry *all; /* sorted once collected */
    size_t count;
    size_t room;
    const struct site_config *config; /* while they are collected */
};

struct site_zones {
    struct loop *loop;
    const struct log *log;
    struct names *names;
    struct entries entries;
    struct file_reading reading; /* of the file of entries.all[next] */
    char *text;             /* all of it; NULL: not yet */
    size_t text_len;
    struct zone_load *load; /* of it, in slices */
    struct zone *unsigned_zone; /* that zone, loaded, and being signed; NULL: none */
    uint32_t replayed_at;   /* what the data of the one before it had come to then */
    struct zone *fresh;     /* that zone, loaded, and compared with the one before it; NULL: none */
    struct zone_difference difference;
    struct zone_change change; /* what it comes to */
    size_t next;
    size_t failed_count;
    struct task task;
    struct zone *old; /* being taken apart; NULL: none */
    struct site_signing *signing;
    struct net *outside;
    size_t started; /* signatures that were asked for at the start */
    bool signed_too; /* the zones that are not signed are loaded: now those that are */
};

/* ---- which there are ---- */

static void free_entries(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->all[i].path);
    free(entries->all);
    *entries = (struct entries){0};
}

/* The path is copied. 0 or a negative errno. */
static int add_entry(struct entries *entries, size_t view, const struct dns_name *name,
                     const char *path)
{
    if (entries->count == SITE_ZONES_LOADED_MAX)
        return -ENOSPC;
    if (entries->count == entries->room) {
        size_t room = entries->room == 0 ? 64 : 2 * entries->room;
        struct entry *all = realloc(entries->all, room * sizeof *all);
        if (all == NULL)
            return -ENOMEM;
        entries->all = all;
        entries->room = room;
    }
    struct entry *entry = &entries->all[entries->count];
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

static int add_line(struct entries *entries, size_t view, struct bytes line)
{
    char path[SITE_TEXT_MAX], whole[SITE_PATH_MAX];
    struct dns_name name;
    if (!split(line, &name, path, sizeof path))
        return -EINVAL;
    return add_entry(entries, view, &name, site_path(entries->config, path, whole));
}

/* A file with a zone's name and its file in each line. */
static int add_list(struct entries *entries, size_t view, const char *path, struct text *error)
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
static int add_directory(struct entries *entries, size_t view, const char *path,
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

static int collect_source(struct entries *entries, size_t view,
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

static int compare(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
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
static int check_entries(const struct entries *entries, const struct site_config *config,
                         struct text *error)
{
    struct dns_name domain;
    char name[DNS_NAME_TEXT_MAX];
    bool has_domain = dns_name_parse(bytes_of_text(config->domain), NULL, &domain);
    for (size_t i = 0; i < entries->count; i++) {
        const struct entry *entry = &entries->all[i];
        const char *wrong = NULL;
        if (i > 0 && compare(entry - 1, entry) == 0)
            wrong = "there are two files for it";
        else if (has_domain && entry->view == NAMES_EVERYBODY && dns_name_equal(&entry->name, &domain))
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

static int collect(struct entries *out, const struct site_config *config, struct text *error)
{
    const struct site_authority *authority = &config->authority;
    struct entries entries = {.config = config};
    int result = collect_source(&entries, NAMES_EVERYBODY, &authority->everybody, error);
    for (size_t i = 0; i < authority->view_count && result == 0; i++)
        result = collect_source(&entries, i, &authority->seen[i].source, error);
    if (result == 0 && entries.count > 0)
        qsort(entries.all, entries.count, sizeof *entries.all, compare);
    if (result == 0)
        result = check_entries(&entries, config, error);
    if (result < 0)
        free_entries(&entries);
    entries.config = NULL;
    *out = entries;
    return result;
}

/* ---- loading ---- */

static void on_warning(void *self, const char *text)
{
    const struct site_zones *zones = self;
    log_warning(zones->log, "%s", text);
}

static void drop_text(struct site_zones *zones)
{
    file_reading_abandon(&zones->reading);
    free(zones->text);
    zones->text = NULL;
}

/* The file of the zone comes before the loader asks for it, so many octets a turn. What is wrong with it is
 * said by the loader, who then reads it himself. False: there is more of it. */
static bool read_text(struct site_zones *zones, const struct entry *entry, size_t len)
{
    if (zones->text != NULL)
        return true;
    if (zones->reading.fd < 0 &&
        file_reading_begin(&zones->reading, entry->path, ZONE_FILE_LEN_MAX) < 0)
        return true;
    int status = file_reading_step(&zones->reading, len);
    if (status == 0)
        zones->text = file_reading_take(&zones->reading, &zones->text_len);
    return status <= 0;
}

static const char *open_text(void *self, const char *path, struct bytes *out)
{
    struct site_zones *zones = self;
    const struct zone_files files = zone_files_of_host();
    if (zones->text == NULL || strcmp(path, zones->entries.all[zones->next].path) != 0)
        return files.open(files.self, path, out);
    *out = (struct bytes){(const uint8_t *)zones->text, zones->text_len};
    zones->text = NULL;
    return NULL;
}

static void close_text(void *self UNUSED, struct bytes text)
{
    const struct zone_files files = zone_files_of_host();
    files.close(files.self, text);
}

static struct zone_load *begin(struct site_zones *zones, const struct entry *entry)
{
    const struct zone_load_options options = {
        .heap = memory_heap(),
        .files = {open_text, close_text, zones},
        .path = entry->path,
        .name = &entry->name,
        .records_max = NAMES_RECORDS_MAX,
        .on_warning = on_warning,
        .self = zones,
    };
    return zone_load_new(&options);
}

/* A zone that is not there, or not yet, is nobody else's: its names are answered SERVFAIL. */
static void hold_place(struct site_zones *zones, const struct entry *entry)
{
    struct zone_set *set = names_zones(zones->names, entry->view);
    const struct zone *old = zone_set_get(set, &entry->name);
    if (old != NULL && zone_is_served(old))
        return;
    struct heap heap = memory_heap();
    struct zone *empty = zone_new(&heap, &entry->name, 0);
    struct zone *before = NULL;
    if (empty != NULL && zone_set_install(set, empty, &before) != ZONE_OK)
        zone_free(empty);
    zone_free(before);
}

/* What could not be loaded leaves its predecessor, or an empty place in which nothing is said. */
static void give_up(struct site_zones *zones, const struct entry *entry, const char *why)
{
    struct zone_set *set = names_zones(zones->names, entry->view);
    const struct zone *old = zone_set_get(set, &entry->name);
    bool served = old != NULL && zone_is_served(old);
    char name[DNS_NAME_TEXT_MAX];
    zones->failed_count++;
    log_error(zones->log, "%s", why);
    log_error(zones->log, "zone %s is not loaded; %s", dns_name_format(&entry->name, name),
              served ? "the one before it is served on" : "its names are answered SERVFAIL");
    hold_place(zones, entry);
}

/* Puts the zone in its place. */
static void install(struct site_zones *zones, const struct entry *entry, struct zone *zone)
{
    struct zone_set *set = names_zones(zones->names, entry->view);
    char name[DNS_NAME_TEXT_MAX];
    size_t count = zone->record_count;
    uint32_t serial = zone_serial(zone);
    ASSERT(zones->old == NULL);
    enum zone_result result = zone_set_install(set, zone, &zones->old);
    if (result != ZONE_OK) {
        zone_free(zone);
        site_signing_stop(zones->signing);
        give_up(zones, entry, zone_result_text(result));
        return;
    }
    if (site_signing_wants(zones->signing, &entry->name))
        site_signing_served(zones->signing);
    else
        site_signing_forget(zones->signing, entry->view, &entry->name);
    if (zones->old == NULL || !zone_is_served(zones->old) || zone_serial(zones->old) != serial)
        names_zone_changed(zones->names, entry->view, &entry->name);
    log_debug(zones->log, "zone %s: serial %" PRIu32 ", %zu records",
              dns_name_format(&entry->name, name), serial, count);
}

/* ---- what is different (RFC 1995 §5) ---- */

static struct zone *old_of(struct site_zones *zones, const struct entry *entry)
{
    struct zone *old = zone_set_get(names_zones(zones->names, entry->view), &entry->name);
    return old != NULL && zone_is_served(old) ? old : NULL;
}

static void stop_comparing(struct site_zones *zones)
{
    if (zones->fresh == NULL)
        return;
    zone_change_done(&zones->change);
    names_discard_zone(zones->names, zones->fresh);
    zones->fresh = NULL;
    site_signing_stop(zones->signing);
}

/* The new zone remembers what the old one did, which is served in `set` until then, if it goes on from there. */
static void take_history(const struct zone_set *set, struct zone *zone, struct zone *old)
{
    if (old->history == NULL || zone_serial(old) != zone_serial(zone))
        return;
    zone_history_free(zone->history);
    zone_set_close(set);
    zone->history = old->history;
    old->history = NULL;
    zone_set_open(set);
}

/* Begins to compare the zone with the one that it follows on, so that secondaries are told by what has
 * changed. False: there is nothing to compare, and the zone is the caller's. */
static bool compare_with_old(struct site_zones *zones, struct zone *zone, struct zone *old)
{
    struct heap heap = memory_heap();
    if (old == NULL || !dns_serial_before(zone_serial(old), zone_serial(zone)))
        return false;
    zone_change_init(&zones->change, &heap, ZONE_HISTORY_OCTETS_DEFAULT);
    if (zone_difference_start(&zones->difference, old, zone, &zones->change) != ZONE_OK) {
        zone_change_done(&zones->change);
        return false;
    }
    zones->fresh = zone;
    return true;
}

/* True: it is done with this zone. */
static bool step_difference(struct site_zones *zones, const struct entry *entry, size_t names)
{
    struct zone *old = old_of(zones, entry);
    if (old != zones->difference.old || zone_serial(old) != zones->change.serial_from) {
        stop_comparing(zones); /* it was changed meanwhile: the file is read again */
        return false;
    }
    enum zone_difference_status status = zone_difference_step(&zones->difference, names);
    if (status == ZONE_DIFFERENCE_MORE)
        return false;
    struct zone *zone = zones->fresh;
    const struct zone_set *set = names_zones(zones->names, entry->view);
    if (status == ZONE_DIFFERENCE_DONE) {
        struct heap heap = memory_heap();
        zone_set_close(set);
        zone_history_free(zone->history);
        zone->history = old->history != NULL
                            ? old->history
                            : zone_history_new(&heap, ZONE_HISTORY_OCTETS_DEFAULT);
        old->history = NULL;
        if (zone->history != NULL)
            zone_history_add(zone->history, &zones->change);
        zone_set_open(set);
    }
    zone_change_done(&zones->change);
    zones->fresh = NULL;
    install(zones, entry, zone);
    return true;
}

/* Changes that were made to the zone before are made again. False: it cannot be served. */
static bool replay(struct site_zones *zones, const struct entry *entry, struct zone **zone)
{
    char complaint[512] = "", name[DNS_NAME_TEXT_MAX];
    struct text error = text_of(complaint, sizeof complaint);
    size_t dropped;
    if (entry->view != NAMES_EVERYBODY)
        return true;
    if (names_replay(zones->names, zone, &dropped, &error) < 0) {
        zone_free(*zone);
        give_up(zones, entry, complaint);
        return false;
    }
    if (dropped > 0)
        log_warning(zones->log, "zone %s: its file is newer than %zu changes of the journal, which "
                                "are forgotten",
                    dns_name_format(&entry->name, name), dropped);
    return true;
}

/* The zone is as it will be served. True: it is done with it. */
static bool put(struct site_zones *zones, const struct entry *entry, struct zone *zone)
{
    struct zone *old = old_of(zones, entry);
    if (old != NULL)
        take_history(names_zones(zones->names, entry->view), zone, old);
    if (compare_with_old(zones, zone, old))
        return false;
    install(zones, entry, zone);
    return true;
}

static bool refuse_unsigned(struct site_zones *zones, const struct entry *entry, struct zone *zone)
{
    zone_free(zone);
    give_up(zones, entry, "it cannot be signed");
    return true;
}

/* The zone is loaded; some are signed before they are served. True: it is done with it. */
static bool finish(struct site_zones *zones, const struct entry *entry)
{
    struct zone *zone = zone_load_take(zones->load);
    if (!replay(zones, entry, &zone))
        return true;
    if (!site_signing_wants(zones->signing, &entry->name))
        return put(zones, entry, zone);
    if (!site_signing_begin(zones->signing, entry->view, zone))
        return refuse_unsigned(zones, entry, zone);
    zones->unsigned_zone = zone;
    const struct zone *old = old_of(zones, entry);
    zones->replayed_at = old != NULL ? old->unsigned_serial : 0;
    return false;
}

/* Was the zone changed, which is still served, while the new one was being signed? */
static bool is_outdated(struct site_zones *zones, const struct entry *entry)
{
    const struct zone *old = old_of(zones, entry);
    return old != NULL && old->dynamic && old->unsigned_serial != zones->replayed_at;
}

/* True: it is done with this zone. */
static bool step_signing(struct site_zones *zones, const struct entry *entry, size_t records)
{
    struct zone *zone = zones->unsigned_zone;
    size_t count = records / RECORDS_A_SIGNATURE;
    count = count < START_SLICE ? count : START_SLICE;
    zones->started += count;
    enum sign_status status = site_signing_step(zones->signing, (unsigned)count);
    if (status == SIGN_MORE)
        return false;
    zones->unsigned_zone = NULL;
    if (status == SIGN_DONE && is_outdated(zones, entry)) {
        site_signing_stop(zones->signing);
        zone_free(zone);
        return false; /* the file is read again */
    }
    return status == SIGN_DONE ? put(zones, entry, zone) : refuse_unsigned(zones, entry, zone);
}

/* At most so many records more of the zone that is next; before, so many names less of what it has
 * left behind. */
static void step(struct site_zones *zones, size_t records)
{
    if (zones->old != NULL) {
        if (zone_empty(zones->old, records)) {
            zone_free(zones->old);
            zones->old = NULL;
        }
        return;
    }
    const struct entry *entry = &zones->entries.all[zones->next];
    if (zones->unsigned_zone != NULL) {
        zones->next += step_signing(zones, entry, records);
        return;
    }
    if (zones->fresh != NULL) {
        zones->next += step_difference(zones, entry, records);
        return;
    }
    if (zones->load == NULL && !read_text(zones, entry, records == SIZE_MAX ? SIZE_MAX : READ_SLICE))
        return;
    if (zones->load == NULL)
        zones->load = begin(zones, entry);
    enum zone_load_status status = ZONE_LOAD_FAILED;
    if (zones->load != NULL)
        status = zone_load_step(zones->load, records);
    if (status == ZONE_LOAD_MORE)
        return;
    bool done = true;
    if (status == ZONE_LOAD_DONE)
        done = finish(zones, entry);
    else
        give_up(zones, entry, zones->load != NULL ? zone_load_error(zones->load) : "no memory");
    /* Of one that has failed a million records may be there. */
    names_discard_zone(zones->names, zone_load_abandon(zones->load));
    zones->load = NULL;
    drop_text(zones);
    zones->next += done;
}

static void say_how_it_went(const struct site_zones *zones)
{
    size_t records = zone_set_count(names_zones(zones->names, NAMES_EVERYBODY));
    if (zones->entries.count == 0)
        return;
    log_notice(zones->log, "%zu zones loaded, %zu refused; %zu records in all",
               zones->entries.count - zones->failed_count, zones->failed_count, records);
}

/* Goes to the next zone; false: there are no more. Those that are signed come after the others, as they may take
 * long. */
static bool goes_on(struct site_zones *zones)
{
    for (;; zones->next++) {
        if (zones->next == zones->entries.count) {
            if (zones->signed_too || zones->entries.count == 0)
                return false;
            zones->signed_too = true;
            zones->next = 0;
        }
        const struct entry *entry = &zones->entries.all[zones->next];
        if (site_signing_wants(zones->signing, &entry->name) == zones->signed_too)
            return true;
    }
}

static void run_slice(struct task *task)
{
    struct site_zones *zones = CONTAINER_OF(task, struct site_zones, task);
    if (goes_on(zones) || zones->old != NULL) {
        step(zones, SLICE);
        loop_queue(zones->loop, &zones->task);
        return;
    }
    say_how_it_went(zones);
}

/* ---- life ---- */

static struct zone_set *zones_of(void *self, size_t view)
{
    struct site_zones *zones = self;
    return names_zones(zones->names, view);
}

static void on_signed(void *self, size_t view, const struct dns_name *zone)
{
    struct site_zones *zones = self;
    names_zone_changed(zones->names, view, zone);
}

static bool is_signed_here(void *self, const struct dns_name *zone)
{
    const struct site_zones *zones = self;
    return site_signing_wants(zones->signing, zone);
}

static bool follow(void *self, const struct dns_name *zone, const struct zone_change *change)
{
    const struct site_zones *zones = self;
    return site_signing_follow(zones->signing, NAMES_EVERYBODY, zone, change);
}

static int start_signing(struct site_zones *zones, const struct site_config *config)
{
    const struct site_signing_options options = {
        .loop = zones->loop,
        .net = zones->outside,
        .log = zones->log,
        .signatures = &config->signatures,
        .zones = zones_of,
        .changed = on_signed,
        .self = zones,
    };
    int result = site_signing_new(&options, &zones->signing);
    if (result == 0)
        names_set_signer(zones->names, &(struct names_signer){is_signed_here, follow, zones});
    return result;
}

static void stop_signing(struct site_zones *zones)
{
    site_signing_stop(zones->signing);
    names_discard_zone(zones->names, zones->unsigned_zone);
    zones->unsigned_zone = NULL;
}

int site_zones_new(struct net *outside, const struct log *log, struct names *names,
                   const struct site_config *config, struct site_zones **out, struct text *error)
{
    struct site_zones *zones = calloc(1, sizeof *zones);
    if (zones == NULL)
        return -ENOMEM;
    struct loop *loop = net_loop(outside);
    zones->loop = loop;
    zones->outside = outside;
    zones->log = log;
    zones->names = names;
    zones->reading.fd = -1;
    task_init(&zones->task, run_slice);
    int result = start_signing(zones, config);
    if (result == 0)
        result = collect(&zones->entries, config, error);
    if (result < 0) {
        site_signing_free(zones->signing);
        free(zones);
        return result;
    }
    while ((goes_on(zones) || zones->old != NULL) && zones->started < START_SIGNATURES)
        step(zones, SIZE_MAX);
    if (goes_on(zones)) { /* what takes long to be signed comes later */
        for (size_t i = zones->next; i < zones->entries.count; i++)
            hold_place(zones, &zones->entries.all[i]);
        loop_queue(loop, &zones->task);
    } else {
        say_how_it_went(zones);
    }
    *out = zones;
    return 0;
}

const struct site_signing *site_zones_signing(const struct site_zones *zones)
{
    return zones->signing;
}

const struct dns_name *site_zones_each(const struct site_zones *zones, size_t *place)
{
    while (*place < zones->entries.count) {
        const struct entry *entry = &zones->entries.all[(*place)++];
        if (entry->view == NAMES_EVERYBODY)
            return &entry->name;
    }
    return NULL;
}

bool site_zones_has(const struct site_zones *zones, size_t view, const struct dns_name *zone)
{
    struct entry sought = {.view = view};
    dns_name_copy(&sought.name, zone);
    dns_name_lower(&sought.name);
    return zones->entries.count > 0 && bsearch(&sought, zones->entries.all, zones->entries.count,
                                               sizeof sought, compare) != NULL;
}

void site_zones_free(struct site_zones *zones)
{
    if (zones == NULL)
        return;
    loop_unqueue(&zones->task);
    stop_comparing(zones);
    stop_signing(zones);
    names_set_signer(zones->names, &(struct names_signer){0});
    site_signing_free(zones->signing);
    zone_load_free(zones->load);
    drop_text(zones);
    zone_free(zones->old);
    free_entries(&zones->entries);
    free(zones);
}

/* Both are sorted: zones that were there and are not wanted any more go. */
static void forget_others(struct site_zones *zones, const struct entries *wanted)
{
    size_t j = 0;
    for (size_t i = 0; i < zones->entries.count; i++) {
        const struct entry *old = &zones->entries.all[i];
        while (j < wanted->count && compare(&wanted->all[j], old) < 0)
            j++;
        if (j < wanted->count && compare(&wanted->all[j], old) == 0)
            continue;
        names_discard_zone(zones->names,
                           zone_set_take(names_zones(zones->names, old->view), &old->name));
        site_signing_forget(zones->signing, old->view, &old->name);
    }
}

void site_zones_reload(struct site_zones *zones, const struct site_config *config)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct entries wanted;
    int result = collect(&wanted, config, &error);
    if (result < 0) {
        log_error(zones->log, "the zones stay as they are: %s", complaint);
        return;
    }
    stop_comparing(zones);
    stop_signing(zones);
    site_signing_reload(zones->signing, &config->signatures);
    names_discard_zone(zones->names, zone_load_abandon(zones->load));
    zones->load = NULL;
    drop_text(zones);
    forget_others(zones, &wanted);
    free_entries(&zones->entries);
    zones->entries = wanted;
    zones->next = 0;
    zones->signed_too = false;
    zones->failed_count = 0;
    loop_queue(zones->loop, &zones->task);
}
