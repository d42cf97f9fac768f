/* SPDX-License-Identifier: ISC */
/*
 * ip_address.c - the host's own addresses: which there are, and the right to them (RFC 5227).
 *
 *      PROBING --silence--> READY      PROBING --conflict--> DUPLICATE
 *
 * A conflict with a READY address is answered by an announcement, at most one in DEFEND_INTERVAL,
 * and the address is kept: RFC 5227 §2.4 (c), the choice for hosts that others have configured.
 */
#include "stack/ip.h"
#include "stack/neighbour.h"

/* RFC 5227 §1.1 */
enum { PROBE_NUM = 3, ANNOUNCE_NUM = 2 };
#define PROBE_WAIT (1 * USEC_PER_SEC)
#define PROBE_MIN (1 * USEC_PER_SEC)
#define PROBE_MAX (2 * USEC_PER_SEC)
#define ANNOUNCE_WAIT (2 * USEC_PER_SEC)
#define ANNOUNCE_INTERVAL (2 * USEC_PER_SEC)
#define DEFEND_INTERVAL (10 * USEC_PER_SEC)

static const uint32_t loopback_network = 0x7f000000;
static const uint32_t loopback_mask = 0xff000000;

const struct own_address *ip_own(const struct stack *stack, uint32_t value)
{
    const struct ip_state *ip = stack->ip;
    for (unsigned i = 0; i < ip->address_top; i++) {
        const struct own_address *own = &ip->addresses[i];
        if (own->value == value && own->used && own->state == ADDRESS_READY)
            return own;
    }
    return NULL;
}

bool ip_is_local(const struct stack *stack, const struct ip_address *address)
{
    uint32_t value = address_v4_value(address);
    return value != 0 &&
           (ip_own(stack, value) != NULL || (value & loopback_mask) == loopback_network);
}

bool stack_add_proxy(struct stack *stack, unsigned interface, const struct ip_address *address)
{
    struct ip_state *ip = stack->ip;
    if (ip_is_proxied_on(stack, interface, address))
        return true;
    if (ip->proxy_count == STACK_PROXIES_MAX)
        return false;
    ip->proxies[ip->proxy_count++] =
        (struct proxied_address){address_v4_value(address), (uint8_t)interface};
    return true;
}

bool ip_is_proxied_on(const struct stack *stack, unsigned interface,
                      const struct ip_address *address)
{
    const struct ip_state *ip = stack->ip;
    uint32_t value = address_v4_value(address);
    for (unsigned i = 0; i < ip->proxy_count; i++)
        if (ip->proxies[i].value == value && ip->proxies[i].interface == interface)
            return true;
    return false;
}

static struct own_address *find_on(const struct stack *stack, unsigned interface, uint32_t value)
{
    struct ip_state *ip = stack->ip;
    for (unsigned i = 0; i < ip->address_top; i++) {
        struct own_address *own = &ip->addresses[i];
        if (own->used && own->value == value && own->interface == interface)
            return own;
    }
    return NULL;
}

bool ip_is_ours_on(const struct stack *stack, unsigned interface, const struct ip_address *address)
{
    const struct own_address *own = find_on(stack, interface, address_v4_value(address));
    return own != NULL && own->state == ADDRESS_READY;
}

bool ip_is_broadcast_on(const struct stack *stack, unsigned interface, uint32_t value)
{
    if (value == UINT32_MAX)
        return true;
    const struct ip_state *ip = stack->ip;
    for (unsigned i = 0; i < ip->address_top; i++) {
        const struct own_address *own = &ip->addresses[i];
        if (own->used && own->interface == interface && own->broadcast == value && value != 0)
            return true;
    }
    return false;
}

struct ip_address ip_source_on(const struct stack *stack, unsigned interface,
                               const struct ip_address *target)
{
    const struct ip_state *ip = stack->ip;
    uint32_t value = address_v4_value(target);
    const struct own_address *best = NULL;
    const struct own_address *other = NULL;
    bool best_contains = false;
    for (unsigned i = 0; i < ip->address_top; i++) {
        const struct own_address *own = &ip->addresses[i];
        if (!own->used || own->state != ADDRESS_READY)
            continue;
        if (own->interface != interface) {
            other = other == NULL ? own : other;
            continue;
        }
        bool contains = ((own->value ^ value) & own->mask) == 0;
        if (best == NULL || (contains && (!best_contains || own->mask > best->mask))) {
            best = own;
            best_contains = contains;
        }
    }
    /* An unnumbered link borrows (RFC 1812 §2.2.7); but who asks everyone on a link without having
     * an address there is about to get one, and says 0.0.0.0 (RFC 2131 §4.1). */
    if (best == NULL && value != UINT32_MAX)
        best = other;
    return best != NULL ? best->prefix.address : address_any_v4();
}

enum address_state stack_address_state(const struct stack *stack, unsigned interface,
                                       const struct ip_address *address)
{
    const struct own_address *own = find_on(stack, interface, address_v4_value(address));
    return own != NULL ? (enum address_state)own->state : ADDRESS_NONE;
}

static void announce(struct stack *stack, struct own_address *own)
{
    arp_request(stack, stack->interfaces[own->interface], &own->prefix.address,
                &own->prefix.address, NULL);
}

/* One announcement now and the rest by the timer (RFC 5227 §2.3). */
static void start_announcing(struct stack *stack, struct own_address *own)
{
    own->state = ADDRESS_READY;
    own->sent = 0;
    address_timer(stack, &own->timer);
}

static void start_probing(struct stack *stack, struct own_address *own)
{
    own->state = ADDRESS_PROBING;
    own->sent = 0;
    wheel_arm(&stack->wheel, &own->timer, stack->now + prng_below(&stack->prng, PROBE_WAIT));
}

static void probe(struct stack *stack, struct own_address *own)
{
    struct ip_address any = address_any_v4();
    arp_request(stack, stack->interfaces[own->interface], &any, &own->prefix.address, NULL);
    own->sent++;
    usec wait = own->sent == PROBE_NUM
                    ? ANNOUNCE_WAIT
                    : PROBE_MIN + prng_below(&stack->prng, PROBE_MAX - PROBE_MIN);
    wheel_arm(&stack->wheel, &own->timer, stack->now + wait);
}

void address_timer(struct stack *stack, struct timer *timer)
{
    struct own_address *own = CONTAINER_OF(timer, struct own_address, timer);
    if (own->state == ADDRESS_PROBING) {
        if (own->sent < PROBE_NUM)
            probe(stack, own);
        else
            start_announcing(stack, own);
    } else if (own->state == ADDRESS_READY && own->sent < ANNOUNCE_NUM) {
        announce(stack, own);
        own->sent++;
        if (own->sent < ANNOUNCE_NUM)
            wheel_arm(&stack->wheel, &own->timer, stack->now + ANNOUNCE_INTERVAL);
    }
}

void addresses_announce(struct stack *stack, unsigned interface)
{
    struct ip_state *ip = stack->ip;
    for (unsigned i = 0; i < ip->address_top; i++) {
        struct own_address *own = &ip->addresses[i];
        if (!own->used || own->interface != interface)
            continue;
        if (own->state == ADDRESS_READY)
            start_announcing(stack, own);
        else if (own->state == ADDRESS_PROBING)
            start_probing(stack, own);
    }
}

static void defend(struct stack *stack, struct own_address *own)
{
    if (stack->now < own->defend_at)
        return;
    own->defend_at = stack->now + DEFEND_INTERVAL;
    announce(stack, own);
}

bool address_conflict(struct stack *stack, struct interface *interface,
                      const struct arp_packet *packet)
{
    bool probed = arp_is_probe(packet);
    const struct ip_address *claimed = probed ? &packet->target : &packet->source;
    struct own_address *own = find_on(stack, interface->index, address_v4_value(claimed));
    if (own == NULL || own->state == ADDRESS_DUPLICATE)
        return false;
    if (own->state == ADDRESS_PROBING) {
        own->state = ADDRESS_DUPLICATE;
        wheel_disarm(&stack->wheel, &own->timer);
        return true;
    }
    if (probed)
        return false; /* the ordinary answer defends it */
    defend(stack, own);
    return true;
}

static struct own_address *free_slot(struct ip_state *ip)
{
    for (unsigned i = 0; i < STACK_ADDRESSES_MAX; i++)
        if (!ip->addresses[i].used)
            return &ip->addresses[i];
    return NULL;
}

bool stack_add_address(struct stack *stack, unsigned interface, const struct ip_prefix *address,
                       bool probe_first)
{
    ASSERT(interface < stack->interface_count);
    ASSERT(address_is_v4(&address->address) && address->len <= 32);
    struct ip_state *ip = stack->ip;
    uint32_t value = address_v4_value(&address->address);
    struct own_address *own = free_slot(ip);
    if (own == NULL || value == 0 || find_on(stack, interface, value) != NULL ||
        !route_add_connected(stack, address, interface))
        return false;
    uint32_t mask = prefix_mask_v4(address->len);
    *own = (struct own_address){
        .used = true,
        .interface = (uint8_t)interface,
        .prefix = *address,
        .value = value,
        .mask = mask,
        .broadcast = address->len <= 30 ? value | ~mask : 0, /* RFC 3021: /31 has none */
        .defend_at = stack->now,
    };
    timer_init(&own->timer, STACK_TIMER_PROBE);
    unsigned slot = (unsigned)(own - ip->addresses);
    if (slot >= ip->address_top)
        ip->address_top = slot + 1;
    if (probe_first)
        start_probing(stack, own);
    else
        start_announcing(stack, own);
    return true;
}

/* Does another address of the interface have the same prefix? */
static bool prefix_shared(const struct stack *stack, const struct own_address *own)
{
    const struct ip_state *ip = stack->ip;
    for (unsigned i = 0; i < ip->address_top; i++) {
        const struct own_address *o = &ip->addresses[i];
        if (o->used && o != own && o->interface == own->interface && o->mask == own->mask &&
            ((o->value ^ own->value) & own->mask) == 0)
            return true;
    }
    return false;
}

bool stack_remove_address(struct stack *stack, unsigned interface, const struct ip_address *address)
{
    struct own_address *own = find_on(stack, interface, address_v4_value(address));
    if (own == NULL)
        return false;
    if (!prefix_shared(stack, own))
        route_remove_connected(stack, &own->prefix, interface);
    wheel_disarm(&stack->wheel, &own->timer);
    own->used = false;
    struct ip_state *ip = stack->ip;
    while (ip->address_top > 0 && !ip->addresses[ip->address_top - 1].used)
        ip->address_top--;
    return true;
}
