/* SPDX-License-Identifier: ISC */
/*
 * tap_server.c - bench_tool's servers (sink, echo, source, UDP) on our stack over a TAP device:
 *
 *      tap_server NAME ADDRESS/LEN PORT [mtu=N] [plain] [congestion=NAME] [IMPAIRMENT…]
 *
 * makes the device, says "ready", and serves until killed. `plain`: without offload, so that what
 * crosses the device is packets of the MTU; so it is with impairments (bench/support/impair.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/support/impair.h"
#include "io/node.h"
#include "io/tap_port.h"
#include "os/tap.h"
#include "stack/tcp/tcp.h"
#include "stack/tcp/tcp_profile.h"
#include "stack/udp.h"

enum { ECHO_PORTS = 8, SOURCE_PORT = 9, UDP_ANSWER = 128, BLOCK = 65536, VIEWS = 16 };

enum role { SINK, ECHO, SOURCE };

struct service {
    struct node_client client;
    struct tcp_listener *listener;
    enum role role;
};

/* One connection. */
struct peer {
    struct node_client client;
    struct tcp_connection *c;
    enum role role;
    uint64_t total;
};

struct datagrams {
    struct node_client client;
    struct udp_socket *socket;
};

static struct service services[ECHO_PORTS + 2];
static struct datagrams datagrams;
static uint8_t block[BLOCK];
static int congestion = TCP_CONGESTION_CUBIC;

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "tap_server: %s\n", what);
    exit(1);
}

static void drop(struct peer *peer)
{
    tcp_close(peer->c);
    free(peer);
}

static void fill(struct peer *peer)
{
    while (tcp_send(peer->c, bytes_of(block, sizeof block)) == sizeof block)
        ;
}

static void take(struct peer *peer)
{
    struct slice views[VIEWS];
    size_t count;
    while ((count = tcp_received(peer->c, views, VIEWS)) > 0) {
        size_t len = 0;
        for (size_t i = 0; i < count; i++) {
            if (peer->role == ECHO)
                (void)tcp_send(peer->c, bytes_of(views[i].data, views[i].len));
            len += views[i].len;
        }
        tcp_consume(peer->c, len);
        peer->total += len;
    }
}

static void on_peer(struct node_client *client, const struct socket_event *event)
{
    struct peer *peer = CONTAINER_OF(client, struct peer, client);
    if (event->events & SOCKET_FAILED) {
        drop(peer);
        return;
    }
    if (event->events & SOCKET_READABLE)
        take(peer);
    if ((event->events & SOCKET_WRITABLE) && peer->role == SOURCE)
        fill(peer);
    if (event->events & SOCKET_END) {
        if (peer->role == SINK)
            (void)tcp_send(peer->c, bytes_of(&peer->total, sizeof peer->total));
        drop(peer);
    }
}

static void on_service(struct node_client *client, const struct socket_event *event UNUSED)
{
    struct service *service = CONTAINER_OF(client, struct service, client);
    for (;;) {
        struct peer *peer = calloc(1, sizeof *peer);
        if (peer == NULL)
            die("no memory");
        peer->c = tcp_accept(service->listener, &peer->client);
        if (peer->c == NULL) {
            free(peer);
            return;
        }
        peer->client.on_event = on_peer;
        peer->role = service->role;
        (void)tcp_set_option(peer->c, TCP_OPTION_NODELAY, 1);
        (void)tcp_set_option(peer->c, TCP_OPTION_CONGESTION, (uint32_t)congestion);
        if (service->role == SOURCE)
            fill(peer);
        else
            take(peer);
    }
}

static void on_datagrams(struct node_client *client UNUSED,
                         const struct socket_event *event UNUSED)
{
    struct udp_datagram datagram;
    while (udp_receive(datagrams.socket, &datagram)) {
        struct udp_send_options options = {
            .to = datagram.from, .from = datagram.to, .interface = -1};
        frame_unref(datagram.frame);
        (void)udp_send(datagrams.socket, &options, bytes_of(block, UDP_ANSWER));
    }
}

static void serve(struct stack *stack, unsigned port)
{
    for (unsigned i = 0; i < ECHO_PORTS + 2; i++) {
        struct service *service = &services[i];
        service->role = i == 0 ? SINK : i == SOURCE_PORT ? SOURCE : ECHO;
        service->client.on_event = on_service;
        struct tcp_listen_options options = {
            .local = {address_any_v4(), (uint16_t)(port + i)},
            .backlog = 4096,
            .user = &service->client,
        };
        service->listener = tcp_listen(stack, &options);
        if (service->listener == NULL)
            die("cannot listen");
    }
    datagrams.client.on_event = on_datagrams;
    struct udp_options options = {
        .local = {address_any_v4(), (uint16_t)port}, .user = &datagrams.client};
    datagrams.socket = udp_open(stack, &options);
    if (datagrams.socket == NULL)
        die("cannot open the UDP port");
}

struct device {
    const char *name;
    struct ip_prefix address;
    unsigned mtu;
    bool offload;
    bool impaired;
    struct wire_options wire;
};

static void open_device(struct node *node, const struct device *device)
{
    const char *name = device->name;
    bool offload = device->offload;
    uint16_t mtu = (uint16_t)device->mtu;
    struct tap_options options = {
        .name = name,
        .vnet_header_len = offload ? TAP_VNET_HEADER_LEN : 0,
        .offload = offload,
    };
    struct tap tap;
    int status = tap_open(&options, &tap);
    if (status < 0)
        die(tap_error_text(status));
    struct interface_options interface = {
        .mac = {{2, 0, 0, 0, 0, 1}},
        .mtu = mtu,
        .features = offload ? INTERFACE_CHECKSUM | INTERFACE_TSO4 : 0,
    };
    snprintf(interface.name, sizeof interface.name, "%s", name);
    int index = stack_add_interface(node_stack(node), &interface);
    if (index < 0 || !stack_add_address(node_stack(node), 0, &device->address, false))
        die("cannot set up the interface");
    struct tap_port_options port = {
        .fd = tap.fd, .vnet = offload, .mtu = mtu, .name = name, .mac = interface.mac,
        .wire = device->impaired ? &device->wire : NULL};
    struct tap_port *out;
    if (tap_port_new(node, &port, &out) < 0)
        die("cannot open the port");
}

/* False: it is no option. */
static bool take_word(const char *word, struct device *device)
{
    if (strncmp(word, "congestion=", 11) == 0)
        return (congestion = tcp_congestion_find(word + 11)) >= 0;
    if (strcmp(word, "plain") == 0)
        device->offload = false;
    else if (impair_word(word, &device->wire))
        device->impaired = true;
    else
        return sscanf(word, "mtu=%u", &device->mtu) == 1;
    return true;
}

int main(int argc, char **argv)
{
    struct device device = {.mtu = 1500, .offload = true, .wire = {.seed = 1}};
    if (argc < 4 || !prefix_parse(bytes_of(argv[2], strlen(argv[2])), &device.address))
        die("NAME ADDRESS/LEN PORT [mtu=N] [plain] [congestion=NAME] [IMPAIRMENT...]");
    device.name = argv[1];
    for (int i = 4; i < argc; i++)
        if (!take_word(argv[i], &device))
            die(argv[i]);
    device.offload = device.offload && !device.impaired;
    struct loop *loop = loop_new();
    struct stack_options options = {0};
    struct node *node = loop != NULL ? node_new(loop, &options) : NULL;
    if (node == NULL)
        die("no memory");
    open_device(node, &device);
    serve(node_stack(node), (unsigned)atoi(argv[3]));
    puts("ready");
    fflush(stdout);
    return loop_run(loop) < 0;
}
