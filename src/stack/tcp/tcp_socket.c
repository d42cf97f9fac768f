/* SPDX-License-Identifier: ISC */
/* tcp_socket.c - the application's questions, its reading, and its wishes (RFC 9293 §3.10.3). */
#include "stack/tcp/internal.h"

struct tcp_connection *socket_tcp(struct socket *socket)
{
    ASSERT(socket->kind == SOCKET_TCP);
    return CONTAINER_OF(socket, struct tcp_connection, socket);
}

struct tcp_listener *socket_listener(struct socket *socket)
{
    ASSERT(socket->kind == SOCKET_TCP_LISTENER);
    return CONTAINER_OF(socket, struct tcp_listener, socket);
}

struct socket *tcp_base(struct tcp_connection *c)
{
    return &c->socket;
}

enum tcp_state tcp_state(const struct tcp_connection *c)
{
    return (enum tcp_state)c->state;
}

enum tcp_error tcp_error(const struct tcp_connection *c)
{
    return (enum tcp_error)c->error;
}

const struct endpoint *tcp_local(const struct tcp_connection *c)
{
    return &c->local;
}

const struct endpoint *tcp_remote(const struct tcp_connection *c)
{
    return &c->remote;
}

size_t tcp_received(const struct tcp_connection *c, struct slice *views, size_t max)
{
    size_t count = 0;
    for (struct tcp_chunk *chunk = c->received.first; chunk != NULL && count < max;
         chunk = chunk->next)
        views[count++] = (struct slice){chunk->owner, chunk->data, chunk->len};
    return count;
}

size_t tcp_received_len(const struct tcp_connection *c)
{
    return c->received_len;
}

void tcp_consume(struct tcp_connection *c, size_t len)
{
    ASSERT(len <= c->received_len);
    tcp_queue_drop(c->stack, &c->received, len);
    c->received_len -= (uint32_t)len;
    if (UNLIKELY(c->extra->urgent != TCP_URGENT_NONE))
        tcp_urgent_consumed(c);
    if (tcp_tunable(c))
        tcp_tune_receive(c);
    if (tcp_window_update_due(c)) {
        c->ack_now = true;
        tcp_wake(c);
    }
}

bool tcp_peer_finished(const struct tcp_connection *c)
{
    return c->fin_received;
}

bool tcp_at_end(const struct tcp_connection *c)
{
    return c->fin_received && c->received_len == 0;
}

void tcp_set_user(struct tcp_connection *c, void *user)
{
    c->socket.user = user;
}
