/* SPDX-License-Identifier: ISC */
/*
 * web.c - the web service: its listeners, connections and exchanges.
 *
 * When there are as many connections as may be, one between requests makes room for a new one, or else
 * the one whose head has been half there longest, at least a second (Slowloris); when all are at work,
 * the new one is told 503 and closed.
 */
#include "app/web/web.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/web/pages.h"
#include "app/web/web_cgi.h"
#include "app/web/web_dav.h"
#include "app/web/web_exchange.h"
#include "app/web/web_fastcgi.h"
#include "app/web/web_pass.h"
#include "app/web/web_gateway.h"
#include "app/web/web_socket.h"
#include "app/web/web_tls.h"
#include "base/siphash.h"

enum {
    CONNECTIONS_DEFAULT = 4096,
    REFUSALS_MAX = 64, /* connections that are being told 503 at a time; more are reset */
};

/* Of this worker, and of all. */
static void count_open(struct web *web, int change)
{
    web->counters.open = (uint64_t)((int64_t)web->counters.open + change);
    atomic_fetch_add_explicit(&web->first->all_open, change, memory_order_relaxed);
}

static bool has_room(const struct web *web)
{
    return atomic_load_explicit(&web->first->all_open, memory_order_relaxed) <
           (int64_t)web->connections_max;
}

/* ---- a session's end ---- */

void web_session_free(struct web_session *session)
{
    struct web *web = session->web;
    web_http1_work_done(session);
    web_http2_done(session);
    list_remove(&session->node);
    list_remove(&session->idle_node);
    if (session->counted)
        web_limit_leave(&web->first->limit, &session->peer.address);
    if (session->refused)
        web->refused_open--;
    else
        count_open(web, -1);
    free(session);
}

void web_session_close(struct web_session *session)
{
    stream_close(session->stream);
    web_session_free(session);
}

/* ---- exchanges ---- */

const char *web_date(struct web *web)
{
    int64_t wall = loop_wall_seconds(net_loop(web->net));
    if (wall != web->date_at)
        http_date_format(wall, web->date);
    web->date_at = wall;
    return web->date;
}

static void copy_text(char *out, size_t size, struct bytes text)
{
    struct bytes part = bytes_first(text, size - 1);
    memcpy(out, part.data, part.len);
    out[part.len] = '\0';
}

void web_exchange_begin(struct web_exchange *exchange, const struct http_server_event *event)
{
    struct web *web = exchange->web;
    const struct http_fields *fields = &event->head.fields;
    web->counters.requests++;
    exchange->rules = web_rules_use(web->rules);
    exchange->request_at = loop_now(net_loop(web->net));
    copy_text(exchange->method, sizeof exchange->method, event->head.method);
    copy_text(exchange->target, sizeof exchange->target, event->head.target);
    exchange->user[0] = '\0';
    exchange->host[0] = exchange->referer[0] = exchange->agent[0] = '\0';
    if (web->log != NULL) {
        copy_text(exchange->host, sizeof exchange->host, http_field_value(fields, "Host"));
        copy_text(exchange->referer, sizeof exchange->referer, http_field_value(fields, "Referer"));
        copy_text(exchange->agent, sizeof exchange->agent, http_field_value(fields, "User-Agent"));
    }
    exchange->event = event;
    web_site_request(exchange);
    exchange->event = NULL;
}

void web_exchange_done(struct web_exchange *exchange)
{
    const struct web_service *service = exchange->service;
    exchange->service = NULL;
    if (service != NULL)
        service->done(exchange);
    exchange->work = NULL;
    exchange->admitted_by = NULL;
    exchange->redirects = 0;
    web_body_done(&exchange->body);
    web_upload_free(exchange->upload);
    exchange->upload = NULL;
    web_dns_forget(exchange);
    web_rules_release(exchange->rules);
    exchange->rules = NULL;
    exchange->place = NULL;
    exchange->method[0] = '\0';
    exchange->octets = 0;
}

void web_tell_request(struct web_exchange *exchange, unsigned status)
{
    struct web *web = exchange->web;
    web->counters.responses[status / 100 < 6 ? status / 100 : 0]++;
    if (web->on_request != NULL || web->log != NULL) {
        bool known = exchange->method[0] != '\0';
        struct web_request request = {
            .peer = exchange->peer,
            .method = known ? exchange->method : "-",
            .target = known ? exchange->target : "-",
            .protocol = known ? exchange->protocol : "-",
            .user = known ? exchange->user : "",
            .host = known ? exchange->host : "",
            .referer = known ? exchange->referer : "",
            .agent = known ? exchange->agent : "",
            .status = status,
            .octets = exchange->octets,
            .duration = known ? loop_now(net_loop(web->net)) - exchange->request_at : 0,
        };
        if (web->log != NULL)
            web_log_add(web->log, &request);
        if (web->on_request != NULL)
            web->on_request(web->on_request_self, &request);
    }
    web_exchange_done(exchange);
}

/* ---- the listeners ---- */

static struct web_session *session_new(struct web *web, struct stream *stream, bool refused)
{
    struct web_session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    session->web = web;
    session->stream = stream;
    session->peer = stream_peer(stream);
    session->refused = refused;
    list_append(&web->sessions, &session->node);
    list_init(&session->idle_node);
    if (refused)
        web->refused_open++;
    else
        count_open(web, 1);
    return session;
}

/* Makes room among the sessions of this worker. False: all are at work. */
static bool make_room(struct web *web)
{
    if (has_room(web))
        return true;
    struct list_node *oldest = list_first(&web->idle);
    if (oldest == NULL) { /* who means well has its head here sooner */
        oldest = list_first(&web->heads);
        usec patience = loop_now(net_loop(web->net)) - WEB_HEAD_PATIENCE;
        if (oldest == NULL ||
            CONTAINER_OF(oldest, struct web_session, idle_node)->head_at > patience)
            return false;
    }
    web->counters.shed++;
    web_session_close(CONTAINER_OF(oldest, struct web_session, idle_node));
    return true;
}

static void on_accept(void *self, struct listener *listener UNUSED, struct stream *stream)
{
    struct web_door *door = self;
    struct web *web = door->web;
    struct endpoint peer = stream_peer(stream);
    uint32_t max = web->rules->config.connections_per_address;
    bool counted = max > 0 && web_limit_enter(&web->first->limit, &peer.address, max);
    bool refuse = (max > 0 && !counted) || !make_room(web);
    web->counters.connections++;
    web->counters.refused += refuse;
    struct web_session *session = NULL;
    if (!refuse || web->refused_open < REFUSALS_MAX)
        session = session_new(web, stream, refuse);
    if (session == NULL) {
        if (counted)
            web_limit_leave(&web->first->limit, &peer.address);
        stream_abort(stream);
        return;
    }
    session->counted = counted;
    session->secure = door->listen.tls;
    struct tls_facts facts;
    if (!refuse && tls_stream_facts(stream, &facts) && strcmp(facts.alpn, "h2") == 0 &&
        web_http2_begin(session))
        return;
    web_http1_begin(session, refuse);
}

static const struct listener_handler listener_handler = {.on_accept = on_accept};

static int complain(struct text *error, const char *what, int status)
{
    if (status < 0)
        text_add_format(error, "%s: %s", what, strerror(-status));
    return status;
}

static bool same_listen(const struct web_listen *a, const struct web_listen *b)
{
    return endpoint_equal(&a->at, &b->at) && a->tls == b->tls;
}

static struct web_door *door_of(struct web *web, const struct web_listen *listen)
{
    for (size_t i = 0; i < WEB_DOORS_MAX; i++)
        if (web->doors[i].listener != NULL && same_listen(&web->doors[i].listen, listen))
            return &web->doors[i];
    return NULL;
}

static void close_door(struct web_door *door)
{
    if (door->listener != NULL)
        listener_close(door->listener);
    door->listener = NULL;
}

static int open_door(struct web *web, const struct web_listen *listen)
{
    size_t i = 0;
    while (i < WEB_DOORS_MAX && web->doors[i].listener != NULL)
        i++;
    if (i == WEB_DOORS_MAX)
        return -ENOSPC;
    struct web_door *door = &web->doors[i];
    struct listen_options options = {
        .local = listen->at,
        .reuse_port = web->several,
        .claim = web->first == web,
        .client_first = true,
    };
    door->web = web;
    door->listen = *listen;
    if (listen->tls)
        return tls_listen(web->tls, web->net, &options, &listener_handler, door, &door->listener);
    return net_listen(web->net, &options, &listener_handler, door, &door->listener);
}

/* Opens what is new; on failure closes it again. */
static int open_doors(struct web *web, const struct web_config *config, struct text *error)
{
    bool opened[WEB_LISTENS_MAX] = {false};
    int status = 0;
    for (uint32_t i = 0; i < config->listen_count && status == 0; i++) {
        opened[i] = door_of(web, &config->listens[i]) == NULL;
        if (opened[i])
            status = open_door(web, &config->listens[i]);
        char at[ENDPOINT_TEXT_MAX];
        (void)complain(error, endpoint_format(&config->listens[i].at, at), status);
    }
    for (uint32_t i = 0; i < config->listen_count && status < 0; i++) {
        struct web_door *door = door_of(web, &config->listens[i]);
        if (opened[i] && door != NULL)
            close_door(door);
    }
    return status;
}

static void close_old_doors(struct web *web, const struct web_config *config)
{
    for (size_t i = 0; i < WEB_DOORS_MAX; i++) {
        bool wanted = false;
        for (uint32_t k = 0; k < config->listen_count; k++)
            wanted |= same_listen(&config->listens[k], &web->doors[i].listen);
        if (!wanted)
            close_door(&web->doors[i]);
    }
}

/* ---- the service ---- */

/* A tag from the contents, so that it changes with them and only with them. */
static bool make_etags(struct web *web)
{
    static const struct siphash_key key = {0x77686f6c656e6574, 0x7765622070616765};
    web->etags = calloc(web_page_count + 1, sizeof *web->etags);
    if (web->etags == NULL)
        return false;
    for (size_t i = 0; i < web_page_count; i++) {
        uint64_t hash = siphash24(&key, bytes_of(web_pages[i].data, web_pages[i].len));
        snprintf(web->etags[i], sizeof web->etags[i], "\"%016llx\"", (unsigned long long)hash);
    }
    return true;
}

static int web_prepare(struct web *web, const struct web_options *options)
{
    struct prng *prng = loop_prng(net_loop(web->net));
    struct heap heap = loop_heap(net_loop(web->net));
    web_cache_init(&web->cache, &heap, prng_u64(prng));
    web_limit_init(&web->limit, &heap, prng_u64(prng));
    web->auth.key = (struct siphash_key){prng_u64(prng), prng_u64(prng)};
    web->auth.guesses.key = (struct siphash_key){prng_u64(prng), prng_u64(prng)};
    http_sessions_init(&web->sessions_of_forms, &options->hmac, "wholenet-form", prng);
    if (web->first != web) {
        web->auth.key = web->first->auth.key;
        memcpy(web->sessions_of_forms.keys, web->first->sessions_of_forms.keys,
               sizeof web->sessions_of_forms.keys);
    }
    web->server_name = strdup(options->server_name != NULL ? options->server_name : "localhost");
    web->domain = strdup(options->domain != NULL ? options->domain : "");
    if (web->server_name == NULL || web->domain == NULL || !make_etags(web) ||
        web_buffers_init(&web->buffers) < 0)
        return -ENOMEM;
    return errands_new(net_loop(web->net), WEB_ERRANDS_MAX, &web->errands);
}

static int open_log(struct web *web, const struct web_config *config, struct web_log **out)
{
    *out = NULL;
    if (config->access_log[0] == '\0')
        return 0;
    return web_log_open(net_loop(web->net), config->access_log, config->log_format, out);
}

static int configure_tls(struct web *web, const struct web_config *config, struct text *error)
{
    struct tls_server *first = web->first != web ? web->first->tls : NULL;
    return web_tls_configure(net_loop(web->net), config, first, error, &web->tls);
}

/* What of the new configuration can fail. On failure all is as it was. */
static int prepare_reload(struct web *web, const struct web_config *config, struct text *error,
                          struct web_rules **rules, struct web_log **log)
{
    const char *what = "";
    int status = web_rules_new(config, rules, &what);
    if (status < 0)
        return complain(error, what, status);
    status = complain(error, config->access_log, open_log(web, config, log));
    if (status == 0)
        status = configure_tls(web, config, error);
    if (status == 0) {
        status = open_doors(web, config, error);
        if (status < 0 && web->rules != NULL && /* they were right before */
            configure_tls(web, &web->rules->config, error) < 0)
            text_add(error, "; the certificates are the new ones");
    }
    if (status == 0)
        return 0;
    web_log_free(*log);
    web_rules_release(*rules);
    return status;
}

int web_reload(struct web *web, const struct web_config *config, struct text *error)
{
    char ignored[256];
    struct text nobody = text_of(ignored, sizeof ignored);
    struct web_rules *rules = NULL;
    struct web_log *log = NULL;
    int status = prepare_reload(web, config, error != NULL ? error : &nobody, &rules, &log);
    if (status < 0)
        return status;
    close_old_doors(web, config);
    web_log_free(web->log);
    web->log = log;
    web_cache_clear(&web->cache); /* its roots may be others now */
    web_rules_release(web->rules);
    web->rules = rules;
    web_pass_tidy(web);
    web->connections_max = config->connections_max;
    if (web->connections_max == 0)
        web->connections_max = CONNECTIONS_DEFAULT;
    return 0;
}

/* The configuration that a root alone, or nothing, stands for. */
static int simple_config(const struct web_options *options, struct web_config *out)
{
    memset(out, 0, sizeof *out);
    out->listens[0].at = options->listen;
    out->listen_count = 1;
    out->host_count = 1;
    out->hosts[0].rule_count = 1;
    out->connections_max = options->connections_max;
    struct web_rule *rule = web_config_add_rule(out, NULL);
    if (rule == NULL)
        return -ENOMEM;
    if (options->root != NULL && strlen(options->root) >= sizeof rule->root)
        return -ENAMETOOLONG;
    if (options->root != NULL)
        memcpy(rule->root, options->root, strlen(options->root) + 1);
    return 0;
}

static int configure(struct web *web, const struct web_options *options)
{
    if (options->config != NULL)
        return web_reload(web, options->config, options->error);
    struct web_config *config = malloc(sizeof *config);
    if (config == NULL)
        return -ENOMEM;
    int status = simple_config(options, config);
    if (status == 0)
        status = web_reload(web, config, options->error);
    web_config_done(config);
    free(config);
    return status;
}

int web_new(struct net *net, const struct web_options *options, struct web **out)
{
    struct web *web = calloc(1, sizeof *web);
    if (web == NULL)
        return -ENOMEM;
    web->net = net;
    web->several = options->several;
    web->first = options->first != NULL ? options->first : web;
    web->site = options->site;
    web->dns = options->dns;
    web->on_request = options->on_request;
    web->on_request_self = options->on_request_self;
    web->on_message = options->on_message;
    web->on_message_self = options->on_message_self;
    list_init(&web->gateways);
    web_fastcgi_init(&web->fastcgi);
    web_cgi_init(web);
    list_init(&web->dav_jobs);
    dav_locks_init(&web->dav_locks);
    programs_init(&web->socket_programs, net_loop(web->net));
    list_init(&web->engines);
    list_init(&web->sessions);
    list_init(&web->idle);
    list_init(&web->heads);
    list_init(&web->warm);
    list_init(&web->warm_streams);
    int status = web_prepare(web, options);
    if (status == 0)
        status = configure(web, options);
    if (status < 0) {
        web_free(web);
        return status;
    }
    *out = web;
    return 0;
}

void web_free(struct web *web)
{
    if (web == NULL)
        return;
    struct list_node *node;
    while ((node = list_first(&web->sessions)) != NULL)
        web_session_close(CONTAINER_OF(node, struct web_session, node));
    web_gateways_done(web);
    web_cgi_done(web);
    web_socket_done(web);
    web_fastcgi_done(&web->fastcgi);
    web_pass_done(web);
    for (size_t i = 0; i < WEB_DOORS_MAX; i++)
        close_door(&web->doors[i]);
    web->dav_ending = true;
    dav_locks_done(&web->dav_locks);
    errands_free(web->errands);
    tls_server_free(web->tls);
    web_log_free(web->log);
    web_cache_done(&web->cache);
    web_limit_done(&web->limit);
    web_rules_release(web->rules);
    free(web->server_name);
    free(web->domain);
    free(web->etags);
    web_http1_warm_done(web);
    web_http2_warm_done(web);
    web_memory_done(&web->memory);
    web_buffers_done(&web->buffers);
    free(web);
}

struct endpoint web_local(const struct web *web)
{
    for (size_t i = 0; i < WEB_DOORS_MAX; i++)
        if (web->doors[i].listener != NULL)
            return listener_local(web->doors[i].listener);
    return (struct endpoint){0};
}

void web_counters(const struct web *web, struct web_counters *out)
{
    *out = web->counters;
    out->log_lost = web->log != NULL ? web_log_lost(web->log) : 0;
}
