/* SPDX-License-Identifier: ISC */
/*
 * proxy.c - the proxy service: its listeners, and what the cache wants done.
 *
 * When there are as many connections as may be, one between requests makes room for a new one; when all
 * are at work, the new one is reset.
 */
#include "app/proxy/proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/proxy/proxy_internal.h"

static void take(struct proxy *proxy, struct stream *stream, bool transparent)
{
    proxy->counters.connections++;
    if (proxy->counters.open >= proxy->options.connections_max) {
        struct list_node *node = list_first(&proxy->idle_sessions);
        if (node == NULL) {
            proxy->counters.refused++;
            stream_abort(stream);
            return;
        }
        proxy_session_close(CONTAINER_OF(node, struct proxy_session, idle_node));
    }
    proxy_session_new(proxy, stream, transparent);
}

static void on_accept(void *self, struct listener *listener UNUSED, struct stream *stream)
{
    take(self, stream, false);
}

void proxy_take_transparent(struct proxy *proxy, struct stream *stream)
{
    take(proxy, stream, true);
}

/* ---- what the cache wants done ---- */

static void attend(struct proxy *proxy, struct http_cache_fill *fill,
                   enum http_cache_fill_state state)
{
    struct proxy_job *job = http_cache_fill_owner(fill);
    switch (state) {
    case HTTP_CACHE_FILL_START:
        job = job == NULL ? proxy_job_new(proxy, fill, NULL) : job;
        if (job != NULL) {
            job->repeatable = true;
            proxy_job_start(job);
        }
        break;
    case HTTP_CACHE_FILL_GO_ON:
        if (job != NULL && job->origin != NULL)
            stream_resume(job->origin->stream);
        break;
    case HTTP_CACHE_FILL_UNUSED:
        if (job != NULL)
            proxy_job_free(job);
        http_cache_fill_fail(fill, proxy_time(proxy));
        break;
    }
}

static void on_stir(struct task *task)
{
    struct proxy *proxy = CONTAINER_OF(task, struct proxy, task);
    struct http_cache_ask *ask;
    struct http_cache_fill *fill;
    enum http_cache_fill_state state;
    bool busy = true;
    while (busy) {
        busy = false;
        while ((fill = http_cache_next_fill(proxy->cache, &state)) != NULL) {
            attend(proxy, fill, state);
            busy = true;
        }
        while ((ask = http_cache_next_ask(proxy->cache)) != NULL) {
            struct proxy_caller *caller = CONTAINER_OF(ask, struct proxy_caller, ask);
            caller->ops->wake(caller);
            busy = true;
        }
    }
    proxy_disk_stir(proxy->disk);
}

void proxy_stir(struct proxy *proxy)
{
    loop_queue(proxy->loop, &proxy->task);
}

/* ---- its life ---- */

static int open_disk(struct proxy *proxy)
{
    const struct proxy_options *o = &proxy->options;
    int status = proxy_disk_new(proxy->loop, proxy->cache, o->disk, &proxy->disk);
    if (status == 0) {
        proxy->disk->stir = &proxy->task;
        proxy->disk->on_trouble = o->on_trouble;
        proxy->disk->self = o->on_trouble_self;
    }
    return status;
}

void proxy_cache_options(const struct proxy *proxy, struct http_cache_options *out)
{
    struct heap heap = loop_heap(proxy->loop);
    const struct proxy_options *o = &proxy->options;
    http_cache_options_init(out, &heap, &proxy->key);
    out->rules.shared = !o->cache_private;
    if (o->cache_private)
        out->rules.targeted = NULL;
    out->octets_max = o->cache_octets > 0 && o->cache_octets < HTTP_CACHE_OCTETS_MIN
                          ? HTTP_CACHE_OCTETS_MIN
                          : o->cache_octets;
    out->object_max = o->object_octets > 0 ? o->object_octets : out->octets_max / 4;
    if (o->disk != NULL && out->octets_max > 0) {
        out->file_octets_max = o->disk_octets;
        out->file_object_max =
            o->disk_object_octets > 0 ? o->disk_object_octets : o->disk_octets / 4;
    }
    snprintf(out->name, sizeof out->name, "%s", proxy->name);
}

static int open_cache(struct proxy *proxy)
{
    struct http_cache_options options;
    proxy_cache_options(proxy, &options);
    proxy->cache = http_cache_new(&options);
    if (proxy->cache == NULL)
        return -ENOMEM;
    return options.file_octets_max > 0 ? open_disk(proxy) : 0;
}

int proxy_make_upstream(struct proxy *proxy, const struct proxy_options *o,
                        struct upstream **out)
{
    struct upstream_options options = {.count = o->server_count,
                                       .balance = o->balance,
                                       .health = o->health,
                                       .slow_start = o->slow_start,
                                       .loop = proxy->loop,
                                       .net = o->outside,
                                       .tls_client = o->tls_client,
                                       .lookup = proxy->lookup};
    memcpy(options.servers, o->servers, sizeof options.servers);
    *out = upstream_new(&options, &proxy->key);
    return *out != NULL ? 0 : -ENOMEM;
}

int proxy_make_rates(struct proxy *proxy)
{
    struct heap heap = loop_heap(proxy->loop);
    if (proxy->rates != NULL)
        rate_book_change(proxy->rates, proxy->options.client_rate, proxy_now(proxy));
    else if (proxy->options.client_rate > 0)
        proxy->rates = rate_book_new(&heap, &proxy->key, proxy->options.client_rate);
    return proxy->rates != NULL || proxy->options.client_rate == 0 ? 0 : -ENOMEM;
}

int proxy_listen(struct proxy *proxy, const struct proxy_options *o, size_t which,
                 struct listener **out)
{
    static const struct listener_handler handler = {.on_accept = on_accept};
    const struct listen_options options = {.local = o->listens[which].at, .client_first = true};
    return o->listens[which].tls
               ? tls_listen(o->tls_server, proxy->net, &options, &handler, proxy, out)
               : net_listen(proxy->net, &options, &handler, proxy, out);
}

static int listen_all(struct proxy *proxy)
{
    int status = 0;
    for (size_t i = 0; i < proxy->options.listen_count && status == 0; i++)
        status = proxy_listen(proxy, &proxy->options, i, &proxy->listeners[i]);
    return status;
}

void proxy_set_options(struct proxy *proxy, const struct proxy_options *options)
{
    struct proxy_options *o = &proxy->options;
    *o = *options;
    snprintf(proxy->name, sizeof proxy->name, "%s",
             options->name != NULL ? options->name : "wholenet");
    snprintf(proxy->realm, sizeof proxy->realm, "%s",
             options->realm != NULL ? options->realm : "proxy");
    o->name = proxy->name;
    o->realm = proxy->realm;
    if (o->connect_timeout == 0)
        o->connect_timeout = 10 * USEC_PER_SEC;
    if (o->answer_timeout == 0)
        o->answer_timeout = 60 * USEC_PER_SEC;
    if (o->tunnel_timeout == 0)
        o->tunnel_timeout = 10 * USEC_PER_MINUTE;
    if (o->connections_max == 0)
        o->connections_max = PROXY_CONNECTIONS_DEFAULT;
    if (o->outside == NULL)
        o->outside = proxy->net;
}

int proxy_new(struct net *net, const struct proxy_options *options, struct proxy **out)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    int status = 0;
    if (proxy == NULL)
        return -ENOMEM;
    ASSERT(!options->reverse || options->server_count > 0);
    proxy->net = net;
    proxy->loop = net_loop(net);
    list_init(&proxy->sessions);
    list_init(&proxy->idle_sessions);
    list_init(&proxy->jobs);
    list_init(&proxy->busy);
    list_init(&proxy->idle);
    list_init(&proxy->verifies);
    task_init(&proxy->task, on_stir);
    proxy->key.k0 = prng_u64(loop_prng(proxy->loop));
    proxy->key.k1 = prng_u64(loop_prng(proxy->loop));
    proxy_set_options(proxy, options);
    if (options->users != NULL)
        proxy->users = proxy_users_read(options->users, loop_prng(proxy->loop), &status);
    proxy->options.users = NULL;
    if (status == 0)
        status = open_cache(proxy);
    proxy->options.disk = NULL;
    if (status == 0)
        status = host_lookup_new(proxy->loop, &proxy->lookup);
    if (status == 0)
        status = proxy_make_rates(proxy);
    if (status == 0 && options->server_count > 0)
        status = proxy_make_upstream(proxy, &proxy->options, &proxy->upstream);
    if (status == 0)
        status = listen_all(proxy);
    if (status < 0) {
        proxy_free(proxy);
        return status;
    }
    *out = proxy;
    return 0;
}

void proxy_free(struct proxy *proxy)
{
    struct list_node *node;
    if (proxy == NULL)
        return;
    for (size_t i = 0; i < PROXY_LISTENS_MAX; i++)
        if (proxy->listeners[i] != NULL)
            listener_close(proxy->listeners[i]);
    while ((node = list_first(&proxy->sessions)) != NULL)
        proxy_session_close(CONTAINER_OF(node, struct proxy_session, node));
    while ((node = list_first(&proxy->jobs)) != NULL) {
        struct proxy_job *job = CONTAINER_OF(node, struct proxy_job, node);
        struct http_cache_fill *fill = job->fill;
        proxy_job_free(job);
        if (fill != NULL)
            http_cache_fill_fail(fill, proxy_time(proxy));
    }
    struct http_cache_fill *fill;
    enum http_cache_fill_state state;
    while (proxy->cache != NULL && (fill = http_cache_next_fill(proxy->cache, &state)) != NULL)
        http_cache_fill_fail(fill, proxy_time(proxy));
    while ((node = list_first(&proxy->idle)) != NULL)
        proxy_origin_close(CONTAINER_OF(node, struct proxy_origin, node));
    upstream_retire(proxy->upstream);
    proxy_verify_done(proxy);
    host_lookup_free(proxy->lookup);
    proxy_disk_free(proxy->disk);
    loop_unqueue(&proxy->task);
    rate_book_free(proxy->rates);
    http_cache_free(proxy->cache);
    proxy_users_free(proxy->users);
    free(proxy);
}

struct endpoint proxy_local(const struct proxy *proxy, size_t which)
{
    return listener_local(proxy->listeners[which]);
}

const struct upstream_server *proxy_server(const struct proxy *proxy, size_t index)
{
    return proxy->upstream != NULL && index < upstream_count(proxy->upstream)
               ? upstream_server(proxy->upstream, index)
               : NULL;
}

void proxy_counters(const struct proxy *proxy, struct proxy_counters *out)
{
    struct http_cache_counters c;
    *out = proxy->counters;
    http_cache_counters(proxy->cache, &c);
    out->hits = c.hits;
    out->stale_hits = c.stale_hits;
    out->misses = c.misses;
    out->validations = c.validations;
    out->collapsed = c.collapsed;
    out->stored = c.stored;
    out->evicted = c.evicted;
    out->invalidated = c.invalidated;
    out->purged = c.purged;
    out->cache_entries = c.entries;
    out->cache_octets = c.octets;
    out->disk_hits = c.file_hits;
    out->disk_written = c.files_written;
    out->disk_failed = c.files_failed;
    out->disk_evicted = c.files_evicted;
    out->disk_loaded = c.files_loaded;
    out->disk_entries = c.files;
    out->disk_octets = c.file_octets;
    out->disk_loading = proxy->disk != NULL && proxy_disk_is_loading(proxy->disk);
}
