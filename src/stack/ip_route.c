/* SPDX-License-Identifier: ISC */
/*
 * ip_route.c - which way a packet goes: the longest prefix that matches (RFC 1812 §5.2.4.3).
 *
 * The table is short and sorted, and a search is a walk. Of routes to the same prefix the first
 * one added whose interface is up is taken. SKIPS RFC 1122 §3.3.1.5, dead gateway detection: one
 * gateway is the rule here, and ARP says when it is gone.
 */
#include "stack/ip.h"
#include "stack/neighbour.h"

static bool route_same(const struct route *route, const struct ip_prefix *destination,
                       uint32_t gateway)
{
    return route->destination.len == destination->len && route->gateway == gateway &&
           route->network == (address_v4_value(&destination->address) & route->mask);
}

static bool route_insert(struct stack *stack, const struct route *route)
{
    struct ip_state *ip = stack->ip;
    if (ip->route_count == STACK_ROUTES_MAX)
        return false;
    unsigned at = ip->route_count;
    while (at > 0 && ip->routes[at - 1].destination.len < route->destination.len) {
        ip->routes[at] = ip->routes[at - 1];
        at--;
    }
    ip->routes[at] = *route;
    ip->route_count++;
    return true;
}

static void route_delete(struct ip_state *ip, unsigned at)
{
    ip->route_count--;
    for (unsigned i = at; i < ip->route_count; i++)
        ip->routes[i] = ip->routes[i + 1];
}

static struct route route_of(const struct ip_prefix *destination, unsigned interface)
{
    uint32_t mask = prefix_mask_v4(destination->len);
    return (struct route){
        .destination = *destination,
        .network = address_v4_value(&destination->address) & mask,
        .mask = mask,
        .interface = (uint8_t)interface,
    };
}

bool route_add_connected(struct stack *stack, const struct ip_prefix *prefix, unsigned interface)
{
    const struct ip_state *ip = stack->ip;
    for (unsigned i = 0; i < ip->route_count; i++)
        if (ip->routes[i].connected && ip->routes[i].interface == interface &&
            route_same(&ip->routes[i], prefix, 0))
            return true;
    struct route route = route_of(prefix, interface);
    route.connected = true;
    return route_insert(stack, &route);
}

void route_remove_connected(struct stack *stack, const struct ip_prefix *prefix, unsigned interface)
{
    struct ip_state *ip = stack->ip;
    for (unsigned i = 0; i < ip->route_count; i++) {
        if (ip->routes[i].connected && ip->routes[i].interface == interface &&
            route_same(&ip->routes[i], prefix, 0)) {
            route_delete(ip, i);
            return;
        }
    }
}

bool stack_add_route(struct stack *stack, const struct ip_prefix *destination,
                     const struct ip_address *gateway, unsigned interface)
{
    ASSERT(interface < stack->interface_count);
    ASSERT(address_is_v4(&destination->address) && destination->len <= 32);
    struct route route = route_of(destination, interface);
    route.gateway = gateway != NULL ? address_v4_value(gateway) : 0;
    const struct ip_state *ip = stack->ip;
    for (unsigned i = 0; i < ip->route_count; i++)
        if (route_same(&ip->routes[i], destination, route.gateway) &&
            ip->routes[i].interface == interface)
            return true;
    return route_insert(stack, &route);
}

bool stack_remove_route(struct stack *stack, const struct ip_prefix *destination,
                        const struct ip_address *gateway)
{
    struct ip_state *ip = stack->ip;
    uint32_t via = gateway != NULL ? address_v4_value(gateway) : 0;
    for (unsigned i = 0; i < ip->route_count; i++) {
        if (!ip->routes[i].connected && route_same(&ip->routes[i], destination, via)) {
            route_delete(ip, i);
            return true;
        }
    }
    return false;
}

static const struct route *find(const struct stack *stack, int interface, uint32_t target)
{
    const struct ip_state *ip = stack->ip;
    for (unsigned i = 0; i < ip->route_count; i++) {
        const struct route *route = &ip->routes[i];
        if ((target & route->mask) == route->network &&
            (interface < 0 || route->interface == interface) &&
            stack->interfaces[route->interface]->up)
            return route;
    }
    return NULL;
}

static bool choose_local(const struct stack *stack, const struct ip_address *target,
                         struct route_choice *out)
{
    const struct own_address *own = ip_own(stack, address_v4_value(target));
    if (own == NULL && !address_is_loopback(target))
        return false;
    *out = (struct route_choice){
        .interface = own != NULL ? own->interface : 0,
        .next_hop = *target,
        .source = own != NULL ? *target : address_v4(0x7f000001),
        .mtu = IP_LOOPBACK_MTU,
        .features = INTERFACE_CHECKSUM | INTERFACE_TSO4,
        .local = true,
    };
    return true;
}

/* Groups need no route: they go out of the interface asked for, else where the default route goes,
 * else out of the first one that is up (RFC 1112 §6.1). */
static int group_interface(const struct stack *stack, int interface, uint32_t target)
{
    if (interface >= 0)
        return interface;
    const struct route *route = find(stack, -1, target);
    if (route != NULL)
        return route->interface;
    for (unsigned i = 0; i < stack->interface_count; i++)
        if (stack->interfaces[i]->up)
            return (int)i;
    return -1;
}

bool ip_route_on(const struct stack *stack, int interface, const struct ip_address *target,
                 struct route_choice *out)
{
    uint32_t value = address_v4_value(target);
    if (value == 0)
        return false;
    if (choose_local(stack, target, out))
        return true;
    uint32_t gateway = 0;
    if (value == UINT32_MAX || address_is_multicast(target)) {
        if (value == UINT32_MAX && interface < 0)
            return false;
        interface = group_interface(stack, interface, value);
    } else {
        const struct route *route = find(stack, interface, value);
        if (route != NULL) {
            interface = route->interface;
            gateway = route->gateway;
        }
        /* Told the interface and without a route there, the target is looked for on the link. */
    }
    if (interface < 0 || (unsigned)interface >= stack->interface_count)
        return false;
    const struct interface *via = stack->interfaces[interface];
    if (!via->up)
        return false;
    struct ip_address next_hop = gateway != 0 ? address_v4(gateway) : *target;
    *out = (struct route_choice){
        .interface = (unsigned)interface,
        .next_hop = next_hop,
        .source = ip_source_on(stack, (unsigned)interface, &next_hop),
        .mtu = via->options.mtu,
        .features = via->options.features,
        .broadcast = gateway == 0 && ip_is_broadcast_on(stack, (unsigned)interface, value),
    };
    return true;
}

bool ip_route(const struct stack *stack, const struct ip_address *target, struct route_choice *out)
{
    return ip_route_on(stack, -1, target, out);
}

void ip_doubt(struct stack *stack, const struct ip_address *target)
{
    struct route_choice choice;
    if (ip_route(stack, target, &choice) && !choice.local)
        neighbour_doubt(stack, choice.interface, &choice.next_hop);
}

bool stack_route(const struct stack *stack, const struct ip_address *target,
                 struct ip_address *source, uint16_t *mtu)
{
    struct route_choice choice;
    if (!ip_route(stack, target, &choice))
        return false;
    *source = choice.source;
    *mtu = choice.mtu;
    return true;
}
