/* SPDX-License-Identifier: ISC */
/* site_policies.c - lists from files and from zones. The hosts file comes first: what somebody wrote here by hand. */
#include "site/site_policies.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/names/names.h"
#include "os/file.h"
#include "os/memory.h"
#include "proto/dns/policy_zone.h"
#include "site/site_names.h"
#include "wire/dns/dns_master.h"

enum {
    LIST_FILE_MAX = 1 << 30,
    HOSTS_TTL = 60,
    SLICE = 200, /* names or rules a turn */
};

/* One list. */
struct list {
    struct policy *policy;
    bool from_zone;       /* of that name */
    struct dns_name zone;
    bool stale;           /* the zone is another one since */
    bool made;            /* of it, as `from` says */
    const struct zone_set *set; /* that the zone was in */
    struct policy_zone from;
};

/* The lists of a view, or of everybody. */
struct policy_set {
    size_t view;          /* or NAMES_EVERYBODY */
    bool given;           /* of a view; else it has those of everybody */
    size_t count;
    struct list lists[POLICY_LISTS_MAX];
};

enum { SETS = SITE_VIEWS_MAX + 1 };

struct site_policies {
    struct loop *loop;
    const struct log *log;
    struct names *names;
    size_t set_count;
    struct policy_set *sets; /* SETS of them: of everybody, and of each view */
    struct task task;
    struct list *making;  /* anew, from its zone; NULL: none is */
    struct policy_set *making_for;
    const struct zone_set *making_of; /* that its zone is in */
    struct policy *fresh; /* what it has come to so far */
    struct policy_zone from;
    struct policy *old;   /* being taken apart; NULL: none */
};

static void free_sets(struct policy_set *sets)
{
    for (size_t i = 0; i < SETS && sets != NULL; i++)
        for (size_t k = 0; k < sets[i].count; k++)
            policy_free(sets[i].lists[k].policy);
    free(sets);
}

/* ---- from files ---- */

static const char *text_of_result(enum policy_result result)
{
    return result == POLICY_FULL        ? "too many rules, or records of one"
           : result == POLICY_NO_MEMORY ? "no memory"
                                        : "that is no rule of a policy zone";
}

/* Relative names and "@" are those of the list. */
static int read_zone(struct policy *policy, const struct dns_name *origin, struct bytes file,
                     struct text *error)
{
    struct dns_master master;
    uint8_t *rdata = malloc(DNS_RDATA_MAX);
    struct dns_master_item *item = malloc(sizeof *item);
    enum dns_master_kind kind = DNS_MASTER_ERROR;
    enum policy_result result = rdata != NULL && item != NULL ? POLICY_OK : POLICY_NO_MEMORY;
    dns_master_start(&master, file, origin);
    while (result == POLICY_OK || result == POLICY_IGNORED) {
        struct writer w = writer_of(rdata, DNS_RDATA_MAX);
        kind = dns_master_next(&master, &w, item);
        if (kind != DNS_MASTER_RECORD)
            break;
        result = policy_add(policy, &item->record);
    }
    bool good = result == POLICY_OK || result == POLICY_IGNORED;
    if (!good && item != NULL)
        text_add_format(error, "line %u: %s", item->line, text_of_result(result));
    else if (!good)
        text_add(error, text_of_result(result));
    else if (kind == DNS_MASTER_ERROR)
        text_add_format(error, "line %u: %s", item->line, item->error);
    else if (kind == DNS_MASTER_INCLUDE)
        text_add_format(error, "line %u: expected records, not $INCLUDE", item->line);
    free(rdata);
    free(item);
    return good && kind == DNS_MASTER_END ? 0 : result == POLICY_NO_MEMORY ? -ENOMEM : -EINVAL;
}

static int read_hosts(struct policy *policy, struct bytes file, struct text *error)
{
    unsigned line;
    enum policy_result result = policy_add_hosts(policy, file, HOSTS_TTL, &line);
    if (result == POLICY_OK)
        return 0;
    text_add_format(error, "line %u: %s", line,
                    result == POLICY_WRONG ? "expected an address and names" : text_of_result(result));
    return result == POLICY_NO_MEMORY ? -ENOMEM : -EINVAL;
}

/* `zone` NULL: a hosts file. */
static int read_list(const struct site_config *config, const char *path, const char *zone,
                     struct policy_set *out, struct text *error)
{
    char whole[SITE_PATH_MAX], *content;
    size_t len;
    struct dns_name origin;
    struct heap heap = memory_heap();
    bool named = dns_name_parse(bytes_of_text(zone != NULL ? zone : "."), NULL, &origin);
    ASSERT(named && out->count < POLICY_LISTS_MAX); /* it was when it was read */
    text_add_format(error, "%s: ", path);
    int result = file_read(site_path(config, path, whole), LIST_FILE_MAX, &content, &len);
    if (result < 0) {
        text_add_format(error, "cannot read it: %s", strerror(-result));
        return result;
    }
    struct policy *policy = policy_new(&heap, &origin, POLICY_RULES_MAX);
    struct bytes file = bytes_of(content, len);
    if (policy == NULL)
        result = -ENOMEM;
    else
        result = zone != NULL ? read_zone(policy, &origin, file, error)
                              : read_hosts(policy, file, error);
    free(content);
    if (result < 0) {
        policy_free(policy);
        return result;
    }
    out->lists[out->count++].policy = policy;
    error->len = 0;
    error->start[0] = '\0';
    return 0;
}

static int add_from_zone(const char *zone, struct policy_set *out)
{
    struct heap heap = memory_heap();
    struct list *list = &out->lists[out->count];
    bool named = dns_name_parse(bytes_of_text(zone), NULL, &list->zone);
    ASSERT(named && out->count < POLICY_LISTS_MAX);
    list->from_zone = list->stale = true;
    list->policy = policy_new(&heap, &list->zone, POLICY_RULES_MAX);
    out->count += list->policy != NULL;
    return list->policy != NULL ? 0 : -ENOMEM;
}

static int read_set(const struct site_config *config, const struct site_lists *lists,
                    struct policy_set *out, struct text *error)
{
    int result = 0;
    out->given = lists->none || lists->policy_count > 0 || lists->hosts[0] != '\0';
    if (lists->hosts[0] != '\0')
        result = read_list(config, lists->hosts, NULL, out, error);
    for (size_t i = 0; i < lists->policy_count && result == 0; i++) {
        char zone[SITE_TEXT_MAX];
        memcpy(zone, lists->policies[i], sizeof zone);
        size_t end = strcspn(zone, " ");
        const char *path = zone + end + strspn(zone + end, " ");
        zone[end] = '\0';
        result = *path != '\0' ? read_list(config, path, zone, out, error) : add_from_zone(zone, out);
    }
    return result;
}
_Static_assert((int)SITE_POLICIES_MAX + 1 == POLICY_LISTS_MAX, "and the hosts file");

static int read_sets(const struct site_config *config, struct policy_set *out, struct text *error)
{
    out[0].view = NAMES_EVERYBODY;
    int result = read_set(config, &config->recursion.lists, &out[0], error);
    for (size_t i = 0; i < config->authority.view_count && result == 0; i++) {
        out[i + 1].view = i;
        result = read_set(config, &config->authority.seen[i].lists, &out[i + 1], error);
    }
    return result;
}

/* ---- from zones ---- */

static void use(struct site_policies *p, const struct policy_set *set)
{
    struct resolver_policies lists = {.count = set->count};
    for (size_t i = 0; i < set->count; i++)
        lists.lists[i] = set->lists[i].policy;
    names_set_policies(p->names, set->view,
                       set->given || set->view == NAMES_EVERYBODY ? &lists : NULL);
}

/* The zones of the view, or else everybody's, as its clients have it. */
static const struct zone_set *set_of(const struct site_policies *p, const struct policy_set *set,
                                     const struct list *list)
{
    const struct zone_set *own = names_zones(p->names, set->view);
    return zone_set_get(own, &list->zone) != NULL ? own : names_zones(p->names, NAMES_EVERYBODY);
}

/* NULL: there is none, or it is not served. */
static const struct zone *zone_of(const struct site_policies *p, const struct policy_set *set,
                                  const struct list *list)
{
    const struct zone *zone = zone_set_get(set_of(p, set, list), &list->zone);
    return zone != NULL && zone_is_served(zone) ? zone : NULL;
}

static void tell(const struct site_policies *p, const struct list *list)
{
    char name[DNS_NAME_TEXT_MAX];
    log_notice(p->log, "list %s: serial %" PRIu32 ", %zu rules", dns_name_format(&list->zone, name),
               list->from.serial, policy_count(list->policy));
}

/* What has changed in the zone is changed in the list. False: it has to be made anew. */
static bool follow(struct site_policies *p, struct policy_set *set, struct list *list)
{
    const struct zone *zone = zone_of(p, set, list);
    if (!list->made || list->set != set_of(p, set, list))
        return false;
    uint32_t before = list->from.serial;
    zone_set_close(names_zones(p->names, NAMES_EVERYBODY)); /* whose workers look at the list, too */
    enum policy_zone_status status = policy_zone_follow(&list->from, zone);
    zone_set_open(names_zones(p->names, NAMES_EVERYBODY));
    if (status != POLICY_ZONE_WHOLE)
        return false;
    list->stale = false;
    if (list->from.serial == before)
        return true;
    use(p, set); /* what was said by the rules before is forgotten */
    tell(p, list);
    return true;
}

static void stop_making(struct site_policies *p)
{
    policy_free(p->fresh);
    p->fresh = NULL;
    p->making = NULL;
}

/* False: it cannot be made, and stays as it is. */
static bool begin_one(struct site_policies *p, struct policy_set *set, struct list *list)
{
    struct heap heap = memory_heap();
    char name[DNS_NAME_TEXT_MAX];
    const struct zone *zone = zone_of(p, set, list);
    list->stale = false;
    p->fresh = zone != NULL ? policy_new(&heap, &list->zone, POLICY_RULES_MAX) : NULL;
    if (p->fresh == NULL) {
        log_notice(p->log, "list %s stays as it is, with %zu rules: %s",
                   dns_name_format(&list->zone, name), policy_count(list->policy),
                   zone == NULL ? "its zone is not served now" : "no memory");
        return false;
    }
    p->making = list;
    p->making_for = set;
    p->making_of = set_of(p, set, list);
    policy_zone_start(&p->from, p->fresh, zone);
    return true;
}

/* False: there is nothing to be made. */
static bool begin(struct site_policies *p)
{
    for (size_t i = 0; i < p->set_count; i++)
        for (size_t k = 0; k < p->sets[i].count; k++)
            if (p->sets[i].lists[k].stale && !follow(p, &p->sets[i], &p->sets[i].lists[k]) &&
                begin_one(p, &p->sets[i], &p->sets[i].lists[k]))
                return true;
    return false;
}

static void take(struct site_policies *p)
{
    struct list *list = p->making;
    char name[DNS_NAME_TEXT_MAX];
    p->old = list->policy;
    list->policy = p->fresh;
    list->from = p->from;
    list->set = p->making_of;
    list->made = true;
    p->fresh = NULL;
    p->making = NULL;
    use(p, p->making_for);
    tell(p, list);
    if (p->from.wrong > 0)
        log_warning(p->log, "list %s: %zu records are no rules that are understood, and left out",
                    dns_name_format(&list->zone, name), p->from.wrong);
}

/* False: there is nothing to do any more. */
static bool step(struct site_policies *p, size_t count)
{
    char name[DNS_NAME_TEXT_MAX];
    if (p->old != NULL) {
        if (policy_empty(p->old, count)) {
            policy_free(p->old);
            p->old = NULL;
        }
        return true;
    }
    if (p->making == NULL && !begin(p))
        return false;
    bool same = set_of(p, p->making_for, p->making) == p->making_of;
    switch (policy_zone_step(&p->from, same ? zone_of(p, p->making_for, p->making) : NULL, count)) {
    case POLICY_ZONE_MORE:
        break;
    case POLICY_ZONE_WHOLE:
        take(p);
        break;
    case POLICY_ZONE_FULL:
        log_error(p->log, "list %s stays as it was: too many rules, or no memory",
                  dns_name_format(&p->making->zone, name));
        stop_making(p);
        break;
    case POLICY_ZONE_CHANGED:
        p->making->stale = true;
        stop_making(p);
        break;
    }
    return true;
}

static void run_slice(struct task *task)
{
    struct site_policies *p = CONTAINER_OF(task, struct site_policies, task);
    if (step(p, SLICE))
        loop_queue(p->loop, &p->task);
}

void site_policies_zone_changed(struct site_policies *p, size_t view, const struct dns_name *zone)
{
    for (size_t i = 0; i < p->set_count; i++)
        for (size_t k = 0; k < p->sets[i].count; k++) {
            struct list *list = &p->sets[i].lists[k];
            if (!list->from_zone || (view != NAMES_EVERYBODY && view != p->sets[i].view) ||
                !dns_name_equal(&list->zone, zone))
                continue;
            list->stale = true;
            loop_queue(p->loop, &p->task);
        }
}

/* ---- life ---- */

/* What was made of zones is of use until it is made anew. */
static void keep_made(struct policy_set *before, struct policy_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        for (size_t k = 0; k < before->count; k++) {
            struct list *list = &set->lists[i], *old = &before->lists[k];
            if (!list->from_zone || !old->from_zone || !dns_name_equal(&list->zone, &old->zone))
                continue;
            struct policy *empty = list->policy;
            list->policy = old->policy;
            list->made = old->made;
            list->set = old->set;
            list->from = old->from;
            old->policy = empty;
            old->made = false;
        }
}

int site_policies_reload(struct site_policies *p, const struct site_config *config, struct text *error)
{
    struct policy_set *sets = calloc(SETS, sizeof *sets);
    struct policy_set *before = p->sets;
    if (sets == NULL)
        return -ENOMEM;
    int result = read_sets(config, sets, error);
    if (result < 0) {
        free_sets(sets);
        return result;
    }
    stop_making(p);
    for (size_t i = 0; i < SETS && before != NULL; i++)
        keep_made(&before[i], &sets[i]);
    p->sets = sets;
    p->set_count = config->authority.view_count + 1;
    for (size_t i = 0; i < p->set_count; i++)
        use(p, &p->sets[i]);
    free_sets(before);
    loop_queue(p->loop, &p->task);
    return 0;
}

int site_policies_new(struct loop *loop, const struct log *log, struct names *names,
                      const struct site_config *config, struct site_policies **out, struct text *error)
{
    struct site_policies *p = calloc(1, sizeof *p);
    if (p == NULL)
        return -ENOMEM;
    p->loop = loop;
    p->log = log;
    p->names = names;
    task_init(&p->task, run_slice);
    int result = site_policies_reload(p, config, error);
    if (result < 0) {
        free(p);
        return result;
    }
    while (step(p, SIZE_MAX)) {
        /* nobody waits for us yet, and nobody is to be served without */
    }
    *out = p;
    return 0;
}

void site_policies_free(struct site_policies *p)
{
    if (p == NULL)
        return;
    loop_unqueue(&p->task);
    stop_making(p);
    policy_free(p->old);
    free_sets(p->sets);
    free(p);
}
