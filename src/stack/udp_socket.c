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

/* The socket of the port that has exactly that local address. */
static struct udp_socket *find_bound(const struct udp_port *port, const struct ip_address *address)
{
    for (struct list_node *node = port->sockets.next; node != &port->sockets; node = node->next) {
        struct udp_socket *socket = CONTAINER_OF(node, struct udp_socket, same_port);
        if (address_equal(&socket->local.address, address))
            return socket;
    }
    return NULL;
}

struct udp_socket *udp_find(const struct stack *stack, const struct ip_address *address,
                            uint16_t number)
{
    const struct udp_port *port = udp_find_port(stack, number);
    if (port == NULL)
        return NULL;
    struct udp_socket *only = CONTAINER_OF(port->sockets.next, struct udp_socket, same_port);
    if (LIKELY(address_is_any(&only->local.address) && only->same_port.next == &port->sockets))
        return only;
    struct udp_socket *socket = find_bound(port, address);
    struct ip_address any = address_any_v4();
    return socket != NULL ? socket : find_bound(port, &any);
}

static bool bind_port(struct stack *stack, struct udp_socket *socket, uint16_t number)
{
    struct udp_port *port = udp_find_port(stack, number);
    if (port == NULL) {
        port = heap_zeroed(&stack->heap, sizeof *port);
        if (port == NULL)
            return false;
        port->port = number;
        list_init(&port->sockets);
        if (!map_insert(&stack->udp->ports, port_hash(number), port)) {
            heap_release(&stack->heap, port, sizeof *port);
            return false;
        }
    } else if (find_bound(port, &socket->local.address) != NULL) {
        return false;
    }
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
static bool bind_ephemeral(struct stack *stack, struct udp_socket *socket)
{
    const uint32_t range = UDP_EPHEMERAL_LAST - UDP_EPHEMERAL_FIRST + 1;
    uint32_t start = prng_below(&stack->prng, range);
    for (uint32_t i = 0; i < range; i++) {
        uint16_t number = (uint16_t)(UDP_EPHEMERAL_FIRST + (start + i) % range);
        /* Not one that any socket has, whatever its address. */
        if (udp_find_port(stack, number) == NULL)
            return bind_port(stack, socket, number);
    }
    return false;
}

static bool bind(struct stack *stack, struct udp_socket *socket, const struct udp_options *options)
{
    socket->local = options->local;
    if (address_is_any(&options->local.address))
        socket->local.address = address_any_v4();
    if (options->intercept) {
        if (stack->udp->intercept != NULL)
            return false;
        stack->udp->intercept = socket;
        return true;
    }
    return options->local.port != 0 ? bind_port(stack, socket, options->local.port)
                                    : bind_ephemeral(stack, socket);
}

struct udp_socket *udp_open(struct stack *stack, const struct udp_options *options)
{
    struct udp_table *table = stack->udp;
    if (table->count >= table->count_max)
        return NULL;
    struct udp_socket *socket = heap_zeroed(&stack->heap, sizeof *socket);
    if (socket == NULL)
        return NULL;
    socket_init(&socket->base, SOCKET_UDP, options->user);
    socket->stack = stack;
    socket->intercept = options->intercept;
    socket->broadcast = options->broadcast;
    socket->queue_octets_max =
        options->queue_octets_max != 0 ? options->queue_octets_max : UDP_QUEUE_OCTETS;
    list_init(&socket->all);
    list_init(&socket->same_port);
    if (!bind(stack, socket, options)) {
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
