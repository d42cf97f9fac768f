/* SPDX-License-Identifier: ISC */
/*
 * echo.c - an echo server (RFC 862) on a TAP device, with a TCP/IP of its own and sockets that block.
 *
 *      cc echo.c $(pkg-config --cflags --libs wholenet) -o echo
 *      ./echo tap0 10.0.0.7/24 &
 *      ip address add 10.0.0.1/24 dev tap0; ip link set tap0 up; nc 10.0.0.7 7
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <wholenet/loop.h>
#include <wholenet/socket.h>

static int serve(struct wn_sockets *s)
{
    struct wn_sockaddr_in own = {.sin_family = WN_AF_INET, .sin_port = htons(7)};
    char octets[65536];
    long len;
    int fd, listener = wn_socket(s, WN_AF_INET, WN_SOCK_STREAM, 0);
    if (wn_bind(s, listener, &own, sizeof own) < 0 || wn_listen(s, listener, 5) < 0)
        return -1;
    while ((fd = wn_accept(s, listener, NULL, NULL)) >= 0) {
        while ((len = wn_read(s, fd, octets, sizeof octets)) > 0)
            wn_write(s, fd, octets, (size_t)len);
        wn_close(s, fd);
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct wn_loop *loop = wn_loop_new();
    struct wn_stack *stack;
    if (argc != 3 || loop == NULL || wn_loop_stack(loop, NULL, &stack) < 0) {
        fprintf(stderr, "usage: echo DEVICE ADDRESS/LEN\n");
        return 1;
    }
    if (wn_stack_add_interface(stack, "eth0", "02:00:00:00:00:07", 1500,
                               WN_INTERFACE_CHECKSUM | WN_INTERFACE_TSO4) < 0 ||
        wn_stack_add_address(stack, 0, argv[2]) < 0 ||
        wn_loop_attach_tap(loop, stack, 0, argv[1]) < 0) {
        fprintf(stderr, "echo: %s\n", wn_stack_error(stack));
        return 1;
    }
    struct wn_sockets_options options = {
        .size = sizeof options, .pump = wn_loop_pump, .pump_self = loop};
    if (serve(wn_sockets_new(stack, &options)) < 0)
        perror("echo");
    return 1;
}
