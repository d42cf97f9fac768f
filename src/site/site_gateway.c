/* SPDX-License-Identifier: ISC */
/* site_gateway.c - the gateway of a running site, and the ports that it publishes. */
#include <errno.h>
#include <string.h>

#include "site/site_internal.h"
#include "site/site_proxy.h"

bool site_gateway_same(const struct site_config *a, const struct site_config *b)
{
    return SITE_SAME(gateway) && SITE_SAME(addresses.pool_first) &&
           site_proxy_is_transparent(a) == site_proxy_is_transparent(b);
}

void site_gateway_lead_to(struct site *site, const struct ip_address *guest)
{
    site->guest = *guest;
    if (site->gateway != NULL)
        relay_set_guest(gateway_relay(site->gateway), guest);
}

static int publish(struct site *site, struct text *error)
{
    const struct site_gateway *config = &site->config->gateway;
    for (size_t i = 0; i < config->published_count; i++) {
        const struct site_published *published = &config->published[i];
        struct endpoint outside = published->outside;
        const struct endpoint inside = {address_any_v4(), published->inside_port};
        int result = relay_publish(gateway_relay(site->gateway), &outside, &inside, published->udp);
        if (result < 0)
            return site_failed(error, result, "cannot publish a port", &published->outside);
    }
    return 0;
}

void site_gateway_stop(struct site *site)
{
    gateway_free(site->gateway);
    site->gateway = NULL;
}

int site_gateway_start(struct site *site, struct text *error)
{
    const struct site_config *config = site->config;
    if (!config->gateway.present)
        return 0;
    const struct gateway_options options = {
        .node = site->node,
        .interface = site->interface,
        .network = site_config_network(config),
        .gateway = config->link.address.address,
        .host_address = config->gateway.host_address,
        .internet = config->gateway.internet,
        .host_loopback = config->gateway.host_loopback,
        .on_web = site_proxy_is_transparent(config) ? site_proxy_take : NULL,
        .on_web_self = site,
        .net = site->inside,
    };
    int result = gateway_new(&options, &site->gateway);
    if (result < 0)
        return site_failed(error, result, "cannot start the gateway", NULL);
    if (!stack_add_proxy(node_stack(site->node), site->interface, &config->gateway.host_address))
        return site_failed(error, -ENOSPC, "cannot stand in for the host's loopback", NULL);
    site_gateway_lead_to(site, address_is_any(&site->guest) ? &config->addresses.pool_first : &site->guest);
    return publish(site, error);
}
