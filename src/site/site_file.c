/* SPDX-License-Identifier: ISC */
/*
 * site_file.c - reads a site file: libconfuse knows the syntax, site_options.c the meaning.
 *
 * Every value is taken as text together with the line it stands on, and read by the table of
 * options once the file's syntax is known to be right; so every message can say where. libconfuse
 * hands no pointer of ours to its callbacks; each section's options therefore begin with one that
 * no file can name, whose variable lies in our reader.
 */
#include <confuse.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "os/file.h"
#include "site/site_names.h"
#include "site/site_sign.h"
#include "site/site_options.h"
#include "site/site_web.h"
#include "stack/tcp/tcp_profile.h"

const char site_builtin_text[] =
    "# The site that `wholenet run` has when it is given no other.\n"
    "domain = \"home.arpa\"\n"
    "\n"
    "link \"tap:eth0\" {\n"
    "    address = \"10.0.2.1/24\"     # ours: the gateway, ns and www\n"
    "    mtu = 1500\n"
    "}\n"
    "\n"
    "gateway {\n"
    "    internet = host             # what is not the site's goes through the host's sockets\n"
    "    host-loopback = on          # 10.0.2.2, host.home.arpa, is the host's 127.0.0.1\n"
    "}\n"
    "\n"
    "addresses {\n"
    "    pool = \"10.0.2.15-10.0.2.254\"\n"
    "    lease-time = 7d\n"
    "}\n"
    "\n"
    "names {\n"
    "    forward = {host}            # other names: to the resolvers of the host\n"
    "}\n"
    "\n"
    "web {\n"
    "    name = www\n"
    "    listen = {80, \"443 tls\"}   # with a certificate that programs inside trust\n"
    "}\n";

enum { SECTIONS_MAX = 24, SECTION_OPTIONS_MAX = 96, SITE_FILE_MAX = 1024 * 1024 };

struct value {
    unsigned line;
    char text[];
};

struct site_reader {
    char *anchor; /* the variable of the option that leads here; must stay first */
    struct text *error;
    bool failed;
    const char *name; /* of the file */
    unsigned line_count;
    cfg_opt_t options[SECTIONS_MAX][SECTION_OPTIONS_MAX];
    size_t section_count;
};

/* A quoted name with a line feed in it; written in a file it sets a string that nobody reads. */
static const char anchor_name[] = "\n";

/* libconfuse takes the end of the file for the end of every open block. An option that only the
 * outside of blocks has is put behind the text, so that a forgotten brace is found. */
static const char last_name[] = "end-of-site-file";
static const char last_text[] = "\nend-of-site-file = here\n";

static struct site_reader *reader_behind(cfg_t *cfg)
{
    for (size_t i = 0; cfg->opts[i].name != NULL; i++)
        if (strcmp(cfg->opts[i].name, anchor_name) == 0)
            return CONTAINER_OF(cfg->opts[i].simple_value.string, struct site_reader, anchor);
    ASSERT(!"a section without an anchor");
    return NULL;
}

/* Begins a complaint. There is one a file: what would follow is often its consequence. */
static struct text *complain(struct site_reader *reader, unsigned line)
{
    ASSERT(!reader->failed);
    reader->failed = true;
    if (line > reader->line_count)
        line = reader->line_count;
    text_add_format(reader->error, "%s:%u: ", reader->name, line);
    return reader->error;
}

/* "no such option 'lsiten'": what was meant, if something is like it, and all there is. */
static void add_known_options(struct text *out, const cfg_t *cfg, const char *words)
{
    const char *separator = "; known here: ";
    const char *near = NULL;
    char found[64];
    struct text name = text_of(found, sizeof found);
    struct bytes quoted = bytes_of_text(words);
    quoted = bytes_after(quoted, bytes_find(quoted, '\'') + 1);
    text_add_bytes(&name, bytes_first(quoted, bytes_find(quoted, '\'')));
    unsigned best = 3;
    for (size_t i = 0; cfg->opts[i].name != NULL; i++) {
        unsigned distance = text_distance(found, cfg->opts[i].name);
        if (distance < best && 2 * distance < name.len) {
            best = distance;
            near = cfg->opts[i].name;
        }
    }
    if (near != NULL)
        text_add_format(out, "; did you mean \"%s\"?", near);
    for (size_t i = 0; cfg->opts[i].name != NULL; i++) {
        if (strcmp(cfg->opts[i].name, anchor_name) == 0 ||
            strcmp(cfg->opts[i].name, last_name) == 0)
            continue;
        text_add(out, separator);
        text_add(out, cfg->opts[i].name);
        separator = ", ";
    }
}

static void PRINTF_LIKE(2, 0) on_error(cfg_t *cfg, const char *format, va_list arguments)
{
    struct site_reader *reader = reader_behind(cfg);
    if (reader->failed)
        return;
    char words[256];
    struct text message = text_of(words, sizeof words);
    text_add_format_list(&message, format, arguments);
    bool unknown = strstr(format, "no such option") != NULL;
    if (unknown && strstr(words, last_name) != NULL) {
        struct text *out = complain(reader, (unsigned)cfg->line);
        text_add_format(out, "the file ends inside of the block \"%s\": expected }", cfg->name);
        return;
    }
    struct text *out = complain(reader, (unsigned)cfg->line);
    text_add(out, words);
    if (strcmp(words, "premature end of file") == 0)
        text_add(out, ": a value, a string or a comment does not end");
    if (unknown)
        add_known_options(out, cfg, words);
}

static int take_value(cfg_t *cfg, cfg_opt_t *option UNUSED, const char *text, void *result)
{
    size_t size = strlen(text) + 1;
    struct value *value = malloc(sizeof *value + size);
    if (value == NULL)
        return -1;
    value->line = (unsigned)cfg->line;
    memcpy(value->text, text, size);
    *(void **)result = value;
    return 0;
}

/* The options of one section as libconfuse wants them, and `nested` sections in it. */
static cfg_opt_t *section_options(struct site_reader *reader, const char *section,
                                  const cfg_opt_t *nested, size_t nested_count)
{
    ASSERT(reader->section_count < SECTIONS_MAX);
    cfg_opt_t *options = reader->options[reader->section_count++];
    size_t count = 0;
    options[count++] = (cfg_opt_t)CFG_SIMPLE_STR(anchor_name, &reader->anchor);
    const struct site_option *option;
    for (size_t i = 0; (option = site_option_at(i)) != NULL; i++) {
        if (!site_option_is_in(option, section))
            continue;
        ASSERT(count + nested_count + 1 < SECTION_OPTIONS_MAX);
        cfg_flag_t flags = CFGF_NODEFAULT | (option->list ? CFGF_LIST : CFGF_NONE);
        options[count++] = (cfg_opt_t)CFG_PTR_CB(option->name, NULL, flags, take_value, free);
    }
    for (size_t i = 0; i < nested_count; i++)
        options[count++] = nested[i];
    options[count] = (cfg_opt_t)CFG_END();
    return options;
}

static cfg_opt_t *root_options(struct site_reader *reader)
{
    const cfg_opt_t host = CFG_SEC("host", section_options(reader, "host", NULL, 0),
                                   CFGF_MULTI | CFGF_TITLE);
    const cfg_opt_t secondary = CFG_SEC("secondary", section_options(reader, "secondary", NULL, 0),
                                        CFGF_MULTI | CFGF_TITLE);
    const cfg_opt_t group = CFG_SEC("group", section_options(reader, "group", NULL, 0),
                                    CFGF_MULTI | CFGF_TITLE);
    const cfg_opt_t in_names[] = {
        CFG_SEC("view", section_options(reader, "view", &secondary, 1), CFGF_MULTI | CFGF_TITLE),
        CFG_SEC("key", section_options(reader, "key", NULL, 0), CFGF_MULTI | CFGF_TITLE),
        secondary,
        CFG_SEC("catalog", section_options(reader, "catalog", &group, 1), CFGF_MULTI | CFGF_TITLE),
        CFG_SEC("signing", section_options(reader, "signing", NULL, 0), CFGF_MULTI | CFGF_TITLE),
    };
    const cfg_opt_t location =
        CFG_SEC("location", section_options(reader, "location", NULL, 0), CFGF_MULTI | CFGF_TITLE);
    const cfg_opt_t in_web[] = {
        CFG_SEC("site", section_options(reader, "site", &location, 1), CFGF_MULTI | CFGF_TITLE),
        location,
    };
    const cfg_opt_t sections[] = {
        CFG_SEC("link", section_options(reader, "link", NULL, 0), CFGF_MULTI | CFGF_TITLE),
        CFG_SEC("gateway", section_options(reader, "gateway", NULL, 0), CFGF_MULTI),
        CFG_SEC("addresses", section_options(reader, "addresses", &host, 1), CFGF_MULTI),
        CFG_SEC("names", section_options(reader, "names", in_names, ARRAY_LEN(in_names)),
                CFGF_MULTI),
        CFG_SEC("web", section_options(reader, "web", in_web, ARRAY_LEN(in_web)), CFGF_MULTI),
        CFG_SEC("proxy", section_options(reader, "proxy", NULL, 0), CFGF_MULTI),
        CFG_SEC("mdns", section_options(reader, "mdns", NULL, 0), CFGF_MULTI),
    };
    cfg_opt_t *root = section_options(reader, "", sections, ARRAY_LEN(sections));
    size_t count = 0;
    while (root[count].name != NULL)
        count++;
    ASSERT(count + 1 < SECTION_OPTIONS_MAX);
    root[count] = (cfg_opt_t)CFG_PTR_CB(last_name, NULL, CFGF_NODEFAULT, take_value, free);
    root[count + 1] = (cfg_opt_t)CFG_END();
    return root;
}

/* Reads what the section says into the structure at `base`. */
static bool take_options(struct site_reader *reader, struct site_config *config, cfg_t *cfg,
                         const char *section, void *base)
{
    const struct site_option *option;
    for (size_t i = 0; (option = site_option_at(i)) != NULL; i++) {
        if (strcmp(option->section, section) != 0)
            continue;
        cfg_opt_t *found = cfg_getopt(cfg, option->name);
        for (unsigned k = 0; k < cfg_opt_size(found); k++) {
            struct value *value = cfg_opt_getnptr(found, k);
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
            text_add_format(complain(reader, value->line), "%s \"%.100s\": expected %s",
                            option->name, secret ? "…" : value->text, option->expected);
            return false;
        }
    }
    return true;
}

static bool take_hosts(struct site_reader *reader, struct site_config *config, cfg_t *addresses)
{
    unsigned count = cfg_size(addresses, "host");
    for (unsigned i = 0; i < count; i++) {
        cfg_t *block = cfg_getnsec(addresses, "host", i);
        unsigned line = (unsigned)block->line;
        if (config->addresses.host_count == SITE_HOSTS_MAX) {
            text_add_format(complain(reader, line), "more than %d hosts", SITE_HOSTS_MAX);
            return false;
        }
        struct site_host host;
        memset(&host, 0, sizeof host);
        host.address = address_any_v4();
        struct bytes name = bytes_of_text(cfg_title(block));
        if (!site_label_valid(name)) {
            text_add_format(complain(reader, line),
                            "host \"%.100s\": expected one label of letters, digits and hyphens",
                            cfg_title(block));
            return false;
        }
        memcpy(host.name, name.data, name.len);
        if (!take_options(reader, config, block, "host", &host))
            return false;
        static const struct mac zeros;
        if (mac_equal(&host.mac, &zeros) || address_is_any(&host.address)) {
            text_add_format(complain(reader, line), "host \"%s\": expected both mac and address",
                            host.name);
            return false;
        }
        config->addresses.hosts[config->addresses.host_count++] = host;
    }
    return true;
}

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
            text_add_format(complain(reader, 0), "no memory for a block \"%s\"", kind->name);
        else if (take_options(reader, config, cfg, kind->name, block) &&
                 !kind->finish(config, cfg_title(cfg), block, &error))
            text_add(complain(reader, (unsigned)cfg->line), reason);
        free(block);
    }
    return !reader->failed;
}

static const struct block_kind key_blocks = {"key", sizeof(struct site_key), site_finish_key};
static const struct block_kind secondary_blocks = {"secondary", sizeof(struct site_secondary),
                                                   site_finish_secondary};
static const struct block_kind signing_blocks = {"signing", sizeof(struct site_signature_block),
                                                 site_finish_signature};

static bool take_view(struct site_reader *reader, struct site_config *config, cfg_t *block,
                      struct site_view_block *view)
{
    unsigned line = (unsigned)block->line;
    struct bytes name = bytes_of_text(cfg_title(block));
    size_t count = config->authority.view_count;
    if (count == SITE_VIEWS_MAX) {
        text_add_format(complain(reader, line), "more than %d views", SITE_VIEWS_MAX);
        return false;
    }
    if (!site_label_valid(name)) {
        text_add_format(complain(reader, line),
                        "view \"%.100s\": expected one label of letters, digits and hyphens",
                        cfg_title(block));
        return false;
    }
    memcpy(view->view.name, name.data, name.len);
    if (!take_options(reader, config, block, "view", view))
        return false;
    if (view->seen.clients.count == 0) {
        text_add_format(complain(reader, line), "view \"%s\": expected clients", view->view.name);
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
            text_add(complain(reader, 0), "no memory for a view");
        good = view != NULL && take_view(reader, config, cfg_getnsec(names, "view", i), view);
        free(view);
    }
    return good;
}

/* ---- catalogs ---- */

static bool take_groups(struct site_reader *reader, struct site_config *config, cfg_t *block,
                        struct site_catalog *catalog)
{
    unsigned count = cfg_size(block, "group");
    for (unsigned i = 0; i < count; i++) {
        cfg_t *cfg = cfg_getnsec(block, "group", i);
        const char *name = cfg_title(cfg);
        struct site_catalog_group *group = &catalog->groups[catalog->group_count];
        if (count > SITE_CATALOG_GROUPS_MAX || name[0] == '\0' || strlen(name) >= sizeof group->name) {
            text_add_format(complain(reader, (unsigned)cfg->line),
                            "group \"%.100s\": expected at most %d groups, of names up to %d octets",
                            name, SITE_CATALOG_GROUPS_MAX, SITE_LABEL_MAX - 1);
            return false;
        }
        memcpy(group->name, name, strlen(name) + 1);
        if (!take_options(reader, config, cfg, "group", &group->member))
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
            text_add_format(complain(reader, (unsigned)cfg->line), "more than %d blocks \"catalog\"",
                            SITE_CATALOGS_MAX);
            return false;
        }
        if (!take_options(reader, config, cfg, "catalog", catalog) ||
            !take_groups(reader, config, cfg, catalog))
            return false;
        if (!site_finish_catalog(config, cfg_title(cfg), &error)) {
            text_add(complain(reader, (unsigned)cfg->line), reason);
            return false;
        }
    }
    return true;
}

/* ---- web ---- */

/* A list that a block gives stands in the place of the one that it would have from around it. */
static bool take_rule(struct site_reader *reader, struct site_config *config, cfg_t *block,
                      struct web_rule *rule)
{
    const struct site_option *option;
    for (size_t i = 0; (option = site_option_at(i)) != NULL; i++)
        if (strcmp(option->section, "location") == 0 && option->list &&
            cfg_opt_size(cfg_getopt(block, option->name)) > 0)
            site_web_forget_list(rule, option->name);
    return take_options(reader, config, block, "location", rule);
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
            text_add(complain(reader, (unsigned)block->line), "too many locations");
            return false;
        }
        host->rule_count++;
        if (location == NULL)
            continue;
        if (!web_rule_set_pattern(rule, bytes_of_text(cfg_title(location)))) {
            text_add_format(complain(reader, (unsigned)location->line),
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
        text_add_format(complain(reader, (unsigned)block->line), "more than %d sites",
                        WEB_HOSTS_MAX - 1);
    } else if (!site_web_add_name(&site->host, bytes_of_text(cfg_title(block)))) {
        text_add_format(complain(reader, (unsigned)block->line),
                        "site \"%.100s\": expected a host's name", cfg_title(block));
    } else {
        site->rule = config->web.rule;
        good = take_options(reader, config, block, "site", site) &&
               take_rule(reader, config, block, &site->rule);
    }
    if (good) {
        web->hosts[web->host_count++] = site->host;
        good = take_host_rules(reader, config, block, &site->rule);
    }
    free(site);
    return good;
}

static bool take_web(struct site_reader *reader, struct site_config *config, cfg_t *block)
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

/* The only block of the kind; NULL when there is none, or on a complaint. */
static cfg_t *only_block(struct site_reader *reader, cfg_t *root, const char *name)
{
    unsigned count = cfg_size(root, name);
    if (count > 1) {
        cfg_t *second = cfg_getnsec(root, name, 1);
        text_add_format(complain(reader, (unsigned)second->line),
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
            text_add_format(complain(reader, (unsigned)block->line), "more than %d blocks \"proxy\"",
                            SITE_PROXIES_MAX);
            return false;
        }
        config->proxies[i].present = true;
        /* Options know where the first one is. */
        if (!take_options(reader, config, block, "proxy",
                          (char *)config + i * sizeof config->proxies[0]))
            return false;
    }
    return true;
}

static bool take_blocks(struct site_reader *reader, struct site_config *config, cfg_t *root)
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
            text_add_format(complain(reader, (unsigned)link->line),
                            "link \"%.100s\": expected \"tap:NAME\" or \"host\"", cfg_title(link));
            return false;
        }
        if (!take_options(reader, config, link, "link", config))
            return false;
    }
    if (!take_proxies(reader, config, root))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(blocks) && !reader->failed; i++) {
        cfg_t *block = only_block(reader, root, blocks[i].name);
        *blocks[i].present = block != NULL;
        if (block != NULL && !take_options(reader, config, block, blocks[i].name, config))
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
            !take_web(reader, config, block))
            return false;
    }
    return !reader->failed;
}

static unsigned count_lines(const char *content)
{
    unsigned lines = 0;
    for (const char *at = content; at != NULL && *at != '\0'; lines++) {
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
    return lines > 0 ? lines : 1;
}

static struct site_config *new_config(const char *name)
{
    struct site_config *config = calloc(1, sizeof *config);
    if (config == NULL)
        return NULL;
    if (name != NULL)
        snprintf(config->file, sizeof config->file, "%s", name);
    snprintf(config->domain, sizeof config->domain, "home.arpa");
    config->workers = 1;
    config->link.address = (struct ip_prefix){address_v4(0x0a000201), 24};
    config->link.mtu = 1500;
    config->link.congestion = tcp_profile_default.congestion;
    config->link.ecn = tcp_profile_default.ecn;
    config->link.syn_cookies = tcp_profile_default.syn_cookies;
    config->gateway.internet = true;
    config->gateway.host_loopback = true;
    config->gateway.host_address = address_any_v4();
    config->addresses.lease_time = 7 * 24 * USEC_PER_HOUR;
    config->addresses.router = address_any_v4();
    config->addresses.pool_first = address_any_v4();
    config->addresses.pool_last = address_any_v4();
    config->names.listen = (struct endpoint){address_any_v6(), 53};
    config->names.ttl = USEC_PER_MINUTE;
    config->recursion.v4 = true;
    config->recursion.v6 = true;
    config->recursion.minimise = true;
    config->recursion.aggressive = true;
    config->recursion.port = 53;
    config->recursion.cache_octets = (uint64_t)64 * 1024 * 1024;
    config->recursion.ttl_max = USEC_PER_DAY;
    config->recursion.negative_ttl_max = USEC_PER_HOUR;
    config->authority.udp_size = 1232; /* DNS_UDP_SIZE_DEFAULT */
    config->authority.rate_slip = 2;
    config->authority.rate_prefix_v4 = 24;
    config->authority.rate_prefix_v6 = 56;
    snprintf(config->web.name, sizeof config->web.name, "www");
    for (size_t i = 0; i < SITE_PROXIES_MAX; i++)
        config->proxies[i].cache_octets = 64 * 1024 * 1024;
    return config;
}

static bool begins_word(const char *content, const char *at)
{
    return at == content || strchr(" \t\r\n=+,{}()\"'", at[-1]) != NULL;
}

static char *after_string(char *at)
{
    char quote = *at++;
    while (*at != '\0' && *at != quote)
        at += at[0] == '\\' && at[1] != '\0' ? 2 : 1;
    return *at != '\0' ? at + 1 : at;
}

/* libconfuse 3.3 counts the line of a comment up to three times, and then says the wrong one of
 * what follows: so it sees none. One that does not end is left to its complaint. */
static void blank_comments(char *content)
{
    char *at = content;
    while (*at != '\0') {
        if (*at == '"' || *at == '\'') {
            at = after_string(at);
            continue;
        }
        bool word = begins_word(content, at);
        const char *end = at;
        if (*at == '#' || (word && strncmp(at, "//", 2) == 0))
            end = at + strcspn(at, "\n");
        else if (word && strncmp(at, "/*", 2) == 0 && (end = strstr(at + 2, "*/")) != NULL)
            end += 2;
        if (end == NULL)
            return;
        if (end == at)
            at++;
        for (; at < end; at++)
            if (*at != '\n')
                *at = ' ';
    }
}

/* `name` NULL: the built-in site. */
static struct site_config *read_site(const char *name, const char *content, struct text *error)
{
    struct site_reader *reader = calloc(1, sizeof *reader);
    struct site_config *config = new_config(name);
    size_t size = strlen(content) + sizeof last_text;
    char *whole = malloc(size);
    cfg_t *cfg = NULL;
    bool good = false;
    if (reader != NULL)
        cfg = cfg_init(root_options(reader), CFGF_NONE);
    if (config == NULL || whole == NULL || cfg == NULL) {
        text_add(error, "no memory for a site");
        goto out;
    }
    reader->error = error;
    reader->name = name != NULL ? name : "built-in site";
    reader->line_count = count_lines(content);
    cfg_set_error_function(cfg, on_error);
    snprintf(whole, size, "%s", content);
    blank_comments(whole);
    memcpy(whole + strlen(content), last_text, sizeof last_text);
    bool parsed = cfg_parse_buf(cfg, whole) == CFG_SUCCESS;
    if (parsed && cfg_size(cfg, last_name) == 0)
        text_add(complain(reader, reader->line_count), "a comment does not end");
    else if (parsed)
        good = take_options(reader, config, cfg, "", config) && take_blocks(reader, config, cfg);
    else if (!reader->failed)
        text_add_format(complain(reader, (unsigned)cfg->line), "not understood");
out:
    if (cfg != NULL)
        cfg_free(cfg);
    if (reader != NULL)
        free(reader->anchor);
    free(reader);
    free(whole);
    if (good)
        return config;
    site_config_free(config);
    return NULL;
}

struct site_config *site_config_read(const char *path, struct text *error)
{
    char *content;
    size_t len;
    int result = file_read(path, SITE_FILE_MAX, &content, &len);
    if (result < 0) {
        text_add_format(error, "%s: %s", path, strerror(-result));
        return NULL;
    }
    struct site_config *config = NULL;
    if (memchr(content, '\0', len) != NULL)
        text_add_format(error, "%s: not a text file: it has an octet of zero", path);
    else
        config = read_site(path, content, error);
    free(content);
    return config;
}

struct site_config *site_config_parse(const char *name, const char *content, struct text *error)
{
    return read_site(name, content, error);
}

struct site_config *site_config_builtin(void)
{
    char complaint[256];
    struct text error = text_of(complaint, sizeof complaint);
    struct site_config *config = read_site(NULL, site_builtin_text, &error);
    if (config == NULL)
        return NULL;
    /* Derived from the link's address, so that --address moves all of it. */
    config->addresses.pool_first = address_any_v4();
    config->addresses.pool_last = address_any_v4();
    memset(config->lines, 0, sizeof config->lines);
    return config;
}

void site_config_free(struct site_config *config)
{
    if (config != NULL)
        web_config_done(&config->web.config);
    free(config);
}
