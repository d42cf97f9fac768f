/* SPDX-License-Identifier: ISC */
/*
 * site_check.c - what a site leaves open is derived from its link, and what its parts say of each
 * other is checked: the pool lies in the network, addresses are not used twice, and so on.
 */
#include <stdio.h>
#include <string.h>

#include "site/site_names.h"
#include "site/site_options.h"
#include "site/site_proxy.h"
#include "site/site_web.h"
#include "stack/tcp/tcp_profile.h"

enum {
    POOL_OFFSET = 15,       /* 10.0.2.15 is the first of 10.0.2.0/24, as every emulator has it */
    POOL_OFFSET_SMALL = 3,  /* in networks without so many: after gateway and host */
};

/* Where the option was said, in front of a complaint: "FILE:LINE: " for one of the file. */
static void add_place(struct text *error, const struct site_config *config, const char *section,
                      const char *name)
{
    unsigned line = site_option_line(config, section, name);
    if (config->file[0] != '\0' && line > 0)
        text_add_format(error, "%s:%u: ", config->file, line);
    else if (config->file[0] != '\0')
        text_add_format(error, "%s: ", config->file);
    text_add_format(error, "%s%s%s: ", section, section[0] != '\0' ? " " : "", name);
}

struct ip_prefix site_config_network(const struct site_config *config)
{
    struct ip_prefix network = config->link.address;
    uint32_t value = address_v4_value(&network.address) & prefix_mask_v4(network.len);
    network.address = address_v4(value);
    return network;
}

static struct mac mac_of(uint32_t address)
{
    /* Locally administered (02), the rest from the address: the same in every run. */
    return (struct mac){{0x02, 0x00, (uint8_t)(address >> 24), (uint8_t)(address >> 16),
                         (uint8_t)(address >> 8), (uint8_t)address}};
}

struct mac site_config_mac(const struct site_config *config)
{
    static const struct mac zeros;
    if (!mac_equal(&config->link.mac, &zeros))
        return config->link.mac;
    return mac_of(address_v4_value(&config->link.address.address));
}

struct mac site_config_guest_mac(const struct site_config *config)
{
    struct mac mac = mac_of(address_v4_value(&config->addresses.pool_first));
    struct mac ours = site_config_mac(config);
    if (mac_equal(&mac, &ours))
        mac.octets[1] ^= 1;
    return mac;
}

static const struct ip_address unset_address; /* "::", before an address was given */

/* The pool of a network when none was given: without our own address, that may be any. */
static void derive_pool(struct site_config *config, uint32_t network, uint32_t broadcast)
{
    uint32_t ours = address_v4_value(&config->link.address.address);
    uint32_t offset = broadcast - network > 2 * POOL_OFFSET ? POOL_OFFSET : POOL_OFFSET_SMALL;
    uint32_t first = network + offset;
    uint32_t last = broadcast - 1;
    if (last - first >= 65536)
        last = first + 65535; /* ADDRESSES_POOL_MAX */
    if (ours >= first && ours <= last) {
        if (ours - first > last - ours)
            last = ours - 1;
        else
            first = ours + 1;
    }
    config->addresses.pool_first = address_v4(first);
    config->addresses.pool_last = address_v4(last);
}

static void settle_listen(struct endpoint *listen, const struct ip_address *ours)
{
    if (listen->port != 0 && address_equal(&listen->address, &unset_address))
        listen->address = *ours;
}

static void derive(struct site_config *config)
{
    struct ip_prefix network = site_config_network(config);
    uint32_t first = address_v4_value(&network.address);
    uint32_t last = first | ~prefix_mask_v4(network.len);
    struct ip_address ours = config->link.address.address;

    if (address_is_any(&config->gateway.host_address)) {
        uint32_t second = first + 2;
        config->gateway.host_address =
            address_v4(second == address_v4_value(&ours) ? first + 1 : second);
    }
    if (address_is_any(&config->addresses.pool_first))
        derive_pool(config, first, last);
    if (!config->addresses.router_given)
        config->addresses.router = config->gateway.present ? ours : address_any_v4();
    if (!config->addresses.dns_given && config->names.present)
        config->addresses.dns[config->addresses.dns_count++] = ours;
    if (config->gateway.present && !config->gateway.internet) {
        /* Without the Internet its names are of no use, unless resolvers were named for them. */
        config->names.forward_host = false;
        config->names.closed = config->names.closed ||
                               (config->names.forwarder_count == 0 &&
                                config->recursion.forward_count == 0 &&
                                config->recursion.resolve != SITE_RESOLVE_RECURSIVE);
    }
    if (!config->recursion.resolve_given &&
        (config->names.forward_given || config->recursion.forward_count > 0))
        config->recursion.resolve = SITE_RESOLVE_FORWARD;
    settle_listen(&config->names.listen, &ours);
    settle_listen(&config->names_tls.listen, &ours);
    for (uint32_t i = 0; i < config->web.config.listen_count; i++)
        settle_listen(&config->web.config.listens[i].at, &ours);
    for (size_t i = 0; i < SITE_PROXIES_MAX; i++)
        for (uint32_t k = 0; k < config->proxies[i].listen_count; k++)
            settle_listen(&config->proxies[i].listens[k].at, &ours);
}

static bool check_inside(const struct site_config *config, const struct ip_address *address,
                         const char *section, const char *option, struct text *error)
{
    struct ip_prefix network = site_config_network(config);
    struct ip_address broadcast = prefix_broadcast(&network);
    if (prefix_contains(&network, address) && !address_equal(address, &network.address) &&
        !address_equal(address, &broadcast))
        return true;
    char name[ADDRESS_TEXT_MAX], where[PREFIX_TEXT_MAX];
    add_place(error, config, section, option);
    text_add_format(error, "%s is not a host of the link's network %s",
                    address_format(address, name), prefix_format(&network, where));
    return false;
}

static bool check_not_ours(const struct site_config *config, const struct ip_address *address,
                           const char *section, const char *option, struct text *error)
{
    if (!address_equal(address, &config->link.address.address))
        return true;
    char name[ADDRESS_TEXT_MAX];
    add_place(error, config, section, option);
    text_add_format(error, "%s is the link's own address", address_format(address, name));
    return false;
}

static bool check_recursion(const struct site_config *config, struct text *error)
{
    const struct site_recursion *r = &config->recursion;
    const char *wrong = NULL, *option = "resolve";
    if (config->names.forward_given && r->resolve != SITE_RESOLVE_FORWARD)
        wrong = "there are addresses in forward, which need resolve = forward; for one domain there "
                "is forward-for";
    else if (!config->names.forward_given && r->forward_count == 0 &&
             r->resolve == SITE_RESOLVE_FORWARD)
        wrong = "expected forward or forward-for to say to whom";
    else if (r->forward_count > 0 && r->resolve == SITE_RESOLVE_NONE)
        wrong = "it needs resolve = recursive or forward", option = "forward-for";
    else if ((r->lists.policy_count > 0 || r->lists.hosts[0] != '\0') && r->resolve == SITE_RESOLVE_NONE)
        wrong = "it needs resolve = recursive or forward",
        option = r->lists.policy_count > 0 ? "policy" : "hosts";
    else if (r->roots[0] != '\0' && r->resolve != SITE_RESOLVE_RECURSIVE)
        wrong = "it needs resolve = recursive", option = "roots";
    else if (r->anchors[0] != '\0' && r->resolve == SITE_RESOLVE_NONE)
        wrong = "it needs resolve = recursive or forward", option = "anchors";
    else if (r->anchors_state[0] != '\0' && r->anchors[0] == '\0')
        wrong = "it needs anchors", option = "anchors-state";
    else if (config->names.closed && r->resolve == SITE_RESOLVE_RECURSIVE)
        wrong = "with closed there is nothing to resolve";
    else if (r->ttl_min > r->ttl_max)
        wrong = "it is more than cache-ttl-max", option = "cache-ttl-min";
    if (wrong == NULL)
        return true;
    add_place(error, config, "names", option);
    text_add(error, wrong);
    return false;
}

static bool check_pool(const struct site_config *config, struct text *error)
{
    const struct site_addresses *addresses = &config->addresses;
    if (!check_inside(config, &addresses->pool_first, "addresses", "pool", error) ||
        !check_inside(config, &addresses->pool_last, "addresses", "pool", error))
        return false;
    uint32_t first = address_v4_value(&addresses->pool_first);
    uint32_t last = address_v4_value(&addresses->pool_last);
    if (last - first >= 65536) {
        add_place(error, config, "addresses", "pool");
        text_add_format(error, "%u addresses, expected at most 65536", last - first + 1);
        return false;
    }
    const struct {
        const struct ip_address *address;
        const char *what;
        bool used;
    } taken[] = {
        {&config->link.address.address, "the link's own address", true},
        {&config->gateway.host_address, "the host's loopback", config->gateway.present},
    };
    for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
        uint32_t value = address_v4_value(taken[i].address);
        char name[ADDRESS_TEXT_MAX];
        if (!taken[i].used || value < first || value > last)
            continue;
        add_place(error, config, "addresses", "pool");
        text_add_format(error, "it contains %s, which is %s",
                        address_format(taken[i].address, name), taken[i].what);
        return false;
    }
    return true;
}

static bool check_hosts(const struct site_config *config, struct text *error)
{
    const struct site_addresses *addresses = &config->addresses;
    for (size_t i = 0; i < addresses->host_count; i++) {
        const struct site_host *host = &addresses->hosts[i];
        if (!check_inside(config, &host->address, "host", "address", error) ||
            !check_not_ours(config, &host->address, "host", "address", error))
            return false;
        for (size_t k = 0; k < i; k++) {
            const struct site_host *other = &addresses->hosts[k];
            bool same_address = address_equal(&host->address, &other->address);
            if (!same_address && !mac_equal(&host->mac, &other->mac))
                continue;
            add_place(error, config, "host", same_address ? "address" : "mac");
            text_add_format(error, "hosts \"%s\" and \"%s\" have the same", other->name,
                            host->name);
            return false;
        }
    }
    return true;
}

static bool check_published(const struct site_config *config, struct text *error)
{
    const struct site_gateway *gateway = &config->gateway;
    for (size_t i = 0; i < gateway->published_count; i++) {
        const struct site_published *a = &gateway->published[i];
        for (size_t k = 0; k < i; k++) {
            const struct site_published *b = &gateway->published[k];
            if (a->udp != b->udp || !endpoint_equal(&a->outside, &b->outside))
                continue;
            char text[ENDPOINT_TEXT_MAX];
            add_place(error, config, "gateway", "publish");
            text_add_format(error, "%s is published twice", endpoint_format(&a->outside, text));
            return false;
        }
    }
    return true;
}

/* What only makes sense on one kind of link. */
static bool check_link(const struct site_config *config, struct text *error)
{
    if (config->link.impairments.jitter > config->link.impairments.delay) {
        add_place(error, config, "link", "jitter");
        text_add(error, "it is larger than the delay that it varies");
        return false;
    }
    if (config->link.device != SITE_DEVICE_HOST && config->workers > 1) {
        add_place(error, config, "", "workers");
        text_add(error, "expected 1: several are for link \"host\", a stack of our own is one thread's");
        return false;
    }
    if (config->link.device != SITE_DEVICE_HOST) {
        if (!address_is_loopback(&config->link.address.address))
            return true;
        add_place(error, config, "link", "address");
        text_add(error, "a loopback address is for link \"host\" alone");
        return false;
    }
    if (site_option_line(config, "link", "address") == 0) {
        add_place(error, config, "link", "address");
        text_add(error, "link \"host\" needs the host's own address on the network that it serves");
        return false;
    }
    if (config->addresses.present && config->addresses.interface[0] == '\0') {
        add_place(error, config, "addresses", "interface");
        text_add(error, "on link \"host\" it must name the network device to serve");
        return false;
    }
    if (config->gateway.present) {
        add_place(error, config, "gateway", "internet");
        text_add(error, "a gateway needs a link \"tap:NAME\"; the services of link \"host\" are on "
                        "the host's own network");
        return false;
    }
    if (!wire_is_ideal(&config->link.impairments)) {
        add_place(error, config, "link", "delay");
        text_add(error, "impairments need a link \"tap:NAME\"");
        return false;
    }
    if (config->link.congestion != tcp_profile_default.congestion ||
        config->link.ecn != tcp_profile_default.ecn ||
        config->link.syn_cookies != tcp_profile_default.syn_cookies) {
        add_place(error, config, "link", "congestion");
        text_add(error, "congestion, ecn and syn-cookies need a link \"tap:NAME\": TCP is the host's here");
        return false;
    }
    return true;
}

/* Over our own stack there is no multicast; but what is behind it may ask for names of the host's links. */
static bool check_mdns(const struct site_config *config, struct text *error)
{
    if (config->link.device == SITE_DEVICE_HOST || !config->mdns.present)
        return true;
    text_add(error, "block \"mdns\": expected link \"host\": the host is announced on its links");
    return false;
}

bool site_config_finish(struct site_config *config, struct text *error)
{
    if (!site_proxy_finish(config, error))
        return false;
    if (!site_web_finish(config, error))
        return false;
    derive(config);
    if (!check_link(config, error) || !check_mdns(config, error))
        return false;
    if (config->gateway.present &&
        (!check_inside(config, &config->gateway.host_address, "gateway", "host-address", error) ||
         !check_not_ours(config, &config->gateway.host_address, "gateway", "host-address", error)))
        return false;
    if (config->names.present &&
        (!check_recursion(config, error) || !site_names_check(config, error)))
        return false;
    if (config->addresses.present && (!check_pool(config, error) || !check_hosts(config, error)))
        return false;
    return check_published(config, error);
}
