/* SPDX-License-Identifier: ISC */
/*
 * web_admit.c - what a rule demands before a request is answered by it: https, an address, a rate, a user; and the
 * rules that only lead elsewhere.
 */
#include "app/web/web_exchange.h"
#include "base/text.h"

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
        .peer = exchange->peer.address,
        .now = loop_now(net_loop(exchange->web->net)),
    };
    enum web_verdict verdict =
        web_auth_check(context, place->rule, place->users, &credentials, exchange->user);
    if (verdict == WEB_ADMITTED) {
        exchange->admitted_by = place->rule;
        return true;
    }
    if (verdict == WEB_TOO_OFTEN) {
        exchange->web->counters.limited++;
        const struct web_reply wait = {.retry_after = "10"};
        web_reply_error_with(exchange, 429, NULL, &wait);
        return false;
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

/* The path in the form that rules are found by: of another one the rule's prefix would not be the beginning, and
 * what is left of it could be the end of a host's name. */
static void add_rest(struct text *text, const struct web_rule *rule, struct bytes path)
{
    char encoded[3 * WEB_PATH_MAX];
    path = bytes_after(path, rule->match == WEB_MATCH_PREFIX ? strlen(rule->pattern) : 0);
    struct bytes before = text_bytes(text);
    if (before.len > 0 && before.data[before.len - 1] == '/')
        while (path.len > 0 && path.data[0] == '/')
            path = bytes_after(path, 1);
    text_add_bytes(text, bytes_of(encoded, uri_path_encode(path, encoded, sizeof encoded)));
}

/* "*" at the end of what it leads to stands for the request's path and query, less what the rule's
 * prefix has of it already. */
static void redirect(struct web_exchange *exchange, struct bytes path)
{
    char location[4 * WEB_PATH_MAX];
    const struct web_rule *rule = exchange->place->rule;
    const struct uri_target *target = &exchange->event->target;
    struct text text = text_of(location, sizeof location);
    struct bytes to = bytes_of_text(rule->redirect);
    bool rest = to.data[to.len - 1] == '*';
    text_add_bytes(&text, bytes_first(to, to.len - rest));
    if (rest) {
        add_rest(&text, rule, path);
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

static bool admit(struct web_exchange *exchange, struct bytes path)
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
    redirect(exchange, path);
    return false;
}

bool web_admit(struct web_exchange *exchange, struct bytes path)
{
    const struct web_place *place = exchange->place;
    bool good = true;
    if (place->also != NULL) {
        exchange->place = place->also;
        good = admit(exchange, path);
        exchange->place = place;
    }
    return good && admit(exchange, path);
}
