/* SPDX-License-Identifier: ISC */
/* site_file_blocks.c - what the blocks of a site file say, once its syntax is known to be right. */
#include <stdlib.h>

#include "site/site_file.h"
#include "site/site_names.h"
#include "site/site_sign.h"

bool site_file_take_options(struct site_reader *reader, struct site_config *config, cfg_t *cfg,
                            const char *section, void *base)
{
    const struct site_option *option;
    for (size_t i = 0; (option = site_option_at(i)) != NULL; i++) {
        if (strcmp(option->section, section) != 0)
            continue;
        cfg_opt_t *found = cfg_getopt(cfg, option->name);
        for (unsigned k = 0; k < cfg_opt_size(found); k++) {
            struct site_file_value *value = cfg_opt_getnptr(found, k);
            if (value == NULL)
                continue;
            config->lines[i] = value->line;
            char path[SITE_PATH_MAX];
            const char *text = value->text;
            if (site_option_is_path(option, text))
                text = site_path(config, text, path);
            if (option->parse(bytes_of_text(text), (char *)base + option->offset, option))
                continue;
            bool secret = strcmp(option->name, "secret") == 0; /* which is never repeated */
            text_add_format(site_file_complain(reader, value->line), "%s \"%.100s\": expected %s",
                            option->name, secret ? "…" : value->text, option->expected);
            return false;
        }
    }
    return true;
}

/* ---- addresses ---- */

static bool take_hosts(struct site_reader *reader, struct site_config *config, cfg_t *addresses)
{
    unsigned count = cfg_size(addresses, "host");
    for (unsigned i = 0; i < count; i++) {
        cfg_t *block = cfg_getnsec(addresses, "host", i);
        unsigned line = (unsigned)block->line;
        if (config->addresses.host_count == SITE_HOSTS_MAX) {
            text_add_format(site_file_complain(reader, line), "more than %d hosts", SITE_HOSTS_MAX);
            return false;
        }
        struct site_host host;
        memset(&host, 0, sizeof host);
        host.address = address_any_v4();
        struct bytes name = bytes_of_text(cfg_title(block));
        if (!site_label_valid(name)) {
            text_add_format(site_file_complain(reader, line),
                            "host \"%.100s\": expected one label of letters, digits and hyphens",
                            cfg_title(block));
            return false;
        }
        memcpy(host.name, name.data, name.len);
        if (!site_file_take_options(reader, config, block, "host", &host))
            return false;
        static const struct mac zeros;
        if (mac_equal(&host.mac, &zeros) || address_is_any(&host.address)) {
            text_add_format(site_file_complain(reader, line),
                            "host \"%s\": expected both mac and address", host.name);
            return false;
        }
        config->addresses.hosts[config->addresses.host_count++] = host;
    }
    return true;
}

/* ---- blocks with a title ---- */

/* Blocks with a title of which there may be many: their options go to a structure of their own, and
 * then it is finished. */
struct block_kind {
    const char *name;
    size_t size;
    bool (*finish)(struct site_config *config, const char *title, void *block, struct text *error);
};

static bool take_titled(struct site_reader *reader, struct site_config *config, cfg_t *parent,
                        const struct block_kind *kind)
{
    char reason[512] = "";
    unsigned count = cfg_size(parent, kind->name);
    for (unsigned i = 0; i < count && !reader->failed; i++) {
        cfg_t *cfg = cfg_getnsec(parent, kind->name, i);
        void *block = calloc(1, kind->size);
        struct text error = text_of(reason, sizeof reason);
        if (block == NULL)
            text_add_format(site_file_complain(reader, 0), "no memory for a block \"%s\"",
                            kind->name);
        else if (site_file_take_options(reader, config, cfg, kind->name, block) &&
                 !kind->finish(config, cfg_title(cfg), block, &error))
            text_add(site_file_complain(reader, (unsigned)cfg->line), reason);
        free(block);
    }
    return !reader->failed;
}

static const struct block_kind key_blocks = {"key", sizeof(struct site_key), site_finish_key};
static const struct block_kind secondary_blocks = {"secondary", sizeof(struct site_secondary),
                                                   site_finish_secondary};
static const struct block_kind signing_blocks = {"signing", sizeof(struct site_signature_block),
                                                 site_finish_signature};

/* ---- names ---- */

/* How its clients find names of others. */
static bool settle_view(struct site_view_block *block, struct text *error)
{
    struct site_view *view = &block->view;
    bool whom = view->forwarder_count > 0 || view->own.forward_count > 0;
    if (!view->own.resolve_given && whom) {
        view->own.resolve = SITE_RESOLVE_FORWARD;
        view->own.resolve_given = true;
    }
    if (view->own.resolve_given && view->own.resolve == SITE_RESOLVE_FORWARD && !whom) {
        text_add(error, "resolve = forward: expected forward or forward-for beside it");
        return false;
    }
    if (view->own.resolve_given && view->own.resolve != SITE_RESOLVE_FORWARD &&
        view->forwarder_count > 0) {
        text_add(error, "forward: expected resolve = forward beside it");
        return false;
    }
    if (!view->own.resolve_given && view->own.cache_octets > 0) {
        text_add(error, "cache: expected resolve or forward beside it");
        return false;
    }
    view->asks = view->own.resolve_given && view->own.resolve != SITE_RESOLVE_NONE;
    block->seen.reach.own_names_only |= view->own.resolve_given && !view->asks;
    return true;
}

static bool take_view(struct site_reader *reader, struct site_config *config, cfg_t *block,
                      struct site_view_block *view)
{
    char reason[128] = "";
    struct text error = text_of(reason, sizeof reason);
    unsigned line = (unsigned)block->line;
    struct bytes name = bytes_of_text(cfg_title(block));
    size_t count = config->authority.view_count;
    if (count == SITE_VIEWS_MAX) {
        text_add_format(site_file_complain(reader, line), "more than %d views", SITE_VIEWS_MAX);
        return false;
    }
    if (!site_label_valid(name)) {
        text_add_format(site_file_complain(reader, line),
                        "view \"%.100s\": expected one label of letters, digits and hyphens",
                        cfg_title(block));
        return false;
    }
    memcpy(view->view.name, name.data, name.len);
    if (!site_file_take_options(reader, config, block, "view", view))
        return false;
    if (view->seen.clients.count == 0) {
        text_add_format(site_file_complain(reader, line), "view \"%s\": expected clients",
                        view->view.name);
        return false;
    }
    if (!settle_view(view, &error)) {
        text_add_format(site_file_complain(reader, line), "view \"%s\": %s", view->view.name, reason);
        return false;
    }
    config->views[count] = view->view;
    config->authority.seen[count] = view->seen;
    config->authority.view_count++;
    size_t before = config->secondaries.count;
    if (!take_titled(reader, config, block, &secondary_blocks))
        return false;
    for (size_t i = before; i < config->secondaries.count; i++)
        config->secondaries.zones[i].view = count;
    return true;
}

static bool take_views(struct site_reader *reader, struct site_config *config, cfg_t *names)
{
    bool good = true;
    unsigned count = cfg_size(names, "view");
    for (unsigned i = 0; i < count && good; i++) {
        struct site_view_block *view = calloc(1, sizeof *view);
        if (view == NULL)
            text_add(site_file_complain(reader, 0), "no memory for a view");
        good = view != NULL && take_view(reader, config, cfg_getnsec(names, "view", i), view);
        free(view);
    }
    return good;
}

static bool take_groups(struct site_reader *reader, struct site_config *config, cfg_t *block,
                        struct site_catalog *catalog)
{
    unsigned count = cfg_size(block, "group");
    for (unsigned i = 0; i < count; i++) {
        cfg_t *cfg = cfg_getnsec(block, "group", i);
        const char *name = cfg_title(cfg);
        struct site_catalog_group *group = &catalog->groups[catalog->group_count];
        if (count > SITE_CATALOG_GROUPS_MAX || name[0] == '\0' ||
            strlen(name) >= sizeof group->name) {
            text_add_format(
                site_file_complain(reader, (unsigned)cfg->line),
                "group \"%.100s\": expected at most %d groups, of names up to %d octets", name,
                SITE_CATALOG_GROUPS_MAX, SITE_LABEL_MAX - 1);
            return false;
        }
        memcpy(group->name, name, strlen(name) + 1);
        if (!site_file_take_options(reader, config, cfg, "group", &group->member))
            return false;
        catalog->group_count++;
    }
    return true;
}

static bool take_catalogs(struct site_reader *reader, struct site_config *config, cfg_t *names)
{
    char reason[512] = "";
    struct text error = text_of(reason, sizeof reason);
    unsigned count = cfg_size(names, "catalog");
    for (unsigned i = 0; i < count; i++) {
        cfg_t *cfg = cfg_getnsec(names, "catalog", i);
        struct site_catalog *catalog = &config->catalogs.catalogs[i];
        if (i == SITE_CATALOGS_MAX) {
            text_add_format(site_file_complain(reader, (unsigned)cfg->line),
                            "more than %d blocks \"catalog\"", SITE_CATALOGS_MAX);
            return false;
        }
        if (!site_file_take_options(reader, config, cfg, "catalog", catalog) ||
            !take_groups(reader, config, cfg, catalog))
            return false;
        if (!site_finish_catalog(config, cfg_title(cfg), &error)) {
            text_add(site_file_complain(reader, (unsigned)cfg->line), reason);
            return false;
        }
    }
    return true;
}

/* ---- all of them ---- */

/* The only block of the kind; NULL when there is none, or on a complaint. */
static cfg_t *only_block(struct site_reader *reader, cfg_t *root, const char *name)
{
    unsigned count = cfg_size(root, name);
    if (count > 1) {
        cfg_t *second = cfg_getnsec(root, name, 1);
        text_add_format(site_file_complain(reader, (unsigned)second->line),
                        "a second block \"%s\" ends here: expected one at most", name);
    }
    return count == 1 ? cfg_getnsec(root, name, 0) : NULL;
}

static bool take_proxies(struct site_reader *reader, struct site_config *config, cfg_t *root)
{
    unsigned count = cfg_size(root, "proxy");
    for (unsigned i = 0; i < count; i++) {
        cfg_t *block = cfg_getnsec(root, "proxy", i);
        if (i == SITE_PROXIES_MAX) {
            text_add_format(site_file_complain(reader, (unsigned)block->line),
                            "more than %d blocks \"proxy\"", SITE_PROXIES_MAX);
            return false;
        }
        config->proxies[i].present = true;
        /* Options know where the first one is. */
        if (!site_file_take_options(reader, config, block, "proxy",
                                    (char *)config + i * sizeof config->proxies[0]))
            return false;
    }
    return true;
}

bool site_file_take_blocks(struct site_reader *reader, struct site_config *config, cfg_t *root)
{
    const struct {
        const char *name;
        bool *present;
    } blocks[] = {
        {"gateway", &config->gateway.present},
        {"addresses", &config->addresses.present},
        {"names", &config->names.present},
        {"web", &config->web.present},
        {"mdns", &config->mdns.present},
    };
    cfg_t *link = only_block(reader, root, "link");
    if (link != NULL) {
        if (!site_device_parse(bytes_of_text(cfg_title(link)), &config->link)) {
            text_add_format(site_file_complain(reader, (unsigned)link->line),
                            "link \"%.100s\": expected \"tap:NAME\" or \"host\"", cfg_title(link));
            return false;
        }
        if (!site_file_take_options(reader, config, link, "link", config))
            return false;
    }
    if (!take_proxies(reader, config, root))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(blocks) && !reader->failed; i++) {
        cfg_t *block = only_block(reader, root, blocks[i].name);
        *blocks[i].present = block != NULL;
        if (block != NULL && !site_file_take_options(reader, config, block, blocks[i].name, config))
            return false;
        if (block != NULL && strcmp(blocks[i].name, "addresses") == 0 &&
            !take_hosts(reader, config, block))
            return false;
        if (block != NULL && strcmp(blocks[i].name, "names") == 0 &&
            (!take_views(reader, config, block) ||
             !take_titled(reader, config, block, &key_blocks) ||
             !take_titled(reader, config, block, &secondary_blocks) ||
             !take_catalogs(reader, config, block) ||
             !take_titled(reader, config, block, &signing_blocks)))
            return false;
        if (block != NULL && strcmp(blocks[i].name, "web") == 0 &&
            !site_file_take_web(reader, config, block))
            return false;
    }
    return !reader->failed;
}
