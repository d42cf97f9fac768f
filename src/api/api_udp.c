/* SPDX-License-Identifier: ISC */
/* api_udp.c - wholenet/udp.h. */
#include "api/internal.h"

int wn_udp_open(struct wn_stack *stack, const struct wn_endpoint *local, unsigned flags, void *user,
                struct wn_udp **out)
{
    char text[WN_ENDPOINT_TEXT_SIZE];
    enum socket_refusal why;
    struct udp_options options = {.local = endpoint_in(local),
                                  .broadcast = (flags & WN_UDP_BROADCAST) != 0,
                                  .share_port = (flags & WN_UDP_SHARED) != 0,
                                  .user = user,
                                  .why = &why};
    if (!address_is_v4(&options.local.address))
        return api_fail(stack, -EINVAL, "%s is not IPv4", wn_endpoint_text(local, text));
    struct udp_socket *socket = udp_open(stack->stack, &options);
    (void)wn_endpoint_text(local, text);
    if (socket == NULL && why == SOCKET_IN_USE)
        return api_fail(stack, -EADDRINUSE, "UDP %s is in use", text);
    if (socket == NULL)
        return api_fail(stack, -ENOMEM, "there is no memory for a socket at UDP %s", text);
    *out = udp_out(socket);
    return 0;
}

void wn_udp_close(struct wn_udp *udp)
{
    if (udp != NULL)
        udp_close(udp_in(udp));
}

void wn_udp_local(const struct wn_udp *udp, struct wn_endpoint *out)
{
    *out = endpoint_out(udp_local(udp_in(udp)));
}

int wn_udp_send(struct wn_udp *udp, const struct wn_endpoint *to, const void *data, size_t len)
{
    struct udp_send_options options = {
        .to = endpoint_in(to), .from = {address_any_v4(), 0}, .interface = -1};
    if (!address_is_v4(&options.to.address))
        return -ENETUNREACH;
    switch (udp_send(udp_in(udp), &options, bytes_of(data, len))) {
    case UDP_SENT:
        break;
    case UDP_TOO_BIG:
        return -EMSGSIZE;
    case UDP_NO_ROUTE:
        return -ENETUNREACH;
    case UDP_NO_MEMORY:
        return -ENOBUFS;
    case UDP_NOT_ALLOWED:
        return -EACCES;
    }
    return 0;
}

long wn_udp_receive(struct wn_udp *udp, void *out, size_t size, struct wn_endpoint *from)
{
    struct udp_datagram datagram;
    if (!udp_receive(udp_in(udp), &datagram))
        return -EAGAIN;
    size_t len = datagram.payload.len;
    if (len > 0 && size > 0)
        memcpy(out, datagram.payload.data, len < size ? len : size);
    if (from != NULL)
        *from = endpoint_out(&datagram.from);
    frame_unref(datagram.frame);
    return (long)len;
}

int wn_udp_next_error(struct wn_udp *udp, struct wn_endpoint *to, uint8_t *type, uint8_t *code)
{
    struct udp_error error;
    if (!udp_next_error(udp_in(udp), &error))
        return 0;
    *to = endpoint_out(&error.to);
    *type = error.type;
    *code = error.code;
    return 1;
}
