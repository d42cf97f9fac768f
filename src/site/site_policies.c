/* SPDX-License-Identifier: ISC */
/* site_policies.c - lists from files. The hosts file comes first: what somebody wrote here by hand. */
#include "site/site_policies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/names/names.h"
#include "os/file.h"
#include "os/memory.h"
#include "site/site_names.h"
#include "wire/dns/dns_master.h"

enum { LIST_FILE_MAX = 1 << 30, HOSTS_TTL = 60 };

static void set_done(struct site_policy_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        policy_free(set->lists[i]);
    set->count = 0;
}

void site_policies_done(struct site_policies *policies)
{
    set_done(&policies->everybody);
    for (size_t i = 0; i < SITE_VIEWS_MAX; i++)
        set_done(&policies->seen[i]);
}

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
                     struct site_policy_set *out, struct text *error)
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
    out->lists[out->count++] = policy;
    error->len = 0;
    error->start[0] = '\0';
    return 0;
}

static int read_set(const struct site_config *config, const struct site_lists *lists,
                    struct site_policy_set *out, struct text *error)
{
    int result = 0;
    out->given = lists->none || lists->policy_count > 0 || lists->hosts[0] != '\0';
    if (lists->hosts[0] != '\0')
        result = read_list(config, lists->hosts, NULL, out, error);
    for (size_t i = 0; i < lists->policy_count && result == 0; i++) {
        char zone[SITE_TEXT_MAX];
        memcpy(zone, lists->policies[i], sizeof zone);
        size_t end = strcspn(zone, " ");
        zone[end] = '\0';
        const char *path = zone + end + 1 + strspn(zone + end + 1, " ");
        result = read_list(config, path, zone, out, error);
    }
    return result;
}

int site_policies_read(const struct site_config *config, struct site_policies *out,
                       struct text *error)
{
    *out = (struct site_policies){0};
    int result = read_set(config, &config->recursion.lists, &out->everybody, error);
    for (size_t i = 0; i < config->authority.view_count && result == 0; i++)
        result = read_set(config, &config->authority.seen[i].lists, &out->seen[i], error);
    if (result < 0)
        site_policies_done(out);
    return result;
}
_Static_assert((int)SITE_POLICIES_MAX + 1 == POLICY_LISTS_MAX, "and the hosts file");

static void use_set(const struct site_policy_set *set, struct names *names, size_t view)
{
    struct resolver_policies lists = {.count = set->count};
    for (size_t i = 0; i < set->count; i++)
        lists.lists[i] = set->lists[i];
    names_set_policies(names, view, set->given || view == NAMES_EVERYBODY ? &lists : NULL);
}

void site_policies_use(const struct site_policies *policies, size_t view_count, struct names *names)
{
    use_set(&policies->everybody, names, NAMES_EVERYBODY);
    for (size_t i = 0; i < view_count; i++)
        use_set(&policies->seen[i], names, i);
}
