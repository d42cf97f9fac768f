/* SPDX-License-Identifier: ISC */
/* tls.c - TLS's servers, clients and listeners. */
#include "io/tls.h"

#include <errno.h>
#include <stdlib.h>

#include "io/tls_stream.h"

struct tls_server {
    struct tls_hub hub;
    struct tls_server_counters counters;
    void (*on_refused)(void *self, const struct endpoint *peer, const char *reason);
    void *self;
};

struct tls_client {
    struct tls_hub hub;
};

int tls_server_new(struct loop *loop, const struct tls_server_options *options,
                   struct text *error, struct tls_server **out)
{
    struct tls_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return -ENOMEM;
    int status = tls_context_new_server(options, error, &server->hub.context);
    if (status < 0) {
        free(server);
        return status;
    }
    tls_hub_init(&server->hub, loop);
    *out = server;
    return 0;
}

void tls_server_free(struct tls_server *server)
{
    if (server == NULL)
        return;
    tls_hub_done(&server->hub);
    free(server);
}

struct tls_tickets *tls_server_tickets(struct tls_server *server)
{
    return tls_context_tickets(server->hub.context);
}

int tls_server_reload(struct tls_server *server, const struct tls_certificate *certificates,
                      size_t count, struct text *error)
{
    return tls_context_reload(server->hub.context, certificates, count, error);
}

const struct tls_server_counters *tls_server_counters(const struct tls_server *server)
{
    return &server->counters;
}

void tls_server_set_refused(struct tls_server *server,
                            void (*on_refused)(void *, const struct endpoint *, const char *),
                            void *self)
{
    server->on_refused = on_refused;
    server->self = self;
}

int tls_client_new(struct loop *loop, const struct tls_client_options *options,
                   struct text *error, struct tls_client **out)
{
    struct tls_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return -ENOMEM;
    int status = tls_context_new_client(options, error, &client->hub.context);
    if (status < 0) {
        free(client);
        return status;
    }
    tls_hub_init(&client->hub, loop);
    client->hub.of_client = true;
    *out = client;
    return 0;
}

void tls_client_free(struct tls_client *client)
{
    if (client == NULL)
        return;
    tls_hub_done(&client->hub);
    free(client);
}

/* ---- streams ---- */

int tls_accept(struct tls_server *server, struct stream *plain,
               const struct stream_handler *handler, void *self, struct stream **out)
{
    struct tls_hub *hub = &server->hub;
    struct tls_stream *s = tls_stream_new(hub);
    if (s == NULL)
        return -ENOMEM;
    struct tls_wire wire = tls_stream_wire(s);
    struct tls_engine *engine = tls_engine_new_server(hub->context, &wire);
    if (engine == NULL) {
        free(s);
        return -ENOMEM;
    }
    tls_context_tick(hub->context, loop_now(hub->loop) / USEC_PER_SEC);
    tls_stream_start(s, plain, engine);
    stream_set_handler(&s->base, handler, self);
    *out = &s->base;
    return 0;
}

int tls_connect(struct tls_client *client, struct stream *plain, const char *name,
                const struct stream_handler *handler, void *self, struct stream **out)
{
    struct tls_stream *s = tls_stream_new(&client->hub);
    if (s == NULL)
        return -ENOMEM;
    struct tls_wire wire = tls_stream_wire(s);
    struct tls_engine *engine = tls_engine_new_client(client->hub.context, name,
                                                      stream_peer(plain).port, &wire);
    if (engine == NULL) {
        free(s);
        return -ENOMEM;
    }
    tls_stream_start(s, plain, engine);
    stream_set_handler(&s->base, handler, self);
    *out = &s->base;
    return 0;
}

/* ---- listeners ---- */

struct tls_listener {
    struct listener base;
    struct net_grave grave;
    struct listener *plain; /* NULL: closed */
    struct tls_server *server;
    struct list_node guests; /* streams in the handshake, the oldest first */
    size_t guest_count;
};

static struct tls_listener *listener_of(const struct listener *base)
{
    return CONTAINER_OF((struct listener *)(uintptr_t)base, struct tls_listener, base);
}

static void forget_guest(struct tls_listener *l, struct stream *stream)
{
    list_remove(&CONTAINER_OF(stream, struct tls_stream, base)->node);
    l->guest_count--;
}

static void on_guest_open(void *self, struct stream *stream)
{
    static const struct stream_handler nothing;
    struct tls_listener *l = self;
    struct tls_facts facts;
    forget_guest(l, stream);
    l->server->counters.accepted++;
    if (tls_stream_facts(stream, &facts) && facts.resumed)
        l->server->counters.resumed++;
    stream_set_handler(stream, &nothing, NULL);
    l->base.handler->on_accept(l->base.self, &l->base, stream);
}

static void refuse(struct tls_listener *l, struct endpoint peer, const char *reason)
{
    l->server->counters.refused++;
    if (l->server->on_refused != NULL)
        l->server->on_refused(l->server->self, &peer, reason);
}

static void on_guest_closed(void *self, struct stream *stream, int error UNUSED)
{
    struct tls_listener *l = self;
    l->guest_count--; /* it has left the list */
    refuse(l, stream_peer(stream), tls_stream_error(stream));
}

static const struct stream_handler guest_handler = {
    .on_open = on_guest_open,
    .on_closed = on_guest_closed,
};

static void drop_oldest_guest(struct tls_listener *l)
{
    struct stream *stream = &CONTAINER_OF(l->guests.next, struct tls_stream, node)->base;
    forget_guest(l, stream);
    refuse(l, stream_peer(stream), "too many are in the handshake");
    stream_abort(stream);
}

static void on_plain_accept(void *self, struct listener *plain UNUSED, struct stream *stream)
{
    struct tls_listener *l = self;
    if (l->guest_count == TLS_GUESTS_MAX)
        drop_oldest_guest(l);
    struct stream *guest;
    if (tls_accept(l->server, stream, &guest_handler, l, &guest) < 0) {
        stream_abort(stream);
        return;
    }
    list_append(&l->guests, &CONTAINER_OF(guest, struct tls_stream, base)->node);
    l->guest_count++;
}

static struct endpoint tls_listener_local(const struct listener *base)
{
    return listener_local(listener_of(base)->plain);
}

static void tls_listener_close(struct listener *base)
{
    struct tls_listener *l = listener_of(base);
    struct list_node *node;
    while ((node = list_first(&l->guests)) != NULL) {
        list_remove(node);
        stream_abort(&CONTAINER_OF(node, struct tls_stream, node)->base);
    }
    listener_close(l->plain);
    l->plain = NULL;
    net_bury(&l->server->hub.yard, &l->grave, l);
}

int tls_listen(struct tls_server *server, struct net *net, const struct listen_options *options,
               const struct listener_handler *handler, void *self, struct listener **out)
{
    static const struct listener_ops ops = {tls_listener_local, tls_listener_close};
    static const struct listener_handler plain_handler = {on_plain_accept};
    struct tls_listener *l = calloc(1, sizeof *l);
    if (l == NULL)
        return -ENOMEM;
    l->base = (struct listener){&ops, net, handler, self};
    l->server = server;
    list_init(&l->guests);
    int status = net_listen(net, options, &plain_handler, l, &l->plain);
    if (status < 0) {
        free(l);
        return status;
    }
    *out = &l->base;
    return 0;
}
