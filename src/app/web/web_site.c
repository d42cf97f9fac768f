/* SPDX-License-Identifier: ISC */
/* web_site.c - the way of a request: which rule it falls under, and by what it is answered. */
#include <stdlib.h>

#include "app/web/web_dav.h"
#include "app/web/web_exchange.h"
#include "app/web/web_gateway.h"
#include "app/web/web_pass.h"
#include "app/web/web_socket.h"

#define METHODS_FILES "GET, HEAD, PUT, DELETE, OPTIONS"
#define METHODS_DNS "GET, HEAD, POST, OPTIONS"

static bool is_method(const struct web_exchange *exchange, const char *method)
{
    return strcmp(exchange->method, method) == 0;
}

bool web_site_has_method(struct web_exchange *exchange, const char *allow)
{
    if (is_method(exchange, "OPTIONS")) {
        web_reply(exchange,
                  &(struct web_reply){.status = 204,
                                      .allow = allow,
                                      .dav = exchange->place->rule->webdav ? "1, 2" : NULL,
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

static void reply_files(struct web_exchange *exchange, struct bytes path)
{
    const struct web_rule *rule = exchange->place->rule;
    bool there = exchange->place->root_fd >= 0;
    bool dav = rule->webdav && there;
    bool put = is_method(exchange, "PUT");
    if (!web_site_has_method(exchange, dav ? DAV_METHODS : rule->upload && there ? METHODS_FILES : WEB_METHODS_READ))
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
    if (web_admit(exchange, path))
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

/* By what the rule of its place names; else it is the built-in site's, or a file's. */
static void answer(struct web_exchange *exchange, struct bytes path)
{
    const struct web_rule *rule = exchange->place->rule;
    if (rule->dns) {
        if (web_site_has_method(exchange, METHODS_DNS))
            web_dns_request(exchange);
    } else if (rule->pass.count > 0) {
        web_pass_request(exchange, path);
    } else if (has_program(rule)) {
        run_program(exchange, path);
    } else if (!web_built_in_request(exchange, path)) {
        reply_files(exchange, path);
    }
}

static void route(struct web_exchange *exchange, const struct web_host *host, char *decoded,
                  size_t len)
{
    enum { REWRITES_MAX = 4 }; /* one may lead to a rule with another */
    for (int i = 0;; i++) {
        struct bytes path = bytes_of(decoded, len);
        exchange->place = web_rules_place(exchange->rules, host, path);
        if (!web_admit(exchange, path))
            return;
        char other[WEB_PATH_MAX];
        size_t other_len = web_rule_rewrite(exchange->place->rule, path, other, sizeof other);
        if (other_len == 0) {
            say_hints(exchange);
            answer(exchange, path);
            return;
        }
        if (i == REWRITES_MAX) {
            web_reply_error(exchange, 500, NULL);
            return;
        }
        memcpy(decoded, other, other_len);
        len = other_len;
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
        if (web_site_has_method(exchange, WEB_METHODS_READ)) /* neither GET nor HEAD comes in these forms */
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

/* ---- the body of a request ---- */

void web_site_body(struct web_exchange *exchange, struct bytes data)
{
    if (exchange->upload != NULL)
        web_upload_body(exchange, data);
    else if (exchange->question != NULL)
        web_dns_body(exchange, data);
    else if (exchange->service != NULL)
        exchange->service->body(exchange, data);
}

void web_site_body_end(struct web_exchange *exchange)
{
    if (exchange->upload != NULL)
        web_upload_end(exchange);
    else if (exchange->question != NULL)
        web_dns_end(exchange);
    else if (exchange->service != NULL)
        exchange->service->body_end(exchange);
}

void web_site_body_failed(struct web_exchange *exchange)
{
    web_upload_free(exchange->upload);
    exchange->upload = NULL;
    web_dns_forget(exchange);
    if (exchange->service != NULL)
        exchange->service->body_failed(exchange);
}
