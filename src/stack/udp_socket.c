/* SPDX-License-Identifier: ISC */
/*
 * udp_socket.c - UDP sockets: their ports, and what they have received (RFC 768, RFC 1122 §4.1).
 */
#include "stack/udp.h"

#include "stack/udp_table.h"

static bool port_equal(const void *item, const void *key)
{
    return ((const struct udp_port *)item)->port == *(const uint16_t *)key;
}

/* Ports of sockets are ours to choose: no stranger can make them collide. */
static uint32_t port_hash(uint16_t port)
{
    return port * UINT32_C(0x9e3779b1);
}

struct udp_port *udp_find_port(const struct stack *stack, uint16_t port)
{
    return map_find(&stack->udp->ports, port_hash(port), &port);
}

bool udp_init(struct stack *stack)
{
    struct udp_table *table = heap_zeroed(&stack->heap, sizeof *table);
    if (table == NULL)
        return false;
    stack->udp = table;
    table->count_max =
        stack->options.udp_sockets_max != 0 ? stack->options.udp_sockets_max : UDP_SOCKETS_DEFAULT;
    map_init(&table->ports, &stack->heap, table->count_max, port_equal);
    list_init(&table->sockets);
    return true;
}

void udp_done(struct stack *stack)
{
    struct udp_table *table = stack->udp;
    if (table == NULL)
        return;
    struct list_node *first;
    while ((first = list_first(&table->sockets)) != NULL)
        udp_close(CONTAINER_OF(first, struct udp_socket, all));
    map_done(&table->ports);
    heap_release(&stack->heap, table, sizeof *table);
    stack->udp = NULL;
}

/* ---- whose a datagram is ---- */

/* How near the socket is to the two ends; negative: it is not for this one (RFC 1122 §4.1.3.5 leaves it
 * to the host what a connected socket takes: here its peer's datagrams only). */
static int nearness(const struct udp_socket *socket, const struct endpoint *to,
                    const struct endpoint *from)
{
    enum { CONNECTED = 1, BOUND = 2 };
    bool connected = socket->remote.port != 0;
    bool bound = !address_is_any(&socket->local.address);
    if (bound && !address_equal(&socket->local.address, &to->address))
        return -1;
    if (!connected)
        return bound ? BOUND : 0;
    if (!endpoint_equal(&socket->remote, from))
        return -1;
    if (!address_is_any(&socket->connected_to)) {
        if (!address_equal(&socket->connected_to, &to->address))
            return -1;
        bound = true;
    }
    return CONNECTED + (bound ? BOUND : 0);
}

static bool shares_with(const struct udp_socket *socket, const struct udp_socket *one)
{
    return socket->share_port && socket->remote.port == 0 &&
           address_equal(&socket->local.address, &one->local.address);
}

/* The one that the hash names of those that share the port with `one`, itself included. */
static struct udp_socket *of_those_that_share(const struct stack *stack,
                                              const struct udp_port *port, struct udp_socket *one,
                                              const struct stack_pair *pair)
{
    const struct list_node *node;
    uint32_t count = 0;
    for (node = port->sockets.next; node != &port->sockets; node = node->next)
        count += shares_with(CONTAINER_OF(node, struct udp_socket, same_port), one);
    if (count == 1)
        return one;
    uint32_t hash = (uint32_t)siphash13(&stack->hash_key, bytes_of(pair, sizeof *pair));
    uint32_t left = (uint32_t)((uint64_t)hash * count >> 32);
    for (node = port->sockets.next; node != &port->sockets; node = node->next) {
        struct udp_socket *socket = CONTAINER_OF(node, struct udp_socket, same_port);
        if (shares_with(socket, one) && left-- == 0)
            return socket;
    }
    return one;
}

struct udp_socket *udp_find(const struct stack *stack, const struct endpoint *to,
                            const struct endpoint *from)
{
    const struct udp_port *port = udp_find_port(stack, to->port);
    if (port == NULL)
        return NULL;
    struct udp_socket *nearest = NULL;
    int most = 0;
    for (struct list_node *node = port->sockets.next; node != &port->sockets; node = node->next) {
        struct udp_socket *socket = CONTAINER_OF(node, struct udp_socket, same_port);
        int near = nearness(socket, to, from);
        if (near >= most) { /* of equals the newest */
            nearest = socket;
            most = near;
        }
    }
    if (nearest == NULL || !nearest->share_port || nearest->remote.port != 0)
        return nearest;
    struct stack_pair pair = stack_pair_of(to, from);
    return of_those_that_share(stack, port, nearest, &pair);
}

/* ---- ports ---- */

/* Does another socket of the port have the very address, and not share it? */
static bool taken(const struct udp_port *port, const struct udp_socket *socket)
{
    for (struct list_node *node = port->sockets.next; node != &port->sockets; node = node->next) {
        const struct udp_socket *other = CONTAINER_OF(node, struct udp_socket, same_port);
        bool shared = (socket->share_port && other->share_port) ||
                      (socket->share_address && other->share_address);
        if (!shared && address_equal(&other->local.address, &socket->local.address))
            return true;
    }
    return false;
}

static struct udp_port *add_port(struct stack *stack, uint16_t number)
{
    struct udp_port *port = heap_zeroed(&stack->heap, sizeof *port);
    if (port == NULL)
        return NULL;
    port->port = number;
    list_init(&port->sockets);
    if (map_insert(&stack->udp->ports, port_hash(number), port))
        return port;
    heap_release(&stack->heap, port, sizeof *port);
    return NULL;
}

/* False: *why it was not. */
static bool bind_port(struct stack *stack, struct udp_socket *socket, uint16_t number,
                      enum socket_refusal *why)
{
    struct udp_port *port = udp_find_port(stack, number);
    *why = SOCKET_IN_USE;
    if (port != NULL && taken(port, socket))
        return false;
    *why = SOCKET_NO_MEMORY;
    if (port == NULL)
        port = add_port(stack, number);
    if (port == NULL)
        return false;
    socket->local.port = number;
    list_append(&port->sockets, &socket->same_port);
    return true;
}

static void release_port(struct stack *stack, struct udp_socket *socket)
{
    if (!list_linked(&socket->same_port))
        return;
    list_remove(&socket->same_port);
    struct udp_port *port = udp_find_port(stack, socket->local.port);
    if (port == NULL || !list_empty(&port->sockets))
        return;
    (void)map_remove(&stack->udp->ports, port_hash(port->port), port);
    heap_release(&stack->heap, port, sizeof *port);
}

/* RFC 6056 §3.3.1, algorithm 1: a random start, then the next free one. */
static bool bind_ephemeral(struct stack *stack, struct udp_socket *socket,
                           enum socket_refusal *why)
{
    const uint32_t range = UDP_EPHEMERAL_LAST - UDP_EPHEMERAL_FIRST + 1;
    uint32_t start = prng_below(&stack->prng, range);
    for (uint32_t i = 0; i < range; i++) {
        uint16_t number = (uint16_t)(UDP_EPHEMERAL_FIRST + (start + i) % range);
        /* Not one that any socket has, whatever its address. */
        if (udp_find_port(stack, number) == NULL)
            return bind_port(stack, socket, number, why);
    }
    *why = SOCKET_IN_USE;
    return false;
}

static bool bind(struct stack *stack, struct udp_socket *socket, const struct udp_options *options,
                 enum socket_refusal *why)
{
    socket->local = options->local;
    if (address_is_any(&options->local.address))
        socket->local.address = address_any_v4();
    if (options->intercept) {
        *why = SOCKET_IN_USE;
        if (stack->udp->intercept != NULL)
            return false;
        stack->udp->intercept = socket;
        return true;
    }
    return options->local.port != 0 ? bind_port(stack, socket, options->local.port, why)
                                    : bind_ephemeral(stack, socket, why);
}

struct udp_socket *udp_open(struct stack *stack, const struct udp_options *options)
{
    struct udp_table *table = stack->udp;
    enum socket_refusal why;
    socket_refuse(options->why, SOCKET_NO_MEMORY);
    if (table->count >= table->count_max)
        return NULL;
    struct udp_socket *socket = heap_zeroed(&stack->heap, sizeof *socket);
    if (socket == NULL)
        return NULL;
    socket_init(&socket->base, SOCKET_UDP, options->user);
    socket->stack = stack;
    socket->intercept = options->intercept;
    socket->broadcast = options->broadcast;
    socket->share_address = options->share_address;
    socket->share_port = options->share_port;
    socket->queue_octets_max =
        options->queue_octets_max != 0 ? options->queue_octets_max : UDP_QUEUE_OCTETS;
    list_init(&socket->all);
    list_init(&socket->same_port);
    if (!bind(stack, socket, options, &why)) {
        socket_refuse(options->why, why);
        heap_release(&stack->heap, socket, sizeof *socket);
        return NULL;
    }
    list_append(&table->sockets, &socket->all);
    table->count++;
    return socket;
}

void udp_close(struct udp_socket *socket)
{
    struct stack *stack = socket->stack;
    release_port(stack, socket);
    if (stack->udp->intercept == socket)
        stack->udp->intercept = NULL;
    list_remove(&socket->all);
    stack->udp->count--;
    socket_done(&socket->base);
    frame_queue_clear(&socket->queue);
    heap_release(&stack->heap, socket, sizeof *socket);
}

void udp_set_broadcast(struct udp_socket *socket, bool on)
{
    socket->broadcast = on;
}

void udp_set_sharing(struct udp_socket *socket, bool address, bool port)
{
    socket->share_address = address;
    socket->share_port = port;
}

void udp_set_queue(struct udp_socket *socket, size_t octets_max)
{
    socket->queue_octets_max = octets_max;
}

void udp_connect(struct udp_socket *socket, const struct endpoint *remote,
                 const struct ip_address *local)
{
    socket->remote = remote != NULL ? *remote : (struct endpoint){0};
    socket->connected_to = local != NULL ? *local : address_any_v4();
}

struct socket *udp_socket_base(struct udp_socket *socket)
{
    return &socket->base;
}

struct udp_socket *socket_udp(struct socket *socket)
{
    ASSERT(socket->kind == SOCKET_UDP);
    return CONTAINER_OF(socket, struct udp_socket, base);
}

const struct endpoint *udp_local(const struct udp_socket *socket)
{
    return &socket->local;
}

bool udp_receive(struct udp_socket *socket, struct udp_datagram *out)
{
    struct frame *frame = frame_queue_pop(&socket->queue);
    if (frame == NULL)
        return false;
    socket->queue_octets -= frame->size;
    struct udp_note note;
    memcpy(&note, frame->storage, sizeof note);
    *out = (struct udp_datagram){
        .from = note.from,
        .to = note.to,
        .payload = frame_bytes(frame),
        .frame = frame,
        .mac = note.mac,
        .interface = note.interface,
    };
    return true;
}

bool udp_next_error(struct udp_socket *socket, struct udp_error *out)
{
    if (socket->error_count == 0)
        return false;
    *out = socket->errors[socket->error_first];
    socket->error_first = (uint8_t)((socket->error_first + 1) % UDP_ERRORS_MAX);
    socket->error_count--;
    return true;
}
