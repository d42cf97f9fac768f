/* SPDX-License-Identifier: ISC */
/* net_kernel.c - the net over the host's sockets, and its listeners. */
#include "io/net_kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/socket_batch.h"

enum { BACKLOG_DEFAULT = 1024 };

struct kernel_listener {
    struct listener base;
    struct net_grave grave;
    struct watch watch;
    struct alarm again;
    struct endpoint local;
    bool client_first;
    bool closed;
};

static struct kernel_listener *listener_of(struct listener *base)
{
    return CONTAINER_OF(base, struct kernel_listener, base);
}

/* ---- listeners ---- */

static void on_accept_again(struct alarm *alarm)
{
    struct kernel_listener *l = CONTAINER_OF(alarm, struct kernel_listener, again);
    loop_want(&l->watch, LOOP_READ);
}

/* No descriptor or memory for the next connection: it stays in the kernel's queue. What only
 * lingers makes way for it first. */
static void pause_accepting(struct kernel_listener *l)
{
    struct kernel_net *net = kernel_net_of(l->base.net);
    if (kernel_drop_lingering(net, true))
        return;
    loop_want(&l->watch, 0);
    loop_set_alarm(net->base.loop, &l->again, loop_now(net->base.loop) + KERNEL_ACCEPT_PAUSE);
}

static void on_listener_ready(struct watch *watch, unsigned ready UNUSED)
{
    struct kernel_listener *l = CONTAINER_OF(watch, struct kernel_listener, watch);
    for (int i = 0; i < KERNEL_ACCEPT_BATCH && !l->closed; i++) {
        struct endpoint peer;
        int fd = host_socket_accept(watch->fd, &peer);
        if (fd == -EAGAIN)
            return;
        struct stream *stream = NULL;
        if (fd >= 0)
            stream = kernel_stream_new(kernel_net_of(l->base.net), fd, &peer);
        if (stream == NULL) {
            pause_accepting(l);
            return;
        }
        l->base.handler->on_accept(l->base.self, &l->base, stream);
        kernel_stream_begin(stream, l->client_first);
    }
}

static struct endpoint kernel_listener_local(const struct listener *base)
{
    return CONTAINER_OF((struct listener *)(uintptr_t)base, struct kernel_listener, base)->local;
}

static void kernel_listener_close(struct listener *base)
{
    struct kernel_listener *l = listener_of(base);
    if (l->closed)
        return;
    l->closed = true;
    loop_clear_alarm(base->net->loop, &l->again);
    loop_unwatch(&l->watch);
    (void)close(l->watch.fd);
    net_bury(&kernel_net_of(base->net)->yard, &l->grave, l);
}

static const struct listener_ops listener_ops = {
    .local = kernel_listener_local,
    .close = kernel_listener_close,
};

/* Sockets that share a port are not refused for one another, so one that would not share is tried first. */
int kernel_port_is_free(const struct endpoint *local, int type)
{
    int fd = host_socket_open(&local->address, type);
    if (fd < 0)
        return fd;
    int status = type == SOCK_STREAM ? host_socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) : 0;
    if (status == 0)
        status = host_socket_bind(fd, local);
    (void)close(fd);
    return status;
}

/* The descriptor of a listening socket, or a negative errno. */
static int open_listening(const struct listen_options *options)
{
    bool claim = options->reuse_port && options->claim && options->local.port != 0;
    int free_or_not = claim ? kernel_port_is_free(&options->local, SOCK_STREAM) : 0;
    if (free_or_not < 0)
        return free_or_not;
    int fd = host_socket_open(&options->local.address, SOCK_STREAM);
    if (fd < 0)
        return fd;
    /* Connections inherit no-delay: what we send is gathered by the turn, not by Nagle's timer. */
    int status = host_socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (status == 0)
        status = host_socket_set_nodelay(fd);
    if (status == 0 && options->reuse_port)
        status = host_socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (status == 0 && options->client_first)
        status = host_socket_set_defer_accept(fd);
    if (status == 0)
        status = host_socket_bind(fd, &options->local);
    if (status == 0)
        status = host_socket_listen(fd, options->backlog > 0 ? options->backlog : BACKLOG_DEFAULT);
    if (status == 0)
        return fd;
    (void)close(fd);
    return status;
}

static int kernel_listen(struct net *net, const struct listen_options *options,
                         const struct listener_handler *handler, void *self,
                         struct listener **out)
{
    struct kernel_listener *l = calloc(1, sizeof *l);
    if (l == NULL)
        return -ENOMEM;
    int fd = open_listening(options);
    int status = fd < 0 ? fd : loop_watch(net->loop, &l->watch, fd, LOOP_READ, on_listener_ready);
    if (status < 0) {
        if (fd >= 0)
            (void)close(fd);
        free(l);
        return status;
    }
    l->base = (struct listener){&listener_ops, net, handler, self};
    l->local = host_socket_local(fd);
    l->client_first = options->client_first;
    alarm_init(&l->again, on_accept_again);
    *out = &l->base;
    return 0;
}

/* ---- the net ---- */

static void kernel_free(struct net *base)
{
    struct kernel_net *net = kernel_net_of(base);
    while (kernel_drop_lingering(net, false))
        continue;
    kernel_close_roamers(net);
    net_graveyard_done(&net->yard);
    net_pool_done(&net->pool);
    host_batch_free(net->batch);
    free(net);
}

static const struct net_ops net_ops = {
    .connect = kernel_connect,
    .connect_path = kernel_connect_path,
    .listen = kernel_listen,
    .bind = kernel_bind,
    .free = kernel_free,
};

struct net *net_kernel_new(struct loop *loop)
{
    struct kernel_net *net = malloc(sizeof *net);
    if (net == NULL)
        return NULL;
    net->base = (struct net){&net_ops, loop};
    net->pool = (struct net_pool){0};
    net->batch = NULL;
    net->answering = NULL;
    net_graveyard_init(&net->yard, loop);
    list_init(&net->lingering);
    list_init(&net->roamers);
    return &net->base;
}
