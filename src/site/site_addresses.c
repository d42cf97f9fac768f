/* SPDX-License-Identifier: ISC */
/* site_addresses.c - the addresses that a running site gives out. */
#include <stdio.h>
#include <string.h>

#include "site/site_internal.h"
#include "store/store.h"

bool site_addresses_same(const struct site_config *a, const struct site_config *b)
{
    return SITE_SAME(addresses) && SITE_SAME(domain);
}

/* Published ports lead to the host that has had its lease longest. */
static void follow_guest(struct site *site, const struct lease *lease, bool active)
{
    if (active && address_is_any(&site->guest))
        site_gateway_lead_to(site, &lease->address);
    if (active || !address_equal(&site->guest, &lease->address))
        return;
    size_t place = 0;
    struct lease other;
    while (addresses_each(site->addresses, &place, &other)) {
        if (other.offered || address_equal(&other.address, &lease->address))
            continue;
        site_gateway_lead_to(site, &other.address);
        return;
    }
    site_gateway_lead_to(site, &site->config->addresses.pool_first);
    site->guest = address_any_v4();
}

static void on_lease(void *self, const struct lease *lease, bool active)
{
    struct site *site = self;
    char address[ADDRESS_TEXT_MAX], mac[MAC_TEXT_MAX];
    log_info(site->log, "lease %s: %s for %s%s%s", active ? "begins" : "ends",
             address_format(&lease->address, address), mac_format(&lease->mac, mac),
             lease->hostname[0] != '\0' ? ", " : "", lease->hostname);
    follow_guest(site, lease, active);
    if (active)
        site_names_lease(site, lease);
    else
        lease_names_end(site->lease_names, &lease->address);
}

void site_addresses_stop(struct site *site)
{
    addresses_free(site->addresses);
    site->addresses = NULL;
    store_close(site->leases);
    site->leases = NULL;
    site->guest = address_any_v4();
}

static int open_leases(struct site *site, struct text *error)
{
    const char *path = site->config->addresses.leases;
    if (path[0] == '\0')
        return 0;
    char reason[STORE_ERROR_MAX];
    int result = store_open(path, &site->leases, reason);
    if (result < 0)
        text_add_format(error, "cannot keep leases: %s", reason);
    return result;
}

int site_addresses_start(struct site *site, struct text *error)
{
    const struct site_config *config = site->config;
    const struct site_addresses *addresses = &config->addresses;
    if (!addresses->present)
        return 0;
    static const struct mac nobody;
    struct addresses_static statics[SITE_HOSTS_MAX + 1] = {0};
    size_t static_count = addresses->host_count;
    for (size_t i = 0; i < addresses->host_count; i++) {
        statics[i].mac = addresses->hosts[i].mac;
        statics[i].address = addresses->hosts[i].address;
        snprintf(statics[i].hostname, sizeof statics[i].hostname, "%s", addresses->hosts[i].name);
    }
    if (!mac_equal(&addresses->guest, &nobody)) {
        statics[static_count].mac = addresses->guest;
        statics[static_count++].address = addresses->pool_first;
    }
    struct addresses_options options = {
        .server = config->link.address.address,
        .network = site_config_network(config),
        .pool_first = addresses->pool_first,
        .pool_last = addresses->pool_last,
        .router = addresses->router,
        .dns_count = addresses->dns_count,
        .domain = config->domain,
        .lease_seconds = (uint32_t)(addresses->lease_time / USEC_PER_SEC),
        .mtu = (uint16_t)config->link.mtu,
        .statics = statics,
        .static_count = static_count,
        .interface = addresses->interface[0] != '\0' ? addresses->interface : NULL,
        .on_lease = on_lease,
        .self = site,
    };
    int result = open_leases(site, error);
    if (result < 0)
        return result;
    options.store = site->leases;
    memcpy(options.dns, addresses->dns, sizeof addresses->dns);
    result = addresses_new(site->inside, &options, &site->addresses);
    return result < 0 ? site_failed(error, result, "cannot give out addresses", NULL) : 0;
}
