/* SPDX-License-Identifier: ISC */
/*
 * site_options.c - the table of site options and the readers of their kinds.
 */
#include "site/site_options.h"

#include "site/site_proxy.h"
#include "site/site_web.h"

#include "site/site_names.h"
#include "stack/tcp/tcp_profile.h"
#include "app/names/names_resolver.h"
#include "base/calendar.h"
#include "base/encoding.h"
#include "wire/dns/dns_record.h"

static bool copy_text(struct bytes text, char *field, size_t size)
{
    if (text.len == 0 || text.len >= size || memchr(text.data, '\0', text.len) != NULL)
        return false;
    memcpy(field, text.data, text.len);
    field[text.len] = '\0';
    return true;
}

bool site_label_valid(struct bytes label)
{
    if (label.len == 0 || label.len >= SITE_LABEL_MAX)
        return false;
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = label.data[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool digit = c >= '0' && c <= '9';
        bool inner = i > 0 && i + 1 < label.len;
        if (!letter && !digit && !(c == '-' && inner))
            return false;
    }
    return true;
}

bool site_name_valid(struct bytes name)
{
    if (name.len == 0 || name.len >= SITE_NAME_MAX)
        return false;
    for (;;) {
        size_t dot = bytes_find(name, '.');
        if (!site_label_valid(bytes_first(name, dot)))
            return false;
        if (dot == name.len)
            return true;
        name = bytes_after(name, dot + 1);
    }
}

static bool parse_text(struct bytes text, void *field, const struct site_option *option)
{
    return copy_text(text, field, (size_t)option->max);
}

static bool parse_path(struct bytes text, void *field, const struct site_option *option)
{
    return parse_text(text, field, option);
}

/* A path, or a word. */
static bool parse_anchors(struct bytes text, void *field, const struct site_option *option)
{
    return parse_text(text, field, option);
}

static bool parse_label(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    return site_label_valid(text) && copy_text(text, field, SITE_LABEL_MAX);
}

static bool parse_name(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    return site_name_valid(text) && copy_text(text, field, SITE_NAME_MAX);
}

/* A local interface that everybody knows is not what a site is to be called, nor a path. */
static bool parse_interface(struct bytes text, void *field, const struct site_option *option)
{
    return bytes_find(text, '/') == text.len && bytes_find(text, ' ') == text.len &&
           copy_text(text, field, (size_t)option->max);
}

static bool parse_number(struct bytes text, void *field, const struct site_option *option)
{
    uint64_t number;
    if (!text_parse_number(text, option->max, &number) || number < option->min)
        return false;
    *(uint32_t *)field = (uint32_t)number;
    return true;
}

/* Who decides how much may be under way: an algorithm's name. */
static bool parse_congestion(struct bytes text, void *field,
                             const struct site_option *option UNUSED)
{
    char name[16];
    if (text.len == 0 || !copy_text(text, name, sizeof name))
        return false;
    int kind = tcp_congestion_find(name);
    if (kind < 0)
        return false;
    *(uint8_t *)field = (uint8_t)kind;
    return true;
}

/* One of the names; the field is which. */
static bool parse_one_of(struct bytes text, void *field, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(text, bytes_of(names[i], strlen(names[i])))) {
            *(uint8_t *)field = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static bool parse_ecn(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    static const char *const names[] = {
        [TCP_ECN_OFF] = "off", [TCP_ECN_ACCEPT] = "accept", [TCP_ECN_ASK] = "ask"};
    _Static_assert(ARRAY_LEN(names) == TCP_ECN_COUNT, "one name per mode");
    return parse_one_of(text, field, names, ARRAY_LEN(names));
}

static bool parse_syn_cookies(struct bytes text, void *field,
                              const struct site_option *option UNUSED)
{
    static const char *const names[] = {[TCP_SYN_COOKIES_OFF] = "never",
                                        [TCP_SYN_COOKIES_WHEN_FULL] = "full",
                                        [TCP_SYN_COOKIES_ALWAYS] = "always"};
    _Static_assert(ARRAY_LEN(names) == TCP_SYN_COOKIES_COUNT, "one name per mode");
    return parse_one_of(text, field, names, ARRAY_LEN(names));
}

static bool parse_seed(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    return text_parse_number(text, UINT64_MAX, field);
}

static bool parse_duration(struct bytes text, void *field, const struct site_option *option)
{
    usec duration;
    if (!text_parse_duration(text, &duration) || duration < (usec)option->min ||
        duration > (usec)option->max)
        return false;
    *(usec *)field = duration;
    return true;
}

static bool parse_chance(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    return text_parse_chance(text, field);
}

static bool parse_rate(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    if (text.len == 1 && text.data[0] == '0') {
        *(uint64_t *)field = 0;
        return true;
    }
    return text_parse_rate(text, field);
}

static bool parse_switch(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    static const struct {
        const char *word;
        bool on;
    } words[] = {{"on", true},   {"yes", true}, {"true", true},
                 {"off", false}, {"no", false}, {"false", false}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (bytes_equal_nocase(text, bytes_of_text(words[i].word))) {
            *(bool *)field = words[i].on;
            return true;
        }
    }
    return false;
}

static bool parse_internet(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    bool host = bytes_equal(text, bytes_of_text("host"));
    if (!host && !bytes_equal(text, bytes_of_text("none")))
        return false;
    *(bool *)field = host;
    return true;
}

static bool parse_address_v4(struct bytes text, void *field,
                             const struct site_option *option UNUSED)
{
    struct ip_address address;
    if (!address_parse(text, &address) || !address_is_v4(&address) || address_is_any(&address) ||
        address_is_multicast(&address) || address_is_broadcast(&address))
        return false;
    *(struct ip_address *)field = address;
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

static bool parse_mac(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct mac mac;
    static const struct mac zeros;
    if (!mac_parse(text, &mac) || mac_is_multicast(&mac) || mac_equal(&mac, &zeros))
        return false;
    *(struct mac *)field = mac;
    return true;
}

/* FIRST-LAST */
static bool parse_pool(struct bytes text, void *field, const struct site_option *option)
{
    struct site_addresses *addresses = field;
    size_t dash = bytes_find(text, '-');
    struct ip_address first, last;
    if (!parse_address_v4(text_trim(bytes_first(text, dash)), &first, option) ||
        !parse_address_v4(text_trim(bytes_after(text, dash + 1)), &last, option) ||
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
    else if (!parse_address_v4(text, &addresses->router, option))
        return false;
    addresses->router_given = true;
    return true;
}

static bool parse_dns(struct bytes text, void *field, const struct site_option *option)
{
    struct site_addresses *addresses = field;
    if (addresses->dns_count == SITE_DNS_MAX ||
        !parse_address_v4(text, &addresses->dns[addresses->dns_count], option))
        return false;
    addresses->dns_count++;
    addresses->dns_given = true;
    return true;
}

/* ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT or PORT. */
bool site_listen_parse(struct bytes text, uint16_t default_port, struct endpoint *listen)
{
    uint64_t port;
    struct endpoint endpoint;
    struct ip_address address;
    if (text_parse_number(text, UINT16_MAX, &port) && port > 0) {
        listen->port = (uint16_t)port;
    } else if (endpoint_parse(text, &endpoint) && endpoint.port > 0) {
        *listen = endpoint;
    } else if (address_parse(text, &address)) {
        listen->address = address;
        listen->port = default_port;
    } else {
        return false;
    }
    return true;
}

static bool parse_listen(struct bytes text, void *field, const struct site_option *option)
{
    return site_listen_parse(text, (uint16_t)option->min, field);
}

bool site_server_parse_port(struct bytes text, uint16_t port, struct endpoint *out)
{
    struct endpoint endpoint;
    memset(&endpoint, 0, sizeof endpoint); /* a reload compares it octet by octet */
    endpoint.port = port;
    if ((!endpoint_parse(text, &endpoint) && !address_parse(text, &endpoint.address)) ||
        endpoint.port == 0 || address_is_any(&endpoint.address) ||
        address_is_multicast(&endpoint.address))
        return false;
    *out = endpoint;
    return true;
}

bool site_server_parse(struct bytes text, struct endpoint *out)
{
    return site_server_parse_port(text, 53, out);
}

/* A server that is asked over TLS, and by what name: "" none is checked. */
static bool add_secure(struct site_recursion *recursion, const struct endpoint *server,
                       struct bytes name)
{
    if (recursion->secure_count == SITE_SECURE_MAX || (name.len > 0 && !site_name_valid(name)))
        return false;
    struct site_secure *secure = &recursion->secure[recursion->secure_count];
    secure->server = *server;
    if (name.len > 0 && !copy_text(name, secure->name, SITE_NAME_MAX))
        return false;
    recursion->secure_count++;
    return true;
}

/* ADDRESS, ADDRESS:PORT, or over TLS with "#" and perhaps a name behind. */
static bool parse_server(struct bytes text, struct site_recursion *recursion, struct endpoint *out)
{
    struct endpoint endpoint;
    size_t hash = bytes_find(text, '#');
    bool secure = hash < text.len;
    struct bytes name = bytes_after(text, hash + 1);
    if (!site_server_parse_port(bytes_first(text, hash), secure ? 853 : 53, &endpoint))
        return false;
    if (secure && !add_secure(recursion, &endpoint, name))
        return false;
    *out = endpoint;
    return true;
}

static bool parse_forwarder(struct bytes text, void *field,
                            const struct site_option *option UNUSED)
{
    struct site_names *names = field;
    names->forward_given = true;
    if (bytes_equal(text, bytes_of_text("host"))) {
        names->forward_host = true;
        return true;
    }
    struct site_recursion *recursion = &CONTAINER_OF(names, struct site_config, names)->recursion;
    if (names->forwarder_count == SITE_FORWARDERS_MAX ||
        !parse_server(text, recursion, &names->forwarders[names->forwarder_count]))
        return false;
    names->forwarder_count++;
    return true;
}

/* The domain is read before the blocks, so that it is known here. */
static bool is_record(const struct site_names *names, struct bytes text)
{
    const struct site_config *config = CONTAINER_OF(names, const struct site_config, names);
    uint8_t buffer[SITE_TEXT_MAX * 2];
    struct writer rdata = writer_of(buffer, sizeof buffer);
    char reason[128];
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_name origin;
    struct dns_record record;
    if (!dns_name_parse(bytes_of_text(config->domain), NULL, &origin))
        return false;
    const struct dns_line_context context = {.origin = &origin};
    return dns_record_parse(text, &context, &rdata, &record, &error);
}

static bool parse_record(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_names *names = field;
    if (names->record_count == SITE_RECORDS_MAX || !is_record(names, text) ||
        !copy_text(text, names->records[names->record_count], SITE_TEXT_MAX))
        return false;
    names->record_count++;
    return true;
}

static bool parse_forwarded(struct bytes text, void *field, const struct site_option *option)
{
    struct site_proxy *proxy = field;
    proxy->forwarded_given = true;
    return parse_switch(text, &proxy->forwarded, option);
}

/* NAME FILE */
static bool parse_zone(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_zone_source *source = field;
    struct dns_name name;
    size_t end = bytes_find(text, ' ');
    if (source->zone_count == SITE_ZONES_MAX || text_trim(bytes_after(text, end)).len == 0 ||
        !dns_name_parse(bytes_first(text, end), NULL, &name) ||
        !copy_text(text, source->zones[source->zone_count], SITE_TEXT_MAX))
        return false;
    source->zone_count++;
    return true;
}

static bool parse_dns64(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct ip_prefix prefix;
    if (!prefix_parse(text, &prefix) || !resolver_dns64_valid(&prefix))
        return false;
    *(struct ip_prefix *)field = prefix;
    return true;
}

static bool parse_policy(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_recursion *recursion = field;
    struct dns_name name;
    size_t end = bytes_find(text, ' ');
    if (recursion->policy_count == SITE_POLICIES_MAX ||
        text_trim(bytes_after(text, end)).len == 0 ||
        !dns_name_parse(bytes_first(text, end), NULL, &name) ||
        !copy_text(text, recursion->policies[recursion->policy_count], SITE_TEXT_MAX))
        return false;
    recursion->policy_count++;
    return true;
}

static bool parse_resolve(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    static const char *const words[] = {[SITE_RESOLVE_NONE] = "none",
                                        [SITE_RESOLVE_FORWARD] = "forward",
                                        [SITE_RESOLVE_RECURSIVE] = "recursive"};
    struct site_recursion *recursion = field;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (bytes_equal(text, bytes_of_text(words[i]))) {
            recursion->resolve = (enum site_resolve)i;
            recursion->resolve_given = true;
            return true;
        }
    }
    return false;
}

static bool parse_insecure(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_recursion *recursion = field;
    struct dns_name name;
    if (recursion->insecure_count == SITE_INSECURE_MAX || !dns_name_parse(text, NULL, &name) ||
        !copy_text(text, recursion->insecure[recursion->insecure_count], SITE_NAME_MAX))
        return false;
    recursion->insecure_count++;
    return true;
}

/* The next `len` digits as a number. */
static unsigned take_digits(struct bytes *text, size_t len)
{
    uint64_t number = 0;
    if (!text_parse_number(bytes_first(*text, len), 9999, &number))
        number = 9999;
    *text = bytes_after(*text, len);
    return (unsigned)number;
}

/* YYYYMMDDHHMMSS, as signatures have it (RFC 4034 §3.2). */
static bool parse_date(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct calendar c = {0};
    if (text.len != 14)
        return false;
    c.year = take_digits(&text, 4);
    c.month = take_digits(&text, 2);
    c.day = take_digits(&text, 2);
    c.hour = take_digits(&text, 2);
    c.minute = take_digits(&text, 2);
    c.second = take_digits(&text, 2);
    if (c.year < 1971 || c.year > 2105 || !calendar_day_exists(c.year, c.month, c.day) ||
        c.hour > 23 || c.minute > 59 || c.second > 59)
        return false;
    *(int64_t *)field = calendar_seconds(&c);
    return true;
}

static bool parse_outgoing(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_recursion *recursion = field;
    bool both = bytes_equal(text, bytes_of_text("both"));
    bool v4 = both || bytes_equal(text, bytes_of_text("ipv4"));
    bool v6 = both || bytes_equal(text, bytes_of_text("ipv6"));
    if (!v4 && !v6)
        return false;
    recursion->v4 = v4;
    recursion->v6 = v6;
    return true;
}

/* DOMAIN ADDRESS… */
static bool parse_forward_for(struct bytes text, void *field,
                              const struct site_option *option UNUSED)
{
    struct site_recursion *recursion = field;
    struct dns_name name;
    if (recursion->forward_count == SITE_FORWARDS_MAX)
        return false;
    struct site_forward *forward = &recursion->forwards[recursion->forward_count];
    size_t end = bytes_find(text, ' ');
    if (!dns_name_parse(bytes_first(text, end), NULL, &name) ||
        !copy_text(bytes_first(text, end), forward->domain, SITE_NAME_MAX))
        return false;
    text = text_trim(bytes_after(text, end));
    for (; text.len > 0; text = text_trim(bytes_after(text, end))) {
        end = bytes_find(text, ' ');
        if (forward->count == SITE_FORWARDERS_MAX ||
            !parse_server(bytes_first(text, end), recursion, &forward->servers[forward->count]))
            return false;
        forward->count++;
    }
    recursion->forward_count += forward->count > 0;
    return forward->count > 0;
}

static bool parse_size(struct bytes text, void *field, const struct site_option *option)
{
    uint64_t size;
    if (!text_parse_size(text, &size) || size < option->min || size > option->max)
        return false;
    *(uint64_t *)field = size;
    return true;
}

/* A size, or 0 for no cache at all. */
static bool parse_cache(struct bytes text, void *field, const struct site_option *option)
{
    if (text.len == 1 && text.data[0] == '0') {
        *(uint64_t *)field = 0;
        return true;
    }
    return parse_size(text, field, option);
}

bool site_network_parse(struct bytes text, struct ip_prefix *out)
{
    struct ip_prefix prefix;
    memset(&prefix, 0, sizeof prefix);
    if (!prefix_parse(text, &prefix)) {
        if (!address_parse(text, &prefix.address))
            return false;
        prefix.len = address_is_v4(&prefix.address) ? 32 : 128;
    }
    *out = prefix;
    return true;
}

static bool parse_allowed(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_recursion *recursion = field;
    if (recursion->client_count == SITE_ALLOWED_MAX ||
        !site_network_parse(text, &recursion->clients[recursion->client_count]))
        return false;
    recursion->client_count++;
    return true;
}

static bool parse_cookies(struct bytes text, void *field, const struct site_option *option)
{
    bool on;
    enum site_cookies *cookies = field;
    if (bytes_equal(text, bytes_of_text("required")))
        *cookies = SITE_COOKIES_REQUIRED;
    else if (parse_switch(text, &on, option))
        *cookies = on ? SITE_COOKIES_ON : SITE_COOKIES_OFF;
    else
        return false;
    return true;
}

/* A network, or one address. */
static bool parse_client(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_view *view = field;
    if (view->client_count == SITE_CLIENTS_MAX ||
        !site_network_parse(text, &view->clients[view->client_count]))
        return false;
    view->client_count++;
    return true;
}

static bool parse_secondary(struct bytes text, void *field,
                            const struct site_option *option UNUSED)
{
    struct site_authority *authority = field;
    if (authority->secondary_count == SITE_RULES_MAX ||
        !site_rule_parse(text, &authority->secondaries[authority->secondary_count]))
        return false;
    authority->secondary_count++;
    return true;
}

static bool parse_update(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_authority *authority = field;
    if (authority->update_count == SITE_UPDATES_MAX ||
        !site_update_parse(text, &authority->updates[authority->update_count]))
        return false;
    authority->update_count++;
    return true;
}

static bool add_peer(struct bytes text, struct site_peers *peers, size_t max)
{
    if (peers->count == max || !site_peer_parse(text, &peers->peers[peers->count]))
        return false;
    peers->count++;
    return true;
}

/* Over TLS only zones are had; news go by datagrams. */
static bool parse_notified(struct bytes text, void *field, const struct site_option *option)
{
    struct site_peers *peers = field;
    return add_peer(text, peers, (size_t)option->max) && !peers->peers[peers->count - 1].secure;
}

static bool parse_primary(struct bytes text, void *field, const struct site_option *option)
{
    return add_peer(text, field, (size_t)option->max);
}

static bool parse_algorithm(struct bytes text, void *field,
                            const struct site_option *option UNUSED)
{
    return tsig_algorithm_parse(text, field);
}

static bool parse_sign(struct bytes text, void *field, const struct site_option *option)
{
    bool on;
    if (!parse_switch(text, &on, option))
        return false;
    *(bool *)field = !on; /* a block is there so that a zone is signed, unless it says otherwise */
    return true;
}

static bool parse_parent(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_signature *signature = field;
    if (signature->parent_count == SITE_PARENTS_MAX ||
        !site_server_parse(text, &signature->parents[signature->parent_count]))
        return false;
    signature->parent_count++;
    return true;
}

static bool parse_sign_algorithm(struct bytes text, void *field,
                                 const struct site_option *option UNUSED)
{
    return dns_algorithm_parse(text, field);
}

static bool parse_salt(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct sign_policy *policy = field;
    struct writer w = writer_of(policy->salt, sizeof policy->salt);
    bool none = bytes_equal(text, bytes_of_text("-"));
    if (text.len == 0 || (!none && (!encoding_decode(ENCODING_BASE16, text, &w) || w.failed)))
        return false;
    policy->salt_len = (uint8_t)writer_len(&w);
    return true;
}

static bool parse_serial(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    static const char *const words[] = {
        [SIGN_SERIAL_INCREMENT] = "increment",
        [SIGN_SERIAL_UNIXTIME] = "unixtime",
        [SIGN_SERIAL_KEEP] = "keep",
    };
    _Static_assert(ARRAY_LEN(words) == SIGN_SERIAL_COUNT, "one word for each");
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (bytes_equal(text, bytes_of_text(words[i]))) {
            *(enum sign_serial *)field = (enum sign_serial)i;
            return true;
        }
    return false;
}

static bool parse_secret(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_key *key = field;
    key->has_secret = tsig_secret_parse(text, &key->key);
    return key->has_secret;
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

static bool parse_published(struct bytes text, void *field,
                            const struct site_option *option UNUSED)
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
        !parse_interface(bytes_after(text, len), out->name, &name))
        return false;
    out->device = SITE_DEVICE_TAP;
    return true;
}

#define SIGNING(member) offsetof(struct site_signature_block, member)
#define AT(member) offsetof(struct site_config, member)
#define DURATION_TEXT "a duration such as 20ms, 1.5s or 2h"
#define CHANCE_TEXT "a chance such as 2%, 0.5% or 0.01"
#define PEERS_TEXT                                                                                 \
    "name servers such as 192.0.2.53, [2001:db8::53]:5353 or \"192.0.2.53 key transfer\""
#define LISTEN_TEXT "a port, an address or ADDRESS:PORT"

const struct site_option site_options[] = {
    {"", "domain", parse_name, AT(domain), 0, 0, false, "a domain name such as home.arpa"},
    {"", "control", parse_label, AT(control), 0, 0, false,
     "a name of letters, digits and hyphens, for `wholenet status NAME`"},

    {"link", "address", parse_link_address, AT(link.address), 0, 0, false,
     "an IPv4 address with its network's prefix length, 8 to 29, such as 10.0.2.1/24"},
    {"link", "mac", parse_mac, AT(link.mac), 0, 0, false,
     "a unicast MAC address such as 02:00:00:00:02:01"},
    {"link", "mtu", parse_number, AT(link.mtu), SITE_MTU_MIN, SITE_MTU_MAX, false,
     "a number of octets from 576 to 65520"},
    {"link", "delay", parse_duration, AT(link.impairments.delay), 0, 60 * USEC_PER_SEC, false,
     DURATION_TEXT ", at most 60s"},
    {"link", "jitter", parse_duration, AT(link.impairments.jitter), 0, 60 * USEC_PER_SEC, false,
     DURATION_TEXT ", at most 60s"},
    {"link", "loss", parse_chance, AT(link.impairments.loss), 0, 0, false, CHANCE_TEXT},
    {"link", "duplicate", parse_chance, AT(link.impairments.duplicate), 0, 0, false, CHANCE_TEXT},
    {"link", "reorder", parse_chance, AT(link.impairments.reorder), 0, 0, false, CHANCE_TEXT},
    {"link", "corrupt", parse_chance, AT(link.impairments.corrupt), 0, 0, false, CHANCE_TEXT},
    {"link", "rate", parse_rate, AT(link.impairments.rate), 0, 0, false,
     "a rate such as 10mbit, 1.5gbit or 64kbit, or 0 for no limit"},
    {"link", "queue", parse_number, AT(link.impairments.queue), 1, WIRE_IN_FLIGHT_MAX, false,
     "a number of frames from 1 to 65536"},
    {"link", "mark", parse_number, AT(link.impairments.mark), 1, WIRE_IN_FLIGHT_MAX, false,
     "a number of frames from 1 to 65536"},
    {"link", "seed", parse_seed, AT(link.seed), 0, 0, false, "a number"},
    {"link", "congestion", parse_congestion, AT(link.congestion), 0, 0, false,
     "cubic, newreno or bbr"},
    {"link", "ecn", parse_ecn, AT(link.ecn), 0, 0, false, "off, accept or ask"},
    {"link", "syn-cookies", parse_syn_cookies, AT(link.syn_cookies), 0, 0, false,
     "never, full or always"},

    {"gateway", "internet", parse_internet, AT(gateway.internet), 0, 0, false, "host or none"},
    {"gateway", "host-loopback", parse_switch, AT(gateway.host_loopback), 0, 0, false,
     "on or off"},
    {"gateway", "host-address", parse_address_v4, AT(gateway.host_address), 0, 0, false,
     "an IPv4 address of the link's network, such as 10.0.2.2"},
    {"gateway", "publish", parse_published, AT(gateway), 0, 0, true,
     "[ADDRESS:]PORT[:INNER][/udp] such as 8080:80, ports from 1 to 65535, at most 64 of them"},

    {"addresses", "pool", parse_pool, AT(addresses), 0, 0, false,
     "two IPv4 addresses, FIRST-LAST, such as 10.0.2.15-10.0.2.254"},
    {"addresses", "lease-time", parse_duration, AT(addresses.lease_time), USEC_PER_MINUTE,
     365 * 24 * USEC_PER_HOUR, false, DURATION_TEXT ", from 1m to 365d"},
    {"addresses", "router", parse_router, AT(addresses), 0, 0, false, "an IPv4 address or none"},
    {"addresses", "dns", parse_dns, AT(addresses), 0, 0, true, "IPv4 addresses, at most 4"},
    {"addresses", "interface", parse_interface, AT(addresses.interface), 0, SITE_DEVICE_MAX,
     false, "the name of a network device of the host"},
    {"addresses", "leases", parse_path, AT(addresses.leases), 0, SITE_TEXT_MAX, false,
     "a file, which is made if need be"},
    {"host", "mac", parse_mac, offsetof(struct site_host, mac), 0, 0, false,
     "a unicast MAC address such as 02:00:00:00:02:10"},
    {"host", "address", parse_address_v4, offsetof(struct site_host, address), 0, 0, false,
     "an IPv4 address"},

    {"names", "listen", parse_listen, AT(names.listen), 53, 0, false, LISTEN_TEXT},
    {"names", "listen-tls", parse_listen, AT(names_tls.listen), 853, 0, false, LISTEN_TEXT},
    {"names", "certificate", parse_path, AT(names_tls.certificate), 0, SITE_TEXT_MAX, false,
     "a file with a chain of certificates in PEM"},
    {"names", "certificate-key", parse_path, AT(names_tls.key), 0, SITE_TEXT_MAX, false,
     "a file with the certificate's key in PEM"},
    {"names", "certificate-staple", parse_path, AT(names_tls.staple), 0, SITE_TEXT_MAX, false,
     "a file with an OCSP response in DER"},
    {"names", "forward", parse_forwarder, AT(names), 0, 0, true,
     "host, or addresses of resolvers such as 192.0.2.53 or [2001:db8::53]:53, over TLS such as "
     "192.0.2.53#dns.example; at most 8"},
    {"names", "forward-trust", parse_text, AT(recursion.forward_trust), 0, SITE_TEXT_MAX, false,
     "a file with certificates in PEM"},
    {"names", "closed", parse_switch, AT(names.closed), 0, 0, false, "on or off"},
    {"names", "ttl", parse_duration, AT(names.ttl), 0, 7 * 24 * USEC_PER_HOUR, false,
     DURATION_TEXT ", at most 7d"},
    {"names", "record", parse_record, AT(names), 0, 0, true,
     "a record such as \"printer A 10.0.2.9\", at most 256 of them"},

    {"names", "resolve", parse_resolve, AT(recursion), 0, 0, false, "recursive, forward or none"},
    {"names", "roots", parse_path, AT(recursion.roots), 0, SITE_TEXT_MAX, false,
     "a file with the addresses of root servers"},
    {"names", "anchors", parse_anchors, AT(recursion.anchors), 0, SITE_TEXT_MAX, false,
     "a file with DS or DNSKEY records, or root"},
    {"names", "anchors-state", parse_text, AT(recursion.anchors_state), 0, SITE_TEXT_MAX, false,
     "a file that need not exist yet"},
    {"names", "insecure", parse_insecure, AT(recursion), 0, 0, true,
     "domains that are not validated, at most 32"},
    {"names", "validation-date", parse_date, AT(recursion.date), 0, 0, false,
     "a date such as 20260131235959"},
    {"names", "forward-for", parse_forward_for, AT(recursion), 0, 0, true,
     "a domain and whom to ask for it, such as \"corp.example 10.0.0.53\", at most 64 of them"},
    {"names", "outgoing", parse_outgoing, AT(recursion), 0, 0, false, "both, ipv4 or ipv6"},
    {"names", "servers-port", parse_number, AT(recursion.port), 1, UINT16_MAX, false,
     "a port from 1 to 65535"},
    {"names", "minimise", parse_switch, AT(recursion.minimise), 0, 0, false, "on or off"},
    {"names", "dns64", parse_dns64, AT(recursion.dns64), 0, 0, false,
     "an IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits, such as 64:ff9b::/96"},
    {"names", "policy", parse_policy, AT(recursion), 0, 0, true,
     "a policy zone's name and its file, such as \"block.list /srv/block.zone\", at most 8 of them"},
    {"names", "hosts", parse_text, AT(recursion.hosts), 0, SITE_TEXT_MAX, false, "a hosts file"},
    {"names", "aggressive", parse_switch, AT(recursion.aggressive), 0, 0, false, "on or off"},
    {"names", "cache", parse_size, AT(recursion.cache_octets), 64 * 1024, (uint64_t)1 << 40, false,
     "a number of octets such as 64M, at least 64k"},
    {"names", "cache-ttl-min", parse_duration, AT(recursion.ttl_min), 0, USEC_PER_HOUR, false,
     DURATION_TEXT ", at most 1h"},
    {"names", "cache-ttl-max", parse_duration, AT(recursion.ttl_max), USEC_PER_SEC,
     30 * USEC_PER_DAY, false, DURATION_TEXT ", from 1s to 30d"},
    {"names", "negative-ttl-max", parse_duration, AT(recursion.negative_ttl_max), 0, USEC_PER_DAY,
     false, DURATION_TEXT ", at most 1d"},
    {"names", "stale", parse_duration, AT(recursion.stale_max), 0, 30 * USEC_PER_DAY, false,
     DURATION_TEXT ", at most 30d"},
    {"names", "recursion-for", parse_allowed, AT(recursion), 0, 0, true,
     "networks or addresses such as 10.0.0.0/8 or fd00::1, at most 32"},
    {"names", "zone", parse_zone, AT(authority.everybody), 0, 0, true,
     "a zone's name and its file, such as \"example.org /srv/example.org.zone\", at most 64 of them"},
    {"names", "zones", parse_text, AT(authority.everybody.from), 0, SITE_TEXT_MAX, false,
     "a directory with a file NAME.zone for each zone, or a file with a zone's name and file in each "
     "line"},
    {"names", "minimal", parse_switch, AT(authority.minimal), 0, 0, false, "on or off"},
    {"names", "cookies", parse_cookies, AT(authority.cookies), 0, 0, false, "on, off or required"},
    {"names", "udp-size", parse_number, AT(authority.udp_size), 512, 4096, false,
     "a number of octets from 512 to 4096"},
    {"names", "identity", parse_text, AT(authority.identity), 0, SITE_LABEL_MAX, false,
     "a text of at most 63 octets"},
    {"names", "version", parse_text, AT(authority.version), 0, SITE_LABEL_MAX, false,
     "a text of at most 63 octets"},
    {"names", "rate-limit", parse_number, AT(authority.rate_limit), 0, 1000000, false,
     "a number of replies a second from 1 to 1000000, or 0 for no limit"},
    {"names", "rate-slip", parse_number, AT(authority.rate_slip), 0, 10, false,
     "a number from 0 to 10"},
    {"names", "rate-prefix-v4", parse_number, AT(authority.rate_prefix_v4), 1, 32, false,
     "a number of bits from 1 to 32"},
    {"names", "rate-prefix-v6", parse_number, AT(authority.rate_prefix_v6), 1, 128, false,
     "a number of bits from 1 to 128"},
    {"names", "secondaries", parse_secondary, AT(authority), 0, 0, true,
     "networks or addresses such as 10.0.0.0/8 or fd00::1, keys such as \"key transfer\", or both: "
     "\"10.0.0.0/8 key transfer\"; at most 16"},
    {"names", "update", parse_update, AT(authority), 0, 0, true,
     "who may change what, such as \"key admin\", \"key dhcp below dyn.example types A AAAA TXT\" or "
     "\"10.0.0.0/8 key host self\"; at most 64"},
    {"names", "journal", parse_text, AT(names.journal), 0, SITE_TEXT_MAX, false,
     "a file, which is made if need be"},
    {"names", "primaries-trust", parse_text, AT(names.primaries_trust), 0, SITE_TEXT_MAX, false,
     "a file with certificates"},
    {"names", "notify", parse_notified, AT(authority.notified), 0, SITE_NOTIFIED_MAX, true,
     PEERS_TEXT ", at most 16 of them"},
    {"secondary", "primaries", parse_primary, offsetof(struct site_secondary, primaries), 0,
     SITE_PRIMARIES_MAX, true,
     PEERS_TEXT ", with \"#\" and perhaps a name behind the address for TLS, at most 8 of them"},
    {"secondary", "notify", parse_notified, offsetof(struct site_secondary, notified), 0,
     SITE_NOTIFIED_MAX, true, PEERS_TEXT ", at most 16 of them"},
    {"secondary", "file", parse_text, offsetof(struct site_secondary, file), 0, SITE_TEXT_MAX,
     false, "a file, which is made if need be"},
    {"secondary", "size", parse_size, offsetof(struct site_secondary, octets_max), 64 * 1024,
     (uint64_t)1 << 40, false, "a number of octets such as 64M, at least 64k"},
    {"key", "algorithm", parse_algorithm, offsetof(struct site_key, key.algorithm), 0, 0, false,
     "hmac-sha256, hmac-sha1, hmac-sha224, hmac-sha384, hmac-sha512, hmac-sha256-128, "
     "hmac-sha384-192 or hmac-sha512-256"},
    {"key", "secret", parse_secret, 0, 0, 0, false, "octets in base64, at most 256"},
    {"key", "file", parse_text, offsetof(struct site_key, file), 0, SITE_TEXT_MAX, false,
     "a file with the key or its secret"},
    {"signing", "sign", parse_sign, SIGNING(signature.off), 0, 0, false, "on or off"},
    {"signing", "keys", parse_text, SIGNING(keys), 0, SITE_TEXT_MAX, false, "a directory"},
    {"signing", "algorithm", parse_sign_algorithm, SIGNING(signature.algorithm), 0, 0, false,
     "ECDSAP256SHA256, ECDSAP384SHA384, ED25519, ED448, RSASHA256 or RSASHA512"},
    {"signing", "bits", parse_number, SIGNING(signature.bits), 1024, 4096, false,
     "a number of bits from 1024 to 4096"},
    {"signing", "separate", parse_switch, SIGNING(signature.separate), 0, 0, false, "on or off"},
    {"signing", "nsec3", parse_switch, SIGNING(signature.policy.nsec3), 0, 0, false, "on or off"},
    {"signing", "opt-out", parse_switch, SIGNING(signature.policy.opt_out), 0, 0, false, "on or off"},
    {"signing", "iterations", parse_number, SIGNING(iterations), 0, SIGN_ITERATIONS_MAX, false,
     "a number from 0 (as RFC 9276 asks for) to 100"},
    {"signing", "salt", parse_salt, SIGNING(signature.policy), 0, 0, false,
     "at most 32 octets in hexadecimal, or -"},
    {"signing", "validity", parse_duration, SIGNING(validity), USEC_PER_HOUR, 365 * USEC_PER_DAY,
     false, DURATION_TEXT ", from 1h to 365d"},
    {"signing", "refresh", parse_duration, SIGNING(refresh), USEC_PER_MINUTE, 365 * USEC_PER_DAY,
     false, DURATION_TEXT ", from 1m to 365d"},
    {"signing", "jitter", parse_duration, SIGNING(jitter), USEC_PER_SEC, 365 * USEC_PER_DAY, false,
     DURATION_TEXT ", from 1s to 365d"},
    {"signing", "serial", parse_serial, SIGNING(signature.policy.serial), 0, 0, false,
     "increment, unixtime or keep"},
    {"signing", "zonemd", parse_switch, SIGNING(signature.policy.zonemd), 0, 0, false, "on or off"},
    {"signing", "delete-ds", parse_switch, SIGNING(signature.policy.delete_ds), 0, 0, false,
     "on or off"},
    {"signing", "key-ttl", parse_duration, SIGNING(key_ttl), USEC_PER_SEC, 7 * USEC_PER_DAY, false,
     DURATION_TEXT ", from 1s to 7d"},
    {"signing", "ds-ttl", parse_duration, SIGNING(ds_ttl), USEC_PER_SEC, 30 * USEC_PER_DAY, false,
     DURATION_TEXT ", from 1s to 30d"},
    {"signing", "propagation", parse_duration, SIGNING(propagation), USEC_PER_SEC, 30 * USEC_PER_DAY,
     false, DURATION_TEXT ", from 1s to 30d"},
    {"signing", "parent-propagation", parse_duration, SIGNING(parent_propagation), USEC_PER_SEC,
     30 * USEC_PER_DAY, false, DURATION_TEXT ", from 1s to 30d"},
    {"signing", "parent", parse_parent, SIGNING(signature), 0, 0, true,
     "addresses of the parent's servers such as 192.0.2.53 or [2001:db8::53]:53, at most 8"},
    {"signing", "zsk-lifetime", parse_duration, SIGNING(zsk_lifetime), USEC_PER_HOUR,
     3650 * USEC_PER_DAY, false, DURATION_TEXT ", from 1h to 3650d"},
    {"signing", "ksk-lifetime", parse_duration, SIGNING(ksk_lifetime), USEC_PER_HOUR,
     3650 * USEC_PER_DAY, false, DURATION_TEXT ", from 1h to 3650d"},
    {"view", "clients", parse_client, offsetof(struct site_view_block, view), 0, 0, true,
     "networks or addresses such as 10.0.0.0/8 or fd00::1, at most 16"},
    {"view", "zone", parse_zone, offsetof(struct site_view_block, source), 0, 0, true,
     "a zone's name and its file, such as \"example.org /srv/inside.zone\", at most 64 of them"},
    {"view", "zones", parse_text, offsetof(struct site_view_block, source.from), 0, SITE_TEXT_MAX,
     false,
     "a directory with a file NAME.zone for each zone, or a file with a zone's name and file in each "
     "line"},

    {"web", "listen", site_web_parse_listen, AT(web), 80, 0, true,
     LISTEN_TEXT ", each perhaps with \"tls\" behind it, at most 8"},
    {"web", "name", parse_label, AT(web.name), 0, 0, false, "one label such as www"},
    {"web", "connections", parse_number, AT(web.config.connections_max), 1, 1000000, false,
     "a number from 1 to 1000000"},
    {"web", "connections-per-address", parse_number, AT(web.config.connections_per_address), 0,
     1000000, false, "a number from 0 to 1000000"},
    {"web", "access-log", parse_path, AT(web.config.access_log), 0, WEB_TEXT_MAX, false, "a file"},
    {"web", "log-format", site_web_parse_log_format, AT(web.config.log_format), 0, 0, false,
     "combined or json"},
    {"web", "certificate", parse_path, AT(web.config.hosts[0].certificate), 0, WEB_TEXT_MAX, false,
     "a file"},
    {"web", "certificate-key", parse_path, AT(web.config.hosts[0].key), 0, WEB_TEXT_MAX, false, "a file"},
    {"web", "certificate-staple", parse_path, AT(web.config.hosts[0].staple), 0, WEB_TEXT_MAX, false, "a file"},
    {"proxy", "listen", site_proxy_parse_listen, AT(proxy), 3128, 0, true,
     "an address and port, \"tls\" behind it for TLS, at most 4 of them"},
    {"proxy", "name", site_proxy_parse_name, AT(proxy.name), 0, 0, false, "a word of at most 63 octets"},
    {"proxy", "servers", site_proxy_parse_server, AT(proxy), 0, 0, true,
     "servers such as 10.0.0.5:8000 or https://origin.example, at most 32 of them"},
    {"proxy", "parents", site_proxy_parse_parent, AT(proxy), 0, 0, true,
     "proxies such as 10.0.0.1:3128, at most 32 of them"},
    {"proxy", "balance", site_proxy_parse_balance, AT(proxy.balance), 0, 0, false,
     "round-robin, least-connections or hash"},
    {"proxy", "keep-host", parse_switch, AT(proxy.keep_host), 0, 0, false, "on or off"},
    {"proxy", "forwarded", parse_forwarded, AT(proxy), 0, 0, false, "on or off"},
    {"proxy", "cache", parse_cache, AT(proxy.cache_octets), 64 * 1024, (uint64_t)1 << 40, false,
     "a number of octets such as 64M, at least 64k, or 0"},
    {"proxy", "object-max", parse_size, AT(proxy.object_octets), 1024, (uint64_t)1 << 40, false,
     "a number of octets such as 16M, at least 1k"},
    {"proxy", "private", parse_switch, AT(proxy.cache_private), 0, 0, false, "on or off"},
    {"proxy", "allow", site_proxy_parse_allow, AT(proxy), 0, 0, true,
     "networks or addresses such as 10.0.0.0/8 or fd00::1, at most 32, or everybody"},
    {"proxy", "purge-allow", site_proxy_parse_purgers, AT(proxy), 0, 0, true,
     "networks or addresses such as 10.0.0.0/8 or fd00::1, at most 32"},
    {"proxy", "connect-ports", site_proxy_parse_ports, AT(proxy), 0, 0, true,
     "ports such as 443 or 8000-8999, at most 16 of them"},
    {"proxy", "users", parse_path, AT(proxy.users), 0, SITE_TEXT_MAX, false, "a file"},
    {"proxy", "realm", parse_text, AT(proxy.realm), 0, SITE_LABEL_MAX, false,
     "a text of at most 63 octets"},
    {"proxy", "trust", parse_path, AT(proxy.trust), 0, SITE_TEXT_MAX, false, "a file"},
    {"proxy", "certificate", parse_path, AT(proxy.tls.certificate), 0, SITE_TEXT_MAX, false,
     "a file"},
    {"proxy", "certificate-key", parse_path, AT(proxy.tls.key), 0, SITE_TEXT_MAX, false, "a file"},
    {"proxy", "certificate-staple", parse_path, AT(proxy.tls.staple), 0, SITE_TEXT_MAX, false, "a file"},
    {"proxy", "connect-timeout", parse_duration, AT(proxy.connect_timeout), USEC_PER_MSEC,
     USEC_PER_HOUR, false, DURATION_TEXT ", at most 1h"},
    {"proxy", "answer-timeout", parse_duration, AT(proxy.answer_timeout), USEC_PER_MSEC,
     USEC_PER_DAY, false, DURATION_TEXT ", at most 1d"},
    {"proxy", "tunnel-timeout", parse_duration, AT(proxy.tunnel_timeout), USEC_PER_SEC,
     30 * USEC_PER_DAY, false, DURATION_TEXT ", from 1s to 30d"},
    {"proxy", "connections", parse_number, AT(proxy.connections_max), 1, 1000000, false,
     "a number from 1 to 1000000"},
    {"proxy", "access-log", parse_path, AT(proxy.access_log), 0, SITE_TEXT_MAX, false, "a file"},
    {"proxy", "log-format", site_web_parse_log_format, AT(proxy.log_format), 0, 0, false,
     "combined or json"},
    {"site", "names", site_web_parse_name, offsetof(struct site_web_host, host), 0, 0, true,
     "names of hosts such as example.org or *.example.org, at most 8 with the title's"},
    {"site", "certificate", parse_path, offsetof(struct site_web_host, host.certificate), 0,
     WEB_TEXT_MAX, false, "a file"},
    {"site", "certificate-key", parse_path, offsetof(struct site_web_host, host.key), 0, WEB_TEXT_MAX, false,
     "a file"},
    {"site", "certificate-staple", parse_path, offsetof(struct site_web_host, host.staple), 0, WEB_TEXT_MAX,
     false, "a file"},
    {"location", "root", parse_path, offsetof(struct web_rule, root), 0, WEB_TEXT_MAX, false,
     "a directory"},
    {"location", "index", site_web_parse_index, 0, 0, 0, true,
     "names of files, at most 4"},
    {"location", "listing", site_web_parse_off, offsetof(struct web_rule, listing_off), 0, 0, false,
     "on or off"},
    {"location", "hidden", parse_switch, offsetof(struct web_rule, hidden), 0, 0, false,
     "on or off"},
    {"location", "built-in", site_web_parse_off, offsetof(struct web_rule, built_in_off), 0, 0, false,
     "on or off"},
    {"location", "symlinks", site_web_parse_symlinks, offsetof(struct web_rule, symlinks), 0, 0, false,
     "within, none or any"},
    {"location", "type", site_web_parse_type, 0, 0, 0, true,
     "an ending and a type, such as \"md text/markdown\", at most 16 of them"},
    {"location", "compress", site_web_parse_off, offsetof(struct web_rule, compress_off), 0, 0, false,
     "on or off"},
    {"location", "precompressed", parse_switch, offsetof(struct web_rule, precompressed), 0, 0, false,
     "on or off"},
    {"location", "cache-control", parse_text, offsetof(struct web_rule, cache_control), 0, 128, false,
     "directives such as \"public, immutable\""},
    {"location", "expires", parse_duration, offsetof(struct web_rule, expires), 0, (uint64_t)3650 * USEC_PER_DAY, false, DURATION_TEXT},
    {"location", "header", site_web_parse_header, 0, 0, 0, true,
     "fields such as \"Referrer-Policy: no-referrer\", at most 8 of them"},
    {"location", "error-page", site_web_parse_error_page, 0, 0, 0, true,
     "a status and a path, such as \"404 /missing.html\", at most 8 of them"},
    {"location", "redirect", site_web_parse_redirect, 0, 0, 0, false,
     "a status and where to, such as \"301 https://example.org/*\""},
    {"location", "rewrite", site_web_parse_rewrite, 0, 0, 0, true,
     "two paths, such as \"/old/* /new/*\", at most 16 of them"},
    {"location", "access", site_web_parse_access, 0, 0, 0, true,
     "\"allow\" or \"deny\" and a network or \"all\", at most 32 of them"},
    {"location", "auth", site_web_parse_auth, offsetof(struct web_rule, auth), 0, 0, false,
     "basic, digest or none"},
    {"location", "realm", site_web_parse_realm, 0, 0, 0, false,
     "a text of at most 63 octets without quotes"},
    {"location", "users", parse_path, offsetof(struct web_rule, users), 0, WEB_TEXT_MAX, false,
     "a file"},
    {"location", "upload", parse_switch, offsetof(struct web_rule, upload), 0, 0, false,
     "on or off"},
    {"location", "body-max", parse_size, offsetof(struct web_rule, body_max), 1, (uint64_t)1 << 50, false,
     "a number of octets such as 10M"},
    {"location", "rate", parse_number, offsetof(struct web_rule, rate), 0, 1000000, false,
     "a number of requests a second from 1 to 1000000, or 0 for no limit"},
    {"location", "burst", parse_number, offsetof(struct web_rule, burst), 0, 1000000, false,
     "a number of requests from 1 to 1000000"},
    {"location", "dns", parse_switch, offsetof(struct web_rule, dns), 0, 0, false,
     "on or off"},
    {"location", "https-only", parse_switch, offsetof(struct web_rule, https_only), 0, 0, false,
     "on or off"},
    {"location", "hsts", parse_duration, offsetof(struct web_rule, hsts), 0, (uint64_t)3650 * USEC_PER_DAY, false, DURATION_TEXT},
};

const size_t site_option_count = ARRAY_LEN(site_options);
_Static_assert(ARRAY_LEN(site_options) <= SITE_OPTIONS_MAX, "site_config.lines has one for each");

const struct site_option *site_option_find(const char *section, const char *name)
{
    for (size_t i = 0; i < site_option_count; i++) {
        const struct site_option *option = &site_options[i];
        if (strcmp(option->section, section) == 0 && strcmp(option->name, name) == 0)
            return option;
    }
    return NULL;
}

bool site_option_is_in(const struct site_option *option, const char *section)
{
    bool around = strcmp(section, "web") == 0 || strcmp(section, "site") == 0;
    return strcmp(option->section, section) == 0 ||
           (around && strcmp(option->section, "location") == 0);
}

bool site_option_is_path(const struct site_option *option, const char *value)
{
    if (option->parse == parse_anchors)
        return strcmp(value, "root") != 0; /* the root zone's, which are built in */
    return option->parse == parse_path;
}

bool site_config_set(struct site_config *config, const char *section, const char *option,
                     const char *value, struct text *error)
{
    const struct site_option *found = site_option_find(section, option);
    ASSERT(found != NULL && strcmp(section, "host") != 0 && strcmp(section, "site") != 0 && strcmp(section, "view") != 0);
    if (found->parse(bytes_of_text(value), (char *)config + found->offset, found))
        return true;
    text_add_format(error, "expected %s", found->expected);
    return false;
}
