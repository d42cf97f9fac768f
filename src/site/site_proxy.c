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
    return a->proxy.present == b->proxy.present && SITE_SAME(proxy.disk) &&
           SITE_SAME(proxy.cache_private) && SITE_SAME(proxy.trust) &&
           (a->proxy.cache_octets > 0) == (b->proxy.cache_octets > 0);
}

static void on_request(void *self, const struct proxy_request *request)
{
    struct site *site = self;
    char how[64];
    if (site->proxy_log == NULL)
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
    web_log_add(site->proxy_log, &logged);
}

static void on_trouble(void *self, const char *what)
{
    const struct site *site = self;
    log_error(site->log, "proxy: %s: %s", site->config->proxy.disk, what);
}

/* Once a listener wants it. */
static int start_tls_server(struct site *site, struct text *error)
{
    const struct site_proxy *proxy = &site->config->proxy;
    bool listens = false;
    for (uint32_t i = 0; i < proxy->listen_count; i++)
        listens |= proxy->listens[i].tls;
    return listens && site->proxy_tls_server == NULL
               ? site_tls_start(site, &proxy->tls, "proxy", "http/1.1", &site->proxy_tls_server,
                                error)
               : 0;
}

static int start_tls(struct site *site, struct text *error)
{
    const struct site_proxy *proxy = &site->config->proxy;
    char complaint[512] = "";
    struct text reason = text_of(complaint, sizeof complaint);
    struct tls_client_options options = {.alpn = "http/1.1"};
    if (proxy->trust[0] != '\0')
        options.trust_file = proxy->trust;
    int status = tls_client_new(site->loop, &options, &reason, &site->proxy_tls_client);
    if (status < 0) {
        text_add_format(error, "proxy: %s", complaint);
        return status;
    }
    return start_tls_server(site, error);
}

static void fill_options(const struct site *site, struct proxy_options *o)
{
    const struct site_proxy *p = &site->config->proxy;
    *o = (struct proxy_options){
        .listen_count = p->listen_count,
        .tls_server = site->proxy_tls_server,
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
        .outside = site->outside,
        .tls_client = site->proxy_tls_client,
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
static int open_log(struct site *site, struct text *error)
{
    const struct site_proxy *config = &site->config->proxy;
    struct web_log *log = NULL;
    if (config->access_log[0] != '\0') {
        int status = web_log_open(site->loop, config->access_log, config->log_format, &log);
        if (status < 0) {
            text_add_format(error, "proxy: cannot write %s: %s", config->access_log,
                            strerror(-status));
            return status;
        }
    }
    web_log_free(site->proxy_log);
    site->proxy_log = log;
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
static void make_options(struct site *site, struct proxy_options *options)
{
    fill_options(site, options);
    options->on_request = on_request;
    options->on_request_self = options->on_trouble_self = site;
}

int site_proxy_start(struct site *site, struct text *error)
{
    struct proxy_options options;
    if (!site->config->proxy.present)
        return 0;
    int status = start_tls(site, error);
    if (status == 0)
        status = open_log(site, error);
    if (status < 0)
        return status;
    make_options(site, &options);
    status = proxy_new(site->inside, &options, &site->proxy);
    if (status < 0)
        complain(&options, status, error);
    return status;
}

void site_proxy_stop(struct site *site)
{
    proxy_free(site->proxy);
    site->proxy = NULL;
    tls_server_free(site->proxy_tls_server);
    site->proxy_tls_server = NULL;
    tls_client_free(site->proxy_tls_client);
    site->proxy_tls_client = NULL;
    web_log_free(site->proxy_log);
    site->proxy_log = NULL;
}

void site_proxy_reload(struct site *site)
{
    char said[512] = "";
    struct text error = text_of(said, sizeof said);
    struct proxy_options options;
    if (site->proxy == NULL)
        return;
    int status = start_tls_server(site, &error);
    make_options(site, &options);
    if (status == 0) {
        status = proxy_reload(site->proxy, &options);
        if (status < 0)
            complain(&options, status, &error);
    }
    if (status == 0)
        status = open_log(site, &error);
    if (status < 0)
        log_error(site->log, "proxy: not reloaded, it stays as it was: %s", said);
    site_tls_reload(site, &site->config->proxy.tls, "proxy", site->proxy_tls_server);
}

bool site_proxy_is_transparent(const struct site_config *config)
{
    return config->proxy.present && config->proxy.transparent;
}

void site_proxy_take(void *self, struct stream *stream)
{
    struct site *site = self;
    if (site->proxy != NULL)
        proxy_take_transparent(site->proxy, stream);
    else
        stream_abort(stream);
}
