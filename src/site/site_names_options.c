/* SPDX-License-Identifier: ISC */
/*
 * site_names_options.c - the options of the block "names" and of the blocks in it.
 */
#include "site/site_names.h"
#include "site/site_values.h"

#include "app/names/names_resolver.h"
#include "base/calendar.h"
#include "base/encoding.h"
#include "wire/dns/dns_record.h"

/* A server that is asked over TLS, and by what name: "" none is checked. */
static bool add_secure(struct site_recursion *recursion, const struct endpoint *server,
                       struct bytes name)
{
    if (recursion->secure_count == SITE_SECURE_MAX || (name.len > 0 && !site_name_valid(name)))
        return false;
    struct site_secure *secure = &recursion->secure[recursion->secure_count];
    secure->server = *server;
    if (name.len > 0 && !site_copy_text(name, secure->name, SITE_NAME_MAX))
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

static bool parse_forwarder(struct bytes text, void *field, const struct site_option *option UNUSED)
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

static bool parse_view_forwarder(struct bytes text, void *field,
                                 const struct site_option *option UNUSED)
{
    struct site_view *view = field;
    if (view->forwarder_count == SITE_FORWARDERS_MAX ||
        !parse_server(text, &view->own, &view->forwarders[view->forwarder_count]))
        return false;
    view->forwarder_count++;
    return true;
}

/* The domain is read before the blocks, so that it is known here. */
static bool is_record(const char *domain, struct bytes text)
{
    uint8_t buffer[SITE_TEXT_MAX * 2];
    struct writer rdata = writer_of(buffer, sizeof buffer);
    char reason[128];
    struct dns_error error = dns_error_of(reason, sizeof reason);
    struct dns_name origin;
    struct dns_record record;
    if (!dns_name_parse(bytes_of_text(domain), NULL, &origin))
        return false;
    const struct dns_line_context context = {.origin = &origin};
    return dns_record_parse(text, &context, &rdata, &record, &error);
}

static bool parse_record(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_names *names = field;
    const struct site_config *config = CONTAINER_OF(names, const struct site_config, names);
    if (names->record_count == SITE_RECORDS_MAX || !is_record(config->domain, text) ||
        !site_copy_text(text, names->records[names->record_count], SITE_TEXT_MAX))
        return false;
    names->record_count++;
    return true;
}

/* In whatever domain: that of the site is not known here. */
static bool parse_view_record(struct bytes text, void *field,
                              const struct site_option *option UNUSED)
{
    struct site_view *view = field;
    if (view->record_count == SITE_VIEW_RECORDS_MAX || !is_record(".", text) ||
        !site_copy_text(text, view->records[view->record_count], SITE_TEXT_MAX))
        return false;
    view->record_count++;
    return true;
}

/* NAME FILE */
static bool parse_zone(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_zone_source *source = field;
    struct dns_name name;
    size_t end = bytes_find(text, ' ');
    if (source->zone_count == SITE_ZONES_MAX || text_trim(bytes_after(text, end)).len == 0 ||
        !dns_name_parse(bytes_first(text, end), NULL, &name) ||
        !site_copy_text(text, source->zones[source->zone_count], SITE_TEXT_MAX))
        return false;
    source->zone_count++;
    return true;
}

static bool parse_dns64(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct ip_prefix prefix;
    if (!prefix_parse(text, &prefix) || !dns64_valid(&prefix))
        return false;
    *(struct ip_prefix *)field = prefix;
    return true;
}

/* NAME [FILE] */
static bool parse_policy(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_lists *lists = field;
    struct dns_name name;
    size_t end = bytes_find(text, ' ');
    if (lists->policy_count == SITE_POLICIES_MAX || !dns_name_parse(bytes_first(text, end), NULL, &name) ||
        !site_copy_text(text, lists->policies[lists->policy_count], SITE_TEXT_MAX))
        return false;
    lists->policy_count++;
    return true;
}

/* Those of a view, or the word that it has none. */
static bool parse_view_policy(struct bytes text, void *field, const struct site_option *option)
{
    struct site_lists *lists = field;
    bool none = bytes_equal(text, bytes_of_text("none"));
    if (none ? lists->policy_count > 0 : lists->none)
        return false;
    lists->none |= none;
    return none || parse_policy(text, field, option);
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
        !site_copy_text(text, recursion->insecure[recursion->insecure_count], SITE_NAME_MAX))
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
        !site_copy_text(bytes_first(text, end), forward->domain, SITE_NAME_MAX))
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

static bool parse_rule(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_rules *rules = field;
    if (rules->count == SITE_RULES_MAX || !site_rule_parse(text, &rules->rules[rules->count]))
        return false;
    rules->count++;
    return true;
}

static bool parse_own_names(struct bytes text, void *field, const struct site_option *option)
{
    bool recursion;
    if (!site_parse_switch(text, &recursion, option))
        return false;
    *(bool *)field = !recursion;
    return true;
}

static bool parse_cookies(struct bytes text, void *field, const struct site_option *option)
{
    bool on;
    enum site_cookies *cookies = field;
    if (bytes_equal(text, bytes_of_text("required")))
        *cookies = SITE_COOKIES_REQUIRED;
    else if (site_parse_switch(text, &on, option))
        *cookies = on ? SITE_COOKIES_ON : SITE_COOKIES_OFF;
    else
        return false;
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
    if (bytes_equal(text, bytes_of_text("servers"))) {
        peers->servers = true;
        return true;
    }
    return add_peer(text, peers, (size_t)option->max) && !peers->peers[peers->count - 1].secure;
}

static bool parse_primary(struct bytes text, void *field, const struct site_option *option)
{
    return add_peer(text, field, (size_t)option->max);
}

static bool parse_accept(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct site_catalog *catalog = field;
    struct dns_name name;
    if (catalog->accept_count == SITE_ACCEPT_MAX || !dns_name_parse(text, NULL, &name) ||
        !site_copy_text(text, catalog->accept[catalog->accept_count], SITE_NAME_MAX))
        return false;
    catalog->accept_count++;
    return true;
}

static bool parse_zone_name(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct dns_name name;
    return dns_name_parse(text, NULL, &name) && site_copy_text(text, field, SITE_NAME_MAX);
}

static bool parse_algorithm(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    return tsig_algorithm_parse(text, field);
}

static bool parse_sign(struct bytes text, void *field, const struct site_option *option)
{
    bool on;
    if (!site_parse_switch(text, &on, option))
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

#define CATALOG(member) offsetof(struct site_catalog, member)
#define PRIMARIES_TEXT                                                                              \
    PEERS_TEXT ", with \"#\" and perhaps a name behind the address for TLS, at most 8 of them"
#define NOTIFIED_TEXT "servers, which are those that a zone names, or " PEERS_TEXT ", at most 16 of them"
#define VIEW(member) offsetof(struct site_view_block, member)
#define RULES_TEXT                                                                                  \
    "any, networks or addresses such as 10.0.0.0/8 or fd00::1, keys such as \"key inside\", or both: " \
    "\"10.0.0.0/8 key inside\"; at most 32"
#define SIGNING(member) offsetof(struct site_signature_block, member)
#define PEERS_TEXT                                                                                 \
    "name servers such as 192.0.2.53, [2001:db8::53]:5353 or \"192.0.2.53 key transfer\""

static bool parse_local(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    bool mdns = bytes_equal(text, bytes_of_text("mdns"));
    if (!mdns && !bytes_equal(text, bytes_of_text("none")))
        return false;
    *(bool *)field = mdns;
    return true;
}

static const struct site_option options[] = {
    {"names", "listen", site_parse_listen, SITE_AT(names.listen), 53, 0, false, SITE_LISTEN_TEXT},
    {"names", "listen-tls", site_parse_listen, SITE_AT(names_tls.listen), 853, 0, false,
     SITE_LISTEN_TEXT},
    {"names", "certificate", site_parse_path, SITE_AT(names_tls.certificate), 0, SITE_TEXT_MAX,
     false,
     "a file with a chain of certificates in PEM"},
    {"names", "certificate-key", site_parse_path, SITE_AT(names_tls.key), 0, SITE_TEXT_MAX, false,
     "a file with the certificate's key in PEM"},
    {"names", "certificate-staple", site_parse_path, SITE_AT(names_tls.staple), 0, SITE_TEXT_MAX,
     false,
     "a file with an OCSP response in DER"},
    {"names", "forward", parse_forwarder, SITE_AT(names), 0, 0, true,
     "host, or addresses of resolvers such as 192.0.2.53 or [2001:db8::53]:53, over TLS such as "
     "192.0.2.53#dns.example; at most 8"},
    {"names", "forward-trust", site_parse_text, SITE_AT(recursion.forward_trust), 0, SITE_TEXT_MAX,
     false,
     "a file with certificates in PEM"},
    {"names", "closed", site_parse_switch, SITE_AT(names.closed), 0, 0, false, "on or off"},
    {"names", "ttl", site_parse_duration, SITE_AT(names.ttl), 0, 7 * 24 * USEC_PER_HOUR, false,
     SITE_DURATION_TEXT ", at most 7d"},
    {"names", "record", parse_record, SITE_AT(names), 0, 0, true,
     "a record such as \"printer A 10.0.2.9\", at most 256 of them"},
    {"names", "resolve", parse_resolve, SITE_AT(recursion), 0, 0, false,
     "recursive, forward or none"},
    {"names", "roots", site_parse_path, SITE_AT(recursion.roots), 0, SITE_TEXT_MAX, false,
     "a file with the addresses of root servers"},
    {"names", "anchors", site_parse_anchors, SITE_AT(recursion.anchors), 0, SITE_TEXT_MAX, false,
     "a file with DS or DNSKEY records, or root"},
    {"names", "anchors-state", site_parse_text, SITE_AT(recursion.anchors_state), 0, SITE_TEXT_MAX,
     false,
     "a file that need not exist yet"},
    {"names", "insecure", parse_insecure, SITE_AT(recursion), 0, 0, true,
     "domains that are not validated, at most 32"},
    {"names", "validation-date", parse_date, SITE_AT(recursion.date), 0, 0, false,
     "a date such as 20260131235959"},
    {"names", "forward-for", parse_forward_for, SITE_AT(recursion), 0, 0, true,
     "a domain and whom to ask for it, such as \"corp.example 10.0.0.53\", at most 64 of them"},
    {"names", "outgoing", parse_outgoing, SITE_AT(recursion), 0, 0, false, "both, ipv4 or ipv6"},
    {"names", "servers-port", site_parse_number, SITE_AT(recursion.port), 1, UINT16_MAX, false,
     "a port from 1 to 65535"},
    {"names", "minimise", site_parse_switch, SITE_AT(recursion.minimise), 0, 0, false, "on or off"},
    {"names", "local", parse_local, SITE_AT(names.local), 0, 0, false, "none or mdns"},
    {"names", "dns64", parse_dns64, SITE_AT(recursion.dns64), 0, 0, false,
     "an IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits, such as 64:ff9b::/96"},
    {"names", "policy", parse_policy, SITE_AT(recursion.lists), 0, 0, true,
     "a policy zone's name and its file, such as \"block.list /srv/block.zone\", or the name alone of a "
     "zone that is served here, at most 8 of them"},
    {"names", "hosts", site_parse_text, SITE_AT(recursion.lists.hosts), 0, SITE_TEXT_MAX, false,
     "a hosts file"},
    {"names", "aggressive", site_parse_switch, SITE_AT(recursion.aggressive), 0, 0, false,
     "on or off"},
    {"names", "cache", site_parse_size, SITE_AT(recursion.cache_octets), 64 * 1024, (uint64_t)1 <<
     40, false,
     "a number of octets such as 64M, at least 64k"},
    {"names", "cache-ttl-min", site_parse_duration, SITE_AT(recursion.ttl_min), 0, USEC_PER_HOUR,
     false,
     SITE_DURATION_TEXT ", at most 1h"},
    {"names", "cache-ttl-max", site_parse_duration, SITE_AT(recursion.ttl_max), USEC_PER_SEC,
     30 * USEC_PER_DAY, false, SITE_DURATION_TEXT ", from 1s to 30d"},
    {"names", "negative-ttl-max", site_parse_duration, SITE_AT(recursion.negative_ttl_max), 0,
     USEC_PER_DAY,
     false, SITE_DURATION_TEXT ", at most 1d"},
    {"names", "stale", site_parse_duration, SITE_AT(recursion.stale_max), 0, 30 * USEC_PER_DAY,
     false,
     SITE_DURATION_TEXT ", at most 30d"},
    {"names", "query-for", parse_rule, SITE_AT(authority.reach.queries), 0, 0, true, RULES_TEXT},
    {"names", "recursion-for", parse_rule, SITE_AT(authority.reach.recursion), 0, 0, true, RULES_TEXT},
    {"names", "cache-for", parse_rule, SITE_AT(authority.reach.cache), 0, 0, true, RULES_TEXT},
    {"names", "zone", parse_zone, SITE_AT(authority.everybody), 0, 0, true,
     "a zone's name and its file, such as \"example.org /srv/example.org.zone\", at most 64 of them"},
    {"names", "zones", site_parse_text, SITE_AT(authority.everybody.from), 0, SITE_TEXT_MAX, false,
     "a directory with a file NAME.zone for each zone, or a file with a zone's name and file in each "
     "line"},
    {"names", "minimal", site_parse_switch, SITE_AT(authority.minimal), 0, 0, false, "on or off"},
    {"names", "cookies", parse_cookies, SITE_AT(authority.cookies), 0, 0, false,
     "on, off or required"},
    {"names", "udp-size", site_parse_number, SITE_AT(authority.udp_size), 512, 4096, false,
     "a number of octets from 512 to 4096"},
    {"names", "identity", site_parse_text, SITE_AT(authority.identity), 0, SITE_LABEL_MAX, false,
     "a text of at most 63 octets"},
    {"names", "version", site_parse_text, SITE_AT(authority.version), 0, SITE_LABEL_MAX, false,
     "a text of at most 63 octets"},
    {"names", "rate-limit", site_parse_number, SITE_AT(authority.rate_limit), 0, 1000000, false,
     "a number of replies a second from 1 to 1000000, or 0 for no limit"},
    {"names", "rate-slip", site_parse_number, SITE_AT(authority.rate_slip), 0, 10, false,
     "a number from 0 to 10"},
    {"names", "rate-prefix-v4", site_parse_number, SITE_AT(authority.rate_prefix_v4), 1, 32, false,
     "a number of bits from 1 to 32"},
    {"names", "rate-prefix-v6", site_parse_number, SITE_AT(authority.rate_prefix_v6), 1, 128, false,
     "a number of bits from 1 to 128"},
    {"names", "secondaries", parse_rule, SITE_AT(authority.secondaries), 0, 0, true, RULES_TEXT},
    {"names", "forward-updates-for", parse_rule, SITE_AT(authority.forwards), 0, 0, true, RULES_TEXT},
    {"names", "update", parse_update, SITE_AT(authority), 0, 0, true,
     "who may change what, such as \"key admin\", \"key dhcp below dyn.example types A AAAA TXT\" or "
     "\"10.0.0.0/8 key host self\"; at most 64"},
    {"names", "journal", site_parse_text, SITE_AT(names.journal), 0, SITE_TEXT_MAX, false,
     "a file, which is made if need be"},
    {"names", "primaries-trust", site_parse_text, SITE_AT(names.primaries_trust), 0, SITE_TEXT_MAX,
     false,
     "a file with certificates"},
    {"names", "notify", parse_notified, SITE_AT(authority.notified), 0, SITE_NOTIFIED_MAX, true,
     NOTIFIED_TEXT},

    {"secondary", "primaries", parse_primary, offsetof(struct site_secondary, primaries), 0,
     SITE_PRIMARIES_MAX, true,
     PRIMARIES_TEXT},
    {"secondary", "notify", parse_notified, offsetof(struct site_secondary, notified), 0,
     SITE_NOTIFIED_MAX, true, NOTIFIED_TEXT},
    {"secondary", "file", site_parse_text, offsetof(struct site_secondary, file), 0, SITE_TEXT_MAX,
     false, "a file, which is made if need be"},
    {"secondary", "size", site_parse_size, offsetof(struct site_secondary, octets_max), 64 * 1024,
     (uint64_t)1 << 40, false, "a number of octets such as 64M, at least 64k"},

    {"names", "publish-catalog", parse_zone_name, SITE_AT(catalogs.own), 0, 0, false, "a domain name"},
    {"catalog", "primaries", parse_primary, CATALOG(member.primaries), 0, SITE_PRIMARIES_MAX, true,
     PRIMARIES_TEXT},
    {"catalog", "notify", parse_notified, CATALOG(member.notified), 0, SITE_NOTIFIED_MAX, true,
     NOTIFIED_TEXT},
    {"catalog", "size", site_parse_size, CATALOG(member.octets_max), 64 * 1024, (uint64_t)1 << 40, false,
     "a number of octets such as 64M, at least 64k"},
    {"catalog", "directory", site_parse_text, CATALOG(directory), 0, SITE_TEXT_MAX, false,
     "a directory"},
    {"catalog", "accept", parse_accept, 0, 0, 0, true, "at most 16 domain names"},
    {"group", "primaries", parse_primary, offsetof(struct site_secondary, primaries), 0,
     SITE_PRIMARIES_MAX, true, PRIMARIES_TEXT},
    {"group", "notify", parse_notified, offsetof(struct site_secondary, notified), 0, SITE_NOTIFIED_MAX,
     true, NOTIFIED_TEXT},
    {"group", "size", site_parse_size, offsetof(struct site_secondary, octets_max), 64 * 1024,
     (uint64_t)1 << 40, false, "a number of octets such as 64M, at least 64k"},

    {"key", "algorithm", parse_algorithm, offsetof(struct site_key, key.algorithm), 0, 0, false,
     "hmac-sha256, hmac-sha1, hmac-sha224, hmac-sha384, hmac-sha512, hmac-sha256-128, "
     "hmac-sha384-192 or hmac-sha512-256"},
    {"key", "secret", parse_secret, 0, 0, 0, false, "octets in base64, at most 256"},
    {"key", "file", site_parse_text, offsetof(struct site_key, file), 0, SITE_TEXT_MAX, false,
     "a file with the key or its secret"},

    {"signing", "sign", parse_sign, SIGNING(signature.off), 0, 0, false, "on or off"},
    {"signing", "keys", site_parse_text, SIGNING(keys), 0, SITE_TEXT_MAX, false, "a directory"},
    {"signing", "algorithm", parse_sign_algorithm, SIGNING(signature.algorithm), 0, 0, false,
     "ECDSAP256SHA256, ECDSAP384SHA384, ED25519, ED448, RSASHA256 or RSASHA512"},
    {"signing", "bits", site_parse_number, SIGNING(signature.bits), 1024, 4096, false,
     "a number of bits from 1024 to 4096"},
    {"signing", "separate", site_parse_switch, SIGNING(signature.separate), 0, 0, false,
     "on or off"},
    {"signing", "nsec3", site_parse_switch, SIGNING(signature.policy.nsec3), 0, 0, false,
     "on or off"},
    {"signing", "opt-out", site_parse_switch, SIGNING(signature.policy.opt_out), 0, 0, false,
     "on or off"},
    {"signing", "iterations", site_parse_number, SIGNING(iterations), 0, SIGN_ITERATIONS_MAX, false,
     "a number from 0 (as RFC 9276 asks for) to 100"},
    {"signing", "salt", parse_salt, SIGNING(signature.policy), 0, 0, false,
     "at most 32 octets in hexadecimal, or -"},
    {"signing", "validity", site_parse_duration, SIGNING(validity), USEC_PER_HOUR, 365 *
     USEC_PER_DAY,
     false, SITE_DURATION_TEXT ", from 1h to 365d"},
    {"signing", "refresh", site_parse_duration, SIGNING(refresh), USEC_PER_MINUTE, 365 *
     USEC_PER_DAY,
     false, SITE_DURATION_TEXT ", from 1m to 365d"},
    {"signing", "jitter", site_parse_duration, SIGNING(jitter), USEC_PER_SEC, 365 * USEC_PER_DAY,
     false,
     SITE_DURATION_TEXT ", from 1s to 365d"},
    {"signing", "serial", parse_serial, SIGNING(signature.policy.serial), 0, 0, false,
     "increment, unixtime or keep"},
    {"signing", "zonemd", site_parse_switch, SIGNING(signature.policy.zonemd), 0, 0, false,
     "on or off"},
    {"signing", "delete-ds", site_parse_switch, SIGNING(signature.policy.delete_ds), 0, 0, false,
     "on or off"},
    {"signing", "key-ttl", site_parse_duration, SIGNING(key_ttl), USEC_PER_SEC, 7 * USEC_PER_DAY,
     false,
     SITE_DURATION_TEXT ", from 1s to 7d"},
    {"signing", "ds-ttl", site_parse_duration, SIGNING(ds_ttl), USEC_PER_SEC, 30 * USEC_PER_DAY,
     false,
     SITE_DURATION_TEXT ", from 1s to 30d"},
    {"signing", "propagation", site_parse_duration, SIGNING(propagation), USEC_PER_SEC, 30 *
     USEC_PER_DAY,
     false, SITE_DURATION_TEXT ", from 1s to 30d"},
    {"signing", "parent-propagation", site_parse_duration, SIGNING(parent_propagation),
     USEC_PER_SEC,
     30 * USEC_PER_DAY, false, SITE_DURATION_TEXT ", from 1s to 30d"},
    {"signing", "parent", parse_parent, SIGNING(signature), 0, 0, true,
     "addresses of the parent's servers such as 192.0.2.53 or [2001:db8::53]:53, at most 8"},
    {"signing", "zsk-lifetime", site_parse_duration, SIGNING(zsk_lifetime), USEC_PER_HOUR,
     3650 * USEC_PER_DAY, false, SITE_DURATION_TEXT ", from 1h to 3650d"},
    {"signing", "ksk-lifetime", site_parse_duration, SIGNING(ksk_lifetime), USEC_PER_HOUR,
     3650 * USEC_PER_DAY, false, SITE_DURATION_TEXT ", from 1h to 3650d"},

    {"view", "clients", parse_rule, VIEW(seen.clients), 0, 0, true, RULES_TEXT},
    {"view", "query-for", parse_rule, VIEW(seen.reach.queries), 0, 0, true, RULES_TEXT},
    {"view", "recursion", parse_own_names, VIEW(seen.reach.own_names_only), 0, 0, false, "on or off"},
    {"view", "resolve", parse_resolve, VIEW(view.own), 0, 0, false, "recursive, forward or none"},
    {"view", "forward", parse_view_forwarder, VIEW(view), 0, 0, true,
     "addresses of resolvers such as 192.0.2.53 or [2001:db8::53]:53, over TLS such as "
     "192.0.2.53#dns.example; at most 8"},
    {"view", "forward-for", parse_forward_for, VIEW(view.own), 0, 0, true,
     "a domain and addresses such as \"example.org 192.0.2.53\""},
    {"view", "cache", site_parse_size, VIEW(view.own.cache_octets), 64 * 1024,
     (uint64_t)64 << 30, false, "a number of octets such as 64M, at least 64k"},
    {"view", "recursion-for", parse_rule, VIEW(seen.reach.recursion), 0, 0, true, RULES_TEXT},
    {"view", "cache-for", parse_rule, VIEW(seen.reach.cache), 0, 0, true, RULES_TEXT},
    {"view", "record", parse_view_record, VIEW(view), 0, 0, true,
     "records such as \"www CNAME gateway\", at most 64 of them"},
    {"view", "policy", parse_view_policy, VIEW(seen.lists), 0, 0, true,
     "none, a policy zone's name and its file, such as \"block.list /srv/block.zone\", or the name alone "
     "of a zone that is served here, at most 8 of them"},
    {"view", "hosts", site_parse_text, VIEW(seen.lists.hosts), 0, SITE_TEXT_MAX, false,
     "a hosts file"},
    {"view", "zone", parse_zone, VIEW(seen.source), 0, 0, true,
     "a zone's name and its file, such as \"example.org /srv/inside.zone\", at most 64 of them"},
    {"view", "zones", site_parse_text, VIEW(seen.source.from), 0, SITE_TEXT_MAX, false,
     "a directory with a file NAME.zone for each zone, or a file with a zone's name and file in each "
     "line"},
};

const struct site_option_table site_names_options = {options, ARRAY_LEN(options)};
