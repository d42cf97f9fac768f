/* SPDX-License-Identifier: ISC */
/* site_proxy.c - the service that the block "proxy" becomes. */
#include "site/site_proxy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/web/web_log.h"
#include "site/site_internal.h"
#include "site/site_tls.h"

/* What differs otherwise goes over by a reload: what is stored stays, and so do connections. */
bool site_proxy_same(const struct site_config *a, const struct site_config *b)
{
    for (size_t i = 0; i < SITE_PROXIES_MAX; i++)
        if (a->proxies[i].present && b->proxies[i].present &&
            (!SITE_SAME(proxies[i].disk) || !SITE_SAME(proxies[i].cache_private) ||
             !SITE_SAME(proxies[i].trust) ||
             (a->proxies[i].cache_octets > 0) != (b->proxies[i].cache_octets > 0)))
            return false;
    return true;
}

static void on_request(void *self, const struct proxy_request *request)
{
    struct site_proxy_part *part = self;
    char how[64];
    if (part->log == NULL)
        return;
    /* In the place of the browser's name stands what the cache has done. */
    snprintf(how, sizeof how, "cache=%s", request->how);
    const struct web_request logged = {
        .peer = request->peer,
        .method = request->method,
        .target = request->target,
        .protocol = "HTTP/1.1",
        .user = strcmp(request->user, "-") == 0 ? "" : request->user,
        .host = "",
        .referer = "",
        .agent = how,
        .status = request->status,
        .octets = request->octets,
        .duration = request->duration,
    };
    web_log_add(part->log, &logged);
}

static void on_trouble(void *self, const char *what)
{
    const struct site_proxy_part *part = self;
    log_error(part->site->log, "proxy: %s: %s", part->config->disk, what);
}

/* Once a listener wants it. */
static int start_tls_server(struct site_proxy_part *part, struct text *error)
{
    const struct site_proxy *proxy = part->config;
    bool listens = false;
    for (uint32_t i = 0; i < proxy->listen_count; i++)
        listens |= proxy->listens[i].tls;
    return listens && part->tls_server == NULL
               ? site_tls_start(part->site, &proxy->tls, "proxy", "http/1.1", &part->tls_server,
                                error)
               : 0;
}

static int start_tls(struct site_proxy_part *part, struct text *error)
{
    const struct site_proxy *proxy = part->config;
    char complaint[512] = "";
    struct text reason = text_of(complaint, sizeof complaint);
    struct tls_client_options options = {.alpn = "http/1.1"};
    if (proxy->trust[0] != '\0')
        options.trust_file = proxy->trust;
    int status = tls_client_new(part->site->loop, &options, &reason, &part->tls_client);
    if (status < 0) {
        text_add_format(error, "proxy: %s", complaint);
        return status;
    }
    return start_tls_server(part, error);
}

static void fill_options(const struct site_proxy_part *part, struct proxy_options *o)
{
    const struct site_proxy *p = part->config;
    *o = (struct proxy_options){
        .listen_count = p->listen_count,
        .tls_server = part->tls_server,
        .name = p->name,
        .reverse = p->reverse,
        .server_count = p->server_count,
        .balance = p->balance,
        .health = p->health,
        .slow_start = p->slow_start,
        .keep_host = p->keep_host,
        .forwarded = p->forwarded,
        .cache_private = p->cache_private,
        .cache_octets = (size_t)p->cache_octets,
        .object_octets = (size_t)p->object_octets,
        .disk = p->disk[0] != '\0' ? p->disk : NULL,
        .disk_octets = p->disk_octets,
        .disk_object_octets = p->disk_object_octets,
        .on_trouble = on_trouble,
        .allowed_count = p->allowed_count,
        .purger_count = p->purger_count,
        .port_count = p->port_count,
        .users = p->users[0] != '\0' ? p->users : NULL,
        .realm = p->realm[0] != '\0' ? p->realm : NULL,
        .connect_timeout = p->connect_timeout,
        .answer_timeout = p->answer_timeout,
        .tunnel_timeout = p->tunnel_timeout,
        .connections_max = p->connections_max,
        .rate = p->rate,
        .client_rate = p->client_rate,
        .outside = part->site->outside,
        .tls_client = part->tls_client,
    };
    for (uint32_t i = 0; i < p->listen_count; i++) {
        o->listens[i].at = p->listens[i].at;
        o->listens[i].tls = p->listens[i].tls;
    }
    memcpy(o->servers, p->servers, sizeof o->servers);
    memcpy(o->allowed, p->allowed, sizeof o->allowed);
    memcpy(o->purgers, p->purgers, sizeof o->purgers);
    memcpy(o->ports, p->ports, sizeof o->ports);
}

/* The log that the configuration has; the one before stays when it cannot be opened. */
static int open_log(struct site_proxy_part *part, struct text *error)
{
    const struct site_proxy *config = part->config;
    struct web_log *log = NULL;
    if (config->access_log[0] != '\0') {
        int status = web_log_open(part->site->loop, config->access_log, config->log_format, &log);
        if (status < 0) {
            text_add_format(error, "proxy: cannot write %s: %s", config->access_log,
                            strerror(-status));
            return status;
        }
    }
    web_log_free(part->log);
    part->log = log;
    return 0;
}

static void complain(const struct proxy_options *options, int status, struct text *error)
{
    if (status == -EINVAL && options->users != NULL)
        text_add_format(error, "proxy: %s: expected lines NAME:HASH", options->users);
    else if (status == -EBUSY && options->disk != NULL)
        text_add_format(error, "proxy: %s: another process has its cache there", options->disk);
    else if (options->disk != NULL)
        text_add_format(error, "cannot start the proxy with its cache in %s: %s", options->disk,
                        strerror(-status));
    else
        text_add_format(error, "cannot start the proxy: %s", strerror(-status));
}

/* Those of the configuration, with whom is to be told. */
static void make_options(struct site_proxy_part *part, struct proxy_options *options)
{
    fill_options(part, options);
    options->on_request = on_request;
    options->on_request_self = options->on_trouble_self = part;
}

static void stop(struct site_proxy_part *part)
{
    proxy_free(part->proxy);
    tls_server_free(part->tls_server);
    tls_client_free(part->tls_client);
    web_log_free(part->log);
    *part = (struct site_proxy_part){.site = part->site, .config = part->config};
}

static int start(struct site_proxy_part *part, struct text *error)
{
    struct proxy_options options;
    int status = start_tls(part, error);
    if (status == 0)
        status = open_log(part, error);
    if (status < 0)
        return status;
    make_options(part, &options);
    status = proxy_new(part->site->inside, &options, &part->proxy);
    if (status < 0)
        complain(&options, status, error);
    return status;
}

int site_proxy_start(struct site *site, struct text *error)
{
    int status = 0;
    for (size_t i = 0; i < SITE_PROXIES_MAX && status == 0; i++) {
        site->proxies[i].site = site;
        site->proxies[i].config = &site->config->proxies[i];
        if (site->config->proxies[i].present)
            status = start(&site->proxies[i], error);
    }
    return status;
}

void site_proxy_stop(struct site *site)
{
    for (size_t i = 0; i < SITE_PROXIES_MAX; i++)
        stop(&site->proxies[i]);
}

static void reload(struct site_proxy_part *part)
{
    struct site *site = part->site;
    char said[512] = "";
    struct text error = text_of(said, sizeof said);
    struct proxy_options options;
    int status = start_tls_server(part, &error);
    make_options(part, &options);
    if (status == 0) {
        status = proxy_reload(part->proxy, &options);
        if (status < 0)
            complain(&options, status, &error);
    }
    if (status == 0)
        status = open_log(part, &error);
    if (status < 0)
        log_error(site->log, "proxy: not reloaded, it stays as it was: %s", said);
    site_tls_reload(site, &part->config->tls, "proxy", part->tls_server);
}

void site_proxy_reload(struct site *site)
{
    for (size_t i = SITE_PROXIES_MAX; i-- > 0;) { /* those that go make room for others */
        struct site_proxy_part *part = &site->proxies[i];
        part->config = &site->config->proxies[i];
        if (!part->config->present)
            stop(part);
    }
    for (size_t i = 0; i < SITE_PROXIES_MAX; i++) {
        struct site_proxy_part *part = &site->proxies[i];
        char said[512] = "";
        struct text error = text_of(said, sizeof said);
        if (part->proxy != NULL) {
            reload(part);
        } else if (part->config->present && start(part, &error) < 0) {
            log_error(site->log, "%s", said);
            stop(part);
        }
    }
}

static const struct site_proxy *transparent(const struct site_config *config, size_t *index)
{
    for (*index = 0; *index < SITE_PROXIES_MAX; ++*index)
        if (config->proxies[*index].present && config->proxies[*index].transparent)
            return &config->proxies[*index];
    return NULL;
}

bool site_proxy_is_transparent(const struct site_config *config)
{
    size_t index;
    return transparent(config, &index) != NULL;
}

void site_proxy_take(void *self, struct stream *stream)
{
    struct site *site = self;
    size_t index;
    if (transparent(site->config, &index) != NULL && site->proxies[index].proxy != NULL)
        proxy_take_transparent(site->proxies[index].proxy, stream);
    else
        stream_abort(stream);
}
