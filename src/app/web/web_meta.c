/* SPDX-License-Identifier: ISC */
/*
 * web_meta.c - RFC 3875 §4.1.
 *
 * A field of the request becomes HTTP_NAME (§4.1.18) when its name is of letters, digits and hyphens only:
 * another could be taken for one of these ("X_Real" for "X-Real"). "Proxy" is left out: programs take
 * HTTP_PROXY for an order to their own client. So are credentials that we have looked at ourselves.
 */
#include "app/web/web_meta.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- which program ---- */

static void copy_path(char *out, size_t size, struct bytes path)
{
    snprintf(out, size, "%.*s", (int)path.len, (const char *)path.data);
}

/* 'd', 'f' or 0 when there is neither. */
static char kind_of(const struct web_exchange *exchange, struct bytes path)
{
    char name[WEB_PATH_MAX];
    struct stat facts;
    const struct web_place *place = exchange->place;
    copy_path(name, sizeof name, bytes_after(path, 1));
    int fd = web_open_beneath(place->root_fd, place->rule->symlinks, name, O_PATH);
    if (fd < 0)
        return 0;
    bool known = fstat(fd, &facts) == 0;
    (void)close(fd);
    if (!known)
        return 0;
    return S_ISREG(facts.st_mode) ? 'f' : S_ISDIR(facts.st_mode) ? 'd' : 0;
}

/* The first part of the path that is a file below the root is the program; the rest is for it. */
static unsigned find_file(const struct web_exchange *exchange, struct bytes path,
                          struct web_script *out)
{
    const struct web_rule *rule = exchange->place->rule;
    if (exchange->place->root_fd < 0 || (web_files_hidden(path) && !rule->hidden))
        return 404;
    for (size_t end = 1; end < path.len; end++) {
        end += bytes_find(bytes_after(path, end), '/');
        char kind = kind_of(exchange, bytes_first(path, end));
        if (kind == 0)
            return 404;
        if (kind == 'd')
            continue;
        copy_path(out->name, sizeof out->name, bytes_first(path, end));
        copy_path(out->rest, sizeof out->rest, bytes_after(path, end));
        int len = snprintf(out->file, sizeof out->file, "%s%s", exchange->place->root_path, out->name);
        if (len < 0 || (size_t)len >= sizeof out->file)
            return 414;
        return 0;
    }
    return 404; /* a folder is no program */
}

void web_script_split(const struct web_rule *rule, struct bytes path, struct web_script *out)
{
    size_t len = rule->match == WEB_MATCH_PREFIX || rule->match == WEB_MATCH_EXACT
                     ? strlen(rule->pattern)
                     : 0;
    if (len > 0 && rule->pattern[len - 1] == '/')
        len--;
    copy_path(out->name, sizeof out->name, bytes_first(path, len));
    copy_path(out->rest, sizeof out->rest, bytes_after(path, len));
    out->file[0] = '\0';
}

unsigned web_script_find(const struct web_exchange *exchange, struct bytes path,
                         struct web_script *out)
{
    const struct web_rule *rule = exchange->place->rule;
    bool files = strcmp(rule->script, WEB_SCRIPT_FILES) == 0 ||
                 (rule->script[0] == '\0' && (rule->cgi || rule->match == WEB_MATCH_SUFFIX));
    if (files)
        return find_file(exchange, path, out);
    web_script_split(rule, path, out);
    snprintf(out->file, sizeof out->file, "%s", rule->script);
    return 0;
}

/* ---- what it is told ---- */

void web_meta_add_one(struct page_text *out, const char *name, struct bytes value)
{
    if (memchr(value.data, '\0', value.len) != NULL)
        return; /* an environment cannot hold it */
    page_add(out, name);
    page_add(out, "=");
    page_add_bytes(out, value);
    page_add_bytes(out, bytes_of("", 1));
}

static void add(struct page_text *out, const char *name, const char *value)
{
    web_meta_add_one(out, name, bytes_of_text(value));
}

static void add_address(struct page_text *out, const char *prefix, const struct endpoint *at)
{
    char name[16], text[ADDRESS_TEXT_MAX];
    snprintf(name, sizeof name, "%s_ADDR", prefix);
    add(out, name, address_format(&at->address, text));
    snprintf(name, sizeof name, "%s_PORT", prefix);
    snprintf(text, sizeof text, "%u", at->port);
    add(out, name, text);
}

/* An absolute target's stands in the place of Host, whatever that says (RFC 9112 §3.2.2). */
static struct bytes authority_of(const struct http_server_event *event)
{
    return event->target.form == URI_ABSOLUTE ? event->target.authority
                                              : http_field_value(&event->head.fields, "Host");
}

/* §4.1.14: the name that the client has used, if it is one. */
static void add_server(struct web_exchange *exchange, struct page_text *out)
{
    struct bytes host = bytes_empty();
    uint16_t port;
    struct bytes authority = authority_of(exchange->event);
    struct endpoint here = stream_local(exchange->transport->stream(exchange));
    if (!uri_authority_parse(authority, &host, &port) || host.len == 0)
        host = bytes_of_text(exchange->web->server_name);
    web_meta_add_one(out, "SERVER_NAME", host);
    add_address(out, "SERVER", &here);
    add(out, "SERVER_PROTOCOL", exchange->protocol);
    add(out, "SERVER_SOFTWARE", "wholenet");
    add(out, "GATEWAY_INTERFACE", "CGI/1.1");
    add(out, "REQUEST_SCHEME", exchange->secure ? "https" : "http");
    if (exchange->secure)
        add(out, "HTTPS", "on");
}

static void add_script(const struct web_exchange *exchange, const struct web_script *script,
                       struct page_text *out)
{
    const char *root = exchange->place->root_path;
    add(out, "SCRIPT_NAME", script->name);
    if (script->file[0] != '\0')
        add(out, "SCRIPT_FILENAME", script->file);
    if (script->rest[0] != '\0')
        add(out, "PATH_INFO", script->rest);
    if (root == NULL)
        return;
    add(out, "DOCUMENT_ROOT", root);
    if (script->rest[0] != '\0') { /* §4.1.6 */
        page_add_format(out, "PATH_TRANSLATED=%s", root);
        page_add(out, script->rest);
        page_add_bytes(out, bytes_of("", 1));
    }
}

static void add_request(const struct web_exchange *exchange, struct page_text *out)
{
    const struct http_server_event *event = exchange->event;
    const struct http_fields *fields = &event->head.fields;
    char length[24];
    add(out, "REQUEST_METHOD", exchange->method);
    web_meta_add_one(out, "REQUEST_URI", event->head.target);
    web_meta_add_one(out, "QUERY_STRING", event->target.query);
    add_address(out, "REMOTE", &exchange->peer);
    if (http_field_count(fields, "Content-Type") > 0)
        web_meta_add_one(out, "CONTENT_TYPE", http_field_value(fields, "Content-Type"));
    if (event->framing.kind == HTTP_FRAMING_LENGTH) {
        snprintf(length, sizeof length, "%llu", (unsigned long long)event->framing.length);
        add(out, "CONTENT_LENGTH", length);
    }
    if (exchange->user[0] != '\0') {
        add(out, "AUTH_TYPE", exchange->place->rule->auth == WEB_AUTH_DIGEST ? "Digest" : "Basic");
        add(out, "REMOTE_USER", exchange->user);
    }
}

/* ---- fields ---- */

static bool is(struct bytes name, const char *text)
{
    return bytes_equal_nocase(name, bytes_of_text(text));
}

static bool is_told(const struct web_exchange *exchange, struct bytes name)
{
    static const char *const others[] = {"Proxy", "Content-Type", "Content-Length", "Connection",
                                         "Keep-Alive", "Transfer-Encoding", "TE", "Trailer",
                                         "Upgrade", "Proxy-Authorization", "Host"};
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-'))
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (is(name, others[i]))
            return false;
    return exchange->user[0] == '\0' || !is(name, "Authorization");
}

static bool came_before(const struct http_fields *fields, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (bytes_equal_nocase(fields->list[i].name, fields->list[at].name))
            return true;
    return false;
}

/* Several fields of one name are a list (RFC 9110 §5.3); cookies have a way of their own (RFC 6265 §5.4,
 * RFC 9113 §8.2.3). */
static void add_field(const struct http_fields *fields, size_t at, struct page_text *out)
{
    char name[128];
    struct bytes first = fields->list[at].name;
    if (first.len >= sizeof name)
        return;
    for (size_t i = 0; i < first.len; i++) {
        uint8_t c = first.data[i];
        name[i] = c == '-' ? '_' : (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    name[first.len] = '\0';
    page_add_format(out, "HTTP_%s=", name);
    page_add_bytes(out, fields->list[at].value);
    for (size_t i = at + 1; i < fields->count; i++) {
        if (!bytes_equal_nocase(fields->list[i].name, first))
            continue;
        page_add(out, is(first, "Cookie") ? "; " : ", ");
        page_add_bytes(out, fields->list[i].value);
    }
    page_add_bytes(out, bytes_of("", 1));
}

void web_meta_add(struct web_exchange *exchange, const struct web_script *script,
                  struct page_text *out)
{
    const struct http_fields *fields = &exchange->event->head.fields;
    const struct web_rule *rule = exchange->place->rule;
    add_server(exchange, out);
    add_script(exchange, script, out);
    add_request(exchange, out);
    if (authority_of(exchange->event).len > 0)
        web_meta_add_one(out, "HTTP_HOST", authority_of(exchange->event));
    add(out, "REDIRECT_STATUS", "200"); /* php-cgi asks for it, as a sign that a server has called */
    for (size_t i = 0; i < fields->count; i++)
        if (is_told(exchange, fields->list[i].name) && !came_before(fields, i))
            add_field(fields, i, out);
    for (uint32_t i = 0; i < rule->param_count; i++) {
        struct bytes line = bytes_of_text(rule->params[i]);
        char name[WEB_TEXT_MAX];
        size_t space = bytes_find(line, ' ');
        copy_path(name, sizeof name, bytes_first(line, space));
        web_meta_add_one(out, name, bytes_after(line, space + 1));
    }
}

bool web_meta_next(struct bytes meta, size_t *at, struct bytes *name, struct bytes *value)
{
    struct bytes rest = bytes_after(meta, *at);
    size_t end = bytes_find(rest, '\0');
    if (end == rest.len)
        return false;
    struct bytes line = bytes_first(rest, end);
    size_t equals = bytes_find(line, '=');
    *name = bytes_first(line, equals);
    *value = bytes_after(line, equals + 1);
    *at += end + 1;
    return true;
}
