/* SPDX-License-Identifier: ISC */
/* net_stack_dgram.c - datagrams over our stack's UDP (RFC 768). */
#include <errno.h>
#include <stdlib.h>

#include "io/net_stack.h"
#include "stack/udp.h"

enum { ICMP_UNREACHABLE = 3, ICMP_TIME_EXCEEDED = 11 };

struct stack_dgram {
    struct dgram base;
    struct net_grave grave;
    struct node_client client;
    struct udp_socket *socket; /* NULL: closed */
};

static struct stack_dgram *dgram_of(const struct dgram *base)
{
    return CONTAINER_OF((struct dgram *)(uintptr_t)base, struct stack_dgram, base);
}

/* By type and code (RFC 792, RFC 1122 §3.2.2.1), as other hosts tell their applications. */
static int errno_of(const struct udp_error *error)
{
    static const int unreachable[] = {
        ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED, EMSGSIZE,
        EOPNOTSUPP,  ENETUNREACH,  EHOSTDOWN,   ENONET,       ENETUNREACH,
    };
    if (error->type == ICMP_UNREACHABLE && error->code < ARRAY_LEN(unreachable))
        return unreachable[error->code];
    if (error->type == ICMP_UNREACHABLE || error->type == ICMP_TIME_EXCEEDED)
        return EHOSTUNREACH;
    return EPROTO;
}

static void tell_errors(struct stack_dgram *d)
{
    struct udp_error error;
    while (d->socket != NULL && udp_next_error(d->socket, &error))
        if (d->base.handler->on_error != NULL)
            d->base.handler->on_error(d->base.self, &d->base, &error.to, errno_of(&error));
}

static void tell_messages(struct stack_dgram *d)
{
    struct udp_datagram datagram;
    while (d->socket != NULL && udp_receive(d->socket, &datagram)) {
        struct dgram_message message = {
            .from = datagram.from,
            .to = datagram.to,
            .payload = datagram.payload,
            .interface = datagram.interface,
            .has_interface = true,
            .mac = datagram.mac,
            .has_mac = true,
        };
        if (d->base.handler->on_message != NULL)
            d->base.handler->on_message(d->base.self, &d->base, &message);
        frame_unref(datagram.frame);
    }
}

static void on_dgram_event(struct node_client *client, const struct socket_event *event)
{
    struct stack_dgram *d = CONTAINER_OF(client, struct stack_dgram, client);
    if (event->events & SOCKET_FAILED)
        tell_errors(d);
    if (event->events & SOCKET_READABLE)
        tell_messages(d);
}

static int stack_dgram_send(struct dgram *base, const struct dgram_message *message)
{
    static const int errors[] = {
        [UDP_SENT] = 0,
        [UDP_TOO_BIG] = -EMSGSIZE,
        [UDP_NO_ROUTE] = -ENETUNREACH,
        [UDP_NO_MEMORY] = -EAGAIN,
        [UDP_NOT_ALLOWED] = -EACCES,
    };
    struct stack_dgram *d = dgram_of(base);
    if (d->socket == NULL)
        return -EBADF;
    struct udp_send_options options = {
        .to = message->to,
        .from = message->from,
        .mac = message->has_mac ? &message->mac : NULL,
        .interface = message->has_interface ? (int)message->interface : -1,
    };
    if (options.from.port == 0)
        options.from.port = udp_local(d->socket)->port;
    node_wake(stack_net_of(base->net)->node);
    return errors[udp_send(d->socket, &options, message->payload)];
}

static struct endpoint stack_dgram_local(const struct dgram *base)
{
    const struct stack_dgram *d = dgram_of(base);
    return d->socket != NULL ? *udp_local(d->socket) : (struct endpoint){0};
}

static void stack_dgram_close(struct dgram *base)
{
    struct stack_dgram *d = dgram_of(base);
    if (d->socket == NULL)
        return;
    udp_close(d->socket);
    d->socket = NULL;
    net_bury(&stack_net_of(base->net)->yard, &d->grave, d);
}

static const struct dgram_ops dgram_ops = {
    .send = stack_dgram_send,
    .local = stack_dgram_local,
    .close = stack_dgram_close,
};

int stack_net_bind(struct net *base, const struct dgram_options *options,
                   const struct dgram_handler *handler, void *self, struct dgram **out)
{
    struct stack_net *net = stack_net_of(base);
    if (address_is_multicast(&options->group))
        return -EOPNOTSUPP;
    struct stack_dgram *d = calloc(1, sizeof *d);
    if (d == NULL)
        return -ENOMEM;
    enum socket_refusal why;
    struct udp_options udp = {
        .local = options->local,
        .broadcast = options->broadcast,
        .share_port = options->reuse_port,
        .user = &d->client,
        .why = &why,
    };
    d->socket = udp_open(node_stack(net->node), &udp);
    if (d->socket == NULL) {
        free(d);
        return why == SOCKET_IN_USE ? -EADDRINUSE : -ENOMEM;
    }
    udp_socket_base(d->socket)->face = SOCKET_FACE_NET;
    d->base = (struct dgram){&dgram_ops, base, handler, self};
    d->client.on_event = on_dgram_event;
    *out = &d->base;
    return 0;
}
