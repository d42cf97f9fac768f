/* SPDX-License-Identifier: ISC */
/*
 * tcp_listen.c - listeners, and the first segment of a connection that comes to one (RFC 9293
 * §3.10.7.2). An intercepting listener takes what is for foreign addresses, and lets its owner
 * decide before anything is answered.
 */
#include "stack/tcp/internal.h"

/* Any port that nobody listens on; false: there seems to be none. */
static bool choose_port(struct stack *stack, struct endpoint *local)
{
    enum { PORT_FIRST = 49152, PORT_COUNT = 65536 - PORT_FIRST, TRIES = 256 };
    for (unsigned i = 0; i < TRIES; i++) {
        local->port = (uint16_t)(PORT_FIRST + prng_below(&stack->prng, PORT_COUNT));
        if (tcp_group_at(stack, local) == NULL)
            return true;
    }
    return false;
}

/* The endpoint that the options ask for. False: it is taken. */
static bool choose_endpoint(struct stack *stack, const struct tcp_listen_options *options,
                            struct endpoint *out)
{
    *out = options->local;
    if (address_is_any(&out->address))
        out->address = address_any_v6();
    if (options->intercept)
        return stack->tcp->interceptor == NULL;
    if (out->port == 0)
        return choose_port(stack, out);
    const struct tcp_group *group = tcp_group_at(stack, out);
    return group == NULL || (options->shared && tcp_group_shared(group));
}

struct tcp_listener *tcp_listen(struct stack *stack, const struct tcp_listen_options *options)
{
    struct endpoint local;
    if (!choose_endpoint(stack, options, &local)) {
        socket_refuse(options->why, SOCKET_IN_USE);
        return NULL;
    }
    socket_refuse(options->why, SOCKET_NO_MEMORY);
    struct tcp_listener *listener = heap_zeroed(&stack->heap, sizeof *listener);
    if (listener == NULL)
        return NULL;
    listener->stack = stack;
    listener->profile = &stack->tcp->profile;
    listener->local = local;
    listener->intercept = options->intercept;
    listener->shared = options->shared;
    listener->backlog = options->backlog != 0 ? options->backlog : TCP_BACKLOG_DEFAULT;
    list_init(&listener->ready);
    list_init(&listener->all);
    socket_init(&listener->socket, SOCKET_TCP_LISTENER, options->user);
    if (!tcp_listener_add(listener)) {
        heap_release(&stack->heap, listener, sizeof *listener);
        return NULL;
    }
    return listener;
}

/* Nobody will take these any more: the peers are told. */
static void reset_all(struct list_node *list)
{
    struct list_node *next;
    for (struct list_node *node = list->next; node != list; node = next) {
        struct tcp_connection *c = CONTAINER_OF(node, struct tcp_connection, socket.ready);
        next = node->next;
        if (c->state == TCP_CLOSED)
            continue;
        tcp_reset_connection(c);
        tcp_fail(c, TCP_ABORTED);
    }
}

void tcp_listener_close(struct tcp_listener *listener)
{
    if (listener->group->count == 1) /* else the others go on with them */
        tcp_half_open_refuse_all(listener->group);
    reset_all(&listener->ready);
    tcp_listener_free(listener);
}

void tcp_listener_free(struct tcp_listener *listener)
{
    struct stack *stack = listener->stack;
    struct list_node *node;
    while ((node = list_first(&listener->ready)) != NULL) { /* those that have failed meanwhile */
        struct tcp_connection *c = CONTAINER_OF(node, struct tcp_connection, socket.ready);
        ASSERT(c->state == TCP_CLOSED);
        tcp_listener_forget(c);
        tcp_connection_free(c);
    }
    tcp_listener_remove(listener);
    socket_done(&listener->socket);
    tcp_listener_profile_release(listener);
    heap_release(&stack->heap, listener, sizeof *listener);
}

struct socket *tcp_listener_base(struct tcp_listener *listener)
{
    return &listener->socket;
}

const struct endpoint *tcp_listener_local(const struct tcp_listener *listener)
{
    return &listener->local;
}

void tcp_listener_set_backlog(struct tcp_listener *listener, unsigned backlog)
{
    listener->group->backlog -= listener->backlog;
    listener->backlog = backlog != 0 ? backlog : TCP_BACKLOG_DEFAULT;
    listener->group->backlog += listener->backlog;
}

void tcp_listener_set_shared(struct tcp_listener *listener, bool shared)
{
    listener->shared = shared;
}

bool tcp_listener_waiting(const struct tcp_listener *listener)
{
    return !list_empty(&listener->ready);
}

/* Can that be the address of one host? */
static bool source_is_host(const struct tcp_segment *seg)
{
    const struct ip_address *source = &seg->packet->source;
    return !address_is_any(source) && !address_is_multicast(source) &&
           !address_is_broadcast(source) && seg->header.source_port != 0;
}

/* Gives the listener's owner a connection whose handshake is not complete. */
static void hand_over(struct tcp_connection *c)
{
    list_append(&c->listener->ready, &c->socket.ready);
    socket_raise(c->stack, &c->listener->socket, SOCKET_OPENED);
}

/* A connection that is more than an entry from its SYN on: whoever has it decides what becomes of it,
 * or it has octets. */
static void open_at_once(struct tcp_listener *listener, const struct tcp_segment *seg,
                         const struct seq *after, enum tcp_fast_open_verdict fast_open)
{
    struct stack *stack = listener->stack;
    struct endpoint local = {seg->packet->target, seg->header.target_port};
    struct endpoint remote = {seg->packet->source, seg->header.source_port};
    struct tcp_connection *c = tcp_connection_new(stack, &local, &remote);
    if (c == NULL) {
        stack_drop(stack, DROP_TCP_LIMIT, seg->packet->frame);
        return;
    }
    /* RFC 6191 §2: the numbers of a successor begin beyond those of its predecessor. */
    if (after != NULL && seq_before(c->iss, *after))
        c->iss = *after;
    c->passive = true;
    c->listener = listener;
    tcp_profile_inherit(c, listener);
    listener->count++;
    tcp_take_syn_options(c, &seg->header);
    tcp_ecn_take_syn(c, seg);
    tcp_destination_recall_path(c);
    tcp_open_sending(c);
    tcp_set_state(c, TCP_SYN_RECEIVED);
    if (listener->intercept) {
        c->unanswered = true;
        hand_over(c);
        tcp_timer_set(c, TCP_TIMER_ANSWER, stack->now + TCP_ANSWER_INTERVAL);
        return;
    }
    c->cookie_granted = fast_open == TCP_FAST_OPEN_TAKE_AND_GRANT;
    c->cookie_experimental = seg->header.options.cookie_experimental;
    tcp_fast_open_child(c, seg);
    struct tcp_path path;
    (void)!tcp_path_find(c, &path); /* for c->mss, by which cwnd is counted */
    tcp_window_begin(c);
    tcp_congestion_open(c);
    hand_over(c);
    c->syn_wanted = true;
    tcp_wake(c);
}

/* SKIPS RFC 9293 §3.10.7.2, third: octets in a SYN are kept with fast open only; else strangers
 * could make us keep them. They come again, since only the SYN is acknowledged. FIN in a SYN
 * likewise. */
static void open_passively(struct tcp_listener *listener, const struct tcp_segment *seg,
                           const struct seq *after)
{
    enum tcp_fast_open_verdict fast_open = tcp_fast_open_asked(listener, seg);
    bool take = fast_open == TCP_FAST_OPEN_TAKE || fast_open == TCP_FAST_OPEN_TAKE_AND_GRANT;
    if (take || listener->intercept)
        open_at_once(listener, seg, after, fast_open);
    else
        tcp_half_open_new(listener, seg, after, fast_open == TCP_FAST_OPEN_GRANT);
}

void tcp_listen_arrives(struct tcp_listener *listener, struct tcp_segment *seg,
                        const struct seq *after)
{
    struct stack *stack = listener->stack;
    uint16_t flags = seg->header.flags;
    if (tcp_comes_too_far(stack, listener->profile, seg))
        return;
    if (flags & TCP_RST) {
        stack_drop(stack, DROP_TCP_NO_CONNECTION, seg->packet->frame);
    } else if (flags & TCP_ACK) {
        if (!(flags & TCP_SYN) && !listener->intercept && tcp_half_open_by_cookie(listener, seg))
            return;
        stack_drop(stack, DROP_TCP_NO_CONNECTION, seg->packet->frame);
        tcp_reset_segment(stack, seg);
    } else if (!(flags & TCP_SYN) || !source_is_host(seg)) {
        stack_drop(stack, DROP_TCP_NO_CONNECTION, seg->packet->frame);
    } else if (listener->count >= listener->backlog) {
        stack->counters.tcpListenOverflows++;
        stack_drop(stack, DROP_TCP_BACKLOG, seg->packet->frame);
    } else {
        open_passively(listener, seg, after);
    }
}

void tcp_listener_ready(struct tcp_connection *c)
{
    list_remove(&c->socket.ready);
    list_append(&c->listener->ready, &c->socket.ready);
    socket_raise(c->stack, &c->listener->socket, SOCKET_OPENED);
}

void tcp_listener_forget(struct tcp_connection *c)
{
    list_remove(&c->socket.ready);
    c->listener->count--;
    c->listener = NULL;
}

struct tcp_connection *tcp_accept(struct tcp_listener *listener, void *user)
{
    struct list_node *node = list_first(&listener->ready);
    if (node == NULL)
        return NULL;
    struct tcp_connection *c = CONTAINER_OF(node, struct tcp_connection, socket.ready);
    tcp_listener_forget(c);
    c->socket.user = user;
    c->owned = true;
    /* What has happened before there was somebody to tell. */
    unsigned events = 0;
    if (c->received_len > 0)
        events |= SOCKET_READABLE;
    if (c->fin_received)
        events |= SOCKET_END;
    if (c->state == TCP_CLOSED) {
        events |= SOCKET_FAILED;
        list_remove(&c->pending);
        list_append(&c->stack->tcp->closed, &c->pending);
    }
    if (events != 0)
        tcp_raise(c, events);
    return c;
}

void tcp_answer(struct tcp_connection *c)
{
    if (!c->unanswered)
        return;
    c->unanswered = false;
    if (c->state != TCP_SYN_RECEIVED)
        return;
    tcp_timer_stop(c);
    c->syn_wanted = true;
    tcp_wake(c);
}
