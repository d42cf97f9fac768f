/* SPDX-License-Identifier: ISC */
/* site_file_web.c - the block "web" of a site file, with the sites and locations in it. */
#include <stdlib.h>

#include "site/site_file.h"
#include "site/site_web.h"

/* A list that a block gives stands in the place of the one that it would have from around it. */
static bool take_rule(struct site_reader *reader, struct site_config *config, cfg_t *block,
                      struct web_rule *rule)
{
    const struct site_option *option;
    for (size_t i = 0; (option = site_option_at(i)) != NULL; i++)
        if (strcmp(option->section, "location") == 0 && option->list &&
            cfg_opt_size(cfg_getopt(block, option->name)) > 0)
            site_web_forget_list(rule, option->name);
    return site_file_take_options(reader, config, block, "location", rule);
}

/* The host's own rule and its locations, as the last host of the configuration. */
static bool take_host_rules(struct site_reader *reader, struct site_config *config, cfg_t *block,
                            const struct web_rule *own)
{
    struct web_config *web = &config->web.config;
    struct web_host *host = &web->hosts[web->host_count - 1];
    unsigned count = cfg_size(block, "location");
    host->rule_first = web->rule_count;
    for (unsigned i = 0; i <= count; i++) {
        cfg_t *location = i > 0 ? cfg_getnsec(block, "location", i - 1) : NULL;
        struct web_rule *rule = web_config_add_rule(web, own);
        if (rule == NULL) {
            text_add(site_file_complain(reader, (unsigned)block->line), "too many locations");
            return false;
        }
        host->rule_count++;
        if (location == NULL)
            continue;
        if (!web_rule_set_pattern(rule, bytes_of_text(cfg_title(location)))) {
            text_add_format(site_file_complain(reader, (unsigned)location->line),
                            "location \"%.100s\": expected a path such as \"/a/\", \"= /a\" or "
                            "\"*.ending\"", cfg_title(location));
            return false;
        }
        if (!take_rule(reader, config, location, rule))
            return false;
    }
    return true;
}

static bool take_site(struct site_reader *reader, struct site_config *config, cfg_t *block)
{
    struct web_config *web = &config->web.config;
    struct site_web_host *site = calloc(1, sizeof *site);
    bool good = false;
    if (site == NULL || web->host_count == WEB_HOSTS_MAX) {
        text_add_format(site_file_complain(reader, (unsigned)block->line), "more than %d sites",
                        WEB_HOSTS_MAX - 1);
    } else if (!site_web_add_name(&site->host, bytes_of_text(cfg_title(block)))) {
        text_add_format(site_file_complain(reader, (unsigned)block->line),
                        "site \"%.100s\": expected a host's name", cfg_title(block));
    } else {
        site->rule = config->web.rule;
        good = site_file_take_options(reader, config, block, "site", site) &&
               take_rule(reader, config, block, &site->rule);
    }
    if (good) {
        web->hosts[web->host_count++] = site->host;
        good = take_host_rules(reader, config, block, &site->rule);
    }
    free(site);
    return good;
}

bool site_file_take_web(struct site_reader *reader, struct site_config *config, cfg_t *block)
{
    struct web_config *web = &config->web.config;
    if (!take_rule(reader, config, block, &config->web.rule))
        return false;
    web->host_count = 1;
    if (!take_host_rules(reader, config, block, &config->web.rule))
        return false;
    unsigned count = cfg_size(block, "site");
    for (unsigned i = 0; i < count; i++)
        if (!take_site(reader, config, cfg_getnsec(block, "site", i)))
            return false;
    return true;
}
