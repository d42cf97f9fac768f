/* SPDX-License-Identifier: ISC */
/* site_catalogs.c - whose member a zone is, and what follows for the zones that are had from others (RFC 9432 §5). */
#include "site/site_catalogs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/memory.h"
#include "proto/dns/catalog.h"
#include "site/site_catalog_file.h"
#include "site/site_names.h"

/* A member that is a zone of ours. */
struct owned {
    struct site_member member; /* .reset: it begins anew */
    size_t catalog;
    struct catalog_member as;  /* as what; its groups are not kept */
};

struct site_catalogs {
    struct loop *loop;
    const struct log *log;
    struct names *names;
    const struct site_config *config;
    struct site_secondaries_kept *secondaries;
    const struct site_zones *zones;
    struct task task;
    struct catalog *read[SITE_CATALOGS_MAX]; /* as each was last when it was right; NULL: never */
    bool right[SITE_CATALOGS_MAX];           /* what was read is what it says; else nothing new follows from it */
    bool news[SITE_CATALOGS_MAX];            /* since it was kept */
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
    c->right[index] = false;
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
    c->right[index] = c->news[index] = true;
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

static const struct catalog_member *new_member_in(const struct site_catalogs *c, size_t catalog,
                                                  const struct dns_name *zone)
{
    return catalog < SITE_CATALOGS_MAX && c->right[catalog] ? member_in(c, catalog, zone) : NULL;
}

/* The catalog to which that one gives the zone, when it is a member there by now (§4.4.1); SITE_CATALOGS_MAX: none. */
static size_t given_to(const struct site_catalogs *c, size_t catalog, const struct dns_name *zone)
{
    const struct catalog_member *had = new_member_in(c, catalog, zone);
    size_t other = had != NULL && had->has_coo ? catalog_of(c, &had->coo) : SITE_CATALOGS_MAX;
    return new_member_in(c, other, zone) != NULL ? other : SITE_CATALOGS_MAX;
}

/* The catalog that the zone belongs to: the one that had it before, while it has it and does not give it to
 * another (§4.4.1, §5.2); else the first that has it. */
static size_t owner_of(const struct site_catalogs *c, const struct dns_name *zone)
{
    const struct owned *before = owner_before(c, zone);
    if (before != NULL && given_to(c, before->catalog, zone) < SITE_CATALOGS_MAX)
        return given_to(c, before->catalog, zone);
    if (before != NULL && member_in(c, before->catalog, zone) != NULL)
        return before->catalog;
    size_t first = 0;
    while (first < c->config->catalogs.count && new_member_in(c, first, zone) == NULL)
        first++;
    return first;
}

/* Under another label nothing is left of what there was, and neither when it was not given, but let go and taken
 * (§4.4.1, §5.3, §5.4). */
static bool begins_anew(const struct site_catalogs *c, const struct owned *before, size_t index,
                        const struct catalog_member *member)
{
    if (before == NULL)
        return false;
    bool given = given_to(c, before->catalog, &member->zone) == index;
    return !catalog_same_id(&before->as, member) || (before->catalog != index && !given);
}

/* By its group, of which the first counts that the block knows. */
static const struct site_secondary *options_for(const struct site_catalog *catalog,
                                                const struct catalog_member *member)
{
    for (size_t i = 0; i < catalog->group_count; i++)
        if (catalog_in_group(member, catalog->groups[i].name))
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
    return site_zones_has(c->zones, NAMES_EVERYBODY, zone) ||
           (owner_before(c, zone) == NULL &&
            zone_set_get(names_zones(c->names, NAMES_EVERYBODY), zone) != NULL);
}

/* §7: a producer is not to be had zones from that are none of its business. */
static bool is_accepted(const struct site_catalog *catalog, const struct dns_name *zone)
{
    struct dns_name domain;
    for (size_t i = 0; i < catalog->accept_count; i++)
        if (dns_name_parse(bytes_of_text(catalog->accept[i]), NULL, &domain) &&
            dns_name_within(zone, &domain))
            return true;
    return catalog->accept_count == 0;
}

/* NULL: it is had. */
static const char *why_not(const struct site_catalogs *c, size_t index, const struct dns_name *zone)
{
    return !is_accepted(&c->config->catalogs.catalogs[index], zone) ? "expected one that \"accept\" has"
           : owner_of(c, zone) != index || is_others(c, zone)        ? "it is another's here"
                                                                     : NULL;
}

static void add_owned(struct site_catalogs *c, size_t index, const struct catalog_member *member,
                      struct owned *all, size_t *count)
{
    const struct site_catalog *catalog = &c->config->catalogs.catalogs[index];
    const struct owned *before = owner_before(c, &member->zone);
    const char *wrong = why_not(c, index, &member->zone);
    char name[DNS_NAME_TEXT_MAX];
    if (wrong != NULL) {
        log_warning(c->log, "catalog %s: zone %s is not had: %s", catalog->zone,
                    dns_name_format(&member->zone, name), wrong);
        return;
    }
    if (*count == NAMES_SECONDARIES_MAX)
        return;
    struct owned *owned = &all[(*count)++];
    owned->catalog = index;
    owned->as = *member;
    owned->as.groups = NULL;
    owned->as.groups_len = 0;
    owned->member = (struct site_member){.like = options_for(catalog, member),
                                         .directory = catalog->directory,
                                         .reset = begins_anew(c, before, index, member)};
    dns_name_copy(&owned->member.zone, &member->zone);
    if (before != NULL && before->catalog == index && !owned->member.reset)
        return;
    c->news[index] = true;
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

/* ---- what survives ---- */

static bool path_of(const struct site_catalogs *c, size_t index, char path[SITE_PATH_MAX])
{
    const struct site_catalog *catalog = &c->config->catalogs.catalogs[index];
    struct dns_name name = name_of(catalog);
    return site_secondaries_path(c->config, catalog->directory, &name, "catalog", path);
}

/* Of each catalog that has brought news: those that are had from it. */
static void keep(struct site_catalogs *c, size_t index)
{
    char path[SITE_PATH_MAX];
    size_t count = 0;
    if (!c->news[index] || c->read[index] == NULL || !path_of(c, index, path))
        return;
    c->news[index] = false;
    const struct catalog_member **members = calloc(c->owned_count + 1, sizeof *members);
    for (size_t i = 0; i < c->owned_count && members != NULL; i++)
        if (member_in(c, index, &c->owned[i].as.zone) != NULL && c->owned[i].catalog == index)
            members[count++] = member_in(c, index, &c->owned[i].as.zone);
    struct dns_name name = name_of(&c->config->catalogs.catalogs[index]);
    int status = members != NULL ? site_catalog_file_write(path, &name, members, count) : -ENOMEM;
    if (status < 0)
        log_error(c->log, "catalog %s: cannot write %s: %s; it is gone by, but not kept",
                  c->config->catalogs.catalogs[index].zone, path, strerror(-status));
    free(members);
}

/* Those that were had when the site last ran, unless they are another's by now. */
static int restore(struct site_catalogs *c)
{
    c->owned = calloc(NAMES_SECONDARIES_MAX, sizeof *c->owned);
    if (c->owned == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < c->config->catalogs.count; i++) {
        struct dns_name name = name_of(&c->config->catalogs.catalogs[i]);
        char path[SITE_PATH_MAX];
        if (path_of(c, i, path))
            c->read[i] = site_catalog_file_read(path, &name, c->log);
        const struct catalog_member *member = NULL;
        while (c->read[i] != NULL && (member = catalog_next(c->read[i], member)) != NULL) {
            if (is_others(c, &member->zone) || c->owned_count == NAMES_SECONDARIES_MAX)
                continue;
            struct owned *owned = &c->owned[c->owned_count++];
            owned->catalog = i;
            owned->as = *member;
            owned->as.groups = NULL;
            owned->as.groups_len = 0;
        }
    }
    return apply(c);
}

static void read_and_apply(struct site_catalogs *c)
{
    for (size_t i = 0; i < c->config->catalogs.count; i++)
        read_one(c, i);
    if (apply(c) < 0)
        log_error(c->log, "no memory: the members of catalogs go on as before");
    for (size_t i = 0; i < c->config->catalogs.count; i++)
        keep(c, i);
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

void site_catalogs_publish(const struct site_catalogs *c)
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
    enum zone_result result = zone != NULL ? make(zone, serial, c->zones) : ZONE_NO_MEMORY;
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

int site_catalogs_new(const struct site_catalogs_options *options, const struct site_config *config,
                      struct site_catalogs **out)
{
    struct site_catalogs *c = calloc(1, sizeof *c);
    if (c == NULL)
        return -ENOMEM;
    c->loop = options->loop;
    c->log = options->log;
    c->names = options->names;
    c->config = config;
    c->secondaries = options->secondaries;
    c->zones = options->zones;
    task_init(&c->task, on_task);
    int result = config->catalogs.count > 0 ? restore(c) : 0;
    if (result < 0) {
        site_catalogs_free(c);
        return result;
    }
    if (config->catalogs.count > 0)
        read_and_apply(c);
    *out = c;
    return 0;
}

/* Nothing is left of what is no catalog any more, or is kept elsewhere. */
static void forget_files(const struct site_catalogs *c, const struct site_config *config)
{
    for (size_t i = 0; i < c->config->catalogs.count; i++) {
        const struct site_catalog *old = &c->config->catalogs.catalogs[i];
        char path[SITE_PATH_MAX];
        bool stays = false;
        for (size_t k = 0; k < config->catalogs.count; k++)
            stays |= strcmp(old->zone, config->catalogs.catalogs[k].zone) == 0 &&
                     strcmp(old->directory, config->catalogs.catalogs[k].directory) == 0;
        if (!stays && path_of(c, i, path))
            (void)unlink(path);
    }
}

void site_catalogs_reload(struct site_catalogs *c, const struct site_config *config)
{
    /* Which is which is known by their places alone. */
    struct catalog *before[SITE_CATALOGS_MAX] = {NULL};
    forget_files(c, config);
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
    for (size_t i = 0; i < SITE_CATALOGS_MAX; i++)
        c->news[i] = true;
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
