/* SPDX-License-Identifier: ISC */
/* site_zones.c - the zones that a site serves from files: at the start, one after the other, and again. */
#include "site/site_zones.h"

#include <errno.h>
#include <stdlib.h>

#include "site/site_zones_internal.h"

enum {
    SLICE = 200, /* records or names a turn: well under a millisecond */
    START_SIGNATURES = 40000, /* made before the site starts: a second or two; then in slices */
};

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
        const struct site_zone_entry *entry = &zones->entries.all[zones->next];
        if (site_signing_wants(zones->signing, &entry->name) == zones->signed_too)
            return true;
    }
}

static void run_slice(struct task *task)
{
    struct site_zones *zones = CONTAINER_OF(task, struct site_zones, task);
    if (goes_on(zones) || zones->old != NULL) {
        site_zones_step(zones, SLICE);
        loop_queue(zones->loop, &zones->task);
        return;
    }
    say_how_it_went(zones);
}

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
        result = site_zone_list_collect(&zones->entries, config, error);
    if (result < 0) {
        site_signing_free(zones->signing);
        free(zones);
        return result;
    }
    while ((goes_on(zones) || zones->old != NULL) && zones->started < START_SIGNATURES)
        site_zones_step(zones, SIZE_MAX);
    if (goes_on(zones)) { /* what takes long to be signed comes later */
        for (size_t i = zones->next; i < zones->entries.count; i++)
            site_zones_hold_place(zones, &zones->entries.all[i]);
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
        const struct site_zone_entry *entry = &zones->entries.all[(*place)++];
        if (entry->view == NAMES_EVERYBODY)
            return &entry->name;
    }
    return NULL;
}

bool site_zones_has(const struct site_zones *zones, size_t view, const struct dns_name *zone)
{
    struct site_zone_entry sought = {.view = view};
    dns_name_copy(&sought.name, zone);
    dns_name_lower(&sought.name);
    return zones->entries.count > 0 && bsearch(&sought, zones->entries.all, zones->entries.count,
                                               sizeof sought, site_zone_compare) != NULL;
}

void site_zones_free(struct site_zones *zones)
{
    if (zones == NULL)
        return;
    loop_unqueue(&zones->task);
    site_zones_abandon(zones);
    names_set_signer(zones->names, &(struct names_signer){0});
    site_signing_free(zones->signing);
    zone_free(zones->old);
    site_zone_list_free(&zones->entries);
    free(zones);
}

/* Both are sorted: zones that were there and are not wanted any more go. */
static void forget_others(struct site_zones *zones, const struct site_zone_list *wanted)
{
    size_t j = 0;
    for (size_t i = 0; i < zones->entries.count; i++) {
        const struct site_zone_entry *old = &zones->entries.all[i];
        while (j < wanted->count && site_zone_compare(&wanted->all[j], old) < 0)
            j++;
        if (j < wanted->count && site_zone_compare(&wanted->all[j], old) == 0)
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
    struct site_zone_list wanted;
    int result = site_zone_list_collect(&wanted, config, &error);
    if (result < 0) {
        log_error(zones->log, "the zones stay as they are: %s", complaint);
        return;
    }
    site_zones_abandon(zones);
    site_signing_reload(zones->signing, &config->signatures);
    forget_others(zones, &wanted);
    site_zone_list_free(&zones->entries);
    zones->entries = wanted;
    zones->next = 0;
    zones->signed_too = false;
    zones->failed_count = 0;
    loop_queue(zones->loop, &zones->task);
}
