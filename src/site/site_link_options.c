/* SPDX-License-Identifier: ISC */
/*
 * site_link_options.c - what can be said about a site outside of its applications: the link, the gateway, the
 * addresses that are given out.
 */
#include "site/site_values.h"

#include "stack/tcp/tcp_profile.h"

/* Who decides how much may be under way: an algorithm's name. */
static bool parse_congestion(struct bytes text, void *field,
                             const struct site_option *option UNUSED)
{
    char name[16];
    if (text.len == 0 || !site_copy_text(text, name, sizeof name))
        return false;
    int kind = tcp_congestion_find(name);
    if (kind < 0)
        return false;
    *(uint8_t *)field = (uint8_t)kind;
    return true;
}

static bool parse_ecn(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    static const char *const names[] = {
        [TCP_ECN_OFF] = "off", [TCP_ECN_ACCEPT] = "accept", [TCP_ECN_ASK] = "ask"};
    _Static_assert(ARRAY_LEN(names) == TCP_ECN_COUNT, "one name per mode");
    return site_parse_one_of(text, field, names, ARRAY_LEN(names));
}

static bool parse_syn_cookies(struct bytes text, void *field,
                              const struct site_option *option UNUSED)
{
    static const char *const names[] = {[TCP_SYN_COOKIES_OFF] = "never",
                                        [TCP_SYN_COOKIES_WHEN_FULL] = "full",
                                        [TCP_SYN_COOKIES_ALWAYS] = "always"};
    _Static_assert(ARRAY_LEN(names) == TCP_SYN_COOKIES_COUNT, "one name per mode");
    return site_parse_one_of(text, field, names, ARRAY_LEN(names));
}

static bool parse_internet(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    bool host = bytes_equal(text, bytes_of_text("host"));
    if (!host && !bytes_equal(text, bytes_of_text("none")))
        return false;
    *(bool *)field = host;
    return true;
}

/* An address in a network, or the network's own: then the first host of it. */
static bool parse_link_address(struct bytes text, void *field,
                               const struct site_option *option UNUSED)
{
    struct ip_prefix prefix;
    if (!prefix_parse(text, &prefix) || !address_is_v4(&prefix.address) || prefix.len < 8 ||
        prefix.len > 29)
        return false;
    uint32_t value = address_v4_value(&prefix.address);
    uint32_t host_mask = ~prefix_mask_v4(prefix.len);
    if ((value & host_mask) == host_mask || value >> 24 == 0 || value >> 28 >= 14)
        return false;
    if ((value & host_mask) == 0)
        prefix.address = address_v4(value + 1);
    *(struct ip_prefix *)field = prefix;
    return true;
}

/* FIRST-LAST */
static bool parse_pool(struct bytes text, void *field, const struct site_option *option)
{
    struct site_addresses *addresses = field;
    size_t dash = bytes_find(text, '-');
    struct ip_address first, last;
    if (!site_parse_address_v4(text_trim(bytes_first(text, dash)), &first, option) ||
        !site_parse_address_v4(text_trim(bytes_after(text, dash + 1)), &last, option) ||
        address_v4_value(&first) > address_v4_value(&last))
        return false;
    addresses->pool_first = first;
    addresses->pool_last = last;
    return true;
}

static bool parse_router(struct bytes text, void *field, const struct site_option *option)
{
    struct site_addresses *addresses = field;
    if (bytes_equal(text, bytes_of_text("none")))
        addresses->router = address_any_v4();
    else if (!site_parse_address_v4(text, &addresses->router, option))
        return false;
    addresses->router_given = true;
    return true;
}

static bool parse_dns(struct bytes text, void *field, const struct site_option *option)
{
    struct site_addresses *addresses = field;
    if (addresses->dns_count == SITE_DNS_MAX ||
        !site_parse_address_v4(text, &addresses->dns[addresses->dns_count], option))
        return false;
    addresses->dns_count++;
    addresses->dns_given = true;
    return true;
}

bool site_published_parse(struct bytes text, struct site_published *out)
{
    struct site_published published;
    memset(&published, 0, sizeof published); /* a reload compares it octet by octet */
    published.outside.address = address_v4(0x7f000001);
    size_t slash = bytes_find(text, '/');
    struct bytes protocol = bytes_after(text, slash + 1);
    if (slash < text.len) {
        published.udp = bytes_equal(protocol, bytes_of_text("udp"));
        if (!published.udp && !bytes_equal(protocol, bytes_of_text("tcp")))
            return false;
        text = bytes_first(text, slash);
    }

    /* An address has dots or brackets, a port has neither. */
    size_t address_len = 0;
    if (text.len > 0 && text.data[0] == '[')
        address_len = bytes_find(text, ']') + 1;
    else if (bytes_find(bytes_first(text, bytes_find(text, ':')), '.') < bytes_find(text, ':'))
        address_len = bytes_find(text, ':');
    if (address_len > 0) {
        struct bytes address = bytes_first(text, address_len);
        if (address.data[0] == '[')
            address = bytes_first(bytes_after(address, 1), address_len - 2);
        if (address_len >= text.len || text.data[address_len] != ':' ||
            !address_parse(address, &published.outside.address))
            return false;
        text = bytes_after(text, address_len + 1);
    }

    size_t colon = bytes_find(text, ':');
    uint64_t outer, inner;
    if (!text_parse_number(bytes_first(text, colon), UINT16_MAX, &outer) || outer == 0)
        return false;
    inner = outer;
    if (colon < text.len &&
        (!text_parse_number(bytes_after(text, colon + 1), UINT16_MAX, &inner) || inner == 0))
        return false;
    published.outside.port = (uint16_t)outer;
    published.inside_port = (uint16_t)inner;
    *out = published;
    return true;
}

static bool parse_published(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_gateway *gateway = field;
    if (gateway->published_count == SITE_PUBLISHED_MAX ||
        !site_published_parse(text, &gateway->published[gateway->published_count]))
        return false;
    gateway->published_count++;
    return true;
}

bool site_device_parse(struct bytes text, struct site_link *out)
{
    static const char tap[] = "tap:";
    if (bytes_equal(text, bytes_of_text("host"))) {
        out->device = SITE_DEVICE_HOST;
        return true;
    }
    size_t len = sizeof tap - 1;
    static const struct site_option name = {.max = SITE_DEVICE_MAX};
    if (!bytes_equal(bytes_first(text, len), bytes_of_text(tap)) ||
        !site_parse_interface(bytes_after(text, len), out->name, &name))
        return false;
    out->device = SITE_DEVICE_TAP;
    return true;
}

#define CHANCE_TEXT "a chance such as 2%, 0.5% or 0.01"

/* uint32_t: 0 for "auto". */
static bool parse_workers(struct bytes text, void *field, const struct site_option *option)
{
    if (!bytes_equal(text, bytes_of_text("auto")))
        return site_parse_number(text, field, option);
    *(uint32_t *)field = 0;
    return true;
}

static const struct site_option options[] = {
    {"", "domain", site_parse_name, SITE_AT(domain), 0, 0, false,
     "a domain name such as home.arpa"},
    {"", "control", site_parse_label, SITE_AT(control), 0, 0, false,
     "a name of letters, digits and hyphens, for `wholenet status NAME`"},
    {"", "workers", parse_workers, SITE_AT(workers), 1, SITE_WORKERS_MAX, false,
     "the number of threads that serve, 1 to 64, or auto"},

    {"link", "address", parse_link_address, SITE_AT(link.address), 0, 0, false,
     "an IPv4 address with its network's prefix length, 8 to 29, such as 10.0.2.1/24"},
    {"link", "mac", site_parse_mac, SITE_AT(link.mac), 0, 0, false,
     "a unicast MAC address such as 02:00:00:00:02:01"},
    {"link", "mtu", site_parse_number, SITE_AT(link.mtu), SITE_MTU_MIN, SITE_MTU_MAX, false,
     "a number of octets from 576 to 65520"},
    {"link", "delay", site_parse_duration, SITE_AT(link.impairments.delay), 0, 60 * USEC_PER_SEC,
     false,
     SITE_DURATION_TEXT ", at most 60s"},
    {"link", "jitter", site_parse_duration, SITE_AT(link.impairments.jitter), 0, 60 * USEC_PER_SEC,
     false,
     SITE_DURATION_TEXT ", at most 60s"},
    {"link", "loss", site_parse_chance, SITE_AT(link.impairments.loss), 0, 0, false, CHANCE_TEXT},
    {"link", "duplicate", site_parse_chance, SITE_AT(link.impairments.duplicate), 0, 0, false,
     CHANCE_TEXT},
    {"link", "reorder", site_parse_chance, SITE_AT(link.impairments.reorder), 0, 0, false,
     CHANCE_TEXT},
    {"link", "corrupt", site_parse_chance, SITE_AT(link.impairments.corrupt), 0, 0, false,
     CHANCE_TEXT},
    {"link", "rate", site_parse_rate, SITE_AT(link.impairments.rate), 0, 0, false,
     "a rate such as 10mbit, 1.5gbit or 64kbit, or 0 for no limit"},
    {"link", "queue", site_parse_number, SITE_AT(link.impairments.queue), 1, WIRE_IN_FLIGHT_MAX,
     false,
     "a number of frames from 1 to 65536"},
    {"link", "mark", site_parse_number, SITE_AT(link.impairments.mark), 1, WIRE_IN_FLIGHT_MAX,
     false,
     "a number of frames from 1 to 65536"},
    {"link", "seed", site_parse_seed, SITE_AT(link.seed), 0, 0, false, "a number"},
    {"link", "congestion", parse_congestion, SITE_AT(link.congestion), 0, 0, false,
     "cubic, newreno or bbr"},
    {"link", "ecn", parse_ecn, SITE_AT(link.ecn), 0, 0, false, "off, accept or ask"},
    {"link", "syn-cookies", parse_syn_cookies, SITE_AT(link.syn_cookies), 0, 0, false,
     "never, full or always"},

    {"gateway", "internet", parse_internet, SITE_AT(gateway.internet), 0, 0, false, "host or none"},
    {"gateway", "host-loopback", site_parse_switch, SITE_AT(gateway.host_loopback), 0, 0, false,
     "on or off"},
    {"gateway", "host-address", site_parse_address_v4, SITE_AT(gateway.host_address), 0, 0, false,
     "an IPv4 address of the link's network, such as 10.0.2.2"},
    {"gateway", "publish", parse_published, SITE_AT(gateway), 0, 0, true,
     "[ADDRESS:]PORT[:INNER][/udp] such as 8080:80, ports from 1 to 65535, at most 64 of them"},

    {"addresses", "pool", parse_pool, SITE_AT(addresses), 0, 0, false,
     "two IPv4 addresses, FIRST-LAST, such as 10.0.2.15-10.0.2.254"},
    {"addresses", "lease-time", site_parse_duration, SITE_AT(addresses.lease_time), USEC_PER_MINUTE,
     365 * 24 * USEC_PER_HOUR, false, SITE_DURATION_TEXT ", from 1m to 365d"},
    {"addresses", "router", parse_router, SITE_AT(addresses), 0, 0, false,
     "an IPv4 address or none"},
    {"addresses", "dns", parse_dns, SITE_AT(addresses), 0, 0, true, "IPv4 addresses, at most 4"},
    {"addresses", "interface", site_parse_interface, SITE_AT(addresses.interface), 0,
     SITE_DEVICE_MAX,
     false, "the name of a network device of the host"},
    {"addresses", "leases", site_parse_path, SITE_AT(addresses.leases), 0, SITE_TEXT_MAX, false,
     "a file, which is made if need be"},

    {"host", "mac", site_parse_mac, offsetof(struct site_host, mac), 0, 0, false,
     "a unicast MAC address such as 02:00:00:00:02:10"},
    {"host", "address", site_parse_address_v4, offsetof(struct site_host, address), 0, 0, false,
     "an IPv4 address"},
};

const struct site_option_table site_link_options = {options, ARRAY_LEN(options)};
