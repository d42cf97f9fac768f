/* SPDX-License-Identifier: ISC */
/* site_names.c - keys and who may do what, in the block "names" of a site file. */
#include "site/site_names.h"

#include <stdio.h>
#include <stdlib.h>

#include "os/file.h"
#include "site/site_options.h"

enum { KEY_FILE_MAX = 4096 };

char *site_path(const struct site_config *config, const char *path, char out[SITE_PATH_MAX])
{
    const char *slash = strrchr(config->file, '/');
    int base = path[0] == '/' || slash == NULL ? 0 : (int)(slash - config->file + 1);
    snprintf(out, SITE_PATH_MAX, "%.*s%s", base, config->file, path);
    return out;
}

/* ---- keys ---- */

/* A file with the secret alone, or the key as tsig-keygen(8) writes it. */
static bool read_key(const struct site_config *config, const char *title, struct site_key *block,
                     struct text *error)
{
    char path[SITE_PATH_MAX];
    char *content;
    size_t len;
    struct tsig_key key;
    struct dns_name name = block->key.name;
    site_path(config, block->file, path);
    int result = file_read(path, KEY_FILE_MAX, &content, &len);
    if (result < 0) {
        text_add_format(error, "key \"%s\": cannot read %s: %s", title, path, strerror(-result));
        return false;
    }
    struct bytes text = bytes_of(content, len);
    bool good = true;
    if (tsig_key_parse(text, &key)) {
        good = dns_name_equal(&key.name, &name);
        block->key = key;
    } else {
        good = tsig_secret_parse(text_trim(bytes_first(text, bytes_find(text, '\n'))), &block->key);
    }
    explicit_bzero(content, len);
    free(content);
    if (!good)
        text_add_format(error, "key \"%s\": %s: expected that key, or its secret in base64", title,
                        path);
    return good;
}

bool site_finish_key(struct site_config *config, const char *title, void *block, struct text *error)
{
    struct site_key *key = block;
    struct site_keys *keys = &config->keys;
    if (!dns_name_parse(bytes_of_text(title), NULL, &key->key.name) || strlen(title) >= SITE_NAME_MAX) {
        text_add_format(error, "key \"%.100s\": expected a domain name", title);
        return false;
    }
    if (keys->count == SITE_KEYS_MAX) {
        text_add_format(error, "more than %d keys", SITE_KEYS_MAX);
        return false;
    }
    for (size_t i = 0; i < keys->count; i++)
        if (dns_name_equal(&keys->keys[i].name, &key->key.name)) {
            text_add_format(error, "key \"%s\": there are two of that name", title);
            return false;
        }
    if (key->has_secret == (key->file[0] != '\0')) {
        text_add_format(error, "key \"%s\": expected either secret or file", title);
        return false;
    }
    if (!key->has_secret && !read_key(config, title, key, error))
        return false;
    keys->keys[keys->count++] = key->key;
    return true;
}

static bool has_key(const struct site_config *config, const char *name)
{
    struct dns_name wanted;
    if (!dns_name_parse(bytes_of_text(name), NULL, &wanted))
        return false;
    for (size_t i = 0; i < config->keys.count; i++)
        if (dns_name_equal(&config->keys.keys[i].name, &wanted))
            return true;
    return false;
}

/* ---- rules ---- */

bool site_rule_parse(struct bytes text, struct site_rule *out)
{
    static const char word[] = "key";
    struct site_rule rule;
    memset(&rule, 0, sizeof rule);
    size_t blank = bytes_find(text, ' ');
    struct bytes first = bytes_first(text, blank);
    struct bytes rest = text_trim(bytes_after(text, blank));
    rule.any_network = bytes_equal(first, bytes_of_text(word));
    if (!rule.any_network && !site_network_parse(first, &rule.network))
        return false;
    if (!rule.any_network && rest.len > 0) {
        blank = bytes_find(rest, ' ');
        if (!bytes_equal(bytes_first(rest, blank), bytes_of_text(word)))
            return false;
        rest = text_trim(bytes_after(rest, blank));
        if (rest.len == 0)
            return false;
    }
    struct dns_name name;
    bool keyed = rest.len > 0;
    if (keyed ? rest.len >= sizeof rule.key || !dns_name_parse(rest, NULL, &name) : rule.any_network)
        return false;
    memcpy(rule.key, rest.data, rest.len);
    *out = rule;
    return true;
}

static bool check_rules(const struct site_config *config, const char *option,
                        const struct site_rule *rules, size_t count, struct text *error)
{
    for (size_t i = 0; i < count; i++)
        if (rules[i].key[0] != '\0' && !has_key(config, rules[i].key)) {
            text_add_format(error, "%s: there is no key \"%s\"", option, rules[i].key);
            return false;
        }
    return true;
}

bool site_names_check(const struct site_config *config, struct text *error)
{
    const struct site_authority *authority = &config->authority;
    return check_rules(config, "secondaries", authority->secondaries, authority->secondary_count,
                       error);
}
