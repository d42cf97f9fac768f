/* SPDX-License-Identifier: ISC */
/*
 * web.c - the web service: its listener and connections.
 *
 * When there are as many connections as may be, one between requests makes room for a new one; when
 * all are at work, the new one is told 503 and closed.
 */
#include "app/web/web.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/web/pages.h"
#include "app/web/web_exchange.h"
#include "base/siphash.h"

enum {
    CONNECTIONS_DEFAULT = 4096,
    REFUSALS_MAX = 64, /* connections that are being told 503 at a time; more are reset */
};

/* ---- a session's end ---- */

void web_session_free(struct web_session *session)
{
    struct web *web = session->web;
    web_http1_work_done(session);
    list_remove(&session->node);
    list_remove(&session->idle_node);
    if (session->refused)
        web->refused_open--;
    else
        web->counters.open--;
    free(session);
}

void web_session_close(struct web_session *session)
{
    stream_close(session->stream);
    web_session_free(session);
}

void web_tell_request(struct web_exchange *exchange, unsigned status)
{
    struct web *web = exchange->web;
    web->counters.responses[status / 100 < 6 ? status / 100 : 0]++;
    if (web->on_request != NULL) {
        bool known = exchange->method[0] != '\0';
        struct web_request request = {
            .peer = exchange->peer,
            .method = known ? exchange->method : "-",
            .target = known ? exchange->target : "-",
            .status = status,
            .octets = exchange->octets,
            .duration = known ? loop_now(net_loop(web->net)) - exchange->request_at : 0,
        };
        web->on_request(web->on_request_self, &request);
    }
    exchange->method[0] = '\0';
    exchange->octets = 0;
    web_body_done(&exchange->body);
}

/* ---- the listener ---- */

static struct web_session *session_new(struct web *web, struct stream *stream, bool refused)
{
    struct web_session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    session->web = web;
    session->stream = stream;
    session->refused = refused;
    list_append(&web->sessions, &session->node);
    list_init(&session->idle_node);
    if (refused)
        web->refused_open++;
    else
        web->counters.open++;
    return session;
}

/* Makes room among the sessions. False: all are at work. */
static bool make_room(struct web *web)
{
    if (web->counters.open < web->connections_max)
        return true;
    struct list_node *oldest = list_first(&web->idle);
    if (oldest == NULL)
        return false;
    web->counters.shed++;
    web_session_close(CONTAINER_OF(oldest, struct web_session, idle_node));
    return true;
}

static void on_accept(void *self, struct listener *listener UNUSED, struct stream *stream)
{
    struct web *web = self;
    bool refuse = !make_room(web);
    web->counters.connections++;
    web->counters.refused += refuse;
    struct web_session *session = NULL;
    if (!refuse || web->refused_open < REFUSALS_MAX)
        session = session_new(web, stream, refuse);
    if (session == NULL)
        stream_abort(stream);
    else
        web_http1_begin(session, refuse);
}

static const struct listener_handler listener_handler = {.on_accept = on_accept};

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
    web->server_name = strdup(options->server_name != NULL ? options->server_name : "localhost");
    web->domain = strdup(options->domain != NULL ? options->domain : "");
    if (web->server_name == NULL || web->domain == NULL || !make_etags(web) ||
        web_buffers_init(&web->buffers) < 0)
        return -ENOMEM;
    web->prefix = "";
    if (options->root == NULL)
        return 0;
    web->prefix = "/.wholenet";
    return web_files_open_root(options->root, &web->root_fd);
}

int web_new(struct net *net, const struct web_options *options, struct web **out)
{
    struct web *web = calloc(1, sizeof *web);
    if (web == NULL)
        return -ENOMEM;
    web->net = net;
    web->root_fd = -1;
    web->site = options->site;
    web->on_request = options->on_request;
    web->on_request_self = options->on_request_self;
    web->connections_max = options->connections_max;
    if (web->connections_max == 0)
        web->connections_max = CONNECTIONS_DEFAULT;
    list_init(&web->sessions);
    list_init(&web->idle);
    list_init(&web->warm);
    int status = web_prepare(web, options);
    struct listen_options listen = {.local = options->listen};
    if (status == 0)
        status = net_listen(net, &listen, &listener_handler, web, &web->listener);
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
    if (web->listener != NULL)
        listener_close(web->listener);
    if (web->root_fd >= 0)
        (void)close(web->root_fd);
    free(web->server_name);
    free(web->domain);
    free(web->etags);
    web_http1_warm_done(web);
    web_buffers_done(&web->buffers);
    free(web);
}

struct endpoint web_local(const struct web *web)
{
    return listener_local(web->listener);
}

void web_counters(const struct web *web, struct web_counters *out)
{
    *out = web->counters;
}
