/* SPDX-License-Identifier: ISC */
/* site_web_doubts.c - what of a web server's locations is right, and yet may not be meant: two that overlap. */
#include <string.h>

#include "site/site_web.h"

/* Where the options of a rule are those of the host around it, there is nothing of its own that could be lost. */
static bool says_something(const struct web_rule *rule, const struct web_rule *host)
{
    struct web_rule plain = *host;
    plain.match = rule->match;
    memcpy(plain.pattern, rule->pattern, sizeof plain.pattern);
    return memcmp(&plain, rule, sizeof plain) != 0;
}

/* What does not hold below a folder, though its pattern fits there. */
static void look_at(const struct web_rule *folder, const struct web_rule *ending, struct text *out)
{
    const char *path = folder->pattern;
    const char *end = ending->pattern;
    if (!web_rule_runs(ending)) {
        text_add_format(out, "location \"%.100s\" goes before \"*%.50s\", whose options do not hold below it", path, end);
    } else if (folder->upload || folder->webdav) {
        text_add_format(out, "location \"%.100s\" takes uploads: what of them ends with %.50s is shown as it is, and not run", path, end);
    }
}

void site_web_doubts(const struct site_config *config, site_doubt *tell, void *self)
{
    const struct web_config *web = &config->web.config;
    for (uint32_t h = 0; h < web->host_count; h++) {
        const struct web_rule *all = &web->rules[web->hosts[h].rule_first];
        for (uint32_t i = 1; i < web->hosts[h].rule_count; i++)
            for (uint32_t k = 1; k < web->hosts[h].rule_count; k++) {
                char doubt[300];
                struct text text = text_of(doubt, sizeof doubt);
                if (all[i].match != WEB_MATCH_PREFIX || all[k].match != WEB_MATCH_SUFFIX ||
                    !says_something(&all[k], &all[0]))
                    continue;
                look_at(&all[i], &all[k], &text);
                if (text.len > 0)
                    tell(self, doubt);
            }
    }
}
