/* SPDX-License-Identifier: ISC */
/* web_site.c - which path is answered by what, and the built-in site. */
#include <stdio.h>
#include <stdlib.h>

#include "app/web/pages.h"
#include "app/web/web_dav.h"
#include "app/web/web_exchange.h"
#include "app/web/web_gateway.h"
#include "app/web/web_socket.h"
#include "app/web/web_pass.h"
#include "app/web/web_types.h"
#include "base/text.h"

#define BYTES_MAX (UINT64_C(1) << 50) /* what /bytes/ serves at most */
#define METHODS_READ "GET, HEAD, OPTIONS"
#define METHODS_FILES "GET, HEAD, PUT, DELETE, OPTIONS"
#define METHODS_DNS "GET, HEAD, POST, OPTIONS"
#define METHODS_SINK "PUT, POST, OPTIONS"

static const char html_type[] = "text/html; charset=utf-8";

/* ---- made anew for every request ---- */

static void reply_text(struct web_exchange *exchange, const char *type, struct bytes text)
{
    web_reply(exchange, &(struct web_reply){.status = 200,
                                           .type = type,
                                           .cache = "no-store",
                                           .modified = INT64_MIN,
                                           .body = web_body_of(text)});
}

static void on_home(struct web_exchange *exchange, struct bytes rest UNUSED)
{
    struct page_text page = {0};
    web_page_site(exchange, &page);
    web_reply_page(exchange, 200, html_type, &page);
}

static void on_status(struct web_exchange *exchange, struct bytes rest UNUSED)
{
    const struct web_site *site = &exchange->web->site;
    struct page_text page = {0};
    if (site->status == NULL) {
        page_add(&page, "{\"program\":\"wholenet\"}\n");
    } else {
        page.data = malloc(WEB_STATUS_MAX);
        page.size = WEB_STATUS_MAX;
        page.failed = page.data == NULL;
        if (page.data != NULL)
            page.len = site->status(site->self, page.data, page.size);
        page.failed |= page.len > page.size;
    }
    web_reply_page(exchange, 200, "application/json", &page);
}

static void on_health(struct web_exchange *exchange, struct bytes rest UNUSED)
{
    reply_text(exchange, "text/plain", bytes_of_text("ok\n"));
}

/* ---- measurements ---- */

/* /bytes/1000, /bytes/10M: so many octets of a pattern. */
static void on_bytes(struct web_exchange *exchange, struct bytes rest)
{
    uint64_t len;
    if (!text_parse_size(rest, &len) || len > BYTES_MAX) {
        web_reply_error(exchange, 404, "Ask for a number of octets: /bytes/1000, /bytes/10M.");
        return;
    }
    web_reply(exchange, &(struct web_reply){.status = 200,
                                           .type = "application/octet-stream",
                                           .cache = "no-store",
                                           .modified = INT64_MIN,
                                           .body = {.kind = WEB_BODY_PATTERN, .len = len}});
}

static void on_sink(struct web_exchange *exchange, struct bytes rest UNUSED)
{
    if (exchange->event->framing.kind == HTTP_FRAMING_NONE) {
        web_reply_error(exchange, 411, "Say how much there is to come, or send it chunked.");
        return;
    }
    exchange->sink_octets = 0;
    exchange->sinks = true;
    (void)exchange->transport->accept_body(exchange, UINT64_MAX);
}

void web_site_body(struct web_exchange *exchange, struct bytes data)
{
    if (exchange->upload != NULL)
        web_upload_body(exchange, data);
    else if (exchange->question != NULL)
        web_dns_body(exchange, data);
    else if (exchange->service != NULL)
        exchange->service->body(exchange, data);
    exchange->sink_octets += data.len;
}

static void answer_sink(struct web_exchange *exchange)
{
    usec now = loop_now(net_loop(exchange->web->net));
    double seconds = (double)(now - exchange->request_at) / 1e6;
    struct page_text page = {0};
    page_add_format(&page, "{\"octets\": %llu, \"seconds\": %.6f}\n",
                    (unsigned long long)exchange->sink_octets, seconds);
    web_reply_page(exchange, 200, "application/json", &page);
}

void web_site_body_end(struct web_exchange *exchange)
{
    if (exchange->upload != NULL)
        web_upload_end(exchange);
    else if (exchange->question != NULL)
        web_dns_end(exchange);
    else if (exchange->service != NULL)
        exchange->service->body_end(exchange);
    else if (exchange->sinks)
        answer_sink(exchange);
    exchange->sinks = false;
}

void web_site_body_failed(struct web_exchange *exchange)
{
    web_upload_free(exchange->upload);
    exchange->upload = NULL;
    exchange->sinks = false;
    web_dns_forget(exchange);
    if (exchange->service != NULL)
        exchange->service->body_failed(exchange);
}

/* ---- embedded files ---- */

static void reply_embedded(struct web_exchange *exchange, const struct web_page *page)
{
    struct web_reply reply = {
        .type = web_type_of(bytes_of_text(page->path)),
        .etag = exchange->web->etags[page - web_pages],
        .cache = "no-cache",
        .modified = INT64_MIN,
        .built_in = true,
        .body = web_body_of(bytes_of(page->data, page->len)),
    };
    web_reply_entity(exchange, &exchange->event->head, &reply);
}

/* The title of a page is its first heading. */
static void copy_title(struct bytes html, char *out, size_t size)
{
    struct text title = text_of(out, size);
    for (size_t i = 0; i + 4 <= html.len; i++) {
        if (memcmp(html.data + i, "<h1>", 4) != 0)
            continue;
        struct bytes heading = bytes_after(html, i + 4);
        text_add_bytes(&title, bytes_first(heading, bytes_find(heading, '<')));
        return;
    }
    text_add(&title, "wholenet");
}

/* /docs/, /docs/run.html: fragments that are given the site's head and foot. */
static void on_docs(struct web_exchange *exchange, struct bytes rest)
{
    char path[256];
    char title[100];
    if (rest.len == 0)
        rest = bytes_of_text("index.html");
    snprintf(path, sizeof path, "/docs/%.*s", (int)(rest.len < 200 ? rest.len : 200),
             (const char *)rest.data);
    const struct web_page *found = web_page_find(bytes_of_text(path));
    if (found == NULL) {
        web_reply_error(exchange, 404, "There is no page of this name.");
        return;
    }
    struct page_text content = {0};
    struct page_text page = {0};
    struct bytes html = bytes_of(found->data, found->len);
    page_add(&content, "<article>");
    page_add_bytes(&content, html);
    page_add(&content, "</article>");
    copy_title(html, title, sizeof title);
    web_page_wrap(exchange, title, page_bytes(&content), &page);
    page.failed |= content.failed;
    page_done(&content);
    web_reply_page(exchange, 200, html_type, &page);
}

static void on_form(struct web_exchange *exchange, struct bytes rest UNUSED)
{
    web_form_request(exchange);
}

/* ---- routes ---- */

typedef void (*route_handler)(struct web_exchange *exchange, struct bytes rest);

static const struct route {
    const char *path;
    bool below; /* the path is a prefix; what follows it is `rest` */
    const char *methods;
    route_handler handle;
} routes[] = {
    {"/", false, METHODS_READ, on_home},
    {"/status.json", false, METHODS_READ, on_status},
    {"/healthz", false, METHODS_READ, on_health},
    {"/bytes/", true, METHODS_READ, on_bytes},
    {"/sink", false, METHODS_SINK, on_sink},
    {"/form", false, WEB_FORM_METHODS, on_form},
    {"/docs/", true, METHODS_READ, on_docs},
};

/* Files of web/ that are served as they are. */
static const char *const assets[] = {"/style.css", "/live.js", "/favicon.svg", "/robots.txt"};

static const struct route *find_route(struct bytes path, struct bytes *rest)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        struct bytes wanted = bytes_of_text(routes[i].path);
        bool same = routes[i].below ? bytes_equal(bytes_first(path, wanted.len), wanted)
                                    : bytes_equal(path, wanted);
        if (same) {
            *rest = bytes_after(path, wanted.len);
            return &routes[i];
        }
    }
    return NULL;
}

static const struct web_page *find_asset(struct bytes path)
{
    for (size_t i = 0; i < ARRAY_LEN(assets); i++)
        if (bytes_equal(path, bytes_of_text(assets[i])))
            return web_page_find(path);
    return NULL;
}

static bool is_method(const struct web_exchange *exchange, const char *method)
{
    return strcmp(exchange->method, method) == 0;
}

/* Answers OPTIONS and what the resource does not have. True: the request is to be handled. */
static bool check_method(struct web_exchange *exchange, const char *allow)
{
    if (is_method(exchange, "OPTIONS")) {
        web_reply(exchange,
                  &(struct web_reply){.status = 204,
                                      .allow = allow,
                                      .dav = !exchange->place->rule->webdav       ? NULL
                                             : dav_locks_here(exchange->web) ? "1, 2"
                                                                             : "1",
                                      .modified = INT64_MIN});
        return false;
    }
    size_t len = strlen(exchange->method);
    const char *found = strstr(allow, exchange->method);
    if (found != NULL && (found == allow || found[-1] == ' ') &&
        (found[len] == ',' || found[len] == '\0'))
        return true;
    web_reply_method(exchange, allow);
    return false;
}

/* The path within the built-in site; false: it is not there. */
static bool strip_prefix(const struct web_place *place, struct bytes *path)
{
    struct bytes prefix = bytes_of_text(place->prefix);
    if (place->rule->built_in_off || !bytes_equal(bytes_first(*path, prefix.len), prefix))
        return false;
    struct bytes rest = bytes_after(*path, prefix.len);
    if (rest.len == 0 || rest.data[0] != '/')
        return false;
    *path = rest;
    return true;
}

static void reply_built_in(struct web_exchange *exchange, struct bytes path)
{
    struct bytes rest;
    const struct route *route = find_route(path, &rest);
    const struct web_page *asset = find_asset(path);
    if (!check_method(exchange, route != NULL ? route->methods : METHODS_READ))
        return;
    if (route != NULL)
        route->handle(exchange, rest);
    else if (asset != NULL)
        reply_embedded(exchange, asset);
    else
        web_reply_error(exchange, 404, NULL);
}

static void reply_files(struct web_exchange *exchange, struct bytes path)
{
    const struct web_rule *rule = exchange->place->rule;
    bool there = exchange->place->root_fd >= 0;
    bool dav = rule->webdav && there;
    bool put = is_method(exchange, "PUT");
    if (!check_method(exchange, dav ? DAV_METHODS : rule->upload && there ? METHODS_FILES : METHODS_READ))
        return;
    unsigned refusal = dav && put ? web_dav_check_put(exchange, path) : 0;
    if (!there || (dav && web_dav_reserved(path)))
        web_reply_error(exchange, put ? 403 : 404, NULL);
    else if (refusal != 0)
        web_reply_error(exchange, refusal, NULL);
    else if (dav && web_dav_has(exchange->method))
        web_dav_request(exchange, path);
    else if (put)
        web_upload_put(exchange, path);
    else if (is_method(exchange, "DELETE"))
        web_upload_delete(exchange, path);
    else
        web_files_request(exchange, path);
}

/* ---- what the rule asks before ---- */

static bool within_rate(struct web_exchange *exchange)
{
    const struct web_rule *rule = exchange->place->rule;
    usec now = loop_now(net_loop(exchange->web->net));
    if (rule->rate == 0 || web_limit_request(&exchange->web->first->limit, &exchange->peer.address,
                                             rule->rate, rule->burst, now))
        return true;
    exchange->web->counters.limited++;
    const struct web_reply facts = {.retry_after = "1"};
    web_reply_error_with(exchange, 429, NULL, &facts);
    return false;
}

static bool is_admitted(struct web_exchange *exchange)
{
    const struct web_place *place = exchange->place;
    const struct http_request_head *head = &exchange->event->head;
    struct web_auth_context *context = &exchange->web->auth;
    if (place->users == NULL)
        return true;
    if (exchange->admitted_by != NULL && /* it has asked already, before a program sent it here */
        strcmp(exchange->admitted_by->users, place->rule->users) == 0 &&
        strcmp(exchange->admitted_by->realm, place->rule->realm) == 0)
        return true;
    const struct web_credentials credentials = {
        .method = head->method,
        .target = head->target,
        .authorization = http_field_value(&head->fields, "Authorization"),
        .now = loop_now(net_loop(exchange->web->net)),
    };
    enum web_verdict verdict =
        web_auth_check(context, place->rule, place->users, &credentials, exchange->user);
    if (verdict == WEB_ADMITTED) {
        exchange->admitted_by = place->rule;
        return true;
    }
    char challenges[2][WEB_CHALLENGE_MAX];
    size_t count = web_auth_challenges(context, place, verdict == WEB_STALE, credentials.now,
                                       challenges);
    const struct web_reply facts = {
        .challenges = {challenges[0], count > 1 ? challenges[1] : NULL},
    };
    web_reply_error_with(exchange, 401, NULL, &facts);
    return false;
}

/* "*" at the end of what it leads to stands for the request's path and query, less what the rule's
 * prefix has of it already. */
static void redirect(struct web_exchange *exchange)
{
    char location[3 * WEB_PATH_MAX];
    const struct web_rule *rule = exchange->place->rule;
    const struct uri_target *target = &exchange->event->target;
    struct text text = text_of(location, sizeof location);
    struct bytes to = bytes_of_text(rule->redirect);
    bool rest = to.data[to.len - 1] == '*';
    text_add_bytes(&text, bytes_first(to, to.len - rest));
    if (rest) {
        size_t skip = rule->match == WEB_MATCH_PREFIX ? strlen(rule->pattern) : 0;
        struct bytes path = bytes_after(target->path, skip);
        if (text.len > 0 && location[text.len - 1] == '/')
            while (path.len > 0 && path.data[0] == '/')
                path = bytes_after(path, 1);
        text_add_bytes(&text, path);
        if (target->has_query) {
            text_add(&text, "?");
            text_add_bytes(&text, target->query);
        }
    }
    if (text.failed) {
        web_reply_error(exchange, 414, NULL);
        return;
    }
    const struct web_reply facts = {.location = location};
    web_reply_error_with(exchange, rule->redirect_status, NULL, &facts);
}

/* To the same place by https, at the first port that is listened on with TLS. */
static void redirect_to_https(struct web_exchange *exchange)
{
    char location[3 * WEB_PATH_MAX];
    const struct http_server_event *event = exchange->event;
    const struct web_config *config = &exchange->rules->config;
    struct bytes authority = event->target.authority;
    struct bytes host;
    uint16_t port;
    if (event->target.form != URI_ABSOLUTE)
        authority = http_field_value(&event->head.fields, "Host");
    if (!uri_authority_parse(authority, &host, &port))
        host = bytes_of_text(exchange->web->server_name);
    bool literal = bytes_find(host, ':') < host.len;
    struct text text = text_of(location, sizeof location);
    text_add(&text, literal ? "https://[" : "https://");
    text_add_bytes(&text, host);
    text_add(&text, literal ? "]" : "");
    uint32_t i = 0;
    while (i < config->listen_count && !config->listens[i].tls)
        i++;
    if (i < config->listen_count && config->listens[i].at.port != 443)
        text_add_format(&text, ":%u", config->listens[i].at.port);
    text_add_bytes(&text, event->target.path);
    text_add(&text, event->target.has_query ? "?" : "");
    text_add_bytes(&text, event->target.query);
    const struct web_reply facts = {.location = location};
    web_reply_error_with(exchange, text.failed ? 414 : 308, NULL, text.failed ? NULL : &facts);
}

/* False: the rule has answered. */
static bool pass_rule(struct web_exchange *exchange)
{
    const struct web_rule *rule = exchange->place->rule;
    if (rule->https_only && !exchange->secure) {
        redirect_to_https(exchange);
        return false;
    }
    if (!web_rule_admits(rule, &exchange->peer.address)) {
        web_reply_error(exchange, 403, NULL);
        return false;
    }
    if (!within_rate(exchange) || !is_admitted(exchange))
        return false;
    if (rule->redirect_status == 0)
        return true;
    redirect(exchange);
    return false;
}

/* ---- the way of a request ---- */

/* The authority of an absolute target stands in the place of Host (RFC 9112 §3.2.2). */
static const struct web_host *host_of(const struct web_exchange *exchange)
{
    const struct http_server_event *event = exchange->event;
    struct bytes authority = event->target.authority;
    struct bytes name = bytes_empty();
    uint16_t port;
    if (event->target.form != URI_ABSOLUTE)
        authority = http_field_value(&event->head.fields, "Host");
    if (exchange->rules->config.host_count == 1 || !uri_authority_parse(authority, &name, &port))
        return &exchange->rules->config.hosts[0];
    return web_rules_host(exchange->rules, name);
}

static bool has_program(const struct web_rule *rule)
{
    return rule->backend_count > 0 || rule->cgi || rule->websocket[0] != '\0';
}

static void run_program(struct web_exchange *exchange, struct bytes path)
{
    if (exchange->place->rule->websocket[0] != '\0')
        web_socket_request(exchange, path);
    else
        web_gateway_request(exchange, path);
}

bool web_site_is_program(const struct web_exchange *exchange, struct bytes path)
{
    return has_program(web_rules_place(exchange->rules, exchange->site, path)->rule);
}

void web_site_index(struct web_exchange *exchange, struct bytes path)
{
    exchange->place = web_rules_place(exchange->rules, exchange->site, path);
    if (pass_rule(exchange))
        run_program(exchange, path);
}

/* What the page will need is told before it is there (RFC 8297). */
static void say_hints(struct web_exchange *exchange)
{
    const char *link = exchange->place->rule->early_hints;
    const struct http_field field = {bytes_of_text("Link"), bytes_of_text(link)};
    if (link[0] != '\0' && is_method(exchange, "GET") && exchange->redirects == 0)
        (void)exchange->transport->interim(exchange, 103, &field, 1);
}

static void route(struct web_exchange *exchange, const struct web_host *host, char *decoded,
                  size_t len)
{
    enum { REWRITES_MAX = 4 }; /* one may lead to a rule with another */
    for (int i = 0;; i++) {
        struct bytes path = bytes_of(decoded, len);
        exchange->place = web_rules_place(exchange->rules, host, path);
        if (!pass_rule(exchange))
            return;
        char other[WEB_PATH_MAX];
        size_t other_len = web_rule_rewrite(exchange->place->rule, path, other, sizeof other);
        if (other_len > 0 && i == REWRITES_MAX) {
            web_reply_error(exchange, 500, NULL);
            return;
        }
        if (other_len > 0) {
            memcpy(decoded, other, other_len);
            len = other_len;
            continue;
        }
        say_hints(exchange);
        if (exchange->place->rule->dns) {
            if (check_method(exchange, METHODS_DNS))
                web_dns_request(exchange);
        } else if (exchange->place->rule->pass.count > 0) {
            web_pass_request(exchange, path);
        } else if (has_program(exchange->place->rule)) {
            run_program(exchange, path);
        } else if (strip_prefix(exchange->place, &path))
            reply_built_in(exchange, path);
        else
            reply_files(exchange, path);
        return;
    }
}

void web_site_request(struct web_exchange *exchange)
{
    char decoded[WEB_PATH_MAX];
    const struct uri_target *target = &exchange->event->target;
    const struct web_host *host = host_of(exchange);
    exchange->site = host;
    exchange->place = &exchange->rules->places[host->rule_first];
    if (target->form == URI_ASTERISK || target->form == URI_AUTHORITY) {
        if (check_method(exchange, METHODS_READ)) /* neither GET nor HEAD comes in these forms */
            web_reply_error(exchange, 400, NULL);
        return;
    }
    if (target->path.len >= sizeof decoded) {
        web_reply_error(exchange, 414, NULL);
        return;
    }
    size_t len = uri_path_decode(target->path, decoded, sizeof decoded);
    if (len == 0)
        web_reply_error(exchange, 400, "The path holds what no path may hold.");
    else
        route(exchange, host, decoded, len);
}

/* The request's fields as a program was told of them, less what was about its body and the state of what it
 * had asked for. Names go to `room`. */
static void fields_of_meta(struct bytes meta, char *room, struct http_fields *out)
{
    struct bytes name, value;
    size_t at = 0;
    const struct bytes prefix = bytes_of_text("HTTP_");
    while (web_meta_next(meta, &at, &name, &value) && out->count < HTTP_FIELDS_MAX) {
        if (!bytes_equal(bytes_first(name, prefix.len), prefix))
            continue;
        name = bytes_after(name, prefix.len);
        if (bytes_equal(bytes_first(name, 3), bytes_of_text("IF_")) ||
            bytes_equal(name, bytes_of_text("RANGE")) || bytes_equal(name, bytes_of_text("EXPECT")))
            continue;
        for (size_t i = 0; i < name.len; i++)
            room[i] = name.data[i] == '_' ? '-' : (char)name.data[i];
        out->list[out->count++] = (struct http_field){bytes_of(room, name.len), value};
        room += name.len;
    }
}

void web_site_again(struct web_exchange *exchange, struct bytes target, struct bytes meta)
{
    bool head = is_method(exchange, "HEAD");
    const char *method = head ? "HEAD" : "GET";
    struct http_server_event *event = calloc(1, sizeof *event);
    char *names = malloc(meta.len + 1);
    if (event == NULL || names == NULL) {
        web_reply_error(exchange, 503, NULL);
    } else {
        event->kind = HTTP_SERVER_REQUEST;
        event->data = bytes_empty();
        event->head.version = HTTP_VERSION_1_1;
        event->head.method = bytes_of_text(method);
        event->head.target = target;
        memcpy(exchange->method, method, strlen(method) + 1);
        fields_of_meta(meta, names, &event->head.fields);
        exchange->event = event;
        if (uri_target_parse(event->head.method, target, &event->target))
            web_site_request(exchange);
        else
            web_reply_error(exchange, 502, NULL);
        exchange->event = NULL;
    }
    free(names);
    free(event);
}
