/* SPDX-License-Identifier: ISC */
/* site_names_manner.c - how the name server answers, and whom it obeys. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "site/site_internal.h"
#include "site/site_names.h"

_Static_assert((int)SITE_RULES_MAX == NAMES_RULES_MAX && (int)SITE_KEYS_MAX == TSIG_KEYS_MAX,
               "both sides have room for as much");

static void make_rule(const struct site_rule *rule, struct names_rule *out)
{
    *out = (struct names_rule){.any_network = rule->any_network,
                               .network = rule->network,
                               .any_key = rule->key[0] == '\0'};
    bool good = out->any_key || dns_name_parse(bytes_of_text(rule->key), NULL, &out->key);
    ASSERT(good); /* it was when it was read */
}

static void make_access(const struct site_rules *rules, struct names_access *out)
{
    out->count = rules->count;
    for (size_t i = 0; i < rules->count; i++)
        make_rule(&rules->rules[i], &out->rules[i]);
}

/* What is not said of a view is as for those who have none. */
static void make_reach(const struct site_reach *reach, const struct site_reach *other,
                       struct names_reach *out)
{
    make_access(reach->queries.count > 0 ? &reach->queries : &other->queries, &out->queries);
    make_access(reach->recursion.count > 0 ? &reach->recursion : &other->recursion, &out->recursion);
    make_access(reach->cache.count > 0 ? &reach->cache : &other->cache, &out->cache);
    out->own_names_only = reach->own_names_only;
}

/* The caller's to free; NULL: no memory. */
static struct names_view *make_views(const struct site_authority *authority)
{
    struct names_view *views = calloc(SITE_VIEWS_MAX, sizeof *views);
    for (size_t i = 0; views != NULL && i < authority->view_count; i++) {
        make_access(&authority->seen[i].clients, &views[i].clients);
        make_reach(&authority->seen[i].reach, &authority->reach, &views[i].reach);
    }
    return views;
}

_Static_assert((int)SITE_UPDATES_MAX == NAMES_UPDATES_MAX &&
                   (int)SITE_TYPES_MAX == NAMES_UPDATE_TYPES_MAX,
               "both sides have room for as much");

static void make_updates(const struct site_authority *authority, struct names_update_rule *out)
{
    static const enum names_update_scope scopes[] = {
        [SITE_SCOPE_ANY] = NAMES_UPDATE_ANY,
        [SITE_SCOPE_NAME] = NAMES_UPDATE_NAME,
        [SITE_SCOPE_BELOW] = NAMES_UPDATE_BELOW,
        [SITE_SCOPE_SELF] = NAMES_UPDATE_SELF,
        [SITE_SCOPE_BELOW_SELF] = NAMES_UPDATE_BELOW_SELF,
    };
    for (size_t i = 0; i < authority->update_count; i++) {
        const struct site_update *update = &authority->updates[i];
        out[i] = (struct names_update_rule){.scope = scopes[update->scope],
                                            .type_count = update->type_count};
        make_rule(&update->who, &out[i].who);
        memcpy(out[i].types, update->types, sizeof out[i].types);
        bool good = dns_name_parse(bytes_of_text(update->name[0] != '\0' ? update->name : "."), NULL,
                                   &out[i].name);
        ASSERT(good); /* it was when it was read */
    }
}

static void make_notified(const struct site_peers *peers, struct names_notified *out)
{
    out->servers = peers->servers;
    out->count = peers->count;
    for (size_t i = 0; i < peers->count; i++)
        site_peer_make(&peers->peers[i], &out->peers[i]);
}

int site_names_set_manner(struct site *site)
{
    static const enum names_cookies cookies[] = {
        [SITE_COOKIES_ON] = NAMES_COOKIES_ON,
        [SITE_COOKIES_OFF] = NAMES_COOKIES_OFF,
        [SITE_COOKIES_REQUIRED] = NAMES_COOKIES_REQUIRED,
    };
    const struct site_authority *authority = &site->config->authority;
    struct names_manner manner = {
        .minimal = authority->minimal,
        .cookies = cookies[authority->cookies],
        .udp_size = (uint16_t)authority->udp_size,
        .identity = authority->identity[0] != '\0' ? authority->identity : NULL,
        .version = authority->version[0] != '\0' ? authority->version : NULL,
        .rate_limit = authority->rate_limit,
        .rate_slip = (uint8_t)authority->rate_slip,
        .rate_prefix_v4 = (uint8_t)authority->rate_prefix_v4,
        .rate_prefix_v6 = (uint8_t)authority->rate_prefix_v6,
    };
    manner.keys = site->config->keys.keys;
    manner.key_count = site->config->keys.count;
    manner.peers_tls = site->primaries_tls;
    manner.peers_tls_anybody = site->primaries_tls_anybody;
    make_notified(&authority->notified, &manner.notified);
    manner.notified_port = (uint16_t)site->config->recursion.port;
    make_access(&authority->secondaries, &manner.secondaries);
    make_access(&authority->forwards, &manner.forwards);
    make_reach(&authority->reach, &authority->reach, &manner.reach);
    struct names_update_rule updates[SITE_UPDATES_MAX];
    make_updates(authority, updates);
    manner.updates = updates;
    manner.update_count = authority->update_count;
    struct names_view *views = make_views(authority);
    manner.views = views;
    int result = views != NULL ? names_set_manner(site->names, &manner) : -ENOMEM;
    free(views);
    return result;
}
