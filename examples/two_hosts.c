/* SPDX-License-Identifier: ISC */
/*
 * two_hosts.c - a client and a server in one process, each with a TCP/IP of its own, on a wire with
 * 40 ms of delay and 1 % of loss; in virtual time, so it is over at once.
 *
 *      cc two_hosts.c $(pkg-config --cflags --libs wholenet) && ./a.out [SEED]
 *
 * The server works by events (wholenet/tcp.h); the client is an ordinary program with sockets that
 * block (wholenet/socket.h).
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wholenet/loop.h>
#include <wholenet/socket.h>
#include <wholenet/tcp.h>

enum { PORT = 7, OCTETS = 1000000 };

/* The server: whatever arrives goes back, and the end, too (RFC 862). */
static void on_event(void *self, const struct wn_event *event)
{
    (void)self;
    char octets[4096];
    if (event->kind == WN_EVENT_LISTENER) {
        while (wn_tcp_accept(event->listener, NULL) != NULL)
            ; /* events of the connections come with their pointers */
        return;
    }
    size_t room = wn_tcp_send_room(event->tcp);
    size_t len;
    while (room > 0 && (len = wn_tcp_receive(event->tcp, octets,
                                             room < sizeof octets ? room : sizeof octets)) > 0) {
        wn_tcp_send(event->tcp, octets, len);
        room = wn_tcp_send_room(event->tcp);
    }
    if (wn_tcp_error(event->tcp) != 0 || wn_tcp_at_end(event->tcp))
        wn_tcp_close(event->tcp);
}

static struct wn_stack *add_host(struct wn_loop *loop, const char *mac, const char *address)
{
    struct wn_stack *stack;
    if (wn_loop_stack(loop, NULL, &stack) < 0)
        exit(1);
    int interface = wn_stack_add_interface(stack, "eth0", mac, 1500, 0);
    if (interface < 0 || wn_stack_add_address(stack, interface, address) < 0) {
        fprintf(stderr, "%s: %s\n", address, wn_stack_error(stack));
        exit(1);
    }
    return stack;
}

/* The client: sends OCTETS, then reads them back; how many were right. */
static long talk(struct wn_sockets *sockets)
{
    static unsigned char sent[OCTETS], got[OCTETS];
    for (size_t i = 0; i < OCTETS; i++)
        sent[i] = (unsigned char)(i * 2654435761u >> 24);
    struct wn_sockaddr_in server = {.sin_family = WN_AF_INET,
                                    .sin_port = htons(PORT),
                                    .sin_addr = {htonl(0x0a000002)}}; /* 10.0.0.2 */
    int fd = wn_socket(sockets, WN_AF_INET, WN_SOCK_STREAM, 0);
    if (wn_connect(sockets, fd, &server, sizeof server) < 0)
        return -1;
    long done = 0;
    for (long n; done < OCTETS; done += n) {
        long len = OCTETS - done < 16384 ? OCTETS - done : 16384;
        if (wn_send(sockets, fd, sent + done, (size_t)len, 0) != len)
            return -1;
        if ((n = wn_recv(sockets, fd, got + done, (size_t)len, WN_MSG_WAITALL)) != len)
            return -1;
    }
    wn_shutdown(sockets, fd, WN_SHUT_WR);
    if (wn_recv(sockets, fd, got, 1, 0) != 0 || memcmp(sent, got, OCTETS) != 0)
        return -1;
    wn_close(sockets, fd);
    return done;
}

int main(int argc, char **argv)
{
    const struct wn_impairments bad = {.delay = 40 * WN_MILLISECOND, .loss = 10000};
    struct wn_loop *loop = wn_loop_new_virtual(argc > 1 ? strtoull(argv[1], NULL, 0) : 1);
    struct wn_stack *client = add_host(loop, "02:00:00:00:00:01", "10.0.0.1/24");
    struct wn_stack *server = add_host(loop, "02:00:00:00:00:02", "10.0.0.2/24");
    struct wn_listener *listener;
    struct wn_endpoint local;
    if (wn_loop_join(loop, client, 0, server, 0, &bad, &bad) < 0 ||
        wn_endpoint_parse("0.0.0.0:7", &local) < 0 ||
        wn_listener_open(server, &local, 0, NULL, &listener) < 0)
        return 1;
    wn_stack_on_event(server, on_event, NULL);

    struct wn_sockets_options options = {
        .size = sizeof options, .pump = wn_loop_pump, .pump_self = loop};
    struct wn_sockets *sockets = wn_sockets_new(client, &options);
    long octets = talk(sockets);
    printf("%ld octets there and back in %.3f s, %llu segments sent again\n", octets,
           (double)wn_loop_now(loop) / WN_SECOND,
           (unsigned long long)(wn_stack_counter(client, "tcpRetransSegs") +
                                wn_stack_counter(server, "tcpRetransSegs")));
    wn_sockets_free(sockets);
    wn_loop_free(loop);
    wn_stack_free(client);
    wn_stack_free(server);
    return octets == OCTETS ? 0 : 1;
}
