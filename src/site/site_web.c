/* SPDX-License-Identifier: ISC */
/* site_web.c - the block "web": its options and their values. */
#include "site/site_web.h"

#include "site/site_values.h"
#include "wire/http/http_octets.h"

static bool copy(struct bytes text, char *field, size_t size)
{
    if (text.len == 0 || text.len >= size || memchr(text.data, '\0', text.len) != NULL)
        return false;
    memset(field, 0, size); /* a reload compares it octet by octet */
    memcpy(field, text.data, text.len);
    return true;
}

/* The first word; *rest is what follows it. */
static struct bytes first_word(struct bytes text, struct bytes *rest)
{
    size_t space = bytes_find(text, ' ');
    *rest = text_trim(bytes_after(text, space));
    return bytes_first(text, space);
}

static bool is(struct bytes text, const char *word)
{
    return bytes_equal(text, bytes_of_text(word));
}

/* ---- the service ---- */

static bool parse_listen(struct bytes text, void *field, const struct site_option *option)
{
    struct web_config *config = &((struct site_web *)field)->config;
    struct bytes rest;
    struct bytes at = first_word(text, &rest);
    bool tls = is(rest, "tls");
    if ((rest.len > 0 && !tls) || config->listen_count == WEB_LISTENS_MAX)
        return false;
    struct web_listen *listen = &config->listens[config->listen_count];
    listen->at.address = address_any_v6();
    listen->tls = tls;
    if (!site_listen_parse(at, tls ? 443 : (uint16_t)option->min, &listen->at))
        return false;
    config->listen_count++;
    return true;
}

bool site_web_parse_log_format(struct bytes text, void *field,
                               const struct site_option *option UNUSED)
{
    if (!is(text, "combined") && !is(text, "json"))
        return false;
    *(enum web_log_format *)field = is(text, "json") ? WEB_LOG_JSON : WEB_LOG_COMBINED;
    return true;
}

/* ---- hosts ---- */

bool site_web_add_name(struct web_host *host, struct bytes name)
{
    bool wild = name.len > 2 && name.data[0] == '*' && name.data[1] == '.';
    struct ip_address address;
    if (host->name_count == WEB_HOST_NAMES_MAX ||
        (!site_name_valid(wild ? bytes_after(name, 2) : name) && !address_parse(name, &address)) ||
        !copy(name, host->names[host->name_count], WEB_NAME_MAX))
        return false;
    host->name_count++;
    return true;
}

static bool parse_name(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    return site_web_add_name(field, text);
}

/* ---- rules ---- */

static bool parse_off(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    bool on = is(text, "on") || is(text, "yes") || is(text, "true");
    if (!on && !is(text, "off") && !is(text, "no") && !is(text, "false"))
        return false;
    *(bool *)field = !on;
    return true;
}

static bool parse_symlinks(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    static const char *const words[] = {[WEB_SYMLINKS_WITHIN] = "within",
                                        [WEB_SYMLINKS_NONE] = "none",
                                        [WEB_SYMLINKS_ANY] = "any"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (is(text, words[i])) {
            *(enum web_symlinks *)field = (enum web_symlinks)i;
            return true;
        }
    }
    return false;
}

static bool parse_auth(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    static const char *const words[] = {[WEB_AUTH_NONE] = "none", [WEB_AUTH_BASIC] = "basic",
                                        [WEB_AUTH_DIGEST] = "digest"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (is(text, words[i])) {
            *(enum web_auth *)field = (enum web_auth)i;
            return true;
        }
    }
    return false;
}

static bool parse_index(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct web_rule *rule = field;
    if (rule->index_count == WEB_INDEXES_MAX || bytes_find(text, '/') < text.len ||
        !copy(text, rule->indexes[rule->index_count], sizeof rule->indexes[0]))
        return false;
    rule->index_count++;
    return true;
}

static bool parse_type(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct web_rule *rule = field;
    struct bytes type;
    struct bytes ending = first_word(text, &type);
    if (rule->type_count == WEB_TYPES_MAX || ending.len == 0 || bytes_find(type, '/') == type.len ||
        !http_octets_are(type, HTTP_OCTET_FIELD) ||
        !copy(text, rule->types[rule->type_count], sizeof rule->types[0]))
        return false;
    rule->type_count++;
    return true;
}

/* What the server says itself is not to be said twice. */
static bool is_ours(struct bytes name)
{
    static const char *const ours[] = {"Date", "Server", "Connection", "Content-Length",
                                       "Transfer-Encoding", "Content-Type", "Content-Encoding",
                                       "Content-Range", "ETag", "Last-Modified", "Trailer",
                                       "Upgrade", "Keep-Alive"};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (bytes_equal_nocase(name, bytes_of_text(ours[i])))
            return true;
    return false;
}

static bool parse_header(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct web_rule *rule = field;
    size_t colon = bytes_find(text, ':');
    struct bytes name = bytes_first(text, colon);
    if (rule->header_count == WEB_HEADERS_MAX || colon == text.len || !http_is_token(name) ||
        is_ours(name) || !http_octets_are(bytes_after(text, colon + 1), HTTP_OCTET_FIELD) ||
        !copy(text, rule->headers[rule->header_count], sizeof rule->headers[0]))
        return false;
    rule->header_count++;
    return true;
}

static bool parse_status(struct bytes text, unsigned first, unsigned last, uint32_t *out)
{
    uint64_t status;
    if (!text_parse_number(text, last, &status) || status < first)
        return false;
    *out = (uint32_t)status;
    return true;
}

static bool parse_error_page(struct bytes text, void *field,
                             const struct site_option *option UNUSED)
{
    struct web_rule *rule = field;
    struct bytes path;
    struct bytes status = first_word(text, &path);
    uint32_t count = rule->error_page_count;
    if (count == WEB_ERROR_PAGES_MAX || path.len == 0 || path.data[0] != '/' ||
        !parse_status(status, 400, 599, &rule->error_pages[count].status) ||
        !copy(path, rule->error_pages[count].path, sizeof rule->error_pages[0].path))
        return false;
    rule->error_page_count++;
    return true;
}

static bool parse_redirect(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct web_rule *rule = field;
    struct bytes to;
    struct bytes code = first_word(text, &to);
    uint32_t status;
    if (is(text, "none")) {
        rule->redirect_status = 0;
        return true;
    }
    if (!parse_status(code, 301, 308, &status) || (status > 303 && status < 307) ||
        !http_octets_are(to, HTTP_OCTET_TARGET) ||
        !copy(to, rule->redirect, sizeof rule->redirect))
        return false;
    rule->redirect_status = status;
    return true;
}

static bool parse_rewrite(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct web_rule *rule = field;
    struct bytes to;
    struct bytes from = first_word(text, &to);
    if (rule->rewrite_count == WEB_REWRITES_MAX || from.len == 0 || from.data[0] != '/' ||
        to.len == 0 || to.data[0] != '/')
        return false;
    struct web_rewrite *rewrite = &rule->rewrites[rule->rewrite_count];
    if (!copy(from, rewrite->from, sizeof rewrite->from) ||
        !copy(to, rewrite->to, sizeof rewrite->to))
        return false;
    rule->rewrite_count++;
    return true;
}

/* "all" is two networks, of IPv4 and of IPv6. */
static bool parse_access(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct web_rule *rule = field;
    struct bytes from;
    struct bytes verb = first_word(text, &from);
    bool all = is(from, "all");
    if ((!is(verb, "allow") && !is(verb, "deny")) ||
        rule->access_count + all + 1 > WEB_ACCESS_MAX)
        return false;
    for (int i = 0; i <= (all ? 1 : 0); i++) {
        static const char *const everybody[] = {"0.0.0.0/0", "::/0"};
        struct bytes network = all ? bytes_of_text(everybody[i]) : from;
        if (!site_network_parse(network, &rule->access[rule->access_count].from))
            return false;
        rule->access[rule->access_count++].allow = is(verb, "allow");
    }
    return true;
}

static bool parse_realm(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct web_rule *rule = field;
    return bytes_find(text, '"') == text.len && bytes_find(text, '\\') == text.len &&
           http_octets_are(text, HTTP_OCTET_FIELD) && copy(text, rule->realm, sizeof rule->realm);
}

void site_web_forget_list(struct web_rule *rule, const char *option)
{
    const struct {
        const char *name;
        uint32_t *count;
        void *list;
        size_t size;
    } lists[] = {
        {"index", &rule->index_count, rule->indexes, sizeof rule->indexes},
        {"type", &rule->type_count, rule->types, sizeof rule->types},
        {"header", &rule->header_count, rule->headers, sizeof rule->headers},
        {"error-page", &rule->error_page_count, rule->error_pages, sizeof rule->error_pages},
        {"rewrite", &rule->rewrite_count, rule->rewrites, sizeof rule->rewrites},
        {"access", &rule->access_count, rule->access, sizeof rule->access},
        {"pass", &rule->pass.count, rule->pass.servers, sizeof rule->pass.servers},
        {"fastcgi", &rule->backend_count, rule->backends, sizeof rule->backends},
        {"param", &rule->param_count, rule->params, sizeof rule->params},
        {"websocket-origin", &rule->websocket_origin_count, rule->websocket_origins,
         sizeof rule->websocket_origins},
        {"websocket-protocol", &rule->websocket_protocol_count, rule->websocket_protocols,
         sizeof rule->websocket_protocols},
    };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (strcmp(option, lists[i].name) == 0) {
            *lists[i].count = 0;
            memset(lists[i].list, 0, lists[i].size);
        }
    }
}

static const struct site_option options[] = {
    {"web", "listen", parse_listen, SITE_AT(web), 80, 0, true,
     SITE_LISTEN_TEXT ", each perhaps with \"tls\" behind it, at most 8"},
    {"web", "name", site_parse_label, SITE_AT(web.name), 0, 0, false, "one label such as www"},
    {"web", "connections", site_parse_number, SITE_AT(web.config.connections_max), 1, 1000000,
     false,
     "a number from 1 to 1000000"},
    {"web", "connections-per-address", site_parse_number,
     SITE_AT(web.config.connections_per_address), 0,
     1000000, false, "a number from 0 to 1000000"},
    {"web", "access-log", site_parse_path, SITE_AT(web.config.access_log), 0, WEB_TEXT_MAX, false,
     "a file"},
    {"web", "log-format", site_web_parse_log_format, SITE_AT(web.config.log_format), 0, 0, false,
     "combined or json"},
    {"web", "certificate", site_parse_path, SITE_AT(web.config.hosts[0].certificate), 0,
     WEB_TEXT_MAX, false,
     "a file"},
    {"web", "certificate-key", site_parse_path, SITE_AT(web.config.hosts[0].key), 0, WEB_TEXT_MAX,
     false, "a file"},
    {"web", "certificate-staple", site_parse_path, SITE_AT(web.config.hosts[0].staple), 0,
     WEB_TEXT_MAX, false, "a file"},

    {"site", "names", parse_name, offsetof(struct site_web_host, host), 0, 0, true,
     "names of hosts such as example.org or *.example.org, at most 8 with the title's"},
    {"site", "certificate", site_parse_path, offsetof(struct site_web_host, host.certificate), 0,
     WEB_TEXT_MAX, false, "a file"},
    {"site", "certificate-key", site_parse_path, offsetof(struct site_web_host, host.key), 0,
     WEB_TEXT_MAX, false,
     "a file"},
    {"site", "certificate-staple", site_parse_path, offsetof(struct site_web_host, host.staple), 0,
     WEB_TEXT_MAX,
     false, "a file"},

    {"location", "root", site_parse_path, offsetof(struct web_rule, root), 0, WEB_TEXT_MAX, false,
     "a directory"},
    {"location", "index", parse_index, 0, 0, 0, true,
     "names of files, at most 4"},
    {"location", "listing", parse_off, offsetof(struct web_rule, listing_off), 0, 0, false,
     "on or off"},
    {"location", "hidden", site_parse_switch, offsetof(struct web_rule, hidden), 0, 0, false,
     "on or off"},
    {"location", "built-in", parse_off, offsetof(struct web_rule, built_in_off), 0, 0, false,
     "on or off"},
    {"location", "symlinks", parse_symlinks, offsetof(struct web_rule, symlinks), 0, 0, false,
     "within, none or any"},
    {"location", "type", parse_type, 0, 0, 0, true,
     "an ending and a type, such as \"md text/markdown\", at most 16 of them"},
    {"location", "compress", parse_off, offsetof(struct web_rule, compress_off), 0, 0, false,
     "on or off"},
    {"location", "precompressed", site_parse_switch, offsetof(struct web_rule, precompressed), 0, 0,
     false,
     "on or off"},
    {"location", "cache-control", site_parse_text, offsetof(struct web_rule, cache_control), 0, 128,
     false,
     "directives such as \"public, immutable\""},
    {"location", "expires", site_parse_duration, offsetof(struct web_rule, expires), 0,
     (uint64_t)3650 * USEC_PER_DAY, false, SITE_DURATION_TEXT},
    {"location", "header", parse_header, 0, 0, 0, true,
     "fields such as \"Referrer-Policy: no-referrer\", at most 8 of them"},
    {"location", "error-page", parse_error_page, 0, 0, 0, true,
     "a status and a path, such as \"404 /missing.html\", at most 8 of them"},
    {"location", "redirect", parse_redirect, 0, 0, 0, false,
     "a status and where to, such as \"301 https://example.org/*\""},
    {"location", "rewrite", parse_rewrite, 0, 0, 0, true,
     "two paths, such as \"/old/* /new/*\", at most 16 of them"},
    {"location", "access", parse_access, 0, 0, 0, true,
     "\"allow\" or \"deny\" and a network or \"all\", at most 32 of them"},
    {"location", "auth", parse_auth, offsetof(struct web_rule, auth), 0, 0, false,
     "basic, digest or none"},
    {"location", "realm", parse_realm, 0, 0, 0, false,
     "a text of at most 63 octets without quotes"},
    {"location", "users", site_parse_path, offsetof(struct web_rule, users), 0, WEB_TEXT_MAX, false,
     "a file"},
    {"location", "upload", site_parse_switch, offsetof(struct web_rule, upload), 0, 0, false,
     "on or off"},
    {"location", "webdav", site_parse_switch, offsetof(struct web_rule, webdav), 0, 0, false,
     "on or off"},
    {"location", "body-max", site_parse_size, offsetof(struct web_rule, body_max), 1, (uint64_t)1 <<
     50, false,
     "a number of octets such as 10M"},
    {"location", "rate", site_parse_number, offsetof(struct web_rule, rate), 0, 1000000, false,
     "a number of requests a second from 1 to 1000000, or 0 for no limit"},
    {"location", "burst", site_parse_number, offsetof(struct web_rule, burst), 0, 1000000, false,
     "a number of requests from 1 to 1000000"},
    {"location", "dns", site_parse_switch, offsetof(struct web_rule, dns), 0, 0, false,
     "on or off"},
    {"location", "https-only", site_parse_switch, offsetof(struct web_rule, https_only), 0, 0,
     false,
     "on or off"},
    {"location", "hsts", site_parse_duration, offsetof(struct web_rule, hsts), 0, (uint64_t)3650 *
     USEC_PER_DAY, false, SITE_DURATION_TEXT},
};

const struct site_option_table site_web_options = {options, ARRAY_LEN(options)};

/* ---- the whole ---- */

static bool check_rule(const struct web_rule *rule, struct text *error)
{
    const char *where = rule->match == WEB_MATCH_ALL ? "/" : rule->pattern;
    if (rule->auth != WEB_AUTH_NONE && rule->users[0] == '\0') {
        text_add_format(error, "web: auth of %s: expected users, a file", where);
        return false;
    }
    if (rule->cgi && (rule->root[0] == '\0' || rule->backend_count > 0)) {
        text_add_format(error, "web: cgi in %s: expected root, a directory, and no fastcgi", where);
        return false;
    }
    if (rule->webdav && rule->root[0] == '\0') {
        text_add_format(error, "web: webdav in %s: expected root, a directory", where);
        return false;
    }
    if (rule->upload && rule->root[0] == '\0') {
        text_add_format(error, "web: upload to %s: expected root, a directory", where);
        return false;
    }
    return true;
}

bool site_web_finish(struct site_config *config, struct text *error)
{
    struct web_config *web = &config->web.config;
    if (!config->web.present)
        return true;
    if (web->listen_count == 0)
        web->listens[web->listen_count++].at = (struct endpoint){address_any_v6(), 80};
    for (uint32_t i = 0; i < web->rule_count; i++) {
        struct web_rule *rule = &web->rules[i];
        if (rule->auth != WEB_AUTH_NONE && rule->realm[0] == '\0')
            (void)copy(bytes_of_text(config->web.name), rule->realm, sizeof rule->realm);
        if (!check_rule(rule, error))
            return false;
        if (rule->dns && !config->names.present) {
            text_add(error, "web: dns: it is answered by the block \"names\", and there is none");
            return false;
        }
    }
    return true;
}
