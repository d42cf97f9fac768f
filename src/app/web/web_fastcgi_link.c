/* SPDX-License-Identifier: ISC */
/* web_fastcgi_link.c - servers of FastCGI and the connections to them: opened, kept, and let go. */
#include "app/web/web_fastcgi_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static usec now_of(const struct web *web)
{
    return loop_now(net_loop(web->net));
}

/* ---- servers ---- */

void web_fastcgi_init(struct web_fastcgi *fastcgi)
{
    list_init(&fastcgi->peers);
}

void fcgi_link_drop(struct fcgi_link *link)
{
    struct fcgi_peer *peer = link->peer;
    if (list_linked(&link->node))
        peer->idle_count--;
    list_remove(&link->node);
    peer->open--;
    free(link);
}

void fcgi_link_close(struct fcgi_link *link)
{
    stream_close(link->stream);
    fcgi_link_drop(link);
}

static void free_peer(struct web_fastcgi *fastcgi, struct fcgi_peer *peer)
{
    struct list_node *node;
    while ((node = list_first(&peer->idle)) != NULL)
        fcgi_link_close(CONTAINER_OF(node, struct fcgi_link, node));
    list_remove(&peer->node);
    fastcgi->peer_count--;
    free(peer);
}

void web_fastcgi_done(struct web_fastcgi *fastcgi)
{
    struct list_node *node;
    while ((node = list_first(&fastcgi->peers)) != NULL)
        free_peer(fastcgi, CONTAINER_OF(node, struct fcgi_peer, node));
    net_free(fastcgi->host);
    fastcgi->host = NULL;
}

/* Lets go of one that serves nobody. False: all do. */
static bool forget_one(struct web_fastcgi *fastcgi)
{
    for (struct list_node *node = fastcgi->peers.previous; node != &fastcgi->peers;
         node = node->previous) {
        struct fcgi_peer *peer = CONTAINER_OF(node, struct fcgi_peer, node);
        if (peer->open == peer->idle_count) {
            free_peer(fastcgi, peer);
            return true;
        }
    }
    return false;
}

struct fcgi_peer *fcgi_peer_of(struct web_fastcgi *fastcgi, const char *address)
{
    for (struct list_node *node = fastcgi->peers.next; node != &fastcgi->peers; node = node->next) {
        struct fcgi_peer *peer = CONTAINER_OF(node, struct fcgi_peer, node);
        if (strcmp(peer->address, address) == 0)
            return peer;
    }
    if (fastcgi->peer_count == WEB_FASTCGI_PEERS_MAX && !forget_one(fastcgi))
        return NULL;
    struct fcgi_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return NULL;
    snprintf(peer->address, sizeof peer->address, "%s", address);
    list_init(&peer->idle);
    list_prepend(&fastcgi->peers, &peer->node);
    fastcgi->peer_count++;
    return peer;
}

/* ---- connections ---- */

static int connect_path(struct web *web, const char *path, struct fcgi_link *link)
{
    struct web_fastcgi *fastcgi = &web->fastcgi;
    struct net *net = fastcgi->host != NULL ? fastcgi->host : web->net;
    int status = net_connect_path(net, path, link->handler, link, &link->stream);
    if (status != -EAFNOSUPPORT || fastcgi->host != NULL)
        return status;
    fastcgi->host = net_kernel_new(net_loop(web->net));
    if (fastcgi->host == NULL)
        return -ENOMEM;
    return net_connect_path(fastcgi->host, path, link->handler, link, &link->stream);
}

static int connect_to(struct web *web, const char *address, struct fcgi_link *link)
{
    struct endpoint to;
    size_t skip = strlen(WEB_BACKEND_UNIX);
    if (strncmp(address, WEB_BACKEND_UNIX, skip) == 0)
        return connect_path(web, address + skip, link);
    if (!endpoint_parse(bytes_of_text(address), &to))
        return -EINVAL;
    return net_connect(web->net, &to, NULL, link->handler, link, &link->stream);
}

int fcgi_link_open(struct web *web, struct fcgi_peer *peer, const struct stream_handler *handler,
                   struct fcgi_job *job, struct fcgi_link **out)
{
    struct fcgi_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return -ENOMEM;
    link->web = web;
    link->peer = peer;
    link->handler = handler;
    link->job = job;
    list_init(&link->node);
    int status = connect_to(web, peer->address, link);
    if (status < 0) {
        free(link);
        return status;
    }
    peer->open++;
    *out = link;
    stream_set_deadline(link->stream, now_of(web) + WEB_FASTCGI_CONNECT);
    return 0;
}

void fcgi_link_keep(struct fcgi_link *link)
{
    struct fcgi_peer *peer = link->peer;
    link->job = NULL;
    link->reused = true;
    if (peer->idle_count == WEB_FASTCGI_IDLE_MAX) {
        fcgi_link_close(link);
        return;
    }
    list_prepend(&peer->idle, &link->node);
    peer->idle_count++;
    stream_set_deadline(link->stream, now_of(link->web) + WEB_FASTCGI_IDLE);
    stream_resume(link->stream); /* padding may be left, and nothing else */
}

struct fcgi_link *fcgi_link_take(struct fcgi_peer *peer, struct fcgi_job *job)
{
    struct list_node *node = list_first(&peer->idle);
    if (node == NULL)
        return NULL;
    struct fcgi_link *link = CONTAINER_OF(node, struct fcgi_link, node);
    list_remove(node);
    peer->idle_count--;
    link->job = job;
    stream_set_deadline(link->stream, USEC_NEVER);
    return link;
}
