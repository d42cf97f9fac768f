/* SPDX-License-Identifier: ISC */
/* web_config.c - the rules of a configuration grow one by one. */
#include "app/web/web_config.h"

#include <stdlib.h>

struct web_rule *web_config_add_rule(struct web_config *config, const struct web_rule *like)
{
    if (config->rule_count == WEB_RULES_MAX)
        return NULL;
    struct web_rule *rules = realloc(config->rules, (config->rule_count + 1) * sizeof *rules);
    if (rules == NULL)
        return NULL;
    config->rules = rules;
    struct web_rule *rule = &rules[config->rule_count++];
    if (like != NULL)
        *rule = *like;
    else
        memset(rule, 0, sizeof *rule); /* a reload compares it octet by octet */
    return rule;
}

bool web_rule_set_pattern(struct web_rule *rule, struct bytes text)
{
    if (text.len > 2 && memcmp(text.data, "= ", 2) == 0) {
        rule->match = WEB_MATCH_EXACT;
        text = bytes_after(text, 2);
    } else if (text.len > 1 && text.data[0] == '*') {
        rule->match = WEB_MATCH_SUFFIX;
        text = bytes_after(text, 1);
    } else {
        rule->match = WEB_MATCH_PREFIX;
    }
    bool path = rule->match != WEB_MATCH_SUFFIX;
    if (text.len == 0 || text.len >= sizeof rule->pattern || (path && text.data[0] != '/'))
        return false;
    memset(rule->pattern, 0, sizeof rule->pattern);
    memcpy(rule->pattern, text.data, text.len);
    return true;
}

static bool has_program(const struct web_rule *rule)
{
    return rule->backend_count > 0 || rule->cgi || rule->websocket[0] != '\0' || rule->pass.count > 0;
}

bool web_rule_answers(const struct web_rule *rule)
{
    return has_program(rule) || rule->dns || rule->upload || rule->webdav || rule->redirect_status != 0;
}

bool web_rule_runs(const struct web_rule *rule)
{
    return rule->match == WEB_MATCH_SUFFIX && has_program(rule);
}

bool web_rule_demands_equal(const struct web_rule *a, const struct web_rule *b)
{
    return a->access_count == b->access_count && memcmp(a->access, b->access, sizeof a->access) == 0 &&
           a->auth == b->auth && strcmp(a->users, b->users) == 0 && strcmp(a->realm, b->realm) == 0 &&
           a->https_only == b->https_only && a->rate == b->rate && a->burst == b->burst;
}

bool web_config_equal(const struct web_config *a, const struct web_config *b)
{
    struct web_config x = *a;
    struct web_config y = *b;
    x.rules = y.rules = NULL;
    return memcmp(&x, &y, sizeof x) == 0 &&
           (a->rule_count == 0 ||
            memcmp(a->rules, b->rules, a->rule_count * sizeof *a->rules) == 0);
}

void web_config_done(struct web_config *config)
{
    free(config->rules);
    config->rules = NULL;
    config->rule_count = 0;
}
