/* SPDX-License-Identifier: ISC */
/* api_interface.c - wholenet/stack.h: interfaces, addresses, routes, neighbours, from text. */
#include <stdio.h>

#include "api/internal.h"
#include "stack/interface.h"

enum { MTU_MAX = 65535 };

_Static_assert((int)WN_INTERFACE_CHECKSUM == (int)INTERFACE_CHECKSUM &&
                   (int)WN_INTERFACE_TSO4 == (int)INTERFACE_TSO4 &&
                   (int)WN_INTERFACE_TSO6 == (int)INTERFACE_TSO6,
               "the same bits");

static int no_interface(struct wn_stack *stack, int interface)
{
    return api_fail(stack, -EINVAL, "there is no interface %d", interface);
}

static bool is_station(const struct mac *mac)
{
    static const struct mac none;
    return !mac_is_multicast(mac) && !mac_equal(mac, &none);
}

static bool is_mtu(unsigned mtu)
{
    return mtu >= INTERFACE_MTU_MIN && mtu <= MTU_MAX;
}

static int not_mtu(struct wn_stack *stack, unsigned mtu)
{
    return api_fail(stack, -EINVAL, "an MTU of %u is not from 576 to 65535", mtu);
}

int wn_stack_add_interface(struct wn_stack *stack, const char *name, const char *mac, unsigned mtu,
                           unsigned features)
{
    struct interface_options options = {.mtu = (uint16_t)mtu, .features = features};
    unsigned known = WN_INTERFACE_CHECKSUM | WN_INTERFACE_TSO4 | WN_INTERFACE_TSO6;
    unsigned segmenting = WN_INTERFACE_TSO4 | WN_INTERFACE_TSO6;
    if (strlen(name) >= sizeof options.name)
        return api_fail(stack, -EINVAL, "the name '%.40s' is too long", name);
    if (!mac_parse(text_in(mac), &options.mac) || !is_station(&options.mac))
        return api_fail(stack, -EINVAL, "'%.40s' is not the address of a station", mac);
    if (!is_mtu(mtu))
        return not_mtu(stack, mtu);
    if ((features & ~known) || ((features & segmenting) && !(features & WN_INTERFACE_CHECKSUM)))
        return api_fail(stack, -EINVAL, "features 0x%x cannot be", features);
    (void)snprintf(options.name, sizeof options.name, "%s", name);
    if (stack->interface_count == STACK_INTERFACES_MAX)
        return api_fail(stack, -ENOSPC, "there are %d interfaces", STACK_INTERFACES_MAX);
    int index = stack_add_interface(stack->stack, &options);
    if (index < 0)
        return api_fail(stack, -ENOMEM, "no memory for an interface");
    stack->features[index] = features;
    stack->macs[index] = options.mac;
    stack->mtus[index] = options.mtu;
    stack->interface_count = index + 1;
    return index;
}

int wn_stack_set_up(struct wn_stack *stack, int interface, int up)
{
    if (!api_has_interface(stack, interface))
        return no_interface(stack, interface);
    stack_set_up(stack->stack, (unsigned)interface, up != 0);
    return 0;
}

int wn_stack_set_mtu(struct wn_stack *stack, int interface, unsigned mtu)
{
    if (!api_has_interface(stack, interface))
        return no_interface(stack, interface);
    if (!is_mtu(mtu))
        return not_mtu(stack, mtu);
    stack_set_mtu(stack->stack, (unsigned)interface, (uint16_t)mtu);
    stack->mtus[interface] = (uint16_t)mtu;
    return 0;
}

/* ---- text ---- */

/* An address that one host may have. */
static bool parse_host(const char *text, struct ip_address *out)
{
    struct ip_address address;
    if (!address_parse(text_in(text), &address) || !address_is_v4(&address) ||
        address_is_any(&address) || address_is_multicast(&address) ||
        address_is_broadcast(&address))
        return false;
    *out = address;
    return true;
}

static int not_host(struct wn_stack *stack, const char *text)
{
    return api_fail(stack, -EINVAL, "'%.60s' is not the IPv4 address of a host", text);
}

static bool parse_prefix(const char *text, struct ip_prefix *out)
{
    return prefix_parse(text_in(text), out) && address_is_v4(&out->address);
}

static int not_prefix(struct wn_stack *stack, const char *text)
{
    return api_fail(stack, -EINVAL, "'%.60s' is not an IPv4 prefix", text);
}

/* ---- addresses ---- */

int wn_stack_add_address(struct wn_stack *stack, int interface, const char *prefix)
{
    struct ip_prefix own;
    char text[ADDRESS_TEXT_MAX];
    if (!api_has_interface(stack, interface))
        return no_interface(stack, interface);
    if (!parse_prefix(prefix, &own))
        return not_prefix(stack, prefix);
    struct ip_address address = own.address;
    if (!parse_host(address_format(&address, text), &address))
        return not_host(stack, prefix);
    if (stack_address_state(stack->stack, (unsigned)interface, &address) != ADDRESS_NONE)
        return api_fail(stack, -EEXIST, "the interface has %s already", text);
    (void)api_look_at_clock(stack);
    if (!stack_add_address(stack->stack, (unsigned)interface, &own, false))
        return api_fail(stack, -ENOSPC, "the table of addresses or of routes is full");
    return 0;
}

int wn_stack_remove_address(struct wn_stack *stack, int interface, const char *address)
{
    struct ip_address own;
    if (!api_has_interface(stack, interface))
        return no_interface(stack, interface);
    if (!parse_host(address, &own))
        return not_host(stack, address);
    if (!stack_remove_address(stack->stack, (unsigned)interface, &own))
        return api_fail(stack, -ENOENT, "the interface does not have %.60s", address);
    return 0;
}

/* ---- routes and neighbours ---- */

int wn_stack_add_route(struct wn_stack *stack, const char *prefix, const char *gateway,
                       int interface)
{
    struct ip_prefix destination;
    struct ip_address via;
    if (!api_has_interface(stack, interface))
        return no_interface(stack, interface);
    if (!parse_prefix(prefix, &destination))
        return not_prefix(stack, prefix);
    if (gateway != NULL && !parse_host(gateway, &via))
        return not_host(stack, gateway);
    if (!stack_add_route(stack->stack, &destination, gateway != NULL ? &via : NULL,
                         (unsigned)interface))
        return api_fail(stack, -ENOSPC, "there are %d routes", STACK_ROUTES_MAX);
    return 0;
}

int wn_stack_remove_route(struct wn_stack *stack, const char *prefix, const char *gateway)
{
    struct ip_prefix destination;
    struct ip_address via;
    if (!parse_prefix(prefix, &destination))
        return not_prefix(stack, prefix);
    if (gateway != NULL && !parse_host(gateway, &via))
        return not_host(stack, gateway);
    if (!stack_remove_route(stack->stack, &destination, gateway != NULL ? &via : NULL))
        return api_fail(stack, -ENOENT, "there is no such route to %.60s", prefix);
    return 0;
}

int wn_stack_add_neighbour(struct wn_stack *stack, int interface, const char *address,
                           const char *mac)
{
    struct ip_address neighbour;
    struct mac station;
    if (!api_has_interface(stack, interface))
        return no_interface(stack, interface);
    if (!parse_host(address, &neighbour))
        return not_host(stack, address);
    if (!mac_parse(text_in(mac), &station) || !is_station(&station))
        return api_fail(stack, -EINVAL, "'%.40s' is not the address of a station", mac);
    (void)api_look_at_clock(stack);
    if (!stack_add_neighbour(stack->stack, (unsigned)interface, &neighbour, &station))
        return api_fail(stack, -ENOSPC, "the table of neighbours is full");
    return 0;
}
