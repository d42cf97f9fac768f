/* SPDX-License-Identifier: ISC */
/*
 * proxy_reload.c - other options for a proxy that runs: what is stored stays, and so do connections; requests
 * under way end as they began, at the server that they began with.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/proxy/proxy_internal.h"

/* What is to take the place of what is there, until all of it is. */
struct change {
    struct listener *listeners[PROXY_LISTENS_MAX];
    bool opened[PROXY_LISTENS_MAX]; /* it was not there before */
    struct upstream *upstream;      /* NULL: as before, or none */
    struct proxy_users *users;
};

static bool same_listen(const struct proxy_options *a, size_t i, const struct proxy_options *b,
                        size_t k)
{
    return endpoint_equal(&a->listens[i].at, &b->listens[k].at) &&
           a->listens[i].tls == b->listens[k].tls;
}

/* Is that listener among those that stay? */
static bool stays(const struct change *change, const struct listener *listener)
{
    for (size_t i = 0; i < PROXY_LISTENS_MAX; i++)
        if (change->listeners[i] == listener)
            return true;
    return false;
}

static int prepare_listeners(struct proxy *proxy, const struct proxy_options *options,
                             struct change *change)
{
    for (size_t i = 0; i < options->listen_count; i++) {
        for (size_t k = 0; k < proxy->options.listen_count && change->listeners[i] == NULL; k++)
            if (same_listen(options, i, &proxy->options, k) &&
                !stays(change, proxy->listeners[k]))
                change->listeners[i] = proxy->listeners[k];
        if (change->listeners[i] != NULL)
            continue;
        int status = proxy_listen(proxy, options, i, &change->listeners[i]);
        if (status < 0)
            return status;
        change->opened[i] = true;
    }
    return 0;
}

/* What is known of servers is kept when they are the same. */
static bool same_servers(const struct proxy_options *a, const struct proxy_options *b)
{
    return a->server_count == b->server_count && a->reverse == b->reverse &&
           a->balance == b->balance && a->slow_start == b->slow_start &&
           a->tls_client == b->tls_client && a->outside == b->outside &&
           memcmp(&a->health, &b->health, sizeof a->health) == 0 &&
           memcmp(a->servers, b->servers, a->server_count * sizeof a->servers[0]) == 0;
}

static int prepare(struct proxy *proxy, const struct proxy_options *options,
                   struct change *change)
{
    int status = 0;
    if (options->users != NULL)
        change->users = proxy_users_read(options->users, loop_prng(proxy->loop), &status);
    if (status == 0)
        status = prepare_listeners(proxy, options, change);
    if (status == 0 && options->server_count > 0 && !same_servers(options, &proxy->options))
        status = proxy_make_upstream(proxy, options, &change->upstream);
    return status;
}

static void give_up(struct change *change)
{
    for (size_t i = 0; i < PROXY_LISTENS_MAX; i++)
        if (change->opened[i])
            listener_close(change->listeners[i]);
    upstream_retire(change->upstream);
    proxy_users_free(change->users);
}

int proxy_reload(struct proxy *proxy, const struct proxy_options *asked)
{
    struct change change = {.upstream = NULL};
    struct proxy_options *options = malloc(sizeof *options);
    struct http_cache_options cache;
    int status = options != NULL ? 0 : -ENOMEM;
    if (status == 0) {
        *options = *asked;
        if (options->outside == NULL)
            options->outside = proxy->net;
        status = prepare(proxy, options, &change);
    }
    if (status < 0) {
        give_up(&change);
        free(options);
        return status;
    }
    for (size_t i = 0; i < PROXY_LISTENS_MAX; i++)
        if (proxy->listeners[i] != NULL && !stays(&change, proxy->listeners[i]))
            listener_close(proxy->listeners[i]);
    memcpy(proxy->listeners, change.listeners, sizeof proxy->listeners);
    if (!same_servers(options, &proxy->options)) {
        upstream_retire(proxy->upstream);
        proxy->upstream = change.upstream;
    }
    proxy_users_free(proxy->users);
    proxy->users = change.users;
    proxy_set_options(proxy, options);
    (void)proxy_make_rates(proxy); /* without memory clients have no limit */
    proxy_cache_options(proxy, &cache);
    http_cache_change(proxy->cache, &cache);
    proxy->options.users = proxy->options.disk = NULL;
    free(options);
    proxy_stir(proxy);
    return 0;
}
