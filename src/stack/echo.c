/* SPDX-License-Identifier: ISC */
/*
 * echo.c - ICMP echo as a socket (RFC 792, "Echo or Echo Reply Message").
 *
 * A message waits in the frame it came in, what is known of it noted in the headroom, as in
 * udp_socket.c.
 */
#include "stack/echo.h"

#include "stack/echo_table.h"
#include "stack/ip.h"

struct echo_socket {
    struct socket base;
    struct stack *stack;
    struct list_node all;
    uint16_t identifier;
    bool intercept;
    struct frame_queue queue; /* data at the payload */
    size_t queue_octets;
};

struct echo_table {
    struct list_node sockets;
    size_t count;
    struct echo_socket *intercept;
};

struct echo_note {
    struct ip_address from;
    struct ip_address to;
    uint16_t identifier;
    uint16_t sequence;
    uint8_t ttl;
    bool reply;
};

_Static_assert(sizeof(struct echo_note) <= FRAME_HEADROOM, "the note fits into the headroom");

bool echo_init(struct stack *stack)
{
    stack->echo = heap_zeroed(&stack->heap, sizeof *stack->echo);
    if (stack->echo == NULL)
        return false;
    list_init(&stack->echo->sockets);
    return true;
}

void echo_done(struct stack *stack)
{
    if (stack->echo == NULL)
        return;
    struct list_node *first;
    while ((first = list_first(&stack->echo->sockets)) != NULL)
        echo_close(CONTAINER_OF(first, struct echo_socket, all));
    heap_release(&stack->heap, stack->echo, sizeof *stack->echo);
    stack->echo = NULL;
}

static struct echo_socket *find(const struct stack *stack, uint16_t identifier)
{
    const struct list_node *head = &stack->echo->sockets;
    for (struct list_node *node = head->next; node != head; node = node->next) {
        struct echo_socket *socket = CONTAINER_OF(node, struct echo_socket, all);
        if (!socket->intercept && socket->identifier == identifier)
            return socket;
    }
    return NULL;
}

struct echo_socket *echo_open(struct stack *stack, const struct echo_options *options)
{
    struct echo_table *table = stack->echo;
    if (table->count >= ECHO_SOCKETS_MAX || (options->intercept && table->intercept != NULL))
        return NULL;
    struct echo_socket *socket = heap_zeroed(&stack->heap, sizeof *socket);
    if (socket == NULL)
        return NULL;
    socket_init(&socket->base, SOCKET_ECHO, options->user);
    socket->stack = stack;
    socket->intercept = options->intercept;
    if (options->intercept)
        table->intercept = socket;
    do
        socket->identifier = (uint16_t)prng_u32(&stack->prng);
    while (find(stack, socket->identifier) != NULL);
    list_init(&socket->all);
    list_append(&table->sockets, &socket->all);
    table->count++;
    return socket;
}

void echo_close(struct echo_socket *socket)
{
    struct stack *stack = socket->stack;
    if (stack->echo->intercept == socket)
        stack->echo->intercept = NULL;
    list_remove(&socket->all);
    stack->echo->count--;
    socket_done(&socket->base);
    frame_queue_clear(&socket->queue);
    heap_release(&stack->heap, socket, sizeof *socket);
}

uint16_t echo_identifier(const struct echo_socket *socket)
{
    return socket->identifier;
}

struct socket *echo_socket_base(struct echo_socket *socket)
{
    return &socket->base;
}

struct echo_socket *socket_echo(struct socket *socket)
{
    ASSERT(socket->kind == SOCKET_ECHO);
    return CONTAINER_OF(socket, struct echo_socket, base);
}

void echo_input(struct stack *stack, const struct ip_packet *packet,
                const struct icmp_message *message)
{
    struct echo_socket *socket =
        packet->foreign ? stack->echo->intercept : find(stack, message->u.echo.identifier);
    if (socket == NULL)
        return;
    struct echo_note note = {
        .from = packet->source,
        .to = packet->target,
        .identifier = message->u.echo.identifier,
        .sequence = message->u.echo.sequence,
        .ttl = packet->ttl,
        .reply = message->type == ICMP_ECHO_REPLY,
    };
    struct frame *frame = frame_ref(packet->frame);
    frame_pull(frame, frame->len - message->u.echo.data.len);
    frame->offload = (struct frame_offload){0};
    frame = stack_fit(frame);
    if (frame == NULL) {
        stack_drop(stack, DROP_NO_MEMORY, NULL);
        return;
    }
    ASSERT(frame_headroom(frame) >= sizeof note);
    if (socket->queue_octets + frame->size > ECHO_QUEUE_OCTETS) {
        stack_drop(stack, DROP_UDP_QUEUE_FULL, frame);
        frame_unref(frame);
        return;
    }
    memcpy(frame->storage, &note, sizeof note);
    socket->queue_octets += frame->size;
    frame_queue_push(&socket->queue, frame);
    socket_raise(stack, &socket->base, SOCKET_READABLE);
}

bool echo_receive(struct echo_socket *socket, struct echo_message *out)
{
    struct frame *frame = frame_queue_pop(&socket->queue);
    if (frame == NULL)
        return false;
    socket->queue_octets -= frame->size;
    struct echo_note note;
    memcpy(&note, frame->storage, sizeof note);
    *out = (struct echo_message){
        .reply = note.reply,
        .from = note.from,
        .to = note.to,
        .identifier = note.identifier,
        .sequence = note.sequence,
        .ttl = note.ttl,
        .payload = frame_bytes(frame),
        .frame = frame,
    };
    return true;
}

static struct icmp_message icmp_of(const struct echo_socket *socket,
                                   const struct echo_message *message)
{
    struct icmp_message icmp = {
        .type = message->reply ? ICMP_ECHO_REPLY : ICMP_ECHO_REQUEST,
    };
    bool own = !message->reply && !socket->intercept;
    icmp.u.echo.identifier = own ? socket->identifier : message->identifier;
    icmp.u.echo.sequence = message->sequence;
    icmp.u.echo.data = message->payload;
    return icmp;
}

bool echo_send(struct echo_socket *socket, const struct echo_message *message)
{
    struct stack *stack = socket->stack;
    size_t len = ICMP_HEADER_LEN + message->payload.len;
    if (len > IPV4_PACKET_MAX - IPV4_HEADER_LEN)
        return false;
    struct frame *frame = frame_new(stack->frames, len);
    if (frame == NULL)
        return false;
    struct icmp_message icmp = icmp_of(socket, message);
    struct writer w = writer_of(frame->data, len);
    icmp_encode(&icmp, &w);
    ASSERT(!w.failed);
    frame->len = len;
    struct ip_send send = {
        .source = message->from,
        .target = message->to,
        .protocol = IP_PROTOCOL_ICMP,
        .ttl = message->ttl,
        .interface = -1,
    };
    stack->counters.icmpOutMsgs++;
    return ip_output(stack, &send, frame) == IP_SENT;
}

void echo_unreachable(struct echo_socket *socket, const struct echo_message *request, uint8_t code)
{
    uint8_t head[ICMP_QUOTED_MAX - IPV4_HEADER_LEN];
    struct writer w = writer_of(head, sizeof head);
    struct icmp_message icmp = icmp_of(socket, request);
    icmp.u.echo.data = bytes_first(request->payload, sizeof head - ICMP_HEADER_LEN);
    icmp_encode(&icmp, &w);
    ASSERT(!w.failed);
    struct icmp_report report = {
        .type = ICMP_UNREACHABLE,
        .code = code,
        .protocol = IP_PROTOCOL_ICMP,
        .source = request->from,
        .target = request->to,
        .transport = writer_bytes(&w),
    };
    icmp_send_report(socket->stack, &report);
}
