/* SPDX-License-Identifier: ISC */
/* net_stack.c - the net over a node's stack, and its listeners. */
#include "io/net_stack.h"

#include <errno.h>
#include <stdlib.h>

enum {
    BACKLOG_DEFAULT = 1024,
    PORT_FIRST = 49152, /* dynamic ports (RFC 6335 §6) */
    PORT_COUNT = 16384,
    PORT_ATTEMPTS = 256,
};

struct stack_listener {
    struct listener base;
    struct net_grave grave;
    struct node_client client;
    struct tcp_listener *listener; /* NULL: closed */
};

static struct stack_listener *listener_of(const struct listener *base)
{
    return CONTAINER_OF((struct listener *)(uintptr_t)base, struct stack_listener, base);
}

static void on_listener_event(struct node_client *client,
                              const struct socket_event *event UNUSED)
{
    struct stack_listener *l = CONTAINER_OF(client, struct stack_listener, client);
    while (l->listener != NULL) {
        struct tcp_connection *c = tcp_accept(l->listener, NULL);
        if (c == NULL)
            return;
        struct stream *stream = stack_stream_new(stack_net_of(l->base.net), c);
        if (stream != NULL)
            l->base.handler->on_accept(l->base.self, &l->base, stream);
    }
}

static struct endpoint stack_listener_local(const struct listener *base)
{
    const struct stack_listener *l = listener_of(base);
    return l->listener != NULL ? *tcp_listener_local(l->listener) : (struct endpoint){0};
}

static void stack_listener_close(struct listener *base)
{
    struct stack_listener *l = listener_of(base);
    struct stack_net *net = stack_net_of(base->net);
    if (l->listener == NULL)
        return;
    node_wake(net->node);
    tcp_listener_close(l->listener);
    l->listener = NULL;
    net_bury(&net->yard, &l->grave, l);
}

static const struct listener_ops listener_ops = {
    .local = stack_listener_local,
    .close = stack_listener_close,
};

/* NULL: *options->why. */
static struct tcp_listener *listen_somewhere(struct stack_net *net,
                                             struct tcp_listen_options *options)
{
    struct stack *stack = node_stack(net->node);
    if (options->local.port != 0)
        return tcp_listen(stack, options);
    for (int attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
        uint32_t offset = prng_below(loop_prng(net->base.loop), PORT_COUNT);
        options->local.port = (uint16_t)(PORT_FIRST + offset);
        struct tcp_listener *listener = tcp_listen(stack, options);
        if (listener != NULL || *options->why != SOCKET_IN_USE)
            return listener;
    }
    return NULL;
}

static int stack_net_listen(struct net *base, const struct listen_options *options,
                            const struct listener_handler *handler, void *self,
                            struct listener **out)
{
    struct stack_net *net = stack_net_of(base);
    struct stack_listener *l = calloc(1, sizeof *l);
    if (l == NULL)
        return -ENOMEM;
    node_wake(net->node);
    enum socket_refusal why;
    struct tcp_listen_options listen = {
        .local = options->local,
        .backlog = options->backlog > 0 ? (unsigned)options->backlog : BACKLOG_DEFAULT,
        .shared = options->reuse_port,
        .user = &l->client,
        .why = &why,
    };
    l->listener = listen_somewhere(net, &listen);
    if (l->listener == NULL) {
        free(l);
        return why == SOCKET_IN_USE ? -EADDRINUSE : -ENOMEM;
    }
    tcp_listener_base(l->listener)->face = SOCKET_FACE_NET;
    l->base = (struct listener){&listener_ops, base, handler, self};
    l->client.on_event = on_listener_event;
    *out = &l->base;
    return 0;
}

static void stack_net_free(struct net *base)
{
    struct stack_net *net = stack_net_of(base);
    while (stack_net_drop_lingering(net))
        continue;
    net_graveyard_done(&net->yard);
    free(net);
}

static const struct net_ops net_ops = {
    .connect = stack_net_connect,
    .listen = stack_net_listen,
    .bind = stack_net_bind,
    .free = stack_net_free,
};

struct stream *net_stack_adopt(struct net *net, struct tcp_connection *connection)
{
    return stack_stream_new(stack_net_of(net), connection);
}

struct net *net_stack_new(struct node *node)
{
    struct stack_net *net = malloc(sizeof *net);
    if (net == NULL)
        return NULL;
    net->base = (struct net){&net_ops, node_loop(node)};
    net->node = node;
    net_graveyard_init(&net->yard, node_loop(node));
    list_init(&net->lingering);
    return &net->base;
}
