/* SPDX-License-Identifier: ISC */
/*
 * dhcp_lease.c - what an acknowledgement says, checked and made whole: RFC 2131 §4.4.1, table 3;
 * times by §4.4.5, routes by RFC 3442.
 */
#include "proto/dhcp/dhcp_lease.h"

/* RFC 950 §2.1, for servers that tell no mask. */
static uint8_t class_len(uint32_t address)
{
    if (address < 0x80000000u)
        return 8;
    return address < 0xc0000000u ? 16 : 24;
}

bool dhcp_address_usable(uint32_t address)
{
    uint32_t net = address >> 24;
    return net != 0 && net != 127 && net < 224;
}

static void read_prefix(const struct dhcp_message *m, struct dhcp_lease *lease)
{
    uint32_t mask;
    lease->prefix_len = class_len(m->yiaddr);
    if (dhcp_find_u32(m, DHCP_SUBNET_MASK, &mask) && mask != 0)
        (void)dhcp_mask_len(mask, &lease->prefix_len);
}

/* RFC 3442: who understands option 121 ignores option 3 when both are there. */
static void read_routes(const struct dhcp_message *m, struct dhcp_lease *lease)
{
    struct bytes routes;
    uint32_t router = 0;
    lease->router = address_any_v4();
    if (!dhcp_find(m, DHCP_CLASSLESS_ROUTES, &routes) ||
        !dhcp_routes_decode(routes, lease->routes, DHCP_LEASE_ROUTES_MAX, &lease->route_count)) {
        if (dhcp_find_addresses(m, DHCP_ROUTER, &router, 1) == 1 && dhcp_address_usable(router))
            lease->routes[lease->route_count++] =
                (struct dhcp_route){{address_any_v4(), 0}, address_v4(router)};
    }
    for (size_t i = 0; i < lease->route_count; i++)
        if (lease->routes[i].to.len == 0) {
            lease->router = lease->routes[i].via;
            break;
        }
}

static void read_names(const struct dhcp_message *m, struct dhcp_lease *lease)
{
    uint32_t dns[DHCP_LEASE_DNS_MAX];
    size_t count = dhcp_find_addresses(m, DHCP_DNS_SERVER, dns, DHCP_LEASE_DNS_MAX);
    for (size_t i = 0; i < count; i++)
        lease->dns[lease->dns_count++] = address_v4(dns[i]);
    struct bytes option;
    if (!dhcp_find(m, DHCP_DOMAIN_NAME, &option) || !dhcp_domain_text(option, lease->domain))
        lease->domain[0] = '\0';
    size_t at = 0;
    if (dhcp_find(m, DHCP_DOMAIN_SEARCH, &option))
        while (lease->search_count < DHCP_LEASE_SEARCH_MAX &&
               dhcp_search_next(option, &at, lease->search[lease->search_count]))
            lease->search_count++;
}

static void read_times(const struct dhcp_message *m, usec since, struct dhcp_lease *lease)
{
    uint64_t seconds = lease->lease_seconds;
    if (seconds == DHCP_INFINITY) {
        lease->t1_at = lease->t2_at = lease->expires_at = USEC_NEVER;
        return;
    }
    usec length = (usec)seconds * USEC_PER_SEC;
    usec t1 = length / 2;
    usec t2 = length / 8 * 7;
    uint32_t told1;
    uint32_t told2;
    /* Times out of order are no times: T1 < T2 < lease, §4.4.5. */
    if (dhcp_find_u32(m, DHCP_T1, &told1) && dhcp_find_u32(m, DHCP_T2, &told2) && told1 > 0 &&
        told1 < told2 && told2 < seconds) {
        t1 = (usec)told1 * USEC_PER_SEC;
        t2 = (usec)told2 * USEC_PER_SEC;
    }
    lease->t1_at = since + t1;
    lease->t2_at = since + t2;
    lease->expires_at = since + length;
}

bool dhcp_lease_read(const struct dhcp_message *m, usec since, struct dhcp_lease *out)
{
    struct dhcp_lease lease = {.address = address_v4(m->yiaddr)};
    uint32_t server;
    if (!dhcp_address_usable(m->yiaddr) || !dhcp_find_u32(m, DHCP_SERVER_ID, &server) ||
        !dhcp_find_u32(m, DHCP_LEASE_TIME, &lease.lease_seconds) || lease.lease_seconds == 0)
        return false;
    lease.server = address_v4(server);
    read_prefix(m, &lease);
    read_routes(m, &lease);
    read_names(m, &lease);
    read_times(m, since, &lease);
    uint16_t mtu;
    if (dhcp_find_u16(m, DHCP_INTERFACE_MTU, &mtu) && mtu >= DHCP_MTU_MIN)
        lease.mtu = mtu;
    *out = lease;
    return true;
}
