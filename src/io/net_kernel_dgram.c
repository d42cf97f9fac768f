/* SPDX-License-Identifier: ISC */
/* net_kernel_dgram.c - datagrams over the host's UDP (RFC 768); its ICMP errors by IP_RECVERR. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/net_kernel.h"
#include "os/socket.h"

struct kernel_dgram {
    struct dgram base;
    struct net_grave grave;
    struct watch watch;
    struct endpoint local;
    int family;
    bool closed;
};

static struct kernel_dgram *dgram_of(struct dgram *base)
{
    return CONTAINER_OF(base, struct kernel_dgram, base);
}

static void tell_errors(struct kernel_dgram *d)
{
    struct host_datagram_error error;
    for (int i = 0; i < KERNEL_DATAGRAM_BATCH && !d->closed; i++) {
        if (host_datagram_error(d->watch.fd, &error) < 0)
            break;
        if (d->base.handler->on_error != NULL)
            d->base.handler->on_error(d->base.self, &d->base, &error.to, error.error);
    }
    /* The pending error says the same once more, and would keep the descriptor ready. */
    if (!d->closed)
        (void)host_socket_error(d->watch.fd);
}

static void tell_messages(struct kernel_dgram *d)
{
    struct kernel_net *net = kernel_net_of(d->base.net);
    for (int i = 0; i < KERNEL_DATAGRAM_BATCH && !d->closed; i++) {
        struct host_datagram facts;
        int status =
            host_datagram_receive(d->watch.fd, net->receive, sizeof net->receive, &facts);
        if (status == -EAGAIN)
            return;
        /* Anything else is the error of an earlier datagram, told by tell_errors(). */
        if (status < 0 || d->base.handler->on_message == NULL)
            continue;
        struct dgram_message message = {
            .from = facts.from,
            .to = {facts.to.address, d->local.port},
            .payload = bytes_of(net->receive, facts.len),
            .interface = facts.interface,
            .has_interface = facts.interface != 0,
        };
        d->base.handler->on_message(d->base.self, &d->base, &message);
    }
}

static void on_dgram_ready(struct watch *watch, unsigned ready)
{
    struct kernel_dgram *d = CONTAINER_OF(watch, struct kernel_dgram, watch);
    if (ready & LOOP_ERROR)
        tell_errors(d);
    if ((ready & LOOP_READ) && !d->closed)
        tell_messages(d);
}

static int kernel_dgram_send(struct dgram *base, const struct dgram_message *message)
{
    struct kernel_dgram *d = dgram_of(base);
    if (d->closed)
        return -EBADF;
    struct host_datagram facts = {
        .from = message->from,
        .to = message->to,
        .interface = message->interface,
    };
    return host_datagram_send(d->watch.fd, d->family, &facts, message->payload);
}

static struct endpoint kernel_dgram_local(const struct dgram *base)
{
    return dgram_of((struct dgram *)(uintptr_t)base)->local;
}

static void kernel_dgram_close(struct dgram *base)
{
    struct kernel_dgram *d = dgram_of(base);
    if (d->closed)
        return;
    d->closed = true;
    loop_unwatch(&d->watch);
    (void)close(d->watch.fd);
    net_bury(&kernel_net_of(base->net)->yard, &d->grave, d);
}

static const struct dgram_ops dgram_ops = {
    .send = kernel_dgram_send,
    .local = kernel_dgram_local,
    .close = kernel_dgram_close,
};

/* The descriptor of a bound socket, or a negative errno. */
static int open_bound(const struct dgram_options *options)
{
    int fd = host_socket_open(&options->local.address, SOCK_DGRAM);
    if (fd < 0)
        return fd;
    int status = host_datagram_enable(fd);
    if (status == 0 && options->broadcast)
        status = host_socket_set(fd, SOL_SOCKET, SO_BROADCAST, 1);
    if (status == 0 && options->reuse_port)
        status = host_socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (status == 0 && options->interface != NULL)
        status = host_socket_bind_device(fd, options->interface);
    if (status == 0)
        status = host_socket_bind(fd, &options->local);
    if (status == 0)
        return fd;
    (void)close(fd);
    return status;
}

int kernel_bind(struct net *net, const struct dgram_options *options,
                const struct dgram_handler *handler, void *self, struct dgram **out)
{
    struct kernel_dgram *d = calloc(1, sizeof *d);
    if (d == NULL)
        return -ENOMEM;
    int fd = open_bound(options);
    int status = fd < 0 ? fd : loop_watch(net->loop, &d->watch, fd, LOOP_READ, on_dgram_ready);
    if (status < 0) {
        if (fd >= 0)
            (void)close(fd);
        free(d);
        return status;
    }
    d->base = (struct dgram){&dgram_ops, net, handler, self};
    d->local = host_socket_local(fd);
    d->family = host_socket_family(fd);
    *out = &d->base;
    return 0;
}
