/* SPDX-License-Identifier: ISC */
/* stack.c - the stack as a whole: its birth and end, its clock, its timers, its events. */
#include "stack/stack.h"

#include "stack/echo_table.h"
#include "stack/interface.h"
#include "stack/internal.h"
#include "stack/ip.h"
#include "stack/neighbour.h"
#include "stack/udp_table.h"

struct stack *stack_new(const struct stack_options *options, usec now)
{
    struct heap heap = options->heap;
    struct stack *stack = heap_zeroed(&heap, sizeof *stack);
    if (stack == NULL)
        return NULL;
    stack->options = *options;
    stack->heap = heap;
    stack->frames = options->frames;
    stack->trace = options->trace;
    stack->now = now;
    prng_init(&stack->prng, options->seed);
    stack->hash_key.k0 = prng_u64(&stack->prng);
    stack->hash_key.k1 = prng_u64(&stack->prng);
    wheel_init(&stack->wheel, now);
    list_init(&stack->ready);
    if (neighbours_init(stack) && ip_init(stack) && udp_init(stack) && echo_init(stack) &&
        tcp_init(stack))
        return stack;
    stack_free(stack);
    return NULL;
}

void stack_free(struct stack *stack)
{
    if (stack == NULL)
        return;
    tcp_done(stack);
    echo_done(stack);
    udp_done(stack);
    ip_done(stack);
    neighbours_done(stack);
    interfaces_done(stack);
    struct heap heap = stack->heap;
    heap_release(&heap, stack, sizeof *stack);
}

void stack_advance(struct stack *stack, usec now)
{
    ASSERT(now >= stack->now);
    stack->now = now;
}

usec stack_now(const struct stack *stack)
{
    return stack->now;
}

usec stack_deadline(const struct stack *stack)
{
    if (ip_loopback_waits(stack))
        return stack->now;
    return usec_max(wheel_deadline(&stack->wheel), stack->now);
}

static void on_timer(struct stack *stack, struct timer *timer)
{
    switch ((enum stack_timer)timer->kind) {
    case STACK_TIMER_NEIGHBOUR:
        neighbour_timer(stack, timer);
        break;
    case STACK_TIMER_PROBE:
        address_timer(stack, timer);
        break;
    case STACK_TIMER_REASSEMBLY:
        reassembly_timer(stack, timer);
        break;
    case STACK_TIMER_TCP:
    case STACK_TIMER_TCP_ACK:
    case STACK_TIMER_TCP_PACE:
    case STACK_TIMER_TCP_ENTRIES:
    case STACK_TIMER_TCP_WATCH:
        tcp_timer(stack, timer);
        break;
    case STACK_TIMER_COUNT:
        break;
    }
}

void stack_tick(struct stack *stack, usec now)
{
    stack_advance(stack, now);
    ip_loopback_deliver(stack);
    struct timer *timer;
    while ((timer = wheel_expire(&stack->wheel, now)) != NULL)
        on_timer(stack, timer);
}

void stack_drop(struct stack *stack, enum drop_reason reason, const struct frame *frame)
{
    stack->drops[reason]++;
    if (!stack_traced(stack))
        return;
    struct trace_event event = {
        .kind = TRACE_DROP,
        .at = stack->now,
        .u.drop = {.reason = reason, .frame = frame},
    };
    stack->trace.emit(stack->trace.self, &event);
}

uint64_t stack_drops(const struct stack *stack, enum drop_reason reason)
{
    ASSERT(reason < DROP_REASON_COUNT);
    return stack->drops[reason];
}

const struct stack_counters *stack_counters(const struct stack *stack)
{
    return &stack->counters;
}

struct frame *stack_fit(struct frame *frame)
{
    if (LIKELY(frame_size_for(frame->len) >= frame->size))
        return frame;
    struct frame *copy = frame_copy(frame);
    frame_unref(frame);
    return copy;
}

void socket_init(struct socket *socket, enum socket_kind kind, void *user)
{
    list_init(&socket->ready);
    socket->user = user;
    socket->kind = (uint8_t)kind;
    socket->events = 0;
    socket->face = SOCKET_FACE_EVENTS;
}

void socket_raise(struct stack *stack, struct socket *socket, unsigned events)
{
    socket->events |= (uint8_t)events;
    if (!list_linked(&socket->ready))
        list_append(&stack->ready, &socket->ready);
}

void socket_done(struct socket *socket)
{
    list_remove(&socket->ready);
    socket->events = 0;
}

static void tell(struct socket *socket, struct socket_event *out)
{
    list_remove(&socket->ready);
    *out = (struct socket_event){.socket = socket, .events = socket->events};
    socket->events = 0;
}

bool stack_next_event(struct stack *stack, struct socket_event *out)
{
    struct list_node *first = list_first(&stack->ready);
    if (first == NULL)
        return false;
    tell(CONTAINER_OF(first, struct socket, ready), out);
    return true;
}

bool stack_has_event(const struct stack *stack)
{
    return !list_empty(&stack->ready);
}

bool stack_next_event_of(struct stack *stack, enum socket_face face, struct socket_event *out)
{
    const struct list_node *head = &stack->ready;
    for (struct list_node *node = head->next; node != head; node = node->next) {
        struct socket *socket = CONTAINER_OF(node, struct socket, ready);
        if (socket->face != face)
            continue;
        tell(socket, out);
        return true;
    }
    return false;
}
