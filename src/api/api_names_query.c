/* SPDX-License-Identifier: ISC */
/* api_names_query.c - the sockets of a lookup: one for each attempt of each question. */
#include "api/api_names.h"

enum { DATAGRAM_MAX = 4096 };

static struct bsd *enter(const struct wn_lookup *lookup)
{
    return api_sockets_enter(lookup->resolver->sockets);
}

static usec now_of(const struct wn_lookup *lookup)
{
    return stack_now(lookup->resolver->stack->stack);
}

static void close_socket(struct wn_lookup *lookup, struct lookup_socket *s)
{
    if (s->fd >= 0)
        (void)bsd_close(enter(lookup), s->fd);
    heap_release(&lookup->resolver->heap, s->buffer, s->buffer != NULL ? DNS_MESSAGE_MAX : 0);
    s->fd = -1;
    s->buffer = NULL;
}

void lookup_close_sockets(struct wn_lookup *lookup)
{
    for (size_t i = 0; i < STUB_QUESTIONS_MAX; i++)
        close_socket(lookup, &lookup->sockets[i]);
}

static struct endpoint server_of(const struct wn_lookup *lookup, size_t question)
{
    const struct stub *stub = &lookup->stub;
    return stub->servers.list[stub->questions[question].client.server].endpoint;
}

/* What is not sent yet. False: the connection is lost. */
static bool push(struct wn_lookup *lookup, struct lookup_socket *s)
{
    while (s->sent < s->query_len) {
        long sent = bsd_send(enter(lookup), s->fd, s->query + s->sent, s->query_len - s->sent,
                             WN_MSG_DONTWAIT | WN_MSG_NOSIGNAL);
        /* Before it is established a connection says that it is not connected. */
        if (sent == -EAGAIN || sent == -ENOTCONN || sent == -EINPROGRESS || sent == -EALREADY)
            return true;
        if (sent < 0)
            return false;
        s->sent += (size_t)sent;
    }
    return true;
}

static bool open_socket(struct wn_lookup *lookup, struct lookup_socket *s,
                        const struct dns_client_send *send)
{
    const struct endpoint *server = &send->server;
    if (!address_is_v4(&server->address))
        return false; /* the stack has no IPv6 */
    s->stream = send->stream;
    s->fd = bsd_socket(enter(lookup), WN_AF_INET,
                       (s->stream ? WN_SOCK_STREAM : WN_SOCK_DGRAM) | WN_SOCK_NONBLOCK, 0);
    if (s->fd < 0)
        return false;
    struct wn_sockaddr_in to = {.sin_family = WN_AF_INET};
    memcpy(&to.sin_port, (const uint8_t[]){(uint8_t)(server->port >> 8), (uint8_t)server->port}, 2);
    memcpy(&to.sin_addr, server->address.octets + 12, 4);
    int status = bsd_connect(enter(lookup), s->fd, &to, sizeof to);
    if (status < 0 && status != -EINPROGRESS)
        return false;
    if (!s->stream)
        return bsd_send(enter(lookup), s->fd, send->message.data, send->message.len,
                        WN_MSG_DONTWAIT) >= 0;
    s->buffer = heap_zeroed(&lookup->resolver->heap, DNS_MESSAGE_MAX);
    if (s->buffer == NULL)
        return false;
    dns_stream_init(&s->input, s->buffer, DNS_MESSAGE_MAX, USEC_NEVER, 0);
    struct writer w = writer_of(s->query, sizeof s->query);
    dns_stream_write(&w, send->message);
    s->query_len = writer_len(&w);
    s->sent = 0;
    return push(lookup, s);
}

static void take_datagrams(struct wn_lookup *lookup, size_t question)
{
    uint8_t datagram[DATAGRAM_MAX];
    struct endpoint from = server_of(lookup, question); /* the socket is connected */
    while (stub_waits(&lookup->stub, question)) {
        long len = bsd_recv(enter(lookup), lookup->sockets[question].fd, datagram, sizeof datagram,
                            WN_MSG_DONTWAIT);
        if (len == -EAGAIN)
            return;
        if (len < 0) {
            stub_broken(&lookup->stub, question, now_of(lookup));
            return;
        }
        stub_input(&lookup->stub, question, &from, bytes_of(datagram, (size_t)len),
                   now_of(lookup));
    }
}

static void take_octets(struct wn_lookup *lookup, size_t question)
{
    uint8_t octets[DATAGRAM_MAX];
    struct lookup_socket *s = &lookup->sockets[question];
    struct endpoint from = server_of(lookup, question);
    bool whole = push(lookup, s);
    while (whole && stub_waits(&lookup->stub, question)) {
        long len = bsd_recv(enter(lookup), s->fd, octets, sizeof octets, WN_MSG_DONTWAIT);
        if (len == -EAGAIN || (len == -ENOTCONN && s->sent == 0))
            return;
        whole = len > 0;
        struct bytes rest = bytes_of(octets, whole ? (size_t)len : 0);
        while (rest.len > 0) {
            enum dns_stream_event event;
            struct bytes message;
            rest = bytes_after(rest, dns_stream_input(&s->input, rest, 0, &event, &message));
            if (event == DNS_STREAM_MESSAGE)
                stub_input(&lookup->stub, question, &from, message, now_of(lookup));
        }
    }
    if (!whole)
        stub_broken(&lookup->stub, question, now_of(lookup));
}

static void send_all(struct wn_lookup *lookup)
{
    uint8_t buffer[DNS_CLIENT_QUERY_MAX];
    struct dns_client_send send;
    size_t question;
    while (stub_next(&lookup->stub, &lookup->resolver->prng, now_of(lookup), buffer, &question,
                     &send)) {
        struct lookup_socket *s = &lookup->sockets[question];
        close_socket(lookup, s);
        if (!open_socket(lookup, s, &send)) {
            close_socket(lookup, s);
            stub_broken(&lookup->stub, question, now_of(lookup));
        }
    }
}

void lookup_step(struct wn_lookup *lookup)
{
    (void)enter(lookup);
    for (size_t i = 0; i < STUB_QUESTIONS_MAX; i++) {
        if (lookup->sockets[i].fd < 0 || !stub_waits(&lookup->stub, i))
            continue;
        if (lookup->sockets[i].stream)
            take_octets(lookup, i);
        else
            take_datagrams(lookup, i);
    }
    if (!stub_finished(&lookup->stub))
        stub_tick(&lookup->stub, now_of(lookup));
    send_all(lookup);
    for (size_t i = 0; i < STUB_QUESTIONS_MAX; i++)
        if (!stub_waits(&lookup->stub, i))
            close_socket(lookup, &lookup->sockets[i]);
}
