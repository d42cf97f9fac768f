/* SPDX-License-Identifier: ISC */
/*
 * web_rules.h - a configuration at work: which host and which rule a request falls under. A reload
 * makes new ones; requests under way keep those that they began with.
 */
#ifndef WN_APP_WEB_WEB_RULES_H
#define WN_APP_WEB_WEB_RULES_H

#include "app/web/web_config.h"

struct web_users;

/* A rule, and what of it is open. */
struct web_place {
    const struct web_rule *rule;
    int root_fd;             /* -1: no files */
    char *root_path;         /* from "/" on, for programs; NULL: no files */
    const char *prefix;      /* of the built-in site's paths: "" without files, else "/.wholenet" */
    struct web_users *users; /* NULL: everybody */
    const struct web_place *also; /* whose demands hold, too; NULL: none */
};

enum { WEB_JOINTS_MAX = 1024 };

/* Where the program of an ending answers below another rule that does not say itself who answers: all else is as
 * that says. What the ending demands of its own holds, too. */
struct web_joint {
    uint32_t outer, ending; /* rules */
    struct web_rule rule;
    struct web_place place;
};

struct web_rules {
    unsigned users; /* the service, and exchanges under way */
    struct web_config config;
    struct web_place *places; /* one for each rule */
    struct web_joint *joints; /* at most WEB_JOINTS_MAX; more: -E2BIG */
    uint32_t joint_count;
};

/* Copies the configuration and opens what it names. 0 or a negative errno; *what (may be NULL) then
 * is what could not be opened, in `config`. */
MUST_USE int web_rules_new(const struct web_config *config, struct web_rules **out,
                           const char **what);
struct web_rules *web_rules_use(struct web_rules *rules);
void web_rules_release(struct web_rules *rules); /* NULL is nothing */

/* The host that answers for `name` (without a port). */
const struct web_host *web_rules_host(const struct web_rules *rules, struct bytes name);

/* The rule for a decoded path: an exact one, else the longest prefix, else the longest suffix, else the
 * host's own. A suffix does not go before a prefix: that could be one that asks for a password. But where that says
 * nothing of who answers, the program of a suffix does: its source is not shown. */
const struct web_place *web_rules_place(const struct web_rules *rules, const struct web_host *host,
                                        struct bytes path);

/* May `address` have it? */
bool web_rule_admits(const struct web_rule *rule, const struct ip_address *address);

/* Rewrites a decoded path by the first rewrite that fits. The new length, at most `size`; 0: none
 * fits, or there is no room. */
size_t web_rule_rewrite(const struct web_rule *rule, struct bytes path, char *out, size_t size);

#endif
