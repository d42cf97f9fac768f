/* SPDX-License-Identifier: ISC */
/* site_names.c - keys, who may do what, and zones that are had from others, in the block "names" of a site file. */
#include "site/site_names.h"

#include <stdio.h>
#include <stdlib.h>

#include "os/file.h"
#include "site/site_values.h"

enum { KEY_FILE_MAX = 4096 };

char *site_path(const struct site_config *config, const char *path, char out[SITE_PATH_MAX])
{
    const char *slash = strrchr(config->file, '/');
    bool whole = path[0] == '/' || path[0] == '\0' || slash == NULL;
    int base = whole ? 0 : (int)(slash - config->file + 1);
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
    if (bytes_equal(text, bytes_of_text("any"))) {
        rule.any_network = true;
        *out = rule;
        return true;
    }
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

/* The next word, and what is behind it; an empty one at the end. */
static struct bytes next_word(struct bytes *rest)
{
    *rest = text_trim(*rest);
    struct bytes word = bytes_first(*rest, bytes_find(*rest, ' '));
    *rest = bytes_after(*rest, word.len);
    return word;
}

static bool word_is(struct bytes word, const char *text)
{
    return bytes_equal(word, bytes_of_text(text));
}

/* A word that ends the part of who. */
static bool begins_scope(struct bytes word)
{
    static const char *const words[] = {"name", "below", "self", "below-self", "types"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (word_is(word, words[i]))
            return true;
    return false;
}

/* Who: up to a word that says what, but for the name of a key, which may be any. */
static bool take_who(struct bytes *rest, struct site_rule *out)
{
    struct bytes text = text_trim(*rest);
    struct bytes left = text;
    for (;;) {
        struct bytes behind = left;
        struct bytes word = next_word(&behind);
        if (word.len == 0 || begins_scope(word))
            break;
        if (word_is(word, "key"))
            (void)next_word(&behind);
        left = behind;
    }
    *rest = left;
    return site_rule_parse(text_trim(bytes_first(text, text.len - left.len)), out);
}

static bool take_name(struct bytes *rest, char out[SITE_NAME_MAX])
{
    struct bytes word = next_word(rest);
    struct dns_name name;
    if (word.len == 0 || word.len >= SITE_NAME_MAX || !dns_name_parse(word, NULL, &name))
        return false;
    memcpy(out, word.data, word.len);
    return true;
}

static bool take_types(struct bytes *rest, struct site_update *out)
{
    struct bytes word;
    while ((word = next_word(rest)).len > 0) {
        if (out->type_count == SITE_TYPES_MAX ||
            !dns_type_parse(word, &out->types[out->type_count]) ||
            !dns_type_is_data(out->types[out->type_count]))
            return false;
        out->type_count++;
    }
    return out->type_count > 0;
}

static bool take_scope(struct bytes word, struct bytes *rest, struct site_update *out)
{
    bool keyed = out->who.key[0] != '\0';
    if (word_is(word, "name") || word_is(word, "below")) {
        out->scope = word_is(word, "name") ? SITE_SCOPE_NAME : SITE_SCOPE_BELOW;
        return take_name(rest, out->name);
    }
    out->scope = word_is(word, "self") ? SITE_SCOPE_SELF : SITE_SCOPE_BELOW_SELF;
    return keyed && (word_is(word, "self") || word_is(word, "below-self"));
}

bool site_update_parse(struct bytes text, struct site_update *out)
{
    struct site_update update;
    memset(&update, 0, sizeof update);
    if (!take_who(&text, &update.who))
        return false;
    struct bytes word = next_word(&text);
    if (word.len > 0 && !word_is(word, "types")) {
        if (!take_scope(word, &text, &update))
            return false;
        word = next_word(&text);
    }
    if (word.len > 0 && (!word_is(word, "types") || !take_types(&text, &update)))
        return false;
    *out = update;
    return true;
}

static bool check_updates(const struct site_config *config, struct text *error)
{
    const struct site_authority *authority = &config->authority;
    for (size_t i = 0; i < authority->update_count; i++) {
        const char *key = authority->updates[i].who.key;
        if (key[0] == '\0' || has_key(config, key))
            continue;
        text_add_format(error, "update: there is no key \"%s\"", key);
        return false;
    }
    if (authority->update_count == 0 || config->names.journal[0] != '\0')
        return true;
    text_add(error, "update: expected a journal too, the file in which changes are kept");
    return false;
}

bool site_peer_parse(struct bytes text, struct site_peer *out)
{
    struct site_peer peer;
    struct dns_name name;
    memset(&peer, 0, sizeof peer);
    size_t blank = bytes_find(text, ' ');
    struct bytes rest = text_trim(bytes_after(text, blank));
    struct bytes server = bytes_first(text, blank);
    size_t hash = bytes_find(server, '#');
    struct bytes tls_name = bytes_after(server, hash + 1);
    peer.secure = hash < server.len;
    if (!site_server_parse_port(bytes_first(server, hash), peer.secure ? 853 : 53, &peer.at) ||
        (tls_name.len > 0 && !site_name_valid(tls_name)))
        return false;
    memcpy(peer.tls_name, tls_name.data, tls_name.len);
    if (rest.len > 0) {
        blank = bytes_find(rest, ' ');
        bool key = bytes_equal(bytes_first(rest, blank), bytes_of_text("key"));
        rest = text_trim(bytes_after(rest, blank));
        if (!key || rest.len == 0 || rest.len >= sizeof peer.key ||
            !dns_name_parse(rest, NULL, &name))
            return false;
        memcpy(peer.key, rest.data, rest.len);
    }
    *out = peer;
    return true;
}

void site_peer_make(const struct site_peer *peer, struct tsig_peer *out)
{
    out->at = peer->at;
    dns_name_root(&out->key);
    bool good = peer->key[0] == '\0' || dns_name_parse(bytes_of_text(peer->key), NULL, &out->key);
    ASSERT(good); /* it was when it was read */
}

/* ---- zones that are had from others ---- */

bool site_finish_secondary(struct site_config *config, const char *title, void *block,
                           struct text *error)
{
    struct site_secondary *zone = block;
    struct site_secondaries *all = &config->secondaries;
    struct dns_name name, other;
    zone->view = SITE_VIEWS_MAX; /* who reads a view's says otherwise afterwards */
    if (!dns_name_parse(bytes_of_text(title), NULL, &name) || strlen(title) >= SITE_NAME_MAX) {
        text_add_format(error, "secondary \"%.100s\": expected a domain name", title);
        return false;
    }
    if (zone->primaries.count == 0) {
        text_add_format(error, "secondary \"%s\": expected primaries", title);
        return false;
    }
    if (all->count == SITE_SECONDARIES_MAX) {
        text_add_format(error, "more than %d blocks \"secondary\"", SITE_SECONDARIES_MAX);
        return false;
    }
    for (size_t i = 0; i < all->count; i++)
        if (all->zones[i].view == zone->view &&
            dns_name_parse(bytes_of_text(all->zones[i].zone), NULL, &other) &&
            dns_name_equal(&name, &other)) {
            text_add_format(error, "secondary \"%s\": there are two of that name", title);
            return false;
        }
    memcpy(zone->zone, title, strlen(title));
    all->zones[all->count++] = *zone;
    return true;
}

/* ---- catalogs ---- */

/* What a group does not say is as for all members. */
static void finish_group(const struct site_secondary *catalog, struct site_secondary *group)
{
    if (group->primaries.count == 0)
        group->primaries = catalog->primaries;
    if (group->notified.count == 0 && !group->notified.servers)
        group->notified = catalog->notified;
    if (group->octets_max == 0)
        group->octets_max = catalog->octets_max;
}

/* Its members come from where it comes from itself, unless it is said from where. */
static void take_primaries(const struct site_config *config, const struct dns_name *zone,
                           struct site_catalog *catalog)
{
    struct dns_name other;
    for (size_t i = 0; i < config->secondaries.count; i++) {
        const struct site_secondary *secondary = &config->secondaries.zones[i];
        if (catalog->member.primaries.count == 0 && secondary->view == SITE_VIEWS_MAX &&
            dns_name_parse(bytes_of_text(secondary->zone), NULL, &other) &&
            dns_name_equal(&other, zone))
            catalog->member.primaries = secondary->primaries;
    }
}

bool site_finish_catalog(struct site_config *config, const char *title, struct text *error)
{
    struct site_catalog_list *all = &config->catalogs;
    struct site_catalog *catalog = &all->catalogs[all->count];
    struct dns_name name, other;
    if (!dns_name_parse(bytes_of_text(title), NULL, &name) || strlen(title) >= SITE_NAME_MAX) {
        text_add_format(error, "catalog \"%.100s\": expected a domain name", title);
        return false;
    }
    for (size_t i = 0; i < all->count; i++)
        if (dns_name_parse(bytes_of_text(all->catalogs[i].zone), NULL, &other) &&
            dns_name_equal(&name, &other)) {
            text_add_format(error, "catalog \"%s\": there are two of that name", title);
            return false;
        }
    take_primaries(config, &name, catalog);
    if (catalog->member.primaries.count == 0) {
        text_add_format(error, "catalog \"%s\": expected primaries, or a block \"secondary\" of that name",
                        title);
        return false;
    }
    for (size_t i = 0; i < catalog->group_count; i++)
        finish_group(&catalog->member, &catalog->groups[i].member);
    memcpy(catalog->zone, title, strlen(title) + 1);
    all->count++;
    return true;
}

/* ---- what they say of each other ---- */

static bool check_peers(const struct site_config *config, const char *option,
                        const struct site_peers *peers, struct text *error)
{
    for (size_t i = 0; i < peers->count; i++)
        if (peers->peers[i].key[0] != '\0' && !has_key(config, peers->peers[i].key)) {
            text_add_format(error, "%s: there is no key \"%s\"", option, peers->peers[i].key);
            return false;
        }
    return true;
}

static bool check_member(const struct site_config *config, const struct site_secondary *member,
                         struct text *error)
{
    return check_peers(config, "primaries", &member->primaries, error) &&
           check_peers(config, "notify", &member->notified, error);
}

static bool check_catalogs(const struct site_config *config, struct text *error)
{
    for (size_t i = 0; i < config->catalogs.count; i++) {
        const struct site_catalog *catalog = &config->catalogs.catalogs[i];
        if (!check_member(config, &catalog->member, error))
            return false;
        for (size_t k = 0; k < catalog->group_count; k++)
            if (!check_member(config, &catalog->groups[k].member, error))
                return false;
    }
    return true;
}

static bool check_rules(const struct site_config *config, const char *option,
                        const struct site_rules *rules, struct text *error)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->rules[i].key[0] != '\0' && !has_key(config, rules->rules[i].key)) {
            text_add_format(error, "%s: there is no key \"%s\"", option, rules->rules[i].key);
            return false;
        }
    return true;
}

static bool check_reach(const struct site_config *config, const struct site_reach *reach,
                        struct text *error)
{
    return check_rules(config, "query-for", &reach->queries, error) &&
           check_rules(config, "recursion-for", &reach->recursion, error) &&
           check_rules(config, "cache-for", &reach->cache, error);
}

static bool check_view(const struct site_config *config, size_t view, struct text *error)
{
    const struct site_seen *seen = &config->authority.seen[view];
    bool resolves = config->recursion.resolve != SITE_RESOLVE_NONE && !seen->reach.own_names_only;
    if (!resolves && (seen->lists.policy_count > 0 || seen->lists.hosts[0] != '\0')) {
        text_add_format(error, "view \"%s\": there is a policy or hosts, but no recursion",
                        config->views[view].name);
        return false;
    }
    return check_rules(config, "clients", &seen->clients, error) &&
           check_reach(config, &seen->reach, error);
}

bool site_names_check(const struct site_config *config, struct text *error)
{
    const struct site_authority *authority = &config->authority;
    for (size_t i = 0; i < config->secondaries.count; i++)
        if (!check_member(config, &config->secondaries.zones[i], error))
            return false;
    for (size_t i = 0; i < authority->view_count; i++)
        if (!check_view(config, i, error))
            return false;
    return check_peers(config, "notify", &authority->notified, error) &&
           check_rules(config, "secondaries", &authority->secondaries, error) &&
           check_rules(config, "forward-updates-for", &authority->forwards, error) &&
           check_reach(config, &authority->reach, error) && check_catalogs(config, error) &&
           check_updates(config, error);
}
