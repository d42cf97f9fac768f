/* SPDX-License-Identifier: ISC */
/*
 * site_options.c - the options of all blocks as one list.
 */
#include "site/site_options.h"

#include "site/site_values.h"

static const struct site_option_table *const tables[] = {
    &site_link_options,
    &site_names_options,
    &site_web_options,
    &site_program_options,
    &site_pass_options,
    &site_proxy_options,
    &site_mdns_options,
};

const struct site_option *site_option_at(size_t index)
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        if (index < tables[i]->count)
            return &tables[i]->options[index];
        index -= tables[i]->count;
    }
    return NULL;
}

static size_t find_option(const char *section, const char *name)
{
    const struct site_option *option;
    size_t i = 0;
    for (; (option = site_option_at(i)) != NULL; i++)
        if (strcmp(option->section, section) == 0 && strcmp(option->name, name) == 0)
            break;
    return i;
}

const struct site_option *site_option_find(const char *section, const char *name)
{
    return site_option_at(find_option(section, name));
}

unsigned site_option_line(const struct site_config *config, const char *section, const char *name)
{
    size_t index = find_option(section, name);
    ASSERT(index < SITE_OPTIONS_MAX && site_option_at(index) != NULL);
    return config->lines[index];
}

bool site_option_is_in(const struct site_option *option, const char *section)
{
    bool around = strcmp(section, "web") == 0 || strcmp(section, "site") == 0;
    return strcmp(option->section, section) == 0 ||
           (around && strcmp(option->section, "location") == 0);
}

bool site_option_is_path(const struct site_option *option, const char *value)
{
    if (option->parse == site_parse_anchors)
        return strcmp(value, "root") != 0; /* the root zone's, which are built in */
    return option->parse == site_parse_path;
}

bool site_config_set(struct site_config *config, const char *section, const char *option,
                     const char *value, struct text *error)
{
    const struct site_option *found = site_option_find(section, option);
    ASSERT(found != NULL && strcmp(section, "host") != 0 && strcmp(section, "site") != 0 && strcmp(section, "view") != 0);
    if (found->parse(bytes_of_text(value), (char *)config + found->offset, found))
        return true;
    text_add_format(error, "expected %s", found->expected);
    return false;
}
