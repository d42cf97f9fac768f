/* SPDX-License-Identifier: ISC */
/* web_rules.c - hosts by name, rules by path. */
#include "app/web/web_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/web/web_auth.h"

static int open_root(const char *root)
{
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* Rules that have their root from the one before share its descriptor's directory, not itself: each
 * is closed alone. */
static int open_place(struct web_place *place, const struct web_rule *rule, const char **what)
{
    *place = (struct web_place){.rule = rule, .root_fd = -1, .prefix = ""};
    if (rule->root[0] != '\0') {
        *what = rule->root;
        place->root_fd = open_root(rule->root);
        if (place->root_fd < 0)
            return place->root_fd;
        place->prefix = "/.wholenet";
        place->root_path = realpath(rule->root, NULL);
        if (place->root_path == NULL)
            return -errno;
    }
    if (rule->auth == WEB_AUTH_NONE)
        return 0;
    *what = rule->users;
    return web_users_read(rule->users, &place->users);
}

static void close_place(struct web_place *place)
{
    if (place->root_fd >= 0)
        (void)close(place->root_fd);
    web_users_free(place->users);
    free(place->root_path);
}

/* ---- endings whose programs answer below other rules ---- */

/* All is as `outer` has it, but who answers. */
static void join(const struct web_rule *outer, const struct web_rule *ending, struct web_rule *out)
{
    *out = *outer;
    out->match = WEB_MATCH_SUFFIX;
    memcpy(out->pattern, ending->pattern, sizeof out->pattern);
    memcpy(out->backends, ending->backends, sizeof out->backends);
    out->backend_count = ending->backend_count;
    out->cgi = ending->cgi;
    out->cgi_memory = ending->cgi_memory;
    out->cgi_cpu = ending->cgi_cpu;
    memcpy(out->script, ending->script, sizeof out->script);
    memcpy(out->params, ending->params, sizeof out->params);
    out->param_count = ending->param_count;
    out->answer_timeout = ending->answer_timeout;
    memcpy(out->websocket, ending->websocket, sizeof out->websocket);
    out->websocket_binary = ending->websocket_binary;
    out->websocket_plain = ending->websocket_plain;
    out->websocket_max = ending->websocket_max;
    out->websocket_ping = ending->websocket_ping;
    memcpy(out->websocket_origins, ending->websocket_origins, sizeof out->websocket_origins);
    out->websocket_origin_count = ending->websocket_origin_count;
    memcpy(out->websocket_protocols, ending->websocket_protocols, sizeof out->websocket_protocols);
    out->websocket_protocol_count = ending->websocket_protocol_count;
    out->pass = ending->pass;
}

/* Can a path fall under both, and the outer one leaves open who answers? */
static bool meet(const struct web_rule *outer, const struct web_rule *ending)
{
    struct bytes path = bytes_of_text(outer->pattern);
    size_t len = strlen(ending->pattern);
    if (!web_rule_runs(ending) || web_rule_answers(outer) || outer->match == WEB_MATCH_ALL)
        return false;
    return outer->match == WEB_MATCH_PREFIX ||
           (path.len >= len && memcmp(path.data + path.len - len, ending->pattern, len) == 0);
}

static int add_joint(struct web_rules *rules, uint32_t own, uint32_t outer, uint32_t ending)
{
    const char *what; /* of a root or users that `outer` has open already */
    struct web_joint *joint = &rules->joints[rules->joint_count];
    const struct web_rule *all = rules->config.rules;
    *joint = (struct web_joint){.outer = outer, .ending = ending, .place.root_fd = -1};
    join(&all[outer], &all[ending], &joint->rule);
    rules->joint_count++;
    int status = open_place(&joint->place, &joint->rule, &what);
    if (!web_rule_demands_equal(&all[ending], &all[own]) &&
        !web_rule_demands_equal(&all[ending], &all[outer]))
        joint->place.also = &rules->places[ending];
    return status;
}

static size_t count_joints(const struct web_config *config, const struct web_host *host)
{
    const struct web_rule *all = config->rules + host->rule_first;
    size_t count = 0;
    for (uint32_t i = 0; i < host->rule_count; i++)
        for (uint32_t k = 0; k < host->rule_count; k++)
            count += meet(&all[i], &all[k]);
    return count;
}

static int add_joints(struct web_rules *rules, const struct web_host *host)
{
    const struct web_rule *all = rules->config.rules;
    uint32_t end = host->rule_first + host->rule_count;
    int status = 0;
    for (uint32_t i = host->rule_first; i < end; i++)
        for (uint32_t k = host->rule_first; k < end && status == 0; k++)
            if (meet(&all[i], &all[k]))
                status = add_joint(rules, host->rule_first, i, k);
    return status;
}

static int make_joints(struct web_rules *rules, const char **what)
{
    const struct web_config *config = &rules->config;
    size_t count = 0;
    int status = 0;
    for (uint32_t i = 0; i < config->host_count; i++)
        count += count_joints(config, &config->hosts[i]);
    if (count > WEB_JOINTS_MAX) {
        *what = "locations below which programs of endings answer";
        return -E2BIG;
    }
    rules->joints = calloc(count + 1, sizeof *rules->joints);
    if (rules->joints == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < config->host_count && status == 0; i++)
        status = add_joints(rules, &config->hosts[i]);
    return status;
}

int web_rules_new(const struct web_config *config, struct web_rules **out, const char **what)
{
    const char *which = "";
    struct web_rules *rules = calloc(1, sizeof *rules);
    if (rules == NULL)
        return -ENOMEM;
    rules->users = 1;
    rules->config = *config;
    rules->config.rule_count = 0;
    rules->config.rules = malloc(config->rule_count * sizeof *config->rules);
    rules->places = calloc(config->rule_count, sizeof *rules->places);
    int status = rules->config.rules == NULL || rules->places == NULL ? -ENOMEM : 0;
    for (uint32_t i = 0; i < config->rule_count && status == 0; i++) {
        rules->config.rules[i] = config->rules[i];
        rules->config.rule_count++;
        const char *name = "";
        status = open_place(&rules->places[i], &rules->config.rules[i], &name);
        if (status < 0) /* as `config` has it, which outlives us */
            which = name == rules->config.rules[i].root ? config->rules[i].root
                                                        : config->rules[i].users;
    }
    if (status == 0)
        status = make_joints(rules, &which);
    if (status < 0) {
        web_rules_release(rules);
        if (what != NULL)
            *what = which;
        return status;
    }
    *out = rules;
    return 0;
}

struct web_rules *web_rules_use(struct web_rules *rules)
{
    rules->users++;
    return rules;
}

void web_rules_release(struct web_rules *rules)
{
    if (rules == NULL || --rules->users > 0)
        return;
    for (uint32_t i = 0; i < rules->config.rule_count; i++)
        close_place(&rules->places[i]);
    for (uint32_t i = 0; i < rules->joint_count; i++)
        close_place(&rules->joints[i].place);
    free(rules->places);
    free(rules->joints);
    web_config_done(&rules->config);
    free(rules);
}

/* ---- hosts ---- */

/* 0: no; else how well: the more of the name it says, the better. */
static size_t name_fits(const char *pattern, struct bytes name)
{
    struct bytes wanted = bytes_of_text(pattern);
    if (wanted.len > 1 && wanted.data[0] == '*') { /* "*.example" */
        struct bytes tail = bytes_after(wanted, 1);
        if (name.len <= tail.len ||
            !bytes_equal_nocase(bytes_after(name, name.len - tail.len), tail))
            return 0;
        return tail.len;
    }
    return bytes_equal_nocase(wanted, name) ? SIZE_MAX : 0;
}

const struct web_host *web_rules_host(const struct web_rules *rules, struct bytes name)
{
    const struct web_host *best = &rules->config.hosts[0];
    size_t best_fit = 0;
    if (name.len > 0 && name.data[name.len - 1] == '.')
        name = bytes_first(name, name.len - 1); /* "example.org." is the same host */
    for (uint32_t i = 1; i < rules->config.host_count; i++) {
        const struct web_host *host = &rules->config.hosts[i];
        for (uint32_t k = 0; k < host->name_count; k++) {
            size_t fit = name_fits(host->names[k], name);
            if (fit > best_fit) {
                best = host;
                best_fit = fit;
            }
        }
    }
    return best;
}

/* ---- rules ---- */

static bool prefix_fits(struct bytes pattern, struct bytes path)
{
    if (!bytes_equal(bytes_first(path, pattern.len), pattern))
        return false;
    return pattern.data[pattern.len - 1] == '/' || path.len == pattern.len ||
           path.data[pattern.len] == '/';
}

/* 0: no; else how well. */
static size_t rule_fits(const struct web_rule *rule, struct bytes path)
{
    enum { PREFIX = 1 << 20, EXACT = 1 << 21 };
    struct bytes pattern = bytes_of_text(rule->pattern);
    switch (rule->match) {
    case WEB_MATCH_ALL:
        return 1;
    case WEB_MATCH_PREFIX:
        return prefix_fits(pattern, path) ? PREFIX + pattern.len : 0;
    case WEB_MATCH_SUFFIX:
        if (path.len < pattern.len ||
            !bytes_equal(bytes_after(path, path.len - pattern.len), pattern))
            return 0;
        return 1 + pattern.len;
    case WEB_MATCH_EXACT:
        return bytes_equal(pattern, path) ? EXACT : 0;
    }
    return 0;
}

/* The longest ending that the path has, and whose program would answer; 0: none. */
static uint32_t find_ending(const struct web_rules *rules, const struct web_host *host, struct bytes path)
{
    uint32_t best = 0;
    size_t best_fit = 0;
    for (uint32_t i = 1; i < host->rule_count; i++) {
        const struct web_rule *rule = &rules->config.rules[host->rule_first + i];
        size_t fit = web_rule_runs(rule) ? rule_fits(rule, path) : 0;
        if (fit > best_fit) {
            best = host->rule_first + i;
            best_fit = fit;
        }
    }
    return best;
}

static const struct web_place *find_joint(const struct web_rules *rules, uint32_t outer, uint32_t ending)
{
    for (uint32_t i = 0; i < rules->joint_count; i++)
        if (rules->joints[i].outer == outer && rules->joints[i].ending == ending)
            return &rules->joints[i].place;
    return NULL;
}

const struct web_place *web_rules_place(const struct web_rules *rules, const struct web_host *host,
                                        struct bytes path)
{
    uint32_t best = host->rule_first;
    size_t best_fit = 0;
    for (uint32_t i = 0; i < host->rule_count; i++) {
        size_t fit = rule_fits(&rules->config.rules[host->rule_first + i], path);
        if (fit > best_fit) {
            best = host->rule_first + i;
            best_fit = fit;
        }
    }
    if (rules->joint_count > 0 && best != host->rule_first && !web_rule_answers(&rules->config.rules[best])) {
        uint32_t ending = find_ending(rules, host, path);
        const struct web_place *joint = ending != 0 ? find_joint(rules, best, ending) : NULL;
        if (joint != NULL)
            return joint;
    }
    return &rules->places[best];
}

bool web_rule_admits(const struct web_rule *rule, const struct ip_address *address)
{
    for (uint32_t i = 0; i < rule->access_count; i++)
        if (prefix_contains(&rule->access[i].from, address))
            return rule->access[i].allow;
    return true;
}

size_t web_rule_rewrite(const struct web_rule *rule, struct bytes path, char *out, size_t size)
{
    for (uint32_t i = 0; i < rule->rewrite_count; i++) {
        struct bytes from = bytes_of_text(rule->rewrites[i].from);
        struct bytes to = bytes_of_text(rule->rewrites[i].to);
        struct bytes rest = bytes_empty();
        if (from.data[from.len - 1] == '*') {
            from.len--;
            if (!bytes_equal(bytes_first(path, from.len), from))
                continue;
            rest = bytes_after(path, from.len);
        } else if (!bytes_equal(path, from)) {
            continue;
        }
        if (to.data[to.len - 1] == '*')
            to.len--;
        else
            rest = bytes_empty();
        if (to.len + rest.len > size)
            return 0;
        memcpy(out, to.data, to.len);
        memcpy(out + to.len, rest.data, rest.len);
        return to.len + rest.len;
    }
    return 0;
}
