/* SPDX-License-Identifier: ISC */
/*
 * site_zones_load.c - the way of one zone from its file to its place, in steps: read, loaded, with the changes of its
 * journal, signed if it is to be, compared with the one before it, served.
 */
#include "site/site_zones_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "os/memory.h"
#include "proto/dns/zone_history.h"
#include "site/zone_files.h"
#include "wire/dns/dns_serial.h"

enum {
    READ_SLICE =
        1 << 20, /* octets of a file a turn, when it is in memory: well under a millisecond */
    RECORDS_A_SIGNATURE = 10, /* so many take as long as a signature */
    SIGNATURES_MAX = 1000,    /* a step */
};

/* ---- the file ---- */

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
static bool read_text(struct site_zones *zones, const struct site_zone_entry *entry, size_t len)
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

/* A zone that is signed here is served as it was, until its file is read: that is a reload then. */
static void restore(struct site_zones *zones, const struct site_zone_entry *entry)
{
    struct zone_set *set = names_zones(zones->names, entry->view);
    struct zone *before = NULL;
    const struct zone *old = zone_set_get(set, &entry->name);
    if ((old != NULL && zone_is_served(old)) || !site_signing_wants(zones->signing, &entry->name))
        return;
    struct zone *zone = site_signing_restore(zones->signing, entry->view, &entry->name);
    if (zone == NULL)
        return;
    if (zone_set_install(set, zone, &before) == ZONE_OK)
        names_zone_changed(zones->names, entry->view, &entry->name);
    else
        zone_free(zone);
    zone_free(before);
}

static struct zone_load *begin(struct site_zones *zones, const struct site_zone_entry *entry)
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

void site_zones_hold_place(struct site_zones *zones, const struct site_zone_entry *entry)
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
static void give_up(struct site_zones *zones, const struct site_zone_entry *entry, const char *why)
{
    struct zone_set *set = names_zones(zones->names, entry->view);
    const struct zone *old = zone_set_get(set, &entry->name);
    bool served = old != NULL && zone_is_served(old);
    char name[DNS_NAME_TEXT_MAX];
    zones->failed_count++;
    log_error(zones->log, "%s", why);
    log_error(zones->log, "zone %s is not loaded; %s", dns_name_format(&entry->name, name),
              served ? "the one before it is served on" : "its names are answered SERVFAIL");
    site_zones_hold_place(zones, entry);
}

/* Puts the zone in its place. */
static void install(struct site_zones *zones, const struct site_zone_entry *entry,
                    struct zone *zone)
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

static struct zone *old_of(struct site_zones *zones, const struct site_zone_entry *entry)
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
static bool step_difference(struct site_zones *zones, const struct site_zone_entry *entry,
                            size_t names)
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
    if (site_signing_wants(zones->signing, &entry->name))
        site_signing_keep(zones->signing, status == ZONE_DIFFERENCE_DONE ? &zones->change : NULL);
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
static bool replay(struct site_zones *zones, const struct site_zone_entry *entry,
                   struct zone **zone)
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
static bool put(struct site_zones *zones, const struct site_zone_entry *entry, struct zone *zone)
{
    struct zone *old = old_of(zones, entry);
    if (old != NULL)
        take_history(names_zones(zones->names, entry->view), zone, old);
    if (compare_with_old(zones, zone, old))
        return false;
    if (site_signing_wants(zones->signing, &entry->name))
        site_signing_keep(zones->signing, NULL);
    install(zones, entry, zone);
    return true;
}

static bool refuse_unsigned(struct site_zones *zones, const struct site_zone_entry *entry,
                            struct zone *zone)
{
    zone_free(zone);
    give_up(zones, entry, "it cannot be signed");
    return true;
}

/* The zone is loaded; some are signed before they are served. True: it is done with it. */
static bool finish(struct site_zones *zones, const struct site_zone_entry *entry)
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
static bool is_outdated(struct site_zones *zones, const struct site_zone_entry *entry)
{
    const struct zone *old = old_of(zones, entry);
    return old != NULL && old->dynamic && old->unsigned_serial != zones->replayed_at;
}

/* True: it is done with this zone. */
static bool step_signing(struct site_zones *zones, const struct site_zone_entry *entry,
                         size_t records)
{
    struct zone *zone = zones->unsigned_zone;
    size_t count = records / RECORDS_A_SIGNATURE;
    count = count < SIGNATURES_MAX ? count : SIGNATURES_MAX;
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

void site_zones_step(struct site_zones *zones, size_t records)
{
    if (zones->old != NULL) {
        if (zone_empty(zones->old, records)) {
            zone_free(zones->old);
            zones->old = NULL;
        }
        return;
    }
    const struct site_zone_entry *entry = &zones->entries.all[zones->next];
    if (zones->unsigned_zone != NULL) {
        zones->next += step_signing(zones, entry, records);
        return;
    }
    if (zones->fresh != NULL) {
        zones->next += step_difference(zones, entry, records);
        return;
    }
    if (zones->load == NULL &&
        !read_text(zones, entry, records == SIZE_MAX ? SIZE_MAX : READ_SLICE))
        return;
    if (zones->load == NULL) {
        restore(zones, entry);
        zones->load = begin(zones, entry);
    }
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

void site_zones_abandon(struct site_zones *zones)
{
    stop_comparing(zones);
    site_signing_stop(zones->signing);
    names_discard_zone(zones->names, zones->unsigned_zone);
    zones->unsigned_zone = NULL;
    names_discard_zone(zones->names, zone_load_abandon(zones->load));
    zones->load = NULL;
    drop_text(zones);
}
