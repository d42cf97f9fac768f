/* SPDX-License-Identifier: ISC */
/* site_lease_names.c - the names of the site's own hosts and of those that have leases. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "os/digest.h"
#include "os/memory.h"
#include "proto/dhcp/dhcid.h"
#include "site/site_internal.h"

static int add_name(void *self, const char *name, const struct ip_address *address,
                    struct bytes dhcid)
{
    struct site *site = self;
    return site->names != NULL ? names_add_address(site->names, name, address, dhcid) : 0;
}

static void remove_name(void *self, const char *name)
{
    struct site *site = self;
    if (site->names != NULL)
        names_remove(site->names, name);
}

static int add_record(struct site *site, size_t view, const char *line, struct text *error)
{
    char complaint[256] = "";
    int result = names_add_record(site->names, view, line, complaint, sizeof complaint);
    if (result < 0)
        text_add_format(error, "record \"%s\": %s", line, complaint);
    return result;
}

static int add_records(struct site *site, struct text *error)
{
    const struct site_config *config = site->config;
    int result = 0;
    for (size_t i = 0; i < config->names.record_count && result == 0; i++)
        result = add_record(site, NAMES_EVERYBODY, config->names.records[i], error);
    for (size_t v = 0; v < config->authority.view_count; v++)
        for (size_t i = 0; i < config->views[v].record_count && result == 0; i++)
            result = add_record(site, v, config->views[v].records[i], error);
    return result;
}

static int add_site_names(struct site *site, struct text *error)
{
    const struct site_config *config = site->config;
    const struct ip_address *ours = &config->link.address.address;
    const struct {
        const char *name;
        const struct ip_address *address;
        bool wanted;
    } own[] = {
        {"gateway", ours, true},
        {"ns", ours, true},
        {config->web.name, ours, config->web.present},
        {"host", &config->gateway.host_address,
         config->gateway.present && config->gateway.host_loopback},
    };
    int result = 0;
    for (size_t i = 0; i < ARRAY_LEN(own) && (result == 0 || result == -EEXIST); i++)
        if (own[i].wanted)
            result = lease_names_reserve(site->lease_names, own[i].name, own[i].address);
    for (size_t i = 0; i < config->addresses.host_count && (result == 0 || result == -EEXIST); i++)
        result = lease_names_reserve(site->lease_names, config->addresses.hosts[i].name,
                                     &config->addresses.hosts[i].address);
    if (result < 0 && result != -EEXIST)
        return site_failed(error, result, "cannot add the site's names", NULL);
    return site->names != NULL ? add_records(site, error) : 0;
}

_Static_assert((int)DHCID_LEN == LEASE_NAMES_DHCID_MAX, "both sides have room for as much");

/* Whose the name of the lease is (RFC 4701), in `out`. Empty: it has none. */
static struct bytes dhcid_of(const struct site *site, const struct lease *lease,
                             uint8_t out[DHCID_LEN])
{
    uint8_t octets[DHCID_INPUT_MAX];
    uint8_t digest[DIGEST_AT_ONCE_MAX];
    char text[sizeof lease->hostname + SITE_NAME_MAX];
    struct dns_name name;
    snprintf(text, sizeof text, "%s.%s", lease->hostname, site->config->domain);
    if (lease->hostname[0] == '\0' || !dns_name_parse(bytes_of_text(text), NULL, &name))
        return bytes_empty();
    const struct dhcid_client client = {
        .client_id = bytes_of(lease->client_id, lease->client_id_len),
        .mac = lease->mac,
    };
    struct writer w = writer_of(octets, sizeof octets);
    enum dhcid_kind kind = dhcid_input(&client, &name, &w);
    if (digest_at_once(DIGEST_SHA256, writer_bytes(&w), digest) != DHCID_DIGEST_LEN)
        return bytes_empty();
    dhcid_rdata(kind, digest, out);
    return bytes_of(out, DHCID_LEN);
}

void site_names_lease(struct site *site, const struct lease *lease)
{
    uint8_t dhcid[DHCID_LEN];
    int result = lease_names_begin(site->lease_names, &lease->address, lease->hostname,
                                   dhcid_of(site, lease, dhcid));
    if (result < 0)
        log_notice(site->log, "the name \"%s\" is not given to a host: %s", lease->hostname,
                   result == -EEXIST ? "it is taken" : strerror(-result));
}

int site_lease_names_open(struct site *site, struct text *error)
{
    const struct lease_names_options options = {
        .heap = memory_heap(),
        .count_max = ADDRESSES_POOL_MAX + SITE_HOSTS_MAX + 8,
        .add = add_name,
        .remove = remove_name,
        .self = site,
    };
    site->lease_names = lease_names_new(&options);
    return site->lease_names != NULL ? 0 : site_failed(error, -ENOMEM, "cannot keep the names of hosts", NULL);
}

int site_lease_names_fill(struct site *site, struct text *error)
{
    int result = add_site_names(site, error);
    if (result < 0)
        return result;
    size_t place = 0;
    struct lease lease;
    while (site->addresses != NULL && addresses_each(site->addresses, &place, &lease))
        if (!lease.offered)
            site_names_lease(site, &lease);
    return 0;
}
