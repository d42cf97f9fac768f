/* SPDX-License-Identifier: ISC */
/*
 * udp_socket.c - UDP sockets: ports, what they have received, what they send (RFC 768, RFC 1122 §4.1).
 *
 * A datagram waits in the frame it came in, and what is known of it is noted in that frame's
 * headroom, over headers that nobody needs any more: receiving allocates nothing.
 */
#include "stack/udp.h"

#include "base/checksum.h"
#include "stack/ip.h"
#include "stack/udp_table.h"
#include "wire/inet/icmp_message.h"
#include "wire/inet/udp_header.h"

struct udp_socket {
    struct socket base;
    struct stack *stack;
    struct list_node all;       /* in udp_table.sockets */
    struct list_node same_port; /* in udp_port.sockets */
    struct endpoint local;
    bool intercept;
    bool broadcast;
    uint8_t error_first;
    uint8_t error_count;
    struct frame_queue queue; /* data at the payload */
    size_t queue_octets;      /* of storage */
    size_t queue_octets_max;
    struct udp_error errors[UDP_ERRORS_MAX];
};

/* The sockets of one port: at most one for an address. */
struct udp_port {
    uint16_t port;
    struct list_node sockets;
};

struct udp_table {
    struct map ports;
    struct list_node sockets;
    size_t count;
    size_t count_max;
    struct udp_socket *intercept;
};

/* Noted at the start of a waiting frame's storage. */
struct udp_note {
    struct endpoint from;
    struct endpoint to;
    struct mac mac;
    uint8_t interface;
};

_Static_assert(sizeof(struct udp_note) <= FRAME_HEADROOM, "the note fits into the headroom");

static bool port_equal(const void *item, const void *key)
{
    return ((const struct udp_port *)item)->port == *(const uint16_t *)key;
}

/* Ports of sockets are ours to choose: no stranger can make them collide. */
static uint32_t port_hash(uint16_t port)
{
    return port * UINT32_C(0x9e3779b1);
}

static struct udp_port *find_port(const struct stack *stack, uint16_t port)
{
    return map_find(&stack->udp->ports, port_hash(port), &port);
}

bool udp_init(struct stack *stack)
{
    struct udp_table *table = heap_zeroed(&stack->heap, sizeof *table);
    if (table == NULL)
        return false;
    stack->udp = table;
    table->count_max = stack->options.udp_sockets_max != 0 ? stack->options.udp_sockets_max
                                                           : UDP_SOCKETS_DEFAULT;
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
static struct udp_socket *find_bound(const struct udp_port *port,
                                     const struct ip_address *address)
{
    for (struct list_node *node = port->sockets.next; node != &port->sockets; node = node->next) {
        struct udp_socket *socket = CONTAINER_OF(node, struct udp_socket, same_port);
        if (address_equal(&socket->local.address, address))
            return socket;
    }
    return NULL;
}

/* A socket bound to the address goes before one that takes all of the host's (RFC 1122 §4.1.3.5's
 * specific destination address). */
static struct udp_socket *find(const struct stack *stack, const struct ip_address *address,
                               uint16_t number)
{
    const struct udp_port *port = find_port(stack, number);
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
    struct udp_port *port = find_port(stack, number);
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
    struct udp_port *port = find_port(stack, socket->local.port);
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
        if (find_port(stack, number) == NULL)
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

/* Takes the frame, whose data is the payload. */
static void queue(struct stack *stack, struct udp_socket *socket, struct frame *frame,
                  const struct udp_note *note)
{
    if (frame_headroom(frame) < sizeof *note) {
        struct frame *copy = frame_copy(frame);
        frame_unref(frame);
        frame = copy;
    } else {
        frame = stack_fit(frame);
    }
    if (frame == NULL) {
        stack->counters.udpInErrors++;
        stack_drop(stack, DROP_NO_MEMORY, NULL);
        return;
    }
    if (socket->queue_octets + frame->size > socket->queue_octets_max &&
        socket->queue.count > 0) {
        stack->counters.udpInErrors++;
        stack_drop(stack, DROP_UDP_QUEUE_FULL, frame);
        frame_unref(frame);
        return;
    }
    memcpy(frame->storage, note, sizeof *note);
    socket->queue_octets += frame->size;
    frame_queue_push(&socket->queue, frame);
    stack->counters.udpInDatagrams++;
    socket_raise(stack, &socket->base, SOCKET_READABLE);
}

/* To every socket that a group's datagram is for (RFC 1122 §4.1.3.5): those bound to the group
 * itself or to no address. Each beyond the first has a copy of its own. */
static void queue_group(struct stack *stack, struct frame *frame, const struct udp_note *note)
{
    const struct udp_port *port = find_port(stack, note->to.port);
    if (port == NULL)
        return;
    for (struct list_node *node = port->sockets.next; node != &port->sockets; node = node->next) {
        struct udp_socket *socket = CONTAINER_OF(node, struct udp_socket, same_port);
        if (!address_is_any(&socket->local.address) &&
            !address_equal(&socket->local.address, &note->to.address))
            continue;
        struct frame *copy = frame_copy(frame);
        if (copy != NULL)
            queue(stack, socket, copy, note);
        else
            stack_drop(stack, DROP_NO_MEMORY, frame);
    }
}

static bool checksum_fails(const struct ip_packet *packet, const struct udp_header *header)
{
    if (packet->verified || header->checksum == 0)
        return false;
    size_t len = UDP_HEADER_LEN + header->payload.len;
    uint64_t sum =
        checksum_pseudo(&packet->source, &packet->target, packet->protocol, (uint32_t)len);
    sum += checksum_sum(bytes_first(packet->payload, len));
    return checksum_fold(sum) != 0xffff;
}

static void no_port(struct stack *stack, const struct ip_packet *packet)
{
    stack->counters.udpNoPorts++;
    stack_drop(stack, DROP_UDP_NO_PORT, packet->frame);
    if (!packet->foreign)
        icmp_unreachable(stack, packet, ICMP_PORT_UNREACHABLE, 0);
}

void udp_input(struct stack *stack, const struct ip_packet *packet)
{
    struct udp_header header;
    if (UNLIKELY(udp_decode(packet->payload, &header) != WIRE_OK)) {
        stack->counters.udpInErrors++;
        stack_drop(stack, DROP_UDP_MALFORMED, packet->frame);
        return;
    }
    if (UNLIKELY(checksum_fails(packet, &header))) {
        stack->counters.udpInErrors++;
        stack_drop(stack, DROP_UDP_CHECKSUM, packet->frame);
        return;
    }
    struct udp_socket *socket = NULL;
    if (packet->foreign)
        socket = stack->udp->intercept;
    else if (LIKELY(!packet->multicast))
        socket = find(stack, &packet->target, header.target_port);
    if (socket == NULL && !packet->multicast) {
        no_port(stack, packet);
        return;
    }
    struct udp_note note = {
        .from = {packet->source, header.source_port},
        .to = {packet->target, header.target_port},
        .mac = packet->mac,
        .interface = (uint8_t)packet->interface,
    };
    struct frame *frame = frame_ref(packet->frame);
    frame_pull(frame, (size_t)(packet->payload.data - frame->data) + UDP_HEADER_LEN);
    frame_trim(frame, header.payload.len);
    frame->offload = (struct frame_offload){0};
    if (socket != NULL) {
        queue(stack, socket, frame, &note);
        return;
    }
    queue_group(stack, frame, &note);
    frame_unref(frame);
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

static enum udp_status status_of(enum ip_status status)
{
    switch (status) {
    case IP_SENT:
        return UDP_SENT;
    case IP_TOO_BIG:
        return UDP_TOO_BIG;
    case IP_NO_ROUTE:
    case IP_DOWN:
        return UDP_NO_ROUTE;
    case IP_NO_MEMORY:
        break;
    }
    return UDP_NO_MEMORY;
}

/* The header in front, with the pseudo-header's sum: the interface does the rest. */
static void push_header(const struct ip_send *send, uint16_t source_port, uint16_t target_port,
                        struct frame *frame)
{
    size_t len = frame->len + UDP_HEADER_LEN;
    uint64_t sum = checksum_pseudo(&send->source, &send->target, IP_PROTOCOL_UDP, (uint32_t)len);
    struct udp_header header = {
        .source_port = source_port,
        .target_port = target_port,
        .checksum = checksum_fold(sum),
        .payload = bytes_empty(),
    };
    udp_push(frame, &header);
    frame->offload = (struct frame_offload){
        .checksum = FRAME_CHECKSUM_PARTIAL,
        .checksum_start = (uint32_t)frame_headroom(frame),
        .checksum_offset = UDP_CHECKSUM_OFFSET,
    };
}

static enum udp_status send_routed(struct udp_socket *socket,
                                   const struct udp_send_options *options, struct ip_send *send,
                                   struct frame *payload)
{
    struct stack *stack = socket->stack;
    struct route_choice choice;
    if (ip_choose(stack, send, &choice) != IP_SENT) {
        stack->counters.ipOutNoRoutes++;
        frame_unref(payload);
        return UDP_NO_ROUTE;
    }
    if (choice.broadcast && !socket->broadcast) {
        frame_unref(payload);
        return UDP_NOT_ALLOWED;
    }
    uint16_t port = socket->local.port;
    if (!address_is_any(&options->from.address)) {
        send->source = options->from.address;
        port = options->from.port != 0 ? options->from.port : port;
    } else if (!address_is_any(&socket->local.address) &&
               !address_is_multicast(&socket->local.address)) {
        send->source = socket->local.address;
    } else {
        send->source = choice.source;
    }
    push_header(send, port, options->to.port, payload);
    stack->counters.udpOutDatagrams++;
    return status_of(ip_output_by(stack, send, &choice, payload));
}

enum { UDP_PAYLOAD_V4_MAX = IPV4_PACKET_MAX - IPV4_HEADER_LEN - UDP_HEADER_LEN };

enum udp_status udp_send_frame(struct udp_socket *socket, const struct udp_send_options *options,
                               struct frame *payload)
{
    ASSERT(payload->slice_count == 0);
    if (payload->len > UDP_PAYLOAD_V4_MAX) {
        frame_unref(payload);
        return UDP_TOO_BIG;
    }
    struct ip_send send = {
        .target = options->to.address,
        .protocol = IP_PROTOCOL_UDP,
        .ttl = options->ttl,
        .interface = options->interface,
        .mac = options->mac,
    };
    return send_routed(socket, options, &send, payload);
}

enum udp_status udp_send(struct udp_socket *socket, const struct udp_send_options *options,
                         struct bytes payload)
{
    if (payload.len > UDP_PAYLOAD_V4_MAX)
        return UDP_TOO_BIG;
    struct frame *frame = frame_new(socket->stack->frames, payload.len);
    if (frame == NULL)
        return UDP_NO_MEMORY;
    frame_append(frame, payload);
    return udp_send_frame(socket, options, frame);
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

static void add_error(struct udp_socket *socket, const struct udp_error *error)
{
    if (socket->error_count == UDP_ERRORS_MAX) {
        socket->error_first = (uint8_t)((socket->error_first + 1) % UDP_ERRORS_MAX);
        socket->error_count--;
    }
    unsigned at = (socket->error_first + socket->error_count) % UDP_ERRORS_MAX;
    socket->errors[at] = *error;
    socket->error_count++;
}

void udp_icmp(struct stack *stack, const struct icmp_report *report)
{
    struct reader r = reader_of(report->transport);
    struct udp_error error = {
        .from = {.address = report->source},
        .to = {.address = report->target},
        .type = report->type,
        .code = report->code,
        .mtu = report->mtu,
    };
    error.from.port = read_u16(&r);
    error.to.port = read_u16(&r);
    if (r.failed)
        return;
    struct udp_socket *socket = find(stack, &report->source, error.from.port);
    if (!ip_is_local(stack, &report->source))
        socket = stack->udp->intercept;
    if (socket == NULL)
        return;
    add_error(socket, &error);
    socket_raise(stack, &socket->base, SOCKET_FAILED);
}

void udp_unreachable(struct udp_socket *socket, const struct endpoint *from,
                     const struct endpoint *to, struct bytes payload, uint8_t code)
{
    uint8_t head[ICMP_QUOTED_MAX - IPV4_HEADER_LEN];
    struct writer w = writer_of(head, sizeof head);
    struct udp_header header = {
        .source_port = from->port,
        .target_port = to->port,
        .payload = bytes_first(payload, sizeof head - UDP_HEADER_LEN),
    };
    udp_encode(&header, &w);
    ASSERT(!w.failed);
    struct icmp_report report = {
        .type = ICMP_UNREACHABLE,
        .code = code,
        .protocol = IP_PROTOCOL_UDP,
        .source = from->address,
        .target = to->address,
        .transport = writer_bytes(&w),
    };
    icmp_send_report(socket->stack, &report);
}
