/* SPDX-License-Identifier: ISC */
/* site_catalogs.c - whose member a zone is, and what follows for the zones that are had from others (RFC 9432 §5). */
#include "site/site_catalogs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "os/memory.h"
#include "proto/dns/catalog.h"

/* A member that is a zone of ours. */
struct owned {
    struct site_member member; /* .reset: it begins anew */
    size_t catalog;
    struct catalog_member as;  /* as what */
};

struct site_catalogs {
    struct loop *loop;
    const struct log *log;
    struct names *names;
    const struct site_config *config;
    struct site_secondaries_kept *secondaries;
    struct task task;
    struct catalog *read[SITE_CATALOGS_MAX]; /* as each was last when it was right; NULL: never */
    struct owned *owned;                     /* in the order of their catalogs */
    size_t owned_count;
};

static struct dns_name name_of(const struct site_catalog *catalog)
{
    struct dns_name name;
    bool good = dns_name_parse(bytes_of_text(catalog->zone), NULL, &name);
    ASSERT(good); /* it was when it was read */
    return name;
}

/* ---- reading ---- */

/* What is broken leaves what was read before (§5.1). */
static void read_one(struct site_catalogs *c, size_t index)
{
    const struct site_catalog *config = &c->config->catalogs.catalogs[index];
    struct dns_name name = name_of(config);
    const struct zone *zone = zone_set_get(names_zones(c->names, NAMES_EVERYBODY), &name);
    char complaint[DNS_NAME_TEXT_MAX + 100] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct heap heap = memory_heap();
    if (zone == NULL || !zone_is_served(zone))
        return; /* not yet; or it has expired, and its members are looked after on */
    struct catalog *fresh = catalog_new(&heap, NAMES_SECONDARIES_MAX);
    if (fresh == NULL || !catalog_read(fresh, zone, &error)) {
        log_error(c->log, "catalog %s is not gone by, the one before it is: %s", config->zone,
                  fresh != NULL ? complaint : "no memory");
        catalog_free(fresh);
        return;
    }
    catalog_free(c->read[index]);
    c->read[index] = fresh;
}

/* ---- whose ---- */

static const struct owned *owner_before(const struct site_catalogs *c, const struct dns_name *zone)
{
    for (size_t i = 0; i < c->owned_count; i++)
        if (dns_name_equal(&c->owned[i].as.zone, zone))
            return &c->owned[i];
    return NULL;
}

/* Which of the catalogs is it that has that name; SITE_CATALOGS_MAX: none. */
static size_t catalog_of(const struct site_catalogs *c, const struct dns_name *zone)
{
    for (size_t i = 0; i < c->config->catalogs.count; i++) {
        struct dns_name name = name_of(&c->config->catalogs.catalogs[i]);
        if (dns_name_equal(&name, zone))
            return i;
    }
    return SITE_CATALOGS_MAX;
}

static const struct catalog_member *member_in(const struct site_catalogs *c, size_t catalog,
                                              const struct dns_name *zone)
{
    return catalog < c->config->catalogs.count && c->read[catalog] != NULL
               ? catalog_find(c->read[catalog], zone)
               : NULL;
}

/* The catalog that the zone belongs to: the one that had it before, while it has it and does not give it to
 * another (§4.4.1, §5.2); else the first that has it. */
static size_t owner_of(const struct site_catalogs *c, const struct dns_name *zone)
{
    const struct owned *before = owner_before(c, zone);
    const struct catalog_member *had = before != NULL ? member_in(c, before->catalog, zone) : NULL;
    if (had != NULL && had->has_coo && member_in(c, catalog_of(c, &had->coo), zone) != NULL)
        return catalog_of(c, &had->coo);
    if (had != NULL)
        return before->catalog;
    size_t first = 0;
    while (first < c->config->catalogs.count && member_in(c, first, zone) == NULL)
        first++;
    return first;
}

/* By its group, of which the first counts that the block knows. */
static const struct site_secondary *options_for(const struct site_catalog *catalog,
                                                const struct catalog_member *member)
{
    for (size_t i = 0; i < catalog->group_count; i++)
        for (size_t k = 0; k < member->group_count; k++)
            if (strcmp(catalog->groups[i].name, member->groups[k]) == 0)
                return &catalog->groups[i].member;
    return &catalog->member;
}

/* Is there such a zone that is no member's? It is not touched (§5.2). */
static bool is_others(const struct site_catalogs *c, const struct dns_name *zone)
{
    const struct site_secondaries *others = &c->config->secondaries;
    struct dns_name name;
    for (size_t i = 0; i < others->count; i++)
        if (others->zones[i].view == SITE_VIEWS_MAX &&
            dns_name_parse(bytes_of_text(others->zones[i].zone), NULL, &name) &&
            dns_name_equal(&name, zone))
            return true;
    return owner_before(c, zone) == NULL &&
           zone_set_get(names_zones(c->names, NAMES_EVERYBODY), zone) != NULL;
}

static void add_owned(const struct site_catalogs *c, size_t index, const struct catalog_member *member,
                      struct owned *all, size_t *count)
{
    const struct site_catalog *catalog = &c->config->catalogs.catalogs[index];
    const struct owned *before = owner_before(c, &member->zone);
    char name[DNS_NAME_TEXT_MAX];
    if (owner_of(c, &member->zone) != index || is_others(c, &member->zone)) {
        log_warning(c->log, "catalog %s: zone %s is not had: it is another's here", catalog->zone,
                    dns_name_format(&member->zone, name));
        return;
    }
    if (*count == NAMES_SECONDARIES_MAX)
        return;
    struct owned *owned = &all[(*count)++];
    owned->catalog = index;
    owned->as = *member;
    owned->member = (struct site_member){.like = options_for(catalog, member),
                                         .directory = catalog->directory,
                                         .reset = before != NULL && !catalog_same_id(&before->as, member)};
    dns_name_copy(&owned->member.zone, &member->zone);
    if (before == NULL || before->catalog != index || owned->member.reset)
        log_notice(c->log, "catalog %s: zone %s is %s", catalog->zone,
                   dns_name_format(&member->zone, name),
                   owned->member.reset ? "to begin anew"
                   : before != NULL    ? "its own now"
                                       : "a member");
}

/* So that the secondaries are as the catalogs say. */
static int apply(struct site_catalogs *c)
{
    size_t count = 0;
    struct owned *all = calloc(NAMES_SECONDARIES_MAX, sizeof *all);
    struct site_member *members = calloc(NAMES_SECONDARIES_MAX, sizeof *members);
    int result = all != NULL && members != NULL ? 0 : -ENOMEM;
    for (size_t i = 0; i < c->config->catalogs.count && result == 0; i++) {
        const struct catalog_member *member = NULL;
        while (c->read[i] != NULL && (member = catalog_next(c->read[i], member)) != NULL)
            add_owned(c, i, member, all, &count);
    }
    for (size_t i = 0; i < count; i++)
        members[i] = all[i].member;
    if (result == 0)
        result = site_secondaries_reload(c->secondaries, c->config, members, count);
    free(members);
    if (result < 0) {
        free(all);
        return result;
    }
    struct owned *exact = realloc(all, (count > 0 ? count : 1) * sizeof *all);
    free(c->owned);
    c->owned = exact != NULL ? exact : all;
    c->owned_count = count;
    return 0;
}

static void read_and_apply(struct site_catalogs *c)
{
    for (size_t i = 0; i < c->config->catalogs.count; i++)
        read_one(c, i);
    if (apply(c) < 0)
        log_error(c->log, "no memory: the members of catalogs go on as before");
}

static void on_task(struct task *task)
{
    read_and_apply(CONTAINER_OF(task, struct site_catalogs, task));
}

void site_catalogs_zone_changed(struct site_catalogs *c, size_t view, const struct dns_name *zone)
{
    if (view == NAMES_EVERYBODY && catalog_of(c, zone) < SITE_CATALOGS_MAX)
        loop_queue(c->loop, &c->task);
}

/* ---- one of our own ---- */

static enum zone_result make(struct zone *zone, uint32_t serial, const struct site_zones *zones)
{
    const struct dns_name *name;
    size_t place = 0;
    enum zone_result result = catalog_begin(zone, serial);
    while (result == ZONE_OK && (name = site_zones_each(zones, &place)) != NULL)
        result = catalog_add(zone, name);
    return result;
}

void site_catalogs_publish(const struct site_catalogs *c, const struct site_zones *zones)
{
    struct dns_name name;
    struct heap heap = memory_heap();
    const char *text = c->config->catalogs.own;
    if (text[0] == '\0' || !dns_name_parse(bytes_of_text(text), NULL, &name))
        return;
    const struct zone *old = zone_set_get(names_zones(c->names, NAMES_EVERYBODY), &name);
    uint32_t serial = (uint32_t)loop_wall_seconds(c->loop);
    if (old != NULL && zone_is_served(old) && (int32_t)(serial - zone_serial(old)) <= 0)
        serial = zone_serial(old) + 1;
    struct zone *zone = zone_new(&heap, &name, NAMES_RECORDS_MAX);
    enum zone_result result = zone != NULL ? make(zone, serial, zones) : ZONE_NO_MEMORY;
    if (result == ZONE_OK)
        result = names_replace_zone(c->names, zone);
    if (result == ZONE_OK)
        return;
    zone_free(zone);
    log_error(c->log, "catalog %s stays as it was: %s", text, zone_result_text(result));
}

/* It is to be published no more, or under another name. */
static void withdraw(const struct site_catalogs *c, const struct site_config *config)
{
    struct dns_name name;
    const char *text = c->config->catalogs.own;
    if (strcmp(text, config->catalogs.own) == 0 || !dns_name_parse(bytes_of_text(text), NULL, &name))
        return;
    names_discard_zone(c->names, zone_set_take(names_zones(c->names, NAMES_EVERYBODY), &name));
}

/* ---- life ---- */

int site_catalogs_new(struct loop *loop, const struct log *log, struct names *names,
                      const struct site_config *config, struct site_secondaries_kept *secondaries,
                      struct site_catalogs **out)
{
    struct site_catalogs *c = calloc(1, sizeof *c);
    if (c == NULL)
        return -ENOMEM;
    c->loop = loop;
    c->log = log;
    c->names = names;
    c->config = config;
    c->secondaries = secondaries;
    task_init(&c->task, on_task);
    if (config->catalogs.count > 0)
        read_and_apply(c);
    *out = c;
    return 0;
}

void site_catalogs_reload(struct site_catalogs *c, const struct site_config *config)
{
    /* Which is which is known by their places alone. */
    struct catalog *before[SITE_CATALOGS_MAX] = {NULL};
    for (size_t i = 0; i < config->catalogs.count; i++) {
        struct dns_name name = name_of(&config->catalogs.catalogs[i]);
        size_t place = catalog_of(c, &name);
        if (place == SITE_CATALOGS_MAX)
            continue;
        before[i] = c->read[place];
        c->read[place] = NULL;
    }
    for (size_t i = 0; i < c->owned_count; i++) {
        struct dns_name name = name_of(&c->config->catalogs.catalogs[c->owned[i].catalog]);
        size_t place = 0;
        while (place < config->catalogs.count) {
            struct dns_name other = name_of(&config->catalogs.catalogs[place]);
            if (dns_name_equal(&name, &other))
                break;
            place++;
        }
        c->owned[i].catalog = place;
    }
    for (size_t i = 0; i < SITE_CATALOGS_MAX; i++) {
        catalog_free(c->read[i]);
        c->read[i] = before[i];
    }
    withdraw(c, config);
    c->config = config;
    read_and_apply(c);
}

void site_catalogs_free(struct site_catalogs *c)
{
    if (c == NULL)
        return;
    loop_unqueue(&c->task);
    for (size_t i = 0; i < SITE_CATALOGS_MAX; i++)
        catalog_free(c->read[i]);
    free(c->owned);
    free(c);
}
