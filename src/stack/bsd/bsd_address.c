/* SPDX-License-Identifier: ISC */
/*
 * bsd_address.c - socket addresses of the application, and endpoints of the stack.
 *
 * An IPv4 address is in the stack what it is on an AF_INET6 socket: ::ffff:a.b.c.d (RFC 3493 §3.7).
 */
#include "stack/bsd/internal.h"

static uint16_t net16(uint16_t value)
{
    const uint8_t octets[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    uint16_t out;
    memcpy(&out, octets, sizeof out);
    return out;
}

static uint16_t host16(uint16_t value)
{
    uint8_t octets[2];
    memcpy(octets, &value, sizeof octets);
    return (uint16_t)(octets[0] << 8 | octets[1]);
}

int bsd_address_family(const void *address, wn_socklen_t len)
{
    uint16_t family;
    if (address == NULL || len < sizeof family)
        return -EINVAL;
    memcpy(&family, address, sizeof family);
    return family;
}

static int in4(const void *address, wn_socklen_t len, struct endpoint *out)
{
    struct wn_sockaddr_in in;
    if (len < sizeof in)
        return -EINVAL;
    memcpy(&in, address, sizeof in);
    if (in.sin_family != WN_AF_INET)
        return -EAFNOSUPPORT;
    out->address = address_any_v4();
    memcpy(out->address.octets + 12, &in.sin_addr, 4);
    out->port = host16(in.sin_port);
    return 0;
}

/* An AF_INET6 socket takes IPv4 addresses as mapped ones; AF_INET ones too where Linux does. */
static int in6(const struct bsd_socket *s, const void *address, wn_socklen_t len,
               struct endpoint *out)
{
    struct wn_sockaddr_in6 in;
    int family = bsd_address_family(address, len);
    if (family == WN_AF_INET)
        return s->v6only ? -EAFNOSUPPORT : in4(address, len, out);
    if (len < offsetof(struct wn_sockaddr_in6, sin6_scope_id)) /* RFC 2133's had no scope */
        return -EINVAL;
    memset(&in, 0, sizeof in);
    memcpy(&in, address, len < sizeof in ? len : sizeof in);
    if (in.sin6_family != WN_AF_INET6)
        return -EAFNOSUPPORT;
    memcpy(out->address.octets, in.sin6_addr.s6_octets, 16);
    if (s->v6only && address_is_v4(&out->address))
        return -EINVAL;
    out->port = host16(in.sin6_port);
    return 0;
}

int bsd_address_in(const struct bsd_socket *s, const void *address, wn_socklen_t len,
                   struct endpoint *out)
{
    if (address == NULL)
        return -EFAULT;
    return s->inet6 ? in6(s, address, len, out) : in4(address, len, out);
}

static wn_socklen_t fill(const struct bsd_socket *s, const struct endpoint *from,
                         struct wn_sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (s->inet6) {
        struct wn_sockaddr_in6 in = {.sin6_family = WN_AF_INET6, .sin6_port = net16(from->port)};
        if (!address_is_any(&from->address)) /* the stack's wildcard may be either */
            memcpy(in.sin6_addr.s6_octets, from->address.octets, 16);
        memcpy(out, &in, sizeof in);
        return sizeof in;
    }
    struct wn_sockaddr_in in = {.sin_family = WN_AF_INET, .sin_port = net16(from->port)};
    if (address_is_v4(&from->address))
        memcpy(&in.sin_addr, from->address.octets + 12, 4);
    memcpy(out, &in, sizeof in);
    return sizeof in;
}

int bsd_address_out(const struct bsd_socket *s, const struct endpoint *from, void *address,
                    wn_socklen_t *len)
{
    if (address == NULL)
        return 0;
    if (len == NULL)
        return -EFAULT;
    if (*len > INT32_MAX) /* it was negative */
        return -EINVAL;
    struct wn_sockaddr_storage whole;
    wn_socklen_t whole_len = fill(s, from, &whole);
    memcpy(address, &whole, *len < whole_len ? *len : whole_len);
    *len = whole_len;
    return 0;
}
