/* SPDX-License-Identifier: ISC */
/* net_kernel_dgram.c - datagrams over the host's UDP (RFC 768); its ICMP errors by IP_RECVERR. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/net_kernel.h"
#include "os/socket_batch.h"

struct kernel_dgram {
    struct dgram base;
    struct net_grave grave;
    struct watch watch;
    struct endpoint local;
    int family;
    bool lean;
    bool roams;   /* it has no port until it sends, and may be used again */
    bool closed;
    unsigned use; /* changes when it is used again */
    struct list_node node; /* among the net's roamers */
};

static struct kernel_dgram *dgram_of(struct dgram *base)
{
    return CONTAINER_OF(base, struct kernel_dgram, base);
}

/* Is it still what it was before something was told? */
static bool is_in_use(const struct kernel_dgram *d, unsigned use)
{
    return !d->closed && d->use == use;
}

static void tell_errors(struct kernel_dgram *d)
{
    struct host_datagram_error error;
    unsigned use = d->use;
    for (int i = 0; i < KERNEL_DATAGRAM_ERRORS && is_in_use(d, use); i++) {
        if (host_datagram_error(d->watch.fd, &error) < 0)
            break;
        if (d->base.handler->on_error != NULL)
            d->base.handler->on_error(d->base.self, &d->base, &error.to, error.error);
    }
    /* The pending error says the same once more, and would keep the descriptor ready. */
    if (is_in_use(d, use))
        (void)host_socket_error(d->watch.fd);
}

static void tell_message(struct kernel_dgram *d, const struct host_datagram *facts,
                         struct bytes payload)
{
    struct dgram_message message = {
        .from = facts->from,
        .to = d->lean ? d->local : (struct endpoint){facts->to.address, d->local.port},
        .payload = payload,
        .interface = facts->interface,
        .has_interface = facts->interface != 0,
    };
    if (d->base.handler->on_message != NULL)
        d->base.handler->on_message(d->base.self, &d->base, &message);
}

/* What the socket itself sends meanwhile goes out at the end, in one call: a server answers most of
 * what it is asked at once. */
static void tell_messages(struct kernel_dgram *d)
{
    struct kernel_net *net = kernel_net_of(d->base.net);
    int count = host_batch_receive(net->batch, d->watch.fd);
    unsigned use = d->use;
    net->answering = &d->base;
    /* An error is that of an earlier datagram, told by tell_errors(). */
    for (int i = 0; i < count && is_in_use(d, use); i++) {
        struct host_datagram facts;
        struct bytes payload;
        if (host_batch_get(net->batch, (unsigned)i, &facts, &payload))
            tell_message(d, &facts, payload);
    }
    net->answering = NULL;
    if (is_in_use(d, use))
        host_batch_flush(net->batch, d->watch.fd);
}

/* What has come too late, for a socket that nobody has. */
static void discard(struct kernel_dgram *d)
{
    struct host_datagram_error error;
    (void)!host_batch_receive(kernel_net_of(d->base.net)->batch, d->watch.fd);
    (void)!host_datagram_error(d->watch.fd, &error);
    (void)host_socket_error(d->watch.fd);
}

static void on_dgram_ready(struct watch *watch, unsigned ready)
{
    struct kernel_dgram *d = CONTAINER_OF(watch, struct kernel_dgram, watch);
    if (d->closed) {
        discard(d);
        return;
    }
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
    if (d->lean && address_equal(&facts.from.address, &d->local.address))
        facts.from.address = address_any_v4(); /* it need not be said */
    struct kernel_net *net = kernel_net_of(base->net);
    if (net->answering != base)
        return host_datagram_send(d->watch.fd, d->family, &facts, message->payload);
    int taken = host_batch_put(net->batch, d->family, &facts, message->payload);
    if (taken != 0)
        return taken < 0 ? taken : 0;
    host_batch_flush(net->batch, d->watch.fd);
    taken = host_batch_put(net->batch, d->family, &facts, message->payload);
    return taken > 0 ? 0 : taken < 0 ? taken : -EMSGSIZE;
}

static struct endpoint kernel_dgram_local(const struct dgram *base)
{
    const struct kernel_dgram *d = dgram_of((struct dgram *)(uintptr_t)base);
    return d->roams ? host_socket_local(d->watch.fd) : d->local;
}

static void kernel_dgram_hold(struct dgram *base)
{
    struct kernel_net *net = kernel_net_of(base->net);
    if (net->answering == NULL)
        net->answering = base;
}

static void kernel_dgram_flush(struct dgram *base)
{
    struct kernel_net *net = kernel_net_of(base->net);
    if (net->answering != base)
        return;
    net->answering = NULL;
    host_batch_flush(net->batch, dgram_of(base)->watch.fd);
}

static void really_close(struct kernel_dgram *d)
{
    struct kernel_net *net = kernel_net_of(d->base.net);
    d->closed = true;
    loop_unwatch(&d->watch);
    (void)close(d->watch.fd);
    net_bury(&net->yard, &d->grave, d);
}

static void kernel_dgram_close(struct dgram *base)
{
    struct kernel_dgram *d = dgram_of(base);
    if (d->closed)
        return;
    struct kernel_net *net = kernel_net_of(base->net);
    if (net->answering == base) {
        net->answering = NULL;
        host_batch_flush(net->batch, d->watch.fd);
    }
    if (!d->roams || net->roamer_count == KERNEL_ROAMERS_MAX ||
        host_socket_leave_port(d->watch.fd) < 0) {
        really_close(d);
        return;
    }
    d->closed = true;
    list_prepend(&net->roamers, &d->node);
    net->roamer_count++;
}

void kernel_close_roamers(struct kernel_net *net)
{
    while (!list_empty(&net->roamers)) {
        struct kernel_dgram *d = CONTAINER_OF(list_first(&net->roamers), struct kernel_dgram, node);
        list_remove(&d->node);
        really_close(d);
    }
}

static const struct dgram_ops dgram_ops = {
    .send = kernel_dgram_send,
    .local = kernel_dgram_local,
    .close = kernel_dgram_close,
    .hold = kernel_dgram_hold,
    .flush = kernel_dgram_flush,
};

static bool roams(const struct dgram_options *options)
{
    return options->lean && options->local.port == 0 && address_is_any(&options->local.address) &&
           !options->broadcast && !options->reuse_port && options->interface == NULL &&
           !address_is_multicast(&options->group);
}

/* One that was closed before, and is as good as new: its next port is another. */
static struct kernel_dgram *find_roamer(struct kernel_net *net, const struct ip_address *local)
{
    int family = address_is_v4(local) ? AF_INET : AF_INET6;
    for (struct list_node *node = net->roamers.next; node != &net->roamers; node = node->next) {
        struct kernel_dgram *d = CONTAINER_OF(node, struct kernel_dgram, node);
        if (d->family != family)
            continue;
        list_remove(node);
        net->roamer_count--;
        d->closed = false;
        d->use++;
        return d;
    }
    return NULL;
}

/* The descriptor of a bound socket, or a negative errno. */
static int open_bound(const struct dgram_options *options)
{
    bool claim = options->reuse_port && options->claim && options->local.port != 0;
    int free_or_not = claim ? kernel_port_is_free(&options->local, SOCK_DGRAM) : 0;
    if (free_or_not < 0)
        return free_or_not;
    int fd = host_socket_open(&options->local.address, SOCK_DGRAM);
    if (fd < 0)
        return fd;
    int status = options->lean ? host_datagram_enable_errors(fd) : host_datagram_enable(fd);
    if (status == 0 && options->broadcast)
        status = host_socket_set(fd, SOL_SOCKET, SO_BROADCAST, 1);
    if (status == 0 && options->reuse_port)
        status = host_socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (status == 0 && options->interface != NULL)
        status = host_socket_bind_device(fd, options->interface);
    if (status == 0 && address_is_multicast(&options->group))
        status = host_socket_join(fd, &options->group, options->interface);
    if (status == 0 && !roams(options))
        status = host_socket_bind(fd, &options->local);
    if (status == 0)
        return fd;
    (void)close(fd);
    return status;
}

int kernel_bind(struct net *net, const struct dgram_options *options,
                const struct dgram_handler *handler, void *self, struct dgram **out)
{
    struct kernel_net *kernel_net = kernel_net_of(net);
    if (kernel_net->batch == NULL)
        kernel_net->batch = host_batch_new();
    struct kernel_dgram *d =
        roams(options) ? find_roamer(kernel_net, &options->local.address) : NULL;
    if (d != NULL) {
        d->base = (struct dgram){&dgram_ops, net, handler, self};
        *out = &d->base;
        return 0;
    }
    d = calloc(1, sizeof *d);
    if (d == NULL || kernel_net->batch == NULL) {
        free(d);
        return -ENOMEM;
    }
    int fd = open_bound(options);
    int status = fd < 0 ? fd : loop_watch(net->loop, &d->watch, fd, LOOP_READ, on_dgram_ready);
    if (status < 0) {
        if (fd >= 0)
            (void)close(fd);
        free(d);
        return status;
    }
    d->base = (struct dgram){&dgram_ops, net, handler, self};
    list_init(&d->node);
    d->roams = roams(options);
    d->local = d->roams ? options->local : host_socket_local(fd);
    d->family = host_socket_family(fd);
    d->lean = options->lean;
    *out = &d->base;
    return 0;
}
